//! Making, editing and settling records.

use std::collections::BTreeMap;

use bytes::Bytes;
use node_document::{Author, CardView, ChangesEntry, Document, Edited, Heads, Outcome};
use node_domain::{By, CardRecord, FieldChange, Form, Kind as RecordKind, Object};
use node_feed::{
    CARD_REPLACES_MAX, Card, CardId, DocumentId, Entry, Hash, Kind, Nonce, SpaceId, SpaceKind,
};
use serde_json::Value;

use super::{Found, RecordId, RecordsError, parse_space, record_kind};
use crate::author::{self, WriteError};
use crate::cards::{self, card_view};
use crate::clock::now_ms;
use crate::{Node, random};

/// At how many actors of one key in a document this node goes on under a new key. The bound for
/// all is [`node_document::limits::ACTORS_MAX`].
const ACTORS_PER_KEY: usize = 200;

/// What an edit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedRecord {
    /// How many changes of others came in since the heads that the edit was made at.
    pub merged: u32,
    /// The record's heads now.
    pub heads: String,
}

impl Node {
    /// Makes a record of `kind` from a JSON object of fields. `space` may be empty where the kind
    /// can stand in one of this hub's spaces alone. It is durable when this returns.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was made then.
    pub fn create_record(
        &self,
        kind: &str,
        space: &str,
        json: &str,
    ) -> Result<(RecordId, SpaceId), RecordsError> {
        let kind = record_kind(kind)?;
        let values = serde_json::from_str::<Object>(json)
            .map_err(|error| RecordsError::Json(format!("a JSON object is needed: {error}")))?;
        let space = self.space_for(kind, space)?;
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        let id = match kind.form {
            Form::Document => {
                let id = DocumentId::new(hub, kind.writers, random());
                self.change_document(space, id, |document, by| {
                    node_domain::create(document, kind, &values, by)
                })?;
                RecordId::Document(id)
            }
            Form::Card => {
                let id = CardId::new(hub, kind.writers, random());
                let body = CardRecord::new(kind, &values)?.encode();
                self.write_card(space, id, Vec::new(), body)?;
                RecordId::Card(id)
            }
        };
        Ok((id, space))
    }

    /// Changes a record: `json` is an array of changes, or an object of fields to set. `heads` is
    /// what the caller saw, or empty for the newest. It is durable when this returns.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was changed then.
    pub fn edit_record(
        &self,
        id: &str,
        heads: &str,
        json: &str,
    ) -> Result<EditedRecord, RecordsError> {
        let changes = parse_changes(json)?;
        let at = parse_heads(heads)?;
        let found = self.find_record(id)?;
        match found.id {
            RecordId::Document(document) => {
                self.edit_document(found.space, document, at.as_ref(), &changes)
            }
            RecordId::Card(card) => self.edit_card(&found, card, at.as_ref(), &changes),
        }
    }

    /// Chooses one of the versions in which `field` stands, numbered from 1 as
    /// [`Node::list_versions`] lists them. `heads` is from that list, or empty.
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
        let seen = parse_heads(heads)?;
        let found = self.find_record(id)?;
        let missing = || RecordsError::Version {
            field: field.to_owned(),
            version,
        };
        let index = version.checked_sub(1).ok_or_else(missing)? as usize;
        match found.id {
            RecordId::Document(document) => {
                self.change_document(found.space, document, |document, by| {
                    if seen.is_some_and(|seen| seen != document.heads()) {
                        return Err(RecordsError::Stale);
                    }
                    let kind = node_domain::kind_of(&document.view())?;
                    let open = node_domain::versions(document, kind);
                    let open = open.iter().find(|conflict| conflict.path == field);
                    let chosen = open.and_then(|open| open.versions.get(index));
                    let value = &chosen.ok_or_else(missing)?.value;
                    Ok(node_domain::settle(document, None, field, value, by)?)
                })?;
            }
            RecordId::Card(card) => {
                self.settle_card(&found, card, (field, index), seen.as_ref())?;
            }
        }
        Ok(())
    }

    pub(crate) fn edit_document(
        &self,
        space: SpaceId,
        id: DocumentId,
        at: Option<&Heads>,
        changes: &[FieldChange],
    ) -> Result<EditedRecord, RecordsError> {
        let mut merged = 0;
        let heads = self.change_document(space, id, |document, by| {
            if let Some(at) = at {
                if document.view_at(at).is_none() {
                    return Err(RecordsError::Heads);
                }
                merged = document.view().since(at).len();
            }
            Ok(node_domain::edit(document, at, changes, by)?)
        })?;
        let merged = u32::try_from(merged).unwrap_or(u32::MAX);
        Ok(EditedRecord {
            merged,
            heads: heads.to_string(),
        })
    }

    /// Edits a document under the space's writer key: signed, durable, and only then applied.
    pub(crate) fn change_document<E>(
        &self,
        space: SpaceId,
        id: DocumentId,
        edit: impl FnOnce(&Document, &By) -> Result<Edited<()>, E>,
    ) -> Result<Heads, RecordsError>
    where
        RecordsError: From<E>,
    {
        let inner = &self.inner;
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        let author = inner.authors.of(space);
        let mut author = author::lock(&author);
        let writer = self.writer_for(&mut author, space, id)?;
        let by = By {
            author: Author {
                writer,
                hub,
                nonce: inner.nonce,
            },
            time_ms: now_ms(),
            random: random(),
        };
        inner.library.with(&inner.storage, space, id, |document| {
            let edited = edit(document, &by)?;
            if edited.is_empty() {
                return Ok(document.heads());
            }
            let changes = edited.changes(Nonce(random()));
            let entry = Entry {
                time_ms: by.time_ms,
                kind: Kind::CHANGES,
                subject: id.subject(),
                payload: changes.encode(),
            };
            let wrote = inner.write(&mut author, space, vec![entry])?;
            let entry = ChangesEntry {
                feed: wrote.stored.feed,
                number: wrote.last.number,
                hash: wrote.last.hash,
                writer,
                hub,
                time_ms: by.time_ms,
                changes,
            };
            let outcome = document.apply_edited(&entry, &edited);
            if !matches!(outcome, Outcome::Applied) {
                tracing::warn!(?outcome, "this node's own change waits");
            }
            Ok(document.heads())
        })?
    }

    /// The key under which the next change of a document is written: a new one before the bound
    /// on actors of one key in one document is reached, at which nobody would take its changes.
    fn writer_for(
        &self,
        author: &mut author::Author,
        space: SpaceId,
        id: DocumentId,
    ) -> Result<[u8; 32], RecordsError> {
        let inner = &self.inner;
        let writer = inner.writer(author, space)?;
        let actors = inner.library.with(&inner.storage, space, id, |document| {
            document.actors_of(&writer)
        })?;
        if actors < ACTORS_PER_KEY {
            return Ok(writer);
        }
        author.retire();
        Ok(inner.writer(author, space)?)
    }

    /// Writes the next revision of a card. One made from an older page takes the place of what that
    /// page showed and of nothing else: what came in since stands beside it, as a second version.
    fn edit_card(
        &self,
        found: &Found,
        card: CardId,
        at: Option<&Heads>,
        changes: &[FieldChange],
    ) -> Result<EditedRecord, RecordsError> {
        let revisions = cards::revisions(&self.inner, found.space, card)?;
        let now = CardView::new(revisions.clone());
        let seen = match at {
            Some(at) => cards::view_at(&revisions, at).ok_or(RecordsError::Heads)?,
            None => now.clone(),
        };
        let shown = seen
            .shown()
            .ok_or_else(|| RecordsError::Missing(card.to_string()))?;
        let mut values = Object::new();
        for change in changes {
            let FieldChange::Set { field, value } = change else {
                return Err(RecordsError::Json(format!(
                    "'{}' can only be set: a card has no lists",
                    change.field()
                )));
            };
            values.insert(field.clone(), value.clone());
        }
        let changed = CardRecord::decode(&shown.body)?.changed(&values)?;
        let hash = self.write_card(found.space, card, seen.replaces(), changed.encode())?;
        let others = now.siblings().iter();
        let others = match at {
            Some(_) => others.filter(|it| !seen.siblings().contains(it)).count(),
            None => others.count() - 1,
        };
        Ok(EditedRecord {
            merged: u32::try_from(others).unwrap_or(u32::MAX),
            heads: Heads::new(vec![*hash.as_bytes()]).to_string(),
        })
    }

    /// Settles one field of a card. Revisions that differ in other fields too stay beside each
    /// other until those are settled.
    fn settle_card(
        &self,
        found: &Found,
        card: CardId,
        (field, version): (&str, usize),
        seen: Option<&Heads>,
    ) -> Result<(), RecordsError> {
        let view = card_view(&self.inner, found.space, card)?;
        if seen.is_some_and(|seen| *seen != cards::heads(&view)) {
            return Err(RecordsError::Stale);
        }
        let open = CardRecord::conflicts(&view);
        let open = open.iter().find(|conflict| conflict.field == field);
        let chosen = open.and_then(|open| open.says.get(version));
        let chosen = chosen.ok_or_else(|| RecordsError::Version {
            field: field.to_owned(),
            version: u32::try_from(version + 1).unwrap_or(u32::MAX),
        })?;
        let values = Object::from_iter([(field.to_owned(), chosen.value.clone())]);
        let mut settled = BTreeMap::<Bytes, Vec<Hash>>::new();
        for revision in view.siblings() {
            // One that cannot be read here says nothing in this field, and stays as it is.
            let Ok(record) = CardRecord::decode(&revision.body) else {
                continue;
            };
            let body = record.changed(&values)?.encode();
            settled.entry(body).or_default().push(revision.hash);
        }
        let entries = settled
            .into_iter()
            .map(|(body, replaces)| self.card_entry(card, replaces, body))
            .collect::<Result<Vec<_>, _>>()?;
        self.write_all(found.space, entries)?;
        Ok(())
    }

    fn write_card(
        &self,
        space: SpaceId,
        card: CardId,
        replaces: Vec<Hash>,
        body: Bytes,
    ) -> Result<Hash, RecordsError> {
        let entry = self.card_entry(card, replaces, body)?;
        Ok(self.write(space, entry)?.hash)
    }

    fn card_entry(
        &self,
        card: CardId,
        mut replaces: Vec<Hash>,
        body: Bytes,
    ) -> Result<Entry, RecordsError> {
        // Those beyond the bound stand on as versions, until the next revision.
        replaces.truncate(CARD_REPLACES_MAX);
        if self.hub() != Some(card.owner()) {
            return Err(WriteError::NoAccess.into());
        }
        let payload = Card {
            random: Nonce(random()),
            replaces,
            body,
        };
        Ok(Entry {
            time_ms: now_ms(),
            kind: Kind::CARD,
            subject: card.subject(),
            payload: payload.encode().map_err(WriteError::Payload)?,
        })
    }

    /// The space that a new record of `kind` goes to.
    fn space_for(&self, kind: &RecordKind, text: &str) -> Result<SpaceId, RecordsError> {
        let authority = self.authority();
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        if !text.is_empty() {
            let space = parse_space(text)?;
            let record = authority.spaces().get(&space);
            let record = record.ok_or_else(|| {
                RecordsError::Space(format!("there is no space {text}; `space list` lists them"))
            })?;
            if !kind.spaces.contains(&record.kind) {
                let (kind, space) = (kind.title.to_lowercase(), record.kind.name());
                return Err(RecordsError::Space(format!(
                    "a {kind} cannot stand in a {space} space"
                )));
            }
            return Ok(space);
        }
        let fits = authority.spaces().iter().filter(|(space, record)| {
            kind.spaces.contains(&record.kind) && authority.write_grant(hub, **space).is_some()
        });
        let fits = fits.collect::<Vec<_>>();
        // Of several, a hub's own space is where its records begin.
        let own = fits
            .iter()
            .find(|(_, record)| record.kind == SpaceKind::Hub);
        match (own, fits.as_slice()) {
            (Some((space, _)), _) | (None, [(space, _)]) => Ok(**space),
            (None, []) => Err(RecordsError::Space(format!(
                "this hub has no space where a {} can stand; NCETM makes them",
                kind.title.to_lowercase()
            ))),
            (None, _) => Err(RecordsError::Space(format!(
                "a {} can stand in several spaces; say which with --space",
                kind.title.to_lowercase()
            ))),
        }
    }
}

fn parse_heads(text: &str) -> Result<Option<Heads>, RecordsError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| RecordsError::Heads)
}

/// An array of changes, or an object of fields to set.
fn parse_changes(json: &str) -> Result<Vec<FieldChange>, RecordsError> {
    let wrong = |error: serde_json::Error| RecordsError::Json(error.to_string());
    match serde_json::from_str::<Value>(json).map_err(wrong)? {
        Value::Object(fields) => Ok(fields
            .into_iter()
            .map(|(field, value)| FieldChange::set(field, value))
            .collect()),
        changes @ Value::Array(_) => serde_json::from_value(changes).map_err(wrong),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(
            RecordsError::Json("a JSON array of changes is needed".to_owned()),
        ),
    }
}
