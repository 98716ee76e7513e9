//! Makes everything that is derived from entries again: lists, and documents' saved states.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use node_store::{Projections, Readers};

use crate::config::Config;
use crate::folder::DataFolder;
use crate::{Node, NodeError};

/// How often it is told how far it has come.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// How far a rebuild has come, in order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// How far the lists hold what arrived.
    pub reflects: u64,
    /// How far anything arrived.
    pub of: u64,
}

impl Node {
    /// Deletes the lists and saved states of the node in `path`, which must not run, and makes them
    /// again from the entries, with these settings. Broken off anywhere, it can be begun again; a node that is started
    /// instead goes on with it.
    ///
    /// # Errors
    /// [`NodeError`]. No entry is touched.
    pub fn rebuild(
        path: &Path,
        config: Config,
        mut told: impl FnMut(Rebuilt),
    ) -> Result<Rebuilt, NodeError> {
        let folder = DataFolder::open(path)?;
        if !folder.store().exists() {
            return Err(NodeError::StoreMissing(path.to_owned()));
        }
        Projections::delete(folder.projections())?;
        let node = Self::assemble(folder, config)?;
        let storage = &node.inner.storage;
        let of = storage.read(Readers::arrived)?;
        std::thread::scope(|scope| {
            let (ended, ends) = channel::<()>();
            let work = scope.spawn(|| {
                let _ended = ended;
                node.catch_up()?;
                node.inner.library.save_pending(storage)
            });
            while ends.recv_timeout(TOLD_EVERY) == Err(RecvTimeoutError::Timeout) {
                let reflects = storage.reflects()?;
                told(Rebuilt { reflects, of });
            }
            match work.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })?;
        let reflects = storage.reflects()?;
        Ok(Rebuilt { reflects, of })
    }
}
