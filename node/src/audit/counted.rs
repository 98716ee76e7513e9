//! What may be repeated as often as somebody likes: the first is written, the others of a while are
//! counted in one line.

use std::collections::BTreeMap;

use node_store::NewLine;

/// How many different things are counted apart. Beyond that, all of one kind are one thing.
const APART_MAX: usize = 1_000;

/// What is being counted.
#[derive(Debug, Default)]
pub(super) struct Counted(BTreeMap<(String, BTreeMap<String, String>), Window>);

#[derive(Debug)]
struct Window {
    until_ms: u64,
    length_ms: u64,
    /// How often it happened since the last line.
    times: u64,
}

impl Counted {
    /// Returns the line if it is to be written now. Else it is counted.
    pub(super) fn count(&mut self, mut line: NewLine, length_ms: u64) -> Option<NewLine> {
        let mut key = (line.kind.clone(), line.fields.clone());
        if self.0.len() >= APART_MAX && !self.0.contains_key(&key) {
            line.fields = BTreeMap::from([("whose".to_owned(), "many".to_owned())]);
            key.1.clone_from(&line.fields);
        }
        if let Some(window) = self.0.get_mut(&key) {
            window.times += 1;
            return None;
        }
        let window = Window {
            until_ms: line.time_ms.saturating_add(length_ms),
            length_ms,
            times: 0,
        };
        self.0.insert(key, window);
        Some(line)
    }

    /// The lines of what was counted until now and has been for its while, or of all. What goes on is
    /// counted on.
    pub(super) fn due(&mut self, now_ms: u64, all: bool) -> Vec<NewLine> {
        let mut lines = Vec::new();
        self.0.retain(|(kind, fields), window| {
            if window.until_ms > now_ms && !all {
                return true;
            }
            if window.times == 0 {
                return false;
            }
            let mut fields = fields.clone();
            fields.insert("times".to_owned(), window.times.to_string());
            lines.push(NewLine {
                time_ms: window.until_ms.min(now_ms),
                kind: kind.clone(),
                fields,
            });
            window.times = 0;
            window.until_ms = now_ms.saturating_add(window.length_ms);
            true
        });
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: u64 = 60_000;

    fn refused(time_ms: u64, node: &str) -> NewLine {
        NewLine {
            time_ms,
            kind: "session refused".to_owned(),
            fields: BTreeMap::from([("node".to_owned(), node.to_owned())]),
        }
    }

    #[test]
    fn a_flood_is_one_line_a_minute_and_hides_no_other() {
        let mut counted = Counted::default();
        let mut written = 0;
        for time_ms in 0..10 * MINUTE_MS {
            if time_ms % 10 == 0 {
                let line = counted.count(refused(time_ms, "loud"), MINUTE_MS);
                written += usize::from(line.is_some());
            }
            if time_ms % 10_000 == 0 {
                written += counted.due(time_ms, false).len();
            }
        }
        let last = counted.due(10 * MINUTE_MS, true);
        assert_eq!(
            written + last.len(),
            11,
            "the first, and one for each minute"
        );
        let quiet = counted.count(refused(0, "quiet"), MINUTE_MS);
        assert_eq!(quiet, Some(refused(0, "quiet")));
    }

    #[test]
    fn nothing_that_was_counted_is_left_out() {
        let mut counted = Counted::default();
        assert!(counted.count(refused(0, "a"), MINUTE_MS).is_some());
        for _ in 0..41 {
            assert!(counted.count(refused(1, "a"), MINUTE_MS).is_none());
        }
        assert!(counted.due(MINUTE_MS - 1, false).is_empty());
        let lines = counted.due(MINUTE_MS, false);
        assert_eq!(lines[0].fields["times"], "41");
        assert!(counted.due(2 * MINUTE_MS, false).is_empty());
        let later = counted.count(refused(3 * MINUTE_MS, "a"), MINUTE_MS);
        assert!(later.is_some(), "after a quiet minute it is written again");
    }

    #[test]
    fn very_many_are_counted_as_one() {
        let mut counted = Counted::default();
        let mut written = 0;
        for node in 0..5_000 {
            let line = counted.count(refused(0, &node.to_string()), MINUTE_MS);
            written += usize::from(line.is_some());
        }
        assert_eq!(written, APART_MAX + 1);
        let all = counted.due(10 * MINUTE_MS, true);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].fields["times"], "3999");
    }
}
