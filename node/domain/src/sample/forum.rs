//! Threads of the national forum.

use serde_json::{Value as Json, json};

use crate::change::FieldChange;
use crate::sample::record::{SampleRecord, add, day};
use crate::sample::school_year::SchoolYear;

/// The threads: one of each kind, at different steps.
pub(crate) fn threads(year: &str) -> Vec<SampleRecord> {
    let days = SchoolYear::new(year);
    let post = |week: usize, text: &str| json!({"text": text, "on": day(days.day(week, 1))});
    let set = |state: &str| vec![FieldChange::set("state", state)];
    let position = "Hubs can reach every school if each school is asked by a neighbour, and if \
                    cover for two days a year is paid.";
    vec![
        thread(
            "thread-1",
            json!({
                "title": "How schools that never took part can be reached", "kind": "question",
                "question": "What would bring in the schools that no hub has reached yet?",
                "asked_by": "A ministry (sample)", "due": day(days.day(20, 4)),
                "posts": [post(9, "We ring them, and we send the head's neighbour.")],
            }),
        )
        .with_steps(vec![
            vec![add(
                "posts",
                None,
                post(10, "Small schools cannot send two. One and a visit works."),
            )],
            vec![
                FieldChange::set("state", "drafting"),
                FieldChange::set("position", position),
            ],
            set("sent"),
        ]),
        thread(
            "thread-2",
            json!({
                "title": "A changed content list for Core Maths", "kind": "consultation",
                "question": "Which parts of the proposed list would you keep?",
                "asked_by": "An awarding body (sample)", "due": day(days.day(40, 4)),
                "posts": [post(33, "Keep estimation. It is what employers ask us about.")],
            }),
        )
        .with_steps(vec![vec![
            FieldChange::set("state", "drafting"),
            FieldChange::set("position", "Keep estimation and spreadsheets."),
        ]]),
        thread(
            "thread-3",
            json!({
                "title": "Gap tasks that people really do", "kind": "practice",
                "posts": [
                    post(5, "Two pupils' books, nothing written. Everybody brought them."),
                    post(6, "Ours are shorter than a page since last year, and it helps."),
                ],
            }),
        ),
        thread(
            "thread-4",
            json!({
                "title": "Dates of the national meeting", "kind": "announcement",
                "posts": [post(1, "The second Thursday in November, as every year.")],
            }),
        )
        .with_steps(vec![set("answered")]),
    ]
}

fn thread(key: &str, fields: Json) -> SampleRecord {
    SampleRecord::new("forum-thread", key, fields)
}
