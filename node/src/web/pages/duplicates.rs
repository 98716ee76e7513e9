//! Cards that are likely the same person: which to keep?

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::Object;
use serde_json::Value;

use crate::records::{Desk, RecordsError};
use crate::web::record::{Names, value};
use crate::web::{Flash, PageError, Posted, Visit, Web, parts, words};

/// How many pairs stand on one page.
const PAIRS_SHOWN: usize = 25;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/people/duplicates", get(show).post(merge))
}

/// Two cards beside each other.
struct Pair {
    cards: [Card; 2],
    why: Vec<&'static str>,
}

struct Card {
    id: String,
    fields: Object,
    names: Names,
}

async fn show(visit: Visit) -> Result<Response, PageError> {
    let (all, pairs) = visit.work(pairs).await?;
    let body = html! {
        (parts::back("/people", "People"))
        h1 { "Likely the same person" }
        p.lead {
            @if all == 0 { "No two cards look like one person." } @else {
                (words::counted(all as u64, "pair of cards looks", "pairs of cards look")) " like one person."
            }
        }
        @if all > 0 {
            p { "Keep one card of each pair: it then stands wherever the other stood, and the other is erased. \
                 If they are two people, leave both." }
        }
        @for pair in &pairs { (pair.body(visit.csrf())) }
        @if all > pairs.len() { p.soft { "The " (pairs.len()) " likeliest are shown first." } }
    };
    Ok(visit.page("Likely the same person", &body))
}

fn pairs(desk: &Desk) -> Result<(usize, Vec<Pair>), RecordsError> {
    let likely = desk.duplicates()?;
    let pairs = likely.iter().take(PAIRS_SHOWN).map(|likely| {
        Ok(Pair {
            cards: [Card::of(desk, &likely.a)?, Card::of(desk, &likely.b)?],
            why: likely.why.clone(),
        })
    });
    let pairs = pairs.collect::<Result<Vec<_>, RecordsError>>()?;
    Ok((likely.len(), pairs))
}

impl Card {
    fn of(desk: &Desk, id: &str) -> Result<Self, RecordsError> {
        let fields = desk.show(id, "")?.fields;
        let fields = fields.as_object().cloned().unwrap_or_default();
        let names = Names::of(desk, &node_domain::PERSON, &fields)?;
        Ok(Self {
            id: id.to_owned(),
            fields,
            names,
        })
    }

    fn name(&self) -> &str {
        self.fields
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn rows(&self) -> Vec<parts::SummaryRow> {
        let fields = node_domain::PERSON.fields.iter();
        let rows = fields.filter_map(|field| {
            let content = self.fields.get(field.name)?;
            let empty = content.is_null() || content.as_str() == Some("");
            (!empty)
                .then(|| parts::SummaryRow::new(field.label, value(field, content, &self.names)))
        });
        rows.collect()
    }
}

impl Pair {
    fn body(&self, csrf: &str) -> Markup {
        let why = self
            .why
            .iter()
            .map(|why| (*why).to_owned())
            .collect::<Vec<_>>();
        let [one, other] = &self.cards;
        html! {
            h2 { (one.name()) " and " (other.name()) }
            p { (words::capital(&words::listed(&why))) "." }
            div.beside {
                @for (keep, drop) in [(one, other), (other, one)] {
                    section.card {
                        h3 { (keep.name()) }
                        (parts::summary_list(&keep.rows()))
                        (parts::form("/people/duplicates", csrf, &html! {
                            input type="hidden" name="keep" value=(keep.id);
                            input type="hidden" name="other" value=(drop.id);
                            button.button.button-plain type="submit" { "Keep this card of " (keep.name()) }
                        }))
                    }
                }
            }
        }
    }
}

async fn merge(visit: Visit, Posted(form): Posted) -> Result<Response, PageError> {
    let (keep, other) = (form.get("keep").to_owned(), form.get("other").to_owned());
    let merged = visit
        .work(move |desk| desk.merge_people(&keep, &other))
        .await?;
    let mut flash = Flash::done(format!(
        "One card now. {} it.",
        words::counted(merged.records as u64, "record names", "records name")
    ));
    if !merged.left.is_empty() {
        flash = flash.more(
            merged
                .left
                .iter()
                .map(|left| format!("The other card is still named in {left}")),
        );
    }
    visit.tell(flash);
    Ok(Redirect::to("/people/duplicates").into_response())
}
