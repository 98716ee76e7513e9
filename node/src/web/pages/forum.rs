//! A thread of the forum: what is asked, what hubs say, and what they answer together.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use node_domain::{FORUM_THREAD, Object};
use serde_json::{Value, json};

use crate::records::Desk;
use crate::web::record::{Opened, about, state_tag};
use crate::web::{Flash, PageError, Posted, Visit, Web, parts, words};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/forum-threads/{id}", get(show))
        .route("/forum-threads/{id}/post", post(write))
        .route("/forum-threads/{id}/endorse", post(endorse))
}

struct Thread {
    record: Opened,
    own: String,
    today: String,
    hubs: BTreeMap<String, String>,
}

fn text<'a>(item: &'a Object, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn open(desk: &Desk, id: &str) -> Result<Opened, PageError> {
    let record = Opened::open(desk, id)?;
    if *record.kind == FORUM_THREAD {
        Ok(record)
    } else {
        Err(PageError::redirect(record.path()))
    }
}

fn endorsed_by(record: &Opened) -> Vec<String> {
    let all = record.value("endorsements").as_array();
    let all = all.into_iter().flatten().filter_map(Value::as_str);
    all.map(str::to_owned).collect()
}

async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let thread = visit
        .work(move |desk| {
            let record = open(desk, &id)?;
            let posts = record.items("posts").into_iter();
            let codes = posts.map(|post| text(post, "hub").to_owned());
            let codes = codes.chain(endorsed_by(&record)).collect::<Vec<_>>();
            let hubs = codes
                .into_iter()
                .map(|code| (code.clone(), desk.hub_name(&code)));
            Ok::<_, PageError>(Thread {
                hubs: hubs.collect(),
                own: desk.own_hub(),
                today: desk.today(),
                record,
            })
        })
        .await?;
    let body = thread.body(visit.csrf());
    Ok(visit.page(&thread.record.title(), &body))
}

async fn write(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let back = format!("/forum-threads/{id}");
    let said = form.get("text").to_owned();
    if said.is_empty() {
        visit.tell(Flash::warning("Nothing was posted: write something first."));
        return Ok(Redirect::to(&back).into_response());
    }
    visit
        .work(move |desk| {
            open(desk, &id)?;
            let values = json!({ "text": said, "on": desk.today() });
            let json = json!([{ "do": "add", "field": "posts", "values": values }]);
            desk.edit(&id, "", &json.to_string())
                .map_err(PageError::from)
        })
        .await?;
    visit.tell(Flash::done("Posted, in the name of this hub."));
    Ok(Redirect::to(&back).into_response())
}

async fn endorse(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let back = format!("/forum-threads/{id}");
    let takes_back = form.has("back");
    let heads = form.get("heads").to_owned();
    visit
        .work(move |desk| {
            open(desk, &id)?;
            let verb = if takes_back { "exclude" } else { "include" };
            let own = desk.own_hub();
            // At the heads that were shown: exactly the text that was read is endorsed.
            let json = json!([{ "do": verb, "field": "endorsements", "element": own }]);
            desk.edit(&id, &heads, &json.to_string())
                .map_err(PageError::from)
        })
        .await?;
    visit.tell(Flash::done(if takes_back {
        "This hub no longer endorses the position."
    } else {
        "This hub endorses the position as it stood when you read it."
    }));
    Ok(Redirect::to(&back).into_response())
}

impl Thread {
    fn hub(&self, code: &str) -> String {
        self.hubs.get(code).cloned().unwrap_or_default()
    }

    fn writes(&self, name: &str) -> bool {
        let field = self.record.kind.field(name);
        field.is_some_and(|field| self.record.writes(field))
    }

    fn body(&self, csrf: &str) -> Markup {
        let record = &self.record;
        let path = record.path();
        let state = record.value("state").as_str().unwrap_or_default();
        let asked = record.words("asked_by");
        html! {
            (parts::back("/forum-threads", "Forum"))
            p.caption { "Forum" @if !state.is_empty() { " " (state_tag(state)) } }
            h1 { (record.title()) }
            p.lead { (self.in_short(&asked)) }
            (about(record, &format!("{path}/marks")))
            @if let Some(question) = record.value("question").as_str().filter(|it| !it.is_empty()) {
                h2 { "The question" }
                (parts::paragraphs(question))
            }
            (self.position(csrf))
            h2 #posts { "What hubs say" }
            @if record.items("posts").is_empty() { (parts::empty("Nobody has written anything yet.")) }
            @for post in record.items("posts") {
                article.inset data-post {
                    p.soft {
                        strong { (self.hub(text(post, "hub"))) }
                        @if !text(post, "on").is_empty() { " · " (words::day(text(post, "on"))) }
                    }
                    (parts::paragraphs(text(post, "text")))
                }
            }
            @if self.writes("posts") {
                (parts::form(&format!("{path}/post"), csrf, &html! {
                    (parts::text_area("text", "Your post", "Every hub lead reads it. It stands here in the name of this hub.", "", None))
                    (parts::button("Post"))
                }))
            }
            p { a href={ (path) "/all" } { "Every part of the thread, and its positions sent" } " · "
                a href={ (path) "/history" } { "What was changed when" } }
        }
    }

    fn in_short(&self, asked: &str) -> String {
        let posts = self.record.items("posts").len() as u64;
        let mut sentence = words::counted(posts, "post", "posts");
        if !asked.is_empty() {
            sentence = format!("Asked by {asked}; {sentence}");
        }
        let due = self.record.value("due").as_str().unwrap_or_default();
        if due.is_empty() {
            return format!("{sentence}.");
        }
        let late = if due < self.today.as_str() {
            "was"
        } else {
            "is"
        };
        format!("{sentence}. An answer {late} due on {}.", words::day(due))
    }

    fn position(&self, csrf: &str) -> Markup {
        let record = &self.record;
        let path = record.path();
        let position = record.value("position").as_str().unwrap_or_default();
        let endorsed = endorsed_by(record);
        let names = endorsed.iter().map(|code| self.hub(code));
        let names = names.collect::<Vec<_>>();
        let ours = endorsed.contains(&self.own);
        html! {
            h2 #position { "Joint position" }
            @if position.is_empty() { (parts::empty("No joint position has been drafted yet.")) }
            @else {
                div.card { (parts::paragraphs(position)) }
                p #endorsed {
                    @if names.is_empty() { "No hub endorses it yet." }
                    @else { (words::listed(&names)) " put their names to it. "
                        "Only those who read exactly this text are counted when it is sent." }
                }
                @if self.writes("endorsements") && !self.own.is_empty() {
                    (parts::form(&format!("{path}/endorse"), csrf, &html! {
                        input type="hidden" name="heads" value=(record.heads);
                        div.buttons {
                            button.button type="submit" {
                                @if ours { "Endorse this text again" } @else { "Endorse this text" }
                            }
                            @if ours {
                                button.button.button-plain type="submit" name="back" value="yes" { "Take our name back" }
                            }
                        }
                    }))
                }
            }
            @if self.writes("position") {
                p { a href={ (path) "/change/joint-position" } { "Write on the joint position" } " · "
                    a href={ (path) "/change/thread" } { "Change the state or the due date" } }
            }
        }
    }
}
