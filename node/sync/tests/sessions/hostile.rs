//! What a peer may say that means harm, and how little it gets by it.

use std::collections::BTreeMap;

use node_feed::{FeedName, Hash, Height, Heights, SpaceId};
use node_sync::{CopyHeld, Effect, Goodbye, Input, Message, SpaceHeights, Timestamp};

use super::bench::{Node, SESSION, SPACE, carry_out, converse, names};
use super::{acquainted, closing};

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
