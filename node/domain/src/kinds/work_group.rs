//! Work groups.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{
    Check, Field, Form, Kind, Published, Publishing, Source, State, copy, state,
};
use crate::kinds::codes::{GROUP_KINDS, MEMBER_STATUSES, PHASES};

/// A work group: teachers who meet over time, led by a system leader.
pub const WORK_GROUP: Kind = Kind {
    name: "work-group",
    title: "Work group",
    titles: "Work groups",
    form: Form::Document,
    spaces: &[SpaceKind::Hub, SpaceKind::Pair],
    writers: Writers::Members,
    fields: FIELDS,
    title_field: "title",
    columns: &["code", "project", "phase", "state"],
    searched: &["code", "title", "project", "narrative"],
    publishing: Some(Publishing {
        to: "group-summary",
        fields: PUBLISHED,
    }),
};

const FIELDS: &[Field] = &[
    Field::value("code", "Code", Check::Text(20)),
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value("kind", "Kind", Check::OneOf(GROUP_KINDS)).decide(),
    Field::value("phase", "Phase", Check::OneOf(PHASES)).decide(),
    Field::value("priority", "Priority", Check::Text(200)),
    Field::value("project", "Project", Check::Text(20)).help("The project's code."),
    Field::value("year", "Year", Check::AcademicYear),
    Field::state("state", "State", STATES),
    Field::places("places", "Places"),
    Field::list("leaders", "Leaders", LEADERS),
    Field::list("sessions", "Sessions", SESSIONS),
    Field::list("members", "Members", MEMBERS),
    Field::log("statuses", "Where members stand", STATUSES)
        .help("A sign-up is no completion: each status has the day it held from."),
    Field::log("attendance", "Attendance", ATTENDANCE),
    Field::list("ratings", "Ratings", RATINGS),
    Field::count("enquiries", "Enquiries"),
    Field::text("evidence", "Evidence"),
    Field::text("narrative", "What changed"),
    Field::text("notes", "The hub's own notes").hub(),
];

const STATES: &[State] = &[
    state("planned", &["recruiting", "cancelled"]),
    state("recruiting", &["running", "cancelled"]),
    state("running", &["completed", "cancelled"]),
    state("completed", &[]),
    state("cancelled", &["planned"]),
];

const LEADERS: &[Field] = &[
    Field::value("person", "Person", Check::Reference("person")).required(),
    Field::value(
        "role",
        "Role",
        Check::OneOf(&["lead", "co-lead", "emerging"]),
    ),
];

const SESSIONS: &[Field] = &[
    Field::value("date", "Date", Check::Date)
        .required()
        .decide(),
    Field::value("start", "Starts at", Check::Time).decide(),
    Field::value("venue", "Venue", Check::Text(200)),
    Field::value(
        "mode",
        "Mode",
        Check::OneOf(&["in person", "online", "both"]),
    ),
    Field::text("plan", "Plan"),
    Field::text("gap_task", "Gap task"),
    Field::state(
        "state",
        "State",
        &[
            state("planned", &["held", "moved", "cancelled"]),
            state("moved", &["held", "cancelled"]),
            state("held", &[]),
            state("cancelled", &["planned"]),
        ],
    ),
];

const MEMBERS: &[Field] = &[
    Field::value("organisation", "School or organisation", Check::Text(200)).required(),
    Field::value("urn", "URN", Check::Urn),
    Field::value("person", "Person", Check::Reference("person")),
    Field::value("role", "Role", Check::Text(100)),
];

const STATUSES: &[Field] = &[
    Field::value("member", "Member", Check::Text(60)).required(),
    Field::value("status", "Status", Check::OneOf(MEMBER_STATUSES)).required(),
    Field::value("as_at", "As at", Check::Date).required(),
];

const ATTENDANCE: &[Field] = &[
    Field::value("session", "Session", Check::Text(60)).required(),
    Field::value("member", "Member", Check::Text(60)).required(),
    Field::value("mark", "Mark", Check::OneOf(&["present", "absent", "part"])).required(),
];

const RATINGS: &[Field] = &[
    Field::value(
        "outcome",
        "Outcome",
        Check::OneOf(&[
            "professional learning",
            "practice",
            "pupils",
            "school policy",
        ]),
    )
    .required(),
    Field::value("rating", "Rating", Check::Number(1, 4))
        .required()
        .decide(),
];

const PUBLISHED: &[Published] = &[
    copy("code"),
    copy("title"),
    copy("kind"),
    copy("phase"),
    copy("project"),
    copy("year"),
    copy("state"),
    Published {
        to: "sessions_held",
        from: Source::CountItems {
            list: "sessions",
            field: "state",
            value: "held",
        },
    },
    count("accepted"),
    count("started"),
    count("withdrawn"),
    count("completed"),
    Published {
        to: "schools",
        from: Source::Schools {
            list: "members",
            log: "statuses",
        },
    },
];

const fn count(status: &'static str) -> Published {
    Published {
        to: status,
        from: Source::CountLatest {
            log: "statuses",
            about: "member",
            field: "status",
            value: status,
        },
    }
}
