//! The list of work groups.

use axum::extract::Query;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::group::{Group, KIND};
use super::{Cell, stacked, styles, today, when};
use crate::records::{Desk, Find, RecordsError, is};
use crate::web::{PageError, Visit, parts, words};

/// How many groups stand on one page.
const PAGE: u64 = 20;
/// The states in which a group is still worked with.
const CURRENT: &str = "planned, recruiting, running";

/// The states of a group that has begun, as a plan counts what is done of it.
pub(in crate::web::pages) const BEGUN: &str = "running, completed";

/// What an address says for groups that name no item of a plan.
pub(in crate::web::pages) const NO_ITEM: &str = "-";

/// What somebody asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    leader: String,
    project: String,
    item: String,
    year: String,
    q: String,
    page: u64,
}

struct Listed {
    total: u64,
    mine: Vec<Group>,
    groups: Vec<Group>,
    leaders: Vec<(String, String)>,
    projects: Vec<(String, String)>,
    all_mine: bool,
    creates: bool,
}

/// `GET /work-groups`
pub(super) async fn page(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let (day, wanted) = (today(), asked.clone());
    let listed = visit.work(move |desk| listed(desk, &wanted, &day)).await?;
    Ok(visit.page("Work groups", &render(&asked, &listed, &today())))
}

impl Asked {
    fn filters(&self) -> Vec<String> {
        let mut filters = Vec::new();
        match self.state.as_str() {
            "" => filters.push(format!("state is {CURRENT}")),
            "all" => {}
            "begun" => filters.push(format!("state is {BEGUN}")),
            state => filters.push(is("state", state)),
        }
        let fields = [
            ("leaders/person", &self.leader),
            ("project", &self.project),
            ("plan_item", &self.item),
            ("year", &self.year),
        ];
        for (field, value) in fields {
            if value == NO_ITEM && field == "plan_item" {
                filters.push("plan_item missing".to_owned());
            } else if !value.is_empty() {
                filters.push(is(field, value));
            }
        }
        filters
    }

    /// The question without its page, as an address has it.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let all = [
            ("state", &self.state),
            ("leader", &self.leader),
            ("project", &self.project),
            ("item", &self.item),
            ("year", &self.year),
            ("q", &self.q),
        ];
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        query.finish()
    }
}

fn listed(desk: &Desk, asked: &Asked, today: &str) -> Result<Listed, RecordsError> {
    let sees = |field: &str| desk.sees(KIND, field);
    let holder = desk.holder();
    let all_mine = desk.sees_own_alone(KIND);
    let find = Find {
        kind: KIND.to_owned(),
        words: asked.q.clone(),
        filters: asked.filters(),
        sort: vec!["title".to_owned()],
        offset: asked.page.saturating_sub(1).saturating_mul(PAGE),
        limit: PAGE,
        ..Find::default()
    };
    let all = Find {
        kind: KIND.to_owned(),
        ..Find::default()
    };
    let total = desk
        .find(&Find {
            limit: 1,
            offset: 0,
            ..find.clone()
        })?
        .total;
    let groups = read(desk, &find, today)?;
    let mut mine = Vec::new();
    let leads = !holder.is_empty() && !all_mine && sees("leaders/person");
    if leads && asked.page <= 1 && asked.leader.is_empty() {
        let mut find = find.clone();
        find.filters.push(is("leaders/person", holder));
        mine = read(desk, &find, today)?;
    }
    let projects = desk.count(&all, "project")?;
    let leaders = if sees("leaders/person") {
        desk.count(&all, "leaders/person")?
    } else {
        Vec::new()
    };
    let ids = leaders.iter().map(|(id, _)| id.as_str());
    let names = desk.title_of(&ids.collect::<Vec<_>>())?;
    let mut leaders = names.into_iter().collect::<Vec<_>>();
    leaders.sort_by_cached_key(|(_, name)| name.to_lowercase());
    Ok(Listed {
        total,
        mine,
        groups,
        leaders,
        projects: projects
            .into_iter()
            .map(|(code, _)| (code.clone(), code))
            .collect(),
        all_mine,
        creates: desk.creates(KIND),
    })
}

fn read(desk: &Desk, find: &Find, today: &str) -> Result<Vec<Group>, RecordsError> {
    let groups = desk.read(find)?.into_iter();
    Ok(groups
        .map(|(id, fields)| Group::of(id, fields, today))
        .collect())
}

fn render(asked: &Asked, listed: &Listed, today: &str) -> Markup {
    let pages = listed.total.div_ceil(PAGE);
    let query = asked.query();
    let mine = listed.mine.iter().map(|group| group.id.as_str());
    let mine = mine.collect::<Vec<_>>();
    let others = listed.groups.iter();
    let others = others.filter(|group| !mine.contains(&group.id.as_str()));
    let others = others.collect::<Vec<_>>();
    html! {
        (styles())
        h1 { "Work groups" }
        p.lead { (answer(asked, listed)) }
        (filters(asked, listed))
        @if !listed.mine.is_empty() {
            (table("Groups that you lead", listed.mine.iter(), today))
        }
        @if !others.is_empty() {
            @let caption = if listed.mine.is_empty() { "Work groups" } else { "Other groups" };
            (table(caption, others.into_iter(), today))
        } @else if listed.mine.is_empty() {
            (parts::empty(nothing(asked)))
        }
        (parts::pagination("/work-groups", &query, asked.page.max(1), pages))
        @if listed.creates {
            p.buttons { a.button href="/work-groups/new" { "Plan a work group" } }
        }
    }
}

fn nothing(asked: &Asked) -> &'static str {
    if *asked == Asked::default() {
        "No work group is planned, recruiting or running. One that you plan stands here."
    } else {
        "No work group fits. Take a filter away to see more."
    }
}

fn answer(asked: &Asked, listed: &Listed) -> String {
    let count = words::counted(listed.total, "work group", "work groups");
    let whose = if listed.all_mine { " of yours" } else { "" };
    let verb = if listed.total == 1 { "is" } else { "are" };
    match asked.state.as_str() {
        "" => format!("{count}{whose} {verb} planned, recruiting or running."),
        "all" => format!("{count}{whose}, those that are over too."),
        "begun" => format!("{count}{whose} {verb} running or completed."),
        state => format!("{count}{whose} {verb} {state}."),
    }
}

fn filters(asked: &Asked, listed: &Listed) -> Markup {
    let own = |text: &str| (text.to_owned(), words::capital(text));
    let mut states = vec![
        (String::new(), "Current".to_owned()),
        ("begun".to_owned(), "Running or completed".to_owned()),
        ("all".to_owned(), "All".to_owned()),
    ];
    states.extend(["planned", "recruiting", "running", "completed", "cancelled"].map(own));
    let any = |what: &str| vec![(String::new(), what.to_owned())];
    let leaders = [any("Anybody"), listed.leaders.clone()].concat();
    let projects = [any("Any"), listed.projects.clone()].concat();
    html! {
        @if !asked.item.is_empty() {
            p {
                @if asked.item == NO_ITEM { "They name no item of the plan. " }
                @else { "They carry out \u{2018}" (asked.item) "\u{2019} of the plan. " } a href="/work-groups" { "Show all groups" } }
        }
        form.filters method="get" action="/work-groups" {
            @for (name, value) in [("item", &asked.item), ("year", &asked.year)] {
                @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
            }
            div.inline-fields {
                (parts::typed_input("search", "q", "Words", "", &asked.q, None))
                (parts::select("state", "State", "", &states, &asked.state, None))
                @if leaders.len() > 1 && !listed.all_mine {
                    (parts::select("leader", "Led by", "", &leaders, &asked.leader, None))
                }
                @if projects.len() > 1 {
                    (parts::select("project", "Project", "", &projects, &asked.project, None))
                }
                div.field { button.button.button-plain type="submit" { "Show" } }
            }
        }
    }
}

fn table<'a>(caption: &str, groups: impl Iterator<Item = &'a Group>, today: &str) -> Markup {
    let heads = [
        "Work group",
        "State",
        "Phase",
        "Project",
        "Next session",
        "Places",
    ];
    let rows = groups.map(|group| row(group, heads, today));
    stacked(caption, &heads, &rows.collect::<Vec<_>>())
}

fn row(group: &Group, heads: [&'static str; 6], today: &str) -> Vec<Cell> {
    let code = group.text("code");
    let state = group.text("state");
    let title = html! {
        a href={ "/work-groups/" (group.id) } { (group.text("title")) }
        @if !code.is_empty() { span.under { (code) } }
    };
    let next = group.next_session(today).map(when);
    let cells = [
        title,
        parts::tag(state, parts::state_tone(state)),
        html! { (words::capital(group.text("phase"))) },
        html! { (group.text("project")) },
        html! { @match next {
            Some(next) => (next),
            None => span.soft { "None planned" },
        } },
        html! { (places(group)) },
    ];
    heads.into_iter().zip(cells).collect()
}

/// How many places are left, in words.
pub(super) fn places(group: &Group) -> String {
    match group.places() {
        None => "Not limited".to_owned(),
        Some((_, ..=0)) => "Full".to_owned(),
        Some((issued, left)) => format!("{left} of {issued} left"),
    }
}
