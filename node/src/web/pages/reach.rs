//! Reach: which schools have we not met?

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use crate::records::Desk;
use crate::web::{PageError, Visit, Web, parts, url_query, words};

/// How many schools stand on one page.
const PAGE: usize = 100;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/reach", get(show))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    show: String,
    phase: String,
    area: String,
    page: u64,
}

/// A school of the area.
struct Line {
    name: String,
    phase: String,
    area: String,
    by: Vec<String>,
}

/// What the page says.
struct Reach {
    area: usize,
    reached: Vec<Line>,
    not_reached: Vec<Line>,
    unmatched: Vec<String>,
    elsewhere: Vec<String>,
    /// How many names match no school, where the role does not see the names.
    unmatched_count: u64,
}

async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let reach = visit.work(Reach::of).await?;
    Ok(visit.page("Schools that we have and have not met", &reach.body(&asked)))
}

impl Reach {
    fn of(desk: &Desk) -> Result<Self, crate::records::RecordsError> {
        let told = desk.report("reach", "", "")?;
        let names = |name: &str| {
            let list = told[name].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let list = |name: &str| told[name].as_array().cloned().unwrap_or_default();
        Ok(Self {
            area: told["area"]
                .as_u64()
                .map_or(0, |area| usize::try_from(area).unwrap_or(0)),
            reached: list("reached")
                .iter()
                .map(|it| Line::of(&it["school"], &it["by"]))
                .collect(),
            not_reached: list("not_reached")
                .iter()
                .map(|it| Line::of(it, &Value::Null))
                .collect(),
            unmatched: names("unmatched"),
            elsewhere: names("elsewhere"),
            unmatched_count: told["unmatched_count"].as_u64().unwrap_or_default(),
        })
    }

    fn body(&self, asked: &Asked) -> Markup {
        let (reached, not_reached) = (self.reached.len(), self.not_reached.len());
        html! {
            h1 { "Schools that we have and have not met" }
            @if self.area == 0 {
                p.lead { "No school of this hub's area is known here yet." }
                p { a href="/import" { "Import your schools" } ", or wait for the national register, which \
                    NCETM shares with every hub." }
            } @else {
                p.lead {
                    "We have not met " strong { (words::number(not_reached as u64)) } " of the "
                    (words::number(self.area as u64)) " schools in our area, and met "
                    strong { (words::number(reached as u64)) } "."
                }
                (self.sums(reached, not_reached))
                (self.phases())
                (self.list(asked))
            }
            (self.loose())
        }
    }

    /// The sum that must come out, as it is counted.
    fn sums(&self, reached: usize, not_reached: usize) -> Markup {
        html! {
            ul.cards #reach-sum data-reached=(reached) data-not-reached=(not_reached) data-area=(self.area) {
                li { span.figure { (words::number(not_reached as u64)) } "not met yet" }
                li { span.figure { (words::number(reached as u64)) } "met" }
                li { span.figure { (words::number(self.area as u64)) } "in our area, met and not met together" }
            }
            details {
                summary { "How this is counted" }
                p { "A school counts as met once somebody from there was accepted for a work group and did \
                     not withdraw. It counts once, however many groups, names or closed predecessors lead \
                     to it, and through a trust or alliance as well. The area is the open schools of this \
                     hub's council areas in the register, and of vacant areas that it covers." }
            }
        }
    }

    fn phases(&self) -> Markup {
        let mut phases = BTreeMap::<&str, (u64, u64)>::new();
        for line in &self.reached {
            phases.entry(&line.phase).or_default().0 += 1;
        }
        for line in &self.not_reached {
            phases.entry(&line.phase).or_default().1 += 1;
        }
        let rows = phases.iter().map(|(phase, (met, not))| {
            let phase = if phase.is_empty() { "not known" } else { phase };
            vec![
                html! { (words::capital(phase)) },
                html! { (words::number(*met)) },
                html! { (words::number(*not)) },
                html! { (words::number(met + not)) },
            ]
        });
        let heads = [
            ("Phase", false),
            ("Met", true),
            ("Not met", true),
            ("All", true),
        ];
        parts::table("By phase", &heads, &rows.collect::<Vec<_>>())
    }

    fn list(&self, asked: &Asked) -> Markup {
        let met = asked.show == "met";
        let all = if met {
            &self.reached
        } else {
            &self.not_reached
        };
        let everyone = self.reached.iter().chain(&self.not_reached);
        let everyone = everyone.collect::<Vec<_>>();
        let options = |name: fn(&Line) -> &str, every: &str| {
            let values = everyone
                .iter()
                .map(|line| name(line))
                .filter(|it| !it.is_empty());
            let values = values.collect::<BTreeSet<_>>();
            let values = values
                .into_iter()
                .map(|it| (it.to_owned(), words::capital(it)));
            std::iter::once((String::new(), every.to_owned()))
                .chain(values)
                .collect::<Vec<_>>()
        };
        let wanted = all.iter().filter(|line| {
            (asked.phase.is_empty() || line.phase == asked.phase)
                && (asked.area.is_empty() || line.area == asked.area)
        });
        let wanted = wanted.collect::<Vec<_>>();
        let pages = wanted.len().div_ceil(PAGE).max(1);
        let page = usize::try_from(asked.page.max(1)).unwrap_or(1).min(pages);
        let rows = wanted
            .iter()
            .skip((page - 1) * PAGE)
            .take(PAGE)
            .map(|line| line.row(met));
        let rows = rows.collect::<Vec<_>>();
        let shows = [
            ("not".to_owned(), "Not met".to_owned()),
            ("met".to_owned(), "Met".to_owned()),
        ];
        let heads = [
            ("School", false),
            ("Phase", false),
            ("Council area", false),
            ("Met through", false),
        ];
        let heads = if met { &heads[..] } else { &heads[..3] };
        let caption = format!(
            "{} {}",
            words::counted(wanted.len() as u64, "school", "schools"),
            if met {
                "that we have met"
            } else {
                "that we have not met"
            }
        );
        let query = [
            ("show", &asked.show),
            ("phase", &asked.phase),
            ("area", &asked.area),
        ];
        let query = query.iter().filter(|(_, value)| !value.is_empty());
        let query = query
            .map(|(name, value)| url_query(name, value))
            .collect::<Vec<_>>()
            .join("&");
        html! {
            h2 #list { (if met { "Schools that we have met" } else { "Schools that we have not met" }) }
            form.filters method="get" action="/reach" {
                div.inline-fields {
                    (parts::select("show", "Show", "", &shows, &asked.show, None))
                    (parts::select("phase", "Phase", "", &options(|it| &it.phase, "All phases"), &asked.phase, None))
                    (parts::select("area", "Council area", "", &options(|it| &it.area, "All areas"), &asked.area, None))
                    div.field { (parts::button("Show")) }
                }
            }
            @if rows.is_empty() {
                (parts::empty("No school is among these."))
            } @else {
                (parts::table(&caption, heads, &rows))
                (parts::pagination("/reach", &query, page as u64, pages as u64))
            }
        }
    }

    /// What could not be counted, so that somebody can see to it.
    fn loose(&self) -> Markup {
        html! {
            @if self.unmatched_count > 0 {
                p #unmatched { (words::counted(self.unmatched_count, "name matches", "names match"))
                    " no school and is not counted; whoever keeps the work groups sees which." }
            }
            @if !self.unmatched.is_empty() {
                h2 { "Names that match no school" }
                p { (words::counted(self.unmatched.len() as u64, "name is", "names are"))
                    " not counted: no school of the area has just this name. Give the school's reference \
                     number beside the name in the work group, and it counts." }
                ul #unmatched {
                    @for name in &self.unmatched {
                        li { a href={ "/search?" (url_query("q", name)) } { (name) } }
                    }
                }
            }
            @if !self.elsewhere.is_empty() {
                h2 { "Met outside our area" }
                ul { @for name in &self.elsewhere { li { (name) } } }
            }
        }
    }
}

impl Line {
    fn of(school: &Value, by: &Value) -> Self {
        let text = |name: &str| school[name].as_str().unwrap_or_default().to_owned();
        let by = by
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        Self {
            name: text("name"),
            phase: text("phase"),
            area: text("local_authority"),
            by: by.map(str::to_owned).collect(),
        }
    }

    fn row(&self, met: bool) -> Vec<Markup> {
        let mut row = vec![
            html! { (self.name) },
            html! { (words::capital(&self.phase)) },
            html! { (self.area) },
        ];
        if met {
            row.push(html! { (words::listed(&self.by)) });
        }
        row
    }
}
