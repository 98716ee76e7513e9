//! First copies in memory.

use std::collections::BTreeSet;

use bytes::Bytes;
use node_feed::{Hash, SpaceId, Subject};

use super::MemoryStore;
use crate::shelf::{Bases, ReadBases};
use crate::writer_feeds::FeedKey;
use crate::{BaseDocument, CopyPlace, StoreError};

/// A first copy that is under way.
#[derive(Debug, Clone)]
pub(super) struct Copying {
    place: CopyPlace,
    pieces: Vec<Bytes>,
}

impl ReadBases for MemoryStore {
    fn copy_place(&self, space: SpaceId) -> Result<Option<CopyPlace>, StoreError> {
        Ok(self.copies.get(&space).map(|copying| copying.place.clone()))
    }

    fn copies(&self) -> Result<Vec<(SpaceId, CopyPlace)>, StoreError> {
        let copies = self.copies.iter();
        Ok(copies
            .map(|(space, copying)| (*space, copying.place.clone()))
            .collect())
    }

    fn copy_pieces(&self, space: SpaceId) -> Result<Vec<Bytes>, StoreError> {
        let copying = self.copies.get(&space);
        Ok(copying.map_or_else(Vec::new, |copying| copying.pieces.clone()))
    }

    fn is_arriving(&self, space: SpaceId, subject: Subject) -> Result<bool, StoreError> {
        Ok(self.arriving.contains_key(&(space, subject)))
    }

    fn base(&self, space: SpaceId, subject: Subject) -> Result<Option<BaseDocument>, StoreError> {
        Ok(self.bases.get(&(space, subject)).cloned())
    }

    fn link(&self, feed: FeedKey, number: u64) -> Result<Option<Hash>, StoreError> {
        Ok(self.links.get(&(feed, number)).copied())
    }

    fn base_spaces(&self, subject: Subject) -> Result<Vec<SpaceId>, StoreError> {
        let held = self.bases.keys().filter(|(_, held)| *held == subject);
        Ok(held.map(|(space, _)| *space).collect())
    }

    fn bases(
        &self,
        space: SpaceId,
        after: Option<Subject>,
        limit: usize,
    ) -> Result<Vec<Subject>, StoreError> {
        let first = (space, Subject::from_bytes([0; 24]));
        let here = self.bases.range(first..).map(|(key, _)| *key);
        let here = here.take_while(|(at, _)| *at == space);
        let here = here.filter(|(_, subject)| after.is_none_or(|after| *subject > after));
        Ok(here.take(limit).map(|(_, subject)| subject).collect())
    }

    fn unchecked_spaces(&self) -> Result<Vec<SpaceId>, StoreError> {
        let unchecked = self.bases.iter().filter(|(_, base)| !base.checked);
        let spaces = unchecked.map(|((space, _), _)| *space);
        Ok(spaces.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn unchecked(
        &self,
        after: Option<(SpaceId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(SpaceId, Subject)>, StoreError> {
        let unchecked = self.bases.iter().filter(|(_, base)| !base.checked);
        let unchecked = unchecked.filter(|(key, _)| after.is_none_or(|after| **key > after));
        Ok(unchecked.take(limit).map(|(key, _)| *key).collect())
    }

    fn unchecked_count(&self) -> Result<u64, StoreError> {
        let unchecked = self.bases.values().filter(|base| !base.checked);
        Ok(unchecked.count() as u64)
    }
}

impl Bases for MemoryStore {
    fn set_copy(&mut self, space: SpaceId, place: &CopyPlace) -> Result<(), StoreError> {
        let place = place.clone();
        match self.copies.get_mut(&space) {
            Some(copying) => copying.place = place,
            None => {
                let pieces = Vec::new();
                self.copies.insert(space, Copying { place, pieces });
            }
        }
        Ok(())
    }

    fn set_link(&mut self, feed: FeedKey, number: u64, previous: Hash) -> Result<(), StoreError> {
        self.links.insert((feed, number), previous);
        Ok(())
    }

    fn add_copy_piece(&mut self, space: SpaceId, bytes: &Bytes) -> Result<(), StoreError> {
        if let Some(copying) = self.copies.get_mut(&space) {
            copying.pieces.push(bytes.clone());
        }
        Ok(())
    }

    fn drop_copy_pieces(&mut self, space: SpaceId) -> Result<(), StoreError> {
        if let Some(copying) = self.copies.get_mut(&space) {
            copying.pieces.clear();
        }
        Ok(())
    }

    fn put_arriving(
        &mut self,
        space: SpaceId,
        subject: Subject,
        bytes: &Bytes,
    ) -> Result<(), StoreError> {
        self.arriving.insert((space, subject), bytes.clone());
        Ok(())
    }

    fn place_arriving(
        &mut self,
        space: SpaceId,
        documents: &BTreeSet<Subject>,
    ) -> Result<(), StoreError> {
        for subject in documents {
            if let Some(bytes) = self.arriving.remove(&(space, *subject)) {
                let checked = false;
                let base = BaseDocument { bytes, checked };
                self.bases.insert((space, *subject), base);
            }
        }
        Ok(())
    }

    fn end_copy(&mut self, space: SpaceId) -> Result<(), StoreError> {
        self.copies.remove(&space);
        self.arriving.retain(|(at, _), _| *at != space);
        Ok(())
    }

    fn set_checked(&mut self, space: SpaceId, subjects: &[Subject]) -> Result<(), StoreError> {
        for subject in subjects {
            if let Some(base) = self.bases.get_mut(&(space, *subject)) {
                base.checked = true;
            }
        }
        Ok(())
    }

    fn drop_base_documents(&mut self, space: SpaceId) -> Result<bool, StoreError> {
        let before = self.bases.len();
        self.bases.retain(|(at, _), _| *at != space);
        self.arriving.retain(|(at, _), _| *at != space);
        Ok(self.bases.len() < before)
    }
}
