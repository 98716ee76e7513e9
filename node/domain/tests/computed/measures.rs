//! What returns count.

use node_domain::{
    Computed, MEASURES, Object, ReturnOf, compute, measure, rates, return_difference, return_fields,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value as Json, json};

use crate::object;

/// A work group with members of these schools and what the log says of them.
fn group(phase: &str, members: &[(&str, &str)], statuses: &[(&str, &str, &str)]) -> Object {
    let members = members.iter().enumerate().map(|(at, (urn, name))| {
        let mut member = json!({"id": format!("m{at}"), "organisation": name});
        if !urn.is_empty() {
            member["urn"] = json!(urn);
        }
        member
    });
    let statuses = statuses
        .iter()
        .map(|(member, status, day)| json!({"member": member, "status": status, "as_at": day}));
    object(json!({
        "kind_of_record": "work-group", "phase": phase, "state": "running",
        "members": members.collect::<Json>(), "statuses": statuses.collect::<Json>(),
    }))
}

fn records(groups: &[Object]) -> Vec<(String, Object)> {
    let named = groups.iter().enumerate();
    named
        .map(|(at, group)| (format!("g{at}"), group.clone()))
        .collect()
}

fn count((name, version): (&str, i64), day: &str, groups: &[Object], smallest: i64) -> Computed {
    let measure = measure(name, version).expect("declared");
    compute(measure, day, records(groups), smallest)
}

fn total(computed: &Computed) -> Option<i64> {
    computed.cells[0].value
}

fn cells(computed: &Computed) -> Vec<(&str, Option<i64>)> {
    let cells = computed.cells.iter();
    cells.map(|cell| (cell.cell.as_str(), cell.value)).collect()
}

/// 40 schools sign up by February, of which 31 finish by August; one of them withdraws.
fn a_year() -> Vec<Object> {
    let mut groups = Vec::new();
    for block in 0..4 {
        let urns = (0..10)
            .map(|at| format!("{}", 106_000 + block * 10 + at))
            .collect::<Vec<_>>();
        let members = urns.iter().flat_map(|urn| [(urn.as_str(), "A school"); 2]);
        let members = members.collect::<Vec<_>>();
        let ids = (0..20).map(|at| format!("m{at}")).collect::<Vec<_>>();
        let mut statuses = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            let how = ["applied", "waiting", "accepted", "started"][at % 4];
            statuses.push((id.as_str(), how, "2027-01-15"));
            let school = block * 10 + at / 2;
            // Of each school that finishes one of two people does.
            if school < 31 && at % 2 == 0 {
                statuses.push((id.as_str(), "completed", "2027-07-10"));
            }
            if school == 39 {
                statuses.push((id.as_str(), "withdrawn", "2027-05-01"));
            }
        }
        let phase = if block < 2 { "primary" } else { "secondary" };
        groups.push(group(phase, &members, &statuses));
    }
    groups
}

#[test]
fn a4_a_sign_up_is_no_completion_and_both_figures_come_out_again() {
    let groups = a_year();
    let (february, august) = ("2027-02-28", "2027-08-31");
    let sign_ups = |day| total(&count(("schools-signed-up", 1), day, &groups, 0));
    let completions = |day| total(&count(("schools-completed", 1), day, &groups, 0));
    assert_eq!(
        (sign_ups(february), completions(february)),
        (Some(40), Some(0))
    );
    assert_eq!(
        (sign_ups(august), completions(august)),
        (Some(39), Some(31))
    );
    assert_eq!(
        sign_ups(february),
        Some(40),
        "asked again in August for February"
    );
    let engaged = |version| total(&count(("schools-engaged", version), august, &groups, 0));
    assert_eq!(
        (engaged(1), engaged(2)),
        (Some(39), Some(31)),
        "the versions differ"
    );
    assert_eq!(sign_ups("2027-01-14"), Some(0));
}

#[test]
fn a_school_counts_once_however_it_is_entered_and_in_each_of_its_phases() {
    let groups = [
        group(
            "primary",
            &[
                ("106001", "Hill School"),
                ("", "Vale School"),
                ("", "hill  SCHOOL"),
            ],
            &[
                ("m0", "accepted", "2026-10-01"),
                ("m1", "accepted", "2026-10-01"),
                ("m2", "applied", "2026-10-01"),
            ],
        ),
        group(
            "secondary",
            &[
                ("106001", "Hill Sch."),
                ("", "VALE school"),
                ("106009", "Dale"),
            ],
            &[
                ("m0", "started", "2026-10-01"),
                ("m1", "started", "2026-10-01"),
            ],
        ),
    ];
    let computed = count(("schools-signed-up", 1), "2026-12-31", &groups, 0);
    assert_eq!(
        cells(&computed),
        [
            ("total", Some(2)),
            ("phase: primary", Some(2)),
            ("phase: secondary", Some(2))
        ]
    );
    let people = count(("participants-accepted", 1), "2026-12-31", &groups, 0);
    assert_eq!(total(&people), Some(4));
}

#[test]
fn of_two_entries_for_one_day_the_later_counts_and_the_newest_day_beats_the_log_s_order() {
    let check = |statuses: &[(&str, &str, &str)], expected: i64| {
        let groups = [group("primary", &[("106001", "Hill")], statuses)];
        let computed = count(("schools-completed", 1), "2027-08-31", &groups, 0);
        assert_eq!(total(&computed), Some(expected), "{statuses:?}");
    };
    check(
        &[
            ("m0", "completed", "2027-07-01"),
            ("m0", "withdrawn", "2027-07-01"),
        ],
        0,
    );
    check(
        &[
            ("m0", "withdrawn", "2027-07-01"),
            ("m0", "completed", "2027-07-01"),
        ],
        1,
    );
    check(
        &[
            ("m0", "completed", "2027-07-02"),
            ("m0", "started", "2027-07-01"),
        ],
        1,
    );
    check(&[("m0", "completed", "2027-09-01")], 0);
    check(&[("m9", "completed", "2027-07-01")], 0);
}

#[test]
fn small_cells_are_suppressed_and_nothing_is_told_as_zero() {
    let groups = a_year();
    let computed = count(("schools-completed", 1), "2027-08-31", &groups, 12);
    assert_eq!(
        cells(&computed),
        [
            ("total", Some(31)),
            ("phase: primary", Some(20)),
            ("phase: secondary", None)
        ]
    );
    assert!(computed.cells[2].suppressed);
    let none = count(("schools-completed", 1), "2027-02-28", &groups, 12);
    assert_eq!(total(&none), Some(0), "none is no small number");
}

#[test]
fn groups_sessions_and_attendance_count_by_their_own_days() {
    let mut running = group("primary", &[("106001", "Hill"), ("106002", "Vale")], &[]);
    running.extend(object(json!({
        "sessions": [
            {"id": "s1", "date": "2026-10-01", "state": "held"},
            {"id": "s2", "date": "2026-11-01", "state": "held"},
            {"id": "s3", "date": "2026-12-01", "state": "cancelled"},
        ],
        "attendance": [
            {"session": "s1", "member": "m0", "mark": "present"},
            {"session": "s1", "member": "m1", "mark": "absent"},
            {"session": "s1", "member": "m1", "mark": "substitute"},
            {"session": "s2", "member": "m0", "mark": "absent"},
            {"session": "s3", "member": "m0", "mark": "present"},
        ],
    })));
    let mut over = running.clone();
    over.insert("state".to_owned(), json!("completed"));
    let mut planned = running.clone();
    planned.insert("state".to_owned(), json!("planned"));
    let groups = [running, over, planned];
    let counted = |name, day| total(&count((name, 1), day, &groups, 0));
    assert_eq!(counted("groups-running", "2026-09-30"), Some(0));
    assert_eq!(counted("groups-running", "2026-10-15"), Some(2));
    assert_eq!(
        counted("groups-running", "2026-11-02"),
        Some(1),
        "completed groups are over"
    );
    assert_eq!(counted("sessions-held", "2026-10-15"), Some(3));
    assert_eq!(counted("sessions-held", "2026-12-31"), Some(6));
    let rate = |groups: &[Object], smallest| {
        let computed = count(("attendance", 1), "2026-12-31", groups, smallest);
        let told = computed
            .cells
            .iter()
            .filter_map(|cell| Some((cell.cell.as_str(), cell.value?)));
        rates(told).get("total").copied()
    };
    assert_eq!(rate(&groups[..1], 0), Some(66_67), "2 of 3");
    assert_eq!(
        rate(&groups[..1], 3),
        None,
        "2 is a small number, so 3 is not told either"
    );
}

#[test]
fn the_same_records_in_any_order_are_the_same_count_and_another_fact_is_another() {
    let seed = 20_261_124;
    println!("seed {seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let groups = a_year();
    for measure in MEASURES {
        let first = compute(measure, "2027-08-31", records(&groups), 5);
        let mut shuffled = records(&groups);
        for at in (1..shuffled.len()).rev() {
            let other = usize::try_from(random.next_u32()).expect("small") % (at + 1);
            shuffled.swap(at, other);
        }
        shuffled.push(shuffled[0].clone());
        assert_eq!(
            compute(measure, "2027-08-31", shuffled, 5),
            first,
            "{}",
            measure.name
        );
    }
    let computed = |groups| count(("schools-completed", 1), "2027-08-31", groups, 5);
    assert_ne!(
        computed(&groups).source_hash,
        computed(&groups[1..]).source_hash
    );
}

#[test]
fn a_return_holds_what_was_counted_and_where_it_differs_from_what_is_published() {
    let groups = a_year();
    let measure = measure("schools-completed", 1).expect("declared");
    let computed = compute(measure, "2027-08-31", records(&groups), 5);
    let submitted = return_fields(
        measure,
        &computed,
        &ReturnOf {
            hub: "north",
            period: "summer 2026-27",
            as_at: "2027-08-31",
            computed_at: "2027-09-01T10:00:00Z",
            sources: &[("g0".to_owned(), "aa".to_owned())],
            replaces: Some(("r1", "one group was missing")),
        },
    );
    assert_eq!(submitted["title"], "Schools completed, summer 2026-27");
    assert_eq!(submitted["cells"][0]["value"], 31);
    assert_eq!(submitted["reason"], "one group was missing");
    let summary = |schools: i64, origin: &str| {
        let schools = (0..schools)
            .map(|at| json!({"urn": format!("{}", 106_000 + at), "status": "completed"}));
        object(json!({"origin": origin, "schools": schools.collect::<Json>()}))
    };
    assert_eq!(
        return_difference(&submitted, &[summary(31, "a"), summary(20, "b")]),
        None
    );
    let differs = return_difference(&submitted, &[summary(30, "a"), summary(40, "a")]);
    let differs = differs.expect("one school less");
    assert_eq!((differs.returned, differs.published), (31, 30));
}

#[test]
fn a_group_that_was_cancelled_since_keeps_a_past_figure_as_it_was() {
    let status = [("m0", "accepted", "2026-10-01")];
    let running = group("primary", &[("106001", "Hill")], &status);
    let mut cancelled = running.clone();
    cancelled.insert("state".to_owned(), json!("cancelled"));
    for measure in ["schools-signed-up", "participants-accepted"] {
        let measure = node_domain::measure(measure, 1).expect("declared");
        let counted = |group: &Object| {
            let groups = [("g".to_owned(), group.clone())];
            node_domain::compute(measure, "2026-12-01", groups, 0).cells
        };
        assert_eq!(counted(&cancelled), counted(&running));
    }
}

#[test]
fn published_numbers_beyond_all_measure_crash_nothing_and_cancelled_groups_are_left_out() {
    let returned = |measure: &str| {
        object(json!({"measure": measure, "measure_version": 1, "cells": [
            {"cell": "total", "value": 3},
        ]}))
    };
    let summary = |state: &str, completed: i64| {
        object(
            json!({"state": state, "completed": completed, "sessions_held": completed,
            "schools": [{"urn": "106001", "status": "completed"}]}),
        )
    };
    let many = [
        summary("completed", i64::MAX),
        summary("completed", i64::MAX),
    ];
    let differs = return_difference(&returned("participants-completed"), &many);
    assert_eq!(differs.expect("more").published, i64::MAX);
    let both = [summary("completed", 3), summary("cancelled", 9)];
    assert_eq!(
        return_difference(&returned("participants-completed"), &both),
        None
    );
    let differs = return_difference(&returned("sessions-held"), &both);
    assert_eq!(differs.expect("held all the same").published, 12);
    let told = [("total, attended", i64::MAX), ("total, marks", i64::MAX)];
    assert!(rates(told).contains_key("total"));
}
