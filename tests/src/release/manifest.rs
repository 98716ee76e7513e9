//! What the data folders of a release hold.

use std::collections::BTreeMap;

use anyhow::Result;
use node::Node;
use serde::{Deserialize, Serialize};

/// A small network of one version, as it stood still: a hub and the coordinator, equal in all that they
/// share. Its keys are published with it and protect nothing.
///
/// The hub's certificate had run out when it was recorded, so that every test renews it, however late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Where the hub was told to dial the coordinator.
    pub address: String,
    /// The project that both share.
    pub project: String,
    /// A record in it that can be edited.
    pub record: String,
    /// A person who was erased for good.
    pub erased: String,
    /// A hub whose request to connect waited then.
    pub waiting: String,
    /// What each of them holds, by the name of its folder.
    pub nodes: BTreeMap<String, Holds>,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    /// Its spaces, by their ids.
    pub spaces: BTreeMap<String, Space>,
    /// How many records of each kind its lists show.
    pub records: BTreeMap<String, usize>,
    /// The titles of all of them, by their ids.
    pub titles: BTreeMap<String, String>,
    /// How many versions are open.
    pub versions: usize,
    /// Why entries are set aside, in the words of then.
    pub set_aside: Vec<String>,
    /// How many entries no longer count.
    pub no_longer_counting: u64,
    /// The accounts that it has.
    pub accounts: Vec<Account>,
    /// How many lines its audit log had.
    pub audit_lines: u64,
}

/// A space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// What it is for.
    pub kind: String,
    /// The digest of the heights of its feeds.
    pub digest: String,
    /// The digest of what its documents and cards have become.
    pub documents: String,
    /// How many entries count.
    pub entries: u64,
}

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What they are called.
    pub name: String,
    /// With what they sign in; the password is everybody's.
    pub email: String,
}

impl Holds {
    /// What a node holds now, but for its accounts and audit log.
    ///
    /// # Errors
    /// If its store cannot be read.
    pub fn of(node: &Node) -> Result<Self> {
        node.catch_up()?;
        let mut records = BTreeMap::new();
        let mut titles = BTreeMap::new();
        for listed in node.list_records("", "")? {
            *records.entry(listed.kind).or_default() += 1;
            titles.insert(listed.id.to_string(), listed.title);
        }
        let spaces = node.spaces()?.into_iter().map(|space| {
            let said = Space {
                kind: space.kind.name().to_owned(),
                digest: space.digest.to_string(),
                documents: space.documents_digest.to_string(),
                entries: space.entries,
            };
            (space.id.to_string(), said)
        });
        let status = node.status()?;
        let aside = status["set_aside"].as_array().into_iter().flatten();
        Ok(Self {
            spaces: spaces.collect(),
            records,
            titles,
            versions: node.list_versions("")?.as_array().map_or(0, Vec::len),
            set_aside: aside
                .filter_map(|why| why.as_str().map(str::to_owned))
                .collect(),
            no_longer_counting: status["no_longer_counting"].as_u64().unwrap_or(0),
            accounts: Vec::new(),
            audit_lines: 0,
        })
    }
}
