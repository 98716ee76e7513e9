//! What a complete export holds.

use serde::{Deserialize, Serialize};

/// What a complete export holds, so that what is missing or damaged is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`Manifest::FORMAT`].
    pub format: String,
    /// The [`schema_version`](crate::schema_version) by which it was written.
    pub schema: String,
    /// When it was made, in the words of whoever made it.
    pub made: String,
    /// The hub whose records these are.
    pub hub: String,
    /// Its files.
    pub files: Vec<ManifestFile>,
}

/// A file of a complete export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its name.
    pub name: String,
    /// The kind of its records.
    pub kind: String,
    /// How many there are.
    pub records: usize,
    /// Its size.
    pub bytes: usize,
    /// Its BLAKE3, in hexadecimal.
    pub blake3: String,
}

impl Manifest {
    /// What the format is called.
    pub const FORMAT: &'static str = "causeway complete export 1";
    /// The name of the manifest's file.
    pub const NAME: &'static str = "manifest.json";
}
