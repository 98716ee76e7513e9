//! Taking first copies.

use std::sync::Arc;

use node_feed::{CopyOffer, CopyPiece, CopySlice, CopyTaken, NodeId, SpaceId};
use node_store::StoreError;
use node_sync::{Input, StorageDown, Ticket};

use super::Driver;

impl Driver {
    pub(super) fn offer_copy(&self, ticket: Ticket, peer: NodeId, offer: CopyOffer) {
        let done = self.copy_done(ticket, offer.space, 0);
        self.inner.storage.offer_copy(peer, offer, done);
    }

    pub(super) fn take_copy(&self, ticket: Ticket, slice: CopySlice) {
        let bytes = slice.pieces.iter().map(CopyPiece::weight).sum();
        let done = self.copy_done(ticket, slice.space, bytes);
        let authority = self.inner.authority();
        self.inner.storage.take_copy(&authority, slice, done);
    }

    /// What is done once it is known what became of a copy, or of a part of so many bytes.
    fn copy_done(
        &self,
        ticket: Ticket,
        space: SpaceId,
        bytes: usize,
    ) -> impl FnOnce(Result<(CopyTaken, bool), StoreError>) + Send + 'static {
        let inner = Arc::clone(&self.inner);
        let runtime = tokio::runtime::Handle::current();
        move |taken| {
            let result = match taken {
                Ok((taken, gone)) => {
                    inner.copied(space, &taken, bytes);
                    if gone {
                        // Not on the store's thread: whoever edits a document waits for that, and
                        // holds what this waits for.
                        let inner = Arc::clone(&inner);
                        runtime.spawn_blocking(move || inner.forget_copy(space));
                    }
                    Ok(taken)
                }
                Err(error) => {
                    tracing::error!(%error, "a first copy was not stored");
                    Err(StorageDown)
                }
            };
            inner.send(Input::CopyTaken { ticket, result });
        }
    }
}
