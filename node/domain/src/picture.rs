//! The national picture of a period, from the returns that hubs submitted.

use std::collections::{BTreeMap, BTreeSet};

use crate::Object;
use crate::measures::TOTAL;
use crate::standing::{items, number, text};

/// A return as it was submitted.
#[derive(Debug, Clone, Copy)]
pub struct SubmittedReturn<'a> {
    /// Its id.
    pub id: &'a str,
    /// The code of the hub that submitted it, from its signature or its space: what the return
    /// says of itself does not count.
    pub hub: &'a str,
    /// Its content, as [`read`](crate::read) gives it.
    pub fields: &'a Object,
}

/// What a picture is to show.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The period.
    pub period: &'a str,
    /// The measure.
    pub measure: &'a str,
    /// The codes of the hubs from which a return is expected.
    pub expected: &'a [String],
    /// How one version of the measure may be counted as another.
    pub mapping: Option<Mapping>,
    /// The ids of the returns on which an earlier picture was based, to make that one again.
    pub based_on: Option<&'a BTreeSet<String>>,
}

/// An analyst's word that numbers of one version of a measure stand for so many per cent of them
/// in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Mapping {
    /// The version that was used.
    pub from_version: i64,
    /// The version that is wanted.
    pub to_version: i64,
    /// How many per cent of the one are the other.
    pub per_cent: u32,
}

/// What the hubs said of one measure in one period. Hubs that said nothing are missing, and never
/// zero; versions of the measure are never added up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Picture {
    /// The period.
    pub period: String,
    /// The measure.
    pub measure: String,
    /// For each version of the measure what the hubs that used it come to.
    pub by_version: BTreeMap<i64, Sums>,
    /// Both versions of the analyst's mapping together, if there is one.
    pub mapped: Option<Mapped>,
    /// The hubs that were expected and said nothing.
    pub missing: Vec<String>,
    /// Hubs that were not expected and are counted.
    pub unexpected: Vec<String>,
    /// The returns that were replaced. Those that this picture is based on mark it: it was made
    /// of the old ones.
    pub corrected: Vec<Correction>,
    /// The returns behind the numbers.
    pub based_on: Vec<Basis>,
    /// The days on which the hubs counted.
    pub as_at: BTreeSet<String>,
}

/// The sums of the hubs that used one version of a measure.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Sums {
    /// The sum of the totals that are told.
    pub total: i64,
    /// How many cells are suppressed: the sums are at least what they say.
    pub suppressed_cells: u64,
    /// The hubs.
    pub hubs: Vec<String>,
    /// The sum of every cell that is told.
    pub cells: BTreeMap<String, i64>,
}

/// Two versions together, as an analyst maps them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mapped {
    /// The mapping.
    pub mapping: Mapping,
    /// The sums: those of the wanted version, and the others' by the mapping.
    pub sums: Sums,
    /// A sentence that goes with every number from here.
    pub note: String,
}

/// A return that was replaced by another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Correction {
    /// The hub.
    pub hub: String,
    /// The id of the old return.
    pub old: String,
    /// The id of the return that counts instead.
    pub new: String,
    /// The hub's reason; empty if it gave none.
    pub reason: String,
    /// What the total was, if it was told.
    pub old_total: Option<i64>,
    /// What the total is, if it is told.
    pub new_total: Option<i64>,
    /// Whether the picture is based on the old return.
    pub used: bool,
}

/// A return behind a picture.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Basis {
    /// The return.
    pub id: String,
    /// The hub.
    pub hub: String,
    /// The version of the measure.
    pub version: i64,
    /// The day on which it counted.
    pub as_at: String,
    /// When it was computed: a day or a moment, as in 2026-11-26T21:30:05Z.
    pub computed_at: String,
    /// Stands for what was counted.
    pub source_hash: String,
}

impl Picture {
    /// Whether one of the returns behind it was corrected since.
    pub fn is_outdated(&self) -> bool {
        self.corrected.iter().any(|correction| correction.used)
    }
}

/// The picture of a period. Of each hub one return counts: a correction takes the place of the
/// return that it `replaces` (by that one's id or origin), and of several that replace each other
/// in no way the one computed last. With `based_on` an earlier picture is made again from just
/// those returns, and marked with the corrections that came since.
pub fn picture(returns: &[SubmittedReturn<'_>], wanted: &Wanted<'_>) -> Picture {
    let mut by_hub = BTreeMap::<&str, Vec<&SubmittedReturn<'_>>>::new();
    for one in returns.iter().filter(|one| is_wanted(one, wanted)) {
        by_hub.entry(one.hub).or_default().push(one);
    }
    let mut picture = Picture {
        period: wanted.period.to_owned(),
        measure: wanted.measure.to_owned(),
        by_version: BTreeMap::new(),
        mapped: None,
        missing: Vec::new(),
        unexpected: Vec::new(),
        corrected: Vec::new(),
        based_on: Vec::new(),
        as_at: BTreeSet::new(),
    };
    for (hub, mut of_hub) in by_hub {
        of_hub.sort_by_key(|one| (text(one.fields, "computed_at"), one.id));
        let Some(current) = current(&of_hub) else {
            continue;
        };
        let used = match wanted.based_on {
            None => Some(current),
            // Whatever a picture was said to be based on, one hub is never counted twice.
            Some(ids) => of_hub.iter().rfind(|one| ids.contains(one.id)).copied(),
        };
        for old in of_hub.iter().filter(|one| one.id != current.id) {
            let basis = used.is_some_and(|used| used.id == old.id);
            picture
                .corrected
                .push(correction(old, &of_hub, current, basis));
        }
        if let Some(used) = used {
            picture.count(used);
            if !wanted.expected.iter().any(|expected| expected == hub) {
                picture.unexpected.push(hub.to_owned());
            }
        }
    }
    let told = picture.based_on.iter().map(|basis| basis.hub.as_str());
    let told = told.collect::<BTreeSet<_>>();
    let silent = wanted
        .expected
        .iter()
        .filter(|hub| !told.contains(hub.as_str()));
    picture.missing = silent
        .cloned()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    picture.mapped = wanted.mapping.and_then(|mapping| picture.map(mapping));
    picture
}

impl Picture {
    fn count(&mut self, one: &SubmittedReturn<'_>) {
        let version = number(one.fields, "measure_version").unwrap_or(0);
        let sums = self.by_version.entry(version).or_default();
        sums.hubs.push(one.hub.to_owned());
        for cell in items(one.fields, "cells") {
            let name = text(cell, "cell");
            match number(cell, "value") {
                Some(value) if !is_suppressed(cell) => {
                    let sum = sums.cells.entry(name.to_owned()).or_default();
                    *sum = sum.saturating_add(value);
                    if name == TOTAL {
                        sums.total = sums.total.saturating_add(value);
                    }
                }
                Some(_) | None => sums.suppressed_cells += 1,
            }
        }
        let as_at = text(one.fields, "as_at").to_owned();
        self.as_at.insert(as_at.clone());
        self.based_on.push(Basis {
            id: one.id.to_owned(),
            hub: one.hub.to_owned(),
            version,
            as_at,
            computed_at: text(one.fields, "computed_at").to_owned(),
            source_hash: text(one.fields, "source_hash").to_owned(),
        });
    }

    /// The two versions of a mapping together; none unless there is something to map.
    fn map(&self, mapping: Mapping) -> Option<Mapped> {
        let from = self.by_version.get(&mapping.from_version)?;
        if mapping.from_version == mapping.to_version {
            return None;
        }
        let per_cent = i64::from(mapping.per_cent);
        let share = |value: i64| {
            value
                .saturating_mul(per_cent)
                .saturating_add(50)
                .div_euclid(100)
        };
        let to = self.by_version.get(&mapping.to_version);
        let mut sums = to.cloned().unwrap_or_default();
        sums.total = sums.total.saturating_add(share(from.total));
        sums.suppressed_cells = sums.suppressed_cells.saturating_add(from.suppressed_cells);
        sums.hubs.extend(from.hubs.iter().cloned());
        sums.hubs.sort();
        for (cell, value) in &from.cells {
            let sum = sums.cells.entry(cell.clone()).or_default();
            *sum = sum.saturating_add(share(*value));
        }
        let note = format!(
            "the numbers of {} hubs, counted by version {}, stand for {} per cent of themselves \
             in version {}: a mapping, not a count",
            from.hubs.len(),
            mapping.from_version,
            mapping.per_cent,
            mapping.to_version,
        );
        Some(Mapped {
            mapping,
            sums,
            note,
        })
    }
}

fn is_wanted(one: &SubmittedReturn<'_>, wanted: &Wanted<'_>) -> bool {
    text(one.fields, "period") == wanted.period
        && text(one.fields, "measure") == wanted.measure
        && text(one.fields, "state") != "draft"
}

fn replaces(newer: &SubmittedReturn<'_>, older: &SubmittedReturn<'_>) -> bool {
    let named = text(newer.fields, "replaces");
    !named.is_empty()
        && newer.id != older.id
        && (named == older.id || named == text(older.fields, "origin"))
}

/// The return of a hub that counts: the last that no other replaces, or simply the last.
fn current<'a, 'b>(of_hub: &[&'a SubmittedReturn<'b>]) -> Option<&'a SubmittedReturn<'b>> {
    let replaced = |one: &SubmittedReturn<'_>| of_hub.iter().any(|newer| replaces(newer, one));
    let standing = of_hub.iter().rfind(|one| !replaced(one));
    standing.or(of_hub.last()).copied()
}

fn correction(
    old: &SubmittedReturn<'_>,
    of_hub: &[&SubmittedReturn<'_>],
    current: &SubmittedReturn<'_>,
    used: bool,
) -> Correction {
    let by = of_hub.iter().find(|newer| replaces(newer, old));
    let new = by.copied().unwrap_or(current);
    Correction {
        hub: old.hub.to_owned(),
        old: old.id.to_owned(),
        new: new.id.to_owned(),
        reason: by.map_or("", |by| text(by.fields, "reason")).to_owned(),
        old_total: total(old),
        new_total: total(new),
        used,
    }
}

fn total(one: &SubmittedReturn<'_>) -> Option<i64> {
    let mut cells = items(one.fields, "cells");
    let total = cells.find(|cell| text(cell, "cell") == TOTAL)?;
    number(total, "value").filter(|_| !is_suppressed(total))
}

fn is_suppressed(cell: &Object) -> bool {
    cell.get("suppressed").and_then(serde_json::Value::as_bool) == Some(true)
}
