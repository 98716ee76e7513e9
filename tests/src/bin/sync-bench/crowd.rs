//! Those who receive what one hub writes, and when each of them did.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use node::{Arrivals, Node, Running};
use node_feed::{Heights, SpaceId};
use proto::sync::v1::frame::Message;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::coordinator_process::CoordinatorProcess;
use crate::founding::{Founding, PATIENCE, Seat, point_at, wait_for};
use crate::light_peer::{LightPeer, count};

/// What receivers do with what they receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Receivers {
    /// Real nodes: they verify it and store it durably.
    Store,
    /// They unpack and count it.
    Count,
}

/// Receivers that are connected by invitation, and not started.
pub(crate) enum Invited {
    Store(Vec<Node>),
    Count(Vec<Seat>),
}

/// Receivers that are in sync.
pub(crate) enum Crowd {
    Store(Vec<(Node, Running)>),
    Count(Vec<LightPeer>),
}

/// When one receiver had each edit.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub(crate) received: Vec<Instant>,
    /// Of receivers that store.
    pub(crate) durable: Vec<Instant>,
}

impl Invited {
    /// Connects `count` new hubs that may read and write in `space`.
    pub(crate) async fn invite(
        founding: &Founding,
        space: SpaceId,
        count: usize,
        receivers: Receivers,
    ) -> anyhow::Result<Self> {
        let (mut nodes, mut seats) = (Vec::new(), Vec::new());
        for number in 1..=count {
            let code = format!("reader-{number}");
            match receivers {
                Receivers::Store => nodes.push(founding.node_of(&code).await?),
                Receivers::Count => seats.push(founding.seat_of(&code).await?),
            }
            founding.grant(space, &code)?;
        }
        Ok(match receivers {
            Receivers::Store => Self::Store(nodes),
            Receivers::Count => Self::Count(seats),
        })
    }

    /// Connects them and waits until each has what `writer` holds of `space`.
    pub(crate) async fn gather(
        self,
        coordinator: &CoordinatorProcess,
        authority: &Heights,
        writer: &Node,
        space: SpaceId,
    ) -> anyhow::Result<Crowd> {
        let expected = writer.heights(space)?;
        match self {
            Self::Store(nodes) => {
                let folders = nodes.iter().map(|node| node.folder().to_owned());
                let folders = folders.collect::<Vec<_>>();
                drop(nodes);
                let mut crowd = Vec::new();
                for folder in folders {
                    point_at(&folder, coordinator.address()).await?;
                    let node = Node::open(&folder)?;
                    let running = node.start();
                    crowd.push((node, running));
                }
                for (node, _) in &crowd {
                    wait_for("a reader", || Ok(node.heights(space)? == expected)).await?;
                }
                Ok(Crowd::Store(crowd))
            }
            Self::Count(seats) => {
                let entries = expected
                    .iter()
                    .map(|(_, height)| height.number + 1)
                    .sum::<u64>();
                let mut crowd = Vec::new();
                for seat in seats {
                    let address = coordinator.address();
                    let mut peer = LightPeer::connect(&seat, address, authority).await?;
                    take(&mut peer, usize::try_from(entries)?).await?;
                    crowd.push(peer);
                }
                Ok(Crowd::Count(crowd))
            }
        }
    }
}

impl Crowd {
    /// Notes when each receiver has each of the next `edits` entries.
    pub(crate) fn follow(self, edits: usize) -> JoinSet<anyhow::Result<Times>> {
        let mut tasks = JoinSet::new();
        match self {
            Self::Store(crowd) => {
                for (node, running) in crowd {
                    let mut arrivals = node.arrivals();
                    let base = *arrivals.borrow_and_update();
                    tasks.spawn(async move {
                        let times = within(follow_node(arrivals, base, edits)).await;
                        running.stop(Duration::from_secs(5)).await;
                        drop(node);
                        times
                    });
                }
            }
            Self::Count(crowd) => {
                for mut peer in crowd {
                    tasks.spawn(async move { within(take(&mut peer, edits)).await });
                }
            }
        }
        tasks
    }
}

async fn within(work: impl Future<Output = anyhow::Result<Times>>) -> anyhow::Result<Times> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .context("a receiver lacks entries still")?
}

async fn follow_node(
    mut arrivals: watch::Receiver<Arrivals>,
    base: Arrivals,
    edits: usize,
) -> anyhow::Result<Times> {
    let mut times = Times::default();
    while times.durable.len() < edits {
        arrivals.changed().await.context("a receiver stopped")?;
        let (seen, now) = (*arrivals.borrow_and_update(), Instant::now());
        let count = |now: u64, base: u64| usize::try_from(now - base).map(|n| n.min(edits));
        times
            .received
            .resize(count(seen.received, base.received)?, now);
        times
            .durable
            .resize(count(seen.durable, base.durable)?, now);
    }
    Ok(times)
}

/// Notes when each of the next `entries` entries arrives.
pub(crate) async fn take(peer: &mut LightPeer, entries: usize) -> anyhow::Result<Times> {
    let mut times = Times::default();
    while times.received.len() < entries {
        match peer.next().await? {
            Message::Entries(message) => {
                let all = times.received.len() + count(&message)?;
                times.received.resize(all.min(entries), Instant::now());
            }
            Message::Goodbye(farewell) => bail!("the coordinator leaves: {}", farewell.text),
            Message::Hello(_)
            | Message::Spaces(_)
            | Message::Heights(_)
            | Message::Acknowledged(_)
            | Message::Refused(_)
            | Message::Receipts(_)
            | Message::Probe(_)
            | Message::Common(_)
            | Message::ReceiptsHeld(_)
            | Message::CopyOffer(_)
            | Message::Copy(_) => {}
        }
    }
    Ok(times)
}
