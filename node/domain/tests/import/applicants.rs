//! A1: applicants with school names typed in many ways.

use node_domain::{
    FieldChange, FoundSchool, ImportInto, ImportOptions, KnownSchool, RowOutcome, SchoolMatcher,
    Sheet, WORK_GROUP,
};
use serde_json::json;

use crate::world::{Held, Register, new_values, none, options, school, sheet};

fn members() -> ImportInto {
    ImportInto::items(&WORK_GROUP, "members").expect("a list")
}

fn register() -> Register {
    let closed = FoundSchool {
        closed: true,
        successor: Some(("106003".to_owned(), "Hillside Academy".to_owned())),
        ..school("106002", "Hillside Primary School")
    };
    let mut schools = vec![school("106001", "Northfield Primary School"), closed];
    for at in 0..14 {
        let saint = at / 2;
        let part = if at % 2 == 0 { "Infant" } else { "Junior" };
        let name = format!("St Cuthbert {saint} {part} School");
        schools.push(school(&format!("1070{at:02}"), &name));
    }
    Register(schools)
}

/// Sixty applicants: forty at one school, ten at a closed one, seven where two schools may be
/// meant, three where none is known.
fn applicants() -> Sheet {
    let rows = (0..60).map(|at| {
        let school = match at {
            0..20 => "Northfield Primary School".to_owned(),
            20..40 => "northfield primary".to_owned(),
            40..50 => "Hillside Primary".to_owned(),
            50..57 => format!("St Cuthbert {}", at - 50),
            _ => "Nowhere Free School".to_owned(),
        };
        vec![
            format!("Teacher {at}"),
            format!("t{at}@school.example"),
            school,
            "class teacher".to_owned(),
        ]
    });
    let headers = ["Participant", "E-mail address", "School name", "Job"];
    Sheet::new(headers.map(str::to_owned).to_vec(), rows)
}

#[test]
fn a1_import_applicants() {
    let (held, register, sheet) = (Held::default(), register(), applicants());
    let options = options(json!({"columns": {"E-mail address": "person/email"}}));
    let plan = held.plan(members(), &sheet, &options, Some(&register));
    let counts = plan.counts();
    assert_eq!(
        (counts.new, counts.asked, counts.wrong),
        (53, 7, 0),
        "{}",
        plan.report()
    );
    assert_eq!(counts.people, 53);

    // Names are matched, closed schools show their successor, unknown ones stay as typed.
    assert_eq!(new_values(&plan, 30)["urn"], "106001");
    assert_eq!(new_values(&plan, 45)["urn"], "106003");
    assert_eq!(
        plan.rows[45].notes,
        [
            "'Hillside Primary' (106002) is closed; its successor 'Hillside Academy' (106003) was taken"
        ]
    );
    assert!(!new_values(&plan, 58).contains_key("urn"));
    assert!(plan.rows[58].notes[0].contains("unmatched"));
    let person = &plan.rows[0].people[0];
    assert_eq!(new_values(&plan, 0)["person"], person.reference.as_str());
    assert_eq!(
        serde_json::Value::Object(person.card.clone()),
        json!({
            "name": "Teacher 0", "email": "t0@school.example",
            "organisation": "Northfield Primary School", "urn": "106001",
            "job_role": "class teacher",
        })
    );

    // The same file again adds nothing.
    held.carry_out(members(), &plan);
    let again = held.plan(members(), &sheet, &options, Some(&register));
    let counts = again.counts();
    assert_eq!(
        (counts.new, counts.changed, counts.same, counts.asked),
        (0, 0, 53, 7)
    );

    // The seven are answered, and then the same file adds them, and once.
    let mut answered = options;
    for (question, rows) in again.questions() {
        assert_eq!((question.candidates.len(), rows.len()), (2, 1));
        let urn = question.candidates[0].urn.clone();
        answered.answers.insert(question.typed.to_uppercase(), urn);
    }
    answered
        .answers
        .insert("ST CUTHBERT 6".to_owned(), "none".to_owned());
    let plan = held.plan(members(), &sheet, &answered, Some(&register));
    assert_eq!((plan.counts().new, plan.counts().same), (7, 53));
    assert!(!new_values(&plan, 56).contains_key("urn"));
    held.carry_out(members(), &plan);
    for options in [
        answered,
        ImportOptions {
            answers: Default::default(),
            ..none()
        },
    ] {
        let mut options = options;
        options
            .columns
            .insert("E-mail address".to_owned(), "person/email".to_owned());
        let again = held.plan(members(), &sheet, &options, Some(&register));
        assert_eq!(again.counts().same, 60, "{}", again.report());
    }
}

#[test]
fn two_hubs_that_import_the_same_applicant_make_one_item() {
    let lines = [
        "Name | School | Role",
        "Ann Example | Northfield Primary | lead teacher",
    ];
    let other = [
        "School name|Role|Participant",
        "NORTHFIELD  primary|Lead Teacher|ann example",
    ];
    let ids = [sheet(&lines), sheet(&other)].map(|sheet| {
        let plan = Held::default().plan(members(), &sheet, &none(), None);
        let RowOutcome::New { id, .. } = &plan.rows[0].outcome else {
            panic!("{}", plan.report())
        };
        (id.clone(), plan.rows[0].people[0].reference.clone())
    });
    assert_eq!(ids[0].0, ids[1].0);
    assert_eq!(ids[0].0.len(), 16);
}

#[test]
fn a_number_that_is_found_later_is_added_to_the_member_who_is_there() {
    let held = Held::default();
    let sheet = sheet(&["Name|School", "Ann Example|Northfield"]);
    let before = held.plan(members(), &sheet, &none(), None);
    held.carry_out(members(), &before);
    let plan = held.plan(members(), &sheet, &none(), Some(&register()));
    let RowOutcome::Changed { id, changes } = &plan.rows[0].outcome else {
        panic!("{}", plan.report())
    };
    assert_eq!(
        changes,
        &[FieldChange::set(format!("members/{id}/urn"), "106001")]
    );
    assert!(plan.rows[0].people.is_empty());
}

#[test]
fn an_answer_that_is_no_number_is_refused_by_name() {
    let options = options(json!({"answers": {"Northfield": "the one by the church"}}));
    let sheet = sheet(&["School", "Northfield"]);
    let plan = Held::default().plan(members(), &sheet, &options, Some(&register()));
    let RowOutcome::Wrong { problems } = &plan.rows[0].outcome else {
        panic!("{}", plan.report())
    };
    assert_eq!(
        problems[0].message,
        "row 2: the answer about 'Northfield' must be a URN of six digits or 'none': got 'the one \
         by the church'"
    );
}

#[test]
fn the_registers_own_matcher_answers_asks_and_follows_closed_schools() {
    let school = |urn: &str, name: &str, place: &str, successor: Option<&str>| KnownSchool {
        id: urn.to_owned(),
        urn: urn.to_owned(),
        name: name.to_owned(),
        place: place.to_owned(),
        open: successor.is_none(),
        successor: successor.map(str::to_owned),
        ..KnownSchool::default()
    };
    let schools = [
        school("106001", "Northfield Primary School", "Leeds", None),
        school("106002", "Hillside Primary School", "York", Some("106003")),
        school("106003", "Ridgeway Academy", "York", None),
        school("106004", "St Mary's Catholic Primary School", "Leeds", None),
        school("106005", "St Mary's Catholic Primary School", "York", None),
    ];
    let matcher = SchoolMatcher::new(schools.into_iter());
    let sheet = sheet(&[
        "Participant|School|Town",
        "A|Northfield Primary School|",
        "B|Hillside Primary School|",
        "C|St Mary's Catholic Primary School|",
        "D|St Mary's Catholic Primary School|York",
        "E|Utterly Elsewhere Grammar|",
    ]);
    let plan = Held::default().plan(members(), &sheet, &none(), Some(&matcher));
    assert_eq!(new_values(&plan, 0)["urn"], "106001");
    assert_eq!(new_values(&plan, 1)["urn"], "106003");
    assert!(plan.rows[1].notes[0].contains("its successor 'Ridgeway Academy' (106003)"));
    let RowOutcome::Asked { question } = &plan.rows[2].outcome else {
        panic!("{}", plan.report())
    };
    assert_eq!(question.candidates.len(), 2);
    assert_eq!(new_values(&plan, 3)["urn"], "106005");
    assert!(!new_values(&plan, 4).contains_key("urn"));
}
