//! Watches that compare the items of a list or log.

use std::collections::{BTreeMap, BTreeSet};

use node_document::Heads;

use super::{Watched, digest};
use crate::conflict::Matter;
use crate::declaration::{Field, Watch};
use crate::read::read_field;

/// Of more items about the same, the latest are compared.
const COMPARED_MAX: usize = 64;

/// An item that says something of something.
#[derive(Debug, Clone)]
struct Saying {
    item: String,
    value: String,
}

impl Watched<'_> {
    pub(super) fn disagree(
        &self,
        watch: &'static Watch,
        list: &str,
        about: &[&str],
        field: &str,
    ) -> Vec<Matter> {
        let Some((list, items)) = self.list(list) else {
            return Vec::new();
        };
        let mut matters = Vec::new();
        for (key, sayings) in self.sayings(list, about, field) {
            let at_odds = |sayings: &[Saying]| sayings.windows(2).any(|p| p[0].value != p[1].value);
            if key.first().is_none_or(String::is_empty) || !at_odds(&sayings) {
                continue;
            }
            let standing = self.standing_sayings(list, sayings);
            if at_odds(&standing) {
                matters.push(self.of_sayings(watch, (list, items), &key, field, &standing));
            }
        }
        matters
    }

    pub(super) fn exclude(
        &self,
        watch: &'static Watch,
        log: &str,
        about: &str,
        field: &str,
        values: (&str, &str),
    ) -> Vec<Matter> {
        let Some((log, items)) = self.list(log) else {
            return Vec::new();
        };
        let mut matters = Vec::new();
        for (key, sayings) in self.sayings(log, &[about], field) {
            let says = |sayings: &[Saying], value: &str| sayings.iter().any(|s| s.value == value);
            let both = |sayings: &[Saying]| says(sayings, values.0) && says(sayings, values.1);
            if !both(&sayings) {
                continue;
            }
            let mut standing = self.standing_sayings(log, sayings);
            if both(&standing) {
                standing.retain(|saying| [values.0, values.1].contains(&saying.value.as_str()));
                matters.push(self.of_sayings(watch, (log, items), &key, field, &standing));
            }
        }
        matters
    }

    pub(super) fn same(&self, watch: &'static Watch, list: &str, fields: &[&str]) -> Vec<Matter> {
        let Some((list, items)) = self.list(list) else {
            return Vec::new();
        };
        let field = fields.first().copied().unwrap_or_default();
        let groups = self.sayings(list, fields, field).into_iter();
        groups
            .filter(|(key, sayings)| sayings.len() > 1 && !key.iter().any(String::is_empty))
            .map(|(key, sayings)| self.of_sayings(watch, (list, items), &key, field, &sayings))
            .collect()
    }

    pub(super) fn over(
        &self,
        watch: &'static Watch,
        log: &str,
        sum: &str,
        (of, values): (&str, &[&str]),
        limit: &'static str,
    ) -> Vec<Matter> {
        let (Some((log, items)), Some(most)) = (self.list(log), self.number(&[limit])) else {
            return Vec::new();
        };
        let mut counted = self.view.items(&[log.name]);
        counted.retain(|item| values.contains(&self.word(log.name, item, of).as_str()));
        let numbers = counted
            .iter()
            .filter_map(|item| self.number(&[log.name, item, sum]));
        let total = numbers.map(i128::from).sum::<i128>();
        if total <= i128::from(most) {
            return Vec::new();
        }
        let versions = counted
            .iter()
            .filter_map(|item| self.item(log, items, item, sum));
        let label = self
            .kind
            .field(limit)
            .map_or_else(|| limit.to_owned(), |field| field.label.to_owned());
        let facts = vec![total.to_string(), most.to_string()];
        vec![Self::matter(watch, limit, label, versions.collect(), facts)]
    }

    pub(super) fn asked(
        &self,
        watch: &'static Watch,
        (list, count): (&str, &str),
        (answers, about): (&str, &str),
        places: &str,
    ) -> Vec<Matter> {
        let (Some((list, fields)), Some(places)) = (self.list(list), self.kind.field(places))
        else {
            return Vec::new();
        };
        let answered = self.view.items(&[answers]).into_iter();
        let answered = answered.map(|item| self.word(answers, &item, about));
        let answered = answered.collect::<BTreeSet<_>>();
        let mut open = self.view.items(&[list.name]);
        open.retain(|item| !answered.contains(item));
        let numbers = open
            .iter()
            .filter_map(|item| self.number(&[list.name, item, count]));
        let total = numbers.map(i128::from).sum::<i128>();
        let stand = read_field(self.view, &[], places).unwrap_or_default();
        let part = |name: &str| stand[name].as_i64().map_or(0, i128::from);
        let left = part("issued") - part("taken");
        if open.len() < 2 || total <= left {
            return Vec::new();
        }
        let versions = open
            .iter()
            .filter_map(|item| self.item(list, fields, item, count));
        let facts = vec![open.join(" "), left.to_string()];
        let label = list.label.to_owned();
        vec![Self::matter(
            watch,
            list.name,
            label,
            versions.collect(),
            facts,
        )]
    }

    pub(super) fn standing(
        &self,
        watch: &'static Watch,
        (state, states): (&str, &[&str]),
        list: &str,
        (of, values): (&str, &[&str]),
    ) -> Vec<Matter> {
        let Some((list, fields)) = self.list(list) else {
            return Vec::new();
        };
        let stands = self.state(self.view, state);
        if !states.contains(&stands.as_str()) {
            return Vec::new();
        }
        let mut items = self.view.items(&[list.name]);
        items.retain(|item| {
            values.is_empty() || values.contains(&self.word(list.name, item, of).as_str())
        });
        if items.is_empty() {
            return Vec::new();
        }
        let versions = items
            .iter()
            .filter_map(|item| self.item(list, fields, item, ""));
        let mut facts = items.clone();
        facts.push(stands);
        vec![Self::matter(
            watch,
            list.name,
            list.label.to_owned(),
            versions.collect(),
            facts,
        )]
    }

    /// The items of a list by what they are about, each with what it says.
    fn sayings(
        &self,
        list: &Field,
        about: &[&str],
        field: &str,
    ) -> BTreeMap<Vec<String>, Vec<Saying>> {
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for item in self.view.items(&[list.name]) {
            let value = self.word(list.name, &item, field);
            if !value.is_empty() {
                let key = about.iter().map(|name| self.word(list.name, &item, name));
                let group = groups.entry(key.collect::<Vec<_>>()).or_default();
                group.push(Saying { item, value });
            }
        }
        groups
    }

    /// What is still said: in a log a later entry corrects those that its author saw.
    fn standing_sayings(&self, list: &Field, mut sayings: Vec<Saying>) -> Vec<Saying> {
        if !Self::is_log(list) {
            return sayings;
        }
        if sayings.len() > COMPARED_MAX {
            sayings.drain(..sayings.len() - COMPARED_MAX);
        }
        let written = |saying: &Saying| {
            let writings = self.view.writings(&[list.name, &saying.item]);
            writings.into_iter().next().map(|(_, heads)| heads)
        };
        let written = sayings.iter().map(written).collect::<Vec<_>>();
        let corrected = |earlier: &Heads| {
            written
                .iter()
                .flatten()
                .any(|later| later != earlier && self.document.saw(later, earlier))
        };
        let mut keep = written
            .iter()
            .map(|at| at.as_ref().is_none_or(|at| !corrected(at)))
            .collect::<Vec<_>>()
            .into_iter();
        sayings.retain(|_| keep.next().unwrap_or(true));
        sayings
    }

    fn of_sayings(
        &self,
        watch: &'static Watch,
        (list, items): (&'static Field, &'static [Field]),
        key: &[String],
        field: &str,
        sayings: &[Saying],
    ) -> Matter {
        let versions = sayings
            .iter()
            .filter_map(|saying| self.item(list, items, &saying.item, field));
        let mut facts = sayings
            .iter()
            .map(|saying| format!("{}={}", saying.item, saying.value))
            .collect::<Vec<_>>();
        facts.sort_unstable();
        Self::matter(
            watch,
            &digest(key.iter().cloned()),
            Self::label(list, items, field),
            versions.collect(),
            facts,
        )
    }
}
