//! Sheets of work groups, one row for a group or one for each school.

use node_domain::{FieldChange, ImportInto, RowOutcome, WORK_GROUP};
use serde_json::{Value as Json, json};

use crate::world::{Held, new_values, none, options, sheet};

const GROUPS: ImportInto = ImportInto::Records(&WORK_GROUP);

#[test]
fn a_hub_leads_own_sheet_becomes_groups_with_sessions_schools_and_leaders() {
    let sheet = sheet(&[
        "Work Group|Code|Phase|Year|Lead|Lead email|Places|Session 1 date|Session 1 start|Session 2 date|School 1|School 2|Colour",
        "Year 7 fluency|WG1|Secondary|2026/27|Lee Example|lee@hub.example|12|24/11/2026|4pm|12 Jan 2027|Northfield|Southfield|red",
    ]);
    let plan = Held::default().plan(GROUPS, &sheet, &none(), None);
    let values = new_values(&plan, 0);
    assert_eq!(values["title"], "Year 7 fluency");
    assert_eq!(values["phase"], "secondary");
    assert_eq!(values["year"], "2026-27");
    assert_eq!(values["places"], 12);
    let field = |list: &str, field: &str| {
        let items = values[list].as_array().expect("a list").iter();
        items.map(|item| item[field].clone()).collect::<Vec<Json>>()
    };
    assert_eq!(field("sessions", "date"), ["2026-11-24", "2027-01-12"]);
    assert_eq!(field("sessions", "start"), [json!("16:00"), Json::Null]);
    assert_eq!(
        field("members", "organisation"),
        ["Northfield", "Southfield"]
    );
    let leader = &plan.rows[0].people[0];
    assert_eq!(field("leaders", "person"), [leader.reference.as_str()]);
    assert_eq!(leader.card["email"], "lee@hub.example");
    let colour = &plan.columns[12];
    assert_eq!(
        (colour.field.as_deref(), colour.why.as_str()),
        (None, "left out: no field is called like this")
    );
    let session = &plan.columns[9];
    assert_eq!(session.field.as_deref(), Some("sessions/2/date"));
    assert_eq!(session.label, "Sessions: Date (2)");
}

#[test]
fn several_rows_of_one_group_are_joined_and_one_that_contradicts_is_refused_alone() {
    let sheet = sheet(&[
        "Title|Phase|School|Session date",
        "Fluency|primary|Northfield|3/11/2026",
        "fluency||Southfield|3/11/2026",
        "Reasoning|secondary|Westfield|",
        "Fluency|secondary|Eastfield|",
        "Fluency|primary|Northfield|3/11/2026",
        "Fluency||Nextfield|31/02/2026",
    ]);
    let held = Held::default();
    let plan = held.plan(GROUPS, &sheet, &none(), None);
    let values = new_values(&plan, 0);
    assert_eq!(values["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(values["sessions"].as_array().map(Vec::len), Some(1));
    assert_eq!(plan.rows[1].outcome, RowOutcome::Joined { row: 2 });
    new_values(&plan, 2);
    let problem = |at: usize| match &plan.rows[at].outcome {
        RowOutcome::Wrong { problems } => problems[0].message.clone(),
        other @ (RowOutcome::New { .. }
        | RowOutcome::Joined { .. }
        | RowOutcome::Same { .. }
        | RowOutcome::Changed { .. }
        | RowOutcome::Asked { .. }) => panic!("{other:?}"),
    };
    assert_eq!(
        problem(3),
        "row 5: 'Phase' is 'secondary' here and 'primary' in row 2, which tells of the same work group"
    );
    assert_eq!(plan.rows[4].outcome, RowOutcome::Same { id: String::new() });
    assert_eq!(
        problem(5),
        "row 7, 'Session date': must be a day that exists, the day before the month: got '31/02/2026'"
    );

    held.carry_out(GROUPS, &plan);
    let again = held.plan(GROUPS, &sheet, &none(), None);
    let counts = again.counts();
    assert_eq!(
        (counts.new, counts.changed, counts.joined),
        (0, 0, 0),
        "{}",
        again.report()
    );
    assert_eq!((counts.same, counts.wrong), (4, 2));
}

#[test]
fn a_changed_sheet_changes_what_it_says_otherwise_and_adds_what_is_new() {
    let held = Held::default();
    let first = sheet(&[
        "Title|Phase|Places|Session 1 date|Lead",
        "Fluency|primary|12|3/11/2026|Lee Example",
    ]);
    let plan = held.plan(GROUPS, &first, &none(), None);
    held.carry_out(GROUPS, &plan);
    held.0.borrow_mut()[0].1.fields["places"] = json!({"issued": 12, "taken": 3, "held": {}});
    let second = sheet(&[
        "Title|Phase|Places|Session 1 date|Session 2 date|Lead|Project",
        "Fluency|secondary|14|3/11/2026|8/12/2026|Lee Example|",
    ]);
    let plan = held.plan(GROUPS, &second, &none(), None);
    let RowOutcome::Changed { id, changes } = &plan.rows[0].outcome else {
        panic!("{}", plan.report())
    };
    assert_eq!(id, "record0");
    assert_eq!(changes[0], FieldChange::set("phase", "secondary"));
    let FieldChange::Add { field, values, .. } = &changes[1] else {
        panic!("{changes:?}")
    };
    assert_eq!(
        (field.as_str(), &values["date"]),
        ("sessions", &json!("2026-12-08"))
    );
    assert_eq!(changes.len(), 2);
    assert_eq!(
        plan.rows[0].notes,
        ["'Places' stands at 12 and is left as it is: change it in the record"]
    );
}

#[test]
fn a_session_entered_by_hand_is_not_added_again() {
    let held = Held::default();
    let sheet = sheet(&["Title|Session date", "Fluency|3/11/2026"]);
    let plan = held.plan(GROUPS, &sheet, &none(), None);
    held.carry_out(GROUPS, &plan);
    held.0.borrow_mut()[0].1.fields["sessions"] =
        json!([{"id": "byhand", "date": "2026-11-03", "venue": "Hall"}]);
    let again = held.plan(GROUPS, &sheet, &none(), None);
    assert_eq!(again.counts().same, 1, "{}", again.report());
}

#[test]
fn what_no_row_says_can_be_said_for_all() {
    let sheet = sheet(&[
        "Title|Venue|Session date",
        "Fluency|Hall|3/11/2026",
        "Reasoning||",
    ]);
    let given = json!({"defaults": {"year": "2026/27", "sessions/mode": "Online"}});
    let plan = Held::default().plan(GROUPS, &sheet, &options(given), None);
    assert_eq!(new_values(&plan, 0)["year"], "2026-27");
    assert_eq!(new_values(&plan, 0)["sessions"][0]["mode"], "online");
    assert!(!new_values(&plan, 1).contains_key("sessions"));
    let wrong = json!({"defaults": {"year": "soon", "nonsense": 1}});
    let plan = Held::default().plan(GROUPS, &sheet, &options(wrong), None);
    assert_eq!(
        plan.problems,
        [
            "what stands where 'Year' is empty must be an academic year such as 2026/27: got 'soon'",
            "there is no field 'nonsense' that could be given for all rows",
        ]
    );
}

#[test]
fn a_code_that_only_one_row_tells_joins_the_others_and_cards_take_the_place_of_references() {
    let sheet = sheet(&[
        "Title|Code|School|Participant",
        "Fluency|WG1|Northfield|Ann Example",
        "Fluency||Southfield|Ann Example",
        "Fluency|WG2|Eastfield|",
        "Fluency||Westfield|",
    ]);
    let mut plan = Held::default().plan(GROUPS, &sheet, &none(), None);
    assert_eq!(plan.rows[1].outcome, RowOutcome::Joined { row: 2 });
    new_values(&plan, 2);
    // It may belong to either, so it is taken for neither.
    let RowOutcome::Wrong { problems } = &plan.rows[3].outcome else {
        panic!("{}", plan.report())
    };
    assert_eq!(
        problems[0].message,
        "row 5: it may belong to either of several rows above: fill in 'Code', 'Title', 'Year'"
    );
    let row = &mut plan.rows[0];
    let cards = row.people.iter().enumerate();
    let mut ids = cards.map(|(at, person)| (person.reference.clone(), format!("card{at}")));
    let first = ids.next().into_iter().collect();
    assert_eq!(row.clone().refer(&first).map_err(|left| left.len()), Err(1));
    let all = row
        .people
        .iter()
        .map(|person| (person.reference.clone(), "card".to_owned()));
    let all = all.collect();
    row.refer(&all).expect("every card is there");
    let members = &new_values(&plan, 0)["members"];
    assert_eq!(
        (&members[0]["person"], &members[1]["person"]),
        (&json!("card"), &json!("card"))
    );
}
