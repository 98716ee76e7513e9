//! Lists as a desk sees them: by lines alone where the role sees all records of a kind and all by
//! which they are asked for, and otherwise record by record.

use std::collections::{BTreeMap, BTreeSet};

use node_domain::{KINDS, Kind, May, Object, Own, Records};
use serde_json::{Value, json};

use super::{Desk, Known};
use crate::records::find::{Find, Listing};
use crate::records::list::ListedRecord;
use crate::records::{RecordsError, record_kind};

impl Desk {
    /// The records that the role sees, as `find` asks for them. Searching, filtering and sorting
    /// find nothing by what the role does not see, and only what it sees is counted.
    ///
    /// # Errors
    /// [`RecordsError`] as for [`Node::find_records`](crate::Node::find_records), and
    /// [`RecordsError::Role`] for a filter or an order by a field that the role does not see.
    pub fn find(&self, find: &Find) -> Result<Listing, RecordsError> {
        let known = Known::default();
        if let Some(lines) = self.by_lines(find, &[], &known)? {
            let names = lines.iter().map(|(kind, _)| kind.name);
            let mut listing = self.node.find_among(find, &names.collect::<Vec<_>>())?;
            for record in &mut listing.records {
                let line = lines.iter().find(|(kind, _)| kind.name == record.kind);
                let Some((kind, may)) = line else {
                    continue;
                };
                strip(record, kind, |name| node_domain::reads(may, kind, name));
            }
            return Ok(listing);
        }
        let seen = self.seen(find, &known)?;
        let total = seen.len() as u64;
        let records = page(find, seen).map(|seen| {
            let Seen {
                mut record,
                kind,
                fields,
            } = seen;
            strip(&mut record, kind, |name| fields.contains_key(name));
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
        let known = Known::default();
        if let Some(lines) = self.by_lines(find, &[field], &known)? {
            let names = lines.iter().map(|(kind, _)| kind.name);
            let names = names.collect::<Vec<_>>();
            return self.node.count_among(find, &names, field);
        }
        let mut counts = BTreeMap::<Counted, u64>::new();
        for seen in self.seen(find, &known)? {
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

    /// The records of the page that `find` asks for, with all that the role sees of each.
    pub(crate) fn read(&self, find: &Find) -> Result<Vec<(String, Object)>, RecordsError> {
        let known = Known::default();
        let Some(lines) = self.by_lines(find, &[], &known)? else {
            let seen = self.seen(find, &known)?;
            let seen = page(find, seen).map(|seen| (seen.record.id.to_string(), seen.fields));
            return Ok(seen.collect());
        };
        let names = lines.iter().map(|(kind, _)| kind.name);
        let listing = self.node.find_among(find, &names.collect::<Vec<_>>())?;
        let mut read = Vec::new();
        for record in listing.records {
            let (kind, fields) = self.node.record_fields_in(record.space, record.id)?;
            if let Some((_, may)) = lines.iter().find(|(listed, _)| listed.name == kind.name) {
                let fields = node_domain::visible(may, kind, fields);
                read.push((record.id.to_string(), fields));
            }
        }
        Ok(read)
    }

    /// The kinds that are asked for, if lines alone tell what the role sees of their records: it
    /// sees all records of each, and every field by which they are filtered, ordered or searched.
    /// Nothing is opened then.
    fn by_lines(
        &self,
        find: &Find,
        more: &[&str],
        known: &Known,
    ) -> Result<Option<Vec<(&'static Kind, &'static May)>>, RecordsError> {
        if !find.kind.is_empty() {
            record_kind(&find.kind)?;
        }
        self.check_asked(find, more)?;
        if !known.is_held(self)? {
            return Ok(None);
        }
        let mut lines = Vec::<(&Kind, &May)>::new();
        for may in self.role.may {
            let of_kind = find.kind.is_empty() || may.kind == find.kind;
            let Some(kind) = node_domain::kind(may.kind).filter(|_| of_kind) else {
                continue;
            };
            if lines.iter().any(|(listed, _)| listed.name == kind.name) {
                continue;
            }
            if may.records != Records::All || !(find.words.is_empty() || sees_searched(may, kind)) {
                return Ok(None);
            }
            lines.push((kind, may));
        }
        Ok((!lines.is_empty()).then_some(lines))
    }

    /// All records that the role sees, as `find` asks for them, without its pages.
    fn seen(&self, find: &Find, known: &Known) -> Result<Vec<Seen>, RecordsError> {
        let asked = self.check_asked(find, &[])?;
        let everything = Find {
            offset: 0,
            limit: 0,
            words: String::new(),
            ..find.clone()
        };
        let words = find.words.to_lowercase();
        let words = words.split_whitespace().collect::<Vec<_>>();
        let kinds = self.role.may.iter().map(|may| may.kind);
        let kinds = kinds.filter(|kind| find.kind.is_empty() || find.kind == *kind);
        let kinds = kinds.collect::<BTreeSet<_>>();
        let mut all = Vec::new();
        if kinds.is_empty() || !known.is_held(self)? {
            return Ok(all);
        }
        let mut candidates = BTreeMap::new();
        for kind in &kinds {
            candidates.insert(*kind, self.candidates(kind, known)?);
        }
        let kinds = kinds.into_iter().collect::<Vec<_>>();
        for record in self.node.find_among(&everything, &kinds)?.records {
            let id = record.id.to_string();
            let among = candidates.get(record.kind.as_str());
            if let Some(Some(among)) = among
                && !among.contains(&id)
            {
                continue;
            }
            let (kind, fields) = self.node.record_fields_in(record.space, record.id)?;
            let Some(may) = self.may(&id, kind, &fields, known)? else {
                continue;
            };
            // What is delegated may be seen in less than the role's own records.
            if !asked.iter().all(|field| may_ask(may, kind, field)) {
                continue;
            }
            let fields = node_domain::visible(may, kind, fields);
            let has_words = words.is_empty() || {
                let text = json!(fields).to_string().to_lowercase();
                words.iter().all(|word| text.contains(word))
            };
            if has_words {
                all.push(Seen {
                    record,
                    kind,
                    fields,
                });
            }
        }
        Ok(all)
    }

    /// Of a kind of which the role reaches only some records, those that it may reach, by what
    /// lines say of them: no other needs to be opened. None if it may reach any.
    pub(super) fn candidates(
        &self,
        kind: &str,
        known: &Known,
    ) -> Result<Option<BTreeSet<String>>, RecordsError> {
        let mut ids = BTreeSet::new();
        for may in self.role.with_kind(kind) {
            let places = match may.records {
                Records::All => return Ok(None),
                Records::Delegated => {
                    ids.extend(known.delegated(self)?.keys().cloned());
                    continue;
                }
                Records::Own(places) => places,
            };
            for own in places {
                let path = match own {
                    Own::Itself => {
                        ids.insert(self.holder.clone());
                        continue;
                    }
                    Own::Field(_) | Own::Item { .. } => own.paths().into_iter().next(),
                };
                ids.extend(self.naming_holder(kind, &path.unwrap_or_default())?);
            }
        }
        Ok(Some(ids))
    }

    /// The records of a kind that name the holder at a path.
    fn naming_holder(&self, kind: &str, path: &str) -> Result<Vec<String>, RecordsError> {
        if self.holder.is_empty() {
            return Ok(Vec::new());
        }
        let records = self.node.naming(kind, path, &self.holder)?.into_iter();
        Ok(records.map(|record| record.id.to_string()).collect())
    }

    /// Checks that a list is not filtered or ordered by what the role does not see, which would
    /// tell it; gives the fields by which it is.
    pub(super) fn check_asked(
        &self,
        find: &Find,
        more: &[&str],
    ) -> Result<Vec<String>, RecordsError> {
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
}

/// A record that a role sees, with what it sees of it.
struct Seen {
    record: ListedRecord,
    kind: &'static Kind,
    fields: Object,
}

/// Takes out of a line what is not seen.
fn strip(record: &mut ListedRecord, kind: &Kind, seen: impl Fn(&str) -> bool) {
    if kind.columns.iter().any(|name| !seen(name)) {
        let columns = serde_json::from_str::<Object>(&record.json).unwrap_or_default();
        let columns = columns.into_iter().filter(|(name, _)| seen(name));
        record.json = Value::Object(columns.collect()).to_string();
    }
    if !seen(kind.title_field) {
        record.title.clear();
    }
}

/// Whether a role sees all that words are looked up in.
fn sees_searched(may: &May, kind: &Kind) -> bool {
    let title = std::iter::once(&kind.title_field);
    let mut searched = kind.searched.iter().chain(title);
    searched.all(|name| node_domain::reads(may, kind, name))
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
    text.split_once(' ').map_or(text, |(field, _)| field)
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
