//! Backups: sealed, made by themselves, and restored whatever their age.

use std::path::{Path, PathBuf};

use node::backup::{BackupError, BackupKey, is_sealed, unseal};
use node::clock::now_ms;
use node::restore::{Restore, RestoreError};
use node::{CameBack, Node};
use node_feed::SpaceId;
use node_store::{Check, ReadStore, SqliteStore};
use serde_json::json;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const HOUR_MS: u64 = 3_600_000;

fn write(node: &Node, space: &str, title: &str) -> String {
    let fields = json!({ "title": title, "body": "Ten minutes." }).to_string();
    let made = node.create_record("practice", space, &fields);
    made.expect("it is made").id.to_string()
}

fn titles(node: &Node, space: &str) -> Vec<String> {
    let listed = node.list_records("practice", space).expect("a list");
    let mut titles = listed.into_iter().map(|it| it.title).collect::<Vec<_>>();
    titles.sort();
    titles
}

/// A hub alone in a project.
async fn hub() -> (World, SpaceId) {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    write(world.hub(SOUTH), &space.to_string(), "Bar models");
    world.agree(space).await;
    (world, space)
}

fn set(world: &World, settings: &str) {
    let file = world.path(SOUTH).join("causeway.toml");
    std::fs::write(file, settings).expect("settings are written");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).expect("the folder is read");
    files.map(|file| file.expect("a file").path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_backup_is_made_while_people_write_and_opens_with_its_key_alone() {
    let (mut world, space) = hub().await;
    let (key, other) = (BackupKey::generate(), BackupKey::generate());
    let south = world.hub(SOUTH).clone();
    let (file, at) = (world.path("hub.db.age"), space.to_string());
    let writing = {
        let (south, at) = (south.clone(), at.clone());
        std::thread::spawn(move || {
            for number in 0..20 {
                write(&south, &at, &format!("Meanwhile {number}"));
            }
        })
    };
    let made = south.backup(&file, &[key.recipient()]).expect("a backup");
    writing.join().expect("all is written");
    assert!(is_sealed(&file).expect("it is read"));
    let bytes = std::fs::read(&file).expect("it is read");
    assert_eq!(made.bytes, bytes.len() as u64);
    let has = |words: &[u8]| bytes.windows(words.len()).any(|it| it == words);
    assert!(!has(b"SQLite") && !has(b"Bar models"));
    // Nothing that is open is left, here or there.
    let names = files(&world.path(SOUTH))
        .into_iter()
        .chain(files(&world.path("")));
    let names = names
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>();
    assert!(
        !names
            .iter()
            .any(|name| name.contains("backup.open") || name.contains("unfinished"))
    );
    drop(south);
    world.stop_hub(SOUTH).await;

    let (data, cut) = (world.path(SOUTH), world.path("cut.db.age"));
    std::fs::write(&cut, &bytes[..bytes.len() - 40_000]).expect("a file");
    let changed = world.path("changed.db.age");
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&changed, flipped).expect("a file");
    let refused = |file: &Path, key: Option<&BackupKey>, says: &str| {
        let refused = Restore::prepare(&data, file, key)
            .expect_err(says)
            .to_string();
        assert!(refused.contains(says), "{refused}");
        assert!(!data.join("store.db.restoring").exists());
    };
    refused(&file, None, "--key");
    refused(&file, Some(&other), "sealed to another");
    refused(&cut, Some(&key), "damaged or half-written");
    refused(&changed, Some(&key), "damaged or half-written");
    let restore = Restore::prepare(&data, &file, Some(&key)).expect("it opens");
    assert_eq!(restore.entries(), made.entries);
    restore.commit().expect("restored");
    world.start_hub(SOUTH);
    world.agree(space).await;
    assert_eq!(titles(world.hub(SOUTH), &at).len(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_that_are_made_at_once_are_each_whole() {
    let (world, _) = hub().await;
    let south = world.hub(SOUTH).clone();
    let key = BackupKey::generate();
    let files = (0..4).map(|number| world.path(&format!("{number}.db.age")));
    let files = files.collect::<Vec<_>>();
    let made = std::thread::scope(|scope| {
        let work = files.iter().map(|file| {
            let (south, key) = (&south, key.recipient());
            scope.spawn(move || south.backup(file, &[key]).expect("a backup"))
        });
        let work = work.collect::<Vec<_>>().into_iter();
        let made = work.map(|work| work.join().expect("it is made"));
        made.collect::<Vec<_>>()
    });
    assert!(made[0].entries > 5 && made.iter().all(|it| it.entries == made[0].entries));
    for (number, file) in files.iter().enumerate() {
        let open = world.path(&format!("{number}.db"));
        unseal(file, &open, &key).expect("it opens");
        let store = SqliteStore::open_made(&open, Check::Always).expect("it is whole");
        assert_eq!(
            store.totals().expect("counted").entries,
            made[number].entries
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_no_backup() {
    let (mut world, _) = hub().await;
    world.stop_hub(SOUTH).await;
    let empty = world.path("empty.db");
    std::fs::write(&empty, "").expect("a file");
    let refused = Restore::prepare(&world.path(SOUTH), &empty, None);
    let refused = refused.expect_err("it holds nothing").to_string();
    assert!(refused.contains("empty"), "{refused}");
    assert_eq!(std::fs::read(&empty).expect("it is read"), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_are_made_by_themselves_and_kept_as_the_settings_say() {
    let (mut world, _) = hub().await;
    let key = BackupKey::generate();
    let folder = world.path("backups");
    let settings = format!(
        "[backup]\nfolder = {folder:?}\nkeys = [\"{}\"]\nkeep_days = 2\nkeep_weeks = 0\nkeep_months = 0\n",
        key.recipient()
    );
    world.stop_hub(SOUTH).await;
    set(&world, &settings);
    world.start_hub(SOUTH);
    // The folder is not there: the disk is not mounted.
    let trouble = || {
        let status = world.hub(SOUTH).status().expect("a status");
        status["backup"]["trouble"].as_str().map(str::to_owned)
    };
    until("it is said", || trouble().is_some()).await;
    assert!(trouble().expect("said").contains("backups cannot be read"));
    std::fs::create_dir(&folder).expect("the disk is back");
    let south = world.hub(SOUTH);
    let now = now_ms();
    // It is tried again an hour later, and then daily.
    assert_eq!(south.backup_if_due(now).expect("a look"), None);
    let at = |hours: u64| now + hours * HOUR_MS;
    let first = south
        .backup_if_due(at(2))
        .expect("a backup")
        .expect("it was due");
    assert!(trouble().is_none());
    assert_eq!(south.backup_if_due(at(25)).expect("a look"), None);
    std::fs::write(folder.join("notes.txt"), "not ours").expect("a file");
    for days in 1..4 {
        let made = south.backup_if_due(at(2 + days * 24)).expect("a backup");
        assert!(made.is_some(), "{days}");
    }
    let kept = south.backups().expect("a look");
    assert_eq!(kept.len(), 2);
    assert!(!first.file.exists());
    assert_eq!(files(&folder).len(), 3);
    let status = south.status().expect("a status");
    assert_eq!(status["backup"]["kept"], 2);
    let open = world.path("open.db");
    unseal(&kept[0].file, &open, &key).expect("it opens");
    assert!(
        std::fs::read(&open)
            .expect("a store")
            .starts_with(b"SQLite")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_would_leave_backups_open_or_nowhere_are_refused() {
    let (mut world, _) = hub().await;
    world.stop_hub(SOUTH).await;
    let key = BackupKey::generate().recipient();
    for (settings, says) in [
        (
            "folder = \"/srv/backups\"".to_owned(),
            "made for a key alone",
        ),
        (
            format!("folder = \"backups\"\nkeys = [\"{key}\"]"),
            "from the root on",
        ),
        ("keys = [\"age1nonsense\"]".to_owned(), "is no key"),
        ("every_hours = 0".to_owned(), "between 1 and 744"),
    ] {
        set(&world, &format!("[backup]\n{settings}\n"));
        let refused = Node::open(&world.path(SOUTH)).expect_err(says).to_string();
        assert!(refused.contains(says), "{refused}");
    }
    set(&world, "");
    world.start_hub(SOUTH);
}

/// What came back, in the project alone.
fn back(node: &Node, space: SpaceId) -> CameBack {
    let back = node.came_back().expect("a look").expect("it was restored");
    let here = back.into_iter().find(|it| it.space == space.to_string());
    here.expect("the project is among them")
}

#[tokio::test(flavor = "multi_thread")]
async fn restores_of_three_ages_say_what_came_back_and_what_did_not() {
    let (mut world, space) = hub().await;
    let at = space.to_string();
    let south = world.hub(SOUTH).clone();
    assert!(south.came_back().expect("a look").is_none());
    let backup = |name: &str| {
        let file = world.path(name);
        south.backup(&file, &[]).expect("a backup");
        file
    };
    // Of last month: before most was written.
    let old = backup("old.db");
    for number in 0..4 {
        write(&south, &at, &format!("Autumn {number}"));
    }
    write(&south, "", "Our own, in autumn");
    // Of last night.
    let recent = backup("recent.db");
    for number in 0..3 {
        write(&south, &at, &format!("Today {number}"));
    }
    write(&south, "", "Our own, today");
    world.agree(space).await;
    // Of a moment ago, with everything that others have.
    let fresh = backup("fresh.db");
    south.pause(true);
    write(&south, &at, "Not sent");
    let writer = |node: &Node| node.author(space).expect("it may write").writer;
    let mut writers = vec![writer(&south)];
    drop(south);

    for (file, came, lost) in [(&fresh, 0, 0), (&recent, 3, 1), (&old, 7, 1)] {
        world.stop_hub(SOUTH).await;
        let restore = Restore::prepare(&world.path(SOUTH), file, None).expect("it is whole");
        let told = restore.lost().expect("it was connected").clone();
        assert!(told.known, "{told:?}");
        assert_eq!(told.records.len(), lost, "{told:?}");
        restore.commit().expect("restored");
        world.start_hub(SOUTH);
        world.agree(space).await;
        let south = world.hub(SOUTH);
        let back = back(south, space);
        // Each practice is one entry; what came from a feed that was new has one more, which opens it.
        assert!((came..=came + 2).contains(&back.came), "{file:?} {back:?}");
        assert_eq!(south.lost().expect("a look"), Some(told));
        let shown = titles(south, &at);
        assert_eq!(shown.len(), 8, "{shown:?}");
        // What was never sent is in the store that was replaced, and nowhere else.
        let missing = u64::from(file == &fresh);
        assert_eq!(back.missing, Some(missing), "{file:?}");
        let new = writer(south);
        assert!(!writers.contains(&new), "a fresh key");
        writers.push(new);
        world.agree(space).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_another_hub_or_network_is_refused_and_changes_nothing() {
    let (mut world, space) = hub().await;
    world.add_hub("west-yorkshire").await;
    let (other, _) = hub().await;
    let west = world.path("west.db");
    world
        .hub("west-yorkshire")
        .backup(&west, &[])
        .expect("a backup");
    let network = world.path("network.db");
    other.hub(SOUTH).backup(&network, &[]).expect("a backup");
    world.stop_hub(SOUTH).await;
    for file in [west, network] {
        let refused = Restore::prepare(&world.path(SOUTH), &file, None);
        assert!(
            matches!(refused, Err(RestoreError::OtherHub(_))),
            "{refused:?}"
        );
    }
    world.start_hub(SOUTH);
    world.agree(space).await;
    let taken = world.hub(SOUTH).backup(&world.path("west.db"), &[]);
    assert!(
        matches!(taken, Err(BackupError::Unwritten { .. })),
        "{taken:?}"
    );
}
