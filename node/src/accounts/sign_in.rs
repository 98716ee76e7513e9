//! Signing in with a password.

use std::net::IpAddr;

use node_store::AccountTables;
use zeroize::Zeroizing;

use super::account::{AccountId, Kept};
use super::session::{KeptSession, Needs, Session, begin, whole};
use super::tries::{FREE, Tries};
use super::{AccountError, Accounts, RefusedSignIn, asked, kept, password};

/// Somebody who gave the right password.
#[derive(Clone)]
pub struct SignedIn {
    /// What the browser shows from now on.
    pub token: Zeroizing<String>,
    /// What they must do before anything else.
    pub needs: Needs,
}

impl Accounts {
    /// Signs somebody in with a password, from a network address. It takes the same work and gives
    /// the same answers whether or not there is such an account.
    ///
    /// Under one e-mail address the first five tries are free; then each takes a wait, from a
    /// second up to a quarter of an hour, also after the node was started again. The count begins
    /// anew when somebody has signed in whole, or after a day. Very many tries from one network
    /// address make it wait too.
    ///
    /// # Errors
    /// [`AccountError::SignIn`] with what to tell the visitor; [`AccountError::Hash`] or
    /// [`AccountError::Store`].
    pub fn sign_in(
        &self,
        email: &str,
        password: &str,
        from: IpAddr,
        now_ms: u64,
    ) -> Result<SignedIn, AccountError> {
        let accounts = self.at(now_ms);
        let door = accounts.door();
        door.addresses.take(from, now_ms)?;
        let email = asked::plain_email(email);
        let under = asked::tries_under(&email);
        let taken = accounts.change({
            let email = email.clone();
            move |tables| {
                let row = tables.account_named(&email)?;
                let taken = take_try(tables, under, row.is_some(), now_ms)?;
                Ok(taken.map(|_| row))
            }
        })?;
        let found = match taken? {
            Some(row) => Some((AccountId::from_bytes(row.id), Kept::read(&row)?)),
            None => None,
        };
        let usable = found.as_ref().filter(|(_, kept)| !kept.ended);
        let stored = usable.and_then(|(_, kept)| kept.password.as_deref());
        let fits = door.passwords.fits(accounts.hash_kib(), password, stored)?;
        match found {
            Some((id, kept)) if fits => {
                let signed_in = accounts.let_in(id, kept.password)?;
                door.addresses.give_back(from);
                Ok(signed_in)
            }
            found => {
                let who = found.map(|(id, _)| id);
                accounts.audit(who, "sign-in refused", "", false)?;
                Err(RefusedSignIn::Wrong.into())
            }
        }
    }

    /// Changes the password of the session's account, and ends its other sessions.
    ///
    /// # Errors
    /// [`AccountError::Password`] if `old` is not the password, or `new` cannot be one;
    /// [`AccountError::SignIn`] if there were too many tries.
    pub fn change_password(
        &self,
        session: &Session,
        old: &str,
        new: &str,
    ) -> Result<(), AccountError> {
        whole(session)?;
        let account = &session.account;
        password::check(new, &account.name, &account.email)?;
        self.check_password(session, old)?;
        let password = self.door().passwords.keep(self.hash_kib(), new)?;
        let (id, hash) = (account.id, session.hash);
        let line = self.line(Some(id), "password changed", "", true);

        self.change(move |tables| {
            let Some(mut kept) = kept(tables, id)?.filter(|kept| !kept.ended) else {
                return Ok(Err(AccountError::SessionEnded));
            };
            kept.password = Some(password);
            kept.link = None;
            tables.put_account(&kept.row(id))?;
            tables.end_sessions_of(id.to_bytes(), Some(hash))?;
            tables.add_audit_line(&line)?;
            Ok(Ok(()))
        })?
    }

    /// Checks the password of somebody who signed in, before something that needs it again.
    ///
    /// # Errors
    /// [`AccountError::Password`] if it is not theirs; [`AccountError::SignIn`] after too many tries.
    pub fn check_password(&self, session: &Session, password: &str) -> Result<(), AccountError> {
        let (id, now) = (session.account.id, self.now());
        let under = asked::tries_under(&session.account.email);
        let taken = self.change(move |tables| {
            let taken = take_try(tables, under, true, now)?;
            Ok(taken.map(|_| kept(tables, id)))
        })?;
        let kept = taken??;
        let stored = kept.filter(|kept| !kept.ended).and_then(|it| it.password);
        let passwords = &self.door().passwords;
        if !passwords.fits(self.hash_kib(), password, stored.as_deref())? {
            self.audit(Some(id), "password refused", "", false)?;
            return Err(AccountError::Password(
                "that is not your password; check it and try again".to_owned(),
            ));
        }
        self.change(move |tables| give_try_back(tables, under))
    }

    /// Begins a session of somebody whose password was right, unless it was changed meanwhile.
    fn let_in(&self, id: AccountId, was: Option<String>) -> Result<SignedIn, AccountError> {
        let now = self.now();
        let line = self.line(Some(id), "signed in", "", true);
        let (begun_before, seen_before) = self.ended_before(now);
        let begun = self.change(move |tables| {
            let found = kept(tables, id)?.filter(|kept| !kept.ended && kept.password == was);
            let Some(kept) = found else {
                return Ok(None);
            };
            give_try_back(tables, asked::tries_under(&kept.email))?;
            tables.end_sessions_before(begun_before, seen_before)?;
            let needs = match kept.second_factor {
                Some(_) => Needs::SecondFactor,
                None => Needs::SetUpSecondFactor,
            };
            let session = KeptSession {
                needs,
                acting: None,
                pending: None,
            };
            let token = begin(tables, id, &session, now)?;
            tables.add_audit_line(&line)?;
            Ok(Some(SignedIn { token, needs }))
        })?;
        Ok(begun.ok_or(RefusedSignIn::Wrong)?)
    }
}

/// Counts a try, and refuses it while one has to wait.
pub(super) fn take_try(
    tables: &AccountTables<'_>,
    under: [u8; 32],
    known: bool,
    now_ms: u64,
) -> Result<Result<Tries, RefusedSignIn>, node_store::StoreError> {
    let mut tries = Tries::of(tables.tries(under)?);
    if let Err(refused) = tries.take(FREE, now_ms) {
        return Ok(Err(refused));
    }
    tables.put_tries(&tries.row(under, known))?;
    Ok(Ok(tries))
}

/// Takes a try of an account back that turned out right.
fn give_try_back(
    tables: &AccountTables<'_>,
    under: [u8; 32],
) -> Result<(), node_store::StoreError> {
    let mut tries = Tries::of(tables.tries(under)?);
    tries.give_back();
    tables.put_tries(&tries.row(under, true))
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn")
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}
