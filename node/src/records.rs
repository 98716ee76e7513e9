//! A node's records: what commands, pages and programs do with them.
//!
//! Everything here waits for the disk, and for documents in use: call it away from async tasks.

mod change;
mod check;
mod compare;
mod day;
mod desk;
mod directory;
mod erase;
mod export;
mod find;
mod fork;
mod headway;
mod import;
mod list;
mod memo;

mod once;
mod people;
mod publish;
mod register;
mod released;
mod report;
mod retain;
mod returns;
mod sample;
mod show;
mod summary;
mod undo;
mod versions;
mod watched;

pub use change::{CreatedRecord, EditedRecord};
pub use check::{check_agreed, check_record};
pub use desk::{Access, Desk, DeskStatus, Need, NeedKind, SetAsideTold, SpaceChoice};
pub use find::{Find, Listing, is};
pub use headway::{Headway, Step};
pub use import::SheetToImport;
pub use list::{ListedRecord, SpaceSummary};
pub(crate) use memo::Memo;
pub use people::MergedPeople;
pub use publish::Published;
pub use returns::{ComputedReturn, ReturnWanted};
pub use show::ShownRecord;
pub use versions::{Concerning, ListedVersions};

use node_domain::{Form, Kind as RecordKind, Object, RecordError};
use node_feed::{CardId, DocumentId, IdError, Kind, SpaceId, SpaceKind, Subject};
use node_store::{ReadStore, StoreError};

use crate::Node;
use crate::applier::fits;
use crate::author::WriteError;
use crate::cards::card_view;

/// Why nothing was read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// The text is no record's or space's id.
    #[error("\"{text}\" is not an id: {source}. Copy it whole from a list")]
    Id {
        /// The text.
        text: String,
        /// What is wrong with it.
        source: IdError,
    },
    /// No record has this id here.
    #[error("there is no record {0} here; it may not have arrived yet")]
    Missing(String),
    /// The kind is not declared.
    #[error("there is no kind of record \"{name}\"; the kinds are {known}")]
    Kind {
        /// What was asked for.
        name: String,
        /// All kinds.
        known: String,
    },
    /// The kind may live in several spaces, or in none of this hub's.
    #[error("{0}")]
    Space(String),
    /// The JSON is not of the shape that is wanted.
    #[error("this cannot be understood: {0}")]
    Json(String),
    /// The heads are not from this record.
    #[error("what the page was made from is not known here; load the record again")]
    Heads,
    /// The record changed since the page was made.
    #[error("the record has changed since; look at it again before you choose")]
    Stale,
    /// The field does not stand in several versions, or not in this many.
    #[error(
        "\"{field}\" has no version {version} to choose; `record versions` lists them, and what a \
         watch raised is settled as it is by the value null"
    )]
    Version {
        /// The field.
        field: String,
        /// The version asked for.
        version: u32,
    },
    /// What was asked for cannot be done, and why.
    #[error("{0}")]
    Refused(String),
    /// The role does not reach what was asked for.
    #[error("{0}")]
    Role(String),
    /// Publishing is not agreed.
    #[error("{0}")]
    Agreement(String),
    /// What would leave is not what was shown.
    #[error("something else would leave now than was shown; look at it again before you confirm")]
    Shown,
    /// The record is not this hub's to erase.
    #[error("{0}")]
    Erase(String),
    /// The content is not as declared, or the document does not take the change.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The change was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A record that was found: where it is and how it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) space: SpaceId,
    pub(crate) id: RecordId,
}

/// A record's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordId {
    /// Kept as a document.
    Document(DocumentId),
    /// Kept as a card.
    Card(CardId),
}

impl RecordId {
    /// The id as an entry's subject.
    pub const fn subject(&self) -> Subject {
        match self {
            Self::Document(id) => id.subject(),
            Self::Card(id) => id.subject(),
        }
    }
}

impl std::fmt::Display for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.subject().fmt(f)
    }
}

impl Node {
    /// Finds a record by the text of its id, where it is at home: only where its owner has begun
    /// it, so that nobody else can move it elsewhere by writing of it there.
    pub(crate) fn find_record(&self, text: &str) -> Result<Found, RecordsError> {
        let subject = text.parse::<Subject>().map_err(|source| RecordsError::Id {
            text: text.to_owned(),
            source,
        })?;
        let behind = self.catch_up_if_possible();
        let lines = self.inner.storage.lines_of(subject)?;
        let mut homes = Vec::new();
        for line in lines {
            let id = record_id(&line.kind, subject).map_err(|source| RecordsError::Id {
                text: text.to_owned(),
                source,
            })?;
            let space = line.space;
            homes.push(Found { space, id });
        }
        if homes.is_empty() && behind.is_some() {
            homes = self.find_unlisted(subject)?;
        }
        homes.retain(|found| self.may_show(found.space, subject));
        self.choose_home(text, &homes)
    }

    /// Of the spaces in which a record's owner writes it, the one that is meant by its id alone.
    fn choose_home(&self, text: &str, homes: &[Found]) -> Result<Found, RecordsError> {
        let authority = self.authority();
        let own = |found: &&Found| {
            let record = authority.spaces().get(&found.space);
            record.is_some_and(|record| record.kind == SpaceKind::Hub)
        };
        match homes {
            [] => Err(RecordsError::Missing(text.to_owned())),
            [one] => Ok(*one),
            several => several.iter().find(own).copied().ok_or_else(|| {
                RecordsError::Space(format!(
                    "record {text} stands in several spaces at once, so it is not clear which is \
                     meant: tell NCETM, and use a record made anew"
                ))
            }),
        }
    }

    /// Whether a record is shown: its space may be read, or it is this hub's own.
    pub(crate) fn may_show(&self, space: SpaceId, subject: Subject) -> bool {
        self.hub().is_some_and(|hub| {
            subject.owner() == hub || self.authority().access(hub, space).is_some()
        })
    }

    /// The spaces into which a document came by first copies and in which its owner began it.
    fn begun_in_copies(&self, subject: Subject) -> Result<Vec<SpaceId>, StoreError> {
        let inner = &self.inner;
        let Ok(id) = DocumentId::try_from(subject) else {
            return Ok(Vec::new());
        };
        let mut begun = Vec::new();
        for space in inner.storage.read(|store| store.base_spaces(subject))? {
            let library = &inner.library;
            if library.with(&inner.storage, space, id, |document| document.is_begun())? {
                begun.push(space);
            }
        }
        Ok(begun)
    }

    /// Finds a record that is held and that the lists have no room for.
    fn find_unlisted(&self, subject: Subject) -> Result<Vec<Found>, StoreError> {
        let inner = &self.inner;
        let (erased, entries, copied) = inner.storage.read(|store| {
            Ok((
                store.is_erased(subject)?,
                store.entries_of(subject, 0)?,
                store.base_spaces(subject)?,
            ))
        })?;
        let places = entries.iter().map(|entry| (entry.space, entry.kind));
        let copied = copied.into_iter().map(|space| (space, Kind::CHANGES));
        let mut places = places.chain(copied).collect::<Vec<_>>();
        places.sort_unstable();
        places.dedup();
        let mut homes = Vec::new();
        for (space, kind) in places.into_iter().filter(|_| !erased) {
            let id = match kind {
                Kind::CHANGES => DocumentId::try_from(subject).map(RecordId::Document),
                Kind::CARD => CardId::try_from(subject).map(RecordId::Card),
                _ => continue,
            };
            let at_home = match id {
                Ok(RecordId::Document(id)) => {
                    inner.library.with(&inner.storage, space, id, |document| {
                        let kind = node_domain::kind_or_unknown(&document.view());
                        document.is_begun()
                            && kind.is_some_and(|kind| fits(inner, kind, space, subject))
                    })?
                }
                Ok(RecordId::Card(id)) => card_view(inner, space, id)?.shown().is_some(),
                Err(_) => false,
            };
            if let (true, Ok(id)) = (at_home, id) {
                homes.push(Found { space, id });
            }
        }
        Ok(homes)
    }

    /// Brings documents and lists up to date with all that has arrived, now. Reading does this by
    /// itself.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read or the lists cannot be written.
    pub fn catch_up(&self) -> Result<(), StoreError> {
        self.inner
            .applier()
            .catch_up(&self.inner)
            .map(|_applied| ())
    }

    /// The same for reading, which goes on with the lists as they are if they cannot be written,
    /// as on a full disk; why they are behind, then.
    pub(crate) fn catch_up_if_possible(&self) -> Option<StoreError> {
        let behind = self.catch_up().err();
        if let Some(error) = &behind {
            tracing::warn!(%error, "lists are behind what arrived");
        }
        behind
    }
}

/// The id of a record of the kind named.
pub(crate) fn record_id(kind: &str, subject: Subject) -> Result<RecordId, IdError> {
    match node_domain::kind(kind).map(|kind| kind.form) {
        Some(Form::Card) => CardId::try_from(subject).map(RecordId::Card),
        Some(Form::Document) => DocumentId::try_from(subject).map(RecordId::Document),
        None if kind == node_domain::UNKNOWN_CARD.name => {
            CardId::try_from(subject).map(RecordId::Card)
        }
        None => DocumentId::try_from(subject).map(RecordId::Document),
    }
}

/// The kind with this name.
pub(crate) fn record_kind(name: &str) -> Result<&'static RecordKind, RecordsError> {
    node_domain::kind(name).ok_or_else(|| RecordsError::Kind {
        name: name.to_owned(),
        known: node_domain::KINDS
            .iter()
            .map(|kind| kind.name)
            .collect::<Vec<_>>()
            .join(", "),
    })
}

/// A record's fields as JSON says them.
pub(crate) fn parse_object(json: &str) -> Result<Object, RecordsError> {
    serde_json::from_str(json)
        .map_err(|error| RecordsError::Json(format!("a JSON object is needed: {error}")))
}

/// The space with this id.
pub(crate) fn parse_space(text: &str) -> Result<SpaceId, RecordsError> {
    text.parse().map_err(|source| RecordsError::Id {
        text: text.to_owned(),
        source,
    })
}

/// The declarations of all kinds, as `text`, `json` or `markdown`.
///
/// # Errors
/// [`RecordsError::Json`] for another format.
pub fn schema(format: &str) -> Result<String, RecordsError> {
    match format {
        "text" | "" => Ok(node_domain::schema_text()),
        "json" => Ok(node_domain::schema_json().to_string()),
        "markdown" => Ok(node_domain::schema_markdown()),
        other => Err(RecordsError::Refused(format!(
            "\"{other}\" is no format of the declarations: there are text, json and markdown"
        ))),
    }
}
