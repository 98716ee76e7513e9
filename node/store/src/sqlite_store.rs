//! The durable store: one SQLite file with one writer.

mod accounts;
mod archives;
mod backup;
mod bases;
mod changes;
mod compact;
mod connect;
mod disclosures;
mod foreign;
mod live;
mod look;
mod opening;
mod questions;
mod row;
mod schema;
mod sql;
mod usage;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use self::accounts::AccountTables;
pub use self::archives::ArchivedDocument;
pub(crate) use self::backup::backup;
pub use self::compact::Compacted;
pub(crate) use self::connect::reader;
pub use self::foreign::{ForeignPlace, ForeignSlice};
pub use self::look::{Look, look_at_store};
pub(crate) use self::sql::Sql;
use crate::StoreError;

/// When the whole file is looked through at opening, which takes about a second a gigabyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Check {
    /// Always.
    Always,
    /// Only if the store was not closed properly the last time. Opening is then quick whatever
    /// the store's size.
    #[default]
    AfterCrash,
}

/// A store in an SQLite file.
///
/// Every change is on the disk when its method returns: write-ahead log, `synchronous=FULL`. A
/// change that fails leaves nothing behind. After a failing disk or damage, the store takes no
/// more changes until it is opened again; reading goes on. Erased bytes are overwritten, in the
/// write-ahead log too as soon as no reader needs it.
#[derive(Debug)]
pub struct SqliteStore {
    sql: Sql,
    path: PathBuf,
    stopped: bool,
    group: Group,
    waited: Duration,
}

/// Whether changes are being made together, and what broke that.
#[derive(Debug)]
enum Group {
    None,
    Open,
    Broken(StoreError),
}

impl SqliteStore {
    /// Opens the store at `path`, which is made if it does not exist.
    ///
    /// # Errors
    /// [`StoreError`]: a damaged, foreign or newer file, or one that cannot be written, each says
    /// so.
    pub fn open(path: impl AsRef<Path>, check: Check) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        let mut store = Self {
            sql: connect::writer(&path)?,
            path,
            stopped: false,
            group: Group::None,
            waited: Duration::ZERO,
        };
        if check == Check::Always || store.sql.is_marked_open()? {
            store.check()?;
        }
        store.change(|sql| sql.mark_open(true))?;
        Ok(store)
    }

    /// Opens a store that was made before.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Corrupt`] if the file holds no store, as an empty one.
    pub fn open_made(path: impl AsRef<Path>, check: Check) -> Result<Self, StoreError> {
        connect::is_made(path.as_ref())?;
        Self::open(path, check)
    }

    /// Looks through the whole file.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first faults found.
    pub fn check(&self) -> Result<(), StoreError> {
        self.sql.check("quick_check")
    }

    /// Makes several changes one: when this returns, all are on the disk, after a single wait for
    /// it. Each change made by `work` still fails or succeeds by itself.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be made durable; then none of them was made.
    pub fn together<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Result<T, StoreError> {
        self.begin()?;
        self.group = Group::Open;
        let done = work(self);
        let outcome = match std::mem::replace(&mut self.group, Group::None) {
            Group::Broken(error) => Err(error),
            Group::None | Group::Open => Ok(done),
        };
        self.finish(outcome)
    }

    /// Writes a copy of the store to `path`, which must not exist, and checks it. Others may write
    /// meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written or does not pass the check; nothing is left at `path`
    /// then.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        backup(&self.sql, path.as_ref())
    }

    /// Limits how large the file may grow, or takes the limit away. A change that needs more fails
    /// with [`StoreError::Full`].
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn limit_bytes(&mut self, bytes_max: Option<u64>) -> Result<(), StoreError> {
        self.sql.limit_bytes(bytes_max)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a failure ended writing until the store is opened again.
    pub const fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// How long the last change waited until it was on the disk, once it was made.
    pub(crate) const fn waited(&self) -> Duration {
        self.waited
    }

    pub(crate) fn ask<T>(
        &self,
        question: impl FnOnce(&Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        question(&self.sql)
    }

    /// Makes one durable change, or a part of one if changes are made together.
    pub(crate) fn change<T>(
        &mut self,
        work: impl FnOnce(&mut Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &self.group {
            Group::None => {
                self.begin()?;
                let outcome = work(&mut self.sql);
                self.finish(outcome)
            }
            Group::Open => self.change_in_group(work),
            Group::Broken(error) => Err(error.clone()),
        }
    }

    fn begin(&self) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        self.sql.execute("BEGIN IMMEDIATE")
    }

    /// Commits if `outcome` is good and undoes everything otherwise.
    fn finish<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        let outcome = outcome.and_then(|done| {
            let begun = Instant::now();
            self.sql.execute("COMMIT")?;
            self.waited = begun.elapsed();
            Ok(done)
        });
        if let Err(error) = &outcome {
            // SQLite may have undone it by itself, and what is not undone is when the file is
            // closed; so a failure here loses nothing, and is the disk's.
            let undone = self.sql.is_idle() || self.sql.execute("ROLLBACK").is_ok();
            self.stopped |= error.stops_writing() || !undone;
            if self.stopped {
                tracing::error!(%error, "the store takes no more writes");
            }
            return outcome;
        }
        self.sql.wipe_log();
        outcome
    }

    fn change_in_group<T>(
        &mut self,
        work: impl FnOnce(&mut Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.sql.execute("SAVEPOINT change")?;
        let outcome = work(&mut self.sql).and_then(|done| {
            self.sql.execute("RELEASE change")?;
            Ok(done)
        });
        if let Err(error) = &outcome {
            let undone = !self.sql.is_idle()
                && self
                    .sql
                    .execute("ROLLBACK TO change; RELEASE change")
                    .is_ok();
            if !undone || error.stops_writing() {
                self.group = Group::Broken(error.clone());
            }
        }
        outcome
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if !self.stopped
            && let Err(error) = self.change(|sql| sql.mark_open(false))
        {
            // The next opening then looks through the file, which is all that this is for.
            tracing::warn!(%error, "the store was not closed properly");
        }
    }
}
