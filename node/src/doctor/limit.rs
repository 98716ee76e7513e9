//! Work that may hang, and that nobody waits for too long.

use std::path::Path;

use tokio::sync::oneshot;

use super::{Finding, LIMIT};

/// Makes a check that waits for the disk, in a thread of its own: a disk that never answers holds
/// neither this check nor the program's end up.
pub async fn in_time(
    check: &'static str,
    path: &Path,
    work: impl FnOnce(&Path) -> Finding + Send + 'static,
) -> Finding {
    let path = path.to_owned();
    let name = path.display().to_string();
    match apart(move || work(&path)).await {
        Some(finding) => finding,
        None => Finding::fault(
            check,
            format!(
                "{name} did not answer within {} seconds; check the disk, or the network that it is on",
                LIMIT.as_secs()
            ),
        ),
    }
}

/// What `work` gives; none if it takes longer than [`LIMIT`].
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, waits) = oneshot::channel();
    let thread = std::thread::Builder::new().spawn(move || {
        let _nobody_waits = done.send(work());
    });
    thread.ok()?;
    // What the work itself bounds ends a little before.
    let patience = LIMIT + LIMIT / 4;
    tokio::time::timeout(patience, waits).await.ok()?.ok()
}
