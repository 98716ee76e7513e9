//! How much each writer's entries take.

use node_feed::{HubId, Opening, SpaceId};

use super::Sql;
use super::row::feed_opening;
use crate::{StoreError, WriterBytes};

impl Sql {
    /// Whose each writer is, as far as its opening is held.
    pub(crate) fn writer_hubs(&self) -> Result<Vec<(SpaceId, [u8; 32], HubId)>, StoreError> {
        let sql = "SELECT w.space, w.writer, f.opening FROM feeds f \
                   JOIN writers w ON w.id = f.writer WHERE f.opening IS NOT NULL";
        let all = self.all(sql, [], |row| {
            let hub = hub_of(feed_opening(row, 2)?);
            let space = SpaceId::from_bytes(row.get(0)?);
            let writer = row.get(1)?;
            Ok(hub.map(|hub| (space, writer, hub)))
        })?;
        Ok(all.into_iter().flatten().collect())
    }

    pub(crate) fn writer_bytes(&self) -> Result<Vec<WriterBytes>, StoreError> {
        // Entries are read in their own order, once: by feed they lie all over the file. What they have
        // beside their payload is about what they have on the wire.
        let sql = "WITH held AS (\
                       SELECT f.writer AS writer, sum(coalesce(length(e.payload), 0) + 38) AS bytes \
                       FROM entries e CROSS JOIN feeds f ON f.id = e.feed GROUP BY f.writer), \
                   gone AS (\
                       SELECT writer, sum(coalesce(length(payload), 0) + 38) AS bytes \
                       FROM evidence GROUP BY writer) \
                   SELECT w.space, w.writer, \
                       (SELECT f.opening FROM feeds f \
                        WHERE f.writer = w.id AND f.opening IS NOT NULL LIMIT 1), \
                       coalesce(held.bytes, 0) + coalesce(gone.bytes, 0) \
                   FROM writers w LEFT JOIN held ON held.writer = w.id \
                   LEFT JOIN gone ON gone.writer = w.id";
        self.all(sql, [], |row| {
            Ok(WriterBytes {
                space: SpaceId::from_bytes(row.get(0)?),
                writer: row.get(1)?,
                hub: hub_of(feed_opening(row, 2)?),
                bytes: row.get::<_, i64>(3)?.cast_unsigned(),
            })
        })
    }
}

fn hub_of(opening: Option<Opening>) -> Option<HubId> {
    match opening {
        Some(Opening::Node { hub, .. }) => Some(hub),
        Some(Opening::Authority { .. }) | None => None,
    }
}
