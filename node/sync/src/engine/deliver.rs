//! Sending entries: at once where the peer needs just these next, and else read from the store
//! when there is room.

use std::sync::Arc;

use node_feed::{FeedName, Run, SpaceId, VerifiedRun};

use super::Pending;
use super::receive::weight;
use crate::session::Flight;
use crate::{Effect, Engine, Goodbye, Message, SessionId, StorageDown, Ticket};

/// How many feeds one read asks for.
const FEEDS_PER_READ: usize = 512;

impl Engine {
    /// Passes on what has just become durable to every session that shares the space.
    pub(super) fn push(
        &mut self,
        space: SpaceId,
        stored: &[(FeedName, VerifiedRun)],
        origin: Option<SessionId>,
    ) {
        if stored.is_empty() {
            return;
        }
        let runs = stored.iter().map(|(_, run)| run.as_run().clone());
        let runs: Arc<[Run]> = runs.collect();
        let sessions = self.sessions.keys().copied().collect::<Vec<_>>();
        for id in sessions {
            if origin == Some(id) {
                continue;
            }
            if self.needs_just(id, space, stored) {
                let feeds = stored
                    .iter()
                    .map(|(feed, run)| (*feed, run.last().number + 1));
                self.send_entries(id, space, Arc::clone(&runs), feeds.collect());
            } else if let Some(session) = self.sessions.get_mut(&id)
                && session.spaces.contains_key(&space)
            {
                session.behind.insert(space);
                self.touched.insert(id);
            }
        }
    }

    fn needs_just(
        &self,
        id: SessionId,
        space: SpaceId,
        stored: &[(FeedName, VerifiedRun)],
    ) -> bool {
        let (Some(session), Some(held)) = (self.sessions.get(&id), self.spaces.get(&space)) else {
            return false;
        };
        let Some(peer_space) = session.spaces.get(&space) else {
            return false;
        };
        let mut feeds = stored.iter().map(|(feed, _)| feed).collect::<Vec<_>>();
        feeds.sort_unstable();
        feeds.dedup();
        session.is_live()
            && session.gives()
            && session.bytes_in_flight < self.config.bytes_in_flight_max
            && !session.behind.contains(&space)
            // One run of each feed: the position of a second would only follow from the first.
            && feeds.len() == stored.len()
            && stored
                .iter()
                .all(|(feed, run)| peer_space.takes_next(feed, run.first(), held))
    }

    fn send_entries(
        &mut self,
        id: SessionId,
        space: SpaceId,
        runs: Arc<[Run]>,
        feeds: Vec<(FeedName, u64)>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let bytes = weight(&runs);
        session.bytes_in_flight += bytes;
        session.in_flight.push_back(Flight {
            frame: session.frames_sent + 1,
            bytes,
            space,
            feeds: feeds.iter().map(|(feed, _)| *feed).collect(),
        });
        if let Some(peer_space) = session.spaces.get_mut(&space) {
            for (feed, next) in feeds {
                peer_space.set_sent(feed, next);
            }
        }
        self.send(id, Message::Entries { space, runs });
    }

    /// Reads the next of what a peer lacks, if there is room for it.
    pub(super) fn pump(&mut self, id: SessionId) {
        let authority = self.authority_space();
        while let Some(session) = self.sessions.get_mut(&id) {
            let room = self
                .config
                .bytes_in_flight_max
                .saturating_sub(session.bytes_in_flight);
            if !session.is_live() || session.reading || room == 0 {
                return;
            }
            if !session.gives() {
                session.behind.clear();
                return;
            }
            // The authority log goes first; other spaces take turns.
            let after = session.last_read;
            let next = session
                .behind
                .get(&authority)
                .or_else(|| session.behind.iter().find(|space| Some(**space) > after))
                .or_else(|| session.behind.first())
                .copied();
            let Some(space) = next else {
                return;
            };
            session.last_read = Some(space);
            let from = match (session.spaces.get(&space), self.spaces.get(&space)) {
                (Some(peer_space), Some(held)) if peer_space.is_known() => {
                    peer_space.wants(held, FEEDS_PER_READ)
                }
                (Some(peer_space), Some(held)) => {
                    // Nothing can be sent before the peer's heights are known.
                    session.behind.remove(&space);
                    if !peer_space.asked && !session.awaits_spaces && !held.heights().is_empty() {
                        self.say_whole(id, space, true);
                    }
                    continue;
                }
                _ => Vec::new(),
            };
            if from.is_empty() {
                session.behind.remove(&space);
                continue;
            }
            session.reading = true;
            let ticket = self.ask(Pending::Read {
                session: id,
                space,
                from: from.clone(),
            });
            let bytes_max = room.min(self.config.batch_bytes);
            self.effects.push(Effect::Read {
                ticket,
                space,
                from,
                bytes_max,
            });
        }
    }

    pub(super) fn read(&mut self, ticket: Ticket, runs: Result<Vec<Run>, StorageDown>) {
        let Some(Pending::Read {
            session: id,
            space,
            from,
        }) = self.pending.remove(&ticket)
        else {
            return;
        };
        let (Some(session), Some(held)) = (self.sessions.get_mut(&id), self.spaces.get(&space))
        else {
            return;
        };
        session.reading = false;
        self.touched.insert(id);
        let Ok(runs) = runs else {
            self.leave(id, Goodbye::Storage);
            return;
        };
        let Some(peer_space) = session.spaces.get(&space) else {
            return;
        };
        if runs.is_empty() {
            // Either a fork gave what was asked for another name in the meantime, or the store holds
            // less than is known here, and the news of it is on its way.
            if peer_space.wants(held, FEEDS_PER_READ) == from {
                session.behind.remove(&space);
            }
            return;
        }
        let mut sent = Vec::new();
        let mut feeds = std::collections::BTreeMap::new();
        for run in runs {
            // At most one feed of each writer was asked for.
            let asked = from
                .iter()
                .find(|(feed, _)| held.writer_of(feed) == Some(run.writer));
            let Some((feed, _)) = asked else {
                continue;
            };
            let next = run.first + run.entries.len() as u64;
            if peer_space.is_refused(&run.writer) || peer_space.is_searching(&run.writer) {
                continue;
            }
            feeds.insert(*feed, next);
            sent.push(run);
        }
        if !sent.is_empty() {
            self.send_entries(id, space, sent.into(), feeds.into_iter().collect());
        }
    }
}
