//! Any order, any repetition, any batches: the same document and the same list.

use node_document::{ChangesEntry, Document, Outcome, SetAsideReason};
use node_feed::{FeedName, Nonce};

use crate::world::{Chunk, Hub, Random};

/// Three hubs that edit and exchange, one of which also sends rubbish.
fn play(seed: u64) -> Vec<ChangesEntry> {
    let mut random = Random(seed);
    let mut hubs = [Hub::new(3), Hub::new(4), Hub::new(5)];
    let mut entries = Vec::<ChangesEntry>::new();
    for step in 0..30 {
        let at = random.below(3);
        if random.below(3) == 0 {
            hubs[at].document.apply(&entries);
        }
        let hub = &mut hubs[at];
        let page = hub.document.heads();
        let stale = random.below(4) == 0;
        let number = i64::from(step);
        entries.push(match random.below(4) {
            0 => hub.put(&["value"], number),
            1 => hub.text(&["text"], &format!("Step {step} of {at}.")),
            2 => hub.edit(|edit| edit.place_item(&["list"], &format!("i{step}"), None)),
            _ => hub.edit(|edit| edit.increment(&["count"], 1)),
        });
        if stale {
            let edited = hub.edit_at(Some(&page), |edit| edit.put(&["other"], &number.into()));
            entries.push(edited.expect("a lane"));
        }
        if random.below(8) == 0 {
            let mut rubbish = Chunk::puts(hub, 1);
            rubbish.seq = 1_000;
            entries.push(hub.forge(vec![rubbish.bytes()]));
        }
    }
    entries
}

#[test]
fn documents_do_not_depend_on_the_order_of_arrival() {
    for seed in 0..12 {
        let entries = play(seed);
        let id = Hub::new(3).document.id();
        let mut reference = Document::new(id);
        reference.apply(&entries);
        for run in 0..4 {
            let mut random = Random(1_000 * seed + run);
            let mut arriving = entries.clone();
            arriving.extend(entries.iter().filter(|_| random.below(4) == 0).cloned());
            random.shuffle(&mut arriving);
            let mut document = Document::new(id);
            let mut held = Vec::new();
            while !arriving.is_empty() {
                let batch = arriving.len().min(1 + random.below(12));
                held.extend(arriving.drain(..batch));
                // The store hands over a feed from its first gap on; here simply all it holds,
                // without what comes after a gap.
                document.apply(&without_gaps(&held));
            }
            assert_eq!(
                document.heads(),
                reference.heads(),
                "seed {seed}, run {run}"
            );
            assert_eq!(
                document.set_aside().collect::<Vec<_>>(),
                reference.set_aside().collect::<Vec<_>>(),
                "seed {seed}, run {run}"
            );
            assert_eq!(document.waiting().count(), 0, "seed {seed}, run {run}");
            assert_eq!(
                document.view().items(&["list"]),
                reference.view().items(&["list"])
            );
        }
    }
}

fn without_gaps(held: &[ChangesEntry]) -> Vec<ChangesEntry> {
    let all = |feed: FeedName, below: u64| {
        (0..below).all(|number| held.iter().any(|e| e.feed == feed && e.number == number))
    };
    held.iter()
        .filter(|entry| all(entry.feed, entry.number))
        .cloned()
        .collect()
}

#[test]
fn an_entry_waits_for_what_it_builds_on_and_holds_up_its_feed_alone() {
    let (mut first, mut second, mut third) = (Hub::new(3), Hub::new(4), Hub::new(5));
    let cause = first.put(&["title"], "a");
    second.take(std::slice::from_ref(&cause));
    let effect = second.put(&["title"], "b");
    let after = second.put(&["title"], "c");
    let apart = third.put(&["kind"], "national");
    let mut document = Document::new(first.document.id());
    let outcomes = document.apply(&[effect.clone(), after.clone(), apart]);
    assert!(matches!(outcomes[0], Outcome::Waiting(_)));
    assert!(matches!(outcomes[1], Outcome::Waiting(_)));
    assert_eq!(outcomes[2], Outcome::Applied);
    let waiting = FeedName::from_bytes(second.author.writer);
    assert_eq!(document.waiting().collect::<Vec<_>>(), [(waiting, 0)]);
    let outcomes = document.apply(&[cause, effect, after]);
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
    assert_eq!(document.waiting().count(), 0);
}

/// A cloned machine: two branches that go on from one trunk with one actor.
fn forked() -> (Vec<ChangesEntry>, ChangesEntry, ChangesEntry) {
    let mut trunk = Hub::new(3);
    let before = vec![trunk.put(&["title"], "a")];
    let mut clone = trunk.clone();
    let branch = |hub: &mut Hub, name: u8, title: &str| {
        let mut entry = hub.put(&["title"], title);
        entry.feed = FeedName::from_bytes([name; 32]);
        entry
    };
    let low = branch(&mut trunk, 1, "low");
    let high = branch(&mut clone, 2, "high");
    (before, low, high)
}

#[test]
fn of_two_branches_with_one_actor_the_lower_is_applied_whichever_came_first() {
    let (trunk, low, high) = forked();
    let id = Hub::new(3).document.id();

    let mut in_order = Document::new(id);
    in_order.apply(&trunk);
    assert_eq!(
        in_order.apply(std::slice::from_ref(&low)),
        [Outcome::Applied]
    );
    let outcome = in_order.apply(std::slice::from_ref(&high)).remove(0);
    assert!(matches!(outcome, Outcome::SetAside(a) if a.reason == SetAsideReason::Collision));

    let mut reversed = Document::new(id);
    reversed.apply(&trunk);
    assert_eq!(
        reversed.apply(std::slice::from_ref(&high)),
        [Outcome::Applied]
    );
    assert_eq!(
        reversed.apply(std::slice::from_ref(&low)),
        [Outcome::Rebuild]
    );
    let mut rebuilt = reversed.emptied();
    rebuilt.apply(&[trunk, vec![high, low]].concat());
    assert_eq!(rebuilt.heads(), in_order.heads());
    assert_eq!(
        rebuilt.set_aside().collect::<Vec<_>>(),
        in_order.set_aside().collect::<Vec<_>>()
    );
    assert_eq!(rebuilt.view().get(&["title"]), Some("low".into()));
}

#[test]
fn branches_with_nonces_of_their_own_merge() {
    let mut trunk = Hub::new(3);
    let before = trunk.put(&["title"], "a");
    let mut clone = trunk.clone();
    clone.author.nonce = Nonce([99; 16]);
    let mut left = trunk.put(&["title"], "left");
    let mut right = clone.put(&["title"], "right");
    left.feed = FeedName::from_bytes([1; 32]);
    right.feed = FeedName::from_bytes([2; 32]);
    let mut document = Document::new(trunk.document.id());
    let outcomes = document.apply(&[right, left, before]);
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
    assert_eq!(document.view().values(&["title"]).len(), 2);
}
