//! A document that travels as a copy is the one that its entries make, or it is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::panic;
use std::time::Instant;

use node_document::{Base, ChangesEntry, Document, Forged, NotCopied, Outcome, copied, unpack};
use node_feed::{DocumentId, FeedName, Nonce, Trail, Writers, change_hash};

use crate::world::{Chunk, Hub, Random, chunk, shared_id, signed, unsigned};

const PATHS: [&[&str]; 7] = [
    &["title"],
    &["value"],
    &["text"],
    &["other"],
    &["list"],
    &["count"],
    &["none"],
];

/// All that can be seen of a document.
fn told(document: &Document) -> Vec<String> {
    let view = document.view();
    let mut told = vec![format!(
        "{:?} {:?} {:?} {:?}",
        document.heads(),
        view.fields(),
        view.contested(),
        document.set_aside().count(),
    )];
    for path in PATHS {
        let items = view.items(path);
        let below = items.iter().map(|item| [path, &[item.as_str()]].concat());
        for path in [path.to_vec()].into_iter().chain(below) {
            let mut steps = view
                .history(&path)
                .iter()
                .map(|step| format!("{step:?}"))
                .collect::<Vec<_>>();
            steps.sort();
            told.push(format!(
                "{path:?}: {:?} {:?} {:?} {:?} {steps:?}",
                view.values(&path),
                view.versions(&path),
                view.items(&path),
                view.overlaps(&path),
            ));
        }
    }
    told
}

#[track_caller]
fn check_same(one: &Document, other: &Document, feeds: &BTreeSet<FeedName>, what: &str) {
    assert_eq!(told(one), told(other), "{what}");
    for feed in feeds {
        assert_eq!(one.decided(feed), other.decided(feed), "{what}");
    }
    let waiting = |document: &Document| document.waiting().collect::<Vec<_>>();
    assert_eq!(waiting(one), waiting(other), "{what}");
}

fn document_of(entries: &[ChangesEntry]) -> Document {
    let mut document = Document::new(shared_id());
    for outcome in document.apply(entries) {
        assert_eq!(outcome, Outcome::Applied);
    }
    document
}

/// The trail of a feed up to its base, as its checkpoint says it.
fn trail(entries: &[ChangesEntry], feed: FeedName, base: u64) -> Option<Trail> {
    let of_feed = entries.iter().filter(|entry| entry.feed == feed);
    let of_feed = of_feed.map(|entry| (entry.number, entry));
    let of_feed = of_feed.collect::<BTreeMap<_, _>>();
    let mut trail = None;
    for (number, entry) in of_feed.range(..=base) {
        let hashes = entry.changes.chunks.iter();
        let hashes = hashes.map(|chunk| change_hash(chunk)).collect::<Vec<_>>();
        let before = trail.unwrap_or(Trail::START);
        trail = Some(before.with(*number, entry.time_ms, &hashes));
    }
    trail
}

/// The bases of these feeds, as one who holds the checkpoints knows them.
fn bases(entries: &[ChangesEntry], at: &BTreeMap<FeedName, u64>) -> Vec<Base> {
    let mut bases = Vec::new();
    for (feed, base) in at {
        let Some(entry) = entries.iter().find(|entry| entry.feed == *feed) else {
            continue;
        };
        bases.push(Base {
            feed: *feed,
            writer: entry.writer,
            hub: entry.hub,
            base: *base,
            trail: trail(entries, *feed, *base),
        });
    }
    bases
}

fn above(entries: &[ChangesEntry], at: &BTreeMap<FeedName, u64>) -> Vec<ChangesEntry> {
    let above = entries.iter().filter(|entry| {
        let base = at.get(&entry.feed);
        base.is_none_or(|base| entry.number > *base)
    });
    above.cloned().collect()
}

const UNPROVED: &str = "a checkpoint says more than it holds";

/// The document that a copy and these entries make, and that a node makes in one step if it can.
fn open(
    id: DocumentId,
    copy: &[u8],
    bases: &[Base],
    entries: &[ChangesEntry],
) -> Result<Document, Forged> {
    let unpacked = unpack(id, copy, bases)?;
    let is_proved =
        |base: &Base| base.trail.is_none() || unpacked.proved.contains(&(base.feed, base.base));
    if !bases.iter().all(is_proved) {
        return Err(Forged(UNPROVED.to_owned()));
    }
    let mut document = Document::new(id);
    document.apply(&[entries, &unpacked.entries].concat());
    if let Some(at_once) = Document::from_copy(id, copy, bases, entries)? {
        let feeds = entries.iter().chain(&unpacked.entries);
        let feeds = feeds.map(|entry| entry.feed).collect();
        check_same(&at_once, &document, &feeds, "in one step");
        return Ok(at_once);
    }
    Ok(document)
}

/// What somebody says of two hubs' checkpoints, and what is asked of it.
struct Scene {
    entries: Vec<ChangesEntry>,
    at: BTreeMap<FeedName, u64>,
}

impl Scene {
    /// Two hubs wrote five entries each, all of them behind their checkpoints.
    fn new() -> Self {
        let (mut hub, mut other) = (Hub::new(3), Hub::new(4));
        let mut entries = Vec::new();
        for step in 0..5i64 {
            entries.push(hub.put(&["value"], step));
            other.take(&entries[entries.len() - 1..]);
            entries.push(other.text(&["text"], &format!("Step {step}. It went well.")));
            hub.take(&entries[entries.len() - 1..]);
        }
        let at = [hub, other].map(|hub| (FeedName::from_bytes(hub.author.writer), 7));
        let at = BTreeMap::from(at);
        Self { entries, at }
    }

    /// A copy of what these entries make.
    fn copy(&self, entries: &[ChangesEntry]) -> Vec<u8> {
        let snapshot = document_of(entries).save();
        let copy = copied(&snapshot, shared_id(), &self.at);
        copy.expect("nothing of it waits or was set aside").to_vec()
    }

    fn open(&self, copy: &[u8]) -> Result<Document, Forged> {
        let bases = bases(&self.entries, &self.at);
        open(shared_id(), copy, &bases, &above(&self.entries, &self.at))
    }

    fn feeds(&self) -> BTreeSet<FeedName> {
        self.entries.iter().map(|entry| entry.feed).collect()
    }

    #[track_caller]
    fn check_forged(&self, copy: &[u8], reason: &str) {
        match self.open(copy) {
            Err(Forged(why)) => assert!(why.contains(reason), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

/// The same copy around another saved document.
fn around(copy: &[u8], automerge: &[u8]) -> Vec<u8> {
    let magic = [0x85, 0x6f, 0x4a, 0x83];
    let at = copy.windows(4).position(|window| window == magic);
    [&copy[..at.expect("a saved document")], automerge].concat()
}

const NOT_AS_SAID: &str = "not what the checkpoint";

#[test]
fn a_copy_is_the_document_that_its_entries_make() {
    let scene = Scene::new();
    let copy = scene.copy(&scene.entries);
    let document = scene.open(&copy).expect("an honest copy");
    let whole = document_of(&scene.entries);
    check_same(&document, &whole, &scene.feeds(), "a copy");
    // It saves and opens as any other, and travels on.
    let saved = document.save();
    let loaded = Document::load(shared_id(), &saved).expect("it loads");
    check_same(&loaded, &whole, &scene.feeds(), "a copy that was saved");
    let again = copied(&saved, shared_id(), &scene.at).expect("it travels on");
    assert_eq!(again, copy);
}

/// Three hubs that edit, exchange, restart, and save pages that are some edits old.
fn play(seed: u64) -> Vec<ChangesEntry> {
    let mut random = Random(seed);
    let mut hubs = [Hub::new(3), Hub::new(4), Hub::new(5)];
    let mut entries = Vec::<ChangesEntry>::new();
    for step in 0..40 {
        let at = random.below(3);
        let hub = &mut hubs[at];
        if random.below(3) == 0 {
            hub.document.apply(&entries);
        }
        if random.below(6) == 0 {
            hub.author.nonce = Nonce([random.below(256) as u8; 16]);
        }
        // Between them the hub writes other records.
        hub.number += random.below(5) as u64;
        let page = hub.document.heads();
        let number = i64::from(step);
        entries.push(match random.below(5) {
            0 => hub.put(&["value"], number),
            1 => hub.text(&["text"], &format!("Step {step} of {at}. It went well.")),
            2 => hub.edit(|edit| edit.place_item(&["list"], &format!("i{step}"), None)),
            3 => hub.edit(|edit| {
                edit.clear(&["other"])
                    .and(edit.put(&["title"], &number.into()))
            }),
            _ => hub.edit(|edit| edit.increment(&["count"], 1)),
        });
        for _ in 0..random.below(3) {
            let edited = hub.edit_at(Some(&page), |edit| edit.put(&["other"], &number.into()));
            entries.push(edited.expect("a lane"));
        }
    }
    entries
}

#[test]
fn whatever_was_written_a_copy_with_the_later_entries_is_the_same() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let entries = play(seed);
        let whole = document_of(&entries);
        let feeds = entries
            .iter()
            .map(|entry| entry.feed)
            .collect::<BTreeSet<_>>();
        let mut at = BTreeMap::new();
        for feed in &feeds {
            // Some feeds have no checkpoint, some have one that does not list the document.
            let last = entries.iter().filter(|entry| entry.feed == *feed);
            let last = last.map(|entry| entry.number).max().unwrap_or_default();
            if random.below(4) > 0 {
                at.insert(*feed, random.below(last as usize + 3) as u64);
            }
        }
        // The sender holds what the checkpoints reach, and some of the rest.
        let later = random.below(2) == 0;
        let mut sender = Document::new(shared_id());
        let held = entries.iter().filter(|entry| {
            later
                || at
                    .get(&entry.feed)
                    .is_some_and(|base| entry.number <= *base)
        });
        sender.apply(&held.cloned().collect::<Vec<_>>());
        let copy = match copied(&sender.save(), shared_id(), &at) {
            Ok(copy) => copy,
            // Something behind a checkpoint builds on what is not.
            Err(NotCopied::Waiting) if !later => continue,
            Err(error) => panic!("seed {seed}: {error}"),
        };
        let mut above = above(&entries, &at);
        random.shuffle(&mut above);
        let opened = open(shared_id(), &copy, &bases(&entries, &at), &above);
        let opened = opened.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        check_same(&opened, &whole, &feeds, &format!("seed {seed}"));
        for document in [&opened, &whole] {
            let mut again = document.clone();
            let outcomes = again.apply(&entries);
            assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Applied));
        }
    }
}

#[test]
fn a_stale_copy_is_found() {
    let scene = Scene::new();
    let copy = scene.copy(&scene.entries[..8]);
    scene.check_forged(&copy, NOT_AS_SAID);
    // Nor is none at all enough.
    scene.check_forged(&scene.copy(&[]), UNPROVED);
    // One that was made for an earlier checkpoint is not one for this.
    let mut earlier = Scene::new();
    earlier.at.values_mut().for_each(|base| *base = 6);
    scene.check_forged(&earlier.copy(&scene.entries), UNPROVED);
}

#[test]
fn a_copy_of_another_record_is_found() {
    let scene = Scene::new();
    let other = DocumentId::new(shared_id().owner(), Writers::Members, [8; 15]);
    let mut hub = Hub::with_document(3, other);
    hub.put(&["value"], 1);
    let mut copy = copied(&hub.document.save(), other, &scene.at)
        .expect("a copy")
        .to_vec();
    scene.check_forged(&copy, "another record");
    // Renamed it is none of this record: its actors are not those of this record.
    copy[8..32].copy_from_slice(shared_id().as_bytes());
    scene.check_forged(&copy, "lacks changes");
}

#[test]
fn altered_numbers_times_and_hands_are_found() {
    let scene = Scene::new();
    let alter = |change: &dyn Fn(&mut ChangesEntry)| {
        let mut altered = scene.entries.clone();
        change(&mut altered[8]);
        scene.copy(&altered)
    };
    assert!(scene.open(&alter(&|_| ())).is_ok());
    scene.check_forged(&alter(&|entry| entry.time_ms += 1), NOT_AS_SAID);
    scene.check_forged(&alter(&|entry| entry.number += 1), NOT_AS_SAID);
}

#[test]
fn two_entries_told_as_one_are_found() {
    let mut hub = Hub::new(3);
    let entries = vec![hub.put(&["value"], 1), hub.put(&["value"], 2)];
    let at = BTreeMap::from([(entries[0].feed, 1)]);
    let scene = Scene { entries, at };
    let mut one = scene.entries[0].clone();
    let second = scene.entries[1].changes.chunks.iter().cloned();
    one.changes.chunks.extend(second);
    scene.check_forged(&scene.copy(&[one]), NOT_AS_SAID);
}

#[test]
fn a_change_under_anothers_name_is_found() {
    let mut scene = Scene::new();
    let (victim, mut thief) = (Hub::new(5), Hub::new(6));
    let feed = FeedName::from_bytes(victim.author.writer);
    scene.at.insert(feed, 3);
    let mut entry = thief.put(&["title"], "stolen");
    entry.feed = feed;
    let entries = [scene.entries.as_slice(), &[entry.clone()]].concat();
    let copy = scene.copy(&entries);
    // The checkpoint even says so: the thief may have written it.
    let mut bases = bases(&entries, &scene.at);
    for base in &mut bases {
        if base.feed == feed {
            base.writer = victim.author.writer;
        }
    }
    let opened = unpack(shared_id(), &copy, &bases);
    assert!(matches!(opened, Err(Forged(why)) if why.contains("lacks changes")));
}

#[test]
fn what_no_checkpoint_and_no_entry_accounts_for_is_not_taken() {
    let scene = Scene::new();
    let mut stranger = Hub::new(9);
    let extra = stranger.put(&["title"], "smuggled in");
    let with_extra = [scene.entries.as_slice(), std::slice::from_ref(&extra)].concat();
    let copy = scene.copy(&with_extra);
    let opened = scene.open(&copy).expect("the rest is good");
    assert_eq!(told(&opened), told(&document_of(&scene.entries)));
    // With its entry it counts.
    let bases = bases(&scene.entries, &scene.at);
    let opened = open(shared_id(), &copy, &bases, &[extra]).expect("all is accounted for");
    assert_eq!(told(&opened), told(&document_of(&with_extra)));
    // One more entry of a feed behind its checkpoint is none that the checkpoint knows.
    let mut again = Hub::new(3);
    again.author.nonce = Nonce([77; 16]);
    again.number = 6;
    let entries = [scene.entries.as_slice(), &[again.put(&["title"], "late")]].concat();
    scene.check_forged(&scene.copy(&entries), NOT_AS_SAID);
}

#[test]
fn a_record_of_its_owner_holds_no_change_of_anybody_else() {
    let id = DocumentId::new(Hub::new(1).author.hub, Writers::Owner, [5; 15]);
    let (mut owner, mut other) = (Hub::with_document(1, id), Hub::with_document(2, id));
    let mine = owner.put(&["title"], "mine");
    let chunk = Chunk::puts(&other, 1).bytes();
    let mut theirs = other.forge(vec![chunk]);
    // A sender that lies to itself takes it in.
    theirs.hub = owner.author.hub;
    owner.take(std::slice::from_ref(&theirs));
    theirs.hub = other.author.hub;
    let entries = [mine, theirs];
    let at = entries.iter().map(|entry| (entry.feed, 0));
    let at = at.collect::<BTreeMap<_, _>>();
    let copy = copied(&owner.document.save(), id, &at).expect("a copy");
    let opened = unpack(id, &copy, &bases(&entries, &at));
    assert!(matches!(opened, Err(Forged(why)) if why.contains("only the hub")));
    // As an entry of its own it is set aside, and the copy is not to blame.
    let own = BTreeMap::from([(entries[0].feed, 0)]);
    let copy = copied(&owner.document.save(), id, &own).expect("a copy");
    let opened = open(id, &copy, &bases(&entries, &own), &entries[1..]).expect("a good copy");
    assert_eq!(opened.set_aside().count(), 1);
    assert_eq!(opened.heads(), {
        let mut document = Document::new(id);
        document.apply(&entries[..1]);
        document.heads()
    });
}

#[test]
fn a_checkpoint_that_does_not_list_a_record_allows_nothing_of_its_feed() {
    let scene = Scene::new();
    let copy = scene.copy(&scene.entries);
    let mut bases = bases(&scene.entries, &scene.at);
    bases[0].trail = None;
    let opened = unpack(shared_id(), &copy, &bases);
    assert!(matches!(opened, Err(Forged(why)) if why.contains(NOT_AS_SAID)));
    // Without any checkpoint of the feed nothing is taken of it, and the rest is good.
    let other = bases.remove(0).feed;
    let unpacked = unpack(shared_id(), &copy, &bases).expect("the rest is good");
    assert!(!unpacked.entries.is_empty());
    assert!(unpacked.entries.iter().all(|entry| entry.feed != other));
}

#[test]
fn a_copy_that_leaves_out_an_entry_in_between_loses_nothing() {
    let mut hub = Hub::new(3);
    let entries = [0, 1, 2].map(|step| {
        hub.author.nonce = Nonce([step; 16]);
        // As if made at once, so that the later ones stand without the earlier.
        let mut chunk = Chunk::puts(&hub, 1);
        chunk.deps.clear();
        let entry = hub.forge(vec![chunk.bytes()]);
        hub.take(std::slice::from_ref(&entry));
        entry
    });
    let at = BTreeMap::new();
    let copy = |entries: &[ChangesEntry]| {
        let snapshot = document_of(entries).save();
        copied(&snapshot, shared_id(), &at).expect("a copy")
    };
    let open = |copy: &[u8]| open(shared_id(), copy, &[], &entries);
    let first = open(&copy(&entries[..1])).expect("the later ones are applied");
    assert_eq!(first.heads(), document_of(&entries).heads());
    let gap = [entries[0].clone(), entries[2].clone()];
    let opened = open(&copy(&gap)).expect("it is applied");
    assert_eq!(opened.heads(), document_of(&entries).heads());
}

#[test]
fn what_waits_or_was_set_aside_travels_as_entries() {
    let scene = Scene::new();
    let id = shared_id();
    // Its second entry builds on the first.
    let mut document = Document::new(id);
    document.apply(&scene.entries[1..2]);
    assert_eq!(document.waiting().count(), 1);
    let refused = copied(&document.save(), id, &scene.at);
    assert_eq!(refused, Err(NotCopied::Waiting));
    assert!(copied(&document.save(), id, &BTreeMap::new()).is_ok());

    let mut other = Hub::new(9);
    let bad = Chunk {
        extra: vec![1, 1, 7],
        ..Chunk::puts(&other, 1)
    };
    let bad = other.forge(vec![bad.bytes()]);
    let mut document = document_of(&scene.entries);
    document.apply(&[bad]);
    let refused = copied(&document.save(), id, &scene.at);
    assert_eq!(refused, Err(NotCopied::SetAside));

    // The same change in two entries.
    let mut twice = scene.entries[0].clone();
    twice.number = 6;
    let document = document_of(&[scene.entries.as_slice(), &[twice]].concat());
    let refused = copied(&document.save(), id, &scene.at);
    assert_eq!(refused, Err(NotCopied::Repeated));
    assert!(matches!(
        copied(b"no document", id, &scene.at),
        Err(NotCopied::Unreadable(_))
    ));
}

/// A saved document of one change by `hub`, with these columns of operations.
fn saved_by_hand(hub: &Hub, columns: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let prefixed = |bytes: &[u8]| [unsigned(bytes.len() as u64), bytes.to_vec()].concat();
    let one = |value: Vec<u8>| [signed(-1), value].concat();
    let changes = [
        (0x01, one(unsigned(0))),
        (0x03, one(signed(1))),
        (0x13, one(signed(1))),
        (0x23, one(signed(1))),
        (0x40, one(unsigned(0))),
        (0x56, one(unsigned(7))),
    ];
    let mut body = unsigned(1);
    body.extend(prefixed(&hub.actor()));
    body.extend(unsigned(1));
    body.extend([9; 32]);
    for columns in [&changes[..], columns] {
        body.extend(unsigned(columns.len() as u64));
        for (spec, data) in columns {
            body.extend(unsigned(*spec));
            body.extend(unsigned(data.len() as u64));
        }
    }
    let columns = changes.iter().chain(columns);
    body.extend(columns.flat_map(|(_, data)| data.clone()));
    body.extend(unsigned(0));
    chunk(0, &body)
}

#[test]
fn a_bomb_is_measured_and_never_set_off() {
    let scene = Scene::new();
    let copy = scene.copy(&scene.entries);
    let hub = Hub::new(3);
    let run = |rows: i64, value: &[u8]| [signed(rows), value.to_vec()].concat();
    let bomb = |spec, data| around(&copy, &saved_by_hand(&hub, &[(spec, data)]));
    for rows in [5_000_000, i64::MAX] {
        scene.check_forged(&bomb(0x42, run(rows, &[1])), "too large for a copy");
        scene.check_forged(
            &bomb(0x34, unsigned(rows.unsigned_abs())),
            "too large for a copy",
        );
    }
    // One row that is followed by more of others than memory.
    scene.check_forged(
        &bomb(0x80, run(1, &unsigned(1 << 50))),
        "too large for a copy",
    );
    // An actor far beyond those there are, for which room would be made.
    scene.check_forged(&bomb(0x21, run(-1, &unsigned(1 << 50))), "an actor in it");
    // 200 MB of nothing in 200 kB.
    let mut deflated = Vec::new();
    let nothing = vec![0; 200 << 20];
    let mut encoder = flate2::read::DeflateEncoder::new(&nothing[..], flate2::Compression::best());
    std::io::Read::read_to_end(&mut encoder, &mut deflated).expect("it deflates");
    assert!(deflated.len() < 300_000);
    scene.check_forged(&bomb(0x57 | 8, deflated), "too large for a copy");
    scene.check_forged(&bomb(0x57 | 8, vec![0xff; 64]), "cannot be inflated");
    scene.check_forged(&around(&copy, &chunk(1, b"")), "no document");
    scene.check_forged(&around(&copy, b""), "cut off");
    let twice = document_of(&scene.entries).save();
    let at = twice
        .windows(4)
        .rposition(|window| window == [0x85, 0x6f, 0x4a, 0x83]);
    let twice = [&copy, &twice[at.expect("a saved document")..]].concat();
    scene.check_forged(&twice, "its length");
}

/// Runs `work` without what Automerge prints when an attempt of it breaks off.
fn quietly(work: impl FnOnce() + panic::UnwindSafe) {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let result = panic::catch_unwind(work);
    panic::set_hook(loud);
    if let Err(cause) = result {
        panic::resume_unwind(cause);
    }
}

#[test]
fn a_copy_that_is_cut_off_anywhere_is_refused() {
    let scene = Scene::new();
    let copy = scene.copy(&scene.entries);
    quietly(panic::AssertUnwindSafe(|| {
        for cut in 0..copy.len() {
            assert!(scene.open(&copy[..cut]).is_err(), "cut at {cut}");
        }
    }));
}

#[test]
fn an_altered_copy_is_refused_or_the_same() {
    let scene = Scene::new();
    let copy = scene.copy(&scene.entries);
    let whole = told(&document_of(&scene.entries));
    let magic = [0x85, 0x6f, 0x4a, 0x83];
    let at = copy.windows(4).position(|window| window == magic);
    let at = at.expect("a saved document");
    quietly(panic::AssertUnwindSafe(|| {
        for seed in 0..2_000 {
            let mut random = Random(seed);
            let mut altered = copy.clone();
            for _ in 0..=random.below(3) {
                let byte = random.below(altered.len());
                altered[byte] ^= 1 << random.below(8);
            }
            // One who alters it makes the checksum right again.
            if random.below(4) > 0 && altered.len() > at + 8 {
                let hash = change_hash(&altered[at..]);
                altered[at + 4..at + 8].copy_from_slice(&hash[..4]);
            }
            if let Ok(document) = scene.open(&altered) {
                assert_eq!(told(&document), whole, "seed {seed}");
            }
        }
    }));
}

/// `cargo test --profile demo -p node-document -- --ignored --nocapture figures`
#[test]
#[ignore = "prints figures"]
fn figures_of_a_copy() {
    let mut hub = Hub::new(3);
    let mut entries = Vec::new();
    for step in 0..50i64 {
        entries.push(match step % 3 {
            0 => hub.text(
                &["text"],
                &format!("Step {step} of it went well. {step} to go."),
            ),
            1 => hub.put(&["title"], step),
            _ => hub.put(&["value"], format!("value {step}").as_str()),
        });
    }
    let at = BTreeMap::from([(entries[0].feed, 49)]);
    let bases = bases(&entries, &at);
    let snapshot = hub.document.save();
    let copy = copied(&snapshot, shared_id(), &at).expect("a copy");
    println!(
        "snapshot {} bytes, copy {} bytes",
        snapshot.len(),
        copy.len()
    );
    for _ in 0..3 {
        let measure = |what: &str, work: &dyn Fn()| {
            let start = Instant::now();
            (0..500).for_each(|_| work());
            println!("{what}: {:?}", start.elapsed() / 500);
        };
        measure("copied", &|| {
            copied(&snapshot, shared_id(), &at).expect("a copy");
        });
        measure("load", &|| {
            Document::load(shared_id(), &snapshot).expect("it loads");
        });
        measure("from_copy", &|| {
            Document::from_copy(shared_id(), &copy, &bases, &[]).expect("honest");
        });
        measure("apply", &|| {
            document_of(&entries);
        });
    }
}
