//! What a desk writes.

use node_domain::{ChangedBy, FieldChange, KINDS, Kind, May, Object, Own, Records};
use node_feed::SpaceKind;
use serde_json::Value;

use super::{Access, Desk, Known, Reached, SpaceChoice};
use crate::records::change::{CreatedRecord, EditedRecord, parse_changes, parse_heads};
use crate::records::{RecordsError, parse_object, record_kind};

impl Desk {
    /// Whether the role sees a field of records of this kind, of any that it reaches: a field,
    /// `list/field`, or `list/item/field`.
    pub fn sees(&self, kind: &str, path: &str) -> bool {
        self.any_may(kind, |may, kind| node_domain::reads(may, kind, path))
    }

    /// Whether the role writes a field of records of this kind, of any that it reaches: a field,
    /// `list/field`, or `list/item/field`; of a list, whether it adds items to it.
    pub fn writes(&self, kind: &str, path: &str) -> bool {
        self.any_may(kind, |may, kind| node_domain::writes(may, kind, path))
    }

    /// Whether the role makes records of this kind here.
    pub fn creates(&self, kind: &str) -> bool {
        self.makes(kind) && !self.spaces_for(kind).is_empty()
    }

    /// The spaces in which the role may make records of this kind, this hub's own first.
    pub fn spaces_for(&self, kind: &str) -> Vec<SpaceChoice> {
        let Some(kind) = node_domain::kind(kind).filter(|kind| self.makes(kind.name)) else {
            return Vec::new();
        };
        let mut spaces = self.space_choices();
        spaces.retain(|space| {
            let fits = kind.spaces.contains(&space.kind) && space.may_write;
            let by_hand = || {
                self.node
                    .check_by_hand(kind, space.id, None, std::iter::empty())
            };
            fits && by_hand().is_ok()
        });
        spaces.sort_by_key(|space| space.kind != SpaceKind::Hub);
        spaces
    }

    /// What the role may do with one record.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role does not see it.
    pub fn access(&self, id: &str) -> Result<Access, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        let own = Some(reached.found.id.subject().owner()) == self.node.hub();
        Ok(Access {
            kind: reached.kind,
            may: reached.may,
            own,
            publishes: own && self.publishes(&reached).is_ok(),
            erases: own && self.has(node_domain::Duty::Erase),
        })
    }

    /// Makes a record: as [`Node::create_record`](crate::Node::create_record), if the role writes
    /// every field that is given. A role that reaches its holder's own records alone makes only
    /// such.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was made then.
    pub fn create(
        &self,
        kind: &str,
        space: &str,
        json: &str,
    ) -> Result<CreatedRecord, RecordsError> {
        self.check_may_make(kind, json)?;
        self.node.create_record(kind, space, json)
    }

    fn check_may_make(&self, kind: &str, json: &str) -> Result<(), RecordsError> {
        let kind = record_kind(kind)?;
        let values = parse_object(json)?;
        self.check_makes(kind, &values)
    }

    /// Makes a record as [`Desk::create`] does, and once alone under a key of the caller's: made
    /// again with the same content, it is the one that was made before.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was made then.
    pub fn create_once(
        &self,
        kind: &str,
        space: &str,
        json: &str,
        key: &str,
    ) -> Result<CreatedRecord, RecordsError> {
        self.check_may_make(kind, json)?;
        self.node.create_record_once(kind, space, json, key)
    }

    /// Checks what [`Desk::edit`] would change, and changes nothing.
    ///
    /// # Errors
    /// [`RecordsError`], as the edit would have.
    pub fn check_edit(&self, id: &str, heads: &str, json: &str) -> Result<(), RecordsError> {
        let changes = parse_changes(json)?;
        self.check_writes(id, &changes)?;
        let at = parse_heads(heads)?;
        self.node.check_change(id, at.as_ref(), &changes)
    }

    /// Changes a record, in the fields that the role writes.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was changed then.
    pub fn edit(&self, id: &str, heads: &str, json: &str) -> Result<EditedRecord, RecordsError> {
        let changes = parse_changes(json)?;
        self.check_writes(id, &changes)?;
        let at = parse_heads(heads)?;
        self.node.change_record(id, at.as_ref(), &changes)
    }

    /// Sets a field that the role writes to what it was on a day, as
    /// [`Node::bring_back`](crate::Node::bring_back).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was changed then.
    pub fn bring_back(&self, id: &str, field: &str, day: &str) -> Result<String, RecordsError> {
        self.check_writes(id, &[FieldChange::set(field, Value::Null)])?;
        self.node.bring_back(id, field, day)
    }

    /// Takes an edit back in the fields that the role writes: as
    /// [`Node::undo_edit`](crate::Node::undo_edit), with the heads that
    /// [`EditedRecord`] gave for it.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was changed then.
    pub fn undo(&self, id: &str, before: &str, after: &str) -> Result<EditedRecord, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        let check = |changes: &[FieldChange]| self.check_writes_of(&reached, changes);
        self.node.undo_checked(id, before, after, check)
    }

    /// Whether an item was in a list of a record and was taken out of it since.
    ///
    /// # Errors
    /// [`RecordsError`] if the record is not here, or the role does not reach it.
    pub fn was_taken_out(&self, id: &str, list: &str, item: &str) -> Result<bool, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        self.node
            .was_taken_out(&reached.found, reached.kind, (list, item))
    }

    /// Whether the role could take an edit back that was just made: what is only ever added to, and
    /// a step from which none leads back, nobody can.
    ///
    /// # Errors
    /// [`RecordsError`] if the record is not here any more.
    pub fn takes_back(&self, id: &str, edited: &EditedRecord) -> Result<bool, RecordsError> {
        let changes = self.node.changes_back(id, edited)?;
        Ok(changes
            .is_none_or(|changes| !changes.is_empty() && self.check_writes(id, &changes).is_ok()))
    }

    /// Checks that the role makes these changes in a record.
    pub(super) fn check_writes(
        &self,
        id: &str,
        changes: &[FieldChange],
    ) -> Result<(), RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        self.check_writes_of(&reached, changes)
    }

    pub(super) fn check_writes_of(
        &self,
        reached: &Reached,
        changes: &[FieldChange],
    ) -> Result<(), RecordsError> {
        let by = ChangedBy {
            holder: &self.holder,
            fields: &reached.fields,
        };
        node_domain::check_changes(reached.may, reached.kind, by, changes)
            .map_err(|problem| RecordsError::Role(problem.message))
    }

    /// Checks that the role makes a record with these fields.
    pub(super) fn check_makes(
        &self,
        kind: &'static Kind,
        values: &Object,
    ) -> Result<(), RecordsError> {
        let title = kind.title.to_lowercase();
        let role = self.role.name;
        if !Known::default().is_held(self)? {
            return Err(RecordsError::Role(format!(
                "no record says that the holder has the role \"{role}\" on {}, so it makes no \
                 {title}",
                self.day
            )));
        }
        let mut why = format!("the role \"{role}\" does not make a {title}");
        for may in self.role.with_kind(kind.name) {
            let reaches = match may.records {
                Records::All => true,
                Records::Delegated => false,
                Records::Own(places) => self.owns(places, "", values),
            };
            if !reaches {
                why = format!(
                    "the role \"{role}\" reaches only its holder's own records, so it makes a \
                     {title} only where that names the holder"
                );
                continue;
            }
            match node_domain::check_made(may, kind, &self.holder, values) {
                Ok(()) => return Ok(()),
                Err(problem) => why = problem.message,
            }
        }
        Err(RecordsError::Role(why))
    }

    /// Whether the role writes all that a record of this kind needs, wherever it may stand.
    fn makes(&self, kind: &str) -> bool {
        // What is published of other records comes by that alone.
        let others = KINDS.iter().filter(|from| from.name != kind);
        let mut steps = others.flat_map(|from| from.publishing);
        if steps.any(|step| step.only && step.to == kind) {
            return false;
        }
        self.any_may(kind, |may, kind| {
            let names_holder = match may.records {
                Records::All => true,
                Records::Delegated => false,
                Records::Own(places) => {
                    let mut paths = places.iter().flat_map(Own::paths);
                    paths.any(|path| node_domain::writes(may, kind, &path))
                }
            };
            let mut needed = kind.fields.iter().filter(|field| field.required);
            names_holder && needed.all(|field| node_domain::writes(may, kind, field.name))
        })
    }

    fn any_may(&self, kind: &str, may: impl Fn(&'static May, &'static Kind) -> bool) -> bool {
        let kind = node_domain::kind(kind);
        kind.is_some_and(|kind| self.role.with_kind(kind.name).any(|it| may(it, kind)))
    }
}
