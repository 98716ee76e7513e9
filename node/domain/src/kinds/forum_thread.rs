//! Forum threads.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{
    Check, Concerns, Field, Freezing, Kind, Released, Rule, Section, State, Test, Watch, Wins,
    section, state,
};

/// A thread of the national forum.
pub const FORUM_THREAD: Kind = Kind {
    name: "forum-thread",
    title: "Forum thread",
    titles: "Forum threads",
    about: "A matter on which hub leads exchange or answer together. Guests see a joint position \
            once it is sent, with the hubs that endorse exactly that text.",
    spaces: &[SpaceKind::Forum],
    writers: Writers::Members,
    fields: FIELDS,
    sections: SECTIONS,
    columns: &["kind", "state", "due"],
    searched: &["title", "question", "posts", "position"],
    filtered: &["asked_by"],
    key: &["title"],
    concerns: Concerns {
        roles: &["hub lead"],
        persons: &[],
    },
    rules: &[Rule::Needs {
        state: "state",
        to: &["sent"],
        fields: &["position"],
    }],
    watches: &[Watch {
        name: "stale-endorsements",
        sentence: "hubs endorsed another text than the one that stands here now",
        test: Test::Stale {
            set: "endorsements",
            text: "position",
        },
    }],
    frozen: Some(Freezing {
        state: "state",
        at: &["sent"],
        copies: "copies",
        fields: &["position"],
    }),
    released: Some(Released {
        fields: &["title", "kind", "question", "asked_by", "due"],
        endorsed: ("position", "endorsements"),
    }),
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section(
        "Thread",
        &["title", "kind", "question", "asked_by", "due", "state"],
    ),
    section("Posts", &["posts"]),
    section("Joint position", &["position", "endorsements"]),
    section("Positions sent", &["copies"]),
];

const FIELDS: &[Field] = &[
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value(
        "kind",
        "Kind",
        Check::OneOf(&["practice", "question", "consultation", "announcement"]),
    ),
    Field::text("question", "Question"),
    Field::value("asked_by", "Asked by", Check::Text(200))
        .help("A body, such as a ministry; never a person's name."),
    Field::value("due", "Due", Check::Date).decide(),
    Field::log("posts", "Posts", POSTS),
    Field::text("position", "Joint position").decide(),
    Field::set(
        "endorsements",
        "Hubs that endorse the position",
        Wins::Remove,
        Check::Text(60),
    )
    .names_hub(),
    Field::state("state", "State", STATES),
    Field::log("copies", "Positions sent", crate::kinds::codes::COPIES).by_program(),
];

const STATES: &[State] = &[
    state("open", &["drafting", "answered"]),
    state("drafting", &["sent", "open"]),
    state("sent", &["answered", "drafting"]),
    state("answered", &["drafting"]),
];

const POSTS: &[Field] = &[
    Field::author("hub", "Hub"),
    Field::text("text", "Post"),
    Field::value("practice", "About practice", Check::Reference("practice")),
    Field::value("on", "On", Check::Date),
];
