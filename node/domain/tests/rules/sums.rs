//! Sums, places and ledgers hold under any interleaving of edits, also after restores.

use std::collections::BTreeMap;

use node_domain::{COMMISSION, LEADER_DAYS, WORK_GROUP};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::replicas::{EntryName, Replica, Replicas};

const MEMBERS: [&str; 4] = ["a", "b", "c", "d"];
const STATUSES: [&str; 6] = [
    "accepted",
    "accepted",
    "started",
    "completed",
    "withdrawn",
    "waiting",
];
const TAKING: [&str; 3] = ["accepted", "started", "completed"];
const ISSUED: i64 = 3;

/// Something that happens at one of three hubs, or between two of them.
#[derive(Debug, Clone)]
enum Event {
    Say {
        hub: usize,
        old_page: bool,
        what: Vec<(usize, usize, u8)>,
    },
    Move {
        hub: usize,
        old_page: bool,
        how: usize,
        count: i64,
    },
    OpenPage(usize),
    Sync {
        from: usize,
        into: usize,
        most: usize,
    },
    Save(usize),
    Restore(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let hub = 0..3_usize;
    let what = prop::collection::vec((0..4_usize, 0..6_usize, 1..4_u8), 1..3);
    let event = prop_oneof![
        8 => (hub.clone(), any::<bool>(), what)
            .prop_map(|(hub, old_page, what)| Event::Say { hub, old_page, what }),
        2 => (hub.clone(), any::<bool>(), 0..8_usize, 1..3_i64)
            .prop_map(|(hub, old_page, how, count)| Event::Move { hub, old_page, how, count }),
        2 => hub.clone().prop_map(Event::OpenPage),
        5 => (hub.clone(), 1..3_usize, 1..8_usize).prop_map(|(from, step, most)| Event::Sync {
            from,
            into: (from + step) % 3,
            most,
        }),
        1 => hub.clone().prop_map(Event::Save),
        1 => hub.prop_map(Event::Restore),
    ];
    prop::collection::vec(event, 1..40)
}

/// Does what is not an edit.
fn happens(replicas: &mut Replicas, event: &Event) {
    match *event {
        Event::OpenPage(hub) => replicas.open_page(hub),
        Event::Sync { from, into, most } => replicas.sync(from, into, most),
        Event::Save(hub) => replicas.save(hub),
        Event::Restore(hub) => replicas.restore(hub),
        Event::Say { .. } | Event::Move { .. } => {}
    }
}

/// How many members stand so that they need a place, by the latest that is said of each.
fn placed(replica: &Replica) -> i64 {
    let record = replica.read();
    let mut latest = BTreeMap::<String, (String, String)>::new();
    for said in record["statuses"].as_array().into_iter().flatten() {
        let word = |part: &str| said[part].as_str().unwrap_or_default().to_owned();
        let known = latest.entry(word("member")).or_default();
        if word("as_at") >= known.0 {
            *known = (word("as_at"), word("status"));
        }
    }
    let taking = latest
        .values()
        .filter(|said| TAKING.contains(&said.1.as_str()));
    taking.count().try_into().expect("few")
}

#[track_caller]
fn check_places(replica: &Replica, field: &str, placed: i64) {
    let places = &replica.read()[field];
    let number = |json: &Json| json.as_i64().expect("a number");
    let held = places["held"].as_object().expect("holders");
    assert!(held.values().all(|count| number(count) >= 0), "{places}");
    let all = held.values().map(number).sum::<i64>() + number(&places["taken"]);
    assert_eq!(all, number(&places["issued"]), "{places}");
    assert!(placed <= number(&places["taken"]), "{placed} of {places}");
}

fn say(what: &[(usize, usize, u8)]) -> Json {
    let said = what.iter().map(|(member, status, day)| {
        let values = json!({
            "member": MEMBERS[*member], "status": STATUSES[*status],
            "as_at": format!("2026-09-{day:02}"),
        });
        json!({"do": "add", "field": "statuses", "values": values})
    });
    said.collect()
}

fn move_places(replicas: &Replicas, hub: usize, how: usize, count: i64, field: &str) -> Json {
    let other = |step: usize| replicas.all[(hub + step) % 3].hub.to_string();
    json!([match how {
        0 => json!({"do": "issue", "field": field, "count": 1}),
        1 => json!({"do": "take", "field": field, "count": count}),
        2 | 3 => json!({"do": "give_back", "field": field, "count": count}),
        _ => json!({"do": "pass", "field": field, "to": other(how % 2 + 1), "count": 1}),
    }])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn x5_never_more_members_than_places(events in events()) {
        let members = MEMBERS.map(|id| json!({"id": id, "organisation": id}));
        let mut replicas = Replicas::new(
            &WORK_GROUP,
            json!({"title": "Year 7", "places": ISSUED, "members": members}),
        );
        for (hub, step) in [(0, 1), (0, 2)] {
            let other = replicas.all[step].hub.to_string();
            let pass = json!([{"do": "pass", "field": "places", "to": other, "count": 1}]);
            replicas.edit(hub, false, pass);
        }
        for event in &events {
            match event {
                Event::Say { hub, old_page, what } => {
                    replicas.edit(*hub, *old_page, say(what));
                }
                Event::Move { hub, old_page, how, count } => {
                    let changes = move_places(&replicas, *hub, *how, *count, "places");
                    replicas.edit(*hub, *old_page, changes);
                }
                Event::OpenPage(_) | Event::Sync { .. } | Event::Save(_) | Event::Restore(_) => {
                    happens(&mut replicas, event);
                }
            }
            for replica in &replicas.all {
                check_places(replica, "places", placed(replica));
            }
        }
        replicas.settle_down();
        check_places(&replicas.all[0], "places", placed(&replicas.all[0]));
    }

    #[test]
    fn x5_a_leaders_days_are_never_confirmed_beyond_what_is_offered(events in events()) {
        let requests = MEMBERS.map(|id| json!({"id": id, "days": 1, "need": id}));
        let mut replicas = Replicas::new(
            &LEADER_DAYS,
            json!({"title": "Days", "leader": "abcd", "term": "autumn", "days": ISSUED,
                "requests": requests}),
        );
        for event in &events {
            match event {
                Event::Say { hub, old_page, what } => {
                    let answers = what.iter().map(|(request, answer, days)| {
                        let answer = ["confirmed", "confirmed", "cancelled"][answer % 3];
                        let values = json!({
                            "request": MEMBERS[*request], "answer": answer, "days": days,
                        });
                        json!({"do": "add", "field": "answers", "values": values})
                    });
                    replicas.edit(*hub, *old_page, answers.collect());
                }
                Event::Move { hub, old_page, how, count } => {
                    let changes = move_places(&replicas, *hub, *how, *count, "days");
                    replicas.edit(*hub, *old_page, changes);
                }
                Event::OpenPage(_) | Event::Sync { .. } | Event::Save(_) | Event::Restore(_) => {
                    happens(&mut replicas, event);
                }
            }
            for replica in &replicas.all {
                let record = replica.read();
                let mut latest = BTreeMap::new();
                for said in record["answers"].as_array().into_iter().flatten() {
                    let days = if said["answer"] == "confirmed" { said["days"].as_i64() } else { None };
                    latest.insert(said["request"].to_string(), days.unwrap_or(0));
                }
                check_places(replica, "days", latest.values().sum());
            }
        }
    }

    #[test]
    fn x5_a_ledger_and_a_count_are_what_everyone_wrote(events in events()) {
        let mut ledger = Replicas::new(&COMMISSION, json!({"title": "Early years"}));
        let mut counts = Replicas::new(&WORK_GROUP, json!({"title": "Year 7"}));
        let mut lines = Vec::<(EntryName, usize, i64)>::new();
        let mut counted = Vec::<(EntryName, i64)>::new();
        let kinds = ["commitment", "invoice", "payment", "grant", "correction"];
        for event in &events {
            match event {
                Event::Say { hub, old_page, what } => {
                    let all = what.iter().map(|(kind, pounds, day)| {
                        (kind % 5, (i64::try_from(*pounds).expect("few") - 2) * i64::from(*day) * 100)
                    });
                    let all = all.collect::<Vec<_>>();
                    let add = all.iter().map(|(kind, pence)| {
                        let values = json!({
                            "kind": kinds[*kind], "from": "hub", "to": "partner", "pence": pence,
                        });
                        json!({"do": "add", "field": "money", "values": values})
                    });
                    let name = ledger.edit(*hub, *old_page, add.collect()).expect("allowed");
                    lines.extend(all.into_iter().map(|(kind, pence)| (name, kind, pence)));
                }
                Event::Move { hub, old_page, how, count } => {
                    let by = if *how == 0 { -count } else { *count };
                    let add = json!([{"do": "count", "field": "enquiries", "by": by}]);
                    let name = counts.edit(*hub, *old_page, add).expect("allowed");
                    counted.push((name, by));
                }
                Event::OpenPage(_) | Event::Sync { .. } | Event::Save(_) | Event::Restore(_) => {
                    happens(&mut ledger, event);
                    happens(&mut counts, event);
                }
            }
        }
        ledger.settle_down();
        counts.settle_down();
        for replica in &ledger.all {
            let record = replica.read();
            for (kind, name) in kinds.iter().enumerate() {
                let written = lines.iter().filter(|line| line.1 == kind && ledger.survives(line.0));
                let stand = record["money"].as_array().into_iter().flatten();
                let stand = stand.filter(|line| line["kind"] == **name);
                let sum = stand.filter_map(|line| line["pence"].as_i64()).sum::<i64>();
                prop_assert_eq!(sum, written.map(|line| line.2).sum::<i64>());
            }
        }
        let written = counted.iter().filter(|(name, _)| counts.survives(*name));
        let sum = written.map(|(_, by)| by).sum::<i64>();
        prop_assert_eq!(counts.all[1].read()["enquiries"].as_i64(), Some(sum));
    }
}
