//! Another identity key, taken by command while both programs run.

use std::path::Path;

use node::tls::Connector;
use serde_json::Value;
use tests::process::Process;
use tests::world::until;
use tonic::Streaming;
use tonic::transport::Channel;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::program::{Said, command, coordinator, run};

fn json(said: &Said) -> Value {
    let read = serde_json::from_str(&said.out);
    read.unwrap_or_else(|error| panic!("{error}: {}{}", said.out, said.error))
}

fn done(said: Said) -> Said {
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.error);
    said
}

fn text(path: &Path) -> &str {
    path.to_str().expect("plain text")
}

/// Asks how a program is, and goes on hearing of it for as long as it is held.
async fn held(socket: &Path) -> Streaming<HealthCheckResponse> {
    let channel = node::local::connect(socket).await.expect("it answers");
    watched(channel).await
}

/// The same as a stranger at the port for hubs.
async fn held_by_a_stranger(port: u16, safe: &Path) -> Streaming<HealthCheckResponse> {
    let address = format!("127.0.0.1:{port}").parse().expect("an address");
    let authority = std::fs::read_to_string(safe.join("authority.pem")).expect("the authority");
    let connector = Connector::new(address, &authority, None).expect("a connector");
    watched(connector.connect().await.expect("connected").channel).await
}

async fn watched(channel: Channel) -> Streaming<HealthCheckResponse> {
    let request = HealthCheckRequest::default();
    let watched = HealthClient::new(channel).watch(request).await;
    let mut watched = watched.expect("it is told").into_inner();
    watched.message().await.expect("a first answer");
    watched
}

/// The node's id, once it has no former one to end.
async fn settled(mut shown: impl AsyncFnMut() -> Said, id: &str) {
    tokio::time::timeout(crate::program::PATIENCE, async {
        loop {
            let said = shown().await;
            if said.code == Some(0) {
                let known = json(&said);
                if known["node"] == id && known["former"] == "" {
                    return;
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("it is known by its new key alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_and_coordinator_take_other_keys_by_command_and_go_on_by_themselves() {
    let place = tempfile::TempDir::new().expect("a folder");
    let path = |name: &str| place.path().join(name);
    let (data, safe, hub) = (path("data"), path("safe"), path("hub"));
    let at_coordinator = async |words: &[&str]| run(coordinator(&data, words)).await;
    let at_hub = async |words: &[&str]| run(command(&hub, words)).await;
    done(at_coordinator(&["init", "--new-keys", text(&safe)]).await);
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let port = port.expect("a free port").port();
    let settings = format!(
        "[listen]\naddress = \"127.0.0.1:{port}\"\npublic = \"127.0.0.1:{port}\"\n[web]\nlisten = \"\"\n\
         [shutdown]\ngrace_ms = 1000\n"
    );
    std::fs::write(data.join("causeway.toml"), settings).expect("settings");
    let serve = coordinator(&data, &["serve"]);
    let coordinating = Process::start(serve.into(), &path("coordinator.log")).expect("it starts");
    until("it serves", || data.join("node.sock").exists()).await;
    let file = path("south.toml");
    let invite = [
        "invite",
        "south",
        "--name",
        "South",
        "--admit-at-once",
        "--out",
        text(&file),
    ];
    done(at_coordinator(&invite).await);
    std::fs::create_dir(&hub).expect("a folder");
    let settings = "[sync]\nreconnect_ms_min = 100\nreconnect_ms_max = 1000\n[web]\nlisten = \"\"\n\
         [shutdown]\ngrace_ms = 1000\n";
    std::fs::write(hub.join("causeway.toml"), settings).expect("settings");
    done(at_hub(&["init"]).await);

    // Nothing runs that could hear from the coordinator.
    let early = at_hub(&["identity", "rotate", "--confirm"]).await;
    assert_eq!(early.code, Some(69));
    assert!(early.error.contains("`serve`"), "{}", early.error);
    done(at_hub(&["connect", text(&file)]).await);
    let serve = command(&hub, &["serve"]);
    let serving = Process::start(serve.into(), &path("hub.log")).expect("it starts");
    until("it serves", || hub.join("node.sock").exists()).await;

    let asked = done(at_hub(&["identity", "rotate"]).await);
    assert!(asked.out.contains("nothing was changed"), "{}", asked.out);
    let before = json(&done(at_hub(&["--json", "identity", "show"]).await));
    // Somebody holds a line that never ends by itself.
    let _held = held(&hub.join("node.sock")).await;
    let rotated = json(&done(
        at_hub(&["--json", "identity", "rotate", "--confirm"]).await,
    ));
    assert_ne!(rotated["node"], before["node"]);
    let id = rotated["node"].as_str().expect("an id");
    settled(async || at_hub(&["--json", "identity", "show"]).await, id).await;

    // The folder of another coordinator, and one that is none.
    let (other, others_safe) = (path("other"), path("other-safe"));
    let init = ["init", "--new-keys", text(&others_safe)];
    done(run(coordinator(&other, &init)).await);
    let rotate = async |safe: &Path| {
        let words = [
            "--json",
            "identity",
            "rotate",
            "--confirm",
            "--saved-keys",
            text(safe),
        ];
        at_coordinator(&words).await
    };
    let wrong = rotate(&others_safe).await;
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.error.contains("newest copy"), "{}", wrong.error);
    let none = rotate(&path("nothing")).await;
    assert!(none.error.contains("identity.key"), "{}", none.error);
    assert!(!path("nothing").exists());

    let _held = held(&data.join("node.sock")).await;
    let _stranger = held_by_a_stranger(port, &safe).await;
    let rotated = json(&done(rotate(&safe).await));
    let id = rotated["node"].as_str().expect("an id");
    settled(
        async || at_coordinator(&["--json", "identity", "show"]).await,
        id,
    )
    .await;
    let identity = |folder: &Path| std::fs::read(folder.join("identity.key")).expect("a key");
    assert_eq!(identity(&safe), identity(&data));
    assert!(!safe.join("identity-next.key").exists());
    let membership = || std::fs::read_to_string(hub.join("membership.toml")).expect("it is there");
    until("the hub has followed", || membership().contains(id)).await;
    let listed = done(at_coordinator(&["audit", "list"]).await);
    let told = [
        "identity key replaced",
        "takes the place of node",
        "another key took its place",
    ];
    for line in told {
        assert!(listed.out.contains(line), "{line}: {}", listed.out);
    }
    let listed = done(at_hub(&["audit", "list"]).await);
    assert!(
        listed.out.contains("identity key replaced"),
        "{}",
        listed.out
    );
    // Neither was started again: both went on by themselves.
    serving.kill().await.expect("it ran");
    coordinating.kill().await.expect("it ran");
}
