//! Disks that are full or fail. As root, on Linux: `tests/faults.sh` runs these.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use node::clock::now_ms;
use node::doctor::{Examination, Finding, Verdict, examine};
use tests::folders::copy;
use tests::world::{World, until};
use tonic::{Code, Status};

use crate::left::Left;
use crate::program::{Program, add_hub, equal, held_by};

/// Of the small disk, in MiB.
const SIZE_MIB: u64 = 5;
/// What takes up a part of it at first, and makes room later when it is deleted.
const BALLAST_BYTES: usize = 3 << 20;

/// A disk of a few megabytes.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf) -> Self {
        Self::mount_of(at, SIZE_MIB)
    }

    /// One of so many MiB.
    pub(crate) fn mount_of(at: PathBuf, mib: u64) -> Self {
        std::fs::create_dir_all(&at).expect("a folder");
        let mut mount = Command::new("mount");
        let size = format!("size={mib}m");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at);
        assert!(mount.status().expect("mount").success(), "root is needed");
        Self(at)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Takes up all room but so many KiB, with the file that is returned.
    pub(crate) fn leave(&self, kib: u64) -> PathBuf {
        let ballast = self.0.join("ballast");
        let page = vec![1; 4 << 10];
        let mut file = std::fs::File::create(&ballast).expect("a file");
        let mut pages = 0;
        while file.write_all(&page).is_ok() {
            pages += 1;
        }
        let kept = (pages * page.len() as u64).saturating_sub(kib << 10);
        file.set_len(kept).expect("it is cut");
        ballast
    }

    /// Takes up all room that is left, with the file that is returned.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let written = std::fs::write(&ballast, vec![1; 16 << 20]);
        let full = written.expect_err("it is larger than the disk");
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Two hubs of a project; the first is stopped, and to be run as a process.
async fn two_hubs() -> (World, String) {
    let mut world = World::new().await;
    let codes = ["south-yorkshire", "west-yorkshire"];
    for code in codes {
        add_hub(&mut world, code).await;
    }
    let (space, _) = world.project("NCP24-11", &codes).await;
    world.stop_hub("south-yorkshire").await;
    (world, space.to_string())
}

/// Writes until it is refused; what was saved until then, and the refusal.
async fn write_until_refused(
    hub: &Program,
    space: &str,
    bytes: usize,
) -> (BTreeSet<String>, Status) {
    let mut saved = BTreeSet::new();
    for number in 0..2_000 {
        let body = format!("{number} ").repeat(bytes / 4);
        match hub.note(space, &body).await {
            Ok(id) => saved.insert(id),
            Err(refused) => return (saved, refused),
        };
    }
    panic!("it was never refused");
}

/// What was saved is listed, and each can be read whole.
async fn assert_readable(hub: &Program, space: &str, saved: &BTreeSet<String>) {
    assert_eq!(unlisted(hub, space, saved).await, [] as [&String; 0]);
    assert_shown(hub, saved).await;
}

/// Each can be read whole.
async fn assert_shown(hub: &Program, saved: &BTreeSet<String>) {
    for id in saved {
        let shown = hub.show(id).await.expect("a record");
        assert!(shown["body"].is_string(), "{shown}");
    }
}

/// What was saved and is not listed.
async fn unlisted<'a>(hub: &Program, space: &str, saved: &'a BTreeSet<String>) -> Vec<&'a String> {
    let listed = hub.notes(space).await;
    saved.iter().filter(|id| !listed.contains(*id)).collect()
}

/// Whether the status says that lists have no room.
async fn lists_are_behind(hub: &Program) -> bool {
    let status = hub.status().await;
    let behind = status["lists_behind"].as_str();
    behind.inspect(|behind| assert!(behind.contains("disk is full"), "{behind}"));
    behind.is_some()
}

/// West Yorkshire notes something down, which reaches the coordinator.
async fn note_in_west_yorkshire(world: &World, space: &str) -> String {
    let west = world.hub("west-yorkshire");
    let made = west.create_record("practice", space, r#"{"title": "From the other hub"}"#);
    let id = made.expect("a practice").id.to_string();
    until("it is sent", || {
        west.show_record(&id).is_ok_and(|shown| shown.marks.sent)
    })
    .await;
    id
}

async fn assert_equal_to_coordinator(world: &World, hub: &Program, space: &str) {
    let coordinator = world.coordinator().operations().node();
    equal(async || vec![hub.held(space).await, held_by(coordinator, space)]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: tests/faults.sh runs it"]
async fn a_full_disk_refuses_in_words_goes_on_reading_and_recovers_by_itself() {
    let (world, space) = two_hubs().await;
    let disk = SmallDisk::mount(world.path("small-disk"));
    copy(&world.path("south-yorkshire"), &disk.0).expect("it is copied");
    let ballast = disk.0.join("ballast");
    std::fs::write(&ballast, vec![1; BALLAST_BYTES]).expect("room for the ballast");
    let mut hub = Program::hub(&disk.0);
    hub.start().await;

    let (mut saved, refused) = write_until_refused(&hub, &space, 20_000).await;
    println!("{} were saved, then: {}", saved.len(), refused.message());
    assert!(saved.len() > 5);
    // Until nothing fits any more, however small.
    let (small, refused) = write_until_refused(&hub, &space, 4).await;
    println!("{} small ones, then: {}", small.len(), refused.message());
    saved.extend(small);
    for _ in 0..5 {
        let refused = hub.note(&space, "no room").await.expect_err("a full disk");
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        let sentence = refused.message();
        assert!(sentence.contains("disk is full"), "{sentence}");
        assert!(sentence.contains("Make room"), "{sentence}");
        // The newest may have found room in the store and none in the lists.
        let missing = unlisted(&hub, &space, &saved).await;
        assert!(missing.is_empty() || lists_are_behind(&hub).await);
        assert_shown(&hub, &saved).await;
    }
    let from_west = note_in_west_yorkshire(&world, &space).await;
    let west = world.hub("west-yorkshire");
    let shown = west.show_record(&from_west).expect("a record");
    assert_eq!(
        shown.marks.received, 0,
        "it is not durable at the full disk"
    );

    std::fs::remove_file(&ballast).expect("room is made");
    saved.insert(hub.note(&space, "There is room.").await.expect("saved"));
    assert_readable(&hub, &space, &saved).await;
    // What was refused of others is asked for again, after half a minute at most.
    assert_equal_to_coordinator(&world, &hub, &space).await;
    hub.show(&from_west).await.expect("it has arrived");
    hub.kill().await;
    assert_eq!(Left::by(&disk.0).lacks(&saved), [] as [&String; 0]);
    hub.start().await;
    saved.insert(from_west);
    assert_readable(&hub, &space, &saved).await;
    assert_equal_to_coordinator(&world, &hub, &space).await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: tests/faults.sh runs it"]
async fn a_hub_that_cannot_be_opened_on_a_full_disk_says_so_and_opens_when_there_is_room() {
    let (world, space) = two_hubs().await;
    let disk = SmallDisk::mount(world.path("small-disk"));
    copy(&world.path("south-yorkshire"), &disk.0).expect("it is copied");
    let ballast = disk.fill();
    let mut hub = Program::hub(&disk.0);
    let said = hub.start_under(&[]).await.expect_err("no room to open it");
    println!("{said}");
    assert!(said.contains("disk is full"), "{said}");
    std::fs::remove_file(&ballast).expect("room is made");
    hub.start().await;
    hub.note(&space, "There is room.").await.expect("saved");
    assert_equal_to_coordinator(&world, &hub, &space).await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: tests/faults.sh runs it"]
async fn reading_and_writing_go_on_while_the_lists_cannot_be_written() {
    let (world, space) = two_hubs().await;
    let folder = world.path("south-yorkshire");
    let disk = SmallDisk::mount(world.path("small-disk"));
    let (lists, moved) = (folder.join("projections.db"), disk.0.join("projections.db"));
    std::fs::copy(&lists, &moved).expect("a copy");
    std::fs::remove_file(&lists).expect("it was copied");
    std::os::unix::fs::symlink(&moved, &lists).expect("a link");
    let mut hub = Program::hub(&folder);
    hub.start().await;
    let first = hub.note(&space, "The first").await.expect("saved");
    assert!(hub.show(&first).await.is_ok());
    let ballast = disk.fill();

    let mut saved = BTreeSet::from([first.clone()]);
    for number in 0..30 {
        let body = format!("{number} ").repeat(1_000);
        saved.insert(hub.note(&space, &body).await.expect("saved"));
    }
    let missing = unlisted(&hub, &space, &saved).await;
    println!("{} of {} are not listed yet", missing.len(), saved.len());
    assert!(!missing.is_empty() && !missing.contains(&&first));
    assert!(lists_are_behind(&hub).await);
    assert_shown(&hub, &saved).await;

    std::fs::remove_file(&ballast).expect("room is made");
    assert_readable(&hub, &space, &saved).await;
    assert!(!lists_are_behind(&hub).await);
    assert_equal_to_coordinator(&world, &hub, &space).await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and strace: tests/faults.sh runs it"]
async fn after_a_failing_fsync_nothing_is_acknowledged_until_it_is_started_again() {
    let mut saved_in_all = 0;
    for healthy in [4, 20, 80] {
        let (world, space) = two_hubs().await;
        let mut hub = Program::hub(&world.path("south-yorkshire"));
        start_with_failing_fsync(&mut hub, healthy).await;
        let (saved, mut refused) = write_until_refused(&hub, &space, 400).await;
        println!(
            "{} were saved in {healthy} calls, then: {}",
            saved.len(),
            refused.message()
        );
        saved_in_all += saved.len();
        // Or the first that failed was no person's: what a peer holds is noted down, too.
        let first = ["the disk failed", "an earlier write"];
        let starts = |first: &&str| refused.message().starts_with(first);
        assert!(first.iter().any(starts), "{refused}");
        for _ in 0..5 {
            let sentence = refused.message();
            assert_eq!(refused.code(), Code::Unavailable, "{refused}");
            assert!(
                sentence.contains("Check the disk, then start the program again"),
                "{sentence}"
            );
            let again = hub.note(&space, "Is it well again?").await;
            refused = again.expect_err("nothing more is acknowledged");
        }
        assert_readable(&hub, &space, &saved).await;
        let from_west = note_in_west_yorkshire(&world, &space).await;
        // Time in which an acknowledgement would have come.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let shown = world.hub("west-yorkshire").show_record(&from_west);
        let received = shown.expect("a record").marks.received;
        assert_eq!(received, 0, "a peer's entry is not acknowledged");

        hub.kill().await;
        let left = Left::by(hub.folder());
        assert_eq!(left.lacks(&saved), [] as [&String; 0]);
        hub.start().await;
        let now = hub.note(&space, "It is well again.").await.expect("saved");
        assert_equal_to_coordinator(&world, &hub, &space).await;
        let all = saved.into_iter().chain([now, from_west]).collect();
        assert_readable(&hub, &space, &all).await;
        assert_eq!(hub.status().await["alarms"], serde_json::json!([]));
        hub.stop().await;
    }
    assert!(saved_in_all > 0, "nothing was ever saved");
}

/// Starts a hub under strace: of each of its threads, so many waits for the disk are well and the
/// later ones fail.
async fn start_with_failing_fsync(hub: &mut Program, healthy: usize) {
    let inject = format!("inject=fsync,fdatasync:error=EIO:when={}+", healthy + 1);
    let quiet = ["strace", "-D", "-f", "-qq", "-o", "/dev/null"];
    let what = ["-e", "trace=fsync,fdatasync", "-e", &inject];
    let strace = quiet.into_iter().chain(what).collect::<Vec<_>>();
    hub.start_under(&strace).await.expect("it starts");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: tests/faults.sh runs it"]
async fn the_doctor_names_a_full_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = SmallDisk::mount(folder.path().join("small-disk"));
    let data = disk.0.join("hub");
    drop(node::Node::create(&data).expect("a node"));
    let of = |findings: &[Finding], check: &str| {
        let found = findings.iter().find(|it| it.check() == check);
        found.expect("it is checked").clone()
    };
    let examined = async || {
        examine(Examination {
            data: &data,
            invitation: None,
            now_ms: now_ms(),
        })
        .await
    };
    // Three megabytes are little, and there is room for what is tried.
    let findings = examined().await;
    assert_eq!(
        of(&findings, "disk speed").verdict(),
        Verdict::Ok,
        "{findings:?}"
    );
    disk.fill();
    let findings = examined().await;
    for check in ["disk space", "disk speed"] {
        let finding = of(&findings, check);
        assert_eq!(finding.verdict(), Verdict::Fault, "{finding:?}");
        assert!(finding.says().contains("full"), "{finding:?}");
        assert_eq!(finding.advice(), "make room");
    }
    assert_eq!(
        of(&findings, "database").verdict(),
        Verdict::Ok,
        "{findings:?}"
    );
}
