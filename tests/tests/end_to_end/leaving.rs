//! A hub that leaves a space and is let in again.

use node::Node;
use node_feed::Access;
use serde_json::json;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";

fn make(node: &Node, space: &str, title: &str) -> String {
    let fields = json!({ "title": title, "body": "Ten minutes a day." });
    let made = node.create_record("practice", space, &fields.to_string());
    made.expect("it is made").id.to_string()
}

fn edit(node: &Node, id: &str, field: &str, value: &str) {
    let edited = node.edit_record(id, "", &json!({ field: value }).to_string());
    edited.expect("it is edited");
}

/// The title and the body.
fn shown(node: &Node, id: &str) -> Option<(String, String)> {
    let fields = node.show_record(id).ok()?.fields;
    let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
    Some((text("title"), text("body")))
}

async fn comes_back(restarts: bool) {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    world.add_hub(WEST).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let text = space.to_string();
    let ours = make(world.hub(SOUTH), &text, "Ours");
    let theirs = make(world.hub(WEST), &text, "Theirs");
    world.agree(space).await;
    // What the south writes last builds on what the west wrote.
    edit(world.hub(WEST), &ours, "body", "We use it too.");
    world.agree(space).await;
    edit(world.hub(SOUTH), &ours, "title", "Ours again");
    world.agree(space).await;
    let whole = Some(("Ours again".to_owned(), "We use it too.".to_owned()));

    let south = world.hub(SOUTH).clone();
    let hub = south.hub().expect("the south's hub");
    let operations = world.coordinator().operations();
    operations.withdraw(space, SOUTH, "it leaves").expect("out");
    until("the south has heard of it", || {
        south.authority().access(hub, space).is_none()
    })
    .await;
    assert!(!south.retain().expect("others' work is removed").is_empty());
    assert_eq!(shown(&south, &theirs), None);
    assert_eq!(shown(&south, &ours), whole, "its own stays whole");
    drop(south);
    let newer = make(world.hub(WEST), &text, "Newer");
    if restarts {
        world.stop_hub(SOUTH).await;
    }
    let operations = world.coordinator().operations();
    operations.grant(space, SOUTH, Access::Write).expect("in");
    if restarts {
        world.start_hub(SOUTH);
    }

    let south = world.hub(SOUTH).clone();
    until("the south has heard of that", || {
        south.authority().access(hub, space).is_some()
    })
    .await;
    world.agree(space).await;
    assert_eq!(shown(&south, &ours), whole);
    let title = |id: &str| shown(&south, id).map(|(title, _)| title);
    assert_eq!(title(&theirs).as_deref(), Some("Theirs"));
    assert_eq!(title(&newer).as_deref(), Some("Newer"));
    let listed = south.list_records("practice", &text).expect("a list");
    assert_eq!(listed.len(), 3);
    make(&south, &text, "After it came back");
    world.agree(space).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_let_in_again_gets_back_what_it_had_forgotten() {
    comes_back(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_does_if_it_was_stopped_when_it_was_let_in() {
    comes_back(true).await;
}
