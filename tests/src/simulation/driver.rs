//! Carrying out what an engine asks for, as a node's driver does, and watching the wire.

use node_feed::{Hash, NodeId, Refusal, SpaceId};
use node_store::{EntryStore, ReadStore};
use node_sync::{Effect, Input, Message, PeerMemory, SessionId};

use super::disk::Job;
use super::machine::Machine;
use super::world::{Event, World};

/// How long a job of a disk takes at most, and one that reads a part of a copy.
const JOB_MS: u64 = 30;
const READ_COPY_MS: u64 = 150;
/// How long looking at the documents of a copy takes at most.
const CHECK_MS: u64 = 5_000;

impl World {
    pub(crate) fn carry_out(&mut self, machine: usize, effect: Effect) {
        match effect {
            Effect::Send { session, message } => self.post(machine, session, message),
            Effect::Close { session, reason } => {
                self.trace.note(format_args!(
                    "{} {machine} close {session:?} {reason:?}",
                    self.time
                ));
                self.machines[machine].equal.remove(&session);
                self.hang_up_after_goodbye(machine, session.0);
            }
            Effect::Append { ticket, runs, .. } => {
                self.queue(machine, Job::Append { ticket, runs });
            }
            Effect::Read {
                ticket,
                space,
                from,
                bytes_max,
            } => self.queue(
                machine,
                Job::Read {
                    ticket,
                    space,
                    from,
                    bytes_max,
                },
            ),
            Effect::PlanCopy {
                ticket,
                space,
                feeds,
                bases,
            } => self.queue(
                machine,
                Job::PlanCopy {
                    ticket,
                    space,
                    feeds,
                    bases,
                },
            ),
            Effect::ReadCopy {
                ticket,
                space,
                plan,
                from,
                bytes_max,
            } => self.queue(
                machine,
                Job::ReadCopy {
                    ticket,
                    space,
                    plan,
                    from,
                    bytes_max,
                },
            ),
            Effect::DropBase { space, writer } => {
                self.queue(machine, Job::DropBase { space, writer });
            }
            Effect::OfferCopy {
                ticket,
                peer,
                offer,
            } => self.queue(
                machine,
                Job::OfferCopy {
                    ticket,
                    peer,
                    offer,
                },
            ),
            Effect::TakeCopy { ticket, slice } => {
                self.queue(machine, Job::TakeCopy { ticket, slice });
            }
            Effect::Sample {
                ticket,
                space,
                writer,
            } => self.queue(
                machine,
                Job::Sample {
                    ticket,
                    space,
                    writer,
                },
            ),
            Effect::Find {
                ticket,
                space,
                writer,
                points,
            } => self.queue(
                machine,
                Job::Find {
                    ticket,
                    space,
                    writer,
                    points,
                },
            ),
            Effect::AuthorityGrew => self.queue(machine, Job::Fold),
            Effect::Recall { session, peer } => {
                let (memory, refusals) = self.machines[machine].recall(peer);
                self.tell(
                    machine,
                    Input::Recalled {
                        session,
                        memory,
                        refusals,
                    },
                );
            }
            Effect::OwnFeedAhead { space, writer } => {
                self.trace
                    .note(format_args!("{} {machine} own feed ahead", self.time));
                let writers = &mut self.machines[machine].folder.writers;
                if writers
                    .get(&space)
                    .is_some_and(|held| *held.key.public().as_bytes() == writer)
                {
                    writers.remove(&space);
                }
            }
            Effect::PeerHolds {
                peer,
                space,
                heights,
                ..
            } => {
                if self.machine_of(peer) == Some(0) {
                    for (feed, height) in heights {
                        self.machines[machine].mark_sent(space, feed, height);
                    }
                }
            }
            Effect::Equal { session, .. } => {
                self.machines[machine].equal.insert(session);
            }
            Effect::NotEqual { session, .. } => {
                self.machines[machine].equal.remove(&session);
            }
            Effect::Alarm(alarm) => {
                self.trace
                    .note(format_args!("{} {machine} alarm {alarm:?}", self.time));
                self.judge_alarm(machine, &alarm);
            }
            Effect::HeldBack { .. } => {}
            Effect::Remember { .. }
            | Effect::Refused { .. }
            | Effect::RefusalsCleared { .. }
            | Effect::ReceiptStored { .. } => self.machines[machine].keep(effect),
        }
    }

    /// Has the copies checked that have become whole. That may take a while, in which others write.
    pub(crate) fn queue_checks(&mut self, machine: usize) {
        let life = self.machines[machine].life;
        for space in std::mem::take(&mut self.machines[machine].whole_copies) {
            let longest = if self.dice.chance(50) { CHECK_MS } else { 1 };
            let delay = self.dice.below(longest);
            let check = Event::Check {
                machine,
                life,
                space,
            };
            self.after(delay, check);
        }
    }

    /// Queues a job; the disk does one after the other.
    pub(crate) fn queue(&mut self, machine: usize, job: Job) {
        let slowest = if matches!(job, Job::ReadCopy { .. }) {
            READ_COPY_MS
        } else {
            JOB_MS
        };
        let delay = 1 + self.dice.below(slowest);
        let target = &mut self.machines[machine];
        target.jobs.push_back(job);
        target.disk_free_at = target.disk_free_at.max(self.time) + delay;
        let (time, life) = (target.disk_free_at, target.life);
        self.at(time, Event::Disk { machine, life });
    }

    fn post(&mut self, from: usize, session: SessionId, message: Message) {
        let id = session.0;
        let slowest = if self.dice.chance(5) { 400 } else { 40 };
        let delay = 5 + self.dice.below(slowest);
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if !connection.up {
            return;
        }
        let side = usize::from(connection.ends[0] == from);
        let to = connection.ends[side];
        let time = connection.last[side].max(self.time + delay);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.last[side] = time;
        }
        self.trace.note(format_args!(
            "{} {from}->{to} {} {}",
            self.time,
            id,
            Summary(&message)
        ));
        self.watch(from, to, &message);
        if self.overheard.len() < 40 && self.dice.chance(10) {
            self.overheard.push((id, to, message.clone()));
        }
        self.at(
            time,
            Event::Arrive {
                connection: id,
                to,
                message,
            },
        );
    }

    /// Closes one end: what it sent before still arrives, and then the other end hears of it.
    fn hang_up_after_goodbye(&mut self, machine: usize, id: u64) {
        let Some(connection) = self.connections.get_mut(&id).filter(|held| held.up) else {
            return;
        };
        connection.up = false;
        let side = usize::from(connection.ends[0] == machine);
        let other = connection.ends[side];
        connection.draining = Some(other);
        let (time, link) = (connection.last[side].max(self.time) + 1, connection.link);
        self.links[link].connection = None;
        self.at(
            time,
            Event::Hangup {
                connection: id,
                machine: other,
            },
        );
        let delay = 500 + self.dice.below(1_500);
        self.at(time + delay, Event::Dial { link });
    }

    /// Nothing of a space may go to a hub that may not read it, as far as the sender knows.
    fn watch(&mut self, from: usize, to: usize, message: &Message) {
        let spaces: Vec<SpaceId> = match message {
            Message::Entries { space, .. }
            | Message::Probe { space, .. }
            | Message::Common { space, .. } => vec![*space],
            Message::Heights(heights) => vec![heights.space],
            Message::CopyOffer(offer) => vec![offer.space],
            Message::Copy(slice) => vec![slice.space],
            Message::Acknowledged { space, digest, .. } if *digest != Hash::ZERO => vec![*space],
            Message::Spaces { digests, .. } => digests.iter().map(|(space, _)| *space).collect(),
            Message::Hello(hello) => hello.changed.iter().map(|(space, _)| *space).collect(),
            Message::Receipts(receipts) => receipts.iter().map(|receipt| receipt.space).collect(),
            Message::ReceiptsHeld(held) => held.keys().copied().collect(),
            Message::Acknowledged { .. } | Message::Refused(_) | Message::Goodbye(_) => Vec::new(),
        };
        let sender = &self.machines[from];
        let authority = SpaceId::authority(sender.authority.network());
        let hub = self.machines[to].hub;
        for space in spaces {
            let may_read = sender.authority.access(hub, space).is_some();
            if space != authority && !may_read && !sender.jobs_fold() {
                self.broken.push(format!(
                    "machine {from} told {to} of a space that it may not read: {}",
                    Summary(message)
                ));
            }
        }
    }
}

impl Machine {
    pub(crate) fn recall(&self, peer: NodeId) -> (Option<PeerMemory>, Vec<Refusal>) {
        let store = &self.folder.store;
        let memory = store.peer_memory(peer).ok().flatten();
        let memory = memory.and_then(|memory| {
            Some(PeerMemory {
                root: memory.root?,
                spaces: memory.spaces,
            })
        });
        (memory, store.refusals(peer).unwrap_or_default())
    }

    /// Whether the authority log is about to be folded, so that the engine knows less than the
    /// machine.
    fn jobs_fold(&self) -> bool {
        self.jobs
            .iter()
            .any(|job| matches!(job, Job::Fold | Job::State { .. }))
    }

    fn keep(&mut self, effect: Effect) {
        let store = &mut self.folder.store;
        // The memory store never fails.
        let _ = match effect {
            Effect::Remember { peer, memory } => {
                let memory = node_store::PeerMemory {
                    root: Some(memory.root),
                    spaces: memory.spaces,
                };
                store.remember_peer(peer, &memory)
            }
            Effect::Refused { peer, refusal } => store.store_refusal(peer, &refusal),
            Effect::RefusalsCleared { peer: Some(peer) } => store.clear_refusals(peer),
            Effect::RefusalsCleared { peer: None } => {
                let mut nodes = self.authority.nodes().keys().copied();
                nodes.try_for_each(|node| store.clear_refusals(node))
            }
            Effect::ReceiptStored { receipt } => store.store_receipt(&receipt),
            Effect::Send { .. }
            | Effect::Close { .. }
            | Effect::Append { .. }
            | Effect::Read { .. }
            | Effect::PlanCopy { .. }
            | Effect::ReadCopy { .. }
            | Effect::OfferCopy { .. }
            | Effect::TakeCopy { .. }
            | Effect::DropBase { .. }
            | Effect::HeldBack { .. }
            | Effect::Sample { .. }
            | Effect::Find { .. }
            | Effect::Recall { .. }
            | Effect::AuthorityGrew
            | Effect::OwnFeedAhead { .. }
            | Effect::PeerHolds { .. }
            | Effect::Equal { .. }
            | Effect::NotEqual { .. }
            | Effect::Alarm(_) => Ok(()),
        };
    }
}

/// A message in a few words.
struct Summary<'a>(&'a Message);

impl std::fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = |space: &SpaceId| space.as_bytes()[0];
        match self.0 {
            Message::Hello(hello) => write!(
                f,
                "hello root {:?} since {:?} agreed {} changed {} authority {}",
                hello.root,
                hello.since,
                hello.agreed,
                hello.changed.len(),
                hello.authority.is_some()
            ),
            Message::Spaces { digests, .. } => write!(f, "spaces {}", digests.len()),
            Message::CopyOffer(offer) => write!(
                f,
                "copy {} offered, of {} documents",
                offer.bases.digest(offer.space),
                offer.documents
            ),
            Message::Copy(slice) => write!(
                f,
                "copy {} of {} pieces after {}, ends {}",
                slice.id,
                slice.pieces.len(),
                slice.before,
                slice.ends
            ),
            Message::Heights(said) => {
                write!(
                    f,
                    "heights {} whole {} ask {} entries {} copy {:?}",
                    short(&said.space),
                    said.base.is_none(),
                    said.ask,
                    said.whole,
                    said.copy.as_ref().map(|copy| (copy.documents, copy.open))
                )?;
                for (feed, height) in &said.heights {
                    write!(f, " {}:{}", feed.as_bytes()[0], height.number)?;
                }
                Ok(())
            }
            Message::Entries { space, runs } => {
                write!(f, "entries {}", short(space))?;
                for run in runs.iter() {
                    let last = run.first + run.entries.len() as u64 - 1;
                    write!(f, " {}:{}-{last}", run.writer[0], run.first)?;
                }
                Ok(())
            }
            Message::Acknowledged {
                space,
                heights,
                through,
                ..
            } => {
                write!(f, "acknowledged {} through {through}", short(space))?;
                for (feed, height) in heights {
                    write!(f, " {}:{}", feed.as_bytes()[0], height.number)?;
                }
                Ok(())
            }
            Message::Refused(refusal) => write!(
                f,
                "refused {} {}:{} {:?}",
                short(&refusal.space),
                refusal.feed.as_bytes()[0],
                refusal.number,
                refusal.reason
            ),
            Message::Receipts(receipts) => write!(f, "receipts {}", receipts.len()),
            Message::ReceiptsHeld(held) => write!(f, "receipts held {}", held.len()),
            Message::Probe {
                space,
                writer,
                points,
            } => write!(f, "probe {} {} {}", short(space), writer[0], points.len()),
            Message::Common {
                space,
                writer,
                points,
            } => write!(f, "common {} {} {}", short(space), writer[0], points.len()),
            Message::Goodbye(farewell) => write!(f, "goodbye {:?}", farewell.reason),
        }
    }
}
