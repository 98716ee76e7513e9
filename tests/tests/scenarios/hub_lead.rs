//! A hub lead's scenarios.

use std::collections::BTreeSet;

use node::records::Find;
use node_feed::SpaceKind;
use serde_json::{Value, json};
use tests::world::until;

use crate::log::Log;
use crate::records::{
    LONDON, SOUTH, WEST, add, add_as, each, edit, edit_at, field, heads, holds, include, items,
    make, make_in, open, person, refused, set, space_of, titles, world_of,
};

#[tokio::test(flavor = "multi_thread")]
async fn h1_needs_to_priorities() {
    let world = world_of(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let members = [
        person(south, "Ada Testbury"),
        person(south, "Ben Sampleton"),
    ];
    let chair = person(south, "Cho Exampleby");
    let board = [&members[0], &members[1], &chair].map(|it| {
        let role = if *it == chair { "chair" } else { "member" };
        json!({ "person": it, "role": role })
    });
    make(
        south,
        "strategic-group",
        &json!({ "title": "The hub's board", "members": board }),
    );
    // Ten needs are known; four were written on paper at a meeting with no network.
    let need = |number: usize| json!({ "statement": format!("Need {number}"), "phase": "primary" });
    let known = (1..=10).map(need).collect::<Value>();
    let plan = make(
        south,
        "plan",
        &json!({ "title": "Plan", "year": "2026-27", "needs": known }),
    );
    south.pause(true);
    let paper = (11..=14).map(|number| {
        let mut need = need(number);
        need["raised_at"] = json!("Board meeting in a village hall");
        add("needs", &need)
    });
    edit(south, &plan, &paper.collect());
    let needs = items(south, &plan, "needs");
    assert_eq!(needs.len(), 14);

    // Two laptops: both pages were made before either was saved.
    let page = heads(south, &plan);
    let score = |member: usize, number: usize| match member {
        0 => 1 + (number * 7) % 5,
        _ => 1 + (number * 3) % 5,
    };
    for (member, person) in members.iter().enumerate() {
        let scores = needs.iter().enumerate().map(|(number, need)| {
            let severity = score(member, number);
            add(
                "severities",
                &json!({ "need": need["id"], "member": person, "severity": severity }),
            )
        });
        edit_at(south, &plan, &page, &scores.collect());
    }
    south.pause(false);

    // Each member's score is kept.
    let severities = items(south, &plan, "severities");
    assert_eq!(severities.len(), 28);
    for (member, person) in members.iter().enumerate() {
        for (number, need) in needs.iter().enumerate() {
            let kept = severities
                .iter()
                .filter(|it| it["need"] == need["id"] && it["member"] == json!(person));
            let kept = kept.map(|it| it["severity"].as_u64()).collect::<Vec<_>>();
            assert_eq!(kept, [Some(score(member, number) as u64)]);
        }
    }

    // The merged order is shown with the differences marked, and nothing is fixed by it.
    let mut expected = (0..14).collect::<Vec<_>>();
    let sum = |number: usize| score(0, number) + score(1, number);
    expected.sort_by_key(|number| std::cmp::Reverse(sum(*number)));
    let name = |number: &usize| format!("Need {}", number + 1);
    let expected_names = expected.iter().map(name).collect::<Vec<_>>();
    let shown = south.show_record(&plan).expect("the plan").more;
    let ranking = shown["ranking"].as_array().expect("a ranking");
    assert_eq!(each(ranking, "title"), expected_names);
    for (number, ranked) in expected.iter().zip(ranking) {
        let apart = score(0, *number).abs_diff(score(1, *number)) >= 2;
        assert_eq!(ranked["differs"], apart, "{ranked}");
        assert_eq!(ranked["mean_hundredths"], json!(sum(*number) * 50));
    }
    assert!(ranking.iter().any(|it| it["differs"] == true));
    assert!(ranking.iter().any(|it| it["differs"] == false));
    let written = (0..14).map(|number| name(&number)).collect::<Vec<_>>();
    assert_eq!(each(&items(south, &plan, "needs"), "statement"), written);

    // A member cannot fix it; the chair's confirmation does, with a decision entry.
    let confirm = json!([{ "do": "confirm", "field": "needs", "about": "Needs of 2026-27" }]);
    let member = south
        .desk("strategic group member", &members[0])
        .expect("a desk");
    let why = refused(member.edit(&plan, "", &confirm.to_string()));
    assert!(why.contains("does not change"), "{why}");
    assert_eq!(items(south, &plan, "decisions"), [Value::Null; 0]);
    let chair = south.desk("chair", &chair).expect("a desk");
    chair
        .edit(&plan, "", &confirm.to_string())
        .expect("confirmed");
    assert_eq!(
        each(&items(south, &plan, "needs"), "statement"),
        expected_names
    );
    let decisions = items(south, &plan, "decisions");
    assert_eq!(each(&decisions, "about"), ["Needs of 2026-27"]);
    let outcome = decisions[0]["outcome"].as_str().expect("words");
    assert!(
        outcome.starts_with(&format!("1. {}", expected_names[0])),
        "{outcome}"
    );
    assert!(
        outcome.contains(&format!("14. {}", expected_names[13])),
        "{outcome}"
    );

    // It is fixed: a score that comes later shows in the ranking and moves nothing.
    let last = &needs[expected[13]]["id"];
    let late = [
        "Dov Late", "Eve Late", "Flo Late", "Gus Late", "Hal Late", "Ivy Late",
    ]
    .map(|name| {
        add(
            "severities",
            &json!({ "need": last, "member": person(south, name), "severity": 5 }),
        )
    });
    edit(south, &plan, &json!(late));
    assert_eq!(
        each(&items(south, &plan, "needs"), "statement"),
        expected_names
    );
    let shown = south.show_record(&plan).expect("the plan").more;
    assert_ne!(
        each(shown["ranking"].as_array().expect("a ranking"), "title"),
        expected_names
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn h2_plan_to_board_to_coordinator() {
    let world = world_of(&[SOUTH, WEST]).await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let coordinator = world.coordinator().operations().node();
    let pair = space_of(south, SpaceKind::Pair);
    let plan = make(
        south,
        "plan",
        &json!({
            "title": "South Yorkshire 2026-27", "year": "2026-27",
            "priorities": [{ "title": "Planted-priority-5561", "rank": 1 }],
        }),
    );
    edit(
        south,
        &plan,
        &json!([
            add_as(
                "items",
                "ratio",
                &json!({ "title": "Ratio groups", "groups": 4, "money": "£4,000.00" })
            ),
            set("state", &json!("board")),
        ]),
    );
    let copies = |count: usize| {
        let more = south.show_record(&plan).expect("the plan").more;
        let copies = more["copies"].as_array().cloned().unwrap_or_default();
        assert_eq!(copies.len(), count);
        for copy in &copies {
            assert_eq!(copy["genuine"], true);
            assert_eq!(copy["hash"].as_str().map(str::len), Some(64));
        }
        copies
    };
    assert_eq!(each(&copies(1), "state"), ["board"]);
    let why = refused(south.publish_record(&plan, &pair, true, ""));
    assert!(!why.is_empty(), "a plan at the board is not sent");
    assert_eq!(titles(coordinator, "plan", ""), [""; 0]);

    edit(
        south,
        &plan,
        &json!([
            set("items/ratio/groups", &json!(5)),
            set("state", &json!("submitted")),
        ]),
    );
    let frozen = copies(2);
    assert_eq!(each(&frozen, "state"), ["board", "submitted"]);
    assert_ne!(frozen[0]["hash"], frozen[1]["hash"]);
    assert_eq!(frozen[0]["content"]["items"][0]["groups"], 4);
    assert_eq!(frozen[1]["content"]["items"][0]["groups"], 5);

    // The coordinator sees it, and no other hub does.
    let published = south
        .publish_record(&plan, &pair, true, "")
        .expect("submitted");
    assert_eq!(
        published
            .readers
            .iter()
            .map(String::as_str)
            .collect::<BTreeSet<_>>(),
        BTreeSet::from(["coordinator", SOUTH])
    );
    let copy = published.id.expect("a copy").to_string();
    until("the coordinator has the plan", || {
        coordinator.show_record(&copy).is_ok()
    })
    .await;
    assert_eq!(field(coordinator, &copy, "copy_hash"), frozen[1]["hash"]);
    assert_eq!(field(coordinator, &copy, "state"), "submitted");
    assert_eq!(items(coordinator, &copy, "items")[0]["groups"], 5);
    // What is made later for everybody has arrived in the west: the plan has not.
    let network = space_of(south, SpaceKind::Network);
    let profile = json!({ "code": SOUTH, "title": "South Yorkshire Maths Hub" });
    make_in(south, "hub-profile", &network, &profile);
    until("the west hears from the south", || {
        titles(west, "hub-profile", "").len() == 1
    })
    .await;
    assert_eq!(titles(west, "plan", ""), [""; 0]);
    assert!(west.show_record(&copy).is_err() && west.show_record(&plan).is_err());
    assert!(
        west.heights(pair.parse().expect("an id"))
            .expect("heights")
            .is_empty()
    );
    assert!(holds(&world, "coordinator", "Planted-priority-5561"));
    assert!(!holds(&world, WEST, "Planted-priority-5561"));

    // A later edit is a difference to the frozen copy, and does not change what was submitted.
    edit(
        south,
        &plan,
        &json!([set("items/ratio/money", &json!("£5,000.00"))]),
    );
    let more = south.show_record(&plan).expect("the plan").more;
    let differences = more["differences"].as_array().expect("differences");
    assert_eq!(each(differences, "path"), ["items/ratio/money"]);
    assert_eq!(differences[0]["before"], 400_000);
    assert_eq!(differences[0]["after"], 500_000);
    assert_eq!(copies(2), frozen);
    assert_eq!(open(south, &plan, "!edited-after").len(), 1);
    let again = south
        .publish_record(&plan, &pair, true, "")
        .expect("submitted again");
    assert_eq!(again.leaves["items"], published.leaves["items"]);
    world.agree(pair.parse().expect("an id")).await;
    assert_eq!(items(coordinator, &copy, "items")[0]["money"], 400_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn h3_commission_as_franchise() {
    let world = world_of(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    make(
        south,
        "partner",
        &json!({ "title": "Another alliance", "strengths": ["post-16"] }),
    );
    let partner = make(
        south,
        "partner",
        &json!({
            "title": "Harbour Teaching Alliance", "roles": ["strategic"],
            "strengths": ["early years number"],
        }),
    );
    let strong = south.find_records(&Find {
        kind: "partner".to_owned(),
        filters: vec!["strengths is early years number".to_owned()],
        ..Find::default()
    });
    let strong = strong.expect("partners").records;
    assert_eq!(
        strong
            .iter()
            .map(|it| it.id.to_string())
            .collect::<Vec<_>>(),
        [partner.as_str()]
    );

    let group = |title: &str| make(south, "work-group", &json!({ "title": title }));
    let groups = [group("Counting on"), group("Number sense")];
    let other = group("A group of the hub's own");
    let named = person(south, "Ada Testbury");
    let delegation =
        |group: &String| json!({ "group": group, "role": "administrator", "until": "2027-08-31" });
    let delegations = groups.iter().map(delegation).collect::<Value>();
    let commission = make(
        south,
        "commission",
        &json!({
            "title": "Early years", "partner": partner, "model": "franchise", "budget": "£4,000.00",
            "delegations": delegations, "notes": "For the hub's eyes.",
        }),
    );
    let staff = |day: &str| {
        south
            .desk_on("partner's staff", &partner, day)
            .expect("a desk")
    };
    let all = Find::default();
    let sees = |day: &str| {
        let listed = staff(day).find(&all).expect("a list").records;
        let mut titles = listed.into_iter().map(|it| it.title).collect::<Vec<_>>();
        titles.sort();
        titles
    };
    assert_eq!(
        sees("2027-06-01"),
        ["Early years"],
        "a draft delegates nothing"
    );
    edit(
        south,
        &commission,
        &json!([
            add(
                "money",
                &json!({
                    "kind": "commitment", "from": "hub", "to": "Harbour Teaching Alliance",
                    "pence": "£4,000.00", "period": "2026-27",
                })
            ),
            set("state", &json!("offered")),
        ]),
    );

    // The ledger shows the commitment.
    let more = south.show_record(&commission).expect("the commission").more;
    let sums = more["sums"].as_array().expect("sums");
    assert_eq!(
        (each(sums, "value"), &sums[0]["sum"]),
        (vec!["commitment"], &json!(400_000))
    );
    assert_eq!(open(south, &commission, "!over-budget"), [Value::Null; 0]);

    // The device is offline from here on: nobody could tell it that the day has come.
    south.pause(true);
    assert_eq!(
        sees("2027-08-31"),
        ["Counting on", "Early years", "Number sense"]
    );
    for group in &groups {
        staff("2027-08-31").show(group, "").expect("opened");
        let venue = json!([add("sessions", &json!({ "date": "2027-06-01" }))]).to_string();
        staff("2027-08-31").edit(group, "", &venue).expect("edited");
    }
    for hidden in [&other, &partner, &named] {
        let why = refused(staff("2027-08-31").show(hidden, ""));
        assert!(why.contains("does not reach"), "{why}");
    }
    let seen = staff("2027-08-31")
        .show(&commission, "")
        .expect("its own commission");
    assert!(seen.fields.get("notes").is_none(), "{}", seen.fields);

    assert_eq!(sees("2027-09-01"), ["Early years"]);
    for group in &groups {
        let desk = staff("2027-09-01");
        assert!(refused(desk.show(group, "")).contains("2027-09-01"));
        let title = json!({ "title": "Ours for ever" }).to_string();
        assert!(refused(desk.edit(group, "", &title)).contains("2027-09-01"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h5_join_a_national_project() {
    let world = world_of(&[SOUTH]).await;
    let (space, project) = world.project("NCP24-11", &[SOUTH]).await;
    let south = world.hub(SOUTH);
    let coordinator = world.coordinator().operations().node();
    let text = space.to_string();
    // Version 1 of the agreement, and version 2.
    edit(
        coordinator,
        &project,
        &include("agreed_fields", &["title", "project"]),
    );
    edit(
        coordinator,
        &project,
        &include("agreed_fields", &["phase", "sessions_held", "schools"]),
    );
    world.agree(space).await;
    let group = make(
        south,
        "work-group",
        &json!({
            "title": "Planted-group-7719", "project": "NCP24-11", "phase": "primary", "year": "2026-27",
            "sessions": [{ "date": "2027-01-12", "state": "held" }],
            "members": [{ "organisation": "Hill School", "urn": "100001" }], "notes": "Ours.",
        }),
    );

    // Before signing nothing leaves.
    for confirm in [false, true] {
        let why = refused(south.publish_record(&group, &text, confirm, ""));
        assert!(why.contains("has not signed"), "{why}");
    }
    let question = json!({ "question": "Does it last?" });
    edit(south, &project, &question);
    world.agree(space).await;
    assert_eq!(titles(coordinator, "group-summary", ""), [""; 0]);
    assert!(!holds(&world, "coordinator", "Planted-group-7719"));
    assert_eq!(south.disclosures("").expect("disclosures"), json!([]));

    // Signed, the preview shows one message: the fields of version 2, and no other.
    edit(south, &project, &include("signatures", &[SOUTH]));
    let preview = south
        .publish_record(&group, &text, false, "")
        .expect("a preview");
    let mut shown = preview.leaves.clone();
    let fields = shown.as_object_mut().expect("fields");
    // What the program adds says whose the copy is, and not which record it is made from.
    assert_eq!(fields.shift_remove("hub"), Some(json!(SOUTH)));
    let origin = fields
        .shift_remove("origin")
        .expect("an origin")
        .to_string();
    assert!(!origin.contains(&group));
    let names = fields.keys().map(String::as_str).collect::<BTreeSet<_>>();
    let agreed = ["title", "project", "phase", "sessions_held", "schools"];
    assert_eq!(names, BTreeSet::from(agreed));
    world.agree(space).await;
    assert_eq!(
        titles(coordinator, "group-summary", ""),
        [""; 0],
        "a preview sends nothing"
    );

    // What is listed later was not signed.
    edit(coordinator, &project, &include("agreed_fields", &["year"]));
    world.agree(space).await;
    let digest = preview.digest.to_string();
    let sent = south
        .publish_record(&group, &text, true, &digest)
        .expect("sent");
    let copy = sent.id.expect("a copy").to_string();
    world.agree(space).await;
    let arrived = coordinator.show_record(&copy).expect("it arrived").fields;
    let mut arrived = arrived.as_object().cloned().expect("fields");
    arrived.shift_remove("kind_of_record");
    let empty = |value: &Value| value.is_null() || *value == json!([]);
    arrived.retain(|_, value| !empty(value));
    let mut expected = preview.leaves.as_object().cloned().expect("fields");
    expected.sort_keys();
    arrived.sort_keys();
    assert_eq!(Value::Object(arrived), Value::Object(expected));
    assert!(holds(&world, "coordinator", "Planted-group-7719"));
    let disclosures = south.disclosures("").expect("disclosures");
    assert_eq!(disclosures.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn h6_leave_a_project() {
    let world = world_of(&[SOUTH, WEST]).await;
    let (space, project) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let operations = world.coordinator().operations();
    let coordinator = operations.node();
    let text = space.to_string();
    let ours = make_in(
        south,
        "practice",
        &text,
        &json!({ "title": "Ours: bar models" }),
    );
    let drafts = [1, 2, 3].map(|number| {
        let title = format!("West's planted draft {number}-4471");
        make_in(
            west,
            "practice",
            &text,
            &json!({ "title": title, "body": "Half a thought." }),
        )
    });
    let claim = json!({ "claim": "It lasts", "evidence": "Two terms" });
    edit(
        south,
        &project,
        &json!([
            add("findings", &claim),
            add_as(
                "participation",
                "south",
                &json!({ "hub": SOUTH, "status": "active" })
            ),
        ]),
    );
    world.agree(space).await;
    assert_eq!(south.retain().expect("nothing to remove"), [Value::Null; 0]);
    assert!(drafts.iter().all(|draft| south.show_record(draft).is_ok()));
    assert!(holds(&world, SOUTH, "planted draft 1-4471"));

    edit(
        south,
        &project,
        &json!([set("participation/south/status", &json!("left"))]),
    );
    world.agree(space).await;
    operations
        .withdraw(space, SOUTH, "the hub leaves the project")
        .expect("left");
    until("the hub has heard of it", || {
        let hub = south.hub().expect("connected");
        south.authority().access(hub, space).is_none()
    })
    .await;

    // Nothing newer reaches us, though what is for everybody does.
    let before = south.heights(space).expect("heights");
    let newer = make_in(
        west,
        "practice",
        &text,
        &json!({ "title": "After they left" }),
    );
    edit(west, &ours, &json!({ "body": "We use it too." }));
    let network = space_of(west, SpaceKind::Network);
    let profile = json!({ "code": WEST, "title": "West Yorkshire Maths Hub" });
    make_in(west, "hub-profile", &network, &profile);
    until("the coordinator has what is newer", || {
        coordinator.show_record(&newer).is_ok()
    })
    .await;
    until("the south hears from the west", || {
        titles(south, "hub-profile", "").len() == 1
    })
    .await;
    assert_eq!(south.heights(space).expect("heights"), before);
    assert!(south.show_record(&newer).is_err());

    // Others' drafts are removed here, with a line for each.
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let removed = tracing::subscriber::with_default(subscriber, || south.retain());
    let removed = removed.expect("removed");
    let lines = removed
        .iter()
        .map(|line| line["record"].as_str().unwrap_or_default());
    let expected = drafts.iter().chain([&project]).map(String::as_str);
    assert_eq!(
        lines.collect::<BTreeSet<_>>(),
        expected.collect::<BTreeSet<_>>()
    );
    assert_eq!(removed.len(), 4);
    for line in &removed {
        let west_wrote = line["title"]
            .as_str()
            .is_some_and(|title| title.contains("planted draft"));
        assert_eq!(
            line["hub"],
            if west_wrote { WEST } else { "coordinator" },
            "{line}"
        );
        let record = line["record"].as_str().expect("an id");
        let logged = log.text().matches(record).count();
        assert_eq!(logged, 1, "one line of the log names {record}");
    }
    assert!(drafts.iter().all(|draft| south.show_record(draft).is_err()));
    assert!(south.show_record(&project).is_err());
    assert_eq!(south.retain().expect("nothing is left"), [Value::Null; 0]);
    until("nothing of the drafts is left in the files", || {
        !holds(&world, SOUTH, "planted draft 1-4471")
    })
    .await;

    // Our contributions stay, here and there, and say whose they are.
    assert_eq!(field(south, &ours, "title"), "Ours: bar models");
    for node in [west, coordinator] {
        assert_eq!(field(node, &ours, "title"), "Ours: bar models");
        let history = node.record_history(&ours, "title").expect("a history");
        assert_eq!(history[0]["hub"], SOUTH);
        let findings = items(node, &project, "findings");
        assert_eq!(
            (each(&findings, "hub"), each(&findings, "claim")),
            (vec![SOUTH], vec!["It lasts"])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h7_borrow_a_leader() {
    let world = world_of(&[SOUTH, WEST, LONDON]).await;
    let (south, west, london) = (world.hub(SOUTH), world.hub(WEST), world.hub(LONDON));
    let coordinator = world.coordinator().operations().node();
    let network = space_of(west, SpaceKind::Network);
    let space = network.parse().expect("an id");
    let card = |name: &str, phases: &str, opted_in: bool| {
        let fields =
            json!({ "name": name, "base": "Moor School", "phases": phases, "opted_in": opted_in });
        make(west, "leader", &fields)
    };
    let publish = |card: &str| {
        let published = west.publish_record(card, &network, true, "");
        published
            .expect("published")
            .id
            .expect("a copy")
            .to_string()
    };
    let offer = |leader: &str, days: u32| {
        let fields =
            json!({ "title": "Days", "leader": leader, "term": "spring 2027", "days": days });
        make_in(west, "leader-days", &network, &fields)
    };
    let specialist = card("Sal Secondary-Sampleton", "secondary", true);
    let published = publish(&specialist);
    let days = offer(&published, 5);
    let spent = publish(&card("Tom Twodays", "secondary", true));
    offer(&spent, 2);
    publish(&card("Nia Nodays", "secondary", true));
    let primary = publish(&card("Pat Primary", "primary", true));
    offer(&primary, 9);
    let private = card("Una Unpublished", "secondary", false);
    let why = refused(west.publish_record(&private, &network, true, ""));
    assert!(!why.is_empty());
    world.agree(space).await;

    // Only published cards with enough free days are found.
    let found = |days: u64| {
        let found = south.directory("secondary", days).expect("a directory");
        let names = found
            .iter()
            .map(|it| it["name"].as_str().unwrap_or_default().to_owned());
        let names = names.collect::<Vec<_>>();
        (names, found)
    };
    let (names, first) = found(3);
    assert_eq!(names, ["Sal Secondary-Sampleton"]);
    assert_eq!(
        (&first[0]["hub"], &first[0]["offers"][0]["record"]),
        (&json!(WEST), &json!(days))
    );
    assert_eq!(found(1).0, ["Sal Secondary-Sampleton", "Tom Twodays"]);
    assert!(!holds(&world, SOUTH, "Una Unpublished"));
    for node in [SOUTH, LONDON, "coordinator"] {
        assert!(
            holds(&world, node, "Secondary-Sampleton"),
            "{node} has what was published"
        );
    }

    // A request waits for their hub, and for nobody else.
    let ask = |node: &node::Node, id: &str, count: u32| {
        let need = json!({ "days": count, "need": "A secondary specialist" });
        edit(node, &days, &json!([add_as("requests", id, &need)]));
    };
    let answer = |request: &str, count: u32| {
        let answer = json!({ "request": request, "answer": "confirmed", "days": count });
        json!([add("answers", &answer)])
    };
    ask(south, "south-3", 3);
    world.agree(space).await;
    let requests = items(west, &days, "requests");
    assert_eq!(each(&requests, "hub"), [SOUTH]);
    assert_eq!(items(south, &days, "answers"), [Value::Null; 0]);
    let own_answer = answer("south-3", 3).to_string();
    let why = refused(south.edit_record(&days, "", &own_answer));
    assert!(why.contains("only the owner"), "{why}");
    assert_eq!(edit(west, &days, &answer("south-3", 3)), [""; 0]);
    world.agree(space).await;
    assert_eq!(
        each(&items(south, &days, "answers"), "answer"),
        ["confirmed"]
    );
    assert_eq!(field(south, &days, "days")["taken"], 3);

    // Two hubs ask for the last two days at once; theirs sees both and confirms one.
    for node in [south, london] {
        node.pause(true);
    }
    ask(south, "south-2", 2);
    ask(london, "london-2", 2);
    for node in [south, london] {
        node.pause(false);
    }
    world.agree(space).await;
    let requests = items(west, &days, "requests");
    let hubs = each(&requests, "hub").into_iter().collect::<BTreeSet<_>>();
    assert_eq!((requests.len(), hubs), (3, BTreeSet::from([SOUTH, LONDON])));
    assert_eq!(edit(west, &days, &answer("london-2", 2)), [""; 0]);
    let notes = edit(west, &days, &answer("south-2", 2));
    assert!(
        notes.iter().any(|note| note.contains("no place left")),
        "{notes:?}"
    );
    world.agree(space).await;
    assert_eq!(field(west, &days, "days")["taken"], 5);

    // The other is told who has them.
    let answers = items(south, &days, "answers");
    let told = answers
        .iter()
        .map(|it| (it["request"].as_str(), it["answer"].as_str()));
    let told = told.collect::<Vec<_>>();
    assert!(
        told.contains(&(Some("south-2"), Some("declined"))),
        "{told:?}"
    );
    assert!(
        told.contains(&(Some("london-2"), Some("confirmed"))),
        "{told:?}"
    );
    let requests = items(south, &days, "requests");
    let taken = requests
        .iter()
        .find(|it| it["id"] == "london-2")
        .expect("the request");
    assert_eq!(taken["hub"], LONDON);
    assert_eq!(found(1).0, ["Tom Twodays"], "nothing is free any more");

    // Withdrawing beats publishing: from an older page too, and everywhere.
    let page = heads(west, &specialist);
    edit(west, &specialist, &json!({ "opted_in": false }));
    let copies = [south, west, london, coordinator];
    until("the card is gone everywhere", || {
        copies
            .iter()
            .all(|node| node.show_record(&published).is_err())
    })
    .await;
    edit_at(
        west,
        &specialist,
        &page,
        &json!({ "opted_in": true, "base": "Fen School" }),
    );
    assert_eq!(field(west, &specialist, "opted_in"), false);
    let why = refused(west.publish_record(&specialist, &network, true, ""));
    assert!(!why.is_empty());
    let names = titles(south, "leader", "");
    assert_eq!(names, ["Nia Nodays", "Pat Primary", "Tom Twodays"]);
    until("nothing of the card is left in the files", || {
        let nodes = [SOUTH, LONDON, "coordinator"];
        !nodes
            .iter()
            .any(|node| holds(&world, node, "Secondary-Sampleton"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h9_evaluate() {
    let world = world_of(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let coordinator = world.coordinator().operations().node();
    let leaders = [
        person(south, "Ada Testbury"),
        person(south, "Ben Sampleton"),
    ];
    // For each finished group, what its two leaders say of practice and of pupils.
    let practice = [
        (4, 4),
        (3, 3),
        (2, 2),
        (4, 2),
        (3, 3),
        (4, 4),
        (1, 3),
        (2, 2),
        (3, 3),
    ];
    let make_group = |number: usize, said: (u32, u32), states: &[&str]| {
        let rating = |leader: usize, outcome: &str, rating: u32| json!({ "leader": leaders[leader], "outcome": outcome, "rating": rating });
        let group = make(
            south,
            "work-group",
            &json!({
                "title": format!("Group {number}"), "year": "2026-27",
                "narrative": format!("What changed in group {number}."),
                "ratings": [
                    rating(0, "practice", said.0), rating(1, "practice", said.1), rating(0, "pupils", 3),
                ],
            }),
        );
        for state in states {
            edit(south, &group, &json!({ "state": state }));
        }
        group
    };
    let groups = practice.iter().enumerate().map(|(number, said)| {
        make_group(number + 1, *said, &["recruiting", "running", "completed"])
    });
    let groups = groups.collect::<Vec<_>>();
    make_group(10, (1, 1), &["recruiting", "running"]);
    let plan = make(
        south,
        "plan",
        &json!({
            "title": "Plan", "year": "2026-27", "priorities": [{ "title": "Ratio" }],
            "items": [{ "title": "Ratio groups" }],
        }),
    );

    let evaluation = south.evaluation("2026-27", &plan).expect("an evaluation");
    assert_eq!(evaluation["groups"], 9);
    // Each group counts once: the sum of (a + b) / 2 over nine groups, in hundredths, rounded.
    let sum = practice.iter().map(|(a, b)| (a + b) * 50).sum::<u32>();
    let mean = (2 * sum + 9) / 18;
    let outcomes = evaluation["outcomes"].as_array().expect("outcomes");
    let told = outcomes.iter().map(|it| {
        (
            it["outcome"].as_str(),
            it["mean"].as_u64(),
            it["groups"].as_u64(),
        )
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (Some("practice"), Some(u64::from(mean)), Some(9)),
            (Some("pupils"), Some(300), Some(9))
        ]
    );
    let disagreeing = evaluation["disagreeing"].as_array().expect("a list");
    let named = each(disagreeing, "group")
        .into_iter()
        .collect::<BTreeSet<_>>();
    assert_eq!(
        named,
        BTreeSet::from([groups[3].as_str(), groups[6].as_str()])
    );
    assert_eq!(disagreeing.len(), 2);
    assert_eq!(evaluation["narratives"].as_array().map(Vec::len), Some(9));
    let ratings = items(south, &plan, "outcomes");
    assert_eq!(
        (&ratings[0]["outcome"], &ratings[0]["rating"]),
        (&json!("practice"), &json!(mean))
    );

    // The evaluation goes to the coordinator; the board's comments stay in the hub.
    let planted = "Planted-comment-9923";
    edit(
        south,
        &plan,
        &json!([
            add(
                "board_comments",
                &json!({ "member": leaders[0], "text": planted })
            ),
            set("state", &json!("board")),
        ]),
    );
    edit(south, &plan, &json!({ "state": "submitted" }));
    let pair = space_of(south, SpaceKind::Pair);
    let sent = south
        .publish_record(&plan, &pair, true, "")
        .expect("submitted");
    assert!(!sent.leaves.to_string().contains(planted));
    let copy = sent.id.expect("a copy").to_string();
    until("the coordinator has the evaluation", || {
        coordinator.show_record(&copy).is_ok()
    })
    .await;
    world.agree(pair.parse().expect("an id")).await;
    assert_eq!(
        items(coordinator, &copy, "outcomes")[0]["rating"],
        json!(mean)
    );
    assert_eq!(
        items(coordinator, &copy, "board_comments"),
        [Value::Null; 0]
    );
    assert!(holds(&world, SOUTH, planted));
    assert!(holds(&world, "coordinator", "Ratio groups"));
    assert!(!holds(&world, "coordinator", planted));
}
