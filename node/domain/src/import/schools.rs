//! Schools as people type them, and what the register knows of them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::json;

use super::fold::folded;
use crate::Object;
use crate::declaration::{Check, Field};

/// What the register knows of schools.
pub trait Schools {
    /// The school that was meant.
    fn find(&self, typed: &TypedSchoolRef) -> Found;
}

/// A school as a row names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypedSchoolRef {
    /// The name as typed.
    pub name: String,
    /// The reference number as typed; empty if there is none.
    pub urn: String,
    /// The town or village; empty if there is none.
    pub place: String,
    /// The postcode; empty if there is none.
    pub postcode: String,
}

/// Which school was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This one.
    Sure(FoundSchool),
    /// One of these, the likeliest first: a person must say.
    Unsure(Vec<FoundSchool>),
    /// None that the register knows.
    None,
}

/// A school of the register.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct FoundSchool {
    /// Its reference number.
    pub urn: String,
    /// Its name.
    pub name: String,
    /// What tells it from others of the name: town, council area, phase.
    pub place: String,
    /// How sure the match is, in hundredths.
    pub confidence: u8,
    /// Whether it is closed.
    pub closed: bool,
    /// The number and name of the school that took its place, if it is closed and one did.
    pub successor: Option<(String, String)>,
}

/// A question about a school's name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SchoolQuestion {
    /// The name as typed. The answer is filed under it.
    pub typed: String,
    /// Schools that may be meant, the likeliest first.
    pub candidates: Vec<FoundSchool>,
    /// How sure the likeliest is, in hundredths.
    pub confidence: u8,
}

/// How fields name a school.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SchoolFields {
    name: &'static str,
    /// Whether the record is the school, so that a closed one stays itself.
    itself: bool,
}

/// What came of looking a school up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Looked {
    Urn(String, Option<String>),
    Note(String),
    Asked(SchoolQuestion),
    Nothing,
    Wrong(String),
}

/// The register, the answers given so far, and what was found already.
pub(super) struct Matching<'a> {
    schools: Option<&'a dyn Schools>,
    answers: BTreeMap<String, &'a str>,
    found: RefCell<BTreeMap<TypedSchoolRef, Found>>,
}

impl SchoolFields {
    /// The fields that name a school, if some do: `urn` and beside it `organisation` or a name.
    pub(super) fn of(fields: &[Field], title_field: &str) -> Option<Self> {
        let text = |name: &str| {
            let named = |field: &&Field| field.name == name;
            let field = fields.iter().find(named)?;
            matches!(field.check, Check::Text(_)).then_some(field.name)
        };
        let urn = fields.iter().find(|field| field.name == "urn")?;
        if !matches!(urn.check, Check::Urn) {
            return None;
        }
        let refers = text("organisation").map(|name| (name, false));
        let is = || text(title_field).map(|name| (name, true));
        let (name, itself) = refers.or_else(is)?;
        Some(Self { name, itself })
    }
}

impl<'a> Matching<'a> {
    pub(super) fn new(
        schools: Option<&'a dyn Schools>,
        answers: &'a BTreeMap<String, String>,
    ) -> Self {
        let answers = answers
            .iter()
            .map(|(typed, urn)| (folded(typed), urn.trim()));
        Self {
            schools,
            answers: answers.collect(),
            found: RefCell::default(),
        }
    }

    /// Looks up the school that `values` name. `place` and `postcode` help.
    pub(super) fn look(
        &self,
        fields: SchoolFields,
        values: &Object,
        place: &str,
        postcode: &str,
    ) -> Looked {
        let text = |name: &str| {
            let value = values.get(name).and_then(|value| value.as_str());
            value.unwrap_or_default().to_owned()
        };
        let own = |helper: &str, name: &str| {
            if helper.is_empty() {
                text(name)
            } else {
                helper.to_owned()
            }
        };
        let typed = TypedSchoolRef {
            name: text(fields.name),
            urn: text("urn"),
            place: own(place, "place"),
            postcode: own(postcode, "postcode"),
        };
        if typed.name.is_empty() || (fields.itself && !typed.urn.is_empty()) {
            return Looked::Nothing;
        }
        if let Some(answer) = self.answers.get(&folded(&typed.name)) {
            return answered(&typed.name, answer);
        }
        let Some(schools) = self.schools else {
            return Looked::Nothing;
        };
        let known = self.found.borrow().get(&typed).cloned();
        let found = known.unwrap_or_else(|| {
            let found = schools.find(&typed);
            self.found.borrow_mut().insert(typed.clone(), found.clone());
            found
        });
        match found {
            Found::Sure(school) => sure(&typed.name, school, fields.itself),
            Found::Unsure(candidates) => Looked::Asked(SchoolQuestion {
                confidence: candidates.iter().map(|it| it.confidence).max().unwrap_or(0),
                typed: typed.name,
                candidates,
            }),
            Found::None => Looked::Note(format!(
                "'{}' is unmatched: the register knows no such school, so no URN is kept with it",
                typed.name
            )),
        }
    }
}

fn answered(typed: &str, answer: &str) -> Looked {
    let urn = answer.len() == 6 && answer.bytes().all(|byte| byte.is_ascii_digit());
    if answer == "none" {
        Looked::Note(format!("'{typed}' is kept without a URN, as answered"))
    } else if urn {
        Looked::Urn(answer.to_owned(), None)
    } else {
        Looked::Wrong(format!(
            "the answer about '{typed}' must be a URN of six digits or 'none': got '{answer}'"
        ))
    }
}

fn sure(typed: &str, school: FoundSchool, itself: bool) -> Looked {
    let FoundSchool {
        urn,
        name,
        closed,
        successor,
        ..
    } = school;
    match successor {
        Some((next, next_name)) if !itself => {
            let note = format!(
                "'{typed}' ({urn}) is closed; its successor '{next_name}' ({next}) was taken"
            );
            Looked::Urn(next, Some(note))
        }
        Some((next, next_name)) => {
            let note = format!("'{name}' is closed; its successor is '{next_name}' ({next})");
            Looked::Urn(urn, Some(note))
        }
        None if closed => {
            let note = format!("'{name}' ({urn}) is closed, and no successor is known");
            Looked::Urn(urn, Some(note))
        }
        None => Looked::Urn(urn, None),
    }
}

/// Writes a reference number into values.
pub(super) fn put_urn(values: &mut Object, urn: String) {
    values.insert("urn".to_owned(), json!(urn));
}
