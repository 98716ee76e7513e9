//! A form that is sent more than once.

use node::Node;
use serde_json::Value;
use tests::reader::{Answer, Visitor, serve_pages, until_it_may_write};
use tests::world::World;

/// What stands in a list of a record: these fields of each item.
fn standing(node: &Node, id: &str, list: &str, fields: &[&str]) -> Vec<String> {
    let record = node.show_record(id).expect("the record").fields;
    let items = record[list].as_array().cloned().unwrap_or_default();
    let told = |item: &Value| {
        let values = fields
            .iter()
            .map(|field| item[*field].as_str().unwrap_or("-"));
        values.collect::<Vec<_>>().join(" ")
    };
    let mut told = items.iter().map(told).collect::<Vec<_>>();
    told.sort();
    told
}

/// Presses the button by which what was just saved is undone.
async fn undo(visitor: &Visitor, saved: &Answer) {
    let page = visitor.read(&saved.location).await;
    let form = page.form("/undo");
    let fields = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let undone = visitor.post("/undo", &fields.collect::<Vec<_>>()).await;
    assert_eq!(undone.status, 303, "{}", undone.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_added_once_and_again_only_where_the_form_was_changed_or_undone() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let made = east.create_record("work-group", "", r#"{"title": "Ratio"}"#);
    let id = made.expect("made").id.to_string();
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let path = format!("/work-groups/{id}/sessions/new");
    let page = lead.read(&path).await;
    let add = async |page: &Answer, venue: &str, start: &str| {
        let fields = [("date", "2026-11-26"), ("venue", venue), ("start", start)];
        let saved = lead.fill(page, &path, &fields).await;
        assert_eq!(saved.status, 303, "{}", saved.text());
        saved
    };
    let sessions = || standing(&east, &id, "sessions", &["venue", "start"]);

    add(&page, "Village hall", "16:30").await;
    let again = add(&page, "Village hall", "16:30").await;
    let told = lead.read(&again.location).await;
    assert!(told.says("It is saved once."), "{}", told.text());
    assert_eq!(sessions(), ["Village hall 16:30"]);

    // Back, and another from the same page.
    add(&page, "School", "").await;
    assert_eq!(sessions(), ["School -", "Village hall 16:30"]);

    // Undone, corrected and sent again, nothing of what was undone comes back.
    let page = lead.read(&path).await;
    let added = add(&page, "Attic", "17:45").await;
    undo(&lead, &added).await;
    assert_eq!(sessions().len(), 2);
    add(&page, "Library", "").await;
    assert_eq!(sessions(), ["Library -", "School -", "Village hall 16:30"]);
    let open = east.list_versions(&id).expect("versions");
    assert_eq!(open.as_array().map(Vec::len), Some(0), "{open}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_is_new_to_the_hub_gets_one_card_and_one_place() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let made = east.create_record("work-group", "", r#"{"title": "Ratio"}"#);
    let id = made.expect("made").id.to_string();
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let path = format!("/work-groups/{id}/members/new");
    let page = lead.read(&path).await;
    let add = async |status: &str| {
        let fields = [
            ("organisation", "Hill School"),
            ("name", "Testa Sampleton"),
            ("person", "new"),
            ("status", status),
        ];
        lead.fill(&page, &path, &fields).await
    };
    for _ in 0..2 {
        let saved = add("applied").await;
        assert_eq!(saved.status, 303, "{}", saved.text());
    }
    let cards = || east.list_records("person", "").expect("cards").len();
    let members = || standing(&east, &id, "members", &["organisation"]);
    let statuses = || standing(&east, &id, "statuses", &["status"]);
    assert_eq!(
        (cards(), members(), statuses()),
        (
            1,
            vec!["Hill School".to_owned()],
            vec!["applied".to_owned()]
        )
    );

    // Somebody goes back and says otherwise where the same person stands: nothing is dropped
    // without a word.
    let refused = add("accepted").await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.says("This was added when the form was sent first"),
        "{}",
        refused.text()
    );
    assert_eq!((cards(), members().len(), statuses().len()), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_in_the_forum_is_posted_once() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let operations = world.coordinator().operations();
    let forum = operations.create_space(node_feed::SpaceKind::Forum, "Forum");
    let forum = forum.expect("a forum");
    operations
        .grant(forum, "east", node_feed::Access::Write)
        .expect("access");
    let ask = r#"{"title": "What works?", "question": "What works in year 4?"}"#;
    let made = operations
        .node()
        .create_record("forum-thread", &forum.to_string(), ask);
    let id = made.expect("made").id.to_string();
    let east = world.hub("east").clone();
    tests::world::until("the question arrives", || east.show_record(&id).is_ok()).await;
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let path = format!("/forum-threads/{id}");
    let page = lead.read(&path).await;
    let post = format!("{path}/post");
    let empty = lead.fill(&page, &post, &[("text", "")]).await;
    assert_eq!(empty.status, 422);
    assert!(empty.says("Write something first"), "{}", empty.text());
    for _ in 0..2 {
        let posted = lead.fill(&page, &post, &[("text", "Counting on.")]).await;
        assert_eq!(posted.status, 303, "{}", posted.text());
    }
    assert_eq!(standing(&east, &id, "posts", &["text"]), ["Counting on."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_card_of_two_is_made_only_of_what_was_looked_at() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let card = |name: &str| {
        let json = format!(r#"{{"name": "{name}", "email": "kim@example.org"}}"#);
        let made = east.create_record("person", "", &json);
        made.expect("made").id.to_string()
    };
    let (keep, other) = (card("Kim Example"), card("K. Example"));
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let path = "/people/duplicates/merge";
    let ask = format!("{path}?keep={keep}&other={other}");
    let asked = lead.read(&ask).await;
    assert!(asked.says("this cannot be undone"), "{}", asked.text());
    east.edit_record(&other, "", r#"{"job_role": "Maths lead"}"#)
        .expect("changed meanwhile");
    let stale = lead.fill(&asked, path, &[]).await;
    assert!(lead.read(&stale.location).await.says("both were left"));
    assert_eq!(east.list_records("person", "").expect("cards").len(), 2);
    let asked = lead.read(&ask).await;
    assert!(asked.says("Maths lead"), "{}", asked.text());
    lead.fill(&asked, path, &[]).await;
    let left = east.list_records("person", "").expect("cards");
    assert_eq!(left.len(), 1);
    let merged = east.show_record(&keep).expect("the card").fields;
    assert_eq!(merged["job_role"], "Maths lead");
    let itself = lead.get(&format!("{path}?keep={keep}&other={keep}")).await;
    assert!(itself.status >= 400, "{}", itself.status);
}
