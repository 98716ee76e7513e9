//! The declarations as JSON, for programs.

use serde_json::{Value as Json, json};

use super::roles::role_json;
use super::rules::{
    dated, freezing, publishing, ranking, released, rule_sentence, source, watch_sentence,
};
use super::words::{check_name, class, filled, form, holds, merge, wins, writers};
use crate::Object;
use crate::declaration::{Agreement, Check, Field, Kind, Merge, Publishing, Rule};
use crate::kinds::KINDS;
use crate::roles::ROLES;

/// Everything that is declared, as JSON: kinds with their fields, merge types, checks, states,
/// classes, rules, watches and publishing, and roles with what they may see and write.
pub fn schema_json() -> Json {
    let mut told = kinds_json();
    told["roles"] = ROLES.iter().map(|it| role_json(it)).collect();
    told
}

/// The kinds alone.
pub(super) fn kinds_json() -> Json {
    json!({ "kinds": KINDS.iter().map(|it| kind(it)).collect::<Vec<_>>() })
}

fn kind(kind: &Kind) -> Json {
    let spaces = kind.spaces.iter().map(|space| space.name());
    let rules = kind
        .rules
        .iter()
        .map(|rule| json!({ "rule": rule_name(rule), "sentence": rule_sentence(kind, rule) }));
    let watches = kind.watches.iter().map(|watch| {
        json!({
            "name": watch.name,
            "sentence": watch.sentence,
            "when": watch_sentence(kind, watch),
        })
    });
    json!({
        "name": kind.name,
        "title": kind.title,
        "titles": kind.titles,
        "about": kind.about,
        "form": form(kind.form),
        "spaces": spaces.collect::<Vec<_>>(),
        "writers": writers(kind.writers),
        "fields": kind.fields.iter().map(field).collect::<Vec<_>>(),
        "title_field": kind.title_field,
        "columns": kind.columns,
        "searched": kind.searched,
        "filtered": kind.filtered,
        "key": kind.key,
        "concerns": { "roles": kind.concerns.roles, "persons": kind.concerns.persons },
        "rules": rules.collect::<Vec<_>>(),
        "watches": watches.collect::<Vec<_>>(),
        "frozen": kind.frozen.as_ref().map(|it| json!({
            "state": it.state, "at": it.at, "copies": it.copies, "fields": it.fields,
            "sentence": freezing(kind, it),
        })),
        "ranking": kind.ranking.as_ref().map(|it| json!({
            "list": it.list, "scores": it.scores, "about": it.about, "by": it.by,
            "score": it.score, "decisions": it.decisions, "sentence": ranking(kind, it),
        })),
        "dated": kind.dated.as_ref().map(|it| json!({
            "list": it.list, "date": it.date, "start": it.start, "venue": it.venue,
            "state": it.state, "sentence": dated(kind, it),
        })),
        "publishing": kind.publishing.iter().map(|it| published(kind, it)).collect::<Vec<_>>(),
        "fork": kind.fork,
        "released": kind.released.as_ref().map(|it| json!({
            "fields": it.fields, "text": it.endorsed.0, "endorsements": it.endorsed.1,
            "sentence": released(kind, it),
        })),
    })
}

fn field(field: &Field) -> Json {
    let mut told = Object::new();
    let mut tell = |name: &str, value: Json| {
        told.insert(name.to_owned(), value);
    };
    tell("name", json!(field.name));
    tell("label", json!(field.label));
    tell("merge", json!(merge(field.merge)));
    tell("holds", json!(holds(field)));
    if let Some(wins) = wins(field.merge) {
        tell("wins", json!(wins));
    }
    match field.merge {
        Merge::State(states) => {
            let states = states
                .iter()
                .map(|it| json!({ "name": it.name, "next": it.next }));
            tell("states", states.collect());
        }
        Merge::List(items) | Merge::Log(items) => {
            tell("items", items.iter().map(self::field).collect());
        }
        Merge::Value | Merge::Text | Merge::Set(_) | Merge::Count | Merge::Places => {
            tell("check", check(field.check));
        }
    }
    tell("class", json!(class(field.class)));
    tell("filled_by", json!(filled(field.filled)));
    tell("required", json!(field.required));
    tell("identifies", json!(field.identifies));
    tell("decide", json!(field.decide));
    tell("owner_only", json!(field.owner_only));
    tell("aliases", json!(field.aliases));
    tell("help", json!(field.help));
    Json::Object(told)
}

fn check(check: Check) -> Json {
    let is = check_name(check);
    match check {
        Check::Text(most) => json!({ "is": is, "characters_max": most }),
        Check::OneOf(codes) => json!({ "is": is, "codes": codes }),
        Check::Number(least, most) | Check::Pence(least, most) => {
            json!({ "is": is, "least": least, "most": most })
        }
        Check::Reference(kind) => json!({ "is": is, "kind": kind }),
        Check::YesNo
        | Check::Date
        | Check::Time
        | Check::AcademicYear
        | Check::Urn
        | Check::Urns
        | Check::Consent
        | Check::Email => json!({ "is": is }),
    }
}

fn published(kind: &Kind, it: &Publishing) -> Json {
    let (agreement, consent) = match it.agreement {
        Agreement::Signed => ("signed", None),
        Agreement::OwnWord => ("own word", None),
        Agreement::OptIn(field) => ("opt-in", Some(field)),
    };
    let fields = it
        .fields
        .iter()
        .map(|field| json!({ "to": field.to, "from": source(kind, &field.from) }));
    let limits = it.limits.iter().map(|limit| {
        json!({ "list": limit.list, "field": limit.field, "most": limit.most, "what": limit.what })
    });
    json!({
        "to": it.to,
        "from_space": it.stage.from.name(),
        "into_space": it.stage.into.name(),
        "agreement": agreement,
        "consent": consent,
        "states": it.states,
        "limits": limits.collect::<Vec<_>>(),
        "fields": fields.collect::<Vec<_>>(),
        "sentence": publishing(kind, it),
    })
}

fn rule_name(rule: &Rule) -> &'static str {
    match rule {
        Rule::Spends { .. } => "spends",
        Rule::Needs { .. } => "needs",
        Rule::Settled { .. } => "settled",
        Rule::Locked { .. } => "locked",
        Rule::OwnerSteps { .. } => "owner steps",
        Rule::Kept { .. } => "kept",
        Rule::Names { .. } => "names",
    }
}
