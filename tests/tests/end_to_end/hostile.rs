//! A hub that writes what no honest one would: it harms nobody else.

use node::Node;
use node::clock::now_ms;
use node_document::{Author, ChangesEntry, Document, EditError, Outcome, Value};
use node_feed::{
    Card, Cut, CutTarget, DocumentId, Entry, Erase, Fact, FeedCut, FeedName, Hash, Kind, Nonce,
    SpaceId, Subject, Writers,
};
use serde_json::{Value as Json, json};
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";

async fn two_hubs() -> (World, SpaceId, String) {
    let mut world = World::new().await;
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
    }
    let (space, project) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    (world, space, project)
}

fn make(node: &Node, kind: &str, space: &str, fields: &Json) -> String {
    let made = node.create_record(kind, space, &fields.to_string());
    made.expect("a record").id.to_string()
}

fn include(node: &Node, record: &str, field: &str, elements: &[&str]) {
    let changes = elements
        .iter()
        .map(|element| json!({ "do": "include", "field": field, "element": element }));
    let changes = changes.collect::<Json>().to_string();
    node.edit_record(record, "", &changes).expect("included");
}

fn titles(node: &Node, space: &str) -> Vec<String> {
    let listed = node.list_records("practice", space).expect("a list");
    listed.into_iter().map(|record| record.title).collect()
}

fn put(document: &Document, author: &Author, fields: &[(&str, &str)]) -> node_document::Edited<()> {
    let edited = document.edit(None, author, now_ms(), |edit| {
        for (field, value) in fields {
            edit.put(&[field], &Value::from(*value))?;
        }
        Ok::<_, EditError>(())
    });
    edited.expect("changes")
}

fn changes(subject: DocumentId, payload: bytes::Bytes) -> Entry {
    Entry {
        time_ms: now_ms(),
        kind: Kind::CHANGES,
        subject: subject.subject(),
        payload,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_moves_a_record_of_another_hub_into_another_space() {
    let (world, space, _) = two_hubs().await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let private = make(south, "practice", "", &json!({ "title": "Private" }));
    let home = south.show_record(&private).expect("shown").space;
    assert_ne!(home, space);

    let stolen = private.parse::<Subject>().expect("an id");
    let stolen = DocumentId::try_from(stolen).expect("a document's id");
    let author = west.author(space).expect("west may write there");
    let fields = [("@kind", "practice"), ("title", "Taken")];
    let taken = put(&Document::new(stolen), &author, &fields);
    let payload = taken.changes(Nonce([7; 16])).encode();
    west.write(space, changes(stolen, payload))
        .expect("it is carried");
    world.agree(space).await;

    let before = south.heights(space).expect("heights");
    assert_eq!(south.show_record(&private).expect("shown").space, home);
    south
        .edit_record(&private, "", r#"{"body": "For us alone."}"#)
        .expect("edited");
    assert_eq!(south.heights(space).expect("heights"), before);
    assert_eq!(titles(south, ""), ["Private"]);
    assert_eq!(titles(west, ""), [""; 0]);
    assert!(west.show_record(&private).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_under_the_id_of_anothers_document_takes_no_list_its_line() {
    let (world, space, _) = two_hubs().await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let text = space.to_string();
    let shared = make(south, "practice", &text, &json!({ "title": "Shared" }));
    world.agree(space).await;
    let card = Card {
        random: Nonce([7; 16]),
        replaces: Vec::new(),
        body: b"{}".to_vec().into(),
    };
    let entry = Entry {
        time_ms: now_ms(),
        kind: Kind::CARD,
        subject: shared.parse().expect("an id"),
        payload: card.encode().expect("a card"),
    };
    west.write(space, entry).expect("it is carried");
    world.agree(space).await;
    for node in [south, west] {
        assert_eq!(titles(node, &text), ["Shared"]);
        assert!(node.show_record(&shared).is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_by_another_hub_than_the_owner_takes_nothing_out() {
    let (world, space, _) = two_hubs().await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let text = space.to_string();
    let shared = make(south, "practice", &text, &json!({ "title": "Shared" }));
    world.agree(space).await;
    for node in [south, west] {
        assert_eq!(titles(node, &text), ["Shared"], "it is listed before");
    }
    let erase = Erase {
        random: Nonce([7; 16]),
        subjects: vec![shared.parse().expect("an id")],
    };
    let entry = Entry {
        time_ms: now_ms(),
        kind: Kind::ERASE,
        subject: Subject::NONE,
        payload: erase.encode().expect("one id"),
    };
    west.write(space, entry).expect("it is carried");
    world.agree(space).await;
    for node in [south, west] {
        assert_eq!(titles(node, &text), ["Shared"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_for_another_hub_or_widens_what_it_signed() {
    let (world, space, project) = two_hubs().await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let coordinator = world.coordinator().operations().node();
    let text = space.to_string();
    let group = make(
        south,
        "work-group",
        "",
        &json!({
            "title": "Ratio", "project": "NCP24-11", "phase": "primary",
            "sessions": [{ "date": "2027-01-12", "state": "held" }],
            "members": [{ "organisation": "A school", "urn": "100001" }],
        }),
    );
    let leaves = |south: &Node| {
        let shown = south.publish_record(&group, &text, false, "");
        shown.map(|shown| shown.leaves)
    };
    include(coordinator, &project, "agreed_fields", &["title", "phase"]);
    world.agree(space).await;
    include(west, &project, "signatures", &[SOUTH]);
    world.agree(space).await;
    let refused = leaves(south).expect_err("it did not sign").to_string();
    assert!(refused.contains("has not signed"), "{refused}");

    include(south, &project, "signatures", &[SOUTH]);
    assert_eq!(leaves(south).expect("signed")["phase"], "primary");
    include(
        west,
        &project,
        "agreed_fields",
        &["schools", "sessions_held"],
    );
    include(coordinator, &project, "agreed_fields", &["project"]);
    world.agree(space).await;
    let now = leaves(south).expect("still signed");
    for field in ["schools", "sessions_held", "project"] {
        assert_eq!(now.get(field), None, "{field} was listed after the signing");
    }
    include(south, &project, "signatures", &[SOUTH]);
    let now = leaves(south).expect("signed again");
    assert_eq!(now["project"], "NCP24-11");
    for field in ["schools", "sessions_held"] {
        assert_eq!(now.get(field), None, "{field} was not listed by NCETM");
    }

    // A project record of another hub is no agreement.
    let own = json!({
        "code": "NCP24-11", "title": "Mine", "agreed_fields": ["title", "schools"],
        "signatures": [SOUTH],
    });
    let own = make(west, "project-work", &text, &own);
    world.agree(space).await;
    include(south, &own, "signatures", &[SOUTH]);
    assert_eq!(leaves(south).expect("signed").get("schools"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_leaves_the_lists_though_the_process_died_before_they_were_made_anew() {
    let (mut world, space, _) = two_hubs().await;
    let text = space.to_string();
    let west = world.hub(WEST);
    make(west, "practice", &text, &json!({ "title": "Before" }));
    let writer = west.author(space).expect("west may write").writer;
    let tips = west.heights(space).expect("heights");
    let last = tips.get(&FeedName::from_bytes(writer)).expect("its end");
    let hub = west.hub().expect("west's hub");
    make(west, "practice", &text, &json!({ "title": "After" }));
    world.agree(space).await;
    assert_eq!(titles(world.hub(SOUTH), &text), ["After", "Before"]);

    world.stop_hub(SOUTH).await;
    let lists = world.path(SOUTH).join("projections.db");
    let old = std::fs::read(&lists).expect("the lists are read");
    world.start_hub(SOUTH);
    let cut = Cut {
        target: CutTarget::Grant(hub, space),
        reason: "the key was stolen".to_owned(),
        feeds: vec![FeedCut {
            space,
            writer,
            last,
        }],
    };
    let authority = world.coordinator().operations().authority();
    authority.write(&[Fact::Cut(cut)]).expect("cut");
    until("the cut takes effect", || {
        titles(world.hub(SOUTH), &text) == ["Before"]
    })
    .await;

    world.stop_hub(SOUTH).await;
    std::fs::write(&lists, old).expect("the lists are as they were");
    world.start_hub(SOUTH);
    assert_eq!(titles(world.hub(SOUTH), &text), ["Before"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_takes_edits_after_more_starts_of_a_process_than_one_key_may_count() {
    let (world, space, _) = two_hubs().await;
    let south = world.hub(SOUTH);
    let author = south.author(space).expect("it may write");
    let id = DocumentId::new(author.hub, Writers::Members, [9; 15]);
    let mut document = Document::new(id);
    let mut entries = Vec::new();
    for start in 0..=255 {
        let author = Author {
            nonce: Nonce([start; 16]),
            ..author
        };
        let title = format!("Start {start}");
        let edited = put(
            &document,
            &author,
            &[("@kind", "practice"), ("title", &title)],
        );
        let payload = edited.changes(Nonce([7; 16]));
        let entry = ChangesEntry {
            feed: FeedName::from_bytes(author.writer),
            number: u64::from(start) + 1,
            hash: Hash::from_bytes([start; 32]),
            writer: author.writer,
            hub: author.hub,
            time_ms: 1,
            changes: payload.clone(),
        };
        assert!(matches!(
            document.apply_edited(&entry, &edited),
            Outcome::Applied
        ));
        entries.push(changes(id, payload.encode()));
    }
    for some in entries.chunks(64) {
        south.write_all(space, some.to_vec()).expect("written");
    }
    south
        .edit_record(&id.to_string(), "", r#"{"body": "Still goes."}"#)
        .expect("it is written under a new key");
    assert_ne!(
        south.author(space).expect("it may write").writer,
        author.writer
    );
    world.agree(space).await;
    let shown = world.hub(WEST).show_record(&id.to_string()).expect("shown");
    assert_eq!(shown.fields["body"], "Still goes.");
}
