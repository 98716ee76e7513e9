//! Projects in the national catalogue.

use node_feed::SpaceKind;

use crate::declaration::{Check, Concerns, Field, Kind, Section, State, Wins, section, state};
use crate::kinds::codes::PHASES;

/// A project's entry in the national catalogue.
pub const PROJECT: Kind = Kind {
    name: "project",
    title: "Project",
    titles: "Projects",
    about: "A collaborative project's entry in the national catalogue.",
    spaces: &[SpaceKind::Network],
    fields: FIELDS,
    sections: SECTIONS,
    title_field: "title",
    columns: &["code", "kind", "stage"],
    searched: &["code", "title", "summary"],
    filtered: &["phases", "codes/code", "codes/year"],
    key: &["code", "title"],
    concerns: Concerns {
        roles: &["project lead"],
        persons: &[],
    },
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section(
        "Project",
        &["title", "code", "kind", "stage", "summary", "phases"],
    ),
    section("Who leads it", &["lead_hub", "source"]),
    section("Codes by year", &["codes"]),
];

const FIELDS: &[Field] = &[
    Field::value("code", "Code", Check::Text(20))
        .help("This year's, as in NCP24-11; some projects never had one."),
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value(
        "kind",
        "Kind",
        Check::OneOf(&["national", "network", "research and innovation"]),
    )
    .decide(),
    Field::state("stage", "Stage", STAGES),
    Field::text("summary", "Summary"),
    Field::set("phases", "Phases", Wins::Add, Check::OneOf(PHASES)),
    Field::list("codes", "Codes by year", CODES),
    Field::value("lead_hub", "Lead hub", Check::Reference("hub")),
    Field::value("source", "Source", Check::Text(500)),
];

const CODES: &[Field] = &[
    Field::value("year", "Year", Check::AcademicYear).required(),
    Field::value("code", "Code", Check::Text(20)).required(),
];

const STAGES: &[State] = &[
    state("idea", &["development", "retired"]),
    state("development", &["effectiveness", "idea", "retired"]),
    state("effectiveness", &["scaling", "development", "retired"]),
    state("scaling", &["embedded", "effectiveness", "retired"]),
    state("embedded", &["retired"]),
    state("retired", &[]),
];
