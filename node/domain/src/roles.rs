//! Roles: who may see and write what, by role, space and record.

mod duty;
mod hub;
mod nation;
mod own;
mod partners;

use serde_json::Value as Json;

use crate::Object;
use crate::change::FieldChange;
use crate::declaration::{Field, Kind};
use crate::error::Problem;
use crate::fields::label;
use crate::write::changes_from;

pub use duty::Duty;
pub use own::Own;

/// A role in which people act. It is given and ended with dates, for one space or one hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// Its name in files, commands and delegations.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Who says that somebody holds it.
    pub held: Held,
    /// What it may do beside seeing and writing records.
    pub duties: &'static [Duty],
    /// What it may see and write; nothing else.
    pub may: &'static [May],
}

/// Who says that somebody holds a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Whoever opens the node to them: no record says so.
    Vouched,
    /// A record of this kind that is the holder's own says so; without one the role reaches
    /// nothing.
    Named(&'static str),
    /// Each record that it reaches names the holder itself, or is delegated to the holder.
    EachOwn,
}

/// What a role may do with the records of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct May {
    /// The name of the kind.
    pub kind: &'static str,
    /// Which records.
    pub records: Records,
    /// The fields that it sees.
    pub read: Seen,
    /// The fields that it writes.
    pub write: Seen,
    /// Lists of which it writes its own items alone, each with the field that names whose they are.
    pub own_items: &'static [(&'static str, &'static str)],
}

/// Which records of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// All in the spaces for which the role was given.
    All,
    /// Those that a commission names, while its delegation holds, as the delegated role may.
    Delegated,
    /// Those that name the person, or the body for which the person acts, in one of these places.
    Own(&'static [Own]),
}

/// Which fields of a record: names, or `list/field` for a field of the list's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// None.
    Nothing,
    /// All.
    All,
    /// These alone.
    Only(&'static [&'static str]),
    /// All but these, and nothing that only a newer version knows.
    Except(&'static [&'static str]),
}

/// All roles.
pub const ROLES: &[&Role] = &[
    &hub::HUB_LEAD,
    &hub::ASSISTANT_HUB_LEAD,
    &hub::SENIOR_LINK,
    &hub::ADMINISTRATOR,
    &hub::WORK_GROUP_LEAD,
    &partners::STRATEGIC_GROUP_MEMBER,
    &partners::CHAIR,
    &partners::PARTNERS_STAFF,
    &partners::PARTICIPANT,
    &partners::DATA_PROTECTION_OFFICER,
    &nation::OPERATOR,
    &nation::REGIONAL_LEAD,
    &nation::PROJECT_LEAD,
    &nation::ANALYST,
    &nation::POLICY_GUEST,
    &nation::INDEPENDENT_EVALUATOR,
];

/// The role of that name.
pub fn role(name: &str) -> Option<&'static Role> {
    ROLES.iter().copied().find(|role| role.name == name)
}

impl Role {
    /// What it may do with the records of a kind: nothing if this is empty.
    pub fn with_kind(&self, kind: &str) -> impl Iterator<Item = &'static May> {
        self.may.iter().filter(move |may| may.kind == kind)
    }

    /// Whether it has a duty.
    pub fn has(&self, duty: Duty) -> bool {
        self.duties.contains(&duty)
    }
}

impl May {
    /// Seeing and writing all of a kind.
    const fn all(kind: &'static str) -> Self {
        Self::new(kind, Seen::All, Seen::All)
    }

    /// Seeing all of a kind.
    const fn read(kind: &'static str) -> Self {
        Self::new(kind, Seen::All, Seen::Nothing)
    }

    const fn new(kind: &'static str, read: Seen, write: Seen) -> Self {
        Self {
            kind,
            records: Records::All,
            read,
            write,
            own_items: &[],
        }
    }

    const fn own_by(mut self, own: &'static [Own]) -> Self {
        self.records = Records::Own(own);
        self
    }

    const fn own_items(mut self, lists: &'static [(&'static str, &'static str)]) -> Self {
        self.own_items = lists;
        self
    }

    const fn delegated(mut self) -> Self {
        self.records = Records::Delegated;
        self
    }
}

impl Seen {
    /// How much of a field is in.
    fn part(self, name: &str) -> Part {
        let inside = |names: &'static [&'static str]| {
            let below = |path: &&'static str| path.strip_prefix(name)?.strip_prefix('/');
            names.iter().filter_map(below).collect::<Vec<_>>()
        };
        match self {
            Self::Nothing => Part::Nothing,
            Self::All => Part::Whole,
            Self::Only(names) if names.contains(&name) => Part::Whole,
            Self::Only(names) => {
                let inside = inside(names);
                if inside.is_empty() {
                    Part::Nothing
                } else {
                    Part::Only(inside)
                }
            }
            Self::Except(names) if names.contains(&name) => Part::Nothing,
            Self::Except(names) => {
                let inside = inside(names);
                if inside.is_empty() {
                    Part::Whole
                } else {
                    Part::Except(inside)
                }
            }
        }
    }
}

enum Part {
    Nothing,
    Whole,
    Only(Vec<&'static str>),
    Except(Vec<&'static str>),
}

impl Part {
    /// Whether a field of the items is in.
    fn has(&self, inner: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Whole => true,
            Self::Only(names) => names.contains(&inner),
            Self::Except(names) => !names.contains(&inner),
        }
    }
}

/// A record, or a card's content, with what a role may see of it.
pub fn visible(may: &May, kind: &Kind, record: Object) -> Object {
    if may.kind != kind.name {
        return Object::new();
    }
    let mut seen = Object::new();
    for (name, value) in record {
        if name == "kind_of_record" && may.read != Seen::Nothing {
            seen.insert(name, value);
            continue;
        }
        let Some(field) = kind.field(&name) else {
            // What only a newer version knows is shown to those who see everything.
            if may.read == Seen::All {
                seen.insert(name, value);
            }
            continue;
        };
        let part = may.read.part(&name);
        match (&part, field.items()) {
            (Part::Nothing, _) => {}
            (Part::Whole, _) => {
                seen.insert(name, value);
            }
            (Part::Only(_) | Part::Except(_), None) => {}
            (Part::Only(_) | Part::Except(_), Some(inner)) => {
                seen.insert(name, visible_items(&part, inner, value));
            }
        }
    }
    seen
}

fn visible_items(part: &Part, fields: &[Field], items: Json) -> Json {
    let Json::Array(items) = items else {
        return Json::Null;
    };
    let visible = |item: Json| match item {
        Json::Object(mut item) => {
            let declared = |name: &str| fields.iter().any(|field| field.name == name);
            item.retain(|name, _| name == "id" || (declared(name) && part.has(name)));
            Some(Json::Object(item))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
    };
    items.into_iter().filter_map(visible).collect()
}

/// Whether a role sees what stands at a path: a field, `list/field`, or `list/item/field`. What is
/// said of an item as a whole is seen by those who see all of its list.
pub fn reads(may: &May, kind: &Kind, path: &str) -> bool {
    if may.kind != kind.name {
        return false;
    }
    let mut parts = path.split('/');
    let name = parts.next().unwrap_or_default();
    let Some(field) = kind.field(name) else {
        return may.read == Seen::All;
    };
    let part = may.read.part(name);
    if matches!(part, Part::Whole) {
        return true;
    }
    let (Some(items), Some(inner)) = (field.items(), parts.next_back()) else {
        return false;
    };
    items.iter().any(|field| field.name == inner) && part.has(inner)
}

/// Who makes changes, and what stands in the record before them.
#[derive(Debug, Clone, Copy)]
pub struct ChangedBy<'a> {
    /// The id of whoever holds the role.
    pub holder: &'a str,
    /// The record's fields.
    pub fields: &'a Object,
}

/// Checks that a role may make these changes.
///
/// # Errors
/// A sentence that names the first field that the role does not write, and those that it does.
pub fn check_changes(
    may: &May,
    kind: &Kind,
    by: ChangedBy<'_>,
    changes: &[FieldChange],
) -> Result<(), Problem> {
    let title = kind.title.to_lowercase();
    if may.kind != kind.name || may.write == Seen::Nothing {
        let path = changes.first().map_or("", FieldChange::field);
        return Err(Problem::new(
            path,
            format!("this role does not change a {title}"),
        ));
    }
    for change in changes {
        let path = change.field();
        if !does_write(may.write, kind, change) {
            let message = format!(
                "this role does not change {} of a {title}; {}",
                called(kind, path),
                what_it_writes(may.write, kind)
            );
            return Err(Problem::new(path, message));
        }
        let list = path.split('/').next().unwrap_or_default();
        let owned = may.own_items.iter().find(|(owned, _)| *owned == list);
        if let Some((_, field)) = owned
            && !own::changes_own_item(change, list, field, by)
        {
            let message = format!(
                "this role adds and changes only its holder's own items in {} of a {title}; give \
                 the holder's id as '{field}', and leave the others as they are",
                called(kind, list)
            );
            return Err(Problem::new(path, message));
        }
    }
    Ok(())
}

/// Checks that a role may make a record of a kind with these fields.
///
/// # Errors
/// A sentence that names the first field that the role does not write, and those that it does.
pub fn check_made(
    may: &May,
    kind: &'static Kind,
    holder: &str,
    values: &Object,
) -> Result<(), Problem> {
    if may.kind != kind.name || may.write == Seen::Nothing {
        let message = format!("this role does not make a {}", kind.title.to_lowercase());
        return Err(Problem::new("", message));
    }
    let none = Object::new();
    let by = ChangedBy {
        holder,
        fields: &none,
    };
    for (name, value) in values {
        // What is not of the shape that is wanted is refused where the record is made.
        let changes = changes_from(kind, name, value).unwrap_or_default();
        check_changes(may, kind, by, &changes)?;
    }
    Ok(())
}

/// Whether a role writes what stands at a path: a field, `list/field`, or `list/item/field`. Of a
/// list, whether it adds items and takes them out. Of some lists only the holder's own items.
pub fn writes(may: &May, kind: &Kind, path: &str) -> bool {
    if may.kind != kind.name {
        return false;
    }
    let mut parts = path.split('/');
    let name = parts.next().unwrap_or_default();
    let Some(field) = kind.field(name) else {
        return false;
    };
    let part = may.write.part(name);
    match (field.items(), parts.next_back()) {
        (Some(items), Some(inner)) => {
            items.iter().any(|field| field.name == inner) && part.has(inner)
        }
        (Some(_), None) => matches!(part, Part::Whole | Part::Except(_)),
        (None, _) => matches!(part, Part::Whole),
    }
}

fn does_write(write: Seen, kind: &Kind, change: &FieldChange) -> bool {
    let mut parts = change.field().split('/');
    let part = write.part(parts.next().unwrap_or_default());
    match (change, parts.nth(1)) {
        (FieldChange::Set { .. }, Some(inner)) => part.has(inner),
        (FieldChange::Add { values, .. }, _) => match &part {
            Part::Nothing => false,
            Part::Whole => true,
            // Of a list of which it writes parts alone, the items are others' to make.
            Part::Only(_) => false,
            Part::Except(_) => values.keys().all(|inner| part.has(inner)),
        },
        // It is an entry among the decisions that fixes an order.
        (FieldChange::Confirm { .. }, _) => kind
            .ranking
            .is_some_and(|ranking| matches!(write.part(ranking.decisions), Part::Whole)),
        (
            FieldChange::Set { .. }
            | FieldChange::Move { .. }
            | FieldChange::Remove { .. }
            | FieldChange::Include { .. }
            | FieldChange::Exclude { .. }
            | FieldChange::Count { .. }
            | FieldChange::Issue { .. }
            | FieldChange::Pass { .. }
            | FieldChange::Take { .. }
            | FieldChange::GiveBack { .. },
            _,
        ) => matches!(part, Part::Whole),
    }
}

/// A field, named by `list/item/field` or `list/field`, as people call it.
fn called(kind: &Kind, path: &str) -> String {
    let mut parts = path.split('/');
    let Some(field) = parts.next().and_then(|name| kind.field(name)) else {
        return format!("'{path}'");
    };
    let inner = parts.next_back().and_then(|name| {
        let fields = field.items()?;
        fields.iter().find(|inner| inner.name == name)
    });
    match inner {
        Some(inner) => format!("'{}'", label(inner, Some(field))),
        None => format!("'{}'", field.label),
    }
}

fn what_it_writes(write: Seen, kind: &Kind) -> String {
    let list = |names: &[&str]| {
        let names = names.iter().map(|name| called(kind, name));
        names.collect::<Vec<_>>().join(", ")
    };
    match write {
        Seen::Nothing => "it changes nothing".to_owned(),
        Seen::All => "it changes everything".to_owned(),
        Seen::Only(names) => format!("it changes {} alone", list(names)),
        Seen::Except(names) => format!("it changes everything but {}", list(names)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{COMMISSION, KINDS, kind};
    use serde_json::json;

    fn known(kind: &Kind, path: &str) -> bool {
        let (name, inner) = path
            .split_once('/')
            .map_or((path, None), |(name, inner)| (name, Some(inner)));
        kind.field(name).is_some_and(|field| match inner {
            Some(inner) => field
                .items()
                .is_some_and(|items| items.iter().any(|field| field.name == inner)),
            None => true,
        })
    }

    #[test]
    fn roles_name_only_kinds_and_fields_that_are_declared() {
        for role in ROLES {
            for may in role.may {
                let kind = kind(may.kind).unwrap_or_else(|| panic!("{}", may.kind));
                if let Records::Own(places) = may.records {
                    for path in places.iter().flat_map(Own::paths) {
                        assert!(known(kind, &path), "{}: {} {path}", role.name, kind.name);
                    }
                }
                for (list, field) in may.own_items {
                    assert!(known(kind, &format!("{list}/{field}")), "{}", role.name);
                }
                for seen in [may.read, may.write] {
                    if let Seen::Only(names) | Seen::Except(names) = seen {
                        for name in names {
                            assert!(known(kind, name), "{}: {} {name}", role.name, kind.name);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn whom_versions_concern_and_what_is_delegated_are_roles() {
        for kind in KINDS {
            for name in kind.concerns.roles {
                let role = role(name).unwrap_or_else(|| panic!("{name}"));
                assert!(
                    role.with_kind(kind.name).next().is_some(),
                    "{name} is told of a {} that it does not see",
                    kind.name
                );
            }
        }
        let delegations = COMMISSION.field("delegations").and_then(Field::items);
        for field in delegations.unwrap_or_default() {
            if let crate::declaration::Check::OneOf(names) = field.check {
                assert!(names.iter().all(|name| role(name).is_some()));
            }
        }
    }

    #[test]
    fn what_is_left_out_of_a_list_is_not_in_its_items() {
        let may = May::new(
            "commission",
            Seen::Except(&["notes", "money/reference"]),
            Seen::Nothing,
        );
        let record = json!({
            "kind_of_record": "commission", "title": "T", "notes": "N", "unknown": {"x": 1},
            "money": [{"id": "m", "pence": 5, "reference": "R", "newer": 1}],
        });
        let seen = visible(
            &may,
            &COMMISSION,
            record.as_object().cloned().unwrap_or_default(),
        );
        let expected = json!({
            "kind_of_record": "commission", "title": "T", "money": [{"id": "m", "pence": 5}],
        });
        assert_eq!(Json::Object(seen), expected);
    }
}
