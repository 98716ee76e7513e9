//! Payloads that were dropped before they came here, and cards that were replaced.

use node_feed::{
    Card, CardId, Height, Kind, Nonce, Payload, PublicKey, Run, Subject, VerifiedRun, Writers,
};
use node_store::{Appended, EntryStore, MemoryStore, ReadStore};

use crate::world::{Pen, SPACE, World, append, keep, send, texts};

/// The run as a peer sends it that dropped the payload of its entry `index`.
fn without_payload(run: &VerifiedRun, pen: &Pen, index: usize) -> VerifiedRun {
    let mut dropped = run.as_run().clone();
    let entry = &mut dropped.entries[index];
    entry.payload = Payload::Dropped {
        hash: entry.payload.hash(entry.kind).expect("a hash"),
        length: entry.payload.length(),
    };
    verify(dropped, pen)
}

fn verify(run: Run, pen: &Pen) -> VerifiedRun {
    let key = PublicKey::from_bytes(&run.writer).expect("a key");
    run.verify(pen.network, pen.space, &key, &[])
        .expect("a proof")
}

fn revise(pen: &mut Pen, card: Subject, replaces: &[Height], body: &str) -> VerifiedRun {
    let card_payload = Card {
        random: Nonce([6; 16]),
        replaces: replaces.iter().map(|height| height.hash).collect(),
        body: bytes::Bytes::copy_from_slice(body.as_bytes()),
    };
    pen.sign(vec![(
        Kind::CARD,
        card,
        card_payload.encode().expect("a card"),
    )])
}

on_every_store! {
    fn a_dropped_payload_counts_is_shown_as_withheld_and_is_filled_in_later(store) {
        let mut world = World::new();
        let (_, mut pen, open) = world.writer(2);
        let run = pen.write(&["one", "two"]);
        keep(store, &world.authority, &open);
        keep(store, &world.authority, &without_payload(&run, &pen, 0));
        assert_eq!(texts(store), ["-", "two"]);
        let withheld = store.withheld(SPACE).unwrap();
        assert_eq!(withheld.len(), 1);
        assert_eq!(withheld[0].height.number, 1);

        assert_eq!(append(store, &world.authority, &run), Appended::Held);
        assert_eq!(texts(store), ["one", "two"]);
        assert!(store.withheld(SPACE).unwrap().is_empty());
    }

    fn an_overlapping_run_fills_in_what_it_brings(store) {
        let mut world = World::new();
        let (_, pen, open) = world.writer(2);
        let (mut short, mut long) = (pen.clone(), pen);
        let run = short.write(&["one", "two"]);
        keep(store, &world.authority, &open);
        keep(store, &world.authority, &without_payload(&run, &short, 1));
        keep(store, &world.authority, &long.write(&["one", "two", "three"]));
        assert_eq!(texts(store), ["one", "two", "three"]);
    }

    fn replaced_card_revisions_are_dropped_when_they_are_old(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let card = CardId::new(hub.id, Writers::Owner, [1; 15]).subject();
        keep(store, &world.authority, &open);
        let first = revise(&mut pen, card, &[], "first");
        let second = revise(&mut pen, card, &[first.last()], "second");
        let sibling = revise(&mut pen, card, &[], "sibling");
        for run in [&first, &second, &sibling] {
            keep(store, &world.authority, run);
        }
        assert_eq!(store.drop_replaced_cards(0).unwrap(), 0, "none is that old");
        assert_eq!(store.drop_replaced_cards(u64::MAX).unwrap(), 1);
        let held = store.entries_of(card, 0).unwrap();
        let held = held.iter().map(|entry| entry.payload.bytes().is_some());
        assert_eq!(held.collect::<Vec<_>>(), [false, true, true]);
        assert!(store.withheld(SPACE).unwrap().is_empty());

        // Also when the revision between was dropped in turn.
        let third = revise(&mut pen, card, &[second.last(), sibling.last()], "third");
        keep(store, &world.authority, &third);
        assert_eq!(store.drop_replaced_cards(u64::MAX).unwrap(), 2);
        let mut other = MemoryStore::new();
        send(&world, store, &mut other);
        assert!(other.withheld(SPACE).unwrap().is_empty());
    }
}
