//! N: the programme's analyst.

use node::records::ReturnWanted;
use node_domain::sample::{Nation, Scale};
use serde_json::{Value, json};
use tests::world::{World, until};

use crate::acting::{
    HUBS, SOUTH, WEST, add, agree_on, all, arrives, edit, fields, make, ncetm, network, publish,
    report, wanted,
};

const PERIOD: &str = "2026-27 spring";
const DAY: &str = "2027-03-31";

/// A work group that has held so many sessions.
fn group_with_sessions(count: usize) -> Value {
    let sessions = (0..count).map(|at| json!({ "date": format!("2027-01-{:02}", at + 4) }));
    let sessions = sessions.map(|mut session| {
        session["state"] = json!("held");
        session
    });
    json!({
        "title": "Ratio and proportion", "year": "2026-27", "phase": "secondary",
        "sessions": sessions.collect::<Vec<_>>(),
    })
}

/// A work group of schools, all of which stand at `status`.
fn group_of_schools(schools: usize, status: &str) -> Value {
    let members = (0..schools).map(|at| {
        json!({ "id": format!("m{at}"), "organisation": format!("School {at}"),
            "urn": format!("{}", 900_101 + at) })
    });
    let statuses = (0..schools)
        .map(|at| json!({ "member": format!("m{at}"), "status": status, "as_at": "2027-02-01" }));
    json!({
        "title": "Ratio and proportion", "year": "2026-27", "phase": "secondary",
        "members": members.collect::<Vec<_>>(), "statuses": statuses.collect::<Vec<_>>(),
    })
}

fn list_nationally(world: &World, code: &str, fields: &Value) -> String {
    let mut hub = json!({
        "code": code, "title": format!("{code} Maths Hub"), "region": "Somewhere",
        "status": "active",
    });
    for (name, value) in fields.as_object().expect("an object") {
        hub[name] = value.clone();
    }
    make(ncetm(world), "hub", "", &hub)
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_missing_returns_are_named() {
    const SILENT: [usize; 3] = [4, 17, 39];
    let nation = Nation::generate(1, Scale::Small);
    let codes = nation.hubs.iter().filter(|hub| !hub.vacant);
    let codes = codes.map(|hub| hub.code.clone());
    // Of two of the forty the pages do not tell.
    let codes = codes
        .chain(["made-up-one", "made-up-two"].map(str::to_owned))
        .take(40);
    let codes = codes.map(|code| &*code.leak()).collect::<Vec<_>>();
    assert_eq!(codes.len(), 40);
    let mut world = World::new().await;
    let mut told = 0;
    for (at, code) in codes.iter().enumerate() {
        list_nationally(&world, code, &json!({}));
        world.add_hub(code).await;
        let node = world.hub(code);
        crate::acting::settled(node).await;
        if !SILENT.contains(&at) {
            // One hub reports that nothing was held: that is a number.
            let held = if at == 0 { 0 } else { 5 + at % 3 };
            make(node, "work-group", "", &group_with_sessions(held));
            let (_, copy) = report(node, &wanted("sessions-held", 1, DAY));
            told += held;
            arrives(ncetm(&world), &copy).await;
        }
        world.stop_hub(code).await;
    }

    let picture = ncetm(&world).picture(PERIOD, "sessions-held", None, &[]);
    let picture = picture.expect("a picture");
    let mut silent = SILENT.map(|at| codes[at]);
    silent.sort_unstable();
    assert_eq!(picture["missing"], json!(silent));
    let sums = &picture["by_version"]["1"];
    assert_eq!(sums["total"], told);
    let counted = sums["hubs"].as_array().expect("hubs");
    assert_eq!(
        counted.len(),
        37,
        "no missing hub is counted, not even as zero"
    );
    assert!(
        counted.contains(&json!(codes[0])),
        "a zero that was reported is no gap"
    );
    assert!(silent.iter().all(|hub| !counted.contains(&json!(hub))));
    assert_eq!(picture["unexpected"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_versions_of_a_measure_stay_apart() {
    let world = network(&[SOUTH, WEST]).await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    make(south, "work-group", "", &group_of_schools(8, "applied"));
    make(west, "work-group", "", &group_of_schools(7, "completed"));
    for (node, version) in [(south, 1), (west, 2)] {
        let (_, copy) = report(node, &wanted("schools-engaged", version, DAY));
        arrives(ncetm(&world), &copy).await;
    }
    let draw = |mapping: &str| {
        let options = json!({ "period": PERIOD, "measure": "schools-engaged", "mapping": mapping });
        let drawn = ncetm(&world).report("picture", "", &options.to_string());
        drawn.expect("a picture")
    };
    let picture = draw("");
    assert_eq!(picture["by_version"]["1"]["total"], 8);
    assert_eq!(picture["by_version"]["2"]["total"], 7);
    assert_eq!(picture["mapped"], Value::Null);
    let versions = picture["by_version"].as_object().expect("versions");
    assert!(
        versions.values().all(|sums| sums["total"] != 15),
        "{picture}"
    );

    // Of the schools that signed up, the analyst says, 75 in a hundred complete.
    let mapped = &draw("1:2:75")["mapped"];
    assert_eq!(mapped["sums"]["total"], 6 + 7);
    assert_eq!(mapped["sums"]["hubs"], json!([SOUTH, WEST]));
    let note = mapped["note"].as_str().expect("a note");
    assert!(
        note.contains("75 per cent") && note.contains("version 2"),
        "{note}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_a_project_compared_across_hubs() {
    const PERSON: &str = "Quillon Ashgrove";
    let outcomes = [
        "professional learning",
        "practice",
        "pupils",
        "school policy",
    ];
    let world = network(&HUBS).await;
    let (space, project) = world.project("NCP24-11", &HUBS).await;
    edit(ncetm(&world), &project, &json!({ "state": "running" }));
    let parts = HUBS.map(|hub| {
        add(
            "participation",
            &json!({ "hub": hub, "status": "active", "quota": 2 }),
        )
    });
    edit(ncetm(&world), &project, &json!(parts));
    let listed = [
        "title",
        "project",
        "phase",
        "state",
        "sessions_held",
        "schools",
        "outcomes",
        "adaptations",
        "completed",
    ];
    agree_on(&world, (space, &project), &listed, &HUBS).await;
    let mut people = Vec::new();
    for (at, hub) in HUBS.into_iter().enumerate() {
        let node = world.hub(hub);
        let person = make(node, "person", "", &json!({ "name": PERSON }));
        let mut group = group_with_sessions(3 + at % 4);
        group["project"] = json!("NCP24-11");
        group["leaders"] = json!([{ "person": person }]);
        group["ratings"] = outcomes
            .iter()
            .map(|outcome| json!({ "leader": person, "outcome": outcome, "rating": 1 + at % 4 }))
            .collect();
        group["members"] = json!([{
            "id": "hill", "organisation": "Hill School", "urn": "900101",
        }]);
        group["statuses"] = json!([{
            "member": "hill", "status": "accepted", "as_at": "2026-10-01",
        }]);
        if at == 2 {
            group["adaptations"] = json!("Half the length.");
        }
        let group = make(node, "work-group", "", &group);
        publish(node, &group, space);
        people.push(person);
    }
    world.agree(space).await;
    let finding = json!([add(
        "findings",
        &json!({ "claim": "It lasts", "evidence": "Books" })
    )]);
    edit(world.hub(HUBS[5]), &project, &finding);
    world.agree(space).await;
    let id = fields(world.hub(WEST), &project)["findings"][0]["id"].clone();
    let against = json!({
        "finding": id, "stance": "against", "reason": "Not here", "evidence": "Visits",
    });
    edit(
        world.hub(WEST),
        &project,
        &json!([add("positions", &against)]),
    );
    world.agree(space).await;

    let compared = ncetm(&world)
        .report("comparison", &project, "")
        .expect("a comparison");
    assert_eq!(compared["state"], "running");
    let lines = compared["hubs"].as_array().expect("hubs");
    assert_eq!(lines.len(), 12);
    for line in lines {
        let hub = line["hub"].as_str().expect("a code");
        let at = HUBS
            .iter()
            .position(|code| *code == hub)
            .expect("of the project");
        assert_eq!(
            (&line["status"], &line["groups"]),
            (&json!("active"), &json!(1)),
            "{line}"
        );
        assert_eq!(line["sessions_held"], 3 + at % 4, "{line}");
        assert_eq!(line["schools"], 1);
        let told = line["outcomes"].as_array().expect("outcomes");
        let names = told
            .iter()
            .map(|told| told["outcome"].as_str().expect("a name"));
        assert_eq!(names.collect::<Vec<_>>(), outcomes);
        assert!(
            told.iter().all(|told| told["mean"] == 100 * (1 + at % 4)),
            "{line}"
        );
        let adapted = if at == 2 {
            json!(["Half the length."])
        } else {
            json!([])
        };
        assert_eq!(line["adaptations"], adapted);
        let against = if hub == WEST {
            json!(["It lasts"])
        } else {
            json!([])
        };
        assert_eq!(line["against"], against);
    }
    let disputed = &compared["disputed"][0];
    assert_eq!(disputed["claim"], "It lasts");
    assert_eq!(disputed["against"][0]["hub"], WEST);
    assert_eq!(disputed["against"][0]["reason"], "Not here");
    assert_eq!(
        compared["schools"], 1,
        "a school that came in twelve hubs is one school"
    );
    let text = compared.to_string();
    assert!(!text.contains(PERSON) && people.iter().all(|person| !text.contains(person)));
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_how_a_figure_came_about() {
    let world = network(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let group = make(south, "work-group", "", &group_with_sessions(6));
    let (returned, copy) = report(south, &wanted("sessions-held", 1, DAY));
    arrives(ncetm(&world), &copy).await;
    let first = ncetm(&world)
        .picture(PERIOD, "sessions-held", None, &[])
        .expect("a picture");
    let basis = first["based_on"].clone();
    assert_eq!(first["by_version"]["1"]["total"], 6);

    // A year later the group says otherwise, and another return counts it.
    let more = json!({ "date": "2027-02-10", "state": "held" });
    edit(south, &group, &json!([add("sessions", &more)]));
    let (_, later) = report(south, &wanted("sessions-held", 1, "2027-07-31"));
    arrives(ncetm(&world), &later).await;

    let behind = basis.as_array().expect("returns");
    assert_eq!(behind.len(), 1);
    let behind = &behind[0];
    assert_eq!(
        (&behind["id"], &behind["hub"]),
        (&json!(copy), &json!(SOUTH))
    );
    assert_eq!(
        (&behind["version"], &behind["as_at"]),
        (&json!(1), &json!(DAY))
    );
    let copied = fields(ncetm(&world), &copy);
    assert_eq!(behind["source_hash"], copied["source_hash"]);
    assert_eq!(
        copied["sources"],
        json!([]),
        "what was counted stays in the hub"
    );
    let again = ncetm(&world).picture(PERIOD, "sessions-held", None, std::slice::from_ref(&copy));
    let again = again.expect("the same picture");
    assert_eq!(again["by_version"], first["by_version"]);
    assert_eq!(again["based_on"], basis);
    let now = ncetm(&world)
        .picture(PERIOD, "sessions-held", None, &[])
        .expect("a picture");
    assert_eq!(now["by_version"]["1"]["total"], 7);

    let shown = south.reproduce_return(&returned).expect("counted again");
    assert_eq!(
        (&shown["same"], &shown["as_at"]),
        (&json!(true), &json!(DAY))
    );
    assert_eq!(
        (&shown["measure_version"], &shown["records"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(shown["cells"][0]["value"], 6);
    assert!(
        shown["question"]
            .as_str()
            .is_some_and(|asks| asks.contains("Sessions held"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n6_a_corrected_return() {
    let world = network(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let group = make(south, "work-group", "", &group_with_sessions(6));
    let (old, old_copy) = report(south, &wanted("sessions-held", 1, DAY));
    arrives(ncetm(&world), &old_copy).await;

    let forgotten = json!({ "date": "2027-01-28", "state": "held" });
    edit(south, &group, &json!([add("sessions", &forgotten)]));
    let correction = ReturnWanted {
        replaces: old.clone(),
        ..wanted("sessions-held", 1, DAY)
    };
    let refused = south
        .compute_return(&correction, true)
        .expect_err("no reason");
    assert!(refused.to_string().contains("reason"), "{refused}");
    let correction = ReturnWanted {
        reason: "One session was not entered".to_owned(),
        ..correction
    };
    let (new, new_copy) = report(south, &correction);
    assert_ne!(new, old);
    arrives(ncetm(&world), &new_copy).await;

    let total = |id: &str| fields(ncetm(&world), id)["cells"][0]["value"].clone();
    assert_eq!(
        (total(&old_copy), total(&new_copy)),
        (json!(6), json!(7)),
        "both are there"
    );
    assert_eq!(
        fields(ncetm(&world), &new_copy)["reason"],
        "One session was not entered"
    );
    assert_eq!(fields(south, &new)["replaces"], json!(old));
    let now = ncetm(&world)
        .picture(PERIOD, "sessions-held", None, &[])
        .expect("a picture");
    assert_eq!(now["by_version"]["1"]["total"], 7);
    assert_eq!(now["outdated"], false);
    let published = [old_copy.clone()];
    let old = ncetm(&world)
        .picture(PERIOD, "sessions-held", None, &published)
        .expect("a picture");
    assert_eq!(
        old["by_version"]["1"]["total"], 6,
        "what was published can be shown"
    );
    assert_eq!(
        old["outdated"], true,
        "and is marked as based on the old return"
    );
    let mark = &old["corrected"][0];
    assert_eq!(
        (&mark["old"], &mark["new"]),
        (&json!(old_copy), &json!(new_copy))
    );
    assert_eq!(
        (&mark["old_total"], &mark["new_total"]),
        (&json!(6), &json!(7))
    );
    assert_eq!(
        (&mark["reason"], &mark["used"]),
        (&json!("One session was not entered"), &json!(true))
    );
    // The very order in which the two were computed is not what tells them apart.
    assert_eq!(all(ncetm(&world), "return").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_both_views_stay_in_the_synthesis() {
    let hubs = &HUBS[..11];
    let world = network(hubs).await;
    let (space, project) = world.project("NCP24-11", hubs).await;
    let finding = json!({ "claim": "Short tasks are done", "evidence": "Four schools' books" });
    edit(
        world.hub(SOUTH),
        &project,
        &json!([add("findings", &finding)]),
    );
    world.agree(space).await;
    let finding = fields(world.hub(WEST), &project)["findings"][0]["id"].clone();
    for (at, hub) in hubs.iter().enumerate() {
        let stance = if at < 9 { "for" } else { "against" };
        let position = json!({
            "finding": finding, "stance": stance, "reason": format!("Reason {at}"),
            "evidence": format!("Evidence {at}"),
        });
        // Each speaks from a page that shows nobody else's word.
        edit(
            world.hub(hub),
            &project,
            &json!([add("positions", &position)]),
        );
    }
    world.agree(space).await;
    until("the coordinator has them all", || {
        fields(ncetm(&world), &project)["positions"]
            .as_array()
            .map(Vec::len)
            == Some(11)
    })
    .await;
    for node in [ncetm(&world), world.hub(SOUTH)] {
        let drafted = node.report("synthesis", &project, "").expect("a synthesis");
        let drafted = &drafted[0];
        assert_eq!(drafted["claim"], "Short tasks are done");
        assert_eq!(drafted["evidence"], "Four schools' books");
        assert_eq!(drafted["found_by"], SOUTH);
        let views = [("supporting", 0..9), ("against", 9..11)];
        for (view, places) in views {
            let mut told = drafted[view].as_array().expect("positions").clone();
            told.sort_by_key(|told| told["reason"].to_string());
            let expected = places.map(|at| {
                let stance = if at < 9 { "for" } else { "against" };
                json!({
                    "hub": hubs[at], "stance": stance, "reason": format!("Reason {at}"),
                    "evidence": format!("Evidence {at}"),
                })
            });
            let mut expected = expected.collect::<Vec<_>>();
            expected.sort_by_key(|told| told["reason"].to_string());
            assert_eq!(told, expected);
        }
    }
    // One of the two is won over: its first word stays.
    let position = json!({ "finding": finding, "stance": "for", "reason": "Tried again" });
    edit(
        world.hub(hubs[10]),
        &project,
        &json!([add("positions", &position)]),
    );
    world.agree(space).await;
    let drafted = ncetm(&world).synthesis(&project).expect("a synthesis");
    let count = |view: &str| drafted[0][view].as_array().map(Vec::len);
    assert_eq!((count("supporting"), count("against")), (Some(10), Some(1)));
    assert_eq!(drafted[0]["earlier"][0]["evidence"], "Evidence 10");
}
