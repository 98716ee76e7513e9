//! Taking an edit back.

use node_document::{CardView, Document, Heads};
use node_domain::{CardRecord, Field, FieldChange, Kind, RecordError};

use super::change::{EditedRecord, parse_heads};
use super::{Found, RecordId, RecordsError};
use crate::Node;
use crate::cards;

impl Node {
    /// Takes the edit back that brought a record from the heads `before` to those `after`, as
    /// [`EditedRecord`] gives them: each field that it changed says again what it said before, by a
    /// new edit. What was changed in other fields since stays; a field that somebody changed again
    /// is left, and the notes say so.
    ///
    /// # Errors
    /// [`RecordsError::Refused`] if nothing of it can be taken back; nothing was changed then.
    pub fn undo_edit(
        &self,
        id: &str,
        before: &str,
        after: &str,
    ) -> Result<EditedRecord, RecordsError> {
        self.undo_checked(id, before, after, |_| Ok(()))
    }

    /// The same, once `check` has agreed to the changes that it takes.
    pub(crate) fn undo_checked(
        &self,
        id: &str,
        before: &str,
        after: &str,
        check: impl FnOnce(&[FieldChange]) -> Result<(), RecordsError>,
    ) -> Result<EditedRecord, RecordsError> {
        let heads = |text: &str| parse_heads(text)?.ok_or(RecordsError::Heads);
        let (before, after) = (heads(before)?, heads(after)?);
        let found = self.find_record(id)?;
        let (kind, _) = self.record_fields_in(found.space, found.id)?;
        let owner = Some(found.id.subject().owner());
        let agreed = |changes: &[FieldChange], left: &[String]| {
            if changes.is_empty() {
                return Err(RecordsError::Refused(nothing(left)));
            }
            let fields = changes.iter().map(FieldChange::field);
            self.check_by_hand(kind, found.space, owner, fields)?;
            check(changes)
        };
        let mut edited = match found.id {
            RecordId::Document(document) => {
                let work = |document: &mut Document| undone(document, &before, &after);
                let (library, storage) = (&self.inner.library, &self.inner.storage);
                let undo = library.with(storage, found.space, document, work)??;
                agreed(&undo.changes, &undo.left)?;
                let references = node_domain::references_in_changes(kind, &undo.changes);
                self.check_references(&references)?;
                let mut stood = String::new();
                let (heads, written) =
                    self.change_document(found.space, document, false, |document, by| {
                        // Just what was agreed to is done.
                        if undone(document, &before, &after)?.changes != undo.changes {
                            return Err(RecordsError::Stale);
                        }
                        stood = document.heads().to_string();
                        Ok(node_domain::edit(document, None, &undo.changes, by)?)
                    })?;
                EditedRecord {
                    merged: 0,
                    before: stood,
                    heads: heads.to_string(),
                    notes: undo.left.into_iter().chain(written.notes).collect(),
                }
            }
            RecordId::Card(card) => {
                let revisions = cards::revisions(&self.inner, found.space, card)?;
                let now = CardView::new(revisions.clone());
                let at = |heads: &Heads| {
                    let view = cards::view_at(&revisions, heads);
                    view.as_ref().and_then(CardRecord::shown).ok_or_else(|| {
                        RecordsError::Refused(
                            "what this card said before is not kept any more, so it cannot be \
                             brought back"
                                .to_owned(),
                        )
                    })
                };
                let shown = CardRecord::shown(&now);
                let shown = shown.ok_or_else(|| RecordsError::Missing(id.to_owned()))?;
                let (was, said) = (at(&before)?, at(&after)?);
                let (values, left) =
                    node_domain::undone_card(kind, &was.fields, &said.fields, &shown.fields);
                let changes = values.into_iter();
                let changes = changes.map(|(field, value)| FieldChange::set(field, value));
                let changes = changes.collect::<Vec<_>>();
                agreed(&changes, &left)?;
                let mut edited = self.change_record(id, Some(&cards::heads(&now)), &changes)?;
                edited.notes.splice(0..0, left);
                edited
            }
        };
        edited.merged = 0;
        Ok(edited)
    }

    /// Whether an item of a document's list was taken out: what stood in it is kept, and would show
    /// again in another with its id.
    pub(crate) fn was_taken_out(
        &self,
        found: &Found,
        kind: &'static Kind,
        (list, item): (&str, &str),
    ) -> Result<bool, RecordsError> {
        let RecordId::Document(document) = found.id else {
            return Ok(false);
        };
        let fields = kind.field(list).and_then(Field::items).unwrap_or_default();
        let work = |document: &mut Document| {
            let view = document.view();
            let mut left = fields.iter();
            !view.has_item(&[list], item)
                && left.any(|field| view.get(&[list, item, field.name]).is_some())
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        Ok(library.with(storage, found.space, document, work)?)
    }

    /// The changes by which a document's edit would be taken back now, of which there may be none;
    /// nothing for a card, which can always say again what it said.
    pub(crate) fn changes_back(
        &self,
        id: &str,
        edited: &EditedRecord,
    ) -> Result<Option<Vec<FieldChange>>, RecordsError> {
        let heads = |text: &str| parse_heads(text)?.ok_or(RecordsError::Heads);
        let (before, after) = (heads(&edited.before)?, heads(&edited.heads)?);
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Ok(None);
        };
        let work = |document: &mut Document| undone(document, &before, &after);
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let undo = library.with(storage, found.space, document, work)??;
        Ok(Some(undo.changes))
    }
}

fn undone(
    document: &Document,
    before: &Heads,
    after: &Heads,
) -> Result<node_domain::Undone, RecordsError> {
    let undone = node_domain::undone(document, before, after);
    if matches!(undone, Err(RecordError::Edit(_))) {
        return Err(RecordsError::Heads);
    }
    Ok(undone?)
}

fn nothing(left: &[String]) -> String {
    if left.is_empty() {
        "there is nothing left to take back".to_owned()
    } else {
        left.join("; ")
    }
}
