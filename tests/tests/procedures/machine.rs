//! A computer at which somebody types commands.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use node::folder::DataFolder;
use serde_json::Value;
use tests::process::Process;
use tokio::process::Command;

/// How long a command may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(120);
const GRACE: Duration = Duration::from_secs(30);

/// A computer with both programs, and one of them perhaps running.
pub(crate) struct Machine {
    folder: PathBuf,
    tools: PathBuf,
    /// Below its folder, the data folder of the program that it is for.
    data: PathBuf,
    running: Option<(Process, PathBuf)>,
    started: usize,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// What it said, on both streams.
    pub(crate) said: String,
    out: String,
}

impl Machine {
    /// A computer whose files lie in `folder`, with these settings where its program looks first.
    pub(crate) fn new(folder: PathBuf, data: &str, settings: &str) -> Self {
        let tools = folder.join("tools");
        std::fs::create_dir_all(&tools).expect("a folder");
        // The demo is both programs, so that Cargo builds one more binary and not two.
        let demo = env!("CARGO_BIN_EXE_causeway-demo");
        for (name, part) in [
            ("causeway-node", "node"),
            ("causeway-coordinator", "coordinator"),
        ] {
            let file = tools.join(name);
            let text = format!("#!/bin/sh\nexec '{demo}' {part} \"$@\"\n");
            std::fs::write(&file, text).expect("a program");
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&file, mode).expect("a program");
        }
        let data = folder.join(data);
        std::fs::create_dir_all(&data).expect("a folder");
        std::fs::write(DataFolder::config(&data), settings).expect("settings");
        Self {
            folder,
            tools,
            data,
            running: None,
            started: 0,
        }
    }

    /// Where a file of this computer is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Adds to the settings.
    pub(crate) fn set(&self, more: &str) {
        let file = DataFolder::config(&self.data);
        let settings = std::fs::read_to_string(&file).expect("settings");
        std::fs::write(&file, format!("{settings}{more}")).expect("settings");
    }

    /// Carries a file over from another computer.
    pub(crate) fn bring(&self, from: &Self, name: &str) {
        std::fs::copy(from.path(name), self.path(name)).expect("it is carried over");
    }

    /// Types a command, which must succeed; returns what it said.
    pub(crate) async fn run(&self, command: &str) -> String {
        let ended = self.end(command).await;
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.said);
        ended.said
    }

    /// The same for programs: what it said as JSON.
    pub(crate) async fn json(&self, command: &str) -> Value {
        let command = format!("{command} --json");
        let ended = self.end(&command).await;
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.said);
        serde_json::from_str(&ended.out)
            .unwrap_or_else(|error| panic!("{command}: {error}: {}", ended.said))
    }

    /// Types a command, however it ends.
    pub(crate) async fn end(&self, command: &str) -> Ended {
        let mut shell = self.shell(command);
        shell.stdin(std::process::Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, shell.output()).await;
        let output = output
            .unwrap_or_else(|_| panic!("{command}: it does not end"))
            .expect("a shell");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        Ended {
            code: output.status.code(),
            said: format!("{out}{error}"),
            out,
        }
    }

    /// Types a command that goes on until it is stopped.
    pub(crate) fn start(&mut self, command: &str) {
        self.started += 1;
        let log = self.folder.join(format!("said-{}", self.started));
        let process = Process::start(self.shell(&format!("exec {command}")), &log);
        self.running = Some((process.expect("it starts"), log));
    }

    /// Starts the program that serves, and waits until it answers.
    pub(crate) async fn serve(&mut self, command: &str) {
        self.start(command);
        self.answers().await;
    }

    /// Waits until what runs answers to commands.
    pub(crate) async fn answers(&self) {
        let socket = DataFolder::socket(&self.data);
        for _ in 0..3_000 {
            if node::local::connect(&socket).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it does not answer: {}", self.heard());
    }

    /// Waits until what runs has said this; returns the line.
    pub(crate) async fn says(&mut self, text: &str) -> String {
        for _ in 0..3_000 {
            let heard = self.heard();
            // The last line may be half written.
            let whole = heard.rsplit_once('\n').map_or("", |(whole, _)| whole);
            if let Some(line) = whole.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            let (process, _) = self.running.as_mut().expect("it runs");
            if let Some(status) = process.ended().expect("its state") {
                panic!("it ended with {status} before it said \"{text}\": {heard}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it never said \"{text}\": {}", self.heard());
    }

    /// Asks what runs to stop, as Ctrl-C does, and sees that it does.
    pub(crate) async fn stop(&mut self) {
        let (process, _) = self.running.take().expect("it runs");
        let status = process.stop(GRACE).await.expect("it stops");
        assert!(status.success(), "{status}");
    }

    /// Its disk fails: the program is gone at once, and all files with it.
    pub(crate) async fn lose(mut self) {
        if let Some((process, _)) = self.running.take() {
            process.kill().await.expect("it is killed");
        }
        std::fs::remove_dir_all(&self.folder).expect("all is gone");
    }

    /// Waits until the node holds everything that it shares, and nothing of its own waits.
    pub(crate) async fn in_sync(&self) {
        for _ in 0..1_500 {
            let status = self.json("causeway-node status").await;
            if status["in_sync"] == true && status["not_sent"] == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        panic!("it waits: {}", self.run("causeway-node status").await);
    }

    /// Waits until a command says this.
    pub(crate) async fn until_said(&self, command: &str, text: &str) -> String {
        for _ in 0..1_500 {
            let ended = self.end(command).await;
            if ended.said.contains(text) {
                return ended.said;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        panic!(
            "{command} never said \"{text}\": {}",
            self.end(command).await.said
        );
    }

    /// Waits until a command does not say this any more.
    pub(crate) async fn until_not_said(&self, command: &str, text: &str) {
        for _ in 0..1_500 {
            if !self.run(command).await.contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        panic!("{command} still says \"{text}\"");
    }

    fn heard(&self) -> String {
        let log = self.running.as_ref().map(|(_, log)| log);
        log.and_then(|log| std::fs::read_to_string(log).ok())
            .unwrap_or_default()
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        let path = std::env::var("PATH").unwrap_or_default();
        shell
            .args(["-c", command])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", self.tools.display()))
            // What stands on the computer that runs the tests is nobody's here.
            .env("HOME", &self.folder)
            .env_remove("XDG_DATA_HOME")
            .env_remove("CAUSEWAY_DATA");
        for name in ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            shell.env_remove(name).env_remove(name.to_lowercase());
        }
        shell
    }
}

/// A command of the manual with what stands there for something else filled in.
pub(crate) fn filled(command: &str, words: &[(&str, &str)]) -> String {
    words
        .iter()
        .fold(command.to_owned(), |command, (word, is)| {
            assert!(command.contains(word), "\"{command}\" does not say {word}");
            command.replace(word, is)
        })
}
