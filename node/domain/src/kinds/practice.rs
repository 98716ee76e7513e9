//! Practices.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{
    Agreement, Check, Field, Kind, Limit, Published, Publishing, Section, Source, Stage, State,
    Test, Watch, Wins, copies, copy, section, state,
};
use crate::kinds::codes::{LICENCES, PHASES};

/// A practice: an idea that was tried, captured and passed on.
pub const PRACTICE: Kind = Kind {
    name: "practice",
    title: "Practice",
    titles: "Practices",
    about: "Something that was tried and is passed on, one step at a time: from the hub to a \
            project, to all hubs, to the public.",
    spaces: &[SpaceKind::Hub, SpaceKind::Project, SpaceKind::Network],
    writers: Writers::Members,
    fields: FIELDS,
    sections: SECTIONS,
    title_field: "title",
    columns: &["phase", "state", "uses"],
    searched: &["title", "body", "tags"],
    filtered: &["tags", "fork_of", "first_made_by", "origin"],
    key: &["title", "first_made_by"],
    watches: &[Watch {
        name: "retired-while-adopted",
        sentence: "the practice was retired, and hubs have adopted it",
        test: Test::Standing {
            state: "state",
            states: &["retired"],
            list: "adoptions",
            of: ("", &[]),
        },
    }],
    publishing: &[
        Publishing {
            to: "practice",
            stage: Stage {
                from: SpaceKind::Hub,
                into: SpaceKind::Project,
            },
            agreement: Agreement::OwnWord,
            fields: PUBLISHED,
            limits: LIMITS,
            states: &[],
            only: false,
        },
        Publishing {
            to: "practice",
            stage: Stage {
                from: SpaceKind::Project,
                into: SpaceKind::Network,
            },
            agreement: Agreement::OwnWord,
            fields: PUBLISHED,
            limits: LIMITS,
            states: &["captured", "tested", "recommended"],
            only: false,
        },
    ],
    fork: &["title", "body", "phase", "tags", "licence"],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section(
        "Practice",
        &[
            "title", "body", "phase", "state", "tags", "licence", "group",
        ],
    ),
    section("Files", &["files"]),
    section("Adoptions", &["adoptions"]),
    section("Ratings", &["ratings"]),
    section("Use", &["uses", "named_hubs"]),
    section("Where it comes from", &["first_made_by", "fork_of"]),
];

const FIELDS: &[Field] = &[
    Field::value("title", "Title", Check::Text(200))
        .required()
        .decide(),
    Field::text("body", "What to do, and why"),
    Field::value("phase", "Phase", Check::OneOf(PHASES)),
    Field::state("state", "State", STATES),
    Field::set("tags", "Tags", Wins::Add, Check::Text(40)),
    Field::list("files", "Files", FILES),
    Field::value(
        "group",
        "Tried in work group",
        Check::Reference("work-group"),
    )
    .hub(),
    Field::value("first_made_by", "First made by", Check::Text(60))
        .names_hub()
        .by_program(),
    Field::value("origin", "Origin", Check::Text(200)).by_program(),
    Field::value("fork_of", "Made from", Check::Reference("practice")).by_program(),
    Field::value(
        "fork_heads",
        "Made from it as it stood at",
        Check::Text(2_000),
    )
    .by_program(),
    Field::log("adoptions", "Adoptions", ADOPTIONS),
    Field::log("ratings", "Ratings", RATINGS),
    Field::count("uses", "Uses"),
    Field::set(
        "named_hubs",
        "Hubs that agree to be named",
        Wins::Remove,
        Check::Text(60),
    )
    .names_hub(),
    Field::value("licence", "Licence", Check::OneOf(LICENCES)),
];

const STATES: &[State] = &[
    state("idea", &["trial", "retired"]),
    state("trial", &["captured", "idea", "retired"]),
    state("captured", &["tested", "retired"]),
    state("tested", &["recommended", "captured", "retired"]),
    state("recommended", &["retired"]),
    state("retired", &["idea"]),
];

const ADOPTIONS: &[Field] = &[
    Field::author("hub", "Hub"),
    Field::value("context", "Context", Check::Text(500)).required(),
    Field::value("result", "Result", Check::Text(1_000)),
];

const RATINGS: &[Field] = &[
    Field::author("hub", "Hub"),
    Field::value("rating", "Rating", Check::Number(1, 5)).required(),
];

const FILES: &[Field] = &[
    Field::value("name", "File", Check::Text(200)).required(),
    Field::value("bytes", "Bytes", Check::Number(0, 1_000_000_000_000)).required(),
    Field::value("hash", "Hash", Check::Text(64)),
];

const LIMITS: &[Limit] = &[Limit {
    list: "files",
    field: "bytes",
    most: 10_000_000,
    what: "files of at most 10 MB",
}];

const PUBLISHED: &[Published] = &[
    copy("title"),
    copy("body"),
    copy("phase"),
    copy("state"),
    copy("tags"),
    copy("licence"),
    copies("files", &["name", "bytes", "hash"]),
    Published {
        to: "first_made_by",
        from: Source::FirstMadeBy("first_made_by"),
    },
    copy("fork_of"),
];
