//! People.

use node_feed::SpaceKind;

use crate::declaration::{Check, Concerns, Field, Form, Kind, Section, Test, Watch, section};

/// A person: a card in their hub's space and nowhere else. Teacher, insurance and bank numbers,
/// needs and religion are not kept at all.
pub const PERSON: Kind = Kind {
    name: "person",
    title: "Person",
    titles: "People",
    about: "A person known to the hub. The card stays in the hub, without history.",
    form: Form::Card,
    spaces: &[SpaceKind::Hub],
    fields: FIELDS,
    sections: SECTIONS,
    title_field: "name",
    columns: &["organisation", "job_role"],
    searched: &["name", "former_names", "email", "organisation"],
    filtered: &["email"],
    key: &["email", "name", "organisation"],
    concerns: Concerns {
        roles: &["administrator"],
        persons: &[],
    },
    watches: &[Watch {
        name: "likely-twice",
        sentence: "another card has the same e-mail address: likely the same person twice",
        test: Test::SharedWith { fields: &["email"] },
    }],
    ..Kind::BASE
};

const SECTIONS: &[Section] = &[
    section("Person", &["name", "job_role", "organisation", "urn"]),
    section("Contact", &["email", "phone", "contact_wishes"]),
    section("Names and privacy", &["former_names", "notice_seen"]),
];

const FIELDS: &[Field] = &[
    Field::value("name", "Name", Check::Text(200))
        .required()
        .personal()
        .aliases(&["participant", "teacher", "full name"]),
    Field::value("former_names", "Former names", Check::Text(200)).personal(),
    Field::value("email", "E-mail", Check::Email).personal(),
    Field::value("phone", "Phone", Check::Text(40)).personal(),
    Field::value("organisation", "School or organisation", Check::Text(200))
        .personal()
        .aliases(&["school", "organisation"]),
    Field::value("urn", "URN", Check::Urn).personal(),
    Field::value("job_role", "Job", Check::Text(100)).personal(),
    Field::value("notice_seen", "Privacy notice seen on", Check::Date).personal(),
    Field::value(
        "contact_wishes",
        "Contact wishes",
        Check::OneOf(&["any", "e-mail only", "none"]),
    )
    .personal(),
];
