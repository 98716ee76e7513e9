//! Bringing a document up to what is stored of it, a portion at a time.

use std::collections::BTreeMap;

use node_feed::FeedName;

use crate::document::Document;
use crate::entry::ChangesEntry;
use crate::intake::Intake;
use crate::outcome::{Fault, Outcome};

/// A portion may take so many times the memory that the document takes: opening that takes more for a
/// moment, so that larger portions cost time and smaller ones spare nothing.
const DOCUMENT_PART: usize = 2;
/// By what larger portions are each time that entries which wait are tried again, so that this ends
/// soon in whatever order they are stored.
const GROWTH: usize = 4;
/// What such a portion takes at most, unless the document takes more: whoever writes what waits for each
/// other does not decide over memory.
const GROWN_BYTES_MAX: usize = 256 << 20;
/// How often a document is made again at most because a branch gives way to another.
const REBUILDS_MAX: usize = 64;

/// Which entries of a document are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those that came since it was last brought up to date.
    New,
    /// All, since the document is made again.
    All,
    /// All once more: of those that came before, some wait.
    Again,
}

impl Document {
    /// Applies stored entries, as many at once as take `portion` bytes in memory, or twice what the
    /// document takes. Gives what [`apply`](Self::apply) gives for all of them at once, also where
    /// some wait for others that come later, or a branch of a fork gives way to another.
    ///
    /// `read` gives the entries, each feed's in the order of their numbers, and causes soon before or
    /// after what builds on them: entries that wait are asked for again.
    ///
    /// # Errors
    /// Whatever `read` or its entries give.
    pub fn catch_up<E, I>(
        self,
        portion: usize,
        mut read: impl FnMut(Wanted) -> Result<I, E>,
    ) -> Result<Self, E>
    where
        I: Iterator<Item = Result<ChangesEntry, E>>,
    {
        let mut document = self;
        let mut wanted = Wanted::New;
        let mut rebuilds = 0;
        loop {
            let mut stored = Stored {
                wanted,
                portion,
                may_rebuild: rebuilds < REBUILDS_MAX,
                read: &mut read,
            };
            let ahead = Taking::Ahead(Box::new(Intake::new(document)));
            let taken = match stored.take(ahead)? {
                // Whichever is at fault is found where each portion is looked at by itself.
                Taken::Failed(before) => stored.take(Taking::Checked(Box::new(before)))?,
                taken @ (Taken::All(_) | Taken::Rebuild(_)) => taken,
            };
            document = match taken {
                Taken::All(document) | Taken::Failed(document) => return Ok(document),
                Taken::Rebuild(document) => document.emptied(),
            };
            wanted = Wanted::All;
            rebuilds += 1;
        }
    }
}

/// How portions are taken in.
enum Taking {
    /// Looked at together, once all are in.
    Ahead(Box<Intake>),
    /// Each by itself.
    Checked(Box<Document>),
}

/// What became of a document.
enum Taken {
    /// It holds all that can be applied.
    All(Document),
    /// It is as it was: something cannot be applied.
    Failed(Document),
    /// A branch gives way to another in it: all its entries are to be applied to an empty one.
    Rebuild(Document),
}

/// Why the rest is not taken in.
enum Stop<E> {
    Unreadable(E),
    Fault,
    Rebuild,
}

impl<E> From<Fault> for Stop<E> {
    fn from(_: Fault) -> Self {
        Self::Fault
    }
}

impl Taking {
    const fn document(&self) -> &Document {
        match self {
            Self::Ahead(intake) => intake.ahead(),
            Self::Checked(document) => document,
        }
    }

    fn take(&mut self, entries: &[ChangesEntry]) -> Result<Vec<Outcome>, Fault> {
        match self {
            Self::Ahead(intake) => intake.take(entries),
            Self::Checked(document) => Ok(document.apply(entries)),
        }
    }

    fn finish(self) -> Taken {
        match self {
            Self::Ahead(intake) => match intake.finish() {
                (document, true) => Taken::All(document),
                (document, false) => Taken::Failed(document),
            },
            Self::Checked(document) => Taken::All(*document),
        }
    }
}

/// What is stored of a document.
struct Stored<'a, R> {
    wanted: Wanted,
    portion: usize,
    may_rebuild: bool,
    read: &'a mut R,
}

impl<R> Stored<'_, R> {
    /// Takes all that is wanted.
    fn take<E, I>(&mut self, mut taking: Taking) -> Result<Taken, E>
    where
        R: FnMut(Wanted) -> Result<I, E>,
        I: Iterator<Item = Result<ChangesEntry, E>>,
    {
        match self.passes(&mut taking) {
            Ok(()) => Ok(taking.finish()),
            Err(Stop::Unreadable(error)) => Err(error),
            Err(stop) => Ok(match (taking, stop) {
                // Which branch gives way is decided by entries that were looked at alone.
                (Taking::Ahead(intake), _) => Taken::Failed(intake.before()),
                // Which one gives way was found out on the way.
                (Taking::Checked(document), Stop::Rebuild) => Taken::Rebuild(*document),
                (Taking::Checked(document), _) => Taken::All(*document),
            }),
        }
    }

    fn passes<E, I>(&mut self, taking: &mut Taking) -> Result<(), Stop<E>>
    where
        R: FnMut(Wanted) -> Result<I, E>,
        I: Iterator<Item = Result<ChangesEntry, E>>,
    {
        let mut growth = 1;
        let mut pass = self.pass(taking, self.wanted, &|_| true, growth)?;
        loop {
            // What waits may build on what came after it, in the pass that just ended.
            if !pass.changed || !taking.document().may_go_on() {
                return Ok(());
            }
            let document = taking.document();
            let waiting = document.waiting().collect::<BTreeMap<FeedName, u64>>();
            growth = usize::saturating_mul(growth, GROWTH);
            // Of a feed that waits, all entries from the first waiting one on are tried again.
            let is_tried = |entry: &ChangesEntry| {
                let first = waiting.get(&entry.feed);
                first.is_some_and(|first| entry.number >= *first)
            };
            pass = self.pass(taking, Wanted::Again, &is_tried, growth)?;
            if pass.portions <= 1 {
                return Ok(());
            }
        }
    }

    /// Takes those that are tried, once.
    fn pass<E, I>(
        &mut self,
        taking: &mut Taking,
        wanted: Wanted,
        is_tried: &dyn Fn(&ChangesEntry) -> bool,
        growth: usize,
    ) -> Result<Pass, Stop<E>>
    where
        R: FnMut(Wanted) -> Result<I, E>,
        I: Iterator<Item = Result<ChangesEntry, E>>,
    {
        let mut pass = Pass::default();
        let mut entries = (self.read)(wanted).map_err(Stop::Unreadable)?;
        loop {
            let document = taking.document().weight().saturating_mul(DOCUMENT_PART);
            let grown = document.max(self.portion).saturating_mul(growth);
            let most = grown.min(document.max(GROWN_BYTES_MAX));
            let mut portion = Vec::new();
            let mut weight = 0usize;
            while weight < most
                && let Some(entry) = entries.next()
            {
                let entry = entry.map_err(Stop::Unreadable)?;
                if is_tried(&entry) {
                    weight = weight.saturating_add(entry.weight());
                    portion.push(entry);
                }
            }
            if portion.is_empty() {
                return Ok(pass);
            }
            let outcomes = taking.take(&portion)?;
            pass.portions += 1;
            if self.may_rebuild && outcomes.contains(&Outcome::Rebuild) {
                return Err(Stop::Rebuild);
            }
            let waits = |outcome: &Outcome| matches!(outcome, Outcome::Waiting(_));
            pass.changed |= !outcomes.iter().all(waits);
        }
    }
}

/// What came of reading entries once.
#[derive(Debug, Default)]
struct Pass {
    portions: usize,
    /// Whether any was decided.
    changed: bool,
}
