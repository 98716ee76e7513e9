//! Cards that are likely the same person: which to keep?

use axum::Router;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{Object, PERSON};
use serde::Deserialize;
use serde_json::Value;

use crate::records::{Desk, RecordsError};
use crate::web::record::{Names, value};
use crate::web::{Flash, PageError, Posted, Visit, Web, parts, words};

/// How many pairs stand on one page.
const PAIRS_SHOWN: usize = 12;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/people/duplicates", get(show))
        .route("/people/duplicates/merge", get(ask).post(merge))
}

/// Two cards beside each other.
struct Pair {
    cards: [Card; 2],
    why: Vec<&'static str>,
}

struct Card {
    id: String,
    /// What it was read at.
    heads: String,
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
        @for pair in &pairs { (pair.body()) }
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
        let shown = desk.show(id, "")?;
        let fields = shown.fields.as_object().cloned().unwrap_or_default();
        let names = Names::of(desk, &PERSON, &fields)?;
        Ok(Self {
            id: id.to_owned(),
            heads: shown.heads,
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
        rows(&self.fields, &self.names)
    }
}

fn rows(fields: &Object, names: &Names) -> Vec<parts::SummaryRow> {
    let rows = PERSON.fields.iter().filter_map(|field| {
        let content = fields.get(field.name)?;
        let empty = content.is_null() || content.as_str() == Some("");
        (!empty).then(|| parts::SummaryRow::new(field.label, value(field, content, names)))
    });
    rows.collect()
}

impl Pair {
    fn body(&self) -> Markup {
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
                        form action="/people/duplicates/merge" method="get" {
                            input type="hidden" name="keep" value=(keep.id);
                            input type="hidden" name="other" value=(drop.id);
                            button.button.button-plain type="submit" { "Keep this card of " (keep.name()) }
                        }
                    }
                }
            }
        }
    }
}

/// Of two cards, which is kept.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    keep: String,
    #[serde(default)]
    other: String,
}

/// `GET /people/duplicates/merge`: what one card of the two would say, before it is made.
async fn ask(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let (keep, other, made) = visit
        .work(move |desk| {
            desk.check_merge(&asked.keep, &asked.other)?;
            let (keep, other) = (Card::of(desk, &asked.keep)?, Card::of(desk, &asked.other)?);
            let made = node_domain::merged(&keep.fields, &other.fields);
            let names = Names::of(desk, &PERSON, &made)?;
            Ok::<_, RecordsError>((keep, other, rows(&made, &names)))
        })
        .await?;
    let form = html! {
        input type="hidden" name="keep" value=(keep.id);
        input type="hidden" name="other" value=(other.id);
        input type="hidden" name="shown" value=(shown(&keep, &other));
        div.buttons {
            button.button.button-warning type="submit" { "Make them one card" }
            a href="/people/duplicates" { "Leave both" }
        }
    };
    let body = html! {
        (parts::back("/people/duplicates", "Likely the same person"))
        h1 { "Make one card of two?" }
        p.lead { "One card is left then. It says:" }
        (parts::summary_list(&made))
        p {
            "Every record of this hub that names the other card names this one instead. The other "
            "card, " strong { (other.name()) } ", is erased: this cannot be undone."
        }
        h2 { "The card that is erased" }
        (parts::summary_list(&other.rows()))
        (parts::form("/people/duplicates/merge", visit.csrf(), &form))
    };
    Ok(visit.page("Make one card of two?", &body))
}

/// What was shown of two cards.
fn shown(keep: &Card, other: &Card) -> String {
    format!("{} {}", keep.heads, other.heads)
}

async fn merge(visit: Visit, Posted(form): Posted) -> Result<Response, PageError> {
    let (keep, other) = (form.get("keep").to_owned(), form.get("other").to_owned());
    let seen = form.get("shown").to_owned();
    let merged = visit
        .work(move |desk| {
            let cards = (Card::of(desk, &keep)?, Card::of(desk, &other)?);
            // What is erased is what was read.
            if seen != shown(&cards.0, &cards.1) {
                return Ok(None);
            }
            desk.merge_people(&keep, &other).map(Some)
        })
        .await?;
    let Some(merged) = merged else {
        visit.tell(Flash::warning(
            "One of the cards was changed since you looked, so both were left. Look again.",
        ));
        return Ok(Redirect::to("/people/duplicates").into_response());
    };
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
