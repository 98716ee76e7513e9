//! Makes backups by itself, as the settings say.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::kept::Shelf;
use super::{BackupError, Kept};
use crate::Node;
use crate::clock::now_ms;
use crate::node::Inner;

/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// After how long one is tried again that failed.
const RETRY_MS: u64 = 3_600_000;
const HOUR_MS: u64 = 3_600_000;
/// How far a backup may be in the future by its name: clocks are set back a little.
const AHEAD_MS: u64 = 24 * HOUR_MS;

/// What came of the last try, and who makes one.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    failed: Mutex<Option<Failure>>,
    /// Held while a backup is made: two would use one file.
    making: Mutex<()>,
}

#[derive(Debug, Clone)]
struct Failure {
    time_ms: u64,
    why: String,
}

/// Makes a backup whenever one is due, until told to stop.
pub(crate) async fn keep(inner: Weak<Inner>, mut stopped: watch::Receiver<bool>) {
    let mut times = tokio::time::interval(LOOK_EVERY);
    times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = times.tick() => {}
        }
        let Some(inner) = inner.upgrade() else {
            return;
        };
        let looked = tokio::task::spawn_blocking(move || Node { inner }.backup_if_due(now_ms()));
        match looked.await {
            Ok(Ok(Some(made))) => tracing::info!(file = %made.file.display(), "a backup was made"),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::error!(%error, "no backup was made; it is tried again"),
            Err(error) => tracing::error!(%error, "no backup was made"),
        }
    }
}

impl Node {
    /// Makes a backup if the settings want one now, and deletes those that they do not keep.
    ///
    /// # Errors
    /// [`BackupError`]; it is tried again an hour later.
    pub fn backup_if_due(&self, now_ms: u64) -> Result<Option<Kept>, BackupError> {
        let config = &self.config().backup;
        if config.folder.is_empty() {
            return Ok(None);
        }
        let keeper = &self.inner.keeper;
        let failed = keeper.failure();
        if failed.is_some_and(|it| now_ms.abs_diff(it.time_ms) < RETRY_MS) {
            return Ok(None);
        }
        let made = self.backup_into(Path::new(&config.folder), now_ms);
        keeper.note(made.as_ref().err().map(|error| Failure {
            time_ms: now_ms,
            why: error.to_string(),
        }));
        made
    }

    fn backup_into(&self, folder: &Path, now_ms: u64) -> Result<Option<Kept>, BackupError> {
        let config = &self.config().backup;
        let shelf = self.shelf(folder);
        let unread = |source| BackupError::Unread {
            path: folder.to_owned(),
            source,
        };
        let last = shelf.all().map_err(unread)?.into_iter();
        let last = last
            .map(|it| it.time_ms)
            .find(|it| *it <= now_ms + AHEAD_MS);
        if last.is_some_and(|last| now_ms < last.saturating_add(config.every_hours * HOUR_MS)) {
            return Ok(None);
        }
        let file = shelf.file_at(now_ms);
        shelf.sweep(&file);
        // The settings were checked when they were read.
        let keys = config.recipients().unwrap_or_default();
        self.backup(&file, &keys)?;
        if let Err(error) = shelf.prune(config, now_ms + AHEAD_MS, &file) {
            tracing::warn!(%error, "backups that need not be kept are still there");
        }
        Ok(Some(Kept {
            time_ms: now_ms,
            file,
        }))
    }

    /// The backups that the settings keep, the newest first; none if they want none.
    ///
    /// # Errors
    /// [`BackupError::Unread`] if their folder cannot be read.
    pub fn backups(&self) -> Result<Vec<Kept>, BackupError> {
        let folder = Path::new(&self.config().backup.folder);
        if folder.as_os_str().is_empty() {
            return Ok(Vec::new());
        }
        self.shelf(folder)
            .all()
            .map_err(|source| BackupError::Unread {
                path: folder.to_owned(),
                source,
            })
    }

    /// How backups stand, as `status` shows it; null if the settings want none.
    pub(crate) fn backup_summary(&self) -> Value {
        if self.config().backup.folder.is_empty() {
            return Value::Null;
        }
        let (kept, unread) = match self.backups() {
            Ok(kept) => (kept, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let failed = self.inner.keeper.failure().map(|failure| failure.why);
        json!({
            "kept": kept.len(),
            "last_ms": kept.first().map(|it| it.time_ms),
            "last": kept.first().map(|it| it.file.display().to_string()),
            "trouble": failed.or(unread),
        })
    }

    fn shelf<'a>(&self, folder: &'a Path) -> Shelf<'a> {
        let authority = self.authority();
        let hub = self
            .hub()
            .and_then(|hub| authority.hubs().get(&hub).cloned());
        let hub = hub.map_or_else(|| "node".to_owned(), |hub| hub.code);
        let mut node = self.id().to_string();
        node.truncate(8);
        Shelf::new(folder, &hub, &node)
    }
}

impl Keeper {
    /// Nobody else makes a backup while this is held.
    pub(super) fn making(&self) -> MutexGuard<'_, ()> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a backup is being made.
    pub(crate) fn is_making(&self) -> bool {
        self.making.try_lock().is_err()
    }

    fn failure(&self) -> Option<Failure> {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, failure: Option<Failure>) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}
