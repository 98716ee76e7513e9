//! Findings with what hubs say for and against them: dissent is kept, never merged away.

use std::collections::BTreeMap;

use crate::Object;
use crate::comparison::code_of;
use crate::standing::{items, text};

/// A finding with both views and their evidence.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Synthesis {
    /// The finding's id.
    pub id: String,
    /// What is claimed.
    pub claim: String,
    /// The evidence of those who found it.
    pub evidence: String,
    /// The hub that found it.
    pub found_by: String,
    /// The hubs that support it, each with its latest word, in the order in which they spoke.
    pub supporting: Vec<Position>,
    /// The hubs that dispute it, likewise.
    pub against: Vec<Position>,
    /// What hubs said before and put otherwise since.
    pub earlier: Vec<Position>,
}

/// What one hub says of a finding.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Position {
    /// The hub's code.
    pub hub: String,
    /// `for` or `against`, or what a newer version knows.
    pub stance: String,
    /// Why.
    pub reason: String,
    /// What it rests on.
    pub evidence: String,
}

impl Synthesis {
    /// How many hubs support the finding, and how many dispute it.
    pub fn counts(&self) -> (usize, usize) {
        (self.supporting.len(), self.against.len())
    }
}

/// The findings of a project's working record, in their order. Of several positions of one hub on
/// one finding the last stands; the others stay among the earlier ones. `codes` gives the codes
/// of hubs by their ids, as which those who write positions are kept.
pub fn synthesis(project: &Object, codes: &BTreeMap<String, String>) -> Vec<Synthesis> {
    let positions = items(project, "positions").map(|item| {
        let position = Position {
            hub: code_of(text(item, "hub"), codes),
            stance: text(item, "stance").to_owned(),
            reason: text(item, "reason").to_owned(),
            evidence: text(item, "evidence").to_owned(),
        };
        (text(item, "finding"), position)
    });
    let positions = positions.collect::<Vec<_>>();
    let finding = |item: &Object| {
        let id = text(item, "id");
        let mut found = Synthesis {
            id: id.to_owned(),
            claim: text(item, "claim").to_owned(),
            evidence: text(item, "evidence").to_owned(),
            found_by: code_of(text(item, "hub"), codes),
            supporting: Vec::new(),
            against: Vec::new(),
            earlier: Vec::new(),
        };
        let about = positions.iter().filter(|(finding, _)| *finding == id);
        let about = about.map(|(_, position)| position).collect::<Vec<_>>();
        for (at, position) in about.iter().enumerate() {
            // Without a hub nobody can have changed their mind.
            let named = !position.hub.is_empty();
            let changed = named
                && about[at + 1..]
                    .iter()
                    .any(|later| later.hub == position.hub);
            let stands = match position.stance.as_str() {
                "for" if !changed => &mut found.supporting,
                "against" if !changed => &mut found.against,
                _ => &mut found.earlier, // said otherwise since, or in a newer version's words
            };
            stands.push((*position).clone());
        }
        found
    };
    items(project, "findings").map(finding).collect()
}
