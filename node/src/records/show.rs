//! One record: its fields, marks, history and versions.

use std::collections::{BTreeMap, BTreeSet};

use node_domain::CardRecord;
use node_feed::{FeedName, HubId, Opening, SpaceId, Subject};
use node_store::ReadStore;
use serde_json::{Value, json};

use super::{Found, RecordId, RecordsError};
use crate::Node;
use crate::cards::{self, card_view};
use crate::marks::RecordMarks;

/// A record as a page shows it.
#[derive(Debug, Clone)]
pub struct ShownRecord {
    /// The name of its kind.
    pub kind: String,
    /// The space it is in.
    pub space: SpaceId,
    /// Its fields.
    pub fields: Value,
    /// What it was read at, to be given back when editing.
    pub heads: String,
    /// Where this hub's changes of it are.
    pub marks: RecordMarks,
}

impl Node {
    /// One record whole.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is none with this id here.
    pub fn show_record(&self, id: &str) -> Result<ShownRecord, RecordsError> {
        let found = self.find_record(id)?;
        let (kind, fields, heads) = match found.id {
            RecordId::Document(document) => self.inner.library.with(
                &self.inner.storage,
                found.space,
                document,
                |document| {
                    let view = document.view();
                    let kind = node_domain::kind_of(&view)?;
                    let fields = Value::Object(node_domain::read(&view, kind));
                    Ok::<_, RecordsError>((kind.name, fields, document.heads().to_string()))
                },
            )??,
            RecordId::Card(card) => {
                let view = card_view(&self.inner, found.space, card)?;
                let shown = view
                    .shown()
                    .ok_or_else(|| RecordsError::Missing(id.to_owned()))?;
                let record = CardRecord::decode(&shown.body)?;
                (
                    record.kind.name,
                    Value::Object(record.fields),
                    cards::heads(&view).to_string(),
                )
            }
        };
        let marks = self.marks(found.space, found.id.subject())?;
        Ok(ShownRecord {
            kind: kind.to_owned(),
            space: found.space,
            fields,
            heads,
            marks,
        })
    }

    /// Who changed which field when, oldest first; for a card, the revisions that stand.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is none with this id here.
    pub fn record_history(&self, id: &str) -> Result<Value, RecordsError> {
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Ok(Value::Array(Vec::new()));
        };
        self.inner
            .library
            .with(&self.inner.storage, found.space, document, |document| {
                let view = document.view();
                let kind = node_domain::kind_of(&view)?;
                let steps = node_domain::history(&view, kind, None)
                    .into_iter()
                    .map(|step| {
                        json!({
                            "field": step.path, "label": step.label, "value": step.value,
                            "hub": self.hub_code(step.author.hub), "time_ms": step.author.time_ms,
                        })
                    });
                Ok(steps.collect())
            })?
    }

    /// The fields that stand in several versions, of one record or of all. Each has the record,
    /// its title and heads, the field, whether a person must decide, and the versions with their
    /// value, hub, time and what stood before.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is none with this id here.
    pub fn list_versions(&self, id: &str) -> Result<Value, RecordsError> {
        if !id.is_empty() {
            let found = self.find_record(id)?;
            return self.versions_of(&found).map(Value::Array);
        }
        let mut versions = Vec::new();
        for record in self.list_records("", "")? {
            versions.extend(self.versions_of(&Found {
                space: record.space,
                id: record.id,
            })?);
        }
        Ok(Value::Array(versions))
    }

    fn versions_of(&self, found: &Found) -> Result<Vec<Value>, RecordsError> {
        match found.id {
            RecordId::Document(id) => self
                .inner
                .library
                .with(&self.inner.storage, found.space, id, |document| {
                    let view = document.view();
                    let Ok(kind) = node_domain::kind_of(&view) else {
                        return Vec::new();
                    };
                    let title = node_domain::row(&view, kind).title;
                    let heads = document.heads().to_string();
                    let open = node_domain::versions(document, kind)
                        .into_iter()
                        .map(|conflict| {
                            let versions = conflict.versions.iter().map(|version| {
                                json!({
                                    "value": version.value, "before": version.before,
                                    "hub": self.hub_code(version.author.hub),
                                    "time_ms": version.author.time_ms,
                                })
                            });
                            json!({
                                "record": id.to_string(), "title": title, "heads": heads,
                                "field": conflict.path, "label": conflict.label,
                                "decide": conflict.decide, "cause": format!("{:?}", conflict.cause),
                                "versions": versions.collect::<Vec<_>>(),
                            })
                        });
                    open.collect()
                })
                .map_err(RecordsError::from),
            RecordId::Card(card) => {
                let view = card_view(&self.inner, found.space, card)?;
                let heads = cards::heads(&view).to_string();
                let shown = view.shown();
                let shown = shown.and_then(|shown| CardRecord::decode(&shown.body).ok());
                let title = shown.map_or_else(String::new, |record| record.row().title);
                let open = CardRecord::conflicts(&view).into_iter().map(|conflict| {
                    let versions = conflict.says.iter().map(|says| {
                        json!({
                            "value": says.value, "before": [], "hub": self.hub_code(says.hub),
                            "time_ms": says.time_ms,
                        })
                    });
                    json!({
                        "record": card.to_string(), "title": title, "heads": heads,
                        "field": conflict.field, "label": conflict.label, "decide": true,
                        "cause": "Values", "versions": versions.collect::<Vec<_>>(),
                    })
                });
                Ok(open.collect())
            }
        }
    }

    /// Where this hub's changes of a record are.
    fn marks(&self, space: SpaceId, subject: Subject) -> Result<RecordMarks, RecordsError> {
        let own = self.id();
        let entries = self
            .inner
            .storage
            .read(|store| store.entries_of(subject, 0))?;
        let mut last = BTreeMap::<FeedName, u64>::new();
        let (mut changes, mut unsent) = (0, 0);
        for entry in &entries {
            let by_own = matches!(entry.opening, Some(Opening::Node { node, .. }) if node == own);
            if entry.space != space || !by_own {
                continue;
            }
            changes += 1;
            let number = entry.height.number;
            let highest = self
                .inner
                .marks
                .highest(space, entry.feed, |node| *node != own);
            unsent += u64::from(highest.is_none_or(|highest| highest < number));
            let kept = last.entry(entry.feed).or_default();
            *kept = number.max(*kept);
        }
        let authority = self.authority();
        let others = self.other_hubs(space);
        if !self.is_shared(space) {
            return Ok(RecordMarks {
                own: changes,
                ..RecordMarks::default()
            });
        }
        let holders = last
            .iter()
            .map(|(feed, number)| self.inner.marks.holders(own, space, *feed, *number));
        let holders = holders.collect::<Vec<_>>();
        Ok(RecordMarks::of(
            &holders,
            |node| authority.hub_of(node),
            &others,
            (changes, unsent),
        ))
    }

    /// The hubs that share a space with this one, the coordinator not counted.
    pub(crate) fn other_hubs(&self, space: SpaceId) -> BTreeSet<HubId> {
        let authority = self.authority();
        let coordinator = self.coordinator_hub();
        let members = authority.members(space).into_iter();
        members
            .filter(|hub| Some(*hub) != self.hub() && Some(*hub) != coordinator)
            .collect()
    }

    /// Whether anyone but this hub may read a space.
    pub(crate) fn is_shared(&self, space: SpaceId) -> bool {
        self.authority()
            .members(space)
            .iter()
            .any(|hub| Some(*hub) != self.hub())
    }

    /// The hub that the coordinator is.
    pub(crate) fn coordinator_hub(&self) -> Option<HubId> {
        match self.inner.membership()?.coordinator {
            Some(contact) => self.authority().hub_of(&contact.identity.node()),
            None => self.hub(),
        }
    }

    /// A hub's code, or its id if it is not known here.
    pub(crate) fn hub_code(&self, hub: HubId) -> String {
        let authority = self.authority();
        authority
            .hubs()
            .get(&hub)
            .map_or_else(|| hub.to_string(), |record| record.code.clone())
    }
}
