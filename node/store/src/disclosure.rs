//! One time that something left this hub.

use node_feed::{Hash, SpaceId, Subject};

/// One time that something left this hub, or was taken back: names of fields, never their content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// When, in ms since 1970.
    pub time_ms: u64,
    /// The space that it went to, or that what was exported is in.
    pub space: SpaceId,
    /// The record that it was taken from.
    pub subject: Subject,
    /// The record that others read, if there is one.
    pub copy: Option<Subject>,
    /// What happened.
    pub action: DisclosureAction,
    /// Who did it and why, as far as that was said.
    pub by: String,
    /// Who could read it then.
    pub readers: Vec<String>,
    /// The names of the fields.
    pub fields: Vec<String>,
    /// Stands for exactly what left.
    pub digest: Hash,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisclosureAction {
    /// It was published for the first time.
    Published,
    /// What was published before was brought up to date.
    Updated,
    /// It was taken back.
    Withdrawn,
    /// It was written to a file.
    Exported,
    /// It was to be published, and nothing left.
    Failed,
}

impl DisclosureAction {
    const ALL: [Self; 5] = [
        Self::Published,
        Self::Updated,
        Self::Withdrawn,
        Self::Exported,
        Self::Failed,
    ];

    /// The word for it, as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Updated => "updated",
            Self::Withdrawn => "withdrawn",
            Self::Exported => "exported",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}
