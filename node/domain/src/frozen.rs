//! Copies of a record that are kept for good, each with its hash.

use std::collections::BTreeMap;

use node_document::{Value, View};
use serde_json::{Value as Json, json};

use crate::Object;
use crate::declaration::{Class, Field, Freezing, Kind, Merge};
use crate::error::{Problem, RecordError};
use crate::fields::{Fields, elements, label, written};
use crate::places::Places;
use crate::proven::{Proven, ProvenItem, Writable};
use crate::read::json as to_json;
use crate::rules::{Progress, standing};
use crate::writer::Writer;

/// Copies with more than this are not read.
const CONTENT_BYTES_MAX: usize = 200_000;
/// Copies do not count with a higher number, as the declaration says.
pub(crate) const VERSION_MAX: i64 = 1_000_000;

/// A copy of a record as it stood when it came to a state.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FrozenCopy {
    /// Its number, from one.
    pub version: i64,
    /// The state that the record came to.
    pub state: String,
    /// The day, as in 2026-11-24.
    pub on: String,
    /// The BLAKE3 hash of the content's canonical text, in hexadecimal digits.
    pub hash: String,
    /// The record's fields as they stood.
    pub content: Object,
    /// Whether the content is what the hash says.
    pub genuine: bool,
}

/// One way in which two contents of a record differ.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Difference {
    /// The field, `list/item` or `list/item/field`. A list itself where its order differs.
    pub path: String,
    /// What people call it.
    pub label: String,
    /// What stood there before; null if nothing did.
    pub before: Json,
    /// What stands there afterwards; null if nothing does.
    pub after: Json,
}

/// The copies of a record that are kept, the latest last: those of its owner, and where others
/// may take the step that is kept, what they kept genuinely.
pub fn frozen_copies(view: &View<'_>, kind: &'static Kind) -> Vec<FrozenCopy> {
    let copies = kept(view, kind).into_iter();
    let mut copies = copies.map(|(_, copy)| copy).collect::<Vec<_>>();
    copies.sort_by_key(|copy| copy.version);
    copies
}

/// The copies that count, each with its item, in the order of their log.
pub(crate) fn kept(view: &View<'_>, kind: &'static Kind) -> Vec<(String, FrozenCopy)> {
    let Some((freezing, log)) = kind
        .frozen
        .and_then(|freezing| Some((freezing, kind.field(freezing.copies)?)))
    else {
        return Vec::new();
    };
    let (owner, writable) = (view.owner(), Writable::of(kind, log));
    let list = [freezing.copies];
    let proven = Proven::new(view, &list);
    let copy = |item: String| {
        let mut written = proven.item(&item);
        written.retain(|written| writable != Writable::Owner || written.hub == owner);
        // What the owner wrote comes before what others did.
        written.sort_by_key(|written| written.hub != owner);
        let counts = |written: &ProvenItem<'_>| {
            let copy = read_copy(|part| proven.get(&item, written, part));
            let counts = copy.version <= VERSION_MAX && (copy.genuine || written.hub == owner);
            counts.then_some(copy)
        };
        let copy = written.iter().find_map(counts)?;
        Some((item, copy))
    };
    let items = Fields::items(view, &list).into_iter();
    items.filter_map(copy).collect()
}

fn read_copy(get: impl Fn(&str) -> Option<Value>) -> FrozenCopy {
    let word = |part: &str| {
        let value = get(part);
        let text = value.as_ref().and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let version = match get("version") {
        Some(Value::Int(version)) => version,
        Some(_) | None => 0,
    };
    let (hash, text) = (word("hash"), word("content"));
    let content = (text.len() <= CONTENT_BYTES_MAX)
        .then(|| serde_json::from_str::<Object>(&text).ok())
        .flatten();
    FrozenCopy {
        version,
        state: word("state"),
        on: word("on"),
        genuine: content.is_some() && hash == hash_of(&text),
        hash,
        content: content.unwrap_or_default(),
    }
}

/// How a record differs from the latest copy of it that is kept; not at all if there is none.
pub fn differs_from_frozen(view: &View<'_>, kind: &'static Kind) -> Vec<Difference> {
    let (Some(freezing), Some(copy)) = (kind.frozen, frozen_copies(view, kind).pop()) else {
        return Vec::new();
    };
    let mut before = copy.content;
    // What only a newer version keeps is not read here, so it cannot be compared.
    before.retain(|name, _| kind.field(name).is_some());
    differences(kind, &before, &snapshot(view, kind, &freezing))
}

/// How two contents of a record differ, as [`read`](crate::read()) gives them: field by field,
/// and in lists and logs item by item.
pub fn differences(kind: &'static Kind, before: &Object, after: &Object) -> Vec<Difference> {
    let mut found = Vec::new();
    let get = |object: &Object, name: &str| object.get(name).cloned().unwrap_or(Json::Null);
    for field in kind.fields {
        let (old, new) = (get(before, field.name), get(after, field.name));
        match field.items() {
            Some(fields) => differing_items(field, fields, &old, &new, &mut found),
            None if old != new => found.push(Difference {
                path: field.name.to_owned(),
                label: field.label.to_owned(),
                before: old,
                after: new,
            }),
            None => {}
        }
    }
    found
}

fn differing_items<'a>(
    list: &Field,
    fields: &[Field],
    before: &'a Json,
    after: &'a Json,
    found: &mut Vec<Difference>,
) {
    let items = |list: &'a Json| list.as_array().map(Vec::as_slice).unwrap_or_default();
    let (old, new) = (items(before), items(after));
    let (in_old, in_new) = (by_id(old), by_id(new));
    let whole = |item: &Json, before: Json, after: Json| Difference {
        path: format!("{}/{}", list.name, id(item)),
        label: list.label.to_owned(),
        before,
        after,
    };
    for item in old.iter().filter(|item| !in_new.contains_key(id(item))) {
        found.push(whole(item, item.clone(), Json::Null));
    }
    for item in new {
        let Some(earlier) = in_old.get(id(item)) else {
            found.push(whole(item, Json::Null, item.clone()));
            continue;
        };
        let differing = fields.iter().filter(|f| earlier[f.name] != item[f.name]);
        found.extend(differing.map(|field| Difference {
            path: written(&[list.name, id(item), field.name]),
            label: label(field, Some(list)),
            before: earlier[field.name].clone(),
            after: item[field.name].clone(),
        }));
    }
    // The order, of those that are in both.
    let order = |items: &'a [Json], others: &BTreeMap<&str, &Json>| {
        let common = items.iter().map(id);
        common
            .filter(|id| others.contains_key(id))
            .collect::<Vec<_>>()
    };
    let (old_order, new_order) = (order(old, &in_new), order(new, &in_old));
    if old_order != new_order {
        let titles = |order: &[&str]| {
            let title = |wanted: &str| {
                let item = in_new.get(wanted)?;
                fields.iter().find_map(|field| item[field.name].as_str())
            };
            let title = |wanted: &&str| title(wanted).unwrap_or(wanted).to_owned();
            order.iter().map(title).collect::<Json>()
        };
        found.push(Difference {
            path: list.name.to_owned(),
            label: list.label.to_owned(),
            before: titles(&old_order),
            after: titles(&new_order),
        });
    }
}

fn id(item: &Json) -> &str {
    item["id"].as_str().unwrap_or_default()
}

/// Items by their ids; of several with one the first.
fn by_id(items: &[Json]) -> BTreeMap<&str, &Json> {
    let mut by_id = BTreeMap::new();
    for item in items {
        by_id.entry(id(item)).or_insert(item);
    }
    by_id
}

impl Writer<'_, '_> {
    /// Keeps a copy for each state that the record came to and with which one is kept.
    pub(crate) fn freeze(&mut self, progress: &Progress) -> Result<(), RecordError> {
        let Some(freezing) = self.kind.frozen else {
            return Ok(());
        };
        let path = [freezing.copies];
        if progress.creating && !self.edit.items(&path).is_empty() {
            return Ok(()); // an export brings its own
        }
        let begun = progress.entered.iter();
        for (_, state) in begun.filter(|(field, state)| {
            field.name == freezing.state && freezing.at.contains(&state.as_str())
        }) {
            let mut content = Json::Object(snapshot(self.edit, self.kind, &freezing));
            content.sort_all_objects();
            let content = content.to_string();
            if content.len() > CONTENT_BYTES_MAX {
                let message = format!(
                    "the record is too long for a copy of it to be kept, as '{state}' needs: a \
                     copy has at most {CONTENT_BYTES_MAX} bytes, and this one would have {}; \
                     shorten its texts",
                    content.len()
                );
                return Err(Problem::new(freezing.copies, message).into());
            }
            let version = self.last_version(&freezing).saturating_add(1);
            let item = self.draw();
            let last = self.edit.last_item(&path);
            self.edit.place_item(&path, &item, last.as_deref())?;
            let on = day(self.by.time_ms);
            let hash = hash_of(&content);
            let mut put =
                |part: &str, value: Value| self.edit.put(&[freezing.copies, &item, part], &value);
            put("version", version.into())?;
            put("state", state.as_str().into())?;
            put("on", on.as_str().into())?;
            put("hash", hash.as_str().into())?;
            put("content", content.as_str().into())?;
        }
        Ok(())
    }
}

impl Writer<'_, '_> {
    /// The highest number of the copies that count, those of this edit among them.
    fn last_version(&self, freezing: &Freezing) -> i64 {
        let view = self.edit.document().view();
        let copies = frozen_copies(&view, self.kind).into_iter();
        let kept = copies.map(|copy| copy.version).max().unwrap_or(0);
        let list = [freezing.copies];
        let mut new = self.edit.items(&list);
        new.retain(|item| !view.has_item(&list, item));
        let version = |item: &String| match self.edit.get(&[list[0], item, "version"]) {
            Some(Value::Int(version)) => version,
            Some(_) | None => 0,
        };
        let new = new.iter().map(version).filter(|it| *it <= VERSION_MAX);
        new.max().unwrap_or(0).max(kept)
    }
}

/// The day of a time, as in 2026-11-24.
pub(crate) fn day(time_ms: u64) -> String {
    let seconds = i64::try_from(time_ms / 1_000).unwrap_or(i64::MAX);
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
        .date()
        .to_string()
}

fn hash_of(content: &str) -> String {
    blake3::hash(content.as_bytes()).to_hex().to_string()
}

/// What a copy keeps of a record as it stands: nothing of the hub alone and nothing of persons.
fn snapshot(from: &impl Fields, kind: &Kind, freezing: &Freezing) -> Object {
    let kept = kind.fields.iter().filter(|field| {
        let named = freezing.fields.contains(&field.name);
        named || (freezing.fields.is_empty() && field.name != freezing.copies)
    });
    contents(from, &[], kept)
}

fn contents<'a>(
    from: &impl Fields,
    above: &[&str],
    fields: impl Iterator<Item = &'a Field>,
) -> Object {
    let content = |field: &Field| {
        let path = [above, &[field.name]].concat();
        let value = match field.merge {
            Merge::Value | Merge::Text | Merge::Count => to_json(&from.get(&path)?),
            Merge::State(states) => json!(standing(from, &path, states).pop()),
            Merge::List(inner) | Merge::Log(inner) => {
                let items = from.items(&path).into_iter();
                let item = |item: String| {
                    let mut object = Object::new();
                    object.insert("id".to_owned(), json!(item));
                    let path = [&path[..], &[item.as_str()]].concat();
                    object.extend(contents(from, &path, inner.iter()));
                    Json::Object(object)
                };
                items.map(item).collect()
            }
            Merge::Set(wins) => elements(from, &path, wins).into(),
            Merge::Places => Places::read(from, &path).json(),
        };
        Some((field.name.to_owned(), value))
    };
    fields
        .filter(|field| field.class == Class::Shared)
        .filter_map(content)
        .collect()
}
