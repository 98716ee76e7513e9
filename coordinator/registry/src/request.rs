//! Requests to connect that wait for an operator.

use node_feed::{HubId, NodeId};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::audit::Event;
use crate::error::RegistryError;
use crate::invitation::note;
use crate::registry::{Registry, read, stored};

/// How long a request waits beyond the time that its invitation was good for.
const PATIENCE_MS: u64 = 14 * 24 * 60 * 60 * 1000;

/// How a request to connect stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Nobody decided yet.
    Waiting,
    /// An operator admitted the node.
    Admitted,
    /// An operator refused it.
    Refused,
    /// Nobody decided in time.
    Lapsed,
}

impl RequestState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Admitted, Self::Refused, Self::Lapsed];

    /// The state's name, as it is stored.
    const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Admitted => "admitted",
            Self::Refused => "refused",
            Self::Lapsed => "lapsed",
        }
    }
}

/// A node's request to connect, made with a code whose invitation says that it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRequest {
    /// Its number in this register.
    pub id: i64,
    /// The hub that the code was made for.
    pub hub: HubId,
    /// The node, to whose identity key the code is bound.
    pub node: NodeId,
    /// Since when it waits, in ms since 1970.
    pub since_ms: u64,
    /// When it lapses, in ms since 1970.
    pub lapses_ms: u64,
    /// The address that it first came from.
    pub address: String,
    /// How it stands.
    pub state: RequestState,
    /// When that was decided, in ms since 1970.
    pub decided_ms: Option<u64>,
    /// Who decided; empty while it waits and when it lapsed.
    pub decided_by: String,
    /// Why it was refused, in words for the hub.
    pub reason: String,
    /// This end's part of the check number. It is said to nobody before the node said its own; none if the
    /// node has not asked since this program makes one.
    pub check_nonce: Option<[u8; 32]>,
    /// The node's part, which is the first that it said; none before.
    pub node_nonce: Option<[u8; 32]>,
    /// The check number with which it was admitted; empty if it was not, or without one.
    pub check_number: String,
}

impl Registry {
    /// All requests to connect, the newest first. What waited too long has lapsed.
    ///
    /// # Errors
    /// [`RegistryError`] if they cannot be read.
    pub fn requests(&self, now_ms: u64) -> Result<Vec<ConnectionRequest>, RegistryError> {
        self.write(|transaction| {
            lapse(transaction, now_ms)?;
            let mut statement = transaction.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM requests ORDER BY since_ms DESC, id DESC"
            ))?;
            let rows = statement.query_map([], |row| Ok(from_row(row)))?;
            rows.map(|row| row?).collect()
        })
    }

    /// Keeps that a request was admitted with this check number, with all others of the same node and hub that
    /// wait, and says whether that is new. The authority log **must** hold the node before.
    ///
    /// # Errors
    /// [`RegistryError`] if it cannot be stored.
    pub fn admit_request(
        &self,
        id: i64,
        check_number: &str,
        by: &str,
        now_ms: u64,
    ) -> Result<bool, RegistryError> {
        self.write(|transaction| {
            let Some(request) = with_id(transaction, id)? else {
                return Ok(false);
            };
            // One that lapsed while the authority log was written is admitted all the same.
            let changed = transaction.execute(
                "UPDATE requests SET state = 'admitted', decided_ms = ?2, decided_by = ?3,
                     check_number = CASE WHEN id = ?1 THEN ?6 ELSE '' END
                 WHERE (id = ?1 AND state IN ('waiting', 'lapsed'))
                    OR (hub = ?4 AND node = ?5 AND state = 'waiting')",
                params![
                    id,
                    stored(now_ms),
                    by,
                    request.hub.as_bytes(),
                    request.node.as_bytes(),
                    check_number
                ],
            )?;
            if changed > 0 {
                let (event, none) = (Event::RequestAdmitted, String::new());
                note(transaction, event, request.hub, none, now_ms)?;
            }
            Ok(changed > 0)
        })
    }

    /// Keeps that a request that waits was refused, for good, and says whether that is new.
    ///
    /// # Errors
    /// [`RegistryError`] if it cannot be stored.
    pub fn refuse_request(
        &self,
        id: i64,
        by: &str,
        why: &str,
        now_ms: u64,
    ) -> Result<bool, RegistryError> {
        self.write(|transaction| {
            let Some(request) = with_id(transaction, id)? else {
                return Ok(false);
            };
            let changed = transaction.execute(
                "UPDATE requests SET state = 'refused', decided_ms = ?2, decided_by = ?3, reason = ?4
                 WHERE id = ?1 AND state = 'waiting'",
                params![id, stored(now_ms), by, why],
            )?;
            if changed > 0 {
                let (event, why) = (Event::RequestRefused, why.to_owned());
                note(transaction, event, request.hub, why, now_ms)?;
            }
            Ok(changed > 0)
        })
    }
}

const COLUMNS: &str = "id, hub, node, since_ms, lapses_ms, address, state, decided_ms, \
                       decided_by, reason, check_nonce, node_nonce, check_number";

/// Lets a node wait that used the invitation with this number, which was good for so many ms.
pub(crate) fn begin(
    transaction: &Transaction<'_>,
    (invitation, invited_for_ms): (i64, u64),
    hub: HubId,
    node: NodeId,
    address: &str,
    now_ms: u64,
) -> Result<ConnectionRequest, RegistryError> {
    let lapses_ms = now_ms
        .saturating_add(invited_for_ms)
        .saturating_add(PATIENCE_MS);
    transaction.execute(
        "INSERT INTO requests
             (invitation, hub, node, since_ms, lapses_ms, address, state, check_nonce)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7)",
        params![
            invitation,
            hub.as_bytes(),
            node.as_bytes(),
            stored(now_ms),
            stored(lapses_ms),
            address,
            random()?
        ],
    )?;
    let begun = of_invitation(transaction, invitation)?;
    begun.ok_or(RegistryError::Row("a request is gone"))
}

/// The request with this end's part of its check number: one that began under an older program gets it
/// now.
pub(crate) fn with_nonce(
    transaction: &Transaction<'_>,
    request: ConnectionRequest,
) -> Result<ConnectionRequest, RegistryError> {
    if request.check_nonce.is_some() {
        return Ok(request);
    }
    let check_nonce = random()?;
    transaction.execute(
        "UPDATE requests SET check_nonce = ?2 WHERE id = ?1",
        params![request.id, check_nonce],
    )?;
    Ok(ConnectionRequest {
        check_nonce: Some(check_nonce),
        ..request
    })
}

/// Keeps what the node of a request says first as its part of the check number.
pub(crate) fn keep_node_nonce(
    transaction: &Transaction<'_>,
    id: i64,
    nonce: &[u8; 32],
) -> Result<(), RegistryError> {
    transaction.execute(
        "UPDATE requests SET node_nonce = ?2 WHERE id = ?1 AND node_nonce IS NULL",
        params![id, nonce],
    )?;
    Ok(())
}

fn random() -> Result<[u8; 32], RegistryError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Lets lapse what has waited too long.
pub(crate) fn lapse(transaction: &Transaction<'_>, now_ms: u64) -> Result<(), RegistryError> {
    let mut statement = transaction.prepare_cached(
        "UPDATE requests SET state = 'lapsed', decided_ms = lapses_ms
         WHERE state = 'waiting' AND lapses_ms <= ?1 RETURNING hub",
    )?;
    let hubs = statement.query_map([stored(now_ms)], |row| Ok(HubId::from_bytes(row.get(0)?)))?;
    for hub in hubs.collect::<Result<Vec<_>, _>>()? {
        let reason = "nobody admitted it in time".to_owned();
        note(transaction, Event::RequestLapsed, hub, reason, now_ms)?;
    }
    Ok(())
}

/// The request that was made with an invitation, if its node was not admitted at once.
pub(crate) fn of_invitation(
    transaction: &Transaction<'_>,
    invitation: i64,
) -> Result<Option<ConnectionRequest>, RegistryError> {
    one(transaction, "invitation", invitation)
}

fn with_id(
    transaction: &Transaction<'_>,
    id: i64,
) -> Result<Option<ConnectionRequest>, RegistryError> {
    one(transaction, "id", id)
}

fn one(
    transaction: &Transaction<'_>,
    column: &str,
    value: i64,
) -> Result<Option<ConnectionRequest>, RegistryError> {
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM requests WHERE {column} = ?1"
    ))?;
    let found = statement.query_row([value], |row| Ok(from_row(row)));
    found.optional()?.transpose()
}

fn from_row(row: &Row<'_>) -> Result<ConnectionRequest, RegistryError> {
    let name: String = row.get(6)?;
    let state = RequestState::ALL
        .into_iter()
        .find(|state| state.name() == name);
    Ok(ConnectionRequest {
        id: row.get(0)?,
        hub: HubId::from_bytes(row.get(1)?),
        node: NodeId::from_bytes(row.get(2)?),
        since_ms: read(row.get(3)?),
        lapses_ms: read(row.get(4)?),
        address: row.get(5)?,
        state: state.ok_or(RegistryError::Row("an unknown state of a request"))?,
        decided_ms: row.get::<_, Option<_>>(7)?.map(read),
        decided_by: row.get(8)?,
        reason: row.get(9)?,
        check_nonce: row.get(10)?,
        node_nonce: row.get(11)?,
        check_number: row.get(12)?,
    })
}
