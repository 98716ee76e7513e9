//! The items of a record that stand in calendars.

use std::collections::{BTreeMap, BTreeSet};

use node_document::{Heads, Value, View};

use crate::check::check;
use crate::declaration::{Dated, Field, Kind};
use crate::read::{json, plain};

/// The state in which an item does not take place.
const CANCELLED: &str = "cancelled";

/// A session, a meeting or the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedItem {
    /// The item's id.
    pub item: String,
    /// The record's title, with the item's own where it has one.
    pub title: String,
    /// The day, as in 2026-11-24.
    pub date: String,
    /// When it starts, as in 16:30.
    pub start: Option<String>,
    /// How long it is.
    pub minutes: Option<i64>,
    /// Where it is; empty if nobody has said so.
    pub venue: String,
    /// Whether it does not take place.
    pub cancelled: bool,
    /// How often what a calendar shows of it was written.
    pub changes: usize,
    /// How many days, or times of day, stand there at once. Where it is more than one, a person
    /// has to choose first.
    pub versions: usize,
}

/// The items of a record that stand in calendars, in the order of their list. One without a date
/// that exists is left out.
pub fn dated_items(view: &View<'_>, kind: &'static Kind) -> Vec<DatedItem> {
    let Some(dated) = kind.dated else {
        return Vec::new();
    };
    let fields = kind.field(dated.list).and_then(Field::items);
    let fields = fields.unwrap_or_default();
    let word = |path: &[&str]| {
        let value = view.get(path);
        value.map_or_else(String::new, |value| plain(&json(&value)))
    };
    // What does not exist as declared cannot stand in a calendar.
    let valid = |item: &str, name: &str| {
        let field = fields.iter().find(|field| field.name == name)?;
        let value = view.get(&[dated.list, item, name])?;
        let text = value.as_str()?;
        check(field, &text.into()).ok()?;
        Some(text.to_owned())
    };
    let title = word(&[kind.title_field]);
    let changes = changes(view, kind, &dated);
    let items = view.items(&[dated.list]).into_iter();
    items
        .filter_map(|item| {
            let at = |name| [dated.list, item.as_str(), name];
            let several = |name| {
                let values = view.values(&at(name)).into_iter();
                values.collect::<BTreeSet<_>>().len()
            };
            let own = word(&at("title"));
            let minutes = match view.get(&at("minutes")) {
                Some(Value::Int(minutes)) if minutes > 0 => Some(minutes),
                Some(_) | None => None,
            };
            Some(DatedItem {
                title: if own.is_empty() {
                    title.clone()
                } else {
                    format!("{title}: {own}")
                },
                date: valid(&item, dated.date)?,
                start: valid(&item, dated.start),
                minutes,
                venue: word(&at(dated.venue)),
                cancelled: word(&at(dated.state)) == CANCELLED,
                changes: changes.get("").unwrap_or(&0) + changes.get(&item).unwrap_or(&0),
                versions: several(dated.date).max(several(dated.start)),
                item,
            })
        })
        .collect()
}

/// How often each item was written in what a calendar shows of it; under no item, the record's own
/// title.
fn changes(view: &View<'_>, kind: &'static Kind, dated: &Dated) -> BTreeMap<String, usize> {
    let (title, minutes) = ("title", "minutes");
    let shown = [
        title,
        minutes,
        dated.date,
        dated.start,
        dated.venue,
        dated.state,
    ];
    let mut changes = BTreeMap::<String, usize>::new();
    for step in view.since(&Heads::default()) {
        let item = match step.path.as_slice() {
            [field] if field == kind.title_field => "",
            [list, item, field] if list == dated.list && shown.contains(&field.as_str()) => item,
            _ => continue,
        };
        *changes.entry(item.to_owned()).or_default() += 1;
    }
    changes
}
