//! What a hostile or hasty hand cannot do round publishing, consent and the national lists.

use std::os::unix::fs::PermissionsExt as _;

use node::records::{Find, ReturnWanted};
use node_feed::SpaceKind;
use serde_json::json;
use tests::world::until;

use crate::acting::{SOUTH, WEST, all, arrives, edit, make, ncetm, network, space};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_gets_round_publishing_by_being_written_by_hand() {
    let world = network(&[SOUTH, WEST]).await;
    let south = world.hub(SOUTH);
    let (everyone, pair) = (
        space(south, SpaceKind::Network),
        space(south, SpaceKind::Pair),
    );
    let refused = |kind: &str, space: &str, fields: serde_json::Value, why: &str| {
        let told = south.create_record(kind, space, &fields.to_string());
        let told = told.map(|made| made.id).expect_err(kind).to_string();
        assert!(told.contains(why), "{kind}: {told}");
    };
    let (everyone, pair) = (everyone.to_string(), pair.to_string());
    refused(
        "leader",
        &everyone,
        json!({ "name": "Testa" }),
        "publishing alone",
    );
    let plan = json!({ "title": "Plan", "year": "2026-27" });
    refused("plan", &pair, plan, "publishing alone");
    let group = json!({ "title": "Group", "notes": "for us alone" });
    refused("work-group", &pair, group, "for the hub alone");
    refused(
        "hub",
        &everyone,
        json!({ "code": WEST, "title": "Ours" }),
        "only NCETM",
    );

    let leader = json!({ "name": "Testa Sampleton", "opted_in": "yes" });
    let leader = make(south, "leader", "", &leader);
    let copy = south
        .publish_record(&leader, &everyone, true, "")
        .expect("published");
    let copy = copy.id.expect("a copy").to_string();
    let told = south.edit_record(&copy, "", r#"{"strengths": "by hand"}"#);
    let told = told.expect_err("by hand").to_string();
    assert!(told.contains("publishing it again"), "{told}");
    arrives(world.hub(WEST), &copy).await;
    let other = world.hub(WEST).publish_record(&copy, &everyone, false, "");
    let told = other.map(|_| ()).expect_err("another hub's").to_string();
    assert!(told.contains("another hub's"), "{told}");

    // Whoever is erased here is erased there.
    assert_eq!(south.erase(&[&leader]).expect("erased"), 2);
    until("the copy is gone at the other hub", || {
        !all(world.hub(WEST), "leader").contains(&copy)
    })
    .await;
    let log = south.disclosures("").expect("a log");
    let last = log.as_array().and_then(|log| log.last()).expect("a line");
    assert_eq!(
        (&last["action"], &last["copy"]),
        (&json!("withdrawn"), &json!(copy))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_hubs_word_neither_lifts_suppression_nor_makes_a_return_wrong() {
    let world = network(&[SOUTH, WEST]).await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let everyone = space(west, SpaceKind::Network).to_string();
    let forged = json!({ "code": SOUTH, "title": "0", "smallest_cell": 0 });
    let forged = make(west, "hub-profile", &everyone, &forged);
    arrives(south, &forged).await;
    let group = json!({
        "title": "Two schools", "phase": "primary", "year": "2026-27",
        "members": [
            { "id": "a", "organisation": "Hill", "urn": "900101" },
            { "id": "b", "organisation": "Vale", "urn": "900102" },
        ],
        "statuses": [
            { "member": "a", "status": "completed", "as_at": "2026-10-01" },
            { "member": "b", "status": "completed", "as_at": "2026-10-01" },
        ],
    });
    make(south, "work-group", "", &group);
    let wanted = ReturnWanted {
        measure: "schools-completed".to_owned(),
        period: "2026-27 autumn".to_owned(),
        as_at: "2026-12-31".to_owned(),
        ..ReturnWanted::default()
    };
    let computed = south.compute_return(&wanted, false).expect("computed");
    let cells = computed.fields["cells"].as_array().expect("cells");
    let total = cells
        .iter()
        .find(|cell| cell["cell"] == "total")
        .expect("a total");
    assert_eq!(
        (&total["suppressed"], total.get("value")),
        (&json!(true), None),
        "{total}"
    );
    for day in ["20261231", "2026-W53-4", "2026-366", "2026-02-30"] {
        let wanted = ReturnWanted {
            as_at: day.to_owned(),
            ..wanted.clone()
        };
        let told = south.compute_return(&wanted, false).map(|_| ());
        assert!(told.expect_err(day).to_string().contains("is not a day"));
    }
    let find = Find {
        filters: vec!["stat is running".to_owned()],
        ..Find::default()
    };
    let told = south
        .find_records(&find)
        .map(|_| ())
        .expect_err("no such field");
    assert!(told.to_string().contains("\"stat\""), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_area_claimed_twice_is_raised_and_can_be_left_as_it_is() {
    let world = network(&[SOUTH]).await;
    let ncetm = ncetm(&world);
    let everyone = space(ncetm, SpaceKind::Network).to_string();
    let hub = |code: &str| {
        let fields = json!({ "code": code, "title": code, "area": ["Sheffield"] });
        make(ncetm, "hub", &everyone, &fields)
    };
    let (one, _other) = (hub("one"), hub("other"));
    let raised = |id: &str| {
        let open = ncetm.list_versions(id).expect("versions");
        let open = open.as_array().cloned().unwrap_or_default();
        open.iter()
            .filter(|open| open["field"] == "!area-twice")
            .count()
    };
    assert_eq!(raised(&one), 1);
    ncetm
        .settle_with(&one, "!area-twice", "null", "")
        .expect("left as it is");
    assert_eq!(raised(&one), 0);
    hub("a third");
    assert_eq!(raised(&one), 1, "it is another matter now");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_for_its_owner_alone_and_is_noted() {
    let world = network(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let person = make(south, "person", "", &json!({ "name": "Testa Sampleton" }));
    edit(south, &person, &json!({ "email": "testa@example.org" }));
    let folder = world.path("everything");
    south.export_hub(&folder).expect("exported");
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&folder), 0o700);
    for file in std::fs::read_dir(&folder).expect("a folder") {
        assert_eq!(mode(&file.expect("a file").path()), 0o600);
    }
    let log = south.disclosures("").expect("a log");
    assert_eq!(
        log.as_array().and_then(|log| log.last()).expect("a line")["action"],
        "exported"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_groups_that_a_leader_led_are_counted_and_never_entered() {
    let world = network(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let person = make(south, "person", "", &json!({ "name": "Testa Sampleton" }));
    for (title, steps) in [("One", 0), ("Two", 3)] {
        let fields = json!({ "title": title, "leaders": [{ "person": person }] });
        let group = make(south, "work-group", "", &fields);
        for state in ["recruiting", "running", "completed"].iter().take(steps) {
            edit(south, &group, &json!({ "state": state }));
        }
    }
    let leader = json!({ "name": "Testa Sampleton", "person": person, "opted_in": "yes" });
    let leader = make(south, "leader", "", &leader);
    let everyone = space(south, SpaceKind::Network).to_string();
    let shown = south.show_record(&leader).expect("shown").fields;
    let left = south
        .publish_record(&leader, &everyone, true, "")
        .expect("published");
    for counted in [&shown, &left.leaves] {
        let numbers = (&counted["groups_led"], &counted["groups_completed"]);
        assert_eq!(numbers, (&json!(2), &json!(1)));
    }
    let told = south.edit_record(&leader, "", r#"{"groups_led": 9}"#);
    assert!(told.is_err());
}
