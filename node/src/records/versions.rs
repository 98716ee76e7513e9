//! Versions: what stands in two or more, for everybody whom it concerns, and what was settled.

use std::collections::BTreeSet;
use std::sync::Arc;

use node_document::Document;
use node_domain::{
    CardRecord, Conflict, ConflictCause, ConflictVersion, GROUP_SUMMARY, KINDS, Kind, Object, Test,
    VersionCounts,
};
use node_feed::{DocumentId, Hash, Tag};
use node_store::{CellValue, Filter, ListQuery, ReadStore, RecordRow};
use serde_json::{Value, json};

use super::memo::{bytes_of, weight};
use super::{Found, RecordId, RecordsError, record_id};
use crate::Node;
use crate::applier::{OPEN_VERSIONS, SETTLED_VERSIONS};
use crate::cards::{self, card_view};

/// Whom versions are listed for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerning {
    /// A person's card; everybody if empty.
    pub person: String,
    /// A role; all if empty.
    pub role: String,
}

/// Open versions with their counts.
#[derive(Debug, Clone, Default)]
pub struct ListedVersions {
    /// The versions, as a JSON array.
    pub versions: Vec<Value>,
    /// How many are open, to be decided, settled and reopened, in the records looked at.
    pub counts: VersionCounts,
}

impl Node {
    /// The fields that stand in several versions, of one record or of all. Each has the record,
    /// its title and heads, the field, whether a person must decide, whom it concerns, and the
    /// versions with their value, hub, time, what stood before, and what the same edit said beside
    /// it in other fields of which there are versions.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is none with this id here.
    pub fn list_versions(&self, id: &str) -> Result<Value, RecordsError> {
        let listed = self.versions_concerning(id, &Concerning::default())?;
        Ok(Value::Array(listed.versions))
    }

    /// The same, of what concerns one person or role alone, with counts.
    ///
    /// # Errors
    /// As for [`Node::list_versions`].
    pub fn versions_concerning(
        &self,
        id: &str,
        concerning: &Concerning,
    ) -> Result<ListedVersions, RecordsError> {
        let mut listed = ListedVersions::default();
        if !id.is_empty() {
            let found = self.find_record(id)?;
            listed.add(&self.versions_of(&found, None)?, concerning);
            return Ok(listed);
        }
        for kind in KINDS {
            for told in self.versions_of_kind(kind)?.iter() {
                listed.add(told, concerning);
            }
        }
        Ok(listed)
    }

    /// What there is to tell of all records of a kind, worked out anew when one of those kinds
    /// changed of which it tells.
    fn versions_of_kind(
        &self,
        kind: &'static Kind,
    ) -> Result<Arc<Vec<ToldVersions>>, RecordsError> {
        let mut kinds = vec![kind.name];
        let mut unsent = String::new();
        for watch in node_domain::cross_watches(kind) {
            if let Test::StillReferred { kind, .. } = watch.test {
                kinds.push(kind);
            } else if let Test::Differs = watch.test {
                kinds.push(GROUP_SUMMARY.name);
            } else if let Test::Unsent { .. } = watch.test {
                unsent = self.unsent()?.to_string();
            }
        }
        self.remembered_of_kinds(
            &kinds,
            &["open versions", kind.name, &unsent],
            |all: &Vec<ToldVersions>| all.iter().map(|told| 200 + weight(&told.open)).sum(),
            || self.look_at_kind(kind),
        )
    }

    fn look_at_kind(&self, kind: &'static Kind) -> Result<Vec<ToldVersions>, RecordsError> {
        let found = self.found(kind)?.into_iter();
        found
            .map(|found| self.versions_of(&found, Some(kind)))
            .collect()
    }

    /// What was settled in a record, or in all, of what concerns one person or role if it says so:
    /// the field, the versions that stood there, what was chosen, by whom and when. Each has an id,
    /// by which [`Node::reopen_versions`] opens it again.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is none with this id here.
    pub fn settled_versions(
        &self,
        id: &str,
        concerning: &Concerning,
    ) -> Result<Value, RecordsError> {
        let mut all = Vec::new();
        let found = if id.is_empty() {
            self.catch_up_if_possible();
            self.counting(&[], SETTLED_VERSIONS)?
        } else {
            BTreeSet::from([self.find_record(id)?])
        };
        for found in found {
            let RecordId::Document(document) = found.id else {
                continue;
            };
            let (space, heads) = self.standing_at(&found, document)?;
            let settled = self.remembered_of(
                &["settled", &space, &document.to_string(), &heads],
                |(_, settled): &(Concerned, Vec<Value>)| weight(settled),
                || self.settled_of(&found, document),
            )?;
            if settled.0.are(concerning) {
                all.extend(settled.1.iter().cloned());
            }
        }
        Ok(Value::Array(all))
    }

    /// Where a document stands, and in which space: what all that it says by itself follows from.
    fn standing_at(
        &self,
        found: &Found,
        document: DocumentId,
    ) -> Result<(String, String), RecordsError> {
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let heads = library.heads(storage, found.space, document)?;
        Ok((found.space.to_string(), heads))
    }

    fn settled_of(
        &self,
        found: &Found,
        document: DocumentId,
    ) -> Result<(Concerned, Vec<Value>), RecordsError> {
        let work = |document: &mut Document| {
            let view = document.view();
            let kind = node_domain::kind_of(&view).ok()?;
            let concerned = Concerned::of(kind, &node_domain::read(&view, kind));
            Some((concerned, node_domain::settled(&view, kind)))
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let settled = library.with(storage, found.space, document, work)?;
        let (concerned, settled) = settled.unwrap_or_default();
        let told = settled.into_iter().map(|settled| {
            let versions = settled.versions.iter().enumerate().map(|(index, version)| {
                let mut told = self.version(version);
                if !settled.is_proven(index) {
                    told["said_by_settler"] = json!(true);
                }
                told
            });
            json!({
                "record": document.to_string(), "id": settled.id, "field": settled.path,
                "label": settled.label, "cause": settled.cause, "chosen": settled.chosen,
                "versions": versions.collect::<Vec<_>>(),
                "hub": self.hub_code(settled.by.hub), "time_ms": settled.by.time_ms,
                "reopened": settled.reopened,
            })
        });
        Ok((concerned, told.collect()))
    }

    /// Puts versions that were settled to people again.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was reopened then.
    pub fn reopen_versions(&self, id: &str, settled: &str) -> Result<(), RecordsError> {
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Err(RecordsError::Refused(
                "a card keeps no history, so nothing can be reopened".to_owned(),
            ));
        };
        self.change_document(found.space, document, false, |document, by| {
            node_domain::reopen(document, None, settled, by)
        })?;
        Ok(())
    }

    /// The records of a kind in which there may be something to tell.
    fn found(&self, kind: &'static Kind) -> Result<BTreeSet<Found>, RecordsError> {
        self.catch_up_if_possible();
        let counted = self.remembered_of_kinds(
            &[kind.name],
            &["counted"],
            |counted: &BTreeSet<Found>| 64 * counted.len(),
            || {
                let mut counted = self.counting(&[kind.name], OPEN_VERSIONS)?;
                counted.extend(self.counting(&[kind.name], SETTLED_VERSIONS)?);
                Ok(counted)
            },
        )?;
        let mut found = counted.as_ref().clone();
        for watch in node_domain::cross_watches(kind) {
            let watched = self.remembered_of_kinds(
                &[kind.name],
                &["watched", watch.name],
                |watched: &Vec<(Found, Option<CellValue>)>| 96 * watched.len(),
                || self.watched_by(kind, watch),
            )?;
            if watched.is_empty() {
                continue;
            }
            // Of many, few are still referred to: lists tell which, and no other is opened.
            let referred = self.referred_by(watch)?;
            let may_hold = |says: &Option<CellValue>| match (says, &referred) {
                (Some(says), Some(referred)) => referred.contains(says),
                (_, _) => true,
            };
            let held = watched.iter().filter(|(_, says)| may_hold(says));
            found.extend(held.map(|(found, _)| *found));
        }
        Ok(found)
    }

    /// The records of these kinds, or of all, whose lines count at least one of something.
    fn counting(&self, kinds: &[&str], cell: &str) -> Result<BTreeSet<Found>, RecordsError> {
        let query = ListQuery {
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            filters: vec![Filter::AtLeast {
                field: cell.to_owned(),
                value: CellValue::Number(1),
            }],
            ..self.may_list()
        };
        let rows = self.inner.storage.list(&query)?.rows;
        Ok(rows.iter().filter_map(found_at).collect())
    }

    /// What a record has to tell. Of which kind it is, is said where that is known.
    fn versions_of(
        &self,
        found: &Found,
        kind: Option<&'static Kind>,
    ) -> Result<ToldVersions, RecordsError> {
        let looked = match found.id {
            RecordId::Document(document) => {
                let (space, heads) = self.standing_at(found, document)?;
                self.remembered_of(
                    &["versions", &space, &document.to_string(), &heads],
                    |looked: &Option<Looked>| looked.as_ref().map_or(64, Looked::weight),
                    || self.look(found),
                )?
            }
            RecordId::Card(card) => match kind {
                Some(kind) => self.remembered_of_kinds(
                    &[kind.name],
                    &["versions", &found.space.to_string(), &card.to_string()],
                    |looked: &Option<Looked>| looked.as_ref().map_or(64, Looked::weight),
                    || self.look(found),
                )?,
                None => Arc::new(self.look(found)?),
            },
        };
        let Some(looked) = looked.as_ref() else {
            return Ok(ToldVersions::default());
        };
        let Looked {
            kind,
            title,
            heads,
            fields,
            concerned,
            open,
            counts,
        } = looked;
        let (concerned, mut open, mut counts) = (concerned.clone(), open.clone(), *counts);
        for watch in node_domain::cross_watches(kind) {
            let path = format!("!{}", watch.name);
            let raised = self.watched(found, kind, fields, watch)?;
            if let Some(versions) = raised
                && !self.is_settled(found, &path, &versions)?
            {
                counts.open += 1;
                counts.to_decide += 1;
                open.push(json!({
                    "field": path, "label": watch.sentence, "sentence": watch.sentence,
                    "decide": true, "cause": "Watch", "versions": versions,
                }));
            }
        }
        for open in &mut open {
            open["record"] = json!(found.id.to_string());
            open["title"] = json!(title);
            open["heads"] = json!(heads);
            open["roles"] = json!(concerned.roles);
            open["persons"] = json!(concerned.persons);
        }
        Ok(ToldVersions {
            concerned,
            open,
            counts,
        })
    }

    /// Settles as it is what a watch raised that looks at other records; whether `field` is one.
    pub(super) fn settle_raised(&self, found: &Found, field: &str) -> Result<bool, RecordsError> {
        let (kind, fields) = self.record_fields_in(found.space, found.id)?;
        let mut watches = node_domain::cross_watches(kind);
        let Some(watch) = watches.find(|watch| field.strip_prefix('!') == Some(watch.name)) else {
            return Ok(false);
        };
        let Some(versions) = self.watched(found, kind, &fields, watch)? else {
            return Err(RecordsError::Stale);
        };
        let print = fingerprint(&versions);
        match found.id {
            RecordId::Document(document) => {
                self.change_document(found.space, document, false, |document, by| {
                    node_domain::settle_raised(document, field, watch.sentence, &print, by)
                })?;
            }
            // A card keeps no history, and may be another hub's: this node remembers it.
            RecordId::Card(_) => {
                let key = settled_setting(found.id, field);
                self.inner
                    .storage
                    .set_setting(&key, Some(print.as_bytes()))?;
                // Nothing that is counted tells of a setting.
                self.inner.memo.forget();
            }
        }
        Ok(true)
    }

    fn is_settled(
        &self,
        found: &Found,
        path: &str,
        versions: &[Value],
    ) -> Result<bool, RecordsError> {
        let print = fingerprint(versions);
        let RecordId::Document(document) = found.id else {
            let key = settled_setting(found.id, path);
            let settled = self.inner.storage.read(|store| store.setting(&key))?;
            return Ok(settled.is_some_and(|settled| settled.as_ref() == print.as_bytes()));
        };
        let settled = |document: &mut Document| {
            node_domain::raised_is_settled(&document.view(), path, &print)
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        Ok(library.with(storage, found.space, document, settled)?)
    }

    /// What a record by itself says; none if this version does not know its kind.
    fn look(&self, found: &Found) -> Result<Option<Looked>, RecordsError> {
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        match found.id {
            RecordId::Document(id) => {
                let looked = library.with(storage, found.space, id, |document| {
                    let view = document.view().whole();
                    let Ok(kind) = node_domain::kind_of(&view) else {
                        return None;
                    };
                    let open = node_domain::versions(document, kind);
                    let told = open.iter().map(|one| self.conflict(one, &open));
                    let told = told.collect();
                    let fields = node_domain::read(&view, kind);
                    Some(Looked {
                        kind,
                        title: node_domain::title(kind, &fields),
                        heads: document.heads().to_string(),
                        concerned: Concerned::of(kind, &fields),
                        fields,
                        open: told,
                        counts: node_domain::counts_of(&open, &view, kind),
                    })
                })?;
                Ok(looked.map(|mut looked| {
                    if node_domain::cross_watches(looked.kind).next().is_none() {
                        looked.fields = Object::new();
                    }
                    looked
                }))
            }
            RecordId::Card(card) => {
                let view = card_view(&self.inner, found.space, card)?;
                let Some(record) = CardRecord::shown(&view) else {
                    return Ok(None);
                };
                let open = CardRecord::conflicts(&view).into_iter().map(|conflict| {
                    let versions = conflict.says.iter().map(|says| {
                        json!({
                            "value": says.value, "before": [], "hub": self.hub_code(says.hub),
                            "time_ms": says.time_ms,
                        })
                    });
                    json!({
                        "field": conflict.field, "label": conflict.label, "decide": true,
                        "cause": "Values", "versions": versions.collect::<Vec<_>>(),
                    })
                });
                let open = open.collect::<Vec<_>>();
                Ok(Some(Looked {
                    kind: record.kind,
                    title: node_domain::title(record.kind, &record.fields),
                    heads: cards::heads(&view).to_string(),
                    concerned: Concerned::of(record.kind, &record.fields),
                    counts: VersionCounts {
                        open: open.len(),
                        to_decide: open.len(),
                        ..VersionCounts::default()
                    },
                    open,
                    fields: record.fields,
                }))
            }
        }
    }

    fn conflict(&self, conflict: &Conflict, all: &[Conflict]) -> Value {
        let versions = conflict.versions.iter().map(|version| {
            let mut told = self.version(version);
            let with = with(conflict, version, all);
            if !with.is_empty() {
                told["with"] = json!(with);
            }
            told
        });
        let (cause, sentence) = match &conflict.cause {
            ConflictCause::Values => ("Values", Value::Null),
            ConflictCause::Steps => ("Steps", Value::Null),
            ConflictCause::StepNotAllowed => ("StepNotAllowed", Value::Null),
            ConflictCause::Sentence(text) => ("Sentence", json!(text)),
            ConflictCause::Watch { sentence, .. } => ("Watch", json!(sentence)),
            ConflictCause::Reopened => ("Reopened", Value::Null),
        };
        json!({
            "field": conflict.path, "label": conflict.label, "decide": conflict.decide,
            "cause": cause, "sentence": sentence, "versions": versions.collect::<Vec<_>>(),
        })
    }

    fn version(&self, version: &ConflictVersion) -> Value {
        json!({
            "value": version.value, "before": version.before,
            "hub": self.hub_code(version.author.hub), "time_ms": version.author.time_ms,
        })
    }
}

/// What the same edit said beside a version in the other fields of the item that stand in several
/// versions, such as the reason for a new date.
fn with(conflict: &Conflict, version: &ConflictVersion, all: &[Conflict]) -> Vec<Value> {
    let item = |path: &str| path.rsplit_once('/').map(|(item, _)| item.to_owned());
    let written = |version: &ConflictVersion| (version.author.feed, version.author.number);
    let beside = all.iter().filter(|other| {
        let raised = matches!(other.cause, ConflictCause::Watch { .. });
        !raised && other.path != conflict.path && item(&other.path) == item(&conflict.path)
    });
    let said = beside.filter_map(|other| {
        let mut versions = other.versions.iter();
        let same = versions.find(|it| written(it) == written(version))?;
        Some(json!({ "field": other.path, "label": other.label, "value": same.value }))
    });
    said.collect()
}

/// Where this node remembers that what was raised of a card is well as it is.
fn settled_setting(card: RecordId, path: &str) -> String {
    format!("settled/{card}/{path}")
}

/// Stands for what is at odds.
fn fingerprint(versions: &[Value]) -> String {
    Hash::of(Tag::Preview, &[json!(versions).to_string().as_bytes()]).to_string()
}

/// What there is to tell of one record, and to whom.
#[derive(Debug, Default)]
struct ToldVersions {
    concerned: Concerned,
    open: Vec<Value>,
    counts: VersionCounts,
}

impl ListedVersions {
    /// Takes up what there is to tell of a record, if it concerns those for whom this is listed.
    fn add(&mut self, told: &ToldVersions, concerning: &Concerning) {
        if told.concerned.are(concerning) {
            self.counts.open += told.counts.open;
            self.counts.to_decide += told.counts.to_decide;
            self.counts.settled += told.counts.settled;
            self.counts.reopened += told.counts.reopened;
            self.versions.extend(told.open.iter().cloned());
        }
    }
}

/// Where a line's record is; nothing for what this version cannot name.
pub(super) fn found_at(row: &RecordRow) -> Option<Found> {
    let id = record_id(&row.kind, row.subject).ok()?;
    let space = row.space;
    Some(Found { space, id })
}

/// What one record says by itself.
#[derive(Debug)]
struct Looked {
    kind: &'static Kind,
    title: String,
    heads: String,
    /// Its fields, where what is raised of its kind follows from other records too.
    fields: Object,
    concerned: Concerned,
    open: Vec<Value>,
    counts: VersionCounts,
}

impl Looked {
    /// About how many bytes it takes.
    fn weight(&self) -> usize {
        let fields = self.fields.iter();
        let fields = fields.map(|(name, value)| name.len() + bytes_of(value));
        200 + fields.sum::<usize>() + weight(&self.open)
    }
}

/// Whom a record's versions concern.
#[derive(Debug, Clone, Default)]
struct Concerned {
    roles: Vec<String>,
    persons: Vec<String>,
}

impl Concerned {
    /// Whether those for whom versions are listed are among them.
    fn are(&self, concerning: &Concerning) -> bool {
        let named =
            |named: &[String], wish: &str| wish.is_empty() || named.iter().any(|name| name == wish);
        named(&self.persons, &concerning.person) && named(&self.roles, &concerning.role)
    }

    fn of(kind: &'static Kind, fields: &Object) -> Self {
        let concerned = node_domain::concerned_in(fields, kind);
        Self {
            roles: concerned
                .roles
                .iter()
                .map(|role| (*role).to_owned())
                .collect(),
            persons: concerned
                .persons
                .into_iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        }
    }
}

/// A value as lists compare it.
pub(crate) fn cell_value(text: &str) -> CellValue {
    text.parse::<i64>()
        .map_or_else(|_| CellValue::Text(text.to_owned()), CellValue::Number)
}
