//! An account: who somebody is here, and the roles that they were given.

use std::fmt;
use std::str::FromStr;

use node_domain::{Held, Records};
use node_store::{AccountRow, StoreError};
use serde::{Deserialize, Serialize};

/// An account's id. It says nothing of whose it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 8]);

/// An account, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What people call its owner. Empty until the first link of a node was used.
    pub name: String,
    /// With which its owner signs in. Empty until the first link of a node was used.
    pub email: String,
    /// Whether its owner can sign in.
    pub standing: Standing,
    /// Whether signing in takes a code as well as the password.
    pub second_factor: bool,
    /// What was given, also what has ended or not begun.
    pub roles: Vec<GivenRole>,
    /// Whether it was made to try the program out; see [`super::TryingOut`].
    pub trying_out: bool,
}

/// Whether an account's owner can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not yet: the link has not been used.
    Invited,
    /// Yes.
    Active,
    /// Not before this moment, in ms since 1970: there were too many tries.
    LockedUntil(u64),
    /// Never again.
    Ended,
}

/// A role that an account was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenRole {
    /// The role's name.
    pub role: String,
    /// For whom or for what body: the id of a person's card or of a partner, or, for a guest, the
    /// body as the forum names it. Empty for roles that need none.
    pub holder: String,
    /// The first day, such as `2026-11-27`.
    pub from: String,
    /// The last day, if there is one.
    pub until: Option<String>,
}

impl AccountId {
    pub(super) fn random() -> Self {
        Self(crate::random())
    }

    pub(super) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

impl FromStr for AccountId {
    type Err = super::AccountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| super::AccountError::Missing)?;
        Ok(Self(bytes))
    }
}

impl GivenRole {
    /// Whether it holds on a day, such as `2026-11-27`.
    pub fn holds_on(&self, day: &str) -> bool {
        let begun = self.from.as_str() <= day;
        begun && self.until.as_deref().is_none_or(|until| day <= until)
    }

    /// What people call the role.
    pub fn title(&self) -> &str {
        node_domain::role(&self.role).map_or(&self.role, |role| role.title)
    }

    /// Whether the role changes anything.
    pub(super) fn writes(&self) -> bool {
        node_domain::role(&self.role).is_some_and(|role| {
            let mut may = role.may.iter();
            may.any(|may| may.write != node_domain::Seen::Nothing)
        })
    }

    pub(super) fn is(&self, role: &str, holder: &str) -> bool {
        self.role == role && self.holder == holder
    }
}

impl Account {
    /// The roles that hold on a day, each with its place among all.
    pub fn roles_on<'a>(&'a self, day: &'a str) -> impl Iterator<Item = (usize, &'a GivenRole)> {
        let roles = self.roles.iter().enumerate();
        roles.filter(move |(_, role)| role.holds_on(day))
    }
}

/// Whether a role is given for somebody or some body in particular.
pub(super) fn needs_holder(role: &node_domain::Role) -> bool {
    let own = |records: Records| match records {
        Records::All => false,
        Records::Delegated | Records::Own(_) => true,
    };
    role.held != Held::Vouched || role.may.iter().any(|may| own(may.records))
}

/// All that is kept of an account, with its secrets.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) email: String,
    /// As argon2 writes it.
    pub(super) password: Option<String>,
    pub(super) second_factor: Option<KeptFactor>,
    pub(super) roles: Vec<GivenRole>,
    pub(super) link: Option<KeptLink>,
    /// Whether its owner has ever chosen a password.
    pub(super) was_set_up: bool,
    pub(super) ended: bool,
    pub(super) trying_out: bool,
}

/// What is kept of a second factor.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptFactor {
    /// In base 32. Whoever reads the store can make codes of it.
    pub(super) secret: String,
    /// The last step of which a code was used.
    pub(super) last_step: u64,
    /// Hashes of the recovery codes that were not used.
    pub(super) recovery: Vec<String>,
}

/// What is kept of a link.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptLink {
    pub(super) hash: String,
    pub(super) ends_ms: u64,
}

impl Kept {
    pub(super) fn read(row: &AccountRow) -> Result<Self, StoreError> {
        serde_json::from_str(&row.json)
            .map_err(|error| StoreError::Corrupt(format!("an account cannot be read: {error}")))
    }

    pub(super) fn row(&self, id: AccountId) -> AccountRow {
        AccountRow {
            id: id.to_bytes(),
            name: Some(self.email.clone()).filter(|email| !email.is_empty()),
            json: serde_json::json!(self).to_string(),
        }
    }

    /// The account as others may know it.
    pub(super) fn account(&self, id: AccountId, wait_until_ms: u64, now_ms: u64) -> Account {
        let standing = if self.ended {
            Standing::Ended
        } else if self.password.is_none() {
            Standing::Invited
        } else if wait_until_ms > now_ms {
            Standing::LockedUntil(wait_until_ms)
        } else {
            Standing::Active
        };
        Account {
            id,
            name: self.name.clone(),
            email: self.email.clone(),
            standing,
            second_factor: self.second_factor.is_some(),
            roles: self.roles.clone(),
            trying_out: self.trying_out,
        }
    }
}
