//! What a policy guest sees: the questions of the own body, and what was sent in answer.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node::records::{Desk, Find, RecordsError};
use node::web::{Flash, Form, PageError, Posted, Visit, Web, parts, words};
use node_domain::{FORUM_THREAD, Object, Problem};
use serde_json::{Value, json};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/questions", get(list))
        .route("/questions/new", get(ask).post(asked))
        .route("/questions/{id}", get(show))
}

/// A question, with what was sent in answer.
struct Question {
    id: String,
    fields: Object,
    released: Option<Value>,
}

async fn list(visit: Visit) -> Result<Response, PageError> {
    let questions = visit.work(own).await?;
    let may_ask = visit.desk().creates(FORUM_THREAD.name);
    let answered = questions.iter().filter(|it| it.released.is_some()).count();
    let body = html! {
        h1 { "Your questions" }
        p.lead {
            @if questions.is_empty() { "You have no questions here yet." } @else {
                (words::counted(questions.len() as u64, "question", "questions")) ", "
                (words::number(answered as u64)) " answered."
            }
        }
        ul.tasks #questions {
            @for question in &questions {
                li {
                    div {
                        a href={ "/questions/" (question.id) } { (question.text("title")) }
                        @if !question.text("due").is_empty() {
                            p { "Due on " (words::day(question.text("due"))) "." }
                        }
                    }
                    @if question.released.is_some() {
                        (parts::tag("answered", parts::Tone::Good))
                    } @else {
                        (parts::tag("with the hubs", parts::Tone::Active))
                    }
                }
            }
        }
        @if may_ask { div.buttons { a.button href="/questions/new" { "Ask the hubs a question" } } }
    };
    Ok(visit.page("Your questions", &body))
}

async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    // Of several guests of one body each is told of a correction.
    let reader = visit.session().account.id.to_string();
    let question = visit
        .work(move |desk| Question::of(desk, &id, &reader))
        .await?;
    let title = question.text("title").to_owned();
    Ok(visit.page(&title, &question.body()))
}

impl Question {
    fn of(desk: &Desk, id: &str, reader: &str) -> Result<Self, PageError> {
        let shown = desk.show(id, "")?;
        if shown.kind != FORUM_THREAD.name {
            return Err(PageError::missing());
        }
        Ok(Self {
            id: id.to_owned(),
            fields: shown.fields.as_object().cloned().unwrap_or_default(),
            released: desk.released(id, reader)?,
        })
    }

    fn text(&self, name: &str) -> &str {
        self.fields
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn body(&self) -> Markup {
        html! {
            (parts::back("/questions", "Your questions"))
            h1 { (self.text("title")) }
            @match &self.released {
                None => p.lead {
                    "The hubs are working on it. Their joint position stands here once it is sent"
                    @if !self.text("due").is_empty() { "; it is due on " (words::day(self.text("due"))) }
                    "."
                },
                Some(released) => (answer(released)),
            }
            h2 { "What you asked" }
            (parts::paragraphs(self.text("question")))
            (parts::summary_list(&[
                parts::SummaryRow::text("Asked by", self.text("asked_by")),
                parts::SummaryRow::text("Due", words::day(self.text("due"))),
            ]))
        }
    }
}

/// The position as it was sent, with its corrections marked.
fn answer(released: &Value) -> Markup {
    let texts = released["texts"].as_array().cloned().unwrap_or_default();
    let Some(newest) = texts.last() else {
        return html! {};
    };
    let endorsed = newest["endorsed"].as_u64().unwrap_or_default();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let lines = |value: &Value, name: &str| {
        let lines = value[name].as_array().into_iter().flatten();
        lines
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let corrected = !newest["changed_from"].is_null();
    html! {
        p.lead #endorsed { (words::counted(endorsed, "hub endorses", "hubs endorse")) " exactly this text." }
        @if released["news"].as_bool() == Some(true) && corrected {
            div.note.note-warning role="status" #news-once {
                p.note-title { "The answer was corrected since you read it." }
            }
        }
        h2 { "The hubs' joint position" }
        p.soft { "Sent on " (words::day(&text(newest, "on"))) "." }
        div #position { (parts::paragraphs(&text(newest, "text"))) }
        @if corrected {
            h3 { "What the correction changed" }
            @for line in lines(newest, "taken_away") { p { del.changed-before { (line) } } }
            @for line in lines(newest, "added") { p { ins.changed-after { (line) } } }
        }
        @if texts.len() > 1 {
            details {
                summary { "Earlier answers" }
                @for earlier in texts.iter().rev().skip(1) {
                    h3 { "Sent on " (words::day(&text(earlier, "on"))) }
                    (parts::paragraphs(&text(earlier, "text")))
                }
            }
        }
    }
}

fn own(desk: &Desk) -> Result<Vec<Question>, PageError> {
    let listed = desk.find(&Find {
        kind: FORUM_THREAD.name.to_owned(),
        sort: vec!["title".to_owned()],
        ..Find::default()
    })?;
    let questions = listed.records.iter().map(|record| {
        // A list tells nobody that there is news: that is told where the answer is read.
        let shown = desk.show(&record.id.to_string(), "")?;
        Ok::<_, PageError>(Question {
            id: record.id.to_string(),
            fields: shown.fields.as_object().cloned().unwrap_or_default(),
            released: desk.released(&record.id.to_string(), "")?,
        })
    });
    questions.collect()
}

async fn ask(visit: Visit) -> Result<Response, PageError> {
    let may_ask = visit.desk().creates(FORUM_THREAD.name);
    visit.require(may_ask, "This role does not ask questions here.")?;
    Ok(visit.page(
        "Ask the hubs a question",
        &form(&visit, &Form::default(), &[]),
    ))
}

fn form(visit: &Visit, sent: &Form, problems: &[Problem]) -> Markup {
    let problem = |field: &str| {
        let found = problems.iter().find(|problem| problem.field == field);
        found.map(|problem| problem.message.as_str())
    };
    html! {
        (parts::back("/questions", "Your questions"))
        (parts::error_summary(problems))
        h1 { "Ask the hubs a question" }
        (parts::form("/questions/new", visit.csrf(), &html! {
            (parts::text_input("title", "In a few words", "", sent.get("title"), problem("title")))
            (parts::text_area("question", "Your question", "Every hub reads it. Name no person.",
                sent.get("question"), problem("question")))
            (parts::typed_input("date", "due", "When do you need the answer?", "", sent.get("due"), problem("due")))
            (parts::button("Send it to the hubs"))
        }))
    }
}

async fn asked(visit: Visit, Posted(sent): Posted) -> Result<Response, PageError> {
    if sent.get("question").is_empty() {
        let problem = Problem::new("question", "Enter your question");
        return Ok(visit.page("Ask the hubs a question", &form(&visit, &sent, &[problem])));
    }
    let fields = json!({
        "title": sent.get("title"), "kind": "question", "question": sent.get("question"),
        "asked_by": visit.desk().holder(), "due": sent.get("due"),
    });
    let mut fields = fields.as_object().cloned().unwrap_or_default();
    fields.retain(|_, value| value.as_str() != Some(""));
    let made = visit
        .work(move |desk| {
            let spaces = desk.spaces_for(FORUM_THREAD.name);
            let space = spaces.first().ok_or_else(|| {
                RecordsError::Refused(
                    "there is no forum to ask in yet; ask NCETM to open one".to_owned(),
                )
            })?;
            let json = Value::Object(fields).to_string();
            desk.create(FORUM_THREAD.name, &space.id.to_string(), &json)
        })
        .await;
    match made {
        Ok(_) => {
            visit.tell(Flash::done(
                "Sent. The hubs see it at their next connection.",
            ));
            Ok(Redirect::to("/questions").into_response())
        }
        Err(error) if !error.problems().is_empty() => Ok(visit.page(
            "Ask the hubs a question",
            &form(&visit, &sent, error.problems()),
        )),
        Err(error) => Err(error),
    }
}
