//! Serving the pages.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::certificate::{self, SiteCertificateError, Source};
use super::connections::{Connections, Limits};
use super::jobs::Jobs;
use super::posted::FORM_BYTES_MAX;
use super::{Reopener, Site, Web, assets, events, headers};
use crate::Node;
use crate::config::WebConfig;
use crate::tls::SiteAcceptor;

/// Why pages cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PagesError {
    /// There is no certificate to show.
    #[error("pages cannot be served: {0}")]
    Certificate(#[from] SiteCertificateError),
    /// The address cannot be listened on.
    #[error(
        "pages cannot be served at {address}: {source}. Choose another [web] listen in the \
         settings, or stop the program that uses it"
    )]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The pages of a node, being served.
#[derive(Debug)]
pub struct Pages {
    address: SocketAddr,
    spoken: String,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    jobs: Jobs,
}

/// The address of the pages, listened on: whoever asks while the node is closed for a moment waits.
#[derive(Debug)]
pub struct Listening {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Listens, as the settings say; none if they serve no pages.
    ///
    /// # Errors
    /// [`PagesError::Listen`].
    pub fn begin(config: &WebConfig) -> Result<Option<Self>, PagesError> {
        if config.listen.is_empty() {
            return Ok(None);
        }
        let failed = |source| PagesError::Listen {
            address: config.listen.clone(),
            source,
        };
        let listener = std::net::TcpListener::bind(&config.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Some(Self { listener, address }))
    }
}

/// How long the next part of a form or a file may take to come.
const PART_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

impl Pages {
    /// Serves the routes of a site for `node`, as the settings say; none if they serve no pages.
    ///
    /// # Errors
    /// [`PagesError`].
    pub async fn serve(
        node: &Node,
        config: &WebConfig,
        site: Site,
        routes: Router<Web>,
    ) -> Result<Option<Self>, PagesError> {
        let Some(listening) = Listening::begin(config)? else {
            return Ok(None);
        };
        let pages = Self::serve_on(&listening, node, config, site, routes, None).await;
        pages.map(Some)
    }

    /// The same on an address that is listened on already, with the means to close the node for a
    /// moment and open it again.
    ///
    /// # Errors
    /// [`PagesError`].
    pub async fn serve_on(
        listening: &Listening,
        node: &Node,
        config: &WebConfig,
        site: Site,
        routes: Router<Web>,
        reopener: Option<Reopener>,
    ) -> Result<Self, PagesError> {
        let failed = |source| PagesError::Listen {
            address: config.listen.clone(),
            source,
        };
        let address = listening.address;
        let listener = listening.listener.try_clone().map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let certificate = Source::of(config, node.folder());
        let (stop, stopped) = watch::channel(false);
        let web_address = WebAddress::new(address, config);
        let spoken = web_address.spoken().to_owned();
        let web = Web::new(node.clone(), site, web_address, reopener, stop.subscribe());
        let jobs = web.jobs().clone();
        let mut tasks = Vec::new();
        let tls = match certificate {
            None => None,
            Some(source) => {
                let from = source.clone();
                let loaded = tokio::task::spawn_blocking(move || from.load()).await;
                let shown = loaded.map_err(|error| failed(std::io::Error::other(error)))??;
                let acceptor = SiteAcceptor::new(&shown).map_err(SiteCertificateError::from)?;
                let live = acceptor.certificate();
                let mut end = stopped.clone();
                tasks.push(tokio::spawn(async move {
                    tokio::select! {
                        _gone = end.wait_for(|stop| *stop) => {}
                        () = certificate::keep(source, shown, live) => {}
                    }
                }));
                Some(acceptor)
            }
        };
        let mut limits = Limits::default();
        if web.address().config().behind_proxy {
            // One address speaks for everybody.
            limits.each = limits.all;
        }
        let connections = Connections::new(router(web, routes), tls, limits);
        tasks.push(tokio::spawn(connections.serve(listener, stopped)));
        Ok(Self {
            address,
            spoken,
            stop,
            tasks,
            jobs,
        })
    }

    /// Where they are served.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What people type to see them.
    pub fn spoken(&self) -> &str {
        &self.spoken
    }

    /// Stops serving: open requests and long work may end within `grace`, and are broken off then.
    pub async fn stop(self, grace: std::time::Duration) {
        let until = tokio::time::Instant::now() + grace;
        let _listening = self.stop.send(true);
        self.jobs.stop_all();
        for task in self.tasks {
            let abort = task.abort_handle();
            if tokio::time::timeout_at(until, task).await.is_err() {
                abort.abort();
            }
        }
        let _late = tokio::time::timeout_at(until, self.jobs.all_ended()).await;
    }
}

fn router(web: Web, routes: Router<Web>) -> Router {
    routes
        .route("/assets/{version}/{name}", get(assets::serve))
        .route("/manifest.webmanifest", get(assets::manifest))
        .route("/events", get(events::serve))
        .fallback(headers::not_found)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(RequestBodyTimeoutLayer::new(PART_TIMEOUT))
        .layer(from_fn_with_state(web.clone(), headers::guard))
        .with_state(web)
}

/// Under which names the pages are asked for.
#[derive(Debug, Clone)]
pub(crate) struct WebAddress {
    listen: SocketAddr,
    public: Option<String>,
    secure: bool,
    config: WebConfig,
    spoken: String,
}

impl WebAddress {
    fn new(listen: SocketAddr, config: &WebConfig) -> Self {
        let spoken = if config.public.is_empty() {
            format!("http://{listen}")
        } else {
            config.public.trim_end_matches('/').to_owned()
        };
        Self {
            listen,
            public: config.public_host().map(str::to_lowercase),
            secure: config.is_secure(),
            config: config.clone(),
            spoken,
        }
    }

    /// What people type.
    pub(crate) fn spoken(&self) -> &str {
        &self.spoken
    }

    /// Whether a proxy in front says for whom it asks.
    pub(super) const fn is_behind_proxy(&self) -> bool {
        self.config.behind_proxy
    }

    /// The settings.
    pub(crate) const fn config(&self) -> &WebConfig {
        &self.config
    }

    /// Whether a `Host` header names these pages.
    pub(super) fn serves(&self, host: &str) -> bool {
        let host = host.to_lowercase();
        if self.public.as_deref() == Some(host.as_str()) {
            return true;
        }
        let port = self.listen.port();
        let own = ["127.0.0.1", "localhost", "[::1]"];
        self.listen.ip().is_loopback() && own.iter().any(|own| host == format!("{own}:{port}"))
    }

    /// Whether browsers reach them over TLS.
    pub(super) const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The port that this node listens on.
    pub(super) const fn port(&self) -> u16 {
        self.listen.port()
    }
}
