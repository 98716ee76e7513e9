//! The authority log: from its terms to the state that counts.

use crate::{Admission, Authority, Fact, FeedName, Height, Kind, NetworkId, Opening, TermRecord};

/// One entry of the authority's space.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// Number and hash.
    pub height: Height,
    /// What it is.
    pub kind: Kind,
    /// Its payload's bytes.
    pub payload: bytes::Bytes,
}

/// One term as it is held: its entries from number 0 to where it ends or forks.
///
/// Of a term that forked, each whole line from number 0 to the end of a branch may be given too,
/// as a feed of its own. A higher term that continues from a branch can be followed only then, or
/// once the other branch was taken out because the higher term does not continue from it.
#[derive(Debug, Clone)]
pub struct LogFeed {
    /// The authority key of the term.
    pub writer: [u8; 32],
    /// What its number 0 says, checked.
    pub opening: Opening,
    /// The entries, number 0 first, without a gap.
    pub entries: Vec<LogEntry>,
    /// Whether two entries follow the last one.
    pub forked: bool,
}

/// All terms that a node holds, and which of them count.
#[derive(Debug, Clone)]
pub struct AuthorityLog {
    network: NetworkId,
    feeds: Vec<LogFeed>,
}

/// What counts of the log: a whole line of entries, across terms.
#[derive(Debug, Default)]
struct Line<'a> {
    entries: Vec<(&'a LogFeed, &'a LogEntry)>,
    frozen: bool,
}

impl AuthorityLog {
    /// The log of `network` as it is held, in any order.
    pub const fn new(network: NetworkId, feeds: Vec<LogFeed>) -> Self {
        Self { network, feeds }
    }

    /// Folds what counts: the highest term whose earlier terms are held, back to the first.
    ///
    /// If the term is forked, or the root key named two keys for it, only what all its lines have
    /// in common counts, and the state is frozen.
    pub fn fold(&self) -> Authority {
        let mut authority = self.known_terms();
        let line = self.line(&authority);
        for (_, entry) in &line.entries {
            let fact = (entry.kind == Kind::GRANT)
                .then(|| Fact::decode(&entry.payload).ok())
                .flatten();
            authority.take(entry.height.hash, fact);
        }
        if line.frozen {
            authority.freeze();
        }
        authority
    }

    /// The key and term that may write now; none if no term is held or the log is frozen.
    pub fn current(&self) -> Option<([u8; 32], u64)> {
        let line = self.line(&self.known_terms());
        let (feed, _) = line.entries.last().filter(|_| !line.frozen)?;
        Some((feed.writer, feed.term()))
    }

    /// The terms that are held, whether they count or not. A take-over needs a higher one.
    pub fn terms(&self) -> impl Iterator<Item = u64> + '_ {
        self.feeds.iter().map(LogFeed::term)
    }

    /// The last entry that counts, and its feed's writer.
    pub fn tip(&self) -> Option<([u8; 32], Height)> {
        let line = self.line(&self.known_terms());
        let (feed, entry) = line.entries.last()?;
        Some((feed.writer, entry.height))
    }

    /// Where a take-over goes on from: the last entry of the longest line that is held, and its
    /// feed's writer. Of a log that is frozen that is the branch with the most facts, so that as
    /// little as possible is lost; otherwise it is [`AuthorityLog::tip`]. None if no line is whole.
    pub fn longest(&self) -> Option<([u8; 32], Height)> {
        let terms = self.known_terms();
        let lines = self.levels().into_iter().rev().find_map(|term| {
            let lines = self
                .counting(term, &terms)
                .into_iter()
                .filter_map(|(feed, count)| self.follow(feed, count))
                .filter(|line| !line.is_empty())
                .collect::<Vec<_>>();
            (!lines.is_empty()).then_some(lines)
        })?;
        let ends = lines.iter().filter_map(|line| {
            let (feed, entry) = line.last()?;
            Some((line.len(), feed.writer, entry.height))
        });
        // Of equally long branches the choice is the same wherever it is made.
        let (_, writer, end) =
            ends.max_by_key(|(length, writer, end)| (*length, *writer, end.hash))?;
        Some((writer, end))
    }

    /// The state before the first fact, with all terms known.
    fn known_terms(&self) -> Authority {
        let mut authority = Authority::new(self.network);
        for feed in &self.feeds {
            let term = TermRecord {
                term: feed.term(),
                continues: feed.continues(),
            };
            authority.know_term(FeedName::from_bytes(feed.writer), term);
        }
        authority
    }

    fn line(&self, terms: &Authority) -> Line<'_> {
        let mut levels = self.levels().into_iter().rev();
        let line = levels.find_map(|term| self.line_to(term, terms));
        line.unwrap_or_default()
    }

    /// The terms that are held, the lowest first.
    fn levels(&self) -> Vec<u64> {
        let mut levels = self.terms().collect::<Vec<_>>();
        levels.sort_unstable();
        levels.dedup();
        levels
    }

    /// The feeds of `term` of which something may count, and how much.
    fn counting(&self, term: u64, terms: &Authority) -> Vec<(&LogFeed, usize)> {
        let level = self.feeds.iter().filter(|feed| feed.term() == term);
        level
            .filter_map(|feed| Some((feed, feed.count_under(terms)?)))
            .collect()
    }

    /// What the lines of the feeds of `term` have in common; none if no line is whole.
    fn line_to(&self, term: u64, terms: &Authority) -> Option<Line<'_>> {
        let counting = self.counting(term, terms);
        let lines = counting
            .iter()
            .filter_map(|(feed, count)| self.follow(feed, *count));
        let common = lines.reduce(|mut common, line| {
            let same = common.iter().zip(&line);
            let same = same.take_while(|((_, one), (_, other))| one.height == other.height);
            let length = same.count();
            common.truncate(length);
            common
        })?;
        Some(Line {
            entries: common,
            frozen: counting.len() > 1 || counting.iter().any(|(feed, _)| feed.forked),
        })
    }

    /// The first `count` entries of `feed` after all that they continue from.
    fn follow<'a>(
        &'a self,
        feed: &'a LogFeed,
        count: usize,
    ) -> Option<Vec<(&'a LogFeed, &'a LogEntry)>> {
        let mut parts = vec![(feed, count)];
        let mut feed = feed;
        while let Some((writer, end)) = feed.continues() {
            let earlier = self.feeds.iter().filter(|earlier| {
                earlier.writer == *writer.as_bytes() && earlier.term() < feed.term()
            });
            let mut held = earlier.filter_map(|earlier| Some((earlier, earlier.position(end)?)));
            let (earlier, index) = held.next()?;
            parts.push((earlier, index + 1));
            feed = earlier;
        }
        let parts = parts.iter().rev();
        let entries = parts.flat_map(|(feed, count)| {
            let entries = feed.entries.iter().take(*count);
            entries.map(move |entry| (*feed, entry))
        });
        Some(entries.collect())
    }
}

impl LogFeed {
    const fn term(&self) -> u64 {
        match self.opening {
            Opening::Authority { term, .. } => term,
            Opening::Node { .. } => 0,
        }
    }

    const fn continues(&self) -> Option<(FeedName, Height)> {
        match self.opening {
            Opening::Authority { continues, .. } => continues,
            Opening::Node { .. } => None,
        }
    }

    /// How many of its entries may count, as far as is known of higher terms; none if none.
    fn count_under(&self, terms: &Authority) -> Option<usize> {
        let writer = FeedName::from_bytes(self.writer);
        let count = match terms.term_admission(writer, self.term()) {
            // Forked at number 0 it holds nothing, but must be known to be forked.
            Admission::All | Admission::NotYet(_) if self.forked => {
                return Some(self.entries.len());
            }
            Admission::All | Admission::NotYet(_) => self.entries.len(),
            Admission::Never(_) => 0,
            // The end itself, or while it is not held what stands below it.
            Admission::UpTo(ends) => {
                let held = ends.iter().filter_map(|end| self.position(*end)).max();
                let below = ends.iter().map(|end| end.number).max().unwrap_or(0);
                let below = usize::try_from(below).unwrap_or(usize::MAX);
                held.map_or(below.min(self.entries.len()), |index| index + 1)
            }
        };
        (count > 0).then_some(count)
    }

    fn position(&self, height: Height) -> Option<usize> {
        let index = usize::try_from(height.number).ok()?;
        let entry = self.entries.get(index)?;
        (entry.height.hash == height.hash).then_some(index)
    }
}
