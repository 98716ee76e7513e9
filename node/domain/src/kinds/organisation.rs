//! Organisations.

use node_feed::SpaceKind;

use crate::declaration::{Check, Concerns, Field, Form, Kind, Section, Test, Watch, section};
use crate::kinds::codes::{ORGANISATION_KINDS, PHASES};

/// An organisation: a card, for a newer register replaces an older one whole, never field by
/// field. Head teachers' names are never loaded.
pub const ORGANISATION: Kind = Kind {
    name: "organisation",
    coordinators: true,
    title: "Organisation",
    titles: "Organisations",
    about: "A school, college, trust, alliance or other body: from the national school register, \
            which the coordinator shares with everyone, or a hub's own addition.",
    form: Form::Card,
    spaces: &[SpaceKind::Network, SpaceKind::Hub],
    fields: FIELDS,
    sections: SECTIONS,
    title_field: "name",
    columns: &[
        "urn",
        "kind",
        "phase",
        "status",
        "local_authority",
        "place",
        "postcode",
        "successor",
    ],
    searched: &[
        "name",
        "urn",
        "place",
        "postcode",
        "local_authority",
        "trust",
    ],
    filtered: &["region", "members"],
    key: &["urn", "name", "postcode"],
    concerns: Concerns {
        roles: &["administrator"],
        persons: &[],
    },
    watches: &[
        Watch {
            name: "twice",
            sentence: "the same organisation stands here twice",
            test: Test::SharedWith {
                fields: &["name", "postcode"],
            },
        },
        Watch {
            name: "closed-with-places",
            sentence: "the school is closed, and still has people in work groups",
            test: Test::StillReferred {
                field: "status",
                values: &["closed"],
                by: "urn",
                kind: "work-group",
                refers: "members/urn",
                standing: ("state", &["recruiting", "running"]),
            },
        },
    ],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section("Organisation", &["name", "urn", "kind", "phase", "type"]),
    section(
        "Where it is",
        &["place", "postcode", "local_authority", "region"],
    ),
    section(
        "Open or closed",
        &["status", "opened", "closed", "predecessor", "successor"],
    ),
    section("Trust or alliance", &["trust", "members"]),
];

const FIELDS: &[Field] = &[
    Field::value("name", "Name", Check::Text(200))
        .required()
        .aliases(&["school", "organisation", "establishmentname"]),
    Field::value("urn", "URN", Check::Urn).aliases(&["school urn", "reference number"]),
    Field::value("kind", "Kind", Check::OneOf(ORGANISATION_KINDS)),
    Field::value("phase", "Phase", Check::OneOf(PHASES)),
    Field::value("type", "Type", Check::Text(100)),
    Field::value(
        "status",
        "Status",
        Check::OneOf(&["open", "proposed to open", "proposed to close", "closed"]),
    ),
    Field::value("opened", "Opened", Check::Date),
    Field::value("closed", "Closed", Check::Date),
    Field::value("local_authority", "Council area", Check::Text(100))
        .aliases(&["la", "local authority"]),
    Field::value("region", "Region", Check::Text(60)),
    Field::value("place", "Place", Check::Text(100)).aliases(&["town"]),
    Field::value("postcode", "Postcode", Check::Text(10)),
    Field::value("predecessor", "Predecessor", Check::Urns),
    Field::value("successor", "Successor", Check::Urns),
    Field::value("trust", "Trust", Check::Text(200)),
    Field::value("members", "Members", Check::Urns)
        .help("Of an alliance or trust: the URNs of its schools."),
];
