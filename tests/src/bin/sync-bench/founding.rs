//! Setting up a network on this machine: a coordinator, spaces, and nodes that are connected to it
//! by real invitations.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use coordinator::Coordinator;
use coordinator::saved_keys::SavedKeys;
use node::Node;
use node::clock::now_ms;
use node::config::WebConfig;
use node::enrolment::{Enrolled, Invitation, enrol};
use node::folder::{DataFolder, FolderError};
use node::membership::Membership;
use node::web::Pages;
use node_feed::{Access, Heights, NetworkId, SecretKey, SpaceId, SpaceKind};

/// Longer than anything here takes; what takes longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The coordinator's and the nodes' settings: everything as delivered but logging, the port, and how many
/// changes a minute a hub may write, since a year of them is written here in one.
const COORDINATOR_SETTINGS: &str = r#"
[listen]
address = "127.0.0.1:0"
public = "localhost:7443"
names = ["localhost"]

[limits]
hub_entries_per_minute = 10000000

[log]
level = "warn"
"#;

/// A network that is being set up, with its coordinator in this process.
pub(crate) struct Founding {
    folder: PathBuf,
    coordinator: Coordinator,
    serving: coordinator::Serving,
}

/// A node that is connected but has no store: its keys and what it needs to know.
pub(crate) struct Seat {
    pub(crate) identity: SecretKey,
    pub(crate) enrolled: Enrolled,
    pub(crate) authority_pem: String,
}

/// Where the coordinator's folder is in the folder of a network.
pub(crate) fn coordinator_folder(network: &Path) -> PathBuf {
    network.join("coordinator")
}

/// Where a node's folder is in the folder of a network.
pub(crate) fn node_folder(network: &Path, code: &str) -> PathBuf {
    network.join(code)
}

impl Founding {
    /// Sets up a coordinator in `folder` and lets it serve.
    pub(crate) async fn begin(folder: &Path) -> anyhow::Result<Self> {
        let data = coordinator_folder(folder);
        std::fs::create_dir_all(&data)?;
        std::fs::write(data.join("causeway.toml"), COORDINATOR_SETTINGS)?;
        let coordinator = Coordinator::create(&data, &SavedKeys::generate(now_ms())?)?;
        let serving = coordinator.serve().await?;
        Ok(Self {
            folder: folder.to_owned(),
            coordinator,
            serving,
        })
    }

    /// The coordinator's node.
    pub(crate) fn node(&self) -> &Node {
        self.coordinator.operations().node()
    }

    /// Makes a space.
    pub(crate) fn space(&self, title: &str) -> anyhow::Result<SpaceId> {
        Ok(self
            .coordinator
            .operations()
            .create_space(SpaceKind::Project, title)?)
    }

    /// Lets a hub that was invited read and write.
    pub(crate) fn grant(&self, space: SpaceId, code: &str) -> anyhow::Result<()> {
        Ok(self
            .coordinator
            .operations()
            .grant(space, code, Access::Write)?)
    }

    /// Connects a new hub's node, which is not started.
    pub(crate) async fn node_of(&self, code: &str) -> anyhow::Result<Node> {
        let path = node_folder(&self.folder, code);
        std::fs::create_dir_all(&path)?;
        let node = Node::create(&path)?;
        let invitation = self.invite(code)?;
        let enrolled = enrol(&invitation, node.identity(), now_ms()).await?;
        node.join(&invitation, &enrolled)?;
        Ok(node)
    }

    /// Connects a new hub without a store.
    pub(crate) async fn seat_of(&self, code: &str) -> anyhow::Result<Seat> {
        let identity = SecretKey::from_seed(&node::random());
        let invitation = self.invite(code)?;
        let enrolled = enrol(&invitation, &identity, now_ms()).await?;
        Ok(Seat {
            identity,
            enrolled,
            authority_pem: invitation.authority_pem,
        })
    }

    /// The authority log's heights.
    pub(crate) fn authority(&self) -> anyhow::Result<Heights> {
        Ok(self.node().heights(SpaceId::authority(self.network()))?)
    }

    pub(crate) fn network(&self) -> NetworkId {
        self.coordinator.network()
    }

    /// Waits until the coordinator and `node` hold the same of these spaces, and have turned it
    /// into documents.
    pub(crate) async fn settle(&self, node: &Node, spaces: &[SpaceId]) -> anyhow::Result<()> {
        for space in spaces {
            wait_for("the coordinator to hold what the hub does", || {
                Ok(self.node().heights(*space)? == node.heights(*space)?)
            })
            .await?;
        }
        for node in [node, self.node()] {
            let node = node.clone();
            tokio::task::spawn_blocking(move || node.catch_up()).await??;
        }
        // Each signs for what it holds; the other hears of it.
        let receipts = Duration::from_millis(node.config().sync.receipt_interval_ms);
        tokio::time::sleep(receipts * 2).await;
        Ok(())
    }

    /// Fills the coordinator with a made-up nation.
    pub(crate) async fn sample(&self, small: bool) -> anyhow::Result<()> {
        let operations = self.coordinator.operations().clone();
        tokio::task::spawn_blocking(move || operations.sample(1, small)).await??;
        Ok(())
    }

    /// Serves the coordinator's pages.
    pub(crate) async fn pages(&self, config: &WebConfig) -> anyhow::Result<Pages> {
        let pages = self.coordinator.serve_pages(config).await?;
        pages.context("the coordinator serves no pages")
    }

    /// Stops the coordinator; its folder can then be used by others.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        self.serving.stop(Duration::from_secs(5)).await;
        drop(self.coordinator);
        is_free(&coordinator_folder(&self.folder)).await
    }

    fn invite(&self, code: &str) -> anyhow::Result<Invitation> {
        let mut invitation = self.coordinator.operations().invite(code, code, 1)?;
        invitation.address = format!("localhost:{}", self.serving.address().port()).parse()?;
        Ok(invitation)
    }
}

/// Waits until nobody has a folder open: what a stopped node was doing ends by and by.
pub(crate) async fn is_free(folder: &Path) -> anyhow::Result<()> {
    wait_for("a folder to be free", || match DataFolder::open(folder) {
        Ok(_) => Ok(true),
        Err(FolderError::Locked(_)) => Ok(false),
        Err(error) => Err(error.into()),
    })
    .await
}

/// Tells the node in `folder` where the coordinator is today.
pub(crate) async fn point_at(folder: &Path, address: &node::tls::Address) -> anyhow::Result<()> {
    is_free(folder).await?;
    let folder = DataFolder::open(folder)?;
    let mut membership = Membership::read(&folder)?.context("the node was never connected")?;
    let contact = membership
        .coordinator
        .as_mut()
        .context("the node knows no coordinator")?;
    contact.address = address.clone();
    Ok(membership.write(&folder)?)
}

/// Asks until the answer is yes.
pub(crate) async fn wait_for(
    what: &str,
    mut is_so: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let begun = tokio::time::Instant::now();
    while !is_so()? {
        ensure!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Waits until `node` has learnt that it may write in all of these spaces.
pub(crate) async fn is_admitted(node: &Node, spaces: &[SpaceId]) -> anyhow::Result<()> {
    wait_for("the hub's access", || {
        let (hub, authority) = (
            node.hub().context("the node was never connected")?,
            node.authority(),
        );
        Ok(spaces
            .iter()
            .all(|space| authority.write_grant(hub, *space).is_some()))
    })
    .await
}

/// Waits until `node` knows that it and the coordinator are equal.
pub(crate) async fn in_sync(node: &Node) -> anyhow::Result<()> {
    tokio::time::timeout(PATIENCE, node.in_sync(1))
        .await
        .context("the hub and the coordinator did not become equal in time")
}
