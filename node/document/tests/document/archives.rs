//! An archive gives back what was put into it, byte for byte.

use node_document::{Archive, ChangesEntry, Document, LoadError, NotCopied, archive, unarchive};
use node_feed::{Changes, DocumentId, HubId, Nonce, Writers};

use crate::world::{Chunk, Hub, shared_id};

/// Two hubs' entries in turn, no two of them with the same random bytes, some of several changes.
fn written() -> Vec<ChangesEntry> {
    let (mut hub, mut other) = (Hub::new(3), Hub::new(4));
    let mut entries = Vec::<ChangesEntry>::new();
    for step in 0..20u8 {
        let writes = if step % 2 == 0 { &mut hub } else { &mut other };
        let mut entry = match step % 5 {
            0 => writes.put(&["value"], i64::from(step)),
            _ => writes.text(&["text"], &format!("Step {step}. It went well.")),
        };
        entry.changes.random = Nonce([step; 16]);
        for reads in [&mut hub, &mut other] {
            reads.take(std::slice::from_ref(&entry));
        }
        entries.push(entry);
    }
    entries
}

fn changes(entries: &[ChangesEntry]) -> Vec<Changes> {
    entries.iter().map(|entry| entry.changes.clone()).collect()
}

fn saved(entries: &[ChangesEntry]) -> Vec<u8> {
    let mut document = Document::new(shared_id());
    document.apply(entries);
    document.save()
}

fn made(entries: &[ChangesEntry]) -> Archive {
    let made = archive(shared_id(), &saved(entries), &changes(entries));
    made.expect("an archive")
}

#[test]
fn it_gives_back_every_entry_and_takes_less() {
    let entries = written();
    let made = made(&entries);
    assert!(made.holds.iter().all(|holds| *holds));
    let back = unarchive(shared_id(), &made.bytes).expect("the entries");
    assert_eq!(back, changes(&entries));
    let payloads = back.iter().map(|changes| changes.encode().len());
    assert!(made.bytes.len() < payloads.sum());
}

#[test]
fn one_that_grows_gives_back_what_the_earlier_one_did() {
    let entries = written();
    let earlier = made(&entries[..12]);
    let mut all = unarchive(shared_id(), &earlier.bytes).expect("the entries");
    all.extend(changes(&entries[12..]));
    let later = archive(shared_id(), &saved(&entries), &all).expect("an archive");
    let back = unarchive(shared_id(), &later.bytes).expect("the entries");
    assert_eq!(back, changes(&entries));
}

#[test]
fn entries_that_the_document_does_not_hold_stay_where_they_are() {
    let entries = written();
    let made = archive(shared_id(), &saved(&entries[..12]), &changes(&entries));
    let made = made.expect("an archive");
    let held = (0..20).map(|step| step < 12).collect::<Vec<_>>();
    assert_eq!(made.holds, held);
    let back = unarchive(shared_id(), &made.bytes).expect("the entries");
    assert_eq!(back, changes(&entries[..12]));
}

#[test]
fn a_document_of_which_something_was_set_aside_is_not_archived() {
    let mut entries = written();
    let mut other = Hub::new(9);
    let bad = Chunk {
        extra: vec![1, 1, 7],
        ..Chunk::puts(&other, 1)
    };
    entries.push(other.forge(vec![bad.bytes()]));
    let refused = archive(shared_id(), &saved(&entries), &changes(&entries));
    assert_eq!(refused, Err(NotCopied::SetAside));
}

#[test]
fn a_damaged_one_is_told_wherever_the_damage_is() {
    let entries = written();
    let bytes = made(&entries).bytes.to_vec();
    let other = DocumentId::new(HubId::from_bytes([8; 8]), Writers::Members, [9; 15]);
    assert_eq!(unarchive(other, &bytes), Err(LoadError::OtherDocument));
    assert_eq!(unarchive(shared_id(), b"a letter"), Err(LoadError::Format));
    for at in 0..bytes.len() {
        let cut = unarchive(shared_id(), &bytes[..at]);
        assert!(cut.is_err(), "cut after {at} bytes");
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x40;
        let flipped = unarchive(shared_id(), &flipped);
        assert!(flipped.is_err(), "flipped byte {at}");
    }
}
