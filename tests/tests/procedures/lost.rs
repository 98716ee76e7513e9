//! Disks and keys are gone.

use crate::machine::{Machine, filled};
use crate::manual::Procedure;
use crate::network::{Network, SOUTH, SOUTH_NAME, node_of, record};

const SECTION: &str = "When everything is lost";
const PRACTICES: &str = "causeway-node record list --kind practice";
const AT_NCETM: &str = "causeway-coordinator record list --kind practice";

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_with_a_backup_goes_on_where_the_hubs_are() {
    let mut network = Network::begin().await;
    let (south, space) = hub_with_project(&network).await;
    record(&south, "practice", &titled(&space, "Before the backup")).await;
    south.in_sync().await;
    let ncetm = &network.coordinator;
    let key = ncetm
        .run("causeway-coordinator backup-key coordinator-backups.key")
        .await;
    let key = key.lines().next().expect("the public key");
    ncetm
        .run(&format!(
            "causeway-coordinator backup coordinator.db.age --key {key}"
        ))
        .await;
    record(&south, "practice", &titled(&space, "After the backup")).await;
    south.in_sync().await;

    let mut manual = Procedure::part(SECTION, "The coordinator's disk.");
    let mut new = network.new_coordinator("new-machine");
    for name in ["coordinator.db.age", "coordinator-backups.key"] {
        new.bring(ncetm, name);
    }
    from_the_safe(&network, &new);
    lose_coordinator(&mut network).await;
    new.run(&manual.next("causeway-coordinator init --saved-keys"))
        .await;
    new.run(&manual.next("causeway-coordinator restore")).await;
    new.serve(&manual.next("causeway-coordinator serve")).await;
    take_over(&new, &mut manual, SOUTH).await;
    manual.done();
    let said = new.until_said(AT_NCETM, "After the backup").await;
    assert!(said.contains("Before the backup"), "{said}");
    goes_on(&new, &south, &space).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_without_a_backup_is_filled_by_the_hubs() {
    let mut network = Network::begin().await;
    let (south, space) = hub_with_project(&network).await;
    record(&south, "practice", &titled(&space, "Before the loss")).await;
    south.in_sync().await;
    let mut manual = Procedure::part(SECTION, "The coordinator's disk.");
    let mut new = network.new_coordinator("new-machine");
    from_the_safe(&network, &new);
    lose_coordinator(&mut network).await;
    record(&south, "practice", &titled(&space, "While it was gone")).await;

    new.run(&manual.next("causeway-coordinator init --saved-keys"))
        .await;
    manual.next("causeway-coordinator restore");
    new.serve(&manual.next("causeway-coordinator serve")).await;
    take_over(&new, &mut manual, SOUTH).await;
    manual.done();
    let said = new.until_said(AT_NCETM, "While it was gone").await;
    assert!(said.contains("Before the loss"), "{said}");
    goes_on(&new, &south, &space).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_without_a_backup_gets_back_what_it_shared() {
    let network = Network::begin().await;
    let ncetm = &network.coordinator;
    let (south, space) = hub_with_project(&network).await;
    record(&south, "practice", &titled(&space, "Shared")).await;
    let own = record(&south, "person", "--set name='Quillon Testerton'").await;
    south.in_sync().await;
    let old_node = node_of(ncetm, SOUTH).await;
    south.lose().await;

    let mut manual = Procedure::part(SECTION, "A hub's disk, without a backup.");
    let mut new = network.computer("new-computer");
    ncetm.run(&manual.next("causeway-coordinator invite")).await;
    new.bring(ncetm, "invitation.toml");
    new.start("causeway-node setup invitation.toml");
    new.says("check number").await;
    ncetm
        .until_said("causeway-coordinator waiting", SOUTH)
        .await;
    ncetm.run(&manual.next("causeway-coordinator admit")).await;
    new.says("connected as").await;
    new.until_said(PRACTICES, "Shared").await;
    let gone = new.end(&format!("causeway-node record show {own}")).await;
    assert_ne!(gone.code, Some(0), "{}", gone.said);
    let revoke = manual.next("causeway-coordinator node revoke");
    ncetm
        .run(&filled(&revoke, &[("OLD-NODE", &old_node)]))
        .await;
    manual.done();
    record(&new, "practice", &titled(&space, "And on")).await;
    let said = ncetm.until_said(AT_NCETM, "And on").await;
    assert!(said.contains("Shared"), "{said}");
    record(&new, "person", "--set name='Vesper Example'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_and_a_hub_that_are_lost_together_come_back_from_what_is_left() {
    let mut network = Network::begin().await;
    let south = network.hub(SOUTH, SOUTH_NAME).await;
    let west = network.hub("west-yorkshire", "West Yorkshire").await;
    let (space, _) = network.project(&[SOUTH, "west-yorkshire"]).await;
    for hub in [&south, &west] {
        hub.until_said("causeway-node space list", "A project")
            .await;
    }
    let own = record(&south, "person", "--set name='Quillon Testerton'").await;
    let key = south.run("causeway-node backup-key hub-backups.key").await;
    let key = key.lines().next().expect("the public key");
    let backup = format!("causeway-node backup last.db.age --key {key}");
    south.run(&backup).await;
    record(&south, "practice", &titled(&space, "Held by the others")).await;
    west.until_said(PRACTICES, "Held by the others").await;
    let old_node = node_of(&network.coordinator, SOUTH).await;

    // What lay elsewhere: the keys in the safe, the backup and its key.
    let mut ncetm = network.new_coordinator("new-machine");
    let mut new = network.computer("new-computer");
    from_the_safe(&network, &ncetm);
    for name in ["last.db.age", "hub-backups.key"] {
        new.bring(&south, name);
    }
    south.lose().await;
    lose_coordinator(&mut network).await;

    // The coordinator first, filled by whoever is left.
    let mut manual = Procedure::part(SECTION, "The coordinator's disk.");
    ncetm.run(&manual.next("causeway-coordinator init")).await;
    manual.next("causeway-coordinator restore");
    ncetm
        .serve(&manual.next("causeway-coordinator serve"))
        .await;
    take_over(&ncetm, &mut manual, "west-yorkshire").await;
    ncetm.until_said(AT_NCETM, "Held by the others").await;

    // Then the hub, as for a move.
    let mut manual = Procedure::part(SECTION, "A hub's disk, without a backup.");
    ncetm.run(&manual.next("causeway-coordinator invite")).await;
    new.bring(&ncetm, "invitation.toml");
    new.start("causeway-node setup invitation.toml");
    new.says("check number").await;
    ncetm
        .until_said("causeway-coordinator waiting", SOUTH)
        .await;
    ncetm.run(&manual.next("causeway-coordinator admit")).await;
    new.says("connected as").await;
    new.stop().await;
    new.run("causeway-node restore last.db.age --key hub-backups.key --confirm")
        .await;
    new.serve("causeway-node serve").await;
    new.until_said(PRACTICES, "Held by the others").await;
    new.run(&format!("causeway-node record show {own}")).await;
    let revoke = manual.next("causeway-coordinator node revoke");
    ncetm
        .run(&filled(&revoke, &[("OLD-NODE", &old_node)]))
        .await;
    record(&new, "practice", &titled(&space, "And on")).await;
    west.until_said(PRACTICES, "And on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_network_takes_in_what_hubs_export() {
    let first = Network::begin().await;
    let (south, space) = hub_with_project(&first).await;
    record(&south, "person", "--set name='Quillon Testerton'").await;
    record(&south, "practice", &titled(&space, "Shared")).await;
    south.run("causeway-node export hub everything").await;

    // Nobody has the root key of the first any more.
    let second = Network::begin().await;
    let again = second.hub(SOUTH, SOUTH_NAME).await;
    // Its own space comes with the first session.
    again.in_sync().await;
    let export = south.path("everything");
    let import = format!("causeway-node import hub {}", export.display());
    let said = again.run(&import).await;
    assert!(
        said.contains("published anew"),
        "what is left is told: {said}"
    );
    let people = again.run("causeway-node record list --kind person").await;
    assert!(people.contains("Quillon Testerton"), "{people}");
}

/// A hub that may write in a project's space.
async fn hub_with_project(network: &Network) -> (Machine, String) {
    let south = network.hub(SOUTH, SOUTH_NAME).await;
    let (space, _) = network.project(&[SOUTH]).await;
    south
        .until_said("causeway-node space list", "A project")
        .await;
    (south, space)
}

fn titled(space: &str, title: &str) -> String {
    format!("--space {space} --set title='{title}'")
}

/// Brings the folder `keys`, of which a copy is in the safe.
fn from_the_safe(network: &Network, to: &Machine) {
    let safe = network.coordinator.path("keys");
    tests::folders::copy(&safe, &to.path("keys")).expect("the safe is opened");
}

async fn lose_coordinator(network: &mut Network) {
    let nowhere = network.new_coordinator("nowhere");
    std::mem::replace(&mut network.coordinator, nowhere)
        .lose()
        .await;
}

/// Waits for a hub, and takes over as the manual says.
async fn take_over(ncetm: &Machine, manual: &mut Procedure, hub: &str) {
    let show = manual.next("causeway-coordinator authority show");
    let said = ncetm.until_said(&show, hub).await;
    assert!(said.contains("may not change access"), "{said}");
    let take_over = manual.next("causeway-coordinator authority take-over");
    let said = ncetm.run(&take_over).await;
    assert!(said.contains("nothing was changed"), "{said}");
    let take_over = manual.next("causeway-coordinator authority take-over");
    let said = ncetm.run(&take_over).await;
    assert!(said.contains("term 2 begins"), "{said}");
    let said = ncetm.run(&manual.next("causeway-coordinator verify")).await;
    assert!(said.contains("all is in order"), "{said}");
}

/// Access can be given again, and what is written arrives both ways.
async fn goes_on(ncetm: &Machine, south: &Machine, space: &str) {
    let invite = "causeway-coordinator invite west-yorkshire --name West --out west.toml";
    ncetm.run(invite).await;
    record(south, "practice", &titled(space, "And on")).await;
    ncetm.until_said(AT_NCETM, "And on").await;
    let made = format!(
        "causeway-coordinator record new practice {}",
        titled(space, "From NCETM")
    );
    ncetm.run(&made).await;
    south.until_said(PRACTICES, "From NCETM").await;
}
