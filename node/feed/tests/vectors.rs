//! Golden vectors, from which another implementation can be checked.
//!
//! `tests/vectors/*.json` hold them; docs/protocol.md says what each field is. They are computed
//! anew here and compared. A difference is a change of the protocol: only if that is meant, write
//! them again with `CAUSEWAY_VECTORS=write cargo test -p node-feed --test vectors`.

use std::path::PathBuf;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use node_feed::{
    Access, AuthorityOpen, Card, CardId, Changes, Checkpoint, CopyPiece, Cut, CutTarget,
    DocumentId, Encoder, Entry, Erase, Fact, FeedCut, FeedName, GrantId, Hash, Header, Height,
    Heights, HubId, KeptEntry, Kind, NetworkId, NodeOpen, Nonce, Payload, Proof, Receipt, Run,
    SecretKey, SpaceId, SpaceKind, Subject, Tag, Trail, VerifiedRun, Writers, change_hash,
    root_digest, split_chunks,
};
use serde_json::{Value, json};

/// Two changes that automerge 0.12.0 made, with the hashes that it gave them.
const CHANGES: [(&str, &str); 2] = [
    (
        "856f4a83ac54227f01400010070707070707070707070707070707070101000000061507340142025603570d\
         70027f057469746c65017f017fd6014d6174687320666f7220616c6c7f00",
        "ac54227f158b6e4fb8d17fd08daa9358447fc4ac56a800dc8a1b7448147beae5",
    ),
    (
        "856f4a8370210744015401ac54227f158b6e4fb8d17fd08daa9358447fc4ac56a800dc8a1b7448147beae510\
         070707070707070707070707070707070202000000061508340142025602570170027f06706c61636573017f\
         017f14187f00",
        "7021074420ff158820334908dac7b9d6ae582cf37d5778ea0c5af1b9b54558a0",
    ),
];

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

fn unhex(text: &str) -> Bytes {
    let text = text.replace(char::is_whitespace, "");
    Bytes::from(HEXLOWER.decode(text.as_bytes()).expect("hex in this file"))
}

/// Who acts in the vectors: keys from seeds of one repeated byte.
struct Cast {
    root: SecretKey,
    authority: SecretKey,
    identity: SecretKey,
    writer: SecretKey,
    network: NetworkId,
    hub: HubId,
    space: SpaceId,
    document: DocumentId,
    card: CardId,
    grant: GrantId,
}

impl Cast {
    fn new() -> Self {
        let root = SecretKey::from_seed(&[0x01; 32]);
        let hub = HubId::from_bytes([0xa1; 8]);
        Self {
            network: root.public().network(),
            root,
            authority: SecretKey::from_seed(&[0x02; 32]),
            identity: SecretKey::from_seed(&[0x03; 32]),
            writer: SecretKey::from_seed(&[0x04; 32]),
            hub,
            space: SpaceId::from_bytes([0xb2; 16]),
            document: DocumentId::new(hub, Writers::Members, [0xc3; 15]),
            card: CardId::new(hub, Writers::Owner, [0xc4; 15]),
            grant: GrantId::from_bytes([0xd4; 32]),
        }
    }

    fn height(&self, number: u64) -> Height {
        Height {
            number,
            hash: Hash::of(Tag::Entry, &[&number.to_le_bytes()]),
        }
    }

    fn earlier(&self) -> (FeedName, Height) {
        (FeedName::from_bytes([0x5e; 32]), self.height(41))
    }

    fn node_open(&self) -> NodeOpen {
        let writer = self.writer.public();
        let who = (self.hub, self.grant);
        let random = Nonce([0x10; 16]);
        let earlier = vec![self.earlier()];
        NodeOpen::sign(
            self.network,
            self.space,
            &writer,
            &self.identity,
            who,
            earlier,
            random,
        )
    }

    fn changes(&self) -> Changes {
        Changes {
            random: Nonce([0x11; 16]),
            nonce: Nonce([0x12; 16]),
            chunks: CHANGES.iter().map(|(chunk, _)| unhex(chunk)).collect(),
        }
    }

    /// One entry of each kind that a node's feed may hold, and one of a kind yet unknown.
    fn entries(&self) -> Vec<Entry> {
        let card = Card {
            random: Nonce([0x13; 16]),
            replaces: vec![self.height(7).hash],
            body: Bytes::from_static(b"one revision"),
        };
        let erase = Erase {
            random: Nonce([0x14; 16]),
            subjects: vec![self.document.subject(), self.card.subject()],
        };
        let entry = |number: u64, kind, subject, payload| Entry {
            time_ms: 1_700_000_000_000 + number,
            kind,
            subject,
            payload,
        };
        let document = self.document.subject();
        vec![
            entry(
                0,
                Kind::OPEN,
                Subject::NONE,
                self.node_open().encode().expect("few feeds"),
            ),
            entry(1, Kind::CHANGES, document, self.changes().encode()),
            entry(
                2,
                Kind::CARD,
                self.card.subject(),
                card.encode().expect("a small card"),
            ),
            entry(
                3,
                Kind::ERASE,
                Subject::NONE,
                erase.encode().expect("few ids"),
            ),
            entry(4, Kind(200), Subject::NONE, Bytes::from(vec![0x15; 40])),
        ]
    }

    fn run(&self) -> VerifiedRun {
        Run::sign(self.network, self.space, &self.writer, None, self.entries()).expect("a run")
    }

    fn heights(&self) -> Heights {
        let feeds = [(0x71, 3), (0x70, 0), (0x72, u64::from(u32::MAX) + 1)];
        let height = |(name, number)| (FeedName::from_bytes([name; 32]), self.height(number));
        feeds.into_iter().map(height).collect()
    }
}

fn check(name: &str, computed: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(format!("{name}.json"));
    if std::env::var_os("CAUSEWAY_VECTORS").is_some_and(|value| value == "write") {
        let text = serde_json::to_string_pretty(computed).expect("JSON") + "\n";
        std::fs::write(&path, text).expect("the vectors can be written");
    }
    let text = std::fs::read_to_string(&path).expect("the vectors are there");
    let kept: Value = serde_json::from_str(&text).expect("the vectors are JSON");
    assert_eq!(&kept, computed, "{} differs", path.display());
}

#[test]
fn ids_and_keys_stay_as_they_are() {
    let cast = Cast::new();
    let actor = |nonce: Nonce| {
        let (key, document) = (cast.writer.public(), cast.document);
        let parts: [&[u8]; 3] = [key.as_bytes(), document.as_bytes(), &nonce.0];
        hex(&Hash::of(Tag::Actor, &parts).as_bytes()[..16])
    };
    let key =
        |key: &SecretKey| json!({"seed": hex(*key.seed()), "public": hex(key.public().as_bytes())});
    let value = json!({
        "root": key(&cast.root),
        "authority": key(&cast.authority),
        "identity": key(&cast.identity),
        "writer": key(&cast.writer),
        "network": hex(cast.network.as_bytes()),
        "network_text": cast.network.to_string(),
        "hub": hex(cast.hub.as_bytes()),
        "hub_text": cast.hub.to_string(),
        "document": hex(cast.document.as_bytes()),
        "document_text": cast.document.to_string(),
        "card": hex(cast.card.as_bytes()),
        "start_nonce": hex([0x12; 16]),
        "base_actor": actor(Nonce([0x12; 16])),
    });
    check("ids", &value);
}

#[test]
fn entries_of_every_kind_keep_their_bytes_hashes_and_signatures() {
    let cast = Cast::new();
    let mut previous: Option<Height> = None;
    let mut values = Vec::new();
    for entry in cast.entries() {
        let payload = Payload::Held(entry.payload.clone());
        let header = Header {
            space: cast.space,
            writer: *cast.writer.public().as_bytes(),
            number: previous.map_or(0, |height| height.number + 1),
            previous: previous.map_or(Hash::ZERO, |height| height.hash),
            time_ms: entry.time_ms,
            kind: entry.kind,
            subject: entry.subject,
            payload_hash: payload.hash(entry.kind).expect("a sound payload"),
            payload_length: payload.length(),
        };
        let run = Run::sign(
            cast.network,
            cast.space,
            &cast.writer,
            previous,
            vec![entry.clone()],
        )
        .expect("a run of one");
        let Proof::Signature(signature) = run.proof() else {
            panic!("a signed run has a signature");
        };
        assert_eq!(run.last().hash, header.hash(cast.network));
        values.push(json!({
            "kind": entry.kind.0,
            "number": header.number,
            "time_ms": entry.time_ms,
            "subject": hex(entry.subject.as_bytes()),
            "payload": hex(&entry.payload),
            "payload_hash": hex(header.payload_hash.as_bytes()),
            "header": hex(header.encode()),
            "hash": hex(run.last().hash.as_bytes()),
            "signature": hex(signature.0),
        }));
        previous = Some(run.last());
    }
    let value = json!({
        "network": hex(cast.network.as_bytes()),
        "space": hex(cast.space.as_bytes()),
        "writer_seed": hex(*cast.writer.seed()),
        "entries": values,
    });
    check("entries", &value);
}

#[test]
fn changes_are_named_as_automerge_names_them() {
    for (chunk, hash) in CHANGES {
        assert_eq!(hex(node_feed::change_hash(&unhex(chunk))), hash);
    }
    let both = CHANGES.map(|(chunk, _)| unhex(chunk)).concat();
    let chunks = split_chunks(&Bytes::from(both)).expect("two chunks");
    assert_eq!(chunks, CHANGES.map(|(chunk, _)| unhex(chunk)));
}

#[test]
fn runs_keep_their_bytes_on_the_wire() {
    let cast = Cast::new();
    let whole = cast.run();
    let encoded = |run: &Run| {
        let mut out = Encoder::new();
        run.encode(&mut out);
        hex(out.finish())
    };
    let mut dropped = whole.as_run().clone();
    let card = &mut dropped.entries[2];
    card.payload = Payload::Dropped {
        hash: card.payload.hash(card.kind).expect("a sound payload"),
        length: card.payload.length(),
    };
    let cut = whole.through(Height {
        number: 1,
        hash: whole.hash_at(1).expect("entry 1"),
    });
    let later = whole.from(3).expect("entries 3 and 4");
    let hashes = whole
        .entries()
        .map(|(height, _)| hex(height.hash.as_bytes()));
    let value = json!({
        "network": hex(cast.network.as_bytes()),
        "space": hex(cast.space.as_bytes()),
        "hashes": hashes.collect::<Vec<_>>(),
        "whole": encoded(whole.as_run()),
        "with_the_card_dropped": encoded(&dropped),
        "up_to_a_cut_at_1": encoded(cut.expect("entries 0 and 1").as_run()),
        "from_3": encoded(later.as_run()),
    });
    check("runs", &value);
}

#[test]
fn heights_and_digests_stay_as_they_are() {
    let cast = Cast::new();
    let heights = cast.heights();
    let other = SpaceId::from_bytes([0xb1; 16]);
    let empty = Heights::new().digest(other);
    let digest = heights.digest(cast.space);
    let value = json!({
        "space": hex(cast.space.as_bytes()),
        "heights": hex(heights.encode()),
        "digest": hex(digest.as_bytes()),
        "other_space": hex(other.as_bytes()),
        "other_digest_of_nothing": hex(empty.as_bytes()),
        "root_digest_of_both": hex(root_digest(&[(cast.space, digest), (other, empty)].into()).as_bytes()),
        "root_digest_of_nothing": hex(root_digest(&[].into()).as_bytes()),
    });
    check("heights", &value);
}

#[test]
fn opens_of_both_forms_keep_their_bytes() {
    let cast = Cast::new();
    let authority = |term, continues, random| {
        let writer = cast.authority.public();
        let open = AuthorityOpen::sign(&cast.root, &writer, term, continues, Nonce([random; 16]));
        assert_eq!(open.verify(cast.network, &writer), Ok(()));
        hex(open.encode())
    };
    let node = cast.node_open();
    let writer = cast.writer.public();
    assert_eq!(node.verify(cast.network, cast.space, &writer), Ok(()));
    let value = json!({
        "root_seed": hex(*cast.root.seed()),
        "identity_seed": hex(*cast.identity.seed()),
        "authority_writer": hex(cast.authority.public().as_bytes()),
        "writer": hex(writer.as_bytes()),
        "space": hex(cast.space.as_bytes()),
        "node": hex(node.encode().expect("few feeds")),
        "first_term": authority(1, None, 0x20),
        "second_term": authority(2, Some(cast.earlier()), 0x21),
    });
    check("opens", &value);
}

#[test]
fn facts_keep_their_bytes() {
    let cast = Cast::new();
    let node = cast.identity.public().node();
    let cut = |target| {
        Fact::Cut(Cut {
            target,
            reason: "left the programme".to_owned(),
            feeds: vec![FeedCut {
                space: cast.space,
                writer: *cast.writer.public().as_bytes(),
                last: cast.height(12),
            }],
        })
    };
    let facts = [
        (
            "hub",
            Fact::Hub {
                hub: cast.hub,
                code: "NCETM07".to_owned(),
                name: "Hub am Fluß".to_owned(),
            },
        ),
        (
            "node",
            Fact::Node {
                hub: cast.hub,
                node,
            },
        ),
        (
            "space",
            Fact::Space {
                space: cast.space,
                kind: SpaceKind::Project,
                title: "Mastery".to_owned(),
            },
        ),
        (
            "grant",
            Fact::Grant {
                space: cast.space,
                hub: cast.hub,
                access: Access::Write,
            },
        ),
        ("cut_grant", cut(CutTarget::Grant(cast.hub, cast.space))),
        ("cut_hub", cut(CutTarget::Hub(cast.hub))),
        ("cut_node", cut(CutTarget::Node(node))),
        (
            "certificates",
            Fact::Certificates {
                authority: Bytes::from_static(&[0x30, 0x82]),
            },
        ),
    ];
    let mut value = serde_json::Map::new();
    for (name, fact) in facts {
        let payload = fact.encode(Nonce([0x30; 16]));
        assert_eq!(Fact::decode(&payload), Ok(fact));
        value.insert(name.to_owned(), hex(payload).into());
    }
    check("facts", &Value::Object(value));
}

#[test]
fn receipts_keep_their_signatures() {
    let cast = Cast::new();
    let receipt = Receipt::sign(
        cast.network,
        cast.space,
        &cast.identity,
        1_700_000_000_000,
        cast.heights(),
    );
    assert_eq!(receipt.verify(cast.network), Ok(()));
    let value = json!({
        "network": hex(cast.network.as_bytes()),
        "space": hex(receipt.space.as_bytes()),
        "node": hex(receipt.node.as_bytes()),
        "time_ms": receipt.time_ms,
        "heights": hex(receipt.heights.encode()),
        "signature": hex(receipt.signature.0),
    });
    check("receipts", &value);
}

/// What one part of a checkpoint lists: documents, and entries that are kept.
type Lists<'a> = (&'a [(Subject, Trail)], &'a [Height]);

/// The parts of a checkpoint with these lists. They need not be large to be several: whoever reads
/// them puts the lists together.
fn parts(lists: &[Lists<'_>]) -> Vec<Checkpoint> {
    let parts = lists.len() as u16;
    let lists = lists.iter().zip(0..);
    let of_lists = lists.map(|((documents, kept), part)| Checkpoint {
        random: Nonce([0x40 + part as u8; 16]),
        part,
        parts,
        documents: documents.to_vec(),
        kept: kept.to_vec(),
    });
    let of_lists = of_lists.collect::<Vec<_>>();
    for (at, part) in of_lists.iter().enumerate() {
        assert!(part.goes_on(&of_lists[..at]));
        assert_eq!(Checkpoint::decode(&part.encode()).as_ref(), Ok(part));
    }
    of_lists
}

fn listed(documents: &[(Subject, Trail)]) -> Value {
    let of_document = |(document, trail): &(Subject, Trail)| json!({"document": hex(document.as_bytes()), "trail": hex(trail.0.as_bytes())});
    documents.iter().map(of_document).collect()
}

fn numbered(heights: &[Height]) -> Value {
    let height = |it: &Height| json!({"number": it.number, "hash": hex(it.hash.as_bytes())});
    heights.iter().map(height).collect()
}

#[test]
fn trails_and_checkpoints_keep_their_bytes() {
    let cast = Cast::new();
    let hashes = CHANGES.map(|(chunk, _)| change_hash(&unhex(chunk)));
    let time_ms = 1_700_000_000_000;
    let mut trail = Trail::START;
    let mut trails = Vec::new();
    // The order of an entry's changes does not count: the first has two, not sorted.
    for (number, changes) in [(3, &hashes[..]), (70_000, &hashes[..1])] {
        let time_ms = time_ms + number;
        trail = trail.with(number, time_ms, changes);
        trails.push(json!({
            "number": number,
            "time_ms": time_ms,
            "change_hashes": changes.iter().map(hex).collect::<Vec<_>>(),
            "trail": hex(trail.0.as_bytes()),
        }));
    }
    let document = |name| {
        let id = DocumentId::new(cast.hub, Writers::Members, [name; 15]);
        let trail = Trail(Hash::of(Tag::Trail, &[&[name]]));
        (id.subject(), trail)
    };
    let documents = [document(0xc1), document(0xc2), document(0xc3)];
    let kept = [0, 7, 4_000_000_000].map(|number| cast.height(number));
    let checkpoint = |lists: &[Lists<'_>]| {
        let payloads = parts(lists)
            .into_iter()
            .map(|part| hex(part.encode()))
            .collect::<Vec<_>>();
        json!(payloads)
    };
    let value = json!({
        "trails_of_one_document": trails,
        "documents": listed(&documents),
        "kept": numbered(&kept),
        "in_one_part": checkpoint(&[(&documents, &kept)]),
        "in_three_parts": checkpoint(&[
            (&documents[..2], &[]),
            (&documents[2..], &kept[..1]),
            (&[], &kept[1..]),
        ]),
        "of_nothing": checkpoint(&[(&[], &[])]),
    });
    check("checkpoints", &value);
}

/// A feed of which a first copy is made: an open, changes of a document, a card, changes of another
/// document, a kind yet unknown, a checkpoint of two parts, and the erasure of the other document.
struct Copied {
    run: VerifiedRun,
    documents: [(Subject, Trail); 2],
    kept: Vec<Height>,
}

impl Copied {
    const CHECKPOINT: u64 = 5;
    const LAST_PART: u64 = 6;

    fn new(cast: &Cast) -> Self {
        let erased = DocumentId::new(cast.hub, Writers::Members, [0xc5; 15]);
        let changes = Changes {
            chunks: vec![unhex(CHANGES[0].0)],
            ..cast.changes()
        };
        let mut entries = cast.entries();
        entries[3] = Entry {
            kind: Kind::CHANGES,
            subject: erased.subject(),
            payload: changes.encode(),
            ..entries[3].clone()
        };
        let sign = |entries: Vec<Entry>| {
            Run::sign(cast.network, cast.space, &cast.writer, None, entries).expect("a run")
        };
        let height = |run: &VerifiedRun, number| Height {
            number,
            hash: run.hash_at(number).expect("an entry"),
        };
        let before = sign(entries.clone());
        let trail = |number: u64, chunks: &[Bytes]| {
            let hashes = chunks.iter().map(|chunk| change_hash(chunk));
            let time_ms = entries[number as usize].time_ms;
            Trail::START.with(number, time_ms, &hashes.collect::<Vec<_>>())
        };
        let documents = [
            (cast.document.subject(), trail(1, &cast.changes().chunks)),
            (erased.subject(), trail(3, &changes.chunks)),
        ];
        let kept = [0, 2, 4].map(|number| height(&before, number)).to_vec();
        for part in parts(&[(&documents, &kept[..1]), (&[], &kept[1..])]) {
            entries.push(Entry {
                time_ms: 1_700_000_000_000 + entries.len() as u64,
                kind: Kind::CHECKPOINT,
                subject: Subject::NONE,
                payload: part.encode(),
            });
        }
        let erase = Erase {
            random: Nonce([0x42; 16]),
            subjects: vec![erased.subject()],
        };
        entries.push(Entry {
            time_ms: 1_700_000_000_007,
            kind: Kind::ERASE,
            subject: Subject::NONE,
            payload: erase.encode().expect("one id"),
        });
        Self {
            run: sign(entries),
            documents,
            kept,
        }
    }

    fn base(&self) -> Height {
        Height {
            number: Self::LAST_PART,
            hash: self.run.hash_at(Self::LAST_PART).expect("the last part"),
        }
    }

    fn kept_entry(&self, kept: &Height) -> KeptEntry {
        let before = kept.number.checked_sub(1);
        let run = self.run.as_run();
        KeptEntry {
            writer: run.writer,
            number: kept.number,
            previous: before.map_or(Hash::ZERO, |it| self.run.hash_at(it).expect("an entry")),
            entry: run.entries[kept.number as usize].clone(),
        }
    }
}

#[test]
fn pieces_of_a_copy_keep_their_bytes() {
    let cast = Cast::new();
    let copied = Copied::new(&cast);
    let encoded = |piece: &CopyPiece| {
        let mut out = Encoder::new();
        piece.encode(&mut out);
        let bytes = out.finish();
        let read = CopyPiece::decode_all(&bytes).expect("one piece");
        assert_eq!(read.as_slice(), std::slice::from_ref(piece));
        assert_eq!(piece.weight(), bytes.len());
        hex(bytes)
    };
    let proof = copied.run.from(Copied::CHECKPOINT).expect("the checkpoint");
    let kept = copied.kept.iter().map(|kept| {
        let entry = copied.kept_entry(kept);
        assert_eq!(entry.hash(cast.network, cast.space), Ok(kept.hash));
        json!({
            "number": kept.number,
            "hash": hex(kept.hash.as_bytes()),
            "piece": encoded(&CopyPiece::Kept(entry)),
        })
    });
    let document = |at: usize, bytes: &'static [u8]| {
        let (subject, _) = copied.documents[at];
        let bytes = Bytes::from_static(bytes);
        encoded(&CopyPiece::Document { subject, bytes })
    };
    let base = copied.base();
    let trunk = FeedName::from_bytes(*cast.writer.public().as_bytes());
    let bases = Heights::from_iter([(trunk, base)]);
    let value = json!({
        "network": hex(cast.network.as_bytes()),
        "space": hex(cast.space.as_bytes()),
        "writer_seed": hex(*cast.writer.seed()),
        "documents": listed(&copied.documents),
        "kept": kept.collect::<Vec<_>>(),
        "first_part": Copied::CHECKPOINT,
        "base": {"number": base.number, "hash": hex(base.hash.as_bytes())},
        "bases": hex(bases.encode()),
        "id": hex(bases.digest(cast.space).as_bytes()),
        "proof": encoded(&CopyPiece::Proof(proof.as_run().clone())),
        // To carriage a packed document is bytes.
        "document": document(0, b"a packed document"),
        "document_erased_since": document(1, b""),
    });
    check("copies", &value);
}
