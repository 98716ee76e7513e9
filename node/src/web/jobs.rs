//! Long work: it goes on while nobody looks, shows how far it is, and can be stopped.

mod kept;
mod page;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, watch};

use super::{PageError, Visit};
use crate::accounts::AccountId;
use crate::clock::now_ms;
use crate::records::Headway;

pub(super) use page::routes;

/// How many run at once; others wait for their turn.
const AT_ONCE: usize = 2;
/// How many of one account may wait or run.
const EACH_MAX: usize = 4;

/// All long work of a node's pages. All clones are one.
#[derive(Debug, Clone)]
pub struct Jobs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    jobs: Mutex<BTreeMap<u64, Job>>,
    turns: Arc<Semaphore>,
    changed: watch::Sender<u64>,
}

/// One piece of long work.
#[derive(Debug, Clone)]
struct Job {
    account: String,
    /// The role in which it was begun: its file is for that role alone.
    role: String,
    title: String,
    begun_ms: u64,
    ended_ms: u64,
    state: JobState,
    headway: Headway,
    sentence: String,
    lines: Vec<String>,
    links: Vec<(String, String)>,
    file: Option<JobFile>,
    /// Whether the file is on its way to somebody. It is not listed as here any more then, and comes
    /// back if the way breaks off.
    on_its_way: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum JobState {
    Waiting,
    Running,
    Done,
    Stopped,
    Failed,
    Lost,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct JobFile {
    name: String,
    kind: String,
}

/// What the work sees of the job that it is.
#[derive(Debug)]
pub struct JobWork {
    headway: Headway,
    file: PathBuf,
}

/// What came of long work.
#[derive(Debug, Clone, Default)]
pub struct JobDone {
    /// What was done, in a sentence.
    pub sentence: String,
    /// More of it, a line each; these are not kept when the program stops.
    pub lines: Vec<String>,
    /// Where it can be seen: the words of a link and its address.
    pub links: Vec<(String, String)>,
    /// The name and media type of what was written to [`JobWork::file`], to be taken once.
    pub file: Option<(String, String)>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl JobWork {
    /// Where it says how far it is, and hears whether to stop.
    pub const fn headway(&self) -> &Headway {
        &self.headway
    }

    /// Where a file for its owner goes.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl Jobs {
    /// The jobs of a data folder: those that had ended when the program was stopped, and what was
    /// lost then.
    pub(super) fn open(data: &Path) -> Self {
        let folder = data.join("jobs");
        let jobs = kept::read(&folder);
        Self {
            shared: Arc::new(Shared {
                folder,
                jobs: Mutex::new(jobs),
                turns: Arc::new(Semaphore::new(AT_ONCE)),
                changed: watch::channel(0).0,
            }),
        }
    }

    /// Starts long work for whoever asks, and gives the address of its page.
    ///
    /// # Errors
    /// [`PageError`] if they have too much of it going on already.
    pub fn start(
        &self,
        visit: &Visit,
        title: impl Into<String>,
        work: impl FnOnce(&JobWork) -> Result<JobDone, PageError> + Send + 'static,
    ) -> Result<String, PageError> {
        let account = visit.session().account.id.to_string();
        let headway = Headway::watched();
        let number = {
            let mut jobs = self.lock();
            let busy = jobs.values().filter(|job| job.account == account);
            if busy.filter(|job| !job.state.has_ended()).count() >= EACH_MAX {
                return Err(PageError::wrong(
                    "Four pieces of work of yours are going on already. Wait until one has ended, \
                     or stop one.",
                ));
            }
            let number = jobs.last_key_value().map_or(1, |(last, _)| last + 1);
            let job = Job {
                account,
                role: visit.desk().role().name.to_owned(),
                title: title.into(),
                begun_ms: now_ms(),
                ended_ms: 0,
                state: JobState::Waiting,
                headway: headway.clone(),
                sentence: String::new(),
                lines: Vec::new(),
                links: Vec::new(),
                file: None,
                on_its_way: false,
            };
            jobs.insert(number, job);
            self.shared.keep(&mut jobs);
            number
        };
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let _turn = Arc::clone(&shared.turns).acquire_owned().await;
            let told = Arc::clone(&shared);
            let done = tokio::task::spawn_blocking(move || {
                if headway.is_stopped() {
                    return Ok(JobDone {
                        sentence: "It was stopped before it began; nothing was done.".to_owned(),
                        stopped: true,
                        ..JobDone::default()
                    });
                }
                told.change(number, |job| job.state = JobState::Running);
                let file = told.file(number);
                work(&JobWork { headway, file })
            });
            let done = done.await;
            shared.end(number, done.ok());
        });
        Ok(format!("/jobs/{number}"))
    }

    /// Asks all of it to stop at its next safe step.
    pub(super) fn stop_all(&self) {
        for job in self.lock().values().filter(|job| !job.state.has_ended()) {
            job.headway.stop();
        }
    }

    /// Waits until none of it is going on.
    pub(super) async fn all_ended(&self) {
        let mut changed = self.shared.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if self.lock().values().all(|job| job.state.has_ended()) {
                return;
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Those of an account, the newest first.
    fn of(&self, account: AccountId) -> Vec<(u64, Job)> {
        let account = account.to_string();
        let jobs = self.lock();
        let own = jobs.iter().filter(|(_, job)| job.account == account);
        let mut own = own
            .map(|(number, job)| (*number, job.clone()))
            .collect::<Vec<_>>();
        own.reverse();
        own
    }

    fn find(&self, account: AccountId, number: u64) -> Option<Job> {
        let job = self.lock().get(&number).cloned();
        job.filter(|job| job.account == account.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Job>> {
        self.shared.lock()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.file"))
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Job)) {
        let mut jobs = self.lock();
        if let Some(job) = jobs.get_mut(&number) {
            change(job);
        }
        self.keep(&mut jobs);
        drop(jobs);
        self.changed.send_modify(|count| *count += 1);
    }

    /// Deletes a file that somebody has whole. The list says so since it was begun to be taken.
    fn given_out(&self, number: u64) {
        let mut jobs = self.lock();
        if let Some(job) = jobs.get_mut(&number) {
            (job.file, job.on_its_way) = (None, false);
        }
        let _gone = std::fs::remove_file(self.file(number));
    }

    fn end(&self, number: u64, done: Option<Result<JobDone, PageError>>) {
        let path = self.file(number);
        self.change(number, |job| {
            job.ended_ms = now_ms();
            match done {
                Some(Ok(done)) => {
                    job.state = if done.stopped {
                        JobState::Stopped
                    } else {
                        JobState::Done
                    };
                    job.sentence = done.sentence;
                    job.lines = done.lines;
                    job.links = done.links;
                    job.file = done.file.map(|(name, kind)| JobFile { name, kind });
                }
                Some(Err(error)) => {
                    job.state = if job.headway.is_stopped() {
                        JobState::Stopped
                    } else {
                        JobState::Failed
                    };
                    job.sentence = super::words::capital(error.sentence());
                }
                None => {
                    job.state = JobState::Failed;
                    job.sentence = "Something went wrong here. The program's log says why; tell \
                                    whoever looks after this computer."
                        .to_owned();
                }
            }
            if job.file.is_none() {
                let _gone = std::fs::remove_file(&path);
            }
        });
    }

    fn keep(&self, jobs: &mut BTreeMap<u64, Job>) {
        if let Err(error) = kept::write(&self.folder, jobs) {
            tracing::warn!(%error, "the list of long work could not be kept");
        }
    }
}

impl JobState {
    const fn has_ended(self) -> bool {
        match self {
            Self::Waiting | Self::Running => false,
            Self::Done | Self::Stopped | Self::Failed | Self::Lost => true,
        }
    }
}
