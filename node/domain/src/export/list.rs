//! Lists as tables.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::cell::{cell, taken};
use crate::Object;
use crate::declaration::{Field, Kind, Merge};
use crate::read::plain;
use crate::sheet::Sheet;

/// What stands behind the headings of columns that count, which nothing can be entered into.
pub(crate) const COUNTED: [&str; 2] = ["(how many)", "(how many are taken)"];

/// Records of a kind as a table: a column for each field, and at the end the record's id.
///
/// A table of it can be imported again: what an import cannot take, such as how many items a list
/// has, stands under headings that it leaves out.
pub fn list_sheet(kind: &Kind, rows: impl IntoIterator<Item = (String, Object)>) -> Sheet {
    let columns = Columns::of(kind.fields, &[]);
    let mut headers = columns.headers.clone();
    headers.push(unused(&headers, "Id"));
    let rows = rows.into_iter().map(|(id, fields)| {
        let mut cells = columns.cells(&fields);
        cells.push(id);
        cells
    });
    Sheet::new(headers, rows)
}

/// The items of a list or log of several records as a table: the record's title first, then a
/// column for each field of the items, and at the end the ids of record and item.
pub fn items_sheet(
    kind: &Kind,
    list: &Field,
    rows: impl IntoIterator<Item = (String, Object)>,
) -> Sheet {
    let items = list.items().unwrap_or_default();
    let columns = Columns::of(items, &[kind.title]);
    let mut headers = vec![kind.title.to_owned()];
    headers.extend(columns.headers.iter().cloned());
    headers.push(unused(&headers, "Id"));
    headers.push(unused(&headers, "Item"));
    let mut table = Vec::new();
    for (id, fields) in rows {
        let title = fields.get(kind.title_field).map(plain).unwrap_or_default();
        let items = fields.get(list.name).and_then(Json::as_array);
        for item in items.into_iter().flatten().filter_map(Json::as_object) {
            let mut cells = vec![title.clone()];
            cells.extend(columns.cells(item));
            cells.push(id.clone());
            cells.push(item.get("id").map(plain).unwrap_or_default());
            table.push(cells);
        }
    }
    Sheet::new(headers, table)
}

/// The columns of some fields.
struct Columns<'a> {
    fields: &'a [Field],
    headers: Vec<String>,
}

impl<'a> Columns<'a> {
    fn of(fields: &'a [Field], taken: &[&str]) -> Self {
        let mut headers = Vec::new();
        let mut used = taken
            .iter()
            .map(|&header| header.to_owned())
            .collect::<BTreeSet<_>>();
        for field in fields {
            let header = match field.merge {
                Merge::List(_) | Merge::Log(_) => format!("{} {}", field.label, COUNTED[0]),
                Merge::Value
                | Merge::Text
                | Merge::Set(_)
                | Merge::Count
                | Merge::State(_)
                | Merge::Places => field.label.to_owned(),
            };
            let header = if used.contains(&header) {
                format!("{header} ({})", field.name)
            } else {
                header
            };
            used.insert(header.clone());
            headers.push(header);
            if let Merge::Places = field.merge {
                headers.push(format!("{} {}", field.label, COUNTED[1]));
            }
        }
        Self { fields, headers }
    }

    fn cells(&self, values: &Object) -> Vec<String> {
        let mut cells = Vec::with_capacity(self.headers.len() + 2);
        for field in self.fields {
            let value = values.get(field.name);
            cells.push(cell(field, value));
            if let Merge::Places = field.merge {
                cells.push(taken(value));
            }
        }
        cells
    }
}

/// The heading, unless a field is called like this.
fn unused(headers: &[String], heading: &str) -> String {
    let mut heading = heading.to_owned();
    while headers.contains(&heading) {
        heading.push('*');
    }
    heading
}
