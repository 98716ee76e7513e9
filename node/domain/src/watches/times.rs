//! Watches that compare a record with what it was.

use std::collections::{BTreeMap, BTreeSet};

use node_document::{Authorship, Heads, Step, Value};
use serde_json::Value as Json;

use super::{Watched, change};
use crate::conflict::{ConflictVersion, Matter};
use crate::declaration::Watch;
use crate::endorsement::{Given, digest_of, given, text_of};
use crate::frozen::{Difference, differs_from_frozen, kept};
use crate::read::json;

/// Of a longer text that was endorsed once the beginning is told.
const ENDORSED_CHARACTERS_MAX: usize = 10_000;

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(ENDORSED_CHARACTERS_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Watched<'_> {
    pub(super) fn changed_since(&self, watch: &'static Watch, states: &[&str]) -> Vec<Matter> {
        let Some(freezing) = self.kind.frozen else {
            return Vec::new();
        };
        if !states.contains(&self.state(self.view, freezing.state).as_str()) {
            return Vec::new();
        }
        let differences = differs_from_frozen(self.view, self.kind);
        let kept = kept(self.view, self.kind).into_iter();
        let kept = kept.max_by_key(|(_, copy)| copy.version);
        let kept = kept.and_then(|(item, _)| self.view.author(&[freezing.copies, &item]));
        let (Some(kept), false) = (kept, differences.is_empty()) else {
            return Vec::new();
        };
        let fact = |difference: &Difference| {
            let Difference {
                path,
                before,
                after,
                ..
            } = difference;
            format!("{path}: {before} {after}")
        };
        let facts = differences.iter().map(fact).collect();
        let versions = differences.into_iter().map(|difference| {
            let author = self.last_author(&difference.path).unwrap_or(kept);
            change(difference, author)
        });
        let copies = self.kind.field(freezing.copies);
        let label = copies.map_or(freezing.copies, |copies| copies.label);
        vec![Self::matter(
            watch,
            freezing.copies,
            label.to_owned(),
            versions.collect(),
            facts,
        )]
    }

    /// Who changed what stands at a path last, though it may be gone.
    fn last_author(&self, path: &str) -> Option<Authorship> {
        let parts = path.split('/').collect::<Vec<_>>();
        let steps = self.view.history(&parts);
        steps.last().map(|step| step.author)
    }

    pub(super) fn changed_while(
        &self,
        watch: &'static Watch,
        list: &str,
        field: &str,
        state: &str,
        states: &[&str],
    ) -> Vec<Matter> {
        let Some((list, items)) = self.list(list) else {
            return Vec::new();
        };
        let mut matters = Vec::new();
        let mut begun = None::<Vec<Step>>;
        for item in self.view.items(&[list.name]) {
            let path = [list.name, item.as_str(), field];
            // History is looked through only for what was changed since it was put there.
            if !self.was_changed(&path) {
                continue;
            }
            let begun = begun.get_or_insert_with(|| {
                let mut steps = self.view.history(&[state]);
                let within = |value: &Value| states.contains(&value.as_str().unwrap_or_default());
                steps.retain(|step| step.value.as_ref().is_some_and(within));
                steps
            });
            let (mut versions, mut facts) = (Vec::new(), Vec::new());
            let mut before = None::<Option<Value>>;
            for step in self.view.history(&path) {
                let earlier = before.replace(step.value.clone());
                let Some(earlier) = earlier.filter(|earlier| *earlier != step.value) else {
                    continue;
                };
                if self.stood(&step, state, states, begun) {
                    let as_json = |value: &Option<Value>| value.as_ref().map_or(Json::Null, json);
                    facts.push(format!("{:?} {}", step.author.feed, step.author.number));
                    versions.push(ConflictVersion {
                        value: as_json(&step.value),
                        author: step.author,
                        before: vec![as_json(&earlier)],
                    });
                }
            }
            if !versions.is_empty() {
                let label = Self::label(list, items, field);
                matters.push(Self::matter(watch, &item, label, versions, facts));
            }
        }
        matters
    }

    /// Whether the record stood so when a step was taken: as its author saw it, or because
    /// somebody brought it there at the same time.
    fn stood(&self, step: &Step, state: &str, states: &[&str], begun: &[Step]) -> bool {
        let then = self.document.view_at(&step.at);
        let seen = then.is_some_and(|then| states.contains(&self.state(&then, state).as_str()));
        seen || begun.iter().any(|other| {
            !self.document.saw(&step.at, &other.at) && !self.document.saw(&other.at, &step.at)
        })
    }

    /// Whether a field of an item was written more than once. Whoever changes an item also counts
    /// up its mark.
    fn was_changed(&self, path: &[&str]) -> bool {
        let marked = self.number(&path[..2]).is_some_and(|times| times > 1);
        let entry = |author: Authorship| (author.feed, author.number);
        let first = self.view.item_author(&path[..1], path[1]).map(entry);
        let last = self.author(path).map(entry);
        marked || (first.is_some() && last != first)
    }

    pub(super) fn stale(
        &self,
        watch: &'static Watch,
        set: &str,
        text: &'static str,
    ) -> Vec<Matter> {
        // Nothing is compared where nobody endorsed.
        if self.view.children(&[set]).is_empty() {
            return Vec::new();
        }
        let now = text_of(self.view, text);
        let all = given(self.document, self.view, set, text);
        let standing = digest_of(&now);
        let key = |given: &Given| (given.element.clone(), given.author.hub);
        let current = all.iter().filter(|given| given.text == standing);
        let current = current.map(key).collect::<BTreeSet<_>>();
        let stale = all
            .iter()
            .filter(|given| !current.contains(&key(given)))
            .collect::<Vec<_>>();
        if stale.is_empty() {
            return Vec::new();
        }
        let mut facts = vec![now];
        facts.extend(stale.iter().map(|given| {
            let author = given.author;
            format!("{} {:?} {}", given.element, author.feed, author.number)
        }));
        // What several endorsed in one change is read once.
        let mut read = BTreeMap::<&Heads, String>::new();
        let versions = stale.iter().map(|given| {
            let before = read.entry(&given.at).or_insert_with(|| {
                let then = self.document.view_at(&given.at);
                cut(then.map_or_else(String::new, |then| text_of(&then, text)))
            });
            ConflictVersion {
                value: Json::String(given.element.clone()),
                author: given.author,
                before: vec![Json::String(before.clone())],
            }
        });
        let label = self.kind.field(set).map_or(set, |field| field.label);
        vec![Self::matter(
            watch,
            text,
            label.to_owned(),
            versions.collect(),
            facts,
        )]
    }
}
