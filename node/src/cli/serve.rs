//! `serve`: runs the node until it is told to stop.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use clap::Args;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::exit::Exit;
use super::stop::{Closing, Stop};
use crate::folder::{DataFolder, FolderError};
use crate::grpc::{health_service, hub_service, reflection_service};
use crate::hang_up::HangUp;
use crate::web::{Closed, Listening, Pages, Reopener, Site, Web, hub_routes, hub_site};
use crate::{Node, local, platform, telemetry};

/// What log lines and traces call this program.
const PROGRAM: &str = "causeway-node";
/// How long the last of what uses a node may take to let go of it.
const CLOSING: Duration = Duration::from_secs(20);

/// How it is started.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Print no link for the first account, as where what is printed is kept in a log; `account link`
    /// prints one.
    #[arg(long)]
    pub no_link: bool,
}

/// What serves first says where nothing was set up: a supervisor that reads the code does not try again.
///
/// # Errors
/// `how` to set it up, as [`Exit::Usage`], or why the folder is not to be used.
pub fn ensure_set_up(data: &Path, how: &str) -> Result<()> {
    DataFolder::own(data)?;
    if DataFolder::is_one(data)? {
        return Ok(());
    }
    let data = data.display();
    Err(Exit::Usage
        .with(format!("nothing is set up in {data} yet: {how}"))
        .into())
}

/// Tells whoever supervises this program that it serves.
pub fn tell_ready() {
    platform::tell_ready();
}

/// Ends what answers requests: the program's own service, and its pages. Both have the same time; then the
/// connections to the service are hung up.
///
/// # Errors
/// A sentence, if the service had failed.
pub async fn end_requests(
    (service, hang_up): (JoinHandle<Result<(), tonic::transport::Error>>, HangUp),
    end: oneshot::Sender<()>,
    pages: Option<Pages>,
    closing: Closing,
) -> Result<()> {
    let grace = closing.for_requests();
    let pages = async {
        if let Some(pages) = pages {
            pages.stop(grace).await;
        }
    };
    let (ended, ()) = tokio::join!(end_service(service, end, grace), pages);
    hang_up.hang_up();
    ended
}

/// Ends a service: who waits for an answer has so long to get it. Some answers never end, as whether
/// the program is well does not.
async fn end_service(
    service: JoinHandle<Result<(), tonic::transport::Error>>,
    end: oneshot::Sender<()>,
    grace: Duration,
) -> Result<()> {
    if service.is_finished() {
        return Ok(());
    }
    let _ending = end.send(());
    let abort = service.abort_handle();
    match tokio::time::timeout(grace, service).await {
        Ok(served) => served?.context("the program's own service failed")?,
        Err(_) => abort.abort(),
    }
    Ok(())
}

/// Nothing goes on beside the node.
pub(super) async fn alone(_node: Node) -> Result<()> {
    std::future::pending().await
}

/// Runs a node that is set up.
pub(super) async fn serve(data: &Path, arguments: &ServeArguments) -> Result<()> {
    let how = "run `setup` with the invitation file from NCETM first, or `init`";
    ensure_set_up(data, how)?;
    run(data, arguments, alone).await
}

/// Runs the node, and `beside` with it, until it is told to stop or `beside` ends.
pub(super) async fn run(
    data: &Path,
    arguments: &ServeArguments,
    mut beside: impl AsyncFnMut(Node) -> Result<()>,
) -> Result<()> {
    let mut stop = Stop::listen()?;
    let (reopener, mut asked) = Reopener::new();
    let mut listening = None;
    let mut first = true;
    let mut traces = None;
    let compacted = Node::compact(data);
    loop {
        let node = super::open(data)?;
        if first {
            traces = telemetry::start(&node.config().log, &node.config().telemetry, PROGRAM)?;
            telemetry::version_line(PROGRAM);
            telemetry::compaction_line(&compacted);
            listening = listen_for_pages(&node);
            first = false;
        }
        let grace = node.config().shutdown.grace();
        stop.set_grace(grace);
        if stop.is_told() {
            return Ok(());
        }
        let hang_up = HangUp::default();
        let socket = hang_up.over(local::listen(&node.socket())?);
        let running = node.start();
        let pages = match &listening {
            Some(listening) => serve_on(listening, &node, &reopener, arguments).await,
            None => None,
        };
        let (end, ended) = oneshot::channel::<()>();
        node.set_listening(true);
        let service = tonic::transport::Server::builder()
            .add_service(hub_service(node.clone()))
            .add_service(health_service(&node, &["causeway.hub.v1.Hub"]).await)
            .add_service(reflection_service().context("the services cannot be described")?)
            .serve_with_incoming_shutdown(socket, async move {
                let _told = ended.await;
            });
        let mut service = tokio::spawn(service);
        tell_ready();
        let next = tokio::select! {
            () = stop.told() => Next::End(Ok(())),
            work = asked.recv() => work.map_or(Next::End(Ok(())), Next::Work),
            () = node.reopening() => Next::Reopen,
            served = &mut service => {
                served?.context("the node's own service failed")?;
                Next::End(Ok(()))
            }
            told = beside(node.clone()) => Next::End(told),
        };
        let closing = Closing::begin(grace);
        end_requests((service, hang_up), end, pages, closing).await?;
        running.stop(closing.for_sessions()).await;
        drop(node);
        let work = match next {
            Next::End(told) => {
                telemetry::end(traces).await;
                return told;
            }
            Next::Work(work) => Some(work),
            Next::Reopen => None,
        };
        tracing::info!("the node is closed for a moment");
        wait_until_free(data).await?;
        if let Some(work) = work {
            let folder = data.to_owned();
            let told = tokio::task::spawn_blocking(move || work(&folder)).await?;
            reopener.tell(told);
        }
    }
}

/// What comes after a node was closed.
enum Next {
    End(Result<()>),
    /// What a page asked to have done in the meantime, and then it is opened again.
    Work(Closed),
    /// It is opened again, as another node.
    Reopen,
}

/// Listens where pages are to be served, as the settings say. Where that cannot be, as when the port is
/// taken, it is said, and the node goes on: what peers and commands need is not held up.
pub fn listen_for_pages(node: &Node) -> Option<Listening> {
    match Listening::begin(&node.config().web) {
        Ok(listening) => listening,
        Err(error) => {
            tracing::error!("{error}");
            None
        }
    }
}

/// Serves the pages on an address that is listened on, and says where. Where they cannot be, that is said
/// too, and the node goes on.
pub async fn serve_pages(
    listening: &Listening,
    node: &Node,
    site: Site,
    routes: Router<Web>,
    reopener: Option<Reopener>,
) -> Option<Pages> {
    let config = &node.config().web;
    match Pages::serve_on(listening, node, config, site, routes, reopener).await {
        Ok(pages) => {
            tracing::info!(address = %pages.address(), "pages are served");
            Some(pages)
        }
        Err(error) => {
            tracing::error!("{error}");
            None
        }
    }
}

async fn serve_on(
    listening: &Listening,
    node: &Node,
    reopener: &Reopener,
    arguments: &ServeArguments,
) -> Option<Pages> {
    let (site, routes, reopener) = (hub_site(), hub_routes(), reopener.clone());
    let pages = serve_pages(listening, node, site, routes, Some(reopener)).await?;
    let node = node.clone();
    let address = pages.spoken().to_owned();
    let prints = !arguments.no_link;
    let printed = tokio::task::spawn_blocking(move || first_link(&node, &address, prints)).await;
    if let Ok(Err(error)) = printed {
        tracing::error!(%error, "the link with which this node is set up could not be made");
    }
    Some(pages)
}

/// Where nobody has an account yet: the link with which the first one is made. It is printed for
/// whoever started the program, and never logged.
fn first_link(
    node: &Node,
    address: &str,
    prints: bool,
) -> Result<(), crate::accounts::AccountError> {
    let accounts = node.accounts();
    if !accounts.is_empty()? {
        return Ok(());
    }
    if !prints {
        tracing::warn!(
            "nobody can sign in yet; `account link` prints the link for the first account"
        );
        return Ok(());
    }
    let link = accounts.first_link()?;
    println!(
        "Nobody can sign in yet. Set this node up here, once, within a day:\n{address}{}",
        *link.path()
    );
    Ok(())
}

/// Waits until nothing in this process has the data folder open any more.
///
/// # Errors
/// A sentence, if it is not free in time.
pub async fn wait_until_free(data: &Path) -> Result<()> {
    let begun = Instant::now();
    loop {
        match DataFolder::open(data) {
            Ok(_free) => return Ok(()),
            Err(FolderError::Locked(_)) if begun.elapsed() < CLOSING => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
