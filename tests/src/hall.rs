//! A village hall: a hub with a work group of fifteen teachers, and pages to mark who came.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use node::Node;
use node::config::WebConfig;
use node::web::{Pages, hub_routes, hub_site};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::visitor::{Visitor, account};
use crate::world::{World, until};

const HUB: &str = "south-yorkshire";
/// The lead of the work group, and of another that nobody else may see.
pub const LEAD: &str = "Aurelia Quickthorn";
/// Leads another group alone.
pub const STRANGER: &str = "Barnaby Silverlode";
/// Keeps the hub's records.
pub const ADMINISTRATOR: &str = "Cedric Brightwater";
/// Sees no participant.
pub const SENIOR_LINK: &str = "Dorothea Fairweather";

/// Where the line drops while marks are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Nowhere.
    Whole,
    /// Before they arrive.
    DropsBefore,
    /// After they were taken, so that the answer is lost.
    DropsAfter,
}

/// What the line does when marks are sent, one by one, and from then on.
type Lines = Arc<Mutex<(VecDeque<Line>, Option<Line>)>>;

/// The hall. What it is made of ends with it.
#[derive(Debug)]
pub struct Hall {
    world: World,
    pages: Pages,
    lines: Lines,
    /// The work group.
    pub group: String,
    /// Another group, of somebody else.
    pub other_group: String,
    /// The group's session of today, one of last week and one of next week.
    pub session: String,
    /// The members, in their order, each with its id.
    pub members: Vec<String>,
    /// Their names.
    pub names: Vec<String>,
}

impl Hall {
    /// Builds it; `offline` is the hub's policy on personal data on devices.
    ///
    /// # Panics
    /// If it cannot be built, as all here do.
    pub async fn new(offline: bool) -> Self {
        let mut world = World::new().await;
        world.add_hub(HUB).await;
        let node = world.hub(HUB);
        until("the hub knows its spaces", || {
            node.spaces().is_ok_and(|spaces| spaces.len() >= 3)
        })
        .await;
        let make = |kind: &str, fields: Value| {
            let made = node.create_record(kind, "", &fields.to_string());
            made.expect("a record").id.to_string()
        };
        let person = |name: &str| make("person", json!({ "name": name }));
        make(
            "hub-profile",
            json!({ "code": HUB, "title": "South Yorkshire", "offline_personal_data": offline }),
        );
        let (lead, stranger) = (person(LEAD), person(STRANGER));
        let names = (1..=15).map(|number| format!("Testa Sampleton {number:02}"));
        let names = names.collect::<Vec<_>>();
        let mut members = Vec::new();
        let mut statuses = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let id = format!("m{index:02}");
            let school = format!("Village School {}", index % 5 + 1);
            members.push(json!({
                "id": id, "organisation": school, "person": person(name), "role": "maths lead",
            }));
            statuses.push(json!({ "member": id, "status": "accepted", "as_at": "2026-01-10" }));
        }
        let ids = (0..15).map(|index| format!("m{index:02}"));
        let ids = ids.collect::<Vec<_>>();
        let group = make(
            "work-group",
            json!({
                "title": "Ratio in Year 7", "code": "WG-7", "phase": "secondary", "places": 20,
                "leaders": [{ "person": lead, "role": "lead" }], "members": members,
                "statuses": statuses,
                "sessions": [
                    { "id": "past", "date": day(-7), "start": "16:00", "venue": "Village hall" },
                    { "id": "today", "date": day(0), "start": "16:00", "venue": "Village hall" },
                    { "id": "next", "date": day(7), "start": "16:00", "venue": "Village hall" },
                ],
            }),
        );
        let other_group = make(
            "work-group",
            json!({
                "title": "Fractions", "leaders": [{ "person": stranger, "role": "lead" }],
                "members": [{ "id": "x", "organisation": "Elsewhere" }],
                "sessions": [{ "id": "other", "date": day(0) }],
            }),
        );
        account(node, LEAD, "work group lead", &lead);
        account(node, STRANGER, "work group lead", &stranger);
        account(node, ADMINISTRATOR, "administrator", "");
        account(node, SENIOR_LINK, "senior link", "");
        let config = WebConfig {
            listen: "127.0.0.1:0".to_owned(),
            public: String::new(),
            ..WebConfig::default()
        };
        let lines = Lines::default();
        let of = Arc::clone(&lines);
        let routes = hub_routes().layer(from_fn(move |request, next| {
            carry(Arc::clone(&of), request, next)
        }));
        let pages = Pages::serve(node, &config, hub_site(), routes).await;
        let pages = pages.expect("pages are served").expect("pages are served");
        Self {
            world,
            pages,
            lines,
            group,
            other_group,
            session: "today".to_owned(),
            members: ids,
            names,
        }
    }

    /// The hub's node.
    pub fn node(&self) -> &Node {
        self.world.hub(HUB)
    }

    /// Where the pages are.
    pub const fn address(&self) -> std::net::SocketAddr {
        self.pages.address()
    }

    /// Somebody signed in.
    pub fn visitor(&self, name: &str) -> Visitor {
        Visitor::sign_in(self.node(), self.address(), name, 0)
    }

    /// What the line does the next times that marks are sent; then it is whole.
    pub fn line(&self, drops: &[Line]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        *lines = (drops.iter().copied().collect(), None);
    }

    /// What the line does whenever marks are sent.
    pub fn line_always(&self, line: Line) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        *lines = (VecDeque::new(), Some(line));
    }

    /// How often the line is still to drop.
    pub fn drops_left(&self) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.0.len()
    }

    /// The address of today's register.
    pub fn register(&self) -> String {
        format!("/work-groups/{}/register/{}", self.group, self.session)
    }

    /// The marks of today's session as they were entered: who, and what.
    pub fn marks(&self) -> Vec<(String, String)> {
        let shown = self.node().show_record(&self.group).expect("the group");
        let entered = shown.fields["attendance"].as_array().cloned();
        let entered = entered.unwrap_or_default().into_iter();
        let of_session = entered.filter(|mark| mark["session"] == self.session.as_str());
        let word = |mark: &Value, name: &str| mark[name].as_str().unwrap_or_default().to_owned();
        of_session
            .map(|mark| (word(&mark, "member"), word(&mark, "mark")))
            .collect()
    }
}

async fn carry(lines: Lines, request: Request, next: Next) -> Response {
    let marks = request.method() == Method::POST && request.uri().path().ends_with("/marks");
    let line = if marks {
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.0.pop_front().or(lines.1).unwrap_or(Line::Whole)
    } else {
        Line::Whole
    };
    match line {
        Line::Whole => return next.run(request).await,
        Line::DropsBefore => {}
        Line::DropsAfter => drop(next.run(request).await),
    }
    // An answer that breaks off before its end: the browser gets none.
    let broken = tokio_stream::once(Err::<&[u8], _>(std::io::Error::other("the line drops")));
    Response::new(Body::from_stream(broken))
}

/// So many days from today, such as `2027-03-12`.
///
/// # Panics
/// Never: there are days enough.
pub fn day(from_today: i64) -> String {
    let day = OffsetDateTime::now_utc().date() + Duration::days(from_today);
    day.to_string()
}
