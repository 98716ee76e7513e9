//! What a row says that a record or an item does not say yet.

use serde_json::Value as Json;

use super::ImportedPerson;
use super::entry::Made;
use super::identity::{is_new_person, item_id};
use crate::Object;
use crate::change::FieldChange;
use crate::declaration::{Field, Merge};

/// Changes, what is to be said about them, and the people who come with them.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) changes: Vec<FieldChange>,
    pub(super) notes: Vec<String>,
    pub(super) people: Vec<ImportedPerson>,
}

impl Changes {
    /// Compares values, under a path that is empty or ends in a slash. What the row leaves empty
    /// stays as it is.
    pub(super) fn compare(
        &mut self,
        fields: &'static [Field],
        path: &str,
        made: &Made,
        known: &Object,
    ) {
        for field in fields {
            let Some(value) = made.values.get(field.name) else {
                continue;
            };
            let before = known.get(field.name).filter(|value| !value.is_null());
            let name = format!("{path}{}", field.name);
            match field.merge {
                // A card that is there already is not told from the one that the row describes.
                Merge::Value if is_new_person(value) && before.is_some() => {}
                Merge::Value | Merge::Text | Merge::State(_) => {
                    if before != Some(value) {
                        let people = made.people.iter();
                        let new = people.filter(|person| person.reference == *value);
                        self.people.extend(new.cloned());
                        self.changes.push(FieldChange::set(name, value.clone()));
                    }
                }
                Merge::Set(_) => self.include(&name, value, before),
                Merge::Count | Merge::Places => self.leave_number(field, value, before),
                Merge::List(_) | Merge::Log(_) => {}
            }
        }
    }

    /// Adds an item, or compares it with the one that is there.
    pub(super) fn compare_item(&mut self, list: &'static Field, made: &Made, known: &Object) {
        let Some((id, item)) = same_item(list, made, known) else {
            self.people.extend(made.people.iter().cloned());
            self.changes.push(FieldChange::Add {
                field: list.name.to_owned(),
                after: None,
                id: Some(made.id.clone()),
                values: made.values.clone(),
            });
            return;
        };
        self.compare_known_item(list, made, &id, &item);
    }

    /// Compares an item with the one that is there.
    pub(super) fn compare_known_item(
        &mut self,
        list: &'static Field,
        made: &Made,
        id: &str,
        known: &Object,
    ) {
        let path = format!("{}/{id}/", list.name);
        let mut found = Self::default();
        found.compare(list.items().unwrap_or_default(), &path, made, known);
        if matches!(list.merge, Merge::Log(_)) {
            if !found.changes.is_empty() {
                self.notes.push(format!(
                    "'{}' has this entry already, with other content, and is only ever added to: \
                     enter a correction there",
                    list.label
                ));
            }
            return;
        }
        self.changes.extend(found.changes);
        self.notes.extend(found.notes);
        self.people.extend(found.people);
    }

    fn include(&mut self, field: &str, value: &Json, before: Option<&Json>) {
        let there = before
            .and_then(Json::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let wanted = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let new = wanted.iter().filter(|element| !there.contains(element));
        self.changes.extend(new.map(|element| FieldChange::Include {
            field: field.to_owned(),
            element: element.clone(),
        }));
    }

    fn leave_number(&mut self, field: &Field, value: &Json, before: Option<&Json>) {
        let stands = match before {
            Some(Json::Object(places)) => places.get("issued"),
            other => other,
        };
        let stands = stands.and_then(Json::as_i64).unwrap_or(0);
        if value.as_i64() != Some(stands) {
            self.notes.push(format!(
                "'{}' stands at {stands} and is left as it is: change it in the record",
                field.label
            ));
        }
    }
}

/// The item that is there already: by its id, or by saying the same where it was entered by hand.
pub(super) fn same_item(
    list: &'static Field,
    made: &Made,
    known: &Object,
) -> Option<(String, Object)> {
    let items = known.get(list.name)?.as_array()?;
    let objects = || items.iter().filter_map(Json::as_object);
    let by_id = objects().find(|item| id(item) == made.id);
    let by_content = || {
        let mut entered = objects().filter(|_| made.people.is_empty());
        entered.find(|item| item_id(list, item, |_| None) == made.id)
    };
    let item = by_id.or_else(by_content)?;
    Some((id(item).to_owned(), item.clone()))
}

fn id(item: &Object) -> &str {
    item.get("id").and_then(Json::as_str).unwrap_or_default()
}
