//! The national figures, from published group summaries alone.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::HubId;
use serde_json::Value as Json;

use crate::Object;

/// Groups, sessions and schools of a project at a hub.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Figures {
    /// Work groups with a published summary.
    pub groups: u64,
    /// Sessions held.
    pub sessions_held: u64,
    /// The URNs of the schools that take part, each once.
    pub schools: BTreeSet<String>,
}

impl Figures {
    /// Adds others to these; a school in both counts once.
    pub fn add(&mut self, other: &Self) {
        self.groups = self.groups.saturating_add(other.groups);
        self.sessions_held = self.sessions_held.saturating_add(other.sessions_held);
        self.schools.extend(other.schools.iter().cloned());
    }
}

/// Figures by project code and hub, from group summaries as [`read`](crate::read) gives them,
/// each with the hub that owns it. Of several that a hub published of one record, as two of its
/// nodes may have done apart from each other, the first counts.
pub fn figures<'a>(
    summaries: impl IntoIterator<Item = (HubId, &'a Object)>,
) -> BTreeMap<(String, HubId), Figures> {
    let mut figures = BTreeMap::<_, Figures>::new();
    let mut counted = BTreeSet::new();
    for (hub, summary) in summaries {
        let origin = summary.get("origin").and_then(Json::as_str);
        if origin.is_some_and(|origin| !counted.insert((hub, origin.to_owned()))) {
            continue;
        }
        let project = summary
            .get("project")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let schools = summary.get("schools").and_then(Json::as_array);
        let urns = schools
            .into_iter()
            .flatten()
            .filter_map(|school| school["urn"].as_str());
        figures
            .entry((project.to_owned(), hub))
            .or_default()
            .add(&Figures {
                groups: 1,
                sessions_held: summary
                    .get("sessions_held")
                    .and_then(Json::as_u64)
                    .unwrap_or(0),
                schools: urns.map(str::to_owned).collect(),
            });
    }
    figures
}
