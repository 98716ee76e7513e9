//! When nodes were last here.

use node_feed::{HubId, NodeId};
use rusqlite::params;

use crate::error::RegistryError;
use crate::registry::{Registry, read, stored};

/// When a node last had a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The node.
    pub node: NodeId,
    /// Its hub at the time.
    pub hub: HubId,
    /// When, in ms since 1970.
    pub seen_ms: u64,
}

impl Registry {
    /// Remembers that a node was here. A time before the one remembered is ignored.
    ///
    /// # Errors
    /// [`RegistryError::Sqlite`] if it cannot be stored.
    pub fn saw(&self, seen: Seen) -> Result<(), RegistryError> {
        self.saw_all(&[seen])
    }

    /// Remembers, all together, that nodes were here.
    ///
    /// # Errors
    /// [`RegistryError::Sqlite`] if it cannot be stored.
    pub fn saw_all(&self, seen: &[Seen]) -> Result<(), RegistryError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO seen (node, hub, seen_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (node) DO UPDATE SET hub = excluded.hub, seen_ms = excluded.seen_ms
                 WHERE excluded.seen_ms > seen_ms",
            )?;
            for seen in seen {
                statement.execute(params![
                    seen.node.as_bytes(),
                    seen.hub.as_bytes(),
                    stored(seen.seen_ms)
                ])?;
            }
            Ok(())
        })
    }

    /// When each node was last here, by hub and node.
    ///
    /// # Errors
    /// [`RegistryError`] if it cannot be read.
    pub fn last_seen(&self) -> Result<Vec<Seen>, RegistryError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT node, hub, seen_ms FROM seen ORDER BY hub, node")?;
        let rows = statement.query_map([], |row| {
            Ok(Seen {
                node: NodeId::from_bytes(row.get(0)?),
                hub: HubId::from_bytes(row.get(1)?),
                seen_ms: read(row.get(2)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
