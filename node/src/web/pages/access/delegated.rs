//! What commissions delegate: the staff of a partner, for some work groups, until a day.

use maud::{Markup, html};
use serde_json::Value;

use crate::records::{Desk, Find, RecordsError};
use crate::web::{PageError, Visit, parts, words};

/// One delegated role.
struct Delegated {
    partner: String,
    role: String,
    group: String,
    until: String,
    commission: String,
}

/// The delegated roles that have not ended, as a table; nothing if there are none.
pub(super) async fn list(visit: &Visit) -> Result<Markup, PageError> {
    let found = visit.work(delegated).await?;
    let rows = found.into_iter().map(|it| {
        vec![
            html! { a href={ "/commissions/" (it.commission) } { (it.partner) } },
            html! { (words::capital(&it.role)) },
            html! { (it.group) },
            html! { (words::day(&it.until)) },
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    Ok(html! {
        @if !rows.is_empty() {
            h2 { "Delegated by commissions" }
            p {
                "The staff of these partners act in these roles for these work groups alone. The \
                 access ends by itself after the day; the commission changes it."
            }
            (parts::table(
                "Delegated roles",
                &[("Partner", false), ("Role", false), ("Work group", false), ("Until", false)],
                &rows,
            ))
        }
    })
}

fn delegated(desk: &Desk) -> Result<Vec<Delegated>, RecordsError> {
    if !desk.sees("commission", "delegations") {
        return Ok(Vec::new());
    }
    let find = Find {
        kind: "commission".to_owned(),
        ..Find::default()
    };
    let today = desk.today();
    let mut found = Vec::new();
    for listed in desk.find(&find)?.records {
        let commission = listed.id.to_string();
        let fields = desk.show(&commission, "")?.fields;
        let text = |value: &Value, name: &str| {
            value
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let partner = text(&fields, "partner");
        let items = fields.get("delegations").and_then(Value::as_array);
        for item in items.into_iter().flatten() {
            let until = text(item, "until");
            if until >= today {
                found.push(Delegated {
                    partner: partner.clone(),
                    role: text(item, "role"),
                    group: text(item, "group"),
                    until,
                    commission: commission.clone(),
                });
            }
        }
    }
    let ids = found
        .iter()
        .flat_map(|it| [it.partner.as_str(), it.group.as_str()]);
    let titles = desk.title_of(&ids.collect::<Vec<_>>())?;
    let titled = |id: &str, unknown: &str| {
        titles
            .get(id)
            .cloned()
            .unwrap_or_else(|| unknown.to_owned())
    };
    for it in &mut found {
        it.partner = titled(&it.partner, "A partner");
        it.group = titled(&it.group, "A work group");
    }
    Ok(found)
}
