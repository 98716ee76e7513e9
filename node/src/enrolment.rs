//! How a hub's node is connected to a network: the invitation, the one-time code, and the calls
//! that turn them into a certificate.
//!
//! The coordinator proves itself first, by its pinned identity key over the connection's
//! exporter; only then is the code sent. So a code is safe even from a filter that inspects TLS
//! with an authority that the machine trusts.

mod check_number;
mod client;
mod code;
mod error;
mod invitation;
mod proof;

pub use check_number::CheckNumber;
pub use client::{Enrolled, enrol, renew};
pub use code::{CodeError, OneTimeCode};
pub use error::EnrolError;
pub use invitation::{Invitation, InvitationError};
pub use proof::{EnrolProof, greet_proof, renew_proof};
