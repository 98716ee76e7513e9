//! Carrying out what an engine asks for, as a node's driver does.

use node_feed::NodeId;
use node_sync::{CloseReason, Effect, Input, PeerMemory, SessionId};

use super::run::{Event, Nation, micros};

/// How long reading takes, in microseconds.
const READ: u64 = 500;

impl Nation {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what a nation in which nothing breaks does not need is counted, and shown if anything lacks"
    )]
    pub(super) fn carry_out(&mut self, post: usize, effect: Effect) {
        match effect {
            Effect::Send { session, message } => self.post(post, session, message),
            Effect::Append { ticket, runs, .. } => {
                let target = &mut self.posts[post];
                let results = runs.into_iter().map(|run| target.append(run)).collect();
                let results = Ok(results);
                let input = Input::Appended { ticket, results };
                self.after(micros(self.plan.commit), Event::Done { post, input });
            }
            Effect::Read {
                ticket,
                space,
                from,
                bytes_max,
            } => {
                let runs = self.posts[post].read(&self.library, space, &from, bytes_max);
                let runs = Ok(runs);
                let input = Input::Read { ticket, runs };
                self.after(READ, Event::Done { post, input });
            }
            Effect::Recall { session, .. } => {
                let memory = self.recall(session);
                let refusals = Vec::new();
                self.tell(
                    post,
                    Input::Recalled {
                        session,
                        memory,
                        refusals,
                    },
                );
            }
            Effect::Remember { peer, memory } => {
                if let Some(hub) = self.hub_between(post, peer) {
                    self.remember(hub, post == 0, memory);
                }
            }
            Effect::Equal { session, .. } => self.is_equal(post, session, true),
            Effect::NotEqual { session, .. } => self.is_equal(post, session, false),
            Effect::Close { session, reason } => {
                if reason == CloseReason::Silent {
                    self.costs.lost += 1;
                } else {
                    self.broken
                        .push(format!("node {post} closed a session: {reason:?}"));
                }
                self.lose(post, session);
            }
            Effect::Refused { refusal, .. } | Effect::HeldBack { refusal, .. } => {
                self.broken.push(format!("node {post} met {refusal:?}"));
            }
            Effect::Alarm(alarm) => self.broken.push(format!("node {post}: {alarm:?}")),
            Effect::PeerHolds { .. } | Effect::ReceiptStored { .. } => {}
            _ => self.costs.unknown += 1,
        }
    }

    fn recall(&self, session: SessionId) -> Option<PeerMemory> {
        let hub = self.sessions.get(&session)?;
        let memory = self.memories.get(&(*hub, true))?;
        Some(PeerMemory::clone(memory))
    }

    fn hub_between(&self, post: usize, peer: NodeId) -> Option<usize> {
        if post == 0 {
            self.hubs_by_node.get(&peer).copied()
        } else {
            Some(post)
        }
    }

    fn is_equal(&mut self, post: usize, session: SessionId, is_equal: bool) {
        let Some(hub) = self.sessions.get(&session).copied() else {
            return;
        };
        let end = (post == 0, hub);
        if is_equal {
            self.equal.insert(end);
            if self.equal.len() == self.plan.hubs * 2 {
                self.equal_at = self.time;
            }
        } else {
            self.equal.remove(&end);
        }
    }
}
