//! Programmes.

use node_feed::SpaceKind;

use crate::declaration::{Check, Field, Kind, Section, Wins, section};
use crate::kinds::codes::{CONTROLLERS, PHASES};

/// A programme in one academic year: what all hubs share.
pub const PROGRAMME: Kind = Kind {
    name: "programme",
    coordinators: true,
    title: "Programme",
    titles: "Programmes",
    about: "A subject's programme in one academic year: its terms, national priorities, code \
            lists, measures and rules.",
    spaces: &[SpaceKind::Network],
    fields: FIELDS,
    sections: SECTIONS,
    columns: &["subject", "year"],
    searched: &["title", "subject"],
    key: &["subject", "year"],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section("Programme", &["title", "subject", "year"]),
    section("Terms", &["terms"]),
    section("National priorities", &["priorities"]),
    section("Returns due", &["due"]),
    section("Measures", &["measures"]),
    section("Code lists", &["code_lists"]),
    section("Rules", &["controller", "smallest_cell", "roles"]),
    section("How long records are kept", &["retention"]),
];

const FIELDS: &[Field] = &[
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value("subject", "Subject", Check::Text(60)).required(),
    Field::value("year", "Academic year", Check::AcademicYear).required(),
    Field::list("terms", "Terms", TERMS),
    Field::list("priorities", "National priorities", PRIORITIES),
    Field::list("code_lists", "Code lists", CODES).help(
        "A newer version of a list is added; an older one stays, so that records keep their codes.",
    ),
    Field::list("measures", "Measures", MEASURES)
        .help("What returns count. A changed measure is a new version."),
    Field::list("due", "Returns due", DUE),
    Field::set("roles", "Names of roles", Wins::Add, Check::Text(60)),
    Field::list("retention", "How long records are kept", RETENTION),
    Field::value(
        "controller",
        "Data controller unless a hub says otherwise",
        Check::OneOf(CONTROLLERS),
    ),
    Field::value(
        "smallest_cell",
        "Smallest count that is shown",
        Check::Number(0, 100),
    ),
];

const TERMS: &[Field] = &[
    Field::value("name", "Term", Check::Text(40)).required(),
    Field::value("from", "From", Check::Date).required(),
    Field::value("until", "Until", Check::Date).required(),
];

const PRIORITIES: &[Field] = &[
    Field::value("title", "Priority", Check::Text(200)).required(),
    Field::text("rationale", "Why"),
    Field::value("phase", "Phase", Check::OneOf(PHASES)),
];

const CODES: &[Field] = &[
    Field::value("list", "List", Check::Text(60)).required(),
    Field::value("version", "Version", Check::Number(1, 1_000)).required(),
    Field::value("code", "Code", Check::Text(60)).required(),
    Field::value("label", "Label", Check::Text(200)),
];

const MEASURES: &[Field] = &[
    Field::value("name", "Measure", Check::Text(60)).required(),
    Field::value("version", "Version", Check::Number(1, 1_000)).required(),
    Field::text("question", "What it counts"),
];

const DUE: &[Field] = &[
    Field::value("period", "Period", Check::Text(40)).required(),
    Field::value("measure", "Measure", Check::Text(60)).required(),
    Field::value("on", "Due on", Check::Date),
];

const RETENTION: &[Field] = &[
    Field::value("kind", "Kind of record", Check::Text(60)).required(),
    Field::value("years", "Years", Check::Number(0, 100)).required(),
    Field::value("reason", "Reason", Check::Text(500)),
];
