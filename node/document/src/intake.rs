//! Entries taken in a portion at a time, and looked at together once all are in.

use std::collections::HashSet;

use crate::apply::Batch;
use crate::document::Document;
use crate::entry::ChangesEntry;
use crate::outcome::{Fault, Outcome};
use crate::trial::Trial;

/// A document that runs ahead of the last part of the gate, in which it is saved and loaded again:
/// that costs as much as the document is long, and so is done once for all portions.
pub(crate) struct Intake {
    /// The document as it was, once anything was taken in.
    before: Option<Document>,
    ahead: Document,
    added: HashSet<[u8; 32]>,
}

impl Intake {
    pub(crate) fn new(document: Document) -> Self {
        Self {
            before: None,
            ahead: document,
            added: HashSet::new(),
        }
    }

    /// The document with what was taken in.
    pub(crate) const fn ahead(&self) -> &Document {
        &self.ahead
    }

    /// The document as it was.
    pub(crate) fn before(self) -> Document {
        self.before.unwrap_or(self.ahead)
    }

    /// Takes entries in, and says what became of each.
    ///
    /// # Errors
    /// [`Fault`] of one of them: only [`before`](Self::before) is to be used then.
    pub(crate) fn take(&mut self, entries: &[ChangesEntry]) -> Result<Vec<Outcome>, Fault> {
        // Automerge shares what both hold.
        self.before.get_or_insert_with(|| self.ahead.clone());
        let batch = Batch::new(self.ahead.id, entries, &self.ahead.book);
        let (outcomes, added) = batch.run_ahead(&mut self.ahead)?;
        self.added.extend(added);
        Ok(outcomes)
    }

    /// The document with all that was taken in, saved, loaded again and compared. If that fails it
    /// is as it was, and the answer is no.
    pub(crate) fn finish(self) -> (Document, bool) {
        let Self {
            before,
            mut ahead,
            added,
        } = self;
        let Some(before) = before.filter(|_| !added.is_empty()) else {
            return (ahead, true);
        };
        match Trial::of(&before.automerge, ahead.automerge, &added) {
            Ok(trial) => {
                ahead.automerge = trial.automerge;
                ahead.saved = trial.saved.into();
                (ahead, true)
            }
            Err(_) => (before, false),
        }
    }
}
