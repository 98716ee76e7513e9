//! Receipts: as differences, whole where nothing else helps, and at once where they matter.

use node_feed::{
    FeedName, Hash, Height, Heights, HeightsDifference, NodeId, Receipt, Signature, SpaceId,
};
use node_sync::{Effect, Goodbye, Input, Message, SaidHeights, SaidReceipt, SessionId, Timestamp};

use super::bench::{
    NETWORK, Node, SESSION, SPACE, carry_out, converse, identity, names, part, talk,
};
use super::relaying::Star;
use super::{acquainted, closing, writer};

fn node_id(index: u8) -> NodeId {
    identity(index).public().node()
}

/// The latest receipt of a node that `node` keeps.
fn kept(node: &Node, signer: u8) -> Option<&Receipt> {
    let of_signer = node.receipts.iter();
    let of_signer = of_signer.filter(|receipt| receipt.node == node_id(signer));
    of_signer.max_by_key(|receipt| receipt.time_ms)
}

/// Lets a node sign what is due; what it says.
fn signs(node: &mut Node) -> Vec<Message> {
    let due = node.engine.next_deadline().expect("a receipt is due");
    let effects = node.handle(due.0, Input::Tick);
    carry_out(node, due.0, effects)
}

/// Both are connected and hold each other's receipts.
fn with_receipts() -> [Node; 2] {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let said = signs(&mut nodes[0]);
    talk(&mut nodes, 0, [said, Vec::new()]);
    let said = signs(&mut nodes[1]);
    talk(&mut nodes, 0, [Vec::new(), said]);
    assert_eq!(kept(&nodes[0], 1).map(|it| it.heights.len()), Some(2));
    assert_eq!(kept(&nodes[1], 0).map(|it| it.heights.len()), Some(2));
    nodes
}

/// Node 1 writes, and signs once the other holds it. What it says then is on its way.
fn news_of_node_1(nodes: &mut [Node; 2]) -> Vec<Message> {
    let effects = nodes[1].write(&writer(2));
    let said = carry_out(&mut nodes[1], 0, effects);
    talk(nodes, 0, [Vec::new(), said]);
    // Node 0 has news of its own meanwhile, which is another story.
    let said = signs(&mut nodes[1]);
    assert_eq!(names(&said), ["receipts"]);
    said
}

fn receipts_in(message: &Message) -> Option<&[SaidReceipt]> {
    if let Message::Receipts(said) = message {
        Some(said)
    } else {
        None
    }
}

/// The one receipt that is said.
fn said(messages: &mut [Message]) -> &mut SaidReceipt {
    match messages {
        [Message::Receipts(said)] => match said.as_mut_slice() {
            [said] => said,
            other => panic!("{} receipts instead of one", other.len()),
        },
        other => panic!("{:?} instead of receipts", names(other)),
    }
}

fn difference(said: &mut SaidReceipt) -> (Option<u64>, &mut HeightsDifference) {
    match &mut said.heights {
        SaidHeights::Since { base, difference } => (*base, difference),
        SaidHeights::Whole(_) => panic!("it is said whole"),
    }
}

/// Says something to node 0; its answers.
fn hears(node: &mut Node, receipts: Vec<SaidReceipt>) -> Vec<Message> {
    let message = Message::Receipts(receipts);
    let session = SESSION;
    let effects = node.handle(0, Input::Received { session, message });
    carry_out(node, 0, effects)
}

fn whole(signer: u8, space: SpaceId, time_ms: u64, heights: Heights) -> SaidReceipt {
    let receipt = Receipt::sign(NETWORK, space, &identity(signer), time_ms, heights);
    SaidReceipt {
        space,
        node: receipt.node,
        time_ms,
        heights: SaidHeights::Whole(receipt.heights),
        signature: receipt.signature,
    }
}

/// Heights of so many feeds that nobody ever wrote.
fn many(count: usize) -> Heights {
    let feeds = (0..count).map(|index| {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&(index as u64).to_be_bytes());
        let (number, hash) = (0, Hash::ZERO);
        (FeedName::from_bytes(name), Height { number, hash })
    });
    feeds.collect()
}

#[test]
fn a_receipt_travels_as_a_difference_and_is_rebuilt_and_verified() {
    let mut nodes = with_receipts();
    let earlier = kept(&nodes[0], 1).expect("a receipt").mark();
    let mut sent = news_of_node_1(&mut nodes);
    let (base, changes) = difference(said(&mut sent));
    assert_eq!(base, Some(earlier));
    let counts = [
        &changes.gone.len(),
        &changes.changed.len(),
        &changes.added.len(),
    ];
    assert_eq!(counts, [&0, &1, &0], "one feed grew");
    let [answers, _] = talk(&mut nodes, 0, [Vec::new(), sent]);
    assert_eq!(names(&answers), ["acknowledged"]);
    let taken = kept(&nodes[0], 1).expect("a receipt");
    assert_eq!(Some(taken), kept(&nodes[1], 1));
    assert_eq!(taken.verify(NETWORK), Ok(()));
    let feed = FeedName::from_bytes(*writer(2).public().as_bytes());
    assert_eq!(taken.heights.get(&feed), nodes[1].tip(&writer(2)));
}

#[test]
fn who_lost_the_base_is_sent_the_whole() {
    let mut nodes = with_receipts();
    let mut sent = news_of_node_1(&mut nodes);
    match &mut said(&mut sent).heights {
        SaidHeights::Since { base, .. } => *base = base.map(|mark| mark ^ 1),
        SaidHeights::Whole(_) => panic!("it is said whole"),
    }
    let [answers, more] = talk(&mut nodes, 0, [Vec::new(), sent]);
    assert_eq!(
        names(&answers),
        ["receipts held", "acknowledged", "acknowledged"]
    );
    let mut more = more.into_iter().skip(1).collect::<Vec<_>>();
    let again = said(&mut more);
    assert!(matches!(again.heights, SaidHeights::Whole(_)));
    assert_eq!(kept(&nodes[0], 1), kept(&nodes[1], 1));
    // And then differences do again.
    let mut sent = news_of_node_1(&mut nodes);
    assert!(difference(said(&mut sent)).0.is_some());
}

#[test]
fn a_forged_difference_is_refused_and_harms_nothing() {
    let mut nodes = with_receipts();
    let before = kept(&nodes[0], 1).cloned();
    let honest = news_of_node_1(&mut nodes);
    for part in 0..4 {
        let mut forged = honest.clone();
        let receipt = said(&mut forged);
        match part {
            0 => difference(receipt).1.changed[0].1.number += 1,
            1 => difference(receipt).1.gone.push(1),
            2 => difference(receipt).1.gone.push(7),
            _ => receipt.time_ms += 1,
        }
        let received = Input::Received {
            session: SESSION,
            message: forged.remove(0),
        };
        let effects = nodes[0].handle(0, received);
        let answers = carry_out(&mut nodes[0], 0, effects);
        assert_eq!(names(&answers), ["receipts held", "acknowledged"]);
        assert_eq!(kept(&nodes[0], 1), before.as_ref());
    }
    // Who was told so, and is honest, says it whole.
    let received = Input::Received {
        session: SESSION,
        message: honest[0].clone(),
    };
    let effects = nodes[0].handle(0, received);
    let answers = carry_out(&mut nodes[0], 0, effects);
    assert_eq!(names(&answers), ["acknowledged"]);
    assert_eq!(kept(&nodes[0], 1), kept(&nodes[1], 1));
    assert_eq!(closing(&nodes[0]), None);
}

#[test]
fn who_goes_on_forging_receipts_is_sent_away() {
    let [mut node, _] = with_receipts();
    let before = node.receipts.len();
    for round in 1..=3 {
        let mut forged = whole(2, SPACE, u64::from(u32::MAX), Heights::new());
        forged.signature = Signature([round; 64]);
        assert_eq!(closing(&node), None);
        hears(&mut node, vec![forged]);
    }
    assert_eq!(closing(&node), Some(Goodbye::Malformed));
    assert_eq!(node.receipts.len(), before);
}

#[test]
fn differences_that_never_hold_come_to_an_end() {
    let mut nodes = with_receipts();
    let mut forged = news_of_node_1(&mut nodes);
    difference(said(&mut forged)).1.changed[0].1.number += 1;
    let mut answers = 0;
    while nodes[0].closed.is_none() {
        let received = Input::Received {
            session: SESSION,
            message: forged[0].clone(),
        };
        let effects = nodes[0].handle(0, received);
        carry_out(&mut nodes[0], 0, effects);
        answers += 1;
        assert!(answers < 1_000, "it goes on and on");
    }
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Malformed));
}

#[test]
fn receipts_of_much_that_nobody_has_heard_of_are_not_kept() {
    let impossible = Height {
        number: u64::MAX,
        hash: Hash::ZERO,
    };
    let impossible = [(FeedName::from_bytes([7; 32]), impossible)];
    let said = [
        (many(4_096), true),
        (many(4_097), false),
        (impossible.into_iter().collect(), false),
    ];
    for (heights, is_kept) in said {
        let [mut node, _] = with_receipts();
        let before = node.receipts.len();
        let answers = hears(&mut node, vec![whole(1, SPACE, 1 << 40, heights)]);
        assert_eq!(names(&answers), ["acknowledged"]);
        assert_eq!(node.receipts.len() > before, is_kept);
        assert_eq!(
            closing(&node),
            None,
            "who passes it on need not have made it"
        );
    }
}

#[test]
fn receipts_that_the_protocol_does_not_allow_end_the_session() {
    let late = 1 << 40;
    let receipt = |signer| whole(signer, SPACE, late, Heights::new());
    let since = |signer: u8, base, gone: &[u32]| SaidReceipt {
        heights: SaidHeights::Since {
            base,
            difference: HeightsDifference {
                gone: gone.to_vec(),
                ..HeightsDifference::default()
            },
        },
        ..receipt(signer)
    };
    let mut signers = [1, 2];
    signers.sort_by_key(|signer| node_id(*signer));
    let [first, second] = signers;
    let too_many = || {
        // Each is within bounds, and all together are not; nobody need have signed them.
        let heights = many(Receipt::HEIGHTS_MAX);
        let one = whole(first, SPACE, 0, heights);
        let nodes = (1..30).map(|node| SaidReceipt {
            node: NodeId::from_bytes([node; 32]),
            ..since(second, None, &[])
        });
        let first = SaidReceipt {
            node: NodeId::from_bytes([0; 32]),
            ..one
        };
        std::iter::once(first).chain(nodes).collect()
    };
    let wrong = [
        Vec::new(),
        vec![receipt(second), receipt(first)],
        vec![receipt(first), receipt(first)],
        vec![since(first, None, &[])],
        vec![
            whole(first, SpaceId::from_bytes([0; 16]), late, Heights::new()),
            since(second, None, &[]),
        ],
        vec![receipt(first), since(second, None, &[0])],
        vec![whole(first, SPACE, late, many(Receipt::HEIGHTS_MAX + 1))],
        too_many(),
    ];
    for receipts in wrong {
        let [mut node, _] = with_receipts();
        assert_eq!(closing(&node), None);
        hears(&mut node, receipts);
        assert_eq!(closing(&node), Some(Goodbye::Malformed));
    }
}

#[test]
fn receipts_of_strangers_and_of_the_past_are_not_kept() {
    let [mut node, _] = with_receipts();
    let before = node.receipts.len();
    let earlier = kept(&node, 1).expect("a receipt").time_ms;
    let receipts = [
        whole(1, SPACE, earlier, Heights::new()),
        whole(1, SPACE, earlier - 1, Heights::new()),
        // A node that the authority log does not know, and a space that is not shared.
        whole(7, SPACE, 1 << 40, Heights::new()),
        whole(1, SpaceId::from_bytes([6; 16]), 1 << 40, Heights::new()),
        // Of the node itself.
        whole(0, SPACE, 1 << 40, Heights::new()),
    ];
    for receipt in receipts {
        let answers = hears(&mut node, vec![receipt]);
        assert_eq!(names(&answers), ["acknowledged"]);
    }
    assert_eq!(node.receipts.len(), before);
}

#[test]
fn a_receipt_signed_between_hello_and_live_reaches_the_peer() {
    let mut nodes = with_receipts();
    part(&mut nodes);
    let effects = nodes[0].write(&writer(1));
    carry_out(&mut nodes[0], 0, effects);
    let connected = |dialled, memory| Input::Connected {
        session: SESSION,
        exporter: [5; 32],
        dialled,
        memory,
        refusals: Vec::new(),
        known: false,
    };
    nodes[1].handle(0, connected(None, None));
    let memory = nodes[0].memory.clone();
    let effects = nodes[0].handle(0, connected(Some(node_id(1)), memory));
    let hello = carry_out(&mut nodes[0], 0, effects);
    assert_eq!(names(&hello), ["hello"]);
    let earlier = kept(&nodes[0], 0).map(|receipt| receipt.time_ms);
    let said = signs(&mut nodes[0]);
    assert_eq!(names(&said), [""; 0], "nothing before the other's Hello");
    let signed = kept(&nodes[0], 0).cloned();
    assert!(signed.as_ref().map(|receipt| receipt.time_ms) > earlier);
    // The marks in both Hellos are those of before, and equal.
    let [said, answers] = talk(&mut nodes, 0, [hello, Vec::new()]);
    for said in [said, answers] {
        assert!(!names(&said).contains(&"receipts held"));
    }
    assert_eq!(kept(&nodes[1], 0), signed.as_ref());
}

#[test]
fn a_relay_passes_on_at_once_to_whom_it_concerns_and_later_to_the_others() {
    let mut star = Star::connected();
    let effects = star.hubs[0].write(&writer(1));
    star.hub_does(0, effects);
    // Nobody wrote anything else. All three sign, three times in a row.
    for _ in 0..3 {
        let effects = star.hubs[0].write(&writer(1));
        star.hub_does(0, effects);
        for hub in 0..2 {
            let due = star.hubs[hub].engine.next_deadline().expect("a receipt");
            let effects = star.hubs[hub].handle(due.0, Input::Tick);
            star.hub_does(hub, effects);
        }
        // The first hub wrote it, and hears at once that the second holds it.
        let signed = kept(&star.hubs[1], 2).cloned();
        assert!(signed.is_some());
        assert_eq!(kept(&star.relay, 2), signed.as_ref());
        assert_eq!(kept(&star.hubs[0], 2), signed.as_ref());
    }
    assert!(kept(&star.relay, 1).is_some());
    assert_eq!(
        kept(&star.hubs[1], 1),
        None,
        "it tells that hub nothing of its own"
    );
    star.told = [Vec::new(), Vec::new()];
    while kept(&star.hubs[1], 1).is_none() {
        let due = star
            .relay
            .engine
            .next_deadline()
            .expect("what waits is due");
        assert!(due.0 <= 1_200_000, "{} ms", due.0);
        let effects = star.relay.handle(due.0, Input::Tick);
        star.relay_does(effects);
    }
    assert_eq!(kept(&star.hubs[1], 1), kept(&star.relay, 1));
    let passed_on = |message: &Message| {
        let said = receipts_in(message).unwrap_or_default().iter();
        said.filter(|it| it.node == node_id(1)).count()
    };
    let count = star.told[1].iter().map(passed_on).sum::<usize>();
    assert_eq!(count, 1, "the latest alone");
    assert!(star.told.iter().all(|told| {
        let held = |message: &Message| matches!(message, Message::ReceiptsHeld(_));
        !told.iter().any(held)
    }));
}

#[test]
fn receipts_of_many_nodes_go_as_differences_to_the_one_before() {
    let mut star = Star::connected();
    let effects = star.hubs[0].write(&writer(1));
    star.hub_does(0, effects);
    for hub in 0..2 {
        let due = star.hubs[hub].engine.next_deadline().expect("a receipt");
        let effects = star.hubs[hub].handle(due.0, Input::Tick);
        star.hub_does(hub, effects);
    }
    let due = star.relay.engine.next_deadline().expect("a receipt");
    let effects = star.relay.handle(due.0, Input::Tick);
    star.relay_does(effects);
    // The second hub comes back with nothing.
    let session = SessionId(8);
    star.relay.handle(0, Input::Disconnected { session });
    star.hubs[1] = Node::new(2);
    star.told = [Vec::new(), Vec::new()];
    for (dialled, at_relay) in [(None, true), (Some(node_id(0)), false)] {
        let connected = Input::Connected {
            session,
            exporter: [6; 32],
            dialled,
            memory: None,
            refusals: Vec::new(),
            known: false,
        };
        if at_relay {
            let effects = star.relay.handle(0, connected);
            star.relay_does(effects);
        } else {
            let effects = star.hubs[1].handle(0, connected);
            star.hub_does(1, effects);
        }
    }
    let told = star.told[1].iter().find_map(receipts_in);
    let told = told.expect("receipts");
    assert_eq!(told.len(), 2);
    assert!(matches!(told[0].heights, SaidHeights::Whole(_)));
    let SaidHeights::Since { base, difference } = &told[1].heights else {
        panic!("the second is said whole");
    };
    assert_eq!((base, difference), (&None, &HeightsDifference::default()));
    for signer in [0, 1] {
        let held = kept(&star.hubs[1], signer);
        assert_eq!(held, kept(&star.relay, signer));
        assert_eq!(held.map(|it| it.verify(NETWORK)), Some(Ok(())));
    }
}

#[test]
fn an_answer_to_receipts_takes_nothing_from_what_entries_are_answered_with() {
    let mut nodes = with_receipts();
    nodes[1].held_appends = Some(Vec::new());
    let effects = nodes[0].write(&writer(1));
    let entries = carry_out(&mut nodes[0], 0, effects);
    let written = nodes[0].tip(&writer(1)).expect("an entry");
    let receipts = signs(&mut nodes[0]);
    assert_eq!(names(&receipts), ["receipts"]);
    talk(&mut nodes, 0, [entries, Vec::new()]);
    // The entry is durable at the other end when the receipt comes, and both are answered.
    let mut inputs = nodes[1].release();
    inputs.extend(receipts.into_iter().map(|message| Input::Received {
        session: SESSION,
        message,
    }));
    let effects = nodes[1].engine.handle_all(Timestamp(0), inputs);
    let answers = carry_out(&mut nodes[1], 0, effects);
    assert_eq!(names(&answers), ["acknowledged"; 2]);
    // Meanwhile this end wrote on, so that equal digests tell nothing.
    let effects = nodes[0].write(&writer(1));
    carry_out(&mut nodes[0], 0, effects);
    let mut told = Vec::new();
    for message in answers {
        let received = Input::Received {
            session: SESSION,
            message,
        };
        for effect in nodes[0].handle(0, received) {
            if let Effect::PeerHolds { heights, .. } = effect {
                told.extend(heights);
            }
        }
    }
    let feed = FeedName::from(&writer(1).public());
    assert_eq!(told, [(feed, written)]);
}
