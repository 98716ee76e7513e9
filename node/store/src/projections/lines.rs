//! Writing lines: the rows, their cells, and the index of their words.

use std::collections::{BTreeMap, HashMap};

use node_feed::{HubId, SpaceId, Subject};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, Params, ToSql, Transaction, params};

use super::{CellValue, RecordRow};
use crate::StoreError;

/// Taking one line's words out of the index costs about as much as indexing so many lines anew.
const INDEXED_ANEW: i64 = 100;
/// Of so few lines, the words are taken out one by one in any case.
const FEW: usize = 20;

/// Puts lines in, each in the place of an earlier one of the same space and subject.
pub(super) fn put(transaction: &Transaction<'_>, rows: &[RecordRow]) -> Result<(), StoreError> {
    // Of one that is there twice, the last counts.
    let rows = rows.iter().map(|row| ((row.space, row.subject), row));
    let mut names = Names::default();
    let mut changes = Changes::default();
    for row in rows.collect::<BTreeMap<_, _>>().values() {
        put_one(transaction, &mut names, &mut changes, row)?;
    }
    changes.index(transaction)
}

/// Takes out the lines that `condition` on the table `records` picks, and says how many.
pub(super) fn take_out(
    transaction: &Transaction<'_>,
    condition: &str,
    value: impl Params,
) -> Result<usize, StoreError> {
    let sql = format!("SELECT id, title, searched FROM records WHERE {condition}");
    let mut changes = Changes {
        old: transaction
            .prepare_cached(&sql)?
            .query_map(value, |row| {
                Ok(Indexed {
                    id: row.get(0)?,
                    title: row.get(1)?,
                    searched: row.get(2)?,
                })
            })?
            .collect::<Result<_, _>>()?,
        new: Vec::new(),
    };
    let count = changes.old.len();
    for line in &changes.old {
        for sql in [
            "DELETE FROM cells WHERE record = ?1",
            "DELETE FROM records WHERE id = ?1",
        ] {
            transaction.prepare_cached(sql)?.execute([line.id])?;
        }
    }
    changes.index(transaction)?;
    Ok(count)
}

/// A hub's eight bytes as a number.
pub(super) const fn owner_number(hub: HubId) -> i64 {
    i64::from_be_bytes(*hub.as_bytes())
}

/// Whether a record has a line; `space` is the file's own number of its space.
pub(super) fn is_there(
    connection: &Connection,
    space: i64,
    subject: Subject,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM records WHERE space = ?1 AND subject = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.exists(rusqlite::params![space, subject.as_bytes()])?)
}

/// The number that stands for a space, if anything of it was ever kept.
pub(super) fn space_number(
    connection: &Connection,
    space: SpaceId,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM spaces WHERE space = ?1";
    let found = connection
        .prepare_cached(sql)?
        .query_row([space.as_bytes()], |row| row.get(0));
    Ok(found.optional()?)
}

impl ToSql for CellValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

/// A line as the index of words has it.
struct Indexed {
    id: i64,
    title: String,
    searched: String,
}

/// What the index of words must be told.
#[derive(Default)]
struct Changes {
    old: Vec<Indexed>,
    new: Vec<Indexed>,
}

impl Changes {
    fn index(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        if self.old.len() > FEW {
            let last = "SELECT coalesce(max(id), 0) FROM records";
            let lines: i64 = transaction.query_row(last, [], |row| row.get(0))?;
            let one_by_one = i64::try_from(self.old.len()).unwrap_or(i64::MAX);
            if one_by_one.saturating_mul(INDEXED_ANEW) > lines {
                transaction.execute("INSERT INTO words (words) VALUES ('rebuild')", [])?;
                return Ok(());
            }
        }
        let sql = "INSERT INTO words (words, rowid, title, searched) VALUES ('delete', ?1, ?2, ?3)";
        write_all(transaction, sql, &self.old)?;
        let sql = "INSERT INTO words (rowid, title, searched) VALUES (?1, ?2, ?3)";
        write_all(transaction, sql, &self.new)
    }
}

fn write_all(
    transaction: &Transaction<'_>,
    sql: &str,
    lines: &[Indexed],
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(sql)?;
    for line in lines {
        statement.execute(params![line.id, line.title, line.searched])?;
    }
    Ok(())
}

fn put_one(
    transaction: &Transaction<'_>,
    names: &mut Names,
    changes: &mut Changes,
    row: &RecordRow,
) -> Result<(), StoreError> {
    let space = names.number(transaction, Names::SPACES, row.space.as_bytes())?;
    let kind = names.number(transaction, Names::KINDS, &row.kind)?;
    let owner = owner_number(row.subject.owner());
    let sorted = row.title.to_lowercase();
    let columns = params![
        space,
        row.subject.as_bytes(),
        kind,
        owner,
        row.title,
        sorted,
        row.json,
        row.searched
    ];
    let old = held(transaction, space, row.subject)?;
    let id = if let Some(old) = &old {
        let sql = "UPDATE records SET kind = ?3, owner = ?4, title = ?5, sorted = ?6, json = ?7,
                   searched = ?8 WHERE space = ?1 AND subject = ?2";
        transaction.prepare_cached(sql)?.execute(columns)?;
        let sql = "DELETE FROM cells WHERE record = ?1";
        transaction.prepare_cached(sql)?.execute([old.id])?;
        old.id
    } else {
        let sql = "INSERT INTO records
                   (space, subject, kind, owner, title, sorted, json, searched)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        transaction.prepare_cached(sql)?.execute(columns)?;
        transaction.last_insert_rowid()
    };
    put_cells(transaction, names, id, row)?;
    let same = |old: &Indexed| old.title == row.title && old.searched == row.searched;
    if !old.as_ref().is_some_and(same) {
        changes.old.extend(old);
        changes.new.push(Indexed {
            id,
            title: row.title.clone(),
            searched: row.searched.clone(),
        });
    }
    Ok(())
}

fn held(
    transaction: &Transaction<'_>,
    space: i64,
    subject: Subject,
) -> Result<Option<Indexed>, StoreError> {
    let sql = "SELECT id, title, searched FROM records WHERE space = ?1 AND subject = ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    let found = statement.query_row(params![space, subject.as_bytes()], |row| {
        Ok(Indexed {
            id: row.get(0)?,
            title: row.get(1)?,
            searched: row.get(2)?,
        })
    });
    Ok(found.optional()?)
}

fn put_cells(
    transaction: &Transaction<'_>,
    names: &mut Names,
    id: i64,
    row: &RecordRow,
) -> Result<(), StoreError> {
    let empty = CellValue::Text(String::new());
    let mut cells = row
        .cells
        .iter()
        .filter(|cell| cell.value != empty)
        .collect::<Vec<_>>();
    cells.sort_unstable();
    cells.dedup();
    let sql = "INSERT INTO cells (record, field, value, edge) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = transaction.prepare_cached(sql)?;
    for (index, cell) in cells.iter().enumerate() {
        let field = names.number(transaction, Names::FIELDS, &cell.field)?;
        let other = |at: Option<usize>| {
            let other = at.and_then(|at| cells.get(at));
            other.is_none_or(|other| other.field != cell.field)
        };
        let (least, greatest) = (other(index.checked_sub(1)), other(index.checked_add(1)));
        let edge = u8::from(least) + 2 * u8::from(greatest);
        statement.execute(params![id, field, cell.value, edge])?;
    }
    Ok(())
}

/// The numbers that stand for names, made when they are new.
#[derive(Default)]
struct Names(HashMap<(&'static str, Vec<u8>), i64>);

impl Names {
    const SPACES: (&'static str, &'static str) = ("spaces", "space");
    const KINDS: (&'static str, &'static str) = ("kinds", "kind");
    const FIELDS: (&'static str, &'static str) = ("fields", "field");

    fn number<N>(
        &mut self,
        transaction: &Transaction<'_>,
        (table, column): (&'static str, &'static str),
        name: &N,
    ) -> Result<i64, StoreError>
    where
        N: ToSql + AsRef<[u8]> + ?Sized,
    {
        let key = (table, name.as_ref().to_vec());
        if let Some(number) = self.0.get(&key) {
            return Ok(*number);
        }
        let sql = format!("INSERT OR IGNORE INTO {table} ({column}) VALUES (?1)");
        transaction.prepare_cached(&sql)?.execute([name])?;
        let sql = format!("SELECT id FROM {table} WHERE {column} = ?1");
        let number = transaction
            .prepare_cached(&sql)?
            .query_row([name], |row| row.get(0))?;
        self.0.insert(key, number);
        Ok(number)
    }
}
