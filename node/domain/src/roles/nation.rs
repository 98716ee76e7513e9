//! The roles at the coordinator, and those of guests.

use super::{Duty, Held, May, Own, Role, Seen};

/// Runs the programme at the coordinator.
pub(super) const OPERATOR: Role = Role {
    name: "operator",
    title: "Operator",
    held: Held::Vouched,
    duties: &[
        Duty::Publish,
        Duty::Import,
        Duty::Export,
        Duty::Accounts,
        Duty::Settings,
        Duty::Connections,
        Duty::Disclosures,
        Duty::Reports,
    ],
    may: &[
        May::all("programme"),
        May::all("hub"),
        May::read("hub-profile"),
        May::all("organisation"),
        May::all("project"),
        May::all("project-work"),
        May::read("group-summary"),
        May::new("plan", Seen::All, Seen::Only(&["state", "comments"])),
        May::new("return", Seen::All, Seen::Only(&["state"])),
        May::all("practice"),
        May::read("leader"),
        May::read("leader-days"),
        May::all("forum-thread"),
    ],
};

/// Looks after the hubs of a region.
pub(super) const REGIONAL_LEAD: Role = Role {
    name: "regional lead",
    title: "Regional lead",
    held: Held::Vouched,
    duties: &[Duty::Reports],
    may: &[
        May::read("programme"),
        May::new(
            "hub",
            Seen::All,
            Seen::Only(&["status", "vacant", "covered_by", "leads", "selection"]),
        ),
        May::read("hub-profile"),
        May::read("organisation"),
        May::read("project"),
        May::read("group-summary"),
        May::new("plan", Seen::All, Seen::Only(&["comments"])),
        May::read("return"),
        May::read("practice"),
        May::read("leader"),
        May::read("forum-thread"),
    ],
};

/// Leads national projects.
pub(super) const PROJECT_LEAD: Role = Role {
    name: "project lead",
    title: "Project lead",
    held: Held::Vouched,
    duties: &[Duty::Publish, Duty::Reports],
    may: &[
        May::read("programme"),
        May::read("hub"),
        May::read("hub-profile"),
        May::all("project"),
        May::all("project-work"),
        May::read("group-summary"),
        May::all("practice"),
        May::read("leader"),
        May::new("forum-thread", Seen::All, Seen::Only(&["posts"])),
    ],
};

/// Counts and compares what was published, and nothing else.
pub(super) const ANALYST: Role = Role {
    name: "analyst",
    title: "Analyst",
    held: Held::Vouched,
    duties: &[Duty::Reports],
    may: &[
        May::read("programme"),
        May::read("hub"),
        May::read("organisation"),
        May::read("project"),
        May::new("project-work", Seen::Except(&["proposals"]), Seen::Nothing),
        May::read("group-summary"),
        May::new("return", Seen::Except(&["sources"]), Seen::Nothing),
        May::read("practice"),
    ],
};

/// Asks the forum, and sees of it what was released.
pub(super) const POLICY_GUEST: Role = Role {
    name: "policy guest",
    title: "Policy guest",
    held: Held::Vouched,
    duties: &[],
    may: &[
        May::new("forum-thread", Seen::Only(ASKED), Seen::Only(ASKED))
            .own_by(&[Own::Field("asked_by")]),
    ],
};

const ASKED: &[&str] = &["title", "kind", "question", "asked_by", "due"];

/// Evaluates projects from outside.
pub(super) const INDEPENDENT_EVALUATOR: Role = Role {
    name: "independent evaluator",
    title: "Independent evaluator",
    held: Held::Vouched,
    duties: &[],
    may: &[
        May::read("programme"),
        May::read("project"),
        May::new("project-work", Seen::Except(&["proposals"]), Seen::Nothing),
        May::read("group-summary"),
        May::read("practice"),
    ],
};
