//! What makes a record, or an item of a list, somebody's own.

use serde_json::Value as Json;
use time::Date;
use time::format_description::well_known::Iso8601;

use super::ChangedBy;
use crate::Object;
use crate::change::FieldChange;

/// A place at which a record names whose own it is. Being named anywhere else gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// The record itself is the holder's card.
    Itself,
    /// This field names the holder.
    Field(&'static str),
    /// An item of a list names the holder.
    Item {
        /// The list.
        list: &'static str,
        /// The item's field.
        field: &'static str,
        /// Another field of the item, and what it must say.
        says: Option<(&'static str, &'static str)>,
        /// The fields with the first and the last day on which the item counts.
        between: Option<(&'static str, &'static str)>,
    },
}

impl Own {
    pub(super) const fn item(list: &'static str, field: &'static str) -> Self {
        Self::Item {
            list,
            field,
            says: None,
            between: None,
        }
    }

    pub(super) const fn where_says(self, name: &'static str, value: &'static str) -> Self {
        match self {
            Self::Item {
                list,
                field,
                between,
                ..
            } => Self::Item {
                list,
                field,
                says: Some((name, value)),
                between,
            },
            Self::Itself | Self::Field(_) => self,
        }
    }

    pub(super) const fn between(self, from: &'static str, until: &'static str) -> Self {
        match self {
            Self::Item {
                list, field, says, ..
            } => Self::Item {
                list,
                field,
                says,
                between: Some((from, until)),
            },
            Self::Itself | Self::Field(_) => self,
        }
    }

    /// Whether a record is the holder's own on a day. A first or last day that is none, as one
    /// that was typed wrongly elsewhere, gives nothing.
    pub fn holds(&self, (id, fields): (&str, &Object), holder: &str, on: Date) -> bool {
        match *self {
            Self::Itself => id == holder,
            Self::Field(name) => says(fields, name, holder),
            Self::Item {
                list,
                field,
                says: also,
                between,
            } => {
                let items = fields.get(list).and_then(Json::as_array);
                let mut items = items.into_iter().flatten().filter_map(Json::as_object);
                items.any(|item| {
                    says(item, field, holder)
                        && also.is_none_or(|(name, value)| says(item, name, value))
                        && between.is_none_or(|(from, until)| {
                            day(item, from, |from| from <= on)
                                && day(item, until, |until| on <= until)
                        })
                })
            }
        }
    }

    /// The paths at which it looks.
    pub fn paths(&self) -> Vec<String> {
        match *self {
            Self::Itself => Vec::new(),
            Self::Field(name) => vec![name.to_owned()],
            Self::Item {
                list,
                field,
                says,
                between,
            } => {
                let days = between.into_iter().flat_map(|(from, until)| [from, until]);
                let also = says.into_iter().map(|(name, _)| name);
                let names = std::iter::once(field).chain(also).chain(days);
                names.map(|name| format!("{list}/{name}")).collect()
            }
        }
    }
}

/// Whether a change adds an item that names the holder, or is of such an item and leaves it so.
pub(super) fn changes_own_item(
    change: &FieldChange,
    list: &str,
    field: &str,
    by: ChangedBy<'_>,
) -> bool {
    let item = |id: &str| {
        let items = by.fields.get(list).and_then(Json::as_array);
        let mut items = items.into_iter().flatten().filter_map(Json::as_object);
        items.find(|item| says(item, "id", id))
    };
    let own = |id: &str| item(id).is_some_and(|item| says(item, field, by.holder));
    match change {
        FieldChange::Add { id, values, .. } => {
            let new = id.as_deref().is_none_or(|id| item(id).is_none());
            new && says(values, field, by.holder)
        }
        FieldChange::Set { field: path, value } => {
            let mut parts = path.split('/').skip(1);
            let (id, inner) = (parts.next().unwrap_or_default(), parts.next());
            own(id)
                && inner.is_some_and(|inner| inner != field || value.as_str() == Some(by.holder))
        }
        FieldChange::Remove { item, .. } => own(item),
        FieldChange::Move { .. }
        | FieldChange::Include { .. }
        | FieldChange::Exclude { .. }
        | FieldChange::Count { .. }
        | FieldChange::Issue { .. }
        | FieldChange::Pass { .. }
        | FieldChange::Take { .. }
        | FieldChange::GiveBack { .. }
        | FieldChange::Confirm { .. } => false,
    }
}

fn says(fields: &Object, name: &str, value: &str) -> bool {
    fields.get(name).and_then(Json::as_str) == Some(value)
}

/// Whether a day is not given, or as it must be.
fn day(item: &Object, name: &str, is: impl Fn(Date) -> bool) -> bool {
    match item.get(name) {
        None | Some(Json::Null) => true,
        Some(value) => {
            let text = value.as_str().unwrap_or_default();
            text.is_empty() || Date::parse(text, &Iso8601::DATE).is_ok_and(is)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::date;

    #[test]
    fn membership_counts_from_its_first_day_to_its_last_and_only_where_it_is_declared() {
        let own = Own::item("members", "person")
            .where_says("role", "chair")
            .between("from", "until");
        let fields = json!({
            "members": [{
                "person": "P", "role": "chair", "from": "2026-09-01", "until": "2027-08-31",
            }, { "person": "M", "role": "member" }, { "person": "X", "role": "chair", "until": "?" }],
            "actions": [{ "person": "A", "role": "chair" }],
        });
        let fields = fields.as_object().cloned().unwrap_or_default();
        let holds = |who: &str, on: Date| own.holds(("G", &fields), who, on);
        assert!(holds("P", date!(2026 - 09 - 01)) && holds("P", date!(2027 - 08 - 31)));
        assert!(!holds("P", date!(2026 - 08 - 31)) && !holds("P", date!(2027 - 09 - 01)));
        for other in ["M", "A", "X", "G", ""] {
            assert!(!holds(other, date!(2027 - 01 - 01)), "{other}");
        }
    }
}
