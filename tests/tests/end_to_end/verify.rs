//! A whole store is checked, and the first thing wrong is named.

use std::path::{Path, PathBuf};

use node::Node;
use node::verify::{Part, VerifyError};
use node_feed::{DocumentId, SpaceId};
use rusqlite::Connection;
use serde_json::json;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";

/// Two hubs that share a project in which both have written.
async fn shared() -> (World, SpaceId, String) {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    world.add_hub(WEST).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let made = write(&world, SOUTH, space, "Bar models");
    write(&world, WEST, space, "Number talks");
    world.agree(space).await;
    for round in 0..5 {
        edit(world.hub(SOUTH), &made, &format!("We met {round} times."));
    }
    world.agree(space).await;
    (world, space, made)
}

fn write(world: &World, hub: &str, space: SpaceId, title: &str) -> String {
    let fields = json!({ "title": title, "body": "Ten minutes." }).to_string();
    let made = world
        .hub(hub)
        .create_record("practice", &space.to_string(), &fields);
    made.expect("it is made").id.to_string()
}

fn edit(node: &Node, id: &str, body: &str) {
    let edited = node.edit_record(id, "", &json!({ "body": body }).to_string());
    edited.expect("it is edited");
}

/// A copy of a hub's folder, which can be damaged.
struct Copied {
    folder: tempfile::TempDir,
}

impl Copied {
    fn of(path: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in std::fs::read_dir(path).expect("the folder is read") {
            let file = file.expect("a file").path();
            let name = file.file_name().expect("a name");
            if file.is_file() && name != "node.sock" {
                std::fs::copy(&file, folder.path().join(name)).expect("it is copied");
            }
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a statement on the store, which must change one row.
    fn change(&self, sql: &str) {
        let store = Connection::open(self.file("store.db")).expect("the store");
        assert_eq!(store.execute(sql, []).expect(sql), 1, "{sql}");
    }

    fn verify(&self) -> String {
        let node = Node::open(self.folder.path()).expect("it opens");
        match node.verify(|_| true) {
            Ok(found) => format!("in order: {found:?}"),
            Err(VerifyError::Wrong(wrong)) => wrong.to_string(),
            Err(error) => panic!("it is checked to its end: {error}"),
        }
    }
}

/// The second entry of the south's feed in the project, by its arrival.
fn entry(space: SpaceId, more: &str) -> String {
    let space = hex(space);
    format!(
        "(SELECT arrival FROM entries JOIN feeds ON feeds.id = feed JOIN writers ON writers.id = feeds.writer \
         WHERE space = x'{space}' {more} ORDER BY arrival LIMIT 1)"
    )
}

fn hex(space: SpaceId) -> String {
    space
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_order_is_said_to_be_so_part_by_part_while_it_serves() {
    let (world, ..) = shared().await;
    let mut parts = Vec::new();
    for node in [world.hub(SOUTH), world.coordinator().operations().node()] {
        let found = node.verify(|progress| {
            parts.push(progress);
            true
        });
        let found = found.expect("all is in order");
        assert!(found.records >= 3, "{found:?}");
        assert!(found.entries > 20 && found.feeds >= 4, "{found:?}");
    }
    for part in [Part::File, Part::Access, Part::Entries, Part::Records] {
        let last = parts.iter().rfind(|progress| progress.part == part);
        let last = last.expect("it was told of");
        assert_eq!(last.done, last.of, "{part:?}");
    }
    // Whoever is gone is not worked for.
    let broken = world
        .hub(SOUTH)
        .verify(|progress| progress.part != Part::Entries);
    assert!(matches!(broken, Err(VerifyError::BrokenOff)), "{broken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_damage_is_found_and_named() {
    let (mut world, space, _) = shared().await;
    world.stop_hub(SOUTH).await;
    let path = world.path(SOUTH);
    let (second, last) = (
        entry(space, "AND number = 2"),
        entry(space, "AND proof IS NOT NULL"),
    );
    let damages = [
        (
            format!(
                "UPDATE entries SET payload = CAST(substr(payload, 1, 40) || x'7f' || substr(payload, 42) AS BLOB) \
                 WHERE arrival = {second}"
            ),
            "does not hold",
        ),
        (
            format!("UPDATE entries SET time_ms = time_ms + 1 WHERE arrival = {second}"),
            "does not hold",
        ),
        (
            format!("UPDATE entries SET proof = zeroblob(64) WHERE arrival = {last}"),
            "does not hold",
        ),
        (
            format!("UPDATE entries SET hash = randomblob(32) WHERE arrival = {second}"),
            "another hash",
        ),
        (
            format!("DELETE FROM entries WHERE arrival = {second}"),
            "not held",
        ),
        (
            format!(
                "UPDATE feeds SET tip_hash = randomblob(32) WHERE id = \
                 (SELECT feed FROM entries WHERE arrival = {second})"
            ),
            "another hash",
        ),
        (
            format!(
                "UPDATE entries SET dropped_hash = randomblob(32), dropped_length = 99, payload = NULL \
                 WHERE arrival = {second}"
            ),
            "does not hold",
        ),
    ];
    assert!(Copied::of(&path).verify().starts_with("in order"));
    for (damage, says) in damages {
        let copied = Copied::of(&path);
        copied.change(&damage);
        let said = copied.verify();
        assert!(said.contains(says), "{damage}\n{said}");
        assert!(said.contains(&space.to_string()), "{said}");
        assert!(said.contains("restore a backup"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_what_says_who_may_write_is_found_first() {
    let (mut world, ..) = shared().await;
    let network = world.hub(SOUTH).network().expect("it is connected");
    world.stop_hub(SOUTH).await;
    let path = world.path(SOUTH);
    for number in [0, 1, 5] {
        let copied = Copied::of(&path);
        let one = entry(
            SpaceId::authority(network),
            &format!("AND number = {number}"),
        );
        copied.change(&format!(
            "UPDATE entries SET payload = CAST(substr(payload, 1, length(payload) - 1) || x'7f' AS BLOB) \
             WHERE arrival = {one}"
        ));
        let said = copied.verify();
        let access = SpaceId::authority(network).to_string();
        assert!(
            said.contains(&access) && said.contains("restore a backup"),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_beyond_a_cut_is_found() {
    let (mut world, space, made) = shared().await;
    world.hub(SOUTH).pause(true);
    edit(world.hub(SOUTH), &made, "Nobody has seen this yet.");
    let operations = world.coordinator().operations();
    let withdrawn = operations.withdraw(space, SOUTH, "the year is over");
    withdrawn.expect("withdrawn");
    world.hub(SOUTH).pause(false);
    until("it no longer counts", || evidence(&world.path(SOUTH)) > 0).await;
    world.stop_hub(SOUTH).await;
    let copied = Copied::of(&world.path(SOUTH));
    let hex = hex(space);
    copied.change(&format!(
        "INSERT INTO entries (feed, number, hash, time_ms, subject, proof, payload)
         SELECT feeds.id, number, hash, time_ms, subject, proof, payload FROM evidence
         JOIN writers ON writers.id = evidence.writer JOIN feeds ON feeds.writer = writers.id
         WHERE space = x'{hex}' ORDER BY number LIMIT 1"
    ));
    copied.change(&format!(
        "UPDATE feeds SET (tip, tip_hash) = (SELECT number, hash FROM evidence
         WHERE writer = feeds.writer ORDER BY number LIMIT 1)
         WHERE writer = (SELECT writers.id FROM writers JOIN evidence ON evidence.writer = writers.id
                         WHERE space = x'{hex}' LIMIT 1)"
    ));
    let said = copied.verify();
    assert!(said.contains("access was cut"), "{said}");
}

fn evidence(path: &Path) -> i64 {
    let store = Connection::open(path.join("store.db")).expect("the store");
    let count = store.query_row("SELECT count(*) FROM evidence", [], |row| row.get(0));
    count.expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_its_entries_do_not_make_is_named_and_made_again() {
    let (mut world, _, made) = shared().await;
    let subject = made.parse::<DocumentId>().expect("an id").subject();
    world.stop_hub(SOUTH).await;
    let before = Copied::of(&world.path(SOUTH));
    world.start_hub(SOUTH);
    for round in 0..80 {
        edit(
            world.hub(SOUTH),
            &made,
            &format!("It went on, {round} times and more."),
        );
    }
    world.hub(SOUTH).catch_up().expect("all is listed");
    world.stop_hub(SOUTH).await;
    let copied = Copied::of(&world.path(SOUTH));
    // A saved state that is older than it says it is.
    let old = Connection::open(before.file("projections.db")).expect("the lists");
    let state = "SELECT bytes FROM snapshots WHERE subject = ?1";
    let state = old.query_row(state, [subject.as_bytes()], |row| row.get::<_, Vec<u8>>(0));
    let lists = Connection::open(copied.file("projections.db")).expect("the lists");
    let put = "UPDATE snapshots SET bytes = ?2, arrival = 1000000 WHERE subject = ?1";
    let state = state.expect("it was saved");
    let put = lists.execute(put, rusqlite::params![subject.as_bytes(), state]);
    assert_eq!(put.expect("it is changed"), 1);
    drop(lists);
    let said = copied.verify();
    assert!(said.contains(&made) && said.contains("rebuild"), "{said}");
    let node = Node::open(copied.folder.path()).expect("it opens");
    let config = node.config().clone();
    drop(node);
    let mut told = 0;
    let rebuilt = Node::rebuild(copied.folder.path(), config, |_| told += 1);
    let rebuilt = rebuilt.expect("it is made again");
    assert_eq!(rebuilt.reflects, rebuilt.of);
    assert!(copied.verify().starts_with("in order"));
}
