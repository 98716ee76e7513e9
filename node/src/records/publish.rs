//! Publishing: what leaves for a wider space, and the figures drawn from what was published.

use std::collections::{BTreeMap, BTreeSet};

use node_domain::{Kind as RecordKind, Object, PROJECT_WORK, Preview};
use node_feed::{DocumentId, Hash, SpaceId, Tag};
use serde_json::{Value, json};

use super::{RecordId, RecordsError, parse_space};
use crate::Node;
use crate::author::WriteError;
use crate::random;

/// What left, or would.
#[derive(Debug, Clone)]
pub struct Published {
    /// Exactly the fields.
    pub leaves: Value,
    /// The codes of the hubs that can read them.
    pub readers: Vec<String>,
    /// The copy, if it was made.
    pub id: Option<RecordId>,
    /// Stands for all of this: given back, nothing else is published.
    pub digest: Hash,
}

impl Node {
    /// Shows what publishing a record to `space` would let out and, if confirmed, publishes it:
    /// the fields that the space's data agreement lists, once this hub has signed it. A record
    /// that was published there before is brought up to date. With `digest`, from an earlier
    /// showing, nothing but what was shown then is published.
    ///
    /// # Errors
    /// [`RecordsError::Agreement`] without a signed agreement; [`RecordsError::Record`] if a text
    /// names a person or holds an address; [`RecordsError::Shown`] if something else would leave
    /// than was shown. Nothing has left then.
    pub fn publish_record(
        &self,
        id: &str,
        space: &str,
        confirm: bool,
        digest: &str,
    ) -> Result<Published, RecordsError> {
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Err(RecordsError::Agreement(
                "a card never leaves its hub".to_owned(),
            ));
        };
        let space = parse_space(space)?;
        let agreed = self.agreed_fields(space)?;
        let agreed = agreed.iter().map(String::as_str).collect::<Vec<_>>();
        let names = self.known_names()?;
        let mut preview =
            self.inner
                .library
                .with(&self.inner.storage, found.space, document, |document| {
                    let view = document.view();
                    let kind = node_domain::kind_of(&view)?;
                    node_domain::publish(&view, kind, &agreed, &names)
                })??;
        let origin = Hash::of(Tag::Origin, &[document.as_bytes(), space.as_bytes()]).to_string();
        preview.fields.insert("origin".to_owned(), json!(origin));
        let readers = self.authority().members(space);
        let readers = readers.iter().map(|hub| self.hub_code(*hub));
        let readers = readers.collect::<Vec<_>>();
        let leaves = Value::Object(preview.fields.clone());
        let shown = json!([space.to_string(), leaves, readers]).to_string();
        let shown = Hash::of(Tag::Preview, &[shown.as_bytes()]);
        if !digest.is_empty() && digest != shown.to_string() {
            return Err(RecordsError::Shown);
        }
        let id = if confirm {
            Some(self.copy(space, &preview, &origin)?)
        } else {
            None
        };
        Ok(Published {
            leaves,
            readers,
            id,
            digest: shown,
        })
    }

    /// Groups, sessions held and schools, by project and hub, from the published group summaries
    /// that this node holds.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn figures(&self) -> Result<Value, RecordsError> {
        let mut summaries = BTreeMap::<DocumentId, Object>::new();
        for record in self.list_records(node_domain::GROUP_SUMMARY.name, "")? {
            if let RecordId::Document(id) = record.id {
                let summary = self.fields_of(record.space, id, &node_domain::GROUP_SUMMARY)?;
                summaries.insert(id, summary);
            }
        }
        let summaries = summaries.iter().map(|(id, summary)| (id.owner(), summary));
        let figures = node_domain::figures(summaries);
        let mut rows = figures
            .into_iter()
            .map(|((project, hub), figures)| {
                let hub = self.hub_code(hub);
                json!({
                    "project": project, "hub": hub, "groups": figures.groups,
                    "sessions_held": figures.sessions_held, "schools": figures.schools.len(),
                })
            })
            .collect::<Vec<_>>();
        rows.sort_by_key(Value::to_string);
        Ok(Value::Array(rows))
    }

    fn copy(
        &self,
        space: SpaceId,
        preview: &Preview,
        origin: &str,
    ) -> Result<RecordId, RecordsError> {
        if let Some(copy) = self.published_copy(space, preview.kind, origin)? {
            let changes =
                self.inner
                    .library
                    .with(&self.inner.storage, space, copy, |document| {
                        preview.changes(&document.view())
                    })?;
            self.edit_document(space, copy, None, &changes)?;
            return Ok(RecordId::Document(copy));
        }
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        let copy = DocumentId::new(hub, preview.kind.writers, random());
        self.change_document(space, copy, |document, by| {
            node_domain::create(document, preview.kind, &preview.fields, by)
        })?;
        Ok(RecordId::Document(copy))
    }

    /// The copy of `origin` that this hub published to `space` earlier: of several, which two of its
    /// nodes may have made apart from each other, the one that counts in figures.
    fn published_copy(
        &self,
        space: SpaceId,
        kind: &'static RecordKind,
        origin: &str,
    ) -> Result<Option<DocumentId>, RecordsError> {
        let mut copy = None;
        for record in self.list_records(kind.name, &space.to_string())? {
            if let RecordId::Document(id) = record.id
                && Some(id.owner()) == self.hub()
                && self.fields_of(space, id, kind)?.get("origin") == Some(&json!(origin))
            {
                copy = Some(copy.map_or(id, |first: DocumentId| first.min(id)));
            }
        }
        Ok(copy)
    }

    /// The fields that the data agreement of the space's project lists, if this hub signed it. It
    /// stands in the project record that the coordinator made: another hub's is no agreement.
    fn agreed_fields(&self, space: SpaceId) -> Result<BTreeSet<String>, RecordsError> {
        let (Some(hub), Some(coordinator)) = (self.hub(), self.coordinator_hub()) else {
            return Err(WriteError::NoAccess.into());
        };
        let code = self.hub_code(hub);
        let mut agreements = Vec::new();
        for record in self.list_records(PROJECT_WORK.name, &space.to_string())? {
            let RecordId::Document(id) = record.id else {
                continue;
            };
            if id.owner() == coordinator {
                let signed = |document: &mut node_document::Document| {
                    node_domain::signed_fields(document, (&code, hub), coordinator)
                };
                let (library, storage) = (&self.inner.library, &self.inner.storage);
                agreements.extend(library.with(storage, space, id, signed)?);
            }
        }
        match agreements.len() {
            1 => Ok(agreements.remove(0)),
            0 => Err(RecordsError::Agreement(format!(
                "this hub has not signed a data agreement there itself, so nothing may leave: add \
                 \"{code}\" to the signatures of the project record first"
            ))),
            _ => Err(RecordsError::Agreement(
                "this hub has signed several project records there, so it is not clear what is \
                 agreed: take it out of the signatures of all but one"
                    .to_owned(),
            )),
        }
    }

    /// The names of the people whom this hub knows.
    fn known_names(&self) -> Result<Vec<String>, RecordsError> {
        let people = self.list_records(node_domain::PERSON.name, "")?;
        Ok(people.into_iter().map(|person| person.title).collect())
    }

    fn fields_of(
        &self,
        space: SpaceId,
        id: DocumentId,
        kind: &'static RecordKind,
    ) -> Result<Object, RecordsError> {
        let read =
            |document: &mut node_document::Document| node_domain::read(&document.view(), kind);
        Ok(self
            .inner
            .library
            .with(&self.inner.storage, space, id, read)?)
    }
}
