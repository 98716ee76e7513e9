//! The audit log of a coordinator and of hubs, as their work leaves it.

use std::collections::BTreeMap;
use std::path::Path;

use node::restore::Restore;
use node_feed::{Access, SpaceKind};
use node_store::{AuditFault, AuditHead, AuditLog, ChainedLine, ReadStore, Readers};
use rusqlite::Connection;
use tests::world::{World, until};

const HUB: &str = "west-yorkshire";

fn lines(folder: &Path) -> Vec<ChainedLine> {
    let log = AuditLog::look(&folder.join("audit.db")).expect("a log");
    log.lines(0, 0, 100_000).expect("lines")
}

/// The lines of one kind, with what they tell.
fn of_kind(folder: &Path, kind: &str) -> Vec<BTreeMap<String, String>> {
    let lines = lines(folder).into_iter().filter(|line| line.kind == kind);
    lines.map(|line| line.fields).collect()
}

/// Checks a log against the end that its store remembers.
fn verify(folder: &Path) -> Result<AuditHead, AuditFault> {
    let log = AuditLog::look(&folder.join("audit.db")).expect("a log");
    let readers = Readers::open(folder.join("store.db")).expect("the store");
    let head = readers.setting("audit/head").expect("read");
    let head = head.and_then(|head| AuditHead::from_bytes(&head));
    assert!(head.is_some(), "the store remembers an end");
    log.verify(head, |_| {}).map(|verified| verified.head)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_coordinator_and_a_hub_do_stands_in_their_logs() {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    let (space, _) = world.project("NCP24-11", &[HUB]).await;
    world.agree(space).await;
    let operations = world.coordinator().operations();
    operations
        .suspend(HUB, "Ms Planted said so")
        .expect("suspended");
    let (coordinator, hub) = (world.path("coordinator"), world.path(HUB));
    until("the refusal is noted", || {
        !of_kind(&coordinator, "session refused").is_empty()
    })
    .await;
    operations.resume(HUB).expect("let in again");
    let access = of_kind(&coordinator, "access changed");
    let given = format!("may write in {space}");
    assert!(
        access
            .iter()
            .any(|it| it["hub"] == HUB && it["why"] == given)
    );
    let refused = &of_kind(&coordinator, "session refused")[0];
    assert_eq!(
        (refused["hub"].as_str(), refused["reason"].as_str()),
        (HUB, "not-admitted")
    );
    for kind in [
        "log begun",
        "started",
        "settings changed",
        "invited",
        "code used",
        "connected",
    ] {
        assert!(!of_kind(&coordinator, kind).is_empty(), "{kind}");
    }
    assert_eq!(of_kind(&coordinator, "suspended").len(), 2);
    // At the hub: what it may do, whom it met, what was taken out.
    let node = world.hub(HUB);
    let own = of_kind(&hub, "access of this hub");
    let own_space = own.iter().find(|it| it["space"] == space.to_string());
    assert_eq!(own_space.map(|it| it["access"].as_str()), Some("write"));
    assert!(!of_kind(&hub, "connected").is_empty());
    node.export_calendar("").expect("a calendar");
    node.export_hub(&world.path("everything")).expect("all");
    node.backup(&world.path("copy.db"), &[]).expect("a backup");
    let taken = of_kind(&hub, "taken out");
    let taken = taken
        .iter()
        .map(|it| it["what"].as_str())
        .collect::<Vec<_>>();
    assert_eq!(taken, ["calendar", "hub"]);
    assert_eq!(of_kind(&hub, "backup complete").len(), 1);
    // Nothing that anybody typed, and no name.
    for folder in [&coordinator, &hub] {
        for line in lines(folder) {
            let told = format!("{line:?}");
            assert!(
                !told.contains("Planted") && !told.contains("Maths Hub"),
                "{told}"
            );
        }
    }
    world.stop_hub(HUB).await;
    world.stop_coordinator().await;
    for folder in [&coordinator, &hub] {
        let head = verify(folder).expect("a whole log");
        let last = lines(folder).pop().expect("lines");
        assert_eq!((head.number, last.kind.as_str()), (last.number, "stopped"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_changed_taken_out_or_cut_off_is_found() {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    let folder = world.path(HUB);
    until("the hub is connected", || {
        !of_kind(&folder, "connected").is_empty()
    })
    .await;
    world.stop_hub(HUB).await;
    let whole = std::fs::read(folder.join("audit.db")).expect("the file");
    let last = verify(&folder).expect("a whole log").number;
    let tamper = |sql: &str| {
        // Closed properly, all of it is in the one file.
        std::fs::write(folder.join("audit.db"), &whole).expect("the file again");
        let connection = Connection::open(folder.join("audit.db")).expect("the file");
        let triggers = "DROP TRIGGER lines_stay; DROP TRIGGER lines_remain;";
        connection.execute_batch(triggers).expect("no triggers");
        connection.execute_batch(sql).expect("tampered with");
    };
    tamper("UPDATE lines SET fields = '{}' WHERE number = 2");
    assert_eq!(verify(&folder), Err(AuditFault::Changed(2)));
    tamper("DELETE FROM lines WHERE number = 3");
    assert_eq!(verify(&folder), Err(AuditFault::Missing(3)));
    tamper(&format!("DELETE FROM lines WHERE number = {last}"));
    let cut = AuditFault::CutOff {
        last: last - 1,
        remembered: last,
    };
    assert_eq!(verify(&folder), Err(cut));
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_that_were_done_just_before_a_crash_are_taken_in_once_at_the_next_start() {
    let mut world = World::new().await;
    let operations = world.coordinator().operations();
    operations
        .create_space(SpaceKind::Project, "NCP24-11")
        .expect("a space");
    world.invite(HUB);
    let folder = world.path("coordinator");
    world.stop_coordinator().await;
    let before = of_kind(&folder, "invited").len();
    assert_eq!(before, 1);
    // As a crash leaves it: the act and its line are durable in the register, and not taken in.
    let register = Connection::open(folder.join("registry.db")).expect("the register");
    let crashed = "INSERT INTO audit (time_ms, event, hub, reason) SELECT time_ms, event, hub, '' \
                   FROM audit WHERE event = 'invited'";
    register.execute_batch(crashed).expect("a line");
    drop(register);
    for _ in 0..2 {
        world.start_coordinator().await;
        assert_eq!(of_kind(&folder, "invited").len(), before + 1);
        world.stop_coordinator().await;
    }
    verify(&folder).expect("a whole log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_store_goes_on_with_the_log_that_is_there_which_says_so() {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    let folder = world.path(HUB);
    until("the hub has its access", || {
        !of_kind(&folder, "access of this hub").is_empty()
    })
    .await;
    let backup = world.path("backup.db");
    world.hub(HUB).backup(&backup, &[]).expect("a backup");
    let operations = world.coordinator().operations();
    let space = operations
        .create_space(SpaceKind::Project, "NCP24-11")
        .expect("a space");
    operations.grant(space, HUB, Access::Read).expect("access");
    until("the hub has heard of it", || {
        let access = of_kind(&folder, "access of this hub");
        access.iter().any(|it| it["space"] == space.to_string())
    })
    .await;
    world.stop_hub(HUB).await;
    let before = lines(&folder);
    // Once at the same place, once on a new computer.
    Restore::prepare(&folder, &backup, None)
        .and_then(Restore::commit)
        .expect("restored");
    world.start_hub(HUB);
    world.stop_hub(HUB).await;
    let after = lines(&folder);
    assert_eq!(after[..before.len()], before[..], "no line is lost");
    let restored = &after[before.len()];
    assert_eq!(restored.kind, "restored");
    let made_at = restored.fields["backup_line"]
        .parse::<u64>()
        .expect("a number");
    let made_at = before.iter().find(|line| line.number == made_at);
    let hash = made_at.map(|line| line.hash.to_string());
    assert_eq!(hash.as_ref(), Some(&restored.fields["backup_hash"]));
    verify(&folder).expect("a whole log");

    let identity = node_feed::SecretKey::from_seed(
        &node::folder::read_seed(&folder.join("identity.key")).expect("the key"),
    );
    let new = world.path("new-computer");
    drop(node::Node::create(&new).expect("a new node"));
    until("the folder is free", || {
        node::folder::DataFolder::open(&new).is_ok()
    })
    .await;
    Restore::prepare_as(&new, &backup, Some(&identity))
        .and_then(Restore::commit)
        .expect("restored");
    drop(node::Node::open(&new).expect("the node"));
    let told = of_kind(&new, "restored");
    assert_eq!(told[0]["node"], identity.public().node().to_string());
    assert_eq!(told[0]["backup_line"], restored.fields["backup_line"]);
    verify(&new).expect("a whole log of its own");
    // Lines of the other computer's accounts are not taken in as if they were of this one.
    let kinds = lines(&new).into_iter().map(|line| line.kind);
    assert_eq!(kinds.take(2).collect::<Vec<_>>(), ["log begun", "restored"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_moved_away_is_missed_by_the_next_one() {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    world.stop_hub(HUB).await;
    let folder = world.path(HUB);
    let last = lines(&folder).pop().expect("lines");
    std::fs::rename(folder.join("audit.db"), world.path("kept.db")).expect("moved");
    world.start_hub(HUB);
    world.stop_hub(HUB).await;
    let begun = &of_kind(&folder, "log begun")[0];
    assert_eq!(begun["earlier_line"], last.number.to_string());
    assert_eq!(begun["earlier_hash"], last.hash.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_settings_that_changed_since_the_last_start_are_noted() {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    world.stop_hub(HUB).await;
    let folder = world.path(HUB);
    let told = || of_kind(&folder, "settings changed");
    assert_eq!(told(), [], "all are the defaults");
    for (settings, lines) in [
        ("[sync]\nfirst_copies = false\n", 1),
        ("[sync]\nfirst_copies = false\n", 1),
        (
            "[sync]\nfirst_copies = false\n[web]\nlisten = \"127.0.0.1:9999\"\n",
            2,
        ),
        ("", 3),
    ] {
        std::fs::write(folder.join("causeway.toml"), settings).expect("settings");
        world.start_hub(HUB);
        world.stop_hub(HUB).await;
        assert_eq!(told().len(), lines, "{settings}");
    }
    let told = told();
    let names = |at: usize| told[at].keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(names(0), ["sync.first_copies"]);
    assert_eq!(told[0]["sync.first_copies"], "false");
    assert_eq!(names(1), ["web.listen"]);
    assert!(!told[1]["web.listen"].contains("9999"));
    assert_eq!(names(2), ["sync.first_copies", "web.listen"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_leave_their_lines_without_a_name() {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    let node = world.hub(HUB);
    tests::visitor::account(node, "Quillon Ashgrove", "hub lead", "");
    let from = std::net::IpAddr::from([127, 0, 0, 1]);
    for _ in 0..4 {
        let accounts = node.accounts();
        let _refused = accounts.sign_in("nobody@example.org", "wrong", from, node::clock::now_ms());
    }
    let folder = world.path(HUB);
    assert_eq!(
        of_kind(&folder, "sign-in refused").len(),
        1,
        "the others are counted"
    );
    world.stop_hub(HUB).await;
    let refused = of_kind(&folder, "sign-in refused");
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[1]["times"], "3");
    for line in lines(&folder) {
        let told = format!("{line:?}").to_lowercase();
        assert!(
            !told.contains("quillon") && !told.contains("example.org"),
            "{told}"
        );
    }
    verify(&folder).expect("a whole log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_knocks_without_end_fills_no_disk() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut world = World::new().await;
    world.stop_coordinator().await;
    crate::metrics::serve_metrics(&world, "coordinator");
    world.start_coordinator().await;
    let folder = world.path("coordinator");
    for _ in 0..50 {
        let address = world.coordinator_address();
        let mut stream = tokio::net::TcpStream::connect(address)
            .await
            .expect("reached");
        stream
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .await
            .expect("sent");
        let mut answer = Vec::new();
        let _closed = stream.read_to_end(&mut answer).await;
    }
    let metrics = world.metrics_address("coordinator");
    let mut counted = false;
    for _ in 0..200 {
        let (_, text) = crate::metrics::get(metrics, "/metrics").await;
        counted = text.contains("causeway_handshakes_refused_total 50\n");
        if counted {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(counted, "each is counted");
    world.stop_coordinator().await;
    let refused = of_kind(&folder, "handshake refused");
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert_eq!(refused[0]["reason"], "not-tls");
    assert_eq!(refused[1]["times"], "49");
    verify(&folder).expect("a whole log");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_noted_is_not_taken_out_and_what_was_done_is_noted_later() {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    let folder = world.path(HUB);
    until("the hub is connected", || {
        !of_kind(&folder, "connected").is_empty()
    })
    .await;
    let log = Connection::open(folder.join("audit.db")).expect("the log");
    log.execute_batch(
        "CREATE TRIGGER broken BEFORE INSERT ON lines BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .expect("it takes no lines");
    let node = world.hub(HUB);
    let (out, copy) = (world.path("everything"), world.path("copy.db"));
    node.export_calendar("").expect_err("not noted");
    node.export_hub(&out).expect_err("not noted");
    assert!(!out.exists(), "nothing was written");
    node.backup(&copy, &[]).expect_err("not noted");
    assert!(!copy.exists(), "nothing is left of it");
    tests::visitor::account(node, "Quillon Ashgrove", "hub lead", "");
    let made = |folder: &Path| of_kind(folder, "account made for trying out").len();
    assert_eq!(made(&folder), 0);
    log.execute_batch("DROP TRIGGER broken")
        .expect("it takes lines again");
    drop(log);
    world.stop_hub(HUB).await;
    world.start_hub(HUB);
    assert_eq!(made(&folder), 1);
    world.stop_hub(HUB).await;
    verify(&folder).expect("a whole log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_stops_a_start_and_a_restore_until_it_is_moved_away() {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    let (folder, backup) = (world.path(HUB), world.path("backup.db"));
    world.hub(HUB).backup(&backup, &[]).expect("a backup");
    world.stop_hub(HUB).await;
    let log = folder.join("audit.db");
    std::fs::write(&log, [7; 4_096]).expect("damaged");
    let start = node::Node::open(&folder).expect_err("refused").to_string();
    assert!(start.contains("move it away"), "{start}");
    let restore = Restore::prepare(&folder, &backup, None).expect("looked at");
    let restore = restore.commit().expect_err("refused").to_string();
    assert!(restore.contains("keep it in another place"), "{restore}");
    std::fs::rename(&log, world.path("kept.db")).expect("moved");
    Restore::prepare(&folder, &backup, None)
        .and_then(Restore::commit)
        .expect("restored");
    world.start_hub(HUB);
    world.stop_hub(HUB).await;
    verify(&folder).expect("a whole log");
}
