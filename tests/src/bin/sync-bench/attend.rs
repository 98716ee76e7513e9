//! A hub's node as a process of its own, which does what it is told line by line.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use data_encoding::BASE64;
use node::Node;
use node::clock::now_ms;
use node_document::{ChangesEntry, Document, EditError};
use node_feed::{DocumentId, Entry, FeedName, Hash, Kind, Nonce, SpaceId, Writers};
use serde::{Deserialize, Serialize};

use crate::coordinator_process::peak_rss_kib;
use crate::founding::{PATIENCE, in_sync, is_admitted};

const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked whether all has come.
const LOOK: Duration = Duration::from_millis(10);

/// What a hub is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// To write so many records in each space, each made and then changed.
    Write(BTreeMap<String, u64>),
    /// To talk to nobody.
    Part,
    /// To connect after so many milliseconds, and to wait until it holds so many entries of each
    /// space and knows that the coordinator holds the same.
    Meet(u64, BTreeMap<String, u64>),
    /// To turn all that it holds into documents.
    Apply,
}

/// What a hub answers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The entries of its own feed in each space in which it wrote.
    pub(crate) held: BTreeMap<String, u64>,
    /// Bytes of TLS plaintext of the session, both ways, and of the messages in it.
    pub(crate) bytes: u64,
    pub(crate) message_bytes: u64,
}

/// A hub's process. It ends when this is dropped.
pub(crate) struct Hub {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Hub {
    /// Starts this program again to run the node in `folder`.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("attend")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a hub's process cannot be started")?;
        let answers = child.stdout.take().context("a hub has no output")?;
        Ok(Self {
            orders: child.stdin.take(),
            answers: BufReader::new(answers),
            child,
        })
    }

    /// Says what to do, and does not wait for it.
    pub(crate) fn order(&mut self, order: &Order) -> anyhow::Result<()> {
        let orders = self.orders.as_mut().context("the hub has no input")?;
        writeln!(orders, "{}", serde_json::to_string(order)?)?;
        Ok(orders.flush()?)
    }

    /// Waits until what it was told is done.
    pub(crate) fn answer(&mut self) -> anyhow::Result<Answer> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).context("a hub's process ended early")
    }

    /// The most memory that it has had resident, where the system says so.
    pub(crate) fn peak_rss_kib(&self) -> Option<u64> {
        peak_rss_kib(self.child.id())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // The end of its input is what stops it.
        drop(self.orders.take());
        if self.child.wait().is_err() {
            // It is gone in any case when this process ends: its input ends then too.
            let _killed = self.child.kill();
        }
    }
}

/// Runs the node in `folder` until standard input ends.
pub(crate) async fn serve(folder: &Path) -> anyhow::Result<()> {
    let node = Node::open(folder)?;
    let running = node.start();
    loop {
        let mut line = String::new();
        let read = tokio::task::block_in_place(|| std::io::stdin().read_line(&mut line))?;
        if read == 0 {
            break;
        }
        let answer = obey(&node, serde_json::from_str(&line)?).await?;
        let mut output = std::io::stdout();
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
        output.flush()?;
    }
    running.stop(GRACE).await;
    Ok(())
}

async fn obey(node: &Node, order: Order) -> anyhow::Result<Answer> {
    let mut answer = Answer::default();
    match order {
        Order::Write(spaces) => {
            for (name, records) in spaces {
                let space = name.parse::<SpaceId>()?;
                is_admitted(node, &[space]).await?;
                let last = tokio::task::block_in_place(|| write(node, space, records))?;
                answer.held.insert(name, last + 1);
            }
        }
        Order::Part => {
            node.pause(true);
            while !node.peers_connected().is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        }
        Order::Meet(after_ms, spaces) => {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            node.pause(false);
            let begun = Instant::now();
            for (name, entries) in spaces {
                let space = name.parse::<SpaceId>()?;
                while held(node, space)? < entries {
                    ensure!(begun.elapsed() < PATIENCE, "waited in vain for {name}");
                    tokio::time::sleep(LOOK).await;
                }
            }
            in_sync(node).await?;
            if let Some(cost) = node.session_cost() {
                answer.bytes = cost.bytes_sent + cost.bytes_received;
                answer.message_bytes = cost.message_bytes;
            }
        }
        Order::Apply => tokio::task::block_in_place(|| node.catch_up())?,
    }
    Ok(answer)
}

fn held(node: &Node, space: SpaceId) -> anyhow::Result<u64> {
    let heights = node.heights(space)?;
    Ok(heights.iter().map(|(_, height)| height.number + 1).sum())
}

/// Writes records as a person would, one entry a step, and returns the last one's number.
fn write(node: &Node, space: SpaceId, records: u64) -> anyhow::Result<u64> {
    let author = node.author(space)?;
    let mut entries = Vec::new();
    for record in 0..records {
        let id = DocumentId::new(author.hub, Writers::Members, node::random());
        let mut document = Document::new(id);
        // As long as what is simulated, and nearly as little to be compressed.
        for (field, length) in [("body", 225 + record % 450), ("answer", 68 + record % 112)] {
            let text = random_text(length);
            let time_ms = now_ms();
            let edited = document.edit(None, &author, time_ms, |edit| {
                edit.put(&[field], &text.as_str().into())?;
                Ok::<_, EditError>(())
            })?;
            let written = ChangesEntry {
                feed: FeedName::from_bytes(author.writer),
                number: entries.len() as u64,
                hash: Hash::ZERO,
                writer: author.writer,
                hub: author.hub,
                time_ms,
                changes: edited.changes(Nonce(node::random())),
            };
            document.apply_edited(&written, &edited);
            entries.push(Entry {
                time_ms,
                kind: Kind::CHANGES,
                subject: id.subject(),
                payload: written.changes.encode(),
            });
        }
    }
    Ok(node.write_all(space, entries)?.number)
}

/// So many random bytes, as text.
fn random_text(bytes: u64) -> String {
    let random = std::iter::repeat_with(node::random::<1>).flatten();
    let random = random.zip(0..bytes).map(|(byte, _)| byte);
    BASE64.encode(&random.collect::<Vec<_>>())
}
