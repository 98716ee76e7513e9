//! The national picture of a period.

use std::collections::BTreeSet;

use node_domain::{Mapping, Object, SubmittedReturn, Wanted, picture};
use serde_json::json;

use crate::object;

fn submitted(version: i64, total: Option<i64>, computed_at: &str) -> Object {
    let mut cell = json!({"cell": "total", "suppressed": total.is_none()});
    if let Some(total) = total {
        cell["value"] = json!(total);
    }
    object(json!({
        "period": "autumn", "measure": "schools-engaged", "measure_version": version,
        "as_at": "2026-12-31", "computed_at": computed_at, "state": "submitted",
        "source_hash": "aa", "cells": [cell, {"cell": "phase: primary", "value": 3}],
    }))
}

struct Returns(Vec<(String, String, Object)>);

impl Returns {
    fn list(&self) -> Vec<SubmittedReturn<'_>> {
        let returns = self.0.iter();
        returns
            .map(|(id, hub, fields)| SubmittedReturn { id, hub, fields })
            .collect()
    }
}

fn hubs() -> Vec<String> {
    (0..40).map(|hub| format!("hub{hub:02}")).collect()
}

const WANTED: Wanted<'_> = Wanted {
    period: "autumn",
    measure: "schools-engaged",
    expected: &[],
    mapping: None,
    based_on: None,
};

/// 37 of 40 hubs, of which two still use version 1.
fn returns() -> Returns {
    let returns = hubs().into_iter().take(37).enumerate().map(|(at, hub)| {
        let version = if at < 2 { 1 } else { 2 };
        let total = (at != 5).then_some(10);
        (
            format!("r{at}"),
            hub,
            submitted(version, total, "2027-01-10"),
        )
    });
    Returns(returns.collect())
}

#[test]
fn n1_hubs_that_said_nothing_are_named_and_never_zero() {
    let (returns, expected) = (returns(), hubs());
    let picture = picture(
        &returns.list(),
        &Wanted {
            expected: &expected,
            ..WANTED
        },
    );
    assert_eq!(picture.missing, ["hub37", "hub38", "hub39"]);
    assert_eq!(picture.based_on.len(), 37);
    assert!(picture.unexpected.is_empty());
    let sums = &picture.by_version[&2];
    assert_eq!(
        (sums.total, sums.suppressed_cells, sums.hubs.len()),
        (340, 1, 35)
    );
    assert_eq!(sums.cells["phase: primary"], 105);
}

#[test]
fn n2_versions_of_a_measure_are_never_added_up_without_a_mapping() {
    let (returns, expected) = (returns(), hubs());
    let wanted = Wanted {
        expected: &expected,
        ..WANTED
    };
    let apart = picture(&returns.list(), &wanted);
    let totals = apart
        .by_version
        .iter()
        .map(|(version, sums)| (*version, sums.total));
    assert_eq!(totals.collect::<Vec<_>>(), [(1, 20), (2, 340)]);
    assert_eq!(apart.mapped, None);
    let mapping = Mapping {
        from_version: 1,
        to_version: 2,
        per_cent: 77,
    };
    let mapped = picture(
        &returns.list(),
        &Wanted {
            mapping: Some(mapping),
            ..wanted
        },
    );
    assert_eq!(
        mapped.by_version, apart.by_version,
        "the counts stay as they are"
    );
    let together = mapped.mapped.expect("mapped");
    assert_eq!((together.sums.total, together.sums.hubs.len()), (355, 37));
    assert!(together.note.contains("77 per cent") && together.note.contains("not a count"));
}

#[test]
fn n5_a_picture_of_the_past_can_be_made_again_and_shows_what_is_behind_it() {
    let (mut returns, expected) = (returns(), hubs());
    let wanted = Wanted {
        expected: &expected,
        ..WANTED
    };
    let then = picture(&returns.list(), &wanted);
    let basis = &then.based_on[3];
    assert_eq!(
        (
            basis.id.as_str(),
            basis.hub.as_str(),
            basis.version,
            basis.as_at.as_str()
        ),
        ("r3", "hub03", 2, "2026-12-31")
    );
    assert_eq!(then.as_at, BTreeSet::from(["2026-12-31".to_owned()]));
    let late = submitted(2, Some(50), "2027-06-01");
    returns
        .0
        .push(("late".to_owned(), "hub39".to_owned(), late));
    assert_eq!(picture(&returns.list(), &wanted).by_version[&2].total, 390);
    let ids = then.based_on.iter().map(|basis| basis.id.clone()).collect();
    let again = picture(
        &returns.list(),
        &Wanted {
            based_on: Some(&ids),
            ..wanted
        },
    );
    assert_eq!(again, then);
}

#[test]
fn n6_a_correction_counts_in_the_place_of_the_old_and_marks_what_was_made_of_it() {
    let (mut returns, expected) = (returns(), hubs());
    let wanted = Wanted {
        expected: &expected,
        ..WANTED
    };
    let published = picture(&returns.list(), &wanted);
    let ids = published
        .based_on
        .iter()
        .map(|basis| basis.id.clone())
        .collect();
    let mut corrected = submitted(2, Some(14), "2027-03-01");
    corrected.insert("replaces".to_owned(), json!("r3"));
    corrected.insert("reason".to_owned(), json!("a group was missing"));
    returns
        .0
        .push(("r3b".to_owned(), "hub03".to_owned(), corrected.clone()));
    // Another hub's word about it counts for nothing.
    corrected.insert("replaces".to_owned(), json!("r4"));
    returns
        .0
        .push(("strange".to_owned(), "hub99".to_owned(), corrected));
    let newest = picture(&returns.list(), &wanted);
    assert_eq!(newest.by_version[&2].total, 340 + 4 + 14);
    assert_eq!(newest.unexpected, ["hub99"]);
    let [one] = newest.corrected.as_slice() else {
        panic!("one correction: {:?}", newest.corrected);
    };
    assert_eq!((one.old.as_str(), one.new.as_str()), ("r3", "r3b"));
    assert_eq!((one.old_total, one.new_total), (Some(10), Some(14)));
    assert_eq!(one.reason, "a group was missing");
    assert!(!newest.is_outdated());
    let old = picture(
        &returns.list(),
        &Wanted {
            based_on: Some(&ids),
            ..wanted
        },
    );
    assert_eq!(
        old.by_version, published.by_version,
        "the published numbers stand"
    );
    assert!(old.is_outdated() && !published.is_outdated());
}

#[test]
fn a_hub_counts_once_whatever_its_returns_say_of_each_other() {
    let mut one = submitted(2, Some(10), "2027-01-01");
    one.insert("replaces".to_owned(), json!("b"));
    let mut other = submitted(2, Some(20), "2027-01-02");
    other.insert("replaces".to_owned(), json!("a"));
    let mut draft = submitted(2, Some(30), "2027-01-03");
    draft.insert("state".to_owned(), json!("draft"));
    let hub = || "north".to_owned();
    let returns = Returns(vec![
        ("a".to_owned(), hub(), one),
        ("b".to_owned(), hub(), other),
        ("c".to_owned(), hub(), draft),
    ]);
    let picture = picture(&returns.list(), &WANTED);
    assert_eq!(picture.by_version[&2].total, 20);
    assert_eq!(picture.corrected.len(), 1);
}

#[test]
fn numbers_beyond_all_measure_crash_nothing() {
    let many = ["north", "south"].map(|hub| {
        (
            hub.to_owned(),
            hub.to_owned(),
            submitted(1, Some(i64::MAX), ""),
        )
    });
    let mapping = Mapping {
        from_version: 1,
        to_version: 2,
        per_cent: u32::MAX,
    };
    let wanted = Wanted {
        mapping: Some(mapping),
        ..WANTED
    };
    let picture = picture(&Returns(many.into()).list(), &wanted);
    assert_eq!(picture.by_version[&1].total, i64::MAX);
}

#[test]
fn of_two_returns_of_one_day_the_one_computed_later_counts() {
    let hub = || "north".to_owned();
    let at = |total, at: &str| submitted(2, Some(total), at);
    let mut returns = vec![
        ("c".to_owned(), hub(), at(10, "2026-11-26")),
        ("b".to_owned(), hub(), at(20, "2026-11-26T09:30:05Z")),
        ("a".to_owned(), hub(), at(30, "2026-11-26T21:30:05Z")),
    ];
    for _ in 0..3 {
        returns.rotate_left(1);
        let picture = picture(&Returns(returns.clone()).list(), &WANTED);
        assert_eq!(picture.by_version[&2].total, 30);
        assert_eq!(picture.based_on[0].id, "a");
    }
}
