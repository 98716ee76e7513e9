//! Editing never loses work.

use node::Node;
use serde_json::{Value, json};
use tests::reader::{Visitor, serve_pages, until_it_may_write};
use tests::world::{World, until};

fn record(node: &Node, id: &str) -> Value {
    node.show_record(id).expect("the record").fields
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_two_people_and_a_peer_hub_at_once_lose_nothing() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    world.add_hub("north").await;
    let (space, id) = world.project("NCP26-01", &["east", "north"]).await;
    let (east, north) = (world.hub("east").clone(), world.hub("north").clone());
    let protocol = json!({ "protocol": "Teach it. Talk about it." }).to_string();
    east.edit_record(&id, "", &protocol).expect("begun");
    world.agree(space).await;
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let other = Visitor::sign_in(&east, &pages, "Ben Other", "assistant hub lead", "");
    let project = format!("/project-records/{id}/change/project");
    let text = format!("/project-records/{id}/change/protocol");

    // All of them open the record before anybody saves.
    let first = lead.read(&project).await;
    let second = other.read(&project).await;
    let (tab, other_tab) = (lead.read(&text).await, other.read(&text).await);
    let peers = json!({ "phase": "primary" }).to_string();
    north.edit_record(&id, "", &peers).expect("the peer's edit");
    until("the peer's edit arrives", || {
        record(&east, &id)["phase"] == "primary"
    })
    .await;

    let saved = lead
        .fill(&first, &project, &[("title", "Counting on")])
        .await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let page = lead.read(&saved.location).await;
    assert!(page.says("While you were editing, north Maths Hub changed “Phase tried first”."));
    let saved = other
        .fill(&second, &project, &[("question", "Does it help?")])
        .await;
    let page = other.read(&saved.location).await;
    assert!(
        page.says("somebody here changed “Title”"),
        "{}",
        page.text()
    );
    assert!(page.says("Counting on") && page.says("Does it help?") && page.says("Primary"));
    let longer = "Teach it slowly. Talk about it.";
    lead.fill(&tab, &text, &[("protocol", longer)]).await;
    let later = "Teach it. Talk about it. Write it down.";
    other.fill(&other_tab, &text, &[("protocol", later)]).await;

    let stands = record(&east, &id);
    assert_eq!(stands["title"], "Counting on");
    assert_eq!(stands["question"], "Does it help?");
    assert_eq!(stands["phase"], "primary");
    assert_eq!(
        stands["protocol"],
        "Teach it slowly. Talk about it. Write it down."
    );
    world.agree(space).await;
    assert_eq!(record(&north, &id), stands);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_value_that_two_wrote_at_once_stands_twice_until_somebody_chooses() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let made = east.create_record("work-group", "", r#"{"title": "Reasoning"}"#);
    let id = made.expect("made").id.to_string();
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let path = format!("/work-groups/{id}/change/work-group");
    let (one, two) = (lead.read(&path).await, lead.read(&path).await);
    lead.fill(&one, &path, &[("phase", "primary")]).await;
    let saved = lead.fill(&two, &path, &[("phase", "secondary")]).await;
    assert_eq!(saved.status, 303);
    let page = lead.read(&format!("/work-groups/{id}/all")).await;
    assert!(
        page.says("1 thing here stands in two versions"),
        "{}",
        page.text()
    );
    let page = lead.read(&format!("/versions/{id}")).await;
    assert!(page.says("Primary") && page.says("Secondary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_too_old_says_so_and_keeps_what_was_typed() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let made = east.create_record("plan", "", r#"{"title": "Plan", "impact": "None yet."}"#);
    let id = made.expect("made").id.to_string();
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let path = format!("/plans/{id}/change/impact");
    let page = lead.read(&path).await;
    let form = page.form(&path);
    let heads = form.iter().find(|(name, _)| name == "heads");
    let heads = heads.expect("the form carries heads").1.clone();
    for number in 0..70 {
        let lessons = json!({ "lessons": format!("Lesson {number}.") }).to_string();
        // Beyond the bound these are refused too.
        if east.edit_record(&id, &heads, &lessons).is_err() {
            break;
        }
    }
    let typed = [("impact", "Many more pupils choose mathematics.")];
    let answer = lead.fill(&page, &path, &typed).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.says("Nothing was saved") && answer.says("What you typed is kept below"));
    assert!(answer.says("“Impact at the year's end” says “None yet.” now."));
    let kept = answer.form(&path);
    assert!(kept.contains(&("impact".to_owned(), typed[0].1.to_owned())));
    let saved = lead.fill(&answer, &path, &[]).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert_eq!(record(&east, &id)["impact"], typed[0].1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_stands_beside_its_field_and_what_was_typed_stays() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let page = lead.read("/work-groups/new").await;
    let answer = lead
        .fill(&page, "/work-groups/new", &[("code", "A-1")])
        .await;
    assert_eq!(answer.status, 422);
    assert!(answer.says("There is a problem") && answer.says("'Title' is missing"));
    assert!(answer.body.contains("href=\"#field-title\""));
    assert!(
        answer
            .form("/work-groups/new")
            .contains(&("code".to_owned(), "A-1".to_owned()))
    );
    let made = lead
        .fill(&answer, "/work-groups/new", &[("title", "Reasoning")])
        .await;
    assert_eq!(made.status, 303, "{}", made.text());
    let id = made.location.rsplit('/').next().expect("an id").to_owned();

    let path = format!("/work-groups/{id}/items/sessions/new");
    let page = lead.read(&path).await;
    let answer = lead.fill(&page, &path, &[("venue", "Hall")]).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.body.contains("href=\"#field-date\""),
        "{}",
        answer.text()
    );
    let saved = lead
        .fill(
            &answer,
            &path,
            &[("date", "2026-11-26"), ("start", "16:30")],
        )
        .await;
    let page = lead
        .read(&saved.location.replace(&id, &format!("{id}/all")))
        .await;
    assert!(
        page.says("26 November 2026") && page.says("4:30pm"),
        "{}",
        page.text()
    );

    let undo = page.form("/undo");
    let undo = undo
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let undone = lead.post("/undo", &undo.collect::<Vec<_>>()).await;
    assert_eq!(undone.status, 303, "{}", undone.text());
    assert_eq!(record(&east, &id)["sessions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_token_or_outside_the_role_changes_nothing() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let made = east.create_record("plan", "", r#"{"title": "Plan", "year": "2026-27"}"#);
    let id = made.expect("made").id.to_string();
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let office = Visitor::sign_in(&east, &pages, "Olu Office", "administrator", "");
    let path = format!("/plans/{id}/change/plan");
    let without = lead.post(&path, &[("title", "Taken"), ("csrf", "")]).await;
    assert_eq!(without.status, 403);
    let page = office.get(&path).await;
    assert_eq!(page.status, 403, "{}", page.text());
    let other = lead.read(&path).await;
    let own = office.read("/work-groups/new").await;
    let csrf = own.form("/work-groups/new");
    let csrf = csrf
        .iter()
        .find(|(name, _)| name == "csrf")
        .expect("a token");
    let forged = [("title", "Taken"), ("csrf", csrf.1.as_str()), ("heads", "")];
    assert_eq!(office.post(&path, &forged).await.status, 403);
    assert_eq!(record(&east, &id)["title"], "Plan");
    until("the refusal stands in the audit", || {
        let lines = east.accounts().audit_lines(20).expect("audit lines");
        lines
            .iter()
            .any(|line| line.event == "refused" && !line.allowed)
    })
    .await;
    assert!(other.says("Plan"));
}
