//! First copies: taking them part by part, and putting a complete one in its place.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{
    Admission, Authority, Checkpoint, CopyPiece, CopySlice, Encoder, Height, KeptEntry, Kind,
    NodeId, Opening, PublicKey, Run, SpaceId, Subject, TreeFeed, VerifiedRun,
};

use super::{obey_erasures, rows, settle};
use crate::shelf::{ReadShelf, Row, Shelf, without_bytes};
use crate::writer_feeds::{Feed, WriterFeeds};
use crate::{CopyPlace, CopyTaken, PlacedCopy, StoreError};

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

/// Keeps what is new of one part of a copy; places the copy if it is the last.
pub(crate) fn take_copy(
    shelf: &mut impl Shelf,
    authority: &Authority,
    peer: NodeId,
    slice: &CopySlice,
) -> Result<CopyTaken, StoreError> {
    let space = slice.space;
    let Some(mut place) = begin(shelf, peer, slice)? else {
        return Ok(CopyTaken::Lost);
    };
    if place.bases.digest(space) != slice.id {
        // Of another copy than the one that is under way; the peer hears of that one and goes on
        // with it, or begins anew.
        return Ok(CopyTaken::Partly(place));
    }
    let mut number = slice.documents_before;
    for piece in slice.pieces.iter() {
        let CopyPiece::Document { subject, bytes } = piece else {
            let mut out = Encoder::new();
            piece.encode(&mut out);
            shelf.add_copy_piece(space, &out.finish())?;
            continue;
        };
        if number == place.documents {
            place.documents = place.documents.saturating_add(1);
            if !bytes.is_empty() && !shelf.is_erased(*subject)? {
                shelf.put_arriving(space, *subject, bytes)?;
            }
        }
        number = number.saturating_add(1);
    }
    place.peer = peer;
    shelf.set_copy(space, &place)?;
    if !slice.last {
        return Ok(CopyTaken::Partly(place));
    }
    if place.documents < place.of {
        return refuse(
            shelf,
            space,
            Refused::forged("documents of the copy are missing"),
        );
    }
    match complete(shelf, authority, space, &place)? {
        Ok(placed) => Ok(CopyTaken::Placed(placed)),
        Err(why) => refuse(shelf, space, why),
    }
}

/// Takes out of `space` all that rests on first copies: of each feed with a base what follows the
/// entries that are held from its start on, and the documents that stand for what is missing. It
/// is then fetched again. Returns whether there was anything.
pub(crate) fn drop_bases(shelf: &mut impl Shelf, space: SpaceId) -> Result<bool, StoreError> {
    shelf.end_copy(space)?;
    let mut dropped = shelf.drop_base_documents(space)?;
    for mut feeds in shelf.writers_in(space)? {
        if feeds.feeds.values().any(|feed| feed.place.base > 0) {
            forget_base(shelf, &mut feeds)?;
            shelf.save_writer(&feeds)?;
            dropped = true;
        }
    }
    Ok(dropped)
}

/// Cuts a writer's feeds back to the entries that are held from the trunk's start on.
fn forget_base(shelf: &mut impl Shelf, feeds: &mut WriterFeeds) -> Result<(), StoreError> {
    for name in feeds.branches_first() {
        if name == feeds.trunk() {
            continue;
        }
        if let Some(branch) = feeds.feeds.remove(&name) {
            shelf.delete_rows(branch.key, 0)?;
            shelf.delete_feed(branch.key)?;
        }
    }
    let trunk = feeds.trunk();
    let Some(feed) = feeds.feeds.get(&trunk).copied() else {
        return Ok(());
    };
    let tip = whole_part(shelf, &feed)?;
    let next = tip.map_or(0, |tip| tip.number + 1);
    shelf.delete_rows(feed.key, next)?;
    if tip.is_some() {
        feeds.set_tip(trunk, tip);
        if let Some(feed) = feeds.feeds.get_mut(&trunk) {
            feed.place.base = 0;
        }
    } else {
        feeds.feeds.remove(&trunk);
        shelf.delete_feed(feed.key)?;
    }
    Ok(())
}

/// The last proven entry before which none is missing.
fn whole_part(shelf: &impl ReadShelf, feed: &Feed) -> Result<Option<Height>, StoreError> {
    const ROWS: u64 = 256;
    let (mut next, mut tip) = (0, None);
    loop {
        let rows = shelf.rows(feed.key, next, next + ROWS - 1)?;
        let full = rows.len() as u64 == ROWS;
        for row in rows {
            if row.height.number != next {
                return Ok(tip);
            }
            next += 1;
            if row.proof.is_some() {
                tip = Some(row.height);
            }
        }
        if !full {
            return Ok(tip);
        }
    }
}

/// The copy that the slice is to go on with; none if nobody said what it is of.
fn begin(
    shelf: &mut impl Shelf,
    peer: NodeId,
    slice: &CopySlice,
) -> Result<Option<CopyPlace>, StoreError> {
    let place = shelf.copy_place(slice.space)?;
    let Some(begins) = &slice.begins else {
        return Ok(place);
    };
    let (documents, keep) = match place {
        Some(place) if place.bases == begins.bases => (place.documents.min(begins.documents), true),
        Some(place) if !begins.anew => return Ok(Some(place)),
        Some(_) | None => (0, false),
    };
    let place = CopyPlace {
        peer,
        bases: begins.bases.clone(),
        documents,
        of: begins.documents,
    };
    if !keep {
        shelf.end_copy(slice.space)?;
    }
    // What is not a document is said again whenever a session begins.
    shelf.drop_copy_pieces(slice.space)?;
    shelf.set_copy(slice.space, &place)?;
    Ok(Some(place))
}

fn refuse(shelf: &mut impl Shelf, space: SpaceId, why: Refused) -> Result<CopyTaken, StoreError> {
    shelf.end_copy(space)?;
    let Refused { why, forged } = why;
    Ok(CopyTaken::Refused { why, forged })
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
    kept: Vec<(Height, KeptEntry)>,
    runs: Vec<VerifiedRun>,
    documents: Vec<Subject>,
}

/// Checks a copy as a whole and puts it in its place. Everything is decided before the first row
/// is written, so a refusal leaves nothing behind.
fn complete(
    shelf: &mut impl Shelf,
    authority: &Authority,
    space: SpaceId,
    place: &CopyPlace,
) -> Result<Result<PlacedCopy, Refused>, StoreError> {
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
    let mut placed = Vec::new();
    for (feed, base) in place.bases.iter() {
        let writer = *feed.as_bytes();
        let held = shelf.writer(space, writer)?;
        let held = held.unwrap_or_else(|| WriterFeeds::new(space, writer));
        if held.feeds.len() > 1 {
            return Ok(Err(Refused::known("a feed of the copy is known to fork")));
        }
        let tip = held
            .feeds
            .get(&held.trunk())
            .and_then(|feed| feed.place.tip);
        if tip.is_some_and(|tip| tip.number >= base.number) {
            // It came another way meanwhile.
            continue;
        }
        let came = came.remove(&writer).unwrap_or_default();
        match check(authority, space, writer, base, came) {
            Ok(based) => placed.push((held, based)),
            Err(why) => return Ok(Err(why)),
        }
    }
    let mut documents = BTreeSet::new();
    for subject in placed.iter().flat_map(|(_, based)| &based.documents) {
        if shelf.is_erased(*subject)? {
            continue;
        }
        if !shelf.is_arriving(space, *subject)? {
            return Ok(Err(Refused::forged("a document of the copy is missing")));
        }
        documents.insert(*subject);
    }
    let mut feeds = Vec::new();
    for (mut held, based) in placed {
        let trunk = held.trunk();
        put(shelf, authority, &mut held, based)?;
        if let Some(feed) = held.feeds.get(&trunk) {
            feeds.push((held.writer, trunk, feed.place));
        }
    }
    shelf.place_arriving(space, &documents)?;
    shelf.end_copy(space)?;
    Ok(Ok(PlacedCopy {
        feeds,
        documents: documents.len() as u64,
    }))
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
        let run = run
            .verify(network, space, &key, &cuts)
            .map_err(Refused::forged)?;
        let follows = runs.last().is_none_or(|before| {
            run.first() == before.last().number + 1 && run.previous() == before.last().hash
        });
        if !follows {
            return Err(Refused::forged("the proof of a feed has a gap"));
        }
        runs.push(run);
    }
    let listed = checkpoint(&runs, base)?;
    let mut kept = BTreeMap::new();
    for entry in came.kept {
        let hash = entry.hash(network, space).map_err(Refused::forged)?;
        kept.insert((entry.number, hash), entry);
    }
    let mut found = Vec::new();
    for height in &listed.kept {
        match kept.remove(&(height.number, height.hash)) {
            Some(entry) => found.push((*height, entry)),
            None => {
                return Err(Refused::forged(
                    "an entry that the checkpoint keeps is missing",
                ));
            }
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
        kept: found,
        runs,
        documents: listed.documents,
    })
}

/// What a whole checkpoint lists.
struct Listed {
    documents: Vec<Subject>,
    kept: Vec<Height>,
}

fn checkpoint(runs: &[VerifiedRun], base: Height) -> Result<Listed, Refused> {
    let mut listed = Listed {
        documents: Vec::new(),
        kept: Vec::new(),
    };
    let entries = runs.iter().flat_map(|run| run.entries());
    for ((height, entry), part) in entries.zip(0_u16..) {
        let payload = entry
            .payload
            .bytes()
            .filter(|_| entry.kind == Kind::CHECKPOINT);
        let payload = payload.ok_or_else(|| Refused::forged("a checkpoint has a gap"))?;
        let read = Checkpoint::decode(payload).map_err(Refused::forged)?;
        if read.part != part {
            return Err(Refused::forged("a checkpoint's parts are out of order"));
        }
        let documents = read.documents.into_iter();
        listed
            .documents
            .extend(documents.map(|(subject, _)| subject));
        listed.kept.extend(read.kept);
        if read.part + 1 == read.parts {
            return if height == base {
                Ok(listed)
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
            let row = kept_row(shelf, height, kept)?;
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
            shelf.insert(feeds.space, feed.key, row)?;
        }
    }
    if let Some(feed) = feeds.feeds.get_mut(&trunk) {
        feed.place.base = based.base.number;
        feed.place.tip = Some(tip);
        feed.opening = Some(based.opening);
    }
    settle::note_applied(shelf, authority, feeds)?;
    shelf.save_writer(feeds)
}

fn kept_row(shelf: &impl Shelf, height: Height, kept: KeptEntry) -> Result<Row, StoreError> {
    let KeptEntry { entry, .. } = kept;
    let erased = !entry.kind.stands() && super::is_erased(shelf, entry.subject)?;
    Ok(Row {
        height,
        time_ms: entry.time_ms,
        kind: entry.kind,
        subject: entry.subject,
        payload: if erased {
            without_bytes(entry.kind, &entry.payload)
        } else {
            entry.payload
        },
        proof: None,
    })
}
