//! The promises of the register, on a real file.

use std::path::Path;
use std::sync::Barrier;

use coordinator_registry::{
    CertificateRecord, CodeRefusal, Event, InvitationState, RedeemError, Redeemed, Registry,
    RegistryError, Seen,
};
use node_feed::{HubId, NodeId};

const YORKSHIRE: HubId = HubId::from_bytes([1; 8]);
const LONDON: HubId = HubId::from_bytes([2; 8]);
const CODE: [u8; 16] = [7; 16];
const NOW: u64 = 1_000_000;
const EXPIRES: u64 = 2_000_000;

fn node(number: u8) -> NodeId {
    NodeId::from_bytes([number; 32])
}

fn open(folder: &Path) -> Registry {
    Registry::open(&folder.join("registry.db")).expect("a register")
}

fn with_invitation() -> (tempfile::TempDir, Registry) {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = open(folder.path());
    registry
        .invite(YORKSHIRE, &CODE, EXPIRES, NOW)
        .expect("an invitation");
    (folder, registry)
}

fn refusal(answer: Result<Redeemed, RedeemError>) -> CodeRefusal {
    match answer {
        Err(RedeemError::Refused(refusal)) => refusal,
        Ok(_) | Err(RedeemError::Registry(_)) => panic!("not refused: {answer:?}"),
    }
}

#[test]
fn of_a_hundred_nodes_that_race_for_one_code_exactly_one_gets_it() {
    let (folder, first) = with_invitation();
    // Half of them come through a handle of their own, as another process would.
    let second = open(folder.path());
    let start = Barrier::new(100);
    let winners: Vec<u8> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..100)
            .map(|number| {
                let (start, registry) = (&start, if number % 2 == 0 { &first } else { &second });
                scope.spawn(move || {
                    start.wait();
                    match registry.redeem(YORKSHIRE, &CODE, node(number), NOW) {
                        Ok(redeemed) => {
                            assert_eq!(redeemed, Redeemed::First);
                            Some(number)
                        }
                        answer @ Err(_) => {
                            assert_eq!(refusal(answer), CodeRefusal::Used);
                            None
                        }
                    }
                })
            })
            .collect();
        racers
            .into_iter()
            .filter_map(|racer| racer.join().expect("no panic"))
            .collect()
    });
    assert_eq!(winners.len(), 1, "{winners:?}");
    // Also after a restart.
    drop((first, second));
    let registry = open(folder.path());
    let again = registry.redeem(YORKSHIRE, &CODE, node(winners[0]), NOW);
    assert_eq!(again.expect("the winner may ask again"), Redeemed::Again);
    let loser = node(if winners[0] == 0 { 1 } else { 0 });
    assert_eq!(
        refusal(registry.redeem(YORKSHIRE, &CODE, loser, NOW)),
        CodeRefusal::Used
    );
}

#[test]
fn a_refused_code_says_why_changes_nothing_and_leaves_a_line() {
    let (_folder, registry) = with_invitation();
    let cases = [
        (
            registry.redeem(YORKSHIRE, &[8; 16], node(1), NOW),
            CodeRefusal::Unknown,
        ),
        (
            registry.redeem(LONDON, &CODE, node(1), NOW),
            CodeRefusal::OtherHub,
        ),
        (
            registry.redeem(YORKSHIRE, &CODE, node(1), EXPIRES),
            CodeRefusal::Expired,
        ),
    ];
    for (answer, expected) in cases {
        assert_eq!(refusal(answer), expected);
        let audit = registry.audit(100).expect("audit lines");
        let lines: Vec<_> = audit
            .iter()
            .filter(|line| line.event == Event::CodeRefused)
            .collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().any(|line| line.reason == expected.to_string()));
    }
    let states: Vec<_> = registry
        .invitations(NOW)
        .expect("invitations")
        .iter()
        .map(|i| i.state)
        .collect();
    assert_eq!(states, [InvitationState::Open]);
    assert_eq!(
        registry
            .redeem(YORKSHIRE, &CODE, node(1), NOW)
            .expect("good"),
        Redeemed::First
    );
}

#[test]
fn a_node_whose_answer_was_lost_may_ask_again_even_after_the_codes_time() {
    let (_folder, registry) = with_invitation();
    registry
        .redeem(YORKSHIRE, &CODE, node(1), NOW)
        .expect("the first time");
    let later = registry.redeem(YORKSHIRE, &CODE, node(1), EXPIRES + 1);
    assert_eq!(later.expect("the same node"), Redeemed::Again);
    let other = registry.redeem(YORKSHIRE, &CODE, node(2), EXPIRES + 1);
    assert_eq!(refusal(other), CodeRefusal::Used);
}

#[test]
fn a_withdrawn_invitation_is_worth_nothing() {
    let (_folder, registry) = with_invitation();
    assert_eq!(
        registry.withdraw_invitations(LONDON, NOW).expect("stored"),
        0
    );
    assert_eq!(
        registry
            .withdraw_invitations(YORKSHIRE, NOW)
            .expect("stored"),
        1
    );
    let answer = registry.redeem(YORKSHIRE, &CODE, node(1), NOW);
    assert_eq!(refusal(answer), CodeRefusal::Withdrawn);
}

#[test]
fn a_code_is_nowhere_in_the_files() {
    let (folder, registry) = with_invitation();
    registry
        .redeem(LONDON, &CODE, node(1), NOW)
        .expect_err("for another hub");
    registry
        .redeem(YORKSHIRE, &CODE, node(1), NOW)
        .expect("redeemed");
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("its bytes");
        let found = bytes.windows(CODE.len()).any(|window| window == CODE);
        assert!(!found, "the code stands in {}", path.display());
    }
}

#[test]
fn a_serial_number_is_issued_once() {
    let (_folder, registry) = with_invitation();
    let record = CertificateRecord {
        serial: [5; 16],
        node: node(1),
        hub: YORKSHIRE,
        issued_ms: NOW,
        not_after_ms: EXPIRES,
    };
    registry.record_certificate(&record).expect("issued");
    let again = CertificateRecord {
        node: node(2),
        ..record.clone()
    };
    assert!(matches!(
        registry.record_certificate(&again),
        Err(RegistryError::SerialTaken)
    ));
    assert_eq!(registry.certificates(YORKSHIRE).expect("read"), [record]);
    assert_eq!(registry.certificates(LONDON).expect("read"), []);
    let issued = registry.audit(100).expect("audit lines");
    assert_eq!(
        issued
            .iter()
            .filter(|line| line.event == Event::CertificateIssued)
            .count(),
        1
    );
}

#[test]
fn the_last_visit_of_each_node_is_remembered() {
    let (_folder, registry) = with_invitation();
    let seen = |number, seen_ms| Seen {
        node: node(number),
        hub: YORKSHIRE,
        seen_ms,
    };
    for visit in [seen(1, 10), seen(2, 20), seen(1, 30), seen(1, 5)] {
        registry.saw(visit).expect("stored");
    }
    assert_eq!(
        registry.last_seen().expect("read"),
        [seen(1, 30), seen(2, 20)]
    );
}
