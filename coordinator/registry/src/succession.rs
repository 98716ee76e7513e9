//! Which identity key took the place of which: one for each, so that a stolen key cannot bring in
//! another beside its owner's.

use node_feed::{HubId, NodeId};
use rusqlite::{OptionalExtension, params};

use crate::error::RegistryError;
use crate::registry::{Registry, read, stored};

/// What became of a node's wish to take another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Succeeded {
    /// It is kept from now on, or was before.
    Kept,
    /// Another node took that place.
    Other(NodeId),
    /// The hub's nodes took as many places lately as they may.
    TooMany,
}

impl Registry {
    /// Keeps that `successor` takes the place of `former`, unless another did, or the nodes of the hub took
    /// `most` places since `since_ms`.
    ///
    /// # Errors
    /// [`RegistryError`] if it cannot be stored.
    pub fn succeed(
        &self,
        hub: HubId,
        (former, successor): (NodeId, NodeId),
        (most, since_ms): (u64, u64),
        now_ms: u64,
    ) -> Result<Succeeded, RegistryError> {
        self.write(|transaction| {
            let kept = transaction
                .prepare_cached("SELECT successor FROM successions WHERE former = ?1")?
                .query_row([former.as_bytes()], |row| {
                    Ok(NodeId::from_bytes(row.get(0)?))
                })
                .optional()?;
            match kept {
                Some(kept) if kept == successor => return Ok(Succeeded::Kept),
                Some(other) => return Ok(Succeeded::Other(other)),
                None => {}
            }
            let lately: i64 = transaction.query_row(
                "SELECT count(*) FROM successions WHERE hub = ?1 AND time_ms > ?2",
                params![hub.as_bytes(), stored(since_ms)],
                |row| row.get(0),
            )?;
            if read(lately) >= most {
                return Ok(Succeeded::TooMany);
            }
            transaction.execute(
                "INSERT INTO successions (former, successor, hub, time_ms) VALUES (?1, ?2, ?3, ?4)",
                params![
                    former.as_bytes(),
                    successor.as_bytes(),
                    hub.as_bytes(),
                    stored(now_ms)
                ],
            )?;
            Ok(Succeeded::Kept)
        })
    }

    /// Forgets who took a node's place: that one's access has ended, and another may.
    ///
    /// # Errors
    /// [`RegistryError`] if it cannot be stored.
    pub fn forget_successor(&self, former: NodeId) -> Result<(), RegistryError> {
        self.write(|transaction| {
            transaction.execute(
                "DELETE FROM successions WHERE former = ?1",
                [former.as_bytes()],
            )?;
            Ok(())
        })
    }

    /// Whose place a node took.
    ///
    /// # Errors
    /// [`RegistryError`] if it cannot be read.
    pub fn former_of(&self, successor: NodeId) -> Result<Option<NodeId>, RegistryError> {
        self.one_of(
            "SELECT former FROM successions WHERE successor = ?1",
            successor,
        )
    }

    /// Who took a node's place.
    ///
    /// # Errors
    /// [`RegistryError`] if it cannot be read.
    pub fn successor_of(&self, former: NodeId) -> Result<Option<NodeId>, RegistryError> {
        self.one_of(
            "SELECT successor FROM successions WHERE former = ?1",
            former,
        )
    }

    fn one_of(&self, question: &str, node: NodeId) -> Result<Option<NodeId>, RegistryError> {
        let found = self.lock().query_row(question, [node.as_bytes()], |row| {
            Ok(NodeId::from_bytes(row.get(0)?))
        });
        Ok(found.optional()?)
    }
}
