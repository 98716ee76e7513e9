//! What a run promises, whatever bytes come in.

use bytes::Bytes;
use node_feed::{
    Card, CardId, DecodeError, Encoder, Entry, Fact, FeedName, GrantId, Hash, Heights, HubId, Kind,
    NetworkId, NodeOpen, Nonce, Open, Opening, Payload, PayloadError, Proof, RUN_BYTES_MAX,
    RUN_ENTRIES_MAX, RefusalReason, Run, RunEntry, RunError, SecretKey, SpaceId, Subject,
    VerifiedRun, Writers, change_hash,
};
use proptest::prelude::*;
use proptest::sample::Index;

const SPACE: SpaceId = SpaceId::from_bytes([2; 16]);
const HUB: HubId = HubId::from_bytes([3; 8]);
const RANDOM: Nonce = Nonce([9; 16]);

fn writer() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn network() -> NetworkId {
    SecretKey::from_seed(&[7; 32]).public().network()
}

fn open() -> Entry {
    let identity = SecretKey::from_seed(&[4; 32]);
    let who = (HUB, GrantId::from_bytes([5; 32]));
    let writer = writer().public();
    let open = NodeOpen::sign(network(), SPACE, &writer, &identity, who, vec![], RANDOM);
    entry(Kind::OPEN, open.encode().expect("few feeds"))
}

fn entry(kind: Kind, payload: Bytes) -> Entry {
    Entry {
        time_ms: 1,
        kind,
        subject: Subject::NONE,
        payload,
    }
}

/// An Automerge change as carriage sees it: anything after a proper frame.
fn chunk(content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("a short content");
    assert!(length < 0x80, "one byte of length");
    let mut chunk = [&[0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1, length], content].concat();
    let hash = change_hash(&chunk);
    chunk[4..8].copy_from_slice(&hash[..4]);
    chunk
}

fn changes(contents: &[Vec<u8>]) -> Entry {
    let chunks = contents.iter().flat_map(|content| chunk(content));
    let payload = [9; 32].into_iter().chain(chunks).collect::<Vec<_>>();
    entry(Kind::CHANGES, payload.into())
}

fn card(body: Vec<u8>) -> Entry {
    let card = Card {
        random: RANDOM,
        replaces: vec![],
        body: body.into(),
    };
    let id = CardId::new(HUB, Writers::Owner, [6; 15]);
    Entry {
        subject: id.subject(),
        ..entry(Kind::CARD, card.encode().expect("a small card"))
    }
}

fn sign(entries: Vec<Entry>) -> Result<VerifiedRun, RunError> {
    Run::sign(network(), SPACE, &writer(), None, entries)
}

fn verify(run: Run) -> Result<VerifiedRun, RunError> {
    run.verify(network(), SPACE, &writer().public(), &[])
}

fn encode(run: &Run) -> Bytes {
    let mut out = Encoder::new();
    run.encode(&mut out);
    out.finish()
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let content = prop::collection::vec(any::<u8>(), 1..60);
    let one = prop_oneof![
        prop::collection::vec(content.clone(), 1..4).prop_map(|contents| changes(&contents)),
        content.prop_map(card),
        prop::collection::vec(any::<u8>(), 16..80)
            .prop_map(|payload| entry(Kind(200), payload.into())),
    ];
    prop::collection::vec(one, 0..6).prop_map(|mut entries| {
        entries.insert(0, open());
        entries
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_run_survives_the_wire(entries in entries()) {
        let run = sign(entries).expect("a run");
        let decoded = Run::decode_all(&encode(run.as_run())).expect("whole runs");
        prop_assert_eq!(decoded.len(), 1);
        prop_assert_eq!(verify(decoded[0].clone()), Ok(run));
    }

    #[test]
    fn no_byte_of_a_run_can_be_altered(entries in entries(), at: Vec<Index>, flip in 1u8..) {
        let bytes = encode(sign(entries).expect("a run").as_run());
        for at in at.into_iter().take(40) {
            let mut altered = bytes.to_vec();
            altered[at.index(bytes.len())] ^= flip;
            let Ok(runs) = Run::decode_all(&altered.into()) else { continue };
            for run in runs {
                prop_assert!(verify(run).is_err());
            }
        }
    }

    #[test]
    fn a_run_split_anywhere_has_the_same_hashes(entries in entries(), at: Index) {
        let whole = sign(entries.clone()).expect("a run");
        let at = at.index(entries.len());
        let (head, tail) = entries.split_at(at);
        let mut halves = Vec::new();
        if !head.is_empty() {
            halves.push(sign(head.to_vec()).expect("the first half"));
        }
        let tip = halves.last().map(VerifiedRun::last);
        halves.push(
            Run::sign(network(), SPACE, &writer(), tip, tail.to_vec()).expect("the second half"),
        );
        let heights = halves.iter().flat_map(|half| half.entries().map(|(height, _)| height));
        prop_assert!(heights.eq(whole.entries().map(|(height, _)| height)));
        // The last signature proves all: the second half is what is left of the whole.
        let rest = whole.from(u64::try_from(at).expect("few entries"));
        prop_assert_eq!(rest.as_ref(), halves.last());
        // And joined again, under that signature alone, they are the whole.
        let joined = Run {
            entries: halves.iter().flat_map(|half| half.as_run().entries.clone()).collect(),
            proof: halves.last().expect("a half").proof(),
            ..whole.as_run().clone()
        };
        prop_assert_eq!(verify(joined), Ok(whole));
    }

    #[test]
    fn a_run_up_to_a_cut_needs_no_signature_where_the_cut_is_known(entries in entries(), at: Index) {
        let whole = sign(entries.clone()).expect("a run");
        let (cut, _) = whole.entries().nth(at.index(entries.len())).expect("an entry");
        let mut part = whole.through(cut).expect("the cut is in the run").as_run().clone();
        part.proof = Proof::Cut;
        let key = writer().public();
        let known = part.clone().verify(network(), SPACE, &key, &[cut]);
        prop_assert_eq!(known.map(|run| run.last()), Ok(cut));
        let error = verify(part).expect_err("no cut is known");
        prop_assert_eq!(error.reason(), RefusalReason::GrantUnknown);
    }

    #[test]
    fn decoders_take_any_bytes_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        decode_everything(&bytes.into());
    }

    #[test]
    fn decoders_take_damaged_payloads_without_panic(
        entries in entries(),
        which: Index,
        at: Index,
        byte: u8,
    ) {
        let mut payload = which.get(&entries).payload.to_vec();
        let at = at.index(payload.len());
        payload[at] = byte;
        decode_everything(&payload.into());
    }

    #[test]
    fn decoders_take_damaged_bytes_without_panic(
        entries in entries(),
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
        end: Index,
    ) {
        let mut bytes = encode(sign(entries).expect("a run").as_run()).to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len()) + 1);
        decode_everything(&bytes.into());
    }

    #[test]
    fn heights_do_not_depend_on_the_order_they_came_in(
        feeds in prop::collection::btree_map(any::<[u8; 32]>(), (any::<u64>(), any::<[u8; 32]>()), 0..20)
            .prop_flat_map(|feeds| Just(feeds.into_iter().collect::<Vec<_>>()).prop_shuffle()),
    ) {
        let mut heights = Heights::new();
        for (name, (number, hash)) in &feeds {
            let hash = Hash::from_bytes(*hash);
            heights.set(FeedName::from_bytes(*name), node_feed::Height { number: *number, hash });
        }
        let sorted = heights.iter().collect::<Heights>();
        prop_assert_eq!(sorted.digest(SPACE), heights.digest(SPACE));
        prop_assert_eq!(Heights::decode(&heights.encode()), Ok(heights));
    }
}

fn decode_everything(bytes: &Bytes) {
    if let Ok(runs) = Run::decode_all(bytes) {
        for run in runs {
            let _ = verify(run);
        }
    }
    let _ = Heights::decode(bytes);
    let _ = Fact::decode(bytes);
    let _ = Open::decode(bytes);
    let _ = Card::decode(bytes);
    let _ = node_feed::Erase::decode(bytes);
    let _ = node_feed::Changes::decode(bytes);
    let _ = Opening::verify(bytes, network(), SPACE, &writer().public());
    for kind in 0..=8 {
        let _ = Payload::Held(bytes.clone()).hash(Kind(kind));
    }
}

#[test]
fn a_relay_cannot_alter_the_checksum_of_a_change() {
    let mut run = sign(vec![open(), changes(&[vec![1, 2, 3]])])
        .expect("a run")
        .as_run()
        .clone();
    let mut payload = run.entries[1].payload.bytes().expect("held").to_vec();
    payload[32 + 4] ^= 1;
    run.entries[1].payload = Payload::Held(payload.into());
    assert!(matches!(
        verify(run),
        Err(RunError::Payload { number: 1, .. })
    ));
}

#[test]
fn chunks_that_are_no_plain_changes_are_carried_byte_for_byte() {
    let mut compressed = chunk(&[1, 2, 3]);
    compressed[8] = 2;
    let payload = |chunk: &[u8]| Bytes::from([&[9; 32], chunk].concat());
    let before = Payload::Held(payload(&compressed)).hash(Kind::CHANGES);
    compressed[5] ^= 1;
    assert!(before.is_ok());
    assert_ne!(
        before,
        Payload::Held(payload(&compressed)).hash(Kind::CHANGES)
    );
}

#[test]
fn what_is_too_large_does_not_get_by_as_dropped() {
    let mut run = sign(vec![open(), card(vec![1])])
        .expect("a run")
        .as_run()
        .clone();
    let key = writer();
    for length in [0, 15, (1 << 20) + 1, u32::MAX] {
        let hash = Hash::from_bytes([8; 32]);
        run.entries[1].payload = Payload::Dropped { hash, length };
        let error = run
            .clone()
            .verify(network(), SPACE, &key.public(), &[])
            .expect_err("refused");
        assert_eq!(error.reason(), RefusalReason::Size, "{length}");
    }
}

#[test]
fn a_run_has_its_limits() {
    let small = || entry(Kind(200), vec![0; 16].into());
    let mut many = vec![open()];
    many.resize_with(RUN_ENTRIES_MAX, small);
    let run = sign(many.clone()).expect("as many as allowed");
    let tip = Some(run.last());
    many.push(small());
    assert!(
        matches!(sign(many), Err(RunError::Size { entries, .. }) if entries == RUN_ENTRIES_MAX + 1)
    );
    assert!(matches!(
        sign(vec![]),
        Err(RunError::Size { entries: 0, .. })
    ));
    let large = entry(Kind(200), vec![0; RUN_BYTES_MAX / 2].into());
    let next = |entries| Run::sign(network(), SPACE, &writer(), tip, entries);
    assert!(next(vec![large.clone(), large.clone()]).is_ok());
    let over = next(vec![large.clone(), large, small()]).expect_err("too many bytes");
    assert_eq!(over.reason(), RefusalReason::Size);
    let payload = entry(Kind(200), vec![0; RUN_BYTES_MAX / 2 + 1].into());
    assert_eq!(
        next(vec![payload]).expect_err("a large payload").reason(),
        RefusalReason::Size
    );
}

#[test]
fn a_run_of_more_entries_than_allowed_is_not_read_back_as_a_shorter_one() {
    let mut run = sign(vec![open()]).expect("a run").as_run().clone();
    run.entries = vec![run.entries[0].clone(); usize::from(u16::MAX) + 3];
    let read = Run::decode_all(&encode(&run));
    assert!(matches!(read, Err(RunError::Size { .. })), "{read:?}");
}

#[test]
fn numbers_and_times_beyond_all_reason_are_refused_and_nothing_overflows() {
    let run = |first, time_ms| Run {
        writer: *writer().public().as_bytes(),
        first,
        previous: Hash::from_bytes([1; 32]),
        entries: vec![RunEntry {
            time_ms,
            kind: Kind(200),
            subject: Subject::NONE,
            payload: Payload::Held(vec![0; 16].into()),
        }],
        proof: Proof::Cut,
    };
    for (first, time_ms) in [(u64::MAX - 1, 0), (u64::MAX, 0), (1 << 63, 0), (1, 1 << 63)] {
        assert_eq!(verify(run(first, time_ms)), Err(RunError::Number));
    }
    assert_eq!(verify(run(0, 0)), Err(RunError::Start));
    let tip = node_feed::Height {
        number: u64::MAX,
        hash: Hash::ZERO,
    };
    let full = Run::sign(network(), SPACE, &writer(), Some(tip), vec![card(vec![1])]);
    assert_eq!(full, Err(RunError::Number));
}

#[test]
fn number_0_is_the_open_and_no_other_entry_is() {
    let late = sign(vec![open(), open()]).expect_err("an open after number 0");
    let none = sign(vec![card(vec![1])]).expect_err("no open at number 0");
    for error in [late, none] {
        assert_eq!(error.reason(), RefusalReason::Open);
    }
}

#[test]
fn an_open_an_erasure_and_a_fact_always_stand() {
    let fact = Fact::Node {
        hub: HUB,
        node: writer().public().node(),
    };
    let fact = entry(Kind::GRANT, fact.encode(RANDOM));
    let erase = node_feed::Erase {
        random: RANDOM,
        subjects: vec![],
    };
    let erase = entry(Kind::ERASE, erase.encode().expect("no ids"));
    let run = sign(vec![open(), fact, erase])
        .expect("a run")
        .as_run()
        .clone();
    let stands = |number| RunError::Payload {
        number,
        source: PayloadError::Stands,
    };
    for (index, number) in (0..3).enumerate() {
        let mut dropped = run.clone();
        dropped.entries[index].payload = Payload::Dropped {
            hash: run.entries[index]
                .payload
                .hash(run.entries[index].kind)
                .expect("sound"),
            length: run.entries[index].payload.length(),
        };
        assert_eq!(verify(dropped), Err(stands(number)));
        let mut about = run.clone();
        about.entries[index].subject = Subject::from_bytes([1; 24]);
        assert_eq!(verify(about), Err(stands(number)));
    }
}

#[test]
fn heights_have_one_encoding() {
    let height = node_feed::Height {
        number: 1,
        hash: Hash::ZERO,
    };
    let one = |name| {
        [(FeedName::from_bytes([name; 32]), height)]
            .into_iter()
            .collect::<Heights>()
    };
    let join = |first: u8, second: u8| [one(first).encode(), one(second).encode()].concat();
    assert!(Heights::decode(&join(1, 2)).is_ok());
    for bytes in [join(2, 1), join(1, 1)] {
        assert_eq!(
            Heights::decode(&bytes),
            Err(DecodeError::Value("the order of feeds"))
        );
    }
    assert!(matches!(
        Heights::decode(&join(1, 2)[..143]),
        Err(DecodeError::Ends(_))
    ));
}

#[test]
fn long_texts_are_kept_whole() {
    let name = "ß".repeat(40_000);
    let fact = Fact::Hub {
        hub: HUB,
        code: String::new(),
        name,
    };
    assert_eq!(Fact::decode(&fact.encode(RANDOM)), Ok(fact));
}

#[test]
fn a_card_is_padded_in_one_way_only() {
    let payload = card(b"x".to_vec()).payload;
    assert_eq!(payload.len(), 256);
    assert!(Card::decode(&payload).is_ok());
    let mut tail = payload.to_vec();
    tail[255] = 1;
    let longer = [&payload[..], &[0; 256]].concat();
    for bytes in [tail, payload[..255].to_vec(), longer] {
        assert!(Card::decode(&bytes.into()).is_err());
    }
}

#[test]
fn nothing_that_a_payload_says_is_printed() {
    let entry = card(b"Mrs Example".to_vec());
    let card = Card::decode(&entry.payload).expect("a card");
    let run = sign(vec![open(), entry.clone()]).expect("a run");
    for printed in [
        format!("{entry:?}"),
        format!("{card:?}"),
        format!("{run:?}"),
    ] {
        assert!(
            !printed.contains("Mrs") && !printed.contains("77, 114, 115"),
            "{printed}"
        );
    }
}
