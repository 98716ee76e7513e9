//! Bringing records in by the pages: A1, from the file to the group.

use node_domain::Sheet;
use serde_json::json;
use tests::world::World;

use crate::asking::{Answer, Site};

const SOUTH: &str = "south-yorkshire";
/// Names that two schools have, each in a town of its own.
const SHARED: [&str; 7] = [
    "St Mary's CofE Primary School",
    "St John's CofE Primary School",
    "Holy Trinity Catholic Primary School",
    "All Saints CofE Junior School",
    "St Peter's Catholic Primary School",
    "Park Lane Primary School",
    "Church Hill Infant School",
];
const TOWNS: [&str; 2] = ["Dunford", "Elmsby"];
const NAMES: [&str; 10] = [
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
];

fn register() -> (String, String) {
    let mut text = String::from(
        "\"URN\",\"LA (name)\",\"EstablishmentName\",\"EstablishmentStatus (name)\",\
         \"PhaseOfEducation (name)\",\"Town\",\"Postcode\"\r\n",
    );
    let mut row = |urn: usize, name: &str, status: &str, town: &str| {
        text += &format!(
            "\"{urn}\",\"Barnby\",\"{name}\",\"{status}\",\"Primary\",\"{town}\",\"S1 2AB\"\r\n"
        );
    };
    for (at, name) in NAMES.iter().enumerate() {
        row(
            100_001 + at,
            &format!("{name} Primary School"),
            "Open",
            TOWNS[0],
        );
    }
    for (at, name) in SHARED.iter().enumerate() {
        for (which, town) in TOWNS.iter().enumerate() {
            row(100_101 + 2 * at + which, name, "Open", town);
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
    (text, links)
}

/// Sixty: fifty whose school has one name, three of a closed one, seven where two may be meant.
fn applicants() -> Vec<u8> {
    let mut rows = Vec::new();
    let mut add = |school: String| {
        let number = rows.len() + 1;
        rows.push(vec![
            format!("Applicant Testname{number:02}"),
            format!("applicant{number:02}@example.org"),
            school,
        ]);
    };
    for at in 0..50 {
        let name = NAMES[at % NAMES.len()];
        add(match at % 3 {
            0 => format!("{name} Primary School"),
            1 => format!("{} PRIMARY", name.to_uppercase()),
            _ => format!("{name} Pri. Sch."),
        });
    }
    for _ in 0..3 {
        add("Old Quarryfield Primary".to_owned());
    }
    for name in SHARED {
        add(name.to_owned());
    }
    let headers = ["Name", "Email", "School"].map(str::to_owned);
    Sheet::new(headers.to_vec(), rows).write_csv()
}

fn tags(page: &Answer, words: &str) -> usize {
    page.body.matches(&format!(">{words}</strong>")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_sixty_applicants_are_looked_at_asked_about_and_brought_in_once() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let node = world.hub(SOUTH).clone();
    let site = Site::of(&node).await;

    // The national register, with what became of schools that closed.
    let (register, links) = register();
    let files: &[(&str, &str, &[u8])] = &[
        ("file", "edubase.csv", register.as_bytes()),
        ("links", "links.csv", links.as_bytes()),
    ];
    let sent = site.send("/import/schools", &[("areas", "")], files).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let check = sent.location().to_owned();
    let looked = site.get(&check).await;
    assert!(looked.has("It would add 26 schools"), "{}", looked.body);
    let begun = site.post(&check, &[("do", "import")]).await;
    let done = site.until_done(begun.location()).await;
    assert!(done.has("26 schools were added"), "{}", done.body);

    let group = node.create_record("work-group", "", &json!({ "title": "Ratio" }).to_string());
    let group = group.expect("a group").id.to_string();
    let members = |node: &node::Node| {
        let shown = node.show_record(&group).expect("the group");
        shown.fields["members"].as_array().map_or(0, Vec::len)
    };

    // Nothing is added before somebody says so.
    let csv = applicants();
    let send = async || {
        let files: &[(&str, &str, &[u8])] = &[("file", "applicants.csv", &csv)];
        let sent = site
            .send("/import/members", &[("group", &group)], files)
            .await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        sent.location().to_owned()
    };
    let check = send().await;
    let looked = site.get(&check).await;
    assert!(
        looked.has("It would add 53 and change 0"),
        "{}",
        looked.body
    );
    assert!(looked.has("7 rows wait for your answer"), "{}", looked.body);
    assert_eq!(
        (tags(&looked, "Added"), tags(&looked, "Your answer")),
        (53, 7)
    );
    assert_eq!(
        looked.body.matches("<fieldset").count(),
        7,
        "seven schools are asked"
    );
    assert!(
        looked.has("Limestone Academy"),
        "a closed school shows its successor"
    );
    assert_eq!(members(&node), 0);

    // Answers are kept while one looks again.
    let answers = SHARED.iter().enumerate().map(|(at, name)| {
        (
            format!("school/{name}"),
            (100_101 + 2 * at + at % 2).to_string(),
        )
    });
    let answers = answers.collect::<Vec<_>>();
    let mut said = answers
        .iter()
        .map(|(name, urn)| (name.as_str(), urn.as_str()))
        .collect::<Vec<_>>();
    said.push(("do", "look"));
    let again = site.post(&check, &said).await;
    let looked = site.get(again.location()).await;
    assert!(looked.has("It would add 60"), "{}", looked.body);
    let begun = site.post(&check, &[("do", "import")]).await;
    let done = site.until_done(begun.location()).await;
    assert!(done.has("60 rows were brought in"), "{}", done.body);
    assert_eq!(members(&node), 60);
    let shown = node.show_record(&group).expect("the group");
    let urns = shown.fields["members"].as_array().into_iter().flatten();
    let urns = urns.filter_map(|it| it["urn"].as_str()).collect::<Vec<_>>();
    assert_eq!(urns.iter().filter(|it| **it == "100202").count(), 3);
    for (_, urn) in &answers {
        assert!(urns.contains(&urn.as_str()), "{urn}");
    }

    // The same file adds nothing.
    let looked = site.get(&send().await).await;
    assert!(
        !looked.has("value=\"import\"") || looked.has("It would add 0 and change 0"),
        "{}",
        looked.body
    );
    assert_eq!(tags(&looked, "Added"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_may_be_taken_for_something_else_and_bad_rows_are_told_one_by_one() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let node = world.hub(SOUTH).clone();
    let site = Site::of(&node).await;
    let csv = "Strange,Phase\r\nRatio,primary\r\nFractions,nursery school\r\n,primary\r\n";
    let files: &[(&str, &str, &[u8])] = &[("file", "groups.csv", csv.as_bytes())];
    let sent = site.send("/import/work-groups", &[], files).await;
    let check = sent.location().to_owned();
    let looked = site.get(&check).await;
    assert!(
        looked.has("The sheet cannot be read as it is"),
        "{}",
        looked.body
    );
    site.post(&check, &[("column/Strange", "title"), ("do", "look")])
        .await;
    let looked = site.get(&check).await;
    assert!(looked.has("It would add 1"), "{}", looked.body);
    assert!(tags(&looked, "Not taken") >= 1, "{}", looked.body);
    let begun = site.post(&check, &[("do", "import")]).await;
    let done = site.until_done(begun.location()).await;
    assert!(
        done.has("1 row was brought in") && done.has("Row 3"),
        "{}",
        done.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_are_turned_away_with_a_sentence() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let node = world.hub(SOUTH).clone();
    let site = Site::of(&node).await;
    // Without the proof that the form is from here nothing is even written.
    let files: &[(&str, &str, &[u8])] = &[("file", "x.csv", b"Name\r\nA\r\n")];
    let forged = site
        .send_as_it_is("/import/people", &[("csrf", "0")], files)
        .await;
    assert_eq!(forged.status, 403, "{}", forged.body);
    let without = site.send_as_it_is("/import/people", &[], files).await;
    assert_eq!(without.status, 403, "{}", without.body);
    // A form that is none, no file, too large a file.
    let none = site.post("/import/people", &[("file", "x")]).await;
    assert_eq!(none.status, 422, "{}", none.body);
    let empty = site.send("/import/people", &[], &[("file", "", b"")]).await;
    assert!(
        empty.status == 200 && empty.has("Choose a file"),
        "{}",
        empty.body
    );
    let large = vec![b'a'; (16 << 20) + 1];
    let large = site
        .send("/import/people", &[], &[("file", "x.csv", &large)])
        .await;
    assert_eq!(large.status, 413);
    // What only looks like a workbook, and a name that would lead elsewhere.
    for (name, content) in [
        ("bomb.xlsx", &b"PK\x03\x04 not a workbook"[..]),
        ("../../etc/passwd", &b"\x00\xff\xfe\x00"[..]),
        (
            "<script>alert(1)</script>.csv",
            &b"Name\r\n<script>alert(1)</script>\r\n"[..],
        ),
    ] {
        let sent = site
            .send("/import/people", &[], &[("file", name, content)])
            .await;
        if sent.status == 303 {
            let looked = site.get(sent.location()).await;
            assert!(
                looked.status == 200 || looked.status == 422,
                "{name}: {}",
                looked.status
            );
            assert!(!looked.has("<script>alert"), "{name}");
        } else {
            assert_eq!(sent.status, 422, "{name}");
        }
    }
    // Another's file is not to be had, nor one that never was.
    assert_eq!(site.get("/import/check/1").await.status, 410);
    let gone = std::fs::read_dir(node.folder().join("received"))
        .into_iter()
        .flatten()
        .count();
    assert!(gone <= 4, "{gone} files are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_account_the_latest_files_wait_and_the_oldest_go() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let site = Site::of(&world.hub(SOUTH).clone()).await;
    let files: &[(&str, &str, &[u8])] = &[("file", "x.csv", b"Name\r\nA\r\n")];
    let mut pages = Vec::new();
    for _ in 0..5 {
        let sent = site.send("/import/people", &[], files).await;
        pages.push(sent.location().to_owned());
    }
    assert_eq!(site.get(&pages[0]).await.status, 410);
    for page in &pages[1..] {
        assert_eq!(site.get(page).await.status, 200, "{page}");
    }
    // What is said of one is kept, but not without end.
    let long = "x".repeat(1 << 20);
    let mut answers = Vec::new();
    for name in ["column/a", "column/b", "column/c"] {
        answers.push(site.post(&pages[1], &[(name, &long)]).await.status);
    }
    assert_eq!(answers, [303, 422, 422]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_bring_records_in_is_refused() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let node = world.hub(SOUTH).clone();
    let site = Site::in_role(&node, None, "senior link").await;
    for path in [
        "/import",
        "/import/people",
        "/settings",
        "/start/connect",
        "/start/restore",
    ] {
        assert_eq!(site.get(path).await.status, 403, "{path}");
    }
    let files: &[(&str, &str, &[u8])] = &[("file", "x.csv", b"Name\r\nA\r\n")];
    assert_eq!(site.send("/import/people", &[], files).await.status, 403);
    assert_eq!(
        site.post("/export", &[("what", "everything")]).await.status,
        403
    );
    assert_eq!(site.post("/settings/backup", &[]).await.status, 403);
}
