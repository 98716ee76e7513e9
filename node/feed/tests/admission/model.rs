//! What one writer signed, and which feeds any choice of its entries makes.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use node_feed::{
    Entry, FeedName, Height, Kind, NetworkId, Run, SecretKey, SpaceId, Subject, TreeFeed,
    VerifiedRun,
};

/// A tree of entries of one writer. Nothing here knows how nodes hold them.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    entries: BTreeMap<Height, (Option<Height>, Bytes)>,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
        }
    }

    /// Signs `length` entries after `parent`, unlike any before; returns the last.
    pub(crate) fn grow(&mut self, mut parent: Option<Height>, length: usize) -> Height {
        for _ in 0..length {
            let mut payload = vec![0; 16];
            payload.extend_from_slice(&self.entries.len().to_le_bytes());
            let payload = Bytes::from(payload);
            let run = sign(parent, vec![payload.clone()]);
            self.entries.insert(run.last(), (parent, payload));
            parent = Some(run.last());
        }
        parent.expect("at least one entry")
    }

    /// All entries, in the order of their numbers.
    pub(crate) fn heights(&self) -> Vec<Height> {
        self.entries.keys().copied().collect()
    }

    /// These entries and all before them.
    pub(crate) fn ancestors(&self, of: &[Height]) -> Vec<Height> {
        let lines = of.iter().flat_map(|height| self.line(*height));
        lines.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// One run of everything up to `tip`.
    pub(crate) fn run_to(&self, tip: Height) -> VerifiedRun {
        let payloads = self
            .line(tip)
            .into_iter()
            .map(|height| self.entries[&height].1.clone());
        sign(None, payloads.collect())
    }

    /// Every run that a peer might send: to each entry, from each entry before it.
    pub(crate) fn runs(&self) -> Vec<VerifiedRun> {
        let wholes = self.entries.keys().map(|tip| self.run_to(*tip));
        wholes
            .flat_map(|run| (0..=run.last().number).filter_map(move |from| run.from(from)))
            .collect()
    }

    /// The feeds that `held` makes, by their definition: an entry goes on the feed of the one
    /// before it if it alone does, and else begins one of its own.
    pub(crate) fn feeds(&self, held: &[Height]) -> BTreeMap<FeedName, TreeFeed> {
        let mut children = BTreeMap::<Option<Height>, Vec<Height>>::new();
        for height in held {
            children
                .entry(self.entries[height].0)
                .or_default()
                .push(*height);
        }
        let mut feeds = BTreeMap::new();
        if held.is_empty() {
            return feeds;
        }
        let trunk = FeedName::from(&writer().public());
        let mut open = vec![(trunk, None, 0, None)];
        while let Some((name, parent, start, mut tip)) = open.pop() {
            let mut next = children.get(&tip).map_or(&[][..], Vec::as_slice);
            while let [only] = next {
                tip = Some(*only);
                next = children.get(&tip).map_or(&[][..], Vec::as_slice);
            }
            feeds.insert(
                name,
                TreeFeed {
                    parent,
                    start,
                    tip,
                    base: 0,
                },
            );
            for first in next {
                let branch = FeedName::from_bytes(*first.hash.as_bytes());
                open.push((branch, Some(name), first.number, Some(*first)));
            }
        }
        feeds
    }

    fn line(&self, tip: Height) -> Vec<Height> {
        let mut line = Vec::new();
        let mut at = Some(tip);
        while let Some(height) = at {
            line.push(height);
            at = self.entries[&height].0;
        }
        line.reverse();
        line
    }
}

fn writer() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn sign(parent: Option<Height>, payloads: Vec<Bytes>) -> VerifiedRun {
    let first = parent.is_none();
    let entries = payloads
        .into_iter()
        .enumerate()
        .map(|(index, payload)| Entry {
            time_ms: 0,
            kind: if first && index == 0 {
                Kind::OPEN
            } else {
                Kind(200)
            },
            subject: Subject::NONE,
            payload,
        });
    let network = NetworkId::from_bytes([3; 16]);
    let space = SpaceId::from_bytes([4; 16]);
    let run = Run::sign(network, space, &writer(), parent, entries.collect());
    run.expect("few small entries")
}
