//! The parts in which people see and fill in a record.

/// What stands together on a page: up to eight fields, or one list or log by itself. What no
/// section names, no page shows; what the program fills in is shown and cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// What people read above it.
    pub title: &'static str,
    /// The names of its fields, in the order in which a person would fill them in.
    pub fields: &'static [&'static str],
}

impl Section {
    /// Its title as it stands in an address: in small letters, with dashes.
    pub fn slug(&self) -> String {
        slug(self.title)
    }
}

/// Words as they stand in an address: small letters, dashes, and nothing else.
pub(crate) fn slug(words: &str) -> String {
    let words = words.to_lowercase().replace(['\'', '’'], "");
    let parts = words.split(|letter: char| !letter.is_ascii_alphanumeric());
    let parts = parts.filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

/// A section.
pub(crate) const fn section(title: &'static str, fields: &'static [&'static str]) -> Section {
    Section { title, fields }
}
