//! The documents and changes that all systems are given, byte for byte the same.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use node::Node;
use node_document::Author;
use node_feed::Changes;
use tempfile::TempDir;

use crate::draft::{CHANGES, Draft};
use crate::reconnect::{NEW_CHANGES, pick};
use crate::stage::{Saved, Stage, temporary};
use crate::versus::task::Task;

/// How many bytes of a kept draft are its document's id.
const ID_BYTES: usize = 24;

/// Documents as Causeway's hub wrote them, in a file for peers, and changes that it makes later.
pub(crate) struct Workload {
    folder: TempDir,
    documents: usize,
    saved: Vec<Saved>,
    author: Author,
    made: usize,
}

/// New changes in a file for peers, one file for each run.
pub(crate) struct NewChanges {
    /// How many changes each of the files has.
    pub(crate) each: usize,
    pub(crate) files: Vec<PathBuf>,
}

impl Workload {
    /// This many documents.
    pub(crate) async fn of(documents: usize) -> anyhow::Result<Self> {
        let stage = Stage::with(documents, 1).await?;
        let saved = stage.saved()?;
        let space = saved.first().context("there is no document")?.space;
        let author = Node::open(&stage.hub())?.author(space)?;
        let folder = temporary()?;
        let mut file = BufWriter::new(File::create(folder.path().join("documents"))?);
        for saved in &saved {
            let (_, document) = saved
                .draft
                .split_at_checked(ID_BYTES)
                .context("a saved draft is cut off")?;
            write_piece(&mut file, document)?;
        }
        file.flush()?;
        Ok(Self {
            folder,
            documents,
            saved,
            author,
            made: 0,
        })
    }

    /// How many changes the documents have, to begin with.
    pub(crate) const fn changes(&self) -> usize {
        self.documents * CHANGES
    }

    /// The file with the documents.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("documents")
    }

    /// The folder for everything that belongs to this workload.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes the changes that a task needs, for each of its runs.
    pub(crate) fn prepare(&mut self, task: Task) -> anyhow::Result<NewChanges> {
        let (changed, changes, goes_on) = match task {
            Task::FirstCopy { .. } | Task::Reconnect { changed: 0, .. } => (0, 0, false),
            // Each run finds what the one before it left.
            Task::Reconnect { changed, .. } => (changed, NEW_CHANGES, true),
            Task::FanOut { edits, .. } => (1, edits, false),
            Task::Killed { documents } => (documents, NEW_CHANGES, false),
        };
        let mut files = Vec::new();
        for _ in 0..task.runs() {
            if changed > 0 {
                files.push(self.make(changed, changes, goes_on)?);
            }
        }
        let each = changed * changes;
        Ok(NewChanges { each, files })
    }

    fn make(&mut self, changed: usize, changes: usize, goes_on: bool) -> anyhow::Result<PathBuf> {
        self.made += 1;
        let path = self.folder.path().join(format!("changes-{}", self.made));
        let mut file = BufWriter::new(File::create(&path)?);
        let all = self.saved.iter_mut().enumerate().collect();
        for (place, saved) in pick(all, changed) {
            let mut draft = Draft::load(&saved.draft, &self.author)?;
            for _ in 0..changes {
                let entry = draft.next()?;
                for chunk in Changes::decode(&entry.payload)?.chunks {
                    file.write_all(&u32::try_from(place)?.to_le_bytes())?;
                    write_piece(&mut file, &chunk)?;
                }
            }
            if goes_on {
                saved.draft = draft.save();
            }
        }
        file.flush()?;
        Ok(path)
    }
}

/// Writes a piece after its length in 32 bits.
fn write_piece(file: &mut impl std::io::Write, piece: &[u8]) -> anyhow::Result<()> {
    file.write_all(&u32::try_from(piece.len())?.to_le_bytes())?;
    Ok(file.write_all(piece)?)
}

/// A folder that was there is emptied.
pub(crate) fn fresh(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}
