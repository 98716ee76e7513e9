//! Somebody with an account, who signs in on a node's pages.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use node::Node;
use node::accounts::{GivenRole, TryingOut};
use node::clock::now_ms;
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::browser::Browser;

const PASSWORD: &str = "three quiet lanes and a hedge";
/// The secret of everybody's second factor, in base 32.
const SECRET: &str = "MNQXK43FO5QXSIDUNBUXGIDJOM";
const STEP_SECONDS: u64 = 30;

static MADE: AtomicU32 = AtomicU32::new(1);

/// Somebody with an account, with what they know and have at hand to sign in.
#[derive(Debug)]
pub struct Person {
    /// What they are called.
    pub name: String,
    /// With what they sign in.
    pub email: String,
    /// Their password.
    pub password: &'static str,
    /// The step of the last code that was used: each works once.
    last_step: Mutex<u64>,
}

impl Person {
    /// Gives somebody new an account at a node in one role, for a holder if the role needs one.
    ///
    /// # Panics
    /// If the node refuses it.
    pub fn new(node: &Node, role: &str, holder: &str) -> Self {
        Self::in_roles(node, &[(role, holder)])
    }

    /// The same in several roles, of which the first is the one to act in at first.
    ///
    /// # Panics
    /// If the node refuses it.
    pub fn in_roles(node: &Node, roles: &[(&str, &str)]) -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let names = [
            "Alex", "Bisi", "Carys", "Dev", "Erin", "Farah", "Gwen", "Harri",
        ];
        let given = names[number as usize % names.len()];
        let name = format!("{given} Testerton");
        let email = format!("{}{number}@hub.example", given.to_lowercase());
        let roles = roles.iter().map(|(role, holder)| GivenRole {
            role: (*role).to_owned(),
            holder: (*holder).to_owned(),
            from: String::new(),
            until: None,
        });
        let account = TryingOut {
            name: name.clone(),
            email: email.clone(),
            password: PASSWORD.to_owned().into(),
            secret: Some(SECRET.to_owned().into()),
            roles: roles.collect(),
        };
        node.accounts().try_out(&account).expect("an account");
        Self {
            name,
            email,
            password: PASSWORD,
            last_step: Mutex::default(),
        }
    }

    /// Somebody who was given an account with [`Person::new`] earlier, in whatever process.
    pub fn again(name: &str, email: &str) -> Self {
        Self {
            name: name.to_owned(),
            email: email.to_owned(),
            password: PASSWORD,
            last_step: Mutex::default(),
        }
    }

    /// Signs in on the pages that the browser is at.
    ///
    /// # Panics
    /// If that does not succeed.
    pub async fn sign_in(&self, browser: &Browser) {
        let code = self.code().await;
        browser
            .sign_in(&self.email, self.password, Some(&code))
            .await;
    }

    /// A code of their second factor that was not used yet. After two within half a minute it
    /// waits for the next.
    ///
    /// # Panics
    /// Never: the secret is a good one.
    pub async fn code(&self) -> String {
        loop {
            let now = now_ms() / 1_000 / STEP_SECONDS;
            let step = {
                let mut last = self.last_step.lock().expect("nothing panics holding it");
                let step = (*last + 1).max(now);
                // A node takes the next code too, and while it is asked another may begin.
                let taken = step <= now + 1;
                if taken {
                    *last = step;
                }
                taken.then_some(step)
            };
            if let Some(step) = step {
                return totp().generate(step * STEP_SECONDS).to_string();
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

fn totp() -> Totp {
    let secret = Secret::try_from_base32(SECRET).expect("a secret in base 32");
    let builder = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(STEP_SECONDS)
        .with_secret(secret);
    builder.build().expect("a secret that is long enough")
}
