//! One way of a node's line.

use std::collections::BTreeMap;

use node_sync::{Message, SessionId};

/// A message between two nodes.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) to: usize,
    pub(super) session: SessionId,
    pub(super) message: Message,
    pub(super) bytes: u64,
}

/// Carries one letter after the other. Sessions that wait for it get equal parts of it, as
/// connections over TCP do: behind a hundred megabytes for others a session's first letter does not
/// wait, and behind those of its own it does.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// By when it ends if each session had its part at any moment, counted in bytes of one
    /// session; and by what came first.
    waiting: BTreeMap<(u64, u64), Letter>,
    /// The end of the last letter of each session.
    ends: BTreeMap<SessionId, u64>,
    /// The end of the letter that is on the line.
    now: u64,
    taken: Option<Letter>,
    count: u64,
}

impl Line {
    /// Has a letter wait for its turn.
    pub(super) fn queue(&mut self, letter: Letter) {
        let end = self.ends.entry(letter.session).or_default();
        *end = self.now.max(*end) + letter.bytes;
        self.count += 1;
        self.waiting.insert((*end, self.count), letter);
    }

    /// Begins with the next letter, if the line is free, and says how many bytes it has.
    pub(super) fn begin(&mut self) -> Option<u64> {
        if self.taken.is_some() {
            return None;
        }
        let ((end, _), letter) = self.waiting.pop_first()?;
        self.now = end;
        if self.waiting.is_empty() {
            // Whoever comes next is as good as the first.
            self.ends.retain(|_, of_session| *of_session > end);
        }
        Some(self.taken.insert(letter).bytes)
    }

    /// The letter that was on the line is over it.
    pub(super) const fn end(&mut self) -> Option<Letter> {
        self.taken.take()
    }

    /// Drops what waits of a session.
    pub(super) fn drop_session(&mut self, session: SessionId) {
        self.ends.remove(&session);
        self.waiting.retain(|_, letter| letter.session != session);
    }
}

#[cfg(test)]
mod tests {
    use node_sync::{Farewell, Goodbye};

    use super::*;

    fn letter(session: u64, bytes: u64) -> Letter {
        Letter {
            to: 1,
            session: SessionId(session),
            message: Message::Goodbye(Farewell {
                reason: Goodbye::Other,
                text: String::new(),
            }),
            bytes,
        }
    }

    fn order(line: &mut Line) -> Vec<(u64, u64)> {
        let mut order = Vec::new();
        while line.begin().is_some() {
            let letter = line.end().expect("what began ends");
            order.push((letter.session.0, letter.bytes));
        }
        order
    }

    #[test]
    fn a_first_letter_does_not_wait_behind_what_others_have_queued() {
        let mut line = Line::default();
        for _ in 0..3 {
            line.queue(letter(1, 1_000));
        }
        line.begin();
        line.queue(letter(2, 10));
        line.queue(letter(2, 1_000));
        line.end();
        let expected = [(2, 10), (1, 1_000), (2, 1_000), (1, 1_000)];
        assert_eq!(order(&mut line), expected);
    }

    #[test]
    fn letters_of_one_session_stay_in_order() {
        let mut line = Line::default();
        for bytes in [500, 10, 700, 1] {
            line.queue(letter(1, bytes));
        }
        let bytes = order(&mut line).into_iter().map(|(_, bytes)| bytes);
        assert_eq!(bytes.collect::<Vec<_>>(), [500, 10, 700, 1]);
    }

    #[test]
    fn what_waits_of_a_session_that_ended_is_not_carried() {
        let mut line = Line::default();
        for session in [1, 2, 1] {
            line.queue(letter(session, 5));
        }
        line.drop_session(SessionId(1));
        assert_eq!(order(&mut line), [(2, 5)]);
    }
}
