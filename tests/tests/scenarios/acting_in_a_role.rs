//! Acting in a role: every way to read and write shows and takes just what the role may.

use node::Node;
use node::grpc::hub_service;
use node::records::{Concerning, Desk, Find, RecordsError};
use proto::hub::v1::hub_client::HubClient;
use proto::hub::v1::{
    Acting, CountRecordsRequest, ExportCalendarRequest, ExportListRequest, ListRecordsRequest,
    RecordHistoryRequest,
};
use serde_json::{Value, json};
use tests::world::World;

use crate::writing::{add, fields, has_its_spaces, item, make, page, person, save, set};

const PARTICIPANT: &str = "Everard Plumtree";
const OTHER: &str = "Philippa Quillfeather";

async fn south() -> World {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    has_its_spaces(world.hub("south-yorkshire")).await;
    world
}

fn desk(node: &Node, role: &str, holder: &str) -> Desk {
    let desk = node.desk(role, holder);
    desk.unwrap_or_else(|error| panic!("the desk of the {role}: {error}"))
}

fn of_kind(kind: &str) -> Find {
    Find {
        kind: kind.to_owned(),
        ..Find::default()
    }
}

fn filtered(kind: &str, filter: &str) -> Find {
    Find {
        filters: vec![filter.to_owned()],
        ..of_kind(kind)
    }
}

fn found(desk: &Desk, find: &Find) -> Vec<String> {
    let listing = desk.find(find).expect("a list");
    assert_eq!(listing.total, listing.records.len() as u64);
    let titles = listing.records.into_iter().map(|record| record.title);
    titles.collect()
}

fn why<T: std::fmt::Debug>(refused: Result<T, RecordsError>) -> String {
    refused.expect_err("it is refused").to_string()
}

/// A group that both take part in, and one of which the participant is no member.
fn groups(node: &Node, leader: &str, [participant, other]: [&str; 2]) -> [String; 2] {
    let group = make(
        node,
        "work-group",
        "",
        &json!({
            "title": "Counting on", "state": "planned", "priority": "Reception",
            "leaders": [{ "person": leader }], "notes": "Watch the budget",
            "sessions": [{ "date": "2027-01-12", "venue": "Hill School" }],
            "members": [
                { "organisation": "Hill School", "person": participant, "urn": "900001" },
                { "organisation": "Dale School", "person": other, "urn": "900002" },
            ],
        }),
    );
    let elsewhere = make(
        node,
        "work-group",
        "",
        &json!({
            "title": "Ratio", "leaders": [{ "person": other }],
            "sessions": [{ "date": "2027-02-09", "venue": "Dale School" }],
            "reflections": [{ "person": participant, "text": "I only visited" }],
            "ratings": [{ "leader": participant, "outcome": "pupils", "rating": 3 }],
        }),
    );
    [group, elsewhere]
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_lists_counts_and_exports_hold_what_the_role_sees_and_nothing_else() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [leader, participant, other] =
        ["Ada Testbury", PARTICIPANT, OTHER].map(|it| person(south, it));
    let [_, elsewhere] = groups(south, &leader, [&participant, &other]);
    let desk = desk(south, "participant", &participant);

    // One's own card and the own group: being named in another's lists gives nothing.
    assert_eq!(found(&desk, &of_kind("work-group")), ["Counting on"]);
    assert_eq!(found(&desk, &of_kind("person")), [PARTICIPANT]);
    assert!(matches!(
        desk.show(&elsewhere, ""),
        Err(RecordsError::Role(_))
    ));
    let counts = desk.count(&of_kind("work-group"), "state");
    assert_eq!(counts.expect("counts"), [("planned".to_owned(), 1)]);
    let counts = south.count_records(&of_kind("work-group"), "state");
    assert_eq!(counts.expect("counts"), [("planned".to_owned(), 2)]);
    let people = desk.export_list(&of_kind("person"), "", "csv");
    let people = String::from_utf8(people.expect("a sheet")).expect("text");
    assert!(
        people.contains(PARTICIPANT) && !people.contains(OTHER),
        "{people}"
    );
    let sheet = |list: &str| {
        let sheet = desk.export_list(&of_kind("work-group"), list, "csv");
        String::from_utf8(sheet.expect("a sheet")).expect("text")
    };
    assert!(sheet("sessions").contains("Hill School"));
    let all = [sheet(""), sheet("members"), sheet("sessions")].concat();
    for hidden in [
        "Dale School",
        "900002",
        "Watch the budget",
        "Ratio",
        &other,
        &leader,
    ] {
        assert!(!all.contains(hidden), "{hidden}: {all}");
    }
    let calendar = String::from_utf8(desk.export_calendar("").expect("a calendar")).expect("text");
    assert!(
        calendar.contains("Counting on") && !calendar.contains("Ratio"),
        "{calendar}"
    );
    assert!(why(desk.export_calendar(&elsewhere)).contains("does not reach"));

    // What is hidden is not found out by asking with it.
    for filter in [
        "members/urn is 900002",
        "priority is Reception",
        "leaders/person missing",
    ] {
        let find = filtered("work-group", filter);
        let field = filter.split(' ').next().expect("a field");
        for refused in [
            why(desk.find(&find)),
            why(desk.export_list(&find, "", "csv")),
        ] {
            assert!(
                refused.contains(&format!("does not see \"{field}\"")),
                "{refused}"
            );
        }
    }
    let sorted = Find {
        sort: vec!["-priority".to_owned()],
        ..of_kind("work-group")
    };
    assert!(why(desk.find(&sorted)).contains("does not see \"priority\""));
    assert!(why(desk.count(&of_kind("work-group"), "members/urn")).contains("does not see"));
    assert!(why(desk.find(&filtered("work-group", "@open at least 1"))).contains("@open"));
    assert_eq!(
        found(&desk, &filtered("work-group", "state is planned")),
        ["Counting on"]
    );
    assert_eq!(
        found(&desk, &filtered("", "state is planned")),
        ["Counting on"]
    );
    let nobody = why(south.desk("", &participant));
    assert!(nobody.contains("a holder is named and no role"), "{nobody}");
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_history_versions_and_what_settles_them_keep_to_the_fields_of_the_role() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [leader, participant, other] =
        ["Ada Testbury", PARTICIPANT, OTHER].map(|it| person(south, it));
    let [group, elsewhere] = groups(south, &leader, [&participant, &other]);
    let session = item(south, &group, "sessions", "venue", "Hill School");
    let date = format!("sessions/{session}/date");
    let seen = page(south, &group);
    for (day, phase) in [("2027-01-13", "primary"), ("2027-01-14", "secondary")] {
        save(
            south,
            &group,
            &seen,
            &json!([set(&date, day), set("phase", phase)]),
        )
        .expect("saved");
        let notes = json!([set("notes", format!("{OTHER} on {day}"))]);
        save(south, &group, "", &notes).expect("saved");
    }
    let seen = page(south, &group);
    for version in [1, 2] {
        let hidden = json!([set("protocol_version", version)]);
        save(south, &group, &seen, &hidden).expect("saved");
    }
    let open = |listed: Vec<Value>| {
        let fields = listed
            .into_iter()
            .map(|it| it["field"].as_str().unwrap_or_default().to_owned());
        let mut fields = fields.collect::<Vec<_>>();
        fields.sort();
        fields
    };
    let all = south
        .versions_concerning("", &Concerning::default())
        .expect("versions");
    assert_eq!(
        open(all.versions),
        ["phase", "protocol_version", date.as_str()]
    );
    let desk = desk(south, "participant", &participant);
    let told = desk.versions("", &Concerning::default()).expect("versions");
    assert_eq!((told.counts.open, told.counts.to_decide), (2, 2));
    assert!(
        !json!(told.versions).to_string().contains(&leader),
        "nobody else is named"
    );
    assert_eq!(open(told.versions), ["phase", date.as_str()]);
    assert!(matches!(
        desk.versions(&elsewhere, &Concerning::default()),
        Err(RecordsError::Role(_))
    ));

    let history = desk.history(&group, "").expect("history").to_string();
    assert!(
        history.contains("2027-01-14") && !history.contains(OTHER),
        "{history}"
    );
    assert_eq!(desk.history(&group, "notes").expect("history"), json!([]));
    assert!(desk.history(&elsewhere, "").is_err());

    // A participant settles, brings back and reopens nothing of it; the group's lead does.
    for refused in [
        why(desk.settle_versions(&group, "phase", 1, "")),
        why(desk.settle_with(&group, "phase", "\"primary\"", "")),
        why(desk.bring_back(&group, "title", "2030-01-01").map(|_| ())),
    ] {
        assert!(refused.contains("this role does not change"), "{refused}");
    }
    let lead = south
        .desk("work group lead", &leader)
        .expect("the lead's desk");
    assert!(
        why(lead.bring_back(&group, "places", "2030-01-01").map(|_| ()))
            .contains("does not change")
    );
    lead.settle_versions(&group, "phase", 1, "")
        .expect("settled");
    lead.settle_with(&group, "protocol_version", "2", "")
        .expect("settled");
    let settled = |desk: &Desk| {
        let settled = desk
            .settled_versions(&group, &Concerning::default())
            .expect("settled");
        open(settled.as_array().cloned().unwrap_or_default())
    };
    assert_eq!(settled(&lead), ["phase", "protocol_version"]);
    assert_eq!(settled(&desk), ["phase"]);
    let counts = desk
        .versions(&group, &Concerning::default())
        .expect("versions")
        .counts;
    assert_eq!((counts.open, counts.settled), (1, 1));
    let id = desk
        .settled_versions(&group, &Concerning::default())
        .expect("settled")[0]["id"]
        .clone();
    let id = id.as_str().expect("an id");
    assert!(why(desk.reopen_versions(&group, id)).contains("does not change"));
    lead.reopen_versions(&group, id).expect("opened again");
    // Among all that was decided it still stands, and says that it was opened again.
    let all = lead.settled_versions("", &Concerning::default());
    let all = all.expect("all that was settled");
    let mut all = all.as_array().into_iter().flatten();
    let again = all.find(|it| it["id"] == id).expect("it is among them");
    assert_eq!(again["reopened"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_follows_from_the_records_that_say_who_holds_a_role_and_until_when() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [chair, member, late, stranger] =
        ["Ada Testbury", PARTICIPANT, OTHER, "Cho Exampleby"].map(|it| person(south, it));
    let board = json!({
        "title": "Board",
        "members": [
            { "person": chair, "role": "chair" },
            { "person": member, "role": "member", "from": "2026-09-01", "until": "2027-08-31" },
            { "person": late, "role": "member", "from": "2027-09-01" },
        ],
        "actions": [{ "what": "Book the hall", "person": stranger }],
    });
    make(south, "strategic-group", "", &board);
    make(south, "plan", "", &json!({ "title": "Plan" }));
    let sees = |role: &str, who: &str, day: &str| {
        let desk = south.desk_on(role, who, day).expect("a desk");
        found(&desk, &Find::default())
    };
    let both = ["Plan", "Board"];
    let member_on = |who: &str, day: &str| {
        let mut seen = sees("strategic group member", who, day);
        seen.sort();
        seen.reverse();
        seen
    };
    assert_eq!(member_on(&member, "2027-08-31"), both);
    assert_eq!(member_on(&member, "2027-09-01"), [""; 0]);
    assert_eq!(member_on(&late, "2027-08-31"), [""; 0]);
    assert_eq!(member_on(&late, "2027-09-01"), both);
    assert_eq!(
        member_on(&stranger, "2027-06-01"),
        [""; 0],
        "an action is no membership"
    );
    assert_eq!(
        sees("chair", &member, "2027-06-01"),
        [""; 0],
        "a member is no chair"
    );
    assert_eq!(sees("chair", &chair, "2027-06-01").len(), 2);
    assert_eq!(sees("work group lead", &stranger, "2027-06-01"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_for_a_partner_is_acting_in_the_delegated_role_while_the_partner_stays() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let leader = person(south, "Ada Testbury");
    let partner = make(
        south,
        "partner",
        "",
        &json!({ "title": "Dales", "state": "current" }),
    );
    let group = |title: &str| make(south, "work-group", "", &json!({ "title": title }));
    let [led, kept] = ["Counting on", "Number sense"].map(group);
    let delegation =
        |group: &str, role: &str| json!({ "group": group, "role": role, "until": "2027-08-31" });
    let commission = json!({
        "title": "Early years", "partner": partner, "budget": 100,
        "delegations": [delegation(&led, "work group lead"), delegation(&kept, "administrator")],
    });
    let commission = make(south, "commission", "", &commission);
    save(south, &commission, "", &json!({ "state": "offered" })).expect("offered");
    let staff = south
        .desk_on("partner's staff", &partner, "2027-06-01")
        .expect("a desk");
    let leaders = json!([add("leaders", json!({ "person": leader }))]).to_string();
    let title = json!({ "narrative": "It began well" }).to_string();
    for group in [&led, &kept] {
        staff
            .edit(group, "", &title)
            .expect("both roles write this");
    }
    staff
        .edit(&kept, "", &leaders)
        .expect("an administrator names leaders");
    assert!(why(staff.edit(&led, "", &leaders)).contains("does not change 'Leaders'"));

    save(south, &partner, "", &json!({ "state": "removed" })).expect("removed");
    assert!(why(staff.show(&led, "")).contains("does not reach"));
    assert!(why(staff.edit(&kept, "", &title)).contains("does not reach"));
    assert_eq!(found(&staff, &Find::default()), ["Early years"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_as_a_participant_writes_the_own_reflections_and_nobody_elses() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [leader, participant, other] =
        ["Ada Testbury", PARTICIPANT, OTHER].map(|it| person(south, it));
    let [group, _] = groups(south, &leader, [&participant, &other]);
    let theirs = json!([add(
        "reflections",
        json!({ "person": other, "text": "Theirs" })
    )]);
    save(south, &group, "", &theirs).expect("a reflection");
    let theirs = item(south, &group, "reflections", "text", "Theirs");
    let desk = desk(south, "participant", &participant);
    let own = json!([add(
        "reflections",
        json!({ "person": participant, "text": "Mine" })
    )]);
    desk.edit(&group, "", &own.to_string()).expect("added");
    let mine = item(south, &group, "reflections", "text", "Mine");
    let again = json!([set(&format!("reflections/{mine}/text"), "Mine, again")]);
    desk.edit(&group, "", &again.to_string()).expect("changed");
    let before = fields(south, &group);
    for change in [
        add("reflections", json!({ "person": other, "text": "False" })),
        set(&format!("reflections/{theirs}/text"), "False"),
        set(&format!("reflections/{mine}/person"), other.as_str()),
        json!({ "do": "remove", "field": "reflections", "item": theirs }),
    ] {
        let refused = why(desk.edit(&group, "", &json!([change]).to_string()));
        assert!(
            refused.contains("only its holder's own items"),
            "{change}: {refused}"
        );
    }
    let text = format!("reflections/{theirs}/text");
    assert!(why(desk.bring_back(&group, &text, "2030-01-01")).contains("own items"));
    assert!(why(desk.settle_with(&group, &text, "\"False\"", "")).contains("own items"));
    assert_eq!(fields(south, &group), before);
}

/// The service over its own messages, in the same process.
#[tokio::test(flavor = "multi_thread")]
async fn acting_holds_for_programs_too_and_a_holder_without_a_role_is_refused() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [leader, participant, other] =
        ["Ada Testbury", PARTICIPANT, OTHER].map(|it| person(south, it));
    let [_, elsewhere] = groups(south, &leader, [&participant, &other]);
    let mut client = HubClient::new(hub_service(south.clone()));
    let acting = |role: &str, holder: &str| {
        let (role, holder) = (role.to_owned(), holder.to_owned());
        Some(Acting { role, holder })
    };
    let of = |acting: Option<Acting>| ListRecordsRequest {
        kind: "person".to_owned(),
        acting,
        ..ListRecordsRequest::default()
    };
    let participates = || acting("participant", &participant);
    for (acting, people) in [(participates(), 1), (acting("", ""), 3), (None, 3)] {
        let list = of(acting.clone());
        let listed = client
            .list_records(list.clone())
            .await
            .expect("a list")
            .into_inner();
        assert_eq!(listed.total, people, "{acting:?}");
        let count = CountRecordsRequest {
            of: Some(list.clone()),
            field: "email".to_owned(),
        };
        let counted = client
            .count_records(count)
            .await
            .expect("counts")
            .into_inner();
        assert_eq!(counted.counts.len() as u64, people);
        let export = ExportListRequest {
            of: Some(list),
            format: "csv".to_owned(),
            ..ExportListRequest::default()
        };
        let sheet = client
            .export_list(export)
            .await
            .expect("a sheet")
            .into_inner()
            .content;
        let sheet = String::from_utf8(sheet.to_vec()).expect("text");
        assert_eq!(sheet.contains(OTHER), people == 3, "{sheet}");
        let calendar = ExportCalendarRequest {
            id: String::new(),
            acting: acting.clone(),
        };
        let calendar = client
            .export_calendar(calendar)
            .await
            .expect("a calendar")
            .into_inner();
        let calendar = String::from_utf8(calendar.content.to_vec()).expect("text");
        assert_eq!(calendar.contains("Ratio"), people == 3, "{calendar}");
        let history = RecordHistoryRequest {
            id: elsewhere.clone(),
            field: String::new(),
            acting,
        };
        assert_eq!(client.record_history(history).await.is_ok(), people == 3);
    }
    let refused = client.list_records(of(acting("", &participant))).await;
    let refused = refused.expect_err("refused");
    assert!(refused.message().contains("no role"), "{refused}");
}
