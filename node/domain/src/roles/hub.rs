//! The roles in a hub.

use super::{Duty, Held, May, Own, Role, Seen};

const CATALOGUE: [May; 5] = [
    May::read("programme"),
    May::read("hub"),
    May::read("project"),
    May::read("group-summary"),
    May::read("hub-profile"),
];

/// Leads a hub.
pub(super) const HUB_LEAD: Role = Role {
    name: "hub lead",
    title: "Hub lead",
    held: Held::Vouched,
    duties: &[
        Duty::Publish,
        Duty::Import,
        Duty::Export,
        Duty::Returns,
        Duty::People,
        Duty::Erase,
        Duty::Accounts,
        Duty::Settings,
        Duty::Disclosures,
        Duty::Reports,
    ],
    may: &[
        CATALOGUE[0],
        CATALOGUE[1],
        CATALOGUE[2],
        May::all("group-summary"),
        May::all("hub-profile"),
        May::all("organisation"),
        May::all("partner"),
        May::all("person"),
        May::all("leader"),
        May::all("leader-days"),
        May::all("strategic-group"),
        May::all("plan"),
        May::all("commission"),
        May::all("work-group"),
        May::all("project-work"),
        May::all("practice"),
        May::all("return"),
        May::all("forum-thread"),
    ],
};

/// Stands in for the hub lead in everything but the hub's policies.
pub(super) const ASSISTANT_HUB_LEAD: Role = Role {
    name: "assistant hub lead",
    title: "Assistant hub lead",
    held: Held::Vouched,
    duties: &[
        Duty::Publish,
        Duty::Import,
        Duty::Export,
        Duty::Returns,
        Duty::People,
        Duty::Disclosures,
        Duty::Reports,
    ],
    may: &[
        CATALOGUE[0],
        CATALOGUE[1],
        CATALOGUE[2],
        May::all("group-summary"),
        May::new(
            "hub-profile",
            Seen::All,
            Seen::Except(&["controller", "offline_personal_data", "smallest_cell"]),
        ),
        May::all("organisation"),
        May::all("partner"),
        May::all("person"),
        May::all("leader"),
        May::all("leader-days"),
        May::all("strategic-group"),
        May::all("plan"),
        May::all("commission"),
        May::all("work-group"),
        May::new("project-work", Seen::All, Seen::Except(&["signatures"])),
        May::all("practice"),
        May::all("return"),
        May::all("forum-thread"),
    ],
};

/// Answers for the hub in its lead school: sees how it stands, and no participant.
pub(super) const SENIOR_LINK: Role = Role {
    name: "senior link",
    title: "Senior link of the lead school",
    held: Held::Vouched,
    duties: &[Duty::Reports],
    may: &[
        CATALOGUE[0],
        CATALOGUE[1],
        CATALOGUE[2],
        CATALOGUE[3],
        CATALOGUE[4],
        May::read("partner"),
        May::read("strategic-group"),
        May::new("plan", Seen::All, Seen::Only(&["comments"])),
        May::read("commission"),
        May::new("work-group", Seen::Except(OF_PARTICIPANTS), Seen::Nothing),
        May::read("practice"),
        May::read("return"),
    ],
};

/// What a work group says of those who take part.
pub(super) const OF_PARTICIPANTS: &[&str] = &[
    "leaders",
    "members",
    "statuses",
    "attendance",
    "ratings/leader",
    "reflections",
    "notes",
];

/// Keeps the hub's records.
pub(super) const ADMINISTRATOR: Role = Role {
    name: "administrator",
    title: "Administrator",
    held: Held::Vouched,
    duties: &[
        Duty::Publish,
        Duty::Import,
        Duty::Export,
        Duty::Returns,
        Duty::People,
        Duty::Disclosures,
        Duty::Reports,
    ],
    may: &[
        CATALOGUE[0],
        CATALOGUE[1],
        CATALOGUE[2],
        May::all("group-summary"),
        May::new(
            "hub-profile",
            Seen::All,
            Seen::Only(&["office_email", "office_phone", "website"]),
        ),
        May::all("organisation"),
        May::all("partner"),
        May::all("person"),
        May::new("leader", Seen::All, Seen::Except(&["opted_in"])),
        May::all("leader-days"),
        May::new(
            "strategic-group",
            Seen::All,
            Seen::Except(&["terms_of_reference"]),
        ),
        May::read("plan"),
        May::new(
            "commission",
            Seen::All,
            Seen::Only(&["deliverables", "money"]),
        ),
        May::all("work-group"),
        May::read("project-work"),
        May::all("practice"),
        May::all("return"),
    ],
};

/// Leads work groups: the groups that name this person as a leader.
pub(super) const WORK_GROUP_LEAD: Role = Role {
    name: "work group lead",
    title: "Work group lead",
    held: Held::Named("work-group"),
    duties: &[Duty::Publish],
    may: &[
        CATALOGUE[0],
        CATALOGUE[1],
        CATALOGUE[2],
        CATALOGUE[3],
        May::new(
            "work-group",
            Seen::All,
            Seen::Except(&["leaders", "places"]),
        )
        .own_by(&[Own::item("leaders", "person")]),
        May::read("person").own_by(&[Own::Itself]),
        May::all("leader").own_by(&[Own::Field("person")]),
        May::read("organisation"),
        May::read("project-work"),
        May::all("practice"),
    ],
};
