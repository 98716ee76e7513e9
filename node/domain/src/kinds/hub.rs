//! Hubs, as the coordinator keeps them and as they describe themselves.

use node_feed::SpaceKind;

use crate::declaration::{
    Check, Concerns, Field, Kind, Rule, Section, Test, Watch, Wins, section, state,
};
use crate::kinds::codes::CONTROLLERS;

/// A hub in the national list: what the coordinator decides about it.
pub const HUB: Kind = Kind {
    name: "hub",
    coordinators: true,
    title: "Hub",
    titles: "Hubs",
    about: "A partnership in the national list, or an area that still has none: status, area and \
            selection. The coordinator writes it; it outlives its lead schools.",
    spaces: &[SpaceKind::Network],
    fields: FIELDS,
    sections: SECTIONS,
    columns: &["code", "region", "status", "vacant", "covered_by"],
    searched: &["code", "title", "region", "area"],
    filtered: &["area"],
    key: &["code"],
    concerns: Concerns {
        roles: &["operator", "regional lead"],
        persons: &[],
    },
    rules: &[Rule::Needs {
        state: "status",
        to: &["active"],
        fields: &["code", "region"],
    }],
    watches: &[
        Watch {
            name: "area-twice",
            sentence: "two hubs claim the same area",
            test: Test::SharedWith { fields: &["area"] },
        },
        Watch {
            name: "vacant-with-groups",
            sentence: "the area is vacant, and work groups still run under it",
            test: Test::StillReferred {
                field: "vacant",
                values: &["yes"],
                by: "code",
                kind: "group-summary",
                refers: "hub",
                standing: ("state", &["recruiting", "running"]),
            },
        },
        Watch {
            name: "transfer-unsent",
            sentence: "the hub is in transfer, and this node has work that was not sent yet",
            test: Test::Unsent {
                field: "status",
                values: &["in transfer"],
            },
        },
    ],
    ..Kind::BASE
};

/// A hub's own account of itself.
pub const HUB_PROFILE: Kind = Kind {
    name: "hub-profile",
    title: "Hub profile",
    titles: "Hub profiles",
    about: "What a hub says of itself: office, lead organisations, controller and policies. The \
            hub writes it, and everyone may read it.",
    spaces: &[SpaceKind::Network],
    fields: PROFILE,
    sections: PROFILE_SECTIONS,
    columns: &["code", "office_email"],
    searched: &["code", "title", "about"],
    key: &["code"],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section("Hub", &["title", "code", "region", "area"]),
    section("Status", &["status", "vacant", "covered_by"]),
    section("Lead organisations", &["leads"]),
    section("Selection", &["selection"]),
    section("Decision", &["decision", "decided_on", "source"]),
];

const PROFILE_SECTIONS: &[Section] = &[
    section("The hub", &["title", "code", "about"]),
    section("Office", &["office_email", "office_phone", "website"]),
    section("Lead organisations", &["leads"]),
    section(
        "Data protection",
        &["controller", "offline_personal_data", "smallest_cell"],
    ),
];

const FIELDS: &[Field] = &[
    Field::value("code", "Code", Check::Text(30)).required(),
    Field::value("title", "Name", Check::Text(200))
        .required()
        .aliases(&["hub", "name"]),
    Field::value("region", "Region", Check::Text(60)),
    Field::set("area", "Council areas", Wins::Add, Check::Text(100)),
    Field::state("status", "Status", STATES),
    Field::value("vacant", "Without a hub at present", Check::YesNo),
    Field::set("covered_by", "Covered by", Wins::Add, Check::Text(30))
        .names_hub()
        .help("Codes of the neighbours that cover a vacant area for the time being."),
    Field::list("leads", "Lead organisations", LEADS)
        .help("One or two; a lead may be an alliance."),
    Field::list("selection", "Selection", SELECTION),
    Field::value("decision", "Decision", Check::Text(2_000)),
    Field::value("decided_on", "Decided on", Check::Date),
    Field::value("source", "Source", Check::Text(500)),
];

const STATES: &[crate::declaration::State] = &[
    state("proposed", &["active", "retired"]),
    state("active", &["in transfer", "retired"]),
    state("in transfer", &["active", "retired"]),
    state("retired", &[]),
];

const LEADS: &[Field] = &[
    Field::value("organisation", "Organisation", Check::Text(200)).required(),
    Field::value("urn", "URN", Check::Urn),
    Field::value("from", "From", Check::Date),
    Field::value("until", "Until", Check::Date),
];

const SELECTION: &[Field] = &[
    Field::value(
        "criterion",
        "Criterion",
        Check::OneOf(&["credibility", "capacity", "commitment"]),
    )
    .required(),
    Field::value("rating", "Rating", Check::Number(1, 4)).decide(),
    Field::text("evidence", "Evidence"),
];

const PROFILE: &[Field] = &[
    Field::value("code", "Code", Check::Text(30)).required(),
    Field::value("title", "Name", Check::Text(200)).required(),
    Field::text("about", "About the hub"),
    Field::value("office_email", "Office e-mail", Check::Email)
        .help("A shared mailbox, not a person's."),
    Field::value("office_phone", "Office phone", Check::Text(40)),
    Field::value("website", "Website", Check::Text(200)),
    Field::list("leads", "Lead organisations", LEADS),
    Field::value("controller", "Data controller", Check::OneOf(CONTROLLERS)).decide(),
    Field::value(
        "offline_personal_data",
        "Personal data on portable devices",
        Check::YesNo,
    ),
    Field::value(
        "smallest_cell",
        "Smallest count that is shown",
        Check::Number(0, 100),
    )
    .decide()
    .help("Counts below it are suppressed in returns."),
];
