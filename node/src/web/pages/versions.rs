//! What stands in two versions: who wrote what, and choosing.

mod one;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::Value;

use crate::records::{Concerning, Desk, RecordsError};
use crate::web::record::{Names, words_at};
use crate::web::{Flash, PageError, Posted, Visit, Web, parts, visit::url_query, words};

/// How many of those that were settled are told of.
const SETTLED_SHOWN: usize = 20;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/versions", get(all))
        .route("/versions/{id}", get(one::show).post(one::settle))
        .route("/versions/{id}/reopen", post(reopen))
}

/// Where the versions of a field are settled.
pub(super) fn path_of(record: &str, field: &str) -> String {
    format!("/versions/{record}?{}", url_query("field", field))
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

struct Shown {
    /// Those that concern whoever looks first.
    open: Vec<(bool, Value)>,
    settled: Vec<Told>,
}

/// Something that was settled, in words.
pub(super) struct Told {
    pub(super) record: String,
    pub(super) title: String,
    pub(super) id: String,
    pub(super) label: String,
    pub(super) field: String,
    pub(super) who: String,
    pub(super) time_ms: u64,
    pub(super) chosen: String,
    pub(super) reopened: bool,
    may_reopen: bool,
}

async fn all(visit: Visit) -> Result<Response, PageError> {
    let shown = visit
        .work(|desk| {
            let listed = desk.versions("", &Concerning::default())?;
            let mut open = listed
                .versions
                .into_iter()
                .map(|open| (desk.is_concerned(&open), open));
            let mut open = open.by_ref().collect::<Vec<_>>();
            open.sort_by_key(|(mine, open)| {
                let decide = open["decide"].as_bool().unwrap_or_default();
                (!mine, !decide, text(open, "title").to_owned())
            });
            let settled = settled(desk, "")?;
            Ok::<_, RecordsError>(Shown { open, settled })
        })
        .await?;
    Ok(visit.page("Two versions", &body(&visit, &shown)))
}

/// What was settled, the newest first.
pub(super) fn settled(desk: &Desk, id: &str) -> Result<Vec<Told>, RecordsError> {
    let all = desk.settled_versions(id, &Concerning::default())?;
    let mut all = all.as_array().cloned().unwrap_or_default();
    all.sort_by_key(|it| std::cmp::Reverse(it["time_ms"].as_u64()));
    let records = all.iter().map(|it| text(it, "record").to_owned());
    let values = all.iter().filter_map(|it| it["chosen"].as_str());
    let values = values.filter(|value| value.len() < 70).map(str::to_owned);
    let names = Names::of_values(desk, records.chain(values).collect::<Vec<_>>())?;
    let mut told = Vec::new();
    for it in all.iter().take(SETTLED_SHOWN) {
        let record = text(it, "record");
        let access = match desk.access(record) {
            Ok(access) => access,
            Err(RecordsError::Role(_) | RecordsError::Missing(_)) => continue,
            Err(error) => return Err(error),
        };
        let chosen = words_at(access.kind, text(it, "field"), &it["chosen"], &names);
        told.push(Told {
            record: record.to_owned(),
            title: names.title(record).unwrap_or("A record").to_owned(),
            id: text(it, "id").to_owned(),
            label: words::capital(text(it, "label")),
            field: text(it, "field").to_owned(),
            who: desk.hub_name(text(it, "hub")),
            time_ms: it["time_ms"].as_u64().unwrap_or_default(),
            chosen,
            reopened: it["reopened"].as_bool().unwrap_or_default(),
            may_reopen: access.settles(text(it, "field")),
        });
    }
    Ok(told)
}

fn body(visit: &Visit, shown: &Shown) -> Markup {
    let mine = shown.open.iter().filter(|(mine, _)| *mine).count();
    html! {
        h1 { "Two versions" }
        p.lead { (sentence(shown.open.len(), mine)) }
        @if !shown.open.is_empty() {
            p.soft {
                "Two people changed the same thing at the same time, or what was entered does not fit "
                "together. Nothing is lost: all of it stands until somebody chooses."
            }
            ul.tasks {
                @for (mine, open) in &shown.open {
                    li {
                        div {
                            a href=(path_of(text(open, "record"), text(open, "field"))) {
                                (name(open))
                                @if !is_watch(open) { ": " (words::capital(text(open, "label"))) }
                            }
                            p { (happened(open)) }
                        }
                        @if *mine { (parts::tag("For you", parts::Tone::Look)) }
                        @else { (parts::tag("For others", parts::Tone::Plain)) }
                    }
                }
            }
        }
        (settled_list(visit, &shown.settled, true))
    }
}

/// What was settled, with a button that opens it again for whoever may settle it.
pub(super) fn settled_list(visit: &Visit, settled: &[Told], named: bool) -> Markup {
    html! {
        @if !settled.is_empty() {
            h2 { "Settled" }
            ul.tasks {
                @for it in settled {
                    li {
                        div {
                            @if named { a href=(path_of(&it.record, &it.field)) { (it.title) } ": " }
                            (it.label)
                            p {
                                @if it.chosen.is_empty() { "Left as it is" }
                                @else { "“" (it.chosen) "” was chosen" }
                                " by " (it.who) " on " (words::moment(it.time_ms)) "."
                            }
                        }
                        @if it.reopened { (parts::tag("Opened again", parts::Tone::Active)) }
                        @else if it.may_reopen {
                            (parts::form(&format!("/versions/{}/reopen", it.record), visit.csrf(), &html! {
                                input type="hidden" name="settled" value=(it.id);
                                button.button-link type="submit" {
                                    "Open again" span.hidden { ": " (it.title) ", " (it.label) }
                                }
                            }))
                        }
                    }
                }
            }
        }
    }
}

/// Whether it is raised because things do not fit together, and is no field in two versions.
pub(super) fn is_watch(open: &Value) -> bool {
    text(open, "cause") == "Watch"
}

/// The title of the record, as far as the role sees it.
fn name(open: &Value) -> &str {
    match text(open, "title") {
        "" => "A record",
        title => title,
    }
}

fn sentence(open: usize, mine: usize) -> String {
    if open == 0 {
        return "Nothing stands in two versions.".to_owned();
    }
    let stand = if open == 1 {
        "thing waits"
    } else {
        "things wait"
    };
    let concern = match mine {
        0 => "none of them is for you".to_owned(),
        _ if mine == open && open == 1 => "it is for you".to_owned(),
        _ if mine == open => "all of them are for you".to_owned(),
        1 => "one of them is for you".to_owned(),
        mine => format!("{} of them are for you", words::number(mine as u64)),
    };
    format!(
        "{} {stand} for somebody to choose; {concern}.",
        words::number(open as u64)
    )
}

/// What happened, in a sentence.
pub(super) fn happened(open: &Value) -> String {
    let count = open["versions"].as_array().map_or(0, Vec::len) as u64;
    match text(open, "cause") {
        "Watch" => format!("{}.", words::capital(text(open, "sentence"))),
        "Sentence" => {
            "Two people wrote into the same sentence. Read whether it still says what it \
                       should."
                .to_owned()
        }
        "StepNotAllowed" => "A step was taken that does not follow from where it stood.".to_owned(),
        "Steps" => "Two steps were taken at the same time that cannot both hold.".to_owned(),
        "Reopened" => "It was settled, and somebody opened it again.".to_owned(),
        _ => format!(
            "{} were entered at the same time.",
            words::counted(count, "value", "different values")
        ),
    }
}

async fn reopen(
    visit: Visit,
    axum::extract::Path(id): axum::extract::Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let settled = form.get("settled").to_owned();
    let record = id.clone();
    visit
        .work(move |desk| desk.reopen_versions(&record, &settled))
        .await?;
    visit.tell(Flash::done(
        "It is open again, for everybody whom it concerns.",
    ));
    Ok(Redirect::to(&format!("/versions/{id}")).into_response())
}
