//! Where the content of a published field comes from.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::Object;
use crate::declaration::{Check, Class, Field, Kind, Merge, Source};
use crate::frozen::VERSION_MAX;
use crate::standing::{item_id, items, latest, mean_hundredths, number, text};

/// What is published of a record by a source; null if there is nothing.
pub(crate) fn content(record: &Object, from: &Kind, source: Source, made_by: &str) -> Json {
    match source {
        Source::Copy(name) => match from.field(name).map(|field| field.merge) {
            None | Some(Merge::Places) => Json::Null,
            Some(
                Merge::Value
                | Merge::Text
                | Merge::List(_)
                | Merge::Set(_)
                | Merge::Count
                | Merge::Log(_)
                | Merge::State(_),
            ) => record.get(name).cloned().unwrap_or(Json::Null),
        },
        Source::Items(list, names) => items(record, list).map(|item| part(item, names)).collect(),
        Source::FrozenHash => latest_copy(record, from)
            .and_then(|copy| copy.get("hash"))
            .cloned()
            .unwrap_or(Json::Null),
        Source::FirstMadeBy(name) => match text(record, name) {
            "" => json!(made_by),
            first => json!(first),
        },
        Source::CountItems { list, field, value } => {
            let counted = items(record, list).filter(|item| text(item, field) == value);
            json!(counted.count())
        }
        Source::CountLatest {
            log,
            about,
            field,
            value,
        } => {
            let latest = latest(record, log, about, field, None);
            json!(
                latest
                    .values()
                    .filter(|standing| *standing == value)
                    .count()
            )
        }
        Source::Means { list, by, field } => means(record, list, by, field),
        Source::Schools { list, log } => schools(record, list, log),
    }
}

/// A record as it leaves with the hash of its latest frozen copy: what that copy holds, for the
/// hash to speak of what leaves, and the rest as it stands.
pub(crate) fn as_frozen(record: &Object, from: &Kind) -> Object {
    let copy = latest_copy(record, from).map_or("", |copy| text(copy, "content"));
    let mut frozen = record.clone();
    if let (Some(freezing), Ok(content)) = (from.frozen, serde_json::from_str::<Object>(copy)) {
        frozen.retain(|name, _| !freezing.fields.contains(&name.as_str()));
        frozen.extend(content);
    }
    frozen
}

fn latest_copy<'a>(record: &'a Object, from: &Kind) -> Option<&'a Object> {
    let copies = items(record, from.frozen?.copies);
    let copies = copies.filter(|copy| number(copy, "version").is_none_or(|it| it <= VERSION_MAX));
    copies.max_by_key(|copy| number(copy, "version"))
}

/// Whether a source holds nothing that must stay in the hub or belongs to a person, unless the
/// person wishes it. Declarations are tested for it; this keeps a mistake in one from leaking.
pub(crate) fn may_leave(from: &Kind, source: Source, wished: bool) -> bool {
    let right = |field: &Field| {
        let class = field.class == Class::Shared || (wished && field.class == Class::Personal);
        class && !matches!(field.check, Check::Reference("person"))
    };
    match source {
        Source::Copy(name) => from.field(name).is_some_and(right),
        Source::Items(list, names) => from.field(list).is_some_and(|list| {
            let fields = list.items().unwrap_or_default();
            let named = |name: &&str| {
                fields
                    .iter()
                    .any(|field| field.name == *name && right(field))
            };
            right(list) && names.iter().all(named)
        }),
        Source::FrozenHash
        | Source::FirstMadeBy(_)
        | Source::CountItems { .. }
        | Source::CountLatest { .. }
        | Source::Means { .. }
        | Source::Schools { .. } => true,
    }
}

/// The parts of an item that a source fills in; none if it makes no items.
pub(crate) fn parts(source: Source) -> &'static [&'static str] {
    match source {
        Source::Items(_, names) => names,
        Source::Means { .. } => &["outcome", "mean", "count"],
        Source::Schools { .. } => &["urn", "name", "status"],
        Source::Copy(_)
        | Source::FrozenHash
        | Source::FirstMadeBy(_)
        | Source::CountItems { .. }
        | Source::CountLatest { .. } => &[],
    }
}

fn part(item: &Object, names: &[&str]) -> Json {
    let named = |name: &str| name == "id" || names.contains(&name);
    let part = item.iter().filter(|(name, _)| named(name));
    let part = part.map(|(name, value)| (name.clone(), value.clone()));
    Json::Object(part.collect())
}

fn means(record: &Object, list: &str, by: &str, field: &str) -> Json {
    let mut sums = BTreeMap::<&str, (i64, i64)>::new();
    for item in items(record, list) {
        if let Some(rating) = number(item, field) {
            let (sum, count) = sums.entry(text(item, by)).or_default();
            (*sum, *count) = (sum.saturating_add(rating), count.saturating_add(1));
        }
    }
    let mean = |(value, (sum, count)): (&str, (i64, i64))| {
        let mean = mean_hundredths(sum, count);
        json!({ "id": item_id(value), "outcome": value, "mean": mean, "count": count })
    };
    sums.into_iter()
        .filter(|(value, _)| !value.is_empty())
        .map(mean)
        .collect()
}

fn schools(record: &Object, list: &str, log: &str) -> Json {
    let order = crate::kinds::MEMBER_STATUSES;
    let rank = |status: &str| order.iter().position(|known| *known == status);
    let standing = latest(record, log, "member", "status", None);
    let mut schools = BTreeMap::<&str, (Json, &str)>::new();
    for item in items(record, list) {
        let urn = text(item, "urn");
        if urn.is_empty() {
            continue;
        }
        let name = item.get("organisation").cloned().unwrap_or(Json::Null);
        let status = standing.get(text(item, "id")).map_or("", String::as_str);
        let school = schools.entry(urn).or_insert((name, status));
        if rank(status) > rank(school.1) {
            school.1 = status;
        }
    }
    let object = |(urn, (name, status)): (&str, (Json, &str))| {
        let mut school = json!({ "id": item_id(urn), "urn": urn, "name": name });
        if !status.is_empty() {
            school["status"] = json!(status);
        }
        school
    };
    schools.into_iter().map(object).collect()
}
