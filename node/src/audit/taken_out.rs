//! What is noted of records that are taken out: which sort, how many, in which role.

use node_store::StoreError;

use super::{Event, Fields};
use crate::node::Inner;

/// What was taken out.
#[derive(Debug, Clone)]
pub(crate) struct TakenOut {
    what: &'static str,
    kind: Option<&'static str>,
    records: usize,
}

impl TakenOut {
    /// So many records in this form: a `list`, a `calendar`, a `person` or the `hub`.
    pub(crate) const fn of(what: &'static str, records: usize) -> Self {
        let kind = None;
        Self {
            what,
            kind,
            records,
        }
    }

    /// All of one kind.
    pub(crate) const fn kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }
}

impl Inner {
    /// Notes durably what is about to be handed out, in a role, or on the command line.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be noted; it must not be handed out then.
    pub(crate) fn note_taken_out(
        &self,
        taken: &TakenOut,
        role: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut fields = Fields::new()
            .with("what", taken.what)
            .with("records", taken.records);
        if let Some(kind) = taken.kind {
            fields = fields.with("kind", kind);
        }
        if let Some(role) = role {
            fields = fields.with("role", role);
        }
        self.note(Event::TakenOut, fields)
    }
}
