//! The proxy through which a network may have to be left: which one, and the way through it.
//!
//! A proxy is asked with CONNECT for a way to the coordinator, and everything from then on is between
//! the two ends: TLS and what is proven over it are the same as without a proxy.

mod error;
mod tunnel;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use serde::{Deserialize, Serialize, Serializer};

use crate::tls::Address;

pub use error::ProxyError;

/// Where the environment names a proxy, the first that is set.
const VARIABLES: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
/// Where it names what is reached without one.
const EXEMPT_VARIABLES: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// The setting's name, for people.
const SETTING: &str = "sync.proxy";
const PORT: u16 = 80;

/// Which proxy is used for what is dialled, as the setting `sync.proxy` says it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Proxies {
    /// As the environment says: `HTTPS_PROXY` and `NO_PROXY`, in capitals or not. This computer itself
    /// is always reached without.
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one, for everything.
    Fixed(String),
}

impl Proxies {
    /// The setting's word for no proxy, whatever the environment says.
    pub const NONE: &'static str = "none";

    /// Checks that a proxy that the setting names can be one.
    ///
    /// # Errors
    /// [`ProxyError::Setting`].
    pub fn check(&self) -> Result<(), ProxyError> {
        match self {
            Self::Environment | Self::Direct => Ok(()),
            Self::Fixed(address) => Proxy::read(address, SETTING).map(drop),
        }
    }

    /// The proxy on the way to `address`; none if it is dialled directly.
    ///
    /// # Errors
    /// [`ProxyError::Setting`] if what is set names no proxy that can be used.
    pub fn towards(&self, address: &Address) -> Result<Option<Proxy>, ProxyError> {
        match self {
            Self::Direct => Ok(None),
            Self::Fixed(proxy) => Proxy::read(proxy, SETTING).map(Some),
            Self::Environment => {
                let named = VARIABLES.into_iter().find_map(|variable| {
                    let value = std::env::var(variable).ok()?;
                    (!value.trim().is_empty()).then_some((variable, value))
                });
                let Some((variable, value)) = named else {
                    return Ok(None);
                };
                let exempt = EXEMPT_VARIABLES.into_iter().find_map(|variable| {
                    let value = std::env::var(variable).ok()?;
                    (!value.trim().is_empty()).then_some(value)
                });
                if is_exempt(address, &value, &exempt.unwrap_or_default()) {
                    return Ok(None);
                }
                Proxy::read(&value, variable).map(Some)
            }
        }
    }
}

/// What the setting says: empty for the environment, `none`, or the proxy's address.
impl From<String> for Proxies {
    fn from(setting: String) -> Self {
        match setting.trim() {
            "" => Self::Environment,
            Self::NONE => Self::Direct,
            address => Self::Fixed(address.to_owned()),
        }
    }
}

/// As a setting, without the name and password that the proxy may ask for.
impl Serialize for Proxies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Environment => serializer.serialize_str(""),
            Self::Direct => serializer.serialize_str(Self::NONE),
            Self::Fixed(address) => match Proxy::read(address, SETTING) {
                Ok(proxy) => serializer.collect_str(&proxy),
                Err(_) => serializer.serialize_str("wrong"),
            },
        }
    }
}

/// Not what it is set to, which may hold a password.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::Direct => "Direct",
            Self::Fixed(_) => "Fixed(…)",
        })
    }
}

/// A proxy that takes HTTP's CONNECT. It is shown without the name and password that it may ask for.
#[derive(Clone)]
pub struct Proxy(Arc<Parts>);

struct Parts {
    host: String,
    port: u16,
    credentials: Option<HeaderValue>,
    named_in: &'static str,
}

impl Proxy {
    fn read(value: &str, named_in: &'static str) -> Result<Self, ProxyError> {
        let wrong = |reason| ProxyError::Setting { named_in, reason };
        let found = intercept(value.trim()).ok_or(wrong(
            "it is no address of a proxy; write it as http://proxy.example:8080, with \
             name:password@ before the host if it asks for them, and signs in them as %40 for @",
        ))?;
        if found.uri().scheme_str() != Some("http") {
            return Err(wrong(
                "only a proxy that is spoken to in plain HTTP can be used; what goes through it is \
                 encrypted all the same. Write it as http://proxy.example:8080",
            ));
        }
        let host = found.uri().host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong(
                "it names no host; write it as http://proxy.example:8080",
            ));
        }
        let credentials = found.basic_auth().cloned().map(|mut credentials| {
            credentials.set_sensitive(true);
            credentials
        });
        Ok(Self(Arc::new(Parts {
            host: host.to_owned(),
            port: found.uri().port_u16().unwrap_or(PORT),
            credentials,
            named_in,
        })))
    }

    /// Its name or IP address.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// The setting or the variable of the environment that names it.
    pub fn named_in(&self) -> &'static str {
        self.0.named_in
    }

    /// Whether it is given a name and a password.
    pub fn has_credentials(&self) -> bool {
        self.0.credentials.is_some()
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { host, port, .. } = &*self.0;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// What the value of a variable or setting names.
fn intercept(value: &str) -> Option<Intercept> {
    let anywhere = Uri::from_static("https://causeway.invalid/");
    Matcher::builder().https(value).build().intercept(&anywhere)
}

/// Whether `address` is reached without the proxy that the environment names.
fn is_exempt(address: &Address, proxy: &str, exempt: &str) -> bool {
    let host = address.host();
    let own = host
        .parse::<IpAddr>()
        .map_or(host.eq_ignore_ascii_case("localhost"), |ip| {
            ip.is_loopback()
        });
    if own {
        return true;
    }
    let Ok(target) = format!("https://{address}/").parse::<Uri>() else {
        return false;
    };
    // What cannot be used at all is said, and not passed over.
    if intercept(proxy.trim()).is_none() {
        return false;
    }
    let matcher = Matcher::builder().https(proxy.trim()).no(exempt).build();
    matcher.intercept(&target).is_none()
}

#[cfg(test)]
mod tests;
