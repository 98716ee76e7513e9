//! The desk is the one door: what a role is not given is refused there, whatever the page shows.

use std::path::Path;

use node::Node;
use node::records::{Desk, Find, NeedKind, RecordsError, ReturnWanted};
use node_domain::{Duty, ROLES};
use node_feed::{SpaceId, SpaceKind};
use serde_json::{Value, json};
use tests::world::World;

use crate::acting::{agree_on, ncetm, space};
use crate::writing::{add, fields, has_its_spaces, include, item, make, page, person, save, set};

const PARTICIPANT: &str = "Everard Plumtree";
const SCHOOL: &str = "Quillfeather Hill School";

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

fn is_refused<T>(outcome: &Result<T, RecordsError>) -> bool {
    matches!(outcome, Err(RecordsError::Role(_)))
}

/// A group with a leader, a member, and words in fields that few see.
fn group(node: &Node, title: &str, leader: &str, member: &str) -> String {
    make(
        node,
        "work-group",
        "",
        &json!({
            "title": title, "code": title, "project": "NCP24-11", "year": "2026-27",
            "leaders": [{ "person": leader }], "notes": "Zanzibar", "narrative": "Xylophones",
            "members": [{ "id": "m1", "organisation": SCHOOL, "person": member }],
            "statuses": [{ "member": "m1", "status": "accepted", "as_at": "2026-10-01" }],
            "ratings": [
                { "leader": leader, "outcome": "pupils", "rating": 3 },
                { "leader": member, "outcome": "pupils", "rating": 1 },
            ],
        }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn desk_gives_each_role_its_duties_and_no_other() {
    use Duty::{
        Accounts, Connections, Disclosures, Erase, Export, Import, People, Publish, Reports,
        Returns, Settings,
    };
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let holder = person(south, PARTICIPANT);
    let led = group(south, "Counting on", &holder, &holder);
    let partner = make(south, "partner", "", &json!({ "title": "Dales" }));
    let board = json!({ "title": "Board", "members": [
        { "person": holder, "role": "member" }, { "person": holder, "role": "chair" },
    ] });
    make(south, "strategic-group", "", &board);
    let table: [(&str, &str, &[Duty]); 16] = [
        (
            "hub lead",
            "",
            &[
                Publish,
                Import,
                Export,
                Returns,
                People,
                Erase,
                Accounts,
                Settings,
                Disclosures,
                Reports,
            ],
        ),
        (
            "assistant hub lead",
            "",
            &[
                Publish,
                Import,
                Export,
                Returns,
                People,
                Disclosures,
                Reports,
            ],
        ),
        ("senior link", "", &[Reports]),
        (
            "administrator",
            "",
            &[
                Publish,
                Import,
                Export,
                Returns,
                People,
                Disclosures,
                Reports,
            ],
        ),
        ("work group lead", &holder, &[Publish]),
        ("strategic group member", &holder, &[]),
        ("chair", &holder, &[]),
        ("partner's staff", &partner, &[]),
        ("participant", &holder, &[]),
        ("data protection officer", "", &[Export, Disclosures]),
        (
            "operator",
            "",
            &[
                Publish,
                Import,
                Export,
                Accounts,
                Settings,
                Connections,
                Disclosures,
                Reports,
            ],
        ),
        ("regional lead", "", &[Reports]),
        ("project lead", "", &[Publish, Reports]),
        ("analyst", "", &[Reports]),
        ("policy guest", "Department for Education", &[]),
        ("independent evaluator", "", &[]),
    ];
    assert_eq!(table.len(), ROLES.len());
    let own = space(south, SpaceKind::Hub).to_string();
    for ((role, holder_of_it, duties), declared) in table.into_iter().zip(ROLES) {
        assert_eq!(role, declared.name);
        let desk = desk(south, role, holder_of_it);
        for duty in Duty::ALL.iter().copied() {
            let has = duties.contains(&duty);
            assert_eq!(desk.has(duty), has, "{role}: {duty:?}");
            assert_eq!(desk.check(duty).is_ok(), has, "{role}: {duty:?}");
            if has {
                continue;
            }
            let refused = match duty {
                Publish => {
                    is_refused(&desk.publish_preview(&led, &own))
                        && is_refused(&desk.withdraw(&led, &own, ""))
                }
                Import => {
                    is_refused(&desk.import_register(Path::new("none"), None, &[], true))
                        && is_refused(&desk.import_sheet(&node::records::SheetToImport {
                            kind: "organisation".to_owned(),
                            ..Default::default()
                        }))
                }
                Export => {
                    is_refused(&desk.export_person(&holder))
                        && is_refused(&desk.export_hub(Path::new("/none")))
                }
                Returns => is_refused(&desk.compute_return(&ReturnWanted::default(), true)),
                People => {
                    is_refused(&desk.duplicates())
                        && is_refused(&desk.merge_people(&holder, &holder))
                }
                Erase => is_refused(&desk.erasure(&holder)) && is_refused(&desk.erase(&holder)),
                Disclosures => is_refused(&desk.disclosures("")),
                Reports => ["picture", "reach", "evaluation", "leaders"]
                    .iter()
                    .all(|what| is_refused(&desk.report(what, "", ""))),
                Accounts | Settings | Connections => is_refused(&desk.check(duty)),
            };
            assert!(refused, "{role} is refused what needs {duty:?}");
        }
    }
    // A role that records name needs its holder, and without a record it does nothing.
    assert!(south.desk("work group lead", "").is_err());
    let nobody = desk(south, "work group lead", &person(south, "Cho Exampleby"));
    assert!(is_refused(&nobody.check(Publish)));
    assert!(is_refused(
        &desk(south, "data protection officer", "").export_hub(Path::new("/none"))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn desk_lets_a_work_group_lead_share_the_own_group_and_no_other() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let (project, record) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let listed = ["code", "title", "project", "year", "state"];
    agree_on(&world, (project, &record), &listed, &["south-yorkshire"]).await;
    let [leader, other] = ["Ada Testbury", PARTICIPANT].map(|name| person(south, name));
    let own = group(south, "Counting on", &leader, &other);
    let elsewhere = group(south, "Ratio", &other, &leader);
    let to = project.to_string();
    let lead = desk(south, "work group lead", &leader);

    let targets = lead.share_targets(&own).expect("spaces");
    assert_eq!(
        targets.iter().map(|it| it.id).collect::<Vec<_>>(),
        [project]
    );
    let shown = lead.publish_preview(&own, &to).expect("a preview");
    assert!(matches!(
        lead.publish(&own, &to, ""),
        Err(RecordsError::Shown)
    ));
    let digest = shown.digest.to_string();
    lead.publish(&own, &to, &digest).expect("published");
    let left = lead.disclosures(&own).expect("what left");
    assert_eq!(left.as_array().map(Vec::len), Some(1));
    assert!(is_refused(&lead.disclosures("")));

    assert!(is_refused(&lead.publish_preview(&elsewhere, &to)));
    assert!(is_refused(&lead.publish(&elsewhere, &to, &digest)));
    assert!(is_refused(&lead.disclosures(&elsewhere)));
    let practice = |group: &str| {
        let practice = json!({ "title": "Bars", "group": group }).to_string();
        lead.create("practice", "", &practice)
            .expect("a practice")
            .id
            .to_string()
    };
    let (mine, theirs) = (practice(&own), practice(&elsewhere));
    lead.publish_preview(&mine, &to)
        .expect("a practice of the own group");
    assert!(is_refused(&lead.publish_preview(&theirs, &to)));
    lead.withdraw(&own, &to, "not yet").expect("taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn desk_makes_only_what_the_role_writes_and_reaches() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [leader, other] = ["Ada Testbury", PARTICIPANT].map(|name| person(south, name));
    group(south, "Counting on", &leader, &other);
    let lead = desk(south, "work group lead", &leader);
    let make = |desk: &Desk, kind: &str, fields: Value| desk.create(kind, "", &fields.to_string());

    let card = |of: &str| json!({ "name": "Ada Testbury", "person": of });
    make(&lead, "leader", card(&leader)).expect("the own card");
    assert!(is_refused(&make(&lead, "leader", card(&other))));
    assert!(is_refused(&make(&lead, "leader", json!({ "name": "Ada" }))));
    let group = json!({ "title": "Mine", "leaders": [{ "person": leader }] });
    assert!(is_refused(&make(&lead, "work-group", group)));
    assert!(is_refused(&make(
        &lead,
        "person",
        json!({ "name": "Cho Exampleby" })
    )));
    let office = desk(south, "administrator", "");
    let wish = json!({ "name": "Cho", "opted_in": true });
    assert!(
        is_refused(&make(&office, "leader", wish)),
        "a field that it does not write"
    );
    assert!(is_refused(&make(
        &office,
        "plan",
        json!({ "title": "Plan" })
    )));
    let link = desk(south, "senior link", "");
    for (desk, kind, creates) in [
        (&lead, "practice", true),
        (&lead, "leader", true),
        (&lead, "work-group", false),
        (&office, "work-group", true),
        (&office, "plan", false),
        (&office, "group-summary", false),
        (&link, "work-group", false),
    ] {
        assert_eq!(desk.creates(kind), creates, "{}: {kind}", desk.role().name);
    }
    assert!(link.sees("work-group", "ratings/rating") && !link.sees("work-group", "members"));
    assert!(lead.writes("work-group", "attendance") && !lead.writes("work-group", "leaders"));
}

#[tokio::test(flavor = "multi_thread")]
async fn desk_reports_tell_a_senior_link_of_no_participant() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [leader, member] = ["Ada Testbury", PARTICIPANT].map(|name| person(south, name));
    let group = group(south, "Counting on", &leader, &member);
    for state in ["recruiting", "running", "completed"] {
        save(south, &group, "", &json!({ "state": state })).expect("a step");
    }
    let link = desk(south, "senior link", "");
    let evaluation = link.report("evaluation", "", "").expect("an evaluation");
    assert_eq!(evaluation["groups"], 1);
    let reach = link.report("reach", "", "").expect("reach");
    assert_eq!(reach["unmatched_count"], 1);
    for told in [evaluation, reach] {
        let told = told.to_string();
        for person in [&leader, &member, PARTICIPANT, "Ada Testbury", SCHOOL] {
            assert!(!told.contains(person), "{told}");
        }
    }
    assert!(is_refused(&link.report("leaders", "", "")));
    let plan = make(south, "plan", "", &json!({ "title": "Plan" }));
    assert!(
        is_refused(&link.report("evaluation", &plan, "")),
        "it writes no plan"
    );
    let lead = desk(south, "hub lead", "");
    let reach = lead.report("reach", "", "").expect("reach");
    assert_eq!(reach["unmatched"], json!([SCHOOL]));
    lead.report("evaluation", &plan, "")
        .expect("written into the plan");
}

#[tokio::test(flavor = "multi_thread")]
async fn desk_search_finds_nothing_by_words_that_the_role_does_not_see() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [leader, member] = ["Ada Testbury", PARTICIPANT].map(|name| person(south, name));
    group(south, "Counting on", &leader, &member);
    let found = |desk: &Desk, kind: &str, words: &str| {
        let find = Find {
            kind: kind.to_owned(),
            words: words.to_owned(),
            ..Find::default()
        };
        let listing = desk.find(&find).expect("a list");
        assert_eq!(listing.total, listing.records.len() as u64);
        listing.total
    };
    let link = desk(south, "senior link", "");
    let participant = desk(south, "participant", &member);
    for kind in ["", "work-group"] {
        // Lists are not searched by notes, and a participant sees no narrative.
        assert_eq!(found(&link, kind, "Xylophones"), 1);
        assert_eq!(found(&participant, kind, "Xylophones"), 0);
        assert_eq!(found(&participant, kind, "Counting"), 1);
        for hidden in ["Zanzibar", PARTICIPANT, SCHOOL] {
            assert_eq!(found(&link, kind, hidden), 0, "{hidden}");
        }
    }
    assert_eq!(found(&desk(south, "hub lead", ""), "", PARTICIPANT), 1);
    assert_eq!(found(&desk(south, "analyst", ""), "", "Counting"), 0);
    let by = Find {
        kind: "work-group".to_owned(),
        filters: vec![format!("members/person is {member}")],
        ..Find::default()
    };
    assert!(is_refused(&link.find(&by)) && is_refused(&link.count(&by, "state")));
    let counts = link.count(&Find::default(), "state").expect("counts");
    assert_eq!(counts, [("planned".to_owned(), 1)]);

    // Who sees a reference sees what people call it, and nobody else does.
    let ids = [leader.as_str(), member.as_str(), "south-yorkshire"];
    let titles = |desk: &Desk| desk.title_of(&ids).expect("titles").len();
    assert_eq!(titles(&desk(south, "work group lead", &leader)), 3);
    assert_eq!(titles(&link), 1);
    assert_eq!(titles(&participant), 2, "the own card, and the hub");
}

#[tokio::test(flavor = "multi_thread")]
async fn desk_undo_takes_back_one_edit_and_leaves_what_others_changed_since() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [leader, member] = ["Ada Testbury", PARTICIPANT].map(|name| person(south, name));
    let group = group(south, "Counting on", &leader, &member);
    let lead = desk(south, "work group lead", &leader);
    let seen = page(south, &group);
    let edit = json!([
        set("phase", "primary"),
        set("title", "Counting back"),
        set("evidence", "Books"),
        add("sessions", json!({ "date": "2027-01-12", "venue": "Hill" })),
        json!({ "do": "set", "field": "members/m1/role", "value": "Head" }),
    ]);
    let edited = lead.edit(&group, &seen, &edit.to_string()).expect("edited");
    // Another browser saves a page of before, and a third one changes one of these fields again.
    let notes = json!([set("notes", "Call on Monday")]);
    save(south, &group, &seen, &notes).expect("saved");
    save(south, &group, "", &json!([set("phase", "secondary")])).expect("saved");

    let undone = lead
        .undo(&group, &edited.before, &edited.heads)
        .expect("undone");
    assert!(
        undone.notes.len() == 1 && undone.notes[0].contains("'Phase'"),
        "{:?}",
        undone.notes
    );
    let now = fields(south, &group);
    assert_eq!(
        (&now["title"], &now["phase"]),
        (&json!("Counting on"), &json!("secondary"))
    );
    assert_eq!(now["notes"], "Call on Monday");
    assert_eq!(now["sessions"], json!([]));
    assert!(now["evidence"].as_str().unwrap_or_default().is_empty());
    assert!(now["members"][0]["role"].is_null());
    let again = lead.undo(&group, &edited.before, &edited.heads);
    assert!(
        matches!(again, Err(RecordsError::Refused(_))),
        "it is undone once: {again:?}"
    );
    // An undo is an edit, and can be undone.
    lead.undo(&group, &undone.before, &undone.heads)
        .expect("done again");
    assert_eq!(fields(south, &group)["title"], "Counting back");

    // Who does not write a field undoes nothing in it.
    let office = desk(south, "administrator", "");
    let added = json!([add("leaders", json!({ "person": member }))]).to_string();
    let named = office.edit(&group, "", &added).expect("a leader");
    assert!(is_refused(&lead.undo(&group, &named.before, &named.heads)));
    office
        .undo(&group, &named.before, &named.heads)
        .expect("undone");
    assert_eq!(
        fields(south, &group)["leaders"].as_array().map(Vec::len),
        Some(1)
    );
    // A mark is a log's: it is corrected, not taken back.
    let session = json!([add(
        "statuses",
        json!({
            "member": "m1", "status": "withdrawn", "as_at": "2026-11-01",
        })
    )]);
    let marked = office
        .edit(&group, "", &session.to_string())
        .expect("a status");
    let refused = office
        .undo(&group, &marked.before, &marked.heads)
        .expect_err("refused");
    assert!(
        refused.to_string().contains("only ever added to"),
        "{refused}"
    );

    let card = office.edit(
        &member,
        "",
        r#"{"name": "Everard Plum", "phone": "0114 496 0000"}"#,
    );
    let card = card.expect("a card");
    office
        .edit(&member, "", r#"{"phone": "0114 496 0001"}"#)
        .expect("a card");
    let undone = office
        .undo(&member, &card.before, &card.heads)
        .expect("undone");
    assert!(
        undone.notes[0].contains("changed again"),
        "{:?}",
        undone.notes
    );
    let now = fields(south, &member);
    assert_eq!(
        (&now["name"], &now["phone"]),
        (&json!(PARTICIPANT), &json!("0114 496 0001"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn desk_counts_just_the_open_items_that_concern_who_sits_there() {
    let world = south().await;
    let south = world.hub("south-yorkshire");
    let [leader, member] = ["Ada Testbury", PARTICIPANT].map(|name| person(south, name));
    let group = group(south, "Counting on", &leader, &member);
    let needs = |role: &str, holder: &str| {
        let needs = desk(south, role, holder).needs_me().expect("needs");
        needs.into_iter().map(|need| need.what).collect::<Vec<_>>()
    };
    let all = |holder: &str| {
        ["hub lead", "administrator", "senior link"].map(|role| needs(role, holder).len())
    };
    // The two leaders' ratings differ, which is raised to whoever writes all of the group.
    assert_eq!(all(""), [0, 1, 0]);

    // Two versions concern the administrator, and the group's own lead.
    let seen = page(south, &group);
    for phase in ["primary", "secondary"] {
        save(south, &group, &seen, &json!([set("phase", phase)])).expect("saved");
    }
    let lead = |who: &str| needs("work group lead", who);
    assert_eq!(
        needs("administrator", ""),
        [NeedKind::Decide, NeedKind::Decide]
    );
    assert_eq!(lead(&leader), [NeedKind::Decide]);
    assert_eq!(needs("hub lead", ""), []);
    let office = desk(south, "administrator", "");
    let open = office.needs_me().expect("needs");
    let phase = open
        .iter()
        .find(|need| need.field == "phase")
        .expect("the phase");
    assert!(
        phase.since_ms.is_some() && phase.sentence.contains("2 versions"),
        "{phase:?}"
    );
    office
        .settle_versions(&group, "phase", 1, "")
        .expect("settled");
    assert_eq!(needs("administrator", "").len(), 1);
    assert_eq!(lead(&leader), []);

    // An agreement waits for the hub lead until the hub has signed.
    let (project, record) = world.project("NCP24-11", &["south-yorkshire"]).await;
    save(
        ncetm(&world),
        &record,
        "",
        &json!([include("agreed_fields", "title")]),
    )
    .expect("listed");
    world.agree(project).await;
    assert_eq!(needs("hub lead", ""), [NeedKind::Sign]);
    assert_eq!(
        needs("assistant hub lead", ""),
        [],
        "signatures are the lead's"
    );
    save(
        south,
        &record,
        "",
        &json!([include("signatures", "south-yorkshire")]),
    )
    .expect("signed");
    assert_eq!(needs("hub lead", ""), []);

    // A return is due soon, and a request waits for an answer.
    let network = space(ncetm(&world), SpaceKind::Network);
    let today = office.today();
    let due = json!({ "title": "Maths", "subject": "maths", "year": "2026-27", "due": [
        { "period": "2026-27 autumn", "measure": "participants", "on": today },
        { "period": "2099-00 autumn", "measure": "participants", "on": "2099-12-01" },
    ] });
    make(ncetm(&world), "programme", &network.to_string(), &due);
    let card = json!({ "name": "Ada Testbury", "person": leader });
    let card = make(south, "leader", "", &card);
    let days = json!({ "title": "Days", "leader": card, "term": "autumn", "days": 5 });
    let days = make(south, "leader-days", "", &days);
    world.agree(network).await;
    let request = json!([add("requests", json!({ "days": 2, "need": "A keynote" }))]);
    save(ncetm(&world), &days, "", &request).expect("asked");
    world.agree(network).await;
    assert_eq!(
        needs("hub lead", ""),
        [NeedKind::Answer, NeedKind::ReturnDue]
    );
    let request = item(south, &days, "requests", "need", "A keynote");
    let answer = json!({ "request": request, "answer": "confirmed", "days": 2 });
    save(south, &days, "", &json!([add("answers", answer)])).expect("answered");
    assert_eq!(needs("hub lead", ""), [NeedKind::ReturnDue]);

    // Two cards are likely the same person.
    person(south, PARTICIPANT);
    assert_eq!(
        needs("hub lead", ""),
        [NeedKind::ReturnDue, NeedKind::SamePerson]
    );
    assert_eq!(needs("senior link", ""), []);
    let status = desk(south, "senior link", "").status().expect("a status");
    assert_eq!(
        (status.hub.as_str(), status.is_coordinator),
        ("south-yorkshire", false)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn desk_status_is_never_in_sync_while_anything_is_unsent() {
    let mut world = south().await;
    world.stop_coordinator().await;
    let south = world.hub("south-yorkshire");
    let days = json!({ "title": "South", "code": "south-yorkshire" });
    let network: SpaceId = space(south, SpaceKind::Network);
    make(south, "hub-profile", &network.to_string(), &days);
    let status = desk(south, "senior link", "").status().expect("a status");
    assert!(!status.in_sync && status.not_sent == 1, "{status:?}");
    assert!(
        status
            .oldest_unsent_ms
            .is_some_and(|time| time > 1_600_000_000_000)
    );
    world.start_coordinator().await;
    tests::world::until("everything is sent", || {
        let desk = desk(world.hub("south-yorkshire"), "senior link", "");
        desk.status()
            .is_ok_and(|it| it.in_sync && it.oldest_unsent_ms.is_none())
    })
    .await;
}
