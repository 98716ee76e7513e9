//! Group summaries.

use node_feed::SpaceKind;

use crate::declaration::{Check, Field, Kind, Section, section};
use crate::kinds::codes::{GROUP_KINDS, MEMBER_STATUSES, OUTCOMES, PHASES};

/// What a hub publishes of a work group. Never a person.
pub const GROUP_SUMMARY: Kind = Kind {
    name: "group-summary",
    title: "Group summary",
    titles: "Group summaries",
    about: "What a hub publishes of a work group to the project: counts and schools, never a \
            person.",
    spaces: &[SpaceKind::Project, SpaceKind::Network],
    fields: FIELDS,
    sections: SECTIONS,
    title_field: "title",
    columns: &["code", "project", "phase", "state", "sessions_held"],
    searched: &["code", "title", "project"],
    filtered: &["schools/urn", "hub", "origin"],
    ..Kind::BASE
};

const NUMBER: Check = Check::Number(0, 100_000);

const SECTIONS: &[Section] = &[
    section(
        "Work group",
        &[
            "title",
            "code",
            "hub",
            "kind",
            "phase",
            "year",
            "state",
            "published_on",
        ],
    ),
    section(
        "Counts",
        &[
            "sessions_held",
            "accepted",
            "started",
            "withdrawn",
            "completed",
        ],
    ),
    section(
        "Project",
        &[
            "project",
            "protocol_version",
            "measure_version",
            "adaptations",
        ],
    ),
    section("Schools", &["schools"]),
    section("Outcomes", &["outcomes"]),
];

const FIELDS: &[Field] = &[
    Field::value("code", "Code", Check::Text(20)),
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value("kind", "Kind", Check::OneOf(GROUP_KINDS)),
    Field::value("phase", "Phase", Check::OneOf(PHASES)),
    Field::value("project", "Project", Check::Text(20)),
    Field::value("year", "Year", Check::AcademicYear),
    Field::value("state", "State", Check::Text(40)),
    Field::value("sessions_held", "Sessions held", NUMBER),
    Field::value("accepted", "Accepted", NUMBER),
    Field::value("started", "Started", NUMBER),
    Field::value("withdrawn", "Withdrawn", NUMBER),
    Field::value("completed", "Completed", NUMBER),
    Field::list("schools", "Schools", SCHOOLS),
    Field::value(
        "protocol_version",
        "Version of the protocol",
        Check::Number(1, 1_000),
    ),
    Field::value(
        "measure_version",
        "Version of the measures",
        Check::Number(1, 1_000),
    ),
    Field::list("outcomes", "Outcomes", MEANS),
    Field::value("adaptations", "Adaptations", Check::Text(2_000)),
    Field::value("hub", "Hub", Check::Text(60))
        .names_hub()
        .by_program(),
    Field::value("origin", "Origin", Check::Text(64))
        .by_program()
        .help("Stands for the record from which this was published, without telling which it is."),
    Field::value("published_on", "Published on", Check::Date),
];

const MEANS: &[Field] = &[
    Field::value("outcome", "Outcome", Check::OneOf(OUTCOMES)).required(),
    Field::value("mean", "Mean rating in hundredths", Check::Number(0, 1_000)),
    Field::value("count", "Ratings", Check::Number(0, 100_000)),
];

const SCHOOLS: &[Field] = &[
    Field::value("urn", "URN", Check::Urn).required(),
    Field::value("name", "School", Check::Text(200)),
    Field::value("status", "Status", Check::OneOf(MEMBER_STATUSES)),
];
