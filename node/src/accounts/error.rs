//! Why something with accounts was not done.

use node_store::StoreError;

/// Why something with accounts was not done. Nothing was changed then, but for what counts tries.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// Somebody was not let in.
    #[error(transparent)]
    SignIn(#[from] RefusedSignIn),
    /// The link cannot be used.
    #[error(
        "this link has been used, replaced or has expired; ask whoever sent it to you for a new one"
    )]
    Link,
    /// The new password is none that can be used.
    #[error("{0}")]
    Password(String),
    /// What was asked for cannot be done, and why.
    #[error("{0}")]
    Refused(String),
    /// There is no such account.
    #[error("there is no such account here; look at the list of those who have access")]
    Missing,
    /// The role does not do this.
    #[error("{0}")]
    MayNot(String),
    /// There are accounts already.
    #[error(
        "this node has been set up; ask somebody who may manage access for a link, or use the \
         command `account link` where the data folder is"
    )]
    NotFirst,
    /// A second factor must be given or set up before anything else.
    #[error("give the code of your second factor first")]
    SecondFactorFirst,
    /// The session has ended.
    #[error("you were signed out; sign in again")]
    SessionEnded,
    /// Too many wait for their password to be tried.
    #[error("many people are signing in at this moment; wait a few seconds and try again")]
    Busy,
    /// No password can be tried or kept now.
    #[error("passwords cannot be checked at the moment; try again in a minute")]
    Hash,
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why somebody was not let in. It is the same whether or not there is an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedSignIn {
    /// Address and password do not belong together, or the account cannot be used.
    #[error(
        "that e-mail address and password do not go together here. Check both, or ask whoever \
         manages access for a new link"
    )]
    Wrong,
    /// The code is not the one of this moment, or was used before.
    #[error(
        "that code is not right, or was used before. Wait for the next one in your app, or use a \
         recovery code"
    )]
    Code,
    /// There were too many tries.
    #[error("there were too many tries. Wait {} and try again", waiting(*.0))]
    Wait(
        /// How long, in ms.
        u64,
    ),
}

/// A time to wait as people say it.
fn waiting(ms: u64) -> String {
    let seconds = ms.div_ceil(1_000).max(1);
    match seconds {
        1 => "1 second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}
