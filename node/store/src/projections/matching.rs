//! Which records fit a query: one set for each condition, each read from one index in its order.

use node_feed::SpaceId;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, params};

use super::ids::Ids;
use super::lines::{owner_number, space_number};
use super::words::Words;
use super::{CellValue, Filter, ListQuery};
use crate::StoreError;

/// Up to so many records are looked at one by one rather than through an index of all.
const FEW: usize = 3_000;

/// The records that fit, and what is needed to put them in order.
pub(super) struct Matches {
    pub(super) ids: Ids,
    pub(super) kinds: Vec<i64>,
    /// The words as the index is asked for them, with how many records have them in all.
    pub(super) words: Option<(String, usize)>,
}

/// Finds the records that fit a query, whatever part of them is wanted.
pub(super) fn matching(connection: &Connection, query: &ListQuery) -> Result<Matches, StoreError> {
    let scope = Scope::of(connection, query)?;
    let mut matches = Matches {
        ids: Ids::default(),
        kinds: scope.kinds.clone(),
        words: None,
    };
    let mut found: Option<Ids> = None;
    match Words::typed(&query.words) {
        Words::None => {}
        Words::Unfindable => return Ok(matches),
        Words::Expression(expression) => {
            let with_words = with_words(connection, &expression)?;
            matches.words = Some((expression, with_words.len()));
            found = Some(with_words);
        }
    }
    let mut lacking = Vec::new();
    for filter in &query.filters {
        if found.as_ref().is_some_and(Ids::is_empty) {
            return Ok(matches);
        }
        let fitting = match filter {
            Filter::Is { field, values } => with_values(connection, field, values)?,
            Filter::AtLeast { field, value } => at_least(connection, field, value)?,
            Filter::AtMost { field, value } => at_most(connection, field, value)?,
            Filter::RefersTo { value } => referring_to(connection, value)?,
            Filter::Not { field, values } => {
                lacking.push(with_values(connection, field, values)?);
                continue;
            }
            Filter::Missing { field } => {
                lacking.push(with_any(connection, field)?);
                continue;
            }
        };
        match &mut found {
            Some(found) => found.keep(&fitting),
            None => found = Some(fitting),
        }
    }
    let mut ids = scope.keep(connection, found)?;
    for ids_with in &lacking {
        ids.subtract(ids_with);
    }
    matches.ids = ids;
    Ok(matches)
}

/// The records of which any field has this value.
pub(super) fn referring_to(connection: &Connection, value: &str) -> Result<Ids, StoreError> {
    let mut ids = Ids::default();
    let sql = "SELECT record FROM cells WHERE field = ?1 AND value = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    for field in numbers(connection, "SELECT id FROM fields", [])? {
        collect(&mut statement, params![field, value], &mut ids)?;
    }
    Ok(ids)
}

/// The number that stands for a field, if any record ever had it.
pub(super) fn field_number(
    connection: &Connection,
    field: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM fields WHERE field = ?1";
    let found = connection
        .prepare_cached(sql)?
        .query_row([field], |row| row.get(0));
    Ok(found.optional()?)
}

/// The records with these words.
pub(super) fn with_words(connection: &Connection, expression: &str) -> Result<Ids, StoreError> {
    let mut ids = Ids::default();
    let sql = "SELECT rowid FROM words WHERE words MATCH ?1";
    collect(&mut connection.prepare_cached(sql)?, [expression], &mut ids)?;
    Ok(ids)
}

fn with_values(connection: &Connection, field: &str, values: &[String]) -> Result<Ids, StoreError> {
    let mut ids = Ids::default();
    let Some(field) = field_number(connection, field)? else {
        return Ok(ids);
    };
    let sql = "SELECT record FROM cells WHERE field = ?1 AND value = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    for text in values {
        collect(&mut statement, params![field, text], &mut ids)?;
        if let Ok(number) = text.parse::<i64>() {
            collect(&mut statement, params![field, number], &mut ids)?;
        }
    }
    Ok(ids)
}

fn with_any(connection: &Connection, field: &str) -> Result<Ids, StoreError> {
    let sql = "SELECT record FROM cells WHERE field = ?1";
    with_cells(connection, field, sql, None)
}

// To SQLite every number is less than every text, and every text less than every blob.

fn at_least(connection: &Connection, field: &str, value: &CellValue) -> Result<Ids, StoreError> {
    let sql = match value {
        CellValue::Number(_) => {
            "SELECT record FROM cells WHERE field = ?1 AND value >= ?2 AND value < ''"
        }
        CellValue::Text(_) => {
            "SELECT record FROM cells WHERE field = ?1 AND value >= ?2 AND value < x''"
        }
    };
    with_cells(connection, field, sql, Some(value))
}

fn at_most(connection: &Connection, field: &str, value: &CellValue) -> Result<Ids, StoreError> {
    let sql = match value {
        CellValue::Number(_) => "SELECT record FROM cells WHERE field = ?1 AND value <= ?2",
        CellValue::Text(_) => {
            "SELECT record FROM cells WHERE field = ?1 AND value >= '' AND value <= ?2"
        }
    };
    with_cells(connection, field, sql, Some(value))
}

fn with_cells(
    connection: &Connection,
    field: &str,
    sql: &str,
    value: Option<&CellValue>,
) -> Result<Ids, StoreError> {
    let mut ids = Ids::default();
    let Some(field) = field_number(connection, field)? else {
        return Ok(ids);
    };
    let mut statement = connection.prepare_cached(sql)?;
    match value {
        Some(value) => collect(&mut statement, params![field, value], &mut ids)?,
        None => collect(&mut statement, [field], &mut ids)?,
    }
    Ok(ids)
}

fn collect(
    statement: &mut CachedStatement<'_>,
    params: impl Params,
    ids: &mut Ids,
) -> Result<(), StoreError> {
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        ids.insert(row.get(0)?);
    }
    Ok(())
}

fn numbers(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let numbers = statement.query_map(params, |row| row.get(0))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

/// Kinds, spaces and owner: what every record has.
struct Scope {
    kinds: Vec<i64>,
    /// Sorted; none if all may be shown.
    spaces: Option<Vec<i64>>,
    owner: Option<i64>,
    /// Only this one. That of a space without lines is no number at all.
    space: Option<Option<i64>>,
}

impl Scope {
    fn of(connection: &Connection, query: &ListQuery) -> Result<Self, StoreError> {
        let kinds = if query.kinds.is_empty() {
            numbers(connection, "SELECT id FROM kinds", [])?
        } else {
            let mut kinds = Vec::new();
            for kind in &query.kinds {
                let sql = "SELECT id FROM kinds WHERE kind = ?1";
                kinds.extend(numbers(connection, sql, [kind])?);
            }
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        };
        let number = |space: &SpaceId| space_number(connection, *space);
        let spaces = query.spaces.as_ref().map(|spaces| {
            let numbers = spaces.iter().filter_map(|space| number(space).transpose());
            let mut numbers = numbers.collect::<Result<Vec<_>, _>>()?;
            numbers.sort_unstable();
            Ok::<_, StoreError>(numbers)
        });
        Ok(Self {
            kinds,
            spaces: spaces.transpose()?,
            owner: query.owner.map(owner_number),
            space: query.space.as_ref().map(number).transpose()?,
        })
    }

    /// Leaves what is in scope of what was found, or all that is if nothing was looked for.
    fn keep(&self, connection: &Connection, found: Option<Ids>) -> Result<Ids, StoreError> {
        match found {
            Some(found) if found.len() <= FEW => self.keep_few(connection, &found),
            Some(mut found) => {
                found.keep(&self.all(connection)?);
                Ok(found)
            }
            None => self.all(connection),
        }
    }

    fn keep_few(&self, connection: &Connection, found: &Ids) -> Result<Ids, StoreError> {
        let sql = "SELECT kind, space, owner FROM records WHERE id = ?1";
        let mut statement = connection.prepare_cached(sql)?;
        let mut ids = Ids::default();
        for id in found.iter() {
            let fits = statement.query_row([id], |row| {
                let is_kind = self.kinds.binary_search(&row.get(0)?).is_ok();
                Ok(is_kind && self.has(row.get(1)?, row.get(2)?))
            });
            if fits.optional()? == Some(true) {
                ids.insert(id);
            }
        }
        Ok(ids)
    }

    /// Reads each part of the index that is in scope, and nothing beside it.
    fn all(&self, connection: &Connection) -> Result<Ids, StoreError> {
        let mut ids = Ids::default();
        let spaces = match self.space {
            None => numbers(connection, "SELECT id FROM spaces", [])?,
            Some(only) => only.into_iter().collect(),
        };
        let sql = "SELECT id FROM records INDEXED BY records_by_kind
                   WHERE kind = ?1 AND space = ?2";
        let mut shown = connection.prepare_cached(sql)?;
        let sql = "SELECT id FROM records INDEXED BY records_by_kind
                   WHERE kind = ?1 AND space = ?2 AND owner = ?3";
        let mut own = connection.prepare_cached(sql)?;
        for kind in &self.kinds {
            for space in &spaces {
                if self.may_show(*space) {
                    collect(&mut shown, [kind, space], &mut ids)?;
                } else if let Some(owner) = &self.owner {
                    collect(&mut own, [kind, space, owner], &mut ids)?;
                }
            }
        }
        Ok(ids)
    }

    fn may_show(&self, space: i64) -> bool {
        let spaces = self.spaces.as_ref();
        spaces.is_none_or(|spaces| spaces.binary_search(&space).is_ok())
    }

    fn has(&self, space: i64, owner: i64) -> bool {
        (self.may_show(space) || self.owner == Some(owner))
            && self.space.is_none_or(|only| only == Some(space))
    }
}
