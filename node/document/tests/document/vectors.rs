//! A golden vector of a packed document, from which another implementation can be checked.
//!
//! docs/protocol.md says what each field is. It is computed anew here and compared; only if a
//! difference is meant, write it again with
//! `CAUSEWAY_VECTORS=write cargo test -p node-document vectors`. Another version of Automerge may save
//! the same document otherwise: that is no change of the protocol as long as this one is still read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use node_document::{Base, ChangesEntry, Document, Outcome, copied, unpack};
use node_feed::{FeedName, Nonce, Trail, change_hash};
use serde_json::{Value, json};

use crate::world::{Hub, shared_id};

/// The checkpoints up to which two feeds are claimed.
const BASES: [u64; 2] = [9, 4];

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

/// Entries of two hubs. The first starts its process twice, writes one entry on its base actor and a
/// lane, and one after its checkpoint.
fn entries() -> Vec<ChangesEntry> {
    let (mut one, mut other) = (Hub::new(3), Hub::new(4));
    one.number = 1;
    other.number = 3;
    let mut entries = vec![one.put(&["title"], "Maths for all")];
    other.take(&entries);
    entries.push(other.text(&["text"], "It went well."));
    one.take(&entries[1..]);
    let page = one.document.heads();
    one.author.nonce = Nonce([0x33; 16]);
    one.number = 6;
    let mut both = one.put(&["value"], 1);
    let lane = one.edit_at(Some(&page), |edit| edit.put(&["value"], &2.into()));
    let lane = lane.expect("a lane is free");
    both.changes.chunks.extend(lane.changes.chunks);
    entries.push(both);
    one.number = 8;
    entries.push(one.edit(|edit| edit.increment(&["count"], 1)));
    one.number = 12;
    entries.push(one.put(&["title"], "Maths for everybody"));
    entries
}

fn shown(entry: &ChangesEntry) -> Value {
    json!({
        "number": entry.number,
        "time_ms": entry.time_ms,
        "start_nonce": hex(entry.changes.nonce.0),
        "changes": entry.changes.chunks.iter().map(hex).collect::<Vec<_>>(),
    })
}

fn trail<'a>(entries: impl Iterator<Item = &'a ChangesEntry>) -> Trail {
    entries.fold(Trail::START, |trail, entry| {
        let hashes = entry.changes.chunks.iter();
        let hashes = hashes.map(|chunk| change_hash(chunk)).collect::<Vec<_>>();
        trail.with(entry.number, entry.time_ms, &hashes)
    })
}

#[test]
fn a_packed_document_keeps_its_bytes() {
    let entries = entries();
    let mut document = Document::new(shared_id());
    for outcome in document.apply(&entries) {
        assert_eq!(outcome, Outcome::Applied);
    }
    let mut bases = Vec::new();
    let mut feeds = Vec::new();
    let mut claimed = BTreeSet::new();
    for (first, base) in [&entries[0], &entries[1]].into_iter().zip(BASES) {
        let of_feed = entries.iter().filter(|entry| entry.feed == first.feed);
        let of_feed = of_feed.filter(|entry| entry.number <= base);
        let trail = trail(of_feed.clone());
        bases.push(Base {
            feed: first.feed,
            writer: first.writer,
            hub: first.hub,
            base,
            trail: Some(trail),
        });
        feeds.push(json!({
            "writer": hex(first.writer),
            "hub": hex(first.hub.as_bytes()),
            "base": base,
            "trail": hex(trail.0.as_bytes()),
            "entries": of_feed.clone().map(shown).collect::<Vec<_>>(),
        }));
        claimed.extend(of_feed.map(|entry| (entry.feed, entry.number)));
    }
    let is_claimed = |entry: &&ChangesEntry| claimed.contains(&(entry.feed, entry.number));
    let at = bases.iter().map(|base| (base.feed, base.base));
    let packed = copied(
        &document.save(),
        shared_id(),
        &at.collect::<BTreeMap<_, _>>(),
    )
    .expect("it can be copied");
    let chunk = packed
        .windows(4)
        .position(|window| window == [0x85, 0x6f, 0x4a, 0x83])
        .expect("Automerge's part");
    let above = entries.iter().filter(|entry| !is_claimed(entry));
    let value = json!({
        "document": hex(shared_id().as_bytes()),
        "feeds": feeds,
        "after_the_checkpoint_of_the_first": above.map(shown).collect::<Vec<_>>(),
        "claims": hex(&packed[..chunk]),
        "saved_by_automerge": hex(&packed[chunk..]),
    });
    let kept = check(&value);

    let bytes = ["claims", "saved_by_automerge"].map(|name| {
        let text = kept[name].as_str().expect("hex");
        HEXLOWER.decode(text.as_bytes()).expect("hex")
    });
    let unpacked = unpack(shared_id(), &bytes.concat(), &bases).expect("what was packed");
    assert_eq!(
        told(unpacked.entries.iter()),
        told(entries.iter().filter(is_claimed)),
    );
}

/// Entries without what a packed document does not hold: it has an order of its own for changes.
fn told<'a>(
    entries: impl Iterator<Item = &'a ChangesEntry>,
) -> BTreeMap<(FeedName, u64), Vec<String>> {
    let told = entries.map(|entry| {
        let mut changes = entry.changes.chunks.iter().map(hex).collect::<Vec<_>>();
        changes.sort();
        changes.push(hex(entry.changes.nonce.0));
        changes.push(entry.time_ms.to_string());
        ((entry.feed, entry.number), changes)
    });
    told.collect()
}

fn check(computed: &Value) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/packed.json");
    if std::env::var_os("CAUSEWAY_VECTORS").is_some_and(|value| value == "write") {
        let text = serde_json::to_string_pretty(computed).expect("JSON") + "\n";
        std::fs::write(&path, text).expect("the vector can be written");
    }
    let text = std::fs::read_to_string(&path).expect("the vector is there");
    let kept: Value = serde_json::from_str(&text).expect("the vector is JSON");
    assert_eq!(&kept, computed, "{} differs", path.display());
    kept
}
