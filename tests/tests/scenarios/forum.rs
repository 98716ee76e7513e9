//! What a policy maker sees of the forum.

use node::Node;
use node::records::Concerning;
use node_feed::{Access, SpaceId, SpaceKind};
use serde_json::{Value, json};
use tests::world::{World, until};

use crate::writing::{add, fields, has_its_spaces, include, make, save};

const HUBS: [&str; 4] = [
    "south-yorkshire",
    "west-yorkshire",
    "east-midlands-west",
    "kent",
];
const READER: &str = "curriculum policy team";

/// The national forum with its hubs, and a question that a policy maker asks there.
async fn forum() -> (World, SpaceId, String) {
    let mut world = World::new().await;
    for hub in HUBS {
        world.add_hub(hub).await;
    }
    let operations = world.coordinator().operations();
    let forum = operations.create_space(SpaceKind::Forum, "National forum");
    let forum = forum.expect("a forum");
    for hub in HUBS {
        operations.grant(forum, hub, Access::Write).expect("access");
        has_its_spaces(world.hub(hub)).await;
    }
    let question = json!({
        "title": "Calculators in Year 6", "kind": "question",
        "question": "How often do pupils use calculators?",
        "asked_by": "Department for Education", "due": "2027-03-31", "state": "drafting",
    });
    let thread = make(
        operations.node(),
        "forum-thread",
        &forum.to_string(),
        &question,
    );
    for hub in HUBS {
        until("the question arrives", || {
            world.hub(hub).show_record(&thread).is_ok()
        })
        .await;
    }
    (world, forum, thread)
}

#[track_caller]
fn write(node: &Node, thread: &str, changes: &Value) {
    save(node, thread, "", changes).expect("saved");
}

fn endorse(node: &Node, thread: &str, code: &str) {
    write(node, thread, &json!([include("endorsements", code)]));
}

/// What the guest sees.
fn seen(node: &Node, thread: &str) -> Option<Value> {
    node.show_released(thread, READER).expect("shown")
}

#[tokio::test(flavor = "multi_thread")]
async fn f2_question_with_a_due_date() {
    let (world, forum, thread) = forum().await;
    let guests = world.coordinator().operations().node();
    let [south, west, east, kent] = HUBS.map(|hub| world.hub(hub));
    assert_eq!(fields(south, &thread)["due"], "2027-03-31");
    assert_eq!(seen(guests, &thread), None);

    // Hubs answer without a network, and sync.
    for node in [south, west, east, kent] {
        node.pause(true);
    }
    write(
        south,
        &thread,
        &json!({ "position": "Pupils use calculators once a week." }),
    );
    let post = json!({ "text": "In our area it is twice, between ourselves." });
    write(west, &thread, &json!([add("posts", post)]));
    assert!(fields(guests, &thread)["position"] != "Pupils use calculators once a week.");
    for node in [south, west, east, kent] {
        node.pause(false);
    }
    world.agree(forum).await;
    assert_eq!(
        fields(kent, &thread)["position"],
        "Pupils use calculators once a week."
    );
    assert_eq!(fields(kent, &thread)["posts"][0]["hub"], HUBS[1]);
    assert_eq!(seen(guests, &thread), None, "a draft is nothing for guests");

    // One endorses before the last word is written, two exactly what is sent, and one also signs
    // with another's name.
    endorse(kent, &thread, HUBS[3]);
    world.agree(forum).await;
    let position = "Pupils use calculators once or twice a week.";
    write(west, &thread, &json!({ "position": position }));
    world.agree(forum).await;
    endorse(south, &thread, HUBS[0]);
    endorse(west, &thread, HUBS[1]);
    endorse(west, &thread, HUBS[2]);
    world.agree(forum).await;
    assert_eq!(seen(guests, &thread), None, "endorsed is not sent");
    write(east, &thread, &json!({ "state": "sent" }));
    world.agree(forum).await;

    for node in [guests, kent] {
        let seen = seen(node, &thread).expect("what was sent");
        let texts = seen["texts"].as_array().expect("texts");
        assert_eq!(texts.len(), 1);
        assert_eq!(texts[0]["text"], position);
        assert_eq!(
            (&texts[0]["endorsed"], &texts[0]["endorsed_by"]),
            (&json!(2), &json!([HUBS[0], HUBS[1]]))
        );
        assert_eq!(seen["fields"]["due"], "2027-03-31");
        assert!(
            !seen.to_string().contains("between ourselves"),
            "posts are the hubs' own"
        );
    }

    // What is drafted after it stays a draft.
    write(south, &thread, &json!({ "position": "Pupils use none." }));
    world.agree(forum).await;
    let seen = seen(guests, &thread).expect("what was sent");
    assert!(!seen.to_string().contains("Pupils use none."), "{seen}");
    assert_eq!(seen["texts"][0]["endorsed"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn f3_position_edited_after_endorsements() {
    let (world, forum, thread) = forum().await;
    let guests = world.coordinator().operations().node();
    let south = world.hub(HUBS[0]);
    write(
        south,
        &thread,
        &json!({ "position": "Pupils use calculators once a week." }),
    );
    world.agree(forum).await;
    for hub in HUBS {
        endorse(world.hub(hub), &thread, hub);
    }
    world.agree(forum).await;
    let edited = "Pupils use calculators once a week, where schools have them.";
    write(south, &thread, &json!({ "position": edited }));
    world.agree(forum).await;

    // Hub leads are told which endorsements are stale, before it is sent.
    let leads = Concerning {
        role: "hub lead".to_owned(),
        ..Concerning::default()
    };
    let stale = || {
        let listed = world.hub(HUBS[3]).versions_concerning(&thread, &leads);
        let open = listed.expect("versions").versions.into_iter();
        let stale = open.filter(|it| {
            it["sentence"] == "hubs endorsed another text than the one that stands here now"
        });
        let versions = stale.flat_map(|it| it["versions"].as_array().cloned().unwrap_or_default());
        versions.count()
    };
    assert_eq!(stale(), 4);
    write(south, &thread, &json!({ "state": "sent" }));
    world.agree(forum).await;
    let counted = || {
        let seen = seen(guests, &thread).expect("what was sent");
        let text = seen["texts"][0].clone();
        assert_eq!(text["text"], edited);
        (text["endorsed"].clone(), text["endorsed_by"].clone())
    };
    assert_eq!(counted(), (json!(0), json!([])));

    // Those who renew are counted, and they alone.
    for hub in &HUBS[1..3] {
        endorse(world.hub(hub), &thread, hub);
    }
    world.agree(forum).await;
    assert_eq!(counted(), (json!(2), json!([HUBS[2], HUBS[1]])));
    assert_eq!(stale(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn f5_answer_corrected_later() {
    let (world, forum, thread) = forum().await;
    let guests = world.coordinator().operations().node();
    let (south, west) = (world.hub(HUBS[0]), world.hub(HUBS[1]));
    let first = "Pupils use calculators once a week. Most schools own a set.";
    write(south, &thread, &json!({ "position": first }));
    world.agree(forum).await;
    endorse(west, &thread, HUBS[1]);
    world.agree(forum).await;
    write(south, &thread, &json!({ "state": "sent" }));
    world.agree(forum).await;
    let opened = seen(guests, &thread).expect("the answer");
    assert_eq!(
        (&opened["news"], &opened["texts"][0]["text"]),
        (&json!(true), &json!(first))
    );
    assert_eq!(opened["texts"][0]["changed_from"], Value::Null);
    assert_eq!(seen(guests, &thread).expect("the answer")["news"], false);

    // It is corrected: nothing is told while it is a draft.
    let second = "Pupils use calculators once a week. Half of all schools own a set.";
    write(
        south,
        &thread,
        &json!([
            { "do": "set", "field": "state", "value": "drafting" },
            { "do": "set", "field": "position", "value": second },
        ]),
    );
    world.agree(forum).await;
    let drafting = seen(guests, &thread).expect("the answer");
    assert_eq!(
        (&drafting["news"], &drafting["texts"]),
        (&json!(false), &opened["texts"])
    );
    write(south, &thread, &json!({ "state": "sent" }));
    world.agree(forum).await;

    // Opened again, the change is marked, beside what it was; and it is news once to each reader.
    let opened = seen(guests, &thread).expect("the answer");
    let texts = opened["texts"].as_array().expect("texts");
    assert_eq!(texts.len(), 2);
    assert_eq!(
        (&texts[0]["text"], &texts[1]["text"]),
        (&json!(first), &json!(second))
    );
    assert_eq!(texts[1]["changed_from"], texts[0]["version"]);
    assert_eq!(texts[1]["taken_away"], json!(["Most schools own a set."]));
    assert_eq!(texts[1]["added"], json!(["Half of all schools own a set."]));
    assert_eq!(
        (&texts[0]["endorsed"], &texts[1]["endorsed"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(opened["news"], true);
    let again = seen(guests, &thread).expect("the answer");
    assert_eq!(
        (&again["news"], &again["texts"]),
        (&json!(false), &opened["texts"])
    );
    let other = guests
        .show_released(&thread, "another reader")
        .expect("shown");
    assert_eq!(other.expect("the answer")["news"], true);
}
