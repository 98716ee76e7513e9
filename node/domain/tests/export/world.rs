//! Documents of one hub, and a rich record of any kind.

use node_document::{Author, ChangesEntry, Document, Edited, Outcome};
use node_domain::{By, Check, Field, Filled, Kind, Merge, Object, RecordError, read};
use node_feed::{DocumentId, FeedName, Hash, HubId, Nonce, Tag};
use serde_json::{Value as Json, json};

pub(crate) fn by() -> By {
    By {
        author: Author {
            writer: [1; 32],
            hub: HubId::from_bytes([1; 8]),
            nonce: Nonce([1; 16]),
        },
        time_ms: 1_000,
        random: [7; 16],
        program: true,
    }
}

/// What a record made in an empty document reads as.
pub(crate) fn made<T>(
    kind: &'static Kind,
    make: impl FnOnce(&Document) -> Result<Edited<T>, RecordError>,
) -> Object {
    let by = by();
    let mut document = Document::new(DocumentId::new(by.author.hub, kind.writers, [9; 15]));
    let edited = make(&document).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
    let entry = ChangesEntry {
        feed: FeedName::from_bytes(by.author.writer),
        number: 0,
        hash: Hash::of(Tag::Entry, &[&by.random]),
        writer: by.author.writer,
        hub: by.author.hub,
        time_ms: by.time_ms,
        changes: edited.changes(Nonce(by.random)),
    };
    assert_eq!(document.apply_edited(&entry, &edited), Outcome::Applied);
    read(&document.view(), kind)
}

/// A record with every field filled in, in its last state, as it would be read.
pub(crate) fn rich(kind: &Kind) -> Object {
    let mut record = Object::new();
    record.insert("kind_of_record".to_owned(), json!(kind.name));
    for field in kind.fields {
        if let Some(value) = value(field, "") {
            record.insert(field.name.to_owned(), value);
        }
    }
    record
}

fn value(field: &Field, tail: &str) -> Option<Json> {
    if field.filled == Filled::ByAuthor {
        return Some(json!(by().author.hub.to_string()));
    }
    Some(match field.merge {
        Merge::Value => one(field),
        Merge::Text => json!(format!("What {} says{tail}, £ and naïveté.", field.label)),
        Merge::List(fields) | Merge::Log(fields) => {
            let items = ["b2", "a1"].map(|id| {
                let mut item = Object::new();
                item.insert("id".to_owned(), json!(id));
                for field in fields {
                    if let Some(value) = value(field, id) {
                        item.insert(field.name.to_owned(), value);
                    }
                }
                Json::Object(item)
            });
            Json::Array(items.to_vec())
        }
        Merge::Set(_) => json!([one(field)]),
        Merge::Count => json!(41),
        Merge::State(states) => json!(states.last().map_or("", |state| state.name)),
        Merge::Places => {
            json!({"issued": 12, "taken": 5, "held": {by().author.hub.to_string(): 7}})
        }
    })
}

fn one(field: &Field) -> Json {
    match field.check {
        Check::Text(_) => json!(format!("{}!", field.name)),
        Check::OneOf(codes) => json!(codes.last()),
        Check::Number(least, most) => json!(most.min(least.saturating_add(1))),
        Check::YesNo | Check::Consent => json!(true),
        Check::Date => json!("2026-11-24"),
        Check::Time => json!("16:30"),
        Check::AcademicYear => json!("2026-27"),
        Check::Urn => json!("106001"),
        Check::Urns => json!("106001 106002"),
        Check::Pence(..) => json!(125_050),
        Check::Email => json!("office@hub.example"),
        Check::Reference(_) => json!("abc234"),
    }
}

pub(crate) fn object(json: Json) -> Object {
    json.as_object().expect("an object").clone()
}

/// The fields of a record as it was read, as `create` takes them.
pub(crate) fn for_creation(kind: &Kind, fields: &Object) -> Object {
    let entered = |field: &&Field| field.filled != Filled::ByAuthor;
    let mut values = Object::new();
    for field in kind.fields.iter().filter(entered) {
        let Some(value) = fields.get(field.name).filter(|value| !value.is_null()) else {
            continue;
        };
        let value = match (field.merge, value) {
            (Merge::Places, Json::Object(places)) => {
                places.get("issued").cloned().unwrap_or(json!(0))
            }
            (Merge::List(items) | Merge::Log(items), Json::Array(all)) => {
                let all = all.iter().filter_map(Json::as_object);
                let all = all.map(|item| {
                    let known = |name: &str| {
                        let field = items.iter().find(|field| field.name == name);
                        name == "id" || field.as_ref().is_some_and(entered)
                    };
                    let item = item.iter().filter(|(name, _)| known(name));
                    let item = item.map(|(name, value)| (name.clone(), value.clone()));
                    Json::Object(item.collect())
                });
                all.collect()
            }
            _ => value.clone(),
        };
        values.insert(field.name.to_owned(), value);
    }
    values
}
