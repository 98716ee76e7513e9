//! The authority log as this node holds it, and its next entries.

use node_feed::{AuthorityLog, NetworkId, VerifiedRun};
use node_store::{Appended, ReadStore, StoreError};

use crate::Node;

/// Why a run of the authority log was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityAppendError {
    /// The log as it is held has no place for it. Nothing was added.
    #[error("the record of access does not take this: {0}")]
    Refused(node_feed::RefusalReason),
    /// The same entries are held already.
    #[error("the record of access holds this already")]
    Held,
    /// The store cannot take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Node {
    /// The authority log as it is held.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn authority_log(&self) -> Result<AuthorityLog, StoreError> {
        let network = self.network().unwrap_or(NetworkId::from_bytes([0; 16]));
        let feeds = self.inner.storage.read(|store| store.log_feeds(network))?;
        Ok(AuthorityLog::new(network, feeds))
    }

    /// Stores a run of the authority log that this process signed, and takes in what it says.
    ///
    /// # Errors
    /// [`AuthorityAppendError`]; nothing was stored then.
    pub fn append_authority(&self, run: VerifiedRun) -> Result<(), AuthorityAppendError> {
        let appended = self.inner.storage.append_now(
            &self.inner.authority(),
            vec![run],
            &self.inner.events,
        )?;
        for appended in appended {
            match appended {
                Appended::Stored(_) => {}
                Appended::Refused(refused) => {
                    return Err(AuthorityAppendError::Refused(refused.reason));
                }
                Appended::Held | Appended::Live(_) => return Err(AuthorityAppendError::Held),
            }
        }
        Ok(self.inner.settle_authority()?)
    }
}
