//! Work groups.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{
    Agreement, Check, Concerns, Dated, Field, Kind, Published, Publishing, Rule, Section, Source,
    Stage, State, Test, Watch, copy, section, state,
};
use crate::kinds::codes::{GROUP_KINDS, HELD, MEMBER_STATUSES, OUTCOMES, PHASES};

/// A work group: teachers who meet over time, led by a system leader.
pub const WORK_GROUP: Kind = Kind {
    name: "work-group",
    title: "Work group",
    titles: "Work groups",
    about: "Teachers who meet over time, led by a system leader: sessions, members and where they \
            stand, attendance, evidence and evaluation.",
    spaces: &[SpaceKind::Hub, SpaceKind::Pair],
    writers: Writers::Members,
    fields: FIELDS,
    sections: SECTIONS,
    title_field: "title",
    columns: &["code", "project", "phase", "state"],
    searched: &["code", "title", "project", "narrative"],
    filtered: &[
        "year",
        "priority",
        "plan_item",
        "members/urn",
        "leaders/person",
        "members/person",
    ],
    key: &["code", "title", "year"],
    concerns: Concerns {
        roles: &["administrator"],
        persons: &["leaders/person"],
    },
    rules: &[
        Rule::Spends {
            log: "statuses",
            about: "member",
            field: "status",
            values: &["accepted", "started", "completed"],
            places: "places",
            count: "",
            otherwise: "waiting",
        },
        Rule::Names {
            list: "statuses",
            field: "member",
            of: "members",
        },
        Rule::Names {
            list: "attendance",
            field: "session",
            of: "sessions",
        },
        Rule::Names {
            list: "attendance",
            field: "member",
            of: "members",
        },
    ],
    watches: &[
        Watch {
            name: "two-ratings",
            sentence: "two leaders rate the same outcome differently",
            test: Test::Disagree {
                list: "ratings",
                about: &["outcome"],
                field: "rating",
            },
        },
        Watch {
            name: "withdrawn-and-completed",
            sentence: "somebody stands as withdrawn and as completed",
            test: Test::Exclude {
                log: "statuses",
                about: "member",
                field: "status",
                values: ("withdrawn", "completed"),
            },
        },
        Watch {
            name: "two-marks",
            sentence: "one person has two different marks for one session",
            test: Test::Disagree {
                list: "attendance",
                about: &["session", "member"],
                field: "mark",
            },
        },
    ],
    dated: Some(Dated {
        list: "sessions",
        date: "date",
        start: "start",
        venue: "venue",
        state: "state",
    }),
    publishing: &[Publishing {
        to: "group-summary",
        stage: Stage {
            from: SpaceKind::Hub,
            into: SpaceKind::Project,
        },
        agreement: Agreement::Signed,
        fields: PUBLISHED,
        limits: &[],
        states: &[],
        only: true,
    }],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section(
        "Work group",
        &[
            "title",
            "code",
            "kind",
            "phase",
            "year",
            "state",
            "priority",
            "plan_item",
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
    section("Places and enquiries", &["places", "enquiries"]),
    section("Leaders", &["leaders"]),
    section("Sessions", &["sessions"]),
    section("Members", &["members"]),
    section("Where members stand", &["statuses"]),
    section("Attendance", &["attendance"]),
    section("Evidence and what changed", &["evidence", "narrative"]),
    section("Ratings", &["ratings"]),
    section("Reflections", &["reflections"]),
    section("The hub's own notes", &["notes"]),
];

const FIELDS: &[Field] = &[
    Field::value("code", "Code", Check::Text(20)),
    Field::value("title", "Title", Check::Text(200))
        .required()
        .aliases(&["work group", "group", "name"]),
    Field::value("kind", "Kind", Check::OneOf(GROUP_KINDS)).decide(),
    Field::value("phase", "Phase", Check::OneOf(PHASES)).decide(),
    Field::value("priority", "Priority", Check::Text(200)),
    Field::value("plan_item", "Plan item", Check::Text(200))
        .help("The item of the year's plan that it carries out, as the plan calls it."),
    Field::value("project", "Project", Check::Text(20)).help("The project's code."),
    Field::value(
        "protocol_version",
        "Version of the protocol",
        Check::Number(1, 1_000),
    )
    .decide(),
    Field::value(
        "measure_version",
        "Version of the measures",
        Check::Number(1, 1_000),
    )
    .decide(),
    Field::value("adaptations", "Adaptations", Check::Text(2_000)),
    Field::value("year", "Year", Check::AcademicYear),
    Field::state("state", "State", STATES),
    Field::places("places", "Places"),
    Field::list("leaders", "Leaders", LEADERS).aliases(&["lead", "led by", "work group lead"]),
    Field::list("sessions", "Sessions", SESSIONS),
    Field::list("members", "Members", MEMBERS),
    Field::log("statuses", "Where members stand", STATUSES)
        .help("A sign-up is no completion: each status has the day it held from."),
    Field::log("attendance", "Attendance", ATTENDANCE),
    Field::list("ratings", "Ratings", RATINGS),
    Field::count("enquiries", "Enquiries"),
    Field::text("evidence", "Evidence"),
    Field::list("reflections", "Reflections", REFLECTIONS).hub(),
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
    Field::value("minutes", "Minutes long", Check::Number(1, 1_440)),
    Field::value("venue", "Venue", Check::Text(200)),
    Field::value("moved_because", "Moved because", Check::Text(500)),
    Field::value(
        "mode",
        "Mode",
        Check::OneOf(&["in person", "online", "both"]),
    ),
    Field::text("plan", "Plan"),
    Field::text("gap_task", "Gap task"),
    Field::state("state", "State", HELD),
];

const MEMBERS: &[Field] = &[
    Field::value("organisation", "School or organisation", Check::Text(200))
        .required()
        .aliases(&["school", "school name", "organisation"]),
    Field::value("urn", "URN", Check::Urn).aliases(&["school urn"]),
    Field::value("person", "Person", Check::Reference("person")).identifies(),
    Field::value("role", "Role", Check::Text(100)).identifies(),
];

const STATUSES: &[Field] = &[
    Field::value("member", "Member", Check::Text(60)).required(),
    Field::value("status", "Status", Check::OneOf(MEMBER_STATUSES)).required(),
    Field::value("as_at", "As at", Check::Date).required(),
];

const ATTENDANCE: &[Field] = &[
    Field::value("session", "Session", Check::Text(60)).required(),
    Field::value("member", "Member", Check::Text(60)).required(),
    Field::value(
        "mark",
        "Mark",
        Check::OneOf(&["present", "absent", "part", "substitute"]),
    )
    .required(),
];

const REFLECTIONS: &[Field] = &[
    Field::value("person", "Person", Check::Reference("person")),
    Field::text("text", "Reflection"),
    Field::value("file", "File", Check::Text(200)),
    Field::value("bytes", "Bytes", Check::Number(0, 1_000_000_000_000)),
];

const RATINGS: &[Field] = &[
    Field::value("leader", "Leader", Check::Reference("person")).identifies(),
    Field::value("outcome", "Outcome", Check::OneOf(OUTCOMES)).required(),
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
    copy("protocol_version"),
    copy("measure_version"),
    copy("adaptations"),
    Published {
        to: "outcomes",
        from: Source::Means {
            list: "ratings",
            by: "outcome",
            field: "rating",
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
