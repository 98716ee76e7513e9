//! What is kept of people's accounts: rows, whose meaning is the caller's.

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: [u8; 8],
    /// By which it is found; no two accounts have the same.
    pub name: Option<String>,
    /// All else, as JSON text. It may hold secrets.
    pub json: String,
}

/// A session of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The hash of what its holder shows.
    pub hash: [u8; 32],
    /// The account.
    pub account: [u8; 8],
    /// When it began, in ms since 1970.
    pub begun_ms: u64,
    /// When it was used last, in ms since 1970.
    pub seen_ms: u64,
    /// All else, as JSON text. It may hold secrets.
    pub json: String,
}

/// Tries to sign in under one name that have not succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriesRow {
    /// The hash of the name.
    pub name: [u8; 32],
    /// How many there were.
    pub failed: u32,
    /// Until when no other is taken, in ms since 1970.
    pub wait_until_ms: u64,
    /// When the last one was, in ms since 1970.
    pub last_ms: u64,
    /// Whether an account has this name. Of the others only the latest are kept.
    pub known: bool,
}

/// Something that was done or refused. Holds no name of a person and nothing of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// When, in ms since 1970.
    pub time_ms: u64,
    /// The account that did it; none for the command line, or where nobody was signed in.
    pub who: Option<[u8; 8]>,
    /// What, in a few words.
    pub event: String,
    /// What it was about: an id or a page.
    pub about: String,
    /// Whether it was done.
    pub allowed: bool,
}

impl std::fmt::Debug for AccountRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountRow").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SessionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionRow").finish_non_exhaustive()
    }
}
