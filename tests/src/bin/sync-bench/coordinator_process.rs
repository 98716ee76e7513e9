//! The coordinator as a process of its own, so that its memory and its work are its own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use coordinator::Coordinator;
use node::tls::Address;

const GRACE: Duration = Duration::from_secs(5);

/// A coordinator's process. It ends when this is dropped.
pub(crate) struct CoordinatorProcess {
    child: Child,
    address: Address,
}

/// The processor's time that each thread has taken, in nanoseconds, with its name.
pub(crate) struct ThreadTimes(BTreeMap<PathBuf, (String, u64)>);

impl ThreadTimes {
    /// What threads took since `before`: those of this name, or all others.
    pub(crate) fn since(&self, before: &Self, name: &str, is_it: bool) -> Duration {
        let times = self.0.iter().filter(|(_, (of, _))| (of == name) == is_it);
        let nanos = times.map(|(thread, (_, now))| {
            let then = before.0.get(thread).map_or(0, |(_, then)| *then);
            now.saturating_sub(then)
        });
        Duration::from_nanos(nanos.sum())
    }
}

impl CoordinatorProcess {
    /// Starts this program again to serve `folder`, and waits until hubs may connect.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("coordinate")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the coordinator's process cannot be started")?;
        let output = child
            .stdout
            .take()
            .context("the coordinator's process has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line
            .trim()
            .parse()
            .context("the coordinator did not say its address")?;
        Ok(Self { child, address })
    }

    /// Where it is reached.
    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// The processor's time that each of its threads has taken.
    pub(crate) fn cpu(&self) -> anyhow::Result<ThreadTimes> {
        let mut times = BTreeMap::new();
        for entry in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let path = entry?.path();
            // A thread may end while it is looked at.
            if let Ok(name) = std::fs::read_to_string(path.join("comm"))
                && let Ok(line) = std::fs::read_to_string(path.join("schedstat"))
            {
                let first = line.split_whitespace().next();
                let nanos = first.context("no time is said")?.parse::<u64>()?;
                times.insert(path, (name.trim().to_owned(), nanos));
            }
        }
        Ok(ThreadTimes(times))
    }

    /// The most memory that it has had resident, where the system says so.
    pub(crate) fn peak_rss_kib(&self) -> Option<u64> {
        peak_rss_kib(self.child.id())
    }

    /// The memory that it has resident now, where the system says so.
    pub(crate) fn rss_kib(&self) -> Option<u64> {
        memory_kib(self.child.id(), "VmRSS:")
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

/// The most memory that a process has had resident, where the system says so.
pub(crate) fn peak_rss_kib(process: u32) -> Option<u64> {
    memory_kib(process, "VmHWM:")
}

fn memory_kib(process: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

impl Drop for CoordinatorProcess {
    fn drop(&mut self) {
        // The end of its input is what stops it.
        drop(self.child.stdin.take());
        if self.child.wait().is_err() {
            // It is gone in any case when this process ends: its input ends then too.
            let _killed = self.child.kill();
        }
    }
}

/// Serves `folder`, says where on standard output, and stops when standard input ends.
pub(crate) async fn serve(folder: &Path) -> anyhow::Result<()> {
    let coordinator = Coordinator::open(folder)?;
    let config = coordinator.config();
    let _no_traces = node::telemetry::start(&config.log, &config.telemetry, "sync-bench")
        .map_err(anyhow::Error::msg)?;
    let serving = coordinator.serve().await?;
    let mut output = std::io::stdout();
    writeln!(output, "localhost:{}", serving.address().port())?;
    output.flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    serving.stop(GRACE).await;
    Ok(())
}
