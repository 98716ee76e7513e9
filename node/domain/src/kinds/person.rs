//! People.

use node_feed::{SpaceKind, Writers};

use crate::declaration::{Check, Field, Form, Kind};

/// A person: a card in their hub's space and nowhere else. Teacher, insurance and bank numbers,
/// needs and religion are not kept at all.
pub const PERSON: Kind = Kind {
    name: "person",
    title: "Person",
    titles: "People",
    form: Form::Card,
    spaces: &[SpaceKind::Hub],
    writers: Writers::Owner,
    fields: FIELDS,
    title_field: "name",
    columns: &["organisation", "job_role"],
    searched: &["name", "former_names", "email", "organisation"],
    publishing: None,
};

const FIELDS: &[Field] = &[
    Field::value("name", "Name", Check::Text(200))
        .required()
        .personal(),
    Field::value("former_names", "Former names", Check::Text(200)).personal(),
    Field::value("email", "E-mail", Check::Email).personal(),
    Field::value("phone", "Phone", Check::Text(40)).personal(),
    Field::value("organisation", "School or organisation", Check::Text(200)).personal(),
    Field::value("job_role", "Job", Check::Text(100)).personal(),
    Field::value("notice_seen", "Privacy notice seen on", Check::Date).personal(),
    Field::value(
        "contact_wishes",
        "Contact wishes",
        Check::OneOf(&["any", "e-mail only", "none"]),
    )
    .personal(),
];
