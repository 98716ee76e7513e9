//! What was worked out lately, kept for as long as nothing that it follows from has changed.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::RecordsError;
use crate::Node;

/// How many answers are kept at most.
const ENTRIES_MAX: usize = 4_096;
/// How many bytes they take together at most, about.
const BYTES_MAX: usize = 48 << 20;

/// Answers that cost much, by all that they depend on. The longest unused goes first.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    kept: Mutex<Kept>,
    changes: Mutex<Changes>,
}

/// How often records of each kind have changed since the start, and records whose kind is not known
/// any more.
#[derive(Debug, Default)]
struct Changes {
    kinds: BTreeMap<String, u64>,
    gone: u64,
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
    /// Forgets everything: something changed that no key tells.
    pub(crate) fn forget(&self) {
        *self.lock() = Kept::default();
    }

    /// Records of these kinds are other ones now. To be said once lists have them, so that nothing
    /// from before is taken for what holds now.
    pub(crate) fn changed<'a>(&self, kinds: impl Iterator<Item = &'a str>) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in kinds {
            match changes.kinds.get_mut(kind) {
                Some(count) => *count += 1,
                None => drop(changes.kinds.insert(kind.to_owned(), 1)),
            }
        }
    }

    /// Records have gone, of whatever kind.
    pub(crate) fn gone(&self) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.gone += 1;
    }

    /// What tells whether records of a kind have changed.
    fn state_of(&self, kind: &str) -> String {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let count = changes.kinds.get(kind).copied().unwrap_or_default();
        format!("{count}/{}", changes.gone)
    }

    fn find<T: Any + Send + Sync>(&self, key: &str) -> Option<Arc<T>> {
        let mut kept = self.lock();
        let value = Arc::clone(&kept.use_now(key)?.value);
        value.downcast().ok()
    }

    fn keep<T: Any + Send + Sync>(&self, key: String, value: &Arc<T>, bytes: usize) {
        let bytes = bytes + 2 * key.len();
        if bytes > BYTES_MAX / 4 {
            return;
        }
        let mut kept = self.lock();
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
    /// What `work` gives, or gave when no record of this kind was different: an answer that depends
    /// on records of one kind, on nobody's access, and on what `what` names.
    pub(crate) fn remembered_of_kind<T: Any + Send + Sync>(
        &self,
        kind: &str,
        what: &[&str],
        weigh: impl FnOnce(&T) -> usize,
        work: impl FnOnce() -> Result<T, RecordsError>,
    ) -> Result<Arc<T>, RecordsError> {
        if self.catch_up_if_possible().is_some() {
            return work().map(Arc::new);
        }
        let state = self.inner.memo.state_of(kind);
        self.remembered_of(&[&[kind, state.as_str()], what].concat(), weigh, work)
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
        let authority = self.authority();
        let key = json!([authority.length(), authority.is_frozen(), what]).to_string();
        let memo = &self.inner.memo;
        if let Some(known) = memo.find::<T>(&key) {
            return Ok(known);
        }
        let value = Arc::new(work()?);
        memo.keep(key, &value, weigh(&value));
        Ok(value)
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
        for number in 0..ENTRIES_MAX {
            memo.keep(number.to_string(), &Arc::new(number), 8);
        }
        assert_eq!(memo.find::<usize>("0").as_deref(), Some(&0));
        memo.keep("more".to_owned(), &Arc::new("more"), 8);
        assert!(memo.find::<usize>("0").is_some() && memo.find::<usize>("1").is_none());
        memo.keep("large".to_owned(), &Arc::new(0_u8), BYTES_MAX);
        assert!(memo.find::<u8>("large").is_none());
        memo.keep("half".to_owned(), &Arc::new(1_u8), BYTES_MAX / 5);
        assert!(memo.find::<u8>("half").is_some());
        memo.forget();
        assert!(memo.find::<u8>("half").is_none());
    }
}
