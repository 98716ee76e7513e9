//! Importing sheets: what the plan says is done row by row, and one bad row hinders no other.

use std::collections::BTreeMap;

use node_domain::{
    FieldChange, Form, Import, ImportIndex, ImportInto, ImportOptions, ImportedRow,
    Kind as RecordKind, Known, KnownSchool, ORGANISATION, Object, PERSON, RowOutcome,
    SchoolMatcher, Sheet, import_key, plan_import,
};
use node_feed::SpaceId;
use serde_json::{Value, json};

use super::{Headway, RecordsError, record_kind};
use crate::Node;
use crate::author::WriteError;

/// A sheet, and what is to come of it.
#[derive(Debug, Clone, Default)]
pub struct SheetToImport {
    /// The kind of the records; it may be empty if `record` is given.
    pub kind: String,
    /// The record whose list is filled; records are made if it is empty.
    pub record: String,
    /// Its list.
    pub list: String,
    /// The file's name, for messages.
    pub name: String,
    /// The file.
    pub content: Vec<u8>,
    /// Headings and their fields, as a JSON object; recognised where it says nothing.
    pub columns: String,
    /// Schools' names as typed and their URNs, as a JSON object.
    pub answers: String,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Who looks how far it has come, and may stop it between two rows.
    pub headway: Headway,
}

impl Node {
    /// Imports a CSV file or spreadsheet, or says what that would do. The same file twice adds
    /// nothing. What a row could not do is told beside its number; the other rows go on.
    ///
    /// # Errors
    /// [`RecordsError`] if the file, the kind or the record is not what it should be; nothing was
    /// imported then.
    pub fn import_sheet(&self, wanted: &SheetToImport) -> Result<Value, RecordsError> {
        let sheet = Sheet::read(&wanted.content, &wanted.name)
            .map_err(|error| RecordsError::Refused(error.to_string()))?;
        let options = ImportOptions {
            columns: map(&wanted.columns)?,
            answers: map(&wanted.answers)?,
            ..ImportOptions::default()
        };
        let schools = self.schools()?;
        let mut people = self.by_key(&PERSON, self.own_space()?)?;
        if wanted.record.is_empty() {
            let kind = record_kind(&wanted.kind)?;
            let space = if *kind == ORGANISATION {
                self.register_space()?
            } else {
                self.space_for(kind, "")?
            };
            let there = self.by_key(kind, space)?;
            let known = |key: &[String]| there.find(key).cloned();
            let into = ImportInto::Records(kind);
            let plan = plan_import(into, &sheet, &options, Some(&schools), &known);
            // New cards are written together. Nothing is said to be done before they are durable.
            let mut cards = Vec::new();
            let how = (wanted.dry_run, &wanted.headway);
            let told = self.carry_out(&plan, how, &mut people, |row| match (kind.form, row) {
                (Form::Card, RowOutcome::New { values, .. }) => {
                    cards.push(self.new_card(kind, values)?.1);
                    Ok(Vec::new())
                }
                (Form::Card | Form::Document, _) => self.import_record(kind, space, row),
            })?;
            self.write_in_runs(space, cards)?;
            return Ok(told);
        }
        let (kind, fields) = self.record_fields(&wanted.record)?;
        let into = ImportInto::items(kind, &wanted.list).ok_or_else(|| {
            RecordsError::Refused(format!(
                "a {} has no list \"{}\"",
                kind.title.to_lowercase(),
                wanted.list
            ))
        })?;
        let there = items_by_id(&fields, &wanted.list);
        let known = |key: &[String]| key.first().and_then(|id| there.get(id)).cloned();
        let plan = plan_import(into, &sheet, &options, Some(&schools), &known);
        let how = (wanted.dry_run, &wanted.headway);
        self.carry_out(&plan, how, &mut people, |row| {
            self.import_item(&wanted.record, &wanted.list, row)
        })
    }

    /// Does what a plan says, or tells it.
    fn carry_out(
        &self,
        plan: &Import,
        (dry_run, headway): (bool, &Headway),
        people: &mut ImportIndex<Known>,
        mut import: impl FnMut(&RowOutcome) -> Result<Vec<String>, RecordsError>,
    ) -> Result<Value, RecordsError> {
        let mut rows = Vec::new();
        let (mut done, mut failed, mut cards, mut left) = (0_usize, 0_usize, 0_usize, 0_usize);
        if !dry_run && !headway.is_stopped() {
            cards += self.make_people_together(plan, people)?;
        }
        for (at, row) in plan.rows.iter().enumerate() {
            headway.at("rows", at, plan.rows.len());
            let mut told = told(row);
            if acts(row) && !dry_run && headway.is_stopped() {
                told.push("not done: the import was stopped before this row".to_owned());
                left += 1;
            } else if acts(row) && !dry_run {
                let outcome = self
                    .make_people(row, people, &mut cards)
                    .and_then(|outcome| import(&outcome));
                match outcome {
                    Ok(notes) => {
                        told.extend(notes);
                        done += 1;
                    }
                    Err(
                        error @ (RecordsError::Store(_)
                        | RecordsError::Write(
                            WriteError::NoAccess | WriteError::NodeEnded | WriteError::Store(_),
                        )),
                    ) => {
                        return Err(error);
                    }
                    Err(error) => {
                        told.push(error.to_string());
                        failed += 1;
                    }
                }
            }
            rows.push(json!({
                "row": row.number, "title": row.title, "outcome": outcome_name(&row.outcome),
                "told": told.join("; "),
            }));
        }
        let questions = plan.questions();
        let questions = questions.iter().map(|(question, rows)| {
            json!({
                "typed": question.typed, "rows": rows, "confidence": question.confidence,
                "candidates": question.candidates,
            })
        });
        Ok(json!({
            "columns": plan.columns, "problems": plan.problems, "rows": rows,
            "counts": plan.counts(), "questions": questions.collect::<Vec<_>>(),
            "done": done, "failed": failed, "left": left, "people_made": cards,
            "dry_run": dry_run,
        }))
    }

    /// Makes the cards of all people whom rows name that do something, and returns how many. Those
    /// that cannot be made are left, and their rows say why.
    fn make_people_together(
        &self,
        plan: &Import,
        people: &mut ImportIndex<Known>,
    ) -> Result<usize, RecordsError> {
        let rows = plan.rows.iter().filter(|row| acts(row));
        let mut entries = Vec::new();
        for person in rows.flat_map(|row| &row.people) {
            if people.find(&person.key).is_some() {
                continue;
            }
            if let Ok((id, entry)) = self.new_card(&PERSON, &person.card) {
                entries.push(entry);
                let known = Known {
                    id: id.to_string(),
                    fields: person.card.clone(),
                };
                people.insert(person.key.clone(), known);
            }
        }
        let made = entries.len();
        if made > 0 {
            self.write_in_runs(self.own_space()?, entries)?;
        }
        Ok(made)
    }

    /// Makes the cards of the people whom a row names, unless they are there, and names their ids
    /// in what the row does.
    fn make_people(
        &self,
        row: &ImportedRow,
        people: &mut ImportIndex<Known>,
        cards: &mut usize,
    ) -> Result<RowOutcome, RecordsError> {
        let mut names = BTreeMap::new();
        for person in &row.people {
            let id = if let Some(known) = people.find(&person.key) {
                known.id.clone()
            } else {
                let made = self.make(&PERSON, self.own_space()?, &person.card, false)?;
                *cards += 1;
                let known = Known {
                    id: made.id.to_string(),
                    fields: person.card.clone(),
                };
                people.insert(person.key.clone(), known);
                made.id.to_string()
            };
            names.insert(person.reference.clone(), id);
        }
        let mut row = row.clone();
        row.refer(&names).map_err(|left| {
            RecordsError::Refused(format!("no card was made for {}", left.join(", ")))
        })?;
        Ok(row.outcome)
    }

    fn import_record(
        &self,
        kind: &'static RecordKind,
        space: SpaceId,
        outcome: &RowOutcome,
    ) -> Result<Vec<String>, RecordsError> {
        match outcome {
            // A record may come in any state: it is entered as it stands.
            RowOutcome::New { values, .. } => Ok(self.make(kind, space, values, true)?.notes),
            RowOutcome::Changed { id, changes } => Ok(self.change_record(id, None, changes)?.notes),
            RowOutcome::Joined { .. }
            | RowOutcome::Same { .. }
            | RowOutcome::Wrong { .. }
            | RowOutcome::Asked { .. } => Ok(Vec::new()),
        }
    }

    fn import_item(
        &self,
        record: &str,
        list: &str,
        outcome: &RowOutcome,
    ) -> Result<Vec<String>, RecordsError> {
        match outcome {
            RowOutcome::New { values, id } => {
                let add = FieldChange::Add {
                    field: list.to_owned(),
                    after: None,
                    id: Some(id.clone()).filter(|id| !id.is_empty()),
                    values: values.clone(),
                };
                Ok(self.change_record(record, None, &[add])?.notes)
            }
            RowOutcome::Changed { changes, .. } => {
                Ok(self.change_record(record, None, changes)?.notes)
            }
            RowOutcome::Joined { .. }
            | RowOutcome::Same { .. }
            | RowOutcome::Wrong { .. }
            | RowOutcome::Asked { .. } => Ok(Vec::new()),
        }
    }

    /// This hub's records of a kind, as an import knows them again.
    fn by_key(
        &self,
        kind: &'static RecordKind,
        space: SpaceId,
    ) -> Result<ImportIndex<Known>, RecordsError> {
        let mut known = ImportIndex::new(kind);
        for record in self.list_records(kind.name, &space.to_string())? {
            if Some(record.id.subject().owner()) != self.hub() {
                continue;
            }
            let (_, fields) = self.record_fields_in(record.space, record.id)?;
            let id = record.id.to_string();
            known.insert(import_key(kind, &fields), Known { id, fields });
        }
        Ok(known)
    }
}

impl Node {
    /// The schools that this node knows, as importing looks them up.
    fn schools(&self) -> Result<SchoolMatcher, RecordsError> {
        let rows = self.list_records(ORGANISATION.name, "")?;
        let schools = rows.iter().map(|row| {
            let columns = serde_json::from_str::<Object>(&row.json).unwrap_or_default();
            let word = |name: &str| {
                let word = columns.get(name).and_then(Value::as_str);
                word.unwrap_or_default().to_owned()
            };
            KnownSchool {
                id: row.id.to_string(),
                urn: word("urn"),
                name: row.title.clone(),
                place: word("place"),
                postcode: word("postcode"),
                local_authority: word("local_authority"),
                open: word("status") != "closed",
                successor: Some(word("successor"))
                    .and_then(|urns| urns.split_whitespace().next().map(str::to_owned)),
            }
        });
        Ok(SchoolMatcher::new(schools))
    }
}

/// Whether a row does something.
const fn acts(row: &ImportedRow) -> bool {
    matches!(
        row.outcome,
        RowOutcome::New { .. } | RowOutcome::Changed { .. }
    )
}

fn map(json: &str) -> Result<BTreeMap<String, String>, RecordsError> {
    if json.is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(json)
        .map_err(|error| RecordsError::Json(format!("a JSON object of texts is needed: {error}")))
}

fn items_by_id(fields: &Object, list: &str) -> BTreeMap<String, Known> {
    let items = fields
        .get(list)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let items = items.filter_map(Value::as_object).filter_map(|item| {
        let id = item.get("id")?.as_str()?.to_owned();
        let known = Known {
            id: id.clone(),
            fields: item.clone(),
        };
        Some((id, known))
    });
    items.collect()
}

fn told(row: &ImportedRow) -> Vec<String> {
    let mut told = row.notes.clone();
    match &row.outcome {
        RowOutcome::Wrong { problems } => {
            told.extend(problems.iter().map(|problem| problem.message.clone()));
        }
        RowOutcome::Asked { question } => {
            let candidates = question.candidates.iter().map(|school| {
                let (name, urn, place) = (&school.name, &school.urn, &school.place);
                format!("{name} ({urn}, {place}, {} % sure)", school.confidence)
            });
            let candidates = candidates.collect::<Vec<_>>().join(", or ");
            told.push(format!(
                "which school is \"{}\"? {candidates}",
                question.typed
            ));
        }
        RowOutcome::Joined { row } => told.push(format!("belongs to row {row}")),
        RowOutcome::New { .. } | RowOutcome::Same { .. } | RowOutcome::Changed { .. } => {}
    }
    told
}

const fn outcome_name(outcome: &RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::New { .. } => "new",
        RowOutcome::Joined { .. } => "joined",
        RowOutcome::Same { .. } => "same",
        RowOutcome::Changed { .. } => "changed",
        RowOutcome::Wrong { .. } => "wrong",
        RowOutcome::Asked { .. } => "asked",
    }
}

/// A value with ids in the place of references that stood for them.
pub(super) fn named(value: &Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => json!(names.get(text).unwrap_or(text)),
        Value::Array(items) => items.iter().map(|item| named(item, names)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            Value::Object(
                fields
                    .map(|(name, it)| (name.clone(), named(it, names)))
                    .collect(),
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
