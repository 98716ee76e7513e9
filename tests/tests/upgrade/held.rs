//! What a node holds, byte for byte, as its store's file tells it.

use std::path::Path;

use node_feed::SpaceId;
use rusqlite::{Connection, OpenFlags};

/// An entry as it is signed: number, hash, kind, subject, time and payload.
pub(crate) type Row = (i64, Vec<u8>, i64, Vec<u8>, i64, Option<Vec<u8>>);

/// The entries of one writer in a space, in their order.
pub(crate) fn entries_of(folder: &Path, space: SpaceId, writer: &[u8; 32]) -> Vec<Row> {
    let store = reading(&folder.join("store.db"));
    let sql = "SELECT e.number, e.hash, s.kind, s.subject, e.time_ms, e.payload
               FROM entries e JOIN feeds f ON f.id = e.feed JOIN writers w ON w.id = f.writer
               JOIN subjects s ON s.id = e.subject
               WHERE w.space = ?1 AND w.writer = ?2 ORDER BY e.number";
    let mut statement = store.prepare(sql).expect("a question");
    let rows = statement.query_map((space.as_bytes(), writer), |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
        ))
    });
    rows.expect("rows")
        .collect::<Result<_, _>>()
        .expect("entries")
}

/// The file, as others may be writing it.
fn reading(file: &Path) -> Connection {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the file opens")
}
