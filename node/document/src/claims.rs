//! What a packed document says about the entries that it stands for. A feed's trail proves it.

use node_feed::{DecodeError, Decoder, Encoder, FeedName, Nonce};

use crate::numbers;

/// The entries of one feed up to its base, without their changes, which stand in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) feed: FeedName,
    /// The checkpoint up to which they are told.
    pub(crate) base: u64,
    pub(crate) actors: Vec<ClaimedActor>,
    /// By rising numbers.
    pub(crate) entries: Vec<ClaimedEntry>,
}

/// An actor of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClaimedActor {
    pub(crate) nonce: Nonce,
    pub(crate) level: u8,
    /// Its first sequence number in this feed: its changes go on from there without a gap.
    pub(crate) first: u64,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimedEntry {
    pub(crate) number: u64,
    pub(crate) time_ms: u64,
    /// How many of the next changes of which actors it brought.
    pub(crate) shares: Vec<(usize, u64)>,
}

impl Claims {
    pub(crate) const fn new(feed: FeedName, base: u64) -> Self {
        Self {
            feed,
            base,
            actors: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Adds an actor and returns its index.
    pub(crate) fn add_actor(&mut self, actor: ClaimedActor) -> usize {
        self.actors.push(actor);
        self.actors.len() - 1
    }

    /// Numbers stand in columns, so that compressing them leaves little.
    pub(crate) fn encode(&self, out: &mut Encoder) {
        let mut columns = Vec::new();
        numbers::write(&mut columns, self.base);
        numbers::write(&mut columns, self.actors.len() as u64);
        for actor in &self.actors {
            columns.extend_from_slice(&actor.nonce.0);
            columns.push(actor.level);
            numbers::write(&mut columns, actor.first);
        }
        numbers::write(&mut columns, self.entries.len() as u64);
        let entries = || self.entries.iter();
        numbers::write_differences(&mut columns, entries().map(|entry| entry.number));
        numbers::write_differences(&mut columns, entries().map(|entry| entry.time_ms));
        for entry in entries() {
            numbers::write(&mut columns, entry.shares.len() as u64);
        }
        let shares = || entries().flat_map(|entry| &entry.shares);
        numbers::write_differences(&mut columns, shares().map(|(actor, _)| *actor as u64));
        for (_, count) in shares() {
            numbers::write(&mut columns, *count);
        }
        out.bytes(self.feed.as_bytes()).length(columns.len());
        out.bytes(&columns);
    }

    pub(crate) fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let feed = FeedName::from_bytes(input.array("a feed")?);
        let length = input.length("a length")?;
        let columns = &mut input.take(length, "a feed's entries")?;
        let base = numbers::read(columns, "a base")?;
        let mut claims = Self::new(feed, base);
        for _ in 0..numbers::read(columns, "a count")? {
            let (nonce, rest) = columns
                .split_first_chunk::<16>()
                .ok_or(DecodeError::Ends("a start nonce"))?;
            let (level, rest) = rest.split_first().ok_or(DecodeError::Ends("a lane"))?;
            *columns = rest;
            claims.add_actor(ClaimedActor {
                nonce: Nonce(*nonce),
                level: *level,
                first: numbers::read(columns, "a sequence number")?,
            });
        }
        let count = numbers::read_count(columns)?;
        let entries = numbers::read_differences(columns, count)?;
        let times = numbers::read_differences(columns, count)?;
        let mut lengths = Vec::new();
        for _ in 0..count {
            lengths.push(numbers::read_count(columns)?);
        }
        let mut shares = Vec::new();
        // Each stands in two bytes or more, so that a sum beyond what is left fails right away.
        let all = lengths
            .iter()
            .fold(0usize, |all, one| all.saturating_add(*one));
        for actor in numbers::read_differences(columns, all)? {
            let actor = usize::try_from(actor).map_err(|_| DecodeError::Value("an actor"))?;
            shares.push((actor, 0));
        }
        for (_, changes) in &mut shares {
            *changes = numbers::read(columns, "a count of changes")?;
        }
        if !columns.is_empty() {
            return Err(DecodeError::Trailing(columns.len()));
        }
        let mut shares = shares.into_iter();
        for ((number, time_ms), length) in entries.into_iter().zip(times).zip(lengths) {
            claims.entries.push(ClaimedEntry {
                number,
                time_ms,
                shares: shares.by_ref().take(length).collect(),
            });
        }
        Ok(claims)
    }
}
