//! A thread of the forum: what is asked, what hubs say, and what they answer together.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use node_domain::{FORUM_THREAD, FieldChange, Object, Problem};
use serde_json::{Value, json};

use super::edit::status_of;
use crate::records::Desk;
use crate::web::record::{
    Editing, Opened, Saving, about, added_by, adds, draft_of, form as kept_form, save, state_tag,
};
use crate::web::{Flash, Form, PageError, Posted, Visit, Web, parts, words};

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
    /// The name of the draft of a post in the browser.
    draft: Option<String>,
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
    page(&visit, id, None, &[]).await
}

/// The thread; with what was typed into a post that could not be saved.
async fn page(
    visit: &Visit,
    id: String,
    typed: Option<&Form>,
    problems: &[Problem],
) -> Result<Response, PageError> {
    let thread = visit.work(move |desk| Thread::of(desk, &id)).await?;
    let body = thread.body(visit, typed, problems);
    let status = status_of(false, problems);
    Ok((status, visit.page(&thread.record.title(), &body)).into_response())
}

async fn write(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let path = format!("/forum-threads/{id}");
    let said = form.get("text").to_owned();
    if said.is_empty() {
        let problem = Problem {
            field: "text".to_owned(),
            message: "Write something first: nothing was posted".to_owned(),
        };
        return page(&visit, id, Some(&form), &[problem]).await;
    }
    let of_thread = id.clone();
    let (thread, today) = visit
        .work(move |desk| Ok::<_, PageError>((open(desk, &of_thread)?.id, desk.today())))
        .await?;
    let values = [("text", said), ("on", today)];
    let values = values.map(|(name, value)| (name.to_owned(), Value::from(value)));
    let editing = Editing {
        id: thread,
        // A post stands beside all others, whatever came since the page was made.
        heads: String::new(),
        changes: vec![FieldChange::Add {
            field: "posts".to_owned(),
            after: None,
            id: Some(added_by(&form)),
            values: values.into_iter().collect(),
        }],
    };
    match save(&visit, editing).await? {
        Saving::Done(saved) => {
            let draft = format!("{path}/post");
            saved.tell_that(&visit, "Posted, in the name of this hub.", &draft, &path);
            Ok(Redirect::to(&path).into_response())
        }
        Saving::Wrong(problems) => page(&visit, id, Some(&form), &problems).await,
        Saving::TooOld => page(&visit, id, Some(&form), &[]).await,
    }
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
    fn of(desk: &Desk, id: &str) -> Result<Self, PageError> {
        let record = open(desk, id)?;
        let posts = record.items("posts").into_iter();
        let codes = posts.map(|post| text(post, "hub").to_owned());
        let codes = codes.chain(endorsed_by(&record)).collect::<Vec<_>>();
        let hubs = codes
            .into_iter()
            .map(|code| (code.clone(), desk.hub_name(&code)));
        let list = FORUM_THREAD.field("posts").into_iter();
        let fields = list.flat_map(|list| list.items().unwrap_or_default());
        let draft = draft_of(
            desk,
            &format!("{}/post", record.path()),
            &fields.collect::<Vec<_>>(),
        )?;
        Ok(Self {
            hubs: hubs.collect(),
            own: desk.own_hub(),
            today: desk.today(),
            draft,
            record,
        })
    }

    fn hub(&self, code: &str) -> String {
        self.hubs.get(code).cloned().unwrap_or_default()
    }

    fn writes(&self, name: &str) -> bool {
        let field = self.record.kind.field(name);
        field.is_some_and(|field| self.record.writes(field))
    }

    fn body(&self, visit: &Visit, typed: Option<&Form>, problems: &[Problem]) -> Markup {
        let record = &self.record;
        let path = record.path();
        let state = record.value("state").as_str().unwrap_or_default();
        let asked = record.words("asked_by");
        html! {
            (parts::back("/forum-threads", "Forum"))
            (parts::error_summary(problems))
            p.caption { "Forum" @if !state.is_empty() { " " (state_tag(state)) } }
            h1 { (record.title()) }
            p.lead { (self.in_short(&asked)) }
            (about(record, &format!("{path}/marks")))
            @if let Some(question) = record.value("question").as_str().filter(|it| !it.is_empty()) {
                h2 { "The question" }
                (parts::paragraphs(question))
            }
            (self.position(visit.csrf()))
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
                (self.post(visit, typed, problems))
            }
            p { a href={ (path) "/all" } { "Every part of the thread, and its positions sent" } " · "
                a href={ (path) "/history" } { "What was changed when" } }
        }
    }

    fn post(&self, visit: &Visit, typed: Option<&Form>, problems: &[Problem]) -> Markup {
        let text = typed.map_or("", |form| form.get("text"));
        let problem = problems.iter().find(|it| it.field.ends_with("text"));
        let problem = problem.map(|it| it.message.as_str());
        let help = "Every hub lead reads it. It stands here in the name of this hub.";
        let inner = html! {
            (adds(typed))
            (parts::text_area("text", "Your post", help, text, problem))
            (parts::button("Post"))
        };
        let action = format!("{}/post", self.record.path());
        kept_form(visit, &action, self.draft.as_deref(), "", &inner)
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
