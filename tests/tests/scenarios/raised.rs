//! What is raised of several records at once, or asked for at once: each watch that looks beyond
//! one record holds, is listed for those concerned, and is settled.

use node::Node;
use node::records::Concerning;
use node_feed::SpaceKind;
use serde_json::{Value, json};
use tests::world::until;

use crate::acting::{SOUTH, WEST, add, arrives, edit, make, ncetm, network, space};

/// What is open in a record, by field.
fn open(node: &Node, id: &str) -> Vec<String> {
    let open = node.list_versions(id).expect("versions");
    let open = open.as_array().cloned().unwrap_or_default();
    open.iter()
        .map(|open| open["field"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// A watch is listed among all that is open, not only in its record.
fn is_listed(node: &Node, id: &str, watch: &str) -> bool {
    let all = node.list_versions("").expect("versions");
    let all = all.as_array().cloned().unwrap_or_default();
    all.iter()
        .any(|open| open["record"] == id && open["field"] == watch)
}

#[track_caller]
fn raised_and_left(node: &Node, id: &str, watch: &str) {
    assert!(is_listed(node, id, watch), "{watch}");
    node.settle_with(id, watch, "null", "")
        .expect("well as it is");
    assert!(!open(node, id).contains(&watch.to_owned()), "{watch}");
    assert!(!is_listed(node, id, watch), "{watch}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_here_twice_is_raised_and_can_be_left() {
    let world = network(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let own = space(south, SpaceKind::Hub).to_string();
    let hall = json!({ "name": "Hill School", "postcode": "S1 1AA" });
    let one = make(south, "organisation", &own, &hall);
    assert_eq!(open(south, &one), [] as [&str; 0]);
    make(south, "organisation", &own, &hall);
    raised_and_left(south, &one, "!twice");
    let card = |name: &str| {
        let person = json!({ "name": name, "email": "testa@example.org" });
        make(south, "person", "", &person)
    };
    let (first, _) = (card("Testa Sampleton"), card("T Sampleton"));
    let administrator = Concerning {
        role: "administrator".to_owned(),
        ..Concerning::default()
    };
    let concerned = south.versions_concerning("", &administrator);
    let concerned = concerned.expect("versions").versions;
    assert!(concerned.iter().any(|open| open["record"] == first));
    raised_and_left(south, &first, "!likely-twice");
    card("Testa S");
    assert_eq!(open(south, &first), ["!likely-twice"], "another matter");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_while_others_still_lean_on_it_is_raised() {
    let world = network(&[SOUTH]).await;
    let (south, ncetm) = (world.hub(SOUTH), ncetm(&world));
    let own = space(south, SpaceKind::Hub).to_string();
    let closed = json!({ "name": "Vale", "urn": "900102", "status": "closed" });
    let school = make(south, "organisation", &own, &closed);
    assert!(open(south, &school).is_empty());
    let group = json!({
        "title": "Group", "members": [{ "organisation": "Vale", "urn": "900102" }],
    });
    let group = make(south, "work-group", "", &group);
    edit(south, &group, &json!({ "state": "recruiting" }));
    raised_and_left(south, &school, "!closed-with-places");

    let partner = make(south, "partner", "", &json!({ "title": "Alliance" }));
    let commission = json!({ "title": "Two groups", "partner": partner, "budget": 400_000 });
    let commission = make(south, "commission", "", &commission);
    edit(south, &commission, &json!({ "state": "offered" }));
    edit(south, &partner, &json!({ "state": "current" }));
    edit(south, &partner, &json!({ "state": "removed" }));
    raised_and_left(south, &partner, "!removed-with-commission");

    let everyone = space(ncetm, SpaceKind::Network).to_string();
    let listed = json!({ "code": SOUTH, "title": "South", "region": "Yorkshire" });
    let listed = make(ncetm, "hub", &everyone, &listed);
    for state in ["active", "in transfer"] {
        edit(ncetm, &listed, &json!({ "status": state }));
    }
    arrives(south, &listed).await;
    until("the transfer arrives", || {
        south.show_record(&listed).expect("shown").fields["status"] == "in transfer"
    })
    .await;
    south.pause(true);
    let profile = json!({ "code": SOUTH, "title": "South" });
    make(south, "hub-profile", &everyone, &profile);
    assert!(is_listed(south, &listed, "!transfer-unsent"));
    south.pause(false);
    until("all is sent", || {
        !is_listed(south, &listed, "!transfer-unsent")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacant_area_with_groups_and_a_return_that_differs_are_raised() {
    let world = network(&[SOUTH]).await;
    let (south, ncetm) = (world.hub(SOUTH), ncetm(&world));
    let (project, record) = world.project("NCP24-11", &[SOUTH]).await;
    for field in ["title", "project", "state", "schools"] {
        let include = json!([{ "do": "include", "field": "agreed_fields", "element": field }]);
        edit(ncetm, &record, &include);
    }
    world.agree(project).await;
    let sign = json!([{ "do": "include", "field": "signatures", "element": SOUTH }]);
    edit(south, &record, &sign);
    let members = ["900101", "900102", "900103", "900104", "900105", "900106"];
    let member = |urn: &&str| json!({ "id": urn, "organisation": urn, "urn": urn });
    let status =
        |urn: &&str| json!({ "member": urn, "status": "completed", "as_at": "2026-10-01" });
    let group = json!({
        "title": "Group", "project": "NCP24-11", "phase": "primary",
        "members": members.iter().map(member).collect::<Value>(),
        "statuses": members.iter().map(status).collect::<Value>(),
    });
    let group = make(south, "work-group", "", &group);
    for state in ["recruiting", "running"] {
        edit(south, &group, &json!({ "state": state }));
    }
    let wanted = crate::acting::wanted("schools-completed", 1, "2026-09-01");
    let computed = south.compute_return(&wanted, true).expect("a return");
    let kept = computed.kept.expect("kept").id.to_string();
    assert!(open(south, &kept).is_empty());
    south
        .publish_record(&group, &project.to_string(), true, "")
        .expect("published");
    assert!(is_listed(south, &kept, "!differs"), "{:?}", computed.fields);

    world.agree(project).await;
    let everyone = space(ncetm, SpaceKind::Network).to_string();
    let vacant = json!({ "code": SOUTH, "title": "South", "vacant": true });
    let vacant = make(ncetm, "hub", &everyone, &vacant);
    raised_and_left(ncetm, &vacant, "!vacant-with-groups");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_for_the_last_days_are_raised_until_one_is_answered() {
    let world = network(&[SOUTH, WEST]).await;
    let south = world.hub(SOUTH);
    let everyone = space(south, SpaceKind::Network);
    let leader = json!({ "name": "Testa Sampleton", "opted_in": "yes" });
    let leader = make(south, "leader", "", &leader);
    let copy = south.publish_record(&leader, &everyone.to_string(), true, "");
    let copy = copy.expect("published").id.expect("a copy").to_string();
    let days = json!({ "title": "Days", "leader": copy, "term": "Spring", "days": 2 });
    let days = make(south, "leader-days", &everyone.to_string(), &days);
    arrives(world.hub(WEST), &days).await;
    let ask = |node: &Node| {
        edit(
            node,
            &days,
            &json!([add("requests", &json!({ "days": 2, "need": "A group" }))]),
        );
    };
    ask(world.hub(WEST));
    world.agree(everyone).await;
    assert!(
        open(south, &days).is_empty(),
        "one request is none too many"
    );
    ask(ncetm(&world));
    world.agree(everyone).await;
    assert_eq!(open(south, &days), ["!more-than-left/requests"]);
    let first = south.show_record(&days).expect("shown").fields["requests"][0]["id"].clone();
    let answer = json!({ "request": first, "answer": "confirmed", "days": 2 });
    edit(south, &days, &json!([add("answers", &answer)]));
    assert!(open(south, &days).is_empty());
}
