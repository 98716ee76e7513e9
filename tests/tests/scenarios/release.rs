//! C6 and C7: a vacant area, and the release of a protocol.

use node::records::Find;
use node_feed::SpaceKind;
use serde_json::{Value, json};
use tests::world::until;

use crate::acting::{
    HUBS, SOUTH, WEST, add, agree_on, arrives, edit, edit_at, fields, include, make, ncetm,
    network, publish, refused, space,
};

fn names(schools: &Value) -> Vec<String> {
    let schools = schools.as_array().into_iter().flatten();
    let names = schools.map(|it| {
        it["school"]["name"]
            .as_str()
            .or_else(|| it["name"].as_str())
    });
    let mut names = names.flatten().map(str::to_owned).collect::<Vec<_>>();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_a_vacant_area_is_covered_by_neighbours() {
    const VALE: &str = "Placeholder Vale";
    let world = network(&[SOUTH, WEST]).await;
    let coordinator = ncetm(&world);
    let everyone = space(coordinator, SpaceKind::Network).to_string();
    for (code, area) in [(SOUTH, "Sheffield"), (WEST, "Leeds")] {
        let hub = json!({
            "code": code, "title": code, "region": "Yorkshire", "status": "active", "area": [area],
        });
        make(coordinator, "hub", "", &hub);
    }
    let vacant = json!({
        "code": "vale", "title": "Vale", "region": "Yorkshire", "area": [VALE], "vacant": "yes",
    });
    let vacant = make(coordinator, "hub", "", &vacant);
    let schools = [
        ("Sheffield School", "900001", "Sheffield"),
        ("Leeds School", "900002", "Leeds"),
        ("Vale School", "900003", VALE),
        ("Far Vale School", "900004", VALE),
    ];
    let mut last = String::new();
    for (name, urn, area) in schools {
        let school = json!({
            "name": name, "urn": urn, "kind": "school", "status": "open", "local_authority": area,
        });
        last = make(coordinator, "organisation", &everyone, &school);
    }
    for hub in [SOUTH, WEST] {
        arrives(world.hub(hub), &last).await;
        let reach = world.hub(hub).reach().expect("reach");
        assert_eq!(reach["area"], 1, "nobody covers the vale yet");
    }

    // Neighbours are set as interim, and a school of the vale joins a group of each.
    include(coordinator, &vacant, "covered_by", &[SOUTH, WEST]);
    let (project, record) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let listed = ["title", "project", "state", "sessions_held", "schools"];
    agree_on(&world, (project, &record), &listed, &[SOUTH, WEST]).await;
    for (hub, own) in [(SOUTH, "900001"), (WEST, "900002")] {
        let node = world.hub(hub);
        until("the hub knows that it covers the vale", || {
            fields(node, &vacant)["covered_by"] == json!([SOUTH, WEST])
        })
        .await;
        let group = json!({
            "title": format!("Ratio of {hub}"), "project": "NCP24-11", "state": "recruiting",
            "sessions": [{ "date": "2027-01-12", "state": "held" }],
            "members": [
                { "id": "m1", "organisation": "Vale School", "urn": "900003" },
                { "id": "m2", "organisation": "Its own school", "urn": own },
            ],
            "statuses": [
                { "member": "m1", "status": "accepted", "as_at": "2026-12-01" },
                { "member": "m2", "status": "accepted", "as_at": "2026-12-01" },
            ],
        });
        let group = make(node, "work-group", "", &group);
        let reach = node.reach().expect("reach");
        assert_eq!(reach["area"], 3, "its own school and the vale's");
        assert!(names(&reach["reached"]).contains(&"Vale School".to_owned()));
        assert_eq!(names(&reach["not_reached"]), ["Far Vale School"]);
        publish(node, &group, project);
    }
    world.agree(project).await;

    // What a map is drawn from.
    let find = Find {
        kind: "hub".to_owned(),
        filters: vec!["vacant is yes".to_owned()],
        ..Find::default()
    };
    let found = world.hub(WEST).find_records(&find).expect("a list").records;
    assert_eq!(found.len(), 1);
    let listed = serde_json::from_str::<Value>(&found[0].json).expect("columns");
    assert_eq!(
        (&listed["code"], &listed["vacant"]),
        (&json!("vale"), &json!("yes")),
        "{listed}"
    );
    assert_eq!(listed["covered_by"], format!("{SOUTH}, {WEST}"), "{listed}");

    // The nation's reports count the school once, though it came to two hubs.
    let compared = coordinator.comparison(&record).expect("a comparison");
    assert_eq!(compared["schools"], 3);
    let lines = compared["hubs"].as_array().expect("hubs");
    assert!(
        lines.len() == 2 && lines.iter().all(|line| line["schools"] == 2),
        "{compared}"
    );
    let reach = coordinator.reach().expect("reach");
    assert_eq!(reach["area"], 4);
    let expected = ["Leeds School", "Sheffield School", "Vale School"];
    assert_eq!(names(&reach["reached"]), expected);
    assert_eq!(names(&reach["not_reached"]), ["Far Vale School"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn c7_a_protocol_is_released() {
    let hubs = &HUBS[..5];
    let world = network(hubs).await;
    let (space, project) = world.project("NCP24-11", hubs).await;
    let draft = "We meet weekly. Each school writes a plan. We end in June.";
    edit(ncetm(&world), &project, &json!({ "protocol": draft }));
    world.agree(space).await;
    let page = ncetm(&world).show_record(&project).expect("shown").heads;
    let wordings = [
        "We meet every Monday. Each school writes a plan. We end in June.",
        "We meet every Friday. Each school writes a plan. We end in June.",
        "We meet weekly. Each school writes a short plan. We end in June.",
        "We meet weekly. Each school writes no plan. We end in June.",
        "We meet weekly. Each school writes a plan. We end in July.",
    ];
    for (hub, text) in hubs.iter().zip(wordings) {
        world.hub(hub).pause(true);
        edit_at(
            world.hub(hub),
            &project,
            &page,
            &json!({ "protocol": text }),
        );
    }
    for hub in hubs {
        world.hub(hub).pause(false);
    }
    world.agree(space).await;
    let coordinator = ncetm(&world);
    let open = || {
        let open = coordinator.list_versions(&project).expect("versions");
        let open = open.as_array().cloned().unwrap_or_default();
        open.into_iter()
            .filter(|it| it["field"] == "protocol")
            .collect::<Vec<_>>()
    };
    assert_eq!(open().len(), 2, "{:?}", open());
    let released = json!({ "protocol_state": "released" });
    let stopped = refused(coordinator, &project, &released);
    assert!(stopped.contains("settle them"), "{stopped}");
    let stopped = refused(world.hub(SOUTH), &project, &released);
    assert!(stopped.contains("only the owner"), "{stopped}");

    // Settled, one text after another; or explicitly left to the text as it is.
    let left = json!({ "left_as_is": "yes", "protocol_state": "released" });
    let before = fields(coordinator, &project)["protocol"].clone();
    let merged = "We meet every Monday. Each school writes a short plan. We end in July.";
    coordinator
        .settle_with(&project, "protocol", &json!(merged).to_string(), "")
        .expect("settled");
    let remaining = open().len();
    if remaining > 0 {
        assert!(refused(coordinator, &project, &released).contains("settle them"));
        edit(coordinator, &project, &left);
    } else {
        edit(coordinator, &project, &released);
    }
    assert_ne!(before, json!(merged));
    world.agree(space).await;
    for hub in hubs {
        let node = world.hub(hub);
        let shown = node.show_record(&project).expect("shown");
        assert_eq!(shown.fields["protocol_state"], "released");
        assert_eq!(shown.fields["protocol"], merged);
        assert_eq!(shown.more["copies"][0]["genuine"], true);
        assert_eq!(shown.more["copies"][0]["content"]["protocol"], merged);
    }

    // The draft is read-only now, and edits become proposals.
    let south = world.hub(SOUTH);
    let proposed = "We meet every Tuesday. Each school writes a short plan. We end in July.";
    let edited = edit(south, &project, &json!({ "protocol": proposed }));
    assert!(
        edited.notes[0].contains("cannot be changed"),
        "{:?}",
        edited.notes
    );
    world.agree(space).await;
    let shown = fields(coordinator, &project);
    assert_eq!(shown["protocol"], merged);
    assert_eq!(shown["proposals"][0]["text"], proposed);
    assert_eq!(shown["proposals"][0]["hub"], SOUTH);
    edit(
        coordinator,
        &project,
        &json!([add("proposals", &json!({ "text": "Another" }))]),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn c7_open_conflicts_are_left_to_the_text_as_it_is() {
    let world = network(&[SOUTH, WEST]).await;
    let (space, project) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    edit(
        ncetm(&world),
        &project,
        &json!({ "protocol": "We meet weekly." }),
    );
    world.agree(space).await;
    let page = ncetm(&world).show_record(&project).expect("shown").heads;
    for (hub, text) in [
        (SOUTH, "We meet on Mondays."),
        (WEST, "We meet on Fridays."),
    ] {
        edit_at(
            world.hub(hub),
            &project,
            &page,
            &json!({ "protocol": text }),
        );
    }
    world.agree(space).await;
    let coordinator = ncetm(&world);
    let released = json!({ "protocol_state": "released" });
    assert!(refused(coordinator, &project, &released).contains("settle them"));
    let stands = fields(coordinator, &project)["protocol"].clone();
    assert!(
        refused(world.hub(SOUTH), &project, &json!({ "left_as_is": "yes" })).contains("owner"),
        "nobody else says so"
    );
    let left = json!({ "left_as_is": "yes", "protocol_state": "released" });
    edit(coordinator, &project, &left);
    let shown = fields(coordinator, &project);
    assert_eq!(
        (&shown["protocol_state"], &shown["protocol"]),
        (&json!("released"), &stands)
    );
}
