//! Making, editing and settling records.

use std::collections::BTreeMap;

use bytes::Bytes;
use node_document::{Author, CardView, ChangesEntry, Document, Edited, Heads, Outcome};
use node_domain::{
    By, CardRecord, Class, FieldChange, Form, KINDS, Kind as RecordKind, Object, Problem,
    RecordError,
};
use node_feed::{
    CARD_REPLACES_MAX, Card, CardId, DocumentId, Entry, Hash, HubId, Kind, Nonce, SpaceId,
    SpaceKind, Subject,
};
use node_store::ReadStore;
use serde_json::Value;

use super::{Found, RecordId, RecordsError, parse_object, parse_space, record_kind};
use crate::author::{self, WriteError};
use crate::cards::{self, card_view};
use crate::clock::now_ms;
use crate::{Node, random};

/// At how many actors of one key in a document this node goes on under a new key. The bound for
/// all is [`node_document::limits::ACTORS_MAX`].
const ACTORS_PER_KEY: usize = 200;
/// What is written together at most: half of what a run may hold.
const WRITE_ENTRIES: usize = node_feed::RUN_ENTRIES_MAX / 2;
const WRITE_BYTES: usize = node_feed::RUN_BYTES_MAX / 2;

/// What an edit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedRecord {
    /// How many changes of others came in since the heads that the edit was made at.
    pub merged: u32,
    /// The record's heads before, by which [`Node::undo_edit`] takes this edit back.
    pub before: String,
    /// The record's heads now.
    pub heads: String,
    /// What was done otherwise than asked, in sentences.
    pub notes: Vec<String>,
}

/// A record that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedRecord {
    /// The record.
    pub id: RecordId,
    /// Where it stands.
    pub space: SpaceId,
    /// What was done otherwise than asked, in sentences.
    pub notes: Vec<String>,
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
    ) -> Result<CreatedRecord, RecordsError> {
        let kind = record_kind(kind)?;
        let values = parse_object(json)?;
        let space = self.space_for(kind, space)?;
        self.check_by_hand(kind, space, None, values.keys().map(String::as_str))?;
        self.make(kind, space, &values, false)
    }

    /// What a person may write where: nothing that leaves a hub only by being published, and in a
    /// shared space nothing that is the hub's own.
    pub(crate) fn check_by_hand<'a>(
        &self,
        kind: &RecordKind,
        space: SpaceId,
        owner: Option<HubId>,
        fields: impl Iterator<Item = &'a str>,
    ) -> Result<(), RecordsError> {
        let authority = self.authority();
        let Some(record) = authority.spaces().get(&space) else {
            return Ok(());
        };
        let (title, own) = (kind.title.to_lowercase(), self.hub());
        if owner.is_none()
            && kind.coordinators
            && record.kind == SpaceKind::Network
            && own != self.coordinator_hub()
        {
            return Err(RecordsError::Space(format!(
                "in the space of all hubs only NCETM makes a {title}"
            )));
        }
        let steps = KINDS.iter().flat_map(|from| from.publishing.iter());
        let mut steps = steps
            .filter(|step| step.only && step.to == kind.name && step.stage.into == record.kind);
        let published = steps.next();
        if let (Some(_), None) = (published, owner) {
            return Err(RecordsError::Space(format!(
                "a {title} comes into a {} space by publishing alone: make it in this hub's own \
                 space, and use `record publish`",
                record.kind.name()
            )));
        }
        for name in fields {
            let name = name.split('/').next().unwrap_or_default();
            let field = kind.field(name);
            let private = field.filter(|field| field.class == Class::Hub);
            if let Some(field) = private.filter(|_| record.kind != SpaceKind::Hub) {
                return Err(RecordError::Problems(vec![Problem {
                    field: name.to_owned(),
                    message: format!(
                        "'{}' is for the hub alone, and this record is shared: keep it in a record \
                         of the hub's own space",
                        field.label
                    ),
                }])
                .into());
            }
            let by_publishing = published.filter(|step| {
                owner == own && step.fields.iter().any(|published| published.to == name)
            });
            if by_publishing.is_some() {
                return Err(RecordError::Problems(vec![Problem {
                    field: name.to_owned(),
                    message: format!(
                        "'{}' of a published {title} is brought up to date by publishing it again",
                        field.map_or(name, |field| field.label)
                    ),
                }])
                .into());
            }
        }
        Ok(())
    }

    /// Makes a record; `program` says that the program itself fills it in, and may fill what
    /// people may not.
    pub(crate) fn make(
        &self,
        kind: &'static RecordKind,
        space: SpaceId,
        values: &Object,
        program: bool,
    ) -> Result<CreatedRecord, RecordsError> {
        self.check_references(&node_domain::references_in(kind, values))?;
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        self.create_as(kind, space, new_id(hub, kind), values, program)
    }

    /// Makes a record under an id that was drawn for it; what it refers to is not looked up.
    pub(crate) fn create_as(
        &self,
        kind: &'static RecordKind,
        space: SpaceId,
        id: RecordId,
        values: &Object,
        program: bool,
    ) -> Result<CreatedRecord, RecordsError> {
        let notes = match id {
            RecordId::Document(id) => {
                let (_, written) = self.change_document(space, id, program, |document, by| {
                    node_domain::create(document, kind, values, by)
                })?;
                written.notes
            }
            RecordId::Card(id) => {
                let body = CardRecord::new(kind, values, program)?.encode();
                self.write_card(space, id, Vec::new(), body)?;
                Vec::new()
            }
        };
        Ok(CreatedRecord { id, space, notes })
    }

    /// A new card, and its first entry, which is not yet written.
    pub(crate) fn new_card(
        &self,
        kind: &'static RecordKind,
        values: &Object,
    ) -> Result<(CardId, Entry), RecordsError> {
        self.check_references(&node_domain::references_in(kind, values))?;
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        let id = CardId::new(hub, kind.writers, random());
        let body = CardRecord::new(kind, values, false)?.encode();
        Ok((id, self.card_entry(id, Vec::new(), body)?))
    }

    /// Makes many cards of one kind, durable together.
    pub(crate) fn create_cards(
        &self,
        kind: &'static RecordKind,
        space: SpaceId,
        values: Vec<Object>,
    ) -> Result<(), RecordsError> {
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        let cards = values
            .into_iter()
            .map(|values| (CardId::new(hub, kind.writers, random()), values));
        self.create_cards_as(kind, space, &cards.collect::<Vec<_>>())
    }

    /// The same under ids that were drawn for them.
    pub(crate) fn create_cards_as(
        &self,
        kind: &'static RecordKind,
        space: SpaceId,
        cards: &[(CardId, Object)],
    ) -> Result<(), RecordsError> {
        let mut entries = Vec::new();
        for (id, values) in cards {
            let body = CardRecord::new(kind, values, true)?.encode();
            entries.push(self.card_entry(*id, Vec::new(), body)?);
        }
        self.write_in_runs(space, entries)
    }

    /// Puts new revisions in the place of what stands of these cards, durable together.
    pub(crate) fn replace_cards(
        &self,
        space: SpaceId,
        cards: &[(CardId, CardRecord)],
    ) -> Result<(), RecordsError> {
        let mut entries = Vec::new();
        for (card, record) in cards {
            let view = card_view(&self.inner, space, *card)?;
            entries.push(self.card_entry(*card, view.replaces(), record.encode())?);
        }
        self.write_in_runs(space, entries)
    }

    /// Writes entries in as few runs as their number and size allow. Each run is durable whole.
    pub(crate) fn write_in_runs(
        &self,
        space: SpaceId,
        entries: Vec<Entry>,
    ) -> Result<(), RecordsError> {
        let mut run = Vec::new();
        let mut bytes = 0;
        for entry in entries {
            bytes += entry.payload.len();
            run.push(entry);
            if run.len() == WRITE_ENTRIES || bytes > WRITE_BYTES {
                self.write_all(space, std::mem::take(&mut run))?;
                bytes = 0;
            }
        }
        if !run.is_empty() {
            self.write_all(space, run)?;
        }
        Ok(())
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
        self.change_record(id, at.as_ref(), &changes)
    }

    pub(crate) fn change_record(
        &self,
        id: &str,
        at: Option<&Heads>,
        changes: &[FieldChange],
    ) -> Result<EditedRecord, RecordsError> {
        let found = self.find_record(id)?;
        let (kind, _) = self.record_fields_in(found.space, found.id)?;
        let owner = Some(found.id.subject().owner());
        let fields = changes.iter().map(FieldChange::field);
        self.check_by_hand(kind, found.space, owner, fields)?;
        match found.id {
            RecordId::Document(document) => {
                self.edit_document(found.space, document, at, changes, false)
            }
            RecordId::Card(card) => self.edit_card(&found, card, at, changes),
        }
    }

    /// Checks that a document takes changes, and writes nothing.
    pub(crate) fn check_change(
        &self,
        id: &str,
        at: Option<&Heads>,
        changes: &[FieldChange],
    ) -> Result<(), RecordsError> {
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Ok(());
        };
        let (kind, _) = self.record_fields_in(found.space, found.id)?;
        let owner = Some(found.id.subject().owner());
        let fields = changes.iter().map(FieldChange::field);
        self.check_by_hand(kind, found.space, owner, fields)?;
        self.check_references(&node_domain::references_in_changes(kind, changes))?;
        let inner = &self.inner;
        let author = inner.authors.of(found.space);
        let by = self.by(&mut author::lock(&author), found.space, document, false)?;
        let check = |document: &mut Document| {
            if at.is_some_and(|at| document.view_at(at).is_none()) {
                return Err(RecordsError::Heads);
            }
            node_domain::edit(document, at, changes, &by)?;
            Ok(())
        };
        inner
            .library
            .with(&inner.storage, found.space, document, check)?
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
                self.change_document(found.space, document, false, |document, by| {
                    if seen.is_some_and(|seen| seen != document.heads()) {
                        return Err(RecordsError::Stale);
                    }
                    let kind = node_domain::kind_of(&document.view())?;
                    let open = node_domain::versions(document, kind);
                    let open = open.iter().find(|conflict| conflict.path == field);
                    let chosen = open.and_then(|open| open.choice(document, index));
                    let value = chosen.ok_or_else(missing)?;
                    Ok(node_domain::settle(document, None, field, &value, by)?)
                })?;
            }
            RecordId::Card(card) => {
                self.settle_card(&found, card, (field, index), seen.as_ref())?;
                self.withdraw_or_say();
            }
        }
        Ok(())
    }

    /// Settles the versions of a field with another value than those that stand there, as JSON;
    /// null says that it is well as it is.
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
        let value = serde_json::from_str::<Value>(value)
            .map_err(|error| RecordsError::Json(format!("a JSON value is needed: {error}")))?;
        let seen = parse_heads(heads)?;
        let found = self.find_record(id)?;
        if value.is_null() && self.settle_raised(&found, field)? {
            return Ok(());
        }
        let RecordId::Document(document) = found.id else {
            return Err(RecordsError::Refused(
                "one of a card's versions is chosen by its number".to_owned(),
            ));
        };
        let (kind, _) = self.record_fields_in(found.space, found.id)?;
        let set = [FieldChange::set(field, value.clone())];
        self.check_references(&node_domain::references_in_changes(kind, &set))?;
        self.change_document(found.space, document, false, |document, by| {
            if seen.is_some_and(|seen| seen != document.heads()) {
                return Err(RecordsError::Stale);
            }
            Ok(node_domain::settle(document, None, field, &value, by)?)
        })?;
        Ok(())
    }

    pub(crate) fn edit_document(
        &self,
        space: SpaceId,
        id: DocumentId,
        at: Option<&Heads>,
        changes: &[FieldChange],
        program: bool,
    ) -> Result<EditedRecord, RecordsError> {
        let inner = &self.inner;
        let kind = inner.library.with(&inner.storage, space, id, |document| {
            node_domain::kind_of(&document.view())
        })??;
        self.check_references(&node_domain::references_in_changes(kind, changes))?;
        let (mut merged, mut before) = (0, String::new());
        let (heads, written) = self.change_document(space, id, program, |document, by| {
            before = document.heads().to_string();
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
            before,
            heads: heads.to_string(),
            notes: written.notes,
        })
    }

    /// References to nothing are refused by name, before anything is signed.
    pub(crate) fn check_references(
        &self,
        references: &[node_domain::Reference],
    ) -> Result<(), RecordsError> {
        let mut problems = Vec::new();
        for reference in references {
            if !self.is_there(reference)? {
                let kind = node_domain::kind(reference.kind);
                let kind = kind.map_or(reference.kind.to_owned(), |kind| kind.title.to_lowercase());
                problems.push(Problem {
                    field: reference.field.clone(),
                    message: format!(
                        "'{}' refers to a {kind} that is not here: {}. Copy its id whole from a list",
                        reference.field, reference.id
                    ),
                });
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(RecordError::Problems(problems).into())
        }
    }

    fn is_there(&self, reference: &node_domain::Reference) -> Result<bool, RecordsError> {
        if reference.kind == "hub" && self.hub_named(&reference.id).is_some() {
            return Ok(true);
        }
        let Ok(subject) = reference.id.parse::<Subject>() else {
            return Ok(false);
        };
        let listed = || -> Result<bool, RecordsError> {
            let lines = self.inner.storage.lines_of(subject)?;
            let mut lines = lines.iter();
            Ok(lines.any(|line| line.kind == reference.kind && self.may_show(line.space, subject)))
        };
        // What the lists show already is there unless it was erased since: most references name
        // such, and bringing the lists up to date for each would cost more than the edit itself.
        let storage = &self.inner.storage;
        if listed()? && !storage.read(|store| store.is_erased(subject))? {
            return Ok(true);
        }
        self.catch_up_if_possible();
        listed()
    }

    /// Edits a document under the space's writer key: signed, durable, and only then applied.
    pub(crate) fn change_document<T, E>(
        &self,
        space: SpaceId,
        id: DocumentId,
        program: bool,
        edit: impl FnOnce(&Document, &By) -> Result<Edited<T>, E>,
    ) -> Result<(Heads, T), RecordsError>
    where
        RecordsError: From<E>,
    {
        let inner = &self.inner;
        let author = inner.authors.of(space);
        let mut author = author::lock(&author);
        let by = self.by(&mut author, space, id, program)?;
        let Author { writer, hub, .. } = by.author;
        inner.library.with(&inner.storage, space, id, |document| {
            let edited = edit(document, &by)?;
            if edited.is_empty() {
                return Ok((document.heads(), edited.value));
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
            Ok((document.heads(), edited.value))
        })?
    }

    /// Who writes the next change of a document, now.
    fn by(
        &self,
        author: &mut author::Author,
        space: SpaceId,
        id: DocumentId,
        program: bool,
    ) -> Result<By, RecordsError> {
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        Ok(By {
            author: Author {
                writer: self.writer_for(author, space, id)?,
                hub,
                nonce: self.inner.nonce,
            },
            time_ms: now_ms(),
            random: random(),
            program,
        })
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
                return Err(RecordsError::Refused(format!(
                    "'{}' can only be set: a card has no lists",
                    change.field()
                )));
            };
            values.insert(field.clone(), value.clone());
        }
        let record = CardRecord::decode(&shown.body)?;
        self.check_references(&node_domain::references_in(record.kind, &values))?;
        let changed = record.changed(&values, false)?;
        let hash = self.write_card(found.space, card, seen.replaces(), changed.encode())?;
        let notes = self.withdraw_or_say();
        let others = now.siblings().iter();
        let others = match at {
            Some(_) => others.filter(|it| !seen.siblings().contains(it)).count(),
            None => others.count() - 1,
        };
        Ok(EditedRecord {
            merged: u32::try_from(others).unwrap_or(u32::MAX),
            before: cards::heads(&now).to_string(),
            heads: Heads::new(vec![*hash.as_bytes()]).to_string(),
            notes,
        })
    }

    /// Takes back what is no longer wished, now that a card is saved. What cannot be taken back yet
    /// is said, and tried again from time to time: the card stays saved.
    fn withdraw_or_say(&self) -> Vec<String> {
        let Err(error) = self.withdraw_unwished() else {
            return Vec::new();
        };
        tracing::warn!(%error, "what is no longer wished is not taken back yet");
        vec![format!(
            "saved; what was published against the person's wish is not taken back yet, and is \
             tried again: {error}"
        )]
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
            let body = record.changed(&values, true)?.encode();
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
    pub(crate) fn space_for(&self, kind: &RecordKind, text: &str) -> Result<SpaceId, RecordsError> {
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

/// A new id for a record of a kind.
pub(crate) fn new_id(hub: HubId, kind: &RecordKind) -> RecordId {
    id_of(hub, kind, random())
}

pub(super) fn id_of(hub: HubId, kind: &RecordKind, bytes: [u8; 15]) -> RecordId {
    match kind.form {
        Form::Document => RecordId::Document(DocumentId::new(hub, kind.writers, bytes)),
        Form::Card => RecordId::Card(CardId::new(hub, kind.writers, bytes)),
    }
}

pub(crate) fn parse_heads(text: &str) -> Result<Option<Heads>, RecordsError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| RecordsError::Heads)
}

/// An array of changes, or an object of fields to set.
pub(crate) fn parse_changes(json: &str) -> Result<Vec<FieldChange>, RecordsError> {
    let wrong = |error: serde_json::Error| RecordsError::Refused(error.to_string());
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
