//! What a file would do, or did, as the node tells it.

use std::sync::Arc;

use node_domain::Register;
use serde_json::{Map, Value};

use super::Into;
use crate::records::{Desk, Headway, RecordsError, SheetToImport};
use crate::web::Form;
use crate::web::received::Received;

/// A file that was sent, with all that was said of it.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) into: Into,
    pub(super) files: Arc<Vec<Received>>,
    pub(super) form: Form,
}

/// What it comes to.
#[derive(Debug)]
pub(super) struct Plan {
    /// Whether it is the national register, which is told in numbers alone.
    pub(super) is_register: bool,
    pub(super) told: Value,
}

impl Sent {
    /// The file that was sent in a field of the form.
    pub(super) fn file(&self, field: &str) -> Option<&Received> {
        self.files.iter().find(|it| it.field == field)
    }

    /// Looks what the file would do, or does it.
    pub(super) fn carry_out(
        &self,
        desk: &Desk,
        dry_run: bool,
        headway: &Headway,
    ) -> Result<Plan, RecordsError> {
        let gone = || {
            RecordsError::Refused(
                "The file is not here any more; send it again. Nothing was done.".to_owned(),
            )
        };
        let file = self.file("file").ok_or_else(gone)?;
        let content = std::fs::read(&file.path).map_err(|_| gone())?;
        if self.into == Into::Schools && Register::read(&content).is_ok() {
            let areas = self.form.get("areas").split(',').map(str::trim);
            let areas = areas.filter(|area| !area.is_empty()).map(str::to_owned);
            let areas = areas.collect::<Vec<_>>();
            let links = self.file("links").map(|it| it.path.as_path());
            let path = &file.path;
            let told = desk.import_register_with(path, links, &areas, dry_run, headway)?;
            return Ok(Plan {
                is_register: true,
                told,
            });
        }
        let (kind, record, list) = match self.into {
            Into::Schools => ("organisation", "", ""),
            Into::Records(kind) => (kind.name, "", ""),
            Into::Members => ("", self.form.get("group"), "members"),
        };
        let wanted = SheetToImport {
            kind: kind.to_owned(),
            record: record.to_owned(),
            list: list.to_owned(),
            name: file.name.clone(),
            content,
            columns: self.said("column/"),
            answers: self.said("school/"),
            dry_run,
            headway: headway.clone(),
        };
        let told = desk.import_sheet(&wanted)?;
        Ok(Plan {
            is_register: false,
            told,
        })
    }

    /// What was said under names that begin so, as a JSON object; where nothing was chosen, nothing
    /// is said.
    fn said(&self, begins: &str) -> String {
        let mut said = Map::new();
        for (name, value) in self.form.fields() {
            if let Some(name) = name.strip_prefix(begins)
                && value != "?"
            {
                said.insert(name.to_owned(), Value::String(value.to_owned()));
            }
        }
        Value::Object(said).to_string()
    }
}

impl Plan {
    pub(super) fn count(&self, name: &str) -> u64 {
        let counts = self.told.get("counts").and_then(|it| it.get(name));
        let number = counts.or_else(|| self.told.get(name));
        number.and_then(Value::as_u64).unwrap_or_default()
    }

    pub(super) fn list(&self, name: &str) -> &[Value] {
        let list = self.told.get(name).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }
}

/// A text in what the node tells.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
