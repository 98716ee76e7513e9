//! What may be chosen in the fields of a form.

use std::collections::BTreeMap;

use node_domain::{Check, Field, Merge, Object, Rule};
use serde_json::Value;

use super::{Names, Opened};
use crate::records::{Desk, Find, RecordsError};
use crate::web::Form;

/// Up to so many records are shown as a list to choose from; of more, a person looks for some.
const LIST_MAX: u64 = 60;
/// The most that are found by looking.
const FOUND_MAX: u64 = 20;

/// The records and items that the fields of a form may refer to, by the fields' names.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    of_field: BTreeMap<&'static str, Offered>,
    looked_for: String,
}

/// What one field offers.
#[derive(Debug, Clone, Default)]
pub(super) struct Offered {
    /// What may be chosen: the value, and what people call it.
    pub(super) options: Vec<(String, String)>,
    /// The words for which they were found; none if these are all there are.
    pub(super) words: Option<String>,
}

impl Choices {
    /// What these fields of a form offer, beside what stands in them. `form` is what was typed, if
    /// anything was: words to look for are in `find-FIELD`.
    ///
    /// # Errors
    /// As for [`Desk::find`].
    pub fn of(
        desk: &Desk,
        fields: &[&'static Field],
        standing: &Object,
        form: Option<&Form>,
    ) -> Result<Self, RecordsError> {
        let mut choices = Self::default();
        let pressed = form.map_or("", |form| form.get("find"));
        pressed.clone_into(&mut choices.looked_for);
        for field in fields {
            let Check::Reference(kind) = field.check else {
                continue;
            };
            let words = form.map_or("", |form| form.get(&format!("find-{}", field.name)));
            let chosen = form.and_then(|form| form.find(field.name));
            let chosen = chosen.or_else(|| standing.get(field.name).and_then(Value::as_str));
            let offered = offered(desk, kind, words, chosen.unwrap_or_default())?;
            choices.of_field.insert(field.name, offered);
        }
        Ok(choices)
    }

    /// Whether a person looked for something, rather than saving.
    pub fn is_looking(&self) -> bool {
        !self.looked_for.is_empty()
    }

    /// Offers these in a field, such as the items of a list of the same record.
    pub fn offer(&mut self, field: &'static str, options: Vec<(String, String)>) {
        let words = None;
        self.of_field.insert(field, Offered { options, words });
    }

    /// Offers the items of the record's own lists in the fields of `list` that name them.
    pub fn offer_items(&mut self, record: &Opened, list: &Field) {
        for rule in record.kind.rules {
            let Rule::Names {
                list: names,
                field,
                of,
            } = rule
            else {
                continue;
            };
            if *names != list.name {
                continue;
            }
            let items = record.items(of).into_iter();
            let ids = items.filter_map(|item| item.get("id").and_then(Value::as_str));
            let options = ids.map(|id| {
                let title = record.names.item(id).unwrap_or("Without a name");
                (id.to_owned(), title.to_owned())
            });
            self.offer(field, options.collect());
        }
    }

    pub(super) fn get(&self, field: &str) -> Option<&Offered> {
        self.of_field.get(field)
    }
}

/// Records of a kind to choose from, the one that is chosen among them.
fn offered(desk: &Desk, kind: &str, words: &str, chosen: &str) -> Result<Offered, RecordsError> {
    let find = |words: &str, limit: u64| Find {
        kind: kind.to_owned(),
        words: words.to_owned(),
        sort: vec!["title".to_owned()],
        limit,
        ..Find::default()
    };
    let mut offered = Offered::default();
    match desk.find(&find("", LIST_MAX)) {
        Ok(all) if all.total <= LIST_MAX => {
            let all = all.records.into_iter();
            offered.options = all.map(|it| (it.id.to_string(), it.title)).collect();
        }
        Ok(_) => {
            if !words.is_empty() {
                let found = desk.find(&find(words, FOUND_MAX))?.records.into_iter();
                offered.options = found.map(|it| (it.id.to_string(), it.title)).collect();
            }
            offered.words = Some(words.to_owned());
        }
        // A role may fill a field in without seeing what it refers to.
        Err(RecordsError::Role(_)) => {}
        Err(error) => return Err(error),
    }
    let known = offered.options.iter().any(|(id, _)| id == chosen);
    if !chosen.is_empty() && !known {
        let names = Names::of_values(desk, [chosen.to_owned()])?;
        let title = names.title(chosen).unwrap_or("Not known here").to_owned();
        offered.options.insert(0, (chosen.to_owned(), title));
    }
    tell_apart(desk, kind, &mut offered.options);
    Ok(offered)
}

/// Two people of one name are told apart by where they work.
fn tell_apart(desk: &Desk, kind: &str, options: &mut [(String, String)]) {
    let mut counts = BTreeMap::<String, usize>::new();
    for (_, title) in options.iter() {
        *counts.entry(title.clone()).or_default() += 1;
    }
    let Some(kind) = node_domain::kind(kind) else {
        return;
    };
    for (id, title) in options.iter_mut().filter(|(_, title)| counts[title] > 1) {
        let Some(column) = kind.columns.first().and_then(|name| kind.field(name)) else {
            continue;
        };
        if let Ok(shown) = desk.show(id, "") {
            let value = super::words_of(column, &shown.fields[column.name], &Names::default());
            if !value.is_empty() {
                *title = format!("{title}, {value}");
            }
        }
    }
}

/// The states that may be chosen: what stands, and what may follow it.
pub(super) fn states(field: &Field, standing: &str) -> Vec<(String, String)> {
    let Merge::State(states) = field.merge else {
        return Vec::new();
    };
    let option = |name: &str| (name.to_owned(), crate::web::words::capital(name));
    if standing.is_empty() {
        return states.iter().map(|state| option(state.name)).collect();
    }
    let next = states.iter().find(|state| state.name == standing);
    let next = next.map_or(&[][..], |state| state.next);
    let all = std::iter::once(standing).chain(next.iter().copied());
    all.map(option).collect()
}
