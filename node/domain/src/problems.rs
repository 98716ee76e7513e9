//! What in a record is not as declared. Whatever arrived is shown all the same; nothing is hidden
//! for it.

use std::collections::BTreeSet;

use node_document::{Value, Version, View};
use serde_json::{Value as Json, json};

use crate::Object;
use crate::check::check;
use crate::declaration::{Check, Field, Filled, Kind, Merge, Rule};
use crate::error::Problem;
use crate::fields::{label, written};
use crate::frozen;
use crate::places;
use crate::proven::{Proven, Writable};
use crate::read::{json as to_json, plain};
use crate::states;

/// What in a record that arrived is not as declared, each with its reason. A code of a newer list
/// and a state of a newer version are none.
pub fn problems(view: &View<'_>, kind: &'static Kind) -> Vec<Problem> {
    let view = &view.whole();
    let mut found = Found {
        view,
        kind,
        problems: Vec::new(),
    };
    for field in kind.fields {
        found.field(&[], field, None);
    }
    for rule in kind.rules {
        found.names(kind, rule);
    }
    found.problems
}

/// What in a card's content is not as declared, each with its reason.
pub fn card_problems(kind: &'static Kind, fields: &Object) -> Vec<Problem> {
    let wrong = |field: &'static Field| {
        let message = match fields.get(field.name).filter(|value| !value.is_null()) {
            Some(value) => wrong_value(field, value)?,
            None if field.required => format!("'{}' is missing", field.label),
            None => return None,
        };
        Some(Problem::new(field.name, message))
    };
    kind.fields.iter().filter_map(wrong).collect()
}

struct Found<'a> {
    view: &'a View<'a>,
    kind: &'static Kind,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn note(&mut self, path: &[&str], message: String) {
        self.problems.push(Problem::new(written(path), message));
    }

    fn field(&mut self, above: &[&str], field: &'static Field, within: Option<&Field>) {
        let path = [above, &[field.name]].concat();
        if field.filled == Filled::ByAuthor {
            return;
        }
        match field.merge {
            Merge::Value | Merge::Text | Merge::Count | Merge::State(_) => {
                let value = self.view.get(&path);
                match value.filter(|value| *value != Value::Null) {
                    Some(value) => {
                        if let Some(message) = self.wrong(&path, field, &value) {
                            self.note(&path, message);
                        }
                    }
                    None if field.required => {
                        let label = label(field, within);
                        self.note(&path, format!("'{label}' is missing"));
                    }
                    None => {}
                }
            }
            Merge::List(fields) | Merge::Log(fields) => {
                self.not_theirs(&path, field);
                for item in self.view.items(&path) {
                    let item = item.as_str();
                    for inner in fields {
                        self.field(&[&path[..], &[item]].concat(), inner, Some(field));
                    }
                    if let Merge::Log(_) = field.merge {
                        self.log_item(&path, item, field);
                    }
                }
            }
            Merge::Set(_) => {
                for element in self.view.children(&path) {
                    let path = [&path[..], &[&element]].concat();
                    let wish = self.view.get(&path);
                    if !matches!(wish, None | Some(Value::Bool(_))) {
                        let message = format!(
                            "'{}' says neither in nor out of '{element}'; it counts as out",
                            field.label
                        );
                        self.note(&path, message);
                    } else if wish == Some(Value::Bool(true))
                        && let Some(message) = wrong_element(field, &element)
                    {
                        self.note(&path, message);
                    }
                }
            }
            Merge::Places => {
                for item in places::not_counted(self.view, &path) {
                    let message = format!(
                        "a step of '{}' was written by a hub that may not, or over what another \
                         hub wrote; only what hubs said themselves counts",
                        field.label
                    );
                    self.note(&[&path[..], &[&item]].concat(), message);
                }
            }
        }
    }

    /// What stands in a list or log and does not count, for who wrote it.
    fn not_theirs(&mut self, list: &[&str], field: &Field) {
        let writable = Writable::of(self.kind, field);
        if writable == Writable::Members {
            return;
        }
        let owner = self.view.owner();
        let kept = match writable {
            Writable::MembersGenuinely => {
                let kept = frozen::kept(self.view, self.kind).into_iter();
                kept.map(|(item, _)| item).collect::<BTreeSet<_>>()
            }
            Writable::Members | Writable::Owner => BTreeSet::new(),
        };
        let view = self.view;
        let proven = Proven::new(view, list);
        for item in view.items(list) {
            let found = proven.item(&item);
            let other = found.iter().find(|found| found.hub != owner);
            let Some(other) = other.filter(|_| !kept.contains(&item)) else {
                continue;
            };
            let message = format!(
                "an item of '{}' was written by a hub that may not, {}; it does not count",
                field.label, other.hub
            );
            self.problems
                .push(Problem::new(written(&[list, &[&item]].concat()), message));
        }
    }

    fn wrong(&self, path: &[&str], field: &Field, value: &Value) -> Option<String> {
        let label = field.label;
        let not = |what: &str| Some(format!("'{label}' is not {what}: it says {}", told(value)));
        match (field.merge, value) {
            (Merge::Text, Value::Text(text)) => too_long(field, text),
            (Merge::Text, _) => not("a text that several people can edit"),
            (Merge::Count, Value::Count(_)) => None,
            (Merge::Count, _) => not("a count"),
            (Merge::State(declared), Value::String(_)) => {
                let versions = self.view.versions(path);
                let version = versions
                    .iter()
                    .find(|version| !states::may_follow(declared, version))?;
                Some(step_not_allowed(label, version))
            }
            (Merge::State(_), _) => not("a state"),
            (_, Value::Other(_)) => not("of a type that this version reads"),
            (_, _) => wrong_value(field, &to_json(value)),
        }
    }

    /// Nobody changes an item of a log; one that was changed is shown with who did.
    fn log_item(&mut self, log: &[&str], item: &str, field: &Field) {
        let writers = self.view.item_writers(log, item);
        let entry = |author: &node_document::Authorship| (author.feed, author.number);
        let Some(first) = self.view.item_author(log, item) else {
            return;
        };
        if let Some(other) = writers.iter().find(|other| entry(other) != entry(&first)) {
            let message = format!(
                "an entry of '{}' was changed by hub {} after hub {} wrote it; entries stay as \
                 they were written",
                field.label, other.hub, first.hub
            );
            self.note(&[log, &[item]].concat(), message);
        }
    }

    fn names(&mut self, kind: &'static Kind, rule: &Rule) {
        let Rule::Names { list, field, of } = rule else {
            return;
        };
        let Some(named) = kind.field(list).and_then(|list| list.items()) else {
            return;
        };
        let label = named
            .iter()
            .find(|inner| inner.name == *field)
            .map_or(*field, |inner| inner.label);
        let there = self.view.items(&[of]).into_iter().collect::<BTreeSet<_>>();
        let of = kind.field(of).map_or(*of, |of| of.label);
        for item in self.view.items(&[list]) {
            let path = [*list, item.as_str(), *field];
            let Some(value) = self.view.get(&path) else {
                continue;
            };
            let name = plain(&to_json(&value));
            if !there.contains(&name) {
                let message = format!("'{label}' names '{name}', which is not among '{of}'");
                self.note(&path, message);
            }
        }
    }
}

/// A step that the declaration does not allow, in words.
fn step_not_allowed(label: &str, version: &Version) -> String {
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let before = version.before.last().map(name).unwrap_or_default();
    format!(
        "'{label}' went from '{before}' to '{}', a step that is not allowed",
        name(&version.value)
    )
}

fn wrong_value(field: &Field, value: &Json) -> Option<String> {
    let label = field.label;
    let not = |what: &str| Some(format!("'{label}' is not {what}: it says {}", short(value)));
    match field.check {
        Check::Number(..) if !value.is_i64() => return not("a whole number"),
        Check::Pence(..) if !value.is_i64() => return not("a sum in whole pence"),
        Check::YesNo | Check::Consent if !value.is_boolean() => return not("yes or no"),
        // A code of a newer list is shown as it is.
        Check::OneOf(_) if value.is_string() => return None,
        Check::Number(..) | Check::Pence(..) | Check::YesNo | Check::Consent => {}
        Check::OneOf(_)
        | Check::Text(_)
        | Check::Date
        | Check::Time
        | Check::AcademicYear
        | Check::Urn
        | Check::Urns
        | Check::Email
        | Check::Reference(_) => {
            if !value.is_string() {
                return not("a text");
            }
        }
    }
    check(field, value).err()
}

fn wrong_element(field: &Field, element: &str) -> Option<String> {
    match field.check {
        Check::OneOf(_) => None,
        // Elements are keys, so that a number stands there as its digits.
        Check::Number(..)
        | Check::Pence(..)
        | Check::YesNo
        | Check::Consent
        | Check::Text(_)
        | Check::Date
        | Check::Time
        | Check::AcademicYear
        | Check::Urn
        | Check::Urns
        | Check::Email
        | Check::Reference(_) => check(field, &json!(element)).err(),
    }
}

fn too_long(field: &Field, text: &str) -> Option<String> {
    match field.check {
        Check::Text(most) if text.chars().count() > most => Some(format!(
            "'{}' must have at most {most} characters: it has {}",
            field.label,
            text.chars().count()
        )),
        Check::Text(_)
        | Check::OneOf(_)
        | Check::Number(..)
        | Check::YesNo
        | Check::Date
        | Check::Time
        | Check::AcademicYear
        | Check::Urn
        | Check::Urns
        | Check::Pence(..)
        | Check::Consent
        | Check::Email
        | Check::Reference(_) => None,
    }
}

fn told(value: &Value) -> String {
    short(&to_json(value))
}

/// A value in a sentence, cut short.
fn short(value: &Json) -> String {
    let text = plain(value);
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("'{}…'", &text[..end]),
        None => format!("'{text}'"),
    }
}
