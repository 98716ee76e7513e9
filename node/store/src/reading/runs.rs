//! Runs to send: which entries, in which order, and ending at what proves them.

use node_feed::{FeedName, Hash, Proof, RUN_BYTES_MAX, RUN_ENTRIES_MAX, Run, RunEntry, SpaceId};

use crate::StoreError;
use crate::shelf::{Mark, ReadShelf};
use crate::writer_feeds::{FeedKey, WriterFeeds};

/// How many marks are looked up at a time.
const MARKS: usize = 256;
/// What an entry costs beside its payload, about.
const ENTRY_BYTES: usize = 64;

/// Runs that hold the entries from the given numbers on, in the order of arrival.
pub(crate) fn read(
    shelf: &impl ReadShelf,
    space: SpaceId,
    from: &[(FeedName, u64)],
    bytes_max: usize,
) -> Result<Vec<Run>, StoreError> {
    let writers = shelf.writers_in(space)?;
    let mut cursors = Vec::new();
    for (index, feeds) in writers.iter().enumerate() {
        for (name, number) in from {
            if let Some(feed) = feeds.feeds.get(name) {
                let number = (*number).max(feed.place.start);
                cursors.push(Cursor::new(index, *name, feed.key, number));
            }
        }
    }
    let mut plan = Vec::<Planned>::new();
    let mut bytes = 0;
    while let Some(at) = earliest(shelf, &mut cursors)? {
        let stretch = stretch(shelf, &writers, &mut cursors, at)?;
        if !plan.is_empty() && bytes + stretch.bytes > bytes_max {
            break;
        }
        bytes += stretch.bytes;
        match plan.last_mut() {
            Some(planned) if planned.takes(&stretch) => planned.extend(stretch),
            Some(_) | None if stretch.pieces.is_empty() => {}
            Some(_) | None => plan.push(stretch),
        }
    }
    plan.iter()
        .map(|planned| planned.load(shelf, &writers[planned.writer]))
        .collect()
}

/// Where reading stands in one feed.
struct Cursor {
    writer: usize,
    name: FeedName,
    key: FeedKey,
    number: u64,
    /// Marks from `number` on, the next one last.
    marks: Vec<Mark>,
    at_end: bool,
}

impl Cursor {
    const fn new(writer: usize, name: FeedName, key: FeedKey, number: u64) -> Self {
        Self {
            writer,
            name,
            key,
            number,
            marks: Vec::new(),
            at_end: false,
        }
    }

    fn next(&mut self, shelf: &impl ReadShelf) -> Result<Option<Mark>, StoreError> {
        if self.marks.is_empty() && !self.at_end {
            let marks = shelf.marks(self.key, self.number, MARKS)?;
            // Before the base of a feed entries are missing.
            let follow = marks.into_iter().zip(self.number..);
            let follow = follow.take_while(|(mark, number)| mark.number == *number);
            self.marks = follow.map(|(mark, _)| mark).collect();
            self.marks.reverse();
            self.at_end = self.marks.is_empty();
        }
        Ok(self.marks.last().copied())
    }

    fn pass(&mut self) {
        self.marks.pop();
        self.number += 1;
    }
}

/// The cursor whose next entry arrived first.
fn earliest(shelf: &impl ReadShelf, cursors: &mut [Cursor]) -> Result<Option<usize>, StoreError> {
    let mut first = None;
    for (index, cursor) in cursors.iter_mut().enumerate() {
        if let Some(mark) = cursor.next(shelf)?
            && first.is_none_or(|(arrival, _)| mark.arrival < arrival)
        {
            first = Some((mark.arrival, index));
        }
    }
    Ok(first.map(|(_, index)| index))
}

/// Entries of one writer that follow one another, up to a proof.
struct Planned {
    writer: usize,
    /// Feed, first and last number. More than one where a trunk goes on in a branch.
    pieces: Vec<(FeedName, FeedKey, u64, u64)>,
    entries: usize,
    payload_bytes: usize,
    bytes: usize,
}

/// Takes the entries of the cursor `at` up to its next proof. A trunk that was ended by a fork in
/// the middle of a run has its proof in a branch, and the stretch goes on there.
fn stretch(
    shelf: &impl ReadShelf,
    writers: &[WriterFeeds],
    cursors: &mut [Cursor],
    at: usize,
) -> Result<Planned, StoreError> {
    let writer = cursors[at].writer;
    let mut planned = Planned {
        writer,
        pieces: Vec::new(),
        entries: 0,
        payload_bytes: 0,
        bytes: 0,
    };
    if planned.take(shelf, &mut cursors[at])? {
        return Ok(planned);
    }
    let mut trunk = cursors[at].name;
    loop {
        let mut branches = Vec::new();
        for name in writers[writer].branches(trunk) {
            let feed = &writers[writer].feeds[&name];
            let mut cursor = Cursor::new(writer, name, feed.key, feed.place.start);
            if let Some(mark) = cursor.next(shelf)? {
                branches.push((mark.arrival, cursor));
            }
        }
        let Some((_, mut branch)) = branches.into_iter().min_by_key(|(arrival, _)| *arrival) else {
            // Nothing proves these, which settling rules out; they cannot be sent.
            planned.pieces.clear();
            return Ok(planned);
        };
        let proven = planned.take(shelf, &mut branch)?;
        // Whoever asked for the branch too does not get the same entries twice.
        for cursor in cursors.iter_mut().filter(|other| other.key == branch.key) {
            while cursor.number < branch.number && cursor.next(shelf)?.is_some() {
                cursor.pass();
            }
        }
        if proven {
            return Ok(planned);
        }
        trunk = branch.name;
    }
}

impl Planned {
    /// Takes entries up to the next proof; false if the feed ends before one.
    fn take(&mut self, shelf: &impl ReadShelf, cursor: &mut Cursor) -> Result<bool, StoreError> {
        let first = cursor.number;
        let mut proven = false;
        while !proven && let Some(mark) = cursor.next(shelf)? {
            cursor.pass();
            self.entries += 1;
            self.payload_bytes += mark.payload_bytes;
            self.bytes += mark.payload_bytes + ENTRY_BYTES;
            proven = mark.proven;
        }
        if cursor.number > first {
            let last = cursor.number - 1;
            self.pieces.push((cursor.name, cursor.key, first, last));
        }
        Ok(proven)
    }

    /// Whether `next` follows in the same feed and one signature can cover both.
    fn takes(&self, next: &Self) -> bool {
        let (Some(end), Some(start)) = (self.pieces.last(), next.pieces.first()) else {
            return false;
        };
        end.1 == start.1
            && end.3 + 1 == start.2
            && self.entries + next.entries <= RUN_ENTRIES_MAX
            && self.payload_bytes + next.payload_bytes <= RUN_BYTES_MAX
    }

    fn extend(&mut self, next: Self) {
        self.entries += next.entries;
        self.payload_bytes += next.payload_bytes;
        self.bytes += next.bytes;
        self.pieces.extend(next.pieces);
    }

    fn load(&self, shelf: &impl ReadShelf, feeds: &WriterFeeds) -> Result<Run, StoreError> {
        let mut entries = Vec::with_capacity(self.entries);
        let mut proof = None;
        for (_, key, first, last) in &self.pieces {
            for row in shelf.rows(*key, *first, *last)? {
                proof = row.proof;
                entries.push(RunEntry {
                    time_ms: row.time_ms,
                    kind: row.kind,
                    subject: row.subject,
                    payload: row.payload,
                });
            }
        }
        let first = self.pieces.first();
        let previous = match first {
            Some((name, _, number, _)) => previous(shelf, feeds, *name, *number)?,
            None => None,
        };
        Ok(Run {
            writer: feeds.writer,
            first: first.map_or(0, |(_, _, number, _)| *number),
            previous: previous.unwrap_or(Hash::ZERO),
            entries,
            proof: proof.unwrap_or(Proof::Cut),
        })
    }
}

/// The hash of the entry before `number`, which the feed or its parent holds.
pub(crate) fn previous(
    shelf: &impl ReadShelf,
    feeds: &WriterFeeds,
    name: FeedName,
    number: u64,
) -> Result<Option<Hash>, StoreError> {
    let Some(feed) = feeds.feeds.get(&name) else {
        return Ok(None);
    };
    match number.checked_sub(1) {
        Some(before) if before >= feed.place.start => match shelf.hash(feed.key, before)? {
            Some(hash) => Ok(Some(hash)),
            None => shelf.link(feed.key, number),
        },
        Some(_) | None => {
            let parent = feed
                .place
                .parent
                .and_then(|parent| feeds.feeds.get(&parent));
            Ok(parent
                .and_then(|parent| parent.place.tip)
                .map(|tip| tip.hash))
        }
    }
}
