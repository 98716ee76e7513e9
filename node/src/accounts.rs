//! Who may use this node's pages: accounts, their sessions and roles, and what was refused.
//!
//! A hub's node and the coordinator keep accounts alike, in their own store, so that a backup holds
//! them. Nothing of an account is ever synced. Everything here waits for the disk, and some of it
//! for a password to be tried: call it away from the network's threads.
//!
//! Passwords are kept as argon2id makes them, sessions and links as hashes of what their holders
//! show. The secrets of second factors stand in the store as they are, since codes are made of them:
//! as for everything else that this node knows, the data folder and its backups are for its owner's
//! eyes alone.

mod account;
mod asked;
mod error;
mod giving;
mod links;
mod password;
mod refusals;
mod second_factor;
mod session;
mod sign_in;
mod token;
mod tries;
mod trying_out;

use node_store::{AccountTables, StoreError};

pub use account::{Account, AccountId, GivenRole, Standing};
pub use asked::{may_manage_accounts, needs_holder};
pub use error::{AccountError, RefusedSignIn};
pub use giving::By;
pub use links::{Chosen, LinkShown, SetUpLink};
pub(crate) use password::Turn;
pub use second_factor::{Confirmed, NewSecondFactor};
pub use session::{Needs, Session};
pub use sign_in::SignedIn;
pub(crate) use tries::network;
pub use trying_out::TryingOut;

use self::account::Kept;
use self::password::{Passwords, Turns};
use self::refusals::{Refusals, Written};
use self::tries::{Addresses, Tries};
use crate::Node;
use crate::clock::now_ms;

/// The accounts of a node. Cheap to make and to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    node: Node,
    at_ms: Option<u64>,
}

/// What a running node remembers of those who sign in.
#[derive(Debug, Default)]
pub(crate) struct Door {
    passwords: Passwords,
    turns: Turns,
    addresses: Addresses,
    refusals: Refusals,
}

/// Something that was done or refused. It holds no name and nothing of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// When, in ms since 1970.
    pub time_ms: u64,
    /// The account; none for the command line, or where nobody was signed in.
    pub who: Option<AccountId>,
    /// What, in a few words.
    pub event: String,
    /// What it was about: a role, an id or a page.
    pub about: String,
    /// Whether it was done.
    pub allowed: bool,
}

impl Node {
    /// The accounts of those who use this node's pages.
    pub fn accounts(&self) -> Accounts {
        Accounts {
            node: self.clone(),
            at_ms: None,
        }
    }
}

impl Accounts {
    /// The same accounts as they are at another moment than the clock's, in ms since 1970.
    #[must_use]
    pub fn at(&self, now_ms: u64) -> Self {
        Self {
            node: self.node.clone(),
            at_ms: Some(now_ms),
        }
    }

    /// Whether nobody has ever set up an account here, so that [`Accounts::first_link`] works.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn is_empty(&self) -> Result<bool, AccountError> {
        Ok(!self.read(any_set_up)?)
    }

    /// All accounts, by name, also those that have ended.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn list(&self) -> Result<Vec<Account>, AccountError> {
        let now = self.now();
        let mut accounts = self.read(|tables| {
            let rows = tables.all()?;
            let accounts = rows.iter().map(|row| shown(tables, row, now));
            accounts.collect::<Result<Vec<_>, _>>()
        })?;
        accounts.sort_by_cached_key(|account| (account.name.to_lowercase(), account.id));
        Ok(accounts)
    }

    /// The account of that id.
    ///
    /// # Errors
    /// [`AccountError::Missing`] or [`AccountError::Store`].
    pub fn find(&self, id: AccountId) -> Result<Account, AccountError> {
        let now = self.now();
        let found = self.read(|tables| {
            let row = tables.account(id.to_bytes())?;
            row.map(|row| shown(tables, &row, now)).transpose()
        })?;
        found.ok_or(AccountError::Missing)
    }

    /// The account with that e-mail address.
    ///
    /// # Errors
    /// [`AccountError::Missing`] or [`AccountError::Store`].
    pub fn find_by_email(&self, email: &str) -> Result<Account, AccountError> {
        let (now, email) = (self.now(), asked::plain_email(email));
        let found = self.read(|tables| {
            let row = tables.account_named(&email)?;
            row.map(|row| shown(tables, &row, now)).transpose()
        })?;
        found.ok_or(AccountError::Missing)
    }

    /// Notes durably that something was done or refused. Neither `event` nor `about` may hold a
    /// name, or anything that stands in a record. Of refusals only so many are noted in a minute.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn audit(
        &self,
        who: Option<AccountId>,
        event: &str,
        about: &str,
        allowed: bool,
    ) -> Result<(), AccountError> {
        if matches!(event, "sign-in refused" | "password refused") {
            self.node.inner.metrics.sign_ins_refused.increment(1);
        }
        let written = if allowed {
            Written::Whole
        } else {
            self.door().refusals.count(who, self.now())
        };
        let line = match written {
            Written::Whole => self.line(who, event, about, allowed),
            Written::Last => self.line(who, "further refusals of this minute", "", allowed),
            Written::Not => return Ok(()),
        };
        self.change(move |tables| tables.add_audit_line(&line))
    }

    /// The latest audit lines, the newest first.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn audit_lines(&self, limit: u32) -> Result<Vec<AuditLine>, AccountError> {
        let lines = self.read(|tables| tables.audit_lines(limit))?;
        let lines = lines.into_iter().map(|line| AuditLine {
            time_ms: line.time_ms,
            who: line.who.map(AccountId::from_bytes),
            event: line.event,
            about: line.about,
            allowed: line.allowed,
        });
        Ok(lines.collect())
    }

    fn line(
        &self,
        who: Option<AccountId>,
        event: &str,
        about: &str,
        allowed: bool,
    ) -> node_store::AuditLine {
        node_store::AuditLine {
            time_ms: self.now(),
            who: who.map(AccountId::to_bytes),
            event: event.to_owned(),
            about: about.chars().take(ABOUT_MAX).collect(),
            allowed,
        }
    }

    fn now(&self) -> u64 {
        self.at_ms.unwrap_or_else(now_ms)
    }

    /// The day of this node's clock, such as `2026-11-27`, by which roles are judged.
    pub fn today(&self) -> String {
        asked::day_of(self.now())
    }

    /// A turn at a password, to be taken before [`Accounts::sign_in`] and the like are called for a
    /// visitor, and held until they have answered.
    ///
    /// # Errors
    /// [`AccountError::Busy`].
    pub(crate) fn turn(&self) -> Result<Turn, AccountError> {
        self.door().turns.take()
    }

    fn door(&self) -> &Door {
        &self.node.inner.door
    }

    fn hash_kib(&self) -> u32 {
        self.node.inner.config.accounts.hash_kib
    }

    fn read<T>(
        &self,
        question: impl FnOnce(&AccountTables<'_>) -> Result<T, StoreError>,
    ) -> Result<T, AccountError> {
        Ok(self.node.inner.storage.accounts(question)?)
    }

    fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AccountTables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, AccountError> {
        let changed = self.node.inner.storage.change_accounts(work)?;
        self.node.inner.take_in_accounts();
        Ok(changed)
    }
}

/// The most characters of what an audit line is about: a visitor may have chosen them.
const ABOUT_MAX: usize = 200;

fn any_set_up(tables: &AccountTables<'_>) -> Result<bool, StoreError> {
    for row in tables.all()? {
        if Kept::read(&row)?.was_set_up {
            return Ok(true);
        }
    }
    Ok(false)
}

fn shown(
    tables: &AccountTables<'_>,
    row: &node_store::AccountRow,
    now_ms: u64,
) -> Result<Account, StoreError> {
    let kept = Kept::read(row)?;
    let tries = Tries::of(tables.tries(asked::tries_under(&kept.email))?);
    Ok(kept.account(AccountId::from_bytes(row.id), tries.wait_until_ms, now_ms))
}

/// An account and all that is kept of it; none if there is no such account.
fn kept(tables: &AccountTables<'_>, id: AccountId) -> Result<Option<Kept>, StoreError> {
    let row = tables.account(id.to_bytes())?;
    row.as_ref().map(Kept::read).transpose()
}

/// Takes out of a copied store what must not live twice: sessions and open links.
pub(crate) fn refresh(store: &mut node_store::SqliteStore) -> Result<(), StoreError> {
    store.change_accounts(|tables| {
        tables.end_all_sessions()?;
        for row in tables.all()? {
            let mut kept = Kept::read(&row)?;
            if kept.link.take().is_some() {
                tables.put_account(&kept.row(AccountId::from_bytes(row.id)))?;
            }
        }
        Ok(())
    })
}
