//! What a partner or strategic leader does.

use node::records::{Concerning, Desk, Find, RecordsError};
use node::{Node, WriteError};
use node_feed::{Access, SpaceKind};
use serde_json::{Value, json};
use tests::world::{World, until};

use crate::writing::{add, fields, has_its_spaces, item, make, page, person, save, set, titles};

const MEMBER: &str = "Dorothea Wintergreen";
const PARTICIPANT: &str = "Everard Plumtree";

fn list(desk: &Desk, kind: &str, words: &str) -> Vec<(String, String)> {
    let find = Find {
        kind: kind.to_owned(),
        words: words.to_owned(),
        ..Find::default()
    };
    let listing = desk.find(&find).expect("a list");
    let lines = listing.records.into_iter();
    lines.map(|line| (line.title, line.json)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_board_papers_offline() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let south = world.hub("south-yorkshire");
    has_its_spaces(south).await;
    let (member, participant) = (person(south, MEMBER), person(south, PARTICIPANT));
    let board = json!({
        "title": "Strategic leadership group", "year": "2026-27",
        "members": [{ "person": member, "role": "member" }],
        "meetings": [
            { "title": "Autumn", "date": "2026-11-20", "state": "held" },
            { "title": "Spring", "date": "2027-02-10" },
        ],
    });
    let board = make(south, "strategic-group", "", &board);
    let meeting = |title: &str| item(south, &board, "meetings", "title", title);
    let (autumn, spring) = (meeting("Autumn"), meeting("Spring"));
    let paper = |meeting: &str, title: &str, text: &str| {
        add(
            "papers",
            json!({ "meeting": meeting, "title": title, "text": text }),
        )
    };
    let papers = json!([
        paper(&autumn, "Needs", "Fourteen needs."),
        paper(&spring, "Draft plan", "Six groups in two priorities."),
        paper(&spring, "Budget", "4,000 pounds for early years."),
        paper(&spring, "Risks", "Two venues are not booked."),
        set(&format!("meetings/{spring}/agenda"), "1. Plan 2. Budget"),
    ]);
    save(south, &board, "", &papers).expect("papers");
    let group = json!({
        "title": "Counting in Reception", "notes": format!("{PARTICIPANT} is often late"),
        "leaders": [{ "person": member }],
        "members": [{ "organisation": "Hill School", "person": participant }],
        "reflections": [{ "person": participant, "text": "A private thought" }],
    });
    let group = make(south, "work-group", "", &group);
    let other = json!({ "title": "Another board", "members": [{ "person": participant }] });
    let other = make(south, "strategic-group", "", &other);

    // On the way to the meeting there is no network.
    south.pause(true);
    world.stop_coordinator().await;
    let south = world.hub("south-yorkshire");
    let desk = south
        .desk("strategic group member", &member)
        .expect("the member's desk");
    let shown = desk.show(&board, "").expect("the board").fields;
    let of_spring = shown["papers"].as_array().expect("papers").iter();
    let of_spring = of_spring.filter(|paper| paper["meeting"] == spring);
    let of_spring = of_spring.map(|paper| {
        let word = |name: &str| paper[name].as_str().expect("a text").to_owned();
        (word("title"), word("text"))
    });
    let expected = [
        ("Draft plan", "Six groups in two priorities."),
        ("Budget", "4,000 pounds for early years."),
        ("Risks", "Two venues are not booked."),
    ];
    let expected = expected.map(|(title, text)| (title.to_owned(), text.to_owned()));
    assert_eq!(of_spring.collect::<Vec<_>>(), expected);
    assert_eq!(shown["meetings"][1]["agenda"], "1. Plan 2. Budget");

    // Nothing of participants: not by card, not in a group, not by searching; no other board.
    let refused = |id: &str| matches!(desk.show(id, ""), Err(RecordsError::Role(_)));
    assert!(refused(&participant) && refused(&member) && refused(&other));
    let seen = desk.show(&group, "").expect("the group").fields;
    assert_eq!(seen["title"], "Counting in Reception");
    let everything = list(&desk, "", "");
    assert_eq!(everything.len(), 2, "{everything:?}");
    for private in [
        PARTICIPANT,
        &participant,
        "Hill School",
        "A private thought",
        "late",
    ] {
        assert!(!seen.to_string().contains(private), "{private}");
        assert_eq!(list(&desk, "", private), [], "{private}");
        assert!(!format!("{everything:?}").contains(private), "{private}");
    }
    assert_eq!(list(&desk, "work-group", "counting").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn p2_deliverable_done() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let south = world.hub("south-yorkshire");
    has_its_spaces(south).await;
    let partner = json!({ "title": "Dales Teaching Alliance", "kind": "alliance" });
    let partner = make(south, "partner", "", &partner);
    let rival = make(south, "partner", "", &json!({ "title": "Moors Trust" }));
    let commission = json!({
        "title": "Early years number", "partner": partner, "model": "franchise",
        "budget": 400_000, "notes": "We would have paid more",
        "deliverables": [
            { "title": "Recruit six schools", "due": "2026-12-18" },
            { "title": "Hold four sessions", "due": "2027-04-30" },
        ],
        "money": [{
            "kind": "commitment", "from": "Hub", "to": "Alliance", "pence": 400_000,
            "period": "2026-27", "reference": "C-1",
        }],
    });
    let commission = make(south, "commission", "", &commission);
    for state in ["offered", "accepted", "active"] {
        save(south, &commission, "", &json!({ "state": state })).expect(state);
    }
    let second = item(
        south,
        &commission,
        "deliverables",
        "title",
        "Hold four sessions",
    );
    let line = item(south, &commission, "money", "reference", "C-1");
    let staff = south.desk("partner's staff", &partner).expect("a desk");
    let of_second = |name: &str| format!("deliverables/{second}/{name}");
    let done = json!([
        set(&of_second("state"), "done"),
        set(
            &of_second("evidence"),
            "Registers of four sessions, 12 January to 4 March."
        ),
    ]);
    let heads = staff.show(&commission, "").expect("the commission").heads;
    staff
        .edit(&commission, &heads, &done.to_string())
        .expect("done");

    // The hub sees it.
    let shown = fields(south, &commission);
    let deliverable = &shown["deliverables"][1];
    assert_eq!(deliverable["state"], "done");
    assert!(
        deliverable["evidence"]
            .as_str()
            .is_some_and(|text| text.contains("Registers"))
    );
    assert_eq!(shown["deliverables"][0]["state"], "planned");
    let history = south.record_history(&commission, &of_second("state"));
    assert!(history.expect("history").to_string().contains("done"));

    // The amount is not theirs to change, in any way.
    let line_of = |pence: i64| json!({ "kind": "correction", "from": "Hub", "to": "Alliance", "pence": pence });
    let tries = [
        set("budget", 500_000),
        set(&format!("money/{line}/pence"), 500_000),
        add("money", line_of(100_000)),
        json!({ "do": "remove", "field": "money", "item": line }),
        add("deliverables", json!({ "title": "More" })),
        set(&of_second("title"), "Hold one session"),
        set("state", "closed"),
    ];
    for change in tries {
        let both = json!([set(&of_second("evidence"), "Nothing"), change]);
        let refused = staff.edit(&commission, "", &both.to_string());
        let refused = refused.expect_err("refused").to_string();
        assert!(
            refused.contains("this role does not change"),
            "{change}: {refused}"
        );
    }
    assert_eq!(
        fields(south, &commission),
        shown,
        "nothing was changed with what was refused"
    );
    let seen = staff.show(&commission, "").expect("the commission").fields;
    assert_eq!(seen["budget"], 400_000);
    assert!(
        seen.get("notes").is_none(),
        "the hub's own notes are the hub's"
    );
    let rival = south.desk("partner's staff", &rival).expect("a desk");
    let refused = rival.show(&commission, "");
    assert!(matches!(refused, Err(RecordsError::Role(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_replicate_a_practice() {
    let mut world = World::new().await;
    let hubs = ["south-yorkshire", "west-yorkshire"];
    for hub in hubs {
        world.add_hub(hub).await;
    }
    let (space, _) = world.project("NCP24-11", &hubs).await;
    let text = space.to_string();
    let (south, west) = (world.hub(hubs[0]), world.hub(hubs[1]));
    let practice = json!({
        "title": "Ratio with bars", "phase": "primary", "tags": ["ratio"],
        "body": "Draw the bar first.\n\nLet pupils talk in pairs.\n\nEnd with a quiz.",
    });
    let original = make(south, "practice", &text, &practice);
    world.agree(space).await;
    let fork = west.fork_record(&original).expect("a fork").id.to_string();
    let adapted = "Draw the bar first.\n\nLet pupils talk in threes.\n\nEnd with a quiz.";
    save(west, &fork, "", &json!({ "body": adapted })).expect("adapted");
    assert_eq!(west.list_offers(&fork).expect("offers"), []);

    // The original goes on: four changes, one of them where the fork was adapted.
    let newer = json!([
        set(
            "body",
            "Draw the bar on squared paper first.\n\nLet pupils talk in pairs for five \
                     minutes.\n\nEnd with a quiz and an exit card."
        ),
        set("phase", "secondary"),
        json!({ "do": "include", "field": "tags", "element": "bar models" }),
    ]);
    save(south, &original, "", &newer).expect("the original goes on");
    world.agree(space).await;
    assert_eq!(
        fields(west, &fork)["body"],
        adapted,
        "nothing is taken by itself"
    );
    let offers = || west.list_offers(&fork).expect("offers");
    let offered = |field: &str| offers().iter().filter(|it| it.field == field).count();
    assert_eq!(offers().len(), 5, "{:#?}", offers());
    assert_eq!(
        (offered("body"), offered("phase"), offered("tags")),
        (3, 1, 1)
    );

    // Taken one by one: a tag and the last paragraph, and neither the phase nor the others.
    west.take_offer(&fork, "tags", 1).expect("taken");
    assert_eq!((offers().len(), offered("tags")), (4, 0));
    let last = offers()
        .iter()
        .filter(|it| it.field == "body")
        .position(|offer| {
            offer
                .now
                .as_str()
                .is_some_and(|now| now.contains("exit card"))
        });
    let last = u32::try_from(last.expect("offered") + 1).expect("a number");
    west.take_offer(&fork, "body", last).expect("taken");
    assert_eq!((offered("body"), offered("phase")), (2, 1));
    let none = west
        .take_offer(&fork, "body", 3)
        .expect_err("there are two");
    assert!(none.to_string().contains("offers nothing new"), "{none}");
    let mine = fields(west, &fork);
    let body = "Draw the bar first.\n\nLet pupils talk in threes.\n\nEnd with a quiz and an exit \
                card.";
    assert_eq!(
        (&mine["body"], &mine["phase"]),
        (&json!(body), &json!("primary"))
    );
    assert_eq!(mine["tags"], json!(["bar models", "ratio"]));
    assert_eq!(mine["fork_of"], original);

    // The result stands on the original's list of adoptions, under the hub that wrote it.
    let adoption = json!({
        "context": "Four schools of our alliance", "result": "Talk doubled in three of them",
    });
    save(west, &original, "", &json!([add("adoptions", adoption)])).expect("adopted");
    world.agree(space).await;
    let adoptions = fields(south, &original)["adoptions"].clone();
    assert_eq!(adoptions.as_array().map(Vec::len), Some(1));
    assert_eq!(adoptions[0]["hub"], hubs[1]);
    assert_eq!(adoptions[0]["result"], "Talk doubled in three of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_trust_in_two_areas() {
    let mut world = World::new().await;
    let hubs = ["south-yorkshire", "west-yorkshire", "east-midlands-west"];
    for hub in hubs {
        world.add_hub(hub).await;
    }
    let operations = world.coordinator().operations();
    let [south, west, east] = hubs.map(|hub| world.hub(hub));
    for node in [south, west, east] {
        has_its_spaces(node).await;
    }
    let pair = operations
        .create_space(SpaceKind::Pair, "A trust's group until 31 August")
        .expect("a pair");
    for hub in &hubs[..2] {
        operations.grant(pair, hub, Access::Write).expect("access");
    }
    let text = pair.to_string();
    let [south_group, west_group] = [south, west].map(|node| {
        make(
            node,
            "work-group",
            "",
            &json!({ "title": "The hub's own group" }),
        )
    });
    let card = person(south, PARTICIPANT);
    until("the hubs have heard of the pair", || {
        let knows = |node: &&Node| node.spaces().is_ok_and(|spaces| spaces.len() == 4);
        [south, west].iter().all(knows)
    })
    .await;
    let shared =
        json!({ "title": "Both halves of the trust", "sessions": [{ "date": "2027-01-12" }] });
    let shared = make(south, "work-group", &text, &shared);
    world.agree(pair).await;

    // Both see and write that group, and nothing else of each other.
    save(
        west,
        &shared,
        "",
        &json!({ "narrative": "Our half began in March." }),
    )
    .expect("written");
    world.agree(pair).await;
    assert_eq!(
        fields(south, &shared)["narrative"],
        "Our half began in March."
    );
    let own = "The hub's own group";
    for (node, other) in [(south, &west_group), (west, &south_group)] {
        assert_eq!(
            titles(node, "work-group", ""),
            ["Both halves of the trust", own]
        );
        assert!(node.show_record(other).is_err());
        assert!(!node.spaces().expect("spaces").iter().any(|space| {
            space.kind != SpaceKind::Network && space.id != pair && space.members.len() > 2
        }));
    }
    assert!(west.show_record(&card).is_err());
    assert_eq!(titles(west, "person", ""), [""; 0]);
    assert_eq!(titles(east, "work-group", ""), [""; 0]);
    assert!(east.show_record(&shared).is_err());
    assert!(
        east.create_record("work-group", &text, r#"{"title": "Let me in"}"#)
            .is_err()
    );

    // On its date the coordinator ends it: the other hub sees and writes it no more.
    operations
        .withdraw(pair, hubs[1], "the share ended on 31 August")
        .expect("ended");
    until("the hub has heard that it ended", || {
        west.spaces().is_ok_and(|spaces| spaces.len() == 3)
    })
    .await;
    let late = west.create_record("work-group", &text, r#"{"title": "Too late"}"#);
    let refused = matches!(late, Err(RecordsError::Write(WriteError::NoAccess)));
    assert!(refused, "{late:?}");
    assert!(save(west, &shared, "", &json!({ "narrative": "Too late" })).is_err());
    assert_eq!(titles(west, "work-group", ""), [own]);
    assert!(west.show_record(&shared).is_err());
    save(south, &shared, "", &json!({ "title": "One half goes on" })).expect("its owner goes on");
    let coordinator = operations.node();
    until("the coordinator has what the owner wrote since", || {
        let shown = coordinator.show_record(&shared);
        shown.is_ok_and(|shown| shown.fields["title"] == "One half goes on")
    })
    .await;
    let shown = fields(coordinator, &shared);
    assert_eq!(
        shown["narrative"], "Our half began in March.",
        "what was written stays"
    );
    assert!(west.show_record(&shared).is_err());
}

fn open_for(node: &Node, role: &str) -> Vec<Value> {
    let concerning = Concerning {
        role: role.to_owned(),
        ..Concerning::default()
    };
    let listed = node.versions_concerning("", &concerning);
    listed.expect("versions").versions
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_minutes_and_decisions() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let south = world.hub("south-yorkshire");
    has_its_spaces(south).await;
    let [chair, clerk] = ["Frideswide Hartley", "Gideon Marchbanks"].map(|it| person(south, it));
    let board = json!({
        "title": "Strategic leadership group",
        "members": [{ "person": chair, "role": "chair" }, { "person": clerk, "role": "clerk" }],
        "meetings": [{
            "title": "Spring", "date": "2027-02-10",
            "minutes": "Present were nine members. The plan was discussed. The meeting closed at five.",
        }],
    });
    let board = make(south, "strategic-group", "", &board);
    let meeting = item(south, &board, "meetings", "title", "Spring");
    let minutes = format!("meetings/{meeting}/minutes");
    let decision = |about: &str, outcome: &str| {
        let on = "2027-02-10";
        add(
            "decisions",
            json!({ "about": about, "outcome": outcome, "on": on, "meeting": meeting }),
        )
    };

    // Two pages, rendered before either was saved.
    let seen = page(south, &board);
    let one = json!([
        set(
            &minutes,
            "Present were eleven members. The plan was discussed. The meeting closed at \
                       five."
        ),
        decision("Second early years group", "agreed"),
        decision("Date of the next meeting", "2027-05-12"),
    ]);
    let two = json!([
        set(
            &minutes,
            "Present were nine members. The plan was discussed. The meeting closed at \
                       six."
        ),
        decision("Second early years group", "put off until summer"),
        decision("Date of the next meeting", "2027-05-12"),
    ]);
    save(south, &board, &seen, &one).expect("the first saves");
    save(south, &board, &seen, &two).expect("the second saves");

    // The text merges, and nobody is asked about it.
    let merged = "Present were eleven members. The plan was discussed. The meeting closed at six.";
    assert_eq!(fields(south, &board)["meetings"][0]["minutes"], merged);

    // The decision with two outcomes is raised to the chair; the one entered twice alike is not.
    let open = open_for(south, "chair");
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!(
        (&open[0]["record"], &open[0]["decide"]),
        (&json!(board), &json!(true))
    );
    assert_eq!(
        open[0]["sentence"],
        "one decision was entered with different outcomes"
    );
    let versions = open[0]["versions"].as_array().expect("versions");
    let mut outcomes = versions
        .iter()
        .map(|version| {
            assert_eq!(version["value"]["about"], "Second early years group");
            assert!(version["hub"] == "south-yorkshire" && version["time_ms"].is_u64());
            version["value"]["outcome"].as_str().expect("an outcome")
        })
        .collect::<Vec<_>>();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["agreed", "put off until summer"]);
    assert_eq!(open_for(south, "administrator"), Vec::<Value>::new());
    let decisions = || fields(south, &board)["decisions"].as_array().map(Vec::len);
    assert_eq!(decisions(), Some(4), "all entries stay");

    // The chair adds what was decided, and closes it.
    let desk = south.desk("chair", &chair).expect("the chair's desk");
    let noted = json!([decision(
        "Second early years group, as the chair read it",
        "agreed"
    )]);
    desk.edit(&board, "", &noted.to_string()).expect("noted");
    let field = open[0]["field"].as_str().expect("a field");
    south
        .settle_with(&board, field, "null", "")
        .expect("settled");
    assert_eq!(open_for(south, "chair"), Vec::<Value>::new());
    assert_eq!(decisions(), Some(5));

    // Where both change one sentence, both are told.
    let seen = page(south, &board);
    let write = |ending: &str| {
        let text = format!(
            "Present were eleven members. The plan was {ending}. The meeting closed at six."
        );
        save(south, &board, &seen, &json!([set(&minutes, text)])).expect("saved");
    };
    write("agreed");
    write("postponed");
    let open = open_for(south, "chair");
    assert_eq!(
        (&open[0]["field"], &open[0]["cause"]),
        (&json!(minutes), &json!("Sentence"))
    );
}
