//! Disks that fill in the middle of what an operator does. As root, on Linux: `tests/faults.sh` runs
//! these.
//!
//! Each command is run with more and more room, from none at all to enough. Until it is enough the
//! command says so in a sentence, and afterwards, with room, it does what it should.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use node::enrolment::Invitation;
use node::folder::DataFolder;
use tests::folders::copy;
use tests::world::{World, until};

use crate::disk::SmallDisk;
use crate::program::Program;

/// How many KiB of room there are, until it is enough.
const ROOMS: [u64; 12] = [0, 4, 16, 48, 96, 192, 384, 768, 1_536, 3_072, 6_144, 12_288];
const SOUTH: &str = "south-yorkshire";

struct Said {
    code: Option<i32>,
    error: String,
}

/// Runs `causeway-node` in a folder, with these words.
async fn run(data: &Path, words: &[&str]) -> Said {
    run_part("node", data, words).await
}

async fn run_part(part: &str, data: &Path, words: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-demo"));
    command.args([part, "--data"]).arg(data).args(words);
    command.stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("it is run").expect("it runs");
    Said {
        code: output.status.code(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a command again and again on a copy of what `before` holds, with more and more room.
async fn with_more_and_more_room(world: &World, before: Option<&Path>, words: &[&str]) {
    for (refused, room) in ROOMS.into_iter().enumerate() {
        let disk = SmallDisk::mount_of(world.path("small-disk"), 32);
        let data = disk.path().join("data");
        std::fs::create_dir(&data).expect("a folder");
        if let Some(before) = before {
            copy(before, &data).expect("it is copied");
        }
        let here = words
            .iter()
            .map(|word| word.replace("DISK", &disk.path().display().to_string()));
        let here = here.collect::<Vec<_>>();
        let words = here.iter().map(String::as_str).collect::<Vec<_>>();
        let ballast = disk.leave(room);
        let said = run(&data, &words).await;
        println!(
            "{words:?} with {room} KiB: {:?} {}",
            said.code,
            said.error.trim()
        );
        if said.code == Some(0) {
            assert!(refused > 0, "there was always room");
            assert_whole(&data).await;
            return;
        }
        let sentence = said.error.to_lowercase();
        assert!(
            ["full", "no space left"]
                .iter()
                .any(|word| sentence.contains(word)),
            "{words:?} with {room} KiB: {}",
            said.error
        );
        assert!(!sentence.contains("panicked"), "{}", said.error);
        std::fs::remove_file(&ballast).expect("room is made");
        if before.is_some() {
            assert_whole(&data).await;
        }
        let again = run(&data, &words).await;
        assert_eq!(
            again.code,
            Some(0),
            "{words:?} after {room} KiB: {}",
            again.error
        );
        assert_whole(&data).await;
    }
    panic!("there was never enough room");
}

/// Nothing is wrong with the store.
async fn assert_whole(data: &Path) {
    let verified = run(data, &["verify"]).await;
    assert_eq!(verified.code, Some(0), "{}", verified.error);
}

/// The folder of a hub with some work in it, which is stopped; its backup lies beside it.
async fn hub() -> (World, PathBuf, PathBuf) {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    for number in 0..40 {
        let body = format!("{number} helps. ").repeat(300);
        let fields = serde_json::json!({ "title": format!("No. {number}"), "body": body });
        let made =
            world
                .hub(SOUTH)
                .create_record("practice", &space.to_string(), &fields.to_string());
        made.expect("it is made");
    }
    world.agree(space).await;
    let backup = world.path("backup.db");
    world.hub(SOUTH).backup(&backup, &[]).expect("a backup");
    world.stop_hub(SOUTH).await;
    let folder = world.path(SOUTH);
    (world, folder, backup)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("plain text")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: tests/faults.sh runs it"]
async fn setting_up_on_a_disk_that_fills_says_so_and_is_done_once_there_is_room() {
    let world = World::new().await;
    with_more_and_more_room(&world, None, &["init"]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: tests/faults.sh runs it"]
async fn a_network_that_does_not_come_about_on_a_disk_that_fills_leaves_nothing_behind() {
    let place = tempfile::tempdir().expect("a folder");
    let (mut refused, keys) = (0, place.path().join("keys"));
    for room in ROOMS {
        let disk = SmallDisk::mount_of(place.path().join("small-disk"), 32);
        let data = disk.path().join("data");
        let ballast = disk.leave(room);
        let init = ["init", "--new-keys", text(&keys)];
        let said = run_part("coordinator", &data, &init).await;
        println!(
            "{init:?} with {room} KiB: {:?} {}",
            said.code,
            said.error.trim()
        );
        if said.code == Some(0) {
            assert!(refused > 0, "there was always room");
            return;
        }
        refused += 1;
        assert_eq!(said.code, Some(73), "{}", said.error);
        assert!(!keys.join("root.key").exists(), "its keys are nobody's");
        std::fs::remove_file(&ballast).expect("room is made");
        let again = run_part("coordinator", &data, &init).await;
        assert_eq!(again.code, Some(0), "after {room} KiB: {}", again.error);
        std::fs::remove_dir_all(&keys).expect("for the next");
    }
    panic!("there was never enough room");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: tests/faults.sh runs it"]
async fn connecting_on_a_disk_that_fills_spends_no_invitation() {
    let world = World::new().await;
    let before = world.path("before");
    assert_eq!(run(&before, &["init"]).await.code, Some(0));
    let file = world.path("invitation.toml");
    let invitation: Invitation = world.invite(SOUTH);
    invitation.write(&file).expect("a file");
    with_more_and_more_room(&world, Some(&before), &["connect", text(&file)]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: tests/faults.sh runs it"]
async fn backing_up_restoring_and_rebuilding_on_a_disk_that_fills_leave_the_store_as_it_was() {
    let (world, folder, backup) = hub().await;
    with_more_and_more_room(&world, Some(&folder), &["backup", "DISK/copy.db"]).await;
    let restore = ["restore", text(&backup), "--confirm"];
    with_more_and_more_room(&world, Some(&folder), &restore).await;
    with_more_and_more_room(&world, Some(&folder), &["rebuild"]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: tests/faults.sh runs it"]
async fn a_key_is_not_replaced_on_a_full_disk_and_is_once_there_is_room() {
    let (world, folder, _backup) = hub().await;
    let disk = SmallDisk::mount_of(world.path("small-disk"), 32);
    let data = disk.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    copy(&folder, &data).expect("it is copied");
    let mut program = Program::hub(&data);
    program.start().await;
    let before = std::fs::read(data.join("identity.key")).expect("a key");
    let ballast = disk.leave(0);
    let said = run(&data, &["identity", "rotate", "--confirm"]).await;
    println!("{:?} {}", said.code, said.error);
    assert_eq!(said.code, Some(73), "{}", said.error);
    assert_eq!(
        std::fs::read(data.join("identity.key")).expect("a key"),
        before
    );
    std::fs::remove_file(&ballast).expect("room is made");
    let again = run(&data, &["identity", "rotate", "--confirm"]).await;
    assert_eq!(again.code, Some(0), "{}", again.error);
    let succession = data.join("succession");
    let done = || std::fs::read(data.join("identity.key")).is_ok_and(|now| now != before);
    until("the new one is in use, and the former ended", || {
        done() && !succession.exists() && DataFolder::socket(&data).exists()
    })
    .await;
    program.stop().await;
}
