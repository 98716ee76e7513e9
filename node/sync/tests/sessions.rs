//! Sessions between two engines, told step by step. The simulator in the package `tests` runs the
//! same engines against faults of every kind.

#[path = "sessions/bench.rs"]
mod bench;
#[path = "sessions/copies.rs"]
mod copies;
#[path = "sessions/hostile.rs"]
mod hostile;
#[path = "sessions/receipts.rs"]
mod receipts;
#[path = "sessions/relaying.rs"]
mod relaying;

use std::collections::BTreeMap;
use std::sync::Arc;

use bench::{
    NETWORK, Node, SESSION, SPACE, authority, carry_out, converse, end_of_node, hub, identity,
    names, part, run, talk,
};
use node_feed::{
    FeedName, Hash, Height, Heights, Payload, Proof, RefusalReason, SecretKey, Signature,
};
use node_sync::{
    CloseReason, Goodbye, Hello, Input, Message, SpaceHeights, StorageDown, session_signature,
    software_mark,
};

fn writer(index: u8) -> SecretKey {
    SecretKey::from_seed(&[index; 32])
}

/// Two nodes that were equal once, and remember it.
fn acquainted() -> [Node; 2] {
    let mut nodes = [Node::new(0), Node::new(1)];
    for (node, key) in nodes.iter_mut().zip([writer(1), writer(2)]) {
        let effects = node.write(&key);
        carry_out(node, 1_000, effects);
    }
    converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    part(&mut nodes);
    nodes
}

fn closing(node: &Node) -> Option<Goodbye> {
    match node.closed {
        Some(CloseReason::Ours(reason, _) | CloseReason::Theirs(reason, _)) => Some(reason),
        Some(CloseReason::Silent) | None => None,
    }
}

/// A Hello of node 1 to node 0, which dialled it in session [`SESSION`].
fn hello_of_node_1(signature: Signature) -> Hello {
    Hello {
        versions: vec![1],
        node: None,
        signature,
        since: None,
        agreed: false,
        authority: Some(Heights::new()),
        root: Some(Hash::ZERO),
        receipts: 0,
        changed: Vec::new(),
        software: software_mark("causeway 0.1.0"),
    }
}

/// Node 0 has dialled node 1 and hears this Hello.
fn hears(hello: Hello) -> Node {
    let mut node = Node::new(0);
    let connected = Input::Connected {
        session: SESSION,
        exporter: [5; 32],
        dialled: Some(identity(1).public().node()),
        memory: None,
        refusals: Vec::new(),
        known: false,
    };
    let effects = node.handle(1, connected);
    carry_out(&mut node, 1, effects);
    let message = Message::Hello(Box::new(hello));
    let effects = node.handle(
        2,
        Input::Received {
            session: SESSION,
            message,
        },
    );
    carry_out(&mut node, 2, effects);
    node
}

#[test]
fn a_warm_reconnect_with_nothing_changed_is_one_hello_each_way() {
    let mut nodes = acquainted();
    let said = converse(&mut nodes);
    assert_eq!(said.map(|said| names(&said)), [["hello"], ["hello"]]);
    assert!(nodes.iter().all(|node| node.equal));
}

#[test]
fn what_was_written_apart_is_pushed_right_after_the_hellos() {
    let mut nodes = acquainted();
    nodes[0].write(&writer(1));
    nodes[1].write(&writer(2));
    let said = converse(&mut nodes);
    let [dialler, acceptor] = said.map(|said| names(&said));
    // The Hellos say what changed, and neither end waits for anything more.
    assert_eq!(acceptor[..2], ["hello", "entries"]);
    assert_eq!(dialler[..2], ["hello", "entries"]);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].tip(&writer(2)), nodes[1].tip(&writer(2)));
}

/// What the dialling end says before the other has said anything, if it showed a key that is known.
fn says_at_once(nodes: &mut [Node; 2], known: bool) -> Vec<Message> {
    let connected = Input::Connected {
        session: SESSION,
        exporter: [5; 32],
        dialled: Some(identity(1).public().node()),
        memory: nodes[0].memory.clone(),
        refusals: Vec::new(),
        known,
    };
    let effects = nodes[0].handle(1_000, connected);
    carry_out(&mut nodes[0], 1_000, effects)
}

fn accept(node: &mut Node) {
    let accepted = Input::Connected {
        session: SESSION,
        exporter: [5; 32],
        dialled: None,
        memory: None,
        refusals: Vec::new(),
        known: false,
    };
    let effects = node.handle(1_000, accepted);
    carry_out(node, 1_000, effects);
}

#[test]
fn a_peer_that_showed_a_known_key_is_sent_what_it_lacks_without_being_waited_for() {
    let mut nodes = acquainted();
    nodes[0].write(&writer(1));
    let first = says_at_once(&mut nodes, true);
    assert_eq!(names(&first), ["hello", "entries"]);
    accept(&mut nodes[1]);
    let said = talk(&mut nodes, 1_000, [first, Vec::new()]);
    assert_eq!(names(&said[0]), ["hello", "entries"]);
    assert_eq!(names(&said[1]), ["hello", "acknowledged"]);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].runs, nodes[1].runs);
}

#[test]
fn a_peer_of_which_only_the_certificate_is_known_is_sent_no_entry_before_it_is_proven() {
    let mut nodes = acquainted();
    nodes[0].write(&writer(1));
    let first = says_at_once(&mut nodes, false);
    assert_eq!(names(&first), ["hello"]);
}

#[test]
fn what_was_sent_early_to_a_peer_that_has_forgotten_all_arrives_in_the_end() {
    for is_forgotten in [true, false] {
        let mut nodes = acquainted();
        nodes[0].write(&writer(1));
        nodes[1].memory = None;
        if is_forgotten {
            // Its store is lost too.
            nodes[1] = Node::new(1);
        }
        let first = says_at_once(&mut nodes, true);
        accept(&mut nodes[1]);
        let said = talk(&mut nodes, 1_000, [first, Vec::new()]);
        assert!(names(&said[0]).contains(&"spaces"));
        assert!(nodes.iter().all(|node| node.equal));
        assert_eq!(nodes[0].runs, nodes[1].runs);
    }
}

#[test]
fn what_becomes_durable_together_is_acknowledged_and_passed_on_together() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    nodes[1].held_appends = Some(Vec::new());
    let mut sent = Vec::new();
    for _ in 0..3 {
        let effects = nodes[0].write(&writer(1));
        sent.extend(carry_out(&mut nodes[0], 1_000, effects));
    }
    assert_eq!(names(&sent), ["entries"; 3]);
    talk(&mut nodes, 1_000, [sent, Vec::new()]);
    let appended = nodes[1].release();
    let effects = nodes[1]
        .engine
        .handle_all(node_sync::Timestamp(1_000), appended);
    let sent = carry_out(&mut nodes[1], 1_000, effects);
    assert_eq!(names(&sent), ["acknowledged"]);
    talk(&mut nodes, 1_000, [Vec::new(), sent]);
    assert!(nodes.iter().all(|node| node.equal));
}

#[test]
fn a_slow_peer_is_sent_few_messages_with_many_entries() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    nodes[1].held_appends = Some(Vec::new());
    let mut messages = Vec::new();
    for _ in 0..20 {
        let effects = nodes[0].write(&writer(1));
        messages.extend(carry_out(&mut nodes[0], 1_000, effects));
    }
    assert_eq!(messages.len(), 4, "the others wait for an answer");
    talk(&mut nodes, 1_000, [messages, Vec::new()]);
    let mut sent = Vec::new();
    for appended in nodes[1].release() {
        let effects = nodes[1].handle(1_000, appended);
        sent.extend(carry_out(&mut nodes[1], 1_000, effects));
    }
    let said = talk(&mut nodes, 1_000, [Vec::new(), sent]);
    assert_eq!(
        names(&said[0]),
        ["entries"],
        "all that waited goes together"
    );
    assert!(nodes[0].tip(&writer(1)) == nodes[1].tip(&writer(1)));
    assert!(nodes.iter().all(|node| node.equal));
}

#[test]
fn a_new_node_gets_everything_without_being_asked_twice() {
    let runs = (0..5)
        .map(|index| run(&writer(index), None, 3, 40))
        .collect();
    let full = Node::with(0, authority(&[]), runs);
    let mut nodes = [Node::new(1), full];
    let said = converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].runs, nodes[1].runs);
    let acceptor = names(&said[1]);
    assert_eq!(
        acceptor.iter().filter(|name| **name == "entries").count(),
        1
    );
}

#[test]
fn nothing_is_acknowledged_or_passed_on_before_it_is_durable() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    nodes[1].held_appends = Some(Vec::new());
    let effects = nodes[0].write(&writer(1));
    let sent = carry_out(&mut nodes[0], 1_000, effects);
    let said = talk(&mut nodes, 1_000, [sent, Vec::new()]);
    assert_eq!(names(&said[0]), ["entries"]);
    assert!(said[1].is_empty());
    assert!(!nodes[0].equal);

    for appended in nodes[1].release() {
        let effects = nodes[1].handle(1_000, appended);
        let sent = carry_out(&mut nodes[1], 1_000, effects);
        assert_eq!(names(&sent), ["acknowledged"]);
        talk(&mut nodes, 1_000, [Vec::new(), sent]);
    }
    assert!(nodes.iter().all(|node| node.equal));
}

#[test]
fn what_a_full_disk_refused_is_sent_again_later() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    nodes[1].held_appends = Some(Vec::new());
    let effects = nodes[0].write(&writer(1));
    let sent = carry_out(&mut nodes[0], 1_000, effects);
    talk(&mut nodes, 1_000, [sent, Vec::new()]);
    for (ticket, _) in nodes[1].held_appends.take().unwrap_or_default() {
        let results = Err(StorageDown);
        let effects = nodes[1].handle(1_000, Input::Appended { ticket, results });
        let sent = carry_out(&mut nodes[1], 1_000, effects);
        assert_eq!(names(&sent), ["refused", "acknowledged"]);
        let said = talk(&mut nodes, 1_000, [Vec::new(), sent]);
        assert!(said[0].is_empty(), "nothing is sent again at once");
    }
    let due = nodes[1].engine.next_deadline().expect("a retry is due");
    let effects = nodes[1].handle(due.0.max(100_000), Input::Tick);
    let sent = carry_out(&mut nodes[1], 100_000, effects);
    talk(&mut nodes, 100_000, [Vec::new(), sent]);
    assert_eq!(nodes[0].runs, nodes[1].runs);
    assert!(nodes.iter().all(|node| node.equal));
}

#[test]
fn a_peer_must_prove_that_it_is_the_node_that_was_dialled() {
    let good = session_signature(&identity(1), NETWORK, &[5; 32], false);
    assert_eq!(closing(&hears(hello_of_node_1(good))), None);

    let wrong = [
        // By another node, over another connection, of the other role, for another network.
        session_signature(&identity(2), NETWORK, &[5; 32], false),
        session_signature(&identity(1), NETWORK, &[6; 32], false),
        session_signature(&identity(1), NETWORK, &[5; 32], true),
        session_signature(
            &identity(1),
            node_feed::NetworkId::from_bytes([8; 16]),
            &[5; 32],
            false,
        ),
    ];
    for signature in wrong {
        let node = hears(hello_of_node_1(signature));
        assert_eq!(closing(&node), Some(Goodbye::Unproven));
    }
    let another = Hello {
        node: Some(identity(2).public().node()),
        ..hello_of_node_1(session_signature(&identity(2), NETWORK, &[5; 32], false))
    };
    assert_eq!(closing(&hears(another)), Some(Goodbye::Unproven));
    let newer = Hello {
        versions: vec![2, 3],
        ..hello_of_node_1(good)
    };
    assert_eq!(closing(&hears(newer)), Some(Goodbye::Version));
}

#[test]
fn nodes_that_were_never_admitted_or_were_ended_are_turned_away() {
    for index in [1, 3] {
        let mut nodes = [
            Node::new(index),
            Node::with(0, authority(&[end_of_node(1)]), Vec::new()),
        ];
        nodes[1].engine = {
            // The same node, but with the log in which node 1 was ended.
            let held = node_sync::Held::default();
            let own = node_sync::Own {
                hub: hub(0),
                identity: identity(0),
                software: "causeway 0.1.0".to_owned(),
                relay: true,
                writers: std::collections::BTreeMap::new(),
            };
            let ended = authority(&[end_of_node(1)]);
            node_sync::Engine::new(node_sync::Config::default(), own, ended, held)
        };
        let said = converse(&mut nodes);
        assert_eq!(names(&said[1]), ["goodbye"]);
        assert_eq!(closing(&nodes[0]), Some(Goodbye::NotAdmitted));
    }
}

#[test]
fn a_node_that_is_ended_is_cut_off_while_connected() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let changed = Input::AuthorityChanged {
        authority: authority(&[end_of_node(1)]),
        spaces: std::collections::BTreeMap::new(),
    };
    let effects = nodes[0].handle(2_000, changed);
    let sent = carry_out(&mut nodes[0], 2_000, effects);
    assert_eq!(names(&sent), ["goodbye"]);
    assert_eq!(closing(&nodes[0]), Some(Goodbye::NotAdmitted));
    // And what it sends later has no effect.
    let effects = nodes[1].write(&writer(2));
    let late = carry_out(&mut nodes[1], 2_000, effects);
    let said = talk(&mut nodes, 2_000, [Vec::new(), late]);
    assert!(said[0].is_empty());
}

#[test]
fn forged_runs_are_refused_reported_and_end_the_session() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let mut forged = run(&writer(3), None, 1, 40).as_run().clone();
    forged.proof = Proof::Signature(Signature([1; 64]));
    for round in 1..=3 {
        let entries = Message::Entries {
            space: SPACE,
            runs: Arc::from([forged.clone()]),
        };
        let received = Input::Received {
            session: SESSION,
            message: entries,
        };
        let effects = nodes[0].handle(1_000, received);
        let said = carry_out(&mut nodes[0], 1_000, effects);
        assert_eq!(nodes[0].alarms, round);
        assert!(said.iter().any(|message| matches!(
            message,
            Message::Refused(refusal) if refusal.reason == RefusalReason::Forged
        )));
    }
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Malformed));
    assert!(!nodes[0].runs.contains_key(writer(3).public().as_bytes()));
}

#[test]
fn a_sender_keeps_to_the_window_and_a_receiver_cuts_off_who_does_not() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    nodes[1].held_appends = Some(Vec::new());
    for _ in 0..12 {
        let tip = nodes[0].tip(&writer(1));
        let large = run(&writer(1), tip, 1, 900_000);
        if let node_sync::AppendResult::Stored(stored) = nodes[0].store(large) {
            let effects = nodes[0].handle(1_000, Input::Written(stored));
            let sent = carry_out(&mut nodes[0], 1_000, effects);
            talk(&mut nodes, 1_000, [sent, Vec::new()]);
        }
    }
    let held = nodes[1].held_appends.as_ref().map_or(0, Vec::len);
    assert_eq!(held, 5, "more than 4 MiB are not on their way at once");

    // Node 0, in turn, is sent more than it made room for.
    nodes[0].held_appends = Some(Vec::new());
    let mut tip = nodes[1].tip(&writer(2));
    for _ in 0..12 {
        let large = run(&writer(2), tip, 1, 900_000);
        tip = Some(large.last());
        let message = Message::Entries {
            space: SPACE,
            runs: Arc::from([large.as_run().clone()]),
        };
        let received = Input::Received {
            session: SESSION,
            message,
        };
        let effects = nodes[0].handle(1_000, received);
        carry_out(&mut nodes[0], 1_000, effects);
    }
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Budget));
}

#[test]
fn what_comes_out_of_turn_ends_the_session() {
    let mut early = Node::new(0);
    let connected = Input::Connected {
        session: SESSION,
        exporter: [5; 32],
        dialled: None,
        memory: None,
        refusals: Vec::new(),
        known: false,
    };
    let effects = early.handle(1, connected);
    carry_out(&mut early, 1, effects);
    let received = Input::Received {
        session: SESSION,
        message: Message::Spaces {
            digests: Vec::new(),
            authority: Heights::new(),
        },
    };
    let effects = early.handle(2, received);
    carry_out(&mut early, 2, effects);
    assert_eq!(closing(&early), Some(Goodbye::Malformed));
}

#[test]
fn a_peer_that_says_nothing_is_let_go() {
    let mut node = Node::new(0);
    let connected = Input::Connected {
        session: SESSION,
        exporter: [5; 32],
        dialled: None,
        memory: None,
        refusals: Vec::new(),
        known: false,
    };
    let effects = node.handle(1, connected);
    carry_out(&mut node, 1, effects);
    let due = node.engine.next_deadline().expect("a Hello is due");
    let effects = node.handle(due.0, Input::Tick);
    carry_out(&mut node, due.0, effects);
    assert_eq!(node.closed, Some(CloseReason::Silent));
    assert_eq!(node.engine.next_deadline(), None);
}

#[test]
fn hostile_heights_do_no_harm() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let name = FeedName::from(&writer(1).public());
    let height = Height {
        number: u64::MAX,
        hash: Hash::ZERO,
    };
    let heights = [(name, height)].into_iter().collect::<Heights>();
    let messages = [
        Message::Acknowledged {
            space: SPACE,
            digest: Hash::ZERO,
            heights: vec![(name, height)],
            through: 0,
        },
        Message::Heights(SpaceHeights {
            space: SPACE,
            base: None,
            digest: heights.digest(SPACE),
            heights: vec![(name, height)],
            bases: BTreeMap::new(),
            ask: true,
            whole: false,
            copy: None,
        }),
        Message::Probe {
            space: SPACE,
            writer: *writer(1).public().as_bytes(),
            points: vec![height],
        },
        Message::Common {
            space: SPACE,
            writer: [7; 32],
            points: vec![height],
        },
        Message::ReceiptsHeld(BTreeMap::from([(
            SPACE,
            BTreeMap::from([(identity(1).public().node(), u64::MAX)]),
        )])),
    ];
    for message in messages {
        let received = Input::Received {
            session: SESSION,
            message,
        };
        let effects = nodes[0].handle(1_000, received);
        carry_out(&mut nodes[0], 1_000, effects);
    }
    assert_eq!(closing(&nodes[0]), None);
    let lie = Input::Received {
        session: SESSION,
        message: Message::Acknowledged {
            space: SPACE,
            digest: Hash::ZERO,
            heights: Vec::new(),
            through: u64::MAX,
        },
    };
    let effects = nodes[0].handle(1_000, lie);
    carry_out(&mut nodes[0], 1_000, effects);
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Malformed));
}

#[test]
fn receipts_reach_the_peer_and_are_not_repeated() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    for index in 0..2 {
        let due = nodes[index]
            .engine
            .next_deadline()
            .expect("a receipt is due");
        let effects = nodes[index].handle(due.0, Input::Tick);
        let sent = carry_out(&mut nodes[index], due.0, effects);
        assert_eq!(names(&sent), ["receipts"]);
        let sent = if index == 0 {
            [sent, Vec::new()]
        } else {
            [Vec::new(), sent]
        };
        talk(&mut nodes, due.0, sent);
    }
    let both = [0, 1].map(|index| identity(index).public().node());
    for node in &nodes {
        let mut signers = node
            .receipts
            .iter()
            .map(|receipt| receipt.node)
            .collect::<Vec<_>>();
        signers.sort_unstable();
        signers.dedup();
        assert!(both.iter().all(|signer| signers.contains(signer)));
    }
    part(&mut nodes);
    let said = converse(&mut nodes);
    assert_eq!(said.map(|said| names(&said)), [["hello"], ["hello"]]);
}

#[test]
fn a_payload_that_was_dropped_travels_as_such() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let whole = run(&writer(4), None, 2, 40);
    let mut dropped = whole.as_run().clone();
    let entry = &mut dropped.entries[1];
    entry.payload = Payload::Dropped {
        hash: entry
            .payload
            .hash(entry.kind)
            .expect("a payload within bounds"),
        length: entry.payload.length(),
    };
    let message = Message::Entries {
        space: SPACE,
        runs: Arc::from([dropped]),
    };
    let received = Input::Received {
        session: SESSION,
        message,
    };
    let effects = nodes[0].handle(1_000, received);
    carry_out(&mut nodes[0], 1_000, effects);
    assert_eq!(nodes[0].tip(&writer(4)), Some(whole.last()));
}

#[test]
fn a_restored_node_is_told_that_its_feed_goes_on_elsewhere() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let own = writer(1);
    for _ in 0..2 {
        let effects = nodes[0].write(&own);
        let sent = carry_out(&mut nodes[0], 1_000, effects);
        talk(&mut nodes, 1_000, [sent, Vec::new()]);
    }
    part(&mut nodes);
    // The first node's store is put back to when it had written one entry.
    let mut restored = Node::new(0);
    let effects = restored.write(&own);
    carry_out(&mut restored, 1_000, effects);
    nodes[0] = restored;
    converse(&mut nodes);
    assert_eq!(nodes[0].ahead, 1);
    assert_eq!(
        nodes[0].runs, nodes[1].runs,
        "and it takes back its own entries"
    );
}
