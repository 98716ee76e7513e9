//! Applying a batch of entries.

use std::collections::{BTreeMap, VecDeque};

use node_feed::{DocumentId, FeedName};

use crate::book::Book;
use crate::candidate::Candidate;
use crate::document::Document;
use crate::entry::ChangesEntry;
use crate::limits::CHANGES_MAX;
use crate::outcome::{Fault, Outcome, SetAside, SetAsideReason, WaitingCause};
use crate::plan::{Plan, Verdict};
use crate::trial::{self, Trial};

/// What Automerge says of a hostile change may be long.
const DETAIL_CHARACTERS_MAX: usize = 200;

/// Entries on their way into a document.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    entries: &'a [ChangesEntry],
    candidates: Vec<Option<Result<Candidate, Fault>>>,
    /// Feed → the entries that are not decided, in the order of their numbers.
    queues: BTreeMap<FeedName, VecDeque<usize>>,
    /// What became of each number.
    outcomes: BTreeMap<(FeedName, u64), Outcome>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(document: DocumentId, entries: &'a [ChangesEntry], book: &Book) -> Self {
        let mut order = BTreeMap::<(FeedName, u64), usize>::new();
        let mut outcomes = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let key = (entry.feed, entry.number);
            if book
                .decided
                .get(&entry.feed)
                .is_some_and(|last| entry.number <= *last)
            {
                let aside = book.set_aside(&key).cloned();
                outcomes.insert(key, aside.map_or(Outcome::Applied, Outcome::SetAside));
            } else {
                order.entry(key).or_insert(index);
            }
        }
        // Where the entry that waits is not given again, what comes after it waits too.
        for (feed, first) in &book.waiting {
            if !order.contains_key(&(*feed, *first)) {
                order.retain(|key, _| {
                    key.0 != *feed || key.1 < *first || {
                        outcomes.insert(*key, Outcome::Waiting(WaitingCause::Behind(*first)));
                        false
                    }
                });
            }
        }
        let mut queues = BTreeMap::<_, VecDeque<usize>>::new();
        let mut candidates = entries.iter().map(|_| None).collect::<Vec<_>>();
        for ((feed, _), index) in order {
            candidates[index] = Some(Candidate::read(document, &entries[index]));
            queues.entry(feed).or_default().push_back(index);
        }
        Self {
            entries,
            candidates,
            queues,
            outcomes,
        }
    }

    /// A batch of entries that were read and checked before, to be [picked](Self::pick) from.
    pub(crate) fn prepared(entries: &'a [ChangesEntry], candidates: Vec<Candidate>) -> Self {
        let order = entries.iter().enumerate();
        let order = order.map(|(index, entry)| ((entry.feed, entry.number), index));
        let mut queues = BTreeMap::<_, VecDeque<usize>>::new();
        for ((feed, _), index) in order.collect::<BTreeMap<_, _>>() {
            queues.entry(feed).or_default().push_back(index);
        }
        Self {
            entries,
            candidates: candidates.into_iter().map(|one| Some(Ok(one))).collect(),
            queues,
            outcomes: BTreeMap::new(),
        }
    }

    /// Applies what can be applied. A batch that fails is halved until the entry at fault stands
    /// alone; only that is set aside.
    pub(crate) fn run(mut self, document: &mut Document) -> Vec<Outcome> {
        let mut limit = usize::MAX;
        loop {
            self.set_faulty_aside(document);
            let picked = self.pick(document, limit);
            if picked.is_empty() {
                break;
            }
            let chosen = picked.iter().filter_map(|index| self.candidate(*index));
            match Trial::attempt(&document.automerge, &chosen.collect::<Vec<_>>()) {
                Ok(trial) => {
                    self.accept(document, trial, &picked);
                    limit = limit.saturating_mul(2);
                }
                Err(fault) if picked.len() == 1 => {
                    self.set_aside(document, picked[0], fault);
                    limit = 2;
                }
                Err(_) => limit = picked.len() / 2,
            }
        }
        self.finish(document)
    }

    /// Applies what can be applied, but neither saves the document nor loads it again. Returns the
    /// changes that were added.
    ///
    /// # Errors
    /// [`Fault`] if one cannot be applied: what the document is then is to be thrown away.
    pub(crate) fn run_ahead(
        mut self,
        document: &mut Document,
    ) -> Result<(Vec<Outcome>, Vec<[u8; 32]>), Fault> {
        let mut added = Vec::new();
        loop {
            self.set_faulty_aside(document);
            let picked = self.pick(document, usize::MAX);
            if picked.is_empty() {
                return Ok((self.finish(document), added));
            }
            let chosen = self.chosen(&picked);
            let candidates = chosen.iter().map(|(_, candidate)| *candidate);
            let candidates = candidates.collect::<Vec<_>>();
            document.automerge = trial::apply(&document.automerge, &candidates)?;
            document.note_applied(&chosen);
            let changes = candidates.iter().flat_map(|candidate| &candidate.changes);
            added.extend(changes.map(|change| change.hash().0));
            for index in picked {
                self.close(index, Outcome::Applied);
            }
        }
    }

    /// Notes what waits, and says what became of each entry.
    fn finish(&mut self, document: &mut Document) -> Vec<Outcome> {
        self.note_waiting(document);
        self.entries
            .iter()
            .map(|entry| self.outcome(entry))
            .collect()
    }

    /// Sets aside what needs no trial: the first entries of the feeds, judged on the document as
    /// it stands.
    fn set_faulty_aside(&mut self, document: &mut Document) {
        let feeds = self.queues.keys().copied().collect::<Vec<_>>();
        for feed in feeds {
            while let Some(index) = self.first(&feed) {
                let entry = &self.entries[index];
                let fault = match self.candidates[index].as_ref() {
                    Some(Err(fault)) => fault.clone(),
                    Some(Ok(candidate)) => {
                        match Plan::new(&document.automerge, &document.book).judge(entry, candidate)
                        {
                            Verdict::SetAside(fault) => fault,
                            Verdict::TakesPlaceOf(other, number) => {
                                self.ask_for_rebuild(document, index, other, number);
                                break;
                            }
                            Verdict::Ready | Verdict::Waiting(_) => break,
                        }
                    }
                    None => break,
                };
                self.set_aside(document, index, fault);
            }
        }
    }

    /// Up to `limit` entries that can be applied one after the other.
    pub(crate) fn pick(&self, document: &Document, limit: usize) -> Vec<usize> {
        let mut plan = Plan::new(&document.automerge, &document.book);
        let mut taken = BTreeMap::<FeedName, usize>::new();
        let mut picked = Vec::new();
        loop {
            let before = picked.len();
            for (feed, queue) in &self.queues {
                let position = taken.entry(*feed).or_default();
                while picked.len() < limit
                    && let Some(index) = queue.get(*position)
                {
                    let entry = &self.entries[*index];
                    let Some(candidate) = self.candidate(*index) else {
                        break;
                    };
                    if plan.judge(entry, candidate) != Verdict::Ready {
                        break;
                    }
                    plan.add(entry, candidate);
                    picked.push(*index);
                    *position += 1;
                }
            }
            if picked.len() == before || picked.len() >= limit {
                return picked;
            }
        }
    }

    /// Picked entries with what was read of them.
    pub(crate) fn chosen(&self, picked: &[usize]) -> Vec<(&ChangesEntry, &Candidate)> {
        picked
            .iter()
            .filter_map(|index| Some((&self.entries[*index], self.candidate(*index)?)))
            .collect()
    }

    fn accept(&mut self, document: &mut Document, trial: Trial, picked: &[usize]) {
        document.accept(trial, &self.chosen(picked));
        for index in picked {
            self.close(*index, Outcome::Applied);
        }
    }

    fn set_aside(&mut self, document: &mut Document, index: usize, fault: Fault) {
        let entry = &self.entries[index];
        if fault.reason == SetAsideReason::Collision {
            // Nothing counts that this branch wrote on top, as if the other had come later.
            document.book.give_way(entry.feed, entry.number);
        }
        let hashes = entry
            .changes
            .chunks
            .iter()
            .map(|chunk| node_feed::change_hash(chunk));
        let aside = SetAside {
            feed: entry.feed,
            number: entry.number,
            hash: entry.hash,
            reason: fault.reason,
            detail: fault.detail.chars().take(DETAIL_CHARACTERS_MAX).collect(),
            changes: hashes.take(CHANGES_MAX).collect(),
        };
        document.book.put_aside(aside.clone());
        self.close(index, Outcome::SetAside(aside));
    }

    fn ask_for_rebuild(
        &mut self,
        document: &mut Document,
        index: usize,
        other: FeedName,
        from: u64,
    ) {
        document.book.give_way(other, from);
        let entry = &self.entries[index];
        self.outcomes
            .insert((entry.feed, entry.number), Outcome::Rebuild);
    }

    /// Takes an entry off its queue.
    fn close(&mut self, index: usize, outcome: Outcome) {
        let entry = &self.entries[index];
        self.outcomes.insert((entry.feed, entry.number), outcome);
        // Entries of one feed are decided in the order of their numbers.
        if let Some(queue) = self.queues.get_mut(&entry.feed) {
            queue.pop_front_if(|first| *first == index);
        }
    }

    fn note_waiting(&mut self, document: &mut Document) {
        for (feed, queue) in &self.queues {
            document.book.missing.remove(feed);
            let Some(first) = queue.front() else {
                document.book.waiting.remove(feed);
                continue;
            };
            let number = self.entries[*first].number;
            document.book.waiting.insert(*feed, number);
            for index in queue {
                let entry = &self.entries[*index];
                let behind = WaitingCause::Behind(number);
                let first = self.candidate(*index).filter(|_| index == first);
                let cause = first.map_or_else(
                    || behind.clone(),
                    |candidate| {
                        let plan = Plan::new(&document.automerge, &document.book);
                        let Verdict::Waiting(cause) = plan.judge(entry, candidate) else {
                            return behind.clone();
                        };
                        let missing = plan.missing_changes(candidate);
                        document.book.missing.insert(*feed, missing);
                        cause
                    },
                );
                self.outcomes
                    .entry((entry.feed, entry.number))
                    .or_insert(Outcome::Waiting(cause));
            }
        }
    }

    fn outcome(&self, entry: &ChangesEntry) -> Outcome {
        let waiting = || Outcome::Waiting(WaitingCause::Behind(entry.number));
        self.outcomes
            .get(&(entry.feed, entry.number))
            .cloned()
            .unwrap_or_else(waiting)
    }

    fn first(&self, feed: &FeedName) -> Option<usize> {
        let first = self.queues.get(feed)?.front().copied()?;
        // A rebuild was asked for: nothing more of this feed counts now.
        let entry = &self.entries[first];
        let asked = self.outcomes.get(&(entry.feed, entry.number)) == Some(&Outcome::Rebuild);
        (!asked).then_some(first)
    }

    fn candidate(&self, index: usize) -> Option<&Candidate> {
        self.candidates[index].as_ref()?.as_ref().ok()
    }
}
