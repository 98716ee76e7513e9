//! Both programs as processes of their own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use node::folder::DataFolder;
use tokio::process::Child;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A program with these words, on a data folder, in an environment that chooses nothing for it.
pub(crate) fn command(program: &str, data: &Path, words: &[&str]) -> Command {
    let mut command = bare(program, words);
    command.arg("--data").arg(data);
    command
}

/// The same without a data folder.
pub(crate) fn bare(program: &str, words: &[&str]) -> Command {
    // The demo is both programs, so that Cargo builds one more binary and not two.
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-demo"));
    command.arg(program).args(words).stdin(Stdio::null());
    for name in [
        "CAUSEWAY_DATA",
        "HTTPS_PROXY",
        "https_proxy",
        "NOTIFY_SOCKET",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end: its code, and all that it said.
pub(crate) fn run(mut command: Command) -> (Option<i32>, String) {
    let output = loop {
        match command.output() {
            // A process that another test has just made holds a program's copy open for a moment.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::yield_now();
            }
            output => break output.expect("it runs"),
        }
    };
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.code(), said)
}

/// Runs a command that has to succeed.
pub(crate) fn done(command: Command) -> String {
    let (code, said) = run(command);
    assert_eq!(code, Some(0), "{said}");
    said
}

/// A program that serves.
pub(crate) struct Serving {
    child: Child,
}

impl Serving {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        let child = command.kill_on_drop(true).spawn().expect("it starts");
        Self { child }
    }

    /// Starts it, and waits until it is ready.
    pub(crate) async fn ready(program: &str, data: &Path) -> Self {
        let serving = Self::start(command(program, data, &["serve"]));
        let begun = Instant::now();
        loop {
            let (program, data) = (program.to_owned(), data.to_owned());
            let asked = move || run(command(&program, &data, &["ready"]));
            let asked = tokio::task::spawn_blocking(asked).await.expect("asked");
            if asked.0 == Some(0) {
                return serving;
            }
            assert!(begun.elapsed() < PATIENCE, "it is never ready: {asked:?}");
        }
    }

    /// Sends it a signal, as a supervisor or a terminal does.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.expect("it runs"), signal).expect("it is told");
    }

    /// Asks it to stop, as a supervisor does.
    pub(crate) fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Waits until its log says this.
    pub(crate) async fn says(&mut self, words: &str) {
        use tokio::io::AsyncReadExt as _;
        let log = self.child.stderr.as_mut().expect("its log");
        let mut said = Vec::new();
        while !String::from_utf8_lossy(&said).contains(words) {
            let mut byte = [0];
            let read = tokio::time::timeout(PATIENCE, log.read_exact(&mut byte)).await;
            let read = read.expect("it says it in time");
            read.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said)));
            said.push(byte[0]);
        }
    }

    /// Waits until it has ended: its code, and what was not read of its log.
    pub(crate) async fn ended(self) -> (Option<i32>, String) {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait_with_output()).await;
        let output = ended.expect("it ends").expect("its end");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), log)
    }
}

/// An address that nobody uses now.
pub(crate) fn free_address() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    free.expect("a free port")
}

/// Settings in a data folder that may not be there yet.
pub(crate) fn settings(data: &Path, text: &str) {
    std::fs::create_dir_all(data).expect("a folder");
    std::fs::write(DataFolder::config(data), text).expect("settings");
}

/// A pipe, in which nothing is until somebody writes to it.
pub(crate) fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo runs").success());
}
