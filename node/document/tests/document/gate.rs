//! What the gate refuses, one rule after the other. Each time the document stays as it was and
//! the honest entry beside it goes in.

use automerge::ActorId;
use automerge::transaction::Transactable as _;
use node_document::{ChangesEntry, Document, Outcome, SetAsideReason, WaitingCause};
use node_feed::{DocumentId, FeedName, Nonce, Writers};

use crate::world::{Chunk, Hub, chunk, signed, unsigned};

/// Gives a document `bad` together with an honest entry of another hub.
#[track_caller]
fn check_set_aside(bad: &ChangesEntry, reason: SetAsideReason) {
    let mut honest = Hub::new(200);
    let good = honest.put(&["title"], "good");
    let mut document = Document::new(honest.document.id());
    let outcomes = document.apply(&[bad.clone(), good.clone()]);
    let Outcome::SetAside(aside) = &outcomes[0] else {
        panic!("{:?}", outcomes[0])
    };
    assert_eq!(aside.reason, reason, "{aside}");
    assert_eq!(outcomes[1], Outcome::Applied);
    assert_eq!(document.heads(), honest.document.heads());
    assert_eq!(document.set_aside().collect::<Vec<_>>(), [aside]);
    // Given again it is not tried again, and the list does not grow.
    assert_eq!(document.apply(std::slice::from_ref(bad)), outcomes[..1]);
    assert_eq!(document.set_aside().count(), 1);
}

#[test]
fn a_plain_change_put_together_by_hand_is_applied() {
    let mut hub = Hub::new(3);
    let chunk = Chunk::puts(&hub, 1);
    let entry = hub.forge(vec![chunk.bytes()]);
    hub.take(&[entry]);
}

#[test]
fn another_hub_cannot_change_what_only_its_owner_may() {
    let owner = Hub::new(1);
    let id = DocumentId::new(owner.author.hub, Writers::Owner, [5; 15]);
    let (mut owner, mut other) = (Hub::with_document(1, id), Hub::with_document(2, id));
    let mine = owner.put(&["title"], "mine");
    other.take(&[mine]);
    let refused = other.edit_at(None, |edit| edit.put(&["title"], &"theirs".into()));
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("only the hub that owns")
    );
    // One who does not ask first is set aside everywhere.
    let bytes = Chunk::puts(&other, 1).bytes();
    let entry = other.forge(vec![bytes]);
    let outcome = owner.document.apply(&[entry]).remove(0);
    assert!(matches!(outcome, Outcome::SetAside(a) if a.reason == SetAsideReason::NotOwner));
}

#[test]
fn a_compressed_change_is_never_inflated() {
    let mut hub = Hub::new(3);
    // Were this inflated it would be found to be no deflate stream, which is another reason.
    let compressed = hub.forge(vec![chunk(2, &[0xff; 64])]);
    check_set_aside(&compressed, SetAsideReason::NotPlain);
    let mut column = Chunk::puts(&Hub::new(3), 1);
    column.columns[0].0 |= 8;
    let compressed_column = Hub::new(3).forge(vec![column.bytes()]);
    check_set_aside(&compressed_column, SetAsideReason::NotPlain);
    for kind in [0, 3, 9] {
        check_set_aside(
            &Hub::new(3).forge(vec![chunk(kind, b"")]),
            SetAsideReason::NotPlain,
        );
    }
}

#[test]
fn a_damaged_change_is_set_aside() {
    let good = Chunk::puts(&Hub::new(3), 1).bytes();
    let mut checksum = good.clone();
    checksum[5] ^= 1;
    let mut length = good.clone();
    length.push(0);
    for bytes in [checksum, length, good[..20].to_vec(), Vec::new()] {
        check_set_aside(&Hub::new(3).forge(vec![bytes]), SetAsideReason::Malformed);
    }
}

#[test]
fn nobody_writes_with_anothers_actor() {
    let (mut victim, mut thief) = (Hub::new(3), Hub::new(4));
    let stolen = Chunk::puts(&victim, 1).bytes();
    let forged = thief.forge(vec![stolen]);
    check_set_aside(&forged, SetAsideReason::WrongActor);
    // The victim's next edit succeeds where the forgery came first.
    let mut document = Document::new(victim.document.id());
    document.apply(&[forged]);
    let honest = victim.put(&["title"], "mine");
    assert_eq!(document.apply(&[honest]), [Outcome::Applied]);
}

#[test]
fn a_nonce_that_is_not_the_actors_is_refused() {
    let mut hub = Hub::new(3);
    let mut entry = hub.put(&["title"], "x");
    entry.changes.nonce = Nonce([0; 16]);
    check_set_aside(&entry, SetAsideReason::WrongActor);
}

#[test]
fn an_author_field_is_refused() {
    let mut hub = Hub::new(3);
    let mut chunk = Chunk::puts(&hub, 1);
    chunk.extra = [unsigned(1), unsigned(4), b"Jane".to_vec()].concat();
    check_set_aside(&hub.forge(vec![chunk.bytes()]), SetAsideReason::AuthorField);
}

#[test]
fn a_run_length_bomb_is_counted_and_never_expanded() {
    for rows in [100_001, 1_000_000, i64::MAX] {
        let mut hub = Hub::new(3);
        let bytes = Chunk::puts(&hub, rows).bytes();
        assert!(bytes.len() < 160);
        check_set_aside(&hub.forge(vec![bytes]), SetAsideReason::TooManyOperations);
    }
    // Many changes under the limit that are over it together.
    let mut hub = Hub::new(3);
    let many = vec![Chunk::puts(&hub, 60_000).bytes(); 2];
    check_set_aside(&hub.forge(many), SetAsideReason::TooManyOperations);
    // One operation with more predecessors than memory.
    let mut hub = Hub::new(3);
    let mut preds = Chunk::puts(&hub, 1);
    preds.columns[4].1 = [signed(1), unsigned(1 << 50)].concat();
    preds
        .columns
        .push((0x71, [signed(1 << 50), unsigned(0)].concat()));
    preds
        .columns
        .push((0x73, [signed(1 << 50), signed(1)].concat()));
    check_set_aside(
        &hub.forge(vec![preds.bytes()]),
        SetAsideReason::TooManyOperations,
    );
}

#[test]
fn an_overlong_key_is_refused() {
    let mut hub = Hub::new(3);
    let mut chunk = Chunk::puts(&hub, 1);
    chunk.columns[0].1 = [signed(1), unsigned(2_000), vec![b'k'; 2_000]].concat();
    check_set_aside(&hub.forge(vec![chunk.bytes()]), SetAsideReason::TooLong);
}

#[test]
fn deep_nesting_is_refused_and_the_process_lives() {
    let mut hub = Hub::new(3);
    let mut automerge = automerge::Automerge::new();
    automerge.set_actor(ActorId::from(hub.actor()));
    let mut transaction = automerge.transaction();
    let mut object = automerge::ROOT;
    for _ in 0..20_000 {
        object = transaction
            .put_object(&object, "a", automerge::ObjType::Map)
            .expect("legal");
    }
    transaction.commit();
    let change = automerge.get_last_local_change().expect("a change");
    let entry = hub.forge(vec![change.raw_bytes().to_vec()]);
    check_set_aside(&entry, SetAsideReason::TooDeep);
}

#[test]
fn an_actors_steps_come_one_after_the_other() {
    let mut skipping = Hub::new(3);
    let mut chunk = Chunk::puts(&skipping, 1);
    chunk.seq = 2;
    check_set_aside(
        &skipping.forge(vec![chunk.bytes()]),
        SetAsideReason::OutOfOrder,
    );

    let mut repeating = Hub::new(4);
    let first = repeating.put(&["title"], "once");
    let again = repeating.forge(vec![Chunk::puts(&Hub::new(4), 2).bytes()]);
    let mut document = Document::new(repeating.document.id());
    let outcomes = document.apply(&[first, again]);
    assert_eq!(outcomes[0], Outcome::Applied);
    let Outcome::SetAside(aside) = &outcomes[1] else {
        panic!("{:?}", outcomes[1])
    };
    assert_eq!(aside.reason, SetAsideReason::OutOfOrder);
    // The author goes on as if it had never been.
    assert_eq!(
        document.apply(&[repeating.put(&["title"], "twice")]),
        [Outcome::Applied]
    );
}

#[test]
fn a_counter_far_ahead_cannot_use_up_the_counters() {
    for start in [2_000_000, u64::from(u32::MAX)] {
        let mut hub = Hub::new(3);
        let mut chunk = Chunk::puts(&hub, 1);
        chunk.start_op = start;
        check_set_aside(&hub.forge(vec![chunk.bytes()]), SetAsideReason::Counter);
    }
}

#[test]
fn an_actor_who_wrote_nothing_cannot_be_named() {
    let mut hub = Hub::new(3);
    let mut chunk = Chunk::puts(&hub, 1);
    chunk.others = vec![vec![8; 16]];
    check_set_aside(
        &hub.forge(vec![chunk.bytes()]),
        SetAsideReason::UnknownActor,
    );
}

#[test]
fn a_feed_has_no_more_than_256_actors_in_a_document() {
    let mut hub = Hub::new(3);
    let mut entries = Vec::new();
    let mut document = Document::new(hub.document.id());
    for start in 0..257u64 {
        hub.author.nonce.0[..8].copy_from_slice(&start.to_le_bytes());
        let mut chunk = Chunk::puts(&hub, 1);
        chunk.start_op = 1;
        entries.push(hub.forge(vec![chunk.bytes()]));
    }
    let outcomes = document.apply(&entries);
    assert!(
        outcomes[..256]
            .iter()
            .all(|outcome| *outcome == Outcome::Applied)
    );
    let Outcome::SetAside(aside) = &outcomes[256] else {
        panic!("{:?}", outcomes[256])
    };
    assert_eq!(aside.reason, SetAsideReason::TooManyActors);
}

#[test]
fn what_builds_on_an_entry_set_aside_waits_and_says_on_which() {
    let mut writer = Hub::new(3);
    let bad = Chunk {
        extra: vec![1, 1, 7],
        ..Chunk::puts(&writer, 1)
    }
    .bytes();
    let hash = node_feed::change_hash(&bad);
    let bad = writer.forge(vec![bad]);
    let mut builder = Hub::new(4);
    let on_it = Chunk {
        deps: vec![hash],
        start_op: 2,
        ..Chunk::puts(&builder, 1)
    }
    .bytes();
    let on_it = builder.forge(vec![on_it]);
    let later = builder.forge(vec![
        Chunk {
            seq: 2,
            ..Chunk::puts(&builder, 1)
        }
        .bytes(),
    ]);
    let mut document = Document::new(writer.document.id());
    let outcomes = document.apply(&[later.clone(), on_it, bad]);
    let feed = FeedName::from_bytes(writer.author.writer);
    assert_eq!(
        outcomes[1],
        Outcome::Waiting(WaitingCause::BuildsOnSetAside { feed, number: 0 })
    );
    assert_eq!(outcomes[0], Outcome::Waiting(WaitingCause::Behind(0)));
    assert!(document.is_empty());
    // Without the one that waits the later one is not tried.
    assert_eq!(
        document.apply(&[later]),
        [Outcome::Waiting(WaitingCause::Behind(0))]
    );
}
