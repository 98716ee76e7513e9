//! A session: somebody who signed in, and the role in which they act.

use node_store::{AccountTables, SessionRow, StoreError};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::account::{Account, GivenRole, Kept};
use super::{AccountError, AccountId, Accounts, asked, token};
use crate::Node;
use crate::records::{Desk, RecordsError};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// How long somebody has to give the second factor, or to set one up.
const UNFINISHED_MS: u64 = 20 * MINUTE_MS;
/// How often it is written down that a session is used.
const SEEN_MS: u64 = MINUTE_MS;
/// How many sessions an account may have; the oldest ends first.
const SESSIONS_MAX: usize = 20;

/// What somebody who gave the right password must still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// Give the code of their second factor.
    SecondFactor,
    /// Set a second factor up.
    SetUpSecondFactor,
}

/// Somebody who signed in, as they stand at one request.
#[derive(Clone)]
#[non_exhaustive]
pub struct Session {
    /// Whose it is.
    pub account: Account,
    /// The role in which they act, if one holds today. None while something is needed.
    pub role: Option<GivenRole>,
    /// What they must do before anything else.
    pub needs: Needs,
    /// What the session's forms carry.
    pub csrf: String,
    /// When they signed in, in ms since 1970.
    pub signed_in_ms: u64,
    pub(super) hash: [u8; 32],
}

/// What is kept of a session beside its columns.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptSession {
    pub(super) needs: Needs,
    /// The role and holder that were chosen.
    pub(super) acting: Option<(String, String)>,
    /// The secret of a second factor that is being set up.
    pub(super) pending: Option<String>,
}

impl Session {
    /// Whether a form carries what this session's forms carry.
    pub fn csrf_fits(&self, text: &str) -> bool {
        self.csrf.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl Node {
    /// What somebody who signed in sees and writes, in the role in which they act.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if no role of theirs holds today, or something is needed first; and
    /// as for [`Node::desk`].
    pub fn desk_of(&self, session: &Session) -> Result<Desk, RecordsError> {
        let none = || {
            RecordsError::Role(
                "none of your roles holds today; ask whoever manages access".to_owned(),
            )
        };
        let role = session.role.as_ref().ok_or_else(none)?;
        self.desk(&role.role, &role.holder)
    }
}

impl Accounts {
    /// The session of whoever shows `token`, as it stands at this request: roles that were ended,
    /// or that end by their dates, hold no longer. None if it has ended.
    ///
    /// It reads the store and hardly ever writes: that a session is in use is written down once a
    /// minute, and not waited for.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn session(&self, token: &str, now_ms: u64) -> Result<Option<Session>, AccountError> {
        self.looked_up(token, now_ms, true)
    }

    /// The same for what a page asks for by itself, which is no use by a person: a page that is
    /// left open does not keep its session.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn session_unused(
        &self,
        token: &str,
        now_ms: u64,
    ) -> Result<Option<Session>, AccountError> {
        self.looked_up(token, now_ms, false)
    }

    fn looked_up(
        &self,
        token: &str,
        now_ms: u64,
        used: bool,
    ) -> Result<Option<Session>, AccountError> {
        let Some(hash) = token::known(token) else {
            return Ok(None);
        };
        let found = self.read(|tables| {
            let Some(row) = tables.session(hash)? else {
                return Ok(None);
            };
            let account = tables.account(row.account)?;
            Ok(account.map(|account| (row, account)))
        })?;
        let Some((row, account)) = found else {
            return Ok(None);
        };
        let kept = Kept::read(&account)?;
        let session = KeptSession::read(&row)?;
        let account = kept.account(AccountId::from_bytes(account.id), 0, now_ms);
        let day = asked::day_of(now_ms);
        let role = session.role(&account, &day);
        if kept.ended || self.has_ended(&row, session.needs, role.as_ref(), now_ms) {
            return Ok(None);
        }
        if used && now_ms >= row.seen_ms.saturating_add(SEEN_MS) {
            self.node.inner.storage.session_seen(hash, now_ms);
        }
        Ok(Some(Session {
            account,
            role,
            needs: session.needs,
            csrf: token::csrf(token),
            signed_in_ms: row.begun_ms,
            hash,
        }))
    }

    /// Acts in another role from now on: the one that stands there in the account's list.
    ///
    /// # Errors
    /// [`AccountError::Refused`] if it does not hold today; [`AccountError::SecondFactorFirst`].
    pub fn act_as(&self, session: &Session, role: usize) -> Result<(), AccountError> {
        whole(session)?;
        let given = session.account.roles.get(role);
        let given = given.filter(|given| given.holds_on(&self.today()));
        let Some(given) = given.cloned() else {
            return Err(AccountError::Refused(
                "that role does not hold today; choose another".to_owned(),
            ));
        };
        let (id, hash) = (session.account.id, session.hash);
        let line = self.line(Some(id), "acts in another role", &given.role, true);

        self.change(move |tables| {
            let Some(mut row) = tables.session(hash)? else {
                return Ok(Err(AccountError::SessionEnded));
            };
            let mut kept = KeptSession::read(&row)?;
            kept.acting = Some((given.role, given.holder));
            row.json = kept.json();
            tables.put_session(&row)?;
            tables.add_audit_line(&line)?;
            Ok(Ok(()))
        })?
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn sign_out(&self, session: &Session) -> Result<(), AccountError> {
        let hash = session.hash;
        self.change(move |tables| tables.end_session(hash))
    }

    /// Ends all sessions of the session's account, this one too.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn sign_out_everywhere(&self, session: &Session) -> Result<(), AccountError> {
        let id = session.account.id;
        let line = self.line(Some(id), "signed out everywhere", "", true);
        self.change(move |tables| {
            tables.end_sessions_of(id.to_bytes(), None)?;
            tables.add_audit_line(&line)
        })
    }

    fn has_ended(
        &self,
        row: &SessionRow,
        needs: Needs,
        role: Option<&GivenRole>,
        now_ms: u64,
    ) -> bool {
        let config = &self.node.inner.config.accounts;
        let writes = role.is_some_and(GivenRole::writes);
        let idle = if writes {
            config.idle_minutes.min(config.idle_minutes_writing)
        } else {
            config.idle_minutes
        };
        // What is written down of its use may be a minute old.
        let idle_ms = idle * MINUTE_MS + SEEN_MS;
        let whole_ms = match needs {
            Needs::Nothing => config.session_hours * HOUR_MS,
            Needs::SecondFactor | Needs::SetUpSecondFactor => UNFINISHED_MS,
        };
        now_ms >= row.begun_ms.saturating_add(whole_ms)
            || now_ms >= row.seen_ms.saturating_add(idle_ms)
    }

    /// The moments before which sessions began, or were used last, that have ended for certain.
    pub(super) fn ended_before(&self, now_ms: u64) -> (u64, u64) {
        let config = &self.node.inner.config.accounts;
        (
            now_ms.saturating_sub(config.session_hours * HOUR_MS),
            now_ms.saturating_sub(config.idle_minutes * MINUTE_MS + SEEN_MS),
        )
    }
}

impl KeptSession {
    pub(super) fn read(row: &SessionRow) -> Result<Self, StoreError> {
        serde_json::from_str(&row.json)
            .map_err(|error| StoreError::Corrupt(format!("a session cannot be read: {error}")))
    }

    pub(super) fn json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// The role that was chosen, or the first, if it holds on a day. One that was chosen and has
    /// ended is not replaced by another behind somebody's back.
    fn role(&self, account: &Account, day: &str) -> Option<GivenRole> {
        if self.needs != Needs::Nothing {
            return None;
        }
        let mut roles = account.roles_on(day).map(|(_, role)| role);
        let role = match &self.acting {
            Some((role, holder)) => roles.find(|given| given.is(role, holder)),
            None => roles.next(),
        };
        role.cloned()
    }
}

/// Begins a session in a durable change, and gives its token.
pub(super) fn begin(
    tables: &AccountTables<'_>,
    account: AccountId,
    kept: &KeptSession,
    now_ms: u64,
) -> Result<Zeroizing<String>, StoreError> {
    let (token, hash) = token::fresh();
    let sessions = tables.sessions_of(account.to_bytes())?;
    let many = (sessions.len() + 1).saturating_sub(SESSIONS_MAX);
    for oldest in sessions.iter().take(many) {
        tables.end_session(oldest.hash)?;
    }
    tables.put_session(&SessionRow {
        hash,
        account: account.to_bytes(),
        begun_ms: now_ms,
        seen_ms: now_ms,
        json: kept.json(),
    })?;
    Ok(token)
}

/// Refuses a session of somebody who must do something first.
pub(super) fn whole(session: &Session) -> Result<(), AccountError> {
    match session.needs {
        Needs::Nothing => Ok(()),
        Needs::SecondFactor | Needs::SetUpSecondFactor => Err(AccountError::SecondFactorFirst),
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("account", &self.account.id)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}
