//! First copies between two engines.

use node_feed::{CopySlice, Height, VerifiedRun};
use node_sync::{CopyHeld, Effect, Input, Message};

use crate::bench::{Node, SESSION, SPACE, authority, carry_out, converse, names, part, run, talk};
use crate::writer;

/// A feed with so many entries: an open, and runs of 200.
fn long_feed(index: u8, runs: u8) -> Vec<VerifiedRun> {
    let key = writer(index);
    let mut tip: Option<Height> = None;
    let mut feed = Vec::new();
    for _ in 0..runs {
        let next = run(&key, tip, 200, 40);
        tip = Some(next.last());
        feed.push(next);
    }
    feed
}

/// A node with a long feed, of which a copy with so many documents can be made, and with a short
/// one.
fn full(documents: u8) -> Node {
    let mut runs = long_feed(1, 6);
    runs.push(run(&writer(2), None, 3, 40));
    let mut full = Node::with(0, authority(&[]), runs);
    full.documents = Some(documents);
    full
}

fn slice(message: &Message) -> Option<&CopySlice> {
    if let Message::Copy(slice) = message {
        Some(slice)
    } else {
        None
    }
}

fn copies(messages: &[Message]) -> usize {
    names(messages)
        .iter()
        .filter(|name| **name == "copy")
        .count()
}

#[test]
fn a_peer_that_lacks_much_is_sent_a_copy_and_the_rest_entry_by_entry() {
    let mut nodes = [Node::new(1), full(100)];
    let said = converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].bases.len(), 1, "the short feed is not copied");
    assert_eq!(nodes[0].runs[writer(2).public().as_bytes()].len(), 1);
    // A megabyte of documents in messages of a quarter of one, and what is short goes first.
    assert!(copies(&said[1]) >= 4);
    let names = names(&said[1]);
    let first = |name| names.iter().position(|it| *it == name);
    assert!(first("entries") < first("copy"));
}

#[test]
fn a_copy_that_was_broken_off_goes_on_where_it_stands() {
    let mut nodes = [Node::new(1), full(100)];
    // The line is cut after two parts.
    let first = begin(&mut nodes);
    let mut sent = first;
    let mut parts = 0;
    while parts < 2 {
        let message = sent.remove(0);
        parts += usize::from(matches!(message, Message::Copy(_)));
        let received = Input::Received {
            session: SESSION,
            message,
        };
        let effects = nodes[0].handle(1_000, received);
        let answers = carry_out(&mut nodes[0], 1_000, effects);
        for message in answers {
            let received = Input::Received {
                session: SESSION,
                message,
            };
            let effects = nodes[1].handle(1_000, received);
            sent.extend(carry_out(&mut nodes[1], 1_000, effects));
        }
    }
    part(&mut nodes);
    let held = nodes[0].copy.clone().expect("a part of a copy");
    assert!(held.documents > 10);
    nodes[0].restart();
    // Meanwhile the other end wrote on: the copy is still of the same checkpoints.
    let tip = nodes[1].tip(&writer(1));
    nodes[1].store(run(&writer(1), tip, 5, 40));
    nodes[1].restart();
    let said = converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    let again = said[1].iter().filter_map(slice);
    let again = again.collect::<Vec<_>>();
    let repeated = again
        .iter()
        .filter(|slice| slice.documents_before < held.documents);
    assert!(
        repeated.count() <= 1,
        "only the part that begins may repeat"
    );
    assert!(
        again
            .iter()
            .all(|slice| slice.id == held.bases.digest(SPACE))
    );
    assert_eq!(nodes[0].tip(&writer(1)), nodes[1].tip(&writer(1)));
}

#[test]
fn a_copy_that_cannot_go_on_begins_anew() {
    let mut nodes = [Node::new(1), full(20)];
    let other = [(node_feed::FeedName::from_bytes([7; 32]), tip_of_nothing())];
    nodes[0].copy = Some(CopyHeld {
        bases: other.into_iter().collect(),
        documents: 12,
    });
    nodes[0].restart();
    let said = converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    let mut begins = said[1]
        .iter()
        .filter_map(slice)
        .filter_map(|it| it.begins.as_ref());
    assert!(begins.any(|begins| begins.anew));
    assert_eq!(nodes[0].bases.len(), 1, "the new copy was taken");
}

fn tip_of_nothing() -> Height {
    Height {
        number: 3,
        hash: node_feed::Hash::from_bytes([3; 32]),
    }
}

#[test]
fn a_copy_that_does_not_hold_is_taken_entry_by_entry_instead() {
    let mut nodes = [Node::new(1), full(20)];
    nodes[0].refuses_copies = true;
    let said = converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].alarms, 1);
    assert!(nodes[0].bases.is_empty());
    assert_eq!(nodes[0].runs, nodes[1].runs);
    assert_eq!(copies(&said[1]), 1, "no second copy is tried");
}

#[test]
fn what_cannot_be_copied_is_sent_entry_by_entry() {
    let mut nodes = [Node::new(1), full(20)];
    nodes[1].documents = None;
    let said = converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(copies(&said[1]), 0);
    assert_eq!(nodes[0].runs, nodes[1].runs);
}

#[test]
fn a_node_hands_on_a_copy_of_what_it_holds_no_entries_of() {
    let mut nodes = [Node::new(1), full(20)];
    converse(&mut nodes);
    part(&mut nodes);
    let [mut based, _] = nodes;
    based.documents = Some(20);
    based.restart();
    let mut nodes = [Node::new(2), based];
    converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].bases.len(), 1);
}

#[test]
fn live_entries_reach_a_peer_while_it_is_sent_a_copy() {
    let mut nodes = [Node::new(1), full(200)];
    let mut sent = begin(&mut nodes);
    assert!(names(&sent).contains(&"copy"));
    // A short feed goes on: nothing of it waits for the copy's end.
    let effects = nodes[1].write(&writer(2));
    let live = carry_out(&mut nodes[1], 1_000, effects);
    sent.extend(live);
    talk(&mut nodes, 1_000, [Vec::new(), sent]);
    assert!(nodes.iter().all(|node| node.equal));
    let effects = nodes[1].write(&writer(1));
    let live = carry_out(&mut nodes[1], 1_000, effects);
    assert_eq!(names(&live), ["entries"], "the copied feed is live as well");
    talk(&mut nodes, 1_000, [Vec::new(), live]);
    assert!(nodes.iter().all(|node| node.equal));
}

#[test]
fn nobody_signs_for_documents_that_are_not_checked() {
    let mut nodes = [Node::new(1), full(5)];
    converse(&mut nodes);
    let tick = |node: &mut Node| {
        let effects = node.handle(1_000_000, Input::Tick);
        let signed = effects
            .iter()
            .filter(|it| matches!(it, Effect::ReceiptStored { .. }));
        let count = signed.count();
        carry_out(node, 1_000_000, effects);
        count
    };
    assert_eq!(tick(&mut nodes[0]), 0);
    nodes[0].handle(1_000_000, Input::Checked { space: SPACE });
    let due = nodes[0].engine.next_deadline().expect("a receipt is due");
    let effects = nodes[0].handle(due.0, Input::Tick);
    assert!(
        effects
            .iter()
            .any(|it| matches!(it, Effect::ReceiptStored { .. }))
    );
}

/// Connects the two nodes up to what the second says at once.
fn begin(nodes: &mut [Node; 2]) -> Vec<Message> {
    let connected = |dialled| Input::Connected {
        session: SESSION,
        exporter: [5; 32],
        dialled,
        memory: None,
        refusals: Vec::new(),
        known: false,
    };
    let effects = nodes[1].handle(1_000, connected(None));
    carry_out(&mut nodes[1], 1_000, effects);
    let other = crate::bench::identity(0).public().node();
    let effects = nodes[0].handle(1_000, connected(Some(other)));
    let hello = carry_out(&mut nodes[0], 1_000, effects);
    let mut said = Vec::new();
    for message in hello {
        let received = Input::Received {
            session: SESSION,
            message,
        };
        let effects = nodes[1].handle(1_000, received);
        said.extend(carry_out(&mut nodes[1], 1_000, effects));
    }
    said
}
