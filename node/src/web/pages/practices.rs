//! The practice library: what works, for whom, and proven where?

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use node_domain::{Object, Offer, PRACTICE};
use node_feed::SpaceKind;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::records::{Desk, Find, RecordsError, is};
use crate::web::record::{Opened, about, changed, record_path, state_tag};
use crate::web::{Flash, PageError, Posted, Visit, Web, parts, url_query, words};

/// Held while a use is counted, from looking at the count on.
static COUNTING: Mutex<()> = Mutex::new(());
/// How many practices stand on one page.
const PAGE: u64 = 15;
const PHASES: &[&str] = &["early years", "primary", "secondary", "post-16", "all"];
const STATES: &[&str] = &[
    "recommended",
    "tested",
    "captured",
    "trial",
    "idea",
    "retired",
];

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/practices", get(library))
        .route("/practices/{id}", get(show))
        .route("/practices/{id}/use", post(use_here))
        .route("/practices/{id}/used", post(used))
        .route("/practices/{id}/offers", post(take))
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: u64,
}

/// A practice with what people ask of it first.
struct Told {
    record: Opened,
    /// The title of what it was made from.
    made_from: String,
    hubs: BTreeMap<String, String>,
}

fn text<'a>(item: &'a Object, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn uses(record: &Opened) -> u64 {
    record.value("uses").as_u64().unwrap_or_default()
}

fn open(desk: &Desk, id: &str) -> Result<Opened, PageError> {
    let record = Opened::open(desk, id)?;
    if *record.kind == PRACTICE {
        Ok(record)
    } else {
        Err(PageError::redirect(record.path()))
    }
}

async fn library(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let wanted = asked.clone();
    let (total, all, told, creates) = visit
        .work(move |desk| {
            let mut filters = Vec::new();
            if PHASES.contains(&wanted.phase.as_str()) {
                filters.push(is("phase", &wanted.phase));
            }
            if STATES.contains(&wanted.state.as_str()) {
                filters.push(is("state", &wanted.state));
            }
            let find = Find {
                kind: PRACTICE.name.to_owned(),
                words: wanted.q.clone(),
                filters,
                sort: vec!["-uses".to_owned(), "title".to_owned()],
                offset: wanted.page.max(1).saturating_sub(1).saturating_mul(PAGE),
                limit: PAGE,
                ..Find::default()
            };
            let found = desk.find(&find)?;
            let all = Find {
                kind: PRACTICE.name.to_owned(),
                limit: 1,
                ..Find::default()
            };
            let all = desk.find(&all)?.total;
            let mut told = Vec::new();
            for record in found.records {
                told.push(Told::of(desk, open(desk, &record.id.to_string())?)?);
            }
            Ok::<_, PageError>((found.total, all, told, desk.creates(PRACTICE.name)))
        })
        .await?;
    let narrowed = !(asked.q.is_empty() && asked.phase.is_empty() && asked.state.is_empty());
    let query = [
        ("q", &asked.q),
        ("phase", &asked.phase),
        ("state", &asked.state),
    ];
    let query = query.iter().filter(|(_, value)| !value.is_empty());
    let query = query.map(|(name, value)| url_query(name, value));
    let query = query.collect::<Vec<_>>().join("&");
    let count = words::counted(total, "practice", "practices");
    let body = html! {
        h1 { "What works" }
        p.lead {
            @if narrowed { (count) " of " (words::number(all)) " found." }
            @else { (count) " from this hub and others; the most used first." }
        }
        @if creates { p { a.button href="/practices/new" { "Write a practice down" } } }
        (search(&asked, narrowed))
        @if told.is_empty() {
            (parts::empty("No practice is what you asked for. Use other words, or take a filter away."))
        }
        @for it in &told { (it.card()) }
        (parts::pagination("/practices", &query, asked.page.max(1), total.div_ceil(PAGE).max(1)))
    };
    Ok(visit.page("What works", &body))
}

fn search(asked: &Asked, narrowed: bool) -> Markup {
    let choices = |all: &[&str]| {
        let any = std::iter::once((String::new(), "Any".to_owned()));
        let each = all.iter().map(|it| ((*it).to_owned(), words::capital(it)));
        any.chain(each).collect::<Vec<_>>()
    };
    html! {
        form.filters action="/practices" method="get" role="search" aria-label="Search the practices" {
            div.inline-fields {
                (parts::typed_input("search", "q", "Words", "", &asked.q, None))
                (parts::select("phase", "For", "", &choices(PHASES), &asked.phase, None))
                (parts::select("state", "How far", "", &choices(STATES), &asked.state, None))
                div.field {
                    button.button.button-plain type="submit" { "Search" }
                    @if narrowed { " " a href="/practices" { "Show all" } }
                }
            }
        }
    }
}

impl Told {
    fn of(desk: &Desk, record: Opened) -> Result<Self, RecordsError> {
        let original = record.value("fork_of").as_str().unwrap_or_default();
        let made_from = if original.is_empty() {
            String::new()
        } else {
            desk.title_of(&[original])?
                .remove(original)
                .unwrap_or_default()
        };
        let mut codes = vec![
            record
                .value("first_made_by")
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        ];
        for list in ["adoptions", "ratings"] {
            codes.extend(
                record
                    .items(list)
                    .iter()
                    .map(|it| text(it, "hub").to_owned()),
            );
        }
        let codes = codes.into_iter().filter(|code| !code.is_empty());
        let hubs = codes.map(|code| (code.clone(), desk.hub_name(&code)));
        Ok(Self {
            made_from,
            hubs: hubs.collect(),
            record,
        })
    }

    fn hub(&self, code: &str) -> String {
        self.hubs.get(code).cloned().unwrap_or_default()
    }

    /// Where it comes from, as a sentence; empty if it was made here.
    fn origin(&self) -> String {
        let first = self.record.value("first_made_by").as_str();
        let first = self.hub(first.unwrap_or_default());
        let is_fork = !self.record.value("fork_of").is_null();
        match (is_fork, self.made_from.as_str(), first.as_str()) {
            (true, "", "") => "Adapted from another practice".to_owned(),
            (true, "", hub) => format!("Adapted from a practice of {hub}"),
            (true, title, "") => format!("Adapted from “{title}”"),
            (true, title, hub) => format!("Adapted from “{title}” of {hub}"),
            (false, _, "") => String::new(),
            (false, _, hub) => format!("First made by {hub}"),
        }
    }

    fn proven(&self) -> String {
        let adoptions = self.record.items("adoptions");
        let with = adoptions.iter().filter(|it| !text(it, "result").is_empty());
        let with = with.count() as u64;
        if adoptions.is_empty() {
            return "Not taken up by another hub yet".to_owned();
        }
        format!(
            "Taken up {}, {with} with a result",
            words::counted(adoptions.len() as u64, "time", "times")
        )
    }

    fn rated(&self) -> String {
        let ratings = self.record.items("ratings");
        let stars = ratings.iter().filter_map(|it| it.get("rating")?.as_u64());
        let stars = stars.collect::<Vec<_>>();
        if stars.is_empty() {
            return "Not rated yet".to_owned();
        }
        let count = stars.len() as u64;
        let tenths = stars.iter().sum::<u64>() * 10 / count;
        format!(
            "{}.{} of 5 from {}",
            tenths / 10,
            tenths % 10,
            words::counted(count, "rating", "ratings")
        )
    }

    fn used(&self) -> String {
        format!(
            "used {}",
            words::counted(uses(&self.record), "time", "times")
        )
    }

    fn place(&self) -> &'static str {
        let space = self.record.space.as_ref();
        space.map_or("", |space| match space.kind {
            SpaceKind::Hub => "In this hub alone",
            SpaceKind::Project => "Shared with a project",
            SpaceKind::Network => "Shared with every hub",
            SpaceKind::Pair => "Shared with NCETM",
            SpaceKind::Forum => "In the forum",
        })
    }

    fn tags(&self) -> Markup {
        let state = self.record.value("state").as_str().unwrap_or_default();
        let phase = self.record.value("phase").as_str().unwrap_or_default();
        html! {
            @if !state.is_empty() { (state_tag(state)) " " }
            @if !phase.is_empty() { (parts::tag(phase, parts::Tone::Plain)) }
        }
    }

    fn card(&self) -> Markup {
        let origin = self.origin();
        html! {
            article.card data-practice {
                h2 { a href=(self.record.path()) { (self.record.title()) } }
                p { (self.tags()) }
                @if !origin.is_empty() { p data-origin { (origin) "." } }
                p { (self.proven()) "; " (self.used()) ". " (self.rated()) "." }
                ul data-adoptions {
                    @for adoption in self.record.items("adoptions").iter().rev().take(3) {
                        li {
                            (self.hub(text(adoption, "hub"))) ": "
                            @if text(adoption, "result").is_empty() { "no result yet" }
                            @else { (text(adoption, "result")) }
                        }
                    }
                }
                p.soft { (self.place()) }
            }
        }
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let (told, offers, forks) = visit
        .work(move |desk| {
            let told = Told::of(desk, open(desk, &id)?)?;
            let is_fork = !told.record.value("fork_of").is_null();
            // The original may be gone, or out of reach by now: then it offers nothing.
            let offers = if is_fork && told.record.access.own {
                match desk.offers(&id) {
                    Ok(offers) => offers,
                    Err(RecordsError::Role(_) | RecordsError::Missing(_)) => Vec::new(),
                    Err(error) => return Err(error.into()),
                }
            } else {
                Vec::new()
            };
            Ok::<_, PageError>((told, offers, desk.creates(PRACTICE.name)))
        })
        .await?;
    let body = practice(&told, &offers, forks, visit.csrf());
    Ok(visit.page(&told.record.title(), &body))
}

fn practice(told: &Told, offers: &[Offer], forks: bool, csrf: &str) -> Markup {
    let record = &told.record;
    let path = record.path();
    let origin = told.origin();
    let phase = record.words("phase");
    let adds = |list: &str| {
        let field = record.kind.field(list);
        field.is_some_and(|field| record.writes_items(field))
    };
    let counts = record.kind.field("uses");
    let counts = counts.is_some_and(|field| record.writes(field));
    let heads = [("Hub", false), ("Where and how", false), ("Result", false)];
    let rows = record.items("adoptions").into_iter().rev().map(|it| {
        let result = text(it, "result");
        vec![
            html! { (told.hub(text(it, "hub"))) },
            html! { (text(it, "context")) },
            html! { @if result.is_empty() { "None yet" } @else { (result) } },
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    html! {
        (parts::back("/practices", "What works"))
        p.caption { "Practice " (told.tags()) }
        h1 { (record.title()) }
        p.lead {
            @if !phase.is_empty() { "For " (phase.to_lowercase()) ". " }
            (told.proven()) "."
        }
        @if !origin.is_empty() { p #origin { (origin) "." } }
        (about(record, &format!("{path}/marks")))
        h2 { "What to do, and why" }
        @match record.value("body").as_str().unwrap_or_default() {
            "" => (parts::empty("Nothing is written down yet.")),
            body => (parts::paragraphs(body)),
        }
        @if record.access.own {
            p { a href={ (path) "/change/practice" } { "Change this practice" } }
        } @else if forks {
            (parts::form(&format!("{path}/use"), csrf, &html! {
                div.buttons { (parts::button("Use this in our hub")) }
                p.soft { "Makes a copy that this hub adapts. It says where it comes from, and you are offered what changes in the original." }
            }))
        }
        @if !offers.is_empty() { (offered(&path, offers, csrf)) }
        h2 { "Proven where" }
        @if rows.is_empty() { (parts::empty("No hub has said yet how it went.")) }
        @else { div #adoptions { (parts::table("Hubs that took it up", &heads, &rows)) } }
        @if adds("adoptions") { p { a href={ (path) "/items/adoptions/new" } { "Say how it went in our hub" } } }
        h2 { "Use and ratings" }
        p { (words::capital(&told.used())) ". " (told.rated()) "." }
        @if counts {
            (parts::form(&format!("{path}/used"), csrf, &html! {
                input type="hidden" name="stood" value=(uses(record));
                button.button.button-plain type="submit" { "We used this" }
            }))
        }
        @if adds("ratings") { p { a href={ (path) "/items/ratings/new" } { "Rate it" } } }
        p { a href={ (path) "/all" } { "Every part of the practice" } " · "
            a href={ (path) "/history" } { "What was changed when" } }
    }
}

/// What changed in the original since, one by one.
fn offered(path: &str, offers: &[Offer], csrf: &str) -> Markup {
    let said = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(all) => {
            let all = all
                .iter()
                .map(|it| it.as_str().unwrap_or_default().to_owned());
            words::listed(&all.collect::<Vec<_>>())
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    let number = |index: usize| {
        let before = offers[..index].iter();
        1 + before.filter(|it| it.field == offers[index].field).count()
    };
    html! {
        h2 #offers { "New in the original" }
        p { "Take over what suits this hub; the rest stays as it is." }
        @for (index, offer) in offers.iter().enumerate() {
            div.card data-offer=(offer.field) {
                h3 { (offer.label) }
                p.wrapped { (changed(&said(&offer.then), &said(&offer.now))) }
                @if offer.mine != offer.then {
                    p.soft { "Here it says: " (said(&offer.mine)) }
                }
                (parts::form(&format!("{path}/offers"), csrf, &html! {
                    input type="hidden" name="field" value=(offer.field);
                    input type="hidden" name="number" value=(number(index));
                    input type="hidden" name="now" value=(offer.now);
                    button.button.button-plain type="submit" { "Take this over" }
                }))
            }
        }
    }
}

async fn use_here(
    visit: Visit,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Result<Response, PageError> {
    let made = visit.work(move |desk| desk.fork(&id)).await?;
    visit.tell(Flash::done(
        "This is the copy of this hub: adapt it as you like. It stays in the hub until you share it.",
    ));
    let path = record_path(&PRACTICE, &made.id.to_string());
    Ok(Redirect::to(&path).into_response())
}

async fn used(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let back = record_path(&PRACTICE, &id);
    let stood = form.get("stood").to_owned();
    let json = json!([{ "do": "count", "field": "uses", "by": 1 }]).to_string();
    let counted = visit
        .work(move |desk| {
            // Two counts are two uses: whoever pressed twice, or on an old page, is asked first.
            let _one = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
            let uses = uses(&open(desk, &id)?).to_string();
            if !stood.is_empty() && stood != uses {
                return Ok(Err(uses));
            }
            desk.edit(&id, "", &json)?;
            Ok::<_, PageError>(Ok(()))
        })
        .await?;
    visit.tell(match counted {
        Ok(()) => Flash::done("Counted: one use more."),
        Err(uses) => Flash::warning(format!(
            "Not counted again: the count has become {uses} since your page was made. If your own \
             use is not among them, count it now."
        )),
    });
    Ok(Redirect::to(&back).into_response())
}

async fn take(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let back = format!("{}#offers", record_path(&PRACTICE, &id));
    let field = form.get("field").to_owned();
    let number = form.get("number").parse::<u32>().unwrap_or_default();
    let shown = form.get("now").to_owned();
    let taken = visit
        .work(move |desk| {
            open(desk, &id)?;
            let offers = desk.offers(&id)?.into_iter();
            let mut offers = offers.filter(|offer| offer.field == field);
            let index = (number as usize).checked_sub(1);
            let offer = index.and_then(|index| offers.nth(index));
            // Only what was read is taken over: the original may have moved on meanwhile.
            if offer.is_none_or(|offer| offer.now.to_string().trim() != shown) {
                return Ok(false);
            }
            desk.take_offer(&id, &field, number)?;
            Ok::<_, PageError>(true)
        })
        .await?;
    visit.tell(if taken {
        Flash::done("Taken over.")
    } else {
        Flash::warning(
            "The original has changed since you looked, so nothing was taken over. Look again.",
        )
    });
    Ok(Redirect::to(&back).into_response())
}
