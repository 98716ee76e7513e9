//! First copies: taking them slice by slice, and putting a whole one in its place once its documents
//! were checked.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{
    Admission, Authority, Checkpoint, CopyOffer, CopyPiece, CopyPlace, CopySlice, CopyTaken,
    Encoder, FeedName, Hash, Height, Heights, KeptEntry, Kind, NodeId, Opening, PublicKey,
    RefusalReason, Run, RunEntry, RunError, SpaceId, Subject, TreeFeed, VerifiedRun,
};

use super::{live, obey_erasures, rows, settle};
use crate::shelf::{EvidenceRow, ReadShelf, Shelf, without_bytes};
use crate::writer_feeds::{Feed, WriterFeeds};
use crate::{CopiedFeed, CopyPlaced, StoreError};

/// How many bytes the head of a copy may have; its documents are bounded by its checkpoints. Thirty
/// times what a checkpoint of ten years needs. More is taken for forged.
const PIECES_BYTES_MAX: u64 = 256 << 20;
/// How many rows leave a feed at a time.
const EVICT_ROWS: u64 = 256;

/// Why a copy is not taken.
struct Refused {
    why: String,
    forged: bool,
}

impl Refused {
    /// No honest node would send it.
    fn forged(why: impl ToString) -> Self {
        Self {
            why: why.to_string(),
            forged: true,
        }
    }

    /// This node knows more than the sender.
    fn known(why: impl ToString) -> Self {
        Self {
            why: why.to_string(),
            forged: false,
        }
    }
}

/// Begins a copy, in the place of another that is under way unless it is the same.
pub(crate) fn offer_copy(
    shelf: &mut impl Shelf,
    peer: NodeId,
    offer: &CopyOffer,
) -> Result<CopyTaken, StoreError> {
    let space = offer.space;
    let under_way = shelf.copy_place(space)?;
    let place = match under_way.filter(|place| place.bases == offer.bases) {
        Some(place) => CopyPlace { peer, ..place },
        None => {
            drop_copy(shelf, space)?;
            CopyPlace {
                peer,
                bases: offer.bases.clone(),
                documents: None,
                of: offer.documents,
            }
        }
    };
    shelf.set_copy(space, &place)?;
    Ok(CopyTaken::Partly(place))
}

/// Keeps what is new of one slice of a copy.
pub(crate) fn take_copy(
    shelf: &mut impl Shelf,
    authority: &Authority,
    slice: &CopySlice,
) -> Result<CopyTaken, StoreError> {
    let space = slice.space;
    let place = shelf.copy_place(space)?;
    let Some(place) = place.filter(|place| place.bases.digest(space) == slice.id) else {
        return Ok(CopyTaken::Lost);
    };
    let taken = match place.documents {
        None => take_pieces(shelf, authority, slice, place)?,
        Some(documents) => take_documents(shelf, slice, place, documents)?,
    };
    match taken {
        Ok(place) => {
            shelf.set_copy(space, &place)?;
            Ok(CopyTaken::Partly(place))
        }
        Err(Refused { why, forged }) => {
            drop_copy(shelf, space)?;
            Ok(CopyTaken::Refused { why, forged })
        }
    }
}

/// Keeps what comes next of the head, and verifies it once all of it is here.
fn take_pieces(
    shelf: &mut impl Shelf,
    authority: &Authority,
    slice: &CopySlice,
    mut place: CopyPlace,
) -> Result<Result<CopyPlace, Refused>, StoreError> {
    let space = slice.space;
    let is_document = |piece: &CopyPiece| matches!(piece, CopyPiece::Document { .. });
    if slice.pieces.iter().any(is_document) {
        // They are sent again once their checkpoint is known here.
        return Ok(Ok(place));
    }
    if slice.before == 0 {
        // A sender says it again from the start whenever a session begins.
        shelf.drop_copy_pieces(space)?;
    }
    let (count, mut bytes) = shelf.copy_size(space)?;
    if slice.before != count {
        return Ok(Ok(place));
    }
    for piece in slice.pieces.iter() {
        let mut out = Encoder::new();
        piece.encode(&mut out);
        let piece = out.finish();
        bytes = bytes.saturating_add(piece.len() as u64);
        if bytes > PIECES_BYTES_MAX {
            return Ok(Err(Refused::forged("a checkpoint needs too much")));
        }
        shelf.add_copy_piece(space, &piece)?;
    }
    if !slice.ends {
        return Ok(Ok(place));
    }
    let all = match check_all(shelf, authority, space, &place)? {
        Ok(all) => all,
        Err(why) => return Ok(Err(why)),
    };
    let documents = all.iter().flat_map(|(_, based)| &based.parts);
    let documents = documents.flat_map(|part| &part.documents);
    let documents = documents.map(|(subject, _)| *subject);
    let documents = documents.collect::<BTreeSet<_>>();
    let documents = documents.into_iter().collect::<Vec<_>>();
    shelf.set_copy_list(space, &documents)?;
    shelf.set_copy_tips(space, &tips(&all))?;
    let ends = all.iter().filter_map(|(held, based)| {
        let last = based.runs.last()?.last();
        Some((held.trunk(), last, based.opening))
    });
    shelf.set_live_ends(space, &ends.collect::<Vec<_>>())?;
    // They are proven, and a document of the copy may be missing because of one.
    for (_, based) in &all {
        let kept = based.kept.iter().map(|(_, kept)| &kept.entry);
        let runs = based.runs.iter().flat_map(|run| &run.as_run().entries);
        obey_erasures(shelf, &based.opening, kept.chain(runs))?;
    }
    place.documents = Some(0);
    place.of = documents.len() as u64;
    Ok(Ok(place))
}

/// Keeps the documents that come next.
fn take_documents(
    shelf: &mut impl Shelf,
    slice: &CopySlice,
    mut place: CopyPlace,
    documents: u64,
) -> Result<Result<CopyPlace, Refused>, StoreError> {
    let list = shelf.copy_list(slice.space)?;
    let mut next = documents;
    if slice.before > next {
        return Ok(Ok(place));
    }
    for (piece, number) in slice.pieces.iter().zip(slice.before..) {
        let CopyPiece::Document { subject, bytes } = piece else {
            // It was here before the sender said it again.
            continue;
        };
        if number != next {
            continue;
        }
        let listed = usize::try_from(number).ok().and_then(|at| list.get(at));
        if listed != Some(subject) {
            return Ok(Err(Refused::forged(
                "a document of the copy is none that its checkpoints list next",
            )));
        }
        if !shelf.is_erased(*subject)? {
            shelf.add_base(slice.space, *subject, bytes)?;
        }
        next += 1;
    }
    place.documents = Some(next);
    Ok(Ok(place))
}

/// Puts a copy whose documents were checked in its place. Everything is decided before the first
/// row is written, so a refusal leaves nothing behind.
pub(crate) fn place_copy(
    shelf: &mut impl Shelf,
    authority: &Authority,
    space: SpaceId,
    id: Hash,
) -> Result<CopyPlaced, StoreError> {
    let place = shelf.copy_place(space)?;
    let place = place.filter(|place| place.is_whole() && place.bases.digest(space) == id);
    let Some(place) = place else {
        return Ok(CopyPlaced::Not);
    };
    let all = match check_all(shelf, authority, space, &place)? {
        Ok(all) => all,
        Err(Refused { why, .. }) => {
            drop_copy(shelf, space)?;
            return Ok(CopyPlaced::Refused(why));
        }
    };
    // What came of these feeds since was not compared with the documents.
    let tips = tips(&all);
    if tips != shelf.copy_tips(space)? {
        shelf.set_copy_tips(space, &tips)?;
        shelf.clear_checked(space)?;
        return Ok(CopyPlaced::Not);
    }
    let unchecked = shelf.unchecked(Some((space, Subject::NONE)), 1)?;
    if unchecked.iter().any(|(at, _)| *at == space) {
        return Ok(CopyPlaced::Not);
    }
    let mut placed = Vec::new();
    for (mut held, based) in all {
        let trunk = held.trunk();
        let tip = held.feeds.get(&trunk).and_then(|feed| feed.place.tip);
        if tip.is_some_and(|tip| tip.number >= based.base.number) {
            // It came another way meanwhile. What people saw of it beyond that is not held.
            if !shelf.live_rows(space, trunk, 0, 1)?.is_empty() {
                note_renewal(shelf, space)?;
            }
            continue;
        }
        put(shelf, authority, &mut held, based)?;
        if let Some(feed) = held.feeds.get(&trunk) {
            placed.push((held.writer, trunk, feed.place));
        }
    }
    shelf.end_copy(space, true)?;
    Ok(CopyPlaced::Placed(placed))
}

/// Forgets the copy of a space that is under way. If its head was here, what was made of its documents
/// and live entries is to be made again: that is noted, and for the caller to clear once it is done.
pub(crate) fn drop_copy(shelf: &mut impl Shelf, space: SpaceId) -> Result<(), StoreError> {
    let place = shelf.copy_place(space)?;
    if place.is_some_and(|place| place.documents.is_some()) {
        note_renewal(shelf, space)?;
    }
    shelf.end_copy(space, false)
}

/// Notes that what was made of a space's documents is to be made again.
pub(super) fn note_renewal(shelf: &mut impl Shelf, space: SpaceId) -> Result<(), StoreError> {
    let name = renew_setting(space);
    // How often, so that who has renewed it once knows whether that is enough.
    let times = shelf.setting(&name)?.map(|times| times[..].try_into());
    let times = times.and_then(Result::ok).map_or(0, u64::from_le_bytes);
    let times = times.wrapping_add(1).to_le_bytes();
    shelf.set_setting(&name, Some(&times))
}

/// The setting that notes that what was made of a space's documents is to be made again.
pub(crate) fn renew_setting(space: SpaceId) -> String {
    format!("{}{space}", crate::RENEW_SETTINGS)
}

/// Takes a writer's feeds out of `space` if one of them is held from a base on only, and keeps what
/// is held of them as evidence: it is then fetched whole. Returns whether there was one.
pub(crate) fn drop_base(
    shelf: &mut impl Shelf,
    space: SpaceId,
    writer: [u8; 32],
) -> Result<bool, StoreError> {
    let Some(mut feeds) = shelf.writer(space, writer)? else {
        return Ok(false);
    };
    let is_based = feeds.feeds.values().any(|feed| feed.place.base > 0);
    if is_based {
        evict_all(shelf, &mut feeds, RefusalReason::Gap)?;
        shelf.save_writer(&feeds)?;
    }
    Ok(is_based)
}

/// Whether what is held right after `last`, if anything is, follows it: before a base entries
/// come that the ones after them were not compared with.
pub(super) fn leads_on(
    shelf: &impl ReadShelf,
    feeds: &WriterFeeds,
    name: FeedName,
    last: Height,
) -> Result<bool, StoreError> {
    let Some(feed) = feeds.feeds.get(&name) else {
        return Ok(true);
    };
    if last.number >= feed.place.base {
        return Ok(true);
    }
    let link = shelf.link(feed.key, last.number + 1)?;
    Ok(link.is_none_or(|previous| previous == last.hash))
}

/// A feed has no base any more once all that is before it came, of which this was the last.
pub(super) fn look_for_whole(
    shelf: &impl ReadShelf,
    feeds: &mut WriterFeeds,
    name: FeedName,
    last: u64,
) -> Result<(), StoreError> {
    let Some(feed) = feeds.feeds.get_mut(&name) else {
        return Ok(());
    };
    let place = &mut feed.place;
    // Only where it meets what was held can it be.
    if place.base == 0 || last < place.base && shelf.hash(feed.key, last + 1)?.is_none() {
        return Ok(());
    }
    if shelf.count(feed.key, place.base)? == place.base + 1 - place.start {
        place.base = 0;
    }
    Ok(())
}

/// Makes all that is held of a writer's feeds evidence.
pub(super) fn evict_all(
    shelf: &mut impl Shelf,
    feeds: &mut WriterFeeds,
    reason: RefusalReason,
) -> Result<(), StoreError> {
    for name in feeds.branches_first() {
        let feed = feeds.feeds[&name];
        let next = feed.place.next();
        let mut before = None::<Height>;
        let mut first = feed.place.start;
        while first < next {
            let Some(mark) = shelf.marks(feed.key, first, 1)?.first().copied() else {
                break;
            };
            first = mark.number;
            let last = next.min(first.saturating_add(EVICT_ROWS)) - 1;
            for row in shelf.rows(feed.key, first, last)? {
                let number = row.height.number;
                let follows = before.filter(|before| before.number + 1 == number);
                let previous = match follows {
                    Some(before) => Some(before.hash),
                    None if number == feed.place.start => {
                        settle::before(shelf, feeds, name, number)?.map(|before| before.hash)
                    }
                    None => shelf.link(feed.key, number)?,
                };
                before = Some(row.height);
                let previous = previous.unwrap_or(Hash::ZERO);
                let left = EvidenceRow {
                    row,
                    previous,
                    reason,
                };
                shelf.add_evidence(feeds, left)?;
            }
            first = last + 1;
        }
        shelf.delete_rows(feed.key, 0)?;
        feeds.feeds.remove(&name);
        shelf.delete_feed(feed.key)?;
    }
    Ok(())
}

/// The feeds of the copy of a space that is under way, as far as they were verified.
pub(crate) fn copied_feeds(
    shelf: &impl ReadShelf,
    space: SpaceId,
) -> Result<Vec<CopiedFeed>, StoreError> {
    let place = shelf.copy_place(space)?;
    let Some(place) = place.filter(|place| place.documents.is_some()) else {
        return Ok(Vec::new());
    };
    let Ok(mut came) = came(shelf, space)? else {
        return Ok(Vec::new());
    };
    let mut feeds = Vec::new();
    for (feed, base) in place.bases.iter() {
        let writer = *feed.as_bytes();
        let Some(came) = came.remove(&writer) else {
            continue;
        };
        let opened = came.kept.iter().find(|kept| kept.number == 0);
        let payload = opened.and_then(|kept| kept.entry.payload.bytes());
        let opening = payload.and_then(|payload| settle::opening_of(payload));
        let entries = came.runs.iter().flat_map(|run| &run.entries);
        let parts = entries.map_while(|entry| {
            let payload = entry.payload.bytes()?;
            let is_part = entry.kind == Kind::CHECKPOINT;
            is_part.then(|| Checkpoint::decode(payload).ok()).flatten()
        });
        let mut read = Vec::<Checkpoint>::new();
        for part in parts {
            if !part.goes_on(&read) {
                break;
            }
            read.push(part);
        }
        if let Some(opening) = opening {
            feeds.push(CopiedFeed {
                writer,
                opening,
                base,
                parts: read,
            });
        }
    }
    Ok(feeds)
}

/// Drops the payloads about erased subjects that came with copies under way.
pub(super) fn erase_from_copies(
    shelf: &mut impl Shelf,
    erased: &BTreeSet<Subject>,
) -> Result<(), StoreError> {
    let forget = |entry: &mut RunEntry| {
        if erased.contains(&entry.subject) && !entry.kind.stands() {
            entry.payload = without_bytes(entry.kind, &entry.payload);
        }
    };
    for (space, _) in shelf.copies()? {
        let held = shelf.copy_pieces(space)?;
        let mut left = Vec::with_capacity(held.len());
        for bytes in &held {
            let mut pieces = CopyPiece::decode_all(bytes).unwrap_or_default();
            for piece in &mut pieces {
                match piece {
                    CopyPiece::Proof(run) => run.entries.iter_mut().for_each(forget),
                    CopyPiece::Kept(kept) => forget(&mut kept.entry),
                    CopyPiece::Document { .. } => {}
                }
            }
            let mut out = Encoder::new();
            pieces.iter().for_each(|piece| piece.encode(&mut out));
            left.push(out.finish());
        }
        if left != held {
            shelf.drop_copy_pieces(space)?;
            for bytes in &left {
                shelf.add_copy_piece(space, bytes)?;
            }
        }
    }
    Ok(())
}

/// What came of one feed.
#[derive(Default)]
struct Came {
    runs: Vec<Run>,
    kept: Vec<KeptEntry>,
}

/// One feed of a copy, checked.
struct Based {
    opening: Opening,
    base: Height,
    parts: Vec<Checkpoint>,
    kept: Vec<(Height, KeptEntry)>,
    runs: Vec<VerifiedRun>,
}

/// What came of a copy beside documents, by writers.
fn came(
    shelf: &impl ReadShelf,
    space: SpaceId,
) -> Result<Result<BTreeMap<[u8; 32], Came>, Refused>, StoreError> {
    let mut came = BTreeMap::<[u8; 32], Came>::new();
    for bytes in shelf.copy_pieces(space)? {
        let Ok(pieces) = CopyPiece::decode_all(&bytes) else {
            return Ok(Err(Refused::forged("a part of the copy cannot be read")));
        };
        for piece in pieces {
            match piece {
                CopyPiece::Proof(run) => came.entry(run.writer).or_default().runs.push(run),
                CopyPiece::Kept(kept) => came.entry(kept.writer).or_default().kept.push(kept),
                CopyPiece::Document { .. } => {}
            }
        }
    }
    Ok(Ok(came))
}

/// How far the feeds of a copy are held, those of which anything is.
fn tips(all: &[(WriterFeeds, Based)]) -> Heights {
    let tips = all.iter().filter_map(|(held, _)| {
        let trunk = held.trunk();
        Some((trunk, held.feeds.get(&trunk)?.place.tip?))
    });
    tips.collect()
}

/// Checks every feed of a copy, by itself and against what is held of it.
fn check_all(
    shelf: &impl ReadShelf,
    authority: &Authority,
    space: SpaceId,
    place: &CopyPlace,
) -> Result<Result<Vec<(WriterFeeds, Based)>, Refused>, StoreError> {
    let mut came = match came(shelf, space)? {
        Ok(came) => came,
        Err(why) => return Ok(Err(why)),
    };
    let mut all = Vec::new();
    for (feed, base) in place.bases.iter() {
        let writer = *feed.as_bytes();
        let held = shelf.writer(space, writer)?;
        let held = held.unwrap_or_else(|| WriterFeeds::new(space, writer));
        if held.feeds.len() > 1 {
            return Ok(Err(Refused::known("a feed of the copy is known to fork")));
        }
        let came = came.remove(&writer).unwrap_or_default();
        let based = match check(authority, space, writer, base, came) {
            Ok(based) => based,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(feed) = held.feeds.get(&held.trunk())
            && let Err(why) = compare(shelf, feed, &based)?
        {
            return Ok(Err(why));
        }
        all.push((held, based));
    }
    Ok(Ok(all))
}

/// Whether what came of a feed goes on from what is held of it.
fn compare(
    shelf: &impl ReadShelf,
    feed: &Feed,
    based: &Based,
) -> Result<Result<(), Refused>, StoreError> {
    let kept = based.kept.iter().map(|(height, _)| *height);
    let before = based
        .kept
        .iter()
        .map(|(_, kept)| (kept.number, kept.previous));
    let proven = based.runs.iter().flat_map(VerifiedRun::entries);
    let proven = proven.map(|(height, _)| height);
    let links = based.runs.iter().map(|run| (run.first(), run.previous()));
    let before = before.chain(links).filter_map(|(number, hash)| {
        let number = number.checked_sub(1)?;
        Some(Height { number, hash })
    });
    let mut same = None;
    for height in kept.chain(proven).chain(before) {
        match shelf.hash(feed.key, height.number)? {
            Some(hash) if hash == height.hash => same = same.max(Some(height.number)),
            Some(_) => {
                return Ok(Err(Refused::known(
                    "a feed of the copy parts from what is held of it",
                )));
            }
            None => {}
        }
    }
    let Some(tip) = feed.place.tip.filter(|tip| same < Some(tip.number)) else {
        return Ok(Ok(()));
    };
    // That the last entry held is one of those that the checkpoint stands for only its document can
    // tell, and all before it with it. Where that tells nothing it may be of another branch.
    let rows = shelf.rows(feed.key, tip.number, tip.number)?;
    for row in rows {
        let mut listed = based.parts.iter().flat_map(|part| &part.documents);
        let is_told = row.kind == Kind::CHANGES
            && row.payload.bytes().is_some()
            && listed.any(|(subject, _)| *subject == row.subject)
            && !shelf.is_erased(row.subject)?;
        if !is_told {
            return Ok(Err(Refused::known(
                "what is held of a feed cannot be compared with the copy",
            )));
        }
    }
    Ok(Ok(()))
}

/// Checks what came of one feed: the chain from the checkpoint to a signature, what the checkpoint
/// keeps, who opened the feed, and whether it counts.
fn check(
    authority: &Authority,
    space: SpaceId,
    writer: [u8; 32],
    base: Height,
    came: Came,
) -> Result<Based, Refused> {
    let network = authority.network();
    let key = PublicKey::from_bytes(&writer).map_err(Refused::forged)?;
    let cuts = authority.cuts_of(space, &writer);
    let mut runs = Vec::<VerifiedRun>::new();
    for run in came.runs {
        let run = run.verify(network, space, &key, &cuts).map_err(|error| {
            // The cut that proves it may only not have come yet.
            let forged = error != RunError::Unsigned;
            let why = error.to_string();
            Refused { why, forged }
        })?;
        let follows = runs.last().is_none_or(|before| {
            run.first() == before.last().number + 1 && run.previous() == before.last().hash
        });
        if !follows {
            return Err(Refused::forged("the proof of a feed has a gap"));
        }
        runs.push(run);
    }
    let parts = checkpoint(&runs, base)?;
    let first = base.number + 1 - parts.len() as u64;
    let mut kept = BTreeMap::new();
    for entry in came.kept {
        let hash = entry.hash(network, space).map_err(Refused::forged)?;
        kept.insert((entry.number, hash), entry);
    }
    let mut found = Vec::new();
    for height in parts.iter().flat_map(|part| &part.kept) {
        if height.number >= first {
            return Err(Refused::forged("a checkpoint keeps what comes after it"));
        }
        match kept.remove(&(height.number, height.hash)) {
            Some(entry) => found.push((*height, entry)),
            None => {
                return Err(Refused::forged(
                    "an entry that the checkpoint keeps is missing",
                ));
            }
        }
    }
    let after = found.iter().map(|(height, kept)| (*height, kept.previous));
    let mut after = after.skip(1).map(Some).collect::<Vec<_>>();
    after.push(runs.first().map(|run| {
        let (number, hash) = (run.first(), Hash::ZERO);
        (Height { number, hash }, run.previous())
    }));
    for ((height, _), after) in found.iter().zip(after) {
        let follows = after.filter(|(after, _)| after.number == height.number + 1);
        if follows.is_some_and(|(_, previous)| previous != height.hash) {
            return Err(Refused::forged(
                "entries that a checkpoint keeps do not follow one another",
            ));
        }
    }
    let open = found.first().filter(|(height, _)| height.number == 0);
    let payload = open.and_then(|(_, kept)| kept.entry.payload.bytes());
    let payload = payload.ok_or_else(|| Refused::forged("the opening of a feed is missing"))?;
    let opening = Opening::verify(payload, network, space, &key).map_err(Refused::forged)?;
    let admission = authority.admission(space, &writer, &opening);
    counts(&admission, base, &runs)?;
    Ok(Based {
        opening,
        base,
        parts,
        kept: found,
        runs,
    })
}

/// The parts of the checkpoint with which the runs begin.
fn checkpoint(runs: &[VerifiedRun], base: Height) -> Result<Vec<Checkpoint>, Refused> {
    let mut parts = Vec::new();
    let entries = runs.iter().flat_map(|run| run.entries());
    for (height, entry) in entries {
        let payload = entry
            .payload
            .bytes()
            .filter(|_| entry.kind == Kind::CHECKPOINT);
        let payload = payload.ok_or_else(|| Refused::forged("a checkpoint has a gap"))?;
        let read = Checkpoint::decode(payload).map_err(Refused::forged)?;
        if !read.goes_on(&parts) {
            return Err(Refused::forged("a checkpoint's parts are out of order"));
        }
        let is_last = read.is_last();
        parts.push(read);
        if is_last {
            return if height == base {
                Ok(parts)
            } else {
                Err(Refused::forged(
                    "the copy stands on another checkpoint than it says",
                ))
            };
        }
    }
    Err(Refused::forged("a checkpoint is not whole"))
}

/// Whether all that a copy brings of a feed counts under the authority log.
fn counts(admission: &Admission, base: Height, runs: &[VerifiedRun]) -> Result<(), Refused> {
    let cuts = match admission {
        Admission::All => return Ok(()),
        Admission::UpTo(cuts) => cuts,
        Admission::NotYet(reason) | Admission::Never(reason) => {
            return Err(Refused::known(reason));
        }
    };
    let last = runs.last().map_or(base.number, |run| run.last().number);
    let leads = |cut: &Height| {
        let hash = runs.iter().find_map(|run| run.hash_at(cut.number));
        cut.number >= base.number && last <= cut.number && hash.is_none_or(|hash| hash == cut.hash)
    };
    if cuts.iter().any(leads) {
        Ok(())
    } else {
        Err(Refused::known(
            "a feed of the copy goes on above where its access was cut",
        ))
    }
}

/// Writes the rows of one feed.
fn put(
    shelf: &mut impl Shelf,
    authority: &Authority,
    feeds: &mut WriterFeeds,
    based: Based,
) -> Result<(), StoreError> {
    let trunk = feeds.trunk();
    let first = based.runs.first().map_or(0, VerifiedRun::first);
    let feed = match feeds.feeds.get(&trunk) {
        Some(feed) => *feed,
        None => Feed {
            key: shelf.create_feed(feeds, trunk, 0)?,
            place: TreeFeed {
                parent: None,
                start: 0,
                tip: None,
                base: 0,
            },
            opening: Some(based.opening),
        },
    };
    feeds.feeds.insert(trunk, feed);
    let kept = based.kept.iter().map(|(_, kept)| &kept.entry);
    obey_erasures(shelf, &based.opening, kept)?;
    for run in &based.runs {
        obey_erasures(shelf, &based.opening, run.as_run().entries.iter())?;
    }
    for (height, kept) in based.kept {
        if shelf.hash(feed.key, height.number)?.is_none() {
            if let Some(before) = height.number.checked_sub(1)
                && shelf.hash(feed.key, before)?.is_none()
            {
                shelf.set_link(feed.key, height.number, kept.previous)?;
            }
            let row = super::row(shelf, height, &kept.entry, None)?;
            shelf.insert(feeds.space, feed.key, row)?;
        }
    }
    if let Some(first) = based.runs.first() {
        shelf.set_link(feed.key, first.first(), first.previous())?;
    }
    let mut tip = based.base;
    for run in &based.runs {
        for row in rows(shelf, run)? {
            tip = row.height;
            if shelf.hash(feed.key, tip.number)?.is_none() {
                shelf.insert(feeds.space, feed.key, row)?;
            } else if row.proof.is_some() {
                shelf.set_proof(feed.key, tip.number, row.proof)?;
            }
        }
    }
    let tip = live::place(shelf, authority, feeds.space, (trunk, feed.key), tip)?;
    if let Some(feed) = feeds.feeds.get_mut(&trunk) {
        // Where what was held leads up to it nothing is missing.
        let leads = feed.place.tip.is_some_and(|tip| tip.number + 1 >= first);
        if !leads {
            feed.place.base = based.base.number;
        }
        feed.place.tip = Some(tip);
        feed.opening = Some(based.opening);
    }
    settle::note_applied(shelf, authority, feeds)?;
    shelf.save_writer(feeds)
}
