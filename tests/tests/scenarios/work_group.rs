//! What a work group lead does.

use node::Node;
use node::records::{Concerning, RecordsError};
use node_feed::SpaceKind;
use serde_json::{Value, json};
use tests::world::World;

use crate::writing::{
    add, fields, has_its_spaces, include, item, make, page, person, save, set, titles,
};

/// A lead of the made-up group, whose name must not leave the hub.
const LEAD: &str = "Aurelia Quickthorn";
const CO_LEAD: &str = "Barnaby Silverlode";

/// The lines of the event of one session in a hub's calendar.
fn event(node: &Node, group: &str, session: &str) -> Vec<String> {
    let calendar = node.export_calendar(group).expect("a calendar");
    let calendar = String::from_utf8(calendar).expect("text");
    let calendar = calendar.replace("\r\n ", "");
    let mut events = calendar
        .split("BEGIN:VEVENT")
        .filter(|event| event.contains(&format!("UID:{session}-")));
    let event = events.next().expect("the session is in the calendar");
    assert!(events.next().is_none(), "one session is one event");
    event.lines().map(str::to_owned).collect()
}

fn line<'a>(event: &'a [String], name: &str) -> &'a str {
    let found = event.iter().find_map(|line| line.strip_prefix(name));
    found.unwrap_or_default()
}

fn concerning(node: &Node, id: &str, person: &str) -> Vec<Value> {
    let concerning = Concerning {
        person: person.to_owned(),
        ..Concerning::default()
    };
    let listed = node.versions_concerning(id, &concerning);
    listed.expect("versions").versions
}

fn at<'a>(open: &'a [Value], field: &str) -> &'a Value {
    let found = open.iter().find(|open| open["field"] == field);
    found.unwrap_or_else(|| panic!("{field} stands in versions"))
}

#[tokio::test(flavor = "multi_thread")]
async fn w2_two_leads_one_session() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let south = world.hub("south-yorkshire");
    has_its_spaces(south).await;
    let (lead, co_lead) = (person(south, LEAD), person(south, CO_LEAD));
    let stranger = person(south, "Cedric Brightwater");
    let group = json!({
        "title": "Ratio in Year 7",
        "leaders": [
            { "person": lead, "role": "lead" },
            { "person": co_lead, "role": "co-lead" },
        ],
        "sessions": [
            { "date": "2027-01-12" }, { "date": "2027-02-09" }, { "date": "2027-03-05" },
        ],
    });
    let group = make(south, "work-group", "", &group);
    let third = item(south, &group, "sessions", "date", "2027-03-05");
    let second = item(south, &group, "sessions", "date", "2027-02-09");
    let rest = |session: &str| {
        let event = event(south, &group, session).into_iter();
        let rest = event.filter(|line| !line.starts_with("DTSTAMP"));
        rest.collect::<Vec<_>>()
    };
    let (before, other) = (event(south, &group, &third), rest(&second));
    assert_eq!(line(&before, "DTSTART;VALUE=DATE:"), "20270305");
    assert_eq!(line(&before, "STATUS:"), "CONFIRMED");

    // Two laptops that have no network.
    south.pause(true);
    let field = |name: &str| format!("sessions/{third}/{name}");
    let moves = |date: &str, reason: &str| {
        json!([
            set(&field("date"), date),
            set(&field("moved_because"), reason),
            set(&field("state"), "moved"),
        ])
    };
    let seen = page(south, &group);
    let mine = moves("2027-03-12", "the hall is let on the 5th");
    let hers = moves("2027-03-14", "half the group is away");
    save(south, &group, &seen, &mine).expect("the first lead saves");
    save(south, &group, &seen, &hers).expect("the second lead saves");

    // Both dates are kept, and both leads see them, each with its reason and its author.
    for leader in [&lead, &co_lead] {
        let open = concerning(south, &group, leader);
        let date = at(&open, &field("date"));
        assert_eq!(date["decide"], true);
        let versions = date["versions"].as_array().expect("versions");
        let mut told = versions
            .iter()
            .map(|version| {
                assert_eq!(version["hub"], "south-yorkshire");
                assert!(version["time_ms"].as_u64().is_some_and(|time| time > 0));
                assert_eq!(version["before"], json!(["2027-03-05"]));
                let with = version["with"].as_array().expect("what was said with it");
                assert_eq!(with.len(), 1, "{with:?}");
                assert_eq!(with[0]["field"], field("moved_because"));
                (version["value"].clone(), with[0]["value"].clone())
            })
            .collect::<Vec<_>>();
        told.sort_by_key(|(date, _)| date.to_string());
        let expected = [
            (json!("2027-03-12"), json!("the hall is let on the 5th")),
            (json!("2027-03-14"), json!("half the group is away")),
        ];
        assert_eq!(told, expected);
        assert!(
            open.iter().all(|open| open["field"] != field("state")),
            "the same step twice is no version"
        );
    }
    assert_eq!(concerning(south, "", &stranger), Vec::<Value>::new());

    // Participants are told of no date as if it were settled.
    let undecided = event(south, &group, &third);
    assert_eq!(line(&undecided, "STATUS:"), "TENTATIVE");
    assert!(line(&undecided, "DESCRIPTION:").contains("not decided yet"));

    // One of them chooses; the other's page is older, and cannot choose once more.
    let open = concerning(south, &group, &co_lead);
    let date = at(&open, &field("date"));
    let heads = date["heads"].as_str().expect("heads");
    let versions = date["versions"].as_array().expect("versions");
    let hers = versions.iter().position(|it| it["value"] == "2027-03-14");
    let hers = u32::try_from(hers.expect("hers") + 1).expect("a number");
    south
        .settle_versions(&group, &field("date"), hers, heads)
        .expect("settled");
    let again = south.settle_versions(&group, &field("date"), 3 - hers, heads);
    assert!(matches!(again, Err(RecordsError::Stale)), "{again:?}");

    // One notice: one date, which takes the place of what calendars show.
    let after = event(south, &group, &third);
    assert_eq!(line(&after, "DTSTART;VALUE=DATE:"), "20270314");
    assert_eq!(line(&after, "STATUS:"), "CONFIRMED");
    assert_eq!(line(&after, "DESCRIPTION:"), "");
    let sequence = |event: &[String]| line(event, "SEQUENCE:").parse::<u32>().expect("a number");
    assert!(sequence(&after) > sequence(&undecided));
    for leader in [&lead, &co_lead] {
        let open = concerning(south, &group, leader);
        assert!(open.iter().all(|open| open["decide"] == false), "{open:?}");
    }
    let settled = south
        .settled_versions(&group, &node::records::Concerning::default())
        .expect("what was settled");
    assert_eq!(settled[0]["chosen"], "2027-03-14");
    let told = rest(&third);
    south
        .settle_with(
            &group,
            &field("moved_because"),
            "\"half the group is away\"",
            "",
        )
        .expect("the reason too");
    assert_eq!(concerning(south, &group, &lead), Vec::<Value>::new());
    assert_eq!(rest(&third), told, "no second notice");
    assert_eq!(rest(&second), other, "none of another session");
}

#[tokio::test(flavor = "multi_thread")]
async fn w4_evidence() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, _) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let text = space.to_string();
    let south = world.hub("south-yorkshire");
    person(south, LEAD);
    let reflection = json!({
        "title": "What bar models changed",
        "body": format!("In my class {LEAD} saw more talk about ratio."),
        "files": [{ "name": "reflection.mp4", "bytes": 10_000_001 }],
    });
    let evidence = make(south, "practice", "", &reflection);
    let body = fields(south, &evidence)["body"].clone();
    let file = item(south, &evidence, "files", "name", "reflection.mp4");
    let bytes = format!("files/{file}/bytes");

    let stops = |says: &[&str], says_not: &str| {
        for confirm in [false, true] {
            let refused = south.publish_record(&evidence, &text, confirm, "");
            let sentence = refused.expect_err("the share stops").to_string();
            for says in [says, &["keep the record in the hub"]].concat() {
                assert!(sentence.contains(says), "\"{sentence}\" says \"{says}\"");
            }
            assert!(!sentence.contains(says_not), "\"{sentence}\"");
        }
        assert_eq!(south.disclosures("").expect("disclosures"), json!([]));
        assert_eq!(titles(south, "practice", &text), [""; 0]);
    };
    let (named, large) = (format!("names {LEAD}"), "files of at most 10 MB");
    stops(&[&named, large, "reflection.mp4"], "telephone");
    save(south, &evidence, "", &json!([set(&bytes, 10_000_000)])).expect("a smaller file");
    stops(&[&named], large);
    let unnamed = json!([
        set("body", "We saw more talk about ratio."),
        set(&bytes, 10_000_001)
    ]);
    save(south, &evidence, "", &unnamed).expect("nobody named");
    stops(&[large], &named);

    // Keeping it in the hub takes nothing away from it.
    let kept = json!([set("body", body.clone())]);
    save(south, &evidence, "", &kept).expect("kept in the hub");
    let shown = fields(south, &evidence);
    assert_eq!(
        (&shown["body"], &shown["files"][0]["bytes"]),
        (&body, &json!(10_000_001))
    );

    // With neither it leaves.
    let clean = json!([
        set("body", "We saw more talk about ratio."),
        set(&bytes, 10_000_000)
    ]);
    save(south, &evidence, "", &clean).expect("clean");
    south
        .publish_record(&evidence, &text, true, "")
        .expect("published");
    assert_eq!(
        titles(south, "practice", &text),
        ["What bar models changed"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn w5_share_to_the_project() {
    let mut world = World::new().await;
    for hub in ["south-yorkshire", "west-yorkshire"] {
        world.add_hub(hub).await;
    }
    let hubs = ["south-yorkshire", "west-yorkshire"];
    let (space, project) = world.project("NCP24-11", &hubs).await;
    let text = space.to_string();
    let (south, west) = (world.hub(hubs[0]), world.hub(hubs[1]));
    let coordinator = world.coordinator().operations().node();
    let agreed = [
        "title",
        "project",
        "sessions_held",
        "started",
        "schools",
        "outcomes",
    ];
    let listed = agreed.map(|field| include("agreed_fields", field));
    save(coordinator, &project, "", &json!(listed)).expect("the agreement lists fields");
    world.agree(space).await;
    save(
        south,
        &project,
        "",
        &json!([include("signatures", hubs[0])]),
    )
    .expect("signed");

    let (lead, member) = (person(south, LEAD), person(south, CO_LEAD));
    let group = json!({
        "title": "Ratio in Year 7", "project": "NCP24-11", "phase": "secondary",
        "notes": format!("{LEAD} is paid from the other budget"),
        "narrative": format!("{CO_LEAD} said it was the best course in years"),
        "leaders": [{ "person": lead, "role": "lead" }],
        "sessions": [{ "date": "2027-01-12", "state": "held" }, { "date": "2027-02-09" }],
        "members": [{ "organisation": "Hill School", "urn": "100001", "person": member }],
        "ratings": [{ "leader": lead, "outcome": "practice", "rating": 3 }],
        "reflections": [{ "person": member, "text": format!("I am {CO_LEAD}.") }],
    });
    let group = make(south, "work-group", "", &group);
    let member = item(south, &group, "members", "urn", "100001");
    let started = json!({ "member": member, "status": "started", "as_at": "2027-01-12" });
    save(south, &group, "", &json!([add("statuses", started)])).expect("started");

    // Exactly the fields that were agreed, and no name or address among them.
    let preview = south
        .publish_record(&group, &text, false, "")
        .expect("a preview");
    let leaves = preview.leaves.as_object().expect("fields");
    let mut names = leaves.keys().map(String::as_str).collect::<Vec<_>>();
    names.sort_unstable();
    let mut expected = [&agreed[..], &["hub", "origin"]].concat();
    expected.sort_unstable();
    assert_eq!(names, expected);
    let of = |name: &str| &preview.leaves[name];
    assert_eq!(
        (of("title"), of("hub")),
        (&json!("Ratio in Year 7"), &json!(hubs[0]))
    );
    assert_eq!((of("sessions_held"), of("started")), (&json!(1), &json!(1)));
    assert_eq!(of("schools")[0]["urn"], "100001");
    assert_eq!(of("outcomes")[0]["mean"], 300);
    let private = [
        LEAD,
        CO_LEAD,
        "Quickthorn",
        "Silverlode",
        "@",
        "best course",
        &group,
    ];
    for private in private {
        assert!(
            !preview.leaves.to_string().contains(private),
            "{private} would leave"
        );
    }
    let mut readers = preview.readers.clone();
    readers.sort_unstable();
    assert_eq!(readers, ["coordinator", hubs[0], hubs[1]]);
    assert_eq!(south.disclosures("").expect("disclosures"), json!([]));
    assert_eq!(titles(coordinator, "group-summary", ""), [""; 0]);

    // Pressing share lets out that, and notes it once.
    let digest = preview.digest.to_string();
    let shared = south.publish_record(&group, &text, true, &digest);
    let copy = shared.expect("shared").id.expect("a copy").to_string();
    let log = south.disclosures("").expect("disclosures");
    assert_eq!(log.as_array().map(Vec::len), Some(1), "{log}");
    let noted = &log[0];
    assert_eq!(noted["record"], group);
    assert_eq!(
        (&noted["copy"], &noted["space"]),
        (&json!(copy), &json!(text))
    );
    assert_eq!(noted["action"], "published");
    let mut fields_noted = noted["fields"].as_array().cloned().unwrap_or_default();
    fields_noted.sort_by_key(Value::to_string);
    assert_eq!(json!(fields_noted), json!(expected));
    assert_eq!(noted["readers"], json!(preview.readers));
    world.agree(space).await;
    for node in [west, coordinator] {
        let mut arrived = fields(node, &copy);
        for name in expected.iter().copied() {
            let (came, left) = (arrived[name].take(), of(name));
            assert_eq!(came, *left, "{name}");
        }
        for private in private {
            assert!(!arrived.to_string().contains(private), "{private} left");
        }
        assert!(node.show_record(&group).is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w7_protocol_changes_mid_run() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, project) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let text = space.to_string();
    let south = world.hub("south-yorkshire");
    let coordinator = world.coordinator().operations().node();
    let release = |protocol: &str| {
        let drafting = fields(coordinator, &project)["protocol_state"] == "released";
        if drafting {
            let back = json!({ "protocol_state": "drafting" });
            save(coordinator, &project, "", &back).expect("drafting again");
        }
        let draft = json!({ "protocol": protocol });
        save(coordinator, &project, "", &draft).expect("a draft");
        let released = json!({ "protocol_state": "released" });
        save(coordinator, &project, "", &released).expect("released");
    };
    let (first, second) = ("Meet three times.", "Meet four times. Film one lesson.");
    release(first);
    release(second);
    let agreed = ["title", "protocol_version", "measure_version"];
    let mut prepared = agreed.map(|field| include("agreed_fields", field)).to_vec();
    let measure =
        json!({ "name": "talk", "version": 2, "question": "Minutes of talk in a lesson" });
    prepared.push(add("measures", measure));
    prepared.push(set("state", "running"));
    save(coordinator, &project, "", &json!(prepared)).expect("the project runs");
    world.agree(space).await;
    save(
        south,
        &project,
        "",
        &json!([include("signatures", "south-yorkshire")]),
    )
    .expect("signed");
    let group = json!({
        "title": "Talk in Year 4", "protocol_version": 2, "measure_version": 2,
    });
    let group = make(south, "work-group", "", &group);
    for state in ["recruiting", "running"] {
        save(south, &group, "", &json!({ "state": state })).expect(state);
    }
    let share = || {
        south
            .publish_record(&group, &text, true, "")
            .expect("shared")
    };
    let summary = share().id.expect("a summary").to_string();

    // Version 3 is released while the hub is away, with a new version of the measure.
    south.pause(true);
    let third = "Meet four times. Film two lessons.";
    release(third);
    let measure = json!({
        "name": "talk", "version": 3, "question": "Pupils' turns in a lesson", "replaces": 2,
    });
    save(
        coordinator,
        &project,
        "",
        &json!([add("measures", measure)]),
    )
    .expect("a new measure");
    let copies = |node: &Node| {
        let more = node.show_record(&project).expect("the project").more;
        more["copies"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((copies(coordinator), copies(south)), (3, 2));
    south.pause(false);
    world.agree(space).await;
    assert_eq!(copies(south), 3);

    // The group stays on version 2, which is kept whole, and the changes are shown.
    let shown = fields(south, &group);
    assert_eq!(
        (&shown["protocol_version"], &shown["measure_version"]),
        (&json!(2), &json!(2))
    );
    let more = south.show_record(&project).expect("the project").more;
    let copy = &more["copies"][1];
    assert_eq!(
        (&copy["version"], &copy["genuine"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(copy["content"]["protocol"], second);
    let changes = south.compare_copies(&project, 2, 3).expect("the changes");
    let expected = json!([
        { "path": "protocol", "label": "Protocol", "before": second, "after": third },
    ]);
    assert_eq!(changes, expected);
    let unknown = south.compare_copies(&project, 2, 4);
    let unknown = unknown.expect_err("there is no version 4").to_string();
    assert!(unknown.contains("it keeps: 1, 2, 3"), "{unknown}");

    // What the group measured stays labelled 2, here and where it is published.
    let measures = fields(south, &project)["measures"].clone();
    let old = &measures[0];
    assert_eq!(
        (&old["version"], &measures[1]["version"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(old["question"], "Minutes of talk in a lesson");
    let rewritten = format!("measures/{}/question", old["id"].as_str().expect("an id"));
    let rewritten = json!([set(&rewritten, "Pupils' turns in a lesson")]);
    let refused = save(coordinator, &project, "", &rewritten);
    let refused = refused.expect_err("a measure in use stays as it is");
    assert!(
        refused.to_string().contains("keeps what it says"),
        "{refused}"
    );
    assert_eq!(share().id.expect("a summary").to_string(), summary);
    world.agree(space).await;
    for node in [south, coordinator] {
        let summary = fields(node, &summary);
        assert_eq!(summary["protocol_version"], 2);
        assert_eq!(summary["measure_version"], 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w8_capture_a_practice() {
    let mut world = World::new().await;
    let hubs = ["south-yorkshire", "west-yorkshire", "east-midlands-west"];
    for hub in hubs {
        world.add_hub(hub).await;
    }
    let (project, _) = world.project("NCP24-11", &hubs[..2]).await;
    let (south, west) = (world.hub(hubs[0]), world.hub(hubs[1]));
    let east = world.hub(hubs[2]);
    let coordinator = world.coordinator().operations().node();
    for node in [south, west, east] {
        has_its_spaces(node).await;
    }
    let spaces = south.spaces().expect("spaces");
    let network = spaces.iter().find(|space| space.kind == SpaceKind::Network);
    let network = network.expect("every hub's space").id;
    let practice = json!({ "title": "Ratio with bars", "body": "Draw the bar first." });
    let practice = make(south, "practice", "", &practice);
    save(south, &practice, "", &json!({ "state": "trial" })).expect("a trial");

    // It stays in the hub: when all else has arrived, nobody else has it.
    let (in_project, everywhere) = (project.to_string(), network.to_string());
    make(
        south,
        "practice",
        &in_project,
        &json!({ "title": "A sign" }),
    );
    world.agree(project).await;
    for node in [west, coordinator] {
        assert_eq!(titles(node, "practice", ""), ["A sign"]);
    }

    // Raised by one step, the project has it and others have not.
    let raise = |node: &Node, id: &str, space: &str| {
        let raised = node.publish_record(id, space, true, "");
        raised.map(|raised| raised.id.expect("a copy").to_string())
    };
    let skipped = raise(south, &practice, &everywhere).expect_err("one step at a time");
    assert!(
        skipped.to_string().contains("from the hub to a project"),
        "{skipped}"
    );
    let shared = raise(south, &practice, &in_project).expect("raised");
    world.agree(project).await;
    let copy = fields(west, &shared);
    assert_eq!(
        (&copy["state"], &copy["first_made_by"]),
        (&json!("trial"), &json!(hubs[0]))
    );
    assert_eq!(titles(east, "practice", ""), [""; 0]);
    let early = raise(south, &shared, &everywhere).expect_err("a trial is not for all hubs");
    assert!(
        early
            .to_string()
            .contains("captured or tested or recommended"),
        "{early}"
    );
    save(south, &practice, "", &json!({ "state": "captured" })).expect("captured");
    assert_eq!(
        raise(south, &practice, &in_project).expect("brought up to date"),
        shared
    );
    let wide = raise(south, &shared, &everywhere).expect("raised again");
    world.agree(network).await;

    // Forks, and forks of forks, say where they come from.
    let fork = east.fork_record(&wide).expect("a fork").id.to_string();
    let made = fields(east, &fork);
    assert_eq!(
        (&made["fork_of"], &made["first_made_by"]),
        (&json!(wide), &json!(hubs[0]))
    );
    assert_eq!(
        (&made["title"], &made["state"]),
        (&json!("Ratio with bars"), &json!("idea"))
    );
    let again = east
        .fork_record(&fork)
        .expect("a fork of it")
        .id
        .to_string();
    let made = fields(east, &again);
    assert_eq!(
        (&made["fork_of"], &made["first_made_by"]),
        (&json!(fork), &json!(hubs[0]))
    );
    let rewritten = save(
        east,
        &fork,
        "",
        &json!({ "first_made_by": hubs[2], "fork_of": "" }),
    );
    assert!(
        rewritten.is_err(),
        "nobody rewrites where a fork comes from"
    );
    let fork = west.fork_record(&shared).expect("a fork").id.to_string();
    let raised = raise(west, &fork, &in_project).expect("raised");
    world.agree(project).await;
    let made = fields(south, &raised);
    assert_eq!(
        (&made["fork_of"], &made["first_made_by"]),
        (&json!(shared), &json!(hubs[0]))
    );
}
