//! Nothing private is in what leaves.

use std::collections::BTreeSet;

use node_domain::{
    CardRecord, Check, Class, Field, Form, KINDS, Kind, Merge, Object, Publish, preview_card,
    preview_document,
};
use serde_json::{Value as Json, json};

use crate::publishing::by_program;

const PLANTED: &str = "plantedword";

/// A value for a field: the planted word wherever it can stand.
fn value(field: &Field) -> Option<Json> {
    match field.check {
        Check::Text(0..11) => None,
        Check::Text(_) | Check::Reference(_) => Some(json!(PLANTED)),
        Check::Number(least, most) | Check::Pence(least, most) => {
            Some(json!(most.min(least.max(1))))
        }
        Check::OneOf(codes) => codes.first().map(|code| json!(code)),
        Check::Date => Some(json!("2026-11-24")),
        Check::Time => Some(json!("16:30")),
        Check::AcademicYear => Some(json!("2026-27")),
        Check::Urn | Check::Urns => Some(json!("106001")),
        Check::YesNo | Check::Consent => Some(json!(true)),
        Check::Email => Some(json!("plantedword@hill.sch.uk")),
    }
}

/// Whether a field stays in the hub, whatever is signed.
fn stays(field: &Field) -> bool {
    field.class == Class::Hub || matches!(field.check, Check::Reference("person"))
}

/// A record whose private fields hold the planted word, and whose required ones are filled in.
fn planted(kind: &Kind) -> Object {
    let plant = |field: &Field, within_private: bool| {
        let private = stays(field) || within_private;
        let value = value(field).filter(|_| private || field.required)?;
        let shown = value == PLANTED && !private;
        Some(if shown { json!("shown") } else { value })
    };
    let filled = kind.fields.iter().filter_map(|field| {
        let value = match field.merge {
            Merge::Value | Merge::Text => plant(field, false)?,
            Merge::List(fields) | Merge::Log(fields) => {
                let parts = fields.iter().filter_map(|part| {
                    let value = plant(part, stays(field)).filter(|_| part.merge == Merge::Value)?;
                    Some((part.name.to_owned(), value))
                });
                let parts = parts.collect::<Object>();
                (!parts.is_empty()).then(|| json!([Json::Object(parts)]))?
            }
            Merge::Set(_) | Merge::Count | Merge::State(_) | Merge::Places => return None,
        };
        Some((field.name.to_owned(), value))
    });
    filled.collect()
}

#[test]
fn x2_no_private_field_is_in_any_preview_though_everything_is_signed() {
    for kind in KINDS {
        for step in kind.publishing {
            let agreed = step.fields.iter().map(|field| field.to.to_owned());
            let agreed = agreed.collect::<BTreeSet<_>>();
            let wish = Publish {
                step,
                agreed: Some(&agreed),
                names: &[],
                made_by: "north",
            };
            let values = planted(kind);
            let (preview, record) = match kind.form {
                Form::Card => {
                    let mut values = values;
                    values.insert("opted_in".to_owned(), json!(true));
                    let card = CardRecord::new(kind, &values, true).expect("as declared");
                    (preview_card(&card, &wish), card.fields)
                }
                Form::Document => {
                    let mut values = values;
                    if let Some(state) = step.states.first() {
                        values.insert("state".to_owned(), json!(state));
                    }
                    let hub = by_program(1, kind, Json::Object(values));
                    let preview = preview_document(&hub.document.view(), kind, &wish);
                    (preview, hub.read())
                }
            };
            let leaves = Json::Object(preview.expect("clean").fields).to_string();
            assert!(leaves.contains("shown"), "{} is empty: {leaves}", kind.name);
            assert!(!leaves.contains(PLANTED), "{}: {leaves}", kind.name);
            let record = Json::Object(record).to_string();
            assert!(
                record.contains(PLANTED),
                "{} has nothing private",
                kind.name
            );
        }
    }
}
