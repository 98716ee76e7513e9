//! Two versions: who wrote what, and choosing once.

use node::Node;
use serde_json::json;
use tests::reader::{Answer, Visitor, serve_pages, until_it_may_write};
use tests::world::{World, until};

struct Two {
    world: World,
    id: String,
}

/// A project on whose record two hubs write another phase at the same time: `first` before
/// `second` by the clock.
async fn two(first: (&'static str, &str), second: (&'static str, &str)) -> Two {
    let mut world = World::new().await;
    world.add_hub("east").await;
    world.add_hub("north").await;
    let (space, id) = world.project("NCP26-01", &["east", "north"]).await;
    let node = world.hub("east").clone();
    node.edit_record(&id, "", &json!({ "phase": "all" }).to_string())
        .expect("begun");
    world.agree(space).await;
    let heads = node.show_record(&id).expect("the record").heads;
    for (hub, phase) in [first, second] {
        let json = json!({ "phase": phase }).to_string();
        world
            .hub(hub)
            .edit_record(&id, &heads, &json)
            .expect("an edit");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.agree(space).await;
    Two { world, id }
}

fn open(node: &Node, id: &str) -> usize {
    let open = node.list_versions(id).expect("versions");
    open.as_array().map_or(0, Vec::len)
}

/// What stands beside a hub's name on the page, up to the next card.
fn beside(page: &Answer, hub: &str) -> String {
    let cards = page.body.split("<div class=\"card\">").skip(1);
    let mut cards = cards.filter(|card| card.contains(&format!("<h2>{hub}</h2>")));
    cards
        .next()
        .unwrap_or_default()
        .split("<form")
        .next()
        .unwrap_or_default()
        .to_owned()
}

async fn check(first: (&'static str, &str), second: (&'static str, &str)) {
    let Two { world, id } = two(first, second).await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let other = Visitor::sign_in(&east, &pages, "Ben Other", "assistant hub lead", "");
    let all = lead.read("/versions").await;
    assert!(
        all.says("1 thing waits for somebody to choose; it is for you."),
        "{}",
        all.text()
    );
    let path = format!("/versions/{id}?field=phase");
    let page = lead.read(&path).await;
    for (hub, phase) in [first, second] {
        let card = beside(&page, &format!("{hub} Maths Hub")).to_lowercase();
        assert!(card.contains(phase), "{hub} wrote {phase}: {card}");
        assert!(card.contains("before, it said: all"), "{card}");
        let others = if phase == first.1 { second.1 } else { first.1 };
        assert!(!card.contains(others), "{card}");
    }
    let stale = other.read(&path).await;

    // The first card is chosen; its number is that of the card.
    let cards = page.body.find(first.1.get(1..).expect("a word"))
        < page.body.find(second.1.get(1..).expect("a word"));
    let number = if cards { "1" } else { "2" };
    let settle = format!("/versions/{id}");
    let settled = lead.fill(&page, &settle, &[("version", number)]).await;
    assert_eq!(settled.status, 303, "{}", settled.text());
    assert_eq!(open(&east, &id), 0);
    assert_eq!(
        east.show_record(&id).expect("the record").fields["phase"],
        first.1
    );

    let late = other.fill(&stale, &settle, &[("version", "2")]).await;
    assert_eq!(late.status, 409, "{}", late.text());
    assert!(
        late.says("east Maths Hub settled this on"),
        "{}",
        late.text()
    );
    assert!(
        late.text()
            .to_lowercase()
            .contains(&format!("chose “{}”", first.1))
    );
    assert_eq!(
        east.show_record(&id).expect("the record").fields["phase"],
        first.1
    );

    let page = lead.read(&settle).await;
    assert!(page.says("Nothing here stands in two versions") && page.says("Open again"));
    let reopened = lead
        .fill(&page, &format!("/versions/{id}/reopen"), &[])
        .await;
    assert_eq!(reopened.status, 303);
    until("it is open again", || open(&east, &id) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_value_stands_beside_its_own_author_whoever_was_first() {
    check(("east", "primary"), ("north", "secondary")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_value_stands_beside_its_own_author_the_other_way_round() {
    check(("north", "primary"), ("east", "secondary")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_is_entered_and_a_watch_is_left_as_it_is() {
    let Two { world, id } = two(("east", "primary"), ("north", "secondary")).await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let page = lead.read(&format!("/versions/{id}")).await;
    let settle = format!("/versions/{id}");
    let another = [("version", "another"), ("phase", "")];
    let wrong = lead.fill(&page, &settle, &another).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    let another = [("version", "another"), ("phase", "post-16")];
    let done = lead.fill(&page, &settle, &another).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(
        east.show_record(&id).expect("the record").fields["phase"],
        "post-16"
    );

    let plan = r#"{"title": "Money", "budget": 100000}"#;
    let made = east
        .create_record("commission", "", plan)
        .expect("made")
        .id
        .to_string();
    let line = |reference: &str| {
        json!([{ "do": "add", "field": "money", "values": {
            "kind": "invoice", "from": "A", "to": "B", "pence": 5_000, "reference": reference } }])
        .to_string()
    };
    for _ in 0..2 {
        east.edit_record(&made, "", &line("INV-7")).expect("a line");
    }
    let page = lead.read(&format!("/versions/{made}")).await;
    assert!(
        page.says("The same invoice was entered twice"),
        "{}",
        page.text()
    );
    assert!(page.says("£50"), "{}", page.text());
    let settle = format!("/versions/{made}");
    let done = lead.fill(&page, &settle, &[("version", "as it is")]).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(open(&east, &made), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_versions_of_a_card_are_chosen_too() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let made = east
        .create_record("person", "", r#"{"name": "Ama Mensah"}"#)
        .expect("made");
    let id = made.id.to_string();
    let heads = east.show_record(&id).expect("the card").heads;
    for phone in ["0114 1", "0114 2"] {
        east.edit_record(&id, &heads, &json!({ "phone": phone }).to_string())
            .expect("an edit");
    }
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let page = lead.read(&format!("/versions/{id}?field=phone")).await;
    assert!(
        page.says("0114 1") && page.says("0114 2"),
        "{}",
        page.text()
    );
    let settle = format!("/versions/{id}");
    let done = lead.fill(&page, &settle, &[("version", "1")]).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(open(&east, &id), 0);
}
