//! Why a node could not be connected, or its certificate not be renewed.

use std::error::Error;

use node_feed::NetworkId;
use tonic::{Code, Status};

use super::invitation::time_text;
use crate::tls::{CertificateError, TlsError};

/// Why a node could not be connected, or its certificate not be renewed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// The invitation's time is over. Nothing was sent.
    #[error("the invitation expired on {0}; ask NCETM for a new one")]
    Expired(String),
    /// No connection could be made. Nothing was sent.
    #[error(transparent)]
    Connect(#[from] TlsError),
    /// Whoever answered is not the coordinator that was pinned. Nothing was sent.
    #[error(
        "what answers at {0} is not the coordinator of the invitation; nothing was sent to it. A \
         filter that inspects TLS may stand between: have the address put on its exclusion list"
    )]
    NotCoordinator(String),
    /// The coordinator serves another network than the invitation says. Nothing was sent.
    #[error("the coordinator serves another network ({found}) than the invitation is for")]
    Network {
        /// The network that it serves.
        found: NetworkId,
    },
    /// The coordinator says no, in its own words. Trying again does not help.
    #[error("the coordinator refused: {0}")]
    Refused(String),
    /// The request waits until an operator admits it. Ask again later.
    #[error("the request waits until NCETM has compared the check number and admitted it")]
    Waiting,
    /// The coordinator commits itself to another part of the check number than it first did.
    #[error(
        "the coordinator answered otherwise than before: somebody may stand between, or its register \
         was restored; ask NCETM for a new invitation"
    )]
    Otherwise,
    /// The coordinator cannot make a check number.
    #[error(
        "the coordinator's program is too old to compare a check number with; NCETM has to update it \
         before it can admit this node"
    )]
    TooOld,
    /// The coordinator takes no requests from this address at present, in its own words. Try
    /// again in ten minutes.
    #[error("the coordinator refused: {0}")]
    Busy(String),
    /// The call failed on the way, or the coordinator cannot answer at present. Try again: the
    /// same node with the same code is never refused for having tried before.
    #[error("the coordinator did not answer ({0}); try again")]
    Unanswered(String),
    /// The answer has not the shape that the protocol says.
    #[error("the coordinator's answer cannot be used: {0}")]
    Answer(&'static str),
    /// A key, request or certificate cannot be made or read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl EnrolError {
    /// The invitation was good until `ms`, in ms since 1970.
    pub(crate) fn expired(ms: u64) -> Self {
        Self::Expired(time_text(ms))
    }

    /// Whether the same call may succeed later.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Unanswered(_) | Self::Busy(_) | Self::Waiting | Self::TooOld => true,
            Self::Connect(error) => error.is_temporary(),
            Self::Expired(_)
            | Self::NotCoordinator(_)
            | Self::Network { .. }
            | Self::Refused(_)
            | Self::Otherwise
            | Self::Answer(_)
            | Self::Certificate(_) => false,
        }
    }
}

impl From<Status> for EnrolError {
    fn from(status: Status) -> Self {
        let refused = [
            Code::PermissionDenied,
            Code::InvalidArgument,
            Code::Unauthenticated,
            Code::Unimplemented,
        ];
        if refused.contains(&status.code()) {
            Self::Refused(status.message().to_owned())
        } else if status.code() == Code::ResourceExhausted {
            Self::Busy(status.message().to_owned())
        } else {
            Self::Unanswered(innermost(&status))
        }
    }
}

/// The text of the deepest cause: "connection reset", not "transport error".
fn innermost(status: &Status) -> String {
    let mut cause: Option<&dyn Error> = status.source();
    let mut text = status.message().to_owned();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}
