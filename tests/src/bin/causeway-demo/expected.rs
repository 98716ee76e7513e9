//! What the national figures must be, counted beside the program from what is published.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// What the summary of one work group must come to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Sessions held.
    pub(crate) sessions_held: usize,
    /// The numbers with which its members' schools were typed.
    pub(crate) schools: BTreeSet<String>,
}

/// What all published summaries come to, by the code of a project and that of a hub.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    rows: BTreeMap<(String, String), (usize, Facts)>,
}

impl Expected {
    /// Notes that the summary of a group was published for the first time.
    pub(crate) fn add(&mut self, project: &str, hub: &str, facts: &Facts) {
        let row = self.rows.entry((project.to_owned(), hub.to_owned()));
        let (groups, all) = row.or_default();
        *groups += 1;
        all.sessions_held += facts.sessions_held;
        all.schools.extend(facts.schools.iter().cloned());
    }

    /// How many summaries were published.
    pub(crate) fn summaries(&self) -> usize {
        self.rows.values().map(|(groups, _)| groups).sum()
    }

    /// Whether figures, as the program gives them, say just this.
    pub(crate) fn is(&self, figures: &Value) -> bool {
        let mut wanted = self.rows.iter().map(|((project, hub), (groups, facts))| {
            json!({
                "project": project, "hub": hub, "groups": groups,
                "sessions_held": facts.sessions_held, "schools": facts.schools.len(),
            })
        });
        let rows = figures.as_array().map_or(&[][..], Vec::as_slice);
        rows.len() == self.rows.len() && wanted.all(|wanted| rows.contains(&wanted))
    }
}
