//! Share preview: what leaves, to whom? And what left so far.

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use node_domain::{Kind, Object, Problem, RecordError};
use node_feed::SpaceKind;
use serde::Deserialize;
use serde_json::Value;

use crate::records::{Desk, Published, RecordsError, SpaceChoice};
use crate::web::record::{Names, Opened, item_title, value};
use crate::web::{Flash, PageError, Posted, Visit, Web, parts, words};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/{slug}/{id}/share", get(preview).post(publish))
        .route("/{slug}/{id}/withdraw", post(withdraw))
        .route("/sharing", get(sharing))
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    with: String,
}

/// What the preview shows.
struct Preview {
    record: Opened,
    targets: Vec<SpaceChoice>,
    chosen: Option<Chosen>,
    left: Vec<Left>,
}

/// What would leave for one of the targets, or why nothing may.
struct Chosen {
    target: SpaceChoice,
    outcome: Result<Leaving, Stopped>,
}

struct Leaving {
    published: Published,
    kind: &'static Kind,
    names: Names,
    hubs: Vec<String>,
    stays: Vec<String>,
}

struct Stopped {
    sentence: String,
    problems: Vec<Problem>,
}

/// Something that left before, or was taken back.
struct Left {
    time_ms: u64,
    record: String,
    with: String,
    action: &'static str,
    fields: usize,
    readers: usize,
    why: String,
    space: String,
}

async fn preview(
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let preview = visit
        .work(move |desk| Preview::of(desk, &slug, &id, &asked.with))
        .await?;
    let body = preview.body(visit.csrf());
    Ok(visit.page("What leaves, to whom", &body))
}

async fn publish(
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let (with, digest) = (form.get("with").to_owned(), form.get("shown").to_owned());
    let back = format!(
        "/{slug}/{id}/share?{}",
        crate::web::url_query("with", &with)
    );
    let done = visit.work(move |desk| {
        kind_of(&slug)?;
        let published = desk.publish(&id, &with, &digest)?;
        let target = desk.space(&with)?;
        Ok::<_, PageError>((published, called(desk, &target)))
    });
    let flash = match done.await {
        Ok((published, called)) => Flash::done(format!(
            "Shared with {called}: {} can read it as soon as it has reached them.",
            words::counted(published.readers.len() as u64, "hub", "hubs")
        )),
        Err(error) if error.status() == axum::http::StatusCode::CONFLICT => Flash::warning(
            "The record has changed since you looked, so nothing was shared. Look at what would \
             leave now, and confirm again.",
        ),
        Err(error) => return Err(error),
    };
    visit.tell(flash);
    Ok(Redirect::to(&back).into_response())
}

async fn withdraw(
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let (with, why) = (form.get("with").to_owned(), form.get("why").to_owned());
    let back = format!("/{slug}/{id}/share");
    if why.is_empty() {
        visit.tell(Flash::warning(
            "Nothing was taken back: say why, so that whoever looks at it later understands.",
        ));
        return Ok(Redirect::to(&back).into_response());
    }
    visit
        .work(move |desk| {
            kind_of(&slug)?;
            desk.withdraw(&id, &with, &why).map_err(PageError::from)
        })
        .await?;
    visit.tell(Flash::done(
        "Taken back. The copy is erased at every hub as soon as this reaches it.",
    ));
    Ok(Redirect::to(&back).into_response())
}

async fn sharing(visit: Visit) -> Result<Response, PageError> {
    let (left, titles) = visit
        .work(|desk| {
            let left = left_of(desk, "")?;
            let ids = left.iter().map(|it| it.record.as_str()).collect::<Vec<_>>();
            let titles = desk.title_of(&ids)?;
            Ok::<_, RecordsError>((left, titles))
        })
        .await?;
    let rows = left.iter().rev().map(|it| {
        let title = titles
            .get(&it.record)
            .map_or("A record that is gone", String::as_str);
        let mut row = vec![html! { (title) }];
        row.extend(it.row());
        row
    });
    let rows = rows.collect::<Vec<_>>();
    let count = words::counted(rows.len() as u64, "time", "times");
    let body = html! {
        h1 { "What has been shared with whom" }
        p.lead { "Something left this hub, or was taken back, " (count) "." }
        @if rows.is_empty() {
            (parts::empty("Nothing has left this hub yet. What you share stands here afterwards, with \
                          the day and with whom."))
        } @else {
            (parts::table("Newest first", &[("What", false), ("When", false), ("With", false),
                ("What happened", false), ("Facts", true), ("Hubs", true)], &rows))
        }
    };
    Ok(visit.page("What has been shared with whom", &body))
}

impl Preview {
    fn of(desk: &Desk, slug: &str, id: &str, with: &str) -> Result<Self, PageError> {
        kind_of(slug)?;
        let record = Opened::open(desk, id)?;
        let targets = desk.share_targets(id)?;
        let chosen = match (targets.as_slice(), with) {
            ([one], "") => Some(one.clone()),
            (several, with) => several.iter().find(|it| it.id.to_string() == with).cloned(),
        };
        let chosen = chosen
            .map(|target| Chosen::of(desk, &record, target))
            .transpose()?;
        Ok(Self {
            record,
            targets,
            chosen,
            left: left_of(desk, id)?,
        })
    }

    fn body(&self, csrf: &str) -> Markup {
        let path = self.record.path();
        html! {
            (parts::back(&path, &self.record.title()))
            h1 { span.caption { (self.record.title()) } "What leaves, to whom" }
            @match (&self.chosen, self.targets.as_slice()) {
                (_, []) => {
                    p.lead { "There is nobody to share this with yet." }
                    p { "It stays in this hub. It can be shared once this hub takes part in a project \
                         whose data agreement lists facts of it." }
                }
                (None, targets) => {
                    form method="get" action={ (path) "/share" } {
                        (parts::radios("with", "Share it with", "You see exactly what leaves before \
                            anything does.", &choices(targets), "", None))
                        (parts::button("Show what would leave"))
                    }
                }
                (Some(chosen), _) => (chosen.body(&path, csrf)),
            }
            @if self.targets.len() > 1 && self.chosen.is_some() {
                p { a href={ (path) "/share" } { "Share it with somebody else" } }
            }
            (self.before(&path, csrf))
        }
    }

    /// What left so far, and how it is taken back.
    fn before(&self, path: &str, csrf: &str) -> Markup {
        let rows = self.left.iter().rev().map(Left::row).collect::<Vec<_>>();
        let stands = self.left.iter().rev().find(|it| it.action != "failed");
        let stands = stands.filter(|it| it.action != "taken back");
        html! {
            h2 { "Shared so far" }
            p #receipts data-count=(rows.len()) {
                @if rows.is_empty() { "It has not left this hub." } @else {
                    "It left, or was taken back, " (words::counted(rows.len() as u64, "time", "times")) "."
                }
            }
            @if !rows.is_empty() {
                (parts::table("Newest first", &[("When", false), ("With", false),
                    ("What happened", false), ("Facts", true), ("Hubs", true)], &rows))
            }
            @if let Some(stands) = stands {
                details {
                    summary { "Take it back" }
                    p { "The copy is erased at every hub that has it. What people read or wrote down \
                         meanwhile cannot be taken back." }
                    (parts::form(&format!("{path}/withdraw"), csrf, &html! {
                        input type="hidden" name="with" value=(stands.space);
                        (parts::text_input("why", "Why", "Stands in the record of what left.", "", None))
                        button.button.button-warning type="submit" { "Take back what was shared" }
                    }))
                }
            }
        }
    }
}

impl Chosen {
    fn of(desk: &Desk, record: &Opened, target: SpaceChoice) -> Result<Self, PageError> {
        let outcome = match desk.publish_preview(&record.id, &target.id.to_string()) {
            Ok(published) => Ok(Leaving::of(desk, record, &target, published)?),
            Err(RecordsError::Agreement(sentence) | RecordsError::Refused(sentence)) => {
                Err(Stopped {
                    sentence,
                    problems: Vec::new(),
                })
            }
            Err(RecordsError::Record(RecordError::Problems(problems))) => Err(Stopped {
                sentence: "Nothing leaves while a text holds what must stay in the hub.".to_owned(),
                problems,
            }),
            Err(other) => return Err(other.into()),
        };
        Ok(Self { target, outcome })
    }

    fn body(&self, path: &str, csrf: &str) -> Markup {
        let with = self.target.title.as_str();
        match &self.outcome {
            Ok(leaving) => leaving.body(&self.target, path, csrf),
            Err(stopped) => html! {
                p.lead { "Nothing can be shared with " (with) " as it stands." }
                div.note.note-warning role="alert" {
                    p.note-title { (stopped.sentence) }
                    @if !stopped.problems.is_empty() {
                        ul { @for problem in &stopped.problems { li { (problem.message) } } }
                    }
                }
                div.buttons {
                    a.button href=(path) { "Keep it in the hub" }
                    a href={ (path) "/all" } { "Change the record" }
                }
            },
        }
    }
}

impl Leaving {
    fn of(
        desk: &Desk,
        record: &Opened,
        target: &SpaceChoice,
        published: Published,
    ) -> Result<Self, PageError> {
        let steps = record.kind.publishing.iter();
        let mut steps = steps.filter(|step| step.stage.into == target.kind);
        let kind = steps.next().and_then(|step| node_domain::kind(step.to));
        let kind = kind.unwrap_or(record.kind);
        let leaves = published.leaves.as_object().cloned().unwrap_or_default();
        let names = Names::of(desk, kind, &leaves)?;
        let own = desk.own_hub();
        let readers = published.readers.iter().filter(|code| **code != own);
        let hubs = readers.map(|code| desk.hub_name(code)).collect();
        let stays = record.kind.fields.iter().filter(|field| {
            record.fields.contains_key(field.name) && !leaves.contains_key(field.name)
        });
        let stays = stays.map(|field| field.label.to_owned()).collect();
        Ok(Self {
            published,
            kind,
            names,
            hubs,
            stays,
        })
    }

    fn rows(&self) -> Vec<parts::SummaryRow> {
        let leaves = self.published.leaves.as_object();
        let fields = leaves.into_iter().flatten();
        let rows = fields.filter_map(|(name, content)| {
            // What ties the copy to its record is no fact that anybody reads.
            if name == "origin" || name == "copy_hash" {
                return None;
            }
            let Some(field) = self.kind.field(name) else {
                return Some(parts::SummaryRow::text(
                    "A fact",
                    "that only a newer version of Causeway knows",
                ));
            };
            let shown = match field.items() {
                None => value(field, content, &self.names),
                Some(inner) => {
                    let items = content.as_array().into_iter().flatten();
                    let items = items.filter_map(Value::as_object).collect::<Vec<&Object>>();
                    html! {
                        @if items.is_empty() { "None" } @else {
                            ul {
                                @for item in items {
                                    li {
                                        (item_title(inner, item, &self.names))
                                        @for field in inner {
                                            @if let Some(content) = item.get(field.name) {
                                                br;
                                                span.soft { (field.label) ": " }
                                                (value(field, content, &self.names))
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            };
            Some(parts::SummaryRow::new(field.label, shown))
        });
        rows.collect()
    }

    fn body(&self, target: &SpaceChoice, path: &str, csrf: &str) -> Markup {
        let rows = self.rows();
        let facts = words::counted(rows.len() as u64, "fact leaves", "facts leave");
        html! {
            p.lead { (facts) " this hub, for " (words::listed(&self.hubs)) "." }
            h2 { "Exactly this leaves" }
            (parts::summary_list(&rows))
            @if !self.stays.is_empty() {
                h2 { "This stays in the hub" }
                p { (words::listed(&self.stays)) "." }
            }
            (parts::form(&format!("{path}/share"), csrf, &html! {
                input type="hidden" name="with" value=(target.id);
                input type="hidden" name="shown" value=(self.published.digest);
                div.buttons {
                    (parts::button(&format!("Share with {}", target.title)))
                    a href=(path) { "Keep it in the hub" }
                }
            }))
        }
    }
}

impl Left {
    fn row(&self) -> Vec<Markup> {
        vec![
            html! { (words::moment(self.time_ms)) },
            html! { (self.with) },
            html! { (words::capital(self.action)) @if !self.why.is_empty() { ": " (self.why) } },
            html! { (self.fields) },
            html! { (self.readers) },
        ]
    }
}

fn left_of(desk: &Desk, id: &str) -> Result<Vec<Left>, RecordsError> {
    let told = desk.disclosures(id)?;
    let lines = told.as_array().into_iter().flatten();
    let lines = lines.map(|line| {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let length = |name: &str| line[name].as_array().map_or(0, Vec::len);
        let space = text("space");
        let with = desk.space(&space).map(|space| called(desk, &space));
        Left {
            time_ms: line["time_ms"].as_u64().unwrap_or_default(),
            record: text("record"),
            with: with.unwrap_or_else(|_| "hubs that we no longer share with".to_owned()),
            action: match line["action"].as_str() {
                Some("published") => "shared",
                Some("updated") => "brought up to date",
                Some("withdrawn") => "taken back",
                _ => "failed",
            },
            fields: length("fields"),
            readers: length("readers"),
            why: text("why"),
            space,
        }
    });
    Ok(lines.collect())
}

/// What people call those with whom a space is shared.
fn called(desk: &Desk, space: &SpaceChoice) -> String {
    match space.kind {
        SpaceKind::Network => "every hub".to_owned(),
        SpaceKind::Pair => {
            let own = desk.own_hub();
            let others = space.members.iter().filter(|code| **code != own);
            words::listed(&others.map(|code| desk.hub_name(code)).collect::<Vec<_>>())
        }
        SpaceKind::Hub | SpaceKind::Project | SpaceKind::Forum => space.title.clone(),
    }
}

fn choices(targets: &[SpaceChoice]) -> Vec<(String, String)> {
    let targets = targets.iter().map(|target| {
        let label = match target.kind {
            SpaceKind::Network => "Every hub".to_owned(),
            SpaceKind::Pair => "NCETM".to_owned(),
            SpaceKind::Hub | SpaceKind::Project | SpaceKind::Forum => {
                format!(
                    "{} ({})",
                    target.title,
                    words::counted(target.members.len() as u64, "hub", "hubs")
                )
            }
        };
        (target.id.to_string(), label)
    });
    targets.collect()
}

fn kind_of(slug: &str) -> Result<&'static Kind, PageError> {
    node_domain::kind_at(slug).ok_or_else(PageError::missing)
}
