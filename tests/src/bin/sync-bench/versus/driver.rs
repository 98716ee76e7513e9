//! The programs that drive the peers: building them, and asking them for answers.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::coordinator_process::peak_rss_kib;
use crate::versus::task::System;

/// Fetching and building a peer may take this long.
const BUILD_LIMIT: Duration = Duration::from_secs(900);
/// What the driver of automerge-repo is made of.
const SCRIPT: [&str; 3] = ["package.json", "package-lock.json", "peer.mjs"];

/// The peers' drivers, or why there is none.
pub(crate) type Built = Vec<(System, Result<Driver, String>)>;

/// A program that drives a peer.
#[derive(Debug)]
pub(crate) struct Driver {
    program: PathBuf,
    script: Option<PathBuf>,
    /// What was measured, with its version.
    pub(crate) version: String,
    /// How many documents are asked for at once.
    pub(crate) at_once: usize,
}

/// A driver that carries out a command. It is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    /// How far it said it was.
    progress: Option<String>,
}

/// Builds the drivers of these systems below Cargo's target folder.
pub(crate) async fn build_all(systems: &[System], target: &Path) -> Built {
    let mut built = Vec::new();
    for system in systems {
        let driver = match system {
            System::Causeway => continue,
            System::Samod => build_samod(target).await,
            System::AutomergeRepo => build_automerge_repo(target).await,
        };
        let driver = driver.map_err(|error| format!("cannot be built here: {error:#}"));
        built.push((*system, driver));
    }
    built
}

async fn build_samod(target: &Path) -> anyhow::Result<Driver> {
    let source = sources().join("samod");
    let target = target.join("peers/samod");
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--manifest-path",
        ])
        .arg(source.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    run(&mut cargo).await?;
    let lock = fs::read_to_string(source.join("Cargo.lock"))?;
    let (_, after) = lock
        .split_once("name = \"samod\"\nversion = \"")
        .context("its lockfile does not name samod")?;
    let version = after.split('"').next().unwrap_or_default();
    Ok(Driver {
        program: target.join("release/peer-samod"),
        script: None,
        version: format!("samod {version}"),
        at_once: usize::MAX,
    })
}

async fn build_automerge_repo(target: &Path) -> anyhow::Result<Driver> {
    let source = sources().join("automerge-repo");
    let folder = target.join("peers/automerge-repo");
    fs::create_dir_all(&folder)?;
    let lock = fs::read(source.join("package-lock.json"))?;
    let installed = folder.join("node_modules/.package-lock.json").exists()
        && fs::read(folder.join("package-lock.json")).is_ok_and(|old| old == lock);
    for name in SCRIPT {
        fs::copy(source.join(name), folder.join(name))?;
    }
    if !installed {
        let mut npm = Command::new("npm");
        // Of the versions in the lock file; `ci` gives up where a registry lacks an optional package.
        npm.args([
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ])
        .current_dir(&folder);
        run(&mut npm).await?;
    }
    let node = run(Command::new("node").arg("--version")).await?;
    let package = serde_json::from_slice::<Value>(&fs::read(source.join("package.json"))?)?;
    let version = &package["dependencies"]["@automerge/automerge-repo"];
    let version = version
        .as_str()
        .context("its package does not name automerge-repo")?;
    Ok(Driver {
        program: PathBuf::from("node"),
        script: Some(folder.join("peer.mjs")),
        version: format!("automerge-repo {version} on Node {}", node.trim()),
        at_once: 200,
    })
}

/// Where the drivers' sources are.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Runs a program to its end, and returns what it printed.
async fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(BUILD_LIMIT, output)
        .await
        .with_context(|| format!("{name} took more than 15 minutes"))?
        .with_context(|| format!("{name} cannot be started"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    ensure!(
        output.status.success(),
        "{name} failed: {}",
        last.unwrap_or("it said nothing").trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Driver {
    /// Starts a command.
    pub(crate) fn start(&self, arguments: &[&OsStr]) -> anyhow::Result<Running> {
        let mut child = Command::new(&self.program)
            .args(&self.script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        let output = child.stdout.take().context("the driver has no output")?;
        Ok(Running {
            input: child.stdin.take(),
            child,
            output: BufReader::new(output).lines(),
            progress: None,
        })
    }

    /// Carries out a command that answers once and ends.
    pub(crate) async fn ask(&self, arguments: &[&OsStr], limit: Duration) -> anyhow::Result<Value> {
        self.start(arguments)?.answer(limit).await
    }
}

impl Running {
    /// The next answer.
    ///
    /// # Errors
    /// What the peer said when it failed, or how far it was when the time was over.
    pub(crate) async fn answer(&mut self, limit: Duration) -> anyhow::Result<Value> {
        match tokio::time::timeout(limit, self.next()).await {
            Ok(answer) => answer,
            Err(_) => {
                let progress = self.progress.as_ref();
                let progress = progress.map_or_else(String::new, |it| format!(": {it}"));
                bail!("not done in {} s{progress}", limit.as_secs());
            }
        }
    }

    async fn next(&mut self) -> anyhow::Result<Value> {
        while let Some(line) = self.output.next_line().await? {
            let answer = serde_json::from_str::<Value>(&line)
                .with_context(|| format!("it answered {line}"))?;
            if let Some(reason) = answer["failed"].as_str() {
                bail!("{reason}");
            }
            match answer["progress"].as_str() {
                Some(progress) => self.progress = Some(progress.to_owned()),
                None => return Ok(answer),
            }
        }
        let status = self.child.wait().await?;
        bail!("it ended without an answer ({status})");
    }

    /// Lets it end, having been asked to.
    pub(crate) async fn ask_to_end(&mut self) -> anyhow::Result<()> {
        if let Some(mut input) = self.input.take() {
            input.write_all(b"\n").await?;
        }
        Ok(())
    }

    /// Waits until it has ended, and kills it if it does not.
    pub(crate) async fn ended(&mut self, limit: Duration) -> anyhow::Result<()> {
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => {
                status?;
                Ok(())
            }
            Err(_) => self.kill().await,
        }
    }

    /// Kills it without a warning.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// The most memory that it has had resident, where the system says so.
    pub(crate) fn peak_rss_kib(&self) -> Option<u64> {
        peak_rss_kib(self.child.id()?)
    }
}
