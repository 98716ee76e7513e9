//! Questions to a store that are answered alike over any store's rows.

mod runs;

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{
    Card, Checkpoint, FeedName, FeedTree, Hash, Height, KeptEntry, Kind, LogEntry, LogFeed,
    NetworkId, Opening, RunEntry, SpaceId, Subject,
};

pub(crate) use self::runs::read;
use crate::ledger::{hash_at, holder};
use crate::shelf::{Most, ReadShelf, Shelf};
use crate::writer_feeds::{Feed, FeedKey, WriterFeeds};
use crate::{StoreError, StoredEntry, Withheld};

pub(crate) fn trees(
    shelf: &impl ReadShelf,
    space: SpaceId,
) -> Result<BTreeMap<[u8; 32], FeedTree>, StoreError> {
    let writers = shelf.writers_in(space)?;
    let held = writers.iter().filter(|feeds| !feeds.feeds.is_empty());
    Ok(held.map(|feeds| (feeds.writer, feeds.tree())).collect())
}

pub(crate) fn openings(
    shelf: &impl ReadShelf,
    space: SpaceId,
) -> Result<BTreeMap<FeedName, Opening>, StoreError> {
    let writers = shelf.writers_in(space)?;
    let feeds = writers.iter().flat_map(|writer| &writer.feeds);
    Ok(feeds
        .filter_map(|(name, feed)| Some((*name, feed.opening?)))
        .collect())
}

/// How many bytes of entries are read at once, about, where whoever reads names only their number.
const READ_BYTES_MAX: usize = 16 << 20;

/// Entries in the order of arrival, live ones among them.
pub(crate) fn arrivals_after(
    shelf: &impl ReadShelf,
    arrival: u64,
    limit: usize,
) -> Result<Vec<StoredEntry>, StoreError> {
    let most = Most {
        entries: limit,
        bytes: READ_BYTES_MAX,
    };
    let held = shelf.arrivals_after(arrival, most)?;
    Ok(most.merged(held, shelf.live_after(arrival, most)?))
}

/// The first of these, live ones among them, as many as weigh about `bytes_max` together.
pub(crate) fn some_entries_of(
    shelf: &impl ReadShelf,
    subject: Subject,
    after: u64,
    bytes_max: usize,
) -> Result<Vec<StoredEntry>, StoreError> {
    let most = Most {
        entries: usize::MAX,
        bytes: bytes_max,
    };
    let held = shelf.some_entries_of(subject, after, most)?;
    Ok(most.merged(held, shelf.live_of(subject, after, most)?))
}

pub(crate) fn subjects(
    shelf: &impl ReadShelf,
    space: SpaceId,
    kind: Kind,
) -> Result<Vec<Subject>, StoreError> {
    let live = shelf.live_subjects(space, kind)?;
    let mut subjects = shelf.subjects(space, kind)?;
    if !live.is_empty() {
        subjects.extend(live);
        subjects.sort_unstable();
        subjects.dedup();
    }
    Ok(subjects)
}

/// The feeds of whoever writes `feed`.
fn writer_of(
    shelf: &impl ReadShelf,
    space: SpaceId,
    feed: FeedName,
) -> Result<Option<WriterFeeds>, StoreError> {
    let has_it = |feeds: &WriterFeeds| feeds.feeds.contains_key(&feed);
    // The feed of a writer that never forked bears its name.
    let trunk = shelf.writer(space, *feed.as_bytes())?.filter(has_it);
    if trunk.is_some() {
        return Ok(trunk);
    }
    Ok(shelf.writers_in(space)?.into_iter().find(has_it))
}

pub(crate) fn hash_of(
    shelf: &impl ReadShelf,
    space: SpaceId,
    feed: FeedName,
    number: u64,
) -> Result<Option<Hash>, StoreError> {
    match writer_of(shelf, space, feed)? {
        Some(feeds) => hash_at(shelf, &feeds, feed, number),
        None => Ok(None),
    }
}

pub(crate) fn find(
    shelf: &impl ReadShelf,
    space: SpaceId,
    writer: [u8; 32],
    points: &[Height],
) -> Result<Vec<bool>, StoreError> {
    let Some(feeds) = shelf.writer(space, writer)? else {
        return Ok(vec![false; points.len()]);
    };
    points
        .iter()
        .map(|point| Ok(holder(shelf, &feeds, *point)?.is_some()))
        .collect()
}

pub(crate) fn sample(
    shelf: &impl ReadShelf,
    space: SpaceId,
    writer: [u8; 32],
) -> Result<Vec<Height>, StoreError> {
    let Some(feeds) = shelf.writer(space, writer)? else {
        return Ok(Vec::new());
    };
    let mut points = Vec::new();
    for (name, feed) in &feeds.feeds {
        let Some(tip) = feed.place.tip else {
            continue;
        };
        for number in spaced(feed.place.start, tip.number) {
            if let Some(hash) = hash_at(shelf, &feeds, *name, number)? {
                points.push(Height { number, hash });
            }
        }
    }
    Ok(points)
}

/// `last`, then 1, 2, 4, 8… before it, and `first`.
fn spaced(first: u64, last: u64) -> Vec<u64> {
    let back = std::iter::successors(Some(1_u64), |step| step.checked_mul(2));
    let back = back.map_while(|step| last.checked_sub(step).filter(|number| *number > first));
    let mut numbers = vec![last];
    numbers.extend(back);
    if first < last {
        numbers.push(first);
    }
    numbers
}

pub(crate) fn log_feeds(
    shelf: &impl ReadShelf,
    network: NetworkId,
) -> Result<Vec<LogFeed>, StoreError> {
    let mut terms = Vec::new();
    for feeds in shelf.writers_in(SpaceId::authority(network))? {
        let Some(trunk) = feeds.feeds.get(&feeds.trunk()) else {
            continue;
        };
        // Two openings of one term: it counts as forked from its start, under either.
        let branch = || feeds.feeds.values().find_map(|feed| feed.opening);
        let Some(opening) = trunk.opening.or_else(branch) else {
            continue;
        };
        terms.push(LogFeed {
            writer: feeds.writer,
            opening,
            entries: log_entries(shelf, trunk)?,
            forked: feeds.tree().has_branches(feeds.trunk()),
        });
        if trunk.opening.is_some() {
            terms.extend(branch_lines(shelf, &feeds, opening)?);
        }
    }
    Ok(terms)
}

/// Each whole line from number 0 to the end of a branch: a take-over goes on from one of them.
fn branch_lines(
    shelf: &impl ReadShelf,
    feeds: &WriterFeeds,
    opening: Opening,
) -> Result<Vec<LogFeed>, StoreError> {
    let mut lines = Vec::new();
    let ends = feeds
        .feeds
        .iter()
        .filter(|(name, feed)| feed.place.parent.is_some() && feeds.branches(**name).is_empty());
    for (_, end) in ends {
        let mut parts = Vec::new();
        let mut at = Some(end);
        while let Some(feed) = at {
            parts.push(log_entries(shelf, feed)?);
            at = feed
                .place
                .parent
                .and_then(|parent| feeds.feeds.get(&parent));
        }
        lines.push(LogFeed {
            writer: feeds.writer,
            opening,
            entries: parts.into_iter().rev().flatten().collect(),
            forked: false,
        });
    }
    Ok(lines)
}

/// The entries that a feed itself holds.
fn log_entries(shelf: &impl ReadShelf, feed: &Feed) -> Result<Vec<LogEntry>, StoreError> {
    let Some(tip) = feed.place.tip else {
        return Ok(Vec::new());
    };
    let rows = shelf.rows(feed.key, feed.place.start, tip.number)?;
    let entries = rows.into_iter().map(|row| LogEntry {
        height: row.height,
        kind: row.kind,
        payload: row.payload.bytes().cloned().unwrap_or_default(),
    });
    Ok(entries.collect())
}

/// The feeds of which only what follows a checkpoint is held, or comes.
pub(crate) fn base_numbers(
    shelf: &impl ReadShelf,
    space: SpaceId,
) -> Result<Vec<(FeedName, u64)>, StoreError> {
    let mut numbers = shelf.base_numbers(space)?;
    if let Some(place) = shelf.copy_place(space)?
        && place.documents.is_some()
    {
        numbers.extend(place.bases.iter().map(|(feed, base)| (feed, base.number)));
    }
    Ok(numbers)
}

/// The last checkpoint of a feed, up to a number, of which all parts are held.
pub(crate) fn checkpoint(
    shelf: &impl ReadShelf,
    space: SpaceId,
    feed: FeedName,
    through: u64,
) -> Result<Option<(Vec<Checkpoint>, Height)>, StoreError> {
    let held = writer_of(shelf, space, feed)?;
    let Some(key) = held.and_then(|held| Some(held.feeds.get(&feed)?.key)) else {
        return Ok(None);
    };
    let numbers = shelf.numbers_of(space, key, Kind::CHECKPOINT, through)?;
    for last in numbers.into_iter().rev() {
        if let Some(found) = checkpoint_at(shelf, key, last)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The checkpoint whose last part has this number, if there is a whole one. Read from its end, row
/// by row: how many there are its author alone says.
fn checkpoint_at(
    shelf: &impl ReadShelf,
    feed: FeedKey,
    last: u64,
) -> Result<Option<(Vec<Checkpoint>, Height)>, StoreError> {
    let mut parts = Vec::<Checkpoint>::new();
    let mut end = None;
    for number in (0..=last).rev() {
        let row = shelf.rows(feed, number, number)?.pop();
        let row = row.filter(|row| row.kind == Kind::CHECKPOINT);
        let payload = row.as_ref().and_then(|row| row.payload.bytes());
        let Some(Ok(part)) = payload.map(|bytes| Checkpoint::decode(bytes)) else {
            return Ok(None);
        };
        let follows = match parts.last() {
            None => part.is_last(),
            Some(next) => part.parts == next.parts && part.part + 1 == next.part,
        };
        if !follows {
            return Ok(None);
        }
        end = end.or(row.map(|row| row.height));
        let is_first = part.part == 0;
        parts.push(part);
        if is_first {
            break;
        }
    }
    parts.reverse();
    let whole = (0..parts.len()).all(|at| parts[at].goes_on(&parts[..at]));
    Ok(end.filter(|_| whole).map(|end| (parts, end)))
}

pub(crate) fn kept(
    shelf: &impl ReadShelf,
    space: SpaceId,
    feed: FeedName,
    height: Height,
) -> Result<Option<KeptEntry>, StoreError> {
    let held = writer_of(shelf, space, feed)?;
    let Some((held, key)) = held.and_then(|held| {
        let key = held.feeds.get(&feed)?.key;
        Some((held, key))
    }) else {
        return Ok(None);
    };
    let rows = shelf.rows(key, height.number, height.number)?;
    let Some(row) = rows.into_iter().find(|row| row.height == height) else {
        return Ok(None);
    };
    let previous = runs::previous(shelf, &held, feed, height.number)?;
    Ok(Some(KeptEntry {
        writer: held.writer,
        number: height.number,
        previous: previous.unwrap_or(Hash::ZERO),
        entry: RunEntry {
            time_ms: row.time_ms,
            kind: row.kind,
            subject: row.subject,
            payload: row.payload,
        },
    }))
}

/// Dropped payloads that nothing held explains.
pub(crate) fn withheld(
    shelf: &impl ReadShelf,
    space: SpaceId,
) -> Result<Vec<Withheld>, StoreError> {
    if shelf.is_left(space)? {
        return Ok(Vec::new());
    }
    let mut cards = BTreeMap::<Subject, Vec<StoredEntry>>::new();
    let mut withheld = Vec::new();
    for entry in shelf.dropped_in(space)? {
        if shelf.is_erased(entry.subject)? {
            continue;
        }
        if entry.kind == Kind::CARD {
            cards.entry(entry.subject).or_default().push(entry);
        } else {
            withheld.push(entry);
        }
    }
    for (card, dropped) in cards {
        let replaced = replaced(&shelf.entries_of(card, 0)?);
        // A revision replaced by one that was dropped in turn is not named by anything held any
        // more; that a later revision is replaced explains it.
        let explained = dropped
            .iter()
            .filter(|entry| replaced.contains(&entry.height.hash))
            .map(|entry| entry.arrival)
            .max();
        withheld.extend(
            dropped
                .into_iter()
                .filter(|entry| explained.is_none_or(|last| entry.arrival > last)),
        );
    }
    withheld.sort_by_key(|entry| entry.arrival);
    Ok(withheld
        .into_iter()
        .map(|entry| Withheld {
            feed: entry.feed,
            height: entry.height,
            subject: entry.subject,
        })
        .collect())
}

/// Drops the payloads of replaced card revisions whose author's time is before `before_ms`.
pub(crate) fn drop_replaced_cards(
    shelf: &mut impl Shelf,
    before_ms: u64,
) -> Result<u64, StoreError> {
    let mut count = 0;
    for card in shelf.revised_cards()? {
        let revisions = shelf.entries_of(card, 0)?;
        let replaced = replaced(&revisions);
        for revision in revisions {
            let old = revision.time_ms < before_ms && replaced.contains(&revision.height.hash);
            if old && revision.kind == Kind::CARD && revision.payload.bytes().is_some() {
                shelf.drop_payload(revision.arrival)?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// The revisions that held revisions of their card's owner replace.
fn replaced(revisions: &[StoredEntry]) -> BTreeSet<Hash> {
    revisions
        .iter()
        .filter(|entry| entry.kind == Kind::CARD)
        .filter(|entry| match entry.opening {
            Some(Opening::Node { hub, .. }) => hub == entry.subject.owner(),
            Some(Opening::Authority { .. }) | None => false,
        })
        .filter_map(|entry| Card::decode(entry.payload.bytes()?).ok())
        .flat_map(|card| card.replaces)
        .collect()
}
