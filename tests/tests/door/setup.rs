//! A node set up in one go, from the invitation file.

use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use node::Node;
use node_feed::SecretKey;
use tests::world::{World, until};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::program::{PATIENCE, command, folder, run, written};

/// `setup` while it runs.
struct Setup {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Setup {
    fn start(data: &Path, invitation: Option<&Path>) -> Self {
        let mut command = command(data, &["setup"]);
        if let Some(invitation) = invitation {
            command.arg(invitation);
        }
        let mut command = tokio::process::Command::from(command);
        let mut child = command.kill_on_drop(true).spawn().expect("it starts");
        let out = child.stdout.take().expect("its output");
        let lines = BufReader::new(out).lines();
        Self { child, lines }
    }

    /// Reads on until a line says this; returns that line.
    async fn says(&mut self, text: &str) -> String {
        let mut before = Vec::new();
        let found = tokio::time::timeout(PATIENCE, async {
            while let Some(line) = self.lines.next_line().await.expect("its output") {
                if line.contains(text) {
                    return Some(line);
                }
                before.push(line);
            }
            None
        });
        let found = found.await;
        let Ok(Some(line)) = found else {
            drop(self.child.kill().await);
            let mut log = String::new();
            let error = self.child.stderr.as_mut().expect("its log");
            drop(error.read_to_string(&mut log).await);
            panic!("it never said \"{text}\" but {before:#?} and {log}");
        };
        line
    }

    /// Kills it at once, as a power cut would.
    async fn kill(mut self) {
        self.child.kill().await.expect("it is killed");
    }

    /// Asks it to stop, as Ctrl-C does, and waits until it has.
    async fn stop(mut self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id
            .and_then(rustix::process::Pid::from_raw)
            .expect("it runs");
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it is told");
        let status = self.exit().await;
        assert!(status.success(), "{status}");
    }

    async fn exit(&mut self) -> ExitStatus {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it does not stop");
    }

    /// Waits until it ends by itself: its code, and the last line of its log.
    async fn ended(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        let error = self.child.stderr.as_mut().expect("its log");
        let read = tokio::time::timeout(PATIENCE, error.read_to_string(&mut log)).await;
        read.expect("it ends by itself").expect("its log");
        let status = self.exit().await;
        let last = log.lines().last().unwrap_or_default().to_owned();
        (status.code(), last)
    }
}

/// What somebody at a terminal sees, from the invitation to the first session, stopped again and again.
#[tokio::test(flavor = "multi_thread")]
async fn setting_up_goes_on_where_it_was_wherever_it_is_stopped() {
    let world = World::new().await;
    let path = folder(&world, "south", "");
    let file = written(&world, "south.toml", &world.invite_to_wait("south"));

    let mut setup = Setup::start(&path, Some(&file));
    setup.says("a new node is set up").await;
    setup.kill().await;
    let mut setup = Setup::start(&path, Some(&file));
    setup.says("is set up already").await;
    setup
        .says("Set this node up here, once, within a day")
        .await;
    assert!(setup.says("http://127.0.0.1:").await.contains("/set-up/"));
    let number = setup.says("check number").await;
    setup.kill().await;
    // The file is not needed any more.
    let mut setup = Setup::start(&path, None);
    assert_eq!(setup.says("check number").await, number);
    let waits = setup.says("waits to be admitted by NCETM").await;
    assert!(waits.contains("asked again by itself at"), "{waits}");
    setup.says("waits to be admitted by NCETM").await;
    setup.stop().await;

    let mut setup = Setup::start(&path, Some(&file));
    setup.says("waits to be admitted by NCETM").await;
    let operations = world.coordinator().operations();
    let asked = operations.waiting().expect("a list");
    assert!(
        number.contains(&asked[0].check_number.to_string()),
        "{number}"
    );
    operations
        .admit_waiting("south", "a test")
        .expect("admitted");
    let connected = setup.says("connected as").await;
    assert!(connected.contains("south Maths Hub"), "{connected}");
    let coordinator = operations.node();
    until("it has a session", || {
        !coordinator.peers_connected().is_empty()
    })
    .await;

    // While it runs, and once it has been stopped.
    let said = run(command(&path, &["setup"])).await;
    assert_eq!(said.code, Some(0), "{}", said.error);
    assert!(
        said.out.contains("runs already, and is connected"),
        "{}",
        said.out
    );
    setup.stop().await;
    let mut setup = Setup::start(&path, Some(&file));
    setup
        .says("connected already, so the invitation is not needed")
        .await;
    setup.says("connected as").await;
    setup.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_cannot_be_reached_is_tried_again_with_a_line_at_every_try() {
    let mut world = World::new().await;
    let path = folder(&world, "south", "");
    let file = written(&world, "south.toml", &world.invite("south"));
    world.stop_coordinator().await;
    let mut setup = Setup::start(&path, Some(&file));
    for _ in 0..2 {
        let line = setup.says("cannot be reached").await;
        assert!(line.contains("It is tried again by itself at"), "{line}");
    }
    world.start_coordinator().await;
    setup.says("connected as").await;
    setup.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_refused_says_why_and_ends_with_77_at_every_try() {
    let world = World::new().await;
    let path = folder(&world, "south", "");
    let file = written(&world, "south.toml", &world.invite_to_wait("south"));
    let mut setup = Setup::start(&path, Some(&file));
    setup.says("waits to be admitted by NCETM").await;
    let operations = world.coordinator().operations();
    operations
        .refuse_waiting("south", "Not our number", "a test")
        .expect("refused");
    let (code, said) = setup.ended().await;
    assert_eq!(code, Some(77), "{said}");
    assert!(
        said.contains("NCETM refused the request: Not our number"),
        "{said}"
    );
    for file in [None, Some(&*file)] {
        let (code, said) = Setup::start(&path, file).ended().await;
        assert_eq!(code, Some(77), "{said}");
        assert!(said.contains("Not our number"), "{said}");
    }
    // With another invitation it goes on.
    let file = written(&world, "again.toml", &world.invite("south"));
    let mut setup = Setup::start(&path, Some(&file));
    setup.says("connected as").await;
    setup.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_cannot_be_used_leaves_nothing_behind() {
    let world = World::new().await;
    let invitation = world.invite("south");
    let file = written(&world, "south.toml", &invitation);
    let text = std::fs::read_to_string(&file).expect("the invitation");
    let mut expired = invitation.clone();
    expired.expires_ms = 1_700_000_000_000;
    let path = |name: &str| world.path(name).to_string_lossy().into_owned();
    std::fs::write(path("half.toml"), &text[..text.len() / 2]).expect("written");
    written(&world, "expired.toml", &expired);
    for (file, code, says) in [
        (path("half.toml"), 1, "sent again"),
        (path("expired.toml"), 77, "ask NCETM for a new one"),
        (path("missing.toml"), 1, "cannot be read"),
        (path("coordinator"), 1, "cannot be read"),
    ] {
        let data = world.path("nowhere");
        let said = run(command(&data, &["setup", &file])).await;
        assert_eq!(said.code, Some(code), "{file}: {}", said.error);
        assert!(said.error.contains(says), "{}", said.error);
        assert!(!data.exists(), "{file} left something behind");
    }
    let said = run(command(&world.path("nowhere"), &["setup"])).await;
    assert_eq!(said.code, Some(64), "{}", said.error);
    assert!(
        said.error.contains("give the invitation file"),
        "{}",
        said.error
    );
    let below_a_file = world.path("south.toml").join("data");
    let file = file.to_str().expect("plain text");
    let said = run(command(&below_a_file, &["setup", file])).await;
    assert_eq!(said.code, Some(64), "{}", said.error);
    assert!(said.error.contains("Not a directory"), "{}", said.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_for_another_network_or_hub_changes_nothing() {
    let mut world = World::new().await;
    let other = World::new().await;
    world.add_hub("south").await;
    world.stop_hub("south").await;
    let path = world.path("south");
    let membership = std::fs::read(path.join("membership.toml")).expect("it is connected");
    let of_other_network = written(&world, "network.toml", &other.invite("south"));
    let of_other_hub = written(&world, "hub.toml", &world.invite("west"));
    for (file, says) in [
        (of_other_network, "belongs to another network already"),
        (of_other_hub, "belongs to another hub than west Maths Hub"),
    ] {
        let file = file.to_str().expect("plain text");
        let said = run(command(&path, &["setup", file])).await;
        assert_eq!(said.code, Some(1), "{}", said.error);
        assert!(said.error.contains(says), "{}", said.error);
        assert!(
            said.error.contains("in a folder of its own"),
            "{}",
            said.error
        );
        let now = std::fs::read(path.join("membership.toml")).expect("it is connected");
        assert_eq!(now, membership);
        assert!(!path.join("connecting.toml").exists());
    }
    let said = run(command(&world.path("coordinator"), &["setup"])).await;
    assert_eq!(said.code, Some(1), "{}", said.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_whose_setting_up_was_cut_off_is_finished_and_a_lost_store_is_not_made_up() {
    let world = World::new().await;
    let file = written(&world, "south.toml", &world.invite("south"));
    let path = folder(&world, "south", "");
    let key = SecretKey::from_seed(&[7; 32]);
    node::folder::write_seed(&path.join("identity.key"), &key.seed()).expect("a key");
    let mut setup = Setup::start(&path, Some(&file));
    setup.says("was broken off, and is done now").await;
    setup.says("connected as").await;
    setup.stop().await;
    until("the folder is free", || Node::open(&path).is_ok()).await;
    assert_eq!(world.open(&path).id(), key.public().node());

    until("the folder is free", || Node::open(&path).is_ok()).await;
    std::fs::remove_file(path.join("store.db")).expect("it is lost");
    let (code, said) = Setup::start(&path, None).ended().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("lacks its store"), "{said}");
}
