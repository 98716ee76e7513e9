//! Importing, as a desk may: into what the role writes.

use std::path::Path;

use node_domain::{Check, Duty, Field, FieldChange, ORGANISATION, Object, PERSON, Records, Seen};
use serde_json::Value;

use super::{Desk, Known};
use crate::records::{Headway, RecordsError, SheetToImport, record_kind};

impl Desk {
    /// Imports a sheet, or says what that would do: as
    /// [`Node::import_sheet`](crate::Node::import_sheet). The role writes the kind, or the list,
    /// and the cards of people, which a sheet may name.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was imported then.
    pub fn import_sheet(&self, wanted: &SheetToImport) -> Result<Value, RecordsError> {
        self.check(Duty::Import)?;
        let names_people = if wanted.record.is_empty() {
            let kind = record_kind(&wanted.kind)?;
            self.check_brings_in(kind.name)?;
            let items = kind.fields.iter().filter_map(Field::items).flatten();
            kind.fields.iter().chain(items).any(names_a_person)
        } else {
            let add = FieldChange::add(wanted.list.as_str(), Object::default());
            let reached = self.reached(&wanted.record, &Known::default())?;
            self.check_writes_of(&reached, &[add])?;
            let list = reached.kind.field(&wanted.list).and_then(Field::items);
            list.unwrap_or_default().iter().any(names_a_person)
        };
        // Cards are made of people who have none yet.
        if names_people {
            self.check_brings_in(PERSON.name)?;
        }
        self.node.import_sheet(wanted)
    }

    /// Imports the national school register, or says what that would do: as
    /// [`Node::import_register`](crate::Node::import_register).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was imported then.
    pub fn import_register(
        &self,
        path: &Path,
        links: Option<&Path>,
        areas: &[String],
        dry_run: bool,
    ) -> Result<Value, RecordsError> {
        self.import_register_with(path, links, areas, dry_run, &Headway::default())
    }

    /// The same for somebody who looks how far it has come, as
    /// [`Node::import_register_with`](crate::Node::import_register_with).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was imported then.
    pub fn import_register_with(
        &self,
        path: &Path,
        links: Option<&Path>,
        areas: &[String],
        dry_run: bool,
        headway: &Headway,
    ) -> Result<Value, RecordsError> {
        self.check(Duty::Import)?;
        self.check_brings_in(ORGANISATION.name)?;
        self.node
            .import_register_with(path, links, areas, dry_run, headway)
    }

    /// A hub that was taken out whole, into a node that holds nothing yet.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was imported then.
    pub fn import_hub(&self, path: &Path) -> Result<Value, RecordsError> {
        self.check(Duty::Import)?;
        self.check_brings_in(PERSON.name)?;
        self.node.import_hub(path)
    }

    fn check_brings_in(&self, kind: &str) -> Result<(), RecordsError> {
        let mut may = self.role.with_kind(kind);
        let writes = may.any(|may| {
            may.records == Records::All && matches!(may.write, Seen::All | Seen::Except(_))
        });
        if writes {
            return Ok(());
        }
        Err(RecordsError::Role(format!(
            "the role \"{}\" does not import {}",
            self.role.name,
            record_kind(kind)?.titles.to_lowercase()
        )))
    }
}

fn names_a_person(field: &Field) -> bool {
    field.check == Check::Reference(PERSON.name)
}
