//! Documents that came by a first copy: opened when they are needed, and checked by that.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_document::{Base, ChangesEntry, CopyFault, Document};
use node_feed::{DocumentId, FeedName, HubId, Opening, SpaceId, Subject, Trail};
use node_store::{ReadStore, StoreError};

use super::entries_after;
use crate::storage::Storage;

/// What the checkpoints say on which the first copies of one space stand.
#[derive(Debug)]
pub(super) struct Checkpoints {
    space: SpaceId,
    feeds: Vec<Feed>,
}

#[derive(Debug)]
struct Feed {
    name: FeedName,
    writer: [u8; 32],
    hub: HubId,
    base: u64,
    trails: BTreeMap<Subject, Trail>,
}

/// What a document that came by a first copy turned out to be.
#[derive(Debug)]
pub(super) enum Opened {
    /// What it should be.
    Document(Box<Document>, Vec<ChangesEntry>, u64),
    /// There is none.
    None,
    /// It holds changes whose entries may still be on their way.
    NotYet,
    /// It is not what its authors signed.
    Forged(String),
}

impl Checkpoints {
    /// Reads those of `space`.
    pub(super) fn read(storage: &Storage, space: SpaceId) -> Result<Arc<Self>, StoreError> {
        storage.read(|store| {
            let openings = store.openings(space)?;
            let mut feeds = Vec::new();
            for (writer, tree) in store.trees(space)? {
                for (name, place) in tree.feeds().iter().filter(|(_, place)| place.base > 0) {
                    let Some(Opening::Node { hub, .. }) = openings.get(name) else {
                        continue;
                    };
                    let parts = store.checkpoint(space, *name, place.base)?;
                    let parts = parts.filter(|(_, height)| height.number == place.base);
                    let parts = parts.into_iter().flat_map(|(parts, _)| parts);
                    feeds.push(Feed {
                        name: *name,
                        writer,
                        hub: *hub,
                        base: place.base,
                        trails: parts.flat_map(|part| part.documents).collect(),
                    });
                }
            }
            Ok(Arc::new(Self { space, feeds }))
        })
    }

    pub(super) const fn space(&self) -> SpaceId {
        self.space
    }

    fn of(&self, document: Subject) -> Vec<Base> {
        let feeds = self.feeds.iter().map(|feed| Base {
            feed: feed.name,
            writer: feed.writer,
            hub: feed.hub,
            base: feed.base,
            trail: feed.trails.get(&document).copied(),
        });
        feeds.collect()
    }

    /// Opens the document that came by a copy, with all entries of it that are held.
    pub(super) fn open(
        &self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
    ) -> Result<Opened, StoreError> {
        let Some(base) = storage.read(|store| store.base(space, id.subject()))? else {
            return Ok(Opened::None);
        };
        let (entries, last) = entries_after(storage, space, id, 0)?;
        let bases = self.of(id.subject());
        Ok(
            match Document::from_copy(id, &base.bytes, &bases, &entries) {
                Ok(document) => Opened::Document(Box::new(document), entries, last),
                Err(CopyFault::NotYet) => Opened::NotYet,
                Err(fault @ (CopyFault::Forged(_) | CopyFault::Collides)) => {
                    Opened::Forged(fault.to_string())
                }
            },
        )
    }
}
