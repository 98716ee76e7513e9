//! A kind needs no code beside its declaration.

use std::collections::BTreeSet;

use node_domain::KINDS;
use tests::reader::{Answer, Visitor, serve_pages, until_it_may_write};
use tests::world::World;

/// The most bytes of a page.
const PAGE_BYTES_MAX: usize = 150 * 1_024;

/// A word that only programs have a use for: an id or a hash.
fn id_in(page: &Answer) -> Option<String> {
    let text = page.text();
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let long = |word: &&str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        word.len() >= 16 && digits >= 2 && word.bytes().all(|byte| !byte.is_ascii_uppercase())
    };
    words.find(long).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_listed_shown_and_changed_without_an_id_or_too_much_on_a_page() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let node = east.clone();
    let made = tokio::task::spawn_blocking(move || node.sample(7, true)).await;
    made.expect("done").expect("a sample");
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let mut seen = BTreeSet::new();
    let mut paths = vec![
        "/all".to_owned(),
        "/search?q=reasoning".to_owned(),
        "/versions".to_owned(),
    ];
    for kind in KINDS {
        paths.push(format!("/{}?sort=-title&q=a", kind.slug()));
        let made = lead.get(&format!("/{}/new", kind.slug())).await;
        assert!(
            matches!(made.status, 200 | 403),
            "{}: {}",
            kind.name,
            made.text()
        );
        let records = east.list_records(kind.name, "").expect("listed");
        let Some(record) = records.first() else {
            continue;
        };
        seen.insert(kind.name);
        let path = format!("/{}/{}", kind.slug(), record.id);
        paths.push(format!("{path}/all"));
        paths.push(format!("{path}/history"));
        for section in kind.sections {
            let list = kind
                .field(section.fields[0])
                .filter(|field| field.items().is_some());
            match list {
                None => {
                    let answer = lead.get(&format!("{path}/change/{}", section.slug())).await;
                    assert!(
                        matches!(answer.status, 200 | 403),
                        "{path}: {}",
                        answer.text()
                    );
                    let inputs = answer.body.matches("class=\"field").count();
                    assert!(inputs <= 16, "{path}: {inputs} fields on one page");
                }
                Some(list) => {
                    paths.push(format!("{path}/items/{}", list.name));
                    let answer = lead.get(&format!("{path}/items/{}/new", list.name)).await;
                    assert!(
                        matches!(answer.status, 200 | 403),
                        "{path}: {}",
                        answer.text()
                    );
                }
            }
        }
    }
    assert!(
        seen.len() >= 11,
        "the sample has records of most kinds: {seen:?}"
    );
    for path in paths {
        let page = lead.read(&path).await;
        assert!(
            page.body.len() < PAGE_BYTES_MAX,
            "{path}: {} bytes",
            page.body.len()
        );
        assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
        assert_eq!(id_in(&page), None, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_narrowed_sorted_and_taken_out_as_it_is_shown() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    for (title, phase) in [
        ("Alpha", "primary"),
        ("Beta", "secondary"),
        ("Gamma", "primary"),
    ] {
        let json = format!(r#"{{"title": "{title}", "phase": "{phase}"}}"#);
        east.create_record("work-group", "", &json).expect("made");
    }
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    // The generic list; a kind with a page of its own has it at its own address.
    let page = lead.read("/organisations").await;
    assert!(page.says("organisation"), "{}", page.text());
    let csv = lead
        .get("/work-groups/export?format=csv&phase=primary&sort=-title")
        .await;
    assert_eq!(csv.status, 200);
    assert!(
        csv.body.contains("Alpha") && !csv.body.contains("Beta"),
        "{}",
        csv.body
    );
    let (alpha, gamma) = (csv.body.find("Alpha"), csv.body.find("Gamma"));
    assert!(gamma < alpha, "sorted the other way round");
    let found = lead.read("/search?q=gamm").await;
    assert!(
        found.says("1 record found") && found.says("Gamma"),
        "{}",
        found.text()
    );
}
