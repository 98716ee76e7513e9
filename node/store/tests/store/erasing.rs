//! Erasing, and its rank above everything else.

use node_feed::{DocumentId, Erase, HubId, Kind, Nonce, Subject, Writers};
use node_store::{EntryStore, MemoryStore, ReadStore};

use crate::world::{Pen, SPACE, World, keep, send, texts, trees};

fn document(hub: HubId) -> Subject {
    DocumentId::new(hub, Writers::Members, [1; 15]).subject()
}

fn erase(pen: &mut Pen, subject: Subject) -> node_feed::VerifiedRun {
    let erase = Erase {
        random: Nonce([4; 16]),
        subjects: vec![subject],
    };
    let payload = erase.encode().expect("an erasure");
    pen.sign(vec![(Kind::ERASE, Subject::NONE, payload)])
}

on_every_store! {
    fn the_owner_erases_what_all_hubs_wrote(store) {
        let mut world = World::new();
        let (owner, mut pen, open) = world.writer(2);
        let (_, mut other, other_open) = world.writer(3);
        let subject = document(owner.id);
        for run in [
            &open,
            &other_open,
            &pen.note_on(subject, "mine"),
            &other.note_on(subject, "yours"),
            &other.note_on(Subject::NONE, "unrelated"),
            &erase(&mut pen, subject),
            &other.note_on(subject, "later"),
        ] {
            keep(store, &world.authority, run);
        }
        assert!(store.is_erased(subject).unwrap());
        assert_eq!(texts(store), ["-", "-", "unrelated", "-"]);
        assert!(store.withheld(SPACE).unwrap().is_empty());
        // The erasure itself stays, and everything can be passed on and proved.
        let mut second = MemoryStore::new();
        send(&world, store, &mut second);
        assert_eq!(trees(store), trees(&second));
        assert!(second.withheld(SPACE).unwrap().is_empty());
    }

    fn another_hub_cannot_erase(store) {
        let mut world = World::new();
        let (owner, mut pen, open) = world.writer(2);
        let (_, mut other, other_open) = world.writer(3);
        let subject = document(owner.id);
        for run in [
            &open,
            &other_open,
            &pen.note_on(subject, "stays"),
            &erase(&mut other, subject),
        ] {
            keep(store, &world.authority, run);
        }
        assert!(!store.is_erased(subject).unwrap());
        assert_eq!(texts(store), ["stays"]);
    }

    fn evidence_is_erased_too(store) {
        let mut world = World::new();
        let (owner, mut pen, open) = world.writer(2);
        let (_, mut other, other_open) = world.writer(3);
        let cut_hub = world.hub(4);
        let grant = world.grant(&cut_hub, SPACE);
        let (mut gone, gone_open) = world.pen(&cut_hub, grant, [4; 32]);
        let subject = document(owner.id);
        let before = world.authority.clone();
        for run in [&open, &other_open, &gone_open, &gone.note_on(subject, "gone")] {
            keep(store, &world.authority, run);
        }
        world.cut(&cut_hub, &[]);
        store.reconcile(&world.authority).unwrap();
        assert!(texts(store).is_empty());
        keep(store, &world.authority, &erase(&mut pen, subject));
        keep(store, &world.authority, &other.note_on(subject, "concurrent"));
        store.reconcile(&before).unwrap();
        assert_eq!(texts(store), ["-", "-"]);
    }
}
