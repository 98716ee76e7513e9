//! Taking first copies.

use std::sync::Arc;

use node_feed::{CopyOffer, CopyPiece, CopySlice, NodeId};
use node_sync::{Input, StorageDown, Ticket};

use super::Driver;

impl Driver {
    pub(super) fn offer_copy(&self, ticket: Ticket, peer: NodeId, offer: CopyOffer) {
        let done = Arc::clone(&self.inner);
        let space = offer.space;
        self.inner.storage.offer_copy(peer, offer, move |taken| {
            let result = match taken {
                Ok((taken, replaces)) => {
                    if replaces {
                        done.forget_copy(space);
                    }
                    done.copied(space, &taken, 0);
                    Ok(taken)
                }
                Err(error) => {
                    tracing::error!(%error, "a first copy was not begun");
                    Err(StorageDown)
                }
            };
            done.send(Input::CopyTaken { ticket, result });
        });
    }

    pub(super) fn take_copy(&self, ticket: Ticket, slice: CopySlice) {
        let authority = self.inner.authority();
        let done = Arc::clone(&self.inner);
        let space = slice.space;
        let bytes = slice.pieces.iter().map(CopyPiece::weight).sum();
        self.inner
            .storage
            .take_copy(&authority, slice, move |taken| {
                let result = match taken {
                    Ok(taken) => {
                        done.copied(space, &taken, bytes);
                        Ok(taken)
                    }
                    Err(error) => {
                        tracing::error!(%error, "a part of a first copy was not stored");
                        Err(StorageDown)
                    }
                };
                done.send(Input::CopyTaken { ticket, result });
            });
    }
}
