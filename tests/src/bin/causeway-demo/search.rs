//! Searching a folder for words, in everything that can be read out of it: the raw bytes of every
//! file, every column of every table, and every Automerge chunk within, decoded.

mod chunks;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use memchr::memmem;

/// What was searched, and which words were found where.
#[derive(Debug, Default)]
pub(crate) struct Search {
    words: Vec<String>,
    /// Files read, write-ahead logs among them.
    pub(crate) files: usize,
    /// Columns of rows read.
    pub(crate) columns: usize,
    /// Automerge changes decoded.
    pub(crate) changes: usize,
    /// What looked like Automerge in a column and could not be decoded.
    pub(crate) undecoded: usize,
    found: BTreeMap<String, Vec<String>>,
}

impl Search {
    /// Searches all below `folder` for `words`, whatever their case.
    ///
    /// # Errors
    /// If something cannot be read: a search that missed a file has shown nothing.
    pub(crate) fn of(folder: &Path, words: &[String]) -> Result<Self> {
        let mut search = Self {
            words: words.to_vec(),
            ..Self::default()
        };
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file() {
                search.file(entry.path())?;
            }
        }
        Ok(search)
    }

    /// The words that were found anywhere.
    pub(crate) fn found(&self) -> impl Iterator<Item = &str> {
        self.found.keys().map(String::as_str)
    }

    /// The places where a word was found.
    pub(crate) fn places(&self, word: &str) -> &[String] {
        self.found.get(word).map_or(&[], Vec::as_slice)
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let bytes = match fs::read(path) {
            // A file that its program has just removed holds nothing any more.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            read => read.with_context(|| format!("{} cannot be read", path.display()))?,
        };
        self.files += 1;
        let place = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        self.look(&place, &bytes);
        // A write-ahead log also holds pages that no table shows any more.
        for change in chunks::decode(&bytes).texts {
            self.look(&format!("{place}, a decoded change"), change.as_bytes());
        }
        if tables::is_database(&bytes) {
            tables::read(path, |table, column, content| {
                self.columns += 1;
                let place = format!("{place}, {table}.{column}");
                self.look(&place, content);
                let decoded = chunks::decode(content);
                self.changes += decoded.changes;
                self.undecoded += decoded.undecoded;
                for text in decoded.texts {
                    self.look(&format!("{place}, decoded"), text.as_bytes());
                }
            })
            .with_context(|| format!("{} cannot be searched", path.display()))?;
        }
        Ok(())
    }

    fn look(&mut self, place: &str, content: &[u8]) {
        let content = content.to_ascii_lowercase();
        for word in &self.words {
            let needle = word.to_ascii_lowercase();
            if memmem::find(&content, needle.as_bytes()).is_some() {
                self.found
                    .entry(word.clone())
                    .or_default()
                    .push(place.to_owned());
            }
        }
    }
}
