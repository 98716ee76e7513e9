//! A coordinator, put together: a node, the authority log's writing end, the registry, and the
//! port that hubs dial.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use coordinator_registry::{Registry, RegistryError};
use node::clock::now_ms;
use node::config::WebConfig;
use node::folder::{DataFolder, FolderError};
use node::grpc::{health_service, sync_service};
use node::hang_up::HangUp;
use node::membership::Membership;
use node::tls::{CertificateError, CertificateFilesError, TlsError};
use node::web::{Pages, PagesError};
use node::{Node, NodeError, Running};
use node_feed::{HubId, NetworkId};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::authority_writer::{AuthorityError, AuthorityWriter};
use crate::certificates::Certificates;
use crate::config::CoordinatorConfig;
use crate::enrolment::{
    AuthorityRefusal, AuthorityRequest, EnrolmentParts, EnrolmentService, Stands,
};
use crate::operations::{NO_ACCESS, OperationError, Operations, Parts};
use crate::saved_keys::{SavedKeys, SavedKeysError, write_certificates};
use crate::server_certificate::ServerCertificate;
use crate::successions::Successions;

/// How long it may take to keep until when each node was here.
const KEEPING: std::time::Duration = std::time::Duration::from_secs(2);

/// Why a coordinator cannot be set up or started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoordinatorError {
    /// The folder is no coordinator's.
    #[error(
        "the data folder holds a node that is not a coordinator; give the coordinator's folder"
    )]
    NotCoordinator,
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] node::config::ConfigError),
    /// The node cannot be set up or opened.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A file in the data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The saved keys cannot be used.
    #[error(transparent)]
    Keys(#[from] SavedKeysError),
    /// The authority log cannot be begun.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// A first space cannot be made.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// The registry cannot be opened.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The server's certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The files of a public certificate cannot be used.
    #[error(transparent)]
    CertificateFiles(#[from] CertificateFilesError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The port cannot be opened.
    #[error("{address} cannot be listened on: {source}; is another coordinator running?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What the coordinator's port offers hubs.
const SERVICES: [&str; 2] = ["causeway.sync.v1.Sync", "causeway.enrolment.v1.Enrolment"];

/// A coordinator that is set up.
#[derive(Debug)]
pub struct Coordinator {
    config: CoordinatorConfig,
    operations: Operations,
    certificates: Arc<Certificates>,
}

/// A coordinator that serves.
#[derive(Debug)]
pub struct Serving {
    running: Running,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
    hang_up: HangUp,
    renewal: tokio::task::JoinHandle<()>,
    keeping: tokio::task::JoinHandle<()>,
    operations: Operations,
    address: SocketAddr,
}

impl Coordinator {
    /// Checks that a coordinator can be set up in `data`: that its settings are usable and that
    /// the folder holds no node.
    ///
    /// # Errors
    /// [`CoordinatorError::Config`], or [`CoordinatorError::Folder`] if there is a node.
    pub fn check(data: &Path) -> Result<(), CoordinatorError> {
        DataFolder::own(data)?;
        CoordinatorConfig::read(&DataFolder::config(data))?;
        if data.join("identity.key").exists() {
            return Err(FolderError::Exists(data.to_owned()).into());
        }
        Ok(())
    }

    /// Sets up a new network: the first term of the authority log and the space of every hub.
    ///
    /// # Errors
    /// [`CoordinatorError`]. What is left of a failed set-up can be deleted.
    pub fn create(data: &Path, keys: &SavedKeys) -> Result<Self, CoordinatorError> {
        let coordinator = Self::set_up_again(data, keys)?;
        coordinator.operations.authority().begin(&keys.root)?;
        coordinator.operations.ensure_first_facts()?;
        Ok(coordinator)
    }

    /// Deletes what a set-up that failed left in `data`, where [`Coordinator::check`] found no node before:
    /// all files but the settings.
    ///
    /// # Errors
    /// The system's, if one cannot be deleted.
    pub(crate) fn remove_begun(data: &Path) -> std::io::Result<()> {
        const MADE: [&str; 11] = [
            "store.db",
            "projections.db",
            "audit.db",
            "registry.db",
            "membership.toml",
            "authority.pem",
            "authority-key.pem",
            "authority.key",
            "authority.key.next",
            "root.public",
            // Last: it says that there is something.
            "identity.key",
        ];
        for name in MADE {
            for suffix in ["", "-wal", "-shm", ".new"] {
                match std::fs::remove_file(data.join(format!("{name}{suffix}"))) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(error);
                    }
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Sets up an empty coordinator of a network that exists, from its saved keys. The hubs fill
    /// it; it may change access after `authority take-over`.
    ///
    /// # Errors
    /// [`CoordinatorError`].
    pub fn set_up_again(data: &Path, keys: &SavedKeys) -> Result<Self, CoordinatorError> {
        Self::check(data)?;
        let config = CoordinatorConfig::read(&DataFolder::config(data))?;
        let node = Node::create_with(data, keys.identity.clone(), config.node())?;
        let network = keys.root.public().network();
        node.set_membership(Membership {
            network,
            hub: keys.hub,
            coordinator: None,
        })?;
        write_certificates(data, &keys.authority)?;
        let mut successions = Successions::read(data)?;
        for succession in &keys.successions {
            successions.add(succession)?;
        }
        let root = hex::encode(keys.root.public().as_bytes());
        node::folder::write_private(&data.join("root.public"), root.as_bytes())?;
        // Opening it again would race with the node's own threads, which close it when they can.
        Self::with_node(data, config, node)
    }

    /// Opens a coordinator's data folder.
    ///
    /// # Errors
    /// [`CoordinatorError`].
    pub fn open(data: &Path) -> Result<Self, CoordinatorError> {
        DataFolder::own(data)?;
        if !data.join("root.public").exists() && data.join("identity.key").exists() {
            return Err(CoordinatorError::NotCoordinator);
        }
        let config = CoordinatorConfig::read(&DataFolder::config(data))?;
        let node = Node::open_with(data, config.node())?;
        Self::with_node(data, config, node)
    }

    fn with_node(
        data: &Path,
        config: CoordinatorConfig,
        node: Node,
    ) -> Result<Self, CoordinatorError> {
        let certificates = Arc::new(Certificates::read(data)?);
        let root_file = data.join("root.public");
        let root = node::folder::read_seed(&root_file)?;
        let root =
            node_feed::PublicKey::from_bytes(&root).map_err(|error| FolderError::Damaged {
                path: root_file,
                what: error.to_string(),
            })?;
        let address = config.address()?;
        let registry = Arc::new(Registry::open(&data.join("registry.db"))?);
        crate::audit::take_in(&registry, &node);
        let operations = Operations::new(Parts {
            authority: AuthorityWriter::open(node.clone())?,
            registry,
            root,
            address,
            certificates: Arc::clone(&certificates),
            server: OnceLock::new(),
            node,
            kept: Mutex::default(),
            told: Mutex::default(),
            deciding: Mutex::default(),
        });
        Ok(Self {
            config,
            operations,
            certificates,
        })
    }

    /// What an operator can do.
    pub fn operations(&self) -> &Operations {
        &self.operations
    }

    /// The settings.
    pub fn config(&self) -> &CoordinatorConfig {
        &self.config
    }

    /// The network's id.
    pub fn network(&self) -> NetworkId {
        self.operations
            .node()
            .network()
            .unwrap_or(NetworkId::from_bytes([0; 16]))
    }

    /// Serves the coordinator's pages, as the settings say; none if they serve no pages.
    ///
    /// # Errors
    /// [`PagesError`].
    pub async fn serve_pages(&self, config: &WebConfig) -> Result<Option<Pages>, PagesError> {
        let operations = self.operations();
        let (site, routes) = (crate::web::site(), crate::web::routes(operations));
        Pages::serve(operations.node(), config, site, routes).await
    }

    /// Opens the port for hubs: whoever dials waits until it is served.
    ///
    /// # Errors
    /// [`CoordinatorError::Listen`].
    pub fn listen(&self) -> Result<std::net::TcpListener, CoordinatorError> {
        let address = self.config.listen.address;
        std::net::TcpListener::bind(address)
            .map_err(|source| CoordinatorError::Listen { address, source })
    }

    /// Opens the port and serves hubs until told to stop.
    ///
    /// # Errors
    /// As [`Coordinator::serve_on`], and [`CoordinatorError::Listen`].
    pub async fn serve(&self) -> Result<Serving, CoordinatorError> {
        self.serve_on(&self.listen()?).await
    }

    /// Serves hubs on a port that is open, until told to stop. The port stays open after that.
    ///
    /// # Errors
    /// [`CoordinatorError::Listen`], [`CoordinatorError::Tls`] or
    /// [`CoordinatorError::Certificate`].
    pub async fn serve_on(
        &self,
        listener: &std::net::TcpListener,
    ) -> Result<Serving, CoordinatorError> {
        let names = self.config.listen.certificate_names();
        let certificates = Arc::clone(&self.certificates);
        let (mut certificate, acceptor) = ServerCertificate::issue(certificates, names, now_ms())?;
        if let Some(files) = self.config.listen.certificate_files() {
            certificate.show_public(files, self.config.address()?);
        }
        let certificate = Arc::new(certificate);
        let address = self.config.listen.address;
        let listener = listener
            .try_clone()
            .and_then(|port| port.set_nonblocking(true).map(|()| port))
            .and_then(TcpListener::from_std)
            .map_err(|source| CoordinatorError::Listen { address, source })?;
        let address = listener
            .local_addr()
            .map_err(|source| CoordinatorError::Listen { address, source })?;
        let node = self.operations.node();
        let running = node.start();
        certificate.tell(node);
        self.operations.set_server(Arc::clone(&certificate));
        node.note_settings(&self.config).map_err(NodeError::Store)?;
        let enrolment = EnrolmentService::new(EnrolmentParts {
            registry: self.operations.registry().clone(),
            certificates: Arc::clone(&self.certificates),
            identity: node.identity().clone(),
            successions: Successions::read(node.folder())?.line().to_vec(),
            root: self.operations.root(),
            log: answer_enrolments(self.operations.clone()),
        });
        let (stop, mut stopped) = watch::channel(false);
        let refused = node.handshakes_refused();
        let hang_up = HangUp::default();
        let over = hang_up.clone();
        let router = node::tls::server()
            .add_service(sync_service(node.clone()))
            .add_service(enrolment.into_server())
            .add_service(health_service(node, &SERVICES).await);
        let server = tokio::spawn(async move {
            let stopped = async move {
                let _stopped = stopped.wait_for(|stop| *stop).await;
            };
            let incoming = acceptor.incoming_told(listener, move |fault| refused(fault.word()));
            let incoming = over.over(incoming);
            if let Err(error) = router.serve_with_incoming_shutdown(incoming, stopped).await {
                tracing::error!(%error, "the port for hubs failed");
            }
        });
        node.set_listening(true);
        tracing::info!(%address, "hubs may connect");
        Ok(Serving {
            running,
            stop,
            server,
            hang_up,
            renewal: tokio::spawn(certificate.keep_fresh(node.clone())),
            keeping: tokio::spawn(self.operations.clone().keep()),
            operations: self.operations.clone(),
            address,
        })
    }
}

impl Serving {
    /// The address that hubs can dial on this machine.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are served; none if they are not.
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.running.metrics_address()
    }

    /// Ends every session and waits, at most `grace`, for what is open to end, and a few seconds more until
    /// the audit log says so and it is kept until when each node was here.
    pub async fn stop(self, grace: std::time::Duration) {
        let until = tokio::time::Instant::now() + grace;
        self.renewal.abort();
        self.keeping.abort();
        let _told = self.stop.send(true);
        self.running.stop(grace).await;
        if tokio::time::timeout_at(until, self.server).await.is_err() {
            tracing::warn!("connections were still open when the time to stop had passed");
        }
        self.hang_up.hang_up();
        // What was not kept yet is kept now: until when each node was here.
        let operations = self.operations;
        let kept = tokio::task::spawn_blocking(move || operations.keep_now());
        if tokio::time::timeout(KEEPING, kept).await.is_err() {
            tracing::warn!("until when each node was here was not kept in time");
        }
    }
}

/// Answers enrolments one at a time, away from the network's threads.
fn answer_enrolments(operations: Operations) -> mpsc::Sender<AuthorityRequest> {
    let (sender, mut requests) = mpsc::channel::<AuthorityRequest>(64);
    tokio::task::spawn_blocking(move || {
        while let Some(request) = requests.blocking_recv() {
            match request {
                AuthorityRequest::Admit { hub, node, reply } => {
                    let answer = operations.admit(hub, node).map_err(refusal);
                    let _gone = reply.send(answer);
                }
                AuthorityRequest::Standing { node, reply } => {
                    let hub: Option<HubId> = operations.node().authority().hub_of(&node);
                    let refusal = || AuthorityRefusal::Refused(NO_ACCESS.to_owned());
                    let _gone = reply.send(hub.ok_or_else(refusal));
                }
                AuthorityRequest::Succeed { succession, reply } => {
                    let _gone = reply.send(operations.succeed(&succession).map_err(refusal));
                }
                AuthorityRequest::EndFormer {
                    succession,
                    ends,
                    reply,
                } => {
                    let ended = operations.end_former(&succession, ends);
                    let _gone = reply.send(ended.map_err(refusal));
                }
                AuthorityRequest::Look { node, reply } => {
                    let hub: Option<HubId> = operations.node().authority().hub_of(&node);
                    let suspension = hub.and_then(|hub| operations.node().suspension(&hub));
                    let _gone = reply.send(match (hub, suspension) {
                        (None, _) => Stands::Refused(NO_ACCESS.to_owned()),
                        (Some(_), Some(why)) => Stands::Suspended(why),
                        (Some(_), None) => Stands::Admitted,
                    });
                }
            }
        }
    });
    sender
}

fn refusal(error: OperationError) -> AuthorityRefusal {
    let sentence = error.to_string();
    if matches!(
        error,
        OperationError::Store(_)
            | OperationError::Authority(_)
            | OperationError::Registry(_)
            | OperationError::NotYet(_)
    ) {
        AuthorityRefusal::Unavailable(sentence)
    } else {
        AuthorityRefusal::Refused(sentence)
    }
}
