//! What an entry is.

use std::fmt;

/// The kind of an entry. A number that this version does not know is carried, stored and
/// passed on like any other, and set aside until an upgrade understands it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// Number 0 of every feed.
    pub const OPEN: Self = Self(1);
    /// Automerge changes of one document.
    pub const CHANGES: Self = Self(2);
    /// One revision of a card.
    pub const CARD: Self = Self(3);
    /// Ids never to be kept or used again.
    pub const ERASE: Self = Self(4);
    /// A content-addressed file. Reserved: carried, not yet understood.
    pub const FILE: Self = Self(5);
    /// What a first copy is verified against.
    pub const CHECKPOINT: Self = Self(6);
    /// A fact of the authority log.
    pub const GRANT: Self = Self(7);

    /// Whether payloads of this kind always stand. Without its `open` or a fact nobody could tell
    /// what counts, and without an `erase` what was erased could come back; so such an entry is
    /// about nothing by whose erasure its payload would be dropped, and travels whole.
    pub const fn stands(self) -> bool {
        matches!(self, Self::OPEN | Self::ERASE | Self::GRANT)
    }

    /// The kind's name, if this version knows it.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::OPEN => Some("open"),
            Self::CHANGES => Some("changes"),
            Self::CARD => Some("card"),
            Self::ERASE => Some("erase"),
            Self::FILE => Some("file"),
            Self::CHECKPOINT => Some("checkpoint"),
            Self::GRANT => Some("grant"),
            _ => None,
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "kind {}", self.0),
        }
    }
}
