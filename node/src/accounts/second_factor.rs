//! The second factor: codes of an app by RFC 6238, and recovery codes for when it is lost.

use data_encoding::BASE32_NOPAD;
use node_store::{AccountTables, StoreError};
use qrcode::QrCode;
use qrcode::render::svg;
use subtle::ConstantTimeEq;
use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

use super::account::{AccountId, Kept, KeptFactor};
use super::session::{KeptSession, Needs, Session, begin, whole};
use super::sign_in::take_try;
use super::{AccountError, Accounts, RefusedSignIn, asked, kept};

/// What an app is told: codes of six digits, a new one every 30 seconds, by SHA-1, which is what
/// every app knows. The code before and the code after are taken too, since clocks differ.
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
const SKEW: u16 = 1;
const ISSUER: &str = "Causeway";
/// How many recovery codes there are.
const RECOVERY: usize = 8;
/// How many characters a recovery code has, of five bits each.
const RECOVERY_CHARACTERS: usize = 10;
/// The least width of the picture, in pixels.
const PICTURE_MIN: u32 = 220;

/// A second factor that is being set up. It counts once its first code was given.
#[derive(Clone)]
pub struct NewSecondFactor {
    /// The secret, to be typed into an app that reads no picture, in groups of four.
    pub secret: Zeroizing<String>,
    /// The same as an app reads it.
    pub url: Zeroizing<String>,
    /// The same as a picture, an `<svg>` element.
    pub picture: Zeroizing<String>,
}

/// A code that was right.
#[derive(Clone)]
pub struct Confirmed {
    /// What the browser shows from now on; what it showed before has ended.
    pub token: Zeroizing<String>,
    /// New recovery codes, if the second factor is new. They are shown this once.
    pub recovery: Vec<Zeroizing<String>>,
    /// How many recovery codes are left.
    pub recovery_left: usize,
}

impl Accounts {
    /// Begins to set up a second factor for an account that has none, or goes on with it.
    ///
    /// # Errors
    /// [`AccountError::Refused`] if the account has one: see [`Accounts::change_second_factor`].
    pub fn begin_second_factor(&self, session: &Session) -> Result<NewSecondFactor, AccountError> {
        if session.needs != Needs::SetUpSecondFactor {
            return Err(AccountError::Refused(
                "you have a second factor; give your password to change it".to_owned(),
            ));
        }
        self.pending(session)
    }

    /// Begins to set up another second factor. The one before counts until the new one's first
    /// code was given.
    ///
    /// # Errors
    /// [`AccountError::Password`] if that is not the password.
    pub fn change_second_factor(
        &self,
        session: &Session,
        password: &str,
    ) -> Result<NewSecondFactor, AccountError> {
        whole(session)?;
        self.check_password(session, password)?;
        self.pending(session)
    }

    /// The second factor that this session is setting up, if it is.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn pending_second_factor(
        &self,
        session: &Session,
    ) -> Result<Option<NewSecondFactor>, AccountError> {
        let hash = session.hash;
        let pending = self.read(|tables| {
            let row = tables.session(hash)?;
            let kept = row.as_ref().map(KeptSession::read).transpose()?;
            Ok(kept.and_then(|kept| kept.pending))
        })?;
        pending
            .map(|secret| shown(&secret, &session.account.email))
            .transpose()
    }

    /// Takes a code: the first one of a second factor that is being set up, or the one that signing
    /// in needs, for which a recovery code does too. Each code works once. The session goes on
    /// under another token, and after a new second factor all other sessions have ended.
    ///
    /// # Errors
    /// [`AccountError::SignIn`] if the code is not right, or there were too many tries.
    pub fn confirm_second_factor(
        &self,
        session: &Session,
        code: &str,
    ) -> Result<Confirmed, AccountError> {
        let (id, hash, now) = (session.account.id, session.hash, self.now());
        let code = Zeroizing::new(plain_code(code));
        let good = self.line(Some(id), "second factor given", "", true);
        let bad = self.line(Some(id), "code refused", "", false);
        let made = self.line(Some(id), "second factor set up", "", true);
        let used = self.line(Some(id), "recovery code used", "", true);

        let confirmed = self.change(move |tables| {
            let (Some(row), Some(mut kept)) = (tables.session(hash)?, kept(tables, id)?) else {
                return Ok(Err(AccountError::SessionEnded));
            };
            let mut session = KeptSession::read(&row)?;
            let under = asked::tries_under(&kept.email);
            if let Err(refused) = take_try(tables, under, true, now)? {
                return Ok(Err(refused.into()));
            }
            let right = match session.pending.take() {
                Some(secret) => first_code(&mut kept, id, secret, &code, now),
                None => later_code(&mut kept, id, &code, now),
            };
            let Some(right) = right else {
                tables.add_audit_line(&bad)?;
                return Ok(Err(RefusedSignIn::Code.into()));
            };
            let recovery = match right {
                Right::First(codes) => {
                    tables.end_sessions_of(id.to_bytes(), None)?;
                    tables.add_audit_line(&made)?;
                    codes
                }
                Right::Code => {
                    tables.add_audit_line(&good)?;
                    Vec::new()
                }
                Right::Recovery => {
                    tables.add_audit_line(&used)?;
                    Vec::new()
                }
            };
            let recovery_left = kept
                .second_factor
                .as_ref()
                .map_or(0, |it| it.recovery.len());
            tables.put_account(&kept.row(id))?;
            tables.forget_tries(under)?;
            tables.end_session(hash)?;
            session.needs = Needs::Nothing;
            let token = begin(tables, id, &session, now)?;
            Ok(Ok(Confirmed {
                token,
                recovery,
                recovery_left,
            }))
        })?;
        if matches!(confirmed, Err(AccountError::SignIn(RefusedSignIn::Code))) {
            self.node.inner.metrics.sign_ins_refused.increment(1);
        }
        confirmed
    }

    /// Makes new recovery codes in the place of those before.
    ///
    /// # Errors
    /// [`AccountError::Password`] if that is not the password.
    pub fn new_recovery_codes(
        &self,
        session: &Session,
        password: &str,
    ) -> Result<Vec<Zeroizing<String>>, AccountError> {
        whole(session)?;
        self.check_password(session, password)?;
        let id = session.account.id;
        let line = self.line(Some(id), "new recovery codes", "", true);

        self.change(move |tables| {
            let Some(mut kept) = kept(tables, id)? else {
                return Ok(Err(AccountError::SessionEnded));
            };
            let Some(factor) = &mut kept.second_factor else {
                return Ok(Err(AccountError::SecondFactorFirst));
            };
            let (codes, hashes) = recovery_codes(id);
            factor.recovery = hashes;
            tables.put_account(&kept.row(id))?;
            tables.add_audit_line(&line)?;
            Ok(Ok(codes))
        })?
    }

    /// How many recovery codes of the session's account are left.
    ///
    /// # Errors
    /// [`AccountError::Store`].
    pub fn recovery_left(&self, session: &Session) -> Result<usize, AccountError> {
        let id = session.account.id;
        let kept = self.read(|tables| kept(tables, id))?;
        let factor = kept.and_then(|kept| kept.second_factor);
        Ok(factor.map_or(0, |factor| factor.recovery.len()))
    }

    /// Keeps a secret with the session, or gives the one that it keeps already, so that a page that
    /// is loaded again shows the same.
    fn pending(&self, session: &Session) -> Result<NewSecondFactor, AccountError> {
        let hash = session.hash;
        let secret = self.change(move |tables| pending_secret(tables, hash))?;
        let secret = secret.ok_or(AccountError::SessionEnded)?;
        shown(&secret, &session.account.email)
    }
}

fn pending_secret(
    tables: &AccountTables<'_>,
    hash: [u8; 32],
) -> Result<Option<Zeroizing<String>>, StoreError> {
    let Some(mut row) = tables.session(hash)? else {
        return Ok(None);
    };
    let mut kept = KeptSession::read(&row)?;
    if let Some(secret) = kept.pending {
        return Ok(Some(Zeroizing::new(secret)));
    }
    let secret = Zeroizing::new(BASE32_NOPAD.encode(&*Zeroizing::new(crate::random::<20>())));
    kept.pending = Some((*secret).clone());
    row.json = kept.json();
    tables.put_session(&row)?;
    Ok(Some(secret))
}

/// What code was right.
enum Right {
    /// The first of a new second factor, which brings these recovery codes.
    First(Vec<Zeroizing<String>>),
    /// One of the app.
    Code,
    /// A recovery code.
    Recovery,
}

fn first_code(
    kept: &mut Kept,
    id: AccountId,
    secret: String,
    code: &str,
    now_ms: u64,
) -> Option<Right> {
    let step = step_of(&secret, code, now_ms)?;
    let (codes, hashes) = recovery_codes(id);
    kept.second_factor = Some(KeptFactor {
        secret,
        last_step: step,
        recovery: hashes,
    });
    Some(Right::First(codes))
}

fn later_code(kept: &mut Kept, id: AccountId, code: &str, now_ms: u64) -> Option<Right> {
    let factor = kept.second_factor.as_mut()?;
    if let Some(step) = step_of(&factor.secret, code, now_ms) {
        if step <= factor.last_step {
            return None;
        }
        factor.last_step = step;
        return Some(Right::Code);
    }
    let given = recovery_hash(id, code);
    // All are looked at, whichever it is.
    let mut found = None;
    for (place, kept) in factor.recovery.iter().enumerate() {
        if kept.as_bytes().ct_eq(given.as_bytes()).into() {
            found = Some(place);
        }
    }
    factor.recovery.remove(found?);
    Some(Right::Recovery)
}

/// The step of which this is the code, at this moment.
fn step_of(secret: &str, code: &str, now_ms: u64) -> Option<u64> {
    let digits = code.len() == usize::from(DIGITS) && code.bytes().all(|c| c.is_ascii_digit());
    if !digits {
        return None;
    }
    totp(secret, "").ok()?.check(code, now_ms / 1_000)
}

/// Checks a secret in base 32 and gives it as it is kept.
pub(super) fn secret(text: &str) -> Result<String, AccountError> {
    let plain = text.replace([' ', '-', '='], "").to_uppercase();
    match totp(&plain, "") {
        Ok(_) => Ok(plain),
        Err(_) => Err(AccountError::Refused(
            "the second factor's secret must be 16 bytes or more in base 32".to_owned(),
        )),
    }
}

fn totp(secret: &str, email: &str) -> Result<Totp, AccountError> {
    let unusable = || {
        AccountError::Refused(
            "the second factor cannot be used; ask whoever manages access to reset it".to_owned(),
        )
    };
    let secret = Secret::try_from_base32(secret).map_err(|_| unusable())?;
    let builder = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(SKEW)
        .with_step_duration(STEP_SECONDS)
        .with_issuer(Some(ISSUER))
        .with_account_name(email)
        .with_secret(secret);
    builder.build().map_err(|_| unusable())
}

fn shown(secret: &str, email: &str) -> Result<NewSecondFactor, AccountError> {
    let unusable =
        || AccountError::Refused("this second factor cannot be shown; sign in again".to_owned());
    let url = totp(secret, email)?.to_url().map_err(|_| unusable())?;
    let code = QrCode::new(url.as_bytes()).map_err(|_| unusable())?;
    let picture = code
        .render::<svg::Color<'_>>()
        .min_dimensions(PICTURE_MIN, PICTURE_MIN)
        .build();
    // Within a page it is an element and no document.
    let element = picture.find("<svg").map_or("", |from| &picture[from..]);
    let groups = secret.as_bytes().chunks(4).map(String::from_utf8_lossy);
    Ok(NewSecondFactor {
        secret: Zeroizing::new(groups.collect::<Vec<_>>().join(" ")),
        url: Zeroizing::new(url),
        picture: Zeroizing::new(element.to_owned()),
    })
}

/// New recovery codes, and their hashes.
fn recovery_codes(id: AccountId) -> (Vec<Zeroizing<String>>, Vec<String>) {
    let codes = (0..RECOVERY).map(|_| {
        let text = Zeroizing::new(BASE32_NOPAD.encode(&*Zeroizing::new(crate::random::<10>())));
        let half = RECOVERY_CHARACTERS / 2;
        Zeroizing::new(format!(
            "{}-{}",
            &text[..half],
            &text[half..RECOVERY_CHARACTERS]
        ))
    });
    let codes = codes.collect::<Vec<_>>();
    let hashes = codes
        .iter()
        .map(|code| recovery_hash(id, &plain_code(code)));
    let hashes = hashes.collect();
    (codes, hashes)
}

/// Fifty random bits need no slow hash: there is no time to try them all, or to try any twice.
fn recovery_hash(id: AccountId, code: &str) -> String {
    let key = blake3::derive_key("causeway 2026-11 recovery codes", &id.to_bytes());
    blake3::keyed_hash(&key, code.as_bytes())
        .to_hex()
        .to_string()
}

/// A code without what people put in between. One that is far too long is none.
fn plain_code(code: &str) -> String {
    let characters = code.chars().filter(char::is_ascii_alphanumeric);
    characters
        .take(2 * RECOVERY_CHARACTERS)
        .collect::<String>()
        .to_uppercase()
}

impl std::fmt::Debug for NewSecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSecondFactor").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Confirmed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Confirmed").finish_non_exhaustive()
    }
}
