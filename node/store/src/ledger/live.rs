//! Live entries: what comes of the feeds of a first copy while that is under way. They are kept with
//! the copy, proven like all entries, and are held once it is placed.

use std::collections::BTreeMap;

use node_feed::{
    Admission, Authority, FeedName, FeedTree, Hash, Height, Proof, RUN_ENTRIES_MAX, RefusalReason,
    SpaceId, TreeFeed, VerifiedRun,
};

use super::place::note_renewal;
use super::{obey_erasures, refuse, rows};
use crate::shelf::{LiveEnd, ReadLive, Row, Shelf};
use crate::writer_feeds::FeedKey;
use crate::{Appended, StoreError};

/// How many bytes of live entries are kept with one copy, about: some hundred thousand edits. What
/// comes beyond comes again once the copy is placed.
const LIVE_BYTES_MAX: u64 = 64 << 20;

/// Keeps a run that follows what the copy under way proves of its feed; none if it does not.
pub(super) fn keep(
    shelf: &mut impl Shelf,
    authority: &Authority,
    run: &VerifiedRun,
) -> Result<Option<Appended>, StoreError> {
    let (space, feed) = (run.space(), FeedName::from_bytes(*run.writer()));
    let Some(end) = shelf.live_end(space, feed)? else {
        return Ok(None);
    };
    let (first, last) = (run.first(), run.last());
    if last.number <= end.tip.number {
        let here = hash_at(shelf, space, feed, &end, last.number)?;
        // What the head itself holds before its end is not looked up.
        let is_here = here.map_or(last.number < end.head.number, |hash| hash == last.hash);
        return Ok(is_here.then_some(Appended::Live(None)));
    }
    let follows = if first == end.tip.number + 1 {
        run.previous() == end.tip.hash
    } else {
        run.hash_at(end.tip.number) == Some(end.tip.hash)
    };
    // Beyond what is kept nothing follows, and nothing is wrong with that.
    let is_full = end.bytes >= LIVE_BYTES_MAX;
    let news = run.from(end.tip.number + 1).filter(|_| follows);
    let Some(news) = news.filter(|_| !is_full) else {
        return Ok((is_full && (follows || first > end.tip.number)).then_some(Appended::Live(None)));
    };
    let admitted = match admit(shelf, authority, &end, &news)? {
        Ok(admitted) => admitted,
        Err(reason) => return Ok(Some(refuse(feed, run, news.first(), reason))),
    };
    for row in rows(shelf, &admitted)? {
        shelf.add_live(space, feed, row)?;
    }
    let entries = admitted.as_run().entries.iter();
    obey_erasures(shelf, &end.opening, entries)?;
    Ok(Some(Appended::Live(Some(admitted))))
}

/// Takes out the live entries of a feed that do not count any more, and notes that what was made of
/// them is to be made again. Whether there were any.
pub(super) fn trim(
    shelf: &mut impl Shelf,
    authority: &Authority,
    space: SpaceId,
    feed: FeedName,
) -> Result<bool, StoreError> {
    let Some(end) = shelf.live_end(space, feed)? else {
        return Ok(false);
    };
    let cuts = match authority.admission(space, feed.as_bytes(), &end.opening) {
        Admission::All => return Ok(false),
        Admission::UpTo(cuts) => cuts,
        Admission::NotYet(_) | Admission::Never(_) => Vec::new(),
    };
    let mut through = end.head.number;
    for cut in cuts {
        if cut.number > end.tip.number {
            // It may lead there.
            return Ok(false);
        }
        if shelf.live_hash(space, feed, cut.number)? == Some(cut.hash) {
            through = cut.number.max(through);
        }
    }
    if through >= end.tip.number {
        return Ok(false);
    }
    shelf.drop_live(space, feed, through + 1)?;
    note_renewal(shelf, space)?;
    let last = shelf.live_rows(space, feed, through, 1)?;
    if last.first().is_some_and(|row| row.proof.is_none()) {
        shelf.set_live_proof(space, feed, through, Proof::Cut)?;
    }
    Ok(true)
}

/// Puts the live entries of a feed after its head, as far as they count, and says where it ends then.
pub(super) fn place(
    shelf: &mut impl Shelf,
    authority: &Authority,
    space: SpaceId,
    (feed, key): (FeedName, FeedKey),
    head: Height,
) -> Result<Height, StoreError> {
    trim(shelf, authority, space, feed)?;
    let cuts = authority.cuts_of(space, feed.as_bytes());
    let is_proven = |row: &Row| match row.proof {
        Some(Proof::Signature(_)) => true,
        Some(Proof::Cut) => cuts.contains(&row.height),
        None => false,
    };
    let mut tip = head;
    loop {
        // A run is no longer, so that its proof is among these.
        let rows = shelf.live_rows(space, feed, tip.number + 1, RUN_ENTRIES_MAX)?;
        let Some(last) = rows.iter().rposition(is_proven) else {
            if !rows.is_empty() {
                // People saw them, and they are not held.
                note_renewal(shelf, space)?;
            }
            return Ok(tip);
        };
        for row in rows.into_iter().take(last + 1) {
            tip = row.height;
            shelf.insert(space, key, row)?;
        }
    }
}

fn admit(
    shelf: &impl ReadLive,
    authority: &Authority,
    end: &LiveEnd,
    news: &VerifiedRun,
) -> Result<Result<VerifiedRun, RefusalReason>, StoreError> {
    let (space, feed) = (news.space(), FeedName::from_bytes(*news.writer()));
    let admission = authority.admission(space, news.writer(), &end.opening);
    // What of it is held decides how far it may go on.
    let mut held = BTreeMap::new();
    for cut in admission.cuts() {
        if let Some(hash) = hash_at(shelf, space, feed, end, cut.number)? {
            held.insert(cut.number, hash);
        }
    }
    let place = TreeFeed {
        parent: None,
        start: 0,
        tip: Some(end.tip),
        base: 0,
    };
    let tree = FeedTree::new(BTreeMap::from([(feed, place)]));
    Ok(tree.admit(&admission, news, |_, number| held.get(&number).copied()))
}

fn hash_at(
    shelf: &impl ReadLive,
    space: SpaceId,
    feed: FeedName,
    end: &LiveEnd,
    number: u64,
) -> Result<Option<Hash>, StoreError> {
    if number == end.head.number {
        return Ok(Some(end.head.hash));
    }
    shelf.live_hash(space, feed, number)
}
