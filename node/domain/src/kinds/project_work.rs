//! Projects as their hubs work on them.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{Check, Field, Form, Kind, State, Wins, state};
use crate::kinds::codes::PHASES;

/// A project's working record, in the project's own space: what its hubs write together.
pub const PROJECT_WORK: Kind = Kind {
    name: "project-work",
    title: "Project record",
    titles: "Project records",
    form: Form::Document,
    spaces: &[SpaceKind::Project],
    writers: Writers::Members,
    fields: FIELDS,
    title_field: "title",
    columns: &["code", "phase", "state"],
    searched: &["code", "title", "question", "protocol"],
    publishing: None,
};

const FIELDS: &[Field] = &[
    Field::value("code", "Code", Check::Text(20)).required(),
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value("question", "Question", Check::Text(500)),
    Field::text("protocol", "Protocol").help("The draft that the hubs write together."),
    Field::list("releases", "Releases of the protocol", RELEASES).owner_only(),
    Field::value("phase", "Phase tried first", Check::OneOf(PHASES)).decide(),
    Field::state("state", "State", STATES),
    Field::list("measures", "Measures", MEASURES),
    Field::list("participation", "Taking part", PARTICIPATION),
    Field::log("findings", "Findings", FINDINGS),
    Field::log("positions", "Hubs for and against", POSITIONS)
        .help("Dissent is kept, never merged away."),
    Field::set(
        "agreed_fields",
        "Fields that the data agreement lists",
        Wins::Remove,
        Check::Text(60),
    ),
    Field::value("agreement_until", "Data agreement until", Check::Date).decide(),
    Field::set(
        "signatures",
        "Hubs that signed the agreement",
        Wins::Remove,
        Check::Text(60),
    ),
    Field::count("recordings", "Measurements recorded"),
];

const STATES: &[State] = &[
    state("planned", &["running", "stopped"]),
    state("running", &["finished", "stopped"]),
    state("finished", &[]),
    state("stopped", &["planned"]),
];

const RELEASES: &[Field] = &[
    Field::value("version", "Version", Check::Text(20)).required(),
    Field::value("released", "Released on", Check::Date).required(),
    Field::text("text", "Text"),
];

const MEASURES: &[Field] = &[
    Field::value("name", "Measure", Check::Text(120)).required(),
    Field::value("version", "Version", Check::Number(1, 1_000)),
    Field::text("question", "How it is taken"),
];

const PARTICIPATION: &[Field] = &[
    Field::value("hub", "Hub", Check::Text(60)).required(),
    Field::state(
        "status",
        "Status",
        &[
            state("invited", &["joined", "left"]),
            state("joined", &["active", "left"]),
            state("active", &["left"]),
            state("left", &["joined"]),
        ],
    ),
    Field::value("quota", "Groups planned", Check::Number(0, 1_000)),
    Field::text("adaptations", "Adaptations"),
];

const FINDINGS: &[Field] = &[
    Field::value("claim", "Claim", Check::Text(1_000)).required(),
    Field::value("evidence", "Evidence", Check::Text(4_000)),
];

const POSITIONS: &[Field] = &[
    Field::value("finding", "Finding", Check::Text(60)).required(),
    Field::value("hub", "Hub", Check::Text(60)).required(),
    Field::value("stance", "Stance", Check::OneOf(&["for", "against"])).required(),
    Field::value("reason", "Reason", Check::Text(1_000)),
];
