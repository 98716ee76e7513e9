//! Practices.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{Check, Field, Form, Kind, State, Wins, state};
use crate::kinds::codes::PHASES;

/// A practice: an idea that was tried, captured and passed on.
pub const PRACTICE: Kind = Kind {
    name: "practice",
    title: "Practice",
    titles: "Practices",
    form: Form::Document,
    spaces: &[SpaceKind::Hub, SpaceKind::Project, SpaceKind::Network],
    writers: Writers::Members,
    fields: FIELDS,
    title_field: "title",
    columns: &["phase", "state", "uses"],
    searched: &["title", "body", "tags"],
    publishing: None,
};

const FIELDS: &[Field] = &[
    Field::value("title", "Title", Check::Text(200))
        .required()
        .decide(),
    Field::text("body", "What to do, and why"),
    Field::value("phase", "Phase", Check::OneOf(PHASES)),
    Field::state("state", "State", STATES),
    Field::set("tags", "Tags", Wins::Add, Check::Text(40)),
    Field::value("origin", "Origin", Check::Text(200)),
    Field::value("fork_of", "Made from", Check::Reference("practice")),
    Field::log("adoptions", "Adoptions", ADOPTIONS),
    Field::log("ratings", "Ratings", RATINGS),
    Field::count("uses", "Uses"),
    Field::set(
        "named_hubs",
        "Hubs that agree to be named",
        Wins::Remove,
        Check::Text(60),
    ),
    Field::value(
        "licence",
        "Licence",
        Check::OneOf(&["OGL 3.0", "CC BY 4.0", "all rights reserved"]),
    ),
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
    Field::value("hub", "Hub", Check::Text(60)).required(),
    Field::value("context", "Context", Check::Text(500)),
    Field::value("result", "Result", Check::Text(1_000)),
];

const RATINGS: &[Field] = &[
    Field::value("hub", "Hub", Check::Text(60)).required(),
    Field::value("rating", "Rating", Check::Number(1, 5)).required(),
];
