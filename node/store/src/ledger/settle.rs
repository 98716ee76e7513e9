//! Making what counts agree with the authority log.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{
    Admission, Authority, Encoder, FeedName, Graft, Hash, Height, Kind, Open, Opening, Proof,
    PublicKey, RefusalReason, SpaceId,
};

use super::attach::attach;
use super::place::evict_all;
use super::{Hashes, hash_at, live};
use crate::StoreError;
use crate::shelf::{EvidenceRow, Shelf};
use crate::writer_feeds::WriterFeeds;

/// How many rows leave a feed at a time.
const EVICT_ROWS: u64 = 256;

/// Applies `authority` to every writer of whom it says something else than it did before.
///
/// A log that is frozen, or of which nothing is held yet, ends nothing: it says less than was
/// known before, so what has counted stays. Of the log's own feeds it does say what counts.
pub(crate) fn reconcile(
    shelf: &mut impl Shelf,
    authority: &Authority,
) -> Result<Vec<SpaceId>, StoreError> {
    let mut changed = BTreeSet::new();
    let says_little = authority.is_frozen() || authority.length() == 0;
    let log_space = SpaceId::authority(authority.network());
    for (space, writer) in shelf.writers()? {
        if says_little && space != log_space {
            continue;
        }
        let Some(mut feeds) = shelf.writer(space, writer)? else {
            continue;
        };
        let said = said(shelf, authority, &feeds)?;
        if said == feeds.applied {
            continue;
        }
        let before = feeds.places();
        if let Some(reason) = ends_below_base(shelf, authority, &feeds)? {
            // What counts of it is in no entry that is held here.
            evict_all(shelf, &mut feeds, reason)?;
        }
        feeds.applied = said;
        return_evidence(shelf, authority, &mut feeds)?;
        drop_ended_proofs(shelf, authority, &feeds)?;
        settle(shelf, authority, &mut feeds)?;
        shelf.save_writer(&feeds)?;
        if feeds.places() != before {
            changed.insert(space);
        }
    }
    for (space, place) in shelf.copies()? {
        for (feed, _) in place.bases.iter().filter(|_| !says_little) {
            if live::trim(shelf, authority, space, feed)? {
                changed.insert(space);
            }
        }
    }
    Ok(changed.into_iter().collect())
}

/// Why entries that only a first copy stands for do not count any more, if any do not.
fn ends_below_base(
    shelf: &impl Shelf,
    authority: &Authority,
    feeds: &WriterFeeds,
) -> Result<Option<RefusalReason>, StoreError> {
    let mut based = feeds.feeds.iter().filter(|(_, feed)| feed.place.base > 0);
    let Some((name, feed)) = based.next() else {
        return Ok(None);
    };
    let ends = ends(shelf, authority, feeds)?;
    let end = ends.get(name).filter(|(end, _)| *end <= feed.place.base);
    Ok(end.map(|(_, reason)| *reason))
}

/// Notes what `authority` says of a writer whose first entries were stored under it.
pub(super) fn note_applied(
    shelf: &impl Shelf,
    authority: &Authority,
    feeds: &mut WriterFeeds,
) -> Result<(), StoreError> {
    feeds.applied = said(shelf, authority, feeds)?;
    Ok(())
}

/// Takes out what does not count, what nothing proves any more, and branches that are alone.
pub(super) fn settle(
    shelf: &mut impl Shelf,
    authority: &Authority,
    feeds: &mut WriterFeeds,
) -> Result<(), StoreError> {
    let mut ends = ends(shelf, authority, feeds)?;
    prove(shelf, authority, feeds, &mut ends)?;
    evict(shelf, feeds, &ends)?;
    collapse(shelf, feeds)
}

/// Where a feed ends: the number after its last entry that counts, and why.
type Ends = BTreeMap<FeedName, (u64, RefusalReason)>;

/// Everything the authority log says of a writer, as bytes to compare.
fn said(
    shelf: &impl Shelf,
    authority: &Authority,
    feeds: &WriterFeeds,
) -> Result<Vec<u8>, StoreError> {
    let mut openings = Vec::new();
    let held = feeds.feeds.values().filter_map(|feed| feed.opening);
    let left = shelf.evidence_of(feeds)?;
    let left = left.iter().filter_map(evident_opening);
    for opening in held.chain(left) {
        if !openings.contains(&opening) {
            openings.push(opening);
        }
    }
    let mut parts = openings
        .iter()
        .map(|opening| {
            let mut out = Encoder::new();
            match authority.admission(feeds.space, &feeds.writer, opening) {
                Admission::All => out.u8(1),
                Admission::UpTo(cuts) => encode_heights(out.u8(2), &cuts),
                Admission::NotYet(reason) => out.u8(3).u8(reason as u8),
                Admission::Never(reason) => out.u8(4).u8(reason as u8),
            };
            out.finish()
        })
        .collect::<Vec<_>>();
    parts.sort_unstable();
    parts.dedup();
    let mut out = Encoder::new();
    encode_heights(&mut out, &authority.cuts_of(feeds.space, &feeds.writer));
    for part in parts {
        out.bytes(&part);
    }
    Ok(out.finish().to_vec())
}

fn encode_heights<'a>(out: &'a mut Encoder, heights: &[Height]) -> &'a mut Encoder {
    out.u32(u32::try_from(heights.len()).unwrap_or(u32::MAX));
    for height in heights {
        out.u64(height.number).bytes(height.hash.as_bytes());
    }
    out
}

/// What a number 0 among the evidence says; it was verified when it came.
pub(crate) fn evident_opening(left: &EvidenceRow) -> Option<Opening> {
    if left.row.height.number != 0 || left.row.kind != Kind::OPEN {
        return None;
    }
    opening_of(left.row.payload.bytes()?)
}

/// What an `open` says, without a look at who signed it.
pub(super) fn opening_of(payload: &[u8]) -> Option<Opening> {
    match Open::decode(payload).ok()? {
        Open::Node(open) => Some(Opening::Node {
            hub: open.hub,
            node: open.node,
            grant: open.grant,
        }),
        Open::Authority(open) => Some(Opening::Authority {
            term: open.term,
            continues: open.continues,
        }),
    }
}

/// Puts all evidence back where it was, so that what counts of it can stay.
pub(super) fn return_evidence(
    shelf: &mut impl Shelf,
    authority: &Authority,
    feeds: &mut WriterFeeds,
) -> Result<(), StoreError> {
    for left in shelf.evidence_of(feeds)? {
        let height = left.row.height;
        let before = height.number.checked_sub(1).map(|number| Height {
            number,
            hash: left.previous,
        });
        let hashes = Hashes::new(shelf, feeds);
        let tree = feeds.tree();
        let at = |feed, number| hashes.at(feed, number);
        let graft = tree.place(feeds.writer, before, [height], at);
        let parent = before.and_then(|before| tree.holder(before, at));
        let graft = hashes.finish(graft)?;
        let opening = match before {
            None => verify_opening(authority, feeds, &left),
            Some(_) => parent.and_then(|name| feeds.feeds.get(&name)?.opening),
        };
        let (Ok(graft), Some(opening)) = (graft, opening) else {
            continue;
        };
        shelf.delete_evidence(feeds, height.hash)?;
        if graft != Graft::Held {
            attach(shelf, feeds, &graft, vec![left.row], opening)?;
        }
    }
    Ok(())
}

fn verify_opening(
    authority: &Authority,
    feeds: &WriterFeeds,
    left: &EvidenceRow,
) -> Option<Opening> {
    let key = PublicKey::from_bytes(&feeds.writer).ok()?;
    let payload = left.row.payload.bytes()?;
    Opening::verify(payload, authority.network(), feeds.space, &key).ok()
}

/// Forgets proofs by cuts that the authority log no longer has.
fn drop_ended_proofs(
    shelf: &mut impl Shelf,
    authority: &Authority,
    feeds: &WriterFeeds,
) -> Result<(), StoreError> {
    let cuts = authority.cuts_of(feeds.space, &feeds.writer);
    for feed in feeds.feeds.values() {
        for height in shelf.cut_proofs(feed.key)? {
            if !cuts.contains(&height) {
                shelf.set_proof(feed.key, height.number, None)?;
            }
        }
    }
    Ok(())
}

fn ends(
    shelf: &impl Shelf,
    authority: &Authority,
    feeds: &WriterFeeds,
) -> Result<Ends, StoreError> {
    let hashes = Hashes::new(shelf, feeds);
    let tree = feeds.tree();
    let mut ends = Ends::new();
    for (name, feed) in &feeds.feeds {
        let whole = (feed.place.next(), RefusalReason::Cut);
        let Some(opening) = feed.opening else {
            ends.insert(*name, whole);
            continue;
        };
        let end = match authority.admission(feeds.space, &feeds.writer, &opening) {
            // A term whose place in the chain is not known yet must stay for the log to be found.
            Admission::All | Admission::NotYet(RefusalReason::Gap) => whole,
            Admission::UpTo(cuts) => {
                let counted = tree.counted(&cuts, |feed, number| hashes.at(feed, number));
                let end = counted.get(name).copied().unwrap_or(feed.place.start);
                (end.min(whole.0), RefusalReason::Cut)
            }
            Admission::NotYet(reason) | Admission::Never(reason) => (feed.place.start, reason),
        };
        ends.insert(*name, end);
    }
    hashes.finish(ends)
}

/// Every feed must end at a proof, or go on in a branch that does; what follows the last proof
/// could not be passed on.
fn prove(
    shelf: &mut impl Shelf,
    authority: &Authority,
    feeds: &WriterFeeds,
    ends: &mut Ends,
) -> Result<(), StoreError> {
    let cuts = authority.cuts_of(feeds.space, &feeds.writer);
    for name in feeds.branches_first() {
        let feed = feeds.feeds[&name];
        let (end, reason) = ends[&name];
        let goes_on = end == feed.place.next()
            && feeds
                .branches(name)
                .iter()
                .any(|branch| ends[branch].0 > feeds.feeds[branch].place.start);
        if goes_on || end <= feed.place.start {
            continue;
        }
        let proven = shelf.proof_before(feed.key, end)?;
        if proven == Some(end - 1) {
            continue;
        }
        let last = hash_at(shelf, feeds, name, end - 1)?.map(|hash| Height {
            number: end - 1,
            hash,
        });
        if last.is_some_and(|last| cuts.contains(&last)) {
            shelf.set_proof(feed.key, end - 1, Some(Proof::Cut))?;
            continue;
        }
        let proven = proven.filter(|number| *number >= feed.place.start);
        let end = proven.map_or(feed.place.start, |number| number + 1);
        ends.insert(name, (end, reason));
    }
    Ok(())
}

fn evict(shelf: &mut impl Shelf, feeds: &mut WriterFeeds, ends: &Ends) -> Result<(), StoreError> {
    for name in feeds.branches_first() {
        let feed = feeds.feeds[&name];
        let (end, reason) = ends[&name];
        let next = feed.place.next();
        if end >= next {
            continue;
        }
        let tip = before(shelf, feeds, name, end)?;
        let mut previous = tip.map_or(Hash::ZERO, |tip| tip.hash);
        let mut first = end;
        while first < next {
            let last = next.min(first + EVICT_ROWS) - 1;
            for row in shelf.rows(feed.key, first, last)? {
                let hash = row.height.hash;
                let left = EvidenceRow {
                    row,
                    previous,
                    reason,
                };
                shelf.add_evidence(feeds, left)?;
                previous = hash;
            }
            first = last + 1;
        }
        shelf.delete_rows(feed.key, end)?;
        if end > feed.place.start {
            feeds.set_tip(name, tip);
        } else {
            feeds.feeds.remove(&name);
            shelf.delete_feed(feed.key)?;
        }
    }
    Ok(())
}

/// The entry before `number` of a feed, which its parent may hold.
pub(super) fn before(
    shelf: &impl Shelf,
    feeds: &WriterFeeds,
    name: FeedName,
    number: u64,
) -> Result<Option<Height>, StoreError> {
    let Some(feed) = feeds.feeds.get(&name) else {
        return Ok(None);
    };
    if number > feed.place.start {
        let hash = hash_at(shelf, feeds, name, number - 1)?;
        return Ok(hash.map(|hash| Height {
            number: number - 1,
            hash,
        }));
    }
    let parent = feed
        .place
        .parent
        .and_then(|parent| feeds.feeds.get(&parent));
    Ok(parent.and_then(|parent| parent.place.tip))
}

/// A branch that is alone goes on as the feed that it branched from, as on a node that never saw
/// the other; a trunk that held nothing itself goes with its branches.
fn collapse(shelf: &mut impl Shelf, feeds: &mut WriterFeeds) -> Result<(), StoreError> {
    for name in feeds.branches_first() {
        let Some(feed) = feeds.feeds.get(&name).copied() else {
            continue;
        };
        let branches = feeds.branches(name);
        match branches.as_slice() {
            [] if feed.place.tip.is_none() => {
                feeds.feeds.remove(&name);
                shelf.delete_feed(feed.key)?;
            }
            [branch] => {
                let branch = *branch;
                let Some(alone) = feeds.feeds.remove(&branch) else {
                    continue;
                };
                shelf.move_rows(alone.key, alone.place.start, feed.key)?;
                shelf.delete_feed(alone.key)?;
                feeds.hand_branches(branch, name);
                if let Some(feed) = feeds.feeds.get_mut(&name) {
                    feed.place.tip = alone.place.tip;
                    feed.opening = alone.opening;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
