//! What is remembered beside Automerge: who wrote what, and what was decided.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ActorId, ObjId};
use node_feed::{DecodeError, Decoder, DocumentId, Encoder, FeedName, Hash, HubId, Nonce};

use crate::actor::ActorBase;
use crate::claims::{ClaimedActor, ClaimedEntry, Claims};
use crate::copied::NotCopied;
use crate::entry::{Authorship, ChangesEntry};
use crate::numbers;
use crate::outcome::{SetAside, SetAsideReason};

/// Who wrote each change, the last number decided per feed, and what was set aside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book {
    /// Feed → the last number that was applied or set aside.
    pub(crate) decided: BTreeMap<FeedName, u64>,
    /// Feed → the first number that waits.
    pub(crate) waiting: BTreeMap<FeedName, u64>,
    /// Feed → the changes that its first entry which waits is waiting for. Not saved.
    pub(crate) missing: BTreeMap<FeedName, BTreeSet<[u8; 32]>>,
    set_aside: BTreeMap<(FeedName, u64), SetAside>,
    /// The changes of what was set aside.
    aside_changes: BTreeMap<[u8; 32], (FeedName, u64)>,
    /// Branches that lost against another, and from which number on they give way.
    pub(crate) giving_way: BTreeMap<FeedName, u64>,
    /// Feed → its first entry that brought a change again which another had brought before.
    repeating: BTreeMap<FeedName, u64>,
    writers: Vec<Writer>,
    actors: BTreeMap<Vec<u8>, Actor>,
}

/// What an actor wrote, and the start nonce that it is derived from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Actor {
    nonce: Nonce,
    spans: Vec<Span>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Writer {
    feed: FeedName,
    key: [u8; 32],
    hub: HubId,
}

/// The changes of one actor that came in one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    last_seq: u64,
    last_op: u64,
    writer: u32,
    number: u64,
    time_ms: u64,
}

impl Book {
    /// Notes that the changes of `entry` up to these were applied.
    pub(crate) fn record(&mut self, entry: &ChangesEntry, actor: &ActorId, seq: u64, last_op: u64) {
        let writer = Writer {
            feed: entry.feed,
            key: entry.writer,
            hub: entry.hub,
        };
        let at = self
            .writers
            .iter()
            .position(|known| *known == writer)
            .unwrap_or_else(|| {
                self.writers.push(writer);
                self.writers.len() - 1
            });
        let span = Span {
            last_seq: seq,
            last_op,
            writer: u32::try_from(at).unwrap_or(u32::MAX),
            number: entry.number,
            time_ms: entry.time_ms,
        };
        let known = self.actors.entry(actor.to_bytes().to_vec());
        let spans = &mut known
            .or_insert_with(|| Actor {
                nonce: entry.changes.nonce,
                spans: Vec::new(),
            })
            .spans;
        match spans.last_mut() {
            Some(last) if last.number == span.number && last.writer == span.writer => *last = span,
            _ => spans.push(span),
        }
    }

    /// Notes that an entry brought a change that another had brought before.
    pub(crate) fn note_repeating(&mut self, entry: &ChangesEntry) {
        let first = self.repeating.entry(entry.feed).or_insert(entry.number);
        *first = (*first).min(entry.number);
    }

    /// Notes that everything of a feed up to `number` is decided.
    pub(crate) fn decide(&mut self, feed: FeedName, number: u64) {
        let last = self.decided.entry(feed).or_insert(number);
        *last = (*last).max(number);
    }

    /// Notes that a branch lost against another: from `number` on nothing of it counts.
    pub(crate) fn give_way(&mut self, feed: FeedName, number: u64) {
        let first = self.giving_way.entry(feed).or_insert(number);
        *first = (*first).min(number);
    }

    /// The last sequence number of an actor, 0 for one that has written nothing.
    pub(crate) fn last_seq(&self, actor: &ActorId) -> u64 {
        self.actors
            .get(actor.to_bytes())
            .and_then(|actor| actor.spans.last())
            .map_or(0, |s| s.last_seq)
    }

    /// How many actors a feed has in the document.
    pub(crate) fn actors_of(&self, feed: FeedName) -> usize {
        self.actors
            .values()
            .filter(|actor| {
                actor
                    .spans
                    .first()
                    .and_then(|span| self.writer(span))
                    .is_some_and(|w| w.feed == feed)
            })
            .count()
    }

    /// How many actors a writer has in the document, in all branches of its feed together.
    pub(crate) fn actors_of_writer(&self, key: &[u8; 32]) -> usize {
        let writers = self
            .actors
            .values()
            .filter_map(|actor| self.writer(actor.spans.first()?));
        writers.filter(|writer| writer.key == *key).count()
    }

    /// Whether a change of `hub` was applied.
    pub(crate) fn knows(&self, hub: HubId) -> bool {
        self.writers.iter().any(|writer| writer.hub == hub)
    }

    /// The hub of which all changes are, if there is one alone.
    pub(crate) fn sole_hub(&self) -> Option<HubId> {
        let first = self.writers.first()?.hub;
        let same = |writer: &Writer| writer.hub == first;
        self.writers.iter().all(same).then_some(first)
    }

    /// The feed and number of the entry that brought change `seq` of `actor`.
    pub(crate) fn source(&self, actor: &ActorId, seq: u64) -> Option<(FeedName, u64)> {
        let spans = &self.actors.get(actor.to_bytes())?.spans;
        let span = spans.get(spans.partition_point(|span| span.last_seq < seq))?;
        Some((self.writer(span)?.feed, span.number))
    }

    /// Who made the operation with this id.
    pub(crate) fn author_of(&self, operation: &ObjId) -> Option<Authorship> {
        let ObjId::Id(counter, actor, _) = operation else {
            return None;
        };
        self.author_of_op(actor, *counter)
    }

    /// Who made the operation of `actor` with this counter.
    pub(crate) fn author_of_op(&self, actor: &ActorId, counter: u64) -> Option<Authorship> {
        let spans = &self.actors.get(actor.to_bytes())?.spans;
        let span = spans.get(spans.partition_point(|span| span.last_op < counter))?;
        let writer = self.writer(span)?;
        Some(Authorship {
            time_ms: span.time_ms,
            hub: writer.hub,
            writer: writer.key,
            feed: writer.feed,
            number: span.number,
        })
    }

    /// Sets an entry aside, and so decides it.
    pub(crate) fn put_aside(&mut self, aside: SetAside) {
        self.decide(aside.feed, aside.number);
        let key = (aside.feed, aside.number);
        self.aside_changes
            .extend(aside.changes.iter().map(|change| (*change, key)));
        self.set_aside.insert(key, aside);
    }

    /// What was set aside, by feed and number.
    pub(crate) fn all_set_aside(&self) -> impl Iterator<Item = &SetAside> {
        self.set_aside.values()
    }

    /// The entry with this feed and number, if it was set aside.
    pub(crate) fn set_aside(&self, key: &(FeedName, u64)) -> Option<&SetAside> {
        self.set_aside.get(key)
    }

    /// The feed and number of the entry set aside that holds the change with this hash.
    pub(crate) fn set_aside_holding(&self, change: &[u8; 32]) -> Option<(FeedName, u64)> {
        self.aside_changes.get(change).copied()
    }

    /// Whether more than one actor has changed the document. All changes of one know of each
    /// other.
    pub(crate) fn has_several_actors(&self) -> bool {
        self.actors.len() > 1
    }

    /// What the entries of `feed` up to `base` brought, as a packed document says it.
    ///
    /// # Errors
    /// [`NotCopied`] if it cannot be said so that others can prove it.
    pub(crate) fn claims(
        &self,
        document: DocumentId,
        feed: FeedName,
        base: u64,
    ) -> Result<Claims, NotCopied> {
        let up_to_base =
            |numbers: &BTreeMap<_, u64>| numbers.get(&feed).is_some_and(|first| *first <= base);
        if up_to_base(&self.waiting) {
            return Err(NotCopied::Waiting);
        }
        if up_to_base(&self.repeating) {
            return Err(NotCopied::Repeated);
        }
        let mut claims = Claims::new(feed, base);
        let mut entries = BTreeMap::<u64, ClaimedEntry>::new();
        for (bytes, actor) in &self.actors {
            let mut before = 0;
            let mut claimed = None::<(usize, u64)>;
            for span in &actor.spans {
                let first = before + 1;
                let share = span.last_seq.saturating_sub(before);
                before = span.last_seq;
                let writer = self.writer(span).filter(|writer| writer.feed == feed);
                let Some(writer) = writer.filter(|_| span.number <= base) else {
                    continue;
                };
                let index = match claimed {
                    Some((index, next)) if next == first => index,
                    Some(_) => return Err(NotCopied::Interrupted),
                    None => {
                        let level = ActorBase::derive(&writer.key, document, actor.nonce)
                            .level(&ActorId::from(bytes.as_slice()))
                            .ok_or(NotCopied::Interrupted)?;
                        claims.add_actor(ClaimedActor {
                            nonce: actor.nonce,
                            level,
                            first,
                        })
                    }
                };
                claimed = Some((index, span.last_seq + 1));
                let entry = entries.entry(span.number).or_insert_with(|| ClaimedEntry {
                    number: span.number,
                    time_ms: span.time_ms,
                    shares: Vec::new(),
                });
                entry.shares.push((index, share));
            }
        }
        claims.entries = entries.into_values().collect();
        Ok(claims)
    }

    fn writer(&self, span: &Span) -> Option<&Writer> {
        self.writers.get(span.writer as usize)
    }

    pub(crate) fn encode(&self, out: &mut Encoder) {
        encode_numbers(out, &self.decided);
        encode_numbers(out, &self.waiting);
        encode_numbers(out, &self.giving_way);
        encode_numbers(out, &self.repeating);
        count(out, self.set_aside.len());
        for aside in self.set_aside.values() {
            out.bytes(aside.feed.as_bytes())
                .u64(aside.number)
                .bytes(aside.hash.as_bytes());
            out.u8(aside.reason as u8).text(&aside.detail);
            count(out, aside.changes.len());
            for change in &aside.changes {
                out.bytes(change);
            }
        }
        count(out, self.writers.len());
        for writer in &self.writers {
            out.bytes(writer.feed.as_bytes())
                .bytes(&writer.key)
                .bytes(writer.hub.as_bytes());
        }
        count(out, self.actors.len());
        for (actor, known) in &self.actors {
            count(out, actor.len());
            out.bytes(actor).bytes(&known.nonce.0);
            count(out, known.spans.len());
            let mut columns = Vec::new();
            encode_spans(&mut columns, &known.spans);
            count(out, columns.len());
            out.bytes(&columns);
        }
    }

    pub(crate) fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut book = Self {
            decided: decode_numbers(input)?,
            waiting: decode_numbers(input)?,
            giving_way: decode_numbers(input)?,
            repeating: decode_numbers(input)?,
            ..Self::default()
        };
        for _ in 0..input.u32("a count")? {
            book.put_aside(decode_set_aside(input)?);
        }
        for _ in 0..input.u32("a count")? {
            book.writers.push(Writer {
                feed: FeedName::from_bytes(input.array("a feed")?),
                key: input.array("a writer key")?,
                hub: HubId::from_bytes(input.array("a hub")?),
            });
        }
        for _ in 0..input.u32("a count")? {
            let length = input.u32("a length")? as usize;
            let actor = input.take(length, "an actor")?.to_vec();
            let nonce = Nonce(input.array("a start nonce")?);
            let entries = input.u32("a count")?;
            let length = input.u32("a length")? as usize;
            let spans = decode_spans(&mut input.take(length, "entries")?, entries)?;
            book.actors.insert(actor, Actor { nonce, spans });
        }
        Ok(book)
    }

    /// Bytes that it takes in memory, roughly.
    pub(crate) fn weight(&self) -> usize {
        let spans = self
            .actors
            .values()
            .map(|actor| actor.spans.len())
            .sum::<usize>();
        spans * size_of::<Span>()
            + self.actors.len() * 64
            + self.aside_changes.len() * 96
            + self.set_aside.len() * 256
    }
}

fn count(out: &mut Encoder, length: usize) {
    out.u32(u32::try_from(length).unwrap_or(u32::MAX));
}

/// Spans in columns, each number by its difference from the one before.
fn encode_spans(out: &mut Vec<u8>, spans: &[Span]) {
    let columns: [fn(&Span) -> u64; 5] = [
        |span| span.last_seq,
        |span| span.last_op,
        |span| u64::from(span.writer),
        |span| span.number,
        |span| span.time_ms,
    ];
    for column in columns {
        numbers::write_differences(out, spans.iter().map(column));
    }
}

fn decode_spans(input: &mut &[u8], count: u32) -> Result<Vec<Span>, DecodeError> {
    let mut column = || numbers::read_differences(input, count as usize);
    let (seqs, ops, writers) = (column()?, column()?, column()?);
    let (numbers, times) = (column()?, column()?);
    let spans = seqs
        .into_iter()
        .zip(ops)
        .zip(writers)
        .zip(numbers)
        .zip(times);
    spans
        .map(|((((last_seq, last_op), writer), number), time_ms)| {
            Ok(Span {
                last_seq,
                last_op,
                writer: u32::try_from(writer).map_err(|_| DecodeError::Value("a writer"))?,
                number,
                time_ms,
            })
        })
        .collect()
}

fn encode_numbers(out: &mut Encoder, numbers: &BTreeMap<FeedName, u64>) {
    count(out, numbers.len());
    for (feed, number) in numbers {
        out.bytes(feed.as_bytes()).u64(*number);
    }
}

fn decode_numbers(input: &mut Decoder<'_>) -> Result<BTreeMap<FeedName, u64>, DecodeError> {
    (0..input.u32("a count")?)
        .map(|_| {
            Ok((
                FeedName::from_bytes(input.array("a feed")?),
                input.u64("a number")?,
            ))
        })
        .collect()
}

fn decode_set_aside(input: &mut Decoder<'_>) -> Result<SetAside, DecodeError> {
    let feed = FeedName::from_bytes(input.array("a feed")?);
    let number = input.u64("a number")?;
    let hash = Hash::from_bytes(input.array("a hash")?);
    let reason =
        SetAsideReason::from_code(input.u8("a reason")?).ok_or(DecodeError::Value("a reason"))?;
    let detail = input.text("a detail")?;
    let changes = (0..input.u32("a count")?)
        .map(|_| input.array("a change"))
        .collect::<Result<_, _>>()?;
    Ok(SetAside {
        feed,
        number,
        hash,
        reason,
        detail,
        changes,
    })
}
