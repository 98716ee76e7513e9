//! First copies between two engines.

use node_feed::{CopyOffer, CopyPlace, CopySlice, Height, VerifiedRun};
use node_sync::{Input, Message, SessionId};

use crate::bench::{
    Copies, Node, SESSION, SPACE, authority, carry_out, carry_out_in_sessions, converse, identity,
    names, part, run, talk,
};
use crate::{accept, says_at_once, writer};

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
    full_of(0, documents)
}

fn full_of(index: u8, documents: u8) -> Node {
    let mut runs = long_feed(1, 6);
    runs.push(run(&writer(2), None, 3, 40));
    let mut full = Node::with(index, authority(&[]), runs);
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

/// The line is cut after some documents of a copy.
fn break_off(nodes: &mut [Node; 2]) {
    let mut sent = begin(nodes);
    while nodes[0].copy.as_ref().and_then(|place| place.documents) < Some(20) {
        let message = sent.remove(0);
        for message in receive(&mut nodes[0], message) {
            sent.extend(receive(&mut nodes[1], message));
        }
    }
    part(nodes);
}

#[test]
fn a_forged_document_is_held_against_who_sent_it() {
    for (document, sender) in [(3, 0), (90, 2)] {
        let mut nodes = [Node::new(1), full(100)];
        nodes[0].copies_are = Copies::Forged(document);
        break_off(&mut nodes);
        // Another goes on with the copy.
        nodes[1] = full_of(2, 100);
        converse(&mut nodes);
        assert_eq!(nodes[0].accused, [identity(sender).public().node()]);
    }
}

#[test]
fn a_copy_that_was_broken_off_goes_on_where_it_stands() {
    let mut nodes = [Node::new(1), full(100)];
    break_off(&mut nodes);
    let place = nodes[0].copy.clone().expect("a part of a copy");
    nodes[0].restart();
    // Meanwhile the other end wrote on: the copy is still of the same checkpoints.
    let tip = nodes[1].tip(&writer(1));
    nodes[1].store(run(&writer(1), tip, 5, 40));
    nodes[1].restart();
    let said = converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    let again = said[1].iter().filter_map(slice).collect::<Vec<_>>();
    assert_eq!(Some(again[0].before), place.documents);
    let id = place.bases.digest(SPACE);
    assert!(again.iter().all(|slice| slice.id == id && !slice.ends));
    assert_eq!(nodes[0].tip(&writer(1)), nodes[1].tip(&writer(1)));
}

#[test]
fn a_copy_that_cannot_go_on_gives_way_to_another() {
    let mut nodes = [Node::new(1), full(20)];
    let other = [(node_feed::FeedName::from_bytes([7; 32]), tip_of_nothing())];
    nodes[0].copy = Some(CopyPlace {
        peer: identity(1).public().node(),
        bases: other.into_iter().collect(),
        documents: Some(12),
        of: 30,
    });
    nodes[0].restart();
    let said = converse(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    assert!(names(&said[1]).contains(&"offer"));
    assert_eq!(nodes[0].bases.len(), 1, "the new copy was taken");
}

fn tip_of_nothing() -> Height {
    Height {
        number: 3,
        hash: node_feed::Hash::from_bytes([3; 32]),
    }
}

#[test]
fn what_a_bad_copy_stands_for_is_fetched_entry_by_entry() {
    for copies_are in [Copies::Refused, Copies::Forged(3)] {
        let mut nodes = [Node::new(1), full(20)];
        nodes[0].copies_are = copies_are;
        let said = converse(&mut nodes);
        assert!(nodes.iter().all(|node| node.equal));
        assert_eq!(nodes[0].alarms, 1);
        assert!(nodes[0].bases.is_empty());
        assert_eq!(nodes[0].runs, nodes[1].runs);
        let offers = names(&said[1]).into_iter().filter(|name| *name == "offer");
        assert_eq!(offers.count(), 1, "no second copy is tried");
    }
}

#[test]
fn nobody_is_told_of_a_copy_before_it_was_checked() {
    let mut nodes = [Node::new(1), full(20)];
    nodes[0].copies_are = Copies::Unchecked;
    converse(&mut nodes);
    assert!(nodes.iter().all(|node| !node.equal));
    // A process that starts meanwhile is sent nothing of it again.
    part(&mut nodes);
    nodes[0].restart();
    nodes[1].restart();
    let said = converse(&mut nodes);
    assert!(nodes.iter().all(|node| !node.equal));
    assert_eq!(copies(&said[1]), 0);
    assert!(!names(&said[1]).contains(&"entries"));
    // It signs for nothing of it either.
    let effects = nodes[0].handle(1_000_000, Input::Tick);
    carry_out(&mut nodes[0], 1_000_000, effects);
    let copied = node_feed::FeedName::from_bytes(*writer(1).public().as_bytes());
    let signed = nodes[0].receipts.iter();
    assert!(
        signed
            .filter_map(|it| it.heights.get(&copied))
            .next()
            .is_none()
    );
    nodes[0].copies_are = Copies::Good;
    let placed = nodes[0].check_copy().expect("the copy is whole");
    let effects = nodes[0].handle(1_000_001, placed);
    let said = carry_out(&mut nodes[0], 1_000_001, effects);
    talk(&mut nodes, 1_000_001, [said, Vec::new()]);
    assert!(nodes.iter().all(|node| node.equal));
    let due = nodes[0].engine.next_deadline().expect("a receipt is due");
    let effects = nodes[0].handle(due.0, Input::Tick);
    carry_out(&mut nodes[0], due.0, effects);
    let last = nodes[0].receipts.last().expect("a receipt");
    assert!(last.heights.get(&copied).is_some());
}

/// Lets a node talk with two others at once. How many parts of copies each of these sent.
fn meet(taker: &mut Node, peers: &mut [Node; 2]) -> [usize; 2] {
    let sessions = [SESSION, SessionId(2)];
    let mut queue = std::collections::VecDeque::new();
    for (at, session) in sessions.into_iter().enumerate() {
        let connected = |session, dialled| Input::Connected {
            session,
            exporter: [5 + at as u8; 32],
            dialled,
            memory: None,
            refusals: Vec::new(),
            known: false,
        };
        let effects = taker.handle(1_000, connected(session, None));
        carry_out(taker, 1_000, effects);
        let node = identity(0).public().node();
        let effects = peers[at].handle(1_000, connected(SESSION, Some(node)));
        for message in carry_out(&mut peers[at], 1_000, effects) {
            queue.push_back((at, message));
        }
    }
    let mut came = [0, 0];
    while let Some((at, message)) = queue.pop_front() {
        came[at] += usize::from(matches!(message, Message::Copy(_)));
        let received = Input::Received {
            session: sessions[at],
            message,
        };
        let effects = taker.handle(1_000, received);
        for (session, message) in carry_out_in_sessions(taker, 1_000, effects) {
            let to = sessions
                .iter()
                .position(|it| *it == session)
                .expect("a session");
            let answers = receive(&mut peers[to], message);
            queue.extend(answers.into_iter().map(|message| (to, message)));
        }
    }
    came
}

#[test]
fn a_second_peer_waits_while_a_first_sends_its_copy() {
    let mut taker = Node::new(0);
    let mut peers = [full_of(1, 100), full_of(2, 100)];
    // Both were told the same, but the second made its checkpoint later.
    let tip = peers[1].tip(&writer(1));
    peers[1].store(run(&writer(1), tip, 100, 40));
    for peer in &mut peers {
        peer.restart();
    }
    let came = meet(&mut taker, &mut peers);
    assert!(came[0] > 2, "the first sends all of its copy");
    assert_eq!(came[1], 0, "the second sends none");
    assert_eq!(taker.tip(&writer(1)), peers[1].tip(&writer(1)));
    assert_eq!(taker.bases.len(), 1);
}

#[test]
fn what_is_not_in_a_copy_under_way_does_not_wait_for_it() {
    let mut taker = Node::new(0);
    let mut peers = [full_of(1, 100), full_of(2, 100)];
    for run in long_feed(3, 6) {
        peers[1].store(run);
    }
    peers[1].restart();
    // The copy of the first never comes to its end.
    taker.copies_are = Copies::Unchecked;
    meet(&mut taker, &mut peers);
    assert!(taker.bases.is_empty());
    assert_eq!(taker.tip(&writer(3)), peers[1].tip(&writer(3)));
    assert_eq!(taker.tip(&writer(1)), None, "this is in the copy");
}

/// What a node says as time passes.
fn waits(node: &mut Node, until: u64) -> Vec<Message> {
    let effects = node.handle(until, Input::Tick);
    carry_out(node, until, effects)
}

/// Connects the first node to the second, up to the copy that this offers.
fn hears_of_a_copy(nodes: &mut [Node; 2]) -> CopyOffer {
    for message in begin(nodes) {
        if let Message::CopyOffer(offer) = message {
            return offer;
        }
        receive(&mut nodes[0], message);
    }
    panic!("nothing is offered")
}

/// What is said of a copy in the last heights.
fn is_open(messages: &[Message]) -> Option<bool> {
    let heights = messages.iter().rev().find_map(|message| {
        if let Message::Heights(said) = message {
            Some(said)
        } else {
            None
        }
    });
    Some(heights?.copy.as_ref()?.open)
}

#[test]
fn who_offers_again_and_again_and_sends_nothing_makes_room_for_others() {
    let mut nodes = [Node::new(1), full(20)];
    let offer = hears_of_a_copy(&mut nodes);
    let mut other = offer.clone();
    other
        .bases
        .set(node_feed::FeedName::from_bytes([7; 32]), tip_of_nothing());
    let offered = |node: &mut Node, now, offer: &CopyOffer| {
        let received = Input::Received {
            session: SESSION,
            message: Message::CopyOffer(offer.clone()),
        };
        let effects = node.handle(now, received);
        carry_out(node, now, effects)
    };
    let taker = &mut nodes[0];
    for (now, offer) in [(1_000, &offer), (30_000, &other), (60_000, &offer)] {
        assert_eq!(is_open(&offered(taker, now, offer)), Some(true));
    }
    assert_eq!(
        is_open(&waits(taker, 61_000)),
        Some(false),
        "it had a minute"
    );
    let again = offered(taker, 70_000, &offer);
    assert_eq!(is_open(&again), Some(false), "all others go first");
    assert_eq!(is_open(&waits(taker, 91_000)), Some(true));
    assert_eq!(is_open(&offered(taker, 92_000, &offer)), Some(true));
}

#[test]
fn a_copy_that_was_given_up_waiting_for_still_comes_to_its_end() {
    for (late, answered) in [(70_000, 91_000), (100_000, 100_000)] {
        let mut nodes = [Node::new(1), full(100)];
        let offer = hears_of_a_copy(&mut nodes);
        let mut told = receive(&mut nodes[0], Message::CopyOffer(offer));
        let mut parts = Vec::new();
        for message in std::mem::take(&mut told) {
            parts.extend(receive(&mut nodes[1], message));
        }
        assert!(copies(&parts) > 0);
        for now in [61_000, 91_000].into_iter().filter(|now| *now < late) {
            told.extend(waits(&mut nodes[0], now));
        }
        talk(&mut nodes, late, [told, parts]);
        let told = waits(&mut nodes[0], answered);
        talk(&mut nodes, answered, [told, Vec::new()]);
        assert!(nodes.iter().all(|node| node.equal), "what came at {late}");
        assert_eq!(nodes[0].bases.len(), 1);
    }
}

#[test]
fn every_part_that_is_stored_makes_for_another_minute() {
    let mut nodes = [Node::new(1), full(20)];
    let offer = hears_of_a_copy(&mut nodes);
    let taker = &mut nodes[0];
    receive(taker, Message::CopyOffer(offer));
    let place = taker.copy.clone().expect("it was taken");
    let key = writer(1);
    let proof = node_feed::CopyPiece::Proof(run(&key, None, 1, 40).as_run().clone());
    let part = |node: &mut Node, now, before| {
        let message = Message::Copy(CopySlice {
            space: SPACE,
            id: place.bases.digest(SPACE),
            before,
            pieces: vec![proof.clone()].into(),
            ends: false,
        });
        let session = SESSION;
        let effects = node.handle(now, Input::Received { session, message });
        carry_out(node, now, effects)
    };
    for (now, before) in [(40_000, 0), (80_000, 1), (120_000, 2)] {
        part(taker, now, before);
        assert_eq!(is_open(&waits(taker, now + 30_000)), None, "it goes on");
    }
    // What was here before, or does not follow, brings nothing.
    part(taker, 160_000, 0);
    part(taker, 170_000, 7);
    assert_eq!(is_open(&waits(taker, 180_000)), Some(false));
}

#[test]
fn a_fork_behind_a_base_has_the_feed_fetched_whole() {
    let mut nodes = [Node::new(1), full(20)];
    converse(&mut nodes);
    assert_eq!(nodes[0].bases.len(), 1);
    part(&mut nodes);
    // The other end holds another feed of this writer, and further.
    let key = writer(1);
    let mut feed = vec![run(&key, None, 100, 41)];
    for _ in 0..14 {
        let tip = feed.last().map(VerifiedRun::last);
        feed.push(run(&key, tip, 100, 41));
    }
    nodes[1].runs.insert(*key.public().as_bytes(), feed);
    nodes[0].restart();
    nodes[1].restart();
    converse(&mut nodes);
    assert!(nodes[0].bases.is_empty());
    assert_eq!(nodes[0].tip(&key), nodes[1].tip(&key));
    assert_eq!(nodes[0].runs[key.public().as_bytes()][0].first(), 0);
}

#[test]
fn what_is_sent_early_to_a_node_that_took_a_copy_since_does_not_cost_it_the_copy() {
    let key = writer(1);
    let mut feed = Vec::<VerifiedRun>::new();
    for count in [1, 2, 3, 3, 3] {
        let tip = feed.last().map(VerifiedRun::last);
        feed.push(run(&key, tip, count, 40));
    }
    let mut nodes = [Node::new(0), Node::new(1)];
    for node in &mut nodes {
        node.store(feed[0].clone());
        node.store(feed[1].clone());
        node.restart();
    }
    converse(&mut nodes);
    part(&mut nodes);
    // One got some more of it; the other lost all and took a copy from elsewhere.
    nodes[0].store(feed[2].clone());
    nodes[0].restart();
    nodes[1] = Node::new(1);
    let writer = *key.public().as_bytes();
    let copied = vec![feed[0].clone(), feed[4].clone()];
    nodes[1].runs.insert(writer, copied);
    nodes[1].bases.insert(writer, feed[4].last().number);
    nodes[1].documents = Some(5);
    nodes[1].restart();

    let early = says_at_once(&mut nodes, true);
    assert_eq!(names(&early), ["hello", "entries"]);
    accept(&mut nodes[1]);
    talk(&mut nodes, 1_000, [early, Vec::new()]);
    assert_eq!(nodes[1].bases.len(), 1);
    assert_eq!(nodes[1].tip(&key), Some(feed[4].last()));
    assert_eq!(nodes[0].tip(&key), Some(feed[4].last()));
    assert!(nodes.iter().all(|node| node.equal));
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
    assert!(names(&sent).contains(&"offer"));
    // Others write on: nothing of that waits for the copy's end.
    let effects = nodes[1].write(&writer(2));
    let live = carry_out(&mut nodes[1], 1_000, effects);
    sent.extend(live);
    // What is written in the copied feed waits only until the peer has what proves its checkpoint.
    let effects = nodes[1].write(&writer(1));
    let live = carry_out(&mut nodes[1], 1_000, effects);
    assert!(!names(&live).contains(&"entries"));
    sent.extend(live);
    let said = talk(&mut nodes, 1_000, [Vec::new(), sent]);
    let last = said[1].iter().rposition(|it| slice(it).is_some());
    for key in [writer(1), writer(2)] {
        let is_of_it = |run: &node_feed::Run| run.writer == *key.public().as_bytes();
        let entries = said[1].iter().position(
            |message| matches!(message, Message::Entries { runs, .. } if runs.iter().any(is_of_it)),
        );
        assert!(entries.is_some() && entries < last, "{:?}", names(&said[1]));
    }
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].tip(&writer(1)), nodes[1].tip(&writer(1)));
    let effects = nodes[1].write(&writer(1));
    let live = carry_out(&mut nodes[1], 1_000, effects);
    assert_eq!(names(&live), ["entries"], "the copied feed is live as well");
    talk(&mut nodes, 1_000, [Vec::new(), live]);
    assert!(nodes.iter().all(|node| node.equal));
}

/// Of a node: how many entries of the copied feed are kept beside the copy that is under way.
fn kept_live(node: &Node) -> usize {
    let live = node.live.get(writer(1).public().as_bytes());
    live.into_iter().flatten().map(VerifiedRun::count).sum()
}

/// Of messages: how many entries are in them.
fn entries_in(messages: &[Message]) -> usize {
    let entries = messages.iter().map(|message| {
        if let Message::Entries { runs, .. } = message {
            runs.iter().map(|run| run.entries.len()).sum()
        } else {
            0
        }
    });
    entries.sum()
}

/// Two nodes, the first of which has all of a copy of the second's and is checking it.
fn checking() -> [Node; 2] {
    let mut nodes = [Node::new(1), full(20)];
    nodes[0].copies_are = Copies::Unchecked;
    converse(&mut nodes);
    assert!(nodes[0].copy.as_ref().is_some_and(CopyPlace::is_whole));
    nodes
}

/// The second writes to the copied feed, and both talk until they fall silent.
fn writes(nodes: &mut [Node; 2]) -> [Vec<Message>; 2] {
    let effects = nodes[1].write(&writer(1));
    let sent = carry_out(&mut nodes[1], 1_000, effects);
    talk(nodes, 1_000, [Vec::new(), sent])
}

/// The copy of the first was checked.
fn is_placed(nodes: &mut [Node; 2]) {
    nodes[0].copies_are = Copies::Good;
    let placed = nodes[0].check_copy().expect("the copy is whole");
    let effects = nodes[0].handle(1_000, placed);
    let said = carry_out(&mut nodes[0], 1_000, effects);
    talk(nodes, 1_000, [said, Vec::new()]);
}

#[test]
fn what_is_written_while_a_copy_is_checked_is_kept_at_once_and_held_with_it() {
    let mut nodes = checking();
    for number in 1..=3 {
        let said = writes(&mut nodes);
        assert_eq!(entries_in(&said[1]), 1, "each is sent once");
        assert_eq!(kept_live(&nodes[0]), number);
        assert!(names(&said[0]).contains(&"acknowledged"));
        assert!(!names(&said[0]).contains(&"refused"));
    }
    // Nobody is told that any of it is held.
    assert_eq!(nodes[0].tip(&writer(1)), None);
    assert!(nodes.iter().all(|node| !node.equal));
    is_placed(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].tip(&writer(1)), nodes[1].tip(&writer(1)));
}

#[test]
fn after_a_reconnect_live_entries_are_sent_again_and_kept_once() {
    let mut nodes = checking();
    writes(&mut nodes);
    part(&mut nodes);
    // Some are written while the line is down.
    nodes[1].write(&writer(1));
    nodes[0].restart();
    nodes[1].restart();
    let said = converse(&mut nodes);
    assert_eq!(copies(&said[1]), 0, "all of the copy is here");
    assert_eq!(entries_in(&said[1]), 2);
    assert_eq!(kept_live(&nodes[0]), 2);
    writes(&mut nodes);
    assert_eq!(kept_live(&nodes[0]), 3);
    is_placed(&mut nodes);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].tip(&writer(1)), nodes[1].tip(&writer(1)));
}

#[test]
fn nothing_of_a_copy_that_is_refused_keeps_live_entries_back() {
    let mut nodes = checking();
    writes(&mut nodes);
    nodes[0].copies_are = Copies::Forged(3);
    let dropped = nodes[0].check_copy().expect("the copy is whole");
    let effects = nodes[0].handle(1_000, dropped);
    let said = carry_out(&mut nodes[0], 1_000, effects);
    assert_eq!(kept_live(&nodes[0]), 0);
    // All of it is sent as entries then, and what is written meanwhile with it.
    let effects = nodes[1].write(&writer(1));
    let late = carry_out(&mut nodes[1], 1_000, effects);
    talk(&mut nodes, 1_000, [said, late]);
    assert!(nodes.iter().all(|node| node.equal));
    assert_eq!(nodes[0].runs, nodes[1].runs);
}

#[test]
fn a_live_entry_that_does_not_follow_the_copy_is_not_kept_and_costs_no_search() {
    let mut nodes = checking();
    // The other end is found to hold another branch after the checkpoint.
    let key = writer(1);
    let base = nodes[1].tip(&key);
    let lost = run(&key, base, 2, 41);
    nodes[0].live.insert(*key.public().as_bytes(), vec![lost]);
    let said = writes(&mut nodes);
    assert_eq!(kept_live(&nodes[0]), 2, "what was kept stays");
    assert!(!names(&said[1]).contains(&"probe"), "{:?}", names(&said[1]));
    let said = writes(&mut nodes);
    assert_eq!(entries_in(&said[1]), 0, "no more is tried");
}

/// What a node answers to a message.
fn receive(node: &mut Node, message: Message) -> Vec<Message> {
    let received = Input::Received {
        session: SESSION,
        message,
    };
    let effects = node.handle(1_000, received);
    carry_out(node, 1_000, effects)
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
    let said = hello
        .into_iter()
        .map(|message| receive(&mut nodes[1], message));
    said.flatten().collect()
}
