//! Taking over a packed document, once every change in it is accounted for.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ActorId, Automerge, Change};
use bytes::Bytes;
use node_feed::{Changes, DocumentId, FeedName, Hash, HubId, Nonce, Trail, change_hash};

use crate::actor::ActorBase;
use crate::apply::Batch;
use crate::candidate::{Candidate, guarded};
use crate::claims::{ClaimedEntry, Claims};
use crate::copied::take_copy_apart;
use crate::document::{Document, LoadError};
use crate::document_chunk;
use crate::entry::ChangesEntry;
use crate::outcome::{Fault, Outcome, SetAsideReason};
use crate::trial::{self, Trial};

/// A feed of which only what came after a checkpoint is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The feed, or branch of a fork.
    pub feed: FeedName,
    /// The key that signs it.
    pub writer: [u8; 32],
    /// The hub for which it is signed.
    pub hub: HubId,
    /// The number up to which the checkpoint speaks.
    pub base: u64,
    /// What the checkpoint says of the document; nothing if it does not list it.
    pub trail: Option<Trail>,
}

/// A packed document is not what its writers wrote, or not what the checkpoints say. One that is too
/// large counts as such: an honest node does not pack it. Ask somebody else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Forged(pub String);

/// The entries that a packed document stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The entries, each proved by a checkpoint, in an order in which they can be applied. Their own hash and random bytes are not packed, and
    /// zero here.
    pub entries: Vec<ChangesEntry>,
    /// The feeds and bases up to which it proved to have all of the document.
    pub proved: BTreeSet<(FeedName, u64)>,
}

/// The entries that a packed document stands for, of those feeds for which `bases` holds the
/// checkpoint that it was packed for. What else is in it counts for nothing.
///
/// `bytes` is what [`copied`](crate::copied) gave at the sender, and may be anything: it is
/// measured before Automerge sees it, and every entry passes the gate.
///
/// # Errors
/// [`Forged`]: nothing of it is to be used.
pub fn unpack(id: DocumentId, bytes: &[u8], bases: &[Base]) -> Result<Unpacked, Forged> {
    let Opened {
        claims,
        loaded,
        changes: all,
        ..
    } = Opened::read(id, bytes)?;
    drop(loaded);
    let mut account = Account::open(&all)?;
    let (mut found, proved) = account.prove(id, bases, &claims)?;
    // What builds on others comes after them, also where they are of another feed.
    found.sort_by_key(|found| found.changes.last().copied());
    let mut entries = Vec::with_capacity(found.len());
    for Found { mut entry, changes } in found {
        let changes = || changes.iter().map(|index| &all[*index]);
        Candidate::check(id, &entry, changes().cloned().collect())?;
        let chunks = changes().map(|change| Bytes::copy_from_slice(change.raw_bytes()));
        entry.changes.chunks = chunks.collect();
        entries.push(entry);
    }
    Ok(Unpacked { entries, proved })
}

impl Document {
    /// Makes a document of a packed one, of `entries` and nothing else: exactly the one that
    /// applying what [`unpack`] gives and every entry, one after the other, gives, for less. None if
    /// only applying them can tell: where the packed one lacks a base or holds what no entry here
    /// accounts for.
    ///
    /// Every change in it is accounted for and passes the gate, and the document is made
    /// again of these changes, so that their order in the bytes counts for nothing. `bases` are
    /// the feeds of the space that are held from a checkpoint on, `entries` all entries of the
    /// document that are held.
    ///
    /// # Errors
    /// [`Forged`]: nothing of the packed document is to be used.
    pub fn from_copy(
        id: DocumentId,
        bytes: &[u8],
        bases: &[Base],
        entries: &[ChangesEntry],
    ) -> Result<Option<Self>, Forged> {
        let Opened {
            claims,
            saved,
            loaded,
            changes,
        } = Opened::read(id, bytes)?;
        let mut account = Account::open(&changes)?;
        let (found, proved) = account.prove(id, bases, &claims)?;
        let is_whole =
            |base: &Base| base.trail.is_none() || proved.contains(&(base.feed, base.base));
        if !bases.iter().all(is_whole) {
            return Ok(None);
        }
        let (mut passed, mut candidates) = pass_gate(id, &changes, found)?;
        let held = above_bases(bases, entries);
        // What an entry brings that does not pass the gate is that entry's fault.
        let Ok(beside) = pass_gate(id, &changes, account.find(&held)) else {
            return Ok(None);
        };
        if account.taken.contains(&false) {
            return Ok(None);
        }
        passed.extend(beside.0);
        candidates.extend(beside.1);
        let mut document = Self::new(id);
        let batch = Batch::prepared(&passed, candidates);
        let picked = batch.pick(&document, usize::MAX);
        if picked.len() < passed.len() {
            return Ok(None);
        }
        let applied = batch.chosen(&picked);
        let candidates = applied.iter().map(|(_, candidate)| *candidate);
        let trial = rebuild(loaded, changes, saved, &candidates.collect::<Vec<_>>())?;
        document.accept(trial, &applied);
        let rest = held.into_values().cloned().collect::<Vec<_>>();
        let rebuild = |outcome: &Outcome| matches!(outcome, Outcome::Rebuild);
        let collides = document.apply(&rest).iter().any(rebuild);
        Ok((!collides).then_some(document))
    }
}

impl From<Fault> for Forged {
    fn from(fault: Fault) -> Self {
        if fault.detail.is_empty() {
            forged(fault.reason.to_string())
        } else {
            forged(format!("{} ({})", fault.reason, fault.detail))
        }
    }
}

fn forged(reason: impl Into<String>) -> Forged {
    Forged(reason.into())
}

fn unreadable(error: LoadError) -> Forged {
    forged(match error {
        LoadError::Format => "it is no copy of a record that this version reads".to_owned(),
        LoadError::OtherDocument => "it is the copy of another record".to_owned(),
        LoadError::Book(error) => format!("it is damaged: {error}"),
        LoadError::Damaged(detail) => format!("it is damaged: {detail}"),
    })
}

/// A packed document that Automerge has taken in.
struct Opened<'a> {
    claims: Vec<Claims>,
    saved: &'a [u8],
    loaded: Automerge,
    changes: Vec<Change>,
}

impl<'a> Opened<'a> {
    fn read(id: DocumentId, bytes: &'a [u8]) -> Result<Self, Forged> {
        let (claims, saved) = take_copy_apart(id, bytes).map_err(unreadable)?;
        document_chunk::measure(saved)?;
        let (loaded, changes) = guarded(SetAsideReason::Poison, || {
            let loaded = trial::load(saved)
                .map_err(|error| Fault::new(SetAsideReason::Poison, error.to_string()))?;
            let changes = loaded.get_changes(&[]);
            Ok((loaded, changes))
        })?;
        Ok(Self {
            claims,
            saved,
            loaded,
            changes,
        })
    }
}

/// Which changes of a packed document are accounted for.
struct Account<'a> {
    changes: &'a [Change],
    by_hash: BTreeMap<[u8; 32], usize>,
    /// By actor, in the order of sequence numbers, which begin at 1.
    by_actor: BTreeMap<&'a ActorId, Vec<usize>>,
    taken: Vec<bool>,
}

/// An entry and its changes in the packed document, in causal order.
struct Found {
    entry: ChangesEntry,
    changes: Vec<usize>,
}

impl<'a> Account<'a> {
    fn open(changes: &'a [Change]) -> Result<Self, Forged> {
        let mut by_hash = BTreeMap::new();
        let mut by_actor = BTreeMap::<_, Vec<usize>>::new();
        for (index, change) in changes.iter().enumerate() {
            by_hash.insert(change.hash().0, index);
            by_actor.entry(change.actor_id()).or_default().push(index);
        }
        for steps in by_actor.values_mut() {
            steps.sort_by_key(|index| changes[*index].seq());
            let mut numbered = steps.iter().zip(1..);
            if !numbered.all(|(index, seq)| changes[*index].seq() == seq) {
                return Err(Fault::from(SetAsideReason::OutOfOrder).into());
            }
        }
        Ok(Self {
            changes,
            by_hash,
            by_actor,
            taken: vec![false; changes.len()],
        })
    }

    /// Takes what the checkpoints prove, and says up to which bases that is all.
    #[expect(clippy::type_complexity, reason = "what is found and what that proves")]
    fn prove(
        &mut self,
        id: DocumentId,
        bases: &[Base],
        claims: &[Claims],
    ) -> Result<(Vec<Found>, BTreeSet<(FeedName, u64)>), Forged> {
        let mut spoken_of = BTreeSet::new();
        let (mut found, mut proved) = (Vec::new(), BTreeSet::new());
        for of_feed in claims {
            if !spoken_of.insert(of_feed.feed) {
                return Err(forged("it speaks of one feed twice"));
            }
            let here = |base: &&Base| (base.feed, base.base) == (of_feed.feed, of_feed.base);
            let Some(base) = bases.iter().find(here) else {
                // Nothing here proves what it says of this feed, so nothing of that is taken.
                continue;
            };
            if base.trail != Some(self.follow(id, base, of_feed, &mut found)?) {
                let reason = "it is not what the checkpoint of one of its writers says";
                return Err(forged(reason));
            }
            proved.insert((base.feed, base.base));
        }
        Ok((found, proved))
    }

    /// Takes the changes of one feed's entries, and returns the trail that they leave.
    fn follow(
        &mut self,
        id: DocumentId,
        base: &Base,
        claims: &Claims,
        proved: &mut Vec<Found>,
    ) -> Result<Trail, Forged> {
        let actors = claims.actors.iter().map(|actor| {
            let derived = ActorBase::derive(&base.writer, id, actor.nonce).at(actor.level);
            (derived, actor.first)
        });
        let mut actors = actors.collect::<Vec<_>>();
        let (mut trail, mut last) = (Trail::START, None);
        for entry in &claims.entries {
            if last.is_some_and(|last| last >= entry.number) || entry.number > base.base {
                return Err(forged("it speaks of entries in the wrong order"));
            }
            last = Some(entry.number);
            let nonce = nonce_of(claims, entry)?;
            let changes = self.take_shares(&mut actors, entry)?;
            let hashes = changes.iter().map(|index| self.changes[*index].hash().0);
            trail = trail.with(entry.number, entry.time_ms, &hashes.collect::<Vec<_>>());
            proved.push(Found {
                entry: claimed_entry(base, entry, nonce),
                changes,
            });
        }
        Ok(trail)
    }

    /// Takes the next changes of the actors that an entry names.
    fn take_shares(
        &mut self,
        actors: &mut [(ActorId, u64)],
        entry: &ClaimedEntry,
    ) -> Result<Vec<usize>, Forged> {
        let missing = || forged("it lacks changes of which it speaks");
        let mut changes = Vec::new();
        for (actor, count) in &entry.shares {
            let (actor, next) = actors.get_mut(*actor).ok_or_else(missing)?;
            let known = self.by_actor.get(&*actor).ok_or_else(missing)?;
            let from = next
                .checked_sub(1)
                .and_then(|from| usize::try_from(from).ok());
            let count = usize::try_from(*count).ok().filter(|count| *count > 0);
            let (from, count) = from.zip(count).ok_or_else(missing)?;
            let to = from.checked_add(count).ok_or_else(missing)?;
            changes.extend(known.get(from..to).ok_or_else(missing)?);
            *next = to as u64 + 1;
        }
        // Changes stand in causal order in the document.
        changes.sort_unstable();
        for index in &changes {
            if std::mem::replace(&mut self.taken[*index], true) {
                return Err(forged("it speaks of one change twice"));
            }
        }
        Ok(changes)
    }

    /// Takes the changes of those entries that are in the packed document already, and returns these
    /// entries.
    fn find(&mut self, held: &BTreeMap<(FeedName, u64), &ChangesEntry>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut left_out = None;
        for ((feed, _), entry) in held {
            // Entries of one feed take effect in the order of their numbers.
            if left_out == Some(*feed) {
                continue;
            }
            let hashes = entry.changes.chunks.iter().map(|chunk| change_hash(chunk));
            let changes = hashes.map(|hash| self.by_hash.get(&hash).copied());
            let Some(changes) = changes.collect::<Option<Vec<_>>>() else {
                left_out = Some(*feed);
                continue;
            };
            for index in &changes {
                self.taken[*index] = true;
            }
            found.push(Found {
                entry: (*entry).clone(),
                changes,
            });
        }
        found
    }
}

/// The start nonce of an entry: one, whatever lanes it was made on.
fn nonce_of(claims: &Claims, entry: &ClaimedEntry) -> Result<Nonce, Forged> {
    let nonces = entry.shares.iter();
    let mut nonces = nonces.map(|(actor, _)| claims.actors.get(*actor).map(|actor| actor.nonce));
    let nonce = nonces.next().flatten();
    match nonce {
        Some(nonce) if nonces.all(|other| other == Some(nonce)) => Ok(nonce),
        Some(_) | None => Err(forged(
            "it speaks of an entry of several authors, or of none",
        )),
    }
}

/// The entry as far as it is known: nothing of it can be set aside, so that its hash is not needed.
fn claimed_entry(base: &Base, entry: &ClaimedEntry, nonce: Nonce) -> ChangesEntry {
    ChangesEntry {
        feed: base.feed,
        number: entry.number,
        hash: Hash::ZERO,
        writer: base.writer,
        hub: base.hub,
        time_ms: entry.time_ms,
        changes: Changes {
            random: Nonce([0; 16]),
            nonce,
            chunks: Vec::new(),
        },
    }
}

/// The entries for which no base stands, each once.
fn above_bases<'a>(
    bases: &[Base],
    entries: &'a [ChangesEntry],
) -> BTreeMap<(FeedName, u64), &'a ChangesEntry> {
    let mut last = BTreeMap::<FeedName, u64>::new();
    for base in bases {
        let last = last.entry(base.feed).or_insert(base.base);
        *last = base.base.max(*last);
    }
    let above = entries.iter().filter(|entry| {
        let base = last.get(&entry.feed);
        base.is_none_or(|base| entry.number > *base)
    });
    above
        .map(|entry| ((entry.feed, entry.number), entry))
        .collect()
}

/// Puts the changes through the part of the gate that looks at one entry alone.
fn pass_gate(
    id: DocumentId,
    changes: &[Change],
    found: Vec<Found>,
) -> Result<(Vec<ChangesEntry>, Vec<Candidate>), Forged> {
    let mut passed = (Vec::new(), Vec::new());
    for found in found {
        let changes = found.changes.iter().map(|index| changes[*index].clone());
        let candidate = Candidate::check(id, &found.entry, changes.collect())?;
        passed.0.push(found.entry);
        passed.1.push(candidate);
    }
    Ok(passed)
}

/// The document as it is when its changes are applied, in their packed order. What a packed document
/// says beside its changes, such as the order of a text's characters, proves nothing.
fn rebuild(
    loaded: Automerge,
    changes: Vec<Change>,
    saved: &[u8],
    candidates: &[&Candidate],
) -> Result<Trial, Fault> {
    let rebuilt = guarded(SetAsideReason::Unfit, || {
        let mut rebuilt = Automerge::new();
        trial::apply_changes(&mut rebuilt, changes.into_iter())?;
        for candidate in candidates {
            trial::check_depth(&rebuilt, &candidate.made)?;
        }
        Ok(rebuilt)
    })?;
    guarded(SetAsideReason::Poison, || {
        let again = rebuilt.save();
        let automerge = if again == saved {
            loaded
        } else {
            // Another version of Automerge may write the same document otherwise.
            trial::load(&again)
                .map_err(|error| Fault::new(SetAsideReason::Poison, error.to_string()))?
        };
        if automerge.get_heads() != rebuilt.get_heads() {
            return Err(Fault::new(SetAsideReason::Poison, "its heads changed"));
        }
        Ok(Trial {
            automerge,
            saved: again,
        })
    })
}
