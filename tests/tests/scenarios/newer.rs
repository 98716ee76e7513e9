//! Bad input: what a newer version wrote is carried unharmed, what is wrong in another hub's entry
//! is shown with the reason, and what people enter wrongly is refused before anything is signed.

use std::collections::BTreeMap;

use node::Node;
use node::clock::now_ms;
use node_document::{Document, Edit, EditError, Value};
use node_domain::{Check, Field, Filled, Form, KINDS, Kind, Merge, Object, State};
use node_feed::{
    Access, Card, CardId, DocumentId, Entry, Kind as EntryKind, Nonce, SpaceId, SpaceKind, Subject,
    Writers,
};
use serde_json::{Value as Json, json};
use tests::world::World;

use crate::acting::{
    SOUTH, WEST, all, arrives, edit, fields, make, ncetm, network, refused, space,
};

/// Two hubs that share a space of every kind that can be shared; the spaces by their kinds.
async fn everywhere() -> (World, BTreeMap<SpaceKind, SpaceId>) {
    let world = network(&[SOUTH, WEST]).await;
    let operations = world.coordinator().operations();
    let forum = operations
        .create_space(SpaceKind::Forum, "Forum")
        .expect("a space");
    for hub in [SOUTH, WEST] {
        operations.grant(forum, hub, Access::Write).expect("access");
    }
    let (project, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    tests::world::until("both are in the forum", || {
        [SOUTH, WEST].iter().all(|hub| {
            let spaces = world.hub(hub).spaces().expect("spaces");
            spaces.iter().any(|space| space.id == forum)
        })
    })
    .await;
    let west = world.hub(WEST);
    let own = [SpaceKind::Hub, SpaceKind::Pair, SpaceKind::Network];
    let mut spaces = own
        .map(|kind| (kind, space(west, kind)))
        .into_iter()
        .collect::<BTreeMap<_, _>>();
    spaces.extend([(SpaceKind::Forum, forum), (SpaceKind::Project, project)]);
    (world, spaces)
}

/// Writes a document of a node's own without a look at any declaration.
fn write_document(
    node: &Node,
    space: SpaceId,
    writers: Writers,
    write: impl FnOnce(&mut Edit<'_>) -> Result<(), EditError>,
) -> String {
    let author = node.author(space).expect("it may write");
    let id = DocumentId::new(author.hub, writers, node::random());
    let document = Document::new(id);
    let edited = document
        .edit(None, &author, now_ms(), write)
        .expect("changes");
    let entry = Entry {
        time_ms: now_ms(),
        kind: EntryKind::CHANGES,
        subject: id.subject(),
        payload: edited.changes(Nonce([7; 16])).encode(),
    };
    node.write(space, entry).expect("it is carried");
    id.to_string()
}

/// The same of a card.
fn write_card(node: &Node, space: SpaceId, body: &Json) -> String {
    let author = node.author(space).expect("it may write");
    let id = CardId::new(author.hub, Writers::Owner, node::random());
    let card = Card {
        random: Nonce(node::random()),
        replaces: Vec::new(),
        body: body.to_string().into(),
    };
    let entry = Entry {
        time_ms: now_ms(),
        kind: EntryKind::CARD,
        subject: id.subject(),
        payload: card.encode().expect("small"),
    };
    node.write(space, entry).expect("it is carried");
    id.to_string()
}

fn put(edit: &mut Edit<'_>, path: &[&str], value: &str) -> Result<(), EditError> {
    edit.put(path, &Value::from(value))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_version_wrote_is_shown_as_unknown_and_kept_by_edits() {
    let (world, spaces) = everywhere().await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let (project, everyone) = (spaces[&SpaceKind::Project], spaces[&SpaceKind::Network]);
    let record = write_document(west, project, Writers::Members, |edit| {
        put(edit, &["@kind"], "timetable")?;
        put(edit, &["title"], "A timetable of 2031")?;
        edit.place_item(&["slots"], "s1", None)?;
        put(edit, &["slots", "s1", "room"], "12b")
    });
    let practice = write_document(west, project, Writers::Members, |edit| {
        put(edit, &["@kind"], "practice")?;
        put(edit, &["title"], "Number talks")?;
        put(edit, &["phase"], "nursery")?;
        put(edit, &["mood"], "cheerful")?;
        edit.update_text(&["body"], "Ask how.")?;
        put(edit, &["state"], "idea")?;
        edit.place_item(&["files"], "f1", None)?;
        put(edit, &["files", "f1", "name"], "talk.pdf")?;
        edit.put(&["files", "f1", "bytes"], &Value::Int(10))?;
        put(edit, &["files", "f1", "colour"], "green")
    });
    let badge = json!({ "kind_of_record": "badge", "name": "Badge of 2031", "metal": "tin" });
    let badge = write_card(west, everyone, &badge);
    for id in [&record, &practice, &badge] {
        for node in [south, ncetm(&world)] {
            arrives(node, id).await;
        }
    }

    for node in [south, west, ncetm(&world)] {
        for (id, name, title, held) in [
            (&record, "timetable", "A timetable of 2031", "12b"),
            (&badge, "badge", "Badge of 2031", "tin"),
        ] {
            let shown = node.show_record(id).expect("shown");
            assert!(shown.fields.to_string().contains(held), "{}", shown.fields);
            let problem = &shown.problems[0].message;
            assert!(
                problem.contains(name) && problem.contains("unharmed"),
                "{problem}"
            );
            let listed = node.list_records("", "").expect("a list");
            let line = listed.iter().find(|line| line.id.to_string() == *id);
            let line = line.expect("it is in the list");
            assert_eq!(line.title, title);
            assert!(line.kind.starts_with("unknown"), "{}", line.kind);
            let told = refused(node, id, &json!({ "title": "Mine" }));
            assert!(told.contains(name) || node.hub() != west.hub(), "{told}");
        }
        node.list_versions("").expect("nothing is hidden by it");
        node.record_history(&record, "").expect("it has a history");
    }

    // An edit by this older node keeps what it does not know.
    edit(
        south,
        &practice,
        &json!({ "title": "Number talks, again", "body": "Ask how and why." }),
    );
    let file = json!({ "name": "more.pdf", "bytes": 5 });
    edit(
        south,
        &practice,
        &json!([crate::acting::add("files", &file)]),
    );
    world.agree(project).await;
    for node in [south, west, ncetm(&world)] {
        let shown = node.show_record(&practice).expect("shown");
        assert_eq!(shown.fields["title"], "Number talks, again");
        assert_eq!(shown.fields["phase"], "nursery");
        assert_eq!(shown.fields["unknown"]["mood"], "cheerful");
        assert_eq!(shown.fields["files"][0]["colour"], "green");
        assert!(
            shown
                .problems
                .iter()
                .all(|problem| problem.field != "phase"),
            "a newer code is none"
        );
    }
    let told = refused(south, &practice, &json!({ "phase": "nursery" }));
    assert!(
        told.contains("must be one of"),
        "a newer code is not entered here: {told}"
    );

    let own = spaces[&SpaceKind::Hub];
    let body = json!({
        "kind_of_record": "organisation", "name": "Hill", "kind": "forest school", "founded": "1901",
    });
    let school = write_card(west, own, &body);
    edit(west, &school, &json!({ "place": "Rotherham" }));
    let shown = fields(west, &school);
    assert_eq!(shown["place"], "Rotherham");
    assert_eq!(
        (&shown["kind"], &shown["founded"]),
        (&json!("forest school"), &json!("1901"))
    );
}

/// What a field must not hold, as a document may hold it all the same.
fn wrong_value(field: &Field) -> Value {
    match (field.merge, field.check) {
        // A word would be a newer version's state.
        (Merge::State(_), _) => Value::Int(7),
        (Merge::Text | Merge::Count, _) | (_, Check::Number(..) | Check::Pence(..)) => {
            Value::from("neither fish nor fowl")
        }
        (_, Check::Text(most)) => Value::String("x".repeat(most + 1)),
        (_, Check::OneOf(_)) => Value::Int(7),
        (_, _) => Value::from(wrong_text(field.check)),
    }
}

fn wrong_text(check: Check) -> &'static str {
    match check {
        Check::Date => "2026-02-30",
        Check::Time => "25:99",
        Check::AcademicYear => "2026-29",
        Check::Urn | Check::Urns => "12",
        Check::Email => "no address",
        Check::Reference(_) => "no/id",
        Check::YesNo | Check::Consent => "perhaps",
        Check::Number(..) | Check::Pence(..) | Check::OneOf(_) | Check::Text(_) => "never",
    }
}

fn json_of(value: &Value) -> Json {
    if let Value::Int(number) = value {
        return json!(number);
    }
    json!(value.as_str())
}

/// Writes every field of a kind wrongly; returns the paths.
fn write_wrongly(edit: &mut Edit<'_>, kind: &Kind) -> Result<Vec<String>, EditError> {
    let mut paths = Vec::new();
    edit.put(&["@kind"], &Value::from(kind.name))?;
    for field in kind
        .fields
        .iter()
        .filter(|field| field.filled != Filled::ByAuthor)
    {
        match field.merge {
            Merge::Value | Merge::Text | Merge::Count | Merge::State(_) => {
                edit.put(&[field.name], &wrong_value(field))?;
                paths.push(field.name.to_owned());
            }
            Merge::List(fields) | Merge::Log(fields) => {
                edit.place_item(&[field.name], "i1", None)?;
                for inner in fields
                    .iter()
                    .filter(|inner| inner.filled != Filled::ByAuthor)
                {
                    let path = [field.name, "i1", inner.name];
                    edit.put(&path, &wrong_value(inner))?;
                    paths.push(path.join("/"));
                }
            }
            Merge::Set(_) => {
                edit.put(&[field.name, "in between"], &Value::from("perhaps"))?;
                paths.push(format!("{}/in between", field.name));
            }
            Merge::Places => edit.put(&[field.name, "x", "count"], &Value::from("many"))?,
        }
    }
    Ok(paths)
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_values_in_another_hubs_entries_are_shown_with_the_reason_and_hide_nothing() {
    let (world, spaces) = everywhere().await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let project = spaces[&SpaceKind::Project];
    let good = make(
        west,
        "practice",
        &project.to_string(),
        &json!({ "title": "Good" }),
    );
    arrives(south, &good).await;
    let mut seen = 0;
    for kind in KINDS {
        // At another hub, unless this kind goes no further than the coordinator or its own hub.
        let place = kind.spaces.iter().max_by_key(|space| match space {
            SpaceKind::Project => 4,
            SpaceKind::Network => 3,
            SpaceKind::Forum => 2,
            SpaceKind::Pair => 1,
            SpaceKind::Hub => 0,
        });
        let place = *place.expect("it stands somewhere");
        let at = spaces[&place];
        let reader = match place {
            SpaceKind::Hub => west,
            SpaceKind::Pair => ncetm(&world),
            SpaceKind::Project | SpaceKind::Network | SpaceKind::Forum => south,
        };
        let mut paths = Vec::new();
        // What only the coordinator's count of, it writes.
        let writer = if kind.coordinators && place == SpaceKind::Network {
            ncetm(&world)
        } else {
            west
        };
        let id = if kind.form == Form::Card {
            let mut body = json!({ "kind_of_record": kind.name });
            for field in kind.fields {
                body[field.name] = json_of(&wrong_value(field));
                paths.push(field.name.to_owned());
            }
            write_card(writer, at, &body)
        } else {
            write_document(writer, at, kind.writers, |edit| {
                paths = write_wrongly(edit, kind)?;
                Ok(())
            })
        };
        arrives(reader, &id).await;
        let shown = reader.show_record(&id).expect("shown");
        assert_eq!(shown.kind, kind.name);
        for path in &paths {
            let mut parts = path.split('/');
            let field = kind.field(parts.next().expect("a name")).expect("declared");
            let inner = parts.nth(1).and_then(|name| {
                field
                    .items()
                    .and_then(|fields| fields.iter().find(|inner| inner.name == name))
            });
            let told = shown.problems.iter().find(|problem| problem.field == *path);
            let told =
                told.unwrap_or_else(|| panic!("{}: {path} in {:?}", kind.name, shown.problems));
            let label = inner.unwrap_or(field).label;
            assert!(
                told.message.contains(label),
                "{}: {path}: {}",
                kind.name,
                told.message
            );
            seen += 1;
        }
        let whole = shown.fields.to_string();
        let number = kind
            .fields
            .iter()
            .any(|field| matches!(field.check, Check::Number(..)) && field.merge == Merge::Value);
        assert!(
            !number || whole.contains("neither fish nor fowl"),
            "what stands there is shown: {whole}"
        );
        assert!(
            all(reader, kind.name).contains(&id),
            "a {} is in the list",
            kind.name
        );
    }
    assert!(seen > 150, "{seen}");

    for node in [south, west, ncetm(&world)] {
        assert!(all(node, "practice").contains(&good) || node.hub() == west.hub());
        assert_eq!(fields(node, &good)["title"], "Good");
        node.list_versions("").expect("versions");
        node.figures().expect("figures");
        node.picture("p", "sessions-held", None, &[])
            .expect("a picture");
        node.reach().expect("reach");
        node.export_calendar("").expect("a calendar");
        node.status().expect("a status");
        for work in all(node, "project-work") {
            node.comparison(&work).expect("a comparison");
            node.synthesis(&work).expect("a synthesis");
        }
    }
}

/// Entries that a node holds in all.
fn entries(node: &Node) -> u64 {
    let status = node.status().expect("a status");
    status["entries"].as_u64().expect("a number")
}

/// A right value, and the records to which fields refer by their kinds.
fn right(kind: &Kind, within: Option<&Field>, field: &Field, ids: &BTreeMap<&str, String>) -> Json {
    for rule in kind.rules {
        if let node_domain::Rule::Names {
            list,
            field: name,
            of,
        } = rule
            && within.is_some_and(|within| within.name == *list)
            && field.name == *name
        {
            return json!(format!("first-of-{of}"));
        }
    }
    match field.check {
        Check::Text(_) => json!("A text"),
        Check::OneOf(codes) => json!(codes[0]),
        Check::Number(least, most) => json!(least.max(1).min(most)),
        Check::YesNo | Check::Consent => json!("yes"),
        Check::Date => json!("2027-01-12"),
        Check::Time => json!("16:30"),
        Check::AcademicYear => json!("2026-27"),
        Check::Urn | Check::Urns => json!("900001"),
        Check::Pence(..) => json!(100),
        Check::Email => json!("office@example.org"),
        Check::Reference(kind) => json!(ids.get(kind).map_or("none", String::as_str)),
    }
}

/// What is required in a list's item.
fn right_item(kind: &Kind, list: &Field, ids: &BTreeMap<&str, String>) -> Json {
    let fields = list
        .items()
        .unwrap_or_default()
        .iter()
        .filter(|field| field.required);
    let values = fields.map(|field| (field.name.to_owned(), right(kind, Some(list), field, ids)));
    Json::Object(values.collect())
}

/// What people may enter wrongly into a field: each as the field's whole content.
fn wrong_entries(kind: &Kind, field: &Field, ids: &BTreeMap<&str, String>) -> Vec<Json> {
    let mut wrong = match field.merge {
        Merge::Value | Merge::Text => wrong_jsons(field),
        Merge::State(_) => vec![json!("flying"), json!(7)],
        Merge::Count => vec![json!("many"), json!(1.5)],
        Merge::Places => vec![json!("many"), json!(-1), json!(1_000_000)],
        Merge::Set(_) => {
            let elements = wrong_jsons(field).into_iter().map(|wrong| json!([wrong]));
            elements.chain([json!("no list")]).collect()
        }
        Merge::List(fields) | Merge::Log(fields) => {
            let base = right_item(kind, field, ids);
            let mut unknown = base.clone();
            unknown["no such field"] = json!("x");
            let mut items = vec![json!("no list"), json!(["no item"]), json!([unknown])];
            for inner in fields {
                let values = match inner.filled {
                    Filled::ByPerson if matches!(inner.merge, Merge::State(_)) => {
                        vec![json!("flying")]
                    }
                    Filled::ByPerson => wrong_jsons(inner),
                    Filled::ByProgram | Filled::ByAuthor => {
                        vec![right(kind, Some(field), inner, ids)]
                    }
                };
                for value in values {
                    let mut item = base.clone();
                    item[inner.name] = value;
                    items.push(json!([item]));
                }
                if inner.required {
                    let mut item = base.clone();
                    item[inner.name] = Json::Null;
                    items.push(json!([item]));
                }
            }
            items
        }
    };
    if field.filled != Filled::ByPerson {
        wrong.push(match field.items() {
            Some(_) => json!([right_item(kind, field, ids)]),
            None => right(kind, None, field, ids),
        });
    }
    wrong
}

fn wrong_jsons(field: &Field) -> Vec<Json> {
    let mut wrong = vec![json!(["a list"]), json!({ "an": "object" })];
    match field.check {
        Check::Text(most) => wrong.push(json!("x".repeat(most + 1))),
        Check::Number(least, most) => {
            wrong.extend([json!(1.5), json!("many")]);
            wrong.extend(least.checked_sub(1).map(|below| json!(below)));
            wrong.extend(most.checked_add(1).map(|above| json!(above)));
        }
        Check::Pence(least, most) => {
            wrong.extend([
                json!("lots"),
                json!("£1.234"),
                json!(least - 1),
                json!(most + 1),
            ]);
        }
        Check::Reference(_) => {
            // A right id of nothing, and none.
            let nothing = Subject::try_from(
                DocumentId::new(
                    node_feed::HubId::from_bytes([3; 8]),
                    Writers::Owner,
                    [5; 15],
                )
                .subject()
                .as_bytes()
                .as_slice(),
            );
            wrong.extend([json!(nothing.expect("an id").to_string()), json!("no/id")]);
        }
        Check::OneOf(_)
        | Check::YesNo
        | Check::Date
        | Check::Time
        | Check::AcademicYear
        | Check::Urn
        | Check::Urns
        | Check::Consent
        | Check::Email => wrong.extend([json!(wrong_text(field.check)), json!(7)]),
    }
    wrong
}

/// The states of a field that do not follow its first.
fn illegal(states: &[State]) -> Vec<&'static str> {
    let first = &states[0];
    let far = states[1..]
        .iter()
        .filter(|state| !first.next.contains(&state.name));
    far.map(|state| state.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_entered_wrongly_is_refused_by_name_before_anything_is_signed() {
    let (world, spaces) = everywhere().await;
    let west = world.hub(WEST);
    let mut ids = BTreeMap::<&str, String>::new();
    let mut tried = 0;
    // What others refer to is made first.
    let first = [
        "person",
        "leader",
        "organisation",
        "partner",
        "plan",
        "work-group",
        "practice",
    ];
    let rest = KINDS
        .iter()
        .map(|kind| kind.name)
        .filter(|name| !first.contains(name));
    for name in first.into_iter().chain(rest) {
        let kind = node_domain::kind(name).expect("declared");
        let at = spaces[&kind.spaces[0]].to_string();
        let required = kind.fields.iter().filter(|field| field.required);
        let base = required.map(|field| (field.name.to_owned(), right(kind, None, field, &ids)));
        let base = base.collect::<Object>();
        let published_only = KINDS
            .iter()
            .flat_map(|from| from.publishing)
            .any(|step| step.only && step.to == kind.name && step.stage.into == kind.spaces[0]);
        let by = if kind.coordinators {
            ncetm(&world)
        } else {
            west
        };
        if published_only {
            let made = by.create_record(kind.name, &at, &Json::Object(base).to_string());
            let told = made.map(|made| made.id).expect_err(kind.name).to_string();
            assert!(told.contains("publishing alone"), "{told}");
            continue;
        }
        let before = entries(by);
        let refused = |values: &Object, label: &str| {
            let values = Json::Object(values.clone()).to_string();
            let shown = values.chars().take(300).collect::<String>();
            let refused = by.create_record(kind.name, &at, &values);
            let refused = refused
                .map(|made| made.id)
                .expect_err(&format!("{name}: {shown}"));
            let told = refused.to_string();
            assert!(told.contains(label), "{name}: {shown}: {told}");
            assert_eq!(entries(by), before, "{name}: {shown}: nothing is signed");
        };
        let mut unknown = base.clone();
        unknown.insert("no such field".to_owned(), json!("x"));
        refused(&unknown, "no such field");
        for field in kind.fields {
            if field.required {
                let mut lacking = base.clone();
                lacking.shift_remove(field.name);
                refused(&lacking, field.label);
            }
            for wrong in wrong_entries(kind, field, &ids) {
                let mut values = base.clone();
                values.insert(field.name.to_owned(), wrong);
                refused(&values, "'");
                tried += 1;
            }
        }

        // Without the mistakes it is made; and of it steps that are not allowed are refused.
        let made = by.create_record(kind.name, &at, &Json::Object(base).to_string());
        let id = made
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .id
            .to_string();
        arrives(west, &id).await;
        ids.insert(kind.name, id.clone());
        let before = entries(by);
        for field in kind.fields {
            let Merge::State(states) = field.merge else {
                continue;
            };
            for state in illegal(states) {
                let change = json!({ field.name: state });
                let told = by.edit_record(&id, "", &change.to_string());
                let told = told.expect_err(&format!("{name}: {state}")).to_string();
                assert!(
                    told.contains(field.label) && told.contains(state),
                    "{name}: {told}"
                );
                tried += 1;
            }
        }
        for change in [
            json!({ "no such field": 1 }),
            json!([{ "do": "fly", "field": "title" }]),
            json!([{ "do": "set", "field": kind.title_field, "value": ["x"] }]),
            json!([{ "do": "remove", "field": kind.title_field, "item": "x" }]),
        ] {
            let told = by.edit_record(&id, "", &change.to_string());
            let told = told.expect_err(&format!("{name}: {change}")).to_string();
            assert!(told.len() > 10, "{told}");
        }
        assert_eq!(entries(by), before, "{name}: nothing was signed");
    }
    assert!(tried > 600, "{tried}");
}
