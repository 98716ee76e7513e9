//! What in lists and logs is proven: who put an item there, and what it said then.
//!
//! Whoever may write a record can write anything into it, also over what others wrote. A decision
//! takes an item as the hub that may write it put it there, and ignores the rest.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use node_document::{Authorship, Beginning, Value, View};
use node_feed::HubId;

use crate::declaration::{Field, Filled, Kind, Rule};

/// Who may write the items of a list or log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writable {
    /// Whoever may write the record.
    Members,
    /// Whoever may write the record, if the item is what its hash says.
    MembersGenuinely,
    /// The record's owner alone.
    Owner,
}

impl Writable {
    /// Who may write the items of a list or log of a kind.
    pub(crate) fn of(kind: &Kind, list: &Field) -> Self {
        if list.owner_only {
            return Self::Owner;
        }
        let freezing = kind.frozen.filter(|freezing| freezing.copies == list.name);
        match (freezing, list.filled) {
            // Whoever takes the step keeps the copy.
            (Some(freezing), _) => {
                let steps = |rule: &Rule| matches!(rule, Rule::OwnerSteps { state, .. } if *state == freezing.state);
                if kind.rules.iter().any(steps) {
                    Self::Owner
                } else {
                    Self::MembersGenuinely
                }
            }
            (None, Filled::ByProgram) => Self::Owner,
            (None, Filled::ByPerson | Filled::ByAuthor) => Self::Members,
        }
    }
}

/// The items of one list or log as those wrote them who put them there.
#[derive(Debug)]
pub(crate) struct Proven<'a> {
    view: &'a View<'a>,
    list: &'a [&'a str],
    /// Looked up only if several hubs wrote the record.
    beginnings: OnceCell<BTreeMap<String, Vec<Beginning>>>,
}

/// An item as one hub put it into the list.
#[derive(Debug, Clone)]
pub(crate) struct ProvenItem<'a> {
    /// The hub.
    pub(crate) hub: HubId,
    /// Where it stands as that hub wrote it; nothing if nobody else has written there.
    then: Option<View<'a>>,
}

impl<'a> Proven<'a> {
    pub(crate) fn new(view: &'a View<'a>, list: &'a [&'a str]) -> Self {
        Self {
            view,
            list,
            beginnings: OnceCell::new(),
        }
    }

    /// How each hub that ever put an item there did so first, earliest first. It is one hub,
    /// unless somebody wrote over what somebody else wrote.
    pub(crate) fn item(&self, item: &str) -> Vec<ProvenItem<'a>> {
        if let Some(hub) = self.view.sole_hub() {
            return vec![ProvenItem { hub, then: None }];
        }
        let begun = self.all().get(item).into_iter().flatten();
        let sole = self.view.sole_author(self.list, item);
        let entry = |author: &Authorship| (author.feed, author.number);
        let stood = |beginning: &Beginning| {
            // Nobody has written there since.
            let unchanged = sole.as_ref().map(entry) == Some(entry(&beginning.author));
            let then = if unchanged {
                None
            } else {
                Some(self.view.elsewhere(&beginning.at)?)
            };
            Some(ProvenItem {
                hub: beginning.author.hub,
                then,
            })
        };
        begun.filter_map(stood).collect()
    }

    /// The items that somebody took out again.
    pub(crate) fn removed(&self) -> Vec<String> {
        if self.view.sole_hub().is_some() {
            return Vec::new();
        }
        let gone = |item: &&String| !self.view.has_item(self.list, item);
        self.all().keys().filter(gone).cloned().collect()
    }

    fn all(&self) -> &BTreeMap<String, Vec<Beginning>> {
        let look = || self.view.beginnings(self.list);
        self.beginnings.get_or_init(look)
    }

    /// An item as one hub wrote it that may, the owner before others.
    pub(crate) fn written_by(
        &self,
        item: &str,
        may: impl Fn(HubId) -> bool,
    ) -> Option<ProvenItem<'a>> {
        let owner = self.view.owner();
        let mut found = self.item(item);
        found.retain(|found| may(found.hub));
        let own = found.iter().position(|found| found.hub == owner);
        (!found.is_empty()).then(|| found.swap_remove(own.unwrap_or(0)))
    }

    /// What stands in a part of an item, as its hub wrote it.
    pub(crate) fn get(&self, item: &str, found: &ProvenItem<'_>, part: &str) -> Option<Value> {
        let path = [self.list, &[item, part]].concat();
        match &found.then {
            Some(then) => then.get(&path),
            None => self.view.get(&path),
        }
    }
}
