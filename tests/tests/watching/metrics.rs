//! What Prometheus is told, by a coordinator and a hub that talk to each other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use node::metrics::METRICS;
use tests::world::{World, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HUB: &str = "west-yorkshire";

/// Asks for a page, and returns its status and body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// Lets a node or the coordinator serve metrics, from its next start on.
pub(crate) fn serve_metrics(world: &World, name: &str) {
    let settings = world.path(name).join("causeway.toml");
    let text = std::fs::read_to_string(&settings).unwrap_or_default();
    let text = text + "\n[metrics]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(settings, text).expect("settings");
}

/// The values by name and labels, as they were told.
fn series(text: &str) -> BTreeMap<String, f64> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let series = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    });
    series.collect()
}

fn names(text: &str) -> BTreeSet<&str> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).collect()
}

/// A coordinator and a hub that serve metrics, with a project that both hold.
async fn watched() -> (World, SocketAddr, SocketAddr) {
    let mut world = World::new().await;
    world.stop_coordinator().await;
    serve_metrics(&world, "coordinator");
    world.start_coordinator().await;
    world.add_hub(HUB).await;
    world.stop_hub(HUB).await;
    serve_metrics(&world, HUB);
    world.start_hub(HUB);
    let (space, _) = world.project("NCP24-11", &[HUB]).await;
    world.agree(space).await;
    let coordinator = world.metrics_address("coordinator");
    let hub = world.metrics_address(HUB);
    (world, coordinator, hub)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_is_what_the_table_says_and_nothing_else() {
    let (world, coordinator, hub) = watched().await;
    let path = world.path("copy.db");
    world.hub(HUB).backup(&path, &[]).expect("a backup");
    let mut told = BTreeSet::new();
    for address in [coordinator, hub] {
        let (status, text) = get(address, "/metrics").await;
        assert_eq!(status, 200, "{text}");
        told.extend(names(&text).into_iter().map(str::to_owned));
        for metric in METRICS {
            let kind = format!("# TYPE {} {}", metric.name, metric.kind.name());
            let help = format!("# HELP {} {}", metric.name, metric.help);
            if names(&text).contains(metric.name) {
                assert!(text.contains(&kind), "{kind} is not in:\n{text}");
                assert!(text.contains(&help), "{help} is not in:\n{text}");
            }
        }
    }
    let table = METRICS.iter().map(|metric| metric.name.to_owned());
    assert_eq!(told, table.collect());
    let (status, _) = get(hub, "/anything").await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_those_of_what_happened() {
    let (world, coordinator, _) = watched().await;
    let node = world.hub(HUB).id();
    let peer = |name: &str| format!("causeway_peer_{name}{{hub=\"{HUB}\",node=\"{node}\"}}");
    let (_, text) = get(coordinator, "/metrics").await;
    let before = series(&text);
    assert!(before["causeway_sessions"] >= 1.0, "{text}");
    assert!((before[&peer("connected")] - 1.0).abs() < f64::EPSILON);
    assert!(before["causeway_append_seconds_count"] > 0.0);
    assert!(before["causeway_store_changes_total"] >= before["causeway_append_seconds_count"]);
    assert!(before["causeway_store_bytes"] > 4_096.0 && before["causeway_cache_documents"] > 0.0);
    let ends = "causeway_certificate_ends_timestamp_seconds{certificate=\"server\"}";
    assert!(before[ends] > 1.7e9, "{text}");
    // The hub goes, work is done, and it lags.
    world.hub(HUB).pause(true);
    until("the hub is gone", || {
        world
            .coordinator()
            .operations()
            .node()
            .peers_connected()
            .is_empty()
    })
    .await;
    let json = r#"{"code": "NCP24-12", "title": "Another project"}"#;
    let operations = world.coordinator().operations();
    let space = operations
        .create_space(node_feed::SpaceKind::Project, "Another")
        .expect("a space");
    operations
        .grant(space, HUB, node_feed::Access::Read)
        .expect("access");
    operations
        .node()
        .create_record("project-work", &space.to_string(), json)
        .expect("a record");
    let (_, text) = get(coordinator, "/metrics").await;
    let after = series(&text);
    assert!(after[&peer("connected")].abs() < f64::EPSILON, "{text}");
    assert!(
        after[&peer("lag_entries")] > before[&peer("lag_entries")],
        "{text}"
    );
    // It lags no longer.
    world.hub(HUB).pause(false);
    world.agree(space).await;
    let mut lag = f64::MAX;
    for _ in 0..200 {
        let (_, text) = get(coordinator, "/metrics").await;
        lag = series(&text)[&peer("lag_entries")];
        if lag.abs() < f64::EPSILON {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the hub still lags by {lag}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_was_cut_off_is_not_told_of_any_more() {
    let (world, coordinator, _) = watched().await;
    let node = world.hub(HUB).id().to_string();
    assert!(get(coordinator, "/metrics").await.1.contains(&node));
    let operations = world.coordinator().operations();
    operations.revoke(HUB, "a test").expect("revoked");
    let (_, text) = get(coordinator, "/metrics").await;
    assert!(!text.contains(&node), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_hold_no_name_and_nothing_of_a_record() {
    let (world, coordinator, hub) = watched().await;
    let person = r#"{"name": "Quillon Ashgrove-Planted", "email": "quillon@example.org"}"#;
    let made = world.hub(HUB).create_record("person", "", person);
    let card = made.expect("a person").id.to_string();
    let spaces = world.hub(HUB).spaces().expect("spaces");
    for address in [coordinator, hub] {
        let (_, text) = get(address, "/metrics").await;
        for secret in ["Quillon", "quillon", "NCP24", "Maths Hub", card.as_str()] {
            assert!(!text.contains(secret), "{secret} is in:\n{text}");
        }
        for space in &spaces {
            assert!(!text.contains(&space.id.to_string()), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_ready_once_it_listens_and_its_lists_are_whole() {
    let (mut world, coordinator, hub) = watched().await;
    until("the coordinator is ready", || {
        world
            .coordinator()
            .operations()
            .node()
            .readiness()
            .is_ready()
    })
    .await;
    assert_eq!(
        get(coordinator, "/ready").await,
        (200, "ready\n".to_owned())
    );
    assert_eq!(get(coordinator, "/live").await.0, 200);
    // Nobody serves the hub's socket here, so that it is alive and not ready.
    let (status, lacks) = get(hub, "/ready").await;
    assert_eq!(status, 503);
    assert_eq!(lacks, "the node does not listen yet, or any more\n");
    assert_eq!(get(hub, "/live").await.0, 200);
    world.stop_hub(HUB).await;
    let gone = TcpStream::connect(hub).await;
    assert!(gone.is_err(), "who has stopped is not alive");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_settings_serve_none_counts_nothing() {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    let text = world.hub(HUB).metrics_text().expect("a text");
    assert!(!text.contains("causeway_append_seconds"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_stay_open_in_memory_only_as_far_as_the_settings_allow() {
    const CEILING: f64 = 1_048_576.0;
    const DOCUMENTS: u64 = 30;
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    let (space, _) = world.project("NCP24-11", &[HUB]).await;
    world.agree(space).await;
    world.stop_hub(HUB).await;
    serve_metrics(&world, HUB);
    let settings = world.path(HUB).join("causeway.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    let ceiling = "\n[documents]\ncache_bytes_max = 1048576\n";
    std::fs::write(&settings, text + ceiling).expect("settings");
    world.start_hub(HUB);
    let (hub, address) = (world.hub(HUB), world.metrics_address(HUB));
    let body = "It helps. ".repeat(3_900);
    let made = (0..DOCUMENTS).map(|number| {
        let fields = serde_json::json!({ "title": format!("No. {number}"), "body": body });
        let made = hub.create_record("practice", &space.to_string(), &fields.to_string());
        made.expect("it is made").id.to_string()
    });
    let made = made.collect::<Vec<_>>();
    // Twice round: what was put away is opened again, and whole.
    let before = hub.documents_opened();
    for id in made.iter().chain(&made) {
        let shown = hub.show_record(id).expect("it is shown");
        assert_eq!(shown.fields["body"], body.trim_end());
    }
    assert!(
        hub.documents_opened() > before + DOCUMENTS,
        "most were put away"
    );
    let told = series(&get(address, "/metrics").await.1);
    let (bytes, open) = (
        told["causeway_cache_bytes"],
        told["causeway_cache_documents"],
    );
    assert!(bytes <= CEILING, "{bytes} bytes of {open} documents");
    assert!(open > 0.0 && open < 30.0, "{open} documents");
}
