//! How a command ended, as a program that started it learns it.

use std::io;
use std::process::ExitCode;

use node_store::StoreError;
use tonic::{Code, Status};

use crate::NodeError;
use crate::config::ConfigError;
use crate::enrolment::{ConnectingState, EnrolError};
use crate::folder::FolderError;
use crate::local::LocalError;
use crate::proxy::ProxyError;
use crate::tls::TlsError;

/// How a command ended. The numbers are those of BSD's sysexits.h where it has one, and stay what they
/// are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what it was asked for.
    Done = 0,
    /// It did not, for a reason that has no number of its own.
    Failed = 1,
    /// What was checked is not as it should be.
    NotSo = 2,
    /// The command or a setting is wrong.
    Usage = 64,
    /// The node, the coordinator or a service does not answer.
    Unreachable = 69,
    /// A file or folder cannot be written, or the disk is full.
    CannotWrite = 73,
    /// Whoever asked may not.
    NotAllowed = 77,
}

/// Why a command ends so, in a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Ended {
    /// How it ends.
    pub exit: Exit,
    /// The sentence.
    pub why: String,
}

impl Exit {
    /// An error that ends a command like this.
    pub fn with(self, why: impl Into<String>) -> Ended {
        let why = why.into();
        Ended { exit: self, why }
    }

    /// How a command ends whose request to connect came to nothing.
    pub(super) fn of_outcome(outcome: &ConnectingState) -> Ended {
        let failed = matches!(outcome, ConnectingState::Failed(_));
        let exit = if failed {
            Self::Failed
        } else {
            Self::NotAllowed
        };
        exit.with(outcome.why_not().unwrap_or_default())
    }

    /// How a command ended that failed with this.
    pub fn of(error: &anyhow::Error) -> Self {
        let known = error.chain().find_map(|cause| {
            let ended = cause.downcast_ref::<Ended>().map(|ended| ended.exit);
            ended
                .or_else(|| cause.downcast_ref().map(of_config))
                .or_else(|| cause.downcast_ref().map(of_node))
                .or_else(|| cause.downcast_ref().map(of_status))
                .or_else(|| cause.downcast_ref().map(of_enrolment))
                .or_else(|| cause.downcast_ref().map(of_tls))
                .or_else(|| cause.downcast_ref().map(of_folder))
                .or_else(|| cause.downcast_ref().and_then(of_socket))
                .or_else(|| cause.downcast_ref().map(of_store))
                .or_else(|| cause.downcast_ref().map(of_io))
        });
        known.unwrap_or(Self::Failed)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

const fn of_config(_: &ConfigError) -> Exit {
    Exit::Usage
}

fn of_node(error: &NodeError) -> Exit {
    match error {
        NodeError::Config(error) => of_config(error),
        NodeError::Folder(error) => of_folder(error),
        NodeError::Store(error) | NodeError::Audit(error) => of_store(error),
        NodeError::Certificate(_) | NodeError::StoreMissing(_) | NodeError::OtherNetwork => {
            Exit::Failed
        }
    }
}

/// The service says by its codes what kind of no it is.
fn of_status(status: &Status) -> Exit {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded => Exit::Unreachable,
        Code::ResourceExhausted => Exit::CannotWrite,
        Code::PermissionDenied | Code::Unauthenticated => Exit::NotAllowed,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => Exit::Failed,
    }
}

fn of_enrolment(error: &EnrolError) -> Exit {
    match error {
        EnrolError::Connect(error) => of_tls(error),
        EnrolError::Unanswered(_) | EnrolError::Busy(_) | EnrolError::NotCoordinator(_) => {
            Exit::Unreachable
        }
        EnrolError::Refused(_) | EnrolError::Expired(_) => Exit::NotAllowed,
        EnrolError::Network { .. }
        | EnrolError::Waiting
        | EnrolError::Otherwise
        | EnrolError::TooOld
        | EnrolError::Answer(_)
        | EnrolError::Certificate(_) => Exit::Failed,
    }
}

fn of_tls(error: &TlsError) -> Exit {
    if let TlsError::Proxy(error) = error {
        // Whatever it says, the coordinator is not reached through it.
        return match error {
            ProxyError::Setting { .. } => Exit::Usage,
            ProxyError::Unreachable { .. }
            | ProxyError::Timeout { .. }
            | ProxyError::Credentials { .. }
            | ProxyError::Refused { .. }
            | ProxyError::Beyond { .. }
            | ProxyError::NoProxy { .. } => Exit::Unreachable,
        };
    }
    if error.is_temporary() {
        Exit::Unreachable
    } else {
        Exit::Failed
    }
}

fn of_folder(error: &FolderError) -> Exit {
    match error {
        FolderError::Io { source, .. } => of_io(source),
        FolderError::Missing(_)
        | FolderError::Exists(_)
        | FolderError::Locked(_)
        | FolderError::Damaged { .. } => Exit::Failed,
        FolderError::Foreign { .. } => Exit::NotAllowed,
    }
}

/// A socket that cannot be made for another reason says it by what the system said.
const fn of_socket(error: &LocalError) -> Option<Exit> {
    match error {
        LocalError::Long(_) => Some(Exit::Usage),
        LocalError::Socket { .. } | LocalError::Transport(_) => None,
    }
}

fn of_store(error: &StoreError) -> Exit {
    if let StoreError::File { source, .. } = error {
        return of_io(source);
    }
    if matches!(error, StoreError::Full) {
        Exit::CannotWrite
    } else {
        Exit::Failed
    }
}

/// What was asked of a file that is there or is not has no number of its own.
fn of_io(error: &io::Error) -> Exit {
    let cannot_write = matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::FileTooLarge
    );
    if cannot_write {
        Exit::CannotWrite
    } else {
        Exit::Failed
    }
}
