//! Projects as their hubs work on them.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{
    Check, Concerns, Field, Freezing, Kind, Rule, Section, State, Test, Watch, Wins, section, state,
};
use crate::kinds::codes::{COPIES, PHASES};

/// A project's working record, in the project's own space: what its hubs write together.
pub const PROJECT_WORK: Kind = Kind {
    name: "project-work",
    title: "Project record",
    titles: "Project records",
    about: "A project as its hubs work on it together: protocol, measures, participation, data \
            agreement and findings.",
    spaces: &[SpaceKind::Project],
    writers: Writers::Members,
    fields: FIELDS,
    sections: SECTIONS,
    title_field: "title",
    columns: &["code", "phase", "state"],
    searched: &["code", "title", "question", "protocol"],
    filtered: &["participation/hub"],
    key: &["code"],
    concerns: Concerns {
        roles: &["project lead", "hub lead"],
        persons: &[],
    },
    rules: &[
        Rule::OwnerSteps {
            state: "protocol_state",
            to: &["released"],
        },
        Rule::Settled {
            state: "protocol_state",
            to: &["released"],
            fields: &["protocol"],
            unless: "left_as_is",
        },
        Rule::Locked {
            state: "protocol_state",
            when: &["released"],
            fields: &["protocol"],
            proposals: "proposals",
        },
        Rule::Kept {
            list: "measures",
            fields: &["name", "version", "question"],
            when: ("state", &["running", "finished"]),
        },
        Rule::Names {
            list: "positions",
            field: "finding",
            of: "findings",
        },
    ],
    watches: &[
        Watch {
            name: "measure-changed",
            sentence: "a measure was changed while hubs were recording",
            test: Test::ChangedWhile {
                list: "measures",
                field: "question",
                state: "state",
                states: &["running"],
            },
        },
        Watch {
            name: "same-measure",
            sentence: "one version of a measure stands here twice",
            test: Test::Same {
                list: "measures",
                fields: &["name", "version"],
            },
        },
    ],
    frozen: Some(Freezing {
        state: "protocol_state",
        at: &["released"],
        copies: "releases",
        fields: &["protocol"],
    }),
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section("Project", &["title", "code", "question", "phase", "state"]),
    section("Protocol", &["protocol", "protocol_state", "left_as_is"]),
    section("Releases of the protocol", &["releases"]),
    section("Proposals for the protocol", &["proposals"]),
    section("Measures", &["measures"]),
    section("Taking part", &["participation"]),
    section("Findings", &["findings"]),
    section("Hubs for and against", &["positions"]),
    section(
        "Data agreement",
        &["agreed_fields", "agreement_until", "signatures"],
    ),
    section("Measurements recorded", &["recordings"]),
];

const FIELDS: &[Field] = &[
    Field::value("code", "Code", Check::Text(20)).required(),
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value("question", "Question", Check::Text(500)),
    Field::text("protocol", "Protocol")
        .decide()
        .help("The draft that the hubs write together; read-only once released."),
    Field::state(
        "protocol_state",
        "State of the protocol",
        &[
            state("drafting", &["released"]),
            state("released", &["drafting"]),
        ],
    ),
    Field::value(
        "left_as_is",
        "Open versions of the protocol are left to the text as it is",
        Check::YesNo,
    )
    .owner_only(),
    Field::log("releases", "Releases of the protocol", COPIES).by_program(),
    Field::log("proposals", "Proposals for the protocol", PROPOSALS),
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
    )
    .names_hub(),
    Field::count("recordings", "Measurements recorded"),
];

const STATES: &[State] = &[
    state("planned", &["running", "stopped"]),
    state("running", &["finished", "stopped"]),
    state("finished", &[]),
    state("stopped", &["planned"]),
];

const PROPOSALS: &[Field] = &[
    Field::author("hub", "Hub"),
    Field::value("field", "Of", Check::Text(60)).by_program(),
    Field::value("text", "Proposed text", Check::Text(40_000)).required(),
    Field::value("reason", "Reason", Check::Text(1_000)),
    Field::value("evidence", "Evidence", Check::Text(4_000)),
];

const MEASURES: &[Field] = &[
    Field::value("name", "Measure", Check::Text(120)).required(),
    Field::value("version", "Version", Check::Number(1, 1_000)),
    Field::text("question", "How it is taken"),
    Field::value("replaces", "Replaces version", Check::Number(1, 1_000)),
];

const PARTICIPATION: &[Field] = &[
    Field::value("hub", "Hub", Check::Text(60))
        .names_hub()
        .required(),
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
    Field::author("hub", "Found by"),
];

const POSITIONS: &[Field] = &[
    Field::value("finding", "Finding", Check::Text(60)).required(),
    Field::author("hub", "Hub"),
    Field::value("stance", "Stance", Check::OneOf(&["for", "against"])).required(),
    Field::value("reason", "Reason", Check::Text(1_000)),
    Field::value("evidence", "Evidence", Check::Text(4_000)),
];
