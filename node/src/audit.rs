//! What was done and refused, in one log of lines that follow from each other.
//!
//! [`AuditLog`] keeps the lines; here is what they tell. Acts of accounts and of the coordinator's
//! register leave their lines durably with the act, where pages show the latest of them, and those are
//! taken in here at once, or at the next start if the program was ended in between. All else is written
//! here before it is reported. What somebody may repeat as often as they like is counted, so that the
//! log grows by one line a minute.
//!
//! No line names a person or holds anything of a record: accounts and nodes stand in it by their ids,
//! hubs by their codes.

mod counted;
mod event;
mod peers;
mod settings;
mod taken_in;
mod taken_out;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use node_feed::{Access, SpaceId};
use node_store::{AuditHead, AuditLog, NewLine, StoreError};

use crate::Node;
use crate::clock::now_ms;
use crate::folder::DataFolder;
use crate::node::Inner;

use self::counted::Counted;
pub(crate) use self::event::Event;
pub(crate) use self::taken_in::ACCOUNTS;
pub use self::taken_in::Line;
pub(crate) use self::taken_out::TakenOut;

/// The setting of the store that remembers where the log ended.
pub(crate) const HEAD_SETTING: &str = "audit/head";

/// The audit log of an open node.
#[derive(Debug)]
pub(crate) struct Audit {
    log: Mutex<AuditLog>,
    counted: Mutex<Counted>,
    /// What the log says of this hub's access.
    access: Mutex<BTreeMap<SpaceId, String>>,
}

/// What a line tells, to be put together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.insert(name.to_owned(), value.to_string());
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a line of this moment.
    pub(crate) fn line(self, event: Event) -> NewLine {
        NewLine {
            time_ms: now_ms(),
            kind: event.name().to_owned(),
            fields: self.0,
        }
    }
}

impl Audit {
    /// Opens the log of a data folder. A new one begins with a line that says where another one ended,
    /// if the store remembers that.
    pub(crate) fn open(
        folder: &DataFolder,
        node: impl ToString,
        remembered: Option<AuditHead>,
    ) -> Result<Self, StoreError> {
        let mut log = AuditLog::open(&folder.audit())?;
        if log.head()? == AuditHead::NONE {
            let mut begun = Fields::new()
                .with("node", node)
                .with("version", env!("CARGO_PKG_VERSION"));
            if let Some(head) = remembered {
                begun = begun
                    .with("earlier_line", head.number)
                    .with("earlier_hash", head.hash);
            }
            log.append(&[begun.line(Event::Begun)], None)?;
        }
        let mut access = BTreeMap::new();
        for mut line in log.of_kind(Event::OwnAccess.name())? {
            let space = line.fields.get("space").and_then(|it| it.parse().ok());
            if let (Some(space), Some(now)) = (space, line.fields.remove("access")) {
                access.insert(space, now);
            }
        }
        Ok(Self {
            log: Mutex::new(log),
            counted: Mutex::default(),
            access: Mutex::new(access),
        })
    }

    /// Whether the folder has a log with a line, or with what may have been one.
    pub(crate) fn is_begun(folder: &DataFolder) -> bool {
        let path = folder.audit();
        let none = || {
            AuditLog::open(&path)
                .and_then(|log| log.head())
                .is_ok_and(|head| head == AuditHead::NONE)
        };
        path.exists() && !none()
    }

    /// When the last backup was complete, in ms since 1970.
    pub(crate) fn last_backup_ms(&self) -> Result<Option<u64>, StoreError> {
        self.log().latest_ms(Event::BackupComplete.name())
    }

    fn log(&self) -> MutexGuard<'_, AuditLog> {
        lock(&self.log)
    }
}

impl Inner {
    /// Writes a line durably.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written. What it tells of is then not to be reported as done.
    pub(crate) fn note(&self, event: Event, fields: Fields) -> Result<(), StoreError> {
        self.note_lines(&[fields.line(event)], None)
    }

    /// Writes a line, or counts it in one that is written later. It does not wait for the disk.
    pub(crate) fn note_counted(self: &Arc<Self>, event: Event, fields: Fields) {
        let line = fields.line(event);
        let due = lock(&self.audit.counted).count(line, event.window_ms());
        if let Some(line) = due {
            self.note_later(vec![line]);
        }
    }

    /// Writes the lines of what was counted, as far as their time has come, or all.
    pub(crate) fn note_what_was_counted(&self, all: bool) {
        let lines = lock(&self.audit.counted).due(now_ms(), all);
        if !lines.is_empty() {
            self.note_or_log(&lines);
        }
    }

    /// Notes what this hub may do in spaces, where that changed since the log last said it.
    pub(crate) fn note_own_access(&self) {
        let Some(hub) = self.membership().map(|it| it.hub) else {
            return;
        };
        let authority = self.authority();
        let mut known = lock(&self.audit.access);
        let spaces = authority.spaces().keys().chain(known.keys());
        let spaces = spaces.copied().collect::<std::collections::BTreeSet<_>>();
        let (mut lines, mut changed) = (Vec::new(), Vec::new());
        for space in spaces {
            let now = match authority.access(hub, space) {
                Some(Access::Write) => "write",
                Some(Access::Read) => "read",
                None => "none",
            };
            if known.get(&space).map_or("none", String::as_str) != now {
                let fields = Fields::new().with("space", space).with("access", now);
                lines.push(fields.line(Event::OwnAccess));
                changed.push((space, now.to_owned()));
            }
        }
        // What could not be written is due again at the next change or start.
        if !lines.is_empty() && self.note_or_log(&lines) {
            known.extend(changed);
        }
    }

    /// Has the store remember where the log ends, before it is copied.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot.
    pub(crate) fn keep_audit_head(&self) -> Result<(), StoreError> {
        let head = self.audit.log().head()?.to_bytes();
        self.storage.set_setting(HEAD_SETTING, Some(&head))
    }

    /// Where the log ends is logged, so that the end of a log that was cut off can be missed.
    pub(crate) fn log_audit_head(&self) {
        match self.audit.log().head() {
            Ok(head) => {
                tracing::info!(line = head.number, hash = %head.hash, "the audit log ends here");
            }
            Err(error) => tracing::error!(%error, "the audit log cannot be read"),
        }
    }

    fn note_later(self: &Arc<Self>, lines: Vec<NewLine>) {
        let inner = Arc::clone(self);
        // Within the runtime alone anything is counted; where there is none, it is written at once.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn_blocking(move || inner.note_or_log(&lines));
            }
            Err(_) => {
                self.note_or_log(&lines);
            }
        }
    }

    /// Whether the lines were written.
    pub(crate) fn note_or_log(&self, lines: &[NewLine]) -> bool {
        let noted = self.note_lines(lines, None);
        if let Err(error) = &noted {
            tracing::error!(%error, "the audit log lacks a line");
        }
        noted.is_ok()
    }

    fn note_lines(&self, lines: &[NewLine], taken: Option<(&str, u64)>) -> Result<(), StoreError> {
        let noted = self.audit.log().append(lines, taken);
        if noted.is_err() {
            self.metrics.audit_failures.increment(lines.len() as u64);
        }
        self.storage.remember_audit_head(noted?);
        Ok(())
    }
}

impl Node {
    /// What is to be told of connections that came to nothing before it was known whose they were: why,
    /// in one word. It does not hold the node open.
    pub fn handshakes_refused(&self) -> impl Fn(&'static str) + Send + Sync + 'static {
        let inner = Arc::downgrade(&self.inner);
        move |why| {
            let Some(inner) = inner.upgrade() else {
                return;
            };
            inner.metrics.handshakes_refused.increment(1);
            let fields = Fields::new().with("reason", why);
            inner.note_counted(Event::HandshakeRefused, fields);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
