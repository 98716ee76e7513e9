//! Roles in words, and as JSON.

use serde_json::{Value as Json, json};

use super::words::all;
use crate::kinds::kind;
use crate::roles::{Held, May, Own, Records, Role, Seen};

/// All that a role may do, a sentence for each kind of record.
pub(super) fn role_sentences(role: &Role) -> Vec<String> {
    let duties = role.duties.iter().map(|duty| duty.does().to_owned());
    let duties = duties.collect::<Vec<_>>();
    let beside = (!duties.is_empty()).then(|| format!("Beside this it may {}.", all(&duties)));
    role.may.iter().map(sentence).chain(beside).collect()
}

/// Who says that somebody holds a role.
pub(super) fn held(role: &Role) -> String {
    match role.held {
        Held::Vouched => "Whoever opens the node to somebody vouches for it.".to_owned(),
        Held::Named(name) => format!(
            "A {} says who holds it, and without one it reaches nothing.",
            title(name)
        ),
        Held::EachOwn => "Each record that it reaches says so.".to_owned(),
    }
}

/// A role, for programs.
pub(super) fn role_json(role: &Role) -> Json {
    let may = role.may.iter().map(|may| {
        let (records, own_by) = match may.records {
            Records::All => ("all", Vec::new()),
            Records::Delegated => ("delegated", Vec::new()),
            Records::Own(places) => ("own", places.iter().map(own).collect()),
        };
        let own_items = may.own_items.iter();
        let own_items = own_items.map(|(list, field)| format!("{list}/{field}"));
        json!({
            "kind": may.kind, "records": records, "own_by": own_by,
            "read": seen_json(may.read), "write": seen_json(may.write),
            "own_items": own_items.collect::<Vec<_>>(), "sentence": sentence(may),
        })
    });
    json!({
        "name": role.name, "title": role.title, "held": held(role),
        "duties": role.duties.iter().map(|duty| duty.name()).collect::<Vec<_>>(),
        "may": may.collect::<Vec<_>>(),
    })
}

fn seen_json(seen: Seen) -> Json {
    match seen {
        Seen::Nothing => json!({ "only": [] }),
        Seen::All => json!({ "except": [] }),
        Seen::Only(names) => json!({ "only": names }),
        Seen::Except(names) => json!({ "except": names }),
    }
}

fn sentence(may: &May) -> String {
    let titles = kind(may.kind).map_or_else(|| may.kind.to_owned(), |it| it.titles.to_lowercase());
    let which = match may.records {
        Records::All => format!("All {titles}"),
        Records::Delegated => {
            return format!(
                "Those {titles} that a commission delegates, while it does: sees and writes what \
                 the delegated role does."
            );
        }
        Records::Own(places) => {
            let places = places.iter().map(own).collect::<Vec<_>>();
            format!("Own {titles} (by {})", all(&places))
        }
    };
    let mut text = format!(
        "{which}: sees {}; writes {}",
        seen(may.read),
        seen(may.write)
    );
    for (list, field) in may.own_items {
        text.push_str(&format!(
            ", of {list} the items whose {field} is the holder"
        ));
    }
    text + "."
}

fn seen(seen: Seen) -> String {
    match seen {
        Seen::Nothing => "nothing".to_owned(),
        Seen::All => "everything".to_owned(),
        Seen::Only(names) => format!("only {}", code(names)),
        Seen::Except(names) => format!("everything but {}", code(names)),
    }
}

fn code(names: &[&str]) -> String {
    let names = names.iter().map(|name| format!("`{name}`"));
    all(&names.collect::<Vec<_>>())
}

fn own(own: &Own) -> String {
    match *own {
        Own::Itself => "being the holder".to_owned(),
        Own::Field(name) => format!("`{name}`"),
        Own::Item {
            list,
            field,
            says,
            between,
        } => {
            let mut text = format!("`{list}/{field}`");
            if let Some((name, value)) = says {
                text.push_str(&format!(" where {name} is {value}"));
            }
            if let Some((from, until)) = between {
                text.push_str(&format!(", from `{from}` to `{until}`"));
            }
            text
        }
    }
}

fn title(name: &str) -> String {
    kind(name).map_or_else(|| name.to_owned(), |kind| kind.title.to_lowercase())
}
