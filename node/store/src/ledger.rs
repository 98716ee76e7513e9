//! What a run does to what is held: the rules of carriage, over any store's rows.

mod attach;
mod live;
mod place;
mod settle;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use node_feed::{
    Admission, Authority, Erase, FeedName, Graft, Hash, Height, Kind, Opening, Parting, Proof,
    PublicKey, RefusalReason, RunEntry, SpaceId, Subject, TreeError, TreeFeed, VerifiedRun,
};

pub(crate) use self::place::{
    copied_feeds, drop_base, drop_copy, offer_copy, place_copy, take_copy,
};
pub(crate) use self::settle::{evident_opening, reconcile};
use crate::shelf::{ReadShelf, Row, Shelf, without_bytes};
use crate::writer_feeds::WriterFeeds;
use crate::{Appended, Refused, StoreError, Stored};

/// Stores `runs` in order and answers each. The caller undoes everything if this fails.
pub(crate) fn append(
    shelf: &mut impl Shelf,
    authority: &Authority,
    runs: Vec<VerifiedRun>,
) -> Result<Vec<Appended>, StoreError> {
    let mut writers = BTreeMap::<(SpaceId, [u8; 32]), (WriterFeeds, bool)>::new();
    let mut answers = Vec::with_capacity(runs.len());
    for run in runs {
        let id = (run.space(), *run.writer());
        let (mut feeds, changed) = match writers.remove(&id) {
            Some(known) => known,
            None => {
                let held = shelf.writer(id.0, id.1)?;
                let feeds = held.unwrap_or_else(|| WriterFeeds::new(id.0, id.1));
                (feeds, false)
            }
        };
        let answer = append_run(shelf, authority, &mut feeds, run)?;
        let changed = changed || matches!(answer, Appended::Stored(_));
        answers.push(answer);
        writers.insert(id, (feeds, changed));
    }
    for (feeds, _) in writers.values().filter(|(_, changed)| *changed) {
        shelf.save_writer(feeds)?;
    }
    Ok(answers)
}

/// Everything is decided before the first row is written, so a refusal leaves nothing behind.
fn append_run(
    shelf: &mut impl Shelf,
    authority: &Authority,
    feeds: &mut WriterFeeds,
    run: VerifiedRun,
) -> Result<Appended, StoreError> {
    let graft = match graft(shelf, feeds, &run)? {
        Ok(graft) => graft,
        Err(TreeError::Gap(_)) if let Some(answer) = live::keep(shelf, authority, &run)? => {
            return Ok(answer);
        }
        Err(error) => {
            let parting = match error {
                TreeError::Base(_, parting) => Some(parting),
                TreeError::Gap(_) => None,
            };
            return Ok(refuse_gap(feeds, &run, parting));
        }
    };
    let (feed, from) = match &graft {
        Graft::Held => {
            fill(shelf, authority, feeds, &run)?;
            return Ok(Appended::Held);
        }
        Graft::Extend { feed, from } => (*feed, *from),
        Graft::Fork { trunk, from, .. } => (*trunk, *from),
    };
    let opening = match opening(shelf, authority, feeds, &run, from)? {
        Ok(opening) => opening,
        Err(reason) => return Ok(refuse(feed, &run, from, reason)),
    };
    let admission = authority.admission(run.space(), run.writer(), &opening);
    let admitted = match admit(shelf, feeds, &admission, &run)? {
        Ok(admitted) if admitted.last().number < from => {
            let number = admitted.last().number + 1;
            return Ok(refuse(feed, &run, number, RefusalReason::Cut));
        }
        Ok(admitted) => admitted,
        Err(reason) => return Ok(refuse(feed, &run, from, reason)),
    };

    let before = feeds.places();
    if from > run.first() {
        fill(shelf, authority, feeds, &run)?;
    }
    let Some(new) = admitted.from(from) else {
        return Ok(Appended::Held);
    };
    if !place::leads_on(shelf, feeds, feed, new.last())? {
        return Ok(refuse_gap(feeds, &run, Some(Parting::Proven)));
    }
    let rows = rows(shelf, &new)?;
    attach::attach(shelf, feeds, &graft, rows, opening)?;
    place::look_for_whole(shelf, feeds, feed, new.last().number)?;
    obey_erasures(shelf, &opening, new.as_run().entries.iter())?;
    if shelf.goes_on(feeds, new.last())? {
        // It left with a base that this feed was held from, and now follows what is held.
        settle::return_evidence(shelf, authority, feeds)?;
    }
    if feeds.applied.is_empty() {
        settle::note_applied(shelf, authority, feeds)?;
    }
    if !admission.cuts().is_empty() {
        settle::settle(shelf, authority, feeds)?;
    }
    let holder = holder(shelf, feeds, new.last())?;
    let (changed, removed) = difference(&before, &feeds.places());
    Ok(Appended::Stored(Stored {
        feed: holder.unwrap_or(feed),
        feeds: changed,
        removed,
        forked: matches!(graft, Graft::Fork { .. }),
        opening: (from == 0).then_some(opening),
        run: new,
    }))
}

fn refuse_gap(feeds: &WriterFeeds, run: &VerifiedRun, at_base: Option<Parting>) -> Appended {
    Appended::Refused(Refused {
        at_base,
        ..refused(feeds.trunk(), run, run.first(), RefusalReason::Gap)
    })
}

fn refuse(feed: FeedName, run: &VerifiedRun, number: u64, reason: RefusalReason) -> Appended {
    Appended::Refused(refused(feed, run, number, reason))
}

fn refused(feed: FeedName, run: &VerifiedRun, number: u64, reason: RefusalReason) -> Refused {
    Refused {
        feed,
        number,
        hash: run.hash_at(number).unwrap_or(run.last().hash),
        reason,
        at_base: None,
    }
}

/// What the run's feed says of its writer: its own number 0, or that of the feed it extends.
fn opening(
    shelf: &impl Shelf,
    authority: &Authority,
    feeds: &WriterFeeds,
    run: &VerifiedRun,
    from: u64,
) -> Result<Result<Opening, RefusalReason>, StoreError> {
    if from > 0 {
        let number = from - 1;
        let hash = run.hash_at(number).unwrap_or(run.previous());
        let holder = holder(shelf, feeds, Height { number, hash })?;
        let opening = holder.and_then(|name| feeds.feeds.get(&name)?.opening);
        return Ok(opening.ok_or(RefusalReason::Gap));
    }
    // Carriage makes sure that number 0 is an open, whole.
    let first = run.as_run().entries.first();
    let opening = first.and_then(|first| {
        let payload = first.payload.bytes()?;
        let key = PublicKey::from_bytes(run.writer()).ok()?;
        Opening::verify(payload, authority.network(), run.space(), &key).ok()
    });
    Ok(opening.ok_or(RefusalReason::Open))
}

fn rows(shelf: &impl Shelf, run: &VerifiedRun) -> Result<Vec<Row>, StoreError> {
    let last = run.last().number;
    let rows = run.entries().map(|(height, entry)| {
        let proof = (height.number == last).then(|| run.proof());
        row(shelf, height, entry, proof)
    });
    rows.collect()
}

/// An entry as it is kept: without its payload if what it is about was erased.
fn row(
    shelf: &impl Shelf,
    height: Height,
    entry: &RunEntry,
    proof: Option<Proof>,
) -> Result<Row, StoreError> {
    let erased = !entry.kind.stands() && is_erased(shelf, entry.subject)?;
    Ok(Row {
        height,
        time_ms: entry.time_ms,
        kind: entry.kind,
        subject: entry.subject,
        payload: if erased {
            without_bytes(entry.kind, &entry.payload)
        } else {
            entry.payload.clone()
        },
        archived: false,
        proof,
    })
}

fn is_erased(shelf: &impl Shelf, subject: Subject) -> Result<bool, StoreError> {
    Ok(subject != Subject::NONE && shelf.is_erased(subject)?)
}

/// Obeys what the owner of a subject, or the authority, says of it.
fn obey_erasures<'a>(
    shelf: &mut impl Shelf,
    opening: &Opening,
    entries: impl Iterator<Item = &'a RunEntry>,
) -> Result<(), StoreError> {
    let mut erased = BTreeSet::new();
    for entry in entries.filter(|entry| entry.kind == Kind::ERASE) {
        // An erasure that cannot be read was refused by its author's own node; meaning shows it.
        let Some(Ok(erase)) = entry.payload.bytes().map(|bytes| Erase::decode(bytes)) else {
            continue;
        };
        for subject in erase.subjects {
            let may = match opening {
                Opening::Node { hub, .. } => subject.owner() == *hub,
                Opening::Authority { .. } => true,
            };
            if may && subject != Subject::NONE {
                shelf.erase(subject)?;
                erased.insert(subject);
            }
        }
    }
    if erased.is_empty() {
        return Ok(());
    }
    place::erase_from_copies(shelf, &erased)
}

/// Fills in payloads that were dropped when the entries came first, and that this run brings.
fn fill(
    shelf: &mut impl Shelf,
    authority: &Authority,
    feeds: &WriterFeeds,
    run: &VerifiedRun,
) -> Result<(), StoreError> {
    let last = run.last();
    let mut filled = false;
    for feed in feeds.feeds.values() {
        for height in shelf.dropped(feed.key, run.first(), last.number)? {
            let entry = run
                .entries()
                .find(|(held, _)| *held == height)
                .map(|(_, entry)| entry);
            let Some((entry, payload)) = entry.and_then(|e| Some((e, e.payload.bytes()?))) else {
                continue;
            };
            if is_erased(shelf, entry.subject)? {
                continue;
            }
            shelf.fill(feed.key, height.number, payload)?;
            filled = true;
        }
    }
    // The stored run was within its bounds without these payloads; with them it may not be, so
    // it is divided where this run ends.
    let divide = filled && {
        let cuts = authority.cuts_of(run.space(), run.writer());
        run.proof() != node_feed::Proof::Cut || cuts.contains(&last)
    };
    if divide && let Some(name) = holder(shelf, feeds, last)? {
        let feed = feeds.feeds[&name].key;
        if shelf.proof_before(feed, last.number + 1)? != Some(last.number) {
            shelf.set_proof(feed, last.number, Some(run.proof()))?;
        }
    }
    Ok(())
}

/// Answers hashes to the pure rules of `node-feed`, which know no errors, and keeps the first.
struct Hashes<'a, S> {
    shelf: &'a S,
    feeds: &'a WriterFeeds,
    error: RefCell<Option<StoreError>>,
}

impl<'a, S: ReadShelf> Hashes<'a, S> {
    const fn new(shelf: &'a S, feeds: &'a WriterFeeds) -> Self {
        Self {
            shelf,
            feeds,
            error: RefCell::new(None),
        }
    }

    fn at(&self, name: FeedName, number: u64) -> Option<Hash> {
        let feed = self.feeds.feeds.get(&name)?;
        match feed.place.tip {
            // The commonest question by far needs no row.
            Some(tip) if tip.number == number => return Some(tip.hash),
            Some(tip) if number >= feed.place.start && number < tip.number => {}
            Some(_) | None => return None,
        }
        match self.shelf.hash(feed.key, number) {
            Ok(hash) => hash,
            Err(error) => {
                self.error.borrow_mut().get_or_insert(error);
                None
            }
        }
    }

    fn finish<T>(self, answer: T) -> Result<T, StoreError> {
        match self.error.into_inner() {
            None => Ok(answer),
            Some(error) => Err(error),
        }
    }
}

fn graft(
    shelf: &impl Shelf,
    feeds: &WriterFeeds,
    run: &VerifiedRun,
) -> Result<Result<Graft, TreeError>, StoreError> {
    let hashes = Hashes::new(shelf, feeds);
    let graft = feeds
        .tree()
        .graft(run, |feed, number| hashes.at(feed, number));
    hashes.finish(graft)
}

fn admit(
    shelf: &impl Shelf,
    feeds: &WriterFeeds,
    admission: &Admission,
    run: &VerifiedRun,
) -> Result<Result<VerifiedRun, RefusalReason>, StoreError> {
    let hashes = Hashes::new(shelf, feeds);
    let tree = feeds.tree();
    let admitted = tree.admit(admission, run, |feed, number| hashes.at(feed, number));
    hashes.finish(admitted)
}

/// The feed that itself holds this entry.
pub(crate) fn holder(
    shelf: &impl ReadShelf,
    feeds: &WriterFeeds,
    height: Height,
) -> Result<Option<FeedName>, StoreError> {
    let hashes = Hashes::new(shelf, feeds);
    let tree = feeds.tree();
    let holder = tree.holder(height, |feed, number| hashes.at(feed, number));
    hashes.finish(holder)
}

/// The hash of entry `number`, if the feed itself holds it.
pub(crate) fn hash_at(
    shelf: &impl ReadShelf,
    feeds: &WriterFeeds,
    name: FeedName,
    number: u64,
) -> Result<Option<Hash>, StoreError> {
    let hashes = Hashes::new(shelf, feeds);
    let hash = hashes.at(name, number);
    hashes.finish(hash)
}

/// Feeds that are new or changed, and feeds that are no more.
fn difference(
    before: &BTreeMap<FeedName, TreeFeed>,
    after: &BTreeMap<FeedName, TreeFeed>,
) -> (Vec<(FeedName, TreeFeed)>, Vec<FeedName>) {
    let changed = after
        .iter()
        .filter(|(name, feed)| before.get(name) != Some(feed))
        .map(|(name, feed)| (*name, *feed))
        .collect();
    let removed = before
        .keys()
        .filter(|name| !after.contains_key(name))
        .copied()
        .collect();
    (changed, removed)
}
