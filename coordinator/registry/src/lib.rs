//! The coordinator's register of invitations, certificates and visits, and its audit lines.
//!
//! Who belongs to the network and may do what stands in the authority log alone. Here stands
//! what must be unique or secret and so cannot be a feed: one-time codes (only their hashes),
//! the requests that wait for an operator, serial numbers, and when nodes were last seen. It is one
//! SQLite file; if that is lost, open invitations are made anew, also for nodes that waited, and
//! nothing else is missing.
//!
//! All calls block, and are given the time in ms since 1970.

mod audit;
mod certificate;
mod error;
mod invitation;
mod registry;
mod request;
mod schema;
mod seen;
mod succession;

pub use audit::{AuditLine, Event};
pub use certificate::CertificateRecord;
pub use error::RegistryError;
pub use invitation::{CodeRefusal, InvitationRecord, InvitationState, RedeemError, Redeemed};
pub use registry::Registry;
pub use request::{ConnectionRequest, RequestState};
pub use seen::Seen;
pub use succession::Succeeded;
