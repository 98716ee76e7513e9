//! Whom the versions of a record concern.

use node_document::View;
use serde_json::Value as Json;

use crate::Object;
use crate::declaration::Kind;
use crate::read::read_field;

/// Whom a record's versions concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concerned {
    /// The names of roles.
    pub roles: &'static [&'static str],
    /// The cards of persons, each once.
    pub persons: Vec<String>,
}

/// Whom the versions of a record concern.
pub fn concerned(view: &View<'_>, kind: &'static Kind) -> Concerned {
    let named = kind.concerns.persons.iter();
    let fields = named.filter_map(|name| {
        let field = kind.field(name.split('/').next()?)?;
        Some((field.name.to_owned(), read_field(view, &[], field)?))
    });
    concerned_in(&fields.collect(), kind)
}

/// Whom the versions of a record with these fields concern: of a card, or as they are read.
pub fn concerned_in(fields: &Object, kind: &'static Kind) -> Concerned {
    let mut persons = Vec::new();
    let mut add = |value: &Json| {
        if let Some(person) = value.as_str().filter(|person| !person.is_empty())
            && !persons.iter().any(|known| known == person)
        {
            persons.push(person.to_owned());
        }
    };
    for name in kind.concerns.persons {
        match name.split_once('/') {
            Some((list, field)) => {
                let items = fields.get(list).and_then(Json::as_array);
                for item in items.into_iter().flatten() {
                    add(&item[field]);
                }
            }
            None => fields.get(*name).into_iter().for_each(&mut add),
        }
    }
    Concerned {
        roles: kind.concerns.roles,
        persons,
    }
}
