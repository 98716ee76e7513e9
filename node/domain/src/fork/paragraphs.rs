//! What changed in a text, paragraph by paragraph, and how it fits a text that was adapted.

use std::ops::Range;

/// Beyond so many pairs of lines a change is offered as one.
const PAIRS_MAX: usize = 1_000_000;

/// A change of the original, and the fork with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// The lines as they were.
    pub(crate) then: String,
    /// The lines as they are.
    pub(crate) now: String,
    /// The lines of the fork in their place.
    pub(crate) mine: String,
    /// The whole text of the fork once it has taken the change.
    pub(crate) taken: String,
}

/// The changes from `then` to `now`, without those that stand in `mine` already.
pub(crate) fn hunks(then: &str, now: &str, mine: &str) -> Vec<Hunk> {
    let [then, now, mine] = [then, now, mine].map(|text| text.split('\n').collect::<Vec<_>>());
    let original = pairs(&then, &now);
    let adapted = pairs(&then, &mine);
    let mut hunks = Vec::new();
    let (mut from, mut to) = (0, 0);
    let end = [(then.len(), now.len())];
    for (then_at, now_at) in original.iter().copied().chain(end) {
        if then_at > from || now_at > to {
            let (start, stop) = place(&adapted, from..then_at, then.len(), mine.len());
            let (old, new, own) = (&then[from..then_at], &now[to..now_at], &mine[start..stop]);
            let has = |lines: &[&str]| own.windows(lines.len().max(1)).any(|own| own == lines);
            let is_there = own == new || (has(new) && !has(old));
            // What was put in anew stands beside the fork's own lines there.
            let (own, stop) = if old.is_empty() {
                (&[][..], start)
            } else {
                (own, stop)
            };
            if !is_there {
                let taken = [&mine[..start], new, &mine[stop..]].concat();
                hunks.push(Hunk {
                    then: old.join("\n"),
                    now: new.join("\n"),
                    mine: own.join("\n"),
                    taken: taken.join("\n"),
                });
            }
        }
        (from, to) = (then_at + 1, now_at + 1);
    }
    hunks
}

/// Where in the fork the lines of the original stand, changed or not: the fork's lines from and to.
fn place(
    adapted: &[(usize, usize)],
    lines: Range<usize>,
    then_len: usize,
    mine_len: usize,
) -> (usize, usize) {
    let before = adapted.iter().rfind(|(line, _)| *line < lines.start);
    let behind = adapted.iter().find(|(line, _)| *line >= lines.end);
    let (then_from, mine_from) = before.map_or((0, 0), |(then, mine)| (then + 1, mine + 1));
    let (then_to, mine_to) = behind.copied().unwrap_or((then_len, mine_len));
    if then_to - then_from == mine_to - mine_from {
        // As many lines as there were: each is what became of the one that stood there.
        let start = mine_from + (lines.start - then_from);
        return (start, start + lines.len());
    }
    let kept = |line: usize| adapted.iter().find(|(then, _)| *then == line);
    let within = || lines.clone().next_back().and_then(kept);
    let first = kept(lines.start).filter(|_| !lines.is_empty());
    let start = first.map_or(mine_from, |(_, line)| *line);
    let stop = within().map_or(mine_to, |(_, line)| line + 1);
    (start, stop.max(start))
}

/// The lines that stand in both, by their places: a longest common part.
fn pairs(left: &[&str], right: &[&str]) -> Vec<(usize, usize)> {
    let alike = |(one, other): &(&&str, &&str)| one == other;
    let head = left.iter().zip(right).take_while(alike).count();
    let (left_rest, right_rest) = (&left[head..], &right[head..]);
    let reversed = left_rest.iter().rev().zip(right_rest.iter().rev());
    let tail = reversed.take_while(alike).count();
    let (left_rest, right_rest) = (
        &left_rest[..left_rest.len() - tail],
        &right_rest[..right_rest.len() - tail],
    );
    let mut pairs = (0..head).map(|at| (at, at)).collect::<Vec<_>>();
    if left_rest.len() * right_rest.len() <= PAIRS_MAX {
        let middle = common(left_rest, right_rest).into_iter();
        pairs.extend(middle.map(|(one, other)| (head + one, head + other)));
    }
    pairs.extend(
        (0..tail)
            .rev()
            .map(|back| (left.len() - 1 - back, right.len() - 1 - back)),
    );
    pairs
}

fn common(left: &[&str], right: &[&str]) -> Vec<(usize, usize)> {
    let width = right.len() + 1;
    let mut longest = vec![0_u32; (left.len() + 1) * width];
    for one in (0..left.len()).rev() {
        for other in (0..right.len()).rev() {
            longest[one * width + other] = if left[one] == right[other] {
                longest[(one + 1) * width + other + 1] + 1
            } else {
                longest[(one + 1) * width + other].max(longest[one * width + other + 1])
            };
        }
    }
    let (mut one, mut other, mut pairs) = (0, 0, Vec::new());
    while one < left.len() && other < right.len() {
        if left[one] == right[other] {
            pairs.push((one, other));
            (one, other) = (one + 1, other + 1);
        } else if longest[(one + 1) * width + other] >= longest[one * width + other + 1] {
            one += 1;
        } else {
            other += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(then: &str, now: &str, mine: &str, taken: &[&str]) {
        let hunks = hunks(then, now, mine);
        let found = hunks
            .iter()
            .map(|hunk| hunk.taken.as_str())
            .collect::<Vec<_>>();
        assert_eq!(found, taken);
    }

    #[test]
    fn each_changed_paragraph_is_offered_and_what_was_adapted_elsewhere_stays() {
        check(
            "a\nb\nc",
            "A\nb\nC",
            "a\nmine\nc",
            &["A\nmine\nc", "a\nmine\nC"],
        );
        check("a\nb", "a\nnew\nb", "a\nmine", &["a\nnew\nmine"]);
        check("a\nb", "a\nnew\nb", "a\nnew\nmine\nb", &[]);
        check("a\nb\nc", "a\nc", "a\nb\nc\nmine", &["a\nc\nmine"]);
        check("a\nb", "a\nb", "mine", &[]);
        check("a\nb", "A\nb", "A\nmine", &[]);
        check("", "new", "mine", &["new"]);
        check("a\nb", "A\nb", "x\ny", &["A\ny"]);
        check("a", "a\nb", "a\nb", &[]);
    }
}
