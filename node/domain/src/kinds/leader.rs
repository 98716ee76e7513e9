//! Leaders: their cards, and the days that they offer.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{
    Agreement, Check, Concerns, Counting, Field, Form, Kind, Publishing, Rule, Section, Stage,
    Test, Watch, Wins, copy, section,
};
use crate::kinds::codes::PHASES;

/// A system leader. The card stands in the hub, and in the network while the person wishes it.
pub const LEADER: Kind = Kind {
    name: "leader",
    title: "Leader",
    titles: "Leaders",
    about: "A system leader. The hub's card is published to every hub by the person's own opt-in, \
            and taken back as soon as it is withdrawn.",
    form: Form::Card,
    spaces: &[SpaceKind::Hub, SpaceKind::Network],
    fields: FIELDS,
    sections: SECTIONS,
    title_field: "name",
    columns: &["base", "roles", "phases", "strengths"],
    searched: &[
        "name",
        "base",
        "strengths",
        "phases",
        "areas",
        "roles",
        "on_teaching",
        "on_teachers",
        "on_development",
    ],
    filtered: &["person", "origin"],
    key: &["name", "base"],
    concerns: Concerns {
        roles: &["hub lead"],
        persons: &["person"],
    },
    counted: &[
        Counting {
            field: "groups_led",
            kind: "work-group",
            refers: "leaders/person",
            by: "person",
            standing: ("state", &[]),
        },
        Counting {
            field: "groups_completed",
            kind: "work-group",
            refers: "leaders/person",
            by: "person",
            standing: ("state", &["completed"]),
        },
    ],
    publishing: &[Publishing {
        to: "leader",
        stage: Stage {
            from: SpaceKind::Hub,
            into: SpaceKind::Network,
        },
        agreement: Agreement::OptIn("opted_in"),
        fields: &[
            copy("name"),
            copy("base"),
            copy("roles"),
            copy("accreditation_until"),
            copy("on_teaching"),
            copy("on_teachers"),
            copy("on_development"),
            copy("strengths"),
            copy("phases"),
            copy("areas"),
            copy("beyond"),
            copy("groups_led"),
            copy("groups_completed"),
        ],
        limits: &[],
        states: &[],
        only: true,
    }],
    ..Kind::BASE
};

/// The days that a leader offers to other hubs, who asks for them, and what the leader's own hub
/// answered. It names the card and never the person.
pub const LEADER_DAYS: Kind = Kind {
    name: "leader-days",
    title: "Leader's days",
    titles: "Leaders' days",
    about: "The days that a leader offers in a term. Any hub may ask; the leader's own hub \
            confirms, and never more than there are.",
    spaces: &[SpaceKind::Network],
    writers: Writers::Members,
    fields: DAYS,
    sections: DAYS_SECTIONS,
    columns: &["term", "days"],
    searched: &["title", "term"],
    filtered: &["leader", "offer"],
    key: &["leader", "term"],
    rules: &[
        Rule::Spends {
            log: "answers",
            about: "request",
            field: "answer",
            values: &["confirmed"],
            places: "days",
            count: "days",
            otherwise: "declined",
        },
        Rule::Names {
            list: "answers",
            field: "request",
            of: "requests",
        },
    ],
    watches: &[
        Watch {
            name: "more-than-left",
            sentence: "hubs ask for more days than are left, and the leader's hub has to choose",
            test: Test::Asked {
                list: "requests",
                count: "days",
                answers: ("answers", "request"),
                places: "days",
            },
        },
        Watch {
            name: "withdrawn-while-booked",
            sentence: "the offer was withdrawn, and days of it are confirmed",
            test: Test::Standing {
                state: "offer",
                states: &["withdrawn"],
                list: "answers",
                of: ("answer", &["confirmed"]),
            },
        },
    ],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section(
        "Leader",
        &[
            "name",
            "person",
            "base",
            "roles",
            "accreditation_until",
            "phases",
        ],
    ),
    section("Strengths", &["strengths", "areas", "beyond"]),
    section(
        "In their own words",
        &["on_teaching", "on_teachers", "on_development"],
    ),
    section("Work groups so far", &["groups_led", "groups_completed"]),
    section("Directory for other hubs", &["opted_in"]),
    section("The hub's own notes", &["notes"]),
];

const DAYS_SECTIONS: &[Section] = &[
    section(
        "What is offered",
        &[
            "title", "leader", "term", "days", "phase", "phases", "offer",
        ],
    ),
    section("Requests", &["requests"]),
    section("Answers", &["answers"]),
];

const FIELDS: &[Field] = &[
    Field::value("name", "Name", Check::Text(200))
        .required()
        .personal(),
    Field::value("person", "Person", Check::Reference("person")).hub(),
    Field::value("base", "Base", Check::Text(200)).personal(),
    Field::value("roles", "Roles and accreditation", Check::Text(300))
        .personal()
        .help("LLME, PD lead, SLE, mastery specialist, emerging; separated by commas."),
    Field::value("accreditation_until", "Accredited until", Check::Date).personal(),
    Field::value(
        "on_teaching",
        "How maths is taught and learnt",
        Check::Text(1_000),
    )
    .personal(),
    Field::value(
        "on_teachers",
        "How teachers are nurtured",
        Check::Text(1_000),
    )
    .personal(),
    Field::value(
        "on_development",
        "How professional development helps",
        Check::Text(1_000),
    )
    .personal(),
    Field::value("strengths", "Strengths", Check::Text(500)).personal(),
    Field::value("phases", "Phases", Check::Text(200))
        .personal()
        .help("Such as: primary, secondary."),
    Field::value("areas", "Areas", Check::Text(500)).personal(),
    Field::value("beyond", "Reach beyond the own hub", Check::Text(500)).personal(),
    Field::value("groups_led", "Work groups led", Check::Number(0, 10_000)).by_program(),
    Field::value(
        "groups_completed",
        "Work groups completed",
        Check::Number(0, 10_000),
    )
    .by_program(),
    Field::value(
        "opted_in",
        "Wishes to be found by other hubs",
        Check::Consent,
    )
    .personal()
    .help("The person's own word. A no beats every yes, whichever came first."),
    Field::value("notes", "The hub's own notes", Check::Text(2_000)).hub(),
    Field::value("origin", "Origin", Check::Text(64)).by_program(),
];

const DAYS: &[Field] = &[
    Field::value("title", "What is offered", Check::Text(200)).required(),
    Field::value("leader", "Leader", Check::Reference("leader")).required(),
    Field::value("term", "Term", Check::Text(40)).required(),
    Field::value("phase", "Phase", Check::OneOf(PHASES)),
    Field::places("days", "Days"),
    Field::log("requests", "Requests", REQUESTS),
    Field::log("answers", "Answers", ANSWERS).owner_only(),
    Field::state(
        "offer",
        "Offer",
        &[
            crate::declaration::state("open", &["withdrawn"]),
            crate::declaration::state("withdrawn", &["open"]),
        ],
    )
    .owner_only(),
    Field::set("phases", "Phases", Wins::Add, Check::OneOf(PHASES)),
];

const REQUESTS: &[Field] = &[
    Field::author("hub", "Hub"),
    Field::value("days", "Days", Check::Number(1, 200)).required(),
    Field::value("need", "What for", Check::Text(500)).required(),
    Field::value("from", "From", Check::Date),
];

const ANSWERS: &[Field] = &[
    Field::value("request", "Request", Check::Text(60)).required(),
    Field::value(
        "answer",
        "Answer",
        Check::OneOf(&["confirmed", "declined", "cancelled"]),
    )
    .required(),
    Field::value("days", "Days", Check::Number(1, 200)).required(),
    Field::value("reason", "Reason", Check::Text(500)),
];
