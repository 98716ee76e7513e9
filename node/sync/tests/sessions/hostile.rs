//! What a peer may say that means harm, and how little it gets by it.

use std::collections::BTreeMap;

use node_feed::{
    CopySlice, FeedName, Hash, Height, Heights, Proof, Refusal, RefusalReason, Signature, SpaceId,
};
use node_sync::{CopyHeld, Effect, Goodbye, Input, Message, SpaceHeights, Timestamp};

use super::bench::{Node, SESSION, SPACE, carry_out, converse, names, run};
use super::{acquainted, closing, writer};

/// Says something to a node; what follows from it at once.
fn effects_of(node: &mut Node, message: Message) -> Vec<Effect> {
    let session = SESSION;
    node.handle(1_000, Input::Received { session, message })
}

/// The same, carried out; what the node answers.
fn hears(node: &mut Node, message: Message) -> Vec<Message> {
    let effects = effects_of(node, message);
    carry_out(node, 1_000, effects)
}

/// About how much an engine remembers.
fn memory(node: &Node) -> usize {
    format!("{:?}", node.engine).len()
}

/// Heights of so many feeds that nobody ever wrote, the first with this number.
fn made_up(first: usize, count: usize) -> Heights {
    let feed = |index: usize| {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&(index as u64).to_be_bytes());
        let (number, hash) = (3, Hash::ZERO);
        (FeedName::from_bytes(name), Height { number, hash })
    };
    (first..first + count).map(feed).collect()
}

/// These heights, whole.
fn whole(heights: &Heights) -> SpaceHeights {
    SpaceHeights {
        space: SPACE,
        base: None,
        digest: heights.digest(SPACE),
        heights: heights.iter().collect(),
        bases: BTreeMap::new(),
        ask: false,
        whole: false,
        copy: None,
    }
}

#[test]
fn of_spaces_that_are_not_shared_nothing_is_remembered() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let before = memory(&nodes[0]);
    for index in 100..200 {
        let acknowledged = Message::Acknowledged {
            space: SpaceId::from_bytes([index; 16]),
            digest: Hash::from_bytes([index; 32]),
            heights: Vec::new(),
            through: 1,
        };
        hears(&mut nodes[0], acknowledged);
    }
    assert_eq!(nodes[0].closed, None);
    // The count of frames that came has more digits now.
    assert!(memory(&nodes[0]) < before + 100);
}

#[test]
fn heights_said_piece_by_piece_come_to_an_end() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let mut said = 0;
    while nodes[0].closed.is_none() {
        let acknowledged = Message::Acknowledged {
            space: SPACE,
            digest: Hash::from_bytes([1; 32]),
            heights: made_up(said, 4_000).iter().collect(),
            through: 1,
        };
        hears(&mut nodes[0], acknowledged);
        said += 4_000;
        assert!(said < Message::HEIGHTS_MAX + 8_000, "it goes on and on");
    }
    assert!(said > Message::HEIGHTS_MAX - 4_000);
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Budget));
}

#[test]
fn nobody_holds_a_part_of_a_copy_of_more_feeds_than_a_copy_has() {
    for (feeds, is_allowed) in [(1_024, true), (1_025, false)] {
        let mut nodes = acquainted();
        converse(&mut nodes);
        let copy = Some(CopyHeld {
            bases: made_up(0, feeds),
            documents: None,
            open: true,
        });
        let said = SpaceHeights {
            copy,
            ..whole(&made_up(0, 1))
        };
        hears(&mut nodes[0], Message::Heights(said));
        assert_eq!(closing(&nodes[0]).is_none(), is_allowed);
    }
}

#[test]
fn who_asks_many_times_at_once_is_answered_once() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let asks = SpaceHeights {
        ask: true,
        ..whole(&made_up(0, 1))
    };
    let asks = (0..5).map(|_| Input::Received {
        session: SESSION,
        message: Message::Heights(asks.clone()),
    });
    let effects = nodes[0].engine.handle_all(Timestamp(1_000), asks);
    let answers = carry_out(&mut nodes[0], 1_000, effects);
    let heights = names(&answers)
        .into_iter()
        .filter(|name| *name == "heights");
    assert_eq!(heights.count(), 1);
}

#[test]
fn of_refusals_those_are_kept_that_say_anything_new_of_what_was_sent() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let refusal = |feed, number, reason| Refusal {
        space: SPACE,
        feed,
        number,
        hash: Hash::ZERO,
        reason,
        version: "causeway 0.1.0".to_owned(),
    };
    let ours = FeedName::from(&writer(1).public());
    let (grant, cut) = (RefusalReason::Grant, RefusalReason::Cut);
    let said = [
        (FeedName::from_bytes([7; 32]), 0, grant, false),
        (ours, 5, cut, true),
        (ours, 6, cut, false),
        (ours, 4, cut, true),
        (ours, 0, grant, true),
        (ours, 0, RefusalReason::Storage, false),
        (ours, 0, grant, false),
    ];
    for (feed, number, reason, is_kept) in said {
        let refused = Message::Refused(refusal(feed, number, reason));
        let effects = effects_of(&mut nodes[0], refused);
        let kept = |effect: &Effect| matches!(effect, Effect::Refused { .. });
        assert_eq!(effects.iter().any(kept), is_kept, "{number} {reason:?}");
    }
    let long = Refusal {
        version: "x".repeat(257),
        ..refusal(ours, 1, cut)
    };
    hears(&mut nodes[0], Message::Refused(long));
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Malformed));
}

/// So many runs that nobody signed.
fn forged(count: usize) -> Message {
    let mut forged = run(&writer(3), None, 1, 40).as_run().clone();
    forged.proof = Proof::Signature(Signature([1; 64]));
    Message::Entries {
        space: SPACE,
        runs: vec![forged; count].into(),
    }
}

#[test]
fn of_what_comes_with_forged_runs_no_more_is_looked_at_than_it_takes_to_see_that() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let frames = [2, 100, 100].map(|count| Input::Received {
        session: SESSION,
        message: forged(count),
    });
    let effects = nodes[0].engine.handle_all(Timestamp(1_000), frames);
    carry_out(&mut nodes[0], 1_000, effects);
    assert_eq!(nodes[0].alarms, 3);
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Malformed));
}

#[test]
fn a_message_with_too_many_runs_is_not_looked_at_at_all() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    hears(&mut nodes[0], forged(Message::RUNS_MAX + 1));
    assert_eq!(nodes[0].alarms, 0);
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Malformed));
}

fn probe(writer: [u8; 32]) -> Message {
    Message::Probe {
        space: SPACE,
        writer,
        points: vec![Height {
            number: 3,
            hash: Hash::ZERO,
        }],
    }
}

#[test]
fn probes_come_to_an_end() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let ours = *writer(1).public().as_bytes();
    let mut answers = 0;
    while nodes[0].closed.is_none() {
        let said = hears(&mut nodes[0], probe(ours));
        answers += usize::from(names(&said).contains(&"common"));
        assert!(answers < 1_000, "it goes on and on");
    }
    assert_eq!(answers, 256);
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Malformed));
}

#[test]
fn points_of_one_writer_are_looked_up_once_at_a_time() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let ours = *writer(1).public().as_bytes();
    let mut asked = 0;
    for _ in 0..10 {
        let effects = effects_of(&mut nodes[0], probe(ours));
        let finds = |effect: &&Effect| matches!(effect, Effect::Find { .. });
        asked += effects.iter().filter(finds).count();
    }
    assert_eq!(asked, 1);
}

#[test]
fn of_writers_that_only_a_peer_speaks_of_nothing_is_remembered() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let before = memory(&nodes[0]);
    for index in 100..200 {
        let said = hears(&mut nodes[0], probe([index; 32]));
        assert_eq!(names(&said), ["common"], "it holds none of these points");
    }
    assert!(memory(&nodes[0]) < before + 100);
}

#[test]
fn a_part_of_a_copy_has_something_in_it() {
    let mut nodes = acquainted();
    converse(&mut nodes);
    let nothing = Message::Copy(CopySlice {
        space: SPACE,
        id: Hash::ZERO,
        before: 0,
        pieces: Vec::new().into(),
        ends: false,
    });
    hears(&mut nodes[0], nothing);
    assert_eq!(closing(&nodes[0]), Some(Goodbye::Malformed));
}
