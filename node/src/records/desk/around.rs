//! What a page says of the node around its records: spaces, where it stands, what is set aside.

use node_domain::Duty;
use node_feed::{SpaceId, SpaceKind};
use node_store::ReadStore;

use super::Desk;
use crate::CopiedDocuments;
use crate::records::RecordsError;

/// A space that this hub reads, as people choose one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceChoice {
    /// Its id.
    pub id: SpaceId,
    /// What it is for.
    pub kind: SpaceKind,
    /// What people call it.
    pub title: String,
    /// The codes of the hubs with which it is shared, this one among them.
    pub members: Vec<String>,
    /// Whether this hub writes there.
    pub may_write: bool,
}

/// Where the node stands, for everybody who is signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeskStatus {
    /// This hub's code; empty before it is connected.
    pub hub: String,
    /// Whether this node is the coordinator's.
    pub is_coordinator: bool,
    /// Whether all that is shared is known to be equal now. Never while anything is unsent.
    pub in_sync: bool,
    /// How many changes in shared spaces no other node is known to hold.
    pub not_sent: u64,
    /// When the oldest of them was made, in ms since 1970.
    pub oldest_unsent_ms: Option<u64>,
    /// Whether any other node is connected now.
    pub connected: bool,
    /// When another node was heard of last since the start, in ms since 1970.
    pub last_contact_ms: Option<u64>,
    /// Why the last connections did not come about, and what a person must hear of.
    pub trouble: Vec<String>,
    /// Whether lists lack the newest, as on a full disk.
    pub lists_behind: bool,
    /// How many changes are held for checking.
    pub set_aside: usize,
}

/// A change that is held for checking and is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideTold {
    /// The record that it is about.
    pub record: String,
    /// Its title; empty if the role does not see it, or there is nothing of it here.
    pub title: String,
    /// The code of the hub that wrote it.
    pub hub: String,
    /// When it says that it was written, in ms since 1970.
    pub time_ms: u64,
    /// Why, in a sentence.
    pub sentence: String,
}

impl Desk {
    /// The spaces that this hub reads, without looking into them.
    pub fn space_choices(&self) -> Vec<SpaceChoice> {
        let authority = self.node.authority();
        let spaces = authority.spaces().keys();
        spaces
            .filter_map(|space| self.space_choice(*space))
            .collect()
    }

    pub(super) fn space_choice(&self, space: SpaceId) -> Option<SpaceChoice> {
        let authority = self.node.authority();
        let hub = self.node.hub()?;
        authority.access(hub, space)?;
        let record = authority.spaces().get(&space)?;
        let members = authority.members(space);
        Some(SpaceChoice {
            id: space,
            kind: record.kind,
            title: record.title.clone(),
            members: members.iter().map(|hub| self.node.hub_code(*hub)).collect(),
            may_write: authority.write_grant(hub, space).is_some(),
        })
    }

    /// How many changes are here of those that others share and that are being copied, and how many
    /// those are; none while nothing is copied. Nothing is read for it, so that it is told at once
    /// also while very much arrives.
    pub fn copied(&self) -> Option<(u64, u64)> {
        self.node.copied()
    }

    /// How far first copies of records have come; none while none is under way.
    pub fn copied_documents(&self) -> Option<CopiedDocuments> {
        self.node.copied_documents()
    }

    /// How many records came with first copies and are not checked yet.
    pub fn unchecked(&self) -> u64 {
        // What cannot be read now is told as soon as it can.
        self.node.unchecked_documents().unwrap_or(0)
    }

    /// Whether sharing is paused.
    pub fn is_paused(&self) -> bool {
        self.node.is_paused()
    }

    /// Where this node stands.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn status(&self) -> Result<DeskStatus, RecordsError> {
        let behind = self.node.catch_up_if_possible().is_some();
        let peers = &self.node.inner.peers;
        let unsent = self.node.unsent()?;
        let heard = peers.heard_of();
        let heard = heard.iter().filter_map(|node| peers.heard_ms(node));
        let mut trouble = peers.trouble();
        trouble.extend(peers.alarms());
        trouble.extend(self.node.unknown_nodes_words()?);
        Ok(DeskStatus {
            hub: self.node.own_code(),
            is_coordinator: self.is_coordinator(),
            in_sync: unsent == 0 && !peers.equal_now().is_empty(),
            not_sent: self.node.unsent_changes()?,
            oldest_unsent_ms: if unsent > 0 {
                self.node.oldest_unsent_ms()?
            } else {
                None
            },
            connected: !peers.connected().is_empty(),
            last_contact_ms: heard.max(),
            trouble,
            lists_behind: behind,
            set_aside: self.node.inner.storage.set_aside()?.len(),
        })
    }

    pub(super) fn is_coordinator(&self) -> bool {
        let hub = self.node.hub();
        hub.is_some() && hub == self.node.coordinator_hub()
    }

    /// What is held for checking, in words: for those who look after the node or bring records in.
    ///
    /// # Errors
    /// [`RecordsError::Role`] for everybody else; [`RecordsError::Store`].
    pub fn set_aside(&self) -> Result<Vec<SetAsideTold>, RecordsError> {
        if !self.has(Duty::Import) {
            self.check(Duty::Settings)?;
        }
        self.node.catch_up_if_possible();
        let rows = self.node.inner.storage.set_aside()?;
        let ids = rows.iter().map(|row| row.subject.to_string());
        let ids = ids.collect::<Vec<_>>();
        let titles = self.title_of(&ids.iter().map(String::as_str).collect::<Vec<_>>())?;
        let mut told = Vec::new();
        for (row, record) in rows.into_iter().zip(ids) {
            let entry = self
                .node
                .inner
                .storage
                .read(|store| store.entry(row.hash))?;
            let hub = entry.as_ref().and_then(|entry| match entry.opening {
                Some(node_feed::Opening::Node { hub, .. }) => Some(self.node.hub_code(hub)),
                _ => None,
            });
            told.push(SetAsideTold {
                title: match titles.get(&record) {
                    Some(title) => title.clone(),
                    None if row.alone => "Something that a newer version wrote".to_owned(),
                    None => String::new(),
                },
                record,
                hub: hub.unwrap_or_default(),
                time_ms: entry.map_or(0, |entry| entry.time_ms),
                sentence: row.reason,
            });
        }
        Ok(told)
    }

    /// What people call a hub, by its code or id; the text itself if it is not known here.
    pub fn hub_name(&self, code: &str) -> String {
        let authority = self.node.authority();
        let hub = self.node.hub_named(code);
        let record = hub.and_then(|hub| authority.hubs().get(&hub));
        record.map_or_else(|| code.to_owned(), |record| record.name.clone())
    }
}
