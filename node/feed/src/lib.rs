//! Entries, feeds, heights, keys and admission.
//!
//! A space is a set of feeds; a feed has one writer; so syncing is comparing heights. This
//! crate holds the formats that this rests on and the rules for admitting what a peer sends.
//! It does no IO and knows no clock, no tokio and no Automerge: all randomness and time come
//! in as arguments. docs/protocol.md gives every width and tag.

mod admission;
mod authority;
mod chunk;
mod codec;
mod entry;
mod fact;
mod first_copy;
mod hash;
mod heights;
mod heights_difference;
mod id;
mod keys;
mod kind;
mod log;
mod payload;
mod receipt;
mod refusal;
mod run;
mod succession;
mod tree;

pub use admission::{Admission, Opening};
pub use authority::{
    Authority, CutRecord, GrantRecord, HubRecord, NodeRecord, SpaceRecord, TermRecord,
};
pub use chunk::{ChunkError, change_hash, split_chunks};
pub use codec::{DecodeError, Decoder, Encoder};
pub use entry::{Entry, HEADER_BYTES, Header};
pub use fact::{Access, Cut, CutTarget, Fact, FeedCut, SpaceKind};
pub use first_copy::{CopyOffer, CopyPiece, CopyPlace, CopySlice, CopyTaken, KeptEntry};
pub use hash::{Hash, Tag};
pub use heights::{Height, Heights, root_digest};
pub use heights_difference::{DifferenceError, HeightsDifference};
pub use id::{
    CardId, DocumentId, FeedName, FileId, GrantId, HubId, IdError, NetworkId, NodeId, SpaceId,
    Subject, Writers,
};
pub use keys::{KeyError, PublicKey, SecretKey, Signature};
pub use kind::Kind;
pub use log::{AuthorityLog, LogEntry, LogFeed};
pub use payload::{
    AuthorityOpen, CARD_REPLACES_MAX, Card, Changes, Checkpoint, EARLIER_FEEDS_MAX, ERASE_IDS_MAX,
    Erase, NodeOpen, Nonce, Open, PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MIN, Payload, PayloadError,
    Trail,
};
pub use receipt::Receipt;
pub use refusal::{Refusal, RefusalReason, Retry};
pub use run::{
    NUMBER_MAX, Proof, RUN_BYTES_MAX, RUN_ENTRIES_MAX, Run, RunEntry, RunError, VerifiedRun,
};
pub use succession::{Succession, SuccessionError};
pub use tree::{FeedTree, Graft, Parting, TreeError, TreeFeed};
