//! How far the file reflects the store, documents' saved states, and what is set aside of them.

use bytes::Bytes;
use node_feed::{FeedName, Hash, SpaceId, Subject};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{SavedState, SetAsideRow};
use crate::StoreError;

pub(super) fn reflects(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT arrival FROM reflects";
    let mut statement = connection.prepare_cached(sql)?;
    let arrival = statement.query_row([], |row| row.get::<_, i64>(0));
    Ok(arrival.optional()?.map_or(0, i64::cast_unsigned))
}

pub(super) fn settled(connection: &Connection, space: SpaceId) -> Result<Option<Hash>, StoreError> {
    let sql = "SELECT evidence FROM settled WHERE space = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([space.as_bytes()], |row| row.get(0).map(Hash::from_bytes));
    Ok(found.optional()?)
}

pub(super) fn spaces(connection: &Connection) -> Result<Vec<SpaceId>, StoreError> {
    let sql = "SELECT space FROM spaces s
               WHERE EXISTS (SELECT 1 FROM records r WHERE r.space = s.id)
               UNION SELECT space FROM snapshots
               UNION SELECT space FROM set_aside UNION SELECT space FROM settled";
    let mut statement = connection.prepare_cached(sql)?;
    let spaces = statement.query_map([], |row| row.get(0).map(SpaceId::from_bytes))?;
    Ok(spaces.collect::<Result<_, _>>()?)
}

pub(super) fn snapshot(
    connection: &Connection,
    space: SpaceId,
    subject: Subject,
) -> Result<Option<(u64, Bytes)>, StoreError> {
    let sql = "SELECT arrival, bytes FROM snapshots WHERE space = ?1 AND subject = ?2";
    let key = (space.as_bytes(), subject.as_bytes());
    let found = connection.prepare_cached(sql)?.query_row(key, |row| {
        let arrival = row.get::<_, i64>(0)?.cast_unsigned();
        Ok((arrival, row.get::<_, Vec<u8>>(1)?.into()))
    });
    Ok(found.optional()?)
}

pub(super) fn snapshot_arrival(
    connection: &Connection,
    space: SpaceId,
    subject: Subject,
) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT arrival FROM snapshots WHERE space = ?1 AND subject = ?2";
    let key = (space.as_bytes(), subject.as_bytes());
    let mut statement = connection.prepare_cached(sql)?;
    let arrival = statement.query_row(key, |row| row.get::<_, i64>(0));
    Ok(arrival.optional()?.map(i64::cast_unsigned))
}

pub(super) fn put_snapshots(
    transaction: &Transaction<'_>,
    states: &[SavedState],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO snapshots (space, subject, arrival, bytes) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (space, subject)
               DO UPDATE SET arrival = excluded.arrival, bytes = excluded.bytes";
    let mut statement = transaction.prepare_cached(sql)?;
    for state in states {
        let (space, subject) = (state.space.as_bytes(), state.subject.as_bytes());
        let arrival = state.arrival.cast_signed();
        statement.execute(params![space, subject, arrival, &state.bytes[..]])?;
    }
    Ok(())
}

pub(super) fn is_any_set_aside(
    connection: &Connection,
    space: SpaceId,
    subject: Subject,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM set_aside WHERE space = ?1 AND subject = ?2 AND alone = 0";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.exists((space.as_bytes(), subject.as_bytes()))?)
}

/// Replaces what is set aside with a document. What is set aside by itself stays.
pub(super) fn put_set_aside(
    transaction: &Transaction<'_>,
    space: SpaceId,
    subject: Subject,
    rows: &[SetAsideRow],
) -> Result<(), StoreError> {
    let key = (space.as_bytes(), subject.as_bytes());
    let sql = "DELETE FROM set_aside WHERE space = ?1 AND subject = ?2 AND alone = 0";
    transaction.prepare_cached(sql)?.execute(key)?;
    for row in rows {
        add_set_aside(transaction, row)?;
    }
    Ok(())
}

pub(super) fn add_set_aside(
    transaction: &Transaction<'_>,
    row: &SetAsideRow,
) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO set_aside
               (space, subject, feed, number, hash, reason, alone)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (space, subject) = (row.space.as_bytes(), row.subject.as_bytes());
    let (feed, hash) = (row.feed.as_bytes(), row.hash.as_bytes());
    let number = row.number.cast_signed();
    let values = params![space, subject, feed, number, hash, row.reason, row.alone];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

pub(super) fn set_aside_count(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM set_aside")?;
    let count = statement.query_row([], |row| row.get::<_, i64>(0))?;
    Ok(count.cast_unsigned())
}

pub(super) fn set_aside(connection: &Connection) -> Result<Vec<SetAsideRow>, StoreError> {
    let sql = "SELECT space, subject, feed, number, hash, reason, alone FROM set_aside
               ORDER BY space, subject, feed, number";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(SetAsideRow {
            space: SpaceId::from_bytes(row.get(0)?),
            subject: Subject::from_bytes(row.get(1)?),
            feed: FeedName::from_bytes(row.get(2)?),
            number: row.get::<_, i64>(3)?.cast_unsigned(),
            hash: Hash::from_bytes(row.get(4)?),
            reason: row.get(5)?,
            alone: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
