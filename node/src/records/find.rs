//! Finding records: words, filters, order, pages and counts.

use std::collections::BTreeSet;

use node_domain::{Check, Field, KINDS};
use node_store::{CellValue, Filter, ListQuery, RecordRow, Sort};

use super::list::ListedRecord;
use super::versions::cell_value;
use super::{RecordsError, parse_space, record_id, record_kind};
use crate::Node;

/// The most records that one list holds where no limit is given.
const LIST_MAX: u64 = 1_000_000;

/// Which records are wanted, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Find {
    /// A kind; all if empty.
    pub kind: String,
    /// A space's id; all if empty.
    pub space: String,
    /// Words that must all be there; of the last the beginning is enough.
    pub words: String,
    /// Such as `state is running`, `members/urn is 900001, 900002`, `state is not closed`,
    /// `budget at least 10000`, `due at most 2027-03-31`, `urn missing`; a value that holds a
    /// comma stands in quotation marks.
    pub filters: Vec<String>,
    /// Fields, `title` among them; with a leading `-` descending.
    pub sort: Vec<String>,
    /// How many are left out at the front.
    pub offset: u64,
    /// How many are wanted; all if 0.
    pub limit: u64,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// How many there are in all.
    pub total: u64,
    /// The records of this page.
    pub records: Vec<ListedRecord>,
}

impl Node {
    /// Records as `find` asks for them: of the spaces that this hub may read, and its own. Like
    /// [`Node::list_records`] it goes on with lists as they are while they cannot be written.
    ///
    /// # Errors
    /// [`RecordsError::Kind`], [`RecordsError::Id`] or [`RecordsError::Refused`] for what cannot be
    /// asked for.
    pub fn find_records(&self, find: &Find) -> Result<Listing, RecordsError> {
        self.find_among(find, &[])
    }

    /// The same of these kinds alone, or of any if none is named.
    pub(crate) fn find_among(&self, find: &Find, kinds: &[&str]) -> Result<Listing, RecordsError> {
        let query = self.query(find, kinds)?;
        self.catch_up_if_possible();
        let found = self.inner.storage.list(&query)?;
        Ok(Listing {
            total: found.total,
            records: found.rows.into_iter().filter_map(listed).collect(),
        })
    }

    /// How many of the records that `find` asks for hold each value of `field`, whatever the page.
    ///
    /// # Errors
    /// As for [`Node::find_records`].
    pub fn count_records(
        &self,
        find: &Find,
        field: &str,
    ) -> Result<Vec<(String, u64)>, RecordsError> {
        self.count_among(find, &[], field)
    }

    /// The same of these kinds alone, or of any if none is named.
    pub(crate) fn count_among(
        &self,
        find: &Find,
        kinds: &[&str],
        field: &str,
    ) -> Result<Vec<(String, u64)>, RecordsError> {
        let query = self.query(find, kinds)?;
        let kind = Some(find.kind.as_str()).filter(|kind| !kind.is_empty());
        check_field(field, &known_fields(kind))?;
        let counts = || Ok(self.inner.storage.count_by(&query, field)?);
        let counts = match kind {
            Some(kind) => self
                .remembered_of_kinds(
                    &[kind],
                    &["counts", field, &format!("{find:?} {kinds:?}")],
                    |counts: &Vec<(CellValue, u64)>| counts.len() * 64,
                    counts,
                )?
                .as_ref()
                .clone(),
            None => {
                self.catch_up_if_possible();
                counts()?
            }
        };
        let named = counts.into_iter().map(|(value, count)| {
            let value = match value {
                CellValue::Text(text) => text,
                CellValue::Number(number) => number.to_string(),
            };
            (value, count)
        });
        Ok(named.collect())
    }

    /// The records of a kind of which a field, or a field of an item, has this value.
    pub(crate) fn naming(
        &self,
        kind: &str,
        path: &str,
        value: &str,
    ) -> Result<Vec<ListedRecord>, RecordsError> {
        let query = ListQuery {
            kinds: vec![kind.to_owned()],
            filters: vec![Filter::Is {
                field: path.to_owned(),
                values: vec![value.to_owned()],
            }],
            ..self.may_list()
        };
        self.catch_up_if_possible();
        let rows = self.inner.storage.list(&query)?.rows.into_iter();
        Ok(rows.filter_map(listed).collect())
    }

    /// All that this hub may list.
    pub(crate) fn may_list(&self) -> ListQuery {
        let authority = self.authority();
        let hub = self.hub();
        let readable = authority.spaces().keys().copied();
        let readable =
            readable.filter(|space| hub.is_some_and(|hub| authority.access(hub, *space).is_some()));
        ListQuery {
            spaces: Some(readable.collect()),
            owner: hub,
            limit: LIST_MAX,
            ..ListQuery::default()
        }
    }

    fn query(&self, find: &Find, among: &[&str]) -> Result<ListQuery, RecordsError> {
        let kind = Some(find.kind.as_str()).filter(|kind| !kind.is_empty());
        let kinds = match kind {
            Some(kind) => vec![record_kind(kind)?.name.to_owned()],
            None => among.iter().map(|kind| (*kind).to_owned()).collect(),
        };
        let space = Some(find.space.as_str()).filter(|space| !space.is_empty());
        let known = known_fields(kind);
        let filters = find.filters.iter().map(|text| filter(text, &known));
        let sort = find.sort.iter().map(|field| {
            let name = field.trim_start_matches('-');
            Ok::<_, RecordsError>(Sort {
                field: check_field(name, &known)?,
                descending: field.starts_with('-'),
            })
        });
        Ok(ListQuery {
            kinds,
            space: space.map(parse_space).transpose()?,
            words: find.words.clone(),
            filters: filters.collect::<Result<_, _>>()?,
            sort: sort.collect::<Result<_, _>>()?,
            offset: find.offset,
            limit: if find.limit == 0 {
                LIST_MAX
            } else {
                find.limit
            },
            ..self.may_list()
        })
    }
}

fn listed(row: RecordRow) -> Option<ListedRecord> {
    Some(ListedRecord {
        id: record_id(&row.kind, row.subject).ok()?,
        kind: row.kind,
        space: row.space,
        title: row.title,
        json: row.json,
    })
}

/// What lists of a kind, or of any, can be filtered and sorted by.
fn known_fields(kind: Option<&str>) -> BTreeSet<String> {
    let kinds = KINDS
        .iter()
        .filter(|it| kind.is_none_or(|kind| it.name == kind));
    let mut known = BTreeSet::from(["title".to_owned()]);
    for kind in kinds {
        let named = kind.columns.iter().chain(kind.filtered);
        known.extend(named.map(|name| (*name).to_owned()));
        for field in kind.fields {
            let refers = |field: &Field| matches!(field.check, Check::Reference(_));
            if refers(field) {
                known.insert(field.name.to_owned());
            }
            let items = field.items().unwrap_or_default().iter();
            let items = items.filter(|inner| refers(inner));
            known.extend(items.map(|inner| format!("{}/{}", field.name, inner.name)));
        }
    }
    known
}

fn check_field(name: &str, known: &BTreeSet<String>) -> Result<String, RecordsError> {
    if known.contains(name) {
        return Ok(name.to_owned());
    }
    let known = known.iter().map(String::as_str).collect::<Vec<_>>();
    Err(RecordsError::Refused(format!(
        "lists cannot be filtered, sorted or counted by \"{name}\"; they can by {}",
        known.join(", ")
    )))
}

/// The filter that a field is just this value, whatever stands in it.
pub fn is(field: &str, value: &str) -> String {
    format!("{field} is \"{}\"", value.replace('"', "\"\""))
}

/// The values of a filter, apart by commas; one that holds a comma stands in quotation marks, in
/// which one mark is written as two.
fn values(list: &str) -> Vec<String> {
    let (mut values, mut value, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = list.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                value.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => values.push(std::mem::take(&mut value)),
            _ => value.push(letter),
        }
    }
    values.push(value);
    let values = values.into_iter().map(|value| value.trim().to_owned());
    values.filter(|value| !value.is_empty()).collect()
}

/// A filter as people write it.
fn filter(text: &str, known: &BTreeSet<String>) -> Result<Filter, RecordsError> {
    let wrong = || {
        RecordsError::Refused(format!(
            "\"{text}\" is no filter: write, for example, \"state is running\", \"state is not \
             closed\", \"budget at least 10000\", \"due at most 2027-03-31\" or \"urn missing\""
        ))
    };
    let text = text.trim();
    let (field, rest) = text.split_once(' ').ok_or_else(wrong)?;
    let field = check_field(field, known)?;
    if rest.trim() == "missing" {
        return Ok(Filter::Missing { field });
    }
    if let Some(list) = rest.strip_prefix("is not ") {
        return Ok(Filter::Not {
            field,
            values: values(list),
        });
    }
    if let Some(list) = rest.strip_prefix("is ") {
        return Ok(Filter::Is {
            field,
            values: values(list),
        });
    }
    if let Some(least) = rest.strip_prefix("at least ") {
        let value = cell_value(least.trim());
        return Ok(Filter::AtLeast { field, value });
    }
    if let Some(most) = rest.strip_prefix("at most ") {
        let value = cell_value(most.trim());
        return Ok(Filter::AtMost { field, value });
    }
    Err(wrong())
}

#[cfg(test)]
mod tests {
    use super::{is, values};

    #[test]
    fn a_value_with_a_comma_stands_in_quotation_marks() {
        assert_eq!(values("running, completed"), ["running", "completed"]);
        assert_eq!(
            values("\"Mastery, focus A\", other"),
            ["Mastery, focus A", "other"]
        );
        assert_eq!(values("\"open"), ["open"]);
        let said = is("title", "the \"best\", is missing");
        let (_, said) = said.split_once(" is ").expect("a filter");
        assert_eq!(values(said), ["the \"best\", is missing"]);
    }
}
