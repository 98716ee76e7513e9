//! What a desk is told of changes: history, versions, and what was settled.

use std::collections::BTreeMap;

use node_domain::{FieldChange, May, Seen, VersionCounts};
use serde_json::Value;

use super::{Desk, Known, Reached, settles};
use crate::records::{Concerning, ListedVersions, RecordsError};

impl Desk {
    /// Who changed which field when, of the fields that the role sees: as
    /// [`Node::record_history`](crate::Node::record_history).
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role does not see the record.
    pub fn history(&self, id: &str, field: &str) -> Result<Value, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        let mut history = self.node.record_history(id, field)?;
        if let Some(steps) = history.as_array_mut() {
            steps.retain(|step| reached.shows(text(step, "field")));
        }
        Ok(history)
    }

    /// The versions that the role sees: as
    /// [`Node::versions_concerning`](crate::Node::versions_concerning). Of what is raised because
    /// records or fields do not fit together it is told where it sees all of them.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if it does not see the record that was named.
    pub fn versions(
        &self,
        id: &str,
        concerning: &Concerning,
    ) -> Result<ListedVersions, RecordsError> {
        let unsent = self.node.unsent()?.to_string();
        let Concerning { person, role } = concerning;
        let (own, day) = (self.role.name, self.today());
        let what = ["told", own, &self.holder, &day, id, person, role, &unsent];
        let told = self.node.remembered(
            &what,
            |listed: &ListedVersions| {
                let versions = listed.versions.iter();
                versions.map(|open| open.to_string().len() * 2).sum()
            },
            || self.versions_told(id, concerning),
        )?;
        Ok(told.as_ref().clone())
    }

    fn versions_told(
        &self,
        id: &str,
        concerning: &Concerning,
    ) -> Result<ListedVersions, RecordsError> {
        let mut records = self.records_told(id)?;
        let listed = self.node.versions_concerning(id, concerning)?;
        let mut versions = Vec::new();
        for mut open in listed.versions {
            let record = text(&open, "record").to_owned();
            let Some(reached) = records.reached(&record)? else {
                continue;
            };
            let raised = text(&open, "field").starts_with('!');
            let (may, kind) = (reached.may, reached.kind);
            if !reached.shows(text(&open, "field")) {
                continue;
            }
            if may.read != Seen::All {
                open["persons"] = Value::Array(Vec::new());
                if !node_domain::reads(may, kind, kind.title_field) {
                    open["title"] = Value::Null;
                }
                for version in open["versions"].as_array_mut().into_iter().flatten() {
                    if let Some(with) = version.get_mut("with").and_then(Value::as_array_mut) {
                        with.retain(|it| node_domain::reads(may, kind, text(it, "field")));
                    }
                }
            }
            if raised {
                let mut seen = Vec::new();
                for version in open["versions"].as_array().cloned().unwrap_or_default() {
                    let other = version["value"]["record"].as_str().map(str::to_owned);
                    let sees = match other {
                        Some(other) => records.reached(&other)?.is_some(),
                        None => true,
                    };
                    if sees {
                        seen.push(version);
                    }
                }
                if seen.is_empty() {
                    continue;
                }
                open["versions"] = Value::Array(seen);
            }
            versions.push(open);
        }
        let of_all = self.settled_seen(id, concerning, &mut records)?;
        let settled = of_all.len();
        let again = of_all.iter().filter(|it| it["reopened"] == true);
        let decide = versions.iter().filter(|it| it["decide"] == true);
        Ok(ListedVersions {
            counts: VersionCounts {
                open: versions.len(),
                to_decide: decide.count(),
                settled,
                reopened: again.count(),
            },
            versions,
        })
    }

    /// What was settled in fields that the role sees: as
    /// [`Node::settled_versions`](crate::Node::settled_versions).
    ///
    /// # Errors
    /// [`RecordsError::Role`] if it does not see the record that was named.
    pub fn settled_versions(
        &self,
        id: &str,
        concerning: &Concerning,
    ) -> Result<Value, RecordsError> {
        let mut records = self.records_told(id)?;
        let seen = self.settled_seen(id, concerning, &mut records)?;
        Ok(Value::Array(seen))
    }

    /// Chooses one of the versions of a field that the role writes: as
    /// [`Node::settle_versions`](crate::Node::settle_versions).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was settled then.
    pub fn settle_versions(
        &self,
        id: &str,
        field: &str,
        version: u32,
        heads: &str,
    ) -> Result<(), RecordsError> {
        self.check_settles(id, field, &Value::Null)?;
        self.node.settle_versions(id, field, version, heads)
    }

    /// Settles the versions of a field that the role writes with another value: as
    /// [`Node::settle_with`](crate::Node::settle_with).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was settled then.
    pub fn settle_with(
        &self,
        id: &str,
        field: &str,
        value: &str,
        heads: &str,
    ) -> Result<(), RecordsError> {
        // What is no JSON is refused below.
        let wanted = serde_json::from_str::<Value>(value).unwrap_or_default();
        self.check_settles(id, field, &wanted)?;
        self.node.settle_with(id, field, value, heads)
    }

    /// Puts versions of a field that the role writes to people again: as
    /// [`Node::reopen_versions`](crate::Node::reopen_versions).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was reopened then.
    pub fn reopen_versions(&self, id: &str, settled: &str) -> Result<(), RecordsError> {
        self.reached(id, &Known::default())?;
        let all = self.node.settled_versions(id, &Concerning::default())?;
        let mut all = all.as_array().into_iter().flatten();
        if let Some(found) = all.find(|it| text(it, "id") == settled) {
            self.check_settles(id, text(found, "field"), &Value::Null)?;
        }
        self.node.reopen_versions(id, settled)
    }

    /// Checks that the role settles a field, as [`Access::settles`](super::Access::settles) says,
    /// with this value.
    fn check_settles(&self, id: &str, field: &str, value: &Value) -> Result<(), RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        if field.starts_with('!') {
            if settles(reached.may, reached.kind, field) {
                return Ok(());
            }
            return Err(RecordsError::Role(format!(
                "the role \"{}\" does not settle what is raised about a {}; ask somebody who \
                 writes all of it",
                self.role.name,
                reached.kind.title.to_lowercase()
            )));
        }
        self.check_writes_of(&reached, &[FieldChange::set(field, value.clone())])
    }

    fn settled_seen(
        &self,
        id: &str,
        concerning: &Concerning,
        records: &mut Told<'_>,
    ) -> Result<Vec<Value>, RecordsError> {
        let mut seen = Vec::new();
        let settled = self.node.settled_versions(id, concerning)?;
        for one in settled.as_array().into_iter().flatten() {
            let reached = records.reached(text(one, "record"))?;
            if reached.is_some_and(|reached| reached.shows(text(one, "field"))) {
                seen.push(one.clone());
            }
        }
        Ok(seen)
    }

    /// The records that are told of; the one that was named must be seen.
    pub(super) fn records_told(&self, id: &str) -> Result<Told<'_>, RecordsError> {
        let mut records = Told {
            desk: self,
            known: Known::default(),
            reached: BTreeMap::new(),
        };
        if !id.is_empty() {
            let reached = self.reached(id, &records.known)?;
            records.reached.insert(id.to_owned(), Some(reached));
        }
        Ok(records)
    }
}

impl Reached {
    /// Whether the role is told of a change at a path.
    fn shows(&self, path: &str) -> bool {
        let May { read, .. } = self.may;
        if path.starts_with('!') {
            return *read == Seen::All;
        }
        node_domain::reads(self.may, self.kind, path)
    }
}

/// The records of which one answer tells, each looked up once.
pub(super) struct Told<'a> {
    desk: &'a Desk,
    known: Known,
    reached: BTreeMap<String, Option<Reached>>,
}

impl Told<'_> {
    pub(super) fn reached(&mut self, id: &str) -> Result<Option<&Reached>, RecordsError> {
        if !self.reached.contains_key(id) {
            let reached = match self.desk.reached(id, &self.known) {
                Ok(reached) => Some(reached),
                Err(RecordsError::Role(_) | RecordsError::Missing(_)) => None,
                Err(other) => return Err(other),
            };
            self.reached.insert(id.to_owned(), reached);
        }
        Ok(self.reached.get(id).and_then(Option::as_ref))
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
