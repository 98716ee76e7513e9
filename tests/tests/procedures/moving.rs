//! Another school takes the lead of a hub, and the coordinator another address.

use crate::machine::filled;
use crate::manual::Procedure;
use crate::network::{Network, SOUTH, SOUTH_NAME, node_of, record};

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_moves_to_another_school() {
    let network = Network::begin().await;
    let ncetm = &network.coordinator;
    let mut manual = Procedure::of("Moving a hub to another school");
    let mut old = network.hub(SOUTH, SOUTH_NAME).await;
    let west = network
        .hub("west-yorkshire", "West Yorkshire Maths Hub")
        .await;
    let (space, _) = network.project(&[SOUTH, "west-yorkshire"]).await;
    for hub in [&old, &west] {
        hub.until_said("causeway-node space list", "A project")
            .await;
    }
    let stays = record(&old, "person", "--set name='Quillon Testerton'").await;
    let goes = record(&old, "person", "--set name='Vesper Example'").await;
    let shared = format!("--space {space} --set title='A practice of the old school'");
    record(&old, "practice", &shared).await;
    old.run("causeway-node account add 'Old Lead' old-lead@old-school.example --role 'hub lead'")
        .await;

    // What the new school is not to have goes first.
    old.run(&manual.next("causeway-node export list people.csv"))
        .await;
    let people = std::fs::read_to_string(old.path("people.csv")).expect("a list");
    assert!(people.contains("Quillon") && people.contains("Vesper"));
    let erase = manual.next("causeway-node record erase");
    let erase = filled(&erase, &[("PERSON", &goes)]);
    let said = old.run(&erase).await;
    assert!(said.contains("--confirm"), "{said}");
    old.run(&format!("{erase} --confirm")).await;

    // The last backup of the old computer, sealed to a key that it never had.
    let mut new = network.computer("new-school");
    let key = new.run(&manual.next("causeway-node backup-key")).await;
    let key = key.lines().next().expect("the public key");
    old.in_sync().await;
    old.run(&manual.next("causeway-node status")).await;
    old.stop().await;
    let backup = manual.next("causeway-node backup");
    old.run(&filled(&backup, &[("age1…", key)])).await;
    new.bring(&old, "last.db.age");

    // The new computer is a second node of the hub, until the first is ended.
    let old_node = node_of(ncetm, SOUTH).await;
    let listed = ncetm
        .run(&manual.next("causeway-coordinator node list"))
        .await;
    assert!(listed.contains(&old_node), "{listed}");
    ncetm.run(&manual.next("causeway-coordinator invite")).await;
    new.bring(ncetm, "invitation.toml");
    new.start(&manual.next("causeway-node setup"));
    new.says("check number").await;
    ncetm
        .until_said("causeway-coordinator waiting", SOUTH)
        .await;
    ncetm
        .run(&format!("causeway-coordinator admit {SOUTH}"))
        .await;
    new.says("connected as").await;
    new.stop().await;
    new.run(&manual.next("causeway-node restore")).await;
    let said = new.run(&manual.next("causeway-node verify")).await;
    assert!(said.contains("all is in order"), "{said}");
    new.serve(&manual.next("causeway-node serve")).await;

    // What came, and who may come in.
    let restored = manual.next("causeway-node restored");
    new.run(&restored).await;
    new.run(&format!("causeway-node record show {stays}")).await;
    let gone = new.end(&format!("causeway-node record show {goes}")).await;
    assert_ne!(gone.code, Some(0), "{}", gone.said);
    let accounts = new.run(&manual.next("causeway-node account list")).await;
    assert!(
        accounts.contains("old-lead@old-school.example"),
        "{accounts}"
    );
    let link = new.run(&manual.next("causeway-node account add")).await;
    assert!(link.contains("/set-up/"), "{link}");
    new.run(&manual.next("causeway-node account end")).await;
    let accounts = new.run("causeway-node account list").await;
    assert!(accounts.contains("noor@new-school.example"), "{accounts}");

    // The old computer is ended, and the hub goes on with everything that is its own.
    let preview = manual.next("causeway-coordinator node revoke");
    let said = ncetm
        .run(&filled(&preview, &[("OLD-NODE", &old_node)]))
        .await;
    assert!(
        said.contains("goes on with 1 other node") && said.contains("stay as they are"),
        "{said}"
    );
    let revoke = manual.next("causeway-coordinator node revoke");
    ncetm
        .run(&filled(&revoke, &[("OLD-NODE", &old_node)]))
        .await;
    let ended = format!("{old_node} (its access has ended)");
    let said = new.until_said("causeway-node status", &ended).await;
    assert!(said.contains("(this one)"), "{said}");
    let own = record(&new, "work-group", "--set title='At the new school'").await;
    let shared = format!("--space {space} --set title='A practice of the new school'");
    record(&new, "practice", &shared).await;
    let list = "causeway-node record list --kind practice";
    for at in [&new, &west] {
        let said = at.until_said(list, "of the new school").await;
        assert!(said.contains("of the old school"), "{said}");
    }
    for id in [&stays, &own] {
        new.run(&format!("causeway-node record show {id}")).await;
    }
    let said = new.run("causeway-node verify").await;
    assert!(said.contains("all is in order"), "{said}");

    // Whoever starts the old computer once more gets nowhere with it.
    old.serve("causeway-node serve").await;
    old.until_said("causeway-node status", "not any more").await;
    old.stop().await;
    old.run(&manual.next("rm -r")).await;
    assert!(!old.data().exists());
    manual.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_moves_to_another_address() {
    let mut network = Network::begin().await;
    let mut south = network.hub(SOUTH, SOUTH_NAME).await;
    let before = node_of(&network.coordinator, SOUTH).await;
    let membership = south.data().join("membership.toml");
    let address = || {
        let text = std::fs::read_to_string(&membership).expect("a membership");
        let line = text.lines().find(|line| line.starts_with("address"));
        line.expect("an address").to_owned()
    };
    assert!(address().contains("127.0.0.1"), "{}", address());

    let ncetm = &mut network.coordinator;
    ncetm.stop().await;
    let file = node::folder::DataFolder::config(ncetm.data());
    let settings = std::fs::read_to_string(&file).expect("settings");
    let renamed = settings.replace("public = \"127.0.0.1:", "public = \"localhost:");
    assert_ne!(renamed, settings);
    std::fs::write(&file, renamed).expect("settings");
    ncetm.serve("causeway-coordinator serve").await;
    let mut manual = Procedure::of("Another address for the coordinator");
    ncetm.run(&manual.next("causeway-coordinator invite")).await;
    south.bring(ncetm, "again.toml");
    south.stop().await;
    south.run(&manual.next("causeway-node connect")).await;
    assert!(address().contains("localhost"), "{}", address());
    south.serve(&manual.next("causeway-node serve")).await;
    manual.done();
    ncetm
        .until_said("causeway-coordinator hubs", "connected")
        .await;
    assert_eq!(node_of(ncetm, SOUTH).await, before);
    south.stop().await;
}
