//! What the store promises of accounts, sessions, tries and audit lines.

use node_store::{AccountRow, AuditLine, Check, SessionRow, SqliteStore, StoreError, TriesRow};

fn store() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(folder.path().join("store.db"), Check::AfterCrash);
    (folder, store.expect("a new store"))
}

fn account(id: u8, name: Option<&str>) -> AccountRow {
    AccountRow {
        id: [id; 8],
        name: name.map(str::to_owned),
        json: format!("{{\"number\":{id}}}"),
    }
}

fn session(hash: u8, account: u8, ms: u64) -> SessionRow {
    SessionRow {
        hash: [hash; 32],
        account: [account; 8],
        begun_ms: ms,
        seen_ms: ms,
        json: "{}".to_owned(),
    }
}

#[test]
fn two_accounts_never_have_one_name_and_a_failed_change_leaves_nothing() {
    let (_folder, mut store) = store();
    let added = store.change_accounts(|tables| {
        tables.put_account(&account(1, Some("ama")))?;
        tables.put_account(&account(2, None))?;
        tables.put_account(&account(3, None))
    });
    added.expect("accounts without a name are many");
    let twice = store.change_accounts(|tables| {
        tables.remove_account([3; 8])?;
        tables.put_account(&account(2, Some("ama")))
    });
    assert!(matches!(twice, Err(StoreError::Statement(_))), "{twice:?}");
    let found = store.change_accounts(|tables| {
        Ok((
            tables.account_named("ama")?,
            tables.account([2; 8])?,
            tables.all()?.len(),
        ))
    });
    let (named, unnamed, count) = found.expect("it reads");
    assert!(named == Some(account(1, Some("ama"))) && unnamed == Some(account(2, None)));
    assert_eq!(count, 3);
}

#[test]
fn sessions_end_with_their_account_by_age_and_stay_ended() {
    let (_folder, mut store) = store();
    let left = store.change_accounts(|tables| {
        tables.put_account(&account(1, None))?;
        tables.put_account(&account(2, None))?;
        for (hash, of, ms) in [(1, 1, 10), (2, 1, 20), (3, 2, 30), (4, 2, 40)] {
            tables.put_session(&session(hash, of, ms))?;
        }
        tables.end_session([4; 32])?;
        tables.session_seen([4; 32], 50)?;
        tables.session_seen([2; 32], 5)?;
        tables.end_sessions_before(15, 0)?;
        tables.remove_account([2; 8])?;
        let hashes = [[1; 32], [2; 32], [3; 32], [4; 32]];
        let left = hashes.into_iter().map(|hash| tables.session(hash));
        left.collect::<Result<Vec<_>, _>>()
    });
    let left = left.expect("it reads");
    assert!(left == [None, Some(session(2, 1, 20)), None, None]);
    let orphan = store.change_accounts(|tables| tables.put_session(&session(5, 9, 0)));
    assert!(orphan.is_err(), "a session without an account");
}

#[test]
fn tries_under_names_that_nobody_has_take_no_more_than_their_room() {
    let (_folder, mut store) = store();
    let name = |number: u64| {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&number.to_be_bytes());
        name
    };
    let row = |number: u64, known: bool| TriesRow {
        name: name(number),
        failed: 1,
        wait_until_ms: 0,
        last_ms: number,
        known,
    };
    let kept = store.change_accounts(|tables| {
        tables.put_tries(&row(1, true))?;
        for number in 2..4_100 {
            tables.put_tries(&row(number, false))?;
        }
        Ok((
            tables.tries(name(1))?,
            tables.tries(name(2))?,
            tables.tries(name(4_099))?,
        ))
    });
    let (known, oldest, newest) = kept.expect("it reads");
    assert_eq!((known, oldest), (Some(row(1, true)), None));
    assert_eq!(newest, Some(row(4_099, false)));
}

#[test]
fn audit_lines_come_the_newest_first() {
    let (_folder, mut store) = store();
    let line = |time_ms: u64| AuditLine {
        time_ms,
        who: (time_ms > 1).then_some([1; 8]),
        event: "refused".to_owned(),
        about: "/access".to_owned(),
        allowed: false,
    };
    let lines = store.change_accounts(|tables| {
        for time_ms in 1..=3 {
            tables.add_audit_line(&line(time_ms))?;
        }
        tables.audit_lines(2)
    });
    assert_eq!(lines.expect("it reads"), [line(3), line(2)]);
}

#[test]
fn refusals_never_push_out_what_was_done_and_only_the_latest_are_kept() {
    let (_folder, mut store) = store();
    let line = |time_ms: u64, allowed: bool| AuditLine {
        time_ms,
        who: None,
        event: "an event".to_owned(),
        about: String::new(),
        allowed,
    };
    let lines = store.change_accounts(|tables| {
        tables.add_audit_line(&line(0, true))?;
        for time_ms in 1..=51_000 {
            tables.add_audit_line(&line(time_ms, false))?;
        }
        tables.audit_lines(u32::MAX)
    });
    let lines = lines.expect("it reads");
    assert_eq!(lines.last(), Some(&line(0, true)));
    assert_eq!(lines.first(), Some(&line(51_000, false)));
    assert!((50_000..50_400).contains(&lines.len()), "{}", lines.len());
}
