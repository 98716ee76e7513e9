//! Plans.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{
    Agreement, Check, Field, Freezing, Kind, Published, Publishing, Ranking, Rule, Section, Source,
    Stage, State, Test, Watch, copies, copy, section, state,
};
use crate::kinds::codes::{BUDGET, COPIES, DECISIONS, OUTCOMES, PHASES};

/// A hub's plan for a year. Each submitted copy stands in the space of the hub and the
/// coordinator.
pub const PLAN: Kind = Kind {
    name: "plan",
    title: "Plan",
    titles: "Plans",
    about: "What a hub means to do in a year: needs, ranked priorities, items, and at the end its \
            impact. A copy is kept for good at each step, and the submitted one goes to the \
            coordinator.",
    spaces: &[SpaceKind::Hub, SpaceKind::Pair],
    writers: Writers::Members,
    fields: FIELDS,
    sections: SECTIONS,
    columns: &["year", "state"],
    searched: &["title", "needs", "priorities", "items", "impact"],
    filtered: &["origin"],
    key: &["year", "title"],
    rules: &[
        Rule::Needs {
            state: "state",
            to: &["submitted"],
            fields: &["year", "priorities", "items"],
        },
        Rule::Names {
            list: "severities",
            field: "need",
            of: "needs",
        },
    ],
    watches: &[
        Watch {
            name: "edited-after",
            sentence: "the plan was edited after it was submitted",
            test: Test::ChangedSince {
                states: &["submitted", "agreed"],
            },
        },
        Watch {
            name: "two-outcomes",
            sentence: "one decision was entered with different outcomes",
            test: Test::Disagree {
                list: "decisions",
                about: &["about", "meeting"],
                field: "outcome",
            },
        },
    ],
    frozen: Some(Freezing {
        state: "state",
        at: &["board", "submitted", "returned", "agreed", "amended"],
        copies: "copies",
        fields: &[
            "title",
            "year",
            "needs",
            "priorities",
            "items",
            "outcomes",
            "impact",
            "lessons",
        ],
    }),
    ranking: Some(Ranking {
        list: "needs",
        scores: "severities",
        about: "need",
        by: "member",
        score: "severity",
        decisions: "decisions",
    }),
    publishing: &[Publishing {
        to: "plan",
        stage: Stage {
            from: SpaceKind::Hub,
            into: SpaceKind::Pair,
        },
        agreement: Agreement::OwnWord,
        fields: PUBLISHED,
        limits: &[],
        states: &["submitted", "agreed", "amended"],
        only: true,
    }],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section("Plan", &["title", "year", "state"]),
    section("Needs", &["needs"]),
    section("How severe members find them", &["severities"]),
    section("Priorities", &["priorities"]),
    section("What is planned", &["items"]),
    section("Impact", &["impact", "lessons"]),
    section("Impact by outcome", &["outcomes"]),
    section("Comments", &["comments"]),
    section("The board's comments", &["board_comments"]),
    section("Decisions", &["decisions"]),
    section("Kept copies", &["copies"]),
];

const FIELDS: &[Field] = &[
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value("year", "Year", Check::AcademicYear),
    Field::list("needs", "Needs", NEEDS),
    Field::log("severities", "How severe members find them", SEVERITIES).hub(),
    Field::list("priorities", "Priorities", PRIORITIES),
    Field::list("items", "Items", ITEMS),
    Field::state("state", "State", STATES),
    Field::log("copies", "Kept copies", COPIES).by_program(),
    Field::log("comments", "Comments", COMMENTS),
    Field::log("board_comments", "The board's comments", BOARD_COMMENTS).hub(),
    Field::log("decisions", "Decisions", DECISIONS).hub(),
    Field::list("outcomes", "Impact by outcome", IMPACT),
    Field::text("impact", "Impact at the year's end"),
    Field::text("lessons", "Lessons"),
    Field::value("copy_hash", "Hash of the kept copy", Check::Text(64)).by_program(),
    Field::value("origin", "Origin", Check::Text(64)).by_program(),
];

const STATES: &[State] = &[
    state("draft", &["board"]),
    state("board", &["draft", "submitted"]),
    state("submitted", &["returned", "agreed"]),
    state("returned", &["submitted"]),
    state("agreed", &["amended"]),
    state("amended", &["submitted", "agreed"]),
];

const NEEDS: &[Field] = &[
    Field::value("statement", "Need", Check::Text(1_000)).required(),
    Field::value("evidence", "Evidence", Check::Text(2_000)),
    Field::value("phase", "Phase", Check::OneOf(PHASES)),
    Field::value("raised_at", "Raised at", Check::Text(200)),
];

const SEVERITIES: &[Field] = &[
    Field::value("need", "Need", Check::Text(60)).required(),
    Field::value("member", "Member", Check::Reference("person")).required(),
    Field::value("severity", "Severity", Check::Number(1, 5)).required(),
];

const PRIORITIES: &[Field] = &[
    Field::value("title", "Priority", Check::Text(200))
        .required()
        .decide(),
    Field::value("national", "National priority", Check::Text(200)),
    Field::value("needs", "From needs", Check::Text(500)),
    Field::value("rank", "Rank", Check::Number(1, 100)).decide(),
];

const ITEMS: &[Field] = &[
    Field::value("title", "What", Check::Text(200)).required(),
    Field::value("priority", "Priority", Check::Text(200)),
    Field::value("project", "Project or local", Check::Text(20)),
    Field::value("groups", "Work groups planned", Check::Number(0, 1_000)),
    Field::value("schools", "Schools aimed at", Check::Number(0, 10_000)),
    Field::value("money", "Money", BUDGET).decide(),
    Field::value("outcome", "Outcome", Check::Text(500)),
];

const COMMENTS: &[Field] = &[
    Field::author("hub", "By"),
    Field::value("text", "Comment", Check::Text(4_000)).required(),
    Field::value("on", "On", Check::Date),
];

const BOARD_COMMENTS: &[Field] = &[
    Field::value("member", "Member", Check::Reference("person")),
    Field::value("text", "Comment", Check::Text(4_000)).required(),
];

const IMPACT: &[Field] = &[
    Field::value("outcome", "Outcome", Check::OneOf(OUTCOMES)).required(),
    Field::value("rating", "Rating in hundredths", Check::Number(100, 400)),
    Field::value("groups", "From work groups", Check::Number(0, 10_000)),
    Field::text("narrative", "What changed"),
];

const PUBLISHED: &[Published] = &[
    copy("title"),
    copy("year"),
    copies("needs", &["statement", "evidence", "phase"]),
    copies("priorities", &["title", "national", "rank"]),
    copies(
        "items",
        &[
            "title", "priority", "project", "groups", "schools", "money", "outcome",
        ],
    ),
    copies("outcomes", &["outcome", "rating", "groups", "narrative"]),
    copy("impact"),
    copy("lessons"),
    copy("state"),
    Published {
        to: "copy_hash",
        from: Source::FrozenHash,
    },
];
