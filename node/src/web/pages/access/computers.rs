//! The computers of this hub, and those of which nobody here knows.

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use maud::{Markup, html};
use node_feed::NodeId;

use super::check;
use crate::hub_nodes::HubNode;
use crate::web::parts::{self, Tone};
use crate::web::{PageError, Posted, Visit, Web, words};

const KNOWN: &str = "/access/computers/known";

pub(super) fn routes() -> Router<Web> {
    Router::new().route(KNOWN, post(know))
}

/// The hub's computers, if it has others than this one.
pub(super) async fn list(visit: &Visit) -> Result<Markup, PageError> {
    let node = visit.web().node().clone();
    let nodes = visit.work(move |_| node.hub_nodes().map_err(PageError::from));
    let nodes = nodes.await?;
    if nodes.len() < 2 {
        return Ok(html! {});
    }
    let unknown = nodes.iter().filter(|node| node.is_unknown);
    let unknown = unknown.collect::<Vec<_>>();
    Ok(html! {
        h2 #computers { "Computers of this hub" }
        @if !unknown.is_empty() {
            (parts::inset(&html! {
                p {
                    @if unknown.len() == 1 { "A computer was" } @else { (unknown.len()) " computers were" }
                    " connected in this hub's name, and nobody here has said that they know of it. It reads \
                     and changes all that this hub shares. If nobody here connected it, telephone NCETM."
                }
            }))
            (parts::form(KNOWN, visit.csrf(), &html! {
                @for node in &unknown { input type="hidden" name="node" value=(node.node); }
                (parts::button("We know of it"))
            }))
        }
        ul.tasks {
            @for node in &nodes {
                li {
                    div {
                        (name(node))
                        @if let Some(since) = node.since_ms { p { "Since " (words::moment(since)) } }
                    }
                    div { (standing(node)) }
                }
            }
        }
    })
}

const fn name(node: &HubNode) -> &'static str {
    if node.is_own {
        "This computer"
    } else {
        "Another computer"
    }
}

fn standing(node: &HubNode) -> Markup {
    if node.has_ended {
        parts::tag("ended", Tone::Plain)
    } else if node.is_unknown {
        parts::tag("nobody knows of it", Tone::Wrong)
    } else {
        parts::tag("known", Tone::Good)
    }
}

async fn know(visit: Visit, Posted(form): Posted) -> Result<Response, PageError> {
    check(&visit)?;
    // Those that were on the page: another that came since is not known by that.
    let nodes = form.all("node").filter_map(|node| node.parse().ok());
    let nodes = nodes.collect::<Vec<NodeId>>();
    let node = visit.web().node().clone();
    let kept = visit.work(move |_| node.know_hub_nodes(&nodes).map_err(PageError::from));
    kept.await?;
    Ok(Redirect::to("/access#computers").into_response())
}
