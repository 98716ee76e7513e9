//! Invitations and their one-time codes.

use node_feed::{Hash, HubId, NodeId, Tag};
use rusqlite::{Row, Transaction, params};

use crate::audit::{self, AuditLine, Event};
use crate::error::RegistryError;
use crate::registry::{Registry, read, stored};
use crate::request::{self, ConnectionRequest, RequestState};

/// Why a code is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    /// No invitation has this code.
    #[error("this code is not known; use the newest invitation, or ask NCETM for another")]
    Unknown,
    /// Another node used it.
    #[error("this code was used already, by another node; if that was not you, tell NCETM at once")]
    Used,
    /// Its time is over.
    #[error("this code has expired; ask NCETM for a new invitation")]
    Expired,
    /// It was withdrawn.
    #[error("this invitation was withdrawn; ask NCETM for a new one")]
    Withdrawn,
    /// It was made for another hub than the request names.
    #[error("this code is for another hub; use the invitation that names your hub")]
    OtherHub,
    /// No request was made with it that waits.
    #[error("no request to connect was made with this code; ask to connect first")]
    NotAsked,
    /// The request does not wait any more.
    #[error("this request does not wait any more; ask again to hear what became of it")]
    Decided,
    /// Its node said another part of the check number before.
    #[error(
        "this node took part in its check number before, with other bytes: a request has one number \
         for good; ask NCETM for a new invitation"
    )]
    OtherNonce,
}

/// Why a code could not be redeemed.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// The code is refused. Trying again does not help.
    #[error(transparent)]
    Refused(#[from] CodeRefusal),
    /// The register failed. Nothing was changed; trying again may help.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// How a code was redeemed. In every case it is now bound to the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// For the first time, and the node is admitted at once.
    First,
    /// By the node that it is bound to, whose earlier answer was lost, or which was admitted since
    /// it last asked.
    Again,
    /// The node waits for an operator.
    Waits(ConnectionRequest),
    /// An operator refused the node's request.
    Refused(ConnectionRequest),
    /// Nobody decided on the node's request in time.
    Lapsed(ConnectionRequest),
}

/// How an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// It can be used.
    Open,
    /// A node used it.
    Used,
    /// Its time is over.
    Expired,
    /// It was withdrawn.
    Withdrawn,
}

/// An invitation, as the register knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRecord {
    /// The hub that it is for.
    pub hub: HubId,
    /// When it was made, in ms since 1970.
    pub created_ms: u64,
    /// When it stops working, in ms since 1970.
    pub expires_ms: u64,
    /// How it stands.
    pub state: InvitationState,
}

impl Registry {
    /// Takes in a new invitation whose node is admitted at once. Of the code only a salted hash is
    /// kept.
    ///
    /// # Errors
    /// [`RegistryError`] if it cannot be stored; the invitation then must not be handed out.
    pub fn invite(
        &self,
        hub: HubId,
        code: &[u8; 16],
        expires_ms: u64,
        now_ms: u64,
    ) -> Result<(), RegistryError> {
        self.add_invitation(hub, code, expires_ms, now_ms, false)
    }

    /// Takes in a new invitation whose node waits until an operator admits it.
    ///
    /// # Errors
    /// As [`Registry::invite`].
    pub fn invite_to_wait(
        &self,
        hub: HubId,
        code: &[u8; 16],
        expires_ms: u64,
        now_ms: u64,
    ) -> Result<(), RegistryError> {
        self.add_invitation(hub, code, expires_ms, now_ms, true)
    }

    fn add_invitation(
        &self,
        hub: HubId,
        code: &[u8; 16],
        expires_ms: u64,
        now_ms: u64,
        waits: bool,
    ) -> Result<(), RegistryError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)?;
        let hash = Hash::of(Tag::Code, &[&salt, code]);
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO invitations (hub, salt, hash, created_ms, expires_ms, waits)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    hub.as_bytes(),
                    salt,
                    hash.as_bytes(),
                    stored(now_ms),
                    stored(expires_ms),
                    waits
                ],
            )?;
            note(transaction, Event::Invited, hub, String::new(), now_ms)
        })
    }

    /// Withdraws the open invitations of `hub` and says how many there were.
    ///
    /// # Errors
    /// [`RegistryError`] if it cannot be stored.
    pub fn withdraw_invitations(&self, hub: HubId, now_ms: u64) -> Result<usize, RegistryError> {
        self.write(|transaction| {
            let count = transaction.execute(
                "UPDATE invitations SET withdrawn_ms = ?2
                 WHERE hub = ?1 AND used_by IS NULL AND withdrawn_ms IS NULL AND expires_ms > ?2",
                params![hub.as_bytes(), stored(now_ms)],
            )?;
            if count > 0 {
                note(
                    transaction,
                    Event::InvitationWithdrawn,
                    hub,
                    String::new(),
                    now_ms,
                )?;
            }
            Ok(count)
        })
    }

    /// Redeems a code for `node` of `hub`, which asks from `address`, durably.
    ///
    /// The first node that comes has it for good, however many race; the same node may come
    /// again, also after the code's time, since its answer may have been lost, or it waits.
    /// Every answer leaves an audit line, but that a node which waits asked once more leaves
    /// nothing.
    ///
    /// # Errors
    /// [`RedeemError::Refused`] says why in a sentence for the person who holds the code.
    pub fn redeem(
        &self,
        hub: HubId,
        code: &[u8; 16],
        node: NodeId,
        address: &str,
        now_ms: u64,
    ) -> Result<Redeemed, RedeemError> {
        let answer = self.write(|transaction| {
            let answer = redeem(transaction, hub, code, node, address, now_ms)?;
            let line = match &answer {
                Ok(Redeemed::First) => Some((Event::CodeUsed, "for the first time".to_owned())),
                Ok(Redeemed::Again) => {
                    Some((Event::CodeUsed, "again, by the same node".to_owned()))
                }
                // Left when it began, and when it was decided.
                Ok(Redeemed::Waits(_) | Redeemed::Refused(_) | Redeemed::Lapsed(_)) => None,
                Err(refusal) => Some((Event::CodeRefused, refusal.to_string())),
            };
            if let Some((event, reason)) = line {
                note(transaction, event, hub, reason, now_ms)?;
            }
            Ok(answer)
        })?;
        Ok(answer?)
    }

    /// Takes in the part that the node of a request says for its check number, durably, and returns this
    /// end's. The first that it says stands, however many race; said again it changes nothing.
    /// Refusals leave an audit line, but that of a request which was decided meanwhile.
    ///
    /// # Errors
    /// [`RedeemError::Refused`] says why in a sentence for the person who holds the code. A code
    /// is never used up by it.
    pub fn exchange(
        &self,
        hub: HubId,
        code: &[u8; 16],
        node: NodeId,
        node_nonce: &[u8; 32],
        now_ms: u64,
    ) -> Result<[u8; 32], RedeemError> {
        let answer = self.write(|transaction| {
            let answer = exchange(transaction, hub, code, node, node_nonce, now_ms)?;
            if let Err(refusal) = &answer
                && *refusal != CodeRefusal::Decided
            {
                let event = Event::CodeRefused;
                note(transaction, event, hub, refusal.to_string(), now_ms)?;
            }
            Ok(answer)
        })?;
        Ok(answer?)
    }

    /// All invitations, the newest first.
    ///
    /// # Errors
    /// [`RegistryError`] if they cannot be read.
    pub fn invitations(&self, now_ms: u64) -> Result<Vec<InvitationRecord>, RegistryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM invitations ORDER BY created_ms DESC, id DESC"
        ))?;
        let rows = statement.query_map([], |row| Ok(Stored::read(row)?.record(now_ms)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

const COLUMNS: &str = "id, hub, salt, hash, created_ms, expires_ms, used_by, withdrawn_ms, waits";

struct Stored {
    id: i64,
    hub: HubId,
    salt: [u8; 16],
    hash: Hash,
    created_ms: u64,
    expires_ms: u64,
    used_by: Option<NodeId>,
    withdrawn: bool,
    waits: bool,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            hub: HubId::from_bytes(row.get(1)?),
            salt: row.get(2)?,
            hash: Hash::from_bytes(row.get(3)?),
            created_ms: read(row.get(4)?),
            expires_ms: read(row.get(5)?),
            used_by: row.get::<_, Option<_>>(6)?.map(NodeId::from_bytes),
            withdrawn: row.get::<_, Option<i64>>(7)?.is_some(),
            waits: row.get(8)?,
        })
    }

    const fn state(&self, now_ms: u64) -> InvitationState {
        if self.used_by.is_some() {
            InvitationState::Used
        } else if self.withdrawn {
            InvitationState::Withdrawn
        } else if self.expires_ms <= now_ms {
            InvitationState::Expired
        } else {
            InvitationState::Open
        }
    }

    const fn record(&self, now_ms: u64) -> InvitationRecord {
        InvitationRecord {
            hub: self.hub,
            created_ms: self.created_ms,
            expires_ms: self.expires_ms,
            state: self.state(now_ms),
        }
    }
}

fn redeem(
    transaction: &Transaction<'_>,
    hub: HubId,
    code: &[u8; 16],
    node: NodeId,
    address: &str,
    now_ms: u64,
) -> Result<Result<Redeemed, CodeRefusal>, RegistryError> {
    let Some(found) = find(transaction, code)? else {
        return Ok(Err(CodeRefusal::Unknown));
    };
    if found.hub != hub {
        return Ok(Err(CodeRefusal::OtherHub));
    }
    Ok(match (found.state(now_ms), found.used_by) {
        (InvitationState::Used, Some(user)) if user == node => {
            Ok(standing(transaction, &found, now_ms)?)
        }
        (InvitationState::Used, _) => Err(CodeRefusal::Used),
        (InvitationState::Expired, _) => Err(CodeRefusal::Expired),
        (InvitationState::Withdrawn, _) => Err(CodeRefusal::Withdrawn),
        (InvitationState::Open, _) => {
            transaction.execute(
                "UPDATE invitations SET used_by = ?2, used_ms = ?3 WHERE id = ?1",
                params![found.id, node.as_bytes(), stored(now_ms)],
            )?;
            if found.waits {
                let invited_for = found.expires_ms.saturating_sub(found.created_ms);
                let invitation = (found.id, invited_for);
                let begun = request::begin(transaction, invitation, hub, node, address, now_ms)?;
                note(transaction, Event::RequestWaits, hub, String::new(), now_ms)?;
                Ok(Redeemed::Waits(begun))
            } else {
                Ok(Redeemed::First)
            }
        }
    })
}

/// How the node stands whose code this is.
fn standing(
    transaction: &Transaction<'_>,
    invitation: &Stored,
    now_ms: u64,
) -> Result<Redeemed, RegistryError> {
    request::lapse(transaction, now_ms)?;
    let Some(request) = request::of_invitation(transaction, invitation.id)? else {
        return Ok(Redeemed::Again);
    };
    Ok(match request.state {
        RequestState::Admitted => Redeemed::Again,
        RequestState::Waiting => Redeemed::Waits(request::with_nonce(transaction, request)?),
        RequestState::Refused => Redeemed::Refused(request),
        RequestState::Lapsed => Redeemed::Lapsed(request),
    })
}

fn exchange(
    transaction: &Transaction<'_>,
    hub: HubId,
    code: &[u8; 16],
    node: NodeId,
    node_nonce: &[u8; 32],
    now_ms: u64,
) -> Result<Result<[u8; 32], CodeRefusal>, RegistryError> {
    let Some(found) = find(transaction, code)? else {
        return Ok(Err(CodeRefusal::Unknown));
    };
    if found.hub != hub {
        return Ok(Err(CodeRefusal::OtherHub));
    }
    match found.used_by {
        Some(user) if user == node => {}
        Some(_) => return Ok(Err(CodeRefusal::Used)),
        None => return Ok(Err(CodeRefusal::NotAsked)),
    }
    request::lapse(transaction, now_ms)?;
    let Some(request) = request::of_invitation(transaction, found.id)? else {
        return Ok(Err(CodeRefusal::NotAsked));
    };
    if request.state != RequestState::Waiting {
        return Ok(Err(CodeRefusal::Decided));
    }
    // Without it nothing was committed to, and the node could not know what it is told.
    let Some(own) = request.check_nonce else {
        return Ok(Err(CodeRefusal::NotAsked));
    };
    match request.node_nonce {
        Some(first) if first != *node_nonce => return Ok(Err(CodeRefusal::OtherNonce)),
        Some(_) => {}
        None => request::keep_node_nonce(transaction, request.id, node_nonce)?,
    }
    Ok(Ok(own))
}

/// Each invitation has its own salt, so all are tried. There are a few for each hub, and a hash
/// takes less than a microsecond.
fn find(transaction: &Transaction<'_>, code: &[u8; 16]) -> Result<Option<Stored>, RegistryError> {
    let mut statement =
        transaction.prepare_cached(&format!("SELECT {COLUMNS} FROM invitations"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let stored = Stored::read(row)?;
        if Hash::of(Tag::Code, &[&stored.salt, code]) == stored.hash {
            return Ok(Some(stored));
        }
    }
    Ok(None)
}

pub(crate) fn note(
    transaction: &Transaction<'_>,
    event: Event,
    hub: HubId,
    reason: String,
    time_ms: u64,
) -> Result<(), RegistryError> {
    audit::add(
        transaction,
        &AuditLine {
            time_ms,
            event,
            hub: Some(hub),
            reason,
        },
    )
}
