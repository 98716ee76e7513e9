//! Hubs that edit while apart.

use serde_json::{Value, json};
use tests::world::{World, until};

fn edit(node: &node::Node, record: &str, changes: &Value) {
    node.edit_record(record, "", &changes.to_string())
        .expect("an edit is saved");
}

fn field(node: &node::Node, record: &str, name: &str) -> Value {
    node.show_record(record)
        .expect("the record is shown")
        .fields[name]
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_made_apart_merge_and_a_person_settles_what_stands_in_two_versions() {
    let mut world = World::new().await;
    for hub in ["south-yorkshire", "west-yorkshire"] {
        world.add_hub(hub).await;
    }
    let (space, record) = world
        .project("NCP24-11", &["south-yorkshire", "west-yorkshire"])
        .await;
    let south = world.hub("south-yorkshire");
    let west = world.hub("west-yorkshire");
    edit(
        south,
        &record,
        &json!({ "protocol": "We meet weekly. Each school writes a plan." }),
    );
    world.agree(space).await;

    south.pause(true);
    west.pause(true);
    edit(
        south,
        &record,
        &json!({
            "protocol": "We meet every week. Each school writes a plan.", "phase": "primary",
        }),
    );
    edit(
        west,
        &record,
        &json!({
            "protocol": "We meet weekly. Each school writes an action plan.", "phase": "secondary",
        }),
    );
    let marks = south
        .show_record(&record)
        .expect("the record is shown")
        .marks;
    assert_eq!(
        (marks.sent, marks.unsent),
        (false, 1),
        "what is not sent is not called sent"
    );
    south.pause(false);
    west.pause(false);
    world.agree(space).await;

    let merged = "We meet every week. Each school writes an action plan.";
    assert_eq!(field(south, &record, "protocol"), merged);
    let open = west.list_versions(&record).expect("versions are listed");
    let phase = open
        .as_array()
        .and_then(|open| open.iter().find(|it| it["field"] == "phase"));
    let versions = &phase.expect("the phase stands in two versions")["versions"];
    let by_hub = |hub: &str| {
        versions
            .as_array()
            .and_then(|all| all.iter().find(|it| it["hub"] == hub))
            .cloned()
    };
    assert_eq!(
        by_hub("south-yorkshire").expect("one version")["value"],
        "primary"
    );
    assert_eq!(
        by_hub("west-yorkshire").expect("the other")["value"],
        "secondary"
    );

    west.settle_versions(&record, "phase", 1, "")
        .expect("a person chooses");
    world.agree(space).await;
    assert_eq!(field(south, &record, "phase"), versions[0]["value"]);
    let left = south.list_versions(&record).expect("versions are listed");
    assert!(
        left.as_array()
            .is_some_and(|left| left.iter().all(|it| it["field"] != "phase"))
    );
    until("the mark says received everywhere", || {
        let marks = west
            .show_record(&record)
            .expect("the record is shown")
            .marks;
        marks.sent && marks.received == 1 && marks.members == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_made_before_a_peers_edit_saves_without_overwriting_it() {
    let mut world = World::new().await;
    for hub in ["south-yorkshire", "west-yorkshire"] {
        world.add_hub(hub).await;
    }
    let (space, record) = world
        .project("NCP24-11", &["south-yorkshire", "west-yorkshire"])
        .await;
    let south = world.hub("south-yorkshire");
    let page = south.show_record(&record).expect("the page is made").heads;
    edit(
        world.hub("west-yorkshire"),
        &record,
        &json!({ "question": "Does it last?" }),
    );
    world.agree(space).await;
    let changes = json!([{ "do": "set", "field": "question", "value": "Does it spread?" }]);
    let saved = south
        .edit_record(&record, &page, &changes.to_string())
        .expect("the page is saved");
    assert!(
        saved.merged > 0,
        "the person is told that something came in meanwhile"
    );
    world.agree(space).await;
    let open = south.list_versions(&record).expect("versions are listed");
    let values = open[0]["versions"].as_array().map(Vec::len);
    assert_eq!(
        (open[0]["field"].as_str(), values),
        (Some("question"), Some(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn large_changes_in_many_spaces_arrive_after_a_time_apart() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let mut spaces = Vec::new();
    for number in 0..10 {
        let code = format!("NCP24-{number}");
        spaces.push(world.project(&code, &["south-yorkshire"]).await.0);
    }
    let south = world.hub("south-yorkshire").clone();
    for space in &spaces {
        world.agree(*space).await;
    }
    south.pause(true);
    for space in &spaces {
        let mut payload = vec![0; node_feed::PAYLOAD_BYTES_MAX];
        for chunk in payload.chunks_mut(32) {
            chunk.copy_from_slice(&node::random::<32>());
        }
        let entry = node_feed::Entry {
            time_ms: node::clock::now_ms(),
            kind: node_feed::Kind(99),
            subject: node_feed::Subject::NONE,
            payload: payload.into(),
        };
        south.write(*space, entry).expect("it is saved");
    }
    south.pause(false);
    for space in &spaces {
        world.agree(*space).await;
    }
}
