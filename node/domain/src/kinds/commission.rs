//! Commissions.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{Check, Field, Kind, Rule, Section, State, Test, Watch, section, state};
use crate::kinds::codes::{BUDGET, MONEY};

/// What a hub asks a partner to do, with the money and the roles that it passes on.
pub const COMMISSION: Kind = Kind {
    name: "commission",
    title: "Commission",
    titles: "Commissions",
    about: "What a hub asks a partner to do: deliverables, delegated roles and a ledger to which \
            lines are only ever added.",
    spaces: &[SpaceKind::Hub],
    writers: Writers::Members,
    fields: FIELDS,
    sections: SECTIONS,
    columns: &["partner", "model", "budget", "state"],
    searched: &["title", "what"],
    filtered: &["plan", "delegations/group"],
    key: &["title"],
    rules: &[
        Rule::Needs {
            state: "state",
            to: &["offered"],
            fields: &["partner", "budget"],
        },
        Rule::Locked {
            state: "state",
            when: &["accepted", "active", "closed"],
            fields: &["budget", "partner", "model"],
            proposals: "",
        },
    ],
    watches: &[
        Watch {
            name: "same-invoice",
            sentence: "the same invoice was entered twice",
            test: Test::Same {
                list: "money",
                fields: &["kind", "reference", "pence"],
            },
        },
        Watch {
            name: "over-budget",
            sentence: "more is committed than the budget holds",
            test: Test::Over {
                log: "money",
                sum: "pence",
                of: ("kind", &["commitment", "correction"]),
                limit: "budget",
            },
        },
    ],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section("Commission", &["title", "partner", "what", "state"]),
    section(
        "Money and terms",
        &["budget", "model", "year", "plan", "plan_item"],
    ),
    section("Deliverables", &["deliverables"]),
    section("Money lines", &["money"]),
    section("Delegated roles", &["delegations"]),
    section("The hub's own notes", &["notes"]),
];

const FIELDS: &[Field] = &[
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value("plan", "Plan", Check::Reference("plan")),
    Field::value("plan_item", "Plan item", Check::Text(60)),
    Field::value("partner", "Partner", Check::Reference("partner")),
    Field::text("what", "What"),
    Field::value("model", "Model", Check::OneOf(&["direct", "franchise"])).decide(),
    Field::value("year", "Year", Check::AcademicYear),
    Field::value("budget", "Budget", BUDGET).decide(),
    Field::list("delegations", "Delegated roles", DELEGATIONS)
        .help("The partner's staff act in this role for this work group, until the day."),
    Field::list("deliverables", "Deliverables", DELIVERABLES),
    Field::log("money", "Money lines", MONEY_LINES).help("A correction is a new line."),
    Field::state("state", "State", STATES),
    Field::text("notes", "The hub's own notes").hub(),
];

const STATES: &[State] = &[
    state("draft", &["offered", "withdrawn"]),
    state("offered", &["accepted", "withdrawn"]),
    state("accepted", &["active", "withdrawn"]),
    state("active", &["closed", "withdrawn"]),
    state("closed", &[]),
    state("withdrawn", &["draft"]),
];

const DELEGATIONS: &[Field] = &[
    Field::value("group", "Work group", Check::Reference("work-group")).required(),
    Field::value(
        "role",
        "Role",
        Check::OneOf(&["administrator", "work group lead"]),
    )
    .required(),
    Field::value("from", "From", Check::Date),
    Field::value("until", "Until", Check::Date)
        .required()
        .decide(),
];

const DELIVERABLES: &[Field] = &[
    Field::value("title", "Deliverable", Check::Text(200)).required(),
    Field::value("due", "Due", Check::Date),
    Field::state(
        "state",
        "State",
        &[
            state("planned", &["done"]),
            state("done", &["accepted", "planned"]),
            state("accepted", &[]),
        ],
    ),
    Field::text("evidence", "Evidence"),
];

const MONEY_LINES: &[Field] = &[
    Field::value(
        "kind",
        "Kind",
        Check::OneOf(&["commitment", "invoice", "payment", "grant", "correction"]),
    )
    .required(),
    Field::value("from", "From", Check::Text(200)).required(),
    Field::value("to", "To", Check::Text(200)).required(),
    Field::value("pence", "Amount", MONEY)
        .required()
        .aliases(&["amount", "pounds"]),
    Field::value("period", "Period", Check::Text(40)).identifies(),
    Field::value("reference", "Reference", Check::Text(100))
        .identifies()
        .aliases(&["invoice"]),
    Field::value("on", "On", Check::Date).identifies(),
    Field::value("corrects", "Corrects line", Check::Text(60)).identifies(),
];
