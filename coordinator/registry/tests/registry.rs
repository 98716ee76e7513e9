//! The promises of the register, on a real file.

use std::path::Path;
use std::sync::Barrier;

use coordinator_registry::{
    AuditLine, CertificateRecord, CodeRefusal, ConnectionRequest, Event, InvitationState,
    RedeemError, Redeemed, Registry, RegistryError, RequestState, Seen,
};
use node_feed::{HubId, NodeId};

const YORKSHIRE: HubId = HubId::from_bytes([1; 8]);
const LONDON: HubId = HubId::from_bytes([2; 8]);
const CODE: [u8; 16] = [7; 16];
const ADDRESS: &str = "192.0.2.7";
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
                    match registry.redeem(YORKSHIRE, &CODE, node(number), ADDRESS, NOW) {
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
    let again = registry.redeem(YORKSHIRE, &CODE, node(winners[0]), ADDRESS, NOW);
    assert_eq!(again.expect("the winner may ask again"), Redeemed::Again);
    let loser = node(if winners[0] == 0 { 1 } else { 0 });
    assert_eq!(
        refusal(registry.redeem(YORKSHIRE, &CODE, loser, ADDRESS, NOW)),
        CodeRefusal::Used
    );
}

#[test]
fn a_refused_code_says_why_changes_nothing_and_leaves_a_line() {
    let (_folder, registry) = with_invitation();
    let cases = [
        (
            registry.redeem(YORKSHIRE, &[8; 16], node(1), ADDRESS, NOW),
            CodeRefusal::Unknown,
        ),
        (
            registry.redeem(LONDON, &CODE, node(1), ADDRESS, NOW),
            CodeRefusal::OtherHub,
        ),
        (
            registry.redeem(YORKSHIRE, &CODE, node(1), ADDRESS, EXPIRES),
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
            .redeem(YORKSHIRE, &CODE, node(1), ADDRESS, NOW)
            .expect("good"),
        Redeemed::First
    );
}

#[test]
fn a_node_whose_answer_was_lost_may_ask_again_even_after_the_codes_time() {
    let (_folder, registry) = with_invitation();
    registry
        .redeem(YORKSHIRE, &CODE, node(1), ADDRESS, NOW)
        .expect("the first time");
    let later = registry.redeem(YORKSHIRE, &CODE, node(1), ADDRESS, EXPIRES + 1);
    assert_eq!(later.expect("the same node"), Redeemed::Again);
    let other = registry.redeem(YORKSHIRE, &CODE, node(2), ADDRESS, EXPIRES + 1);
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
    let answer = registry.redeem(YORKSHIRE, &CODE, node(1), ADDRESS, NOW);
    assert_eq!(refusal(answer), CodeRefusal::Withdrawn);
}

/// How long a request waits: as long as its invitation was good, and 14 days.
const PATIENCE: u64 = (EXPIRES - NOW) + 14 * 86_400_000;

fn with_request() -> (tempfile::TempDir, Registry, ConnectionRequest) {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = open(folder.path());
    registry
        .invite_to_wait(YORKSHIRE, &CODE, EXPIRES, NOW)
        .expect("an invitation");
    let begun = ask(&registry, node(1), NOW + 1);
    let Redeemed::Waits(request) = begun else {
        panic!("it does not wait: {begun:?}");
    };
    (folder, registry, request)
}

fn ask(registry: &Registry, node: NodeId, now_ms: u64) -> Redeemed {
    let redeemed = registry.redeem(YORKSHIRE, &CODE, node, ADDRESS, now_ms);
    redeemed.expect("it is bound to this node")
}

fn states(registry: &Registry) -> Vec<RequestState> {
    let requests = registry.requests(NOW + 2).expect("requests").into_iter();
    requests.map(|request| request.state).collect()
}

#[test]
fn a_request_waits_over_a_restart_and_past_the_codes_time_until_it_is_admitted() {
    let (folder, registry, request) = with_request();
    assert_eq!(
        (request.hub, request.node, request.since_ms),
        (YORKSHIRE, node(1), NOW + 1)
    );
    assert_eq!(request.lapses_ms, NOW + 1 + PATIENCE);
    assert_eq!(request.address, ADDRESS);
    drop(registry);
    let registry = open(folder.path());
    let lines = registry.audit(100).expect("lines").len();
    let later = ask(&registry, node(1), EXPIRES + 5);
    assert_eq!(later, Redeemed::Waits(request.clone()), "unchanged");
    assert_eq!(registry.audit(100).expect("lines").len(), lines);
    let other = registry.redeem(YORKSHIRE, &CODE, node(2), ADDRESS, NOW + 2);
    assert_eq!(refusal(other), CodeRefusal::Used);

    let admit = |by| registry.admit_request(request.id, "123 456", by, NOW + 9);
    assert!(admit("one").expect("kept"));
    assert!(!admit("another").expect("kept"), "it was admitted already");
    let refuse = registry.refuse_request(request.id, "another", "no", NOW + 9);
    assert!(!refuse.expect("kept"), "it is too late");
    let kept = registry.requests(NOW + 10).expect("requests").remove(0);
    assert_eq!(
        (kept.state, kept.decided_by.as_str(), kept.decided_ms),
        (RequestState::Admitted, "one", Some(NOW + 9))
    );
    assert_eq!(ask(&registry, node(1), EXPIRES + 6), Redeemed::Again);
    assert_eq!(
        ask(&registry, node(1), NOW + 2 * PATIENCE),
        Redeemed::Again,
        "what was admitted does not lapse"
    );
}

#[test]
fn a_refused_request_keeps_its_reason_and_can_not_be_admitted() {
    let (_folder, registry, request) = with_request();
    let refuse = |why| registry.refuse_request(request.id, "one", why, NOW + 9);
    assert!(refuse("the numbers differ").expect("kept"));
    assert!(!refuse("another reason").expect("kept"));
    let admit = registry.admit_request(request.id, "", "one", NOW + 9);
    assert!(!admit.expect("kept"));
    for _ in 0..3 {
        let Redeemed::Refused(refused) = ask(&registry, node(1), NOW + 10) else {
            panic!("it is not refused");
        };
        assert_eq!(refused.reason, "the numbers differ");
    }
    let attempts = registry.attempts().expect("lines");
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    assert_eq!(attempts[0].reason, "the numbers differ");
    assert_eq!(states(&registry), [RequestState::Refused]);
}

#[test]
fn a_request_that_nobody_decides_on_lapses_and_says_so_once() {
    let (_folder, registry, request) = with_request();
    let last = ask(&registry, node(1), request.lapses_ms - 1);
    assert!(matches!(last, Redeemed::Waits(_)), "{last:?}");
    for _ in 0..2 {
        let lapsed = ask(&registry, node(1), request.lapses_ms);
        assert!(matches!(lapsed, Redeemed::Lapsed(_)), "{lapsed:?}");
    }
    let lines = registry.attempts().expect("lines");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0].event, Event::RequestLapsed);
    assert_eq!(states(&registry), [RequestState::Lapsed]);
}

#[test]
fn one_yes_admits_all_that_the_same_node_of_the_same_hub_asked() {
    let (_folder, registry, request) = with_request();
    let second = [9; 16];
    registry
        .invite_to_wait(YORKSHIRE, &second, EXPIRES, NOW)
        .expect("an invitation");
    let again = registry.redeem(YORKSHIRE, &second, node(1), ADDRESS, NOW + 2);
    assert!(matches!(again, Ok(Redeemed::Waits(_))), "{again:?}");
    registry
        .admit_request(request.id, "", "one", NOW + 3)
        .expect("kept");
    let all = [RequestState::Admitted, RequestState::Admitted];
    assert_eq!(states(&registry), all);
}

#[test]
fn the_first_that_a_node_says_for_its_check_number_stands() {
    let (folder, registry, request) = with_request();
    let own = request.check_nonce.expect("drawn when it began");
    assert_eq!(request.node_nonce, None);
    let first = [1; 32];
    let others = (2..40).map(|other| [other; 32]);
    let say = |registry: &Registry, nonce: &[u8; 32]| {
        registry.exchange(YORKSHIRE, &CODE, node(1), nonce, NOW + 2)
    };
    assert_eq!(say(&registry, &first).expect("taken"), own);
    drop(registry);
    let registry = open(folder.path());
    assert_eq!(say(&registry, &first).expect("again"), own);
    for other in others {
        let refused = say(&registry, &other);
        assert_eq!(exchange_refusal(refused), CodeRefusal::OtherNonce);
    }
    let kept = registry.requests(NOW + 3).expect("requests").remove(0);
    assert_eq!(
        (kept.check_nonce, kept.node_nonce),
        (Some(own), Some(first))
    );
    let Redeemed::Waits(later) = ask(&registry, node(1), NOW + 4) else {
        panic!("it does not wait");
    };
    assert_eq!(later.check_nonce, Some(own));
}

fn exchange_refusal(answer: Result<[u8; 32], RedeemError>) -> CodeRefusal {
    match answer {
        Err(RedeemError::Refused(refusal)) => refusal,
        Ok(_) | Err(RedeemError::Registry(_)) => panic!("not refused: {answer:?}"),
    }
}

#[test]
fn of_many_parts_that_race_for_one_number_exactly_one_is_taken() {
    let (folder, registry, _request) = with_request();
    let barrier = Barrier::new(16);
    let taken = std::thread::scope(|scope| {
        let (barrier, folder) = (&barrier, folder.path());
        let threads = (0..16).map(|number| {
            scope.spawn(move || {
                let registry = open(folder);
                barrier.wait();
                let nonce = [number; 32];
                let said = registry.exchange(YORKSHIRE, &CODE, node(1), &nonce, NOW + 2);
                said.is_ok().then_some(nonce)
            })
        });
        let threads = threads.collect::<Vec<_>>().into_iter();
        threads
            .filter_map(|thread| thread.join().expect("no panic"))
            .collect::<Vec<_>>()
    });
    assert_eq!(taken.len(), 1);
    let kept = registry.requests(NOW + 3).expect("requests").remove(0);
    assert_eq!(kept.node_nonce, Some(taken[0]));
}

#[test]
fn a_check_number_is_made_only_for_a_request_that_waits_and_uses_up_no_code() {
    let (_folder, registry, request) = with_request();
    let say = |hub, code: &[u8; 16], node| {
        exchange_refusal(registry.exchange(hub, code, node, &[1; 32], NOW + 2))
    };
    assert_eq!(say(YORKSHIRE, &[8; 16], node(1)), CodeRefusal::Unknown);
    assert_eq!(say(LONDON, &CODE, node(1)), CodeRefusal::OtherHub);
    assert_eq!(say(YORKSHIRE, &CODE, node(2)), CodeRefusal::Used);
    let (open, at_once) = ([9; 16], [10; 16]);
    registry
        .invite_to_wait(YORKSHIRE, &open, EXPIRES, NOW)
        .expect("an invitation");
    assert_eq!(say(YORKSHIRE, &open, node(1)), CodeRefusal::NotAsked);
    registry
        .invite(YORKSHIRE, &at_once, EXPIRES, NOW)
        .expect("an invitation");
    let used = registry.redeem(YORKSHIRE, &at_once, node(1), ADDRESS, NOW + 2);
    assert!(matches!(used, Ok(Redeemed::First)), "{used:?}");
    assert_eq!(say(YORKSHIRE, &at_once, node(1)), CodeRefusal::NotAsked);
    assert_eq!(registry.attempts().expect("lines").len(), 5);
    let other = registry.redeem(YORKSHIRE, &open, node(3), ADDRESS, NOW + 2);
    assert!(
        matches!(other, Ok(Redeemed::Waits(_))),
        "still good: {other:?}"
    );

    registry
        .refuse_request(request.id, "one", "no", NOW + 3)
        .expect("kept");
    let attempts = registry.attempts().expect("lines").len();
    assert_eq!(say(YORKSHIRE, &CODE, node(1)), CodeRefusal::Decided);
    assert_eq!(registry.attempts().expect("lines").len(), attempts);
}

#[test]
fn a_request_of_an_older_program_gets_its_part_when_its_node_asks_again() {
    let (folder, registry, _request) = with_request();
    drop(registry);
    let file = rusqlite::Connection::open(folder.path().join("registry.db"));
    file.expect("the register")
        .execute("UPDATE requests SET check_nonce = NULL", [])
        .expect("as the step that added the column leaves it");
    let registry = open(folder.path());
    let say = || registry.exchange(YORKSHIRE, &CODE, node(1), &[1; 32], NOW + 2);
    assert_eq!(exchange_refusal(say()), CodeRefusal::NotAsked);
    let asked = || {
        let asked = ask(&registry, node(1), NOW + 2);
        let Redeemed::Waits(request) = asked else {
            panic!("it does not wait: {asked:?}");
        };
        request.check_nonce.expect("drawn now")
    };
    let own = asked();
    assert_eq!(asked(), own);
    assert_eq!(say().expect("taken"), own);
}

#[test]
fn strangers_fill_no_register_and_push_out_no_operators_word() {
    let (_folder, registry, request) = with_request();
    registry
        .refuse_request(request.id, "one", "not this one", NOW + 2)
        .expect("kept");
    let max = u64::from(Registry::ATTEMPTS_MAX);
    for number in 0..max + 20 {
        let line = AuditLine {
            time_ms: NOW + number,
            event: Event::CodeRefused,
            hub: None,
            reason: format!("guess {number}"),
        };
        registry.note(&line).expect("kept");
    }
    let kept = registry.audit(10_000).expect("lines");
    let guesses = kept.iter().filter(|line| line.event == Event::CodeRefused);
    assert_eq!(guesses.count() as u64, max);
    let refused = |line: &&AuditLine| line.event == Event::RequestRefused;
    assert_eq!(kept.iter().filter(refused).count(), 1);
    let attempts = registry.attempts().expect("lines");
    assert_eq!(attempts.len() as u64, max);
    assert_eq!(attempts[0].reason, format!("guess {}", max + 19));
}

#[test]
fn a_code_is_nowhere_in_the_files() {
    let (folder, registry) = with_invitation();
    registry
        .redeem(LONDON, &CODE, node(1), ADDRESS, NOW)
        .expect_err("for another hub");
    registry
        .redeem(YORKSHIRE, &CODE, node(1), ADDRESS, NOW)
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
