//! What is read of the lines.

use node_feed::{SpaceId, Subject};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::matching::{field_number, matching, referring_to};
use super::order::page;
use super::{CellValue, ListQuery, Listing, RecordRow};
use crate::StoreError;

const LINE: &str = "SELECT r.subject, s.space, k.kind, r.title, r.json FROM records r
                    CROSS JOIN spaces s ON s.id = r.space CROSS JOIN kinds k ON k.id = r.kind";

pub(super) fn list(connection: &Connection, query: &ListQuery) -> Result<Listing, StoreError> {
    let matches = matching(connection, query)?;
    let total = matches.ids.len() as u64;
    let rows = lines(connection, page(connection, query, matches)?)?;
    Ok(Listing { total, rows })
}

pub(super) fn count_by(
    connection: &Connection,
    query: &ListQuery,
    field: &str,
) -> Result<Vec<(CellValue, u64)>, StoreError> {
    let Some(field) = field_number(connection, field)? else {
        return Ok(Vec::new());
    };
    let ids = matching(connection, query)?.ids;
    let sql = "SELECT value, record FROM cells INDEXED BY cells_by_value
               WHERE field = ?1 ORDER BY value";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([field])?;
    let (mut counts, mut counted) = (Vec::<(CellValue, u64)>::new(), Value::Null);
    while let Some(row) = rows.next()? {
        if !ids.contains(row.get(1)?) {
            continue;
        }
        let value = row.get_ref(0)?;
        match counts.last_mut() {
            Some((_, count)) if ValueRef::from(&counted) == value => *count += 1,
            Some(_) | None => {
                counted = row.get(0)?;
                counts.extend(cell_value(&counted).map(|value| (value, 1)));
            }
        }
    }
    Ok(counts)
}

pub(super) fn referring(
    connection: &Connection,
    value: &str,
) -> Result<Vec<RecordRow>, StoreError> {
    let ids = referring_to(connection, value)?;
    lines(connection, ids.iter())
}

pub(super) fn lines_of(
    connection: &Connection,
    subject: Subject,
) -> Result<Vec<RecordRow>, StoreError> {
    let sql = format!("{LINE} WHERE r.subject = ?1 ORDER BY s.space");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([subject.as_bytes()], line)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn records(
    connection: &Connection,
    kind: Option<&str>,
    space: Option<SpaceId>,
) -> Result<Vec<RecordRow>, StoreError> {
    // Each condition by its index: with both in one expression every line would be looked at.
    let of_kind = match kind {
        Some(_) => "r.kind = (SELECT id FROM kinds WHERE kind = ?1)",
        None => "?1 IS NULL",
    };
    let in_space = match space {
        Some(_) => "r.space = (SELECT id FROM spaces WHERE space = ?2)",
        None => "?2 IS NULL",
    };
    let sql = format!(
        "{LINE} WHERE {of_kind} AND {in_space}
         ORDER BY k.kind, r.sorted, r.title, r.subject, s.space"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let space = space.map(|space| space.as_bytes().to_vec());
    let rows = statement.query_map(params![kind, space], line)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn lines(
    connection: &Connection,
    ids: impl IntoIterator<Item = i64>,
) -> Result<Vec<RecordRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{LINE} WHERE r.id = ?1"))?;
    let rows = ids
        .into_iter()
        .filter_map(|id| statement.query_row([id], line).optional().transpose());
    Ok(rows.collect::<Result<_, _>>()?)
}

fn line(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    Ok(RecordRow {
        subject: Subject::from_bytes(row.get(0)?),
        space: SpaceId::from_bytes(row.get(1)?),
        kind: row.get(2)?,
        title: row.get(3)?,
        json: row.get(4)?,
        searched: String::new(),
        cells: Vec::new(),
    })
}

/// Cells are numbers and texts, and nothing else is ever written.
fn cell_value(value: &Value) -> Option<CellValue> {
    match value {
        Value::Integer(number) => Some(CellValue::Number(*number)),
        Value::Text(text) => Some(CellValue::Text(text.clone())),
        Value::Null | Value::Real(_) | Value::Blob(_) => None,
    }
}
