//! A relay between two hubs, as the coordinator is.

use std::collections::VecDeque;

use node_sync::{Effect, Input, Message, SessionId};

use super::bench::{Node, carry_out_in_sessions, identity, names};
use super::writer;

const NOW: u64 = 1_000;
/// The relay's sessions with the two hubs; each hub calls its own by the same number.
const SESSIONS: [SessionId; 2] = [SessionId(7), SessionId(8)];

/// Three engines: two hubs, each connected to the relay alone.
pub(crate) struct Star {
    pub(crate) relay: Node,
    pub(crate) hubs: [Node; 2],
    /// What each hub has said since the last look.
    said: [Vec<Message>; 2],
    /// What each hub was told by the relay since the last look.
    pub(crate) told: [Vec<Message>; 2],
}

impl Star {
    pub(crate) fn connected() -> Self {
        let mut star = Self {
            relay: Node::new(0),
            hubs: [Node::new(1), Node::new(2)],
            said: [Vec::new(), Vec::new()],
            told: [Vec::new(), Vec::new()],
        };
        for (hub, session) in SESSIONS.into_iter().enumerate() {
            let connected = |dialled| Input::Connected {
                session,
                exporter: [5; 32],
                dialled,
                memory: None,
                refusals: Vec::new(),
                known: false,
            };
            let effects = star.relay.handle(NOW, connected(None));
            star.relay_does(effects);
            let relay = identity(0).public().node();
            let effects = star.hubs[hub].handle(NOW, connected(Some(relay)));
            star.hub_does(hub, effects);
        }
        star.said = [Vec::new(), Vec::new()];
        star
    }

    /// Carries out what a hub's engine wants, and all that follows from it.
    pub(crate) fn hub_does(&mut self, hub: usize, effects: Vec<Effect>) {
        let sent = carry_out_in_sessions(&mut self.hubs[hub], NOW, effects);
        self.said[hub].extend(sent.iter().map(|(_, message)| message.clone()));
        for (session, message) in sent {
            let received = Input::Received { session, message };
            let effects = self.relay.handle(NOW, received);
            self.relay_does(effects);
        }
    }

    /// Carries out what the relay's engine wants, and all that follows from it. Returns to which
    /// sessions it sent entries by that alone.
    pub(crate) fn relay_does(&mut self, effects: Vec<Effect>) -> Vec<SessionId> {
        let mut sent = VecDeque::from(carry_out_in_sessions(&mut self.relay, NOW, effects));
        let with_entries = sent
            .iter()
            .filter(|(_, message)| matches!(message, Message::Entries { .. }));
        let with_entries = with_entries.map(|(session, _)| *session).collect();
        while let Some((session, message)) = sent.pop_front() {
            let hub = usize::from(session == SESSIONS[1]);
            self.told[hub].push(message.clone());
            let effects = self.hubs[hub].handle(NOW, Input::Received { session, message });
            self.hub_does(hub, effects);
        }
        with_entries
    }
}

#[test]
fn what_one_peer_sends_is_pushed_on_at_once_to_the_others_and_not_back() {
    let mut star = Star::connected();
    for _ in 0..3 {
        star.relay.held_appends = Some(Vec::new());
        let effects = star.hubs[0].write(&writer(1));
        star.hub_does(0, effects);
        let appended = star.relay.release();
        assert_eq!(appended.len(), 1);
        assert_ne!(star.hubs[1].tip(&writer(1)), star.hubs[0].tip(&writer(1)));
        for appended in appended {
            let effects = star.relay.handle(NOW, appended);
            let reads = |effect: &Effect| matches!(effect, Effect::Read { .. });
            assert!(!effects.iter().any(reads), "the store is not asked again");
            assert_eq!(star.relay_does(effects), [SESSIONS[1]]);
        }
        assert_eq!(star.hubs[1].tip(&writer(1)), star.hubs[0].tip(&writer(1)));
    }
    // The other hub never asked for anything.
    assert_eq!(names(&star.said[1]), ["acknowledged"; 3]);
    assert!(star.relay.equal && star.hubs.iter().all(|hub| hub.equal));
}

#[test]
fn hubs_that_write_at_once_each_get_what_the_other_wrote() {
    let mut star = Star::connected();
    star.relay.held_appends = Some(Vec::new());
    for hub in [0, 1, 0, 1] {
        let key = writer(u8::try_from(hub + 1).expect("a small number"));
        let effects = star.hubs[hub].write(&key);
        star.hub_does(hub, effects);
    }
    for appended in star.relay.release() {
        let effects = star.relay.handle(NOW, appended);
        star.relay_does(effects);
    }
    assert_eq!(star.hubs[0].runs, star.relay.runs);
    assert_eq!(star.hubs[1].runs, star.relay.runs);
    assert!(star.hubs.iter().all(|hub| hub.equal));
}
