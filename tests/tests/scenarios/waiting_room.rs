//! How a hub that asks to connect waits until NCETM admits it: scenario C1.

use std::time::Duration;

use coordinator::operations::{OperationError, Operations};
use node::clock::now_ms;
use node::enrolment::{
    Answer, Connecting, ConnectingState, EnrolError, Invitation, OneTimeCode, ask, ask_again,
    exchange,
};
use node::proxy::Proxies;
use node::{Node, Running};
use node_feed::SecretKey;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use tests::relay::Relay;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
const GRACE: Duration = Duration::from_secs(5);
const AT_NCETM: &str = "an operator";

/// A node that serves and asks to connect, as its first page lets it.
pub(super) fn ask_to_connect(
    world: &World,
    name: &str,
    invitation: &Invitation,
) -> (Node, Running) {
    let node = world.new_node(name);
    let running = node.start();
    connect(&node, invitation);
    (node, running)
}

pub(super) fn connect(node: &Node, invitation: &Invitation) -> Connecting {
    let text = invitation.to_toml().expect("an invitation's text");
    node.connect(&text).expect("it begins to ask")
}

pub(super) async fn waits(node: &Node) -> Connecting {
    let connecting = node.connecting().expect("it asks");
    until("the request waits", || {
        matches!(connecting.state(), ConnectingState::Waiting { .. })
    })
    .await;
    connecting
}

pub(super) async fn stop((node, running): (Node, Running)) {
    running.stop(GRACE).await;
    drop(node);
}

pub(super) fn operations(world: &World) -> &Operations {
    world.coordinator().operations()
}

/// Entries of the authority log that count.
fn log_length(world: &World) -> u64 {
    operations(world).node().authority().length()
}

fn stranger() -> SecretKey {
    SecretKey::from_seed(&node::random::<32>())
}

fn lines(world: &World) -> Vec<String> {
    let attempts = operations(world).connection_attempts().expect("lines");
    attempts.into_iter().map(|line| line.reason).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_one_yes_admits_the_node_that_waits_with_the_same_number_on_both_screens() {
    let world = World::new().await;
    let invitation = world.invite_to_wait(SOUTH);
    let before = log_length(&world);
    let (node, running) = ask_to_connect(&world, SOUTH, &invitation);
    let connecting = waits(&node).await;
    let operations = operations(&world);
    assert_eq!(
        log_length(&world),
        before,
        "waiting changes nobody's access"
    );
    assert!(operations.nodes().is_empty());
    assert_eq!(node.hub(), None);
    let status = node.status().expect("a status").to_string();
    assert!(status.contains("waits to be admitted by NCETM"), "{status}");

    let waiting = operations.waiting().expect("what waits");
    assert_eq!(waiting.len(), 1);
    let at_the_node = connecting.check_number().expect("a number").to_string();
    assert_eq!(waiting[0].check_number, at_the_node);
    let digits = at_the_node.chars();
    assert_eq!(digits.filter(char::is_ascii_digit).count(), 6);
    assert_eq!(
        (waiting[0].code.as_str(), waiting[0].node),
        (SOUTH, node.id())
    );
    assert_eq!(waiting[0].name, "south-yorkshire Maths Hub");
    assert_eq!(waiting[0].address, "127.0.0.1");
    let health = operations.health(GRACE).expect("how the network stands");
    let south = health.hub(SOUTH).expect("listed");
    assert_eq!(south.state, "waiting");

    let admitted = operations.admit_waiting(SOUTH, AT_NCETM).expect("admitted");
    assert!(!admitted.already);
    assert_eq!(connecting.outcome().await, ConnectingState::Admitted);
    until("it talks to the coordinator without a restart", || {
        operations.node().peers_connected().contains(&node.id())
    })
    .await;
    assert_eq!(node.hub(), Some(invitation.hub));
    assert_eq!(operations.nodes()[0].check_number, at_the_node);
    assert_eq!(
        node.check_number().map(|number| number.to_string()),
        Some(at_the_node.clone())
    );
    assert!(operations.waiting().expect("what waits").is_empty());
    assert!(
        !node.folder().join("connecting.toml").exists(),
        "the invitation is deleted"
    );

    let length = log_length(&world);
    let digits = at_the_node.replace(' ', "");
    for which in [SOUTH, &at_the_node, &digits, &node.id().to_string()] {
        let again = operations.admit_waiting(which, AT_NCETM).expect("no harm");
        assert!(again.already, "{which}");
    }
    assert_eq!(log_length(&world), length);
    let too_late = operations.refuse_waiting(SOUTH, "Too late", AT_NCETM);
    let too_late = too_late.expect_err("it is in").to_string();
    assert!(too_late.contains("was admitted"), "{too_late}");
    let nobody = operations.admit_waiting(WEST, AT_NCETM);
    assert!(matches!(nobody, Err(OperationError::NotWaiting(_))));
    stop((node, running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_wrong_used_or_expired_code_leaves_only_a_line_on_both_sides() {
    let world = World::new().await;
    let invitation = world.invite_to_wait(SOUTH);
    let first = ask_to_connect(&world, SOUTH, &invitation);
    waits(&first.0).await;
    let waiting = operations(&world).waiting().expect("what waits");
    let length = log_length(&world);

    let expired = OneTimeCode::generate().expect("random bytes");
    let registry = operations(&world).registry();
    let (hub, code) = (invitation.hub, expired.as_bytes());
    let made = registry.invite_to_wait(hub, code, now_ms() - 1, now_ms() - 1_000);
    made.expect("an invitation whose time is over");
    let wrong = OneTimeCode::generate().expect("random bytes");
    let with = |code| Invitation {
        code,
        ..invitation.clone()
    };
    let (other, running) = ask_to_connect(&world, "other", &with(wrong));
    let cases = [
        (None, "not known"),
        (Some(invitation.clone()), "used already"),
        (Some(with(expired)), "expired"),
    ];
    for (invitation, words) in cases {
        let connecting = match invitation {
            None => other.connecting().expect("it asks"),
            Some(invitation) => connect(&other, &invitation),
        };
        let ConnectingState::Failed(sentence) = connecting.outcome().await else {
            panic!("it came to something: {:?}", connecting.state());
        };
        assert!(sentence.contains(words), "{sentence}");
        let line = &operations(&world).connection_attempts().expect("lines")[0];
        assert_eq!(line.hub.as_deref(), Some(SOUTH));
        assert!(sentence.contains(&line.reason), "both sides read the same");
        let kept = other.not_connected().expect("read").expect("a line");
        assert_eq!(kept.why, sentence);
        assert_eq!(kept.hub_name, "south-yorkshire Maths Hub");
        assert!(!other.folder().join("connecting.toml").exists());
    }
    assert_eq!(lines(&world).len(), 3);
    assert_eq!(log_length(&world), length);
    assert_eq!(operations(&world).waiting().expect("what waits"), waiting);
    assert_eq!(other.hub(), None);

    // One whose time is over by its own words is not even sent, and the line is kept.
    let over = Invitation {
        expires_ms: now_ms() - 1_000,
        ..world.invite_to_wait(SOUTH)
    };
    let connecting = connect(&other, &over);
    let outcome = connecting.outcome().await;
    assert!(
        matches!(outcome, ConnectingState::Expired(_)),
        "{outcome:?}"
    );
    assert_eq!(lines(&world).len(), 3);
    let folder = other.folder().to_owned();
    stop((other, running)).await;
    let other = world.open(&folder);
    let kept = other.not_connected().expect("read").expect("a line");
    assert_eq!(Some(kept.why), outcome.why_not());
    assert!(other.resume_connecting().expect("nothing").is_none());
    stop(first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_refused_hub_reads_why_and_its_code_is_spent() {
    let world = World::new().await;
    let invitation = world.invite_to_wait(SOUTH);
    let (node, running) = ask_to_connect(&world, SOUTH, &invitation);
    let connecting = waits(&node).await;
    let operations = operations(&world);
    let silent = operations.refuse_waiting(SOUTH, " \n", AT_NCETM);
    assert!(matches!(silent, Err(OperationError::NoReason)));
    let why = "The numbers differ:\n please telephone us";
    let number = connecting.check_number().expect("a number").to_string();
    let refused = operations.refuse_waiting(&number, why, AT_NCETM);
    assert!(!refused.expect("refused").already);
    let told = ConnectingState::Refused("The numbers differ: please telephone us".to_owned());
    assert_eq!(connecting.outcome().await, told);
    let kept = node.not_connected().expect("read").expect("a line");
    assert_eq!(Some(kept.why), told.why_not());
    assert_eq!(lines(&world), ["The numbers differ: please telephone us"]);

    // The first word stands, for everyone.
    let again = operations.refuse_waiting(SOUTH, "For another reason", AT_NCETM);
    assert!(again.expect("no harm").already);
    let admitted = operations.admit_waiting(SOUTH, AT_NCETM);
    let admitted = admitted.expect_err("it was refused").to_string();
    assert!(admitted.contains("was refused"), "{admitted}");
    assert_eq!(connect(&node, &invitation).outcome().await, told);
    assert_eq!(lines(&world).len(), 1, "asking again leaves nothing more");
    let other = ask(&invitation, &stranger(), now_ms(), &Proxies::Direct).await;
    let other = other.expect_err("the code is spent").to_string();
    assert!(other.contains("used already"), "{other}");

    // A new invitation is a new beginning.
    let invitation = world.invite_to_wait(SOUTH);
    let connecting = connect(&node, &invitation);
    waits(&node).await;
    operations.admit_waiting(SOUTH, AT_NCETM).expect("admitted");
    assert_eq!(connecting.outcome().await, ConnectingState::Admitted);
    assert_eq!(node.not_connected().expect("read"), None);

    // Whoever waits when the hub's access ends is refused with it.
    let laptop = ask_to_connect(&world, "laptop", &world.invite_to_wait(SOUTH));
    let connecting = waits(&laptop.0).await;
    operations.revoke(SOUTH, "It left").expect("revoked");
    let outcome = connecting.outcome().await;
    assert!(
        matches!(outcome, ConnectingState::Refused(_)),
        "{outcome:?}"
    );
    stop(laptop).await;
    stop((node, running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_who_waits_goes_on_waiting_over_restarts_of_both_ends() {
    let mut world = World::new().await;
    let invitation = world.invite_to_wait(SOUTH);
    let (node, running) = ask_to_connect(&world, SOUTH, &invitation);
    let connecting = waits(&node).await;
    let (id, number) = (node.id(), connecting.check_number());
    assert!(number.is_some());
    let before = operations(&world).waiting().expect("what waits");

    world.stop_coordinator().await;
    until("the node says that it cannot reach the coordinator", || {
        connecting.progress().trouble.is_some()
    })
    .await;
    assert!(matches!(
        connecting.state(),
        ConnectingState::Waiting { .. }
    ));
    world.start_coordinator().await;
    until("it is answered again", || {
        connecting.progress().trouble.is_none()
    })
    .await;
    assert_eq!(operations(&world).waiting().expect("what waits"), before);

    // Another node with the same code, while this one waits.
    let other = ask(&invitation, &stranger(), now_ms(), &Proxies::Direct).await;
    assert!(matches!(other, Err(EnrolError::Refused(_))), "{other:?}");
    assert_eq!(operations(&world).waiting().expect("what waits"), before);

    let path = node.folder().to_owned();
    drop(connecting);
    stop((node, running)).await;
    operations(&world)
        .admit_waiting(SOUTH, AT_NCETM)
        .expect("admitted while the node was off");
    let node = world.open(&path);
    assert_eq!((node.id(), node.hub()), (id, None));
    let running = node.start();
    let connecting = node.connecting().expect("it goes on by itself");
    assert_eq!(connecting.check_number(), number);
    assert_eq!(connecting.outcome().await, ConnectingState::Admitted);
    until("it talks to the coordinator", || {
        let coordinator = operations(&world).node();
        coordinator.peers_connected().contains(&id)
    })
    .await;
    stop((node, running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_answers_that_are_lost_cost_nothing_but_another_call() {
    let seed = 20_261_127;
    println!("seed {seed}");
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let world = World::new().await;
    let cable = Relay::start(world.coordinator_address()).await;
    let cable = cable.expect("a cable");
    let mut invitation = world.invite_to_wait(SOUTH);
    invitation.address = cable.address().to_string().parse().expect("an address");
    let (node, running) = ask_to_connect(&world, SOUTH, &invitation);
    let connecting = waits(&node).await;
    let operations = operations(&world);
    cable.cut();
    operations.admit_waiting(SOUTH, AT_NCETM).expect("admitted");
    let length = log_length(&world);
    for _ in 0..6 {
        cable.cut_after(u64::from(dice.next_u32() % 12_000));
        cable.mend();
        until("the cable is cut, or nothing is left to be said", || {
            cable.is_cut() || connecting.state().is_outcome()
        })
        .await;
    }
    cable.cut_after(u64::MAX);
    cable.mend();
    assert_eq!(connecting.outcome().await, ConnectingState::Admitted);
    assert_eq!(operations.nodes().len(), 1);
    assert_eq!(log_length(&world), length, "it was admitted once");
    stop((node, running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_two_operators_at_once_decide_once() {
    let world = World::new().await;
    for round in 0..8 {
        let code = format!("hub-{round}");
        let invitation = world.invite_to_wait(&code);
        let key = stranger();
        let asked = ask(&invitation, &key, now_ms(), &Proxies::Direct)
            .await
            .expect("it waits");
        let Answer::Waiting {
            commitment: Some(commitment),
            ..
        } = asked
        else {
            panic!("it does not wait: {asked:?}");
        };
        let number = exchange(&invitation, &key, &commitment, &Proxies::Direct).await;
        number.expect("a number to compare");
        let operations = operations(&world);
        let (admitted, refused) = std::thread::scope(|scope| {
            let admitting = scope.spawn(|| operations.admit_waiting(&code, "one"));
            let refusing = scope.spawn(|| operations.refuse_waiting(&code, "Not this", "other"));
            let joined = (admitting.join(), refusing.join());
            (joined.0.expect("no panic"), joined.1.expect("no panic"))
        });
        assert_ne!(
            admitted.is_ok(),
            refused.is_ok(),
            "{admitted:?} {refused:?}"
        );
        let hub = operations.node().authority().hub_of(&key.public().node());
        assert_eq!(hub.is_some(), admitted.is_ok(), "the log says the same");
        let answer = ask_again(&invitation, &key, &Proxies::Direct)
            .await
            .expect("an answer");
        match answer {
            Answer::Admitted(_) => assert!(admitted.is_ok()),
            Answer::Refused(why) => assert_eq!((refused.is_ok(), why.as_str()), (true, "Not this")),
            Answer::Waiting { .. } | Answer::Lapsed(_) => panic!("nobody decided"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_whoever_asks_often_or_with_many_keys_fills_nothing() {
    let world = World::new().await;
    let invitation = world.invite_to_wait(SOUTH);
    let (node, running) = ask_to_connect(&world, SOUTH, &invitation);
    let connecting = waits(&node).await;
    let registry = operations(&world).registry();
    let before = registry.audit(1_000).expect("lines").len();
    for _ in 0..40 {
        let again = ask_again(&invitation, node.identity(), &Proxies::Direct).await;
        assert!(matches!(again, Ok(Answer::Waiting { .. })), "{again:?}");
    }
    assert_eq!(registry.audit(1_000).expect("lines").len(), before);

    // One code makes one request, however many have it; and an address that tries on is told to
    // wait, which ends nobody's waiting.
    let mut busy = 0;
    for _ in 0..40 {
        match ask(&invitation, &stranger(), now_ms(), &Proxies::Direct).await {
            Err(EnrolError::Busy(_)) => busy += 1,
            Err(EnrolError::Refused(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((busy, lines(&world).len()), (20, 20));
    assert_eq!(operations(&world).waiting().expect("what waits").len(), 1);
    until("the node from the same address is told to wait too", || {
        let progress = connecting.progress();
        progress
            .trouble
            .is_some_and(|why| why.contains("wait ten minutes"))
    })
    .await;
    assert!(matches!(
        connecting.state(),
        ConnectingState::Waiting { .. }
    ));
    assert!(node.folder().join("connecting.toml").exists());
    stop((node, running)).await;
}
