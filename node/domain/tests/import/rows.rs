//! Columns, bad rows and bad sheets.

use node_domain::{
    COMMISSION, ImportInto, PARTNER, PERSON, RowOutcome, SHEET_ROWS_MAX, Sheet, WORK_GROUP,
};
use serde_json::json;

use crate::world::{Held, new_values, none, object, options, sheet};

const GROUPS: ImportInto = ImportInto::Records(&WORK_GROUP);

fn problems(sheet: &Sheet, given: serde_json::Value) -> Vec<String> {
    let plan = Held::default().plan(GROUPS, sheet, &options(given), None);
    assert!(plan.rows.is_empty());
    plan.problems
}

#[test]
fn a_sheet_that_lacks_what_is_needed_is_told_once() {
    let needed = "no column fills 'Title', which is needed: add one, or say which column it is";
    assert_eq!(
        problems(&sheet(&["Phase", "primary", "secondary"]), json!({})),
        [needed]
    );
    assert_eq!(
        problems(&sheet(&["Title|Venue", "Fluency|Hall"]), json!({})),
        ["no column fills 'Sessions: Date', which is needed: add one, or say which column it is"]
    );
    assert_eq!(
        problems(&Sheet::default(), json!({})),
        [
            needed,
            "the sheet is empty: its first row must hold the headings"
        ]
    );
    assert_eq!(
        problems(&sheet(&["Title"]), json!({})),
        ["the sheet has headings and no rows below them"]
    );
    let wide = Sheet::new((0..501).map(|at| format!("Title {at}")).collect(), [vec![]]);
    let found = problems(&wide, json!({}));
    assert!(
        found
            .iter()
            .any(|problem| problem.contains("more than 500 columns"))
    );
}

#[test]
fn a_mapping_that_leads_nowhere_is_told_by_name() {
    let found = problems(
        &sheet(&["Title|X", "Fluency|1"]),
        json!({"columns": {"X": "sessions/colour", "Y": "phase"}}),
    );
    assert!(found[0].starts_with("'X' is to fill 'sessions/colour', which cannot be filled"));
    assert_eq!(
        found[1],
        "there is no column 'Y' in this sheet, though you named it"
    );
}

#[test]
fn headings_are_recognised_as_people_write_them() {
    let sheet = sheet(&[
        "TITLE_|Acadmic year|priorty|Group|Title|Project code",
        "Fluency|||||",
    ]);
    let plan = Held::default().plan(GROUPS, &sheet, &none(), None);
    let told = plan
        .columns
        .iter()
        .map(|column| (column.field.as_deref(), column.why.as_str()));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (Some("title"), "recognised by its heading"),
            (None, "left out: no field is called like this"),
            (
                Some("priority"),
                "its heading is like 'Priority': please check"
            ),
            (None, "left out: 'TITLE_' fills the same field"),
            (None, "left out: 'TITLE_' fills the same field"),
            (None, "left out: no field is called like this"),
        ]
    );
    let given = options(json!({"columns": {"Title": "title", "title_": "", "Group": ""}}));
    let plan = Held::default().plan(GROUPS, &sheet, &given, None);
    let field = plan.columns.iter().map(|column| column.field.as_deref());
    assert_eq!(field.filter(|field| *field == Some("title")).count(), 1);
}

#[test]
fn one_bad_row_hinders_no_other_and_is_told_by_its_number_and_heading() {
    let sheet = sheet(&[
        "Title|Phase|State|Session date|Sarts at",
        "Fluency|Primary|Running|24.11.26|16.30",
        "Reasoning|Nursery|no|11/24/2026|4",
        "|primary|||",
        "Number|#REF!|||",
        "Shape|post 16|planned||",
    ]);
    let plan = Held::default().plan(GROUPS, &sheet, &none(), None);
    assert_eq!(new_values(&plan, 0)["state"], "running");
    assert_eq!(new_values(&plan, 4)["phase"], "post-16");
    let told = plan.rows.iter().flat_map(|row| match &row.outcome {
        RowOutcome::Wrong { problems } => problems.clone(),
        RowOutcome::New { .. }
        | RowOutcome::Joined { .. }
        | RowOutcome::Same { .. }
        | RowOutcome::Changed { .. }
        | RowOutcome::Asked { .. } => Vec::new(),
    });
    let told = told.map(|problem| problem.message).collect::<Vec<_>>();
    assert_eq!(
        told,
        [
            "row 3, 'Phase': must be one of early years, primary, secondary, post-16, all: got 'Nursery'",
            "row 3, 'State': must be one of planned, recruiting, running, completed, cancelled: got 'no'",
            "row 3, 'Session date': must be a day such as 24/11/2026, the day before the month: there is no month 24: got '11/24/2026'",
            "row 3, 'Sarts at': must be a time such as 16:30 or 4.30pm: got '4'",
            "row 4: 'Title' is missing",
            "row 5, 'Phase': holds the spreadsheet's error #REF! in place of a value: mend the formula",
        ]
    );
    let report = plan.report();
    assert!(
        report.contains("5 rows: 2 new, 0 joined to those, 0 changed, 0 there already, 3 wrong"),
        "{report}"
    );
}

#[test]
fn cards_partners_and_money_lines_come_from_sheets_too() {
    let people = sheet(&[
        "Full name|Email|School",
        "Ann Example|ann@example.org|Northfield",
        "Bo Example|bo at home|",
    ]);
    let into = ImportInto::Records(&PERSON);
    let held = Held::default();
    let plan = held.plan(into, &people, &none(), None);
    assert_eq!(new_values(&plan, 0)["email"], "ann@example.org");
    assert_eq!(plan.counts().wrong, 1);
    held.carry_out(into, &plan);
    assert_eq!(held.plan(into, &people, &none(), None).counts().same, 1);

    let partners = sheet(&[
        "Partner|Roles|Strengths",
        "Univ of X|Research; funder|statistics, proof",
    ]);
    let plan = Held::default().plan(ImportInto::Records(&PARTNER), &partners, &none(), None);
    assert_eq!(new_values(&plan, 0)["roles"], json!(["research", "funder"]));

    let into = ImportInto::items(&COMMISSION, "money").expect("a log");
    let lines = sheet(&[
        "Kind|From|To|Amount|Invoice",
        "Invoice|Univ of X|Hub|£1,250.50|17",
        "invoice|univ of x|hub|1250.50|17",
        "Correction|Hub|Univ of X|-£12|17",
    ]);
    let held = Held::default();
    let plan = held.plan(into, &lines, &none(), None);
    assert_eq!(new_values(&plan, 0)["pence"], 125_050);
    assert_eq!(new_values(&plan, 2)["pence"], -1_200);
    assert_eq!(plan.counts().new, 2, "{}", plan.report());
    held.carry_out(into, &plan);
    assert_eq!(held.plan(into, &lines, &none(), None).counts().new, 0);
}

#[test]
fn a_person_without_a_name_is_told_by_the_row() {
    let into = ImportInto::items(&WORK_GROUP, "members").expect("a list");
    let sheet = sheet(&[
        "School|Participant|Email",
        "Northfield||ann@example.org",
        "Southfield||",
    ]);
    let plan = Held::default().plan(into, &sheet, &none(), None);
    let RowOutcome::Wrong { problems } = &plan.rows[0].outcome else {
        panic!("{}", plan.report())
    };
    assert_eq!(
        problems[0].message,
        "row 2: of the person, 'Name' is missing"
    );
    assert_eq!(
        new_values(&plan, 1),
        &object(json!({"organisation": "Southfield"}))
    );
}

#[test]
fn two_hundred_thousand_rows_of_one_group_and_of_many_are_planned() {
    let headers = ["Title", "School"].map(str::to_owned).to_vec();
    let rows = (0..SHEET_ROWS_MAX).map(|at| {
        let title = if at % 2 == 0 {
            "One".to_owned()
        } else {
            format!("Group {at}")
        };
        vec![title, format!("School {at}")]
    });
    let plan = Held::default().plan(GROUPS, &Sheet::new(headers, rows), &none(), None);
    let counts = plan.counts();
    assert_eq!(
        (counts.new, counts.joined),
        (SHEET_ROWS_MAX / 2 + 1, SHEET_ROWS_MAX / 2 - 1)
    );
}
