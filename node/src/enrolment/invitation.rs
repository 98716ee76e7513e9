//! The invitation file.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use node_feed::{HubId, NetworkId, NodeId, PublicKey};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::platform;
use crate::tls::{Address, chain_from_pem};

use super::code::OneTimeCode;

/// The version of the file's format.
const VERSION: u32 = 1;

/// Bytes that an invitation file may have.
const FILE_BYTES_MAX: u64 = 64 * 1024;

const HEAD: &str = "\
# An invitation to connect one node of a hub to Causeway.
#
# On the hub's machine: causeway-node connect THIS-FILE
# It works once, for this hub, until the date below. Pass it on as you would a password, and
# delete it once the hub is connected.

";

/// Why an invitation cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvitationError {
    /// The file cannot be opened or read.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written. One that exists is never overwritten.
    #[error("{path} cannot be written: {source}; choose another place or delete the old file")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The text is not TOML, or a setting is missing or of another type.
    #[error(
        "the invitation cannot be read, it may have been cut off or changed on the way; have \
             it sent again as a file: {0}"
    )]
    Format(#[from] toml::de::Error),
    /// The file is far too large to be an invitation.
    #[error("this file is too large to be an invitation; choose the file that NCETM sent")]
    Size,
    /// The format is newer.
    #[error(
        "the invitation has format {0}, which only a newer version of this program reads; \
             install that first"
    )]
    Version(u32),
    /// One setting has a value that cannot be used.
    #[error("the invitation's {field} is wrong: {reason}; have the invitation sent again")]
    Field {
        /// Its name in the file.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The text could not be made.
    #[error("the invitation cannot be written as text: {0}")]
    Text(#[from] toml::ser::Error),
}

/// All that a node needs to connect to a network once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The network.
    pub network: NetworkId,
    /// The network's root key, whose hash the network id is.
    pub root: PublicKey,
    /// The coordinator's identity key. The node sends the code to nobody else.
    pub coordinator: PublicKey,
    /// Where the coordinator listens.
    pub address: Address,
    /// The network's certificate authority, as PEM.
    pub authority_pem: String,
    /// The hub that the code is for.
    pub hub: HubId,
    /// The hub's short code, for people.
    pub hub_code: String,
    /// The hub's name, for people.
    pub hub_name: String,
    /// The one-time code.
    pub code: OneTimeCode,
    /// When the code stops working, in ms since 1970. Kept to the second in the file.
    pub expires_ms: u64,
}

impl Invitation {
    /// Reads an invitation file; the path `-` stands for standard input, for a program that runs as a user
    /// who may not open the file.
    ///
    /// # Errors
    /// [`InvitationError`], saying what is wrong with the file and what to do.
    pub fn read(path: &Path) -> Result<Self, InvitationError> {
        let unreadable = |source| InvitationError::Read {
            path: path.to_owned(),
            source,
        };
        if path.as_os_str() == "-" {
            let mut text = String::new();
            let mut input = io::stdin().lock().take(FILE_BYTES_MAX + 1);
            let bytes = input.read_to_string(&mut text).map_err(unreadable)?;
            if bytes as u64 > FILE_BYTES_MAX {
                return Err(InvitationError::Size);
            }
            return Self::from_toml(&text);
        }
        if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
            return Err(InvitationError::Size);
        }
        Self::from_toml(&std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Writes the invitation to a new file that only its owner may read.
    ///
    /// # Errors
    /// [`InvitationError::Write`], also if the file exists.
    pub fn write(&self, path: &Path) -> Result<(), InvitationError> {
        let text = self.to_toml()?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        platform::private(&mut options)
            .open(path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
            })
            .map_err(|source| InvitationError::Write {
                path: path.to_owned(),
                source,
            })
    }

    /// Reads an invitation from its text. Settings that this version does not know are ignored.
    ///
    /// # Errors
    /// [`InvitationError`], saying what is wrong and what to do.
    pub fn from_toml(text: &str) -> Result<Self, InvitationError> {
        let file: File = toml::from_str(text).map_err(|mut error: toml::de::Error| {
            // It would show the line that it is about, which may hold the code.
            error.set_input(None);
            error
        })?;
        if file.version != VERSION {
            return Err(InvitationError::Version(file.version));
        }
        let network: NetworkId = parsed("network", &file.network)?;
        let root = key("root_key", &file.root_key)?;
        if root.network() != network {
            let reason = "it is not this network's".to_owned();
            return Err(InvitationError::Field {
                field: "root_key",
                reason,
            });
        }
        // A file that was cut off in its last line may still be TOML, without what the line says.
        chain_from_pem(&file.certificate_authority).map_err(|error| InvitationError::Field {
            field: "certificate_authority",
            reason: error.to_string(),
        })?;
        let expires = OffsetDateTime::parse(&file.expires, &Rfc3339).map_err(|error| {
            InvitationError::Field {
                field: "expires",
                reason: error.to_string(),
            }
        })?;
        Ok(Self {
            network,
            root,
            coordinator: key("coordinator_key", &file.coordinator_key)?,
            address: parsed("address", &file.address)?,
            authority_pem: file.certificate_authority,
            hub: parsed("hub", &file.hub)?,
            hub_code: file.hub_code,
            hub_name: file.hub_name,
            code: parsed("code", &file.code)?,
            expires_ms: u64::try_from(expires.unix_timestamp())
                .unwrap_or(0)
                .saturating_mul(1000),
        })
    }

    /// The invitation as text.
    ///
    /// # Errors
    /// [`InvitationError::Text`], which well-formed values never give.
    pub fn to_toml(&self) -> Result<String, InvitationError> {
        let file = File {
            version: VERSION,
            hub_code: self.hub_code.clone(),
            hub_name: self.hub_name.clone(),
            expires: time_text(self.expires_ms),
            address: self.address.to_string(),
            code: self.code.reveal(),
            hub: self.hub.to_string(),
            network: self.network.to_string(),
            root_key: self.root.node().to_string(),
            coordinator_key: self.coordinator.node().to_string(),
            certificate_authority: self.authority_pem.clone(),
        };
        Ok(format!("{HEAD}{}", toml::to_string_pretty(&file)?))
    }
}

/// The file's settings, in the order in which they are written.
#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    hub_code: String,
    hub_name: String,
    expires: String,
    address: String,
    code: String,
    hub: String,
    network: String,
    root_key: String,
    coordinator_key: String,
    certificate_authority: String,
}

/// A time as people and RFC 3339 write it, to the second.
pub(super) fn time_text(ms: u64) -> String {
    i64::try_from(ms / 1000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
}

fn parsed<T>(field: &'static str, text: &str) -> Result<T, InvitationError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| InvitationError::Field {
            field,
            reason: error.to_string(),
        })
}

/// Keys are written as node ids are, in base32.
fn key(field: &'static str, text: &str) -> Result<PublicKey, InvitationError> {
    let bytes: NodeId = parsed(field, text)?;
    PublicKey::from_bytes(bytes.as_bytes()).map_err(|error| InvitationError::Field {
        field,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use node_feed::SecretKey;

    use super::*;

    fn invitation() -> Invitation {
        let root = SecretKey::from_seed(&[1; 32]).public();
        Invitation {
            network: root.network(),
            root,
            coordinator: SecretKey::from_seed(&[2; 32]).public(),
            address: "127.0.0.1:7000".parse().expect("an address"),
            authority_pem: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n".into(),
            hub: HubId::from_bytes([3; 8]),
            hub_code: "SY".into(),
            hub_name: "South Yorkshire \"Maths\" Hub".into(),
            code: OneTimeCode::from_bytes([4; 16]),
            expires_ms: 1_790_000_000_000,
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sy.invitation.toml");
        invitation().write(&path).expect("written");
        assert_eq!(Invitation::read(&path).expect("read"), invitation());
        assert!(matches!(
            invitation().write(&path),
            Err(InvitationError::Write { .. })
        ));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path)
                .expect("metadata")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "only its owner may read it");
        }
    }

    #[test]
    fn settings_of_newer_versions_are_ignored_but_newer_formats_are_not() {
        let text = invitation().to_toml().expect("text");
        let later = text.replace("version = 1", "version = 1\ncolour = \"blue\"");
        assert_eq!(Invitation::from_toml(&later).expect("read"), invitation());
        let newer = text.replace("version = 1", "version = 2");
        assert!(matches!(
            Invitation::from_toml(&newer),
            Err(InvitationError::Version(2))
        ));
    }

    #[test]
    fn a_bad_invitation_says_which_setting_is_wrong() {
        let text = invitation().to_toml().expect("text");
        let other_root = SecretKey::from_seed(&[9; 32]).public().node().to_string();
        let root = invitation().root.node().to_string();
        let code = invitation().code.reveal();
        let cases = [
            (text.replace("127.0.0.1:7000", "127.0.0.1"), "address"),
            (text.replace(&root, &other_root), "root_key"),
            (text.replace(&code, &code[..20]), "code"),
            (text.replace("2026-09", "2026-99"), "expires"),
        ];
        for (bad, wrong) in cases {
            match Invitation::from_toml(&bad) {
                Err(InvitationError::Field { field, .. }) => assert_eq!(field, wrong),
                other => panic!("{wrong}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_invitation_that_was_cut_off_anywhere_is_refused_and_its_code_not_repeated() {
        let text = invitation().to_toml().expect("text");
        let whole = text.trim_end().len();
        let code = invitation().code.reveal();
        for at in 0..whole {
            let error = match Invitation::from_toml(&text[..at]) {
                Err(error) => error.to_string(),
                Ok(_) => panic!("it was taken without its last {} bytes", whole - at),
            };
            assert!(!error.contains(&code[..5]), "{error}");
        }
        Invitation::from_toml(&text[..whole]).expect("it is whole");
    }
}
