//! Stores of earlier schemas are brought up to date whole or not at all, whenever the program dies; and
//! files that a newer program wrote are refused in words and left as they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::json;
use tests::folders::copy;
use tests::world::World;

use crate::program::{command, run, said};

const SOUTH: &str = "south-yorkshire";
const REGISTER: &str = "registry.db";
const FIRST_SCHEMA: &str = include_str!("../../../node/store/src/sqlite_store/schema_1.sql");
/// What the second step of the register's schema made, taken back.
const FIRST_REGISTER: &str = "
    DROP TABLE successions;
    DROP INDEX requests_by_state;
    DROP INDEX audit_by_event;
    DROP TABLE requests;
    ALTER TABLE invitations DROP COLUMN waits;
    PRAGMA user_version = 1";
/// By how much the room grows from one death to the next, in the shell's blocks of 512 bytes.
const STEP_BLOCKS: usize = 12;

/// A coordinator and a hub that stand still, with some records and an invitation that is open.
async fn standing() -> World {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    for number in 0..30 {
        let fields = json!({ "title": format!("Practice {number}"), "body": "Ten minutes a day." });
        let made =
            world
                .hub(SOUTH)
                .create_record("practice", &space.to_string(), &fields.to_string());
        made.expect("it is made");
    }
    world.agree(space).await;
    drop(world.invite("west-yorkshire"));
    world.stop_hub(SOUTH).await;
    world.stop_coordinator().await;
    world
}

/// A store as the first schema has it, with all that the present one holds of it.
fn to_first_schema(folder: &Path) {
    let (now, first) = (folder.join("store.db"), folder.join("first.db"));
    let store = Connection::open(&first).expect("a new file");
    store.execute_batch(FIRST_SCHEMA).expect("the first tables");
    store
        .execute("ATTACH ?1 AS now", [now.to_str().expect("a path")])
        .expect("the present store");
    for table in tables(&store) {
        let columns = columns(&store, &table).join(", ");
        let sql = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM now.{table}");
        store.execute(&sql, []).expect("rows are copied");
    }
    store
        .execute_batch(
            "DETACH now; PRAGMA application_id = 0x43535759; PRAGMA user_version = 1;
             PRAGMA journal_mode = wal",
        )
        .expect("the marks");
    drop(store);
    fs::rename(first, now).expect("it takes its place");
}

fn tables(store: &Connection) -> Vec<String> {
    let sql =
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    texts(store, sql)
}

fn columns(store: &Connection, table: &str) -> Vec<String> {
    texts(
        store,
        &format!("SELECT name FROM pragma_table_info('{table}')"),
    )
}

fn texts(store: &Connection, sql: &str) -> Vec<String> {
    let mut statement = store.prepare(sql).expect("a question");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

/// What a file holds: its version, its schema in words, and how many rows each of its first tables has.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    version: i64,
    schema: Vec<String>,
}

impl Form {
    fn of(file: &Path) -> Self {
        let store = Connection::open(file).expect("it opens");
        let whole: String = store
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("a check");
        assert_eq!(whole, "ok");
        Self {
            version: store
                .pragma_query_value(None, "user_version", |row| row.get(0))
                .expect("a version"),
            schema: texts(
                &store,
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
            ),
        }
    }
}

/// Every row of these columns, in words.
fn rows(file: &Path, wanted: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let store = Connection::open(file).expect("it opens");
    let mut all = Vec::new();
    for (table, columns) in wanted {
        // What starting notes belongs to no migration.
        if ["settings", "audit"].contains(&table.as_str()) {
            continue;
        }
        let columns = columns.iter().map(|it| format!("quote({it})"));
        let columns = columns.collect::<Vec<_>>().join("||','||");
        let sql = format!("SELECT '{table}:'||{columns} FROM {table} ORDER BY 1");
        all.extend(texts(&store, &sql));
    }
    all
}

/// Runs a program that may make no file larger than this: the system kills it (SIGXFSZ) in the midst
/// of the write that would.
fn run_within(blocks: usize, part: &str, data: &Path) -> bool {
    let program = command(part, data, &["verify"]);
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            &format!("ulimit -c 0; ulimit -f {blocks}; exec \"$@\""),
            "sh",
        ])
        .arg(program.get_program())
        .args(program.get_args());
    shell.stdin(Stdio::null());
    let output = shell.output().expect("a shell");
    output.status.success()
}

/// Brings `file` of a folder up to date over and over, with more and more room, until it succeeds; each time
/// from the old state on, and once more from what the death before left.
fn dies_everywhere(folder: &Path, part: &str, file: &str) {
    let old = Form::of(&folder.join(file));
    let wanted = {
        let store = Connection::open(folder.join(file)).expect("it opens");
        let tables = tables(&store).into_iter();
        tables
            .map(|table| (table.clone(), columns(&store, &table)))
            .collect::<BTreeMap<_, _>>()
    };
    let kept = rows(&folder.join(file), &wanted);
    assert!(kept.len() >= 2, "rows are in it");

    let whole = copied(folder);
    assert!(run(part, whole.path(), &["verify"]).status.success());
    let new = Form::of(&whole.path().join(file));
    assert!(new.version > old.version, "it was brought up to date");
    assert_eq!(rows(&whole.path().join(file), &wanted), kept);

    let (mut left_old, mut left_new) = (0, 0);
    for blocks in (0..).step_by(STEP_BLOCKS) {
        let dying = copied(folder);
        let ended = run_within(blocks, part, dying.path());
        let left = Form::of(&dying.path().join(file));
        assert!(
            left == old || left == new,
            "with {blocks} blocks it is neither old nor new: {left:#?}"
        );
        assert_eq!(rows(&dying.path().join(file), &wanted), kept, "{blocks}");
        let is_new = left == new;
        left_new += usize::from(is_new);
        left_old += usize::from(!is_new);
        // Whatever is left, the next start goes on from.
        let next = run(part, dying.path(), &["verify"]);
        assert!(next.status.success(), "{blocks}: {}", said(&next));
        assert_eq!(Form::of(&dying.path().join(file)), new);
        if ended {
            break;
        }
        assert!(blocks < 4_000, "it never has room enough");
    }
    println!("{file}: {left_old} deaths left the old schema, {left_new} the new one");
    assert!(left_old > 3 && left_new > 0, "it died before and after");
}

fn copied(folder: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().expect("a folder");
    copy(folder, to.path()).expect("copied");
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_dies_while_its_store_is_brought_up_to_date_has_the_old_or_the_new_one() {
    let world = standing().await;
    let folder = world.path(SOUTH);
    to_first_schema(&folder);
    // As they were before there were any: made anew, and never in the way.
    for file in ["audit.db", "projections.db"] {
        fs::remove_file(folder.join(file)).expect("it is there");
    }
    dies_everywhere(&folder, "node", "store.db");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_dies_while_its_register_is_brought_up_to_date_has_the_old_or_the_new() {
    let world = standing().await;
    let folder = world.path("coordinator");
    let register = Connection::open(folder.join(REGISTER)).expect("the register");
    register.execute_batch(FIRST_REGISTER).expect("taken back");
    drop(register);
    dies_everywhere(&folder, "coordinator", REGISTER);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_goes_back_with_what_was_kept_before_the_upgrade() {
    let world = standing().await;
    let folder = world.path(SOUTH);
    let kept = tempfile::tempdir().expect("a folder");
    let backup = kept.path().join("before.db");
    let backup = backup.to_str().expect("a path");
    let made = run("node", &folder, &["backup", backup, "--open"]);
    assert!(made.status.success(), "{}", said(&made));
    fs::copy(folder.join("audit.db"), kept.path().join("audit.db")).expect("kept");
    // As a newer program leaves them.
    for file in ["store.db", "audit.db", "projections.db"] {
        let database = Connection::open(folder.join(file)).expect("it opens");
        database
            .pragma_update(None, "user_version", 99)
            .expect("a later version");
    }
    let refused = run("node", &folder, &["restore", backup, "--confirm"]);
    let why = said(&refused);
    assert!(
        !refused.status.success(),
        "the audit log is a newer one too"
    );
    assert!(why.contains("audit") && why.contains("newer"), "{why}");

    fs::copy(kept.path().join("audit.db"), folder.join("audit.db")).expect("put back");
    for words in [
        ["restore", backup, "--confirm"].as_slice(),
        &["verify"],
        &["audit", "verify"],
    ] {
        let output = run("node", &folder, words);
        assert!(output.status.success(), "{words:?}: {}", said(&output));
    }
    let listed = run("node", &folder, &["record", "list", "--kind", "practice"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert_eq!(listed.matches("Practice ").count(), 30, "{listed}");
}

/// The files of a folder, by name, without what is made while one is looked at.
fn bytes_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(folder).into_iter();
    let files = files.map(|file| file.expect("a file").into_path());
    let kept = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_file() && !name.ends_with("-shm") && !name.ends_with("-wal")
    };
    files
        .filter(kept)
        .map(|path| (path.clone(), fs::read(path).expect("it is read")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_refuses_a_newer_file_in_words_and_touches_nothing() {
    let world = standing().await;
    for (part, name, file) in [
        ("node", SOUTH, "store.db"),
        ("node", SOUTH, "audit.db"),
        ("coordinator", "coordinator", "store.db"),
        ("coordinator", "coordinator", "audit.db"),
        ("coordinator", "coordinator", REGISTER),
    ] {
        let newer = copied(&world.path(name));
        let database = Connection::open(newer.path().join(file)).expect("it opens");
        database
            .pragma_update(None, "user_version", 99)
            .expect("a later version");
        // Of the lists nothing is lost either, though they could be made again.
        if file == "store.db" {
            let lists = Connection::open(newer.path().join("projections.db")).expect("they open");
            lists
                .pragma_update(None, "user_version", 99)
                .expect("a later version");
        }
        drop(database);
        let before = bytes_of(newer.path());
        for words in [["serve"].as_slice(), &["status"], &["verify"]] {
            let words = if part == "coordinator" && words == ["status"] {
                &["health"]
            } else {
                words
            };
            let output = run(part, newer.path(), words);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(1), "{file} {words:?}: {said}");
            assert!(
                said.contains("newer") && (said.contains("upgrade") || said.contains("install")),
                "{part} {file} {words:?}: {said}"
            );
            let after = bytes_of(newer.path());
            let changed = after
                .iter()
                .filter(|(path, bytes)| before.get(*path) != Some(bytes));
            let changed = changed.map(|(path, _)| path).collect::<Vec<_>>();
            assert_eq!(changed, [] as [&PathBuf; 0], "{part} {file} {words:?}");
        }
    }
}
