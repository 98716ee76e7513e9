//! Records found again by their key, though not every part of it is filled everywhere.

use std::collections::HashMap;

use crate::declaration::Kind;

/// Of the records that agree in what they need, more are not looked through.
const LOOKED_MAX: usize = 1_000;

/// Records by their [`import_key`](crate::import_key).
///
/// A record is found by the very key. Otherwise it is the one, and the only one, that agrees in all
/// parts that are filled on both sides, those that records need among them.
#[derive(Debug, Clone)]
pub struct ImportIndex<T> {
    /// Which parts of a key records need.
    needed: Vec<bool>,
    entries: Vec<(Vec<String>, T)>,
    exact: HashMap<Vec<String>, usize>,
    by_needed: HashMap<Vec<String>, Vec<usize>>,
}

impl<T> ImportIndex<T> {
    /// No records of a kind.
    pub fn new(kind: &Kind) -> Self {
        let needed = |name: &&str| kind.field(name).is_some_and(|field| field.required);
        Self {
            needed: kind.key.iter().map(needed).collect(),
            entries: Vec::new(),
            exact: HashMap::new(),
            by_needed: HashMap::new(),
        }
    }

    /// Puts a record in. Of several with the very same key the first is found.
    pub fn insert(&mut self, key: Vec<String>, value: T) {
        let at = self.entries.len();
        self.exact.entry(key.clone()).or_insert(at);
        if let Some(needed) = self.needed_parts(&key) {
            self.by_needed.entry(needed).or_default().push(at);
        }
        self.entries.push((key, value));
    }

    /// The record with this key.
    pub fn find(&self, key: &[String]) -> Option<&T> {
        let at = self.position(key)?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// Whether several records agree with the key, and none is the very one.
    pub(super) fn is_in_doubt(&self, key: &[String]) -> bool {
        !self.exact.contains_key(key) && self.agreeing(key).len() > 1
    }

    /// Says that the record found by `key` has all parts of it.
    pub(super) fn learn(&mut self, key: &[String]) {
        let Some(at) = self.position(key) else {
            return;
        };
        if let Some((known, _)) = self.entries.get_mut(at) {
            for (known, part) in known.iter_mut().zip(key) {
                if known.is_empty() {
                    known.clone_from(part);
                }
            }
            self.exact.entry(known.clone()).or_insert(at);
        }
    }

    fn position(&self, key: &[String]) -> Option<usize> {
        let exact = self.exact.get(key).copied();
        exact.or_else(|| match self.agreeing(key).as_slice() {
            [one] => Some(*one),
            [] | [..] => None,
        })
    }

    /// The first records that agree with the key: two are enough to be in doubt.
    fn agreeing(&self, key: &[String]) -> Vec<usize> {
        let needed = self.needed_parts(key);
        let alike = needed.and_then(|needed| self.by_needed.get(&needed));
        let alike = alike.map(Vec::as_slice).unwrap_or_default();
        let agrees = |at: &usize| {
            let known = self.entries.get(*at).map(|(known, _)| known.as_slice());
            let mut parts = known.unwrap_or_default().iter().zip(key);
            parts.all(|(known, part)| known.is_empty() || part.is_empty() || known == part)
        };
        let looked = alike.iter().copied().take(LOOKED_MAX);
        looked.filter(agrees).take(2).collect()
    }

    fn needed_parts(&self, key: &[String]) -> Option<Vec<String>> {
        let parts = key.iter().zip(&self.needed).filter(|(_, needed)| **needed);
        let parts = parts.map(|(part, _)| part.clone()).collect::<Vec<_>>();
        let filled = !parts.is_empty() && parts.iter().all(|part| !part.is_empty());
        filled.then_some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::WORK_GROUP;

    fn key(parts: [&str; 3]) -> Vec<String> {
        parts.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_record_is_found_by_the_parts_that_are_filled_and_never_guessed() {
        let mut index = ImportIndex::new(&WORK_GROUP);
        index.insert(key(["wg1", "fluency", "202627"]), "first");
        index.insert(key(["", "reasoning", ""]), "other");
        assert_eq!(
            index.find(&key(["wg1", "fluency", "202627"])),
            Some(&"first")
        );
        assert_eq!(index.find(&key(["", "fluency", ""])), Some(&"first"));
        assert_eq!(index.find(&key(["wg2", "fluency", ""])), None);
        assert_eq!(
            index.find(&key(["wg9", "reasoning", "202627"])),
            Some(&"other")
        );
        assert_eq!(index.find(&key(["wg1", "", ""])), None);
        index.learn(&key(["wg9", "reasoning", ""]));
        assert_eq!(index.find(&key(["wg8", "reasoning", ""])), None);
        index.insert(key(["wg2", "fluency", "202627"]), "second");
        assert_eq!(index.find(&key(["", "fluency", ""])), None);
        index.insert(key(["", "fluency", ""]), "third");
        assert_eq!(index.find(&key(["", "fluency", ""])), Some(&"third"));
    }
}
