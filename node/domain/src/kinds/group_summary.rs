//! Group summaries.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{Check, Field, Form, Kind};
use crate::kinds::codes::{GROUP_KINDS, MEMBER_STATUSES, PHASES};

/// What a hub publishes of a work group. Never a person.
pub const GROUP_SUMMARY: Kind = Kind {
    name: "group-summary",
    title: "Group summary",
    titles: "Group summaries",
    form: Form::Document,
    spaces: &[SpaceKind::Project, SpaceKind::Network],
    writers: Writers::Owner,
    fields: FIELDS,
    title_field: "title",
    columns: &["code", "project", "phase", "state", "sessions_held"],
    searched: &["code", "title", "project"],
    publishing: None,
};

const NUMBER: Check = Check::Number(0, 100_000);

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
    Field::value("origin", "Origin", Check::Text(64))
        .help("Stands for the record from which this was published, without telling which it is."),
    Field::value("published_on", "Published on", Check::Date),
];

const SCHOOLS: &[Field] = &[
    Field::value("urn", "URN", Check::Urn).required(),
    Field::value("name", "School", Check::Text(200)),
    Field::value("status", "Status", Check::OneOf(MEMBER_STATUSES)),
];
