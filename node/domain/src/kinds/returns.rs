//! Returns.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{
    Agreement, Check, Field, Kind, Published, Publishing, Rule, Section, Stage, State, Test, Watch,
    copies, copy, section, state,
};

/// What a hub reports: counts for a period, computed in the hub.
pub const RETURN: Kind = Kind {
    name: "return",
    title: "Return",
    titles: "Returns",
    about: "Counts for a period and a version of a measure, computed in the hub with small cells \
            suppressed, and submitted to the coordinator. A correction is a new return with its \
            reason.",
    spaces: &[SpaceKind::Hub, SpaceKind::Pair],
    writers: Writers::Members,
    fields: FIELDS,
    sections: SECTIONS,
    columns: &[
        "period",
        "measure",
        "measure_version",
        "as_at",
        "state",
        "hub",
    ],
    searched: &["title", "measure", "period"],
    filtered: &["replaces", "origin"],
    key: &["hub", "period", "measure", "measure_version", "as_at"],
    rules: &[
        Rule::Locked {
            state: "state",
            when: &["submitted", "accepted", "corrected"],
            fields: &["period", "measure", "measure_version", "as_at"],
            proposals: "",
        },
        Rule::Kept {
            list: "cells",
            fields: &["cell", "value", "suppressed"],
            when: ("", &[]),
        },
    ],
    watches: &[Watch {
        name: "differs",
        sentence: "the return is not what the published summaries say",
        test: Test::Differs,
    }],
    publishing: &[Publishing {
        to: "return",
        stage: Stage {
            from: SpaceKind::Hub,
            into: SpaceKind::Pair,
        },
        agreement: Agreement::OwnWord,
        fields: PUBLISHED,
        limits: &[],
        states: &["submitted", "corrected"],
        only: true,
    }],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section(
        "Return",
        &[
            "title",
            "period",
            "measure",
            "measure_version",
            "as_at",
            "state",
            "hub",
        ],
    ),
    section("Cells", &["cells"]),
    section("Correction", &["replaces", "reason"]),
];

const FIELDS: &[Field] = &[
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value("hub", "Hub", Check::Text(60))
        .names_hub()
        .by_program(),
    Field::value("period", "Period", Check::Text(40)).required(),
    Field::value("measure", "Measure", Check::Text(60)).required(),
    Field::value(
        "measure_version",
        "Version of the measure",
        Check::Number(1, 1_000),
    )
    .required(),
    Field::value("as_at", "As at", Check::Date).required(),
    Field::list("cells", "Cells", CELLS),
    Field::value("computed_at", "Computed at", Check::Text(40)).by_program(),
    Field::value("source_hash", "Hash of what was counted", Check::Text(64)).by_program(),
    Field::list("sources", "What was counted", SOURCES)
        .hub()
        .by_program(),
    Field::state("state", "State", STATES),
    Field::value("replaces", "Corrects return", Check::Text(64)),
    Field::value("reason", "Reason of the correction", Check::Text(1_000)),
    Field::value("origin", "Origin", Check::Text(64)).by_program(),
];

const STATES: &[State] = &[
    state("draft", &["submitted"]),
    state("submitted", &["accepted", "corrected"]),
    state("accepted", &["corrected"]),
    state("corrected", &[]),
];

const CELLS: &[Field] = &[
    Field::value("cell", "Cell", Check::Text(100)).required(),
    Field::value("value", "Count", Check::Number(0, 100_000_000)),
    Field::value("suppressed", "Suppressed", Check::YesNo),
];

const SOURCES: &[Field] = &[
    Field::value("record", "Record", Check::Text(64)).required(),
    Field::value("heads", "As it stood at", Check::Text(2_000)).required(),
];

const PUBLISHED: &[Published] = &[
    copy("title"),
    copy("hub"),
    copy("period"),
    copy("measure"),
    copy("measure_version"),
    copy("as_at"),
    copies("cells", &["cell", "value", "suppressed"]),
    copy("computed_at"),
    copy("source_hash"),
    copy("state"),
    copy("replaces"),
    copy("reason"),
];
