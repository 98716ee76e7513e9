//! How a hub's node is connected to a network: the invitation, the one-time code, and the calls
//! that turn them into a certificate.
//!
//! The coordinator proves itself first, by its pinned identity key over the connection's
//! exporter; only then is the code sent. So a code is safe even from a filter that inspects TLS
//! with an authority that the machine trusts.
//!
//! [`Connecting`] is a request to connect from its first call to its outcome: most wait until a
//! person at NCETM has compared the check number. [`crate::Node::connect`] begins one.

mod check_exchange;
mod check_number;
mod client;
mod code;
mod connecting;
mod error;
mod invitation;
mod proof;

pub use check_exchange::exchange;
pub use check_number::{CheckNumber, CheckParts, check_commitment};
pub use client::{Answer, Enrolled, ask, ask_again, enrol, renew};
pub use code::{CodeError, OneTimeCode};
pub use connecting::{ConnectError, Connecting, ConnectingState, NotConnected, Progress};
pub use error::EnrolError;
pub use invitation::{Invitation, InvitationError};
pub use proof::{
    CheckProof, EnrolProof, end_former_proof, greet_proof, renew_proof, standing_proof,
    succeed_proof,
};

pub(crate) use check_exchange::CheckExchange;
pub(crate) use client::{Greeting, Standing, end_former, greet, reach, standing, succeed};
pub(crate) use connecting::Current;
