//! Lists: of records and of spaces.

use node_document::CardView;
use node_feed::{CardId, DocumentId, Hash, SpaceId, SpaceKind, Tag};
use node_store::{ReadStore, StoreError};

use super::{RecordId, RecordsError, parse_space, record_id, record_kind};
use crate::Node;
use crate::cards::card_view;
use crate::node::heights_of;
use crate::storage::{cards_of, documents_of};

/// One line of a list of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRecord {
    /// The record.
    pub id: RecordId,
    /// The name of its kind.
    pub kind: String,
    /// The space it is in.
    pub space: SpaceId,
    /// Its title.
    pub title: String,
    /// The columns that its kind declares, as a JSON object.
    pub json: String,
}

/// A space with what this node holds of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceSummary {
    /// Its id.
    pub id: SpaceId,
    /// What it is for.
    pub kind: SpaceKind,
    /// What people call it.
    pub title: String,
    /// Whether this hub may write there.
    pub may_write: bool,
    /// The codes of the hubs that may read it.
    pub members: Vec<String>,
    /// Feeds with an entry that counts.
    pub feeds: u64,
    /// Entries that count.
    pub entries: u64,
    /// Documents and cards.
    pub documents: u64,
    /// Digest of the heights.
    pub digest: Hash,
    /// Digest of what the documents and cards have become.
    pub documents_digest: Hash,
}

impl Node {
    /// Records of one kind or all, in one space or all, by kind and title: those of the spaces that
    /// this hub may read, and its own. While the lists cannot
    /// be written, as on a full disk, the newest are missing, and [`Node::status`] says so.
    ///
    /// # Errors
    /// [`RecordsError::Kind`] or [`RecordsError::Id`] for what does not exist.
    pub fn list_records(&self, kind: &str, space: &str) -> Result<Vec<ListedRecord>, RecordsError> {
        let kind = if kind.is_empty() {
            None
        } else {
            Some(record_kind(kind)?.name)
        };
        let space = if space.is_empty() {
            None
        } else {
            Some(parse_space(space)?)
        };
        self.catch_up_if_possible();
        let rows = self.inner.storage.rows(kind, space)?;
        let records = rows.into_iter().filter_map(|row| {
            if !self.may_show(row.space, row.subject) {
                return None;
            }
            let id = record_id(&row.kind, row.subject).ok()?;
            let (kind, space) = (row.kind, row.space);
            Some(ListedRecord {
                id,
                kind,
                space,
                title: row.title,
                json: row.json,
            })
        });
        Ok(records.collect())
    }

    /// The spaces that this hub may read. Every document of them is opened for its digest.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn spaces(&self) -> Result<Vec<SpaceSummary>, RecordsError> {
        let authority = self.authority();
        let Some(hub) = self.hub() else {
            return Ok(Vec::new());
        };
        let mut spaces = Vec::new();
        for (space, record) in authority.spaces() {
            if authority.access(hub, *space).is_none() {
                continue;
            }
            let trees = self.inner.storage.read(|store| store.trees(*space))?;
            let feeds = trees.values().flat_map(|tree| tree.feeds().values());
            let (documents, documents_digest) = self.documents_digest(*space)?;
            let heights = heights_of(&trees);
            spaces.push(SpaceSummary {
                id: *space,
                kind: record.kind,
                title: record.title.clone(),
                may_write: authority.write_grant(hub, *space).is_some(),
                members: authority
                    .members(*space)
                    .iter()
                    .map(|hub| self.hub_code(*hub))
                    .collect(),
                feeds: heights.len() as u64,
                entries: feeds.map(|feed| feed.next() - feed.start).sum(),
                documents,
                digest: heights.digest(*space),
                documents_digest,
            });
        }
        Ok(spaces)
    }

    /// How many documents and cards a space holds, and the digest of what they have become.
    fn documents_digest(&self, space: SpaceId) -> Result<(u64, Hash), StoreError> {
        let (documents, cards) = self
            .inner
            .storage
            .read(|store| Ok((documents_of(store, space)?, cards_of(store, space)?)))?;
        let mut bytes = Vec::new();
        let count = documents.len() + cards.len();
        for subject in documents {
            let Ok(id) = DocumentId::try_from(subject) else {
                continue;
            };
            let digest = self
                .inner
                .library
                .with(&self.inner.storage, space, id, |doc| doc.digest())?;
            bytes.extend_from_slice(subject.as_bytes());
            bytes.extend_from_slice(digest.as_bytes());
        }
        for subject in cards {
            let Ok(id) = CardId::try_from(subject) else {
                continue;
            };
            let view: CardView = card_view(&self.inner, space, id)?;
            bytes.extend_from_slice(subject.as_bytes());
            let mut hashes = view.replaces();
            hashes.sort_unstable();
            for hash in hashes {
                bytes.extend_from_slice(hash.as_bytes());
            }
        }
        let digest = Hash::of(Tag::Documents, &[space.as_bytes(), &bytes]);
        Ok((count as u64, digest))
    }
}
