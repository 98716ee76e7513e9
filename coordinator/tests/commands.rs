//! The command itself.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use clap::Parser;
use node::Node;
use node::cli::{Arguments, Exit};
use node::clock::now_ms;
use node::enrolment::{ConnectingState, Invitation, ask};
use node::proxy::Proxies;
use node_feed::SecretKey;

fn run(data: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_causeway-coordinator"))
        .arg("--data")
        .arg(data)
        .args(words)
        .output()
        .expect("the command runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A coordinator that serves, and is killed when this is dropped.
struct Serving(Child);

impl Serving {
    fn start(data: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_causeway-coordinator"))
            .arg("--data")
            .arg(data)
            .arg("serve")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("the coordinator starts"))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Runs `causeway-node` with these words, within this process, once the folder is free.
async fn node_command(data: &Path, words: &[&str]) -> Result<(), String> {
    let done = node_run(data, words).await;
    done.map_err(|error| error.to_string())
}

/// The same, and by which code it would end.
async fn node_exit(data: &Path, words: &[&str]) -> Exit {
    let done = node_run(data, words).await;
    done.map_or_else(|error| Exit::of(&error), |()| Exit::Done)
}

async fn node_run(data: &Path, words: &[&str]) -> anyhow::Result<()> {
    loop {
        let data = data.to_string_lossy();
        let all = ["causeway-node", "--data", &data].into_iter();
        let arguments = Arguments::try_parse_from(all.chain(words.iter().copied()));
        match arguments.expect("good words").run().await {
            Err(error) if error.to_string().contains("in use") => soon().await,
            done => return done,
        }
    }
}

/// The node in this folder, once that is free.
async fn open(path: &Path) -> Node {
    loop {
        match Node::open(path) {
            Err(error) if error.to_string().contains("in use") => soon().await,
            opened => return opened.expect("a node"),
        }
    }
}

async fn soon() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[test]
fn settings_that_cannot_be_used_leave_no_keys_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    std::fs::create_dir(&data).expect("a folder");
    std::fs::write(
        data.join("causeway.toml"),
        "[listen]\npublic = \"no port\"\n",
    )
    .expect("settings");
    let keys_text = keys.to_string_lossy();
    let refused = run(&data, &["init", "--new-keys", &keys_text]);
    assert_eq!(refused.status.code(), Some(64), "{}", text(&refused));
    assert!(!keys.exists());
}

#[test]
fn revoking_says_first_what_it_would_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let file = folder.path().join("invitation.toml");
    let (keys, file) = (keys.to_string_lossy(), file.to_string_lossy());
    let done = |words: &[&str]| {
        let output = run(&data, words);
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    done(&["init", "--new-keys", &keys]);
    let code = "south-yorkshire";
    done(&["invite", code, "--name", "South", "--out", &file]);
    let said = done(&["revoke", code]);
    assert!(said.contains("add --confirm"), "{said}");
    done(&["space", "create", "network", "Notices"]);
    done(&["revoke", code, "--confirm"]);
    let refused = run(&data, &["revoke", code, "--confirm"]);
    assert!(text(&refused).contains("was revoked"), "{}", text(&refused));
}

#[test]
fn the_waiting_room_can_be_looked_into_before_anyone_has_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let done = run(&data, &["init", "--new-keys", &keys.to_string_lossy()]);
    assert!(done.status.success(), "{}", text(&done));
    let said = text(&run(&data, &["waiting"]));
    assert!(said.contains("no request to connect waits"), "{said}");
    let said = text(&run(&data, &["waiting", "--json"]));
    assert!(said.contains("\"waiting\": []"), "{said}");
    let nobody = run(&data, &["admit", "south-yorkshire"]);
    assert!(!nobody.status.success());
    let said = text(&nobody);
    assert!(
        said.contains("no request of \"south-yorkshire\" waits"),
        "{said}"
    );
    let silent = run(&data, &["refuse", "south-yorkshire"]);
    assert!(text(&silent).contains("--why"), "{}", text(&silent));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_connect_with_the_commands_of_the_five_minutes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let (keys, data) = (keys.to_string_lossy(), data.as_path());
    let done = |words: &[&str]| {
        let output = run(data, words);
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        text(&output)
    };
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.expect("a free port");
    std::fs::create_dir(data).expect("a folder");
    let settings = format!("[listen]\naddress = \"{address}\"\npublic = \"{address}\"\n");
    std::fs::write(data.join("causeway.toml"), settings).expect("settings");
    done(&["init", "--new-keys", &keys]);
    let invite = |code: &str, more: &[&str]| {
        let file = folder.path().join(format!("{code}.toml"));
        let name = file.to_string_lossy().into_owned();
        let words = ["invite", code, "--name", "A hub", "--out", &name];
        done(&[&words[..], more].concat());
        name
    };
    let south = invite("south", &[]);
    let west = invite("west", &["--admit-at-once"]);
    let north = invite("north", &[]);
    let east = invite("east", &[]);
    let _serving = Serving::start(data);
    while !data.join("node.sock").exists() || std::net::TcpStream::connect(address).is_err() {
        soon().await;
    }

    // One that need not wait.
    let hub = |name: &str| folder.path().join(format!("{name}-node"));
    for name in ["south", "west", "north"] {
        node_command(&hub(name), &["init"]).await.expect("set up");
    }
    let connected = node_command(&hub("west"), &["connect", &west]).await;
    connected.expect("connected at once");

    // One that returns at once, and goes on later without the file.
    let words = ["connect", &south, "--no-wait"];
    node_command(&hub("south"), &words).await.expect("it waits");
    let node = open(&hub("south")).await;
    assert!(node.hub().is_none() && node.folder().join("connecting.toml").exists());
    let number = node.resume_connecting().expect("read").expect("it waits");
    let number = number.check_number().expect("a number").to_string();
    drop(node);
    let said = done(&["waiting"]);
    assert!(said.contains(&number) && said.contains("south"), "{said}");
    assert!(done(&["hubs"]).contains("waiting"));
    let said = done(&["admit", "south"]);
    assert!(said.contains(&number), "{said}");
    let said = done(&["admit", "south"]);
    assert!(said.contains("was admitted before"), "{said}");
    let connected = node_command(&hub("south"), &["connect"]).await;
    connected.expect("it was admitted");
    assert!(open(&hub("south")).await.hub().is_some());

    // One of an older program, which makes no check number.
    let invitation = Invitation::read(Path::new(&east)).expect("the file");
    let key = SecretKey::from_seed(&[9; 32]);
    ask(&invitation, &key, now_ms(), &Proxies::Direct)
        .await
        .expect("it waits");
    let said = done(&["waiting"]);
    assert!(said.contains("not there yet"), "{said}");
    let refused = run(data, &["admit", "east"]);
    assert!(!refused.status.success());
    let said = text(&refused);
    assert!(said.contains("running and current"), "{said}");
    let said = done(&["refuse", "east", "--why", "Its program is too old"]);
    assert!(said.contains("is refused"), "{said}");
    let listed = done(&["node", "list"]);
    let west = listed.lines().find(|line| line.starts_with("west"));
    assert!(west.is_some_and(|line| line.contains(" - ")), "{listed}");

    // One that waits while it is refused.
    let path = hub("north");
    let waiting = async { node_command(&path, &["connect", &north]).await };
    let refusing = async {
        loop {
            let words = ["refuse", "north", "--why", "Not our number"];
            if run(data, &words).status.success() {
                return;
            }
            soon().await;
        }
    };
    let (refused, ()) = tokio::join!(waiting, refusing);
    let refused = refused.expect_err("it was refused");
    assert!(refused.contains("Not our number"), "{refused}");
    let said = done(&["waiting"]);
    assert!(said.contains("no request to connect waits"), "{said}");
    assert!(said.contains("Not our number"), "{said}");
    let node = open(&path).await;
    let invitation = Invitation::read(Path::new(&north)).expect("the file");
    let text = invitation.to_toml().expect("its text");
    let again = node.connect(&text).expect("it asks").outcome().await;
    assert_eq!(again, ConnectingState::Refused("Not our number".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_says_by_its_code_that_nobody_answers_and_that_it_may_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let (file, hub) = (folder.path().join("south.toml"), folder.path().join("hub"));
    let (keys, file) = (keys.to_string_lossy(), file.to_string_lossy());
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.expect("a free port");
    std::fs::create_dir(&data).expect("a folder");
    let settings = format!("[listen]\naddress = \"{address}\"\npublic = \"{address}\"\n");
    std::fs::write(data.join("causeway.toml"), settings).expect("settings");
    let done = |words: &[&str]| {
        let output = run(&data, words);
        assert!(output.status.success(), "{words:?}: {}", text(&output));
    };
    done(&["init", "--new-keys", &keys]);
    done(&["invite", "south", "--name", "South", "--out", &file]);
    node_command(&hub, &["init"]).await.expect("set up");
    assert_eq!(
        node_exit(&hub, &["connect", &file]).await,
        Exit::Unreachable
    );

    let _serving = Serving::start(&data);
    while !data.join("node.sock").exists() || std::net::TcpStream::connect(address).is_err() {
        soon().await;
    }
    let words = ["connect", &file, "--no-wait"];
    assert_eq!(node_exit(&hub, &words).await, Exit::Done);
    done(&["refuse", "south", "--why", "Not our number"]);
    assert_eq!(node_exit(&hub, &["connect"]).await, Exit::NotAllowed);
}

#[test]
fn health_and_nodes_can_be_asked_before_anyone_has_connected() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let file = folder.path().join("invitation.toml");
    let (keys, file) = (keys.to_string_lossy(), file.to_string_lossy());
    let done = |words: &[&str]| {
        let output = run(&data, words);
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    done(&["init", "--new-keys", &keys]);
    let code = "south-yorkshire";
    done(&["invite", code, "--name", "South", "--out", &file]);
    let said = done(&["health"]);
    assert!(
        said.contains("invited") && said.contains("0 silent for 2 days"),
        "{said}"
    );
    let said = done(&["health", "--silent-for", "12h", "--json"]);
    assert!(said.contains("\"silent_for_ms\": 43200000"), "{said}");
    let wrong = run(&data, &["health", "--silent-for", "long"]);
    assert!(text(&wrong).contains("write it as 30m"), "{}", text(&wrong));
    assert!(done(&["node", "list"]).contains("CHECK NUMBER"));
    let nobody = run(&data, &["node", "revoke", code]);
    assert!(
        text(&nobody).contains("no node of a hub is named"),
        "{}",
        text(&nobody)
    );
    let said = done(&["suspend", code, "--why", "a test"]);
    assert!(said.contains("is suspended"), "{said}");
    assert!(done(&["health"]).contains("it is suspended (a test)"));
    assert!(done(&["resume", code]).contains("may connect again"));
    let again = run(&data, &["resume", code]);
    assert!(
        text(&again).contains("is not suspended"),
        "{}",
        text(&again)
    );
}

#[test]
fn a_new_network_is_filled_with_a_nation_and_its_records_come_out_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let done = |words: &[&str]| {
        let output = run(&data, words);
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    done(&["init", "--new-keys", &file("keys")]);
    let made = done(&["--json", "sample", "--seed", "5", "--small"]);
    let made = serde_json::from_str::<serde_json::Value>(&made).expect("JSON");
    let nation = node_domain::sample::Nation::generate(5, node_domain::sample::Scale::Small);
    let made = &made["made"];
    assert_eq!(made["programme"], 1);
    assert_eq!(made["hub"], nation.hubs.len());
    assert_eq!(made["project"], nation.projects.len());
    assert_eq!(made["forum-thread"], nation.threads.len());
    assert_eq!(made["organisation"], nation.register.len());
    let refused = run(&data, &["sample", "--seed", "5", "--small"]);
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains("records in this network already"),
        "{}",
        text(&refused)
    );

    // All of it is where it belongs: a vacant area with its neighbours, projects, the forum.
    let hubs = done(&[
        "record",
        "list",
        "--kind",
        "hub",
        "--filter",
        "vacant is yes",
    ]);
    assert!(hubs.contains(node_domain::sample::VACANT_AREA), "{hubs}");
    assert!(hubs.contains("south-yorkshire, west-yorkshire"), "{hubs}");
    let threads = done(&["record", "list", "--kind", "forum-thread"]);
    assert!(
        threads.contains("Dates of the national meeting"),
        "{threads}"
    );

    let csv = file("projects.csv");
    done(&["export", "list", &csv, "--kind", "project"]);
    let csv = std::fs::read_to_string(&csv).expect("the list");
    assert!(
        csv.contains("NCP") && csv.contains("Supporting Core Maths"),
        "{csv}"
    );
    let complete = file("complete");
    done(&["export", "hub", &complete]);
    assert!(
        std::path::Path::new(&complete)
            .join("manifest.json")
            .exists()
    );
    let picture = done(&["report", "picture", "schools-completed", "2026-27 spring"]);
    assert!(picture.contains("missing"), "{picture}");
    let register = file("register.csv");
    let school = "URN,EstablishmentName,EstablishmentStatus (name)\n999999,A New School,Open\n";
    std::fs::write(&register, school).expect("a register");
    let import = ["--json", "import", "register", &register];
    let imported = serde_json::from_str::<serde_json::Value>(&done(&import)).expect("JSON");
    assert_eq!(
        (&imported["new"], &imported["wrong"]),
        (&1.into(), &0.into())
    );
    assert!(done(&["schema"]).contains("work-group"));
}

#[test]
fn health_is_watched_and_the_audit_log_checked_while_the_coordinator_serves() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let keys = keys.to_str().expect("a path");
    let begun = run(&data, &["init", "--new-keys", keys]);
    assert!(begun.status.success(), "{}", text(&begun));
    let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let port = port.expect("a free port").port();
    let settings = format!(
        "[listen]\naddress = \"127.0.0.1:{port}\"\npublic = \"127.0.0.1:{port}\"\n[web]\nlisten = \"\"\n"
    );
    std::fs::write(data.join("causeway.toml"), settings).expect("settings");
    let words = ["--json", "health", "--watch", "--every", "1s"];
    let nothing = run(&data, &words);
    assert_eq!(nothing.status.code(), Some(69), "{}", text(&nothing));
    let _serving = Serving::start(&data);
    let mut watched = String::new();
    for _ in 0..600 {
        // It is ended in the middle of what would go on.
        let output = Command::new("timeout")
            .args([
                "-s",
                "INT",
                "3",
                env!("CARGO_BIN_EXE_causeway-coordinator"),
                "--data",
            ])
            .arg(&data)
            .args(words)
            .output()
            .expect("the command runs");
        watched = String::from_utf8_lossy(&output.stdout).into_owned();
        if !watched.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let lines = watched.lines().collect::<Vec<_>>();
    assert!(lines.len() > 1, "{watched}");
    for line in lines {
        let health: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(health["hubs"].is_array(), "{line}");
    }
    let file = folder.path().join("invitation.toml");
    let file = file.to_str().expect("a path");
    let name = "West Yorkshire Maths Hub";
    let invite = ["invite", "west-yorkshire", "--name", name, "--out", file];
    let invited = run(&data, &invite);
    assert!(invited.status.success(), "{}", text(&invited));
    let listed = text(&run(&data, &["audit", "list"]));
    assert!(
        listed.contains("invited") && listed.contains("hub: west-yorkshire"),
        "{listed}"
    );
    assert!(!listed.contains("West Yorkshire"), "{listed}");
    let whole = run(&data, &["audit", "verify"]);
    assert_eq!(whole.status.code(), Some(0), "{}", text(&whole));
}
