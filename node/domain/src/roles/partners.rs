//! The roles of those who work with a hub, or for it for a time, or look after its data.

use super::hub::OF_PARTICIPANTS;
use super::{Duty, Held, May, Own, Role, Seen};

/// Sits on the strategic leadership group: its papers, and plans with scores and comments. No
/// participants, and nobody's card.
pub(super) const STRATEGIC_GROUP_MEMBER: Role = Role {
    name: "strategic group member",
    title: "Member of the strategic leadership group",
    held: Held::Named("strategic-group"),
    duties: &[],
    may: &[
        May::new(
            "strategic-group",
            Seen::All,
            Seen::Only(&[
                "meetings/agenda",
                "meetings/minutes",
                "papers",
                "actions",
                "decisions",
            ]),
        )
        .own_by(&[Own::item("members", "person").between("from", "until")]),
        May::new(
            "plan",
            Seen::All,
            Seen::Only(&["needs", "severities", "board_comments"]),
        ),
        May::read("commission"),
        May::read("partner"),
        May::new("work-group", Seen::Except(OF_PARTICIPANTS), Seen::Nothing),
        May::read("programme"),
        May::read("hub"),
        May::read("project"),
        May::read("group-summary"),
    ],
};

/// Chairs the strategic leadership group.
pub(super) const CHAIR: Role = Role {
    name: "chair",
    title: "Chair of the strategic leadership group",
    held: Held::Named("strategic-group"),
    duties: &[],
    may: &[
        May::all("strategic-group").own_by(&[Own::item("members", "person")
            .where_says("role", "chair")
            .between("from", "until")]),
        May::new(
            "plan",
            Seen::All,
            Seen::Only(&[
                "needs",
                "severities",
                "priorities",
                "board_comments",
                "decisions",
                "state",
            ]),
        ),
        May::read("commission"),
        May::read("partner"),
        May::new("work-group", Seen::Except(OF_PARTICIPANTS), Seen::Nothing),
        May::read("programme"),
        May::read("hub"),
        May::read("project"),
        May::read("group-summary"),
    ],
};

/// Works for a partner: the work groups that a commission delegates, until the day and as the role
/// that it delegates may, and the commission itself, of which deliverables are reported and never
/// an amount.
pub(super) const PARTNERS_STAFF: Role = Role {
    name: "partner's staff",
    title: "Partner's staff",
    held: Held::EachOwn,
    duties: &[],
    may: &[
        May::all("work-group").delegated(),
        May::new(
            "commission",
            Seen::Except(&["notes"]),
            Seen::Only(&["deliverables/state", "deliverables/evidence"]),
        )
        .own_by(&[Own::Field("partner")]),
    ],
};

/// Takes part in a work group: sees the own card, and when and where the group meets.
pub(super) const PARTICIPANT: Role = Role {
    name: "participant",
    title: "Participant",
    held: Held::EachOwn,
    duties: &[],
    may: &[
        May::new(
            "person",
            Seen::All,
            Seen::Only(&[
                "email",
                "phone",
                "organisation",
                "job_role",
                "contact_wishes",
            ]),
        )
        .own_by(&[Own::Itself]),
        May::new(
            "leader",
            Seen::Except(&["notes"]),
            Seen::Only(&["opted_in"]),
        )
        .own_by(&[Own::Field("person")]),
        May::new(
            "work-group",
            Seen::Only(&[
                "code", "title", "kind", "phase", "year", "state", "sessions",
            ]),
            Seen::Only(&["reflections"]),
        )
        .own_by(&[Own::item("members", "person")])
        .own_items(&[("reflections", "person")]),
    ],
};

/// Answers for personal data: sees what is held of whom, and changes nothing.
pub(super) const DATA_PROTECTION_OFFICER: Role = Role {
    name: "data protection officer",
    title: "Data protection officer",
    held: Held::Vouched,
    duties: &[Duty::Export, Duty::Disclosures],
    may: &[
        May::read("programme"),
        May::read("hub"),
        May::read("hub-profile"),
        May::read("person"),
        May::read("leader"),
        May::read("leader-days"),
        May::read("strategic-group"),
        May::read("partner"),
        May::read("plan"),
        May::read("commission"),
        May::read("work-group"),
        May::read("group-summary"),
        May::read("project-work"),
        May::read("practice"),
        May::read("return"),
    ],
};
