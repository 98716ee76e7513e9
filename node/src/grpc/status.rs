//! The one place where a record's error becomes a status.

use node_domain::RecordError;
use node_store::StoreError;
use tonic::Status;

use crate::author::WriteError;
use crate::records::RecordsError;

/// The status that says what `error` says.
pub fn status(error: &RecordsError) -> Status {
    let sentence = error.to_string();
    match error {
        RecordsError::Id { .. }
        | RecordsError::Kind { .. }
        | RecordsError::Space(_)
        | RecordsError::Json(_)
        | RecordsError::Refused(_)
        | RecordsError::Write(WriteError::Run(_) | WriteError::Payload(_)) => {
            Status::invalid_argument(sentence)
        }
        RecordsError::Missing(_) => Status::not_found(sentence),
        RecordsError::Heads | RecordsError::Stale | RecordsError::Shown => {
            Status::aborted(sentence)
        }
        RecordsError::Version { .. } | RecordsError::Agreement(_) | RecordsError::Erase(_) => {
            Status::failed_precondition(sentence)
        }
        RecordsError::Record(error) => match error {
            RecordError::Problems(_) => Status::invalid_argument(sentence),
            RecordError::UnknownKind(_)
            | RecordError::Exists
            | RecordError::Form(_)
            | RecordError::Card(_)
            | RecordError::Edit(_)
            | _ => Status::failed_precondition(sentence),
        },
        RecordsError::Role(_)
        | RecordsError::Write(
            WriteError::NoAccess | WriteError::NodeEnded | WriteError::Refused(_),
        ) => Status::permission_denied(sentence),
        RecordsError::Write(WriteError::Store(error)) | RecordsError::Store(error) => {
            store(error, sentence)
        }
    }
}

pub(super) fn store(error: &StoreError, sentence: String) -> Status {
    if matches!(error, StoreError::Full | StoreError::File { .. }) {
        Status::resource_exhausted(sentence)
    } else {
        Status::unavailable(sentence)
    }
}
