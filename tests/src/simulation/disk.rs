//! What a machine asks of its disk: done in order, each after a while, and lost in a crash.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_feed::{
    Changes, CopyOffer, CopySlice, Entry, FeedName, Height, Heights, Kind, NodeId, NodeOpen, Nonce,
    Run, SecretKey, SpaceId, Subject, VerifiedRun,
};
use node_store::{Appended, EntryStore, MemoryStore, ReadStore, Stored, settle_authority};
use node_sync::{AppendResult, CopyPlan, Input, StorageDown, Ticket};

use super::copies::{DOCUMENTS, document};
use super::dice::Dice;
use super::machine::{Machine, Saved, Writer};

/// One job.
#[derive(Debug)]
pub(crate) enum Job {
    Append {
        ticket: Ticket,
        runs: Vec<VerifiedRun>,
    },
    Read {
        ticket: Ticket,
        space: SpaceId,
        from: Vec<(FeedName, u64)>,
        bytes_max: usize,
    },
    Sample {
        ticket: Ticket,
        space: SpaceId,
        writer: [u8; 32],
    },
    Find {
        ticket: Ticket,
        space: SpaceId,
        writer: [u8; 32],
        points: Vec<Height>,
    },
    PlanCopy {
        ticket: Ticket,
        space: SpaceId,
        feeds: Vec<(FeedName, u64)>,
        bases: Option<Heights>,
    },
    ReadCopy {
        ticket: Ticket,
        space: SpaceId,
        plan: Arc<CopyPlan>,
        from: usize,
        bytes_max: usize,
    },
    DropBase {
        space: SpaceId,
        writer: [u8; 32],
    },
    OfferCopy {
        ticket: Ticket,
        peer: NodeId,
        offer: CopyOffer,
    },
    TakeCopy {
        ticket: Ticket,
        slice: CopySlice,
    },
    /// Look at the documents of a whole copy.
    CheckCopy {
        space: SpaceId,
    },
    /// Fold the authority log.
    Fold,
    /// Write something of this node's own.
    Write {
        space: SpaceId,
    },
    /// Store what the office signed.
    State {
        run: VerifiedRun,
    },
}

impl Machine {
    /// Does the next job, and says what the engine must hear of it.
    pub(crate) fn work(&mut self, dice: &mut Dice) -> Vec<Input> {
        let Some(job) = self.jobs.pop_front() else {
            return Vec::new();
        };
        match job {
            Job::Append { ticket, runs } => {
                let results = self.append(runs);
                vec![Input::Appended { ticket, results }]
            }
            Job::Read {
                ticket,
                space,
                from,
                bytes_max,
            } => {
                let store = &self.folder.store;
                let runs = store.read(space, &from, bytes_max).unwrap_or_default();
                vec![Input::Read {
                    ticket,
                    runs: Ok(runs),
                }]
            }
            Job::Sample {
                ticket,
                space,
                writer,
            } => {
                let points = self.folder.store.sample(space, writer).unwrap_or_default();
                vec![Input::Sampled { ticket, points }]
            }
            Job::Find {
                ticket,
                space,
                writer,
                points,
            } => {
                let held = find(&self.folder.store, space, writer, &points);
                vec![Input::Found { ticket, held }]
            }
            Job::PlanCopy {
                ticket,
                space,
                feeds,
                bases,
            } => {
                let plan = self.plan_copy(space, &feeds, bases.as_ref());
                vec![Input::CopyPlanned { ticket, plan }]
            }
            Job::ReadCopy {
                ticket,
                space,
                plan,
                from,
                bytes_max,
            } => {
                let all = || plan.bases.iter().map(|(feed, _)| feed).collect();
                let pieces = self.read_copy(space, &plan, from, bytes_max);
                let pieces = Ok(pieces.ok_or_else(all));
                vec![Input::CopyRead { ticket, pieces }]
            }
            Job::DropBase { space, writer } => self.drop_base(space, writer).into_iter().collect(),
            Job::OfferCopy {
                ticket,
                peer,
                offer,
            } => self.offer_copy(ticket, peer, &offer),
            Job::TakeCopy { ticket, slice } => self.take_copy(ticket, &slice),
            Job::CheckCopy { space } => self.check_copy(space, dice).into_iter().collect(),
            Job::Fold => self.fold().into_iter().collect(),
            Job::Write { space } => self.write(space, dice).into_iter().collect(),
            Job::State { run } => {
                let written = self.append_own(run).map(Input::Written);
                written.into_iter().chain(self.fold()).collect()
            }
        }
    }

    fn append(&mut self, runs: Vec<VerifiedRun>) -> Result<Vec<AppendResult>, StorageDown> {
        if std::mem::take(&mut self.disk_fails) {
            return Err(StorageDown);
        }
        let appended = self.folder.store.append(&self.authority, runs);
        let appended = appended.map_err(|_| StorageDown)?;
        let live = appended
            .iter()
            .filter(|it| matches!(it, Appended::Live(Some(_))));
        self.copies.live += live.count();
        let results = appended
            .into_iter()
            .map(|result| match result {
                Appended::Held => AppendResult::Held,
                Appended::Live(news) => AppendResult::Live {
                    proven: news.is_some(),
                },
                Appended::Stored(done) => AppendResult::Stored(stored(done)),
                Appended::Refused(refused) => AppendResult::Refused {
                    feed: refused.feed,
                    number: refused.number,
                    hash: refused.hash,
                    reason: refused.reason,
                    at_base: refused.at_base,
                },
            })
            .collect();
        Ok(results)
    }

    fn append_own(&mut self, run: VerifiedRun) -> Option<node_sync::Stored> {
        let appended = self.folder.store.append(&self.authority, vec![run]).ok()?;
        match appended.into_iter().next()? {
            Appended::Stored(done) => Some(stored(done)),
            Appended::Held | Appended::Live(_) | Appended::Refused(_) => None,
        }
    }

    fn fold(&mut self) -> Option<Input> {
        let network = self.authority.network();
        let (authority, changed) = settle_authority(&mut self.folder.store, network).ok()?;
        self.authority = Arc::new(authority);
        let store = &self.folder.store;
        let trees = |space: SpaceId| (space, store.trees(space).unwrap_or_default());
        Some(Input::AuthorityChanged {
            authority: Arc::clone(&self.authority),
            spaces: changed.into_iter().map(trees).collect(),
        })
    }

    /// Writes one to three entries, with a new key if there is none under the grant of now.
    fn write(&mut self, space: SpaceId, dice: &mut Dice) -> Option<Input> {
        let grant = self.authority.write_grant(self.hub, space)?;
        let network = self.authority.network();
        let writer = self.folder.writers.get(&space);
        let mut entries = Vec::new();
        let key = match writer.filter(|writer| writer.grant == grant) {
            Some(writer) => writer.key.clone(),
            None => {
                let key = SecretKey::from_seed(&dice.bytes());
                let open = NodeOpen::sign(
                    network,
                    space,
                    &key.public(),
                    &self.identity,
                    (self.hub, grant),
                    Vec::new(),
                    Nonce(dice.bytes()),
                );
                entries.push(entry(Kind::OPEN, open.encode().ok()?));
                let minted = Writer {
                    key: key.clone(),
                    grant,
                };
                self.folder.writers.insert(space, minted);
                key
            }
        };
        for _ in 0..=dice.below(3) {
            let length = if dice.chance(5) { 1_500 } else { 40 };
            entries.push(change(length, dice));
        }
        let name = FeedName::from(&key.public());
        let tip = self.own_tip(space, name);
        if tip.is_some_and(|tip| tip.number > 0)
            && dice.chance(40)
            && let Some(checkpoint) = self.checkpoint(space, name, dice)
        {
            // It stands for all that was written before it, and begins what is written now.
            entries.splice(0..0, checkpoint);
        }
        let run = Run::sign(network, space, &key, tip, entries).ok()?;
        let writer = *run.writer();
        // What a checkpoint says nobody has written.
        let written = run.entries().filter(|(_, it)| it.kind != Kind::CHECKPOINT);
        let heights = written.map(|(height, _)| height).collect::<Vec<_>>();
        let Some(done) = self.append_own(run) else {
            // Access ended, or the feed is not this node's alone any more.
            self.folder.writers.remove(&space);
            return None;
        };
        let saved = heights.into_iter().map(|height| Saved {
            space,
            writer,
            height,
            sent: false,
        });
        self.saved.extend(saved);
        Some(Input::Written(done))
    }

    fn own_tip(&self, space: SpaceId, name: FeedName) -> Option<Height> {
        let trees = self.folder.store.trees(space).unwrap_or_default();
        trees.get(name.as_bytes())?.feeds().get(&name)?.tip
    }
}

/// Something that a person wrote: about one of a few documents, or of a kind of its own.
fn change(length: usize, dice: &mut Dice) -> Entry {
    let text = [&dice.bytes::<16>()[..], &vec![7; length - 16]].concat();
    if dice.chance(30) {
        return entry(Kind(99), text.into());
    }
    // A chunk that carriage takes for what it is not asked to look into.
    let mut chunk = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 2];
    let mut rest = text.len();
    while rest >= 0x80 {
        chunk.push(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
        rest >>= 7;
    }
    chunk.push(u8::try_from(rest).unwrap_or_default());
    chunk.extend(text);
    let changes = Changes {
        random: Nonce(dice.bytes()),
        nonce: Nonce([1; 16]),
        chunks: vec![chunk.into()],
    };
    Entry {
        subject: document(dice.below(DOCUMENTS)),
        ..entry(Kind::CHANGES, changes.encode())
    }
}

fn entry(kind: Kind, payload: bytes::Bytes) -> Entry {
    Entry {
        time_ms: 1,
        kind,
        subject: Subject::NONE,
        payload,
    }
}

fn stored(done: Stored) -> node_sync::Stored {
    node_sync::Stored {
        run: done.run,
        feed: done.feed,
        feeds: done.feeds,
        removed: done.removed,
        forked: done.forked,
    }
}

/// For each point the feed of `writer` that holds it.
pub(crate) fn find(
    store: &MemoryStore,
    space: SpaceId,
    writer: [u8; 32],
    points: &[Height],
) -> Vec<Option<FeedName>> {
    let trees: BTreeMap<_, _> = store.trees(space).unwrap_or_default();
    let hash_at = |feed, number| store.hash_at(space, feed, number).ok().flatten();
    let holder = |point: &Height| trees.get(&writer)?.holder(*point, hash_at);
    points.iter().map(holder).collect()
}
