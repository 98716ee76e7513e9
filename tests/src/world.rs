//! A small world for end-to-end tests: a coordinator and hubs in one process, with real TLS,
//! real SQLite stores and real connections by invitation.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coordinator::saved_keys::SavedKeys;
use coordinator::{Coordinator, Serving};
use node::clock::now_ms;
use node::config::WebConfig;
use node::enrolment::{Invitation, enrol};
use node::folder::DataFolder;
use node::web::{Pages, hub_routes, hub_site};
use node::{Node, Running};
use node_feed::{Access, SpaceId, SpaceKind};
use tempfile::TempDir;

use crate::person::Person;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(5);
/// What the coordinator is called where hubs are named.
const COORDINATOR: &str = "coordinator";

/// The world. Its folders are deleted when it is dropped.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
    port: u16,
    keys: SavedKeys,
    coordinator: Option<(Coordinator, Serving)>,
    hubs: BTreeMap<&'static str, Option<(Node, Running)>>,
    /// The pages that are served, and the ports of those that were.
    pages: BTreeMap<String, Pages>,
    ports: BTreeMap<String, u16>,
}

impl World {
    /// A network with a coordinator that serves.
    ///
    /// # Panics
    /// If it cannot be set up, as every method here does: a test cannot go on then.
    pub async fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let keys = SavedKeys::generate(now_ms()).expect("new keys");
        let port = free_port();
        let hubs = BTreeMap::new();
        let mut world = Self {
            folder,
            port,
            keys,
            coordinator: None,
            hubs,
            pages: BTreeMap::new(),
            ports: BTreeMap::new(),
        };
        let data = world.settings("coordinator");
        drop(Coordinator::create(&data, &world.keys).expect("a new coordinator"));
        world.start_coordinator().await;
        world
    }

    /// A world that was recorded: `folder` holds the folders of the coordinator and of `hubs`, who are
    /// told that the coordinator listens at a free port now. All are started.
    pub async fn recorded(
        folder: TempDir,
        keys: SavedKeys,
        address: &str,
        hubs: &[&'static str],
    ) -> Self {
        let mut world = Self {
            folder,
            port: free_port(),
            keys,
            coordinator: None,
            hubs: BTreeMap::new(),
            pages: BTreeMap::new(),
            ports: BTreeMap::new(),
        };
        let now = world.coordinator_address().to_string();
        world.settings(COORDINATOR);
        for hub in hubs {
            let file = world.path(hub).join("membership.toml");
            let text = std::fs::read_to_string(&file).expect("a membership");
            assert!(text.contains(address), "it names {address}");
            std::fs::write(&file, text.replace(address, &now)).expect("written");
        }
        world.start_coordinator().await;
        for hub in hubs {
            world.start_hub(hub);
        }
        world
    }

    /// Invites, connects and starts a hub.
    pub async fn add_hub(&mut self, code: &'static str) {
        let path = self.path(code);
        std::fs::create_dir_all(&path).expect("a folder");
        let node = Node::create(&path).expect("a new node");
        let invitation = self.invite(code);
        self.connect(&node, &invitation).await;
        drop(node);
        self.start_hub(code);
    }

    /// Invites, connects and starts a node of the hub `code`: one more, if the hub has one. It
    /// dials `address` if one is given, and dials again soon.
    pub async fn add_node(&mut self, name: &'static str, code: &str, address: Option<SocketAddr>) {
        let node = self.new_node(name);
        let mut invitation = self.invite(code);
        if let Some(address) = address {
            invitation.address = address.to_string().parse().expect("an address");
        }
        self.connect(&node, &invitation).await;
        drop(node);
        self.start_hub(name);
    }

    /// A new node that is connected to nothing, and dials again soon.
    pub fn new_node(&self, name: &str) -> Node {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("a folder");
        let settings = "[sync]\nreconnect_ms_min = 100\nreconnect_ms_max = 1000\n\
             receipt_interval_ms = 100\ncopy_entries_min = 64\n";
        std::fs::write(path.join("causeway.toml"), settings).expect("settings");
        Node::create(&path).expect("a new node")
    }

    /// Where the coordinator listens.
    pub fn coordinator_address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// An invitation for a hub, whose node waits to be admitted.
    pub fn invite_to_wait(&self, code: &str) -> Invitation {
        let operations = self.coordinator().operations();
        operations
            .invite_to_wait(code, &format!("{code} Maths Hub"), 1)
            .expect("an invitation")
    }

    /// An invitation for a hub, whose node is admitted at once.
    pub fn invite(&self, code: &str) -> Invitation {
        let operations = self.coordinator().operations();
        operations
            .invite(code, &format!("{code} Maths Hub"), 1)
            .expect("an invitation")
    }

    /// Connects a node with an invitation.
    pub async fn connect(&self, node: &Node, invitation: &Invitation) {
        let enrolled = enrol(invitation, node.identity(), now_ms())
            .await
            .expect("connected");
        node.join(invitation, &enrolled)
            .expect("what connecting brought is kept");
    }

    /// Starts a hub that was stopped.
    pub fn start_hub(&mut self, code: &'static str) {
        let node = self.open(&self.path(code));
        let running = node.start();
        self.hubs.insert(code, Some((node, running)));
    }

    /// Serves the pages of a hub, or of the `coordinator`, and says where. After a restart that is
    /// where it was before.
    pub async fn pages(&mut self, name: &str) -> SocketAddr {
        if let Some(pages) = self.pages.get(name) {
            return pages.address();
        }
        let port = self.ports.get(name).copied().unwrap_or_default();
        let config = WebConfig {
            listen: format!("127.0.0.1:{port}"),
            ..WebConfig::default()
        };
        let pages = match name {
            COORDINATOR => self.coordinator().serve_pages(&config).await,
            _ => {
                let node = self.hub(name);
                Pages::serve(node, &config, hub_site(), hub_routes()).await
            }
        };
        let pages = pages.expect("pages are served").expect("an address is set");
        let address = pages.address();
        self.ports.insert(name.to_owned(), address.port());
        self.pages.insert(name.to_owned(), pages);
        address
    }

    /// Stops serving the pages of a hub, or of the `coordinator`.
    pub async fn stop_pages(&mut self, name: &str) {
        if let Some(pages) = self.pages.remove(name) {
            pages.stop(Duration::ZERO).await;
        }
    }

    /// Somebody new with an account at a hub, or at the `coordinator`, in one role, for a holder if
    /// the role needs one.
    pub fn person(&self, name: &str, role: &str, holder: &str) -> Person {
        match name {
            COORDINATOR => Person::new(self.coordinator().operations().node(), role, holder),
            _ => Person::new(self.hub(name), role, holder),
        }
    }

    /// Stops a hub, and waits until its folder is free.
    pub async fn stop_hub(&mut self, code: &str) {
        self.stop_pages(code).await;
        if let Some(Some((node, running))) = self.hubs.get_mut(code).map(Option::take) {
            running.stop(GRACE).await;
            drop(node);
            folder_is_free(&self.path(code)).await;
        }
    }

    /// Stops the coordinator, and waits until its folder is free.
    pub async fn stop_coordinator(&mut self) {
        self.stop_pages(COORDINATOR).await;
        if let Some((coordinator, serving)) = self.coordinator.take() {
            serving.stop(GRACE).await;
            drop(coordinator);
            folder_is_free(&self.path(COORDINATOR)).await;
        }
    }

    /// Starts the coordinator from its folder.
    pub async fn start_coordinator(&mut self) {
        let path = self.path("coordinator");
        let coordinator = until_some("the coordinator's folder is free", || {
            Coordinator::open(&path).ok()
        })
        .await;
        let serving = coordinator.serve().await.expect("the coordinator serves");
        self.coordinator = Some((coordinator, serving));
    }

    /// Deletes the coordinator's folder and sets up an empty one from the saved keys.
    pub async fn lose_coordinator(&mut self) {
        self.stop_coordinator().await;
        let data = self.path("coordinator");
        std::fs::remove_dir_all(&data).expect("the folder is deleted");
        drop(
            Coordinator::set_up_again(&self.settings("coordinator"), &self.keys).expect("rebuilt"),
        );
        self.start_coordinator().await;
    }

    /// Deletes the coordinator's folder and begins the network once more under the same keys,
    /// which no command does: two first terms of one network.
    pub async fn begin_again(&mut self) {
        self.stop_coordinator().await;
        let data = self.path("coordinator");
        std::fs::remove_dir_all(&data).expect("the folder is deleted");
        drop(Coordinator::create(&self.settings("coordinator"), &self.keys).expect("begun"));
        self.start_coordinator().await;
    }

    /// Makes a project's space and its record, and gives `hubs` access to it.
    pub async fn project(&self, code: &str, hubs: &[&str]) -> (SpaceId, String) {
        let operations = self.coordinator().operations();
        let space = operations
            .create_space(SpaceKind::Project, code)
            .expect("a space");
        for hub in hubs {
            operations.grant(space, hub, Access::Write).expect("access");
        }
        let json = format!(r#"{{"code": "{code}", "title": "A project"}}"#);
        let made = operations
            .node()
            .create_record("project-work", &space.to_string(), &json);
        let record = made.expect("the project's record").id.to_string();
        for hub in hubs {
            until("the project's record arrives", || {
                self.hub(hub).show_record(&record).is_ok()
            })
            .await;
        }
        (space, record)
    }

    /// A hub's node.
    pub fn hub(&self, code: &str) -> &Node {
        let hub = self.hubs.get(code).and_then(Option::as_ref);
        &hub.unwrap_or_else(|| panic!("{code} is not running")).0
    }

    /// The coordinator.
    pub fn coordinator(&self) -> &Coordinator {
        &self
            .coordinator
            .as_ref()
            .expect("the coordinator is running")
            .0
    }

    /// Where a hub, or the `coordinator`, serves metrics.
    pub fn metrics_address(&self, name: &str) -> SocketAddr {
        let address = if name == COORDINATOR {
            let serving = self.coordinator.as_ref().map(|it| &it.1);
            serving.and_then(Serving::metrics_address)
        } else {
            let hub = self.hubs.get(name).and_then(Option::as_ref);
            hub.and_then(|(_, running)| running.metrics_address())
        };
        address.unwrap_or_else(|| panic!("{name} serves no metrics"))
    }

    /// The saved keys.
    pub const fn keys(&self) -> &SavedKeys {
        &self.keys
    }

    /// Takes these saved keys for the ones of before.
    pub fn use_keys(&mut self, keys: SavedKeys) {
        self.keys = keys;
    }

    /// A new folder with the coordinator's settings, for another one that listens where it does.
    pub fn settings_for(&self, name: &str) -> PathBuf {
        self.settings(name)
    }

    /// Where a node's data is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until all running nodes that may read `space` hold the same entries and documents.
    pub async fn agree(&self, space: SpaceId) {
        let nodes = self.hubs.values().flatten().map(|(node, _)| node);
        let coordinator = self.coordinator.as_ref().map(|it| it.0.operations().node());
        let nodes = nodes.chain(coordinator).collect::<Vec<_>>();
        until("all hold the same", || {
            let known = nodes.iter().map(|node| node.authority());
            let known = known
                .max_by_key(|authority| authority.length())
                .expect("nodes run");
            let may_read = |node: &&&Node| {
                node.hub()
                    .is_some_and(|hub| known.access(hub, space).is_some())
            };
            let held = nodes.iter().filter(may_read).map(|node| {
                let spaces = node.spaces().expect("spaces are listed");
                let found = spaces.into_iter().find(|summary| summary.id == space)?;
                Some((found.digest, found.documents_digest, found.entries))
            });
            let held = held.collect::<Vec<_>>();
            held.len() > 1 && held[0].is_some() && held.windows(2).all(|pair| pair[0] == pair[1])
        })
        .await;
    }

    /// Opens a node's folder, as soon as it is free.
    pub fn open(&self, path: &Path) -> Node {
        let begun = Instant::now();
        loop {
            match Node::open(path) {
                Ok(node) => return node,
                Err(error) if begun.elapsed() > PATIENCE => panic!("{error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Writes a node's settings, and returns its folder.
    fn settings(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("a folder");
        let port = self.port;
        let settings = format!(
            "[listen]\naddress = \"127.0.0.1:{port}\"\npublic = \"127.0.0.1:{port}\"\n\
             [sync]\nreceipt_interval_ms = 100\ncopy_entries_min = 64\n"
        );
        std::fs::write(path.join("causeway.toml"), settings).expect("settings");
        path
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.expect("a free port").port()
}

/// Waits for tasks that outlive the node's handle for a moment.
async fn folder_is_free(folder: &Path) {
    until("the folder is free", || DataFolder::open(folder).is_ok()).await;
}

/// Waits until `holds`, and panics with `what` if it never does.
///
/// # Panics
/// After a minute.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_some(what, || holds().then_some(())).await;
}

async fn until_some<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = holds() {
            return found;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "still waiting after a minute: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
