//! Putting records in order, as far as a part of them is wanted.
//!
//! Few records are fetched and sorted. Of many, the index of what they are sorted by is followed
//! until the part that is wanted is complete; those that are equal by it are sorted by what comes
//! next.

use std::cmp::Ordering;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{CachedStatement, Connection, params};

use super::ids::Ids;
use super::matching::{Matches, field_number, with_words};
use super::{ListQuery, Sort};
use crate::StoreError;

/// Of more records that have the words, those with the words in their title come first, and each
/// part by title: to weigh every one of them would take too long, and tell little.
const RANKED_MAX: usize = 5_000;
/// Up to so many records are fetched and sorted.
const SORTED_MAX: usize = 500;

/// The field by which titles are sorted.
const TITLE: &str = "title";

/// The part of the records that `query` wants, in order.
pub(super) fn page(
    connection: &Connection,
    query: &ListQuery,
    matches: Matches,
) -> Result<Vec<i64>, StoreError> {
    let mut page = Page {
        connection,
        kinds: matches.kinds,
        passed_over: usize::try_from(query.offset).unwrap_or(usize::MAX),
        left: usize::try_from(query.limit).unwrap_or(usize::MAX),
        ids: Vec::new(),
    };
    let mut keys = Vec::new();
    for sort in &query.sort {
        keys.extend(Key::of(connection, sort)?);
    }
    if !keys.iter().any(|key| key.by == By::Title) {
        keys.push(Key {
            by: By::Title,
            descending: false,
        });
    }
    match matches.words.filter(|_| query.sort.is_empty()) {
        None => page.take(&keys, matches.ids)?,
        Some((expression, found)) if found <= RANKED_MAX => {
            page.take_ranked(&expression, &matches.ids)?;
        }
        Some((expression, _)) => {
            let mut titled = with_words(connection, &format!("title : ({expression})"))?;
            titled.keep(&matches.ids);
            let mut others = matches.ids;
            others.subtract(&titled);
            page.take(&keys, titled)?;
            page.take(&keys, others)?;
        }
    }
    Ok(page.ids)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Title,
    Field(i64),
}

#[derive(Debug, Clone, Copy)]
struct Key {
    by: By,
    descending: bool,
}

impl Key {
    /// None for a field that no record has: it puts nothing in order.
    fn of(connection: &Connection, sort: &Sort) -> Result<Option<Self>, StoreError> {
        let by = if sort.field == TITLE {
            Some(By::Title)
        } else {
            field_number(connection, &sort.field)?.map(By::Field)
        };
        let descending = sort.descending;
        Ok(by.map(|by| Self { by, descending }))
    }

    /// The query that answers values with records, in order.
    fn walk<'c>(
        &self,
        connection: &'c Connection,
        kinds: &[i64],
    ) -> Result<(CachedStatement<'c>, Option<i64>), StoreError> {
        let (sql, value) = match (self.by, kinds, self.descending) {
            (By::Title, [kind], false) => (
                "SELECT sorted, id FROM records INDEXED BY records_by_kind_and_title
                 WHERE kind = ?1 ORDER BY sorted",
                Some(*kind),
            ),
            (By::Title, [kind], true) => (
                "SELECT sorted, id FROM records INDEXED BY records_by_kind_and_title
                 WHERE kind = ?1 ORDER BY sorted DESC",
                Some(*kind),
            ),
            (By::Title, _, false) => (
                "SELECT sorted, id FROM records INDEXED BY records_by_title ORDER BY sorted",
                None,
            ),
            (By::Title, _, true) => (
                "SELECT sorted, id FROM records INDEXED BY records_by_title ORDER BY sorted DESC",
                None,
            ),
            (By::Field(field), _, false) => (
                "SELECT value, record FROM cells INDEXED BY cells_by_value
                 WHERE field = ?1 AND edge & 1 ORDER BY value",
                Some(field),
            ),
            (By::Field(field), _, true) => (
                "SELECT value, record FROM cells INDEXED BY cells_by_value
                 WHERE field = ?1 AND edge & 2 ORDER BY value DESC",
                Some(field),
            ),
        };
        Ok((connection.prepare_cached(sql)?, value))
    }

    /// A record's value; nothing if it has none.
    fn value(&self, connection: &Connection, id: i64) -> Result<Value, StoreError> {
        let value = |row: &rusqlite::Row<'_>| row.get(0);
        let value = match (self.by, self.descending) {
            (By::Title, _) => connection
                .prepare_cached("SELECT sorted FROM records WHERE id = ?1")?
                .query_row([id], value),
            (By::Field(field), false) => connection
                .prepare_cached("SELECT min(value) FROM cells WHERE record = ?1 AND field = ?2")?
                .query_row(params![id, field], value),
            (By::Field(field), true) => connection
                .prepare_cached("SELECT max(value) FROM cells WHERE record = ?1 AND field = ?2")?
                .query_row(params![id, field], value),
        };
        Ok(value?)
    }

    fn compare(&self, one: &Value, other: &Value) -> Ordering {
        match (one, other) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Greater,
            (_, Value::Null) => Ordering::Less,
            _ if self.descending => compare(other, one),
            _ => compare(one, other),
        }
    }
}

/// In SQLite's order, which the index has too.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::Integer(_), _) => Ordering::Less,
        (_, Value::Integer(_)) => Ordering::Greater,
        // Cells are numbers and texts, and nothing else is ever written.
        _ => Ordering::Equal,
    }
}

struct Page<'c> {
    connection: &'c Connection,
    kinds: Vec<i64>,
    passed_over: usize,
    left: usize,
    ids: Vec<i64>,
}

impl Page<'_> {
    /// Takes what is wanted of `ids`, which follow all that was taken before.
    fn take(&mut self, keys: &[Key], ids: Ids) -> Result<(), StoreError> {
        if ids.len() <= self.passed_over {
            self.passed_over -= ids.len();
            return Ok(());
        }
        if self.left == 0 {
            return Ok(());
        }
        match keys.split_first() {
            None => self.take_all(ids.iter()),
            Some(_) if ids.len() <= SORTED_MAX => self.sort(keys, &ids)?,
            Some((first, rest)) => self.follow(*first, rest, ids)?,
        }
        Ok(())
    }

    fn take_all(&mut self, ids: impl Iterator<Item = i64>) {
        for id in ids {
            if self.passed_over > 0 {
                self.passed_over -= 1;
            } else if self.left > 0 {
                self.left -= 1;
                self.ids.push(id);
            } else {
                return;
            }
        }
    }

    fn sort(&mut self, keys: &[Key], ids: &Ids) -> Result<(), StoreError> {
        let mut lines = Vec::with_capacity(ids.len());
        for id in ids.iter() {
            let values = keys.iter().map(|key| key.value(self.connection, id));
            lines.push((values.collect::<Result<Vec<_>, _>>()?, id));
        }
        // Stable: those that are equal stay in the order of their numbers.
        lines.sort_by(|(one, _), (other, _)| {
            let pairs = keys.iter().zip(one.iter().zip(other));
            let mut orders = pairs.map(|(key, (one, other))| key.compare(one, other));
            orders
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        self.take_all(lines.into_iter().map(|(_, id)| id));
        Ok(())
    }

    fn follow(&mut self, key: Key, rest: &[Key], mut ids: Ids) -> Result<(), StoreError> {
        let (mut statement, value) = key.walk(self.connection, &self.kinds)?;
        let mut rows = match value {
            Some(value) => statement.query([value])?,
            None => statement.query([])?,
        };
        let mut equal = Vec::new();
        let mut equal_by = Value::Null;
        while self.left > 0
            && !ids.is_empty()
            && let Some(row) = rows.next()?
        {
            let id = row.get(1)?;
            if !ids.remove(id) {
                continue;
            }
            let value = row.get_ref(0)?;
            if value != ValueRef::from(&equal_by) {
                self.take_equal(rest, &mut equal)?;
                equal_by = row.get(0)?;
            }
            equal.push(id);
        }
        self.take_equal(rest, &mut equal)?;
        if self.left > 0 {
            self.take(rest, ids)?;
        }
        Ok(())
    }

    fn take_equal(&mut self, keys: &[Key], equal: &mut Vec<i64>) -> Result<(), StoreError> {
        match equal.as_slice() {
            [] => {}
            [one] => self.take_all([*one].into_iter()),
            several => self.take(keys, several.iter().copied().collect())?,
        }
        equal.clear();
        Ok(())
    }

    fn take_ranked(&mut self, expression: &str, ids: &Ids) -> Result<(), StoreError> {
        let sql = "SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rank";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([expression])?;
        while self.left > 0
            && let Some(row) = rows.next()?
        {
            let id = row.get(0)?;
            if ids.contains(id) {
                self.take_all([id].into_iter());
            }
        }
        Ok(())
    }
}
