//! Searching a folder for words, in everything that can be read out of it: the raw bytes of every
//! file, every column of every table, and every Automerge chunk within, decoded.

mod chunks;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result};

/// What was searched, and which words were found where.
#[derive(Debug, Default)]
pub struct Search {
    words: Vec<String>,
    searcher: Option<AhoCorasick>,
    /// Files read, write-ahead logs among them.
    pub files: usize,
    /// Columns of rows read.
    pub columns: usize,
    /// Automerge changes decoded.
    pub changes: usize,
    /// What looked like Automerge in a column and could not be decoded.
    pub undecoded: usize,
    found: BTreeMap<String, Vec<String>>,
}

impl Search {
    /// A search for `words`, whatever their case, which has read nothing yet.
    ///
    /// # Errors
    /// If there are too many words to search for at once.
    pub fn new(words: &[String]) -> Result<Self> {
        let searcher = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(words)?;
        Ok(Self {
            words: words.to_vec(),
            searcher: Some(searcher),
            ..Self::default()
        })
    }

    /// Searches all below `folder` for `words`, whatever their case.
    ///
    /// # Errors
    /// If something cannot be read: a search that missed a file has shown nothing.
    pub fn of(folder: &Path, words: &[String]) -> Result<Self> {
        let mut search = Self::new(words)?;
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file() {
                search.file(entry.path())?;
            }
        }
        Ok(search)
    }

    /// Searches some bytes, and every Automerge chunk within, decoded.
    pub fn bytes(&mut self, place: &str, content: &[u8]) {
        self.look(place, content);
        let decoded = chunks::decode(content);
        self.changes += decoded.changes;
        self.undecoded += decoded.undecoded;
        for text in decoded.texts {
            self.look(&format!("{place}, decoded"), text.as_bytes());
        }
    }

    /// The words that were found anywhere.
    pub fn found(&self) -> impl Iterator<Item = &str> {
        self.found.keys().map(String::as_str)
    }

    /// The places where a word was found.
    pub fn places(&self, word: &str) -> &[String] {
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
                self.bytes(&place, content);
            })
            .with_context(|| format!("{} cannot be searched", path.display()))?;
        }
        Ok(())
    }

    fn look(&mut self, place: &str, content: &[u8]) {
        let found = self
            .searcher
            .iter()
            .flat_map(|all| all.find_overlapping_iter(content));
        let found = found.map(|found| found.pattern().as_usize());
        for word in found.collect::<BTreeSet<_>>() {
            self.found
                .entry(self.words[word].clone())
                .or_default()
                .push(place.to_owned());
        }
    }
}
