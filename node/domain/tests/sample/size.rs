//! The world is as large as a real year, and its dates are days on which schools meet.

use std::collections::BTreeSet;

use node_domain::sample::{HubYear, Nation, SampleOptions, Scale, Totals};

#[track_caller]
fn check(what: &str, seed: u64, number: usize, range: std::ops::RangeInclusive<usize>) {
    assert!(range.contains(&number), "seed {seed}: {number} {what}");
}

#[test]
fn a_full_year_is_as_large_as_a_hubs_real_one() {
    for seed in 0..12 {
        let year = HubYear::generate(&SampleOptions::new(seed, "south-yorkshire", Scale::Full));
        let totals = Totals::of(&year);
        check("groups", seed, totals.groups, 85..=95);
        check("sessions", seed, totals.sessions, 440..=480);
        check("participants", seed, totals.signed_up, 1_350..=1_500);
        check("members", seed, totals.members, 1_450..=1_650);
        check("people", seed, totals.people, 1_450..=1_650);
        check("marks", seed, totals.marks, 6_000..=10_000);
        check("needs", seed, year.plan.needs.len(), 14..=14);
        check("ledger lines", seed, totals.money_lines, 60..=120);
        check(
            "ratings",
            seed,
            totals.ratings.values().map(|it| it.count).sum(),
            300..=700,
        );
        check(
            "schools of the area",
            seed,
            totals.schools_of_area.len(),
            450..=520,
        );
        check("schools that came", seed, totals.schools.len(), 150..=400);
        check("completed", seed, totals.completed, 700..=1_200);
    }
}

#[test]
fn a_small_year_is_a_tenth_and_has_all_sorts() {
    for seed in 0..8 {
        let year = HubYear::generate(&SampleOptions::new(seed, "south-yorkshire", Scale::Small));
        let totals = Totals::of(&year);
        check("groups", seed, totals.groups, 9..=9);
        check("marks", seed, totals.marks, 300..=1_200);
        let priorities = year.groups.iter().map(|group| group.priority);
        check(
            "priorities",
            seed,
            priorities.collect::<BTreeSet<_>>().len(),
            5..=5,
        );
        for state in ["completed", "running", "recruiting", "planned", "cancelled"] {
            assert!(
                totals.groups_by_state.contains_key(state),
                "seed {seed}: none {state}"
            );
        }
    }
}

#[test]
fn sessions_are_on_school_days_three_to_seven_of_them_in_order() {
    for seed in 0..4 {
        let year = HubYear::generate(&SampleOptions::new(seed, "solent", Scale::Full));
        for group in &year.groups {
            assert!(
                (3..=7).contains(&group.sessions.len()),
                "seed {seed}, {}",
                group.key
            );
            assert!(
                group.sessions.is_sorted_by(|a, b| a.date < b.date),
                "seed {seed}, {}",
                group.key
            );
            for session in &group.sessions {
                assert!(
                    year.school_year.is_school_day(session.date),
                    "{}",
                    session.date
                );
                assert!(session.state != "held" || session.date < year.told_on);
            }
            assert!(group.statuses.is_sorted_by_key(|status| status.as_at));
            assert!(
                group
                    .statuses
                    .iter()
                    .all(|status| status.as_at <= year.told_on)
            );
        }
    }
}

#[test]
fn a_year_begins_and_ends_with_its_terms() {
    let year = HubYear::generate(&SampleOptions::new(1, "solent", Scale::Small)).school_year;
    let terms = year.terms();
    assert_eq!(terms[0].1.to_string(), "2026-09-07");
    assert_eq!(terms[2].1.to_string(), "2027-01-04");
    assert_eq!(year.last_day().to_string(), "2027-07-23");
}

#[test]
fn the_nation_has_the_real_hubs_and_projects_and_a_vacant_area() {
    let nation = Nation::generate(1, Scale::Full);
    assert_eq!(nation.hubs.len(), 39);
    assert_eq!(nation.projects.len(), 24);
    let code = nation
        .projects
        .iter()
        .find(|it| it.fields["title"] == "Primary Teaching for Mastery: Sustaining");
    assert_eq!(code.expect("in the catalogue").fields["code"], "NCP24-11");
    let vacant = nation.hubs.last().expect("hubs");
    assert!(vacant.vacant && vacant.covered_by.len() == 2);
    assert!(nation.register.len() > 19_000);
    let urns = nation.register.iter().map(|school| school.urn.as_str());
    assert_eq!(urns.collect::<BTreeSet<_>>().len(), nation.register.len());
}

#[test]
fn a_past_day_has_its_own_figures() {
    let year = HubYear::generate(&SampleOptions::new(1, "solent", Scale::Full));
    let half = Totals::as_at(&year, year.school_year.terms()[2].2);
    let end = Totals::of(&year);
    assert!(half.signed_up > 1_000, "{}", half.signed_up);
    assert!(
        half.completed < end.completed / 2,
        "{} of {}",
        half.completed,
        end.completed
    );
}
