//! A hub's node: its store, its sessions, its records and its commands.
//!
//! [`Node`] is the way in: the commands, the gRPC service and the coordinator all use it.

pub mod accounts;
mod applier;
mod archive;
mod arrivals;
pub mod audit;
mod author;
mod authority_log;
pub mod backup;
mod callers;
mod came_back;
mod cards;
mod checkpoints;
pub mod cli;
pub mod clock;
pub mod config;
mod copying;
pub mod doctor;
mod driver;
pub mod enrolment;
mod feed_ends;
mod first_copy;
pub mod folder;
pub mod grpc;
pub mod hang_up;
pub mod hub_nodes;
pub mod identity;
mod library;
mod link;
pub mod local;
mod lost;
mod marks;
pub mod membership;
pub mod metrics;
mod node;
mod pace;
mod pauses;
mod peer_health;
mod peers;
mod platform;
pub mod proxy;
mod quotas;
mod readiness;
mod rebuild;
pub mod records;
pub mod restore;
mod session;
mod storage;
mod suspended;
pub mod telemetry;
pub mod tls;
pub mod verify;
pub mod web;

pub use arrivals::Arrivals;
pub use author::WriteError;
pub use authority_log::AuthorityAppendError;
pub use came_back::CameBack;
pub use copying::CopiedDocuments;
pub use lost::{Lost, LostRecord};
pub use marks::RecordMarks;
pub use node::{Node, NodeError, Running, StoreAccessError};
pub use node_sync::PROTOCOL_VERSION;
pub use pauses::Pauses;
pub use peer_health::{Gap, PeerHealth, SetAsideEntry, SpaceLag};
pub use peers::{RefusedEntry, RefusedSession};
pub use readiness::Readiness;
pub use rebuild::Rebuilt;
pub use session::{SessionCost, TappedFrame};

/// Random bytes from the system.
///
/// # Panics
/// If the system has none to give: nothing can be signed or kept apart without them.
#[expect(
    clippy::expect_used,
    reason = "without randomness no key and no id is safe"
)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
