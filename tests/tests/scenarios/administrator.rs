//! An administrator's scenarios.

use std::collections::BTreeMap;

use node::Node;
use node::records::{ReturnWanted, SheetToImport};
use node::restore::Restore;
use node_domain::Sheet;
use node_feed::{Access, SpaceKind};
use serde_json::{Value, json};
use tests::world::until;

use crate::records::{
    SOUTH, WEST, add, each, edit, edit_at, field, heads, holds, items, make, make_in, open, person,
    refused, set, titles, world_of,
};

/// Names that one school has, and names that two schools have, each in a town of its own.
const OWN_NAMES: [&str; 25] = [
    "Ashwickham",
    "Brindlowe",
    "Cawthornley",
    "Dunsopdale",
    "Eastringby",
    "Felkirkham",
    "Gristlewood",
    "Hathersedge",
    "Ingbirchley",
    "Jumpleside",
    "Kettlethorpe",
    "Langsettle",
    "Midhopeby",
    "Netherwentham",
    "Oxspringley",
    "Penistonham",
    "Quarmbydale",
    "Ringinglowe",
    "Silkstonby",
    "Thurgoland",
    "Ughillside",
    "Victoria Moor",
    "Wortleyham",
    "Yewstock",
    "Zealfield",
];
const SHARED_NAMES: [&str; 7] = [
    "St Mary's CofE Primary School",
    "St John's CofE Primary School",
    "Holy Trinity Catholic Primary School",
    "All Saints CofE Junior School",
    "St Peter's Catholic Primary School",
    "Park Lane Primary School",
    "Church Hill Infant School",
];
const TOWNS: [&str; 2] = ["Dunford", "Elmsby"];

/// A register as it is downloaded, with the links from closed schools to their successors.
fn register() -> (String, String) {
    let mut register = String::from(
        "\"URN\",\"LA (name)\",\"EstablishmentName\",\"EstablishmentStatus (name)\",\
         \"PhaseOfEducation (name)\",\"Town\",\"Postcode\"\r\n",
    );
    let mut row = |urn: usize, name: &str, status: &str, town: &str| {
        let postcode = format!("S{} {}AB", urn % 90 + 1, urn % 9 + 1);
        register += &format!(
            "\"{urn}\",\"Barnby\",\"{name}\",\"{status}\",\"Primary\",\"{town}\",\"{postcode}\"\r\n"
        );
    };
    for (number, name) in OWN_NAMES.iter().enumerate() {
        row(
            100_001 + number,
            &format!("{name} Primary School"),
            "Open",
            TOWNS[0],
        );
    }
    for (number, name) in SHARED_NAMES.iter().enumerate() {
        for (which, town) in TOWNS.iter().enumerate() {
            row(100_101 + 2 * number + which, name, "Open", town);
        }
    }
    row(
        100_201,
        "Old Quarryfield Primary School",
        "Closed",
        TOWNS[1],
    );
    row(100_202, "Limestone Academy", "Open", TOWNS[1]);
    let links = "URN,LinkURN,LinkType\r\n100201,100202,Successor\r\n".to_owned();
    (register, links)
}

/// Sixty applicants, their schools typed in many ways, and the URN that each means.
fn applicants() -> (Sheet, Vec<String>) {
    let mut rows = Vec::new();
    let mut urns = Vec::new();
    let mut applicant = |school: String, town: &str, urn: usize| {
        let number = rows.len() + 1;
        rows.push(vec![
            format!("Applicant Testname{number:02}"),
            format!("applicant{number:02}@example.org"),
            school,
            town.to_owned(),
            "Teacher".to_owned(),
        ]);
        urns.push(urn.to_string());
    };
    for (number, name) in OWN_NAMES.iter().enumerate() {
        let urn = 100_001 + number;
        let typed = match number % 5 {
            0 => format!("{name} Primary School"),
            1 => format!("{} PRIMARY", name.to_uppercase()),
            2 => format!("{name} Pri. Sch."),
            3 => format!("The {name} Primary Academy, {}", TOWNS[0]),
            _ => format!("{name} (URN {urn})"),
        };
        applicant(typed, "", urn);
        // With a slip of the pen; the town helps.
        let slipped = format!("{}{} Primary School", &name[..4], &name[5..]);
        applicant(slipped, TOWNS[0], urn);
    }
    for _ in 0..3 {
        applicant("Old Quarryfield Primary".to_owned(), "", 100_202);
    }
    for (number, name) in SHARED_NAMES.iter().enumerate() {
        applicant((*name).to_owned(), "", 100_101 + 2 * number + number % 2);
    }
    let headers = ["Name", "Email", "School", "Town", "Job"].map(str::to_owned);
    (Sheet::new(headers.to_vec(), rows), urns)
}

fn import(node: &Node, group: &str, name: &str, content: &[u8], answers: &Value) -> Value {
    import_as(node, group, (name, content), answers, false)
}

fn import_as(
    node: &Node,
    group: &str,
    (name, content): (&str, &[u8]),
    answers: &Value,
    dry_run: bool,
) -> Value {
    let imported = node.import_sheet(&SheetToImport {
        record: group.to_owned(),
        list: "members".to_owned(),
        name: name.to_owned(),
        content: content.to_vec(),
        answers: answers.to_string(),
        dry_run,
        ..SheetToImport::default()
    });
    imported.expect("an import")
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_import_applicants() {
    let world = world_of(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let (register, links) = register();
    let (at, links_at) = (world.path("register.csv"), world.path("links.csv"));
    std::fs::write(&at, register).expect("a register");
    std::fs::write(&links_at, links).expect("links");
    let known = south
        .import_register(&at, Some(&links_at), &[], false)
        .expect("a register");
    assert_eq!((&known["new"], &known["wrong"]), (&json!(41), &json!(0)));

    let group = make(south, "work-group", &json!({ "title": "Ratio" }));
    let (sheet, urns) = applicants();
    let csv = sheet.write_csv();
    let xlsx = sheet.write_xlsx("Applicants").expect("a workbook");
    let none = json!({});
    let rows = |imported: &Value, outcome: &str| {
        let rows = imported["rows"].as_array().cloned().unwrap_or_default();
        let rows = rows.into_iter().filter(|row| row["outcome"] == outcome);
        rows.collect::<Vec<_>>()
    };
    let count = |imported: &Value, outcome: &str| rows(imported, outcome).len();

    // A dry run says the same and does nothing; a workbook comes to what the text file comes to.
    for (name, content) in [("applicants.csv", &csv), ("applicants.xlsx", &xlsx)] {
        let dry = import_as(south, &group, (name, content), &none, true);
        assert_eq!(dry["problems"], json!([]), "{name}");
        let strange = dry["rows"].as_array().into_iter().flatten();
        let strange = strange
            .filter(|row| row["outcome"] != "new")
            .collect::<Vec<_>>();
        assert_eq!(
            (count(&dry, "new"), count(&dry, "asked")),
            (53, 7),
            "{name}: {strange:?}"
        );
    }
    assert_eq!(items(south, &group, "members"), [Value::Null; 0]);
    assert_eq!(titles(south, "person", ""), [""; 0]);

    let first = import(south, &group, "applicants.csv", &csv, &none);
    assert_eq!((&first["done"], &first["failed"]), (&json!(53), &json!(0)));
    // Seven are asked, each with the schools that may be meant.
    let questions = first["questions"].as_array().expect("questions");
    assert_eq!(each(questions, "typed"), SHARED_NAMES);
    for question in questions {
        let candidates = question["candidates"].as_array().expect("candidates");
        assert!(candidates.len() >= 2, "{question}");
    }
    // Closed schools show their successor.
    let rows_told = first["rows"].as_array().expect("rows");
    let told = rows_told.iter().filter(|row| {
        let told = row["told"].as_str().unwrap_or_default();
        told.contains("closed") && told.contains("Limestone Academy") && told.contains("100202")
    });
    assert_eq!(told.count(), 3);

    let answers = SHARED_NAMES
        .iter()
        .enumerate()
        .map(|(number, name)| ((*name).to_owned(), json!(urns[53 + number])));
    let answers = Value::Object(answers.collect());
    let second = import(south, &group, "applicants.csv", &csv, &answers);
    assert_eq!((&second["done"], count(&second, "same")), (&json!(7), 53));

    // URNs are matched, each to the school that was meant.
    let check = |group: &str| {
        let members = items(south, group, "members");
        assert_eq!(members.len(), 60);
        let by_person = members
            .iter()
            .map(|it| (it["person"].as_str(), it["urn"].as_str()));
        let by_person = by_person.collect::<BTreeMap<_, _>>();
        let listed = south.list_records("person", "").expect("people");
        assert_eq!(listed.len(), 60);
        for card in listed {
            let number = card.title.trim_start_matches("Applicant Testname");
            let number = number.parse::<usize>().expect("a number") - 1;
            let id = card.id.to_string();
            let urn = by_person.get(&Some(id.as_str())).copied().flatten();
            assert_eq!(
                urn,
                Some(urns[number].as_str()),
                "{}",
                sheet.rows[number].cells[2]
            );
        }
    };
    check(&group);

    // The same file adds nothing, nor does the same table as a workbook.
    for (name, content) in [("applicants.csv", &csv), ("applicants.xlsx", &xlsx)] {
        for answers in [&none, &answers] {
            let again = import(south, &group, name, content, answers);
            assert_eq!(
                (&again["done"], &again["people_made"]),
                (&json!(0), &json!(0)),
                "{name}"
            );
            assert_eq!(count(&again, "same"), 60, "{name}");
        }
    }
    check(&group);
    let other = make(south, "work-group", &json!({ "title": "Mastery" }));
    let imported = import(south, &other, "applicants.xlsx", &xlsx, &answers);
    assert_eq!(
        (&imported["done"], &imported["people_made"]),
        (&json!(60), &json!(0))
    );
    check(&other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a2_last_place() {
    let world = world_of(&[SOUTH, WEST]).await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let operations = world.coordinator().operations();
    let pair = operations
        .create_space(SpaceKind::Pair, "South and west")
        .expect("a space");
    for hub in [SOUTH, WEST] {
        operations.grant(pair, hub, Access::Write).expect("access");
        until("the hub may write there", || {
            world
                .hub(hub)
                .spaces()
                .is_ok_and(|spaces| spaces.iter().any(|it| it.id == pair && it.may_write))
        })
        .await;
    }
    let member = |id: &str| json!({ "id": id, "organisation": format!("School {id}") });
    let group = json!({
        "title": "Ratio", "places": 2, "members": [member("o"), member("p"), member("q")],
        "statuses": [{ "member": "o", "status": "accepted", "as_at": "2027-01-04" }],
    });
    let accept = |school: &str| {
        json!([add(
            "statuses",
            &json!({
                "member": school, "status": "accepted", "as_at": "2027-01-05",
            })
        )])
    };
    let statuses = |node: &Node, id: &str| {
        let items = items(node, id, "statuses");
        let said = items.iter().map(|it| {
            let word = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
            (word("member"), word("status"))
        });
        said.collect::<BTreeMap<_, _>>()
    };
    let expected = |status: &[(&str, &str)]| {
        let owned = status
            .iter()
            .map(|(member, status)| ((*member).to_owned(), (*status).to_owned()));
        owned.collect::<BTreeMap<_, _>>()
    };
    let outcome = expected(&[("o", "accepted"), ("p", "accepted"), ("q", "waiting")]);

    // Two pages of one hub, both made while one place was left.
    let own = make(south, "work-group", &group);
    assert_eq!(field(south, &own, "places")["taken"], 1);
    let page = heads(south, &own);
    assert_eq!(edit_at(south, &own, &page, &accept("p")), [""; 0]);
    let notes = edit_at(south, &own, &page, &accept("q"));
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].contains("no place left for 'School q'"),
        "{notes:?}"
    );
    assert!(notes[0].contains("'waiting' was entered"), "{notes:?}");
    assert_eq!(statuses(south, &own), outcome);
    assert_eq!(field(south, &own, "places")["taken"], 2);

    // Two hubs of one group, both offline; the south holds the place.
    let shared = make_in(south, "work-group", &pair.to_string(), &group);
    world.agree(pair).await;
    south.pause(true);
    west.pause(true);
    let notes = edit(west, &shared, &accept("q"));
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].contains("no place left for 'School q'"),
        "{notes:?}"
    );
    assert_eq!(edit(south, &shared, &accept("p")), [""; 0]);
    south.pause(false);
    west.pause(false);
    world.agree(pair).await;
    for node in [south, west] {
        assert_eq!(statuses(node, &shared), outcome);
        assert_eq!(field(node, &shared, "places")["taken"], 2);
    }

    // Once the place is passed on, it is the other hub that can accept.
    let withdraw = json!([add(
        "statuses",
        &json!({
            "member": "p", "status": "withdrawn", "as_at": "2027-01-06",
        })
    )]);
    assert_eq!(edit(south, &shared, &withdraw), [""; 0]);
    let to = west.hub().expect("connected").to_string();
    edit(
        south,
        &shared,
        &json!([{ "do": "pass", "field": "places", "to": to, "count": 1 }]),
    );
    world.agree(pair).await;
    assert_eq!(edit(west, &shared, &accept("q")), [""; 0]);
    assert_eq!(
        edit(
            south,
            &shared,
            &json!([add(
                "statuses",
                &json!({
                    "member": "p", "status": "accepted", "as_at": "2027-01-07",
                })
            )])
        )
        .len(),
        1
    );
    world.agree(pair).await;
    assert_eq!(field(south, &shared, "places")["taken"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a4_sign_up_is_not_completion() {
    let world = world_of(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let urn = |number: usize| (100_000 + number).to_string();
    let group = |title: &str, phase: &str, schools: &[usize]| {
        let member = |number: &usize| json!({ "id": urn(*number), "organisation": format!("School {number}"), "urn": urn(*number) });
        let members = schools.iter().map(member).collect::<Value>();
        make(
            south,
            "work-group",
            &json!({ "title": title, "phase": phase, "members": members }),
        )
    };
    let say = |group: &str, schools: &[usize], status: &str, as_at: &str| {
        let said = schools.iter().map(|number| {
            add(
                "statuses",
                &json!({ "member": urn(*number), "status": status, "as_at": as_at }),
            )
        });
        edit(south, group, &said.collect());
    };
    // Forty schools by February, one of them in both groups; two more that do not count then.
    let first = (1..=25).collect::<Vec<_>>();
    let second = (25..=40).collect::<Vec<_>>();
    let primary = group("Ratio", "primary", &[&first[..], &[41, 42]].concat());
    let secondary = group("Proof", "secondary", &second);
    say(&primary, &first, "applied", "2026-11-02");
    say(&secondary, &second[..10], "accepted", "2027-01-11");
    say(&secondary, &second[10..], "waiting", "2027-02-28");
    say(&primary, &[41], "applied", "2026-11-02");
    say(&primary, &[41], "withdrawn", "2027-02-01");
    say(&primary, &[42], "applied", "2027-03-01");
    // Thirty-one finish by August: 1 to 20, and 25 to 35; one more too late.
    say(&primary, &first[..20], "completed", "2027-07-09");
    say(&secondary, &second[..11], "completed", "2027-07-16");
    say(&primary, &[21], "completed", "2027-09-01");

    let total = |fields: &Value| {
        let cells = fields["cells"].as_array().cloned().unwrap_or_default();
        let total = cells.iter().find(|cell| cell["cell"] == "total");
        total.map(|cell| cell["value"].clone()).expect("a total")
    };
    let run = |measure: &str, as_at: &str| {
        let wanted = ReturnWanted {
            measure: measure.to_owned(),
            period: "2026-27".to_owned(),
            as_at: as_at.to_owned(),
            ..ReturnWanted::default()
        };
        let computed = south.compute_return(&wanted, true).expect("computed");
        let id = computed.kept.expect("kept").id.to_string();
        (id, total(&computed.fields))
    };
    let (february, signed_up) = run("schools-signed-up", "2027-02-28");
    let (august, completed) = run("schools-completed", "2027-08-31");
    assert_eq!((signed_up, completed), (json!(40), json!(31)));
    // Nobody had completed in February, however many had signed up.
    assert_eq!(run("schools-completed", "2027-02-28").1, json!(0));

    // Later work, and late entries for earlier days, change neither: each can be reproduced.
    say(&primary, &first[20..24], "completed", "2027-08-30");
    say(&secondary, &[40], "withdrawn", "2027-02-28");
    group("A group of next year", "primary", &[43, 44]);
    for (id, number, question) in [(&february, 40, "signed up"), (&august, 31, "completed")] {
        let again = south.reproduce_return(id).expect("reproduced");
        assert_eq!(
            (&again["same"], total(&again)),
            (&json!(true), json!(number))
        );
        assert_eq!(again["records"], 2);
        assert!(
            again["question"]
                .as_str()
                .is_some_and(|it| it.contains(question)),
            "{again}"
        );
        assert_eq!(
            total(&south.show_record(id).expect("kept").fields),
            json!(number)
        );
    }
    // What is counted anew sees them.
    assert_eq!(run("schools-completed", "2027-08-31").1, json!(35));
    assert_eq!(run("schools-signed-up", "2027-02-28").1, json!(39));
}

#[tokio::test(flavor = "multi_thread")]
async fn a7_ledger() {
    let world = world_of(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let partner = make(south, "partner", &json!({ "title": "Harbour Alliance" }));
    let commission = make(
        south,
        "commission",
        &json!({
            "title": "Early years", "partner": partner, "budget": "£4,000.00",
        }),
    );
    let line = |kind: &str, pence: i64, reference: &str| {
        let values = json!({
            "kind": kind, "from": "Harbour Alliance", "to": "hub", "pence": pence,
            "reference": reference, "period": "2026-27",
        });
        add("money", &values)
    };
    edit(
        south,
        &commission,
        &json!([
            line("commitment", 400_000, "C-1"),
            line("invoice", 50_000, "INV-16"),
            set("state", &json!("offered")),
        ]),
    );
    for state in ["accepted", "active"] {
        edit(south, &commission, &json!({ "state": state }));
    }
    assert_eq!(open(south, &commission, "!same-invoice"), [Value::Null; 0]);

    // Two people enter one invoice, each on a page that did not show the other's entry.
    let page = heads(south, &commission);
    for _ in 0..2 {
        edit_at(
            south,
            &commission,
            &page,
            &json!([line("invoice", 120_000, "INV-17")]),
        );
    }
    let flagged = open(south, &commission, "!same-invoice");
    assert_eq!(flagged.len(), 1, "flagged while nothing is paid");
    let versions = flagged[0]["versions"].as_array().expect("both lines");
    assert_eq!(versions.len(), 2);
    for version in versions {
        assert_eq!(
            (&version["value"]["reference"], &version["hub"]),
            (&json!("INV-17"), &json!(SOUTH))
        );
        assert!(version["time_ms"].as_u64().is_some_and(|time| time > 0));
    }
    let path = flagged[0]["field"].as_str().expect("a path").to_owned();

    // No line is changed or taken out: a correction is a new one.
    let money = items(south, &commission, "money");
    let twice = money[3]["id"].as_str().expect("an id");
    for wrong in [
        set(&format!("money/{twice}/pence"), &json!(0)),
        json!({ "do": "remove", "field": "money", "item": twice }),
        json!({ "do": "move", "field": "money", "item": twice }),
    ] {
        let why = refused(south.edit_record(&commission, "", &json!([wrong]).to_string()));
        assert!(why.contains("a correction is a new item"), "{why}");
    }
    let mut correction = line("correction", -120_000, "INV-17");
    correction["values"]["corrects"] = json!(twice);
    edit(south, &commission, &json!([correction]));
    assert_eq!(items(south, &commission, "money")[..4], money[..]);
    south
        .settle_with(&commission, &path, "null", "")
        .expect("it was looked at");
    assert_eq!(open(south, &commission, "!same-invoice"), [Value::Null; 0]);
    edit(
        south,
        &commission,
        &json!([
            line("payment", 120_000, "INV-17"),
            line("payment", 50_000, "INV-16")
        ]),
    );

    // The sum per category is the sum of its lines.
    let mut expected = BTreeMap::<String, (i64, u64)>::new();
    for line in items(south, &commission, "money") {
        let kind = line["kind"].as_str().expect("a kind").to_owned();
        let (sum, count) = expected.entry(kind).or_default();
        *sum += line["pence"].as_i64().expect("pence");
        *count += 1;
    }
    let by_hand = [
        ("commitment", (400_000, 1)),
        ("correction", (-120_000, 1)),
        ("invoice", (290_000, 3)),
        ("payment", (170_000, 2)),
    ];
    let by_hand = by_hand.map(|(kind, sums)| (kind.to_owned(), sums));
    assert_eq!(expected, BTreeMap::from(by_hand));
    let more = south.show_record(&commission).expect("the commission").more;
    let sums = more["sums"].as_array().expect("sums").iter().map(|it| {
        let sum = (
            it["sum"].as_i64().unwrap_or(0),
            it["items"].as_u64().unwrap_or(0),
        );
        (it["value"].as_str().unwrap_or_default().to_owned(), sum)
    });
    assert_eq!(sums.collect::<BTreeMap<_, _>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_restore() {
    const NAME: &str = "Erasa Planted-Vanishwell";
    let mut world = world_of(&[SOUTH]).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    let text = space.to_string();
    let practice = |node: &Node, space: &str, title: &str| {
        make_in(node, "practice", space, &json!({ "title": title }))
    };
    let south = world.hub(SOUTH);
    practice(south, &text, "Shared before");
    let kept = practice(south, "", "Our own, before");
    let erased = person(south, NAME);
    assert!(holds(&world, SOUTH, NAME), "the search finds what is there");
    let backup = world.path("last-night.db");
    south.backup(&backup, &[]).expect("a backup");
    assert_eq!(south.lost().expect("a status"), None);

    // The day after: shared work, work of the hub alone, and a person who is erased.
    practice(south, &text, "Shared after");
    edit(south, &kept, &json!({ "body": "Edited after." }));
    practice(south, "", "Our own, after");
    south.erase(&[&erased]).expect("erased");
    let coordinator = world.coordinator().operations().node();
    until("everything shared is sent", || {
        south.status().is_ok_and(|status| status["not_sent"] == 0)
    })
    .await;
    assert!(coordinator.show_record(&erased).is_err());
    assert!(
        !holds(&world, "coordinator", NAME),
        "an erasure says nothing of the person"
    );
    world.stop_hub(SOUTH).await;

    // The store can still be read: what is lost is listed record by record.
    let data = world.path(SOUTH);
    let restore = Restore::prepare(&data, &backup, None).expect("the backup is whole");
    let lost = restore.lost().expect("the folder is connected").clone();
    assert!(lost.known);
    let mut named = lost
        .records
        .iter()
        .map(|it| (it.title.as_str(), it.changes))
        .collect::<Vec<_>>();
    named.sort_unstable();
    assert_eq!(named, [("Our own, after", 1), ("Our own, before", 1)]);
    drop(restore);

    // The disk died: nobody can say what was lost, only since when.
    for file in std::fs::read_dir(&data).expect("a folder") {
        let file = file.expect("a file").path();
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.starts_with("store.db") || name.starts_with("projections") {
            std::fs::remove_file(&file).expect("gone");
        }
    }
    let restore = Restore::prepare(&data, &backup, None).expect("the backup is whole");
    let lost = restore.lost().expect("the folder is connected").clone();
    assert!(
        !lost.known && lost.since_ms > 0 && lost.records.is_empty(),
        "{lost:?}"
    );
    restore.commit().expect("restored");
    assert!(
        holds(&world, SOUTH, NAME),
        "the backup still knew the person"
    );
    world.start_hub(SOUTH);
    let south = world.hub(SOUTH);

    // Shared records come back, the erased person does not, and what is lost is told.
    until("what was shared is back", || {
        titles(south, "practice", &text) == ["Shared after", "Shared before"]
    })
    .await;
    until("the person is erased again", || {
        south.show_record(&erased).is_err()
    })
    .await;
    assert_eq!(titles(south, "person", ""), [""; 0]);
    until("the name is in no file", || !holds(&world, SOUTH, NAME)).await;
    assert_eq!(south.lost().expect("a status"), Some(lost.clone()));
    let status = south.status().expect("a status");
    assert_eq!(
        status["lost_by_restoring"]["since_ms"],
        json!(lost.since_ms)
    );
    assert_eq!(
        titles(south, "practice", ""),
        ["Our own, before", "Shared after", "Shared before"]
    );
    assert_eq!(field(south, &kept, "body"), "");

    // And the node goes on.
    practice(south, &text, "Shared later");
    practice(south, "", "Our own, later");
    world.agree(space).await;
    assert_eq!(
        titles(world.coordinator().operations().node(), "practice", &text).len(),
        3
    );
}
