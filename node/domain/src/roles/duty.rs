//! What a role may do beside seeing and writing records.

/// Something that is done with the hub's records as a whole, or with what leaves and comes in. Who
/// has none of these sees and writes records alone. What a role makes follows from what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// Publishing the records that the role writes, and taking that back.
    Publish,
    /// Importing sheets and the school register into the kinds that the role writes.
    Import,
    /// Taking everything out: the hub as a whole, or all that is held of a person.
    Export,
    /// Counting and keeping returns, and sending them.
    Returns,
    /// Finding cards of the same person, and making one of two.
    People,
    /// Erasing records for good.
    Erase,
    /// Giving and ending people's accounts and roles.
    Accounts,
    /// Changing the node's settings, and its backups.
    Settings,
    /// Connecting hubs, and ending their access.
    Connections,
    /// Seeing what left the hub.
    Disclosures,
    /// Reading reports over many records.
    Reports,
}

impl Duty {
    /// All duties.
    pub const ALL: &'static [Self] = &[
        Self::Publish,
        Self::Import,
        Self::Export,
        Self::Returns,
        Self::People,
        Self::Erase,
        Self::Accounts,
        Self::Settings,
        Self::Connections,
        Self::Disclosures,
        Self::Reports,
    ];

    /// Its name in the declarations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Import => "import",
            Self::Export => "export",
            Self::Returns => "returns",
            Self::People => "people",
            Self::Erase => "erase",
            Self::Accounts => "accounts",
            Self::Settings => "settings",
            Self::Connections => "connections",
            Self::Disclosures => "disclosures",
            Self::Reports => "reports",
        }
    }

    /// What who has it does, after "does not".
    pub const fn does(self) -> &'static str {
        match self {
            Self::Publish => "publish records",
            Self::Import => "import files",
            Self::Export => "take out everything that is held",
            Self::Returns => "count returns",
            Self::People => "make one card of two",
            Self::Erase => "erase records",
            Self::Accounts => "give people accounts",
            Self::Settings => "change settings",
            Self::Connections => "connect hubs",
            Self::Disclosures => "see what left the hub",
            Self::Reports => "read reports",
        }
    }
}
