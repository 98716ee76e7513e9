//! Why a proxy gives no way through.

use std::io;

use crate::tls::Address;

use super::Proxy;

/// Why a proxy gives no way through. Each sentence names the proxy, and never its password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// What is set names no proxy that can be used. Change it.
    #[error("the proxy that {named_in} names cannot be used: {reason}")]
    Setting {
        /// The setting or variable.
        named_in: &'static str,
        /// What is wrong, and how it is written.
        reason: &'static str,
    },
    /// Its name has no address, or nothing takes the connection. Try again later.
    #[error(
        "the proxy {proxy} cannot be reached: {source}; check the network and what {} says",
        proxy.named_in()
    )]
    Unreachable {
        /// The proxy.
        proxy: Proxy,
        /// What the system said.
        source: io::Error,
    },
    /// It was reached, or not, and said nothing in time. Try again later.
    #[error(
        "the proxy {proxy} did not answer in time; ask whoever runs it, or check what {} says",
        proxy.named_in()
    )]
    Timeout {
        /// The proxy.
        proxy: Proxy,
    },
    /// It asks for a name and a password, or knows those that it was given not (407).
    #[error(
        "the proxy {proxy} {}; ask whoever runs it, and write them into {} as \
         http://name:password@{proxy}",
        if proxy.has_credentials() {
            "does not accept the name and password that it was given"
        } else {
            "asks for a name and a password"
        },
        proxy.named_in()
    )]
    Credentials {
        /// The proxy.
        proxy: Proxy,
    },
    /// It lets nobody through to this address (403 and the like).
    #[error(
        "the proxy {proxy} does not let this computer through to {address} (its answer is {status}); \
         ask whoever runs it to allow CONNECT to {address}"
    )]
    Refused {
        /// The proxy.
        proxy: Proxy,
        /// Where to.
        address: Address,
        /// The number of its answer.
        status: u16,
    },
    /// It could not reach the address itself (502, 503, 504). Try again later.
    #[error(
        "the proxy {proxy} cannot reach {address} itself (its answer is {status}); check the address, \
         and ask whoever runs the proxy"
    )]
    Beyond {
        /// The proxy.
        proxy: Proxy,
        /// Where to.
        address: Address,
        /// The number of its answer.
        status: u16,
    },
    /// What answers is no proxy, or one that shows a page instead of a way through.
    #[error(
        "what answers at {proxy} does not give a way through as a proxy does ({what}); check what {} \
         says, and whether it wants somebody to sign in on a page first",
        proxy.named_in()
    )]
    NoProxy {
        /// What should be a proxy.
        proxy: Proxy,
        /// What it did instead.
        what: String,
    },
}

impl ProxyError {
    /// Whether trying again later may help without anybody doing anything.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Beyond { .. } => true,
            Self::Setting { .. }
            | Self::Credentials { .. }
            | Self::Refused { .. }
            | Self::NoProxy { .. } => false,
        }
    }
}
