//! A peer carries out the tasks, by way of its driver.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tests::folders::copy;

use crate::figures::percentile;
use crate::versus::driver::{Driver, Running};
use crate::versus::figure::Figure;
use crate::versus::task::Task;
use crate::versus::workload::{NewChanges, Workload, fresh};

/// Ending in peace may take this long.
const GRACE: Duration = Duration::from_secs(20);
/// No further run is begun after this long.
const RUNS_LIMIT: Duration = Duration::from_secs(30);

/// Where both peers keep what names a folder.
const FOLDER_NAME: &str = "st/orage-adapter-id";

/// Where a peer holds the documents of a workload.
pub(crate) struct Site<'a> {
    driver: &'a Driver,
    folder: PathBuf,
    documents: PathBuf,
    /// How many changes everyone holds by now.
    changes: usize,
    /// A server that stays up, as servers do, and the folder of a client that has met it.
    met: Option<(Server, PathBuf)>,
}

/// A server's process, with what it serves.
struct Server {
    running: Running,
    port: String,
    folder: PathBuf,
    /// The documents' ids, as this peer gave them.
    ids: PathBuf,
}

/// What a client found on connecting.
struct Met {
    wall_ms: f64,
    bytes: f64,
}

impl<'a> Site<'a> {
    /// Nothing is done yet.
    pub(crate) fn new(driver: &'a Driver, name: &str, workload: &Workload) -> Self {
        Self {
            driver,
            folder: workload.folder().join(name),
            documents: workload.file(),
            changes: workload.changes(),
            met: None,
        }
    }

    /// Carries out a task.
    pub(crate) async fn measure(
        &mut self,
        task: Task,
        changes: &NewChanges,
        limit: Duration,
    ) -> anyhow::Result<Vec<(Figure, f64)>> {
        match task {
            Task::FirstCopy { .. } => self.first_copy(task.runs(), limit).await,
            Task::Reconnect { .. } => self.reconnect(task.runs(), changes, limit).await,
            Task::FanOut { readers, rate, .. } => self.fan_out(readers, rate, changes, limit).await,
            Task::Killed { .. } => self.killed(changes, limit).await,
        }
    }

    async fn first_copy(
        &mut self,
        runs: usize,
        limit: Duration,
    ) -> anyhow::Result<Vec<(Figure, f64)>> {
        let server = self.serve("server", limit).await?;
        let (mut all, begun) = (Vec::new(), Instant::now());
        let mut client = PathBuf::new();
        while all.is_empty() || all.len() < runs && begun.elapsed() < RUNS_LIMIT {
            client = self.folder.join(format!("client-{}", all.len()));
            fresh(&client)?;
            let (met, mut running) = self.sync(&server, &client, None, limit).await?;
            self.has_all(&mut running, self.changes, limit).await?;
            all.push(met);
        }
        let figures = summary(&all, &server);
        self.met = Some((server, client));
        Ok(figures)
    }

    async fn reconnect(
        &mut self,
        runs: usize,
        changes: &NewChanges,
        limit: Duration,
    ) -> anyhow::Result<Vec<(Figure, f64)>> {
        let (server, client, copied) = match self.met.take() {
            Some((server, client)) => (server, client, false),
            None => {
                let (server, client) = self.copied(limit).await?;
                (server, client, true)
            }
        };
        let (mut all, begun) = (Vec::new(), Instant::now());
        while all.is_empty() || all.len() < runs && begun.elapsed() < RUNS_LIMIT {
            let new = changes.files.get(all.len()).map(PathBuf::as_path);
            let (met, mut running) = self.sync(&server, &client, new, limit).await?;
            self.changes += changes.each;
            self.has_all(&mut running, self.changes, limit).await?;
            all.push(met);
        }
        let mut figures = summary(&all, &server);
        if copied {
            figures.push((Figure::Copied, 1.0));
        }
        self.met = Some((server, client));
        Ok(figures)
    }

    async fn fan_out(
        &mut self,
        readers: usize,
        rate: u32,
        changes: &NewChanges,
        limit: Duration,
    ) -> anyhow::Result<Vec<(Figure, f64)>> {
        let server = self.serve("fan-out", limit).await?;
        let client = self.folder.join("crowd");
        fresh(&client)?;
        let edits = changes.files.first().context("there are no edits")?;
        let (readers, rate) = (readers.to_string(), rate.to_string());
        let mut running = self.driver.start(&[
            "fanout".as_ref(),
            client.as_os_str(),
            server.port.as_ref(),
            server.ids.as_os_str(),
            edits.as_os_str(),
            readers.as_ref(),
            rate.as_ref(),
        ])?;
        let answer = running.answer(limit).await?;
        let delays = answer["delays_ms"]
            .as_array()
            .context("it gave no delays")?;
        // In microseconds, which can be put into an order.
        let micros = |value: &Value| value.as_f64().map(|ms| Duration::from_secs_f64(ms / 1e3));
        let delays = delays.iter().filter_map(micros).collect::<Vec<_>>();
        ensure!(
            delays.len() == changes.each,
            "{} edits of {} arrived",
            delays.len(),
            changes.each
        );
        let mut figures = Vec::new();
        for (figure, percent) in [(Figure::P50, 50), (Figure::P99, 99)] {
            let delay = percentile(&delays, percent).context("nothing arrived")?;
            figures.push((figure, delay.as_secs_f64() * 1e3));
        }
        let wall_ms = number(&answer, "wall_ms")?;
        figures.push((Figure::PerSecond, float(changes.each) * 1e3 / wall_ms));
        figures.extend(memory(&server));
        Ok(figures)
    }

    async fn killed(
        &mut self,
        changes: &NewChanges,
        limit: Duration,
    ) -> anyhow::Result<Vec<(Figure, f64)>> {
        let (mut acknowledged, mut kept) = (0, 0.0);
        for file in &changes.files {
            let mut server = self.serve("killed", limit).await?;
            let client = self.folder.join("client");
            fresh(&client)?;
            let (_, mut running) = self.sync(&server, &client, None, limit).await?;
            self.has_all(&mut running, self.changes, limit).await?;
            // What is said of the new changes is said once the server has acknowledged them.
            let (_, running) = self.sync(&server, &client, Some(file), limit).await?;
            server.running.kill().await?;
            drop(running);
            let arguments = ["held".as_ref(), &*server.folder, &*server.ids];
            let held = self
                .driver
                .ask(&arguments.map(Path::as_os_str), limit)
                .await?;
            kept += number(&held, "changes")? - float(self.changes);
            acknowledged += changes.each;
        }
        Ok(vec![
            (Figure::Acknowledged, float(acknowledged)),
            (Figure::Kept, kept),
            (Figure::Runs, float(changes.files.len())),
        ])
    }

    /// Fills a folder with the documents, and serves it.
    async fn serve(&self, name: &str, limit: Duration) -> anyhow::Result<Server> {
        let folder = self.folder.join(name);
        fresh(&folder)?;
        let ids = self.folder.join(format!("{name}-ids"));
        let arguments = ["seed".as_ref(), &*folder, &*self.documents, &*ids];
        let seeded = self
            .driver
            .ask(&arguments.map(Path::as_os_str), limit)
            .await;
        seeded.context("filling the server")?;
        let mut running = self.driver.start(&["serve".as_ref(), folder.as_os_str()])?;
        let port = running.answer(limit).await.context("starting the server")?;
        Ok(Server {
            running,
            port: number(&port, "port")?.to_string(),
            folder,
            ids,
        })
    }

    /// A server, and a client that got its documents by a copy of the server's folder: what is left
    /// when a first copy fails. They have not met, and are told apart by what names a folder.
    async fn copied(&self, limit: Duration) -> anyhow::Result<(Server, PathBuf)> {
        let server = self.serve("copied-server", limit).await?;
        let client = self.folder.join("copied-client");
        fresh(&client)?;
        copy(&server.folder, &client)?;
        let name = client.join(FOLDER_NAME);
        if name.exists() {
            std::fs::remove_file(name)?;
        }
        Ok((server, client))
    }

    /// Has a client connect, and returns it when it and the server are equal.
    async fn sync(
        &self,
        server: &Server,
        client: &Path,
        changes: Option<&Path>,
        limit: Duration,
    ) -> anyhow::Result<(Met, Running)> {
        let at_once = self.driver.at_once.to_string();
        let mut arguments: Vec<&OsStr> = vec![
            "sync".as_ref(),
            client.as_os_str(),
            server.port.as_ref(),
            server.ids.as_os_str(),
            at_once.as_ref(),
        ];
        arguments.extend(changes.map(Path::as_os_str));
        let mut running = self.driver.start(&arguments)?;
        let answer = running.answer(limit).await?;
        let met = Met {
            wall_ms: number(&answer, "wall_ms")?,
            bytes: number(&answer, "bytes_sent")? + number(&answer, "bytes_received")?,
        };
        Ok((met, running))
    }

    /// Lets a client end, and checks that it holds what it should.
    async fn has_all(
        &self,
        running: &mut Running,
        changes: usize,
        limit: Duration,
    ) -> anyhow::Result<()> {
        running.ask_to_end().await?;
        let held = number(&running.answer(limit).await?, "changes")?;
        ensure!(
            held == float(changes),
            "it says that all are equal, and holds {held} changes of {changes}"
        );
        running.ended(GRACE).await
    }
}

fn summary(all: &[Met], server: &Server) -> Vec<(Figure, f64)> {
    let mut walls = all.iter().map(|met| met.wall_ms).collect::<Vec<_>>();
    walls.sort_by(f64::total_cmp);
    let median = walls.get(walls.len().div_ceil(2).saturating_sub(1));
    let mut figures = Vec::new();
    figures.extend(median.map(|wall| (Figure::Wall, *wall)));
    let bytes = all.iter().map(|met| met.bytes).fold(0.0, f64::max);
    figures.push((Figure::Bytes, bytes));
    figures.extend(memory(server));
    figures.push((Figure::Runs, float(all.len())));
    figures
}

fn memory(server: &Server) -> Option<(Figure, f64)> {
    Some((Figure::Memory, server.running.peak_rss_kib()? as f64))
}

fn number(answer: &Value, name: &str) -> anyhow::Result<f64> {
    let number = answer[name].as_f64();
    number.with_context(|| format!("the driver did not say {name}"))
}

/// Counts here are far below where that would lose anything.
fn float(count: usize) -> f64 {
    count as f64
}
