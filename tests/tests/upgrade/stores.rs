//! The stores of every released version are opened by this one, hold what they held, and go on.
//!
//! What time does to them is part of it: the hub's certificate ran out before it was recorded, so each run
//! renews it, and nothing else that is asserted here has a date.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use coordinator::Coordinator;
use coordinator::saved_keys::SavedKeys;
use node::Node;
use node::accounts::Needs;
use node::clock::now_ms;
use node::tls::Credentials;
use node_feed::{Access, SpaceId};
use node_store::AuditLog;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use tests::person::Person;
use tests::release::{Holds, Manifest, Release, unpack};
use tests::world::{World, until};

use crate::program::{run, said};

const SOUTH: &str = "south-yorkshire";
const EAST: &str = "east-riding";
const COORDINATOR: &str = "coordinator";

/// The folders of a release, unpacked, and what they hold.
fn unpacked(release: &Release) -> (TempDir, Manifest) {
    let folder = tempfile::tempdir().expect("a folder");
    unpack(&release.stores(), folder.path()).expect("it unpacks");
    let text = fs::read_to_string(release.manifest()).expect("what it holds");
    let manifest = serde_json::from_str(&text).expect("a manifest");
    (folder, manifest)
}

fn releases() -> Vec<Release> {
    let all = Release::all().expect("releases");
    assert!(!all.is_empty(), "no release is kept");
    all
}

fn part(name: &str) -> &'static str {
    if name == COORDINATOR {
        "coordinator"
    } else {
        "node"
    }
}

/// Runs `look` on the node in a folder, which serves nobody meanwhile.
fn opened<T>(folder: &Path, name: &str, look: impl FnOnce(&Node) -> T) -> T {
    let path = folder.join(name);
    if name == COORDINATOR {
        let coordinator = Coordinator::open(&path).expect("it opens");
        look(coordinator.operations().node())
    } else {
        look(&Node::open(&path).expect("it opens"))
    }
}

#[test]
fn the_programs_find_the_stores_of_a_released_version_whole() {
    for release in releases() {
        let (folder, manifest) = unpacked(&release);
        for name in manifest.nodes.keys() {
            for words in [
                ["verify"].as_slice(),
                &["audit", "verify"],
                &["rebuild"],
                &["verify"],
            ] {
                let output = run(part(name), &folder.path().join(name), words);
                assert!(
                    output.status.success(),
                    "{} {name} {words:?}: {}",
                    release.version(),
                    said(&output)
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stores_of_a_released_version_hold_what_they_held() {
    for release in releases() {
        let (folder, manifest) = unpacked(&release);
        assert!(manifest.nodes.len() > 1);
        for (name, held) in &manifest.nodes {
            let now = opened(folder.path(), name, |node| {
                for account in &held.accounts {
                    signs_in(node, &account.name, &account.email);
                }
                assert!(node.show_record(&manifest.erased).is_err(), "it was erased");
                Holds::of(node).expect("it is read")
            });
            assert_holds(&format!("{} {name}", release.version()), held, &now);
            let log = AuditLog::look(&folder.path().join(name).join("audit.db"));
            let log = log.expect("the audit log");
            assert!(log.head().expect("its end").number >= held.audit_lines);
        }
    }
}

/// All that was there is there; a version that knows more may set less aside and list more.
fn assert_holds(whose: &str, held: &Holds, now: &Holds) {
    assert!(held.records.len() > 10 && held.spaces.len() > 3, "{whose}");
    assert_eq!(now.spaces, held.spaces, "{whose}");
    for (id, title) in &held.titles {
        assert_eq!(now.titles.get(id), Some(title), "{whose}: {id}");
    }
    for (kind, count) in &held.records {
        // What was of an unknown kind may have its own by now.
        let is_known = kind != "unknown";
        let found = now.records.get(kind).copied().unwrap_or(0);
        assert!(!is_known || found >= *count, "{whose}: {kind}");
    }
    assert_eq!(now.versions, held.versions, "{whose}");
    assert!(held.set_aside.len() > 3, "{whose}");
    assert!(now.set_aside.len() <= held.set_aside.len(), "{whose}");
    assert_eq!(now.no_longer_counting, held.no_longer_counting, "{whose}");
}

/// Somebody signs in with a password that was set under that version.
fn signs_in(node: &Node, name: &str, email: &str) {
    let person = Person::again(name, email);
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let accounts = node.accounts();
    let wrong = accounts.sign_in(email, "something else entirely", here, now_ms());
    assert!(wrong.is_err(), "{email}: another password is refused");
    let signed_in = accounts.sign_in(email, person.password, here, now_ms());
    let signed_in = signed_in.unwrap_or_else(|error| panic!("{email}: {error}"));
    assert_eq!(signed_in.needs, Needs::SecondFactor);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_a_released_version_go_on_with_each_other_and_with_new_ones() {
    for release in releases() {
        let (folder, manifest) = unpacked(&release);
        let keys = SavedKeys::read(&folder.path().join("keys")).expect("its keys");
        let expired = certificate_ends(&folder.path().join(SOUTH));
        assert!(expired < now_ms(), "it had run out");
        let mut world = World::recorded(folder, keys, &manifest.address, &[SOUTH]).await;
        let space = manifest.project.parse::<SpaceId>().expect("a space");
        until(
            "the hub has renewed its certificate and is connected",
            || !world.hub(SOUTH).peers_connected().is_empty(),
        )
        .await;
        assert!(certificate_ends(&world.path(SOUTH)) > now_ms());

        // Both write on, and a node of this version joins them.
        let text = json!({ "body": "Written after the upgrade." }).to_string();
        let edited = world.hub(SOUTH).edit_record(&manifest.record, "", &text);
        edited.expect("a record of then is edited");
        world.add_hub(EAST).await;
        let operations = world.coordinator().operations();
        operations
            .grant(space, EAST, Access::Write)
            .expect("access");
        let fields = json!({ "title": "By NCETM" }).to_string();
        let made = operations
            .node()
            .create_record("practice", &space.to_string(), &fields);
        let made = made.expect("a record is made").id.to_string();
        until("the new hub holds what was written", || {
            let shown = world.hub(EAST).show_record(&manifest.record);
            shown.is_ok_and(|shown| shown.fields["body"] == "Written after the upgrade.")
        })
        .await;
        let edited = world.hub(EAST).edit_record(
            &manifest.record,
            "",
            &json!({ "body": "And by a new hub." }).to_string(),
        );
        edited.expect("the new hub edits it");
        world.agree(space).await;
        for node in [world.hub(SOUTH), world.hub(EAST), operations.node()] {
            let shown = node.show_record(&manifest.record).expect("shown");
            assert_eq!(shown.fields["body"], "And by a new hub.");
            assert!(node.show_record(&made).is_ok());
            let verified = node.verify(|_| true);
            verified.expect("each is whole");
        }
        // Whether the request still waits or has lapsed is a matter of days.
        let asked = operations.connection_attempts().expect("attempts");
        let waits = operations.waiting().expect("requests");
        let waits = waits
            .iter()
            .any(|it| format!("{it:?}").contains(&manifest.waiting));
        let lapsed = asked
            .iter()
            .any(|it| format!("{it:?}").contains(&manifest.waiting));
        assert!(waits || lapsed, "the request to connect is known");
    }
}

fn certificate_ends(folder: &Path) -> u64 {
    let text = fs::read_to_string(folder.join("credentials.pem")).expect("a certificate");
    let credentials = Credentials::from_pem(&text, &text).expect("a certificate and its key");
    credentials.not_after_ms()
}

/// The test of these tests: they see a single byte that is not what it was.
#[test]
fn a_changed_byte_in_a_store_is_found() {
    let release = releases().pop().expect("a release");
    let (folder, manifest) = unpacked(&release);
    for name in manifest.nodes.keys() {
        let store = folder.path().join(name).join("store.db");
        let payload = payload_of(&store);
        let mut bytes = fs::read(&store).expect("the store");
        let found = bytes.windows(payload.len()).position(|it| it == payload);
        bytes[found.expect("it stands in the file") + payload.len() / 2] ^= 1;
        fs::write(&store, bytes).expect("written");
        let output = run(part(name), &folder.path().join(name), &["verify"]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", said(&output));
        assert!(
            said(&output).contains("restore a backup"),
            "{}",
            said(&output)
        );
    }
}

/// The payload of some entry, short enough to stand in one place of the file.
fn payload_of(store: &Path) -> Vec<u8> {
    let store = Connection::open(store).expect("the store");
    let sql = "SELECT payload FROM entries WHERE length(payload) BETWEEN 100 AND 900
               ORDER BY arrival DESC LIMIT 1 OFFSET 5";
    let payload = store.query_row(sql, [], |row| row.get(0));
    payload.expect("a payload")
}
