//! Connections that only read, lent to one thread at a time.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::StoreError;

/// How many idle connections are kept.
const IDLE_MAX: usize = 8;

/// Connections to one file, opened when they are needed.
#[derive(Debug)]
pub(crate) struct Pool<C> {
    path: PathBuf,
    open: fn(&Path) -> Result<C, StoreError>,
    idle: Mutex<Vec<C>>,
}

impl<C> Pool<C> {
    /// Opens the first connection, so that a file that cannot be read shows at once.
    pub(crate) fn open(
        path: &Path,
        open: fn(&Path) -> Result<C, StoreError>,
    ) -> Result<Self, StoreError> {
        let first = open(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            open,
            idle: Mutex::new(vec![first]),
        })
    }

    pub(crate) fn take(&self) -> Result<C, StoreError> {
        let idle = self.lock().pop();
        idle.map_or_else(|| (self.open)(&self.path), Ok)
    }

    pub(crate) fn give_back(&self, connection: C) {
        let mut idle = self.lock();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<C>> {
        // Nothing that could be left half done happens while it is held.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
