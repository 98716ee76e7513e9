//! What enrolment asks of whoever writes the authority log.

use node_feed::{Hash, HubId, NodeId, Succession};
use tokio::sync::oneshot;

/// Why the authority says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityRefusal {
    /// The hub or node may not be admitted, or is no longer. The sentence is passed on to the
    /// person who asked. Asking again does not help.
    #[error("{0}")]
    Refused(String),
    /// The authority log cannot be written or read at present. The sentence is passed on; the
    /// same request may succeed later.
    #[error("{0}")]
    Unavailable(String),
}

/// A question to the one task that writes the authority log.
#[derive(Debug)]
pub enum AuthorityRequest {
    /// Admit `node` to `hub`: its facts, and the grants that every hub starts with.
    ///
    /// The reply **must** be sent only once the entries are durable, since the node's
    /// certificate is handed out after it. It **must** be idempotent: a node whose answer was
    /// lost comes again, and then nothing is written anew.
    Admit {
        /// The hub that the code was made for.
        hub: HubId,
        /// The node's identity key.
        node: NodeId,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), AuthorityRefusal>>,
    },
    /// Which hub `node` belongs to, if it is admitted and not revoked. Writes nothing.
    Standing {
        /// The node's identity key.
        node: NodeId,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<HubId, AuthorityRefusal>>,
    },
    /// Admit the key that takes the place of a node's, whose word this is; with the replies of `Admit`.
    Succeed {
        /// The former key's word, which has been checked.
        succession: Succession,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), AuthorityRefusal>>,
    },
    /// End the node whose place another one took; with the replies of `Admit`.
    EndFormer {
        /// The former key's word, which has been checked.
        succession: Succession,
        /// The mark of where its feeds end.
        ends: Hash,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), AuthorityRefusal>>,
    },
    /// Why `node` may hold no session at present, if so, for whoever looks for what is wrong. Writes
    /// nothing.
    Look {
        /// The node's identity key.
        node: NodeId,
        /// Where the answer goes.
        reply: oneshot::Sender<Stands>,
    },
}

/// Whether a node may hold sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stands {
    /// It may.
    Admitted,
    /// Its hub is suspended; the sentence that it is told.
    Suspended(String),
    /// It is unknown, or its access has ended; a sentence.
    Refused(String),
}
