//! Where a coordinator listens.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use rustls::pki_types::ServerName;

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no port after a colon, or it is not a number from 1 to 65535.
    #[error("\"{0}\" does not end in a port; write it as host:port, for example hub.example:443")]
    Port(String),
    /// What stands before the port is neither a name nor an IP address.
    #[error("\"{0}\" is not a host name or an IP address (IPv6 goes in square brackets)")]
    Host(String),
}

/// A host, by name or IP address, and a port. Written `host:port`; IPv6 in square brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// The name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The name that the server's certificate must hold.
    ///
    /// # Errors
    /// [`AddressError::Host`], which an address that was parsed never gives.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, AddressError> {
        ServerName::try_from(self.host.clone()).map_err(|_| AddressError::Host(self.host.clone()))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let no_port = || AddressError::Port(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(no_port)?;
        let port = port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(no_port)?;
        let bracketed = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = match bracketed {
            Some(inner) if inner.parse::<Ipv6Addr>().is_ok() => inner,
            None if !host.contains(':') => host,
            Some(_) | None => return Err(AddressError::Host(host.to_owned())),
        };
        let address = Self {
            host: host.to_owned(),
            port,
        };
        address.server_name().map(|_| address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_they_were_written() {
        for text in ["causeway.example:443", "127.0.0.1:7000", "[::1]:7000"] {
            assert_eq!(text.parse::<Address>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn a_text_that_is_no_address_says_why() {
        for text in [
            "causeway.example",
            "causeway.example:0",
            "causeway.example:https",
        ] {
            assert_eq!(
                text.parse::<Address>(),
                Err(AddressError::Port(text.to_owned()))
            );
        }
        for text in ["::1:7000", "[causeway]:7000", "two words:7000", ":7000"] {
            assert!(
                matches!(text.parse::<Address>(), Err(AddressError::Host(_))),
                "{text}"
            );
        }
    }
}
