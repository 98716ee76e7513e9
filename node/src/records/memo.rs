//! What was worked out lately, kept for as long as nothing that it follows from has changed.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::RecordsError;
use crate::Node;

/// How many answers are kept at most.
const ENTRIES_MAX: usize = 65_536;
/// How many bytes they take together at most, about.
const BYTES_MAX: usize = 48 << 20;

/// Answers that cost much, by all that they depend on. The longest unused goes first.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    kept: Mutex<Kept>,
    /// How often records of each kind have changed since the start.
    kinds: Mutex<BTreeMap<String, u64>>,
    /// How often all answers were forgotten. It is in every key, and an answer that was begun
    /// before is not kept: it may say what has gone.
    forgotten: AtomicU64,
}

/// All that an answer depends on.
#[derive(Debug)]
pub(super) struct MemoKey {
    text: String,
    forgotten: u64,
}

#[derive(Debug, Default)]
struct Kept {
    answers: BTreeMap<String, Answer>,
    /// The keys by when they were used last.
    used: BTreeMap<u64, String>,
    clock: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Answer {
    value: Arc<dyn Any + Send + Sync>,
    used: u64,
    bytes: usize,
}

impl Kept {
    fn use_now(&mut self, key: &str) -> Option<&Answer> {
        self.clock += 1;
        let now = self.clock;
        let answer = self.answers.get_mut(key)?;
        self.used.remove(&answer.used);
        answer.used = now;
        self.used.insert(now, key.to_owned());
        Some(answer)
    }

    fn drop_oldest(&mut self) -> bool {
        let Some((_, key)) = self.used.pop_first() else {
            return false;
        };
        if let Some(answer) = self.answers.remove(&key) {
            self.bytes -= answer.bytes;
        }
        true
    }
}

impl Memo {
    /// Forgets everything: something changed that no key tells, or has gone.
    pub(crate) fn forget(&self) {
        let mut kept = self.lock();
        self.forgotten.fetch_add(1, Ordering::Relaxed);
        *kept = Kept::default();
    }

    /// Records of these kinds are other ones now. To be said once lists have them, so that nothing
    /// from before is taken for what holds now.
    pub(crate) fn changed<'a>(&self, kinds: impl Iterator<Item = &'a str>) {
        let mut counts = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in kinds {
            match counts.get_mut(kind) {
                Some(count) => *count += 1,
                None => drop(counts.insert(kind.to_owned(), 1)),
            }
        }
    }

    /// What tells whether records of these kinds have changed.
    fn state_of(&self, kinds: &[&str]) -> String {
        let counts = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |kind: &&str| format!("{kind} {}", counts.get(*kind).copied().unwrap_or(0));
        kinds.iter().map(count).collect::<Vec<_>>().join(" ")
    }

    fn key(&self, depends_on: &Value) -> MemoKey {
        let forgotten = self.forgotten.load(Ordering::Relaxed);
        let text = json!([forgotten, depends_on]).to_string();
        MemoKey { text, forgotten }
    }

    pub(super) fn find<T: Any + Send + Sync>(&self, key: &MemoKey) -> Option<Arc<T>> {
        let mut kept = self.lock();
        let value = Arc::clone(&kept.use_now(&key.text)?.value);
        value.downcast().ok()
    }

    pub(super) fn keep<T: Any + Send + Sync>(&self, key: MemoKey, value: &Arc<T>, bytes: usize) {
        let MemoKey {
            text: key,
            forgotten,
        } = key;
        let bytes = bytes + 2 * key.len();
        if bytes > BYTES_MAX / 4 {
            return;
        }
        let mut kept = self.lock();
        if self.forgotten.load(Ordering::Relaxed) != forgotten {
            return;
        }
        let answer = Answer {
            value: Arc::<T>::clone(value),
            used: 0,
            bytes,
        };
        kept.bytes += bytes;
        if let Some(earlier) = kept.answers.insert(key.clone(), answer) {
            kept.bytes -= earlier.bytes;
            kept.used.remove(&earlier.used);
        }
        kept.use_now(&key);
        while kept.answers.len() > ENTRIES_MAX || kept.bytes > BYTES_MAX {
            if !kept.drop_oldest() {
                break;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// What `work` gives, or gave when no record of these kinds was different: an answer that
    /// depends on records of a few kinds, on nobody's access, and on what `what` names.
    pub(crate) fn remembered_of_kinds<T: Any + Send + Sync>(
        &self,
        kinds: &[&str],
        what: &[&str],
        weigh: impl FnOnce(&T) -> usize,
        work: impl FnOnce() -> Result<T, RecordsError>,
    ) -> Result<Arc<T>, RecordsError> {
        if self.catch_up_if_possible().is_some() {
            return work().map(Arc::new);
        }
        let state = self.inner.memo.state_of(kinds);
        self.remembered_of(&[&[state.as_str()], what].concat(), weigh, work)
    }

    /// What `work` gives, or gave when nothing here was different: no record, nobody's access, and
    /// nothing that `what` names, which must be all else that the answer depends on. `weigh` says
    /// about how many bytes it takes.
    pub(crate) fn remembered<T: Any + Send + Sync>(
        &self,
        what: &[&str],
        weigh: impl FnOnce(&T) -> usize,
        work: impl FnOnce() -> Result<T, RecordsError>,
    ) -> Result<Arc<T>, RecordsError> {
        // With lists that are behind nobody knows what has changed.
        if self.catch_up_if_possible().is_some() {
            return work().map(Arc::new);
        }
        let reflects = self.inner.storage.reflects()?.to_string();
        self.remembered_of(&[&[reflects.as_str()], what].concat(), weigh, work)
    }

    /// The same of an answer that depends on nobody's access and on what `what` names alone, such
    /// as a document as it stood at its heads.
    pub(crate) fn remembered_of<T: Any + Send + Sync>(
        &self,
        what: &[&str],
        weigh: impl FnOnce(&T) -> usize,
        work: impl FnOnce() -> Result<T, RecordsError>,
    ) -> Result<Arc<T>, RecordsError> {
        let key = self.memo_key(what);
        let memo = &self.inner.memo;
        if let Some(known) = memo.find::<T>(&key) {
            return Ok(known);
        }
        let value = Arc::new(work()?);
        memo.keep(key, &value, weigh(&value));
        Ok(value)
    }

    /// The key of an answer that depends on what `what` names, and on who counts.
    pub(super) fn memo_key(&self, what: &[&str]) -> MemoKey {
        let authority = self.authority();
        let depends_on = json!([authority.length(), authority.is_frozen(), what]);
        self.inner.memo.key(&depends_on)
    }
}

/// About how many bytes values take.
pub(super) fn weight(values: &[Value]) -> usize {
    64 + values.iter().map(bytes_of).sum::<usize>()
}

/// About how many bytes a value takes.
pub(super) fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(text) => 48 + text.len(),
        Value::Array(items) => weight(items),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| 48 + name.len() + bytes_of(value));
            64 + fields.sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_longest_goes_first_and_nothing_large_stays() {
        let memo = Memo::default();
        let key = |name: &str| memo.key(&json!(name));
        for number in 0..ENTRIES_MAX {
            memo.keep(key(&number.to_string()), &Arc::new(number), 8);
        }
        assert_eq!(memo.find::<usize>(&key("0")).as_deref(), Some(&0));
        memo.keep(key("more"), &Arc::new("more"), 8);
        assert!(memo.find::<usize>(&key("0")).is_some() && memo.find::<usize>(&key("1")).is_none());
        memo.keep(key("large"), &Arc::new(0_u8), BYTES_MAX);
        assert!(memo.find::<u8>(&key("large")).is_none());
        memo.keep(key("half"), &Arc::new(1_u8), BYTES_MAX / 5);
        assert!(memo.find::<u8>(&key("half")).is_some());
    }

    #[test]
    fn what_was_begun_before_all_was_forgotten_is_not_kept() {
        let memo = Memo::default();
        let key = || memo.key(&json!("erased since"));
        memo.keep(key(), &Arc::new("kept"), 8);
        let begun = key();
        memo.forget();
        assert!(memo.find::<&str>(&key()).is_none());
        memo.keep(begun, &Arc::new("late"), 8);
        assert!(memo.find::<&str>(&key()).is_none() && memo.lock().answers.is_empty());
        memo.keep(key(), &Arc::new("anew"), 8);
        assert_eq!(memo.find::<&str>(&key()).as_deref(), Some(&"anew"));
    }
}
