//! Roles that a commission delegates, for named work groups and for a time.

use node_document::{Value, View};
use time::Date;
use time::format_description::well_known::Iso8601;

use crate::check::is_day;
use crate::declaration::{Field, Merge};
use crate::kinds::{COMMISSION, PARTNER};
use crate::read::kind_of;
use crate::states::Standing;

/// The states in which a commission passes its roles on.
const STANDING: [&str; 3] = ["offered", "accepted", "active"];

/// The state of a partner that holds nothing any more.
const REMOVED: &str = "removed";

/// A role that a partner's staff hold for one work group, for a time. The node that writes for
/// them enforces it, offline too: after its last day it signs nothing more in this role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// The work group.
    pub group: String,
    /// The role.
    pub role: String,
    /// The first day; from the beginning if nobody has said so.
    pub from: Option<Date>,
    /// The last day.
    pub until: Date,
}

impl Delegation {
    /// Whether it holds on a day, the first and the last among them.
    pub fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && day <= self.until
    }
}

/// Whether a partner holds what commissions delegate to it: not once it was removed, nor while that
/// is one of several versions in which its state stands.
pub fn holds_delegations(view: &View<'_>) -> bool {
    let Some(Merge::State(states)) = PARTNER.field("state").map(|field| field.merge) else {
        return false;
    };
    if !kind_of(view).is_ok_and(|kind| kind.name == PARTNER.name) {
        return false;
    }
    match Standing::read(states, view, &["state"]) {
        Standing::One(state) => state != REMOVED,
        Standing::Several(all) => all.iter().all(|state| state != REMOVED),
    }
}

/// The roles that a commission delegates. Before it is offered, and once it was closed or
/// withdrawn, there are none; nor is one without a last day. Where several days stand at once,
/// the narrowest counts until a person has chosen.
pub fn delegations(view: &View<'_>) -> Vec<Delegation> {
    let Some(Merge::State(states)) = COMMISSION.field("state").map(|field| field.merge) else {
        return Vec::new();
    };
    let standing = match Standing::read(states, view, &["state"]) {
        Standing::One(state) => STANDING.contains(&state.as_str()),
        Standing::Several(all) => all.iter().all(|state| STANDING.contains(&state.as_str())),
    };
    let list = "delegations";
    if !standing || COMMISSION.field(list).and_then(Field::items).is_none() {
        return Vec::new();
    }
    let days = |item: &str, name: &str| {
        let values = view.values(&[list, item, name]).into_iter();
        let day = |value: Value| {
            let day = value.as_str().filter(|day| is_day(day))?;
            Date::parse(day, &Iso8601::DATE).ok()
        };
        values.map(day).collect::<Vec<_>>()
    };
    let text = |item: &str, name: &str| {
        let values = view.values(&[list, item, name]);
        let (first, others) = values.split_first()?;
        // Nobody acts in a role, or for a group, that is not settled.
        let settled = others.iter().all(|other| other == first);
        first.as_str().filter(|_| settled).map(str::to_owned)
    };
    let delegation = |item: String| {
        let until = days(&item, "until")
            .into_iter()
            .collect::<Option<Vec<_>>>()?;
        let from = days(&item, "from")
            .into_iter()
            .collect::<Option<Vec<_>>>()?;
        Some(Delegation {
            group: text(&item, "group")?,
            role: text(&item, "role")?,
            from: from.into_iter().max(),
            until: until.into_iter().min()?,
        })
    };
    view.items(&[list])
        .into_iter()
        .filter_map(delegation)
        .collect()
}
