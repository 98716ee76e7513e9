//! A document with a long history.

use bytes::Bytes;
use node::Node;
use node::clock::now_ms;
use node_document::Author;
use node_feed::{
    Changes, DocumentId, Entry, Hash, Kind, Nonce, SpaceId, Tag, Writers, change_hash,
};
use tests::world::World;

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
/// `cargo sync-bench open --changes 100000` opens a longer one.
const CHANGES: u64 = 5_000;
/// How many are signed together.
const TOGETHER: usize = 500;

/// Changes of one author, each an entry that puts nothing under a key of its own. Automerge would
/// take minutes to make so many where its own assertions run.
struct Pen {
    id: DocumentId,
    author: Author,
    actor: [u8; 16],
    last: Option<[u8; 32]>,
    seq: u64,
}

impl Pen {
    fn new(author: Author) -> Self {
        let id = DocumentId::new(author.hub, Writers::Members, [1; 15]);
        let parts: [&[u8]; 3] = [&author.writer, id.as_bytes(), &author.nonce.0];
        let hash = Hash::of(Tag::Actor, &parts);
        let actor = hash.as_bytes().first_chunk().expect("a hash is longer");
        Self {
            id,
            author,
            actor: *actor,
            last: None,
            seq: 0,
        }
    }

    fn next(&mut self) -> Entry {
        let chunk = self.chunk();
        self.last = Some(change_hash(&chunk));
        let changes = Changes {
            random: Nonce([7; 16]),
            nonce: self.author.nonce,
            chunks: vec![Bytes::from(chunk)],
        };
        Entry {
            time_ms: now_ms(),
            kind: Kind::CHANGES,
            subject: self.id.subject(),
            payload: changes.encode(),
        }
    }

    /// As docs/protocol.md says that a change is written.
    fn chunk(&mut self) -> Vec<u8> {
        self.seq += 1;
        let key = format!("field {}", self.seq);
        let run = |value: &[u8]| [&[0x7f], value].concat();
        let columns = [
            (0x15, run(&prefixed(key.as_bytes()))),
            (0x34, vec![1]),
            (0x42, run(&[1])),
            (0x56, run(&[0])),
            (0x70, run(&[0])),
        ];
        let mut body = unsigned(self.last.iter().len() as u64);
        body.extend(self.last.iter().flatten());
        body.extend(prefixed(&self.actor));
        body.extend(unsigned(self.seq));
        // Each change has one operation.
        body.extend(unsigned(self.seq));
        // No time, no message, no other actor.
        body.extend([0, 0, 0]);
        body.extend(unsigned(columns.len() as u64));
        for (column, data) in &columns {
            body.extend(unsigned(*column));
            body.extend(unsigned(data.len() as u64));
        }
        body.extend(columns.iter().flat_map(|(_, data)| data));
        let length = unsigned(body.len() as u64);
        let mut chunk = [&[0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1], &*length, &body].concat();
        let hash = change_hash(&chunk);
        chunk[4..8].copy_from_slice(&hash[..4]);
        chunk
    }
}

fn unsigned(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [unsigned(bytes.len() as u64), bytes.to_vec()].concat()
}

/// The digest of a space's documents, for which all are opened that were not looked at before.
fn documents(node: &Node, space: SpaceId) -> Hash {
    let spaces = node.spaces().expect("spaces are listed");
    let found = spaces.into_iter().find(|summary| summary.id == space);
    found.expect("the space is there").documents_digest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_document_opens_from_its_saved_state_and_no_entry_is_applied_again() {
    let mut world = World::new().await;
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
    }
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let south = world.hub(SOUTH).clone();
    let mut pen = Pen::new(south.author(space).expect("the hub may write"));
    let all = (0..CHANGES).map(|_| pen.next()).collect::<Vec<_>>();
    for some in all.chunks(TOGETHER) {
        let wrote = south.write_all(space, some.to_vec());
        wrote.expect("entries are written");
    }
    let written = documents(&south, space);
    assert!(south.entries_applied() >= CHANGES);
    drop(south);
    // At the others they arrive bit by bit.
    world.agree(space).await;
    for hub in [SOUTH, WEST] {
        world.stop_hub(hub).await;
        world.start_hub(hub);
        let node = world.hub(hub);
        assert_eq!(documents(node, space), written);
        assert!(node.documents_opened() > 0, "{hub} opened none");
        assert_eq!(node.entries_applied(), 0, "{hub}");
    }
}
