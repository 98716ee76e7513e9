//! The list of long work as it outlives the program. It holds counts and titles of pages, and
//! nothing that stands in a record.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Job, JobFile, JobState};
use crate::clock::now_ms;
use crate::folder::{FolderError, create_private, write_private};
use crate::records::Headway;

/// How many are listed; beyond these the oldest go.
const LISTED_MAX: usize = 100;
/// How long a file waits to be taken.
pub(super) const FILE_MS: u64 = 24 * 60 * 60 * 1_000;

#[derive(Serialize, Deserialize)]
struct KeptJob {
    number: u64,
    account: String,
    #[serde(default)]
    role: String,
    title: String,
    begun_ms: u64,
    ended_ms: u64,
    state: JobState,
    sentence: String,
    links: Vec<(String, String)>,
    file: Option<JobFile>,
}

/// What was kept. Work that went on when the program was stopped is lost, and says so.
pub(super) fn read(folder: &Path) -> BTreeMap<u64, Job> {
    let text = std::fs::read(folder.join("list.json")).unwrap_or_default();
    let kept = serde_json::from_slice::<Vec<KeptJob>>(&text).unwrap_or_default();
    let mut jobs = BTreeMap::new();
    for it in kept {
        let mut job = Job {
            account: it.account,
            role: it.role,
            title: it.title,
            begun_ms: it.begun_ms,
            ended_ms: it.ended_ms,
            state: it.state,
            headway: Headway::default(),
            sentence: it.sentence,
            lines: Vec::new(),
            links: it.links,
            file: it.file,
            on_its_way: false,
        };
        if !job.state.has_ended() {
            job.state = JobState::Lost;
            job.ended_ms = now_ms();
            job.sentence = "The program was stopped while this went on. What was done until then \
                            stays; begin it again for the rest, nothing is done twice."
                .to_owned();
            job.file = None;
        }
        jobs.insert(it.number, job);
    }
    clear(folder, &mut jobs);
    jobs
}

/// Keeps the list.
pub(super) fn write(folder: &Path, jobs: &mut BTreeMap<u64, Job>) -> Result<(), FolderError> {
    while jobs.len() > LISTED_MAX {
        let oldest = jobs.iter().find(|(_, job)| job.state.has_ended());
        let Some(oldest) = oldest.map(|(number, _)| *number) else {
            break;
        };
        jobs.remove(&oldest);
    }
    if !folder.exists() {
        create_private(folder)?;
    }
    let kept = jobs.iter().map(|(number, job)| KeptJob {
        number: *number,
        account: job.account.clone(),
        role: job.role.clone(),
        title: job.title.clone(),
        begun_ms: job.begun_ms,
        ended_ms: job.ended_ms,
        state: job.state,
        sentence: job.sentence.clone(),
        links: job.links.clone(),
        file: job.file.clone().filter(|_| !job.on_its_way),
    });
    let text = serde_json::json!(kept.collect::<Vec<_>>()).to_string();
    write_private(&folder.join("list.json"), text.as_bytes())?;
    clear(folder, jobs);
    Ok(())
}

/// Deletes files that nobody took in time, or that belong to nothing.
fn clear(folder: &Path, jobs: &mut BTreeMap<u64, Job>) {
    let now = now_ms();
    for job in jobs.values_mut() {
        if job.file.is_some() && job.ended_ms.saturating_add(FILE_MS) < now {
            job.file = None;
        }
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = |name: &str| name.parse::<u64>().ok();
        if let Some(number) = name.strip_suffix(".folder").map(number) {
            // What an export is made in: gone with it, also where the program was killed.
            let job = number.and_then(|it| jobs.get(&it));
            if job.is_none_or(|job| job.state.has_ended()) {
                let _gone = std::fs::remove_dir_all(entry.path());
            }
            continue;
        }
        let Some(number) = name.strip_suffix(".file").map(number) else {
            continue;
        };
        let job = number.and_then(|it| jobs.get(&it));
        if job.is_none_or(|job| job.state.has_ended() && job.file.is_none()) {
            let _gone = std::fs::remove_file(entry.path());
        }
    }
}
