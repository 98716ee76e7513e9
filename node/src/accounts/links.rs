//! Links with which somebody chooses a password: each works once, and for a time.

use node_store::AccountTables;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::account::{AccountId, GivenRole, Kept, KeptLink};
use super::{AccountError, Accounts, any_set_up, asked, kept, password, token};

const HOUR_MS: u64 = 60 * 60 * 1_000;
/// How long the first link of a node works.
const FIRST_MS: u64 = 24 * HOUR_MS;
/// How long every other link works.
pub(super) const INVITED_MS: u64 = 72 * HOUR_MS;

/// A link with which the owner of an account chooses a password. Whoever has it can do so.
#[derive(Clone, PartialEq, Eq)]
pub struct SetUpLink {
    /// The account.
    pub account: AccountId,
    /// The last part of the path `/set-up/{token}`.
    pub token: Zeroizing<String>,
    /// Until when it works, in ms since 1970.
    pub ends_ms: u64,
}

/// What somebody chooses who follows a link.
#[derive(Clone, Default)]
pub struct Chosen {
    /// What to call them; used only if the account has no name yet.
    pub name: String,
    /// With what they sign in; used only if the account has no e-mail address yet.
    pub email: String,
    /// The password.
    pub password: Zeroizing<String>,
}

/// Whose link somebody followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkShown {
    /// What people call the account's owner; empty if that is to be chosen too.
    pub name: String,
    /// With what they sign in; empty if that is to be chosen too.
    pub email: String,
    /// Until when the link works, in ms since 1970.
    pub ends_ms: u64,
}

impl SetUpLink {
    /// The path of its page.
    pub fn path(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("/set-up/{}", *self.token))
    }
}

impl Accounts {
    /// The one link with which a node is set up: it makes its owner the hub lead, or at a
    /// coordinator the operator. It works once, within a day; a new one takes the place of the
    /// one before.
    ///
    /// # Errors
    /// [`AccountError::NotFirst`] once anybody has set up an account here.
    pub fn first_link(&self) -> Result<SetUpLink, AccountError> {
        let inner = &self.node.inner;
        let coordinates = inner
            .membership()
            .is_some_and(|it| it.coordinator.is_none());
        let role = GivenRole {
            role: if coordinates { "operator" } else { "hub lead" }.to_owned(),
            holder: String::new(),
            from: self.today(),
            until: None,
        };
        let ends_ms = self.now() + FIRST_MS;
        let line = self.line(None, "first link made", &role.role, true);
        let made = self.change(move |tables| {
            if any_set_up(tables)? {
                return Ok(None);
            }
            let mut id = AccountId::random();
            for row in tables.all()? {
                // The one before that nobody followed: it has no address.
                if row.name.is_none() {
                    id = AccountId::from_bytes(row.id);
                }
            }
            let (token, hash) = token::fresh_link(id);
            let kept = Kept {
                roles: vec![role],
                link: Some(KeptLink { hash, ends_ms }),
                ..Kept::default()
            };
            tables.put_account(&kept.row(id))?;
            tables.add_audit_line(&line)?;
            Ok(Some(SetUpLink {
                account: id,
                token,
                ends_ms,
            }))
        })?;
        made.ok_or(AccountError::NotFirst)
    }

    /// Whose a link is, as its page shows it.
    ///
    /// # Errors
    /// [`AccountError::Link`] if it does not work.
    pub fn link(&self, token: &str) -> Result<LinkShown, AccountError> {
        let (id, hash) = token::known_link(token).ok_or(AccountError::Link)?;
        let now = self.now();
        let found = self.read(|tables| linked(tables, id, &hash, now))?;
        let (kept, ends_ms) = found.ok_or(AccountError::Link)?;
        Ok(LinkShown {
            name: kept.name,
            email: kept.email,
            ends_ms,
        })
    }

    /// Uses a link: the password is the account's from now on, and every earlier session of it has
    /// ended. The owner signs in next.
    ///
    /// # Errors
    /// [`AccountError::Link`] if it does not work, [`AccountError::Password`] or
    /// [`AccountError::Refused`] if something else must be chosen; the link works on then.
    pub fn set_up(&self, token: &str, chosen: &Chosen) -> Result<AccountId, AccountError> {
        let (id, hash) = token::known_link(token).ok_or(AccountError::Link)?;
        let now = self.now();
        let found = self.read(|tables| linked(tables, id, &hash, now))?;
        let (found, _) = found.ok_or(AccountError::Link)?;
        let first = found.email.is_empty();
        let (name, email) = if first {
            (asked::name(&chosen.name)?, asked::email(&chosen.email)?)
        } else {
            (found.name, found.email)
        };
        password::check(&chosen.password, &name, &email)?;
        let password = self
            .door()
            .passwords
            .keep(self.hash_kib(), &chosen.password)?;
        let line = self.line(Some(id), "account set up", "", true);

        self.change(move |tables| {
            let Some((mut kept, _)) = linked(tables, id, &hash, now)? else {
                return Ok(Err(AccountError::Link));
            };
            if first && tables.account_named(&email)?.is_some() {
                return Ok(Err(taken()));
            }
            kept.name = name;
            kept.email = email;
            kept.password = Some(password);
            kept.link = None;
            kept.was_set_up = true;
            tables.put_account(&kept.row(id))?;
            tables.end_sessions_of(id.to_bytes(), None)?;
            tables.forget_tries(asked::tries_under(&kept.email))?;
            tables.add_audit_line(&line)?;
            Ok(Ok(id))
        })?
    }
}

/// The address belongs to another account.
pub(super) fn taken() -> AccountError {
    AccountError::Refused(
        "there is an account with that e-mail address already; change what it may do instead"
            .to_owned(),
    )
}

/// Gives an account a new link in the place of any before.
pub(super) fn new_link(kept: &mut Kept, id: AccountId, ends_ms: u64) -> SetUpLink {
    let (token, hash) = token::fresh_link(id);
    kept.link = Some(KeptLink { hash, ends_ms });
    SetUpLink {
        account: id,
        token,
        ends_ms,
    }
}

/// The account of a link that works, and until when it does.
fn linked(
    tables: &AccountTables<'_>,
    id: AccountId,
    hash: &str,
    now_ms: u64,
) -> Result<Option<(Kept, u64)>, node_store::StoreError> {
    let Some(kept) = kept(tables, id)? else {
        return Ok(None);
    };
    let Some(link) = &kept.link else {
        return Ok(None);
    };
    let same = bool::from(link.hash.as_bytes().ct_eq(hash.as_bytes()));
    let ends_ms = link.ends_ms;
    let works = same && now_ms < ends_ms && !kept.ended;
    Ok(works.then_some((kept, ends_ms)))
}

impl std::fmt::Debug for SetUpLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetUpLink")
            .field("account", &self.account)
            .field("ends_ms", &self.ends_ms)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chosen").finish_non_exhaustive()
    }
}
