//! What a restore does not bring back: changes that stood in this hub's own space alone.

use std::collections::{BTreeMap, BTreeSet};

use node_domain::Form;
use node_feed::{AuthorityLog, Kind, NetworkId, SpaceId, SpaceKind, Subject};
use node_store::{Check, ProjectionReaders, ReadStore, SqliteStore, StoreError, StoredEntry};
use serde::{Deserialize, Serialize};

use crate::folder::DataFolder;

/// How many entries are read at once.
const BATCH_ENTRIES: usize = 1_024;

/// What a restore did not bring back. Of shared spaces the others give everything back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// When the newest entry of the hub's own space in the backup was written, in ms since 1970;
    /// 0 if there is none. What was written there later is lost.
    pub since_ms: u64,
    /// Whether the store that was replaced could be read, so that `records` is all that is lost.
    pub known: bool,
    /// The records with changes that are lost, the latest first.
    pub records: Vec<LostRecord>,
}

/// A record with changes that are lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRecord {
    /// Its id.
    pub record: String,
    /// Its kind; empty if it is not known any more.
    pub kind: String,
    /// Its title as it was; empty if it is not known any more.
    pub title: String,
    /// How many changes are lost.
    pub changes: u64,
    /// When the last of them was made, in ms since 1970.
    pub last_ms: u64,
}

impl Lost {
    /// Where a restored store says what is lost.
    pub(crate) const SETTING: &'static str = "restored/lost";

    /// Compares the store in `folder` with the backup that is to replace it.
    ///
    /// # Errors
    /// [`StoreError`] if the backup cannot be read.
    pub(crate) fn find(
        folder: &DataFolder,
        backup: &SqliteStore,
        network: NetworkId,
    ) -> Result<Self, StoreError> {
        let authority = AuthorityLog::new(network, backup.log_feeds(network)?).fold();
        let own = |space: &SpaceId| {
            let record = authority.spaces().get(space);
            record.is_some_and(|record| record.kind == SpaceKind::Hub)
        };
        let mut lost = Self {
            since_ms: 0,
            known: false,
            records: Vec::new(),
        };
        let mut held = BTreeSet::new();
        each(backup, |entry| {
            if own(&entry.space) {
                held.insert(entry.height.hash);
                lost.since_ms = lost.since_ms.max(entry.time_ms);
            }
        })?;
        let Ok(now) = SqliteStore::open(folder.store(), Check::AfterCrash) else {
            return Ok(lost);
        };
        let mut changes = BTreeMap::<Subject, (u64, u64)>::new();
        let mut is_the_same_store = held.is_empty();
        let read = each(&now, |entry| {
            let changed = matches!(entry.kind, Kind::CHANGES | Kind::CARD);
            if held.contains(&entry.height.hash) {
                is_the_same_store = true;
            } else if changed && own(&entry.space) {
                let (count, last_ms) = changes.entry(entry.subject).or_default();
                *count += 1;
                *last_ms = entry.time_ms.max(*last_ms);
            }
        });
        // A new disk holds an empty store, which says nothing of what the old one held.
        lost.known = read.is_ok() && is_the_same_store;
        let lists = ProjectionReaders::open(folder.projections()).ok();
        for (subject, (changes, last_ms)) in changes {
            if now.is_erased(subject).unwrap_or(false) {
                continue;
            }
            let lines = lists
                .as_ref()
                .and_then(|lists| lists.lines_of(subject).ok());
            let line = lines.and_then(|lines| lines.into_iter().next());
            let (kind, title) = line.map(|line| (line.kind, line.title)).unwrap_or_default();
            // This is kept beside the store, where erasing does not reach: it names no person.
            let card = node_domain::kind(&kind).is_some_and(|kind| kind.form == Form::Card);
            let title = if card { String::new() } else { title };
            lost.records.push(LostRecord {
                record: subject.to_string(),
                kind,
                title,
                changes,
                last_ms,
            });
        }
        lost.records.sort_by_key(|it| std::cmp::Reverse(it.last_ms));
        Ok(lost)
    }
}

impl Lost {
    /// What is lost, in lines for people.
    pub(crate) fn in_words(&self) -> String {
        let mut lines = Vec::new();
        for it in &self.records {
            let named = if it.title.is_empty() {
                &it.record
            } else {
                &it.title
            };
            lines.push(format!(
                "lost: {} changes of {} \"{named}\"",
                it.changes, it.kind
            ));
        }
        if !self.known {
            let since = i64::try_from(self.since_ms / 1_000).unwrap_or_default();
            let since = time::OffsetDateTime::from_unix_timestamp(since);
            let since = since.map_or_else(|_| String::new(), |since| format!(" after {since}"));
            lines.push(format!(
                "lost: whatever was written in this hub's own space{since}; the old store cannot \
                 be read, so it cannot be said what that was"
            ));
        }
        lines.into_iter().map(|line| line + "\n").collect()
    }
}

/// Every entry, in the order of arrival.
fn each(store: &SqliteStore, mut look: impl FnMut(&StoredEntry)) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let entries = store.arrivals_after(after, BATCH_ENTRIES)?;
        let Some(last) = entries.last() else {
            return Ok(());
        };
        after = last.arrival;
        entries.iter().for_each(&mut look);
    }
}
