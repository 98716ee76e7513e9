//! Returns: what a hub counted, as a record.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::Object;
use crate::measures::{Computed, Counted, Measure, TOTAL, measure};
use crate::standing::{is_cancelled, item_id, items, number, text};

/// What a return says beside its numbers.
#[derive(Debug, Clone, Copy)]
pub struct ReturnOf<'a> {
    /// The hub's code.
    pub hub: &'a str,
    /// The period, such as `autumn 2026-27`.
    pub period: &'a str,
    /// The day on which things are counted.
    pub as_at: &'a str,
    /// When it was computed.
    pub computed_at: &'a str,
    /// The records that were counted, and the heads at which each stood.
    pub sources: &'a [(String, String)],
    /// The return that this one corrects, and why.
    pub replaces: Option<(&'a str, &'a str)>,
}

/// The content of a return. It is created by the program, in the hub; what was counted stays
/// there, and only the numbers can be submitted.
pub fn return_fields(measure: &Measure, computed: &Computed, of: &ReturnOf<'_>) -> Object {
    let cells = computed.cells.iter().map(|cell| {
        let mut values = json!({
            "id": item_id(&cell.cell), "cell": cell.cell, "suppressed": cell.suppressed,
        });
        if let Some(value) = cell.value {
            values["value"] = json!(value);
        }
        values
    });
    let sources = of
        .sources
        .iter()
        .map(|(record, heads)| json!({ "id": record, "record": record, "heads": heads }));
    let mut fields = Object::new();
    let mut put = |name: &str, value: Json| fields.insert(name.to_owned(), value);
    put("title", json!(format!("{}, {}", measure.title, of.period)));
    put("hub", json!(of.hub));
    put("period", json!(of.period));
    put("measure", json!(measure.name));
    put("measure_version", json!(measure.version));
    put("as_at", json!(of.as_at));
    put("cells", cells.collect());
    put("computed_at", json!(of.computed_at));
    put("source_hash", json!(computed.source_hash));
    put("sources", sources.collect());
    if let Some((replaces, reason)) = of.replaces {
        put("replaces", json!(replaces));
        put("reason", json!(reason));
    }
    fields
}

/// The total of a return, and what the same hub's published group summaries come to instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ReturnDifference {
    /// What the return says.
    pub returned: i64,
    /// What the summaries say.
    pub published: i64,
}

/// Whether a return says something else than the group summaries that its hub published. Only
/// what both hold can be compared: of sign-ups, attendance and suppressed totals summaries say
/// nothing. Summaries have no day: they say what stands now.
pub fn return_difference<'a>(
    submitted: &Object,
    summaries: impl IntoIterator<Item = &'a Object>,
) -> Option<ReturnDifference> {
    let measure = measure(
        text(submitted, "measure"),
        number(submitted, "measure_version")?,
    )?;
    let total = items(submitted, "cells").find(|cell| text(cell, "cell") == TOTAL)?;
    let returned = number(total, "value")?;
    let mut once = BTreeMap::new();
    for (at, summary) in summaries.into_iter().enumerate() {
        let origin = match text(summary, "origin") {
            "" => format!("{at}"),
            origin => origin.to_owned(),
        };
        once.entry(origin).or_insert(summary);
    }
    // Sessions were held, whatever became of their group.
    let counts = |summary: &Object| measure.counted == Counted::Sessions || !is_cancelled(summary);
    let sum = |fields: &[&str]| {
        let standing = once.values().filter(|summary| counts(summary));
        let numbers = standing.flat_map(|summary| {
            let numbers = fields.iter().map(|field| number(summary, field));
            numbers.flatten()
        });
        numbers.fold(0_i64, i64::saturating_add)
    };
    let told = |statuses: &[&str]| {
        !statuses
            .iter()
            .any(|status| matches!(*status, "applied" | "waiting"))
    };
    let published = match measure.counted {
        Counted::Schools(statuses) if told(statuses) => {
            let standing = once.values().filter(|summary| counts(summary));
            let schools = standing.flat_map(|summary| items(summary, "schools"));
            let schools = schools.filter(|school| statuses.contains(&text(school, "status")));
            let urns = schools.map(|school| text(school, "urn"));
            i64::try_from(urns.collect::<BTreeSet<_>>().len()).ok()?
        }
        Counted::Participants(statuses) if told(statuses) => sum(statuses),
        Counted::Sessions => sum(&["sessions_held"]),
        Counted::Schools(_) | Counted::Participants(_) | Counted::Running | Counted::Attendance => {
            return None;
        }
    };
    (returned != published).then_some(ReturnDifference {
        returned,
        published,
    })
}
