//! Closed schools, and those that came after them.

use super::{MatchedSchool, SchoolMatcher};

/// No school has been through more hands than these; a longer way is a mistake in the data.
const STEPS_MAX: usize = 20;

impl SchoolMatcher {
    pub(super) fn is_closed(&self, at: usize) -> bool {
        !self.schools[at].open
    }

    pub(super) fn matched(&self, at: usize) -> MatchedSchool {
        let closed = self.is_closed(at);
        let successor = self.open_successor(at);
        MatchedSchool {
            school: self.schools[at].clone(),
            closed,
            successor: successor.map(|at| self.schools[at].clone()),
        }
    }

    /// Whether one of two became the other, so that it does not matter which is meant: by the
    /// register's word, or by the same name at the same postcode.
    pub(super) fn same_school(&self, one: usize, other: usize) -> bool {
        let today = |at| self.open_successor(at).unwrap_or(at);
        if today(one) == today(other) {
            return true;
        }
        let postcode = &self.locations[one].postcode;
        self.is_closed(one) != self.is_closed(other)
            && !postcode.is_empty()
            && *postcode == self.locations[other].postcode
            && self.names[one].is_same(&self.names[other])
    }

    /// The open school at the end of the way from a closed one; none when the way ends before,
    /// or leads in a circle.
    fn open_successor(&self, at: usize) -> Option<usize> {
        let mut at = at;
        if !self.is_closed(at) {
            return None;
        }
        for _ in 0..STEPS_MAX {
            let next = self.schools[at].successor.as_ref()?;
            at = *self.by_urn.get(next.trim())?;
            if !self.is_closed(at) {
                return Some(at);
            }
        }
        None
    }
}
