//! One thread writes; what waits is made durable together.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use node_feed::{Authority, VerifiedRun};

use crate::{Appended, EntryStore, SqliteStore, StoreError};

/// How many changes may wait.
const WAITING_MAX: usize = 1_024;
/// How many changes are made durable together at most, so that no one waits too long.
const TOGETHER_MAX: usize = 256;

/// What is done once it is known whether a change is durable.
type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A change, which tells what is to be done afterwards.
type Change = Box<dyn FnOnce(&mut SqliteStore) -> Done + Send>;

/// Changes that were made durable together, or that were not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// How many there were.
    pub changes: usize,
    /// What making them took, waiting for the disk included.
    pub took: Duration,
    /// What of it was waiting for the disk. Zero if they could not be made durable.
    pub waited: Duration,
    /// Whether the store has stopped taking changes until it is opened again.
    pub stopped: bool,
}

enum Job {
    Change(Change),
    Stop,
}

/// The thread that owns the store. Dropping it makes what waits durable and closes the store.
#[derive(Debug)]
pub struct Writer {
    handle: WriterHandle,
    thread: Option<JoinHandle<()>>,
}

/// Hands changes to the [`Writer`], from any thread.
#[derive(Clone)]
pub struct WriterHandle {
    jobs: SyncSender<Job>,
}

impl Writer {
    /// Gives `store` to a thread of its own.
    ///
    /// # Errors
    /// [`StoreError::Closed`] if no thread can be started.
    pub fn start(store: SqliteStore) -> Result<Self, StoreError> {
        Self::start_watched(store, |_| {})
    }

    /// The same for somebody who is told of each batch, on the writer's thread, which waits meanwhile.
    ///
    /// # Errors
    /// As [`Writer::start`].
    pub fn start_watched(
        store: SqliteStore,
        made: impl FnMut(Batch) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write(store, &waiting, made))
            .map_err(|error| {
                tracing::error!(%error, "the store's thread cannot be started");
                StoreError::Closed
            })?;
        Ok(Self {
            handle: WriterHandle { jobs },
            thread: Some(thread),
        })
    }

    /// A handle to hand changes to.
    pub fn handle(&self) -> WriterHandle {
        self.handle.clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // If the thread has ended already there is nothing to stop.
        let _ = self.handle.jobs.send(Job::Stop);
        // Whoever was told last on that thread may hold what drops this.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread ended in a panic");
        }
    }
}

impl WriterHandle {
    /// Stores `runs` and calls `done` on the writer's thread once they are durable, or once it is
    /// known that they are not. Waits while too many changes wait already.
    ///
    /// # Errors
    /// [`StoreError::Closed`] if the writer has ended; `done` is not called then.
    pub fn append(
        &self,
        authority: Arc<Authority>,
        runs: Vec<VerifiedRun>,
        done: impl FnOnce(Result<Vec<Appended>, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.submit(move |store| store.append(&authority, runs), done)
    }

    /// Makes any change and calls `done` on the writer's thread once it is durable, or once it is
    /// known that it is not. Changes are made in the order in which they were handed over.
    ///
    /// # Errors
    /// [`StoreError::Closed`] if the writer has ended; `done` is not called then.
    pub fn submit<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut SqliteStore) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        // The session or request that asked is named in what is logged on the writer's thread too.
        let asked = tracing::Span::current();
        let job: Change = Box::new(move |store| {
            let outcome = asked.in_scope(|| change(store));
            Box::new(move |durable| {
                asked.in_scope(|| {
                    tracing::trace!(durable = durable.is_ok(), "a change was made");
                    done(durable.and(outcome));
                });
            })
        });
        self.jobs
            .send(Job::Change(job))
            .map_err(|_| StoreError::Closed)
    }

    /// Makes any change and waits until it is durable.
    ///
    /// # Errors
    /// [`StoreError`] of the change, of making it durable, or because the writer has ended.
    pub fn call<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut SqliteStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.submit(change, move |outcome| {
            // Whoever asked waits below, unless its thread was ended meanwhile.
            let _ = answer.send(outcome);
        })?;
        answered.recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl fmt::Debug for WriterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterHandle").finish_non_exhaustive()
    }
}

/// Makes all that waits durable with one wait for the disk, and only then tells anyone.
fn write(mut store: SqliteStore, waiting: &Receiver<Job>, mut watcher: impl FnMut(Batch)) {
    let mut open = true;
    while open && let Ok(first) = waiting.recv() {
        let mut changes = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next.take() {
            match job {
                Job::Change(change) => changes.push(change),
                Job::Stop => {
                    open = false;
                    break;
                }
            }
            if changes.len() < TOGETHER_MAX {
                next = waiting.try_recv().ok();
            }
        }
        if !changes.is_empty() {
            watcher(make(&mut store, changes));
        }
    }
}

fn make(store: &mut SqliteStore, changes: Vec<Change>) -> Batch {
    let (count, begun) = (changes.len(), Instant::now());
    let mut changes = changes.into_iter();
    let mut told = Vec::with_capacity(changes.len());
    let made = store.together(|store| {
        for change in changes.by_ref() {
            told.push(change(store));
        }
    });
    let batch = Batch {
        changes: count,
        took: begun.elapsed(),
        waited: made.as_ref().map_or(Duration::ZERO, |()| store.waited()),
        stopped: store.is_stopped(),
    };
    for done in told {
        done(made.clone());
    }
    // Only if they could not even be begun together: each then says why by itself.
    for change in changes {
        change(store)(Ok(()));
    }
    batch
}
