//! Every total that the program shows of the sample's year, beside one that was counted from the
//! raw sample by plain loops.

use std::collections::{BTreeMap, BTreeSet};

use node::Node;
use node::records::Find;
use node_domain::sample::{Group, HubYear, SampleOptions, Scale, Totals};
use node_domain::{Counted, MEASURES, Measure};
use node_feed::SpaceKind;
use serde_json::{Value, json};
use tests::world::until;
use time::Date;

use crate::acting::{
    SOUTH, WEST, add, agree_on, all, edit, fields, ncetm, network, publish, report, space, wanted,
};

const SEED: u64 = 7;

fn year() -> HubYear {
    HubYear::generate(&SampleOptions::new(SEED, SOUTH, Scale::Small))
}

fn of_kind(kind: &str) -> Find {
    Find {
        kind: kind.to_owned(),
        ..Find::default()
    }
}

fn count(node: &Node, kind: &str) -> usize {
    let found = node.find_records(&of_kind(kind)).expect("a list");
    assert_eq!(found.records.len() as u64, found.total);
    found.records.len()
}

/// All fields of all records of a kind.
fn records(node: &Node, kind: &str) -> Vec<Value> {
    all(node, kind).iter().map(|id| fields(node, id)).collect()
}

fn items<'a>(record: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    record[list].as_array().into_iter().flatten()
}

/// How many items say what in a field.
fn tally<'a>(items: impl Iterator<Item = &'a Value>, field: &str) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for item in items {
        let value = item[field].as_str().expect("a word").to_owned();
        *tally.entry(value).or_default() += 1;
    }
    tally
}

fn owned(counts: &BTreeMap<&'static str, usize>) -> BTreeMap<String, usize> {
    counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_counts_money_and_attendance_are_the_samples() {
    let world = network(&[SOUTH]).await;
    let node = world.hub(SOUTH);
    let (year, totals) = (year(), Totals::of(&year()));
    let made = node.sample(SEED, true).expect("a year");
    assert_eq!(made["work-group"], totals.groups);

    assert_eq!(count(node, "work-group"), totals.groups);
    assert_eq!(count(node, "person"), totals.person_cards);
    assert_eq!(count(node, "partner"), year.partners.len());
    assert_eq!(count(node, "commission"), year.commissions.len());
    assert_eq!(count(node, "practice"), year.practices.len());
    assert_eq!(
        (count(node, "plan"), count(node, "strategic-group")),
        (1, 1)
    );
    assert_eq!(count(node, "leader"), year.leaders.len());
    let offered = year
        .leaders
        .iter()
        .filter(|leader| leader.days.is_some())
        .count();
    assert_eq!(count(node, "leader-days"), offered);
    assert_eq!(count(node, "hub-profile"), 1);
    let states = node
        .count_records(&of_kind("work-group"), "state")
        .expect("counts");
    let states = states
        .into_iter()
        .map(|(state, count)| (state, usize::try_from(count).expect("small")));
    assert_eq!(
        states.collect::<BTreeMap<_, _>>(),
        owned(&totals.groups_by_state)
    );
    for (state, groups) in &totals.groups_by_state {
        let find = Find {
            filters: vec![format!("state is {state}")],
            limit: 1,
            ..of_kind("work-group")
        };
        assert_eq!(
            node.find_records(&find).expect("a list").total,
            *groups as u64,
            "{state}"
        );
    }

    let groups = records(node, "work-group");
    let sessions = groups.iter().flat_map(|group| items(group, "sessions"));
    assert_eq!(tally(sessions, "state"), owned(&totals.sessions_by_state));
    let marks = groups.iter().flat_map(|group| items(group, "attendance"));
    assert_eq!(tally(marks, "mark"), owned(&totals.attendance));
    let members = groups
        .iter()
        .map(|group| items(group, "members").count())
        .sum::<usize>();
    assert_eq!(members, totals.members);
    let enquiries = groups
        .iter()
        .map(|group| group["enquiries"].as_i64().expect("a count"));
    let asked = year
        .groups
        .iter()
        .map(|group| group.enquiries)
        .sum::<usize>();
    // Of groups that are only planned nobody has entered them yet.
    let early = year.groups.iter().filter(|group| group.state == "planned");
    let early = early.map(|group| group.enquiries).sum::<usize>();
    assert_eq!(
        enquiries.sum::<i64>(),
        i64::try_from(asked - early).expect("small")
    );

    let mut pence = BTreeMap::<String, i64>::new();
    let commissions = records(node, "commission");
    for line in commissions.iter().flat_map(|it| items(it, "money")) {
        let kind = line["kind"].as_str().expect("a kind").to_owned();
        *pence.entry(kind).or_default() += line["pence"].as_i64().expect("pence");
    }
    let expected = totals
        .pence_by_kind
        .iter()
        .map(|(kind, sum)| ((*kind).to_owned(), *sum));
    assert_eq!(pence, expected.collect());
    let lines = commissions
        .iter()
        .map(|it| items(it, "money").count())
        .sum::<usize>();
    assert_eq!(lines, totals.money_lines);

    // Marks of one person that differ, and groups whose leaders do, are raised to people.
    let open = node.list_versions("").expect("versions");
    let open = open.as_array().expect("a list");
    let raised = |sentence: &str| {
        open.iter()
            .filter(|open| open["sentence"] == sentence)
            .count()
    };
    let marks = "one person has two different marks for one session";
    assert_eq!(raised(marks), totals.disputed_marks);
}

/// What a measure comes to on a day, by plain loops over the sample.
fn by_hand(measure: &Measure, year: &HubYear, on: Date) -> BTreeMap<String, (i64, i64)> {
    let mut counted = BTreeMap::<String, [BTreeSet<String>; 2]>::new();
    let urns = typed_urns(year);
    for group in &year.groups {
        for cell in ["total".to_owned(), format!("phase: {}", group.phase)] {
            let parts = counted.entry(cell).or_default();
            for (second, what) in of_group(measure, group, on, &urns) {
                parts[usize::from(second)].insert(what);
            }
        }
    }
    let len = |set: &BTreeSet<String>| i64::try_from(set.len()).expect("small");
    let cells = counted.into_iter();
    cells
        .map(|(cell, [first, second])| (cell, (len(&first), len(&second))))
        .collect()
}

/// What one group adds; of attendance all marks come second.
fn of_group(
    measure: &Measure,
    group: &Group,
    on: Date,
    urns: &BTreeMap<String, String>,
) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    let key = &group.key;
    let held = |id: &str| {
        let mut sessions = group.sessions.iter();
        sessions.any(|it| it.id == id && it.state == "held" && it.date <= on)
    };
    match measure.counted {
        Counted::Schools(statuses) | Counted::Participants(statuses) => {
            for member in &group.members {
                let known = group
                    .statuses
                    .iter()
                    .filter(|it| it.member == member.id && it.as_at <= on);
                // Of two of one day the later entered counts.
                let latest = known.max_by_key(|it| it.as_at).map(|it| it.status);
                if !latest.is_some_and(|latest| statuses.contains(&latest)) {
                    continue;
                }
                let what = if matches!(measure.counted, Counted::Schools(_)) {
                    member.urn.clone().unwrap_or_else(|| {
                        let name = plain(&member.organisation);
                        urns.get(&name).cloned().unwrap_or(name)
                    })
                } else {
                    format!("{key} {}", member.id)
                };
                found.push((false, what));
            }
        }
        Counted::Running => {
            let on_again = group.sessions.iter().filter(|it| it.state != "cancelled");
            let days = on_again.map(|it| it.date).collect::<BTreeSet<_>>();
            let begun = days.first().is_some_and(|first| *first <= on);
            let over = days.last().is_none_or(|last| *last < on);
            if begun && (group.state == "running" || (group.state == "completed" && !over)) {
                found.push((false, key.clone()));
            }
        }
        Counted::Sessions => {
            let ids = group.sessions.iter().filter(|it| held(&it.id));
            found.extend(ids.map(|it| (false, format!("{key} {}", it.id))));
        }
        Counted::Attendance => {
            let mut last = BTreeMap::new();
            for mark in group.attendance.iter().filter(|mark| held(&mark.session)) {
                last.insert((&mark.session, &mark.member), mark.mark);
            }
            for ((session, member), mark) in last {
                let what = format!("{key} {session} {member}");
                if mark != "absent" {
                    found.push((false, what.clone()));
                }
                found.push((true, what));
            }
        }
    }
    found
}

/// A school's name as it comes out equal however it is usually typed.
fn plain(name: &str) -> String {
    let letters = name.to_lowercase().replace(['\'', '’', '.'], "");
    let words = letters
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words = words.filter(|word| !matches!(*word, "the" | "and"));
    words
        .map(|word| if word == "saint" { "st" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The numbers of names beside which exactly one was typed.
fn typed_urns(year: &HubYear) -> BTreeMap<String, String> {
    let mut typed = BTreeMap::<String, BTreeSet<String>>::new();
    for member in year.groups.iter().flat_map(|group| &group.members) {
        if let Some(urn) = &member.urn {
            typed
                .entry(plain(&member.organisation))
                .or_default()
                .insert(urn.clone());
        }
    }
    let one = typed.into_iter().filter(|(_, urns)| urns.len() == 1);
    one.map(|(name, urns)| (name, urns.into_iter().next().expect("one")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_are_the_samples_at_any_day() {
    let world = network(&[SOUTH]).await;
    let node = world.hub(SOUTH);
    let year = year();
    node.sample(SEED, true).expect("a year");
    let early = year.told_on - time::Duration::days(150);
    for on in [early, year.told_on] {
        let totals = Totals::as_at(&year, on);
        for measure in MEASURES {
            let version = u32::try_from(measure.version).expect("small");
            let computed =
                node.compute_return(&wanted(measure.name, version, &on.to_string()), false);
            let computed = computed.expect("computed").fields;
            let told = items(&computed, "cells").map(|cell| {
                let name = cell["cell"].as_str().expect("a name").to_owned();
                (name, (cell["value"].as_i64(), cell["suppressed"] == true))
            });
            let told = told.collect::<BTreeMap<_, _>>();
            let mut expected = BTreeMap::new();
            let small = |count: i64| (1..5).contains(&count);
            for (cell, (first, second)) in by_hand(measure, &year, on) {
                if measure.counted == Counted::Attendance {
                    let hidden = small(first) || small(second);
                    let tell = |count: i64| ((!hidden).then_some(count), hidden);
                    expected.insert(format!("{cell}, attended"), tell(first));
                    expected.insert(format!("{cell}, marks"), tell(second));
                } else {
                    expected.insert(cell, ((!small(first)).then_some(first), small(first)));
                }
            }
            assert_eq!(told, expected, "{} {version} on {on}", measure.name);
            let total = told.get("total").and_then(|total| total.0);
            let same = |count: usize| {
                let count = i64::try_from(count).expect("small");
                assert_eq!(
                    total,
                    (!small(count)).then_some(count),
                    "{} on {on}",
                    measure.name
                );
            };
            let stand = |status: &str| {
                totals
                    .members_by_latest_status
                    .get(status)
                    .copied()
                    .unwrap_or(0)
            };
            match (measure.name, measure.counted) {
                ("participants-completed", _) => same(totals.completed),
                ("participants-accepted", _) => {
                    same(stand("accepted") + stand("started") + stand("completed"))
                }
                (_, Counted::Sessions) if on == year.told_on => same(totals.sessions_held),
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reach_and_evaluation_are_the_samples() {
    let world = network(&[SOUTH]).await;
    let node = world.hub(SOUTH);
    let (year, totals) = (year(), Totals::of(&year()));
    node.sample(SEED, true).expect("a year");
    let schools = year.schools.iter().map(node_domain::sample::School::record);
    let everyone = space(ncetm(&world), SpaceKind::Network);
    ncetm(&world)
        .keep_sample(&schools.collect::<Vec<_>>(), |_| Ok(everyone))
        .expect("the register");
    world.agree(everyone).await;

    let open = year.schools.iter().filter(|school| school.status == "open");
    let open = open
        .map(|school| school.urn.as_str())
        .collect::<BTreeSet<_>>();
    let reach = node.reach().expect("reach");
    assert_eq!(reach["area"], open.len());
    let reached =
        items(&reach, "reached").map(|it| it["school"]["urn"].as_str().expect("a number"));
    let reached = reached.collect::<BTreeSet<_>>();
    let not = items(&reach, "not_reached").map(|it| it["urn"].as_str().expect("a number"));
    let not = not.collect::<BTreeSet<_>>();
    assert!(reached.is_disjoint(&not));
    assert_eq!(reached.union(&not).copied().collect::<BTreeSet<_>>(), open);
    // Whoever was typed with a number is found; of a name alone at most the right school comes.
    let (mut sure, mut truly) = (BTreeSet::new(), BTreeSet::new());
    for school in &totals.schools_reached {
        if open.contains(school.as_str()) {
            truly.insert(school.as_str());
        }
    }
    // A group that was cancelled reaches nobody.
    for group in year
        .groups
        .iter()
        .filter(|group| group.state != "cancelled")
    {
        for member in group.members.iter().filter(|member| member.urn.is_some()) {
            let known = group.statuses.iter().filter(|it| it.member == member.id);
            let latest = known.max_by_key(|it| it.as_at).map(|it| it.status);
            if matches!(latest, Some("accepted" | "started" | "completed")) {
                sure.extend(member.school.map(|at| goes_on_as(&year, at)));
            }
        }
    }
    let sure = sure
        .iter()
        .map(String::as_str)
        .filter(|urn| open.contains(urn))
        .collect::<BTreeSet<_>>();
    assert!(sure.len() > 5);
    assert!(sure.is_subset(&reached), "{:?}", sure.difference(&reached));
    assert!(
        reached.is_subset(&truly),
        "{:?}",
        reached.difference(&truly)
    );

    let evaluation = node.evaluation("2026-27", "").expect("an evaluation");
    let done = totals
        .groups_by_state
        .get("completed")
        .copied()
        .unwrap_or(0);
    assert_eq!(evaluation["groups"], done);
    for told in items(&evaluation, "outcomes") {
        let outcome = told["outcome"].as_str().expect("an outcome");
        let means = totals
            .by_group
            .values()
            .filter_map(|group| group.ratings.get(outcome));
        let means = means.map(|rating| (rating.sum * 200 + rating.count) / (2 * rating.count));
        let means = means.collect::<Vec<_>>();
        let mean = (means.iter().sum::<usize>() + means.len() / 2) / means.len();
        assert_eq!(
            (&told["mean"], &told["groups"]),
            (&json!(mean), &json!(means.len())),
            "{outcome}"
        );
        assert_eq!(told["ratings"], totals.ratings[outcome].count);
    }
    assert_eq!(items(&evaluation, "outcomes").count(), totals.ratings.len());
    let disagree =
        items(&evaluation, "disagreeing").map(|it| it["title"].as_str().expect("a title"));
    let expected = year
        .groups
        .iter()
        .filter(|group| totals.groups_that_disagree.contains(&group.key));
    let expected = expected
        .map(|group| group.title.as_str())
        .collect::<BTreeSet<_>>();
    assert_eq!(disagree.collect::<BTreeSet<_>>(), expected);
}

/// The number under which a school goes on today.
fn goes_on_as(year: &HubYear, at: usize) -> String {
    let mut school = &year.schools[at];
    while let Some(next) = school.successors.first() {
        match year.schools.iter().find(|school| school.urn == *next) {
            Some(next) => school = next,
            None => break,
        }
    }
    school.urn.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn published_figures_are_the_samples() {
    let world = network(&[SOUTH]).await;
    let node = world.hub(SOUTH);
    let (year, totals) = (year(), Totals::of(&year()));
    node.sample(SEED, true).expect("a year");
    let groups = records(node, "work-group");
    let ids = all(node, "work-group");
    let codes = totals.by_project.keys().filter(|code| !code.is_empty());
    for code in codes.clone() {
        let code: &'static str = code.clone().leak();
        let (space, record) = world.project(code, &[SOUTH]).await;
        let listed = [
            "title",
            "project",
            "sessions_held",
            "schools",
            "completed",
            "state",
        ];
        agree_on(&world, (space, &record), &listed, &[SOUTH]).await;
        for (id, group) in ids.iter().zip(&groups) {
            if group["project"] == code {
                publish(node, id, space);
            }
        }
        world.agree(space).await;
    }
    for node in [node, ncetm(&world)] {
        let figures = node.figures().expect("figures");
        let figures = figures.as_array().expect("lines");
        assert_eq!(figures.len(), codes.clone().count());
        for line in figures {
            let project = &totals.by_project[line["project"].as_str().expect("a code")];
            assert_eq!(line["hub"], SOUTH);
            assert_eq!(line["groups"], project.groups, "{line}");
            assert_eq!(line["sessions_held"], project.sessions_held, "{line}");
            assert_eq!(line["schools"], project.urns_typed.len(), "{line}");
        }
    }
    let summaries = records(ncetm(&world), "group-summary");
    let completed = summaries
        .iter()
        .filter_map(|summary| summary["completed"].as_u64())
        .sum::<u64>();
    let expected = year.groups.iter().filter(|group| group.project.is_some());
    let expected = expected.map(|group| {
        let own = &totals.by_group[&group.key].members_by_latest_status;
        own.get("completed").copied().unwrap_or(0) as u64
    });
    assert_eq!(completed, expected.sum::<u64>());
}

/// Schools by number whose people stand as reached in groups of a project that go on.
fn schools_reached(year: &HubYear, code: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    for group in &year.groups {
        if group.project.as_deref() != Some(code) || group.state == "cancelled" {
            continue;
        }
        for member in &group.members {
            let of = group.statuses.iter().filter(|it| it.member == member.id);
            let latest = of.max_by_key(|it| it.as_at).map(|it| it.status);
            if matches!(latest, Some("accepted" | "started" | "completed")) {
                reached.extend(member.urn.clone());
            }
        }
    }
    reached
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nations_picture_and_a_comparison_are_the_samples() {
    let hubs = [SOUTH, WEST];
    let world = network(&hubs).await;
    let years = hubs.map(|hub| HubYear::generate(&SampleOptions::new(SEED, hub, Scale::Small)));
    for hub in hubs {
        world.hub(hub).sample(SEED, true).expect("a year");
    }
    let totals = years.each_ref().map(Totals::of);
    let on = years[0].told_on;
    let mut submitted = 0;
    for (at, hub) in hubs.into_iter().enumerate() {
        let on = on.to_string();
        report(world.hub(hub), &wanted("participants-completed", 1, &on));
        let completed = Totals::as_at(&years[at], years[0].told_on).completed;
        assert!(completed >= 5, "not suppressed");
        submitted += completed;
    }
    let period = wanted("", 1, "").period;
    let drawn = || {
        let picture = ncetm(&world).picture(&period, "participants-completed", None, &[]);
        picture.expect("a picture")
    };
    until("both returns arrive", || {
        drawn()["by_version"]["1"]["hubs"]
            .as_array()
            .is_some_and(|hubs| hubs.len() == 2)
    })
    .await;
    assert_eq!(drawn()["by_version"]["1"]["total"], submitted);

    let shared = totals[0].by_project.keys();
    let mut shared = shared.filter(|code| totals[1].by_project.contains_key(*code));
    let code: &'static str = shared
        .find(|code| !code.is_empty())
        .expect("a project of both")
        .clone()
        .leak();
    let (space, project) = world.project(code, &hubs).await;
    let listed = ["title", "project", "sessions_held", "schools", "state"];
    agree_on(&world, (space, &project), &listed, &hubs).await;
    let part = |hub: &&str| add("participation", &json!({ "hub": hub, "status": "active" }));
    let parts = hubs.iter().map(part).collect::<Value>();
    edit(ncetm(&world), &project, &parts);
    for hub in hubs {
        let node = world.hub(hub);
        for (id, group) in all(node, "work-group")
            .iter()
            .zip(records(node, "work-group"))
        {
            if group["project"] == code {
                publish(node, id, space);
            }
        }
    }
    world.agree(space).await;
    let compared = ncetm(&world).comparison(&project).expect("a comparison");
    let mut every = BTreeSet::new();
    for (at, hub) in hubs.into_iter().enumerate() {
        let line = items(&compared, "hubs").find(|line| line["hub"] == hub);
        let line = line.expect("a line");
        let (of, reached) = (
            &totals[at].by_project[code],
            schools_reached(&years[at], code),
        );
        assert_eq!(line["groups"], of.groups, "{line}");
        assert_eq!(line["sessions_held"], of.sessions_held, "{line}");
        assert_eq!(line["schools"], reached.len(), "{line}");
        every.extend(reached);
    }
    assert_eq!(compared["schools"], every.len());
}
