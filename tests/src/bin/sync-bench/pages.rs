//! A hub's pages with a full year of made-up work, and the coordinator's with a made-up nation: how
//! long each page takes over HTTP, for everybody who works with them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use node::Node;
use node::config::WebConfig;
use node::web::{Pages, hub_routes, hub_site};
use tests::visitor::{Visitor, account};
use tests::walk::kind_of;

use crate::figures::{Figures, milliseconds, percentile};
use crate::founding::{Founding, is_admitted, wait_for};
use crate::stage::temporary;

const HUB: &str = "south-yorkshire";
/// After so many requests something is edited, as happens while people read.
const EDIT_EVERY: usize = 20;
/// What ends a session or hands out a file.
const NOT_A_PAGE: [&str; 5] = ["/assets", "/sign-", "/events", "/sw.js", "/jobs"];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A small year instead of a full one.
    #[arg(long)]
    small: bool,
    /// How often each page is asked for after the first time.
    #[arg(long, default_value_t = 100)]
    times: usize,
    /// Measure these kinds of page alone, such as /reach or /work-groups/{id}; may be repeated.
    #[arg(long)]
    page: Vec<String>,
}

/// A kind of page, and what asking for it cost.
struct Page {
    path: String,
    first: Duration,
    times: Vec<Duration>,
    bytes: usize,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Vec<Figures>> {
    let folder = temporary()?;
    let founding = Founding::begin(folder.path()).await?;
    // The nation first: a sample is made in a network that holds nothing yet.
    founding.sample(options.small).await?;
    let node = founding.node_of(HUB).await?;
    let project = founding.space("NCP26-01")?;
    founding.grant(project, HUB)?;
    let running = node.start();
    is_admitted(&node, &[project]).await?;
    let asked = node.clone();
    wait_for("the hub's own space", || {
        Ok(asked.create_record("person", "", "{}").is_err_and(|error| {
            // An empty card is refused by name once there is a space for it.
            error.to_string().contains("missing")
        }))
    })
    .await?;
    let (filled, small) = (node.clone(), options.small);
    tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        filled.sample(1, small)?;
        Ok(filled.catch_up()?)
    })
    .await??;

    let config = WebConfig {
        listen: "127.0.0.1:0".to_owned(),
        ..WebConfig::default()
    };
    let hub = Pages::serve(&node, &config, hub_site(), hub_routes()).await?;
    let hub = hub.context("the hub serves no pages")?;
    let national = founding.pages(&config).await?;
    let mut figures = Vec::new();
    for (role, holder) in [
        ("hub lead", String::new()),
        ("work group lead", leader(&node)?),
    ] {
        let from = (hub.address(), "/");
        figures.extend(as_role(&node, from, role, &holder, options).await?);
    }
    let (at, there) = (founding.node().clone(), (national.address(), "/picture"));
    figures.extend(as_role(&at, there, "operator", "", options).await?);
    hub.stop(Duration::from_secs(5)).await;
    national.stop(Duration::from_secs(5)).await;
    running.stop(Duration::from_secs(5)).await;
    drop(at);
    // What was measured stands, whether or not the folder is free in time.
    if let Err(error) = founding.end().await {
        eprintln!("{error}");
    }
    Ok(figures)
}

/// Who leads a work group.
fn leader(node: &Node) -> anyhow::Result<String> {
    for group in node.list_records("work-group", "")? {
        let shown = node.show_record(&group.id.to_string())?;
        let leaders = shown.fields.get("leaders");
        let person = leaders.and_then(|it| it[0]["person"].as_str());
        if let Some(person) = person {
            return Ok(person.to_owned());
        }
    }
    anyhow::bail!("nobody leads a work group")
}

/// What somebody who acts in a role sees.
async fn as_role(
    node: &Node,
    (address, from): (SocketAddr, &str),
    role: &str,
    holder: &str,
    options: &Options,
) -> anyhow::Result<Vec<Figures>> {
    let (at, name, holder) = (node.clone(), role.to_owned(), holder.to_owned());
    let visitor = tokio::task::spawn_blocking(move || {
        account(&at, &name, &name, &holder);
        Visitor::sign_in(&at, address, &name, 0)
    })
    .await?;
    let mut pages = found(&visitor, from).await?;
    if !options.page.is_empty() {
        pages.retain(|kind, _| options.page.contains(kind));
    }
    let mut asked = 0;
    for _ in 0..options.times {
        for page in pages.values_mut() {
            if asked % EDIT_EVERY == 0 {
                edit(node.clone(), asked).await?;
            }
            asked += 1;
            let begun = Instant::now();
            let answer = visitor.get(&page.path).await;
            page.times.push(begun.elapsed());
            ensure!(
                answer.status == 200,
                "{} answered {}",
                page.path,
                answer.status
            );
            page.bytes = page.bytes.max(answer.body.len());
        }
    }
    let lines = pages.into_iter().map(|(kind, page)| {
        let of = |percent| percentile(&page.times, percent).map(milliseconds);
        Figures::of("pages")
            .with("role", role)
            .with("page", kind)
            .with("first_ms", milliseconds(page.first))
            .with_some("p50_ms", of(50))
            .with_some("p95_ms", of(95))
            .with("bytes", page.bytes)
    });
    Ok(lines.collect())
}

/// One page of each kind, found by following the links from the first page.
async fn found(visitor: &Visitor, from: &str) -> anyhow::Result<BTreeMap<String, Page>> {
    let (mut pages, mut seen) = (BTreeMap::new(), BTreeSet::from([from.to_owned()]));
    let mut open = VecDeque::from([from.to_owned()]);
    while let Some(path) = open.pop_front() {
        let begun = Instant::now();
        let answer = visitor.get(&path).await;
        let first = begun.elapsed();
        if answer.status != 200 || !answer.headers.contains("content-type: text/html") {
            continue;
        }
        for link in links(&answer.body) {
            if seen.insert(kind_of(&link)) {
                open.push_back(link);
            }
        }
        let page = Page {
            bytes: answer.body.len(),
            times: Vec::new(),
            first,
            path: path.clone(),
        };
        pages.insert(kind_of(&path), page);
    }
    ensure!(pages.contains_key(from), "the first page does not answer");
    Ok(pages)
}

/// Where a page leads on the same site, without questions and places in the page.
fn links(page: &str) -> Vec<String> {
    let hrefs = page.split("href=\"").skip(1);
    let paths = hrefs.filter_map(|rest| rest.split(['"', '?', '#']).next());
    paths
        .filter(|path| path.starts_with('/') && !path.starts_with("//"))
        .filter(|path| !NOT_A_PAGE.iter().any(|other| path.starts_with(other)))
        .map(str::to_owned)
        .collect()
}

/// Edits a record, if there is one that may be.
async fn edit(node: Node, number: usize) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        if let Some(group) = node.list_records("work-group", "")?.first() {
            let change = format!(r#"{{"notes": "Seen {number}"}}"#);
            node.edit_record(&group.id.to_string(), "", &change)?;
        }
        Ok(())
    })
    .await?
}
