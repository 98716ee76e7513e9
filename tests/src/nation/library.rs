//! Every entry that is written while a nation runs, once, whoever holds it.

use std::collections::BTreeMap;

use node_feed::{Hash, Height, Proof, RUN_ENTRIES_MAX, Run, RunEntry, SpaceId, VerifiedRun};

/// One feed from where the year before ended.
#[derive(Debug)]
struct Shelf {
    /// The last entry of the year before.
    before: Height,
    entries: Vec<(RunEntry, Hash, Proof)>,
}

/// All feeds.
#[derive(Debug, Default)]
pub(super) struct Library(BTreeMap<(SpaceId, [u8; 32]), Shelf>);

impl Library {
    /// Takes note of a feed that ended here in the year before.
    pub(super) fn open(&mut self, space: SpaceId, writer: [u8; 32], before: Height) {
        let entries = Vec::new();
        self.0.insert((space, writer), Shelf { before, entries });
    }

    /// The last entry of a feed.
    pub(super) fn tip(&self, space: SpaceId, writer: [u8; 32]) -> Option<Height> {
        let shelf = self.0.get(&(space, writer))?;
        Some(match shelf.entries.last() {
            Some((_, hash, _)) => Height {
                number: shelf.before.number + shelf.entries.len() as u64,
                hash: *hash,
            },
            None => shelf.before,
        })
    }

    /// Keeps a run that was just signed.
    pub(super) fn keep(&mut self, run: &VerifiedRun) {
        if let Some(shelf) = self.0.get_mut(&(run.space(), *run.writer())) {
            let proof = run.proof();
            let entries = run.entries();
            shelf
                .entries
                .extend(entries.map(|(height, entry)| (entry.clone(), height.hash, proof)));
        }
    }

    /// The entries of a feed from number `from` up to before `end`, of about `bytes_max` bytes of
    /// payload at most, as one run: every entry was signed by itself, and the last signature
    /// proves those before.
    pub(super) fn read(
        &self,
        space: SpaceId,
        writer: [u8; 32],
        (from, end): (u64, u64),
        bytes_max: usize,
    ) -> Option<(Run, usize)> {
        let shelf = self.0.get(&(space, writer))?;
        let first = shelf.before.number + 1;
        let skip = usize::try_from(from.checked_sub(first)?).ok()?;
        let stop = usize::try_from(end.checked_sub(first)?).ok()?;
        let held = shelf.entries.get(skip..stop)?;
        let mut bytes = 0;
        let fits = |(entry, _, _): &&(RunEntry, Hash, Proof)| {
            let fits = bytes == 0 || bytes + weight(entry) <= bytes_max;
            bytes += weight(entry);
            fits
        };
        let taken = held.iter().take(RUN_ENTRIES_MAX).take_while(fits).count();
        let taken = held.get(..taken)?;
        let (_, _, proof) = taken.last()?;
        let previous = match skip.checked_sub(1) {
            Some(before) => shelf.entries.get(before)?.1,
            None => shelf.before.hash,
        };
        let entries = taken.iter().map(|(entry, _, _)| entry.clone());
        let run = Run {
            writer,
            first: from,
            previous,
            entries: entries.collect(),
            proof: *proof,
        };
        Some((run, taken.iter().map(|(entry, _, _)| weight(entry)).sum()))
    }
}

fn weight(entry: &RunEntry) -> usize {
    entry.payload.bytes().map_or(0, bytes::Bytes::len)
}
