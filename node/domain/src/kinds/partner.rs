//! Partners.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{Check, Field, Kind, Section, Test, Watch, Wins, section, state};
use crate::kinds::codes::ORGANISATION_KINDS;

/// A partner: an organisation to which a hub passes money and roles.
pub const PARTNER: Kind = Kind {
    name: "partner",
    title: "Partner",
    titles: "Partners",
    about: "An organisation to which the hub passes money and roles.",
    spaces: &[SpaceKind::Hub],
    writers: Writers::Members,
    fields: FIELDS,
    sections: SECTIONS,
    columns: &["kind", "roles", "state"],
    searched: &["title", "strengths"],
    filtered: &["urn", "strengths"],
    key: &["title"],
    watches: &[
        Watch {
            name: "removed-with-commission",
            sentence: "the partner was removed and still holds a commission with money or a role",
            test: Test::StillReferred {
                field: "state",
                values: &["removed"],
                by: "",
                kind: "commission",
                refers: "partner",
                standing: ("state", &["offered", "accepted", "active"]),
            },
        },
        Watch {
            name: "removed-with-role",
            sentence: "the partner was removed and still holds delegated roles",
            test: Test::Standing {
                state: "state",
                states: &["removed"],
                list: "delegated",
                of: ("", &[]),
            },
        },
    ],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section(
        "Partner",
        &["title", "kind", "organisation", "urn", "state"],
    ),
    section("What they bring", &["roles", "strengths"]),
    section("Capacity by term", &["capacity"]),
    section("Delegated roles", &["delegated"]),
    section("The hub's own notes", &["notes"]),
];

const FIELDS: &[Field] = &[
    Field::value("title", "Name", Check::Text(200))
        .required()
        .aliases(&["partner", "organisation"]),
    Field::value(
        "organisation",
        "Organisation",
        Check::Reference("organisation"),
    ),
    Field::value("urn", "URN", Check::Urn),
    Field::value("kind", "Kind", Check::OneOf(ORGANISATION_KINDS)),
    Field::set(
        "roles",
        "Roles",
        Wins::Remove,
        Check::OneOf(&["strategic", "operational", "research", "employer", "funder"]),
    ),
    Field::set("strengths", "Strengths", Wins::Add, Check::Text(100)),
    Field::list("capacity", "Capacity by term", CAPACITY),
    Field::list("delegated", "Delegated roles", DELEGATED),
    Field::state(
        "state",
        "State",
        &[
            state("prospective", &["current", "removed"]),
            state("current", &["removed"]),
            state("removed", &["current"]),
        ],
    ),
    Field::text("notes", "The hub's own notes").hub(),
];

const CAPACITY: &[Field] = &[
    Field::value("term", "Term", Check::Text(40)).required(),
    Field::value("groups", "Work groups", Check::Number(0, 1_000)).required(),
];

const DELEGATED: &[Field] = &[
    Field::value("role", "Role", Check::Text(60)).required(),
    Field::value("until", "Until", Check::Date).required(),
];
