//! Sheets as people write them, a small register, and what a hub holds already.

use std::cell::RefCell;

use node_domain::{
    Found, FoundSchool, Import, ImportInto, ImportOptions, Known, Object, RowOutcome, Schools,
    Sheet, TypedSchoolRef, import_key, plan_import,
};
use serde_json::{Value as Json, json};

/// A sheet from lines with cells between bars.
pub(crate) fn sheet(lines: &[&str]) -> Sheet {
    let cells = |line: &&str| {
        line.split('|')
            .map(|cell| cell.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let mut lines = lines.iter().map(cells);
    let headers = lines.next().unwrap_or_default();
    Sheet::new(headers, lines)
}

/// A register of a few schools that knows names by their beginning.
pub(crate) struct Register(pub(crate) Vec<FoundSchool>);

impl Schools for Register {
    fn find(&self, typed: &TypedSchoolRef) -> Found {
        let lower = typed.name.to_lowercase();
        let mut found = self.0.clone();
        found.retain(|school| school.name.to_lowercase().starts_with(&lower));
        match found.as_slice() {
            [] => Found::None,
            [one] => Found::Sure(one.clone()),
            [..] => Found::Unsure(found),
        }
    }
}

pub(crate) fn school(urn: &str, name: &str) -> FoundSchool {
    FoundSchool {
        urn: urn.to_owned(),
        name: name.to_owned(),
        confidence: 80,
        ..FoundSchool::default()
    }
}

/// What a hub holds of one kind, or of one list, and how a plan is carried out.
#[derive(Default)]
pub(crate) struct Held(pub(crate) RefCell<Vec<(Vec<String>, Known)>>);

impl Held {
    pub(crate) fn plan(
        &self,
        into: ImportInto,
        sheet: &Sheet,
        options: &ImportOptions,
        schools: Option<&dyn Schools>,
    ) -> Import {
        let known = |key: &[String]| {
            let held = self.0.borrow();
            let found = held.iter().find(|(known, _)| known == key);
            found.map(|(_, known)| known.clone())
        };
        plan_import(into, sheet, options, schools, &known)
    }

    /// Does what a plan says is new, as a node does.
    pub(crate) fn carry_out(&self, into: ImportInto, plan: &Import) {
        for row in &plan.rows {
            let RowOutcome::New { values, id } = &row.outcome else {
                continue;
            };
            let mut held = self.0.borrow_mut();
            let (key, id) = match into {
                ImportInto::Records(kind) => {
                    (import_key(kind, values), format!("record{}", held.len()))
                }
                ImportInto::Items { .. } => (vec![id.clone()], id.clone()),
            };
            let fields = with_cards(values);
            held.push((key, Known { id, fields }));
        }
    }
}

/// The cards are made, and what refers to them holds their ids.
fn with_cards(values: &Object) -> Object {
    let text = Json::Object(values.clone())
        .to_string()
        .replace("@person:", "card");
    serde_json::from_str(&text).expect("an object")
}

pub(crate) fn object(json: Json) -> Object {
    json.as_object().expect("an object").clone()
}

#[track_caller]
pub(crate) fn new_values(plan: &Import, at: usize) -> &Object {
    match &plan.rows[at].outcome {
        RowOutcome::New { values, .. } => values,
        other @ (RowOutcome::Joined { .. }
        | RowOutcome::Same { .. }
        | RowOutcome::Changed { .. }
        | RowOutcome::Wrong { .. }
        | RowOutcome::Asked { .. }) => panic!("{other:?}\n{}", plan.report()),
    }
}

pub(crate) fn options(json: Json) -> ImportOptions {
    serde_json::from_value(json).expect("options")
}

pub(crate) fn none() -> ImportOptions {
    options(json!({}))
}
