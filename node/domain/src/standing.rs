//! Where things stand by a log about them, today or as at a day.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::Object;

/// The log of a work group that says where its members stand.
pub(crate) const STATUSES: &str = "statuses";

/// The items of a list or log of a record as [`read`](crate::read) gives it.
pub(crate) fn items<'a>(
    record: &'a Object,
    list: &str,
) -> impl Iterator<Item = &'a Object> + use<'a> {
    let items = record.get(list).and_then(Json::as_array);
    items.into_iter().flatten().filter_map(Json::as_object)
}

/// A text of a record or item; empty if there is none.
pub(crate) fn text<'a>(record: &'a Object, field: &str) -> &'a str {
    record.get(field).and_then(Json::as_str).unwrap_or_default()
}

/// A whole number of a record or item.
pub(crate) fn number(record: &Object, field: &str) -> Option<i64> {
    record.get(field).and_then(Json::as_i64)
}

/// Whether a work group, or what is published of one, was cancelled: it reaches nobody.
pub(crate) fn is_cancelled(group: &Object) -> bool {
    text(group, "state") == "cancelled"
}

/// An item's id made of what it is about, such as a school's number or an outcome.
pub(crate) fn item_id(about: &str) -> String {
    about.replace('/', "-")
}

/// For each thing that a log speaks of, what its entry with the latest `as_at` says, of those up
/// to the day `until` if one is given; of entries for one day the later in the log counts.
pub(crate) fn latest(
    record: &Object,
    log: &str,
    about: &str,
    field: &str,
    until: Option<&str>,
) -> BTreeMap<String, String> {
    let mut latest = BTreeMap::<&str, (&str, &str)>::new();
    for item in items(record, log) {
        let (day, value) = (text(item, "as_at"), text(item, field));
        if until.is_some_and(|until| day > until) {
            continue;
        }
        let standing = latest.entry(text(item, about)).or_default();
        if day >= standing.0 {
            *standing = (day, value);
        }
    }
    let latest = latest.into_iter();
    latest
        .map(|(about, (_, value))| (about.to_owned(), value.to_owned()))
        .collect()
}

/// A mean in hundredths, rounded half up; none of nothing.
pub(crate) fn mean_hundredths(sum: i64, count: i64) -> Option<i64> {
    let rounded = sum.saturating_mul(200).saturating_add(count);
    (count > 0).then(|| rounded.div_euclid(count.saturating_mul(2)))
}
