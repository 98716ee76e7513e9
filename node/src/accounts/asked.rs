//! What is asked for, checked before anything is done: names, addresses, roles and days.

use node_domain::{Duty, Held, ROLES};
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime};

use super::account::{GivenRole, needs_holder as holder_needed};
use super::{AccountError, Accounts};

const NAME_MAX: usize = 100;
/// The longest address that mail is sent to, by RFC 5321.
const EMAIL_MAX: usize = 254;
/// The longest text that names a body.
const HOLDER_MAX: usize = 200;

/// Whether a role gives, changes and ends the access of others.
pub fn may_manage_accounts(role: &str) -> bool {
    node_domain::role(role).is_some_and(|role| role.has(Duty::Accounts))
}

/// Whether a role is given for somebody or some body in particular, so that [`GivenRole::holder`]
/// must say for whom.
pub fn needs_holder(role: &str) -> bool {
    node_domain::role(role).is_some_and(holder_needed)
}

/// An e-mail address as it is compared.
pub(super) fn plain_email(email: &str) -> String {
    if email.len() > 4 * EMAIL_MAX {
        return String::new();
    }
    email.trim().to_lowercase()
}

/// Under what the tries with an e-mail address are counted.
pub(super) fn tries_under(email: &str) -> [u8; 32] {
    blake3::derive_key("causeway 2026-11 tries to sign in", email.as_bytes())
}

/// Checks an e-mail address and gives it as it is kept.
pub(super) fn email(text: &str) -> Result<String, AccountError> {
    let email = plain_email(text);
    let wrong = || {
        AccountError::Refused(
            "that is not an e-mail address such as j.smith@hub.example".to_owned(),
        )
    };
    let (local, host) = email.split_once('@').ok_or_else(wrong)?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@:,;<>()\"\\".contains(c);
    let good = !local.is_empty()
        && !host.is_empty()
        && email.len() <= EMAIL_MAX
        && !local.contains(odd)
        && !host.contains(odd);
    if good { Ok(email) } else { Err(wrong()) }
}

/// Checks what somebody is called and gives it as it is kept.
pub(super) fn name(text: &str) -> Result<String, AccountError> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(AccountError::Refused("a name is needed".to_owned()));
    }
    if name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(AccountError::Refused(format!(
            "the name is longer than {NAME_MAX} characters, or holds some that cannot be shown"
        )));
    }
    Ok(name)
}

/// Checks a day and gives it as it is compared.
pub(super) fn day(text: &str) -> Result<String, AccountError> {
    let text = text.trim();
    let date = Date::parse(text, &Iso8601::DATE).ok();
    let date = date
        .map(|date| date.to_string())
        .filter(|date| date == text);
    date.ok_or_else(|| {
        AccountError::Refused(format!("\"{text:.40}\" is not a day such as 2026-11-27"))
    })
}

/// The day of a moment, such as `2026-11-27`, in UTC as the desk judges it.
pub(super) fn day_of(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1_000).unwrap_or_default();
    let moment = OffsetDateTime::from_unix_timestamp(seconds);
    moment.map_or_else(|_| String::new(), |moment| moment.date().to_string())
}

/// The day before.
pub(super) fn day_before(day: &str) -> String {
    let date = Date::parse(day, &Iso8601::DATE).ok();
    let before = date.and_then(Date::previous_day);
    before.map_or_else(String::new, |day| day.to_string())
}

impl Accounts {
    /// Checks roles that are to be given.
    pub(super) fn checked_roles(
        &self,
        roles: &[GivenRole],
    ) -> Result<Vec<GivenRole>, AccountError> {
        roles.iter().map(|role| self.checked_role(role)).collect()
    }

    /// Checks a role that is to be given. A first day that is left out is today.
    pub(super) fn checked_role(&self, given: &GivenRole) -> Result<GivenRole, AccountError> {
        let refused = |sentence: String| Err(AccountError::Refused(sentence));
        let Some(role) = node_domain::role(&given.role) else {
            let names = ROLES.iter().map(|role| role.name).collect::<Vec<_>>();
            return refused(format!(
                "there is no such role; the roles are {}",
                names.join(", ")
            ));
        };
        let holder = given.holder.trim();
        if holder.is_empty() && holder_needed(role) {
            return refused(format!(
                "a {} acts for somebody or some body: say which",
                role.name
            ));
        }
        if holder.len() > HOLDER_MAX || holder.chars().any(char::is_control) {
            return refused("whom the role is for is too long".to_owned());
        }
        // A guest's body is named in words, as the forum names it; all others are records.
        let in_words = role.held == Held::Vouched && holder_needed(role);
        if !holder.is_empty() && !in_words && self.node.find_record(holder).is_err() {
            return refused(
                "whom the role is for is not among the records here; make the card or partner first"
                    .to_owned(),
            );
        }
        let from = match given.from.trim() {
            "" => self.today(),
            from => day(from)?,
        };
        let until = given.until.as_deref().map(str::trim);
        let until = until
            .filter(|until| !until.is_empty())
            .map(day)
            .transpose()?;
        if until.as_ref().is_some_and(|until| *until < from) {
            return refused("the last day is before the first one".to_owned());
        }
        Ok(GivenRole {
            role: role.name.to_owned(),
            holder: holder.to_owned(),
            from,
            until,
        })
    }
}
