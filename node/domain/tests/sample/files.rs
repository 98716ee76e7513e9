//! Records put into documents and cards, as a node would.

use std::collections::BTreeSet;

use node_document::{Author, ChangesEntry, Document, Edited, Outcome};
use node_domain::sample::SampleRecord;
use node_domain::{By, CardRecord, Form, Object, Written, create, edit, kind, kind_of, read};
use node_feed::{DocumentId, FeedName, Hash, HubId, Nonce, Tag};

/// The made-up id of the record with a key.
pub(crate) fn id(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Creates a record and makes its edits, with references to `known` keys alone, and reads it.
pub(crate) fn file(record: &SampleRecord, known: &BTreeSet<String>) -> Object {
    for key in record.references() {
        assert!(known.contains(&key), "{} refers to {key}", record.key);
    }
    let record = record.resolved(&|key| Some(id(key)));
    let declared = kind(record.kind).expect("declared");
    if declared.form == Form::Card {
        assert!(record.steps.is_empty());
        let card = CardRecord::new(declared, &record.fields, true);
        return card
            .unwrap_or_else(|error| panic!("{}: {error}", record.key))
            .fields;
    }
    let hub = HubId::from_bytes([1; 8]);
    let mut document = Document::new(DocumentId::new(hub, declared.writers, [9; 15]));
    let first = by(0);
    let created = create(&document, declared, &record.fields, &first);
    let created = created.unwrap_or_else(|error| panic!("{}: {error}", record.key));
    save(&mut document, &created, 0, &first);
    for (number, changes) in (1..).zip(&record.steps) {
        let by = by(number);
        let edited = edit(&document, None, changes, &by);
        let edited =
            edited.unwrap_or_else(|error| panic!("{}, step {number}: {error}", record.key));
        save(&mut document, &edited, number, &by);
    }
    let view = document.view();
    read(&view, kind_of(&view).expect("declared"))
}

fn by(number: u64) -> By {
    let mut random = [7; 16];
    random[..8].copy_from_slice(&number.to_le_bytes());
    By {
        author: Author {
            writer: [1; 32],
            hub: HubId::from_bytes([1; 8]),
            nonce: Nonce([1; 16]),
        },
        time_ms: 1_000 * (number + 1),
        random,
        program: true,
    }
}

fn save(document: &mut Document, edited: &Edited<Written>, number: u64, by: &By) {
    let entry = ChangesEntry {
        feed: FeedName::from_bytes(by.author.writer),
        number,
        hash: Hash::of(Tag::Entry, &[&by.random]),
        writer: by.author.writer,
        hub: by.author.hub,
        time_ms: by.time_ms,
        changes: edited.changes(Nonce(by.random)),
    };
    assert_eq!(document.apply_edited(&entry, edited), Outcome::Applied);
}
