//! First copies in memory.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use node_feed::{CopyPlace, FeedName, Hash, Height, Heights, Opening, SpaceId, Subject};

use super::MemoryStore;
use super::live::LiveRow;
use crate::shelf::{Bases, ReadBases};
use crate::writer_feeds::FeedKey;
use crate::{BaseDocument, BaseStage, StoreError};

/// A first copy that is under way.
#[derive(Debug, Clone)]
pub(super) struct Copying {
    place: CopyPlace,
    pieces: Vec<Bytes>,
    list: Vec<Subject>,
    tips: Heights,
    pub(super) documents: BTreeMap<Subject, BaseDocument>,
    checked: BTreeSet<Subject>,
    /// How far its head proves its feeds, and who opened these.
    pub(super) ends: BTreeMap<FeedName, (Height, Opening)>,
    /// What came of its feeds after that, by number.
    pub(super) live: BTreeMap<(FeedName, u64), LiveRow>,
    pub(super) live_bytes: u64,
}

impl Copying {
    /// Whether it has this document, and it was not checked.
    pub(super) fn is_unchecked(&self, document: &Subject) -> bool {
        self.documents.contains_key(document) && !self.checked.contains(document)
    }
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

    fn copy_size(&self, space: SpaceId) -> Result<(u64, u64), StoreError> {
        let pieces = self.copies.get(&space).map(|copying| &copying.pieces);
        let bytes = pieces.into_iter().flatten().map(|bytes| bytes.len() as u64);
        Ok((pieces.map_or(0, Vec::len) as u64, bytes.sum()))
    }

    fn copy_list(&self, space: SpaceId) -> Result<Vec<Subject>, StoreError> {
        let copying = self.copies.get(&space);
        Ok(copying.map_or_else(Vec::new, |copying| copying.list.clone()))
    }

    fn copy_tips(&self, space: SpaceId) -> Result<Heights, StoreError> {
        let copying = self.copies.get(&space);
        Ok(copying.map_or_else(Heights::new, |copying| copying.tips.clone()))
    }

    fn base_numbers(&self, space: SpaceId) -> Result<Vec<(FeedName, u64)>, StoreError> {
        let writers = self.writers.range((space, [0; 32])..);
        let here = writers.take_while(|((at, _), _)| *at == space);
        let feeds = here.flat_map(|(_, writer)| &writer.feeds);
        let based = feeds.filter(|(_, feed)| feed.place.base > 0);
        Ok(based.map(|(name, feed)| (*name, feed.place.base)).collect())
    }

    fn link(&self, feed: FeedKey, number: u64) -> Result<Option<Hash>, StoreError> {
        Ok(self.links.get(&(feed, number)).copied())
    }

    fn base_documents(
        &self,
        space: SpaceId,
        subject: Subject,
        after: u64,
    ) -> Result<Vec<BaseDocument>, StoreError> {
        let placed = self.bases.get(&(space, subject)).into_iter().flatten();
        let copying = self.copies.get(&space);
        let arriving = copying.and_then(|copying| {
            let document = copying.documents.get(&subject)?;
            Some(BaseDocument {
                stage: if copying.checked.contains(&subject) {
                    BaseStage::Checked
                } else {
                    BaseStage::Unchecked
                },
                ..document.clone()
            })
        });
        let all = placed.cloned().chain(arriving);
        Ok(all.filter(|it| it.arrival > after).collect())
    }

    fn base_spaces(&self, subject: Subject) -> Result<Vec<SpaceId>, StoreError> {
        let placed = self.bases.keys().filter(|(_, held)| *held == subject);
        let placed = placed.map(|(space, _)| *space);
        let copies = self.copies.iter();
        let arriving = copies.filter(|(_, copying)| copying.documents.contains_key(&subject));
        let all = placed.chain(arriving.map(|(space, _)| *space));
        Ok(all.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn bases(
        &self,
        space: SpaceId,
        after: Option<Subject>,
        limit: usize,
    ) -> Result<Vec<Subject>, StoreError> {
        let placed = self.bases.keys().filter(|(at, _)| *at == space);
        let copying = self.copies.get(&space).into_iter();
        let arriving = copying.flat_map(|copying| copying.documents.keys());
        let all = placed.map(|(_, subject)| *subject).chain(arriving.copied());
        let all = all.filter(|subject| after.is_none_or(|after| *subject > after));
        let all = all.collect::<BTreeSet<_>>();
        Ok(all.into_iter().take(limit).collect())
    }

    fn unchecked(
        &self,
        after: Option<(SpaceId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(SpaceId, Subject)>, StoreError> {
        let unchecked = self.copies.iter().flat_map(|(space, copying)| {
            let documents = copying.documents.keys();
            let unchecked = documents.filter(|it| !copying.checked.contains(it));
            unchecked.map(|subject| (*space, *subject))
        });
        let unchecked = unchecked.filter(|key| after.is_none_or(|after| *key > after));
        Ok(unchecked.take(limit).collect())
    }

    fn unchecked_count(&self) -> Result<u64, StoreError> {
        Ok(self.unchecked(None, usize::MAX)?.len() as u64)
    }
}

impl Bases for MemoryStore {
    fn set_copy(&mut self, space: SpaceId, place: &CopyPlace) -> Result<(), StoreError> {
        let place = place.clone();
        match self.copies.get_mut(&space) {
            Some(copying) => copying.place = place,
            None => {
                let copying = Copying {
                    place,
                    pieces: Vec::new(),
                    list: Vec::new(),
                    tips: Heights::new(),
                    documents: BTreeMap::new(),
                    checked: BTreeSet::new(),
                    ends: BTreeMap::new(),
                    live: BTreeMap::new(),
                    live_bytes: 0,
                };
                self.copies.insert(space, copying);
            }
        }
        Ok(())
    }

    fn set_copy_list(&mut self, space: SpaceId, documents: &[Subject]) -> Result<(), StoreError> {
        if let Some(copying) = self.copies.get_mut(&space) {
            copying.list = documents.to_vec();
        }
        Ok(())
    }

    fn set_copy_tips(&mut self, space: SpaceId, tips: &Heights) -> Result<(), StoreError> {
        if let Some(copying) = self.copies.get_mut(&space) {
            copying.tips = tips.clone();
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

    fn add_base(
        &mut self,
        space: SpaceId,
        subject: Subject,
        bytes: &Bytes,
    ) -> Result<(), StoreError> {
        self.arrival += 1;
        let document = BaseDocument {
            arrival: self.arrival,
            bytes: bytes.clone(),
            // As it is once the copy has ended.
            stage: BaseStage::Placed,
        };
        if let Some(copying) = self.copies.get_mut(&space) {
            copying.documents.insert(subject, document);
        }
        Ok(())
    }

    fn end_copy(&mut self, space: SpaceId, keep: bool) -> Result<(), StoreError> {
        let Some(copying) = self.copies.remove(&space).filter(|_| keep) else {
            return Ok(());
        };
        for (subject, document) in copying.documents {
            if !document.bytes.is_empty() {
                let placed = self.bases.entry((space, subject)).or_default();
                placed.push(document);
            }
        }
        Ok(())
    }

    fn set_checked(&mut self, space: SpaceId, arrivals: &[u64]) -> Result<(), StoreError> {
        if let Some(copying) = self.copies.get_mut(&space) {
            let documents = copying.documents.iter();
            let these = documents.filter(|(_, it)| arrivals.contains(&it.arrival));
            copying.checked.extend(these.map(|(subject, _)| *subject));
        }
        Ok(())
    }

    fn clear_checked(&mut self, space: SpaceId) -> Result<(), StoreError> {
        if let Some(copying) = self.copies.get_mut(&space) {
            copying.checked.clear();
        }
        Ok(())
    }
}
