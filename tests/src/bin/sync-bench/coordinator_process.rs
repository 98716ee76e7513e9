//! The coordinator as a process of its own, so that its memory and its work are its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
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

    /// The most memory that it has had resident, where the system says so.
    pub(crate) fn peak_rss_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    }
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
    node::telemetry::start(&coordinator.config().log).map_err(anyhow::Error::msg)?;
    let serving = coordinator.serve().await?;
    let mut output = std::io::stdout();
    writeln!(output, "localhost:{}", serving.address().port())?;
    output.flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    serving.stop(GRACE).await;
    Ok(())
}
