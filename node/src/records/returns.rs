//! Returns: counts computed in the hub, kept with what was counted, and counted again later.

use node_document::{Document, Heads};
use node_domain::{Computed, Measure, Object, RETURN, ReturnOf, WORK_GROUP};
use serde_json::{Value, json};

use super::change::CreatedRecord;
use super::day::{day_end_ms, moment, today};
use super::{Found, RecordId, RecordsError};
use crate::Node;

/// What a return is to count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnWanted {
    /// The measure.
    pub measure: String,
    /// Its version; the newest if 0.
    pub version: u32,
    /// The period, such as `2026-27 spring`.
    pub period: String,
    /// The day, such as `2027-02-28`; today if empty.
    pub as_at: String,
    /// The return that is corrected; none if empty.
    pub replaces: String,
    /// Why.
    pub reason: String,
}

/// A return, computed.
#[derive(Debug, Clone)]
pub struct ComputedReturn {
    /// Its fields.
    pub fields: Value,
    /// The record, if it was kept.
    pub kept: Option<CreatedRecord>,
}

/// A record that was counted: its id, where it stood, and what it said.
type Counted = (String, Heads, Object);

impl Node {
    /// Counts what a return asks for and, if confirmed, keeps the return in this hub. It leaves
    /// only by [`Node::publish_record`].
    ///
    /// # Errors
    /// [`RecordsError::Refused`] for a measure or day that does not exist, or a correction without
    /// its reason.
    pub fn compute_return(
        &self,
        wanted: &ReturnWanted,
        confirm: bool,
    ) -> Result<ComputedReturn, RecordsError> {
        let measure = measure(&wanted.measure, wanted.version)?;
        let as_at = if wanted.as_at.is_empty() {
            today()
        } else {
            wanted.as_at.clone()
        };
        day_end_ms(&as_at)?;
        if !wanted.replaces.is_empty() && wanted.reason.trim().is_empty() {
            return Err(RecordsError::Refused(
                "a correction needs its reason: say why the earlier return was wrong".to_owned(),
            ));
        }
        let counted = self.counted()?;
        let computed = self.compute(measure, &as_at, &counted)?;
        let sources = counted
            .iter()
            .map(|(id, heads, _)| (id.clone(), heads.to_string()));
        let replaces = (wanted.replaces.as_str(), wanted.reason.as_str());
        let fields = node_domain::return_fields(
            measure,
            &computed,
            &ReturnOf {
                hub: &self.own_code(),
                period: &wanted.period,
                as_at: &as_at,
                computed_at: &moment(),
                sources: &sources.collect::<Vec<_>>(),
                replaces: Some(replaces).filter(|(id, _)| !id.is_empty()),
            },
        );
        let kept = if confirm {
            Some(self.make(&RETURN, self.own_space()?, &fields, true)?)
        } else {
            None
        };
        Ok(ComputedReturn {
            fields: Value::Object(fields),
            kept,
        })
    }

    /// Counts again what a return of this hub counted, every record as it stood then, and says
    /// whether it comes to the same.
    ///
    /// # Errors
    /// [`RecordsError`] if it is no return of this hub, or what it counted is not held any more.
    pub fn reproduce_return(&self, id: &str) -> Result<Value, RecordsError> {
        let (kind, fields) = self.record_fields(id)?;
        if *kind != RETURN {
            return Err(RecordsError::Refused(format!("{id} is no return")));
        }
        let word = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let version = fields
            .get("measure_version")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let measure = measure(word("measure"), u32::try_from(version).unwrap_or(u32::MAX))?;
        let sources = fields.get("sources").and_then(Value::as_array);
        let sources = sources
            .filter(|sources| !sources.is_empty())
            .ok_or_else(|| {
                RecordsError::Refused(
                    "what this return counted is known at the hub that made it alone".to_owned(),
                )
            })?;
        let mut counted = Vec::new();
        for source in sources {
            let part = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default();
            let heads = part("heads")
                .parse::<Heads>()
                .map_err(|_| RecordsError::Heads)?;
            counted.push(self.read_at(part("record"), &heads)?);
        }
        let computed = self.compute(measure, word("as_at"), &counted)?;
        let cells = json!(computed.cells);
        let kept = fields.get("cells").map(without_ids).unwrap_or_default();
        let same = without_ids(&cells) == kept && computed.source_hash == word("source_hash");
        Ok(json!({
            "measure": measure.name, "measure_version": measure.version,
            "question": measure.question, "as_at": word("as_at"), "cells": cells,
            "source_hash": computed.source_hash, "records": counted.len(), "same": same,
        }))
    }

    fn compute(
        &self,
        measure: &'static Measure,
        as_at: &str,
        counted: &[Counted],
    ) -> Result<Computed, RecordsError> {
        let records = counted
            .iter()
            .map(|(id, _, fields)| (id.clone(), fields.clone()));
        Ok(node_domain::compute(
            measure,
            as_at,
            records,
            self.smallest_cell()?,
        ))
    }

    /// Every work group of this hub's own, as it stands.
    fn counted(&self) -> Result<Vec<Counted>, RecordsError> {
        let own = self.own_space()?;
        let records = self.list_records(WORK_GROUP.name, &own.to_string())?;
        let mut counted = Vec::new();
        for record in records {
            let found = Found {
                space: record.space,
                id: record.id,
            };
            counted.extend(self.read_found(&found, None)?);
        }
        Ok(counted)
    }

    fn read_at(&self, id: &str, heads: &Heads) -> Result<Counted, RecordsError> {
        let found = self.find_record(id)?;
        self.read_found(&found, Some(heads))?
            .ok_or(RecordsError::Heads)
    }

    fn read_found(
        &self,
        found: &Found,
        at: Option<&Heads>,
    ) -> Result<Option<Counted>, RecordsError> {
        let RecordId::Document(document) = found.id else {
            return Ok(None);
        };
        let work = |document: &mut Document| {
            let heads = at.cloned().unwrap_or_else(|| document.heads());
            let view = document.view_at(&heads)?;
            let kind = node_domain::kind_of(&view).ok()?;
            Some((heads, node_domain::read(&view, kind)))
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let read = library.with(storage, found.space, document, work)?;
        Ok(read.map(|(heads, fields)| (document.to_string(), heads, fields)))
    }

    /// The smallest count that this hub shows: its own policy, or the programme's.
    pub(crate) fn smallest_cell(&self) -> Result<i64, RecordsError> {
        let own = self
            .list_records(node_domain::HUB_PROFILE.name, "")?
            .into_iter();
        let own = own.filter(|record| Some(record.id.subject().owner()) == self.hub());
        let programmes = self.list_records(node_domain::PROGRAMME.name, "")?;
        for record in own.chain(programmes) {
            let fields = self.readable(record.space, record.id)?.unwrap_or_default();
            if let Some(cell) = fields.get("smallest_cell").and_then(Value::as_i64) {
                return Ok(cell);
            }
        }
        Ok(SMALLEST_CELL)
    }

    /// What the published summaries of a return's hub say otherwise than the return; none if they
    /// agree or nothing of both can be compared.
    pub(crate) fn return_differs(
        &self,
        fields: &Object,
    ) -> Result<Option<Vec<Value>>, RecordsError> {
        let hub = fields.get("hub").and_then(Value::as_str);
        let Some(hub) = hub.and_then(|code| self.hub_named(code)) else {
            return Ok(None);
        };
        let mut summaries = Vec::new();
        for record in self.list_records(node_domain::GROUP_SUMMARY.name, "")? {
            if record.id.subject().owner() == hub {
                summaries.extend(self.readable(record.space, record.id)?);
            }
        }
        let differs = node_domain::return_difference(fields, &summaries);
        Ok(differs.map(|differs| {
            vec![
                json!({ "value": { "return": differs.returned } }),
                json!({ "value": { "published_summaries": differs.published } }),
            ]
        }))
    }
}

/// The smallest count that is shown where neither hub nor programme says.
const SMALLEST_CELL: i64 = 5;

fn measure(name: &str, version: u32) -> Result<&'static Measure, RecordsError> {
    let measures = node_domain::MEASURES.iter();
    let found = measures
        .filter(|measure| measure.name == name)
        .filter(|measure| version == 0 || measure.version == i64::from(version))
        .max_by_key(|measure| measure.version);
    found.ok_or_else(|| {
        let known = node_domain::MEASURES
            .iter()
            .map(|measure| format!("{} (version {})", measure.name, measure.version));
        RecordsError::Refused(format!(
            "there is no measure \"{name}\" of this version; there are {}",
            known.collect::<Vec<_>>().join(", ")
        ))
    })
}

fn without_ids(cells: &Value) -> Vec<Value> {
    let cells = cells.as_array().into_iter().flatten().cloned();
    let cells = cells.map(|mut cell| {
        if let Some(cell) = cell.as_object_mut() {
            cell.shift_remove("id");
            cell.retain(|_, value| !value.is_null());
            cell.sort_keys();
        }
        cell
    });
    cells.collect()
}
