//! Hubs that keep a copy of one record each and hand each other entries.

use node_document::{Author, ChangesEntry, Document, Edited, Heads, Outcome};
use node_domain::{
    By, Conflict, FieldChange, Kind, Object, RecordError, create, edit, kind_of, read, settle,
    versions,
};
use node_feed::{DocumentId, FeedName, Hash, HubId, Nonce, Tag};
use serde_json::Value as Json;

/// A hub with its copy of a record.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    pub(crate) author: Author,
    pub(crate) number: u64,
    pub(crate) document: Document,
    pub(crate) sent: Vec<ChangesEntry>,
    /// Whether its program writes, and no person.
    pub(crate) program: bool,
    /// What the last edit said to its writer.
    pub(crate) notes: Vec<String>,
}

impl Hub {
    pub(crate) fn new(name: u8, document: Document) -> Self {
        let author = Author {
            writer: [name; 32],
            hub: HubId::from_bytes([name; 8]),
            nonce: Nonce([name; 16]),
        };
        Self {
            author,
            number: 0,
            document,
            sent: Vec::new(),
            program: false,
            notes: Vec::new(),
        }
    }

    /// A hub that has just made a record, which it owns.
    pub(crate) fn with_record(name: u8, kind: &'static Kind, values: Json) -> Self {
        let owner = HubId::from_bytes([name; 8]);
        let mut hub = Self::new(
            name,
            Document::new(DocumentId::new(owner, kind.writers, [9; 15])),
        );
        let edited = create(&hub.document, kind, &object(values), &hub.by()).expect("as declared");
        hub.save(&edited);
        hub
    }

    /// Another hub with the same record.
    pub(crate) fn joined_by(&self, name: u8) -> Self {
        Self::new(name, self.document.clone())
    }

    pub(crate) fn by(&self) -> By {
        let mut random = [self.author.writer[0]; 16];
        random[..8].copy_from_slice(&self.number.to_le_bytes());
        By {
            author: self.author,
            time_ms: 1_000 * (self.number + 1),
            random,
            program: self.program,
        }
    }

    pub(crate) fn edit(&mut self, changes: Json) {
        self.try_edit(None, changes).expect("the change is allowed");
    }

    pub(crate) fn try_edit(
        &mut self,
        at: Option<&Heads>,
        changes: Json,
    ) -> Result<(), RecordError> {
        let changes = serde_json::from_value::<Vec<FieldChange>>(changes).expect("changes");
        let edited = edit(&self.document, at, &changes, &self.by())?;
        self.save(&edited);
        self.notes.clone_from(&edited.value.notes);
        Ok(())
    }

    pub(crate) fn settle(&mut self, path: &str, value: Json) {
        let edited = settle(&self.document, None, path, &value, &self.by()).expect("allowed");
        self.save(&edited);
    }

    pub(crate) fn save<T>(&mut self, edited: &Edited<T>) {
        let by = self.by();
        let entry = ChangesEntry {
            feed: FeedName::from_bytes(by.author.writer),
            number: self.number,
            hash: Hash::of(Tag::Entry, &[&by.random]),
            writer: by.author.writer,
            hub: by.author.hub,
            time_ms: by.time_ms,
            changes: edited.changes(Nonce(by.random)),
        };
        self.number += 1;
        assert_eq!(self.document.apply_edited(&entry, edited), Outcome::Applied);
        self.sent.push(entry);
    }

    pub(crate) fn read(&self) -> Object {
        let view = self.document.view();
        read(&view, kind_of(&view).expect("declared"))
    }

    pub(crate) fn field(&self, name: &str) -> Json {
        self.read().get(name).cloned().unwrap_or(Json::Null)
    }

    pub(crate) fn versions(&self) -> Vec<Conflict> {
        versions(
            &self.document,
            kind_of(&self.document.view()).expect("declared"),
        )
    }

    /// The id of the item at a place in a list.
    pub(crate) fn item(&self, list: &str, at: usize) -> String {
        self.field(list)[at]["id"]
            .as_str()
            .expect("an item")
            .to_owned()
    }
}

/// The network returns: both hubs take what the other has sent.
pub(crate) fn meet(left: &mut Hub, right: &mut Hub) {
    let (from_left, from_right) = (left.sent.clone(), right.sent.clone());
    for outcome in left
        .document
        .apply(&from_right)
        .into_iter()
        .chain(right.document.apply(&from_left))
    {
        assert_eq!(outcome, Outcome::Applied);
    }
    assert_eq!(left.document.digest(), right.document.digest());
    assert_eq!(left.read(), right.read());
}

pub(crate) fn object(json: Json) -> Object {
    json.as_object().expect("an object").clone()
}
