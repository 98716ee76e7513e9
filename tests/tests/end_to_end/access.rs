//! Who may take part, and until when.

use node::clock::now_ms;
use node::enrolment::enrol;
use node::{Node, WriteError};
use serde_json::json;
use tests::world::{World, until};

fn note(node: &Node, space: &str, title: &str) -> Result<String, node::records::RecordsError> {
    let fields = json!({ "title": title }).to_string();
    node.create_record("practice", space, &fields)
        .map(|made| made.id.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_hub_is_cut_off_while_connected_and_its_earlier_work_stays() {
    let mut world = World::new().await;
    for hub in ["south-yorkshire", "west-yorkshire"] {
        world.add_hub(hub).await;
    }
    let (space, _) = world
        .project("NCP24-11", &["south-yorkshire", "west-yorkshire"])
        .await;
    let text = space.to_string();
    let (south, west) = (world.hub("south-yorkshire"), world.hub("west-yorkshire"));
    let before = note(west, &text, "Before").expect("a practice");
    world.agree(space).await;
    assert!(
        !world
            .coordinator()
            .operations()
            .node()
            .peers_connected()
            .is_empty()
    );

    let operations = world.coordinator().operations();
    operations
        .revoke("west-yorkshire", "the laptop was stolen")
        .expect("revoked");
    let stolen = west.id();
    until("the session ends", || {
        !operations.node().peers_connected().contains(&stolen)
    })
    .await;
    // What it writes until it hears of it goes nowhere.
    let _refused_or_late = note(west, &text, "After");
    south
        .edit_record(&before, "", r#"{"body": "It worked."}"#)
        .expect("others go on");
    until("the others agree", || {
        let body = operations
            .node()
            .show_record(&before)
            .map(|it| it.fields["body"].clone());
        body.is_ok_and(|body| body == "It worked.")
    })
    .await;
    let listed = south
        .list_records("practice", &text)
        .expect("practices are listed");
    let titles = listed
        .into_iter()
        .map(|record| record.title)
        .collect::<Vec<_>>();
    assert_eq!(titles, ["Before"]);
    let own = west
        .list_records("practice", "")
        .expect("its own store can be read");
    assert!(own.iter().any(|record| record.title == "Before"));
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_was_withdrawn_can_be_given_again() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, _) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let text = space.to_string();
    let south = world.hub("south-yorkshire");
    note(south, &text, "First").expect("a practice");
    world.agree(space).await;
    let operations = world.coordinator().operations();
    operations
        .withdraw(space, "south-yorkshire", "the year is over")
        .expect("withdrawn");
    until("the hub has heard of it", || {
        matches!(
            note(south, &text, "In vain"),
            Err(node::records::RecordsError::Write(WriteError::NoAccess))
        )
    })
    .await;
    operations
        .grant(space, "south-yorkshire", node_feed::Access::Write)
        .expect("given again");
    until("it may write again", || {
        note(south, &text, "Second").is_ok()
    })
    .await;
    until("the coordinator has both", || {
        let listed = operations
            .node()
            .list_records("practice", &text)
            .expect("a list");
        let titles = listed
            .iter()
            .map(|record| record.title.as_str())
            .collect::<Vec<_>>();
        titles.contains(&"First") && titles.contains(&"Second")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_connects_one_node_once() {
    let world = World::new().await;
    let invitation = world.invite("south-yorkshire");
    let first = Node::create(&world.path("first")).expect("a node");
    let second = Node::create(&world.path("second")).expect("a node");
    world.connect(&first, &invitation).await;
    let refused = enrol(&invitation, second.identity(), now_ms()).await;
    let refused = refused.expect_err("the code was used").to_string();
    assert!(refused.contains("used"), "{refused}");
    world.connect(&first, &invitation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_sentence_and_changes_nothing() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let south = world.hub("south-yorkshire");
    until("the hub knows its spaces", || {
        south.spaces().is_ok_and(|spaces| spaces.len() == 3)
    })
    .await;
    let refused = |result: Result<String, node::records::RecordsError>, says: &str| {
        let sentence = result.expect_err("refused").to_string();
        assert!(
            sentence.contains(says),
            "\"{sentence}\" should say \"{says}\""
        );
    };
    let create = |kind: &str, space: &str, json: &str| {
        south
            .create_record(kind, space, json)
            .map(|made| made.id.to_string())
    };
    refused(create("work-grup", "", "{}"), "the kinds are");
    refused(create("work-group", "nowhere!", "{}"), "is not an id");
    refused(create("work-group", "", "[]"), "JSON object");
    refused(
        create("work-group", "", r#"{"phase": "primary"}"#),
        "'Title' is missing",
    );
    refused(
        create("person", "", r#"{"name": "A", "email": "not one"}"#),
        "E-mail",
    );
    refused(south.show_record("abc").map(|_| String::new()), "not an id");
    assert_eq!(south.list_records("", "").expect("a list"), []);
    let operations = world.coordinator().operations();
    assert!(operations.invite("South Yorkshire", "x", 1).is_err());
    assert!(operations.revoke("nobody", "").is_err());
}
