//! Strategic leadership groups.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{
    Check, Concerns, Dated, Field, Kind, Rule, Section, Test, Watch, section, state,
};
use crate::kinds::codes::{DECISIONS, HELD};

/// A hub's strategic leadership group.
pub const STRATEGIC_GROUP: Kind = Kind {
    name: "strategic-group",
    title: "Strategic leadership group",
    titles: "Strategic leadership groups",
    about: "The group that leads a hub: its members, meetings, papers, minutes, decisions and \
            actions.",
    spaces: &[SpaceKind::Hub],
    writers: Writers::Members,
    fields: FIELDS,
    sections: SECTIONS,
    columns: &["year"],
    searched: &[
        "title",
        "terms_of_reference",
        "meetings",
        "decisions",
        "papers",
    ],
    filtered: &["members/person"],
    key: &["title", "year"],
    concerns: Concerns {
        roles: &["hub lead", "chair"],
        persons: &["members/person"],
    },
    rules: &[Rule::Names {
        list: "papers",
        field: "meeting",
        of: "meetings",
    }],
    watches: &[Watch {
        name: "two-outcomes",
        sentence: "one decision was entered with different outcomes",
        test: Test::Disagree {
            list: "decisions",
            about: &["about", "meeting"],
            field: "outcome",
        },
    }],
    dated: Some(Dated {
        list: "meetings",
        date: "date",
        start: "start",
        venue: "venue",
        state: "state",
    }),
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section("Group", &["title", "year", "terms_of_reference"]),
    section("Members", &["members"]),
    section("Meetings", &["meetings"]),
    section("Papers", &["papers"]),
    section("Decisions", &["decisions"]),
    section("Actions", &["actions"]),
];

const FIELDS: &[Field] = &[
    Field::value("title", "Title", Check::Text(200)).required(),
    Field::value("year", "Year", Check::AcademicYear),
    Field::text("terms_of_reference", "Terms of reference"),
    Field::list("members", "Members", MEMBERS),
    Field::list("meetings", "Meetings", MEETINGS),
    Field::list("papers", "Papers", PAPERS),
    Field::log("decisions", "Decisions", DECISIONS),
    Field::list("actions", "Actions", ACTIONS),
];

const MEMBERS: &[Field] = &[
    Field::value("person", "Person", Check::Reference("person")).required(),
    Field::value("organisation", "Organisation", Check::Text(200)),
    Field::value(
        "role",
        "Role",
        Check::OneOf(&["chair", "member", "clerk", "observer"]),
    ),
    Field::value("from", "From", Check::Date),
    Field::value("until", "Until", Check::Date),
];

const MEETINGS: &[Field] = &[
    Field::value("title", "Meeting", Check::Text(200)).required(),
    Field::value("date", "Date", Check::Date)
        .required()
        .decide(),
    Field::value("start", "Starts at", Check::Time).decide(),
    Field::value("venue", "Venue", Check::Text(200)),
    Field::text("agenda", "Agenda"),
    Field::text("minutes", "Minutes").decide(),
    Field::state("state", "State", HELD),
];

const PAPERS: &[Field] = &[
    Field::value("meeting", "Meeting", Check::Text(60)).required(),
    Field::value("title", "Paper", Check::Text(200)).required(),
    Field::text("text", "Text"),
];

const ACTIONS: &[Field] = &[
    Field::value("what", "Action", Check::Text(500)).required(),
    Field::value("person", "Who", Check::Reference("person")),
    Field::value("due", "Due", Check::Date),
    Field::state(
        "state",
        "State",
        &[state("open", &["done"]), state("done", &["open"])],
    ),
];
