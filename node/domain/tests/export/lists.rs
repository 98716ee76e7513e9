//! Lists as tables, there and back.

use node_domain::{
    Form, ImportInto, ImportOptions, KINDS, ORGANISATION, PARTNER, RowOutcome, Sheet, WORK_GROUP,
    items_sheet, list_sheet, plan_import,
};
use serde_json::json;

use crate::world::{object, rich};

fn column<'a>(sheet: &'a Sheet, header: &str) -> &'a str {
    let at = sheet.headers.iter().position(|known| known == header);
    &sheet.rows[0].cells[at.unwrap_or_else(|| panic!("no {header} in {:?}", sheet.headers))]
}

#[test]
fn a_list_of_records_is_a_table_that_people_read() {
    let sheet = list_sheet(&WORK_GROUP, [("id1".to_owned(), rich(&WORK_GROUP))]);
    assert_eq!(column(&sheet, "Title"), "title!");
    assert_eq!(column(&sheet, "Sessions (how many)"), "2");
    assert_eq!(column(&sheet, "Places"), "12");
    assert_eq!(column(&sheet, "Places (how many are taken)"), "5");
    assert_eq!(column(&sheet, "Id"), "id1");
    let partner = object(json!({"roles": ["research", "funder"]}));
    assert_eq!(
        column(&list_sheet(&PARTNER, [("id".to_owned(), partner)]), "Roles"),
        "research; funder"
    );
    let commission = KINDS
        .into_iter()
        .find(|kind| kind.name == "commission")
        .expect("declared");
    let sheet = list_sheet(
        commission,
        [("id".to_owned(), object(json!({"budget": 125_050})))],
    );
    assert_eq!(column(&sheet, "Budget"), "1250.50");
}

#[test]
fn the_items_of_a_list_are_a_table_with_the_records_title_in_front() {
    let sessions = WORK_GROUP.field("sessions").expect("a list");
    let sheet = items_sheet(
        &WORK_GROUP,
        sessions,
        [("id1".to_owned(), rich(&WORK_GROUP))],
    );
    assert_eq!(sheet.headers[..3], ["Work group", "Date", "Starts at"]);
    assert_eq!(sheet.rows.len(), 2);
    assert_eq!(sheet.rows[0].cells[..3], ["title!", "2026-11-24", "16:30"]);
    assert_eq!(column(&sheet, "Item"), "b2");
}

#[test]
fn no_two_columns_of_a_table_have_the_same_heading() {
    for kind in KINDS {
        let mut tables = vec![list_sheet(kind, [])];
        let lists = kind.fields.iter().filter(|field| field.items().is_some());
        tables.extend(lists.map(|list| items_sheet(kind, list, [])));
        for table in tables {
            let mut headers = table.headers.clone();
            headers.sort();
            headers.dedup();
            assert_eq!(
                headers.len(),
                table.headers.len(),
                "{}: {:?}",
                kind.name,
                table.headers
            );
        }
    }
}

#[test]
fn a_table_that_was_taken_away_says_the_same_when_it_is_brought_back() {
    for kind in KINDS.into_iter().filter(|kind| !kind.key.is_empty()) {
        let record = rich(kind);
        let sheet = list_sheet(kind, [("id1".to_owned(), record.clone())]);
        let bytes = sheet.write_xlsx(kind.titles).expect("a workbook");
        let sheet = Sheet::read(&bytes, "list.xlsx").expect("a table");
        let none = |_: &[String]| None;
        let plan = plan_import(
            ImportInto::Records(kind),
            &sheet,
            &ImportOptions::default(),
            None,
            &none,
        );
        let RowOutcome::New { values, .. } = &plan.rows[0].outcome else {
            panic!("{}: {}", kind.name, plan.report())
        };
        for (name, value) in values {
            let said = record[name].get("issued").unwrap_or(&record[name]);
            assert_eq!(value, said, "{} {name}\n{}", kind.name, plan.report());
        }
        let entered = kind.fields.iter().filter(|field| {
            let person = node_domain::Check::Reference("person");
            field.items().is_none()
                && field.filled == node_domain::Filled::ByPerson
                && field.check != person
        });
        for field in entered {
            assert!(
                values.contains_key(field.name),
                "{} {}\n{}",
                kind.name,
                field.name,
                plan.report()
            );
        }
    }
    assert_eq!(ORGANISATION.form, Form::Card);
}
