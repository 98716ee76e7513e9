//! What an audit log promises: lines that follow from each other, and the first that does not.

use std::path::{Path, PathBuf};

use node_store::{AuditFault, AuditFields, AuditHead, AuditLog, NewLine, StoreError};
use rusqlite::{Connection, params};

fn line(time_ms: u64, kind: &str, about: &str) -> NewLine {
    NewLine {
        time_ms,
        kind: kind.to_owned(),
        fields: AuditFields::from([("about".to_owned(), about.to_owned())]),
    }
}

/// A log of nine lines, and where it ended.
fn nine(folder: &Path) -> (PathBuf, AuditHead) {
    let path = folder.join("audit.db");
    let mut log = AuditLog::open(&path).expect("a log");
    for time_ms in 1..10 {
        let kind = if time_ms % 3 == 0 {
            "backup made"
        } else {
            "started"
        };
        log.append(&[line(time_ms, kind, "something")], None)
            .expect("a line");
    }
    let head = log.head().expect("an end");
    (path, head)
}

/// Changes the file as somebody would who knows SQLite.
fn tamper(path: &Path, sql: &str) {
    let connection = Connection::open(path).expect("the file");
    connection
        .execute_batch("DROP TRIGGER lines_stay; DROP TRIGGER lines_remain;")
        .expect("no triggers");
    connection.execute_batch(sql).expect("changed");
}

fn verify(path: &Path, remembered: Option<AuditHead>) -> Result<AuditHead, AuditFault> {
    let log = AuditLog::look(path).expect("the log opens");
    log.verify(remembered, |_| {}).map(|verified| verified.head)
}

#[test]
fn lines_stay_in_order_and_are_found_by_time_and_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, head) = nine(folder.path());
    assert_eq!(head.number, 9);
    assert_eq!(verify(&path, Some(head)), Ok(head));
    let log = AuditLog::look(&path).expect("the log");
    let numbers = |after, since, limit| {
        let lines = log.lines(after, since, limit).expect("lines");
        lines.iter().map(|line| line.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, 8, 100), [8, 9]);
    assert_eq!(numbers(2, 0, 3), [3, 4, 5]);
    assert_eq!(log.of_kind("backup made").expect("lines").len(), 3);
    assert_eq!(log.latest_ms("started").expect("a time"), Some(8));
    assert_eq!(log.latest_ms("never").expect("no time"), None);
}

#[test]
fn lines_that_are_taken_in_from_elsewhere_are_taken_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.db");
    let mut log = AuditLog::open(&path).expect("a log");
    assert_eq!(log.taken("accounts").expect("read"), 0);
    log.append(&[line(1, "signed in", "")], Some(("accounts", 7)))
        .expect("a line");
    drop(log);
    let log = AuditLog::open(&path).expect("the log again");
    assert_eq!(log.taken("accounts").expect("read"), 7);
    assert_eq!(log.taken("registry").expect("read"), 0);
}

#[test]
fn a_line_is_neither_changed_nor_removed_by_accident() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, head) = nine(folder.path());
    let connection = Connection::open(&path).expect("the file");
    for sql in [
        "UPDATE lines SET kind = 'nothing' WHERE number = 3",
        "DELETE FROM lines WHERE number = 9",
    ] {
        let refused = connection.execute_batch(sql).expect_err("refused");
        assert!(refused.to_string().contains("never"), "{refused}");
    }
    drop(connection);
    assert_eq!(verify(&path, Some(head)), Ok(head));
}

#[test]
fn the_first_line_that_was_changed_is_named() {
    for (column, value) in [
        ("kind", "'started'"),
        ("time_ms", "4"),
        ("fields", "'{\"about\":\"else\"}'"),
        ("fields", "'not JSON'"),
        ("hash", "zeroblob(32)"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, head) = nine(folder.path());
        tamper(
            &path,
            &format!("UPDATE lines SET {column} = {value} WHERE number IN (6, 8)"),
        );
        let found = verify(&path, Some(head));
        assert_eq!(found, Err(AuditFault::Changed(6)), "{column} = {value}");
    }
}

#[test]
fn a_line_that_was_taken_out_is_named_also_when_the_others_were_numbered_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, head) = nine(folder.path());
    tamper(&path, "DELETE FROM lines WHERE number = 4");
    assert_eq!(verify(&path, Some(head)), Err(AuditFault::Missing(4)));
    tamper_again(
        &path,
        "UPDATE lines SET number = number - 1 WHERE number > 4",
    );
    assert_eq!(verify(&path, None), Err(AuditFault::Changed(4)));
    let folder = tempfile::tempdir().expect("a folder");
    let (path, _) = nine(folder.path());
    tamper(&path, "DELETE FROM lines WHERE number = 1");
    assert_eq!(verify(&path, None), Err(AuditFault::Missing(1)));
}

/// Changes a file whose triggers are gone already.
fn tamper_again(path: &Path, sql: &str) {
    let connection = Connection::open(path).expect("the file");
    connection.execute_batch(sql).expect("changed");
}

#[test]
fn lines_that_changed_places_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, head) = nine(folder.path());
    tamper(
        &path,
        "UPDATE lines SET number = -1 WHERE number = 5;
         UPDATE lines SET number = 5 WHERE number = 6;
         UPDATE lines SET number = 6 WHERE number = -1;",
    );
    assert_eq!(verify(&path, Some(head)), Err(AuditFault::Changed(5)));
}

#[test]
fn an_end_that_was_cut_off_shows_against_what_was_remembered_and_only_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, head) = nine(folder.path());
    tamper(&path, "DELETE FROM lines WHERE number > 7");
    let cut = AuditFault::CutOff {
        last: 7,
        remembered: 9,
    };
    assert_eq!(verify(&path, Some(head)), Err(cut));
    assert_eq!(verify(&path, None).map(|head| head.number), Ok(7));
}

#[test]
fn a_log_that_was_written_anew_is_not_the_one_that_was_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, head) = nine(folder.path());
    tamper(&path, "DELETE FROM lines WHERE number > 3");
    let mut log = AuditLog::open(&path).expect("the log");
    let harmless = (0..9).map(|_| line(20, "started", "")).collect::<Vec<_>>();
    log.append(&harmless, None).expect("lines");
    drop(log);
    assert_eq!(verify(&path, Some(head)), Err(AuditFault::Replaced(9)));
    assert!(verify(&path, None).is_ok(), "it follows by itself");
}

#[test]
fn a_byte_that_flips_anywhere_in_the_file_changes_no_line_unseen() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, head) = nine(folder.path());
    // All in one file, without a log beside it.
    tamper(
        &path,
        "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = delete;",
    );
    let whole = std::fs::read(&path).expect("the file");
    let lines = |path: &Path| {
        let log = AuditLog::look(path).ok()?;
        log.verify(Some(head), |_| {}).ok()?;
        log.lines(0, 0, 100).ok()
    };
    let before = lines(&path).expect("whole");
    let (mut found, mut harmless) = (0, 0);
    for at in (0..whole.len()).step_by(41) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).expect("written");
        match lines(&path) {
            None => found += 1,
            Some(after) => {
                assert_eq!(after, before, "byte {at}");
                harmless += 1;
            }
        }
    }
    // Unused space, the index, and counters of the header.
    assert!(
        found > 0 && harmless > 0,
        "{found} found, {harmless} harmless"
    );
}

#[test]
fn another_program_s_file_and_a_newer_log_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.db");
    let connection = Connection::open(&path).expect("a file");
    connection
        .execute("CREATE TABLE theirs (x)", params![])
        .expect("a table");
    drop(connection);
    assert!(matches!(AuditLog::open(&path), Err(StoreError::Foreign(_))));
    assert!(matches!(AuditLog::look(&path), Err(StoreError::Foreign(_))));
    std::fs::remove_file(&path).expect("removed");
    drop(AuditLog::open(&path).expect("a log"));
    let connection = Connection::open(&path).expect("the file");
    connection
        .pragma_update(None, "user_version", 9)
        .expect("a later form");
    drop(connection);
    let newer = AuditLog::open(&path).expect_err("refused");
    assert!(
        matches!(newer, StoreError::Newer { found: 9, .. }),
        "{newer}"
    );
}

#[cfg(unix)]
#[test]
fn a_log_is_for_its_owner_s_eyes_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let (path, _) = nine(folder.path());
    let mode = std::fs::metadata(&path).expect("the file").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}
