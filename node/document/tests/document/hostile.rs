//! Changes that were honest once, with bytes changed and the checksum made right again.

use std::panic;

use node_document::{Document, Outcome};

use crate::world::{Hub, Random, corrected};

/// A hub's document with a bit of everything in it.
fn furnished() -> Hub {
    let mut hub = Hub::new(3);
    hub.edit(|edit| {
        edit.put(&["title"], &"Mastery".into())?;
        edit.update_text(&["body"], "A sentence. Another one, naïve.")?;
        edit.increment(&["uses"], 3)?;
        edit.place_item(&["sessions"], "first", None)?;
        edit.put(&["sessions", "first", "date"], &"2026-11-24".into())
    });
    hub.put(&["title"], "Mastery in Year 7");
    hub
}

/// Reads everything that anything reads.
fn read_all(document: &Document) {
    let view = document.view();
    for field in view.fields() {
        view.versions(&[&field]);
        view.history_of_field(&field);
        view.overlaps(&[&field]);
        view.items(&[&field]);
        for child in view.children(&[&field]) {
            view.versions(&[&field, &child]);
        }
    }
}

#[test]
fn a_mutated_change_leaves_a_document_that_opens_and_takes_edits() {
    let quiet = panic::take_hook();
    panic::set_hook(Box::new(|_| {})); // What breaks off inside the gate need not be printed.
    let furnished = furnished();
    let mut rival = Hub::new(4);
    rival.document = furnished.document.clone();
    let honest = rival.edit(|edit| {
        edit.put(&["sessions", "first", "date"], &"2026-12-01".into())?;
        edit.update_text(&["body"], "A sentence, longer. Another one, naïve. 🙂")?;
        edit.increment(&["uses"], 2)?;
        edit.place_item(&["sessions"], "second", Some("first"))?;
        edit.clear(&["title"])
    });
    let chunk = honest.changes.chunks[0].to_vec();
    let (mut applied, mut set_aside) = (0, 0);
    let result = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        for seed in 0..1_500 {
            let mut random = Random(seed);
            let mut bytes = chunk.clone();
            for _ in 0..=random.below(3) {
                let at = 12 + random.below(bytes.len() - 12);
                bytes[at] = if random.below(2) == 0 {
                    random.below(256) as u8
                } else {
                    bytes[at] ^ (1 << random.below(8))
                };
            }
            let mut document = furnished.document.clone();
            let before = document.heads();
            let mut forger = Hub::new(4);
            let entry = forger.forge(vec![corrected(bytes)]);
            match document.apply(&[entry]).remove(0) {
                Outcome::Applied => applied += 1,
                Outcome::SetAside(_) => {
                    set_aside += 1;
                    assert_eq!(document.heads(), before, "seed {seed}");
                }
                Outcome::Waiting(_) => assert_eq!(document.heads(), before, "seed {seed}"),
                Outcome::Rebuild => panic!("seed {seed}: there is no fork"),
            }
            let saved = document.save();
            let loaded = Document::load(document.id(), &saved);
            let loaded = loaded.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let reads = panic::catch_unwind(panic::AssertUnwindSafe(|| read_all(&loaded)));
            assert!(reads.is_ok(), "seed {seed}: reading broke off");
            let mut owner = furnished.clone();
            owner.document = loaded;
            owner.edit(|edit| {
                edit.put(&["title"], &"still writable".into())?;
                edit.update_text(&["body"], "Still writable.")
            });
        }
    }));
    panic::set_hook(quiet);
    if let Err(cause) = result {
        panic::resume_unwind(cause);
    }
    assert!(
        applied > 0 && set_aside > 0,
        "{applied} applied, {set_aside} set aside"
    );
}

#[test]
fn noise_instead_of_a_change_is_set_aside() {
    for seed in 0..500 {
        let mut random = Random(seed);
        let body = (0..random.below(200))
            .map(|_| random.below(256) as u8)
            .collect::<Vec<_>>();
        let mut hub = Hub::new(3);
        let entry = hub.forge(vec![crate::world::chunk(1, &body)]);
        let outcome = hub.document.apply(&[entry]).remove(0);
        assert!(
            matches!(outcome, Outcome::SetAside(_)),
            "seed {seed}: {outcome:?}"
        );
    }
}
