//! A document that is brought up to date a portion at a time is what applying all at once gives.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use automerge::ActorId;
use automerge::transaction::Transactable as _;
use node_document::{ChangesEntry, Document, Outcome, Wanted};
use node_feed::FeedName;

use crate::world::{Chunk, Hub, Random};

/// Three hubs that edit and exchange. The first is copied while it runs, so that its feed forks with
/// one actor in both branches; the others build on either, and one also sends rubbish.
fn play(random: &mut Random) -> Vec<ChangesEntry> {
    let mut hubs = [Hub::new(3), Hub::new(4), Hub::new(5)];
    let mut copy = None::<Hub>;
    let mut entries = Vec::<ChangesEntry>::new();
    for step in 0..40 {
        let at = random.below(4);
        if step == 12 {
            copy = Some(hubs[0].clone());
        }
        if at != 0 && at != 3 && random.below(3) == 0 {
            hubs[at].document = at_once(&hubs[at].document, &entries);
        }
        let branch = match (at, copy.is_some()) {
            (0, true) => Some(FeedName::from_bytes([2; 32])),
            (3, true) => Some(FeedName::from_bytes([1; 32])),
            (3, false) => continue,
            _ => None,
        };
        let hub = if at == 3 {
            copy.as_mut().expect("a copy")
        } else {
            &mut hubs[at]
        };
        // What it built on was set aside since.
        if hub.document.waiting().count() > 0 {
            continue;
        }
        let mut entry = match random.below(3) {
            0 => hub.put(&["value"], i64::from(step)),
            1 => hub.text(&["text"], &format!("Step {step} of {at}.")),
            _ => hub.edit(|edit| edit.place_item(&["list"], &format!("i{step}-{at}"), None)),
        };
        entry.feed = branch.unwrap_or(entry.feed);
        entries.push(entry);
        if at == 2 && random.below(6) == 0 {
            let mut rubbish = Chunk::puts(hub, 1);
            rubbish.seq = 1_000;
            entries.push(hub.forge(vec![rubbish.bytes()]));
        }
    }
    entries
}

fn at_once(document: &Document, entries: &[ChangesEntry]) -> Document {
    let mut document = document.clone();
    while document.apply(entries).contains(&Outcome::Rebuild) {
        document = document.emptied();
    }
    document
}

/// Some order of arrival, in which each feed's entries keep theirs. Of one feed, the last may be
/// lacking.
fn arriving(random: &mut Random, entries: &[ChangesEntry]) -> Vec<ChangesEntry> {
    let mut feeds = BTreeMap::<FeedName, Vec<ChangesEntry>>::new();
    for entry in entries.iter().rev() {
        feeds.entry(entry.feed).or_default().push(entry.clone());
    }
    let names = feeds.keys().copied().collect::<Vec<_>>();
    if random.below(2) == 0
        && let Some(cut) = feeds.get_mut(&names[random.below(names.len())])
    {
        cut.drain(..random.below(cut.len() + 1));
    }
    let mut arriving = Vec::new();
    while feeds.values().any(|feed| !feed.is_empty()) {
        // Long stretches of one feed, as after weeks apart.
        let some = 1 + random.below(9);
        let feed = feeds.get_mut(&names[random.below(names.len())]);
        let feed = feed.expect("a feed");
        arriving.extend((0..some).filter_map(|_| feed.pop()));
    }
    arriving
}

fn standing(document: &Document) -> String {
    let aside = document.set_aside().map(|aside| {
        let reason = aside.reason;
        (aside.feed, aside.number, reason)
    });
    format!(
        "{:?}\n{:?}\n{:?}\n{:?} {:?}",
        document.heads(),
        aside.collect::<Vec<_>>(),
        document.waiting().collect::<Vec<_>>(),
        document.view().get(&["text"]),
        document.view().items(&["list"]),
    )
}

fn caught_up(document: Document, portion: usize, seen: usize, all: &[ChangesEntry]) -> Document {
    let read = |wanted| {
        let from = if wanted == Wanted::New { seen } else { 0 };
        Ok::<_, Infallible>(all[from..].iter().cloned().map(Ok))
    };
    let Ok(document) = document.catch_up(portion, read);
    document
}

#[test]
fn portions_of_any_size_give_what_all_at_once_gives() {
    let (mut forked, mut waiting) = (0, 0);
    for seed in 0..60 {
        let mut random = Random(seed);
        let entries = play(&mut random);
        let arriving = arriving(&mut random, &entries);
        let id = Hub::new(3).document.id();
        let reference = standing(&at_once(&Document::new(id), &arriving));
        forked += usize::from(reference.contains("Collision"));
        waiting += usize::from(at_once(&Document::new(id), &arriving).waiting().count() > 0);
        for run in 0..4 {
            // From one entry at a time to all.
            let portion = 1 << random.below(20);
            let seen = random.below(arriving.len() + 1);
            let document = caught_up(Document::new(id), portion, 0, &arriving[..seen]);
            let document = caught_up(document, portion, seen, &arriving);
            assert_eq!(
                standing(&document),
                reference,
                "seed {seed}, run {run}: portions of {portion} bytes, {seen} entries before"
            );
            let saved = document.save();
            let loaded = Document::load(id, &saved).expect("it loads again");
            assert_eq!(loaded.heads(), document.heads());
        }
    }
    assert!(
        forked > 10 && waiting > 10,
        "{forked} forked, {waiting} waiting"
    );
}

#[test]
fn the_trunk_wins_against_a_branch_whichever_came_first() {
    let mut hub = Hub::new(3);
    let mut copy = hub.clone();
    let trunk = hub.put(&["title"], "As it was");
    let mut branch = copy.put(&["title"], "As the copy has it");
    branch.feed = FeedName::from_bytes([1; 32]);
    assert!(branch.feed < trunk.feed);
    let id = hub.document.id();
    for arriving in [[&trunk, &branch], [&branch, &trunk]] {
        let arriving = arriving.map(Clone::clone);
        for portion in [1, 1 << 20] {
            let document = caught_up(Document::new(id), portion, 0, &arriving);
            assert_eq!(document.heads(), hub.document.heads());
            let aside = document.set_aside().map(|aside| aside.feed);
            assert_eq!(aside.collect::<Vec<_>>(), [branch.feed]);
        }
    }
}

#[test]
fn two_hubs_that_answered_each_other_and_arrive_one_after_the_other_are_read_a_few_times() {
    let (mut first, mut second) = (Hub::new(3), Hub::new(4));
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    for step in 0..200 {
        asked.push(first.put(&["ask"], step));
        second.take(&asked[asked.len() - 1..]);
        answered.push(second.put(&["answer"], step));
        first.take(&answered[answered.len() - 1..]);
    }
    let arriving = [asked, answered].concat();
    let read = Cell::new(0);
    let entries = |_| {
        read.set(read.get() + 1);
        Ok::<_, Infallible>(arriving.iter().cloned().map(Ok))
    };
    let document = Document::new(first.document.id());
    let Ok(document) = document.catch_up(1, entries);
    assert_eq!(document.heads(), first.document.heads());
    assert!(read.get() < 12, "read {} times", read.get());
}

#[test]
fn what_waits_for_what_never_comes_has_nothing_read_again() {
    let (mut honest, mut other) = (Hub::new(3), Hub::new(4));
    let lacking = other.put(&["ask"], 1);
    let waits = other.put(&["ask"], 2);
    assert_eq!(waits.number, lacking.number + 1);
    let mut document = Document::new(honest.document.id());
    let mut read = Vec::new();
    let mut arriving = vec![waits];
    for step in 0..5 {
        let seen = if step == 0 { 0 } else { arriving.len() };
        arriving.push(honest.put(&["value"], step));
        let caught = document.catch_up(1 << 20, |wanted| {
            read.push(wanted);
            let from = if wanted == Wanted::New { seen } else { 0 };
            Ok::<_, Infallible>(arriving[from..].iter().cloned().map(Ok))
        });
        let Ok(caught) = caught;
        document = caught;
    }
    assert_eq!(document.waiting().count(), 1);
    assert_eq!(read, [Wanted::New; 5]);
    // Once it comes, what waits is read again.
    let seen = arriving.len();
    arriving.push(lacking);
    let document = caught_up(document, 1 << 20, seen, &arriving);
    assert_eq!(document.waiting().count(), 0);
}

#[test]
fn what_cannot_be_read_on_is_said() {
    let mut hub = Hub::new(3);
    let entry = hub.put(&["title"], "a");
    let read = |_| Ok([Ok(entry.clone()), Err("the disk is gone")].into_iter());
    let failed = Document::new(hub.document.id()).catch_up(1, read);
    assert_eq!(failed.err(), Some("the disk is gone"));
}

/// Fails once the document was saved: Automerge drops a column that it does not know.
fn poison(hub: &mut Hub) -> ChangesEntry {
    let mut chunk = Chunk::puts(hub, 1);
    chunk.columns.push((0xf2, vec![1, 5]));
    hub.forge(vec![chunk.bytes()])
}

/// Fails while it is applied.
fn too_deep(hub: &mut Hub) -> ChangesEntry {
    let mut automerge = automerge::Automerge::new();
    automerge.set_actor(ActorId::from(hub.actor()));
    let mut transaction = automerge.transaction();
    let mut object = automerge::ROOT;
    for _ in 0..100 {
        let made = transaction.put_object(&object, "a", automerge::ObjType::Map);
        object = made.expect("legal");
    }
    transaction.commit();
    let change = automerge.get_last_local_change().expect("a change");
    hub.forge(vec![change.raw_bytes().to_vec()])
}

#[test]
fn one_entry_that_fails_among_many_portions_is_set_aside_alone() {
    for fail in [poison, too_deep] {
        let (mut honest, mut hostile) = (Hub::new(3), Hub::new(4));
        let mut entries = (0..20).map(|step| honest.put(&["value"], step));
        let mut arriving = entries.by_ref().take(10).collect::<Vec<_>>();
        arriving.push(fail(&mut hostile));
        arriving.extend(entries);
        let id = honest.document.id();
        for portion in [1, 4_000, usize::MAX] {
            let document = caught_up(Document::new(id), portion, 0, &arriving);
            assert_eq!(document.heads(), honest.document.heads());
            let aside = document.set_aside().map(|aside| aside.feed);
            let hostile = FeedName::from_bytes(hostile.author.writer);
            assert_eq!(aside.collect::<Vec<_>>(), [hostile]);
        }
    }
}
