//! What a peer may say that means harm, and how little it gets by it.

use node_feed::{Hash, SpaceId};
use node_sync::{Effect, Input, Message};

use super::acquainted;
use super::bench::{Node, SESSION, carry_out, converse};

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
