//! Has the disk room, and does it keep what it is given in good time?

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Finding, LIMIT};
use crate::platform;

const MIB: u64 = 1 << 20;
/// Less room than this is too little for a day's work.
const ROOM_MIN: u64 = 64 * MIB;
/// Less than this does not last.
const ROOM_WARNING: u64 = 1024 * MIB;
/// How much is written at once, as a store writes a page.
const PAGE: [u8; 4096] = [0; 4096];
/// How often it is written.
const WRITES: usize = 16;
/// A save that waits this long is felt.
const SLOW: Duration = Duration::from_millis(100);
/// The file that is written, and deleted again.
const TRIAL: &str = "doctor.trial";

/// How much room the disk has on which the data folder is.
pub(super) fn disk_space(data: &Path) -> Finding {
    const CHECK: &str = "disk space";
    let room = match platform::free_bytes(data) {
        Ok(room) => room,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            return Finding::not_checked(CHECK, "this system does not say how full its disks are");
        }
        Err(error) => {
            return Finding::fault(
                CHECK,
                format!("it cannot be told how full the disk is: {error}"),
            );
        }
    };
    let free = format!("{} MiB are free where {} is", room / MIB, data.display());
    if room < ROOM_MIN {
        Finding::fault(CHECK, format!("{free}: the disk is nearly full; make room"))
    } else if room < ROOM_WARNING {
        Finding::warning(
            CHECK,
            format!("{free}, which will not last; make room soon"),
        )
    } else {
        Finding::ok(CHECK, free)
    }
}

/// How long the disk takes until something written is durable, which every save waits for.
pub(super) fn disk_speed(data: &Path) -> Finding {
    const CHECK: &str = "disk speed";
    let path = data.join(TRIAL);
    let tried = try_disk(&path);
    // A trial that is left takes up no more than the next one.
    let _deleted = std::fs::remove_file(&path);
    match tried {
        Ok(wait) if wait > SLOW => Finding::warning(
            CHECK,
            format!(
                "the disk takes {} ms until something is durable, and every save waits for it; put \
                 the data folder on a disk in this computer, best without moving parts",
                wait.as_millis()
            ),
        ),
        Ok(wait) => Finding::ok(
            CHECK,
            format!(
                "what is written is durable after {:.1} ms",
                wait.as_secs_f64() * 1_000.0
            ),
        ),
        Err(error) => Finding::fault(CHECK, in_words(data, &error)),
    }
}

/// The mean wait of a few small writes.
fn try_disk(path: &Path) -> io::Result<Duration> {
    // Whoever may write here may have put a link here, which is not to be followed.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    let mut file: File = options.open(path)?;
    let begun = Instant::now();
    let mut writes = 0;
    while writes < WRITES && begun.elapsed() < LIMIT / 2 {
        file.write_all(&PAGE)?;
        file.sync_data()?;
        writes += 1;
    }
    let writes = u32::try_from(writes).unwrap_or(1).max(1);
    Ok(begun.elapsed() / writes)
}

fn in_words(data: &Path, error: &io::Error) -> String {
    let data = data.display();
    let full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    );
    if full {
        format!(
            "nothing can be written in {data} ({error}): the disk is full, or as much is used as is \
             allowed; make room"
        )
    } else {
        format!("nothing can be written in {data}: {error}; check the disk and who may write there")
    }
}
