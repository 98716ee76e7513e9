//! Checks of the whole store, as a stream that tells how far they have come.

use std::time::{Duration, Instant};

use proto::hub::v1::{VerifyOutcome, VerifyResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::Node;
use crate::grpc::status::store;
use crate::verify::{Progress, Verified, VerifyError};

/// How often it is told how far a check has come, at most.
const TOLD_EVERY: Duration = Duration::from_millis(200);
/// How many messages may wait for a reader who is slow.
const WAITING_MAX: usize = 16;

pub(super) type Told = ReceiverStream<Result<VerifyResponse, Status>>;

/// Begins a check, which ends early once nobody listens any more.
pub(super) fn verify(node: Node) -> Told {
    let (told, listens) = mpsc::channel(WAITING_MAX);
    tokio::task::spawn_blocking(move || {
        let mut last = None::<(Progress, Instant)>;
        let checked = node.verify(|progress| {
            let is_due = last.is_none_or(|(before, at)| {
                before.part != progress.part || at.elapsed() >= TOLD_EVERY
            });
            if is_due {
                last = Some((progress, Instant::now()));
                told.blocking_send(Ok(response(progress, None))).is_ok()
            } else {
                !told.is_closed()
            }
        });
        let outcome = match checked {
            Ok(found) => Ok(outcome(found, String::new())),
            Err(VerifyError::Wrong(wrong)) => Ok(outcome(Verified::default(), wrong.to_string())),
            Err(VerifyError::Store(error)) if error.is_damage() => {
                Ok(outcome(Verified::default(), error.to_string()))
            }
            Err(VerifyError::Store(error)) => Err(store(&error, error.to_string())),
            Err(VerifyError::BrokenOff) => return,
        };
        let message = outcome.map(|outcome| match last {
            Some((progress, _)) => response(progress, Some(outcome)),
            None => VerifyResponse {
                outcome: Some(outcome),
                ..VerifyResponse::default()
            },
        });
        let _gone = told.blocking_send(message);
    });
    ReceiverStream::new(listens)
}

fn response(progress: Progress, outcome: Option<VerifyOutcome>) -> VerifyResponse {
    VerifyResponse {
        part: progress.part.name().to_owned(),
        done: progress.done,
        of: progress.of,
        outcome,
    }
}

fn outcome(found: Verified, wrong: String) -> VerifyOutcome {
    VerifyOutcome {
        wrong,
        spaces: found.spaces,
        feeds: found.feeds,
        entries: found.entries,
        records: found.records,
        evidence: found.evidence,
    }
}
