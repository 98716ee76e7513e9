//! What a desk does beside seeing and writing records, by the role's duties.

use node_domain::{Duty, Kind, Likely, PERSON, RETURN, Seen};
use serde_json::{Value, json};

use super::{Desk, Known};
use crate::audit::TakenOut;
use crate::records::returns::{ComputedReturn, ReturnWanted};
use crate::records::{Headway, MergedPeople, RecordId, RecordsError};

impl Desk {
    /// Whether the role has a duty.
    pub fn has(&self, duty: Duty) -> bool {
        self.role.has(duty)
    }

    /// Checks that the role has a duty. Pages ask it for what is no record, such as accounts.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if it has not.
    pub fn check(&self, duty: Duty) -> Result<(), RecordsError> {
        if !self.has(duty) {
            return Err(RecordsError::Role(format!(
                "the role \"{}\" does not {}; ask somebody whose role does",
                self.role.name,
                duty.does()
            )));
        }
        if Known::default().is_held(self)? {
            return Ok(());
        }
        Err(RecordsError::Role(format!(
            "no record says that the holder has the role \"{}\" on {}",
            self.role.name, self.day
        )))
    }

    /// Cards of this hub that are likely the same person: as
    /// [`Node::likely_same`](crate::Node::likely_same).
    ///
    /// # Errors
    /// [`RecordsError::Role`] without the duty.
    pub fn duplicates(&self) -> Result<Vec<Likely>, RecordsError> {
        self.check(Duty::People)?;
        self.check_sees_all(&PERSON)?;
        let likely = self.node.remembered_of_kinds(
            &[PERSON.name],
            &["duplicates"],
            |likely: &Vec<Likely>| likely.len() * 200,
            || self.node.likely_same(),
        )?;
        Ok(likely.as_ref().clone())
    }

    /// Makes one card of two: as [`Node::merge_people`](crate::Node::merge_people).
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn merge_people(&self, keep: &str, other: &str) -> Result<MergedPeople, RecordsError> {
        self.check_merge(keep, other)?;
        self.node.merge_people(keep, other)
    }

    /// Checks what [`Desk::merge_people`] needs, and changes nothing.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn check_merge(&self, keep: &str, other: &str) -> Result<(), RecordsError> {
        self.check(Duty::People)?;
        for id in [keep, other] {
            self.check_writes_all(id)?;
        }
        self.node.check_merge(keep, other)
    }

    /// Counts what a return asks for and, if confirmed, keeps it: as
    /// [`Node::compute_return`](crate::Node::compute_return).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was kept then.
    pub fn compute_return(
        &self,
        wanted: &ReturnWanted,
        confirm: bool,
    ) -> Result<ComputedReturn, RecordsError> {
        self.check(Duty::Returns)?;
        if confirm {
            return self.node.compute_return(wanted, true);
        }
        let what = format!("{wanted:?}");
        let computed = self.node.remembered(
            &["return", &what, &self.today()],
            |computed: &ComputedReturn| computed.fields.to_string().len(),
            || self.node.compute_return(wanted, false),
        )?;
        Ok(computed.as_ref().clone())
    }

    /// Counts again what a return counted: as
    /// [`Node::reproduce_return`](crate::Node::reproduce_return).
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn reproduce_return(&self, id: &str) -> Result<Value, RecordsError> {
        self.check(Duty::Returns)?;
        let reached = self.reached(id, &Known::default())?;
        if *reached.kind != RETURN || reached.may.read != Seen::All {
            return Err(self.does_not_see("what a return counted"));
        }
        let again = self.node.remembered(
            &["reproduce", id],
            |again: &Value| again.to_string().len(),
            || self.node.reproduce_return(id),
        )?;
        Ok(again.as_ref().clone())
    }

    /// The title of a record that is to be erased, for a person to confirm: as
    /// [`Node::erasure`](crate::Node::erasure).
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn erasure(&self, id: &str) -> Result<String, RecordsError> {
        self.check(Duty::Erase)?;
        self.check_writes_all(id)?;
        self.node.erasure(id)
    }

    /// Erases a record and its published copies for good: as [`Node::erase`](crate::Node::erase).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was erased then.
    pub fn erase(&self, id: &str) -> Result<usize, RecordsError> {
        self.check(Duty::Erase)?;
        self.check_writes_all(id)?;
        self.node.erase(&[id])
    }

    /// All that is held of a person: the card, and every record that names it, with what of it
    /// does. For whoever asks what is kept of them.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn export_person(&self, id: &str) -> Result<Value, RecordsError> {
        self.check(Duty::Export)?;
        let mut told = self.records_told(id)?;
        let card = told
            .reached(id)?
            .map(|reached| (reached.kind, reached.fields.clone()));
        let Some((_, card)) = card.filter(|(kind, _)| **kind == PERSON) else {
            return Err(RecordsError::Refused("this is no person's card".to_owned()));
        };
        let mut records = Vec::new();
        for row in self.node.inner.storage.referring(id)? {
            let record = row.subject.to_string();
            let Some(reached) = told.reached(&record)? else {
                continue;
            };
            let seen = node_domain::visible(reached.may, reached.kind, reached.fields.clone());
            let named = seen.into_iter().filter_map(|(name, value)| {
                let value = naming(value, id)?;
                let label = reached
                    .kind
                    .field(&name)
                    .map_or(name.as_str(), |it| it.label);
                Some((label.to_owned(), value))
            });
            records.push(json!({
                "record": record, "kind": reached.kind.title, "title": row.title,
                "names_them_in": named.collect::<serde_json::Map<_, _>>(),
            }));
        }
        self.note_taken_out(&TakenOut::of("person", records.len()))?;
        Ok(json!({ "card": card, "records": records }))
    }

    /// Everything that this hub owns, into a new folder: as
    /// [`Node::export_hub`](crate::Node::export_hub).
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn export_hub(&self, path: &std::path::Path) -> Result<Value, RecordsError> {
        self.export_hub_with(path, &Headway::default())
    }

    /// The same for somebody who looks how far it has come, as
    /// [`Node::export_hub_with`](crate::Node::export_hub_with).
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn export_hub_with(
        &self,
        path: &std::path::Path,
        headway: &Headway,
    ) -> Result<Value, RecordsError> {
        self.check(Duty::Export)?;
        self.check_sees_all(&PERSON)?;
        if !self.has(Duty::Import) {
            return Err(RecordsError::Role(format!(
                "the role \"{}\" takes out what is held of one person, and not the whole hub",
                self.role.name
            )));
        }
        self.node.export_hub_as(path, headway, Some(self.role.name))
    }

    /// Checks that the role sees all of all records of a kind.
    pub(super) fn check_sees_all(&self, kind: &Kind) -> Result<(), RecordsError> {
        let mut may = self.role.with_kind(kind.name);
        if may.any(|may| may.records == node_domain::Records::All && may.read == Seen::All) {
            return Ok(());
        }
        Err(self.does_not_see(&kind.titles.to_lowercase()))
    }

    /// Checks that the role reaches a record and writes it.
    fn check_writes_all(&self, id: &str) -> Result<(), RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        match reached.may.write {
            Seen::All | Seen::Except(_) => Ok(()),
            Seen::Nothing | Seen::Only(_) => Err(RecordsError::Role(format!(
                "the role \"{}\" does not write this {}",
                self.role.name,
                reached.kind.title.to_lowercase()
            ))),
        }
    }

    pub(super) fn does_not_see(&self, what: &str) -> RecordsError {
        RecordsError::Role(format!(
            "the role \"{}\" does not see {what}",
            self.role.name
        ))
    }

    /// Whether a record is this hub's own.
    pub(super) fn is_own(&self, id: RecordId) -> bool {
        Some(id.subject().owner()) == self.node.hub()
    }
}

/// What of a value names a record: itself, or the items that do.
fn naming(value: Value, id: &str) -> Option<Value> {
    match value {
        Value::String(text) if text == id => Some(Value::String(text)),
        Value::Array(items) => {
            let items = items.into_iter().filter(|item| match item {
                Value::Object(fields) => fields.values().any(|value| value.as_str() == Some(id)),
                Value::String(text) => text == id,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
            });
            let items = items.collect::<Vec<_>>();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            None
        }
    }
}
