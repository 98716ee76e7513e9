//! What a file would do, row by row, before it does it.

use axum::Router;
use axum::extract::Path;
use axum::response::{Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{Check, Field, Kind, PERSON, WORK_GROUP};
use serde_json::Value;

use super::plan::{Plan, Sent, text};
use super::{Into, TITLE};
use crate::records::Headway;
use crate::web::jobs::{JobDone, JobWork};
use crate::web::parts::{self, Tone, tag};
use crate::web::record::{list_path, record_path};
use crate::web::{Form, PageError, Posted, Visit, Web, words};

/// How many rows are shown.
const ROWS_SHOWN: usize = 200;
/// How many rows that were not brought in are told of afterwards.
const LINES_MAX: usize = 50;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/import/check/{number}", get(show).post(say))
}

fn sent(visit: &Visit, number: u64) -> Result<Sent, PageError> {
    let found = visit.web().received().find(visit, number);
    let found = found.and_then(|(files, form)| {
        let into = Into::named(form.get("what"))?;
        Some(Sent { into, files, form })
    });
    found.ok_or_else(|| {
        PageError::new(
            axum::http::StatusCode::GONE,
            "The file is not here any more",
            "A file waits two hours for you. Nothing of it was brought in; send it again.",
        )
    })
}

async fn show(visit: Visit, Path(number): Path<u64>) -> Result<Response, PageError> {
    let sent = sent(&visit, number)?;
    let looked = sent.clone();
    let turn = visit.web().received().turn().await;
    let plan = visit
        .work(move |desk| {
            let _turn = turn;
            looked.carry_out(desk, true, &Headway::default())
        })
        .await?;
    let body = html! {
        (parts::back(&format!("/import/{}", sent.form.get("what")), "Choose another file"))
        h1 { "What the file would add" }
        p.soft { (sent.file("file").map_or("", |it| it.name.as_str())) }
        @if plan.is_register { (register(&visit, number, &plan)) }
        @else { (sheet(&visit, number, &sent, &plan)) }
    };
    Ok(visit.page("What the file would add", &body))
}

fn register(visit: &Visit, number: u64, plan: &Plan) -> Markup {
    let (new, changed) = (plan.count("new"), plan.count("changed"));
    let rows = plan.list("rows").iter().map(|row| {
        let number = row.get("row").and_then(Value::as_u64).unwrap_or_default();
        vec![
            html! { (words::number(number)) },
            html! { (text(row, "told")) },
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    html! {
        p.lead {
            @if new + changed == 0 { "Nothing: these schools are all here already." }
            @else { "It would add " (words::counted(new, "school", "schools"))
                " and change " (words::counted(changed, "school", "schools")) "." }
        }
        (parts::summary_list(&[
            parts::SummaryRow::text("Here already, the same", words::number(plan.count("same"))),
            parts::SummaryRow::text("In other council areas, left out", words::number(plan.count("left_out"))),
            parts::SummaryRow::text("Rows that cannot be read", words::number(plan.count("wrong"))),
        ]))
        @if new + changed > 0 { (buttons(visit, number, "Import the schools", &html! {})) }
        @if !rows.is_empty() {
            (parts::table("What cannot be read, or was read otherwise than it stands", &[("Row", true), ("Why", false)], &rows))
        }
    }
}

fn sheet(visit: &Visit, number: u64, sent: &Sent, plan: &Plan) -> Markup {
    let count = |name| plan.count(name);
    let (new, changed, same) = (count("new"), count("changed"), count("same"));
    let (asked, wrong) = (count("asked"), count("wrong"));
    let problems = plan.list("problems");
    let questions = plan.list("questions");
    html! {
        @if !problems.is_empty() {
            div.error-summary role="alert" {
                h2 { "The sheet cannot be read as it is" }
                ul { @for problem in problems { li { (words::capital(problem.as_str().unwrap_or_default())) } } }
            }
        } @else {
            p.lead {
                @if new + changed + asked + wrong == 0 { "Nothing: all of it is here already." }
                @else {
                    "It would add " (words::number(new)) " and change " (words::number(changed)) "."
                    @if asked > 0 { " " (words::counted(asked, "row waits", "rows wait")) " for your answer." }
                    @if wrong > 0 { " " (words::counted(wrong, "row cannot", "rows cannot")) " be taken." }
                }
            }
            (parts::summary_list(&[
                parts::SummaryRow::text("Would be added", words::number(new)),
                parts::SummaryRow::text("Would be changed", words::number(changed)),
                parts::SummaryRow::text("Here already, the same", words::number(same + count("joined"))),
                parts::SummaryRow::text("Wait for your answer", words::number(asked)),
                parts::SummaryRow::text("Cannot be taken", words::number(wrong)),
            ]))
        }
        @let label = if new + changed > 0 { "Import these" } else { "" };
        (buttons(visit, number, label, &html! {
            @if !questions.is_empty() { (schools(sent, questions)) }
            (columns(sent, plan, !problems.is_empty()))
        }))
        (rows(plan))
    }
}

/// The form with what may be said, and its buttons.
fn buttons(visit: &Visit, number: u64, label: &str, inner: &Markup) -> Markup {
    html! {
        (parts::form(&format!("/import/check/{number}"), visit.csrf(), &html! {
            (inner)
            div.buttons {
                @if !label.is_empty() {
                    button.button type="submit" name="do" value="import" { (label) }
                }
                button.button.button-plain type="submit" name="do" value="look" { "Look again" }
            }
        }))
    }
}

/// Which schools are meant where that is not certain.
fn schools(sent: &Sent, questions: &[Value]) -> Markup {
    html! {
        h2 { "Which schools are meant?" }
        @for question in questions {
            @let typed = text(question, "typed");
            @let name = format!("school/{typed}");
            @let chosen = sent.form.find(&name).unwrap_or("?").to_owned();
            @let candidates = question.get("candidates").and_then(Value::as_array);
            @let rows = question.get("rows").and_then(Value::as_array).map_or(0, Vec::len);
            (parts::radios(&name, typed,
                &words::counted(rows as u64, "row", "rows"),
                &options(candidates.map_or(&[], Vec::as_slice)), &chosen, None))
        }
    }
}

fn options(candidates: &[Value]) -> Vec<(String, String)> {
    let mut options = Vec::new();
    for it in candidates {
        let (mut urn, mut label) = (text(it, "urn").to_owned(), text(it, "name").to_owned());
        let place = text(it, "place");
        if !place.is_empty() {
            label = format!("{label}, {place}");
        }
        let successor = it.get("successor").and_then(Value::as_array);
        if it
            .get("closed")
            .and_then(Value::as_bool)
            .unwrap_or_default()
        {
            let next = successor.and_then(|it| Some((it.first()?.as_str()?, it.get(1)?.as_str()?)));
            match next {
                Some((next_urn, name)) => {
                    label = format!("{label} (closed; now {name})");
                    next_urn.clone_into(&mut urn);
                }
                None => label.push_str(" (closed)"),
            }
        } else {
            label = format!("{label} ({urn})");
        }
        options.push((urn, label));
    }
    options.push((
        "none".to_owned(),
        "None of these: keep what was typed".to_owned(),
    ));
    options.push((
        "?".to_owned(),
        "I do not know yet: leave these rows".to_owned(),
    ));
    options
}

/// What each column is taken for.
fn columns(sent: &Sent, plan: &Plan, open: bool) -> Markup {
    let fields = fields(sent.into);
    let columns = plan.list("columns");
    html! {
        details open[open] {
            summary { "What each column is taken for" }
            @for column in columns {
                @let header = text(column, "header");
                @let name = format!("column/{header}");
                @let field = text(column, "field");
                @let known = fields.iter().any(|(value, _)| value == field);
                @let options = {
                    let mut options = vec![(String::new(), "Leave it out".to_owned())];
                    if !known && !field.is_empty() {
                        options.push((field.to_owned(), text(column, "label").to_owned()));
                    }
                    options.extend(fields.iter().cloned());
                    options
                };
                (parts::select(&name, header, text(column, "why"), &options, field, None))
            }
        }
    }
}

/// The fields that a column may fill.
fn fields(into: Into) -> Vec<(String, String)> {
    let (kind, items): (&Kind, Option<&[Field]>) = match into {
        Into::Schools => (&node_domain::ORGANISATION, None),
        Into::Records(kind) => (kind, None),
        Into::Members => (
            &WORK_GROUP,
            WORK_GROUP.field("members").and_then(Field::items),
        ),
    };
    let own = items.unwrap_or(kind.fields);
    let mut fields = Vec::new();
    for field in own {
        if let Some(items) = field.items() {
            let inner = items.iter().filter(|it| it.items().is_none());
            fields.extend(inner.map(|it| {
                (
                    format!("{}/{}", field.name, it.name),
                    format!("{}: {}", field.label, it.label.to_lowercase()),
                )
            }));
        } else {
            fields.push((field.name.to_owned(), field.label.to_owned()));
        }
        if field.check == Check::Reference(PERSON.name) {
            let card = PERSON.fields.iter().filter(|it| it.items().is_none());
            fields.extend(card.map(|it| {
                (
                    format!("{}/{}", field.name, it.name),
                    format!("{}: {}", field.label, it.label.to_lowercase()),
                )
            }));
        }
    }
    fields.push((
        "@place".to_owned(),
        "Where the school is, to find it".to_owned(),
    ));
    fields.push((
        "@postcode".to_owned(),
        "The school's postcode, to find it".to_owned(),
    ));
    fields
}

/// The rows, those that need somebody first.
fn rows(plan: &Plan) -> Markup {
    let order = ["asked", "wrong", "changed", "new", "joined", "same"];
    let place = |row: &&Value| {
        let outcome = text(row, "outcome");
        order
            .iter()
            .position(|it| *it == outcome)
            .unwrap_or(order.len())
    };
    let mut all = plan.list("rows").iter().collect::<Vec<_>>();
    all.sort_by_key(place);
    let shown = all.iter().take(ROWS_SHOWN).map(|row| {
        let number = row.get("row").and_then(Value::as_u64).unwrap_or_default();
        let outcome = text(row, "outcome");
        let told = match outcome {
            "asked" => "Choose the school above.",
            _ => text(row, "told"),
        };
        vec![
            html! { (words::number(number)) },
            html! { (text(row, "title")) },
            state(outcome),
            html! { (words::capital(told)) },
        ]
    });
    let shown = shown.collect::<Vec<_>>();
    html! {
        @if !shown.is_empty() {
            h2 { "Row by row" }
            @if all.len() > ROWS_SHOWN {
                p { "The first " (words::number(ROWS_SHOWN as u64)) " of " (words::number(all.len() as u64))
                    ", those that need you before all others." }
            }
            (parts::table("What each row comes to", &[("Row", true), ("What", false), ("Comes to", false), ("Why", false)], &shown))
        }
    }
}

fn state(outcome: &str) -> Markup {
    match outcome {
        "new" => tag("added", Tone::Good),
        "changed" => tag("changed", Tone::Active),
        "asked" => tag("your answer", Tone::Look),
        "wrong" => tag("not taken", Tone::Wrong),
        "joined" => tag("part of another", Tone::Plain),
        _ => tag("the same", Tone::Plain),
    }
}

async fn say(
    visit: Visit,
    Path(number): Path<u64>,
    Posted(said): Posted,
) -> Result<Redirect, PageError> {
    let mut sent = sent(&visit, number)?;
    let kept = sent.form.fields().filter(|(name, _)| {
        let said_again = name.starts_with("column/") || name.starts_with("school/");
        !said_again || said.find(name).is_none()
    });
    let new = said
        .fields()
        .filter(|(name, _)| name.starts_with("column/") || name.starts_with("school/"));
    let all = kept.chain(new);
    let all = all.map(|(name, value)| (name.to_owned(), value.to_owned()));
    sent.form = all.collect::<Form>();
    visit.web().received().say(number, sent.form.clone())?;
    if said.get("do") != "import" {
        return Ok(Redirect::to(&format!("/import/check/{number}")));
    }
    let desk = visit.desk().clone();
    let jobs = visit.web().jobs().clone();
    let title = format!("{}: {}", TITLE, sent.into.title().to_lowercase());
    let page = jobs.start(&visit, title, move |work| import(&sent, &desk, work))?;
    Ok(Redirect::to(&page))
}

fn import(sent: &Sent, desk: &crate::records::Desk, work: &JobWork) -> Result<JobDone, PageError> {
    let plan = sent.carry_out(desk, false, work.headway())?;
    let left = plan.count("left");
    let links = match sent.into {
        Into::Schools => vec![(
            "See the schools".to_owned(),
            list_path(&node_domain::ORGANISATION),
        )],
        Into::Records(kind) => vec![(
            format!("See the {}", kind.titles.to_lowercase()),
            list_path(kind),
        )],
        Into::Members => vec![(
            "Open the work group".to_owned(),
            record_path(&WORK_GROUP, sent.form.get("group")),
        )],
    };
    let links = links.into_iter();
    let links = links.chain([("Bring more in".to_owned(), "/import".to_owned())]);
    let mut done = JobDone {
        stopped: left > 0,
        links: links.collect(),
        ..JobDone::default()
    };
    if plan.is_register {
        done.sentence = format!(
            "{} added and {} changed; {} were here already.",
            words::counted(plan.count("new"), "school was", "schools were"),
            words::number(plan.count("changed")),
            words::number(plan.count("same")),
        );
    } else {
        let same = plan.count("same") + plan.count("joined");
        done.sentence = format!(
            "{} brought in; {} were here already.",
            words::counted(plan.count("done"), "row was", "rows were"),
            words::number(same),
        );
        let waits = plan.count("asked");
        if waits > 0 {
            done.sentence.push_str(&format!(
                " {} for an answer about the school: look at the same file again.",
                words::counted(waits, "row waits", "rows wait")
            ));
        }
        let not = plan.count("wrong") + plan.count("failed");
        if not > 0 {
            done.sentence.push_str(&format!(
                " {} not taken.",
                words::counted(not, "row was", "rows were")
            ));
        }
        let told = plan.list("rows").iter().filter(|row| {
            matches!(text(row, "outcome"), "wrong") || text(row, "told").starts_with("not done")
        });
        let lines = told.map(|row| {
            let number = row.get("row").and_then(Value::as_u64).unwrap_or_default();
            format!("Row {number}: {}", text(row, "told"))
        });
        done.lines = lines.take(LINES_MAX).collect();
    }
    if left > 0 {
        done.sentence.push_str(&format!(
            " {} not done, since it was stopped: bring the same file in again for them.",
            words::counted(left, "is", "are")
        ));
    }
    Ok(done)
}
