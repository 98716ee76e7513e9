//! Which network a node belongs to, as which hub, and how it reaches the coordinator.

use std::fs;
use std::path::Path;

use node_feed::{HubId, NetworkId, NodeId, PublicKey};
use serde::{Deserialize, Serialize};

use crate::folder::{DataFolder, FolderError, write_private};
use crate::tls::Address;

/// What `connect` learned, kept in `membership.toml`.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The network.
    pub network: NetworkId,
    /// This node's hub.
    pub hub: HubId,
    /// How to reach the coordinator; none at the coordinator itself.
    pub coordinator: Option<CoordinatorContact>,
}

/// How a node reaches the coordinator and knows it again.
#[derive(Debug, Clone)]
pub struct CoordinatorContact {
    /// Its address.
    pub address: Address,
    /// Its identity key, pinned.
    pub identity: PublicKey,
    /// The authority of the certificates, as PEM.
    pub authority_pem: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    network: String,
    hub: String,
    coordinator: Option<FileContact>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileContact {
    address: String,
    identity: String,
    authority: String,
}

impl Membership {
    /// Where the store says whose it is.
    pub(crate) const SETTING: &'static str = "member";

    /// Where the store, and so a backup, says how the coordinator is reached.
    pub(crate) const CONTACT_SETTING: &'static str = "membership";

    /// Network and hub, as the store notes them.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.network.as_bytes()[..], &self.hub.as_bytes()[..]].concat()
    }

    /// Reads the folder's membership; none if the node was never connected.
    ///
    /// # Errors
    /// [`FolderError`] if the file cannot be read or understood.
    pub fn read(folder: &DataFolder) -> Result<Option<Self>, FolderError> {
        Self::at(&folder.membership())
    }

    /// Reads the membership in the file at `path`; none if there is no such file.
    ///
    /// # Errors
    /// As [`Membership::read`].
    pub(crate) fn at(path: &Path) -> Result<Option<Self>, FolderError> {
        if !path.exists() {
            return Ok(None);
        }
        let damaged = |what: String| FolderError::Damaged {
            path: path.to_owned(),
            what,
        };
        let text = fs::read_to_string(path).map_err(|source| FolderError::Io {
            path: path.to_owned(),
            source,
        })?;
        let file: File = toml::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        Self::from_file(file).map(Some).map_err(damaged)
    }

    /// Reads what [`Membership::to_text`] made; none if it cannot be understood.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        Self::from_file(toml::from_str(text).ok()?).ok()
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn write(&self, folder: &DataFolder) -> Result<(), FolderError> {
        let text = self.to_text().map_err(|what| FolderError::Damaged {
            path: folder.membership(),
            what,
        })?;
        write_private(&folder.membership(), text.as_bytes())
    }

    /// All of it, as the file holds it. It holds nothing secret.
    pub(crate) fn to_text(&self) -> Result<String, String> {
        let file = File {
            network: self.network.to_string(),
            hub: self.hub.to_string(),
            coordinator: self.coordinator.as_ref().map(|contact| FileContact {
                address: contact.address.to_string(),
                identity: contact.identity.node().to_string(),
                authority: contact.authority_pem.clone(),
            }),
        };
        toml::to_string(&file).map_err(|error| error.to_string())
    }

    fn from_file(file: File) -> Result<Self, String> {
        let coordinator = match file.coordinator {
            None => None,
            Some(contact) => {
                let node: NodeId = contact
                    .identity
                    .parse()
                    .map_err(|error| format!("{error}"))?;
                let identity =
                    PublicKey::from_bytes(node.as_bytes()).map_err(|error| format!("{error}"))?;
                let address = contact
                    .address
                    .parse()
                    .map_err(|error| format!("{error}"))?;
                Some(CoordinatorContact {
                    address,
                    identity,
                    authority_pem: contact.authority,
                })
            }
        };
        Ok(Self {
            network: file.network.parse().map_err(|error| format!("{error}"))?,
            hub: file.hub.parse().map_err(|error| format!("{error}"))?,
            coordinator,
        })
    }
}
