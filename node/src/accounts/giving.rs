//! Giving and ending access.

use node_store::AccountTables;

use super::account::{Account, AccountId, GivenRole, Kept};
use super::links::{INVITED_MS, SetUpLink, new_link, taken};
use super::session::{Needs, Session};
use super::{AccountError, Accounts, asked, kept, shown};

/// On whose behalf access is given or ended.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Somebody who signed in; their role must be one that manages access.
    Session(&'a Session),
    /// The command line of whoever owns the data folder, who may do everything.
    CommandLine,
}

/// What is done to one account.
struct Done {
    event: &'static str,
    about: String,
}

impl Accounts {
    /// Makes an account for somebody, with these roles, and the link with which they set it up
    /// within three days. A first day that is left empty is today.
    ///
    /// # Errors
    /// [`AccountError::MayNot`]; [`AccountError::Refused`] if something of it cannot be used, or
    /// there is such an account.
    pub fn invite(
        &self,
        by: By<'_>,
        name: &str,
        email: &str,
        roles: &[GivenRole],
    ) -> Result<SetUpLink, AccountError> {
        self.may_manage(by, "invite")?;
        let (name, email) = (asked::name(name)?, asked::email(email)?);
        let roles = self.checked_roles(roles)?;
        let trying_out = match by {
            By::Session(session) => session.account.trying_out,
            By::CommandLine => false,
        };
        let names = roles.iter().map(|role| role.role.as_str());
        let about = names.collect::<Vec<_>>().join(", ");
        let line = self.line(who(by), "account made", &about, true);
        let ends_ms = self.now() + INVITED_MS;

        self.change(move |tables| {
            if tables.account_named(&email)?.is_some() {
                return Ok(Err(taken()));
            }
            if let Err(error) = super::trying_out::one_sort(tables, trying_out)? {
                return Ok(Err(error));
            }
            let id = AccountId::random();
            let mut kept = Kept {
                name,
                email,
                roles,
                trying_out,
                ..Kept::default()
            };
            let link = new_link(&mut kept, id, ends_ms);
            tables.put_account(&kept.row(id))?;
            tables.add_audit_line(&line)?;
            Ok(Ok(link))
        })?
    }

    /// Gives an account a role. A first day that is left empty is today; the same role for the same
    /// holder is given once, so that giving it again changes its days.
    ///
    /// # Errors
    /// [`AccountError::MayNot`], [`AccountError::Missing`], or [`AccountError::Refused`] if it
    /// cannot be given.
    pub fn give_role(
        &self,
        by: By<'_>,
        account: AccountId,
        role: &GivenRole,
    ) -> Result<Account, AccountError> {
        self.may_manage(by, "give role")?;
        let role = self.checked_role(role)?;
        // Nobody moves the last day of the role by which they manage access.
        if own(by, account) && asked::may_manage_accounts(&role.role) {
            return Err(not_own());
        }
        let done = Done {
            event: "role given",
            about: about(account, &role.role),
        };
        self.change_account(by, account, done, move |_, kept| {
            kept.roles
                .retain(|given| !given.is(&role.role, &role.holder));
            kept.roles.push(role);
            Ok(())
        })
    }

    /// Ends the role that stands there in an account's list: after the day `until`, or at once. A
    /// session that acts in it feels it at its next request.
    ///
    /// # Errors
    /// [`AccountError::MayNot`], also for the own role that manages access;
    /// [`AccountError::Missing`], or [`AccountError::Refused`] if there is no such role.
    pub fn end_role(
        &self,
        by: By<'_>,
        account: AccountId,
        role: usize,
        until: Option<&str>,
    ) -> Result<Account, AccountError> {
        self.may_manage(by, "end role")?;
        let given = self.find(account)?.roles.get(role).cloned();
        let given = given.ok_or_else(no_role)?;
        if own(by, account) && asked::may_manage_accounts(&given.role) {
            return Err(not_own());
        }
        let yesterday = asked::day_before(&self.today());
        let until = match until.map(str::trim).filter(|until| !until.is_empty()) {
            Some(until) => asked::day(until)?,
            None => yesterday,
        };
        let done = Done {
            event: "role ended",
            about: about(account, &given.role),
        };
        self.change_account(by, account, done, move |_, kept| {
            let place = kept.roles.iter().position(|role| *role == given);
            let place = place.ok_or_else(no_role)?;
            if until < given.from {
                kept.roles.remove(place);
            } else if let Some(role) = kept.roles.get_mut(place) {
                role.until = Some(until);
            }
            Ok(())
        })
    }

    /// Ends an account and all its sessions, at once. What its owner wrote stays.
    ///
    /// # Errors
    /// [`AccountError::MayNot`], also for the own account; [`AccountError::Missing`].
    pub fn end_account(&self, by: By<'_>, account: AccountId) -> Result<Account, AccountError> {
        self.may_manage(by, "end account")?;
        if own(by, account) {
            return Err(not_own());
        }
        let done = Done {
            event: "account ended",
            about: account.to_string(),
        };
        self.change_account(by, account, done, move |tables, kept| {
            kept.ended = true;
            kept.link = None;
            kept.password = None;
            kept.second_factor = None;
            tables.end_sessions_of(account.to_bytes(), None)?;
            Ok(())
        })
    }

    /// Gives somebody who is locked out a new link. Password and second factor are gone at once,
    /// and all sessions have ended. An account that had ended is opened again by this, with the
    /// roles that still hold.
    ///
    /// # Errors
    /// [`AccountError::MayNot`], also for the own account; [`AccountError::Missing`].
    pub fn reset(&self, by: By<'_>, account: AccountId) -> Result<SetUpLink, AccountError> {
        self.may_manage(by, "reset account")?;
        if own(by, account) {
            return Err(not_own());
        }
        let done = Done {
            event: "account reset",
            about: account.to_string(),
        };
        let ends_ms = self.now() + INVITED_MS;
        let (sender, made) = std::sync::mpsc::sync_channel(1);
        self.change_account(by, account, done, move |tables, kept| {
            if kept.ended && kept.trying_out {
                return Err(AccountError::Refused(
                    "an account for trying out that has ended stays ended; make a new one"
                        .to_owned(),
                ));
            }
            kept.ended = false;
            kept.password = None;
            kept.second_factor = None;
            // Whoever asked waits below.
            let _sent = sender.send(new_link(kept, account, ends_ms));
            tables.end_sessions_of(account.to_bytes(), None)?;
            tables.forget_tries(asked::tries_under(&kept.email))?;
            Ok(())
        })?;
        made.recv().map_err(|_| AccountError::Missing)
    }

    /// Checks that somebody manages access, and notes it if not.
    fn may_manage(&self, by: By<'_>, what: &str) -> Result<(), AccountError> {
        let By::Session(session) = by else {
            return Ok(());
        };
        let role = session
            .role
            .as_ref()
            .filter(|_| session.needs == Needs::Nothing);
        if role.is_some_and(|role| asked::may_manage_accounts(&role.role)) {
            return Ok(());
        }
        self.audit(who(by), what, "/access", false)?;
        Err(AccountError::MayNot(
            "the role in which you act does not manage access; ask the hub lead".to_owned(),
        ))
    }

    /// Changes an account and notes it, in one durable change.
    fn change_account(
        &self,
        by: By<'_>,
        id: AccountId,
        done: Done,
        change: impl FnOnce(&AccountTables<'_>, &mut Kept) -> Result<(), AccountError> + Send + 'static,
    ) -> Result<Account, AccountError> {
        let now = self.now();
        let line = self.line(who(by), done.event, &done.about, true);

        self.change(move |tables| {
            let Some(mut kept) = kept(tables, id)? else {
                return Ok(Err(AccountError::Missing));
            };
            match change(tables, &mut kept) {
                Ok(()) => {}
                Err(AccountError::Store(error)) => return Err(error),
                Err(error) => return Ok(Err(error)),
            }
            let row = kept.row(id);
            tables.put_account(&row)?;
            tables.add_audit_line(&line)?;
            Ok(Ok(shown(tables, &row, now)?))
        })?
    }
}

fn who(by: By<'_>) -> Option<AccountId> {
    match by {
        By::Session(session) => Some(session.account.id),
        By::CommandLine => None,
    }
}

fn own(by: By<'_>, account: AccountId) -> bool {
    who(by) == Some(account)
}

fn about(account: AccountId, role: &str) -> String {
    format!("{role}, {account}")
}

fn no_role() -> AccountError {
    AccountError::Refused(
        "the account has no such role; look at the list of those who have access".to_owned(),
    )
}

fn not_own() -> AccountError {
    AccountError::MayNot(
        "nobody ends their own access: ask somebody else who manages access, so that one who does \
         is always left"
            .to_owned(),
    )
}
