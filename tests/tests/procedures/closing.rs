//! A hub ends.

use crate::machine::filled;
use crate::manual::Procedure;
use crate::network::{Network, SOUTH, SOUTH_NAME, record, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_closes() {
    let network = Network::begin().await;
    let ncetm = &network.coordinator;
    let mut manual = Procedure::of("Closing a hub");
    let mut south = network.hub(SOUTH, SOUTH_NAME).await;
    let west = network
        .hub("west-yorkshire", "West Yorkshire Maths Hub")
        .await;
    let (space, _) = network.project(&[SOUTH, "west-yorkshire"]).await;
    for hub in [&south, &west] {
        hub.until_said("causeway-node space list", "A project")
            .await;
    }
    let person = record(&south, "person", "--set name='Quillon Testerton'").await;
    let shared = format!("--space {space} --set title='What worked'");
    let shared = record(&south, "practice", &shared).await;
    let leader = format!(
        r#"--fields '{{"name": "Quillon Testerton", "person": "{person}", "opted_in": true}}'"#
    );
    let leader = record(&south, "leader", &leader).await;
    let spaces = south.json("causeway-node space list").await;
    let spaces = spaces.as_array().expect("a list");
    let everyone = spaces.iter().find(|space| space["kind"] == "network");
    let everyone = text(&everyone.expect("every hub has it")["id"]);
    south
        .run(&format!(
            "causeway-node record publish {leader} --space {everyone} --confirm"
        ))
        .await;
    let leaders = "causeway-node record list --kind leader";
    west.until_said(leaders, "Quillon Testerton").await;
    west.until_said("causeway-node record list --kind practice", "What worked")
        .await;

    // What only the hub can take back goes first.
    let said = south
        .run(&manual.next("causeway-node record disclosures"))
        .await;
    assert!(said.contains("published"), "{said}");
    let withdraw = manual.next("causeway-node record withdraw");
    let words = [("LEADER", leader.as_str()), ("SPACE", everyone.as_str())];
    south.run(&filled(&withdraw, &words)).await;
    west.until_not_said(leaders, "Quillon").await;
    let leaders = leaders.replace("causeway-node", "causeway-coordinator");
    ncetm.until_not_said(&leaders, "Quillon").await;
    south
        .run(&manual.next("causeway-node export hub everything"))
        .await;
    assert!(south.path("everything/manifest.json").exists());
    south.in_sync().await;
    south.run(&manual.next("causeway-node status")).await;

    // Its access ends, for good.
    let said = ncetm.run(&manual.next("causeway-coordinator revoke")).await;
    assert!(
        said.contains("A project") && said.contains("--confirm"),
        "{said}"
    );
    ncetm.run(&manual.next("causeway-coordinator revoke")).await;
    south
        .until_said("causeway-node status", "not any more")
        .await;
    let again = ncetm
        .end(&format!(
            "causeway-coordinator invite {SOUTH} --name again --out again.toml"
        ))
        .await;
    assert!(again.said.contains("new code"), "{}", again.said);

    // What it shared stays with the others, who go on writing it; the hub takes nothing back.
    let edit = format!("causeway-node record edit {shared} --set body='We go on with it.'");
    west.run(&edit).await;
    let show = format!("causeway-coordinator record show {shared}");
    ncetm.until_said(&show, "We go on with it").await;
    let late = south
        .end(&format!("causeway-node record erase {shared} --confirm"))
        .await;
    assert_ne!(late.code, Some(0), "{}", late.said);
    let other = ncetm
        .end(&format!(
            "causeway-coordinator record erase {shared} --confirm"
        ))
        .await;
    assert!(
        other.said.contains("only that hub may erase"),
        "{}",
        other.said
    );

    // What is its own it can read, change and take out, and somebody else brings it into a new hub.
    south
        .run(&format!("causeway-node record show {person}"))
        .await;
    record(&south, "work-group", "--set title='Written afterwards'").await;
    let heir = network.hub("heir", "Another Maths Hub").await;
    let export = south.path("everything");
    heir.run(&format!("causeway-node import hub {}", export.display()))
        .await;
    let people = heir.run("causeway-node record list --kind person").await;
    assert!(people.contains("Quillon Testerton"), "{people}");
    south.stop().await;
    south.run(&manual.next("rm -r")).await;
    assert!(!south.data().exists());
    manual.done();
}
