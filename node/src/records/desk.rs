//! A desk: what one person in one role sees and writes.

mod told;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use node_document::Document;
use node_domain::{
    COMMISSION, ChangedBy, FieldChange, Held, KINDS, Kind, May, Object, Own, ROLES, Records, Role,
};
use serde_json::Value;
use time::Date;
use time::format_description::well_known::Iso8601;

use super::change::{EditedRecord, parse_changes, parse_heads};
use super::day::today;
use super::export::sheet_of;
use super::find::{Find, Listing};
use super::list::ListedRecord;
use super::{Found, RecordId, RecordsError, ShownRecord, record_kind};
use crate::Node;

/// What a role may do at this node, for one person or body, on one day.
///
/// That somebody holds a role follows from the records where they can say so: a work group names
/// its leaders and those who take part, a strategic leadership group its members and chair with
/// their first and last day, and a commission the partner and what it delegates. Who holds no such
/// role by them reaches nothing. For every other role (see [`Held::Vouched`]) no record says who
/// holds it: whoever opens this node to somebody, who is the owner of its socket, vouches for role
/// and holder, and must have made sure of both before.
#[derive(Debug, Clone)]
pub struct Desk {
    node: Node,
    role: &'static Role,
    holder: String,
    day: Date,
}

impl Node {
    /// The desk of whoever holds a role: the person's card, or the partner's record, by its id. It
    /// is judged by this node's own clock, so that a role that ends on a day ends without a network
    /// too.
    ///
    /// # Errors
    /// [`RecordsError::Refused`] if there is no such role, or nobody with this id.
    pub fn desk(&self, role: &str, holder: &str) -> Result<Desk, RecordsError> {
        self.desk_on(role, holder, &today())
    }

    /// The same as it is on another day, such as `2027-08-31`.
    ///
    /// # Errors
    /// As for [`Node::desk`].
    pub fn desk_on(&self, role: &str, holder: &str, day: &str) -> Result<Desk, RecordsError> {
        let found = node_domain::role(role).ok_or_else(|| {
            let names = ROLES.iter().map(|role| role.name);
            let names = names.collect::<Vec<_>>().join(", ");
            RecordsError::Refused(if role.is_empty() {
                format!("a holder is named and no role; name one of the roles: {names}")
            } else {
                format!("there is no role \"{role}\"; the roles are {names}")
            })
        })?;
        self.find_record(holder)?;
        let day = Date::parse(day, &Iso8601::DATE).map_err(|_| {
            RecordsError::Refused(format!("\"{day}\" is not a day such as 2026-11-24"))
        })?;
        Ok(Desk {
            node: self.clone(),
            role: found,
            holder: holder.to_owned(),
            day,
        })
    }
}

impl Desk {
    /// The records that the role sees, as `find` asks for them. Searching, filtering and sorting
    /// find nothing by what the role does not see, and only what it sees is counted.
    ///
    /// # Errors
    /// [`RecordsError`] as for [`Node::find_records`], and [`RecordsError::Role`] for a filter or
    /// an order by a field that the role does not see.
    pub fn find(&self, find: &Find) -> Result<Listing, RecordsError> {
        let seen = self.seen(find)?;
        let total = seen.len() as u64;
        let records = page(find, seen).map(|seen| {
            let Seen {
                mut record,
                kind,
                fields,
            } = seen;
            let columns = serde_json::from_str::<Object>(&record.json).unwrap_or_default();
            let columns = columns
                .into_iter()
                .filter(|(name, _)| fields.contains_key(name));
            record.json = Value::Object(columns.collect()).to_string();
            if !fields.contains_key(kind.title_field) {
                record.title.clear();
            }
            record
        });
        Ok(Listing {
            total,
            records: records.collect(),
        })
    }

    /// How many of the records that the role sees, as `find` asks for them, hold each value of
    /// `field`, whatever the page.
    ///
    /// # Errors
    /// As for [`Desk::find`].
    pub fn count(&self, find: &Find, field: &str) -> Result<Vec<(String, u64)>, RecordsError> {
        self.check_asked(find, &[field])?;
        let mut counts = BTreeMap::<Counted, u64>::new();
        for seen in self.seen(find)? {
            for value in counted(&seen.fields, named(seen.kind, field)) {
                *counts.entry(value).or_default() += 1;
            }
        }
        let counts = counts.into_iter().map(|(value, count)| match value {
            Counted::Number(number) => (number.to_string(), count),
            Counted::Text(text) => (text, count),
        });
        Ok(counts.collect())
    }

    /// A list as a sheet, made from what the role sees: as [`Node::export_list`].
    ///
    /// # Errors
    /// As for [`Desk::find`] and [`Node::export_list`].
    pub fn export_list(
        &self,
        find: &Find,
        list: &str,
        format: &str,
    ) -> Result<Vec<u8>, RecordsError> {
        let kind = record_kind(&find.kind)?;
        let seen = self.seen(find)?;
        let rows = page(find, seen).map(|seen| (seen.record.id.to_string(), seen.fields));
        sheet_of(kind, list, format, rows.collect())
    }

    /// Sessions and meetings of the records that the role sees, as [`Node::export_calendar`].
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role does not see the record, or when it meets.
    pub fn export_calendar(&self, id: &str) -> Result<Vec<u8>, RecordsError> {
        let shown = |may: &May, kind: &Kind| {
            kind.dated.is_some_and(|dated| {
                let names = [dated.date, dated.start, dated.venue, dated.state];
                let mut paths = names.iter().map(|name| format!("{}/{name}", dated.list));
                node_domain::reads(may, kind, kind.title_field)
                    && paths.all(|path| node_domain::reads(may, kind, &path))
            })
        };
        if !id.is_empty() {
            let reached = self.reached(id, &Known::default())?;
            if reached.kind.dated.is_some() && !shown(reached.may, reached.kind) {
                return Err(RecordsError::Role(format!(
                    "the role \"{}\" does not see when this record meets",
                    self.role.name
                )));
            }
            let found = reached.found;
            return self.node.calendar_of(vec![(found.space, found.id)]);
        }
        let known = Known::default();
        let mut found = Vec::new();
        for kind in KINDS.iter().filter(|kind| kind.dated.is_some()) {
            if self.role.with_kind(kind.name).next().is_none() {
                continue;
            }
            for record in self.node.list_records(kind.name, "")? {
                let (kind, fields) = self.node.record_fields_in(record.space, record.id)?;
                let id = record.id.to_string();
                if let Some(may) = self.may(&id, kind, &fields, &known)?
                    && shown(may, kind)
                {
                    found.push((record.space, record.id));
                }
            }
        }
        self.node.calendar_of(found)
    }

    /// One record, with what the role sees of it.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role does not see it.
    pub fn show(&self, id: &str, day: &str) -> Result<ShownRecord, RecordsError> {
        let Reached { kind, may, .. } = self.reached(id, &Known::default())?;
        let mut shown = self.node.show_record_on(id, day)?;
        if let Value::Object(fields) = std::mem::take(&mut shown.fields) {
            shown.fields = Value::Object(node_domain::visible(may, kind, fields));
        }
        if may.read != node_domain::Seen::All {
            shown.more = Value::Null;
            shown.problems.clear();
        }
        Ok(shown)
    }

    /// Changes a record, in the fields that the role writes.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was changed then.
    pub fn edit(&self, id: &str, heads: &str, json: &str) -> Result<EditedRecord, RecordsError> {
        let changes = parse_changes(json)?;
        self.check_writes(id, &changes)?;
        let at = parse_heads(heads)?;
        self.node.change_record(id, at.as_ref(), &changes)
    }

    /// Sets a field that the role writes to what it was on a day, as [`Node::bring_back`].
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was changed then.
    pub fn bring_back(&self, id: &str, field: &str, day: &str) -> Result<String, RecordsError> {
        self.check_writes(id, &[FieldChange::set(field, Value::Null)])?;
        self.node.bring_back(id, field, day)
    }

    /// Checks that the role makes these changes in a record.
    fn check_writes(&self, id: &str, changes: &[FieldChange]) -> Result<(), RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        self.check_writes_of(&reached, changes)
    }

    fn check_writes_of(
        &self,
        reached: &Reached,
        changes: &[FieldChange],
    ) -> Result<(), RecordsError> {
        let by = ChangedBy {
            holder: &self.holder,
            fields: &reached.fields,
        };
        node_domain::check_changes(reached.may, reached.kind, by, changes)
            .map_err(node_domain::RecordError::from)?;
        Ok(())
    }

    /// A record that the role reaches.
    fn reached(&self, id: &str, known: &Known) -> Result<Reached, RecordsError> {
        let found = self.node.find_record(id)?;
        let (kind, fields) = self.node.record_fields_in(found.space, found.id)?;
        let id = found.id.to_string();
        match self.may(&id, kind, &fields, known)? {
            Some(may) => Ok(Reached {
                found,
                kind,
                may,
                fields,
            }),
            None => Err(RecordsError::Role(format!(
                "the role \"{}\" does not reach this record on {}",
                self.role.name, self.day
            ))),
        }
    }

    /// All records that the role sees, as `find` asks for them, without its pages.
    fn seen(&self, find: &Find) -> Result<Vec<Seen>, RecordsError> {
        let asked = self.check_asked(find, &[])?;
        let everything = Find {
            offset: 0,
            limit: 0,
            words: String::new(),
            ..find.clone()
        };
        let words = find.words.to_lowercase();
        let words = words.split_whitespace().collect::<Vec<_>>();
        let known = Known::default();
        let mut all = Vec::new();
        for record in self.node.find_records(&everything)?.records {
            if self.role.with_kind(&record.kind).next().is_none() {
                continue;
            }
            let (kind, fields) = self.node.record_fields_in(record.space, record.id)?;
            let id = record.id.to_string();
            let Some(may) = self.may(&id, kind, &fields, &known)? else {
                continue;
            };
            // What is delegated may be seen in less than the role's own records.
            if !asked.iter().all(|field| may_ask(may, kind, field)) {
                continue;
            }
            let fields = node_domain::visible(may, kind, fields);
            let text = Value::Object(fields.clone()).to_string().to_lowercase();
            if words.iter().all(|word| text.contains(word)) {
                all.push(Seen {
                    record,
                    kind,
                    fields,
                });
            }
        }
        Ok(all)
    }

    /// Checks that a list is not filtered or ordered by what the role does not see, which would
    /// tell it; gives the fields by which it is.
    fn check_asked(&self, find: &Find, more: &[&str]) -> Result<Vec<String>, RecordsError> {
        let filters = find.filters.iter().map(|text| filtered(text));
        let sort = find.sort.iter().map(|field| field.trim_start_matches('-'));
        let fields = filters.chain(sort).chain(more.iter().copied());
        let fields = fields.map(str::to_owned).collect::<Vec<_>>();
        let of_kind = |may: &&May| find.kind.is_empty() || may.kind == find.kind;
        for may in self.role.may.iter().filter(of_kind) {
            let Some(kind) = node_domain::kind(may.kind) else {
                continue;
            };
            if let Some(field) = fields.iter().find(|field| !may_ask(may, kind, field)) {
                return Err(RecordsError::Role(format!(
                    "the role \"{}\" does not see \"{field}\" of a {}, so its lists are not \
                     filtered, ordered or counted by it",
                    self.role.name,
                    kind.title.to_lowercase()
                )));
            }
        }
        Ok(fields)
    }

    /// What the role may do with a record.
    fn may(
        &self,
        id: &str,
        kind: &'static Kind,
        fields: &Object,
        known: &Known,
    ) -> Result<Option<&'static May>, RecordsError> {
        if !known.is_held(self)? {
            return Ok(None);
        }
        for may in self.role.with_kind(kind.name) {
            match may.records {
                Records::All => return Ok(Some(may)),
                Records::Own(places) => {
                    if self.owns(places, id, fields) {
                        return Ok(Some(may));
                    }
                }
                Records::Delegated => {
                    // Of several roles the widest counts, which stands first.
                    let delegated = known.delegated(self)?.get(id);
                    let roles = ROLES.iter().filter(|role| {
                        delegated.is_some_and(|delegated| delegated.contains(role.name))
                    });
                    let mut as_delegated = roles.flat_map(|role| role.with_kind(kind.name));
                    if let Some(may) = as_delegated.next() {
                        return Ok(Some(may));
                    }
                }
            }
        }
        Ok(None)
    }

    fn owns(&self, places: &[Own], id: &str, fields: &Object) -> bool {
        let mut places = places.iter();
        places.any(|own| own.holds((id, fields), &self.holder, self.day))
    }

    /// Whether the holder has the role, where records of a kind say so.
    fn is_held(&self) -> Result<bool, RecordsError> {
        let kind = match self.role.held {
            Held::Vouched | Held::EachOwn => return Ok(true),
            Held::Named(kind) => kind,
        };
        for may in self.role.with_kind(kind) {
            let Records::Own(places) = may.records else {
                continue;
            };
            for own in places {
                let naming = own.paths().into_iter().next();
                let filters = naming.map(|path| format!("{path} is {}", self.holder));
                let find = Find {
                    kind: kind.to_owned(),
                    filters: filters.into_iter().collect(),
                    ..Find::default()
                };
                for record in self.node.find_records(&find)?.records {
                    let (_, fields) = self.node.record_fields_in(record.space, record.id)?;
                    if self.owns(places, &record.id.to_string(), &fields) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// The work groups that commissions delegate to the holder today, with the roles in which.
    fn delegated(&self) -> Result<BTreeMap<String, BTreeSet<String>>, RecordsError> {
        let mut groups = BTreeMap::<String, BTreeSet<String>>::new();
        let (library, storage) = (&self.node.inner.library, &self.node.inner.storage);
        let holder = self.node.find_record(&self.holder)?;
        let RecordId::Document(partner) = holder.id else {
            return Ok(groups);
        };
        let holds = |document: &mut Document| node_domain::holds_delegations(&document.view());
        if !library.with(storage, holder.space, partner, holds)? {
            return Ok(groups);
        }
        for record in self.node.list_records(COMMISSION.name, "")? {
            let RecordId::Document(document) = record.id else {
                continue;
            };
            let (_, fields) = self.node.record_fields_in(record.space, record.id)?;
            if fields.get("partner").and_then(Value::as_str) != Some(self.holder.as_str()) {
                continue;
            }
            let work = |document: &mut Document| node_domain::delegations(&document.view());
            let delegations = library.with(storage, record.space, document, work)?;
            for it in delegations.into_iter().filter(|it| it.holds_on(self.day)) {
                groups.entry(it.group).or_default().insert(it.role);
            }
        }
        Ok(groups)
    }
}

/// What is looked up once for one answer, and only where it matters.
#[derive(Debug, Default)]
struct Known {
    held: OnceCell<bool>,
    delegated: OnceCell<BTreeMap<String, BTreeSet<String>>>,
}

impl Known {
    fn is_held(&self, desk: &Desk) -> Result<bool, RecordsError> {
        if let Some(held) = self.held.get() {
            return Ok(*held);
        }
        let held = desk.is_held()?;
        Ok(*self.held.get_or_init(|| held))
    }

    fn delegated(&self, desk: &Desk) -> Result<&BTreeMap<String, BTreeSet<String>>, RecordsError> {
        if let Some(delegated) = self.delegated.get() {
            return Ok(delegated);
        }
        let delegated = desk.delegated()?;
        Ok(self.delegated.get_or_init(|| delegated))
    }
}

/// A record that a role reaches, with all of its fields.
struct Reached {
    found: Found,
    kind: &'static Kind,
    may: &'static May,
    fields: Object,
}

/// A record that a role sees, with what it sees of it.
struct Seen {
    record: ListedRecord,
    kind: &'static Kind,
    fields: Object,
}

/// The records of the page that `find` asks for.
fn page(find: &Find, seen: Vec<Seen>) -> impl Iterator<Item = Seen> {
    let limit = if find.limit == 0 {
        u64::MAX
    } else {
        find.limit
    };
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let records = seen.into_iter().skip(number(find.offset));
    records.take(number(limit))
}

/// The field of a filter as people write it.
fn filtered(text: &str) -> &str {
    let text = text.trim();
    let field = text.strip_suffix(" missing").map(str::trim);
    field.unwrap_or_else(|| text.split_once(' ').map_or(text, |(field, _)| field))
}

/// Whether a list may be filtered, ordered or counted by a field. One that other kinds have alone
/// tells nothing of records of this kind.
fn may_ask(may: &May, kind: &Kind, field: &str) -> bool {
    let field = named(kind, field);
    let name = field.split('/').next().unwrap_or_default();
    let elsewhere = || KINDS.iter().any(|kind| kind.field(name).is_some());
    node_domain::reads(may, kind, field) || (kind.field(name).is_none() && elsewhere())
}

/// Lists call a record's title so, whatever its kind does.
fn named<'a>(kind: &Kind, field: &'a str) -> &'a str {
    if field == "title" && kind.field(field).is_none() {
        kind.title_field
    } else {
        field
    }
}

/// A value as counts have it: numbers first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Number(i64),
    Text(String),
}

/// The values that stand in a field, or in a field of a list's items: each once.
fn counted(fields: &Object, path: &str) -> BTreeSet<Counted> {
    fn add(value: &Value, into: &mut BTreeSet<Counted>) {
        match value {
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => {
                into.insert(Counted::Text(text.clone()));
            }
            Value::Bool(yes) => {
                into.insert(Counted::Text(if *yes { "yes" } else { "no" }.to_owned()));
            }
            Value::Number(number) => {
                into.extend(number.as_i64().map(Counted::Number));
            }
            Value::Array(elements) => {
                for element in elements {
                    add(element, into);
                }
            }
            Value::Null | Value::Object(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    match path.split_once('/') {
        None => {
            if let Some(value) = fields.get(path) {
                add(value, &mut found);
            }
        }
        Some((list, inner)) => {
            let items = fields.get(list).and_then(Value::as_array);
            for value in items.into_iter().flatten().filter_map(|it| it.get(inner)) {
                add(value, &mut found);
            }
        }
    }
    found
}
