//! What a person saw is what they change, choose and publish.

use node::Node;
use node::records::RecordsError;
use serde_json::{Value, json};
use tests::world::{World, until};

fn edit(node: &Node, id: &str, heads: &str, fields: &Value) -> Result<String, RecordsError> {
    node.edit_record(id, heads, &fields.to_string())
        .map(|edited| edited.heads)
}

fn open_fields(node: &Node, id: &str) -> Vec<String> {
    let open = node.list_versions(id).expect("versions");
    let fields = open.as_array().into_iter().flatten();
    let fields = fields.map(|open| open["field"].as_str().unwrap_or_default().to_owned());
    fields.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_saved_from_an_older_page_stands_beside_what_came_in_since() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let south = world.hub("south-yorkshire");
    until("the hub has its own space", || {
        south.spaces().is_ok_and(|spaces| spaces.len() == 3)
    })
    .await;
    let person = json!({ "name": "Ada Ford", "email": "ada@example.org" }).to_string();
    let person = south.create_record("person", "", &person).expect("made").id;
    let person = person.to_string();
    let page = south.show_record(&person).expect("shown").heads;
    assert!(!page.is_empty());

    let newer = json!({ "name": "Ada Forde", "email": "forde@example.org" });
    let newer = edit(south, &person, &page, &newer).expect("the newest page");
    assert_eq!(south.show_record(&person).expect("shown").heads, newer);
    assert_eq!(open_fields(south, &person), [""; 0]);
    let older = json!({ "name": "Ada Fjord", "email": "fjord@example.org" });
    edit(south, &person, &page, &older).expect("an older page");
    assert_eq!(open_fields(south, &person), ["name", "email"]);

    let refused = south.settle_versions(&person, "name", 1, &newer);
    assert!(matches!(refused, Err(RecordsError::Stale)), "{refused:?}");
    let seen = south.list_versions(&person).expect("versions");
    let heads = seen[0]["heads"].as_str().expect("heads");
    let chosen = seen[0]["versions"][0]["value"].clone();
    south
        .settle_versions(&person, "name", 1, heads)
        .expect("settled");
    assert_eq!(
        open_fields(south, &person),
        ["email"],
        "the other field is still open"
    );
    south
        .settle_versions(&person, "email", 2, "")
        .expect("settled");
    assert_eq!(open_fields(south, &person), [""; 0]);
    let shown = south.show_record(&person).expect("shown").fields;
    assert_eq!(shown["name"], chosen);
    let unknown = "00".repeat(32);
    let refused = edit(south, &person, &unknown, &json!({ "name": "X" }));
    assert!(matches!(refused, Err(RecordsError::Heads)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_shown_is_published_once_and_under_another_name() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, project) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let south = world.hub("south-yorkshire");
    let coordinator = world.coordinator().operations().node();
    let text = space.to_string();
    let listed = ["title", "project"]
        .map(|field| json!({ "do": "include", "field": "agreed_fields", "element": field }));
    coordinator
        .edit_record(&project, "", &json!(listed).to_string())
        .expect("listed");
    world.agree(space).await;
    let signature = json!([
        { "do": "include", "field": "signatures", "element": "south-yorkshire" },
    ]);
    edit(south, &project, "", &signature).expect("signed");
    let group = json!({ "title": "Ratio", "project": "NCP24-11", "phase": "primary" });
    let group = south.create_record("work-group", "", &group.to_string());
    let group = group.expect("a group").id.to_string();

    let shown = south
        .publish_record(&group, &text, false, "")
        .expect("shown");
    assert!(!shown.leaves.to_string().contains(&group));
    edit(south, &group, "", &json!({ "title": "Ratio and more" })).expect("edited");
    let shown = shown.digest.to_string();
    let refused = south.publish_record(&group, &text, true, &shown);
    assert!(matches!(refused, Err(RecordsError::Shown)), "{refused:?}");
    assert_eq!(south.figures().expect("figures"), json!([]));

    let shown = south
        .publish_record(&group, &text, false, "")
        .expect("shown");
    let shown = shown.digest.to_string();
    let publish = || south.publish_record(&group, &text, true, &shown);
    let first = publish().expect("published").id;
    assert_eq!(publish().expect("published again").id, first);
    let figures = south.figures().expect("figures");
    assert_eq!(figures[0]["groups"], 1);
}
