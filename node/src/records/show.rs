//! One record: its fields, marks and history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use node_document::{Document, Heads, View};
use node_domain::{
    CardRecord, Field, Filled, HistoryStep, Kind, Object, Problem, RecordError, UNKNOWN,
    UNKNOWN_CARD,
};
use node_feed::{FeedName, HubId, Opening, SpaceId, SpaceKind, Subject};
use node_store::{Filter, ListQuery, ReadStore};
use serde_json::{Value, json};

use super::day::day_end_ms;
use super::memo::bytes_of;
use super::{RecordId, RecordsError};
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
    /// What in it is not as declared, as it may be in what another hub wrote.
    pub problems: Vec<Problem>,
    /// Kept copies, what differs from the latest of them, the order that people gave a list, and
    /// the sums of a log; null for a card.
    pub more: Value,
}

impl Node {
    /// One record whole, as it is.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is none with this id here.
    pub fn show_record(&self, id: &str) -> Result<ShownRecord, RecordsError> {
        self.show_record_on(id, "")
    }

    /// One record whole, as it was at the end of `day`, such as `2026-11-24`; as it is if empty. A
    /// card is shown as it is: it keeps no history.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is none with this id here, or was none then.
    pub fn show_record_on(&self, id: &str, day: &str) -> Result<ShownRecord, RecordsError> {
        let found = self.find_record(id)?;
        let (kind, mut fields, heads, problems, more) = match found.id {
            RecordId::Document(document) => self.inner.library.with(
                &self.inner.storage,
                found.space,
                document,
                |document| document_shown(document, id, day),
            )??,
            RecordId::Card(card) => {
                let view = card_view(&self.inner, found.space, card)?;
                let mut record =
                    CardRecord::shown(&view).ok_or_else(|| RecordsError::Missing(id.to_owned()))?;
                self.count_in(record.kind, found.space, &mut record.fields)?;
                let heads = cards::heads(&view).to_string();
                let mut problems = node_domain::card_problems(record.kind, &record.fields);
                problems.extend(newer(record.kind, &record.fields));
                (record.kind, record.fields, heads, problems, Value::Null)
            }
        };
        self.name_hubs(kind, &mut fields);
        let marks = self.marks(found.space, found.id.subject())?;
        Ok(ShownRecord {
            kind: kind.name.to_owned(),
            space: found.space,
            fields: Value::Object(fields),
            heads,
            marks,
            problems,
            more,
        })
    }

    /// A record's kind and fields, codes in the place of hubs' ids.
    pub(crate) fn record_fields(&self, id: &str) -> Result<(&'static Kind, Object), RecordsError> {
        let found = self.find_record(id)?;
        self.record_fields_in(found.space, found.id)
    }

    /// The same of a record that was found.
    pub(crate) fn record_fields_in(
        &self,
        space: SpaceId,
        id: RecordId,
    ) -> Result<(&'static Kind, Object), RecordsError> {
        let (kind, mut fields) = match id {
            RecordId::Document(document) => {
                let (library, storage) = (&self.inner.library, &self.inner.storage);
                let heads = library.heads(storage, space, document)?;
                let read = |document: &mut Document| {
                    let view = document.view();
                    let kind = known_or_not(&view)?;
                    Ok::<_, RecordsError>((kind, node_domain::read(&view, kind)))
                };
                let read = self.remembered_of(
                    &["fields", &space.to_string(), &document.to_string(), &heads],
                    |(_, fields): &(&'static Kind, Object)| {
                        let fields = fields.iter();
                        let fields = fields.map(|(name, value)| 64 + name.len() + bytes_of(value));
                        fields.sum()
                    },
                    || library.with(storage, space, document, read)?,
                )?;
                (read.0, read.1.clone())
            }
            RecordId::Card(card) => {
                let record = CardRecord::shown(&card_view(&self.inner, space, card)?)
                    .ok_or_else(|| RecordsError::Missing(card.to_string()))?;
                (record.kind, record.fields)
            }
        };
        self.name_hubs(kind, &mut fields);
        Ok((kind, fields))
    }

    /// The fields of a record that was found, if it can be read: where many are counted, one that
    /// cannot hinders none of the others.
    pub(crate) fn readable(
        &self,
        space: SpaceId,
        id: RecordId,
    ) -> Result<Option<Object>, RecordsError> {
        match self.record_fields_in(space, id) {
            Ok((_, fields)) => Ok(Some(fields)),
            Err(RecordsError::Record(_) | RecordsError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts the numbers in that are counted from other records, where this hub holds those: in its
    /// own space.
    pub(crate) fn count_in(
        &self,
        kind: &Kind,
        space: SpaceId,
        fields: &mut Object,
    ) -> Result<(), RecordsError> {
        if kind.counted.is_empty() || self.own_space().ok() != Some(space) {
            return Ok(());
        }
        for counting in kind.counted {
            let by = fields.get(counting.by).and_then(Value::as_str);
            let Some(by) = by.map(str::to_owned) else {
                continue;
            };
            let is = |field: &str, values: Vec<String>| Filter::Is {
                field: field.to_owned(),
                values,
            };
            let mut filters = vec![is(counting.refers, vec![by])];
            let (field, values) = counting.standing;
            if !values.is_empty() {
                filters.push(is(
                    field,
                    values.iter().map(|it| (*it).to_owned()).collect(),
                ));
            }
            let query = ListQuery {
                kinds: vec![counting.kind.to_owned()],
                space: Some(space),
                filters,
                limit: 1,
                ..self.may_list()
            };
            let total = self.inner.storage.list(&query)?.total;
            fields.insert(counting.field.to_owned(), json!(total));
        }
        Ok(())
    }

    /// Puts codes in the place of hubs' ids, where a field is the hub that wrote an item.
    pub(crate) fn name_hubs(&self, kind: &Kind, fields: &mut Object) {
        let by_author = |field: &&Field| field.filled == Filled::ByAuthor;
        for field in kind.fields {
            let inner = field.items().unwrap_or_default();
            for author in inner.iter().filter(by_author) {
                let items = fields.get_mut(field.name).and_then(Value::as_array_mut);
                for item in items.into_iter().flatten() {
                    let hub = item.get(author.name).and_then(Value::as_str);
                    if let Some(hub) = hub.and_then(|hub| hub.parse::<HubId>().ok()) {
                        let code = json!(self.hub_code(hub));
                        if let Some(item) = item.as_object_mut() {
                            item.insert(author.name.to_owned(), code);
                        }
                    }
                }
            }
        }
    }

    /// Who changed which field when, oldest first: of one field, or of all if it is empty. A card
    /// has no history.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is none with this id here.
    pub fn record_history(&self, id: &str, field: &str) -> Result<Value, RecordsError> {
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Ok(Value::Array(Vec::new()));
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let key = self.memo_key(&["history", &found.space.to_string(), &document.to_string()]);
        let known = self.inner.memo.find::<Told>(&key);
        let told = library.with(storage, found.space, document, |document| {
            let heads = document.heads();
            let mut told = Told::default();
            if let Some(known) = known {
                if known.heads == heads {
                    return Ok(known);
                }
                if document.view_at(&known.heads).is_some() {
                    told = known.as_ref().clone();
                }
            }
            let view = document.view();
            let kind = known_or_not(&view)?;
            let steps = node_domain::history(&view, kind, &told.heads);
            told.steps.extend(steps);
            told.heads = heads;
            Ok::<_, RecordsError>(Arc::new(told))
        })??;
        self.inner.memo.keep(key, &told, told.weight());
        let steps = told.steps.iter();
        let steps = steps.filter(|step| field.is_empty() || step.is_of(field));
        let steps = steps.map(|step| {
            json!({
                "field": step.path, "label": step.label, "value": step.value,
                "before": step.before,
                "hub": self.hub_code(step.author.hub), "time_ms": step.author.time_ms,
            })
        });
        Ok(steps.collect())
    }

    /// Sets one field of a record to what it was at the end of `day`, such as `2026-11-24`.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was changed then.
    pub fn bring_back(&self, id: &str, field: &str, day: &str) -> Result<String, RecordsError> {
        let time_ms = day_end_ms(day)?;
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Err(RecordsError::Refused(
                "a card keeps no history, so nothing can be brought back".to_owned(),
            ));
        };
        let (heads, _) = self.change_document(found.space, document, false, |document, by| {
            let then = document.heads_on(time_ms);
            node_domain::bring_back(document, field, &then, by)
        })?;
        Ok(heads.to_string())
    }

    /// Where this hub's changes of a record are.
    fn marks(&self, space: SpaceId, subject: Subject) -> Result<RecordMarks, RecordsError> {
        let own = &self.inner.own_nodes;
        let entries = self
            .inner
            .storage
            .read(|store| store.entries_of(subject, 0))?;
        let mut last = BTreeMap::<FeedName, u64>::new();
        let (mut changes, mut unsent) = (0, 0);
        for entry in &entries {
            let by_own =
                matches!(entry.opening, Some(Opening::Node { node, .. }) if own.contains(&node));
            if entry.space != space || !by_own {
                continue;
            }
            changes += 1;
            let number = entry.height.number;
            let highest = self
                .inner
                .marks
                .highest(space, entry.feed, |node| !own.contains(node));
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
        self.inner.coordinator_hub()
    }

    /// The hub with this code, or this id.
    pub(crate) fn hub_named(&self, name: &str) -> Option<HubId> {
        let authority = self.authority();
        let mut hubs = authority.hubs().iter();
        let found = hubs.find(|(hub, record)| record.code == name || hub.to_string() == name);
        found.map(|(hub, _)| *hub)
    }

    /// What people call this hub; empty before it is connected.
    pub fn hub_name(&self) -> String {
        let authority = self.authority();
        let record = self
            .hub()
            .and_then(|hub| authority.hubs().get(&hub).cloned());
        record.map_or_else(String::new, |record| record.name)
    }

    /// The code of this hub; empty before it is connected.
    pub(crate) fn own_code(&self) -> String {
        self.hub()
            .map_or_else(String::new, |hub| self.hub_code(hub))
    }

    /// The space that this hub shares with nobody.
    pub(crate) fn own_space(&self) -> Result<SpaceId, RecordsError> {
        let authority = self.authority();
        let hub = self.hub();
        let mut spaces = authority.spaces().iter();
        let own = spaces.find(|(space, record)| {
            record.kind == SpaceKind::Hub
                && hub.is_some_and(|hub| authority.write_grant(hub, **space).is_some())
        });
        own.map(|(space, _)| *space).ok_or_else(|| {
            RecordsError::Space("this hub has no space of its own yet; NCETM makes it".to_owned())
        })
    }

    /// The space that this hub shares with the coordinator and nobody else.
    pub(crate) fn pair_with_coordinator(&self) -> Option<SpaceId> {
        let (authority, hub, coordinator) =
            (self.authority(), self.hub()?, self.coordinator_hub()?);
        let both = BTreeSet::from([hub, coordinator]);
        let mut spaces = authority.spaces().iter();
        let pair = spaces.find(|(space, record)| {
            record.kind == SpaceKind::Pair
                && authority.write_grant(hub, **space).is_some()
                && authority
                    .members(**space)
                    .into_iter()
                    .collect::<BTreeSet<_>>()
                    == both
        });
        pair.map(|(space, _)| *space)
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

/// The kind as which a record is read: the one for all that only newer versions declare, too.
fn known_or_not(view: &View<'_>) -> Result<&'static Kind, RecordError> {
    node_domain::kind_or_unknown(view).ok_or_else(|| RecordError::UnknownKind(String::new()))
}

/// That a record is of a newer version's kind, which is why none of its fields is known here.
fn newer(kind: &Kind, fields: &Object) -> Option<Problem> {
    let name = fields.get("kind_of_record").and_then(Value::as_str);
    (*kind == UNKNOWN || *kind == UNKNOWN_CARD).then(|| Problem {
        field: String::new(),
        message: RecordError::UnknownKind(name.unwrap_or_default().to_owned()).to_string(),
    })
}

type DocumentShown = (&'static Kind, Object, String, Vec<Problem>, Value);

/// What was told of a document's history, and the state of it until which that goes.
#[derive(Debug, Clone, Default)]
struct Told {
    heads: Heads,
    steps: Vec<HistoryStep>,
}

impl Told {
    /// About how many bytes it takes.
    fn weight(&self) -> usize {
        let steps = self.steps.iter();
        let steps = steps.map(|step| {
            let texts = step.path.len() + step.label.len();
            200 + texts + bytes_of(&step.value) + bytes_of(&step.before)
        });
        steps.sum()
    }
}

fn document_shown(document: &Document, id: &str, day: &str) -> Result<DocumentShown, RecordsError> {
    let kind = known_or_not(&document.view())?;
    let heads = if day.is_empty() {
        document.heads()
    } else {
        document.heads_on(day_end_ms(day)?)
    };
    let view = document.view_at(&heads).ok_or(RecordsError::Heads)?;
    let view = view.whole();
    if node_domain::kind_or_unknown(&view).is_none() {
        return Err(RecordsError::Missing(id.to_owned()));
    }
    let fields = node_domain::read(&view, kind);
    let mut problems = node_domain::problems(&view, kind);
    problems.extend(newer(kind, &fields));
    let copies = node_domain::frozen_copies(&view, kind)
        .into_iter()
        .map(|copy| {
            json!({
                "version": copy.version, "state": copy.state, "on": copy.on,
                "hash": copy.hash, "genuine": copy.genuine, "content": copy.content,
            })
        });
    let more = json!({
        "copies": copies.collect::<Vec<_>>(),
        "differences": node_domain::differs_from_frozen(&view, kind),
        "ranking": node_domain::ranking(&view, kind),
        "sums": node_domain::sums(&view, kind),
    });
    Ok((kind, fields, heads.to_string(), problems, more))
}
