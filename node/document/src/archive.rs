//! A saved document that gives back the changes of entries, byte for byte.
//!
//! Automerge holds all changes of a document in columns, which is a fraction of what they take one
//! by one. So where they are rarely needed they can be taken out of their entries and made again of
//! the document.

use std::collections::BTreeMap;

use automerge::{Automerge, Change};
use bytes::Bytes;
use node_feed::{
    Changes, DecodeError, Decoder, DocumentId, Encoder, Hash, Nonce, Tag, change_hash,
};

use crate::candidate::guarded;
use crate::copied::NotCopied;
use crate::document::{LoadError, take_apart};
use crate::outcome::{Fault, SetAsideReason};
use crate::{document_chunk, numbers, trial};

/// The first bytes of an archive, with the version of its format.
const FORMAT: &[u8; 8] = b"cwarch\0\x01";
const NONCE_BYTES: usize = 16;
/// About how many bytes opening one may take: it is opened whenever a peer asks for an old entry.
const OPENED_BYTES_MAX: u64 = 32 << 20;

/// An archive, and which entries it gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// What [`unarchive`] reads.
    pub bytes: Bytes,
    /// Of each entry, in the order given, whether it is in it.
    pub holds: Vec<bool>,
}

/// Makes an archive of those of these entries whose changes the saved document gives back byte for
/// byte. `snapshot` is what [`Document::save`](crate::Document::save) gave.
///
/// # Errors
/// [`NotCopied`]: their changes must stay where they are.
pub fn archive(id: DocumentId, snapshot: &[u8], entries: &[Changes]) -> Result<Archive, NotCopied> {
    let (_, book, saved) = take_apart(id, snapshot)?;
    if book.all_set_aside().next().is_some() {
        return Err(NotCopied::SetAside);
    }
    let measured = document_chunk::measure(saved);
    let measured = measured.map_err(|fault| NotCopied::TooLarge(fault.detail))?;
    if measured.opened_bytes() > OPENED_BYTES_MAX {
        let why = "it takes too much memory to be opened now and then";
        return Err(NotCopied::TooLarge(why.to_owned()));
    }
    let changes = changes_in(saved).map_err(|fault| LoadError::Damaged(fault.detail))?;
    let by_hash = changes.iter().map(|change| (change.hash().0, change));
    let by_hash = by_hash.collect::<BTreeMap<_, _>>();
    let mut table = Table::default();
    let mut holds = Vec::with_capacity(entries.len());
    for entry in entries {
        let steps = entry.chunks.iter().map(|chunk| {
            let change = by_hash.get(&change_hash(chunk))?;
            (change.raw_bytes() == &chunk[..]).then_some(*change)
        });
        let steps = steps.collect::<Option<Vec<_>>>();
        holds.push(steps.is_some());
        if let Some(steps) = steps {
            table.add(entry, &steps);
        }
    }
    let columns = table.encode();
    let mut out = Encoder::new();
    out.bytes(id.as_bytes());
    out.length(columns.len()).bytes(&columns).bytes(saved);
    let content = out.finish();
    let mut out = Encoder::new();
    out.bytes(FORMAT).bytes(digest(&content).as_bytes());
    out.bytes(&content);
    let bytes = out.finish();
    // What is taken out on the strength of this is nowhere else.
    let back = unarchive(id, &bytes)?;
    let held = entries.iter().zip(&holds).filter(|(_, holds)| **holds);
    if !back.iter().eq(held.map(|(entry, _)| entry)) {
        return Err(LoadError::Damaged("it does not give back its entries".to_owned()).into());
    }
    Ok(Archive { bytes, holds })
}

/// The entries of an archive, as they were.
///
/// # Errors
/// [`LoadError`] if it cannot be read: the file that it was in is damaged.
pub fn unarchive(id: DocumentId, bytes: &[u8]) -> Result<Vec<Changes>, LoadError> {
    let mut input = Decoder::new(bytes);
    if input.take(FORMAT.len(), "the format").ok() != Some(FORMAT.as_slice()) {
        return Err(LoadError::Format);
    }
    let said = Hash::from_bytes(input.array("the digest")?);
    let content = input.rest();
    if digest(content) != said {
        return Err(LoadError::Damaged("it is not what was written".to_owned()));
    }
    let mut input = Decoder::new(content);
    if input.array("the document's id")? != *id.as_bytes() {
        return Err(LoadError::OtherDocument);
    }
    let length = input.length("a length")?;
    let table = Table::decode(&mut input.take(length, "the entries")?)?;
    let changes = changes_in(input.rest()).map_err(|fault| LoadError::Damaged(fault.detail))?;
    let by_place = changes
        .iter()
        .map(|change| ((change.actor_id().to_bytes(), change.seq()), change))
        .collect::<BTreeMap<_, _>>();
    let missing = || LoadError::Damaged("it lacks changes of its entries".to_owned());
    let entries = table.entries.iter().map(|entry| {
        let chunks = entry.steps.iter().map(|(actor, seq)| {
            let actor = table.actors.get(*actor)?;
            let change = by_place.get(&(&actor[..], *seq))?;
            Some(Bytes::copy_from_slice(change.raw_bytes()))
        });
        Ok(Changes {
            random: entry.random,
            nonce: *table.nonces.get(entry.nonce).ok_or_else(missing)?,
            chunks: chunks.collect::<Option<_>>().ok_or_else(missing)?,
        })
    });
    entries.collect()
}

fn digest(content: &[u8]) -> Hash {
    Hash::of(Tag::Archive, &[content])
}

fn changes_in(saved: &[u8]) -> Result<Vec<Change>, Fault> {
    guarded(SetAsideReason::Poison, || {
        let loaded = trial::load(saved)
            .map_err(|error| Fault::new(SetAsideReason::Poison, error.to_string()))?;
        Ok(Automerge::get_changes(&loaded, &[]))
    })
}

/// What is kept of entries beside their changes, and where in the document these are.
#[derive(Debug, Default)]
struct Table {
    nonces: Vec<Nonce>,
    actors: Vec<Vec<u8>>,
    entries: Vec<Archived>,
}

#[derive(Debug)]
struct Archived {
    random: Nonce,
    nonce: usize,
    /// Actor and sequence number of each change.
    steps: Vec<(usize, u64)>,
}

impl Table {
    fn add(&mut self, entry: &Changes, steps: &[&Change]) {
        let nonce = place_of(&mut self.nonces, entry.nonce);
        let steps = steps.iter().map(|change| {
            let actor = place_of(&mut self.actors, change.actor_id().to_bytes().to_vec());
            (actor, change.seq())
        });
        let steps = steps.collect();
        self.entries.push(Archived {
            random: entry.random,
            nonce,
            steps,
        });
    }

    /// Numbers stand in columns, as in copies.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        numbers::write(&mut out, self.nonces.len() as u64);
        for nonce in &self.nonces {
            out.extend_from_slice(&nonce.0);
        }
        numbers::write(&mut out, self.actors.len() as u64);
        for actor in &self.actors {
            numbers::write(&mut out, actor.len() as u64);
            out.extend_from_slice(actor);
        }
        numbers::write(&mut out, self.entries.len() as u64);
        for entry in &self.entries {
            out.extend_from_slice(&entry.random.0);
        }
        let entries = || self.entries.iter();
        numbers::write_differences(&mut out, entries().map(|entry| entry.nonce as u64));
        for entry in entries() {
            numbers::write(&mut out, entry.steps.len() as u64);
        }
        let steps = || entries().flat_map(|entry| &entry.steps);
        numbers::write_differences(&mut out, steps().map(|(actor, _)| *actor as u64));
        numbers::write_differences(&mut out, steps().map(|(_, seq)| *seq));
        out
    }

    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let mut table = Self::default();
        for _ in 0..numbers::read_count(input)? {
            let nonce = take(input, NONCE_BYTES)?;
            table.nonces.push(nonce_in(nonce)?);
        }
        for _ in 0..numbers::read_count(input)? {
            let length = numbers::read_count(input)?;
            table.actors.push(take(input, length)?.to_vec());
        }
        let entries = numbers::read_count(input)?;
        let randoms = take(input, entries.saturating_mul(NONCE_BYTES))?;
        let nonces = numbers::read_differences(input, entries)?;
        let lengths = (0..entries).map(|_| numbers::read_count(input));
        let lengths = lengths.collect::<Result<Vec<_>, _>>()?;
        // Each stands in two bytes or more, so that a sum beyond what is left fails right away.
        let all = lengths
            .iter()
            .fold(0usize, |all, one| all.saturating_add(*one));
        let actors = numbers::read_differences(input, all)?;
        let seqs = numbers::read_differences(input, all)?;
        if !input.is_empty() {
            return Err(DecodeError::Trailing(input.len()));
        }
        let mut steps = actors.into_iter().map(index).zip(seqs);
        let randoms = randoms.chunks_exact(NONCE_BYTES).map(nonce_in);
        for ((random, nonce), length) in randoms.zip(nonces).zip(lengths) {
            table.entries.push(Archived {
                random: random?,
                nonce: index(nonce),
                steps: steps.by_ref().take(length).collect(),
            });
        }
        Ok(table)
    }
}

fn place_of<T: PartialEq>(all: &mut Vec<T>, one: T) -> usize {
    let known = all.iter().position(|known| *known == one);
    known.unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    })
}

/// One that is too large is an index of nothing.
fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Result<&'a [u8], DecodeError> {
    let (taken, rest) = input
        .split_at_checked(length)
        .ok_or(DecodeError::Ends("the entries"))?;
    *input = rest;
    Ok(taken)
}

fn nonce_in(bytes: &[u8]) -> Result<Nonce, DecodeError> {
    let nonce = bytes.try_into();
    nonce.map(Nonce).map_err(|_| DecodeError::Value("a nonce"))
}
