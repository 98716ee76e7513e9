//! From columns to entries and back.

use bytes::Bytes;
use node_feed::{
    FeedName, Hash, Height, Kind, Opening, Payload, Proof, Signature, SpaceId, Subject, TreeFeed,
};
use rusqlite::Row as Columns;
use rusqlite::types::Type;

use super::opening;
use crate::StoredEntry;
use crate::shelf::Row;
use crate::writer_feeds::{Feed, FeedKey};

/// The columns that [`entry`] reads, from `entries e` or `evidence e` with its `subjects s`.
pub(super) const ENTRY: &str = "e.number, e.hash, e.time_ms, s.kind, s.subject, e.dropped_hash, \
     e.dropped_length, e.proof, e.payload";

/// The columns that [`stored`] reads.
pub(super) const STORED: &str = "e.number, e.hash, e.time_ms, s.kind, s.subject, e.dropped_hash, \
     e.dropped_length, e.proof, e.payload, e.arrival, w.space, w.writer, f.name, f.opening";

/// Numbers that a peer may choose have all 64 bits; SQLite's have a sign.
pub(super) const fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// A place to start from, where everything beyond SQLite's numbers is beyond every row.
pub(super) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn entry(columns: &Columns<'_>) -> rusqlite::Result<Row> {
    let proof = columns.get_ref(7)?.as_blob_or_null()?;
    Ok(Row {
        height: Height {
            number: columns.get::<_, i64>(0)?.cast_unsigned(),
            hash: Hash::from_bytes(columns.get(1)?),
        },
        time_ms: columns.get::<_, i64>(2)?.cast_unsigned(),
        kind: Kind(columns.get(3)?),
        subject: Subject::from_bytes(columns.get(4)?),
        payload: payload(columns)?,
        archived: columns.get_ref(8)?.as_blob_or_null()? == Some(ARCHIVED),
        proof: proof.map(|bytes| self::proof(7, bytes)).transpose()?,
    })
}

pub(super) fn stored(columns: &Columns<'_>) -> rusqlite::Result<StoredEntry> {
    let row = entry(columns)?;
    Ok(StoredEntry {
        arrival: columns.get::<_, i64>(9)?.cast_unsigned(),
        space: SpaceId::from_bytes(columns.get(10)?),
        writer: columns.get(11)?,
        feed: FeedName::from_bytes(columns.get(12)?),
        opening: feed_opening(columns, 13)?,
        height: row.height,
        time_ms: row.time_ms,
        kind: row.kind,
        subject: row.subject,
        payload: row.payload,
        live: false,
    })
}

/// A feed, from `id, name, parent, start, tip, tip_hash, opening, base`.
pub(super) fn feed(columns: &Columns<'_>) -> rusqlite::Result<(FeedName, Feed)> {
    let tip = columns.get::<_, Option<i64>>(4)?;
    let tip_hash = columns.get::<_, Option<[u8; 32]>>(5)?;
    let place = TreeFeed {
        parent: columns.get::<_, Option<_>>(2)?.map(FeedName::from_bytes),
        start: columns.get::<_, i64>(3)?.cast_unsigned(),
        tip: tip.zip(tip_hash).map(|(number, hash)| Height {
            number: number.cast_unsigned(),
            hash: Hash::from_bytes(hash),
        }),
        base: columns.get::<_, i64>(7)?.cast_unsigned(),
    };
    let feed = Feed {
        key: FeedKey(columns.get(0)?),
        place,
        opening: feed_opening(columns, 6)?,
    };
    Ok((FeedName::from_bytes(columns.get(1)?), feed))
}

/// An empty value stands for a cut.
pub(super) const fn proof_bytes(proof: &Proof) -> &[u8] {
    match proof {
        Proof::Signature(signature) => &signature.0,
        Proof::Cut => &[],
    }
}

/// Stands where a payload did that an archive gives back. No payload is so short.
pub(super) const ARCHIVED: &[u8] = &[];

/// The columns of a payload: its bytes, or what is left of it.
pub(super) fn payload_columns(row: &Row) -> (Option<&[u8; 32]>, Option<u32>, Option<&[u8]>) {
    match &row.payload {
        Payload::Held(bytes) => (None, None, Some(&bytes[..])),
        Payload::Dropped { hash, length } => {
            let left = row.archived.then_some(ARCHIVED);
            (Some(hash.as_bytes()), Some(*length), left)
        }
    }
}

fn payload(columns: &Columns<'_>) -> rusqlite::Result<Payload> {
    let bytes = columns.get_ref(8)?.as_blob_or_null()?;
    if let Some(bytes) = bytes.filter(|bytes| *bytes != ARCHIVED) {
        return Ok(Payload::Held(Bytes::copy_from_slice(bytes)));
    }
    Ok(Payload::Dropped {
        hash: Hash::from_bytes(columns.get(5)?),
        length: columns.get(6)?,
    })
}

fn proof(column: usize, bytes: &[u8]) -> rusqlite::Result<Proof> {
    if bytes.is_empty() {
        return Ok(Proof::Cut);
    }
    match <[u8; 64]>::try_from(bytes) {
        Ok(signature) => Ok(Proof::Signature(Signature(signature))),
        Err(error) => Err(unreadable(column, error)),
    }
}

pub(super) fn feed_opening(
    columns: &Columns<'_>,
    column: usize,
) -> rusqlite::Result<Option<Opening>> {
    match columns.get_ref(column)?.as_blob_or_null()? {
        None => Ok(None),
        Some(bytes) => match opening::decode(bytes) {
            Ok(opening) => Ok(Some(opening)),
            Err(error) => Err(unreadable(column, error)),
        },
    }
}

/// A value that this program never wrote.
pub(super) fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
}
