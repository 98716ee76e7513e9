//! The checks that need no network.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use node_feed::SecretKey;
use tempfile::TempDir;

use super::*;
use crate::Node;
use crate::clock::now_ms;
use crate::enrolment::Greeting;
use crate::tls::{CertificateAuthority, Credentials, TlsKey};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A folder with a node that was never connected.
struct Folder {
    _parent: TempDir,
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let path = parent.path().join("hub");
        drop(Node::create(&path).expect("a node"));
        let folder = Self {
            _parent: parent,
            path,
        };
        folder.wait_until_free();
        folder
    }

    fn wait_until_free(&self) {
        while DataFolder::open(&self.path).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
}

fn assert_fault(finding: &Finding, says: &str, advice: &str) {
    assert_eq!(finding.verdict(), Verdict::Fault, "{finding:?}");
    assert!(finding.says().contains(says), "{finding:?}");
    assert!(finding.advice().contains(advice), "{finding:?}");
}

fn greeting(clock_ms: u64, versions: &[u32]) -> Greeting {
    Greeting {
        coordinator: node_feed::SecretKey::from_seed(&[1; 32]).public(),
        clock_ms,
        software: "causeway 9.9.9".to_owned(),
        versions: versions.to_vec(),
    }
}

#[test]
fn a_folder_that_others_may_look_into_is_named_with_the_command_that_closes_it() {
    let hub = Folder::new();
    assert_eq!(folder(&hub.path, false).verdict(), Verdict::Ok);
    mode(&hub.path, 0o755);
    assert_fault(
        &folder(&hub.path, false),
        "others on this computer",
        "chmod 700",
    );
    mode(&hub.path, 0o700);
    mode(&hub.file("identity.key"), 0o644);
    assert_fault(&folder(&hub.path, false), "holds a key", "chmod 600");
    mode(&hub.file("identity.key"), 0o600);
    std::fs::remove_file(hub.file("identity.key")).expect("it is deleted");
    assert_fault(&folder(&hub.path, false), "holds no node yet", "");
    let nowhere = hub.file("nowhere");
    assert_fault(&folder(&nowhere, false), "holds no node yet", "");
}

#[test]
fn settings_that_everybody_may_read_are_named_only_if_a_password_stands_in_them() {
    let hub = Folder::new();
    let settings = hub.file("causeway.toml");
    let write = |proxy: &str| {
        // A coordinator's has sections of its own.
        let text = format!("[listen]\npublic = \"a:1\"\n[sync]\nproxy = \"{proxy}\"\n");
        std::fs::write(&settings, text).expect("settings");
        mode(&settings, 0o644);
        folder(&hub.path, false)
    };
    assert_eq!(write("http://proxy.example:8080").verdict(), Verdict::Ok);
    let found = write("http://name:secret@proxy.example:8080");
    assert_eq!(found.verdict(), Verdict::Warning);
    assert!(found.advice().contains("chmod 600"), "{found:?}");
    assert!(!format!("{found:?}").contains("secret"), "{found:?}");
    mode(&settings, 0o640);
    assert_eq!(folder(&hub.path, false).verdict(), Verdict::Ok);
}

#[test]
fn files_that_root_left_behind_are_named() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can give a file to somebody else");
        return;
    }
    let hub = Folder::new();
    let other = rustix::fs::Uid::from_raw(12_345);
    rustix::fs::chown(hub.file("store.db"), Some(other), None).expect("it is given away");
    assert_fault(
        &folder(&hub.path, false),
        "store.db belongs to another user",
        "chown",
    );
}

#[test]
fn a_store_with_flipped_bytes_is_found_damaged_and_nothing_is_changed() {
    let hub = Folder::new();
    let path = hub.file("store.db");
    assert_eq!(of_store(&hub.path).verdict(), Verdict::Ok);
    let whole = std::fs::read(&path).expect("the store");
    let mut flipped = whole.clone();
    // The head of every page but the first, so that whichever the check reads is wrong.
    for page in flipped.chunks_mut(4096).skip(1) {
        page[0] ^= 0x55;
        page[3] ^= 0x55;
    }
    std::fs::write(&path, &flipped).expect("written");
    assert_fault(
        &of_store(&hub.path),
        "the store is damaged",
        "restore a backup",
    );
    assert_eq!(std::fs::read(&path).expect("the store"), flipped);
    std::fs::write(&path, b"not a database at all, but something else").expect("written");
    assert_fault(&of_store(&hub.path), "damaged", "restore a backup");
    std::fs::remove_file(&path).expect("deleted");
    assert_fault(&of_store(&hub.path), "is missing", "put it back");
}

#[test]
fn a_store_of_another_program_or_of_a_newer_version_is_told_apart() {
    let hub = Folder::new();
    let path = hub.file("store.db");
    let mut bytes = std::fs::read(&path).expect("the store");
    // The schema's number and the program's mark stand in the file's head.
    let newer = [&bytes[..60], &99_u32.to_be_bytes(), &bytes[64..]].concat();
    std::fs::write(&path, newer).expect("written");
    assert_fault(&of_store(&hub.path), "newer Causeway", "");
    bytes[68] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    assert_fault(
        &of_store(&hub.path),
        "is not a store of Causeway",
        "name another folder",
    );
}

#[test]
fn a_wrong_clock_is_said_in_words_by_how_much_and_which_way() {
    let now = now_ms();
    let told = |clock_ms| clock::clock(&greeting(clock_ms, &[1]), now);
    assert_eq!(told(now).verdict(), Verdict::Ok);
    assert_eq!(told(now - 60_000).verdict(), Verdict::Ok);
    let finding = told(now - 400 * DAY_MS);
    assert_fault(&finding, "13 months fast", "set date and time");
    assert_fault(
        &told(now + 400 * DAY_MS),
        "13 months slow",
        "set date and time",
    );
    let finding = told(now + 60 * 60 * 1_000);
    assert_eq!(finding.verdict(), Verdict::Warning);
    assert!(finding.says().contains("1 hour slow"), "{finding:?}");
    assert_eq!(told(0).verdict(), Verdict::NotChecked);
}

#[test]
fn versions_without_one_in_common_say_who_has_to_upgrade() {
    let told = |versions: &[u32]| version::version(&greeting(1, versions));
    assert_eq!(told(&[1, 2]).verdict(), Verdict::Ok);
    assert_fault(
        &told(&[2, 3]),
        "no version of the protocol in common",
        "upgrade this program",
    );
    assert_fault(&told(&[0]), "no version", "upgrade the coordinator's");
    assert_eq!(told(&[]).verdict(), Verdict::NotChecked);
}

#[test]
fn a_certificate_that_has_expired_or_is_not_this_nodes_says_so() {
    let hub = Folder::new();
    let now = now_ms();
    let root = SecretKey::from_seed(&[1; 32]).public();
    let network = root.network();
    let authority = CertificateAuthority::generate(network, now).expect("an authority");
    let contact = CoordinatorContact {
        address: "causeway.example:443".parse().expect("an address"),
        identity: root,
        authority_pem: authority.certificate_pem(),
    };
    let known = |network| Known {
        network,
        contact: contact.clone(),
        member: true,
    };
    let seed = crate::folder::read_seed(&hub.file("identity.key")).expect("the key");
    let own = SecretKey::from_seed(&seed).public().node();
    let pem = |node, issued_ms| {
        let key = TlsKey::generate().expect("a key");
        let request = key.request().expect("a request");
        let issued = authority.issue_client(&request, network, node, issued_ms);
        let issued = issued.expect("a certificate");
        let shown = Credentials::new(vec![issued.certificate], &key).expect("they belong together");
        (shown.chain_pem(), shown.key_pem().to_string())
    };
    let told = |text: &str, known: &Known| {
        std::fs::write(hub.file("credentials.pem"), text).expect("written");
        certificate::certificate(&hub.path, known, now).0
    };
    let (chain, key) = pem(own, now);
    let whole = format!("{chain}\n{key}");
    assert_eq!(told(&whole, &known(network)).verdict(), Verdict::Ok);
    let (old, old_key) = pem(own, now - 200 * DAY_MS);
    let finding = told(&format!("{old}\n{old_key}"), &known(network));
    assert_eq!(finding.verdict(), Verdict::Warning);
    assert!(finding.says().contains("expired on"), "{finding:?}");
    assert!(
        finding.advice().contains("renewed by itself"),
        "{finding:?}"
    );
    let (soon, soon_key) = pem(own, now - 80 * DAY_MS);
    let finding = told(&format!("{soon}\n{soon_key}"), &known(network));
    assert!(
        finding.says().contains("should have been renewed"),
        "{finding:?}"
    );
    let (early, early_key) = pem(own, now + 90 * DAY_MS);
    assert_fault(
        &told(&format!("{early}\n{early_key}"), &known(network)),
        "not valid yet",
        "set the date",
    );
    let mixed = format!("{chain}\n{old_key}");
    assert_fault(
        &told(&mixed, &known(network)),
        "do not belong together",
        "move it away",
    );
    let (other, other_key) = pem(root.node(), now);
    let other = format!("{other}\n{other_key}");
    assert_fault(
        &told(&other, &known(network)),
        "is another node's",
        "move it away",
    );
    let elsewhere = known(SecretKey::from_seed(&[9; 32]).public().network());
    assert_fault(
        &told(&whole, &elsewhere),
        "for another network",
        "move it away",
    );
    let half = &whole[..whole.len() / 3];
    assert_fault(
        &told(half, &known(network)),
        "cannot be used",
        "move it away",
    );
    std::fs::remove_file(hub.file("credentials.pem")).expect("deleted");
    let finding = certificate::certificate(&hub.path, &known(network), now).0;
    assert_eq!(finding.verdict(), Verdict::Warning, "{finding:?}");
}

#[tokio::test]
async fn a_node_that_was_never_connected_is_told_what_to_do_first() {
    let hub = Folder::new();
    let examination = Examination {
        data: &hub.path,
        invitation: None,
        now_ms: now_ms(),
    };
    let findings = examine(examination).await;
    let of = |check: &str| findings.iter().find(|it| it.check() == check);
    let connection = of("connection").expect("it is checked");
    assert_eq!(connection.verdict(), Verdict::Warning);
    assert!(
        connection.advice().contains("run `setup`"),
        "{connection:?}"
    );
    for check in ["name", "port", "filter", "clock", "access"] {
        let finding = of(check).expect("it is told");
        assert_eq!(finding.verdict(), Verdict::NotChecked, "{finding:?}");
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_told_and_the_rest_is_checked_all_the_same() {
    let hub = Folder::new();
    let secret = "[sync]\nproxy = http://hub:secret@proxy.example:8080\n";
    for (text, says) in [
        ("[sync]\nreconnect_ms_max = 1\n", "out of bounds"),
        ("[sink]\n", "sink"),
        (
            "[sync]\nproxy = \"socks5://hub:secret@proxy\"\n",
            "sync.proxy",
        ),
        (secret, "cannot be understood"),
    ] {
        std::fs::write(hub.file("causeway.toml"), text).expect("written");
        mode(&hub.file("causeway.toml"), 0o600);
        let findings = examine(Examination {
            data: &hub.path,
            invitation: None,
            now_ms: now_ms(),
        });
        let findings = findings.await;
        assert_fault(&findings[0], says, "causeway.toml");
        let all = format!("{findings:?}");
        assert!(!all.contains("secret"), "{all}");
        assert_eq!(findings[1].verdict(), Verdict::Ok, "{findings:?}");
    }
}
