//! Accounts that work at once, to try the program out.

use node_store::{AccountTables, StoreError};
use zeroize::Zeroizing;

use super::account::{AccountId, GivenRole, Kept, KeptFactor};
use super::links::taken;
use super::{AccountError, Accounts, asked, password, second_factor};

/// An account that works at once, for demonstrations and tests: whoever makes it knows its password
/// and can make its codes. A node has accounts of this sort or real ones, never both at once: one
/// with real accounts takes none of these, and one with these takes no others until all of them
/// have ended, so that nobody keeps a way in that others know.
#[derive(Clone)]
pub struct TryingOut {
    /// What to call its owner.
    pub name: String,
    /// With what they sign in.
    pub email: String,
    /// The password.
    pub password: Zeroizing<String>,
    /// The secret of its second factor, in base 32; without one it is set up at the first sign-in.
    pub secret: Option<Zeroizing<String>>,
    /// Its roles. A first day that is left empty is today.
    pub roles: Vec<GivenRole>,
}

impl Accounts {
    /// Makes an account that works at once; only on the command line of whoever owns the data
    /// folder.
    ///
    /// # Errors
    /// [`AccountError::Refused`] on a node with real accounts, or if something of it cannot be
    /// used; [`AccountError::Password`].
    pub fn try_out(&self, account: &TryingOut) -> Result<AccountId, AccountError> {
        let (name, email) = (asked::name(&account.name)?, asked::email(&account.email)?);
        let roles = self.checked_roles(&account.roles)?;
        password::check(&account.password, &name, &email)?;
        let secret = account.secret.as_ref();
        let secret = secret
            .map(|secret| second_factor::secret(secret))
            .transpose()?;
        let kept = Kept {
            password: Some(
                self.door()
                    .passwords
                    .keep(self.hash_kib(), &account.password)?,
            ),
            name,
            email,
            second_factor: secret.map(|secret| KeptFactor {
                secret,
                last_step: 0,
                recovery: Vec::new(),
            }),
            roles,
            link: None,
            was_set_up: true,
            ended: false,
            trying_out: true,
        };
        let line = self.line(None, "account made for trying out", "", true);

        self.change(move |tables| {
            if let Err(error) = one_sort(tables, true)? {
                return Ok(Err(error));
            }
            if tables.account_named(&kept.email)?.is_some() {
                return Ok(Err(taken()));
            }
            let id = AccountId::random();
            tables.put_account(&kept.row(id))?;
            tables.add_audit_line(&line)?;
            Ok(Ok(id))
        })?
    }
}

/// Checks that a node has accounts of one sort alone. Those of real people count even when they
/// have ended; those for trying out count until then.
pub(super) fn one_sort(
    tables: &AccountTables<'_>,
    trying_out: bool,
) -> Result<Result<(), AccountError>, StoreError> {
    for row in tables.all()? {
        let kept = Kept::read(&row)?;
        // The first link, which nobody followed.
        if kept.email.is_empty() {
            continue;
        }
        if trying_out && !kept.trying_out {
            return Ok(Err(AccountError::Refused(
                "this node has real accounts, so it takes none for trying out".to_owned(),
            )));
        }
        if !trying_out && kept.trying_out && !kept.ended {
            return Ok(Err(AccountError::Refused(
                "this node has accounts for trying out, which others can use; end them all before \
                 you make a real one"
                    .to_owned(),
            )));
        }
    }
    Ok(Ok(()))
}

impl std::fmt::Debug for TryingOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TryingOut").finish_non_exhaustive()
    }
}
