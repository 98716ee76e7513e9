//! Publishing: copying just the fields that a data agreement lists.

use std::collections::BTreeMap;

use node_document::{Value, View};
use serde_json::{Value as Json, json};

use crate::Object;
use crate::change::FieldChange;
use crate::check::is_email;
use crate::declaration::{Kind, Merge, Source};
use crate::error::{Problem, RecordError};
use crate::kinds::kind;
use crate::read::{json as to_json, read};

/// Exactly what would leave a hub.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The kind of the copy.
    pub kind: &'static Kind,
    /// Its content.
    pub fields: Object,
    /// Fields that could be published but are not in the agreement.
    pub withheld: Vec<&'static str>,
}

/// What publishing a record under an agreement would make public: the fields that `agreement`
/// lists, computed where the declaration says so, and never a person.
///
/// `names` are the names of people known to this hub, for which every text is searched.
///
/// # Errors
/// [`RecordError::Problems`] if the kind cannot be published, a required field is missing or not
/// agreed, or a text holds an e-mail address or a known name.
pub fn publish(
    view: &View<'_>,
    from: &'static Kind,
    agreement: &[&str],
    names: &[String],
) -> Result<Preview, RecordError> {
    let target = from
        .publishing
        .and_then(|publishing| Some((publishing, kind(publishing.to)?)));
    let (publishing, target) = target.ok_or_else(|| {
        Problem::new(
            "",
            format!("a {} is not published", from.title.to_lowercase()),
        )
    })?;
    let mut preview = Preview {
        kind: target,
        fields: Object::new(),
        withheld: Vec::new(),
    };
    let mut problems = Vec::new();
    for published in publishing.fields {
        if !agreement.contains(&published.to) {
            preview.withheld.push(published.to);
            continue;
        }
        let content = content(view, from, published.from);
        if content.is_null() {
            continue;
        }
        scan(published.to, &content, names, &mut problems);
        preview.fields.insert(published.to.to_owned(), content);
    }
    for field in target.fields.iter().filter(|field| field.required) {
        if !preview.fields.contains_key(field.name) {
            let message = format!(
                "'{}' is needed in a {}, and is empty here or not in the data agreement",
                field.label,
                target.title.to_lowercase()
            );
            problems.push(Problem::new(field.name, message));
        }
    }
    if problems.is_empty() {
        Ok(preview)
    } else {
        Err(RecordError::Problems(problems))
    }
}

impl Preview {
    /// The changes that bring a copy published earlier to this content.
    pub fn changes(&self, published: &View<'_>) -> Vec<FieldChange> {
        let before = read(published, self.kind);
        let mut changes = Vec::new();
        for field in self.kind.fields {
            let (old, new) = (before.get(field.name), self.fields.get(field.name));
            match (field.merge, new) {
                (Merge::List(_), new) => {
                    let empty = Vec::new();
                    let items = |list: Option<&Json>| {
                        list.and_then(Json::as_array).unwrap_or(&empty).clone()
                    };
                    changes.extend(item_changes(field.name, &items(old), &items(new)));
                }
                (_, Some(new)) if old != Some(new) => {
                    changes.push(FieldChange::set(field.name, new.clone()));
                }
                (_, _) => {}
            }
        }
        changes
    }
}

fn item_changes(list: &str, old: &[Json], new: &[Json]) -> Vec<FieldChange> {
    let id = |item: &Json| item["id"].as_str().unwrap_or_default().to_owned();
    let mut changes = Vec::new();
    for item in old
        .iter()
        .filter(|item| new.iter().all(|other| id(other) != id(item)))
    {
        changes.push(FieldChange::Remove {
            field: list.to_owned(),
            item: id(item),
        });
    }
    for item in new {
        let mut values = item.as_object().cloned().unwrap_or_default();
        values.shift_remove("id");
        match old.iter().find(|other| id(other) == id(item)) {
            None => changes.push(FieldChange::Add {
                field: list.to_owned(),
                after: None,
                id: Some(id(item)),
                values,
            }),
            Some(other) => changes.extend(
                values
                    .into_iter()
                    .filter(|(name, value)| other[name] != *value)
                    .map(|(name, value)| {
                        FieldChange::set(format!("{list}/{}/{name}", id(item)), value)
                    }),
            ),
        }
    }
    changes
}

fn content(view: &View<'_>, from: &Kind, source: Source) -> Json {
    match source {
        Source::Copy(name) => read(view, from).get(name).cloned().unwrap_or(Json::Null),
        Source::CountItems { list, field, value } => {
            let items = view.items(&[list]);
            let counted = items.iter().filter(|item| {
                view.get(&[list, item, field])
                    .as_ref()
                    .and_then(Value::as_str)
                    == Some(value)
            });
            json!(counted.count())
        }
        Source::CountLatest {
            log,
            about,
            field,
            value,
        } => {
            let latest = latest(view, log, about, field);
            json!(
                latest
                    .values()
                    .filter(|standing| *standing == value)
                    .count()
            )
        }
        Source::Schools { list, log } => schools(view, list, log),
    }
}

/// For each item that a log speaks of, what its entry with the latest `as_at` says; of entries
/// for one day the later in the log counts.
fn latest(view: &View<'_>, log: &str, about: &str, field: &str) -> BTreeMap<String, String> {
    let mut latest = BTreeMap::<String, (String, String)>::new();
    for item in view.items(&[log]) {
        let word = |part: &str| {
            let value = view.get(&[log, &item, part]);
            value
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (about, entry) = (word(about), (word("as_at"), word(field)));
        let standing = latest.entry(about).or_default();
        if entry.0 >= standing.0 {
            *standing = entry;
        }
    }
    latest
        .into_iter()
        .map(|(about, (_, value))| (about, value))
        .collect()
}

fn schools(view: &View<'_>, list: &str, log: &str) -> Json {
    let order = crate::kinds::MEMBER_STATUSES;
    let rank = |status: &str| order.iter().position(|known| *known == status);
    let standing = latest(view, log, "member", "status");
    let mut schools = BTreeMap::<String, (Json, String)>::new();
    for item in view.items(&[list]) {
        let Some(Value::String(urn)) = view.get(&[list, &item, "urn"]) else {
            continue;
        };
        let name = view
            .get(&[list, &item, "organisation"])
            .map_or(Json::Null, |n| to_json(&n));
        let status = standing.get(&item).cloned().unwrap_or_default();
        let school = schools.entry(urn).or_insert_with(|| (name, status.clone()));
        if rank(&status) > rank(&school.1) {
            school.1 = status;
        }
    }
    let object = |(urn, (name, status)): (String, (Json, String))| {
        let mut school = json!({ "id": urn, "urn": urn, "name": name });
        if !status.is_empty() {
            school["status"] = json!(status);
        }
        school
    };
    schools.into_iter().map(object).collect()
}

/// Looks for people in everything that would leave.
fn scan(field: &str, content: &Json, names: &[String], problems: &mut Vec<Problem>) {
    match content {
        Json::String(text) => {
            if let Some(address) = text
                .split_whitespace()
                .map(bare)
                .find(|word| is_email(word))
            {
                let message = format!("'{field}' holds the e-mail address {address}; take it out");
                problems.push(Problem::new(field, message));
            }
            if let Some(name) = names.iter().find(|name| mentions(text, name)) {
                let message =
                    format!("'{field}' names {name}, who is a person of this hub; take it out");
                problems.push(Problem::new(field, message));
            }
        }
        Json::Array(items) => items
            .iter()
            .for_each(|item| scan(field, item, names, problems)),
        Json::Object(parts) => parts
            .values()
            .for_each(|part| scan(field, part, names, problems)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Whether a text holds a name as whole words, in whatever case and spacing.
fn mentions(text: &str, name: &str) -> bool {
    let words = |text: &str| {
        let words = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect::<Vec<_>>()
    };
    let (text, name) = (words(text), words(name));
    !name.is_empty() && text.windows(name.len()).any(|window| window == name)
}
