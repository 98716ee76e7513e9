//! What people call the records that others refer to.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use node_domain::Records;
use node_feed::Subject;
use node_store::RecordRow;

use super::told::Told;
use super::{Desk, Known};
use crate::records::RecordsError;

impl Desk {
    /// The titles of records by their ids, and the names of hubs by their codes or ids: of the
    /// records of which the role sees the title, and of those to which a record refers in a field
    /// that the role sees, as a work group does to those who take part. What is not known, or not
    /// seen, is left out.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn title_of(&self, ids: &[&str]) -> Result<BTreeMap<String, String>, RecordsError> {
        self.node.catch_up_if_possible();
        let known = Known::default();
        let mut titles = BTreeMap::new();
        let mut hidden = Vec::new();
        for id in ids {
            if titles.contains_key(*id) {
                continue;
            }
            if self.node.hub_named(id).is_some() {
                titles.insert((*id).to_owned(), self.hub_name(id));
                continue;
            }
            let Some(line) = self.line_of(id)? else {
                continue;
            };
            if self.sees_title(&line, &known)? {
                titles.insert((*id).to_owned(), line.title);
            } else {
                hidden.push(((*id).to_owned(), line.title));
            }
        }
        let mut told = self.records_told("")?;
        let mut referred = BTreeMap::new();
        for (id, title) in hidden {
            for row in self.node.inner.storage.referring(&id)? {
                if self.role.with_kind(&row.kind).next().is_none() {
                    continue;
                }
                let refers = match referred.entry(row.subject) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => unknown.insert(referred_in(&mut told, &row)?),
                };
                if refers.contains(&id) {
                    titles.insert(id, title);
                    break;
                }
            }
        }
        Ok(titles)
    }

    /// The line of a record where it is at home.
    fn line_of(&self, id: &str) -> Result<Option<RecordRow>, RecordsError> {
        let Ok(subject) = id.parse::<Subject>() else {
            return Ok(None);
        };
        let lines = self.node.inner.storage.lines_of(subject)?.into_iter();
        let mut lines = lines.filter(|line| self.node.may_show(line.space, subject));
        Ok(lines.next())
    }

    fn sees_title(&self, line: &RecordRow, known: &Known) -> Result<bool, RecordsError> {
        let Some(kind) = node_domain::kind(&line.kind) else {
            return Ok(false);
        };
        if !known.is_held(self)? {
            return Ok(false);
        }
        for may in self.role.with_kind(kind.name) {
            let reaches = match may.records {
                Records::All => true,
                Records::Own(_) | Records::Delegated => {
                    let candidates = self.candidates(kind.name, known)?;
                    let id = line.subject.to_string();
                    candidates.is_none_or(|among| among.contains(&id))
                        && self.reached(&id, known).is_ok()
                }
            };
            if reaches && node_domain::reads(may, kind, kind.title_field) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// All records to which one refers in the fields that the role sees.
fn referred_in(told: &mut Told<'_>, row: &RecordRow) -> Result<BTreeSet<String>, RecordsError> {
    let Some(reached) = told.reached(&row.subject.to_string())? else {
        return Ok(BTreeSet::new());
    };
    let seen = node_domain::visible(reached.may, reached.kind, reached.fields.clone());
    let refers = node_domain::references_in(reached.kind, &seen).into_iter();
    Ok(refers.map(|reference| reference.id).collect())
}
