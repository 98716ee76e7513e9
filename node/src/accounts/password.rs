//! Passwords: which may be chosen, and how they are kept.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::AccountError;

/// How often the memory is gone through, and by how many at once. With 19 MiB of memory (the
/// least that `accounts.hash_kib` may be) this is what OWASP's "Password Storage Cheat Sheet" asks
/// for argon2id.
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The fewest characters of a password, and the most bytes.
const CHARACTERS_MIN: usize = 12;
const BYTES_MAX: usize = 200;
/// How many letters and digits must be left without the words that others would try first.
const OWN_MIN: usize = 6;
/// How many different characters there must be.
const DIFFERENT_MIN: usize = 5;

/// Words that whoever knows the programme would try first.
const WORDS: &[&str] = &[
    "causeway",
    "ncetm",
    "mathematics",
    "mathshub",
    "maths",
    "mastery",
    "teaching",
    "teacher",
    "school",
    "workgroup",
    "password",
    "letmein",
    "welcome",
    "qwertyuiop",
    "qwerty",
    "1234567890",
    "123456",
    "hub",
];

/// How many passwords of visitors are tried or wait to be: those beyond would hold up everybody.
const TURNS: usize = 8;

/// The turns of visitors at a password.
#[derive(Debug, Clone)]
pub(super) struct Turns(Arc<Semaphore>);

/// A turn at a password. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TURNS)))
    }
}

impl Turns {
    /// A turn, if not too many wait.
    pub(super) fn take(&self) -> Result<Turn, AccountError> {
        let permit = Arc::clone(&self.0).try_acquire_owned();
        permit
            .map(|permit| Turn { _permit: permit })
            .map_err(|_| AccountError::Busy)
    }
}

/// Makes and checks the kept form of passwords, one at a time, so that many who sign in at once
/// take the memory of one.
#[derive(Debug, Default)]
pub(super) struct Passwords {
    one: Mutex<()>,
    nobodys: OnceLock<String>,
}

impl Passwords {
    /// The form in which a password is kept.
    pub(super) fn keep(&self, kib: u32, password: &str) -> Result<String, AccountError> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        hash(kib, password)
    }

    /// Whether a password is the kept one. It takes the same work when none is kept.
    pub(super) fn fits(
        &self,
        kib: u32,
        password: &str,
        kept: Option<&str>,
    ) -> Result<bool, AccountError> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let nobodys = match self.nobodys.get() {
            Some(nobodys) => nobodys,
            None => {
                let made = hash(kib, &hex::encode(crate::random::<32>()))?;
                self.nobodys.get_or_init(|| made)
            }
        };
        let against = PasswordHash::new(kept.unwrap_or(nobodys)).map_err(|_| AccountError::Hash)?;
        let password = normal(password);
        // It is compared in constant time.
        let same = Argon2::default().verify_password(password.as_bytes(), &against);
        Ok(same.is_ok() && kept.is_some())
    }
}

fn hash(kib: u32, password: &str) -> Result<String, AccountError> {
    let params = Params::new(kib, PASSES, LANES, None).map_err(|_| AccountError::Hash)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let made = argon2.hash_password(normal(password).as_bytes());
    Ok(made.map_err(|_| AccountError::Hash)?.to_string())
}

/// A password as it is kept: the same characters, however a keyboard makes them. One that is far
/// too long is none at all.
fn normal(password: &str) -> Zeroizing<String> {
    if password.len() > 4 * BYTES_MAX {
        return Zeroizing::default();
    }
    Zeroizing::new(password.nfkc().collect())
}

/// Checks a new password.
///
/// # Errors
/// [`AccountError::Password`] with what to do.
pub(super) fn check(password: &str, name: &str, email: &str) -> Result<(), AccountError> {
    let wrong = |sentence: String| Err(AccountError::Password(sentence));
    let too_long =
        || format!("the password is longer than {BYTES_MAX} bytes; choose a shorter one");
    if password.len() > 4 * BYTES_MAX {
        return wrong(too_long());
    }
    let password = normal(password);
    if password.len() > BYTES_MAX {
        return wrong(too_long());
    }
    if password.chars().count() < CHARACTERS_MIN {
        return wrong(format!(
            "the password has fewer than {CHARACTERS_MIN} characters; three or four words that \
             nobody would guess make a good one"
        ));
    }
    let lower = Zeroizing::new(password.to_lowercase());
    if lower.chars().collect::<BTreeSet<_>>().len() < DIFFERENT_MIN {
        return wrong(
            "the password repeats too few characters; choose several words instead".to_owned(),
        );
    }
    if without_known_words(&lower, name, email) < OWN_MIN {
        return wrong(
            "the password is made of your name, your e-mail address or words of the programme; \
             choose words that nobody would guess"
                .to_owned(),
        );
    }
    Ok(())
}

/// How many letters and digits are left without words that others would try first.
fn without_known_words(password: &str, name: &str, email: &str) -> usize {
    let own = |text: &str| {
        let lower = text.nfkc().collect::<String>().to_lowercase();
        let parts = lower.split(|c: char| !c.is_alphanumeric());
        let parts = parts.filter(|part| part.chars().count() >= 3);
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut words = WORDS
        .iter()
        .map(|word| (*word).to_owned())
        .collect::<Vec<_>>();
    words.extend(own(name));
    words.extend(own(email));
    // The longest first, so that a short one does not break it up.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let letters = password.chars().filter(|c| c.is_alphanumeric());
    let mut left = Zeroizing::new(letters.collect::<String>());
    for word in &words {
        // What stood on both sides is not to become a word that was not there.
        *left = left.replace(word.as_str(), " ");
    }
    left.chars().filter(|c| c.is_alphanumeric()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_so_many_visitors_the_next_is_told_to_come_again() {
        let turns = Turns::default();
        let mut taken = (0..TURNS).map(|_| turns.take()).collect::<Vec<_>>();
        assert!(taken.iter().all(Result::is_ok));
        assert!(matches!(turns.take(), Err(AccountError::Busy)));
        taken.pop();
        assert!(turns.take().is_ok());
    }

    #[test]
    fn a_password_that_others_would_try_first_is_refused_with_what_to_do() {
        let check = |password: &str| check(password, "Élodie Smith", "elodie.smith@hub.example");
        for refused in [
            "short",
            "",
            "aaaaaaaaaaaaaaaa",
            "elodie.smith@hub.example",
            "Causeway Maths Hub 26",
            "Élodie Smith 1",
            "NCETM-mastery-1",
            &"x1y2z".repeat(50),
            &"x".repeat(1_000_000),
        ] {
            assert!(check(refused).is_err(), "{refused:.40}");
        }
        for good in [
            "four blue kettles sing",
            "пароль для учителя",
            "kettle-harbour-9",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_kept_password_is_known_again_however_the_keyboard_writes_it() {
        let passwords = Passwords::default();
        let kept = passwords
            .keep(19_456, "caf\u{e9} kettle harbour")
            .expect("a hash");
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        let fits = |password: &str, kept: Option<&str>| {
            passwords.fits(19_456, password, kept).expect("an answer")
        };
        assert!(fits("cafe\u{301} kettle harbour", Some(&kept)));
        assert!(!fits("cafe kettle harbour", Some(&kept)));
        assert!(!fits("cafe kettle harbour", None));
        assert!(!fits("", None));
    }
}
