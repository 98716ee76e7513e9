//! Loaded documents, bounded by bytes.

use std::collections::BTreeMap;

use node_feed::{DocumentId, SpaceId};

use crate::document::Document;

/// Documents that are held in memory. When they weigh more than allowed, those used least
/// recently leave; they can be loaded again.
#[derive(Debug)]
pub struct Cache {
    limit: usize,
    weight: usize,
    clock: u64,
    held: BTreeMap<(SpaceId, DocumentId), Held>,
    by_use: BTreeMap<u64, (SpaceId, DocumentId)>,
}

#[derive(Debug)]
struct Held {
    document: Document,
    weight: usize,
    used: u64,
}

impl Cache {
    /// A cache that holds at most about `limit` bytes, and always the document used last.
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            weight: 0,
            clock: 0,
            held: BTreeMap::new(),
            by_use: BTreeMap::new(),
        }
    }

    /// Puts a document in, in place of an older state of it.
    pub fn insert(&mut self, space: SpaceId, document: Document) {
        let key = (space, document.id());
        self.remove(space, document.id());
        self.clock += 1;
        let held = Held {
            weight: document.weight(),
            used: self.clock,
            document,
        };
        self.weight += held.weight;
        self.by_use.insert(held.used, key);
        self.held.insert(key, held);
        while self.weight > self.limit && self.held.len() > 1 {
            let Some((_, (space, document))) = self.by_use.first_key_value() else {
                break;
            };
            let (space, document) = (*space, *document);
            self.remove(space, document);
        }
    }

    /// The document, if it is held; it counts as used now.
    pub fn get(&mut self, space: SpaceId, document: DocumentId) -> Option<&Document> {
        let held = self.held.get_mut(&(space, document))?;
        self.clock += 1;
        self.by_use.remove(&held.used);
        held.used = self.clock;
        self.by_use.insert(held.used, (space, document));
        Some(&held.document)
    }

    /// Takes a document out, to change it and [`insert`](Self::insert) it again, or for good.
    pub fn remove(&mut self, space: SpaceId, document: DocumentId) -> Option<Document> {
        let held = self.held.remove(&(space, document))?;
        self.by_use.remove(&held.used);
        self.weight -= held.weight;
        Some(held.document)
    }

    /// Bytes that the documents take, roughly.
    pub const fn weight(&self) -> usize {
        self.weight
    }

    /// How many documents are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_feed::{HubId, Writers};

    #[test]
    fn the_document_used_least_recently_leaves() {
        let space = SpaceId::from_bytes([1; 16]);
        let id = |name| DocumentId::new(HubId::from_bytes([2; 8]), Writers::Owner, [name; 15]);
        let each = Document::new(id(0)).weight();
        let mut cache = Cache::new(2 * each);
        for name in [1, 2] {
            cache.insert(space, Document::new(id(name)));
        }
        assert!(cache.get(space, id(1)).is_some());
        cache.insert(space, Document::new(id(3)));
        assert_eq!((cache.len(), cache.weight()), (2, 2 * each));
        assert!(cache.get(space, id(2)).is_none());
        assert!(cache.get(space, id(1)).is_some());
        let mut small = Cache::new(1);
        small.insert(space, Document::new(id(4)));
        assert_eq!(small.len(), 1);
    }
}
