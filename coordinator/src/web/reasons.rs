//! What an operator should know of a hub, in the words of the pages: no ids, no commands.

use std::collections::BTreeMap;

use node::web::words;

use crate::operations::{HubHealth, NodeHealth, RefusalHealth};

/// What an operator should know of a hub, in sentences.
pub(super) fn reasons(hub: &HubHealth, as_at_ms: u64) -> Vec<String> {
    let mut told = Vec::new();
    match hub.suspended.as_deref() {
        None => {}
        Some("") => told.push("It is suspended.".to_owned()),
        Some(why) => told.push(format!("It is suspended: {}.", ended(why))),
    }
    if hub.without_nodes {
        told.push(
            "Its computer’s access has ended. Invite it again to connect a new one.".to_owned(),
        );
    }
    for (at, node) in hub.nodes.iter().enumerate() {
        let each = of_node(node, as_at_ms).into_iter();
        if hub.nodes.len() > 1 {
            told.extend(each.map(|why| format!("Computer {}: {why}", at + 1)));
        } else {
            told.extend(each);
        }
    }
    told
}

fn of_node(node: &NodeHealth, as_at_ms: u64) -> Vec<String> {
    let mut told = Vec::new();
    if node.silent {
        let waits = match node.waiting {
            0 => "Nothing waits for it".to_owned(),
            1 => "1 change waits for it".to_owned(),
            count => format!("{} changes wait for it", words::number(count)),
        };
        told.push(match node.last_seen_ms {
            Some(seen) => {
                let silence = words::length(as_at_ms.saturating_sub(seen));
                format!("Nothing was heard of it for {silence}. {waits}.")
            }
            None => format!("It was admitted and has never connected. {waits}."),
        });
    }
    for gap in &node.gaps {
        let count = gap.to.saturating_sub(gap.from) + 1;
        told.push(format!(
            "{} missing here of {}; asked for again by itself.",
            words::counted(count, "change is", "changes are"),
            gap.title
        ));
    }
    told.extend(refused("Refused here", &node.refused_here));
    told.extend(refused("Refused by it", &node.refused_by_it));
    for (why, count) in counted(node.set_aside.iter().cloned()) {
        let changes = words::counted(count, "change is", "changes are");
        told.push(format!("{changes} held for checking: {}.", ended(&why)));
    }
    for why in counted(node.refused_sessions.iter().cloned()).keys() {
        told.push(format!("A connection was refused: {}.", ended(why)));
    }
    if let Some(off) = words::clock_is_off(node.clock_ahead_ms.unwrap_or_default()) {
        told.push(format!("Its clock is {off}, so its dates are wrong."));
    }
    told
}

fn refused(who: &str, refusals: &[RefusalHealth]) -> Vec<String> {
    let lines = refusals.iter().map(|refusal| {
        let again = if refusal.again {
            ""
        } else {
            "; not tried again until its access or its version changes"
        };
        format!(
            "{who}, of {}: {}{again}",
            refusal.title,
            ended(&refusal.why)
        )
    });
    counted(lines)
        .into_keys()
        .map(|line| format!("{line}."))
        .collect()
}

fn counted(lines: impl Iterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line).or_default() += 1;
    }
    counts
}

/// Without its full stop, as it stands inside a sentence.
fn ended(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}
