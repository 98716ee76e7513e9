//! Every feed of every space: signatures, chains, payloads, openings, cuts.

use std::collections::BTreeMap;

use node_feed::{
    Admission, FeedName, FeedTree, Hash, Height, Kind, Opening, Payload, PublicKey, SpaceId,
    TreeFeed,
};
use node_store::ReadStore;

use super::{Check, Part, Progress, TRIES, VerifyError, Wrong};

/// How many bytes of payload are read at a time.
const READ_BYTES: usize = 4 << 20;

/// A feed that is being checked.
#[derive(Clone, Copy)]
struct At {
    space: SpaceId,
    name: FeedName,
}

impl At {
    fn wrong(self, number: u64, why: impl ToString) -> VerifyError {
        let wrong = Wrong::Entry {
            space: self.space,
            feed: self.name,
            number,
            why: why.to_string(),
        };
        wrong.into()
    }
}

/// What is checked of a feed beside its entries.
struct Opened {
    at: At,
    feed: TreeFeed,
    key: PublicKey,
    opening: Opening,
}

impl<F: FnMut(Progress) -> bool> Check<'_, F> {
    pub(super) fn entries(&mut self) -> Result<(), VerifyError> {
        let totals = self.read(ReadStore::totals)?;
        self.found.evidence = totals.evidence;
        let access = self
            .inner
            .membership()
            .map(|it| SpaceId::authority(it.network));
        if let Some(access) = access {
            // Before all else: what counts elsewhere is decided by it.
            let trees = self.read(|store| store.trees(access))?;
            let entries = trees.values().map(entries_of).sum();
            self.begin(Part::Access, entries)?;
            self.space_at_rest(access)?;
        }
        let left = totals.entries.saturating_sub(self.found.entries);
        self.begin(Part::Entries, left)?;
        for space in self.read(ReadStore::spaces)? {
            if Some(space) != access {
                self.space_at_rest(space)?;
            }
        }
        Ok(())
    }

    /// One space. What a cut, a fork or a copy changed meanwhile is no fault: it is looked at again.
    fn space_at_rest(&mut self, space: SpaceId) -> Result<(), VerifyError> {
        let mut tries = TRIES;
        loop {
            let (trees, authority) = (
                self.read(|store| store.trees(space))?,
                self.inner.authority(),
            );
            let (found, progress) = (self.found, self.progress);
            let checked = self.space(space, &trees);
            tries -= 1;
            if tries == 0 || !matches!(checked, Err(VerifyError::Wrong(_))) {
                return checked;
            }
            let is_same = authority.length() == self.inner.authority().length()
                && trees == self.read(|store| store.trees(space))?;
            if is_same {
                return checked;
            }
            (self.found, self.progress) = (found, progress);
        }
    }

    fn space(
        &mut self,
        space: SpaceId,
        trees: &BTreeMap<[u8; 32], FeedTree>,
    ) -> Result<(), VerifyError> {
        self.found.spaces += 1;
        let openings = self.read(|store| store.openings(space))?;
        for (writer, tree) in trees {
            for (name, feed) in tree.feeds() {
                let at = At { space, name: *name };
                let key = PublicKey::from_bytes(writer).map_err(|why| at.wrong(0, why))?;
                let opening = openings.get(name).copied();
                let opening =
                    opening.ok_or_else(|| at.wrong(feed.start, "nothing says who wrote it"))?;
                let opened = Opened {
                    at,
                    feed: *feed,
                    key,
                    opening,
                };
                self.found.feeds += 1;
                self.feed(tree, &opened)?;
                self.admitted(&opened)?;
            }
        }
        self.lacking(space)
    }

    /// The entries of one feed, in order.
    fn feed(&mut self, tree: &FeedTree, opened: &Opened) -> Result<(), VerifyError> {
        let Opened { at, feed, .. } = opened;
        let Some(tip) = feed.tip else {
            return Ok(());
        };
        let (mut next, mut previous) = self.begins(tree, opened)?;
        while next <= tip.number {
            let from = [(at.name, next)];
            let runs = self.inner.storage.runs(at.space, &from, READ_BYTES)?;
            let before = next;
            for run in runs {
                if run.first != next {
                    return Err(at.wrong(next, "it is not held, and what comes after it is"));
                }
                let cuts = self
                    .inner
                    .authority()
                    .cuts_of(at.space, opened.key.as_bytes());
                let run = run
                    .verify(self.network(), at.space, &opened.key, &cuts)
                    .map_err(|why| at.wrong(next, format!("in the run that begins here, {why}")))?;
                if previous.is_some_and(|previous| previous != run.previous()) {
                    return Err(at.wrong(next, "it does not follow the entry before it"));
                }
                let heights = run.entries().map(|(height, _)| height);
                // A run that was forked goes on in a branch, which is checked by itself.
                let own = heights.take_while(|height| height.number <= tip.number);
                let own = own.collect::<Vec<_>>();
                self.held(opened, &own)?;
                if let Some((_, entry)) = run.entries().next()
                    && run.first() == 0
                {
                    self.opens(opened, entry.kind, &entry.payload)?;
                }
                let Some(last) = own.last() else {
                    break;
                };
                next = last.number + 1;
                previous = Some(last.hash);
                self.found.entries += own.len() as u64;
                self.step(own.len() as u64)?;
            }
            if next == before {
                return Err(at.wrong(next, "it is not held"));
            }
        }
        if previous != Some(tip.hash) {
            return Err(at.wrong(tip.number, "the feed is noted to end in another entry"));
        }
        Ok(())
    }

    /// The first number from which all entries of a feed are held, and the hash before it, if that is
    /// held: what a checkpoint keeps before it is checked here.
    fn begins(
        &mut self,
        tree: &FeedTree,
        opened: &Opened,
    ) -> Result<(u64, Option<Hash>), VerifyError> {
        let Opened { at, feed, .. } = opened;
        if feed.base == 0 {
            let parent = feed.parent.and_then(|parent| tree.feeds().get(&parent));
            let before = match parent {
                Some(parent) => parent.tip.map(|tip| tip.hash),
                None => Some(Hash::ZERO),
            };
            return Ok((feed.start, before));
        }
        let (space, name, base) = (at.space, at.name, feed.base);
        let read = self.read(|store| store.checkpoint(space, name, base))?;
        let read = read.filter(|(_, height)| height.number == base);
        let (parts, _) = read
            .ok_or_else(|| at.wrong(base, "the checkpoint that it is held from cannot be read"))?;
        for height in parts.iter().flat_map(|part| &part.kept) {
            let kept = self.read(|store| store.kept(space, name, *height))?;
            let kept = kept.ok_or_else(|| {
                at.wrong(height.number, "the checkpoint keeps it, and it is not held")
            })?;
            let hash = kept.hash(self.network(), space);
            if hash.ok() != Some(height.hash) {
                return Err(at.wrong(height.number, "it is not what its author signed"));
            }
            if height.number == 0 {
                self.opens(opened, kept.entry.kind, &kept.entry.payload)?;
            }
            self.found.entries += 1;
            self.step(1)?;
        }
        Ok((base + 1 - parts.len() as u64, None))
    }

    /// Whether the store finds these entries under their hashes.
    fn held(&self, opened: &Opened, heights: &[Height]) -> Result<(), VerifyError> {
        let at = opened.at;
        let writer = *opened.key.as_bytes();
        let found = self.read(|store| store.find(at.space, writer, heights))?;
        match heights.iter().zip(found).find(|(_, found)| !found) {
            None => Ok(()),
            Some((height, _)) => Err(at.wrong(
                height.number,
                "it is noted under another hash than its bytes have",
            )),
        }
    }

    /// Whether the first entry says who opened the feed, as it is noted.
    fn opens(&self, opened: &Opened, kind: Kind, payload: &Payload) -> Result<(), VerifyError> {
        let at = opened.at;
        let bytes = payload.bytes().filter(|_| kind == Kind::OPEN);
        let bytes = bytes.ok_or_else(|| at.wrong(0, "it does not say who opened the feed"))?;
        let says = Opening::verify(bytes, self.network(), at.space, &opened.key)
            .map_err(|why| at.wrong(0, why))?;
        if says == opened.opening {
            Ok(())
        } else {
            Err(at.wrong(0, "the feed is noted as somebody else's"))
        }
    }

    /// Whether the authority log lets a feed go so far.
    fn admitted(&self, opened: &Opened) -> Result<(), VerifyError> {
        let Opened {
            at,
            feed,
            key,
            opening,
        } = opened;
        let Some(tip) = feed.tip else {
            return Ok(());
        };
        let authority = self.inner.authority();
        match authority.admission(at.space, key.as_bytes(), opening) {
            Admission::All => Ok(()),
            Admission::UpTo(cuts) => {
                let leads = |cut: &Height| *cut == tip || cut.number > tip.number;
                if cuts.iter().any(leads) {
                    Ok(())
                } else {
                    Err(at.wrong(
                        tip.number,
                        "it comes after where its writer's access was cut",
                    ))
                }
            }
            Admission::NotYet(why) | Admission::Never(why) => Err(at.wrong(tip.number, why)),
        }
    }

    /// Whether anything lacks what was written in it.
    fn lacking(&self, space: SpaceId) -> Result<(), VerifyError> {
        let lacking = self.read(|store| store.withheld(space))?;
        match lacking.first() {
            None => Ok(()),
            Some(first) => {
                let wrong = Wrong::Lacking {
                    space,
                    feed: first.feed,
                    number: first.height.number,
                    more: lacking.len() as u64 - 1,
                };
                Err(wrong.into())
            }
        }
    }

    fn network(&self) -> node_feed::NetworkId {
        self.inner.authority().network()
    }
}

/// About how many entries a writer's feeds hold.
fn entries_of(tree: &FeedTree) -> u64 {
    let feeds = tree.feeds().values();
    feeds
        .map(|feed| feed.next() - feed.start.max(feed.base))
        .sum()
}
