//! Refusals, said and heard.

use node_feed::{FeedName, Hash, NodeId, Refusal, RefusalReason, Retry, SpaceId};

use crate::session::Session;
use crate::{Effect, Engine, Goodbye, Message, SessionId};

impl Engine {
    pub(super) fn refusal(
        &self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
        hash: Hash,
        reason: RefusalReason,
    ) -> Refusal {
        Refusal {
            space,
            feed,
            number,
            hash,
            reason,
            version: self.own.software.clone(),
        }
    }

    pub(super) fn take_refusal(&mut self, id: SessionId, refusal: Refusal) {
        let Some(peer) = self.peer_of(id) else {
            return;
        };
        if refusal.version.len() > Message::VERSION_BYTES_MAX {
            self.leave(id, Goodbye::Malformed);
            return;
        }
        let is_news = self.hold_back(id, &refusal);
        let passes = matches!(
            refusal.reason,
            RefusalReason::Quota | RefusalReason::Storage
        );
        if passes {
            self.effects.push(Effect::HeldBack { peer, refusal });
        } else if is_news && refusal.reason.retry() == Retry::Never {
            self.effects.push(Effect::Refused { peer, refusal });
        }
    }

    /// Stops sending what a peer refuses; after a gap, finds out where to go on. False if it is not
    /// of a feed that is sent to this peer, or says no more than what it refused before.
    pub(super) fn hold_back(&mut self, id: SessionId, refusal: &Refusal) -> bool {
        let space = refusal.space;
        let (Some(session), Some(held)) = (self.sessions.get_mut(&id), self.spaces.get(&space))
        else {
            return false;
        };
        let (Some(peer_space), Some(writer)) = (
            session.spaces.get_mut(&space),
            held.writer_of(&refusal.feed),
        ) else {
            return false;
        };
        match refusal.reason {
            RefusalReason::Gap => {
                // After a refusal of the writer gaps are no news.
                let is_news = !peer_space.is_refused(&writer) && !peer_space.is_searching(&writer);
                // What is beside a copy is taken with it or not at all.
                if is_news && !peer_space.end_live(refusal.feed) {
                    self.search(id, space, writer);
                }
                false
            }
            RefusalReason::Cut => peer_space.refuse_from(refusal.feed, refusal.number),
            RefusalReason::GrantUnknown
            | RefusalReason::Quota
            | RefusalReason::Grant
            | RefusalReason::Forged
            | RefusalReason::Size
            | RefusalReason::Open
            | RefusalReason::Storage
            | RefusalReason::Frozen => peer_space.refuse_writer(writer, refusal.reason.retry()),
        }
    }

    pub(super) fn peer_of(&self, id: SessionId) -> Option<NodeId> {
        let peer = self.sessions.get(&id)?.peer.as_ref()?;
        Some(peer.node)
    }
}

impl Session {
    /// Says heights again where the peer was told "not yet", so that it sends again, and asks for
    /// them where nothing can be sent to it.
    pub(crate) fn ask_again(&mut self) {
        self.retry_due = None;
        for (space, peer_space) in &mut self.spaces {
            let asks = std::mem::take(&mut peer_space.is_stuck);
            if asks {
                peer_space.copy_again();
                self.behind.insert(*space);
            }
            if std::mem::take(&mut peer_space.not_yet) || asks {
                *self.restate.entry(*space).or_default() |= asks;
            }
        }
    }
}
