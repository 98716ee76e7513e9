//! Pages for people: what a node's own web server serves.
//!
//! Everything is rendered here, from one binary, and asks nobody else for anything. A page reads
//! and writes through a [`Desk`](crate::records::Desk), which keeps to the signed-in person's role;
//! no handler touches records in any other way. Without scripts every page can be read and every
//! form sent; the scripts add what a server cannot do: drafts, live news, the register in a hall
//! without a network.

pub mod assets;
mod certificate;
pub mod chart;
mod connections;
mod events;
mod flash;
mod headers;
pub mod jobs;
mod layout;
mod page_error;
pub(crate) mod pages;
pub mod parts;
mod posted;
mod received;
pub mod record;
mod reopen;
mod serve;
mod site;
mod visit;
pub mod words;

use std::sync::Arc;

use axum::Router;

use crate::Node;
use crate::accounts::Accounts;

pub use certificate::{SiteAuthority, SiteCertificateError};
pub(crate) use connections::{Connections, Limits};
pub use flash::Flash;
pub use layout::{bare, page};
pub use page_error::PageError;
pub use posted::{Form, Posted};
pub use reopen::{Closed, Reopener};
pub use serve::{Listening, Pages, PagesError};
pub use site::{NavItem, Site};
pub use visit::{Visit, cookie_name, url_query};

/// What every handler has at hand. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Web {
    inner: Arc<WebInner>,
}

#[derive(Debug)]
struct WebInner {
    node: Node,
    site: Site,
    flashes: flash::Flashes,
    jobs: jobs::Jobs,
    received: received::Shelf,
    reopener: Option<Reopener>,
    stopping: tokio::sync::watch::Receiver<bool>,
    address: serve::WebAddress,
}

impl Web {
    /// The pages of `node`, as `site` names and orders them, at the address that they are asked
    /// for under.
    fn new(
        node: Node,
        site: Site,
        address: serve::WebAddress,
        reopener: Option<Reopener>,
        stopping: tokio::sync::watch::Receiver<bool>,
    ) -> Self {
        let folder = node.folder().to_owned();
        Self {
            inner: Arc::new(WebInner {
                node,
                site,
                flashes: flash::Flashes::default(),
                jobs: jobs::Jobs::open(&folder),
                received: received::Shelf::new(&folder),
                reopener,
                stopping,
                address,
            }),
        }
    }

    /// The node behind the pages: for what is not a record. Records go through [`Visit::desk`].
    pub fn node(&self) -> &Node {
        &self.inner.node
    }

    /// Who may sign in.
    pub fn accounts(&self) -> Accounts {
        self.inner.node.accounts()
    }

    /// What the pages are called and how they are ordered.
    pub fn site(&self) -> &Site {
        &self.inner.site
    }

    /// What stands beside the mark: the hub's name as soon as it is known here, or the site's own.
    pub fn owner(&self) -> String {
        if self.inner.site.owner.is_empty() {
            return self.inner.node.hub_name();
        }
        self.inner.site.owner.clone()
    }

    fn flashes(&self) -> &flash::Flashes {
        &self.inner.flashes
    }

    /// Long work that goes on while nobody looks.
    pub fn jobs(&self) -> &jobs::Jobs {
        &self.inner.jobs
    }

    /// Files that were sent and wait for a person's word.
    pub(crate) fn received(&self) -> &received::Shelf {
        &self.inner.received
    }

    /// How the node is closed for a moment and opened again; none where pages cannot do that.
    pub(crate) fn reopener(&self) -> Option<&Reopener> {
        self.inner.reopener.as_ref()
    }

    /// Becomes true when the pages stop.
    pub(crate) fn stopping(&self) -> tokio::sync::watch::Receiver<bool> {
        self.inner.stopping.clone()
    }

    pub(crate) fn address(&self) -> &serve::WebAddress {
        &self.inner.address
    }
}

/// The pages of a hub's node as they are named and ordered.
pub const fn hub_site() -> Site {
    Site {
        owner: String::new(),
        nav: pages::HUB_NAV,
        coordinator: false,
    }
}

/// All pages of a hub's node.
pub fn hub_routes() -> Router<Web> {
    pages::routes()
}

/// The pages that hubs and the coordinator have in common: signing in, records, versions, search.
pub fn common_routes() -> Router<Web> {
    pages::common()
}
