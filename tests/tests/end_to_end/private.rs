//! What is private stays where it is.

use serde_json::json;
use tests::world::World;

const PLANTED: &str = "Quillon Ashgrove-Planted";
const CONTROL: &str = "Control value in a shared record";

/// Whether any file below `folder` holds `text` in its bytes.
fn holds(folder: &std::path::Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).expect("a folder");
    files
        .filter_map(|entry| std::fs::read(entry.expect("an entry").path()).ok())
        .any(|bytes| {
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_published_without_what_is_private_and_only_after_signing() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, project) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let south = world.hub("south-yorkshire");
    let text = space.to_string();
    let person = json!({ "name": PLANTED, "email": "quillon@example.org" }).to_string();
    let person = south
        .create_record("person", "", &person)
        .expect("a person")
        .id
        .to_string();
    let group = json!({
        "title": CONTROL, "project": "NCP24-11", "phase": "primary", "notes": PLANTED,
        "leaders": [{ "person": person }],
        "sessions": [{ "date": "2027-01-12", "state": "held" }, { "date": "2027-02-09" }],
        "members": [{ "organisation": "A school", "urn": "100001" }],
    });
    let group = south
        .create_record("work-group", "", &group.to_string())
        .expect("a group")
        .id;
    let group = group.to_string();
    let refused = south
        .publish_record(&group, &text, true, "")
        .expect_err("nothing is signed");
    assert!(refused.to_string().contains("has not signed"), "{refused}");

    let agreed = ["title", "project", "phase", "sessions_held", "schools"];
    let listed =
        agreed.map(|field| json!({ "do": "include", "field": "agreed_fields", "element": field }));
    let coordinator = world.coordinator().operations().node();
    coordinator
        .edit_record(&project, "", &json!(listed).to_string())
        .expect("listed");
    world.agree(space).await;
    let signature =
        json!([{ "do": "include", "field": "signatures", "element": "south-yorkshire" }]);
    south
        .edit_record(&project, "", &signature.to_string())
        .expect("signed");
    let preview = south
        .publish_record(&group, &text, false, "")
        .expect("a preview");
    assert_eq!(
        (&preview.leaves["sessions_held"], preview.id),
        (&json!(1), None)
    );
    assert!(!preview.leaves.to_string().contains(PLANTED));
    south
        .publish_record(&group, &text, true, "")
        .expect("published");
    world.agree(space).await;

    let named = json!({ "title": format!("For {PLANTED}") }).to_string();
    south.edit_record(&group, "", &named).expect("edited");
    let refused = south
        .publish_record(&group, &text, true, "")
        .expect_err("a person is named");
    assert!(!refused.to_string().is_empty());

    let figures = coordinator.figures().expect("figures");
    assert_eq!(figures, south.figures().expect("figures"));
    assert_eq!(figures[0]["sessions_held"], 1);
    assert!(coordinator.show_record(&group).is_err() && coordinator.show_record(&person).is_err());
    assert!(holds(&world.path("south-yorkshire"), PLANTED));
    assert!(
        holds(&world.path("coordinator"), CONTROL),
        "the search finds what is shared"
    );
    assert!(!holds(&world.path("coordinator"), PLANTED));
}
