//! Hubs that edit one document and hand each other entries. Nothing is signed here: a document
//! is given what carriage has admitted.

use bytes::Bytes;
use node_document::{Author, ChangesEntry, Document, Edit, EditError, Heads, Outcome, Value};
use node_feed::{Changes, DocumentId, FeedName, Hash, HubId, Nonce, Tag, Writers};
use sha2::{Digest as _, Sha256};

/// A hub with its own copy of the document.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    pub(crate) author: Author,
    pub(crate) number: u64,
    pub(crate) document: Document,
}

pub(crate) fn shared_id() -> DocumentId {
    DocumentId::new(HubId::from_bytes([1; 8]), Writers::Members, [9; 15])
}

impl Hub {
    pub(crate) fn new(name: u8) -> Self {
        Self::with_document(name, shared_id())
    }

    pub(crate) fn with_document(name: u8, id: DocumentId) -> Self {
        let author = Author {
            writer: [name; 32],
            hub: HubId::from_bytes([name; 8]),
            nonce: Nonce([name; 16]),
        };
        Self {
            author,
            number: 0,
            document: Document::new(id),
        }
    }

    /// Edits at the current heads, saves, and returns the entry.
    pub(crate) fn edit(
        &mut self,
        work: impl FnOnce(&mut Edit<'_>) -> Result<(), EditError>,
    ) -> ChangesEntry {
        self.edit_at(None, work).expect("the edit is allowed")
    }

    pub(crate) fn edit_at(
        &mut self,
        at: Option<&Heads>,
        work: impl FnOnce(&mut Edit<'_>) -> Result<(), EditError>,
    ) -> Result<ChangesEntry, EditError> {
        let time_ms = 1_000 * (self.number + 1);
        let edited = self.document.edit(at, &self.author, time_ms, work)?;
        let entry = self.entry(edited.changes(Nonce([7; 16])), time_ms);
        assert_eq!(
            self.document.apply_edited(&entry, &edited),
            Outcome::Applied
        );
        assert_eq!(self.document.heads(), edited.heads_after());
        Ok(entry)
    }

    pub(crate) fn put(&mut self, path: &[&str], value: impl Into<Value>) -> ChangesEntry {
        let value = value.into();
        self.edit(|edit| edit.put(path, &value))
    }

    pub(crate) fn text(&mut self, path: &[&str], text: &str) -> ChangesEntry {
        self.edit(|edit| edit.update_text(path, text))
    }

    /// Takes entries, all of which must be applied.
    pub(crate) fn take(&mut self, entries: &[ChangesEntry]) {
        for outcome in self.document.apply(entries) {
            assert_eq!(outcome, Outcome::Applied);
        }
    }

    /// An entry of this hub's feed with these changes, honest or not.
    pub(crate) fn entry(&mut self, changes: Changes, time_ms: u64) -> ChangesEntry {
        let number = self.number;
        self.number += 1;
        let hash = Hash::of(Tag::Entry, &[&self.author.writer, &number.to_le_bytes()]);
        let feed = FeedName::from_bytes(self.author.writer);
        let Author { writer, hub, .. } = self.author;
        ChangesEntry {
            feed,
            number,
            hash,
            writer,
            hub,
            time_ms,
            changes,
        }
    }

    /// An entry of raw chunks.
    pub(crate) fn forge(&mut self, chunks: Vec<Vec<u8>>) -> ChangesEntry {
        let chunks = chunks.into_iter().map(Bytes::from).collect();
        let nonce = self.author.nonce;
        self.entry(
            Changes {
                random: Nonce([0; 16]),
                nonce,
                chunks,
            },
            1,
        )
    }

    /// The base actor of this hub, derived here once more.
    pub(crate) fn actor(&self) -> Vec<u8> {
        let id = self.document.id();
        let parts: [&[u8]; 3] = [&self.author.writer, id.as_bytes(), &self.author.nonce.0];
        Hash::of(Tag::Actor, &parts).as_bytes()[..16].to_vec()
    }
}

/// A change chunk put together by hand.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) deps: Vec<[u8; 32]>,
    pub(crate) actor: Vec<u8>,
    pub(crate) seq: u64,
    pub(crate) start_op: u64,
    pub(crate) others: Vec<Vec<u8>>,
    pub(crate) columns: Vec<(u64, Vec<u8>)>,
    pub(crate) extra: Vec<u8>,
}

impl Chunk {
    /// A first change of `hub` that puts nothing under one key, `rows` times.
    pub(crate) fn puts(hub: &Hub, rows: i64) -> Self {
        // Automerge writes a run of one as a literal, and gives back only what it would write.
        let length = if rows == 1 { -1 } else { rows };
        let run = |value: &[u8]| [signed(length), value.to_vec()].concat();
        let heads = hub.document.heads();
        Self {
            deps: heads.hashes().to_vec(),
            actor: hub.actor(),
            seq: 1,
            start_op: 1,
            others: Vec::new(),
            columns: vec![
                (0x15, run(b"\x01k")),                 // key
                (0x34, unsigned(rows.unsigned_abs())), // no insertions
                (0x42, run(&[1])),                     // action: put
                (0x56, run(&[0])),                     // value: null
                (0x70, run(&[0])),                     // nothing before
            ],
            extra: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut body = unsigned(self.deps.len() as u64);
        body.extend(self.deps.concat());
        body.extend(prefixed(&self.actor));
        body.extend(unsigned(self.seq));
        body.extend(unsigned(self.start_op));
        body.extend([0, 0]); // time, message
        body.extend(unsigned(self.others.len() as u64));
        body.extend(self.others.iter().flat_map(|other| prefixed(other)));
        body.extend(unsigned(self.columns.len() as u64));
        for (spec, data) in &self.columns {
            body.extend(unsigned(*spec));
            body.extend(unsigned(data.len() as u64));
        }
        body.extend(self.columns.iter().flat_map(|(_, data)| data.clone()));
        body.extend(&self.extra);
        chunk(1, &body)
    }
}

/// A chunk of `kind` with the right checksum.
pub(crate) fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let hashed = [&[kind], unsigned(body.len() as u64).as_slice(), body].concat();
    let checksum = &Sha256::digest(&hashed)[..4];
    [&[0x85, 0x6f, 0x4a, 0x83], checksum, &hashed].concat()
}

/// The same chunk with its checksum made right again.
pub(crate) fn corrected(mut chunk: Vec<u8>) -> Vec<u8> {
    let checksum = Sha256::digest(&chunk[8..]);
    chunk[4..8].copy_from_slice(&checksum[..4]);
    chunk
}

pub(crate) fn unsigned(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

pub(crate) fn signed(mut value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [unsigned(bytes.len() as u64), bytes.to_vec()].concat()
}

/// Pseudo-random numbers from a seed (SplitMix64).
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
