//! Programs that a test or the demo runs as processes of their own.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};

/// Set for a process that must end with the one that started it.
const ATTENDED: &str = "CAUSEWAY_ATTENDED";

/// A running process, which is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Apart from the child, since waiting for that would close it, and end the process at once.
    _attended: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; all that it says is added to the file `log`.
    ///
    /// # Errors
    /// If the log cannot be opened or the program cannot be started.
    pub fn start(mut command: Command, log: &Path) -> io::Result<Self> {
        let out = OpenOptions::new().create(true).append(true).open(log)?;
        command
            .env(ATTENDED, "yes")
            .stdin(Stdio::piped())
            .stdout(out.try_clone()?)
            .stderr(out)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        Ok(Self {
            _attended: child.stdin.take(),
            child,
            log: log.to_owned(),
        })
    }

    /// Kills the process at once (SIGKILL), as a power cut of this one program would.
    ///
    /// # Errors
    /// If the system does not let it be killed.
    pub async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Asks the process to stop (SIGTERM) and waits for at most `grace`.
    ///
    /// # Errors
    /// If it cannot be asked, or has not stopped in time; it is killed then.
    pub async fn stop(mut self, grace: Duration) -> io::Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(rustix::process::Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("the process has no id"))?;
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        tokio::time::timeout(grace, self.child.wait())
            .await
            .map_err(|_| io::Error::other(format!("it had not stopped after {grace:?}")))?
    }

    /// How the process ended, if it has.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// The last lines that the process said, to be shown when it failed.
    pub fn last_words(&self) -> String {
        const LINES: usize = 5;
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines = text.lines().rev().take(LINES).collect::<Vec<_>>();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

/// In a process that [`Process::start`] started: ends it when the one that started it is gone,
/// however that ended. Elsewhere this does nothing.
pub fn end_with_parent() {
    if std::env::var_os(ATTENDED).is_none() {
        return;
    }
    std::thread::spawn(|| {
        // Nothing is ever written to it: it ends when the other end is closed.
        let _bytes = io::stdin().lock().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}
