//! A project's data agreement: what would leave, for what, until when; and signing it.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node_domain::{GROUP_SUMMARY, Object};
use serde_json::{Value, json};

use super::{open, own_groups};
use crate::records::{Desk, RecordsError};
use crate::web::parts::SummaryRow;
use crate::web::record::{Names, Opened, item_title, value};
use crate::web::{Flash, PageError, Posted, Visit, parts, words};

struct Shown {
    record: Opened,
    listed: Vec<String>,
    to_sign: Vec<String>,
    signed: bool,
    may_sign: bool,
    sample: Option<Sample>,
    why_no_sample: String,
}

/// What one of our own groups would say.
struct Sample {
    title: String,
    fields: Object,
    names: Names,
}

pub(super) async fn page(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let shown = visit.work(move |desk| Shown::of(desk, &id)).await?;
    let title = format!("Data agreement: {}", shown.record.title());
    let body = shown.body(visit.csrf());
    Ok(visit.page(&title, &body))
}

pub(super) async fn sign(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let back = format!("/project-records/{id}");
    let heads = form.get("heads").to_owned();
    let signed = visit
        .work(move |desk| {
            open(desk, &id)?;
            let own = desk.own_hub();
            // At the heads that were shown: a signature covers what was read, and nothing later.
            let json = json!([{ "do": "include", "field": "signatures", "element": own }]);
            desk.edit(&id, &heads, &json.to_string())?;
            Ok::<_, PageError>(desk.unsigned_fields(&id)?.len())
        })
        .await?;
    visit.tell(if signed == 0 {
        Flash::done(
            "Signed. Nothing has been sent: a summary of a group leaves only when somebody shares it.",
        )
    } else {
        Flash::warning(
            "Signed as you read it. More was listed meanwhile, which your signature does not cover: \
             read the agreement again.",
        )
    });
    Ok(Redirect::to(&back).into_response())
}

impl Shown {
    fn of(desk: &Desk, id: &str) -> Result<Self, PageError> {
        let record = open(desk, id)?;
        let listed = record.value("agreed_fields").as_array();
        let listed = listed.into_iter().flatten().filter_map(Value::as_str);
        let listed = listed.map(str::to_owned).collect::<Vec<_>>();
        let own = desk.own_hub();
        let signatures = record.value("signatures").as_array();
        let signed = signatures.is_some_and(|all| all.iter().any(|it| *it == own.as_str()));
        let field = record.kind.field("signatures");
        let (sample, why_no_sample) = sample(desk, &record, &listed)?;
        Ok(Self {
            to_sign: desk.unsigned_fields(id)?,
            may_sign: field.is_some_and(|field| record.writes(field)),
            record,
            listed,
            signed,
            sample,
            why_no_sample,
        })
    }

    fn body(&self, csrf: &str) -> Markup {
        let path = self.record.path();
        let until = self.record.words("agreement_until");
        let count = words::counted(self.listed.len() as u64, "fact", "facts");
        html! {
            (parts::back(&path, &self.record.title()))
            h1 { span.caption { (self.record.title()) } "Data agreement" }
            p.lead {
                @if self.listed.is_empty() { "The agreement lists nothing yet, so nothing can leave this hub." }
                @else if self.signed && self.to_sign.is_empty() {
                    "This hub has signed: " (count) " of each work group may be shared with the project."
                } @else {
                    "If this hub signs, " (count) " of each work group may be shared with the project. "
                    "Until then nothing is sent."
                }
            }
            h2 { "What for" }
            p {
                @match self.record.words("question") {
                    question if question.is_empty() => { "The project’s hubs compare how their work groups went." }
                    question => { "To answer the project’s question: " (question) }
                }
            }
            h2 { "What is shared, of each work group" }
            ul #agreed {
                @for name in &self.listed {
                    li {
                        (label(name))
                        @if self.signed && self.to_sign.contains(name) { " " (parts::tag("new since we signed", parts::Tone::Look)) }
                    }
                }
            }
            p { "Never a person’s name, an address or a note." }
            h2 { "Until when, and who reads it" }
            p {
                @if until.is_empty() { "Until the project ends or this hub takes its signature back." }
                @else { "Until " (until) "." }
                " Read by " (self.readers()) "."
            }
            h2 { "One message, as it would be sent" }
            @match &self.sample {
                Some(sample) => {
                    p { "This is what the project would get of your group “" (sample.title) "”." }
                    div.card #sample { (parts::summary_list(&sample.rows())) }
                }
                None => { (parts::empty(&self.why_no_sample)) }
            }
            @if self.may_sign && !self.to_sign.is_empty() {
                (parts::form(&format!("{path}/agreement"), csrf, &html! {
                    input type="hidden" name="heads" value=(self.record.heads);
                    div.buttons {
                        (parts::button("Sign the data agreement"))
                        a href=(path) { "Do not sign" }
                    }
                }))
            }
        }
    }

    fn readers(&self) -> String {
        match self.record.shared_with.as_slice() {
            [] => "nobody yet".to_owned(),
            hubs => words::listed(hubs),
        }
    }
}

impl Sample {
    fn rows(&self) -> Vec<SummaryRow> {
        let fields = self.fields.iter().filter_map(|(name, content)| {
            let field = GROUP_SUMMARY.field(name).filter(|it| it.name != "origin")?;
            let shown = match field.items() {
                None => value(field, content, &self.names),
                Some(inner) => {
                    let items = content.as_array().into_iter().flatten();
                    let items = items.filter_map(Value::as_object).collect::<Vec<_>>();
                    html! {
                        @if items.is_empty() { "None" } @else {
                            ul { @for item in items { li { (item_title(inner, item, &self.names)) } } }
                        }
                    }
                }
            };
            Some(SummaryRow::new(field.label, shown))
        });
        fields.collect()
    }
}

fn sample(
    desk: &Desk,
    record: &Opened,
    listed: &[String],
) -> Result<(Option<Sample>, String), RecordsError> {
    let code = record.value("code").as_str().unwrap_or_default();
    let agreed = listed.iter().cloned().collect::<BTreeSet<_>>();
    let space = record.shown.space.to_string();
    let mut why = "This hub has no work group of the project yet. The first one will be shown to \
                   you, exactly as it would leave, before anything is shared."
        .to_owned();
    for group in own_groups(desk, code)?.into_iter().take(3) {
        match desk.sample_message(&group.id.to_string(), &space, &agreed) {
            Ok(fields) => {
                let names = Names::of(desk, &GROUP_SUMMARY, &fields)?;
                let title = group.title;
                let sample = Sample {
                    title,
                    fields,
                    names,
                };
                return Ok((Some(sample), String::new()));
            }
            Err(
                RecordsError::Role(sentence)
                | RecordsError::Agreement(sentence)
                | RecordsError::Refused(sentence),
            ) => why = sentence,
            Err(RecordsError::Record(_)) => {
                why = "A text of your group holds a name or an address, so it could not be shared \
                       as it stands. You are told where when you share it."
                    .to_owned();
            }
            Err(other) => return Err(other),
        }
    }
    Ok((None, why))
}

/// What people call a field of a summary.
fn label(name: &str) -> &str {
    GROUP_SUMMARY.field(name).map_or(name, |field| field.label)
}
