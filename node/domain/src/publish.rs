//! Publishing: copying just the fields that may leave a hub, after a preview of exactly what does.

pub(crate) mod changes;
pub(crate) mod content;
pub(crate) mod scan;

use std::collections::BTreeSet;

use node_document::View;
use node_feed::SpaceKind;
use serde_json::{Value as Json, json};

use crate::Object;
use crate::card::CardRecord;
use crate::change::FieldChange;
use crate::declaration::{
    Agreement, Check, Field, Filled, Form, Kind, Limit, Merge, Publishing, Source,
};
use crate::error::{Problem, RecordError};
use crate::fields::label;
use crate::kinds::kind;
use crate::publish::changes::field_changes;
use crate::publish::content::{as_frozen, content, may_leave};
use crate::publish::scan::{Found, Scanner};
use crate::read::read;
use crate::standing::{items, number, text};

/// The field in which a copy says whose it is.
const HUB: &str = "hub";
/// What everybody may do about a record that does not leave.
const OR_KEEP: &str = "take it out, or keep the record in the hub";

/// A wish to publish a record.
#[derive(Debug, Clone, Copy)]
pub struct Publish<'a> {
    /// The step, as [`publishing_step`] finds it.
    pub step: &'static Publishing,
    /// The fields that the data agreement lists and this hub signed; `None` if it signed none.
    /// Looked at only where the step asks for an agreement.
    pub agreed: Option<&'a BTreeSet<String>>,
    /// The names of people known to this hub, for which every text is searched.
    pub names: &'a [String],
    /// This hub's code.
    pub made_by: &'a str,
}

/// Exactly what would leave a hub.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The step that is taken.
    pub step: &'static Publishing,
    /// The kind of the copy.
    pub kind: &'static Kind,
    /// Its content. What only the program fills in is among it: the copy is created, and
    /// changed, by the program.
    pub fields: Object,
    /// Fields that could be published but are not in the agreement.
    pub withheld: Vec<&'static str>,
}

/// The step by which records of a kind go from one kind of space into another.
///
/// # Errors
/// [`RecordError::Problems`] with a sentence that names the steps there are.
pub fn publishing_step(
    from_kind: &'static Kind,
    from: SpaceKind,
    into: SpaceKind,
) -> Result<&'static Publishing, RecordError> {
    let title = from_kind.title.to_lowercase();
    let steps = from_kind.publishing;
    let step = steps
        .iter()
        .find(|step| step.stage.from == from && step.stage.into == into);
    step.ok_or_else(|| {
        let ways = steps.iter().map(|step| {
            let (from, into) = (space(step.stage.from), space(step.stage.into));
            format!("from {from} to {into}")
        });
        let ways = ways.collect::<Vec<_>>();
        let message = if ways.is_empty() {
            format!("a {title} is not published")
        } else {
            let (from, into) = (space(from), space(into));
            let ways = ways.join(", or ");
            format!("a {title} is not published from {from} to {into}: only {ways}")
        };
        Problem::new("", message).into()
    })
}

/// What publishing a document would let out: the fields of the step that are agreed, computed
/// where the declaration says so, and never a person. With the hash of a frozen copy goes what
/// that copy holds: what was edited since leaves once another copy is kept.
///
/// # Errors
/// [`RecordError::Problems`] lists everything that stops it: the state, what is not agreed or
/// missing, what is too large, and texts that hold an address, a telephone number or the name of
/// a known person.
pub fn preview_document(
    view: &View<'_>,
    from: &'static Kind,
    wish: &Publish<'_>,
) -> Result<Preview, RecordError> {
    if from.form != Form::Document {
        return Err(RecordError::Form(from.title));
    }
    preview(&read(view, from), from, wish)
}

/// What publishing a card would let out. The card is what its revisions come to, consent
/// included: one that says no beats the others.
///
/// # Errors
/// As for [`preview_document`]; and without the person's consent nothing leaves.
pub fn preview_card(card: &CardRecord, wish: &Publish<'_>) -> Result<Preview, RecordError> {
    preview(&card.fields, card.kind, wish)
}

impl Preview {
    /// The changes that bring a copy published earlier to this content. What the step does not
    /// publish, such as others' adoptions of a practice, stays as it is; what is published no
    /// longer is taken out.
    pub fn changes(&self, published: &View<'_>) -> Vec<FieldChange> {
        let before = read(published, self.kind);
        let source = |field: &Field| self.step.fields.iter().find(|from| from.to == field.name);
        let fields = self
            .kind
            .fields
            .iter()
            .filter(|field| source(field).is_some() || self.fields.contains_key(field.name));
        fields
            .flat_map(|field| {
                let (old, new) = (before.get(field.name), self.fields.get(field.name));
                field_changes(field, source(field), old, new)
            })
            .collect()
    }
}

fn preview(
    record: &Object,
    from: &'static Kind,
    wish: &Publish<'_>,
) -> Result<Preview, RecordError> {
    let step = wish.step;
    let target = kind(step.to)
        .filter(|_| from.publishing.contains(step))
        .ok_or_else(|| {
            let message = format!("a {} is not published like this", from.title.to_lowercase());
            Problem::new("", message)
        })?;
    let mut problems = Vec::new();
    let wished = check_agreement(record, from, wish)?;
    check_state(record, from, step, &mut problems);
    for limit in step.limits {
        check_limit(record, from, limit, &mut problems);
    }
    let frozen = step
        .fields
        .iter()
        .any(|published| published.from == Source::FrozenHash)
        .then(|| as_frozen(record, from));
    let record = frozen.as_ref().unwrap_or(record);
    let mut preview = Preview {
        step,
        kind: target,
        fields: Object::new(),
        withheld: Vec::new(),
    };
    for published in step.fields {
        let agreed = match step.agreement {
            Agreement::Signed => wish
                .agreed
                .is_some_and(|agreed| agreed.contains(published.to)),
            Agreement::OwnWord | Agreement::OptIn(_) => true,
        };
        if !agreed || !may_leave(from, published.from, wished) {
            preview.withheld.push(published.to);
            continue;
        }
        let content = content(record, from, published.from, wish.made_by);
        let empty = match &content {
            Json::Null => true,
            Json::String(text) => text.is_empty(),
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => false,
        };
        if !empty {
            preview.fields.insert(published.to.to_owned(), content);
        }
    }
    scan(record, from, &preview, wish, &mut problems);
    let needed = target.fields.iter().filter(|field| field.required);
    for field in needed.filter(|field| !preview.fields.contains_key(field.name)) {
        let reason = match step.agreement {
            Agreement::Signed => "is empty here or not in the data agreement",
            Agreement::OwnWord | Agreement::OptIn(_) => "is empty here",
        };
        let title = target.title.to_lowercase();
        let message = format!("'{}' is needed in a {title}, and {reason}", field.label);
        problems.push(Problem::new(field.name, message));
    }
    let says_hub = |field: &Field| field.filled == Filled::ByProgram;
    if target.field(HUB).is_some_and(says_hub) && !wish.made_by.is_empty() {
        preview.fields.insert(HUB.to_owned(), json!(wish.made_by));
    }
    if problems.is_empty() {
        Ok(preview)
    } else {
        Err(RecordError::Problems(problems))
    }
}

/// Whether the person wished it; without what the step asks for nothing else is looked at.
fn check_agreement(record: &Object, from: &Kind, wish: &Publish<'_>) -> Result<bool, Problem> {
    match wish.step.agreement {
        Agreement::OwnWord => Ok(false),
        Agreement::Signed if wish.agreed.is_some() => Ok(false),
        Agreement::Signed => {
            let message = "this hub has not signed a data agreement there, so nothing may leave: \
                           sign it first, or keep the record in the hub";
            Err(Problem::new("", message))
        }
        Agreement::OptIn(field) if record.get(field) == Some(&Json::Bool(true)) => Ok(true),
        Agreement::OptIn(field) => {
            let name = match text(record, from.title_field) {
                "" => "this person",
                name => name,
            };
            let message = format!("{name} has not agreed to be found by other hubs");
            Err(Problem::new(field, message))
        }
    }
}

fn check_state(record: &Object, from: &Kind, step: &Publishing, problems: &mut Vec<Problem>) {
    let is_state = |field: &&Field| matches!(field.merge, Merge::State(_));
    let Some(field) = from.fields.iter().find(is_state) else {
        return;
    };
    let state = text(record, field.name);
    if step.states.is_empty() || step.states.contains(&state) {
        return;
    }
    let message = format!(
        "a {} goes to {} only when '{}' is {}: here it is {state}",
        from.title.to_lowercase(),
        space(step.stage.into),
        field.label,
        step.states.join(" or "),
    );
    problems.push(Problem::new(field.name, message));
}

fn check_limit(record: &Object, from: &Kind, limit: &Limit, problems: &mut Vec<Problem>) {
    let label = from
        .field(limit.list)
        .map_or(limit.list, |field| field.label);
    for item in items(record, limit.list) {
        if number(item, limit.field).is_some_and(|size| size > limit.most) {
            let path = format!("{}/{}/{}", limit.list, text(item, "id"), limit.field);
            let what = match text(item, "name") {
                "" => String::new(),
                name => format!(" ({name})"),
            };
            let message = format!(
                "'{label}' holds more than may leave{what}: only {} are published; {OR_KEEP}",
                limit.what
            );
            problems.push(Problem::new(path, message));
        }
    }
}

/// Looks for people in everything that would leave.
fn scan(
    record: &Object,
    from: &'static Kind,
    preview: &Preview,
    wish: &Publish<'_>,
    problems: &mut Vec<Problem>,
) {
    // A person who wishes to be found is named, in the texts about that person too.
    let own = match wish.step.agreement {
        Agreement::OptIn(_) => crate::people::names::word_set(text(record, from.title_field)),
        Agreement::Signed | Agreement::OwnWord => BTreeSet::new(),
    };
    let others = wish
        .names
        .iter()
        .filter(|name| own.is_empty() || crate::people::names::word_set(name) != own);
    let scanner = Scanner::new(&others.cloned().collect::<Vec<_>>());
    for published in preview.step.fields {
        let Some(content) = preview.fields.get(published.to) else {
            continue;
        };
        let (name, within) = match published.from {
            Source::Copy(name) => (name, None),
            Source::Items(list, _) | Source::Schools { list, .. } => (list, from.field(list)),
            Source::FrozenHash
            | Source::FirstMadeBy(_)
            | Source::CountItems { .. }
            | Source::CountLatest { .. }
            | Source::Means { .. } => continue,
        };
        let Some(field) = from.field(name) else {
            continue;
        };
        match within.and_then(Field::items) {
            Some(fields) => {
                for item in content
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_object)
                {
                    for (part, value) in item.iter().filter(|(part, _)| *part != "id") {
                        let inner = fields.iter().find(|inner| inner.name == part);
                        let path = match inner {
                            Some(_) => format!("{name}/{}/{part}", text(item, "id")),
                            None => name.to_owned(),
                        };
                        let label = label(inner.unwrap_or(field), inner.and(within));
                        if inner.is_none_or(is_written) {
                            search(&scanner, (path, &label), value, problems);
                        }
                    }
                }
            }
            None if is_written(field) => {
                search(&scanner, (name.to_owned(), field.label), content, problems);
            }
            None => {}
        }
    }
}

/// Whether people write the field as they like.
fn is_written(field: &Field) -> bool {
    field.filled == Filled::ByPerson && matches!(field.check, Check::Text(_))
}

fn search(
    scanner: &Scanner,
    (path, label): (String, &str),
    content: &Json,
    problems: &mut Vec<Problem>,
) {
    match content {
        Json::String(text) => {
            for found in scanner.search(text) {
                let what = match found {
                    Found::Email(address) => format!("holds the e-mail address {address}"),
                    Found::Phone(number) => format!("holds the telephone number {number}"),
                    Found::Name(name) => format!("names {name}, who is a person of this hub"),
                };
                let message = format!("'{label}' {what}; {OR_KEEP}");
                problems.push(Problem::new(path.clone(), message));
            }
        }
        Json::Array(elements) => {
            for element in elements {
                search(scanner, (path.clone(), label), element, problems);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => {}
    }
}

/// What people call a kind of space.
fn space(kind: SpaceKind) -> &'static str {
    match kind {
        SpaceKind::Hub => "the hub",
        SpaceKind::Pair => "the hub's space with the coordinator",
        SpaceKind::Project => "a project",
        SpaceKind::Forum => "the forum",
        SpaceKind::Network => "all hubs",
    }
}
