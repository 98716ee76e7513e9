//! The coordinator's pages: what NCETM and its guests see.
//!
//! They are a node's pages with others beside: the same records, forms and signing in, the nation's
//! picture, and the connections of hubs.

mod connections;
mod picture;
mod questions;
mod reasons;

use axum::{Extension, Router};
use node::web::{NavItem, Site, Web};
use node_domain::Duty;

use crate::operations::Operations;

/// The pages as they are named and ordered.
pub(crate) fn site() -> Site {
    Site {
        owner: "NCETM".to_owned(),
        nav: NAV,
        coordinator: true,
    }
}

/// All pages.
pub(crate) fn routes(operations: &Operations) -> Router<Web> {
    node::web::common_routes()
        .merge(picture::routes())
        .merge(connections::routes())
        .merge(questions::routes())
        .layer(Extension(operations.clone()))
}

const NAV: &[NavItem] = &[
    NavItem {
        label: "The picture",
        href: "/picture",
        shown: |desk| desk.has(Duty::Reports),
    },
    NavItem {
        label: "Your questions",
        href: "/questions",
        shown: |desk| desk.sees_own_alone("forum-thread"),
    },
    NavItem {
        label: "Connections",
        href: "/connections",
        shown: |desk| desk.has(Duty::Connections),
    },
    NavItem {
        label: "Hubs",
        href: "/hubs",
        shown: |desk| desk.sees("hub", "title"),
    },
    NavItem {
        label: "Projects",
        href: "/project-records",
        shown: |desk| desk.sees("project-work", "title"),
    },
    NavItem {
        label: "Practices",
        href: "/practices",
        shown: |desk| desk.sees("practice", "title"),
    },
    NavItem {
        label: "Forum",
        href: "/forum-threads",
        shown: |desk| desk.sees("forum-thread", "posts"),
    },
    NavItem {
        label: "Everything",
        href: "/all",
        shown: |desk| desk.sees("programme", "title"),
    },
];
