//! Health in words.

use std::collections::BTreeMap;

use node::cli::output::{moment, table};
use node_feed::RefusalReason;

use super::{Health, NodeHealth, RefusalHealth};

/// A clock that differs by less is not worth a word.
const CLOCK_MS: u64 = 120_000;

/// The beginning of a node's id, enough to name it.
pub(super) fn short(node: &str) -> &str {
    node.get(..10).unwrap_or(node)
}

/// What an operator should know of a node.
pub(super) fn reasons(node: &NodeHealth, as_at_ms: u64) -> Vec<String> {
    let mut why = Vec::new();
    if node.silent {
        let since = match node.last_seen_ms {
            Some(seen) => format!(
                "nothing was heard of it for {}",
                span(as_at_ms.saturating_sub(seen))
            ),
            None => "it was admitted and has never connected".to_owned(),
        };
        why.push(format!(
            "{since}; it was last known to hold {}, and {} for it",
            entries(node.holds),
            waits(node.waiting)
        ));
    }
    for gap in &node.gaps {
        let numbers = if gap.from == gap.to {
            format!("entry {} is", gap.from)
        } else {
            format!("entries {} to {} are", gap.from, gap.to)
        };
        why.push(format!(
            "{numbers} missing here before what it has in \"{}\"; they are asked for again by \
             themselves",
            gap.title
        ));
    }
    why.extend(refusals("refused here", &node.refused_here));
    why.extend(refusals("refused by it", &node.refused_by_it));
    for (reason, count) in counted(node.set_aside.iter().cloned()) {
        why.push(format!("{} set aside: {reason}", entries(count)));
    }
    for (reason, _) in counted(node.refused_sessions.iter().cloned()) {
        why.push(format!("a session was refused: {reason}"));
    }
    if let Some(ahead) = node.clock_ahead_ms
        && ahead.unsigned_abs() >= CLOCK_MS
    {
        let way = if ahead > 0 { "fast" } else { "slow" };
        let span = span(ahead.unsigned_abs());
        why.push(format!(
            "its clock is {span} {way}; nothing is ordered by it, but its dates are wrong"
        ));
    }
    why
}

impl Health {
    /// The board, for people.
    pub fn text(&self) -> String {
        let mut rows = Vec::new();
        for hub in &self.hubs {
            let seen = hub.last_seen_ms.map_or_else(|| "never".to_owned(), moment);
            let state = if hub.silent { "SILENT" } else { &hub.state };
            rows.push(vec![
                hub.code.clone(),
                state.to_owned(),
                seen,
                hub.waiting.to_string(),
                hub.why.first().cloned().unwrap_or_default(),
            ]);
            let more = hub.why.iter().skip(1);
            rows.extend(more.map(|why| {
                let empty = String::new;
                vec![empty(), empty(), empty(), empty(), why.clone()]
            }));
        }
        let heads = ["HUB", "STATE", "LAST SEEN", "WAITING", "WHY"];
        let mut text = table(&heads, &rows);
        let silent = self.hubs.iter().filter(|hub| hub.silent).count();
        text.push_str(&format!(
            "\n{} hubs, {silent} silent for {} or longer\n",
            self.hubs.len(),
            span(self.silent_for_ms)
        ));
        for stranger in &self.strangers {
            text.push_str(&format!("a session was refused: {stranger}\n"));
        }
        text
    }
}

fn refusals(who: &str, refused: &[RefusalHealth]) -> Vec<String> {
    let lines = refused.iter().map(|refused| {
        let again = if refused.again {
            ""
        } else {
            "; it is not tried again until access or a version changes"
        };
        format!("{who} in \"{}\": {}{again}", refused.title, refused.why)
    });
    let lines = counted(lines).into_iter();
    lines
        .map(|(line, count)| match count {
            1 => line,
            count => format!("{line} ({count} feeds)"),
        })
        .collect()
}

fn counted(lines: impl Iterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line).or_default() += 1;
    }
    counts
}

fn entries(count: u64) -> String {
    match count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    }
}

fn waits(count: u64) -> String {
    match count {
        0 => "nothing waits".to_owned(),
        1 => "1 entry waits".to_owned(),
        count => format!("{count} entries wait"),
    }
}

/// A length of time, as a person would say it.
fn span(ms: u64) -> String {
    let minutes = ms / 60_000;
    let (hours, days) = (minutes / 60, minutes / 1_440);
    let unit = |count: u64, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => unit(ms / 1_000, "second"),
        (0, 0, minutes) => unit(minutes, "minute"),
        (0, hours, _) => unit(hours, "hour"),
        (days, hours, _) if hours % 24 == 0 => unit(days, "day"),
        (days, hours, _) => format!("{} {}", unit(days, "day"), unit(hours % 24, "hour")),
    }
}

/// Why this coordinator refused what a node sent, in words for its operator.
pub(super) const fn refused_here(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::GrantUnknown => {
            "it wrote where it has no access, or under access that is not known here"
        }
        RefusalReason::Gap => "something written earlier is missing here; it is asked for again",
        RefusalReason::Quota => "it sent more than is taken of one hub at the moment",
        RefusalReason::Grant => "it wrote where its access does not allow writing",
        RefusalReason::Cut => "it was written after its access had ended",
        RefusalReason::Forged => "a signature or checksum in it does not hold",
        RefusalReason::Size => "it is larger than is allowed",
        RefusalReason::Open => "its feed does not begin with the signature of a known node",
        RefusalReason::Storage => "this coordinator could not store anything at that moment",
        RefusalReason::Frozen => "the record of access has two versions: run `authority take-over`",
    }
}
