//! Another computer that is connected in a hub's name is told to the people of the hub.

use node::Node;
use tests::visitor::{Visitor, account};
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";

fn trouble(node: &Node) -> String {
    node.status().expect("how it stands")["unknown_nodes"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_that_is_added_in_a_hubs_name_is_told_until_somebody_knows_of_it() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    world.hub(SOUTH).in_sync(1).await;
    account(world.hub(SOUTH), "Ada Lead", "hub lead", "");
    account(world.hub(SOUTH), "Bo Desk", "administrator", "");
    assert_eq!(trouble(world.hub(SOUTH)), "null", "its own node is no news");
    let address = world.pages(SOUTH).await;
    let lead = Visitor::sign_in(world.hub(SOUTH), address, "Ada Lead", 0);
    assert!(
        !lead
            .get("/access")
            .await
            .body
            .contains("Computers of this hub")
    );

    world.add_node("laptop", SOUTH, None).await;
    let laptop = world.hub("laptop").id();
    until("the hub is told", || {
        trouble(world.hub(SOUTH)).contains("telephone NCETM")
    })
    .await;
    let desk = Visitor::sign_in(world.hub(SOUTH), address, "Bo Desk", 0);
    let home = desk.get("/").await;
    assert!(
        home.body.contains("telephone NCETM"),
        "{}{}",
        home.headers,
        home.body
    );
    let page = lead.get("/access").await.body;
    assert!(page.contains("Nobody knows of it"), "{page}");
    assert!(page.contains("We know of it"), "{page}");
    // The computer that came later takes what it found there for known.
    world.hub("laptop").in_sync(1).await;
    assert_eq!(trouble(world.hub("laptop")), "null");

    // It is told also after the next start, and who may not say so cannot silence it.
    world.stop_hub(SOUTH).await;
    world.start_hub(SOUTH);
    assert!(trouble(world.hub(SOUTH)).contains("telephone NCETM"));
    let address = world.pages(SOUTH).await;
    let desk = Visitor::sign_in(world.hub(SOUTH), address, "Bo Desk", 30_000);
    let name = laptop.to_string();
    let form = [("node", name.as_str())];
    let refused = desk.form("/access/computers/known", &form).await;
    assert_eq!(refused.status, 403);
    let lead = Visitor::sign_in(world.hub(SOUTH), address, "Ada Lead", 30_000);
    let garbled = lead
        .form("/access/computers/known", &[("node", "nonsense")])
        .await;
    assert_eq!(garbled.status, 303);
    assert!(trouble(world.hub(SOUTH)).contains("telephone NCETM"));
    let known = lead.form("/access/computers/known", &form).await;
    assert_eq!(known.status, 303);
    assert_eq!(trouble(world.hub(SOUTH)), "null");
    let page = lead.get("/access").await.body;
    assert!(page.contains("Another computer"), "{page}");
    assert!(
        !page.contains(&name) && !page.contains("Nobody knows of it"),
        "{page}"
    );

    let operations = world.coordinator().operations();
    let ended = operations.revoke_node(&name, SOUTH, "it was lost", &[]);
    ended.expect("it is ended");
    until("the page says so", || {
        let nodes = world.hub(SOUTH).hub_nodes().expect("listed");
        nodes
            .iter()
            .any(|node| node.node == laptop && node.has_ended)
    })
    .await;
    assert!(lead.get("/access").await.body.contains("Ended"));

    // One that comes and goes while the hub is away has written all the same.
    world.stop_hub(SOUTH).await;
    world.add_node("passing", SOUTH, None).await;
    let passing = world.hub("passing").id().to_string();
    world.hub("passing").in_sync(1).await;
    let operations = world.coordinator().operations();
    let ended = operations.revoke_node(&passing, SOUTH, "it was nobody's", &[]);
    ended.expect("it is ended");
    world.start_hub(SOUTH);
    until("the hub is told", || {
        trouble(world.hub(SOUTH)).contains("telephone NCETM")
    })
    .await;
}
