//! A record's sections, to be read.

use maud::{Markup, html};
use node_domain::{Field, Filled, Kind, Section};

use super::value::is_empty;
use super::{Opened, Shown, change_path, items_table, new_item_path, value};
use crate::web::parts::{self, SummaryRow};

/// How many items of a list stand on a record's page.
const ITEMS_SHOWN: usize = 10;

/// All sections of a record, as far as the role sees them.
pub fn sections(record: &Opened) -> Markup {
    let kind: &'static Kind = record.kind;
    let empty = kind.sections.iter();
    let empty = empty.filter_map(|part| Some((part, empty_list(record, part)?)));
    let empty = empty.collect::<Vec<_>>();
    html! {
        @for part in kind.sections {
            @if empty_list(record, part).is_none() { (section(record, part)) }
        }
        @if !empty.is_empty() {
            section {
                h2 { "Nothing yet" }
                ul.ways {
                    @for (part, list) in &empty {
                        li id=(part.slug()) {
                            a href=(new_item_path(kind, &record.id, list.name)) {
                                "Add to " (part.title.to_lowercase())
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The list of a section, if it has no items and the role adds some.
fn empty_list(record: &Opened, part: &Section) -> Option<&'static Field> {
    let list = part.fields.first().and_then(|name| record.kind.field(name));
    list.filter(|list| {
        let seen = list.items().is_some() && record.access.sees(list.name);
        seen && record.items(list.name).is_empty() && record.writes_items(list)
    })
}

/// One section with its heading, and the links by which it is changed.
pub fn section(record: &Opened, part: &'static Section) -> Markup {
    let kind = record.kind;
    let fields = part.fields.iter().filter_map(|name| kind.field(name));
    let seen = fields.filter(|field| record.access.sees(field.name));
    let seen = seen.collect::<Vec<_>>();
    let list = seen
        .first()
        .copied()
        .filter(|field| field.items().is_some());
    html! {
        @if let Some(list) = list {
            @let count = record.items(list.name).len();
            @if count > 0 || record.writes_items(list) {
                section {
                    h2 id=(part.slug()) { (part.title) }
                    @if !list.help.is_empty() { p.soft { (list.help) } }
                    (items_table(record, list, Shown::Some(ITEMS_SHOWN)))
                    p {
                        @if record.writes_items(list) {
                            a href=(new_item_path(kind, &record.id, list.name)) {
                                "Add to " (part.title.to_lowercase())
                            }
                        }
                        @if count > ITEMS_SHOWN {
                            " " a href={ (record.path()) "/items/" (list.name) } { "All " (count) }
                        }
                    }
                }
            }
        } @else if !seen.is_empty() && shown(record, part) {
            section {
                h2 id=(part.slug()) { (part.title) }
                (parts::summary_list(&summary_rows(record, part)))
            }
        }
    }
}

/// Whether there is anything to read or to fill in.
fn shown(record: &Opened, part: &Section) -> bool {
    let mut fields = part
        .fields
        .iter()
        .filter_map(|name| record.kind.field(name));
    record.writes_section(part) || fields.any(|field| !is_empty(field, record.value(field.name)))
}

/// The rows of a section of plain fields.
pub fn summary_rows(record: &Opened, part: &'static Section) -> Vec<SummaryRow> {
    let fields = part
        .fields
        .iter()
        .filter_map(|name| record.kind.field(name));
    let seen = fields.filter(|field| record.access.sees(field.name));
    let rows = seen.filter_map(|field| {
        let found = record.value(field.name);
        let empty = is_empty(field, found);
        let writes = record.writes(field);
        // What nobody here can fill in is not shown while it is empty.
        if empty && (!writes || field.filled != Filled::ByPerson) {
            return None;
        }
        let shown = if empty {
            html! { span.soft { "Not filled in" } }
        } else {
            value(field, found, &record.names)
        };
        let row = SummaryRow::new(field.label, shown);
        if !writes {
            return Some(row);
        }
        let path = change_path(record.kind, &record.id, part);
        let at = parts::field_id(field.name);
        Some(row.change(format!("{path}#{at}")))
    });
    rows.collect()
}
