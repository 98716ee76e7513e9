//! The places of a record that columns can fill.

use std::collections::BTreeMap;

use super::fold::folded;
use crate::declaration::{Check, Field, Filled, Form, Kind, Merge};
use crate::import::ImportInto;
use crate::kinds::PERSON;

/// A place that a column can fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// The list or log, if the field is one of its items'.
    pub(super) list: Option<&'static Field>,
    /// The field that refers to a person, if the field is one of the person's card.
    pub(super) person: Option<&'static Field>,
    pub(super) field: &'static Field,
}

/// All places of a target, and the names by which headings call them.
pub(super) struct Slots {
    pub(super) all: Vec<Slot>,
    /// The places that a folded heading may mean, with their rank: the lowest is the likeliest.
    names: BTreeMap<String, Vec<(u8, usize)>>,
}

/// Ranks of names.
const PATH: u8 = 0;
const NAME: u8 = 1;
const LABEL: u8 = 2;
const ALIAS: u8 = 3;
const WITH_LIST: u8 = 4;
const ALONE: u8 = 5;
const OF_PERSON: u8 = 6;

impl Slot {
    /// Its path without an item, as options name it.
    pub(super) fn path(&self) -> String {
        self.numbered(0)
    }

    /// Its path in the item of that number; 0 for the row's one item.
    pub(super) fn numbered(&self, number: usize) -> String {
        let number = (number > 0).then(|| number.to_string());
        let person = self.person.map(|field| field.name.to_owned());
        let list = self.list.map(|field| field.name.to_owned());
        let number = number.filter(|_| list.is_some());
        let parts = [list, number, person, Some(self.field.name.to_owned())];
        parts.into_iter().flatten().collect::<Vec<_>>().join("/")
    }

    /// What people call it.
    pub(super) fn label(&self, number: usize) -> String {
        let label = [self.list, self.person, Some(self.field)]
            .into_iter()
            .flatten()
            .map(|field| field.label)
            .collect::<Vec<_>>()
            .join(": ");
        if number > 0 {
            format!("{label} ({number})")
        } else {
            label
        }
    }
}

impl Slots {
    pub(super) fn of(into: &ImportInto) -> Self {
        let mut slots = Self {
            all: Vec::new(),
            names: BTreeMap::new(),
        };
        match into {
            ImportInto::Records(kind) => slots.add_record(kind),
            ImportInto::Items { list, .. } => {
                let fields = list.items().unwrap_or_default();
                slots.add_fields(fields);
                for reference in persons(fields) {
                    slots.add_person(None, reference);
                }
            }
        }
        slots
    }

    /// The places that a folded heading is a name of, each with its rank.
    pub(super) fn named(&self, folded: &str) -> &[(u8, usize)] {
        self.names
            .get(folded)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &[(u8, usize)])> {
        self.names
            .iter()
            .map(|(name, at)| (name.as_str(), at.as_slice()))
    }

    pub(super) fn get(&self, at: usize) -> Option<&Slot> {
        self.all.get(at)
    }

    /// The place and number that a path of the options names.
    pub(super) fn at_path(&self, path: &str) -> Option<(usize, usize)> {
        let is_number =
            |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.len() <= 3;
        let parts = path.split('/').map(str::trim).collect::<Vec<_>>();
        let number = parts.get(1).filter(|part| is_number(part));
        let number = number.and_then(|part| part.parse().ok()).unwrap_or(0);
        let plain = parts
            .iter()
            .filter(|part| !is_number(part))
            .copied()
            .collect::<Vec<_>>();
        let plain = plain.join("/");
        let at = self.all.iter().position(|slot| slot.path() == plain)?;
        (number == 0 || self.all.get(at)?.list.is_some()).then_some((at, number))
    }

    /// Whether the items of the place's list stand for the people of a school who take part.
    pub(super) fn is_of_participants(&self, at: usize) -> bool {
        let items = self
            .get(at)
            .and_then(|slot| slot.list?.items())
            .unwrap_or_default();
        persons(items).next().is_some() && items.iter().any(|field| field.name == "organisation")
    }

    fn add_record(&mut self, kind: &'static Kind) {
        self.add_fields(kind.fields);
        for reference in persons(kind.fields) {
            self.add_person(None, reference);
        }
        if kind.form == Form::Card {
            return;
        }
        for list in kind.fields.iter().filter(|field| fillable(field)) {
            if let Some(items) = list.items() {
                self.add_items(list, items);
            }
        }
    }

    fn add_fields(&mut self, fields: &'static [Field]) {
        for field in fields
            .iter()
            .filter(|field| fillable(field) && field.items().is_none())
        {
            let at = self.push(Slot {
                list: None,
                person: None,
                field,
            });
            // A person is called by name; an id is for those who say so.
            if !refers_to_person(field) {
                self.name(at, NAME, field.name);
                self.name(at, LABEL, field.label);
                // So the tables that people took away tell two fields of one label apart.
                self.name(at, LABEL, &format!("{} {}", field.label, field.name));
                self.name_all(at, ALIAS, field.aliases);
            }
        }
    }

    fn add_items(&mut self, list: &'static Field, items: &'static [Field]) {
        let naming = items.iter().find(|field| field.required);
        let lists = list_names(list);
        for field in items.iter().filter(|field| fillable(field)) {
            let at = self.push(Slot {
                list: Some(list),
                person: None,
                field,
            });
            if refers_to_person(field) {
                continue;
            }
            self.name_with(at, WITH_LIST, &lists, &field_names(field));
            if let Merge::List(_) = list.merge {
                for name in field_names(field) {
                    self.name(at, ALONE, &name);
                }
            }
            if naming.is_some_and(|naming| naming.name == field.name) {
                for name in &lists {
                    self.name(at, ALONE, name);
                }
            }
        }
        for reference in persons(items) {
            self.add_person(Some(list), reference);
        }
    }

    fn add_person(&mut self, list: Option<&'static Field>, reference: &'static Field) {
        let items = list.and_then(Field::items).unwrap_or_default();
        let naming = items.iter().find(|field| field.required);
        let is_naming = naming.is_some_and(|naming| naming.name == reference.name);
        let lists = list.map(list_names).unwrap_or_default();
        let persons = [reference.name, reference.label];
        let persons = persons.map(folded).to_vec();
        // "Participant e-mail": what people are called stands before what is said of them.
        let title = PERSON.field(PERSON.title_field);
        let people = title.map(|field| field.aliases.iter().map(|name| folded(name)));
        let people = people.into_iter().flatten().collect::<Vec<_>>();
        for field in PERSON.fields.iter().filter(|field| fillable(field)) {
            let at = self.push(Slot {
                list,
                person: Some(reference),
                field,
            });
            let names = field_names(field);
            if list.is_none() {
                self.name_with(at, WITH_LIST, &persons, &names);
            }
            self.name_with(at, WITH_LIST, &lists, &names);
            self.name_with(at, OF_PERSON, &people, &names);
            for name in &names {
                self.name(at, OF_PERSON, name);
            }
            if field.name == PERSON.title_field {
                for name in &persons {
                    self.name(at, OF_PERSON, name);
                }
                for name in lists.iter().filter(|_| is_naming) {
                    self.name(at, ALONE, name);
                }
            }
        }
    }

    fn push(&mut self, slot: Slot) -> usize {
        self.all.push(slot);
        let at = self.all.len() - 1;
        self.name(at, PATH, &slot.path());
        at
    }

    fn name_with(&mut self, at: usize, rank: u8, owners: &[String], names: &[String]) {
        for owner in owners {
            for name in names {
                self.name(at, rank, &format!("{owner}{name}"));
                self.name(at, rank, &format!("{name}{owner}"));
                self.name(at, rank, &format!("{name}of{owner}"));
            }
        }
    }

    fn name_all(&mut self, at: usize, rank: u8, names: &[&str]) {
        for name in names {
            self.name(at, rank, name);
        }
    }

    fn name(&mut self, at: usize, rank: u8, name: &str) {
        let places = self.names.entry(folded(name)).or_default();
        if places.iter().all(|(_, known)| *known != at) {
            places.push((rank, at));
        }
    }
}

/// The fields that refer to a person's card.
pub(super) fn persons(fields: &'static [Field]) -> impl Iterator<Item = &'static Field> {
    fields
        .iter()
        .filter(|field| refers_to_person(field) && fillable(field))
}

fn refers_to_person(field: &Field) -> bool {
    matches!(field.check, Check::Reference(kind) if kind == PERSON.name)
}

fn fillable(field: &Field) -> bool {
    field.filled == Filled::ByPerson
}

fn field_names(field: &Field) -> Vec<String> {
    let names = [field.name, field.label];
    let mut names = names
        .iter()
        .chain(field.aliases)
        .map(|name| folded(name))
        .collect::<Vec<_>>();
    names.dedup();
    names
}

/// A list's names, and those of one of its items.
fn list_names(list: &'static Field) -> Vec<String> {
    let mut names = Vec::new();
    for name in field_names(list) {
        let one = name
            .strip_suffix("ies")
            .map(|stem| format!("{stem}y"))
            .or_else(|| name.strip_suffix('s').map(str::to_owned));
        for name in [Some(name), one].into_iter().flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}
