//! What an operator can do, and what is refused with a sentence.

use std::sync::Arc;

use coordinator::operations::OperationError;
use coordinator::saved_keys::{SavedKeys, write_certificates};
use coordinator::server_certificate::ServerCertificate;
use coordinator::{Certificates, Coordinator, CoordinatorError};
use coordinator_registry::Event;
use node::clock::now_ms;
use node_feed::{Access, NodeId, SpaceKind};
use tempfile::TempDir;

const SOUTH: &str = "south-yorkshire";

fn coordinator() -> (TempDir, SavedKeys, Coordinator) {
    let folder = TempDir::new().expect("a temporary folder");
    let keys = SavedKeys::generate(now_ms()).expect("new keys");
    let coordinator = Coordinator::create(folder.path(), &keys).expect("a new coordinator");
    (folder, keys, coordinator)
}

/// Opens a coordinator again, once the threads of the one that was dropped have ended.
fn open(folder: &TempDir) -> Coordinator {
    for _ in 0..500 {
        if let Ok(coordinator) = Coordinator::open(folder.path()) {
            return coordinator;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Coordinator::open(folder.path()).expect("the folder is free")
}

#[test]
fn the_coordinators_own_hub_keeps_its_access() {
    let (_folder, _, coordinator) = coordinator();
    let operations = coordinator.operations();
    let space = operations
        .create_space(SpaceKind::Forum, "A forum")
        .expect("a space");
    let own = "coordinator";
    let length = operations.node().authority().length();
    for refused in [
        operations.revoke(own, "by mistake").map(drop),
        operations.revocation(own).map(drop),
        operations.withdraw(space, own, "by mistake").map(drop),
        operations.invite(own, "Another", 1).map(drop),
    ] {
        assert!(matches!(refused, Err(OperationError::OwnHub(_))));
    }
    assert_eq!(operations.node().authority().length(), length);
}

#[test]
fn a_hubs_own_space_is_given_to_nobody_and_taken_from_nobody() {
    let (_folder, _, coordinator) = coordinator();
    let operations = coordinator.operations();
    let invitation = operations.invite(SOUTH, "South", 1).expect("invited");
    operations.invite("west", "West", 1).expect("invited");
    let node = NodeId::from_bytes([7; 32]);
    operations.admit(invitation.hub, node).expect("admitted");
    let authority = operations.node().authority();
    let mut spaces = authority.spaces().iter();
    let own = spaces.find(|(_, record)| record.kind == SpaceKind::Hub);
    let own = *own.expect("every hub has one").0;
    let length = authority.length();
    for refused in [
        operations.grant(own, "coordinator", Access::Read),
        operations.grant(own, "west", Access::Write),
        operations.grant(own, SOUTH, Access::Read),
        operations.withdraw(own, SOUTH, "by mistake").map(drop),
    ] {
        assert!(matches!(refused, Err(OperationError::OwnSpace)));
    }
    assert_eq!(operations.node().authority().length(), length);
}

#[test]
fn a_revoked_hub_comes_back_by_no_grant_invitation_or_old_code() {
    let (_folder, _, coordinator) = coordinator();
    let operations = coordinator.operations();
    let invitation = operations.invite(SOUTH, "South", 1).expect("invited");
    let node = NodeId::from_bytes([7; 32]);
    operations.admit(invitation.hub, node).expect("admitted");
    let preview = operations.revocation(SOUTH).expect("what it would end");
    assert_eq!(preview.nodes, [node]);
    assert_eq!(preview.spaces.len(), 2, "its pair and the network's space");
    let known = operations.node().authority();
    assert_eq!(
        known.hub_of(&node),
        Some(invitation.hub),
        "nothing was done"
    );
    assert_eq!(operations.revoke(SOUTH, "").expect("revoked"), preview);
    let space = operations
        .create_space(SpaceKind::Forum, "A forum")
        .expect("a space");
    for refused in [
        operations.grant(space, SOUTH, Access::Write),
        operations.invite(SOUTH, "South", 1).map(drop),
        operations.admit(invitation.hub, node),
        operations.revoke(SOUTH, "again").map(drop),
    ] {
        assert!(matches!(refused, Err(OperationError::Revoked(_))));
    }
}

#[test]
fn reading_alone_is_given_only_to_a_hub_that_may_not_write() {
    let (_folder, _, coordinator) = coordinator();
    let operations = coordinator.operations();
    let hub = operations.invite(SOUTH, "South", 1).expect("invited").hub;
    let space = operations
        .create_space(SpaceKind::Forum, "A forum")
        .expect("a space");
    let grant = |access| operations.grant(space, SOUTH, access);
    grant(Access::Write).expect("granted");
    grant(Access::Write).expect("it has it already");
    let refused = grant(Access::Read).expect_err("it may write").to_string();
    assert!(refused.contains("withdraw it first"), "{refused}");
    operations.withdraw(space, SOUTH, "").expect("withdrawn");
    grant(Access::Read).expect("granted");
    let access = operations.node().authority().access(hub, space);
    assert_eq!(access, Some(Access::Read));
    let lines = operations.registry().audit(10).expect("audit lines");
    let changed = lines
        .iter()
        .filter(|line| line.event == Event::AccessChanged && line.hub == Some(hub));
    assert_eq!(changed.count(), 3, "{lines:?}");
}

#[test]
fn a_network_space_is_every_hubs_from_the_start() {
    let (_folder, _, coordinator) = coordinator();
    let operations = coordinator.operations();
    let here = operations.invite(SOUTH, "South", 1).expect("invited").hub;
    let gone = operations.invite("gone", "Gone", 1).expect("invited").hub;
    operations.revoke("gone", "").expect("revoked");
    let space = operations
        .create_space(SpaceKind::Network, "Notices")
        .expect("a space");
    let access = |hub| operations.node().authority().access(hub, space);
    assert_eq!(access(here), Some(Access::Write));
    assert_eq!(access(gone), None);
}

#[test]
fn a_project_whose_record_is_not_as_declared_leaves_no_space() {
    let (_folder, _, coordinator) = coordinator();
    let operations = coordinator.operations();
    let spaces = operations.node().authority().spaces().len();
    let create = |title: &str, agreed: &[&str]| {
        let agreed = agreed.iter().map(|name| (*name).to_owned());
        operations.create_project(title, "NCP24-11", &agreed.collect::<Vec<_>>())
    };
    let refused = create("A project", &["sesions_held"]).expect_err("a wrong name");
    assert!(refused.to_string().contains("sessions_held"), "{refused}");
    create(&"long ".repeat(200), &[]).expect_err("too long a title");
    assert_eq!(operations.node().authority().spaces().len(), spaces);
    let (space, record) = create("A project", &["title", "sessions_held"]).expect("a project");
    let shown = operations.node().show_record(&record).expect("its record");
    assert_eq!(shown.fields["code"], "NCP24-11");
    assert!(operations.node().authority().spaces().contains_key(&space));
}

#[test]
fn a_network_begins_once_and_a_set_up_that_failed_halfway_is_finished_later() {
    let folder = TempDir::new().expect("a temporary folder");
    let keys = SavedKeys::generate(now_ms()).expect("new keys");
    let halfway = Coordinator::set_up_again(folder.path(), &keys).expect("set up");
    let authority = halfway.operations().authority();
    authority.begin(&keys.root).expect("begun");
    authority.begin(&keys.root).expect_err("it has begun");
    drop(halfway);
    assert!(matches!(
        Coordinator::check(folder.path()),
        Err(CoordinatorError::Folder(_))
    ));

    let coordinator = open(&folder);
    let operations = coordinator.operations();
    let taken = operations.take_over(&keys.root, true);
    assert_eq!(taken.expect("taken over"), 2);
    operations.take_over(&keys.root, true).expect("and again");
    let known = operations.node().authority();
    assert_eq!(known.hubs().len(), 1);
    assert_eq!(known.hub_of(&operations.node().id()), Some(keys.hub));
    assert_eq!(known.spaces().len(), 1);
    assert!(known.certificates().is_some());
    let lines = operations.registry().audit(1).expect("audit lines");
    assert_eq!(lines[0].event, Event::TakenOver);
}

#[test]
fn a_key_whose_term_has_begun_is_found_after_a_crash_and_one_that_has_not_is_no_key() {
    let (folder, keys, coordinator) = coordinator();
    drop(coordinator);
    let file = |name: &str| folder.path().join(name);
    std::fs::rename(file("authority.key"), file("authority.key.next")).expect("renamed");
    let coordinator = open(&folder);
    let may_write = |coordinator: &Coordinator| {
        let authority = coordinator.operations().authority();
        authority.may_write().expect("the log is read")
    };
    assert!(may_write(&coordinator));
    assert!(!file("authority.key.next").exists());
    drop(coordinator);
    // The process ended before this key's term began.
    node::folder::write_seed(&file("authority.key.next"), &keys.identity.seed()).expect("written");
    assert!(may_write(&open(&folder)));
}

#[test]
fn the_servers_certificate_is_made_anew_when_two_thirds_of_its_life_have_passed() {
    const DAY_MS: u64 = 86_400_000;
    let keys = SavedKeys::generate(now_ms()).expect("new keys");
    let begun = now_ms();
    let names = vec!["localhost".to_owned()];
    let folder = TempDir::new().expect("a temporary folder");
    write_certificates(folder.path(), &keys.authority).expect("written");
    let certificates = Arc::new(Certificates::read(folder.path()).expect("the authority"));
    let issued = ServerCertificate::issue(certificates, names, begun);
    let (certificate, _acceptor) = issued.expect("a certificate");
    let end = certificate.not_after_ms();
    let renew = |day| {
        let renewed = certificate.renew_if_due(begun + day * DAY_MS);
        (renewed.expect("it can be made"), certificate.not_after_ms())
    };
    assert_eq!(renew(240), (false, end));
    let (renewed, later) = renew(250);
    assert!(renewed && later > end);
    assert_eq!(renew(251), (false, later));
}
