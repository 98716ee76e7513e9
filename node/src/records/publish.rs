//! Publishing: what leaves for a wider space, step by step, and taking it back.

use std::collections::BTreeSet;
use std::sync::Arc;

use node_document::Document;
use node_domain::{
    Agreement, CardRecord, Check, KINDS, Kind as RecordKind, LEADER, Object, PERSON, PROJECT_WORK,
    Preview, Publish, Publishing,
};
use node_feed::{Hash, SpaceId, Subject, Tag};
use node_store::{Disclosure, DisclosureAction};
use serde_json::{Value, json};

use super::change::new_id;
use super::day::today;
use super::{Found, RecordId, RecordsError, parse_space, record_id};
use crate::Node;
use crate::author::WriteError;
use crate::cards::card_view;
use crate::clock::now_ms;

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
    /// Shows what publishing a record to `space` would let out and, if confirmed, publishes it. A
    /// record that was published there before is brought up to date. With `digest`, from an
    /// earlier showing, nothing but what was shown then is published. What left is noted among the
    /// disclosures.
    ///
    /// # Errors
    /// [`RecordsError::Agreement`] without the agreement that the kind's declaration asks for;
    /// [`RecordsError::Record`] if a text names a person or holds an address;
    /// [`RecordsError::Shown`] if something else would leave than was shown. Nothing has left then.
    pub fn publish_record(
        &self,
        id: &str,
        space: &str,
        confirm: bool,
        digest: &str,
    ) -> Result<Published, RecordsError> {
        let found = self.find_record(id)?;
        let space = parse_space(space)?;
        if Some(found.id.subject().owner()) != self.hub() {
            return Err(RecordsError::Agreement(
                "this record is another hub's, and only that hub publishes it; make a fork of it \
                 and publish that"
                    .to_owned(),
            ));
        }
        // Nothing is withdrawn, and no consent ends, between what is looked at and what leaves.
        let _publishing = self.inner.publishing();
        let mut preview = self.preview(&found, space, None)?;
        self.name_copies(&found, space, &mut preview)?;
        let origin = origin(found.id, space);
        for (field, value) in [("origin", json!(origin)), ("hub", json!(self.own_code()))] {
            let declared = preview.kind.field(field);
            if declared.is_some_and(|field| field.filled == node_domain::Filled::ByProgram) {
                preview.fields.insert(field.to_owned(), value);
            }
        }
        let readers = self.authority().members(space);
        let readers = readers.iter().map(|hub| self.hub_code(*hub));
        let readers = readers.collect::<Vec<_>>();
        let leaves = Value::Object(preview.fields.clone());
        let shown = json!([space.to_string(), leaves, readers]).to_string();
        let shown = Hash::of(Tag::Preview, &[shown.as_bytes()]);
        if !digest.is_empty() && digest != shown.to_string() {
            return Err(RecordsError::Shown);
        }
        let mut published = Published {
            leaves,
            readers,
            id: None,
            digest: shown,
        };
        if confirm {
            let standing = self.copies_in(found.id, space, &[preview.kind])?;
            let standing = standing.first().copied();
            let action = if standing.is_some() {
                DisclosureAction::Updated
            } else {
                DisclosureAction::Published
            };
            let hub = self.hub().ok_or(WriteError::NoAccess)?;
            let copy = standing.unwrap_or_else(|| new_id(hub, preview.kind));
            // Noted before it leaves: a crash in between may note too much, and never too little.
            self.disclose(&found, Some(copy), space, action, &published, "")?;
            if let Err(error) = self.copy(space, &preview, copy, standing.is_some()) {
                let why = format!("nothing left: {error}");
                let action = DisclosureAction::Failed;
                self.disclose(&found, Some(copy), space, action, &published, &why)?;
                return Err(error);
            }
            published.id = Some(copy);
        }
        Ok(published)
    }

    /// Where what leaves names another record of this hub, as a correction does, it names that
    /// one's copy: by its origin, which tells nothing of the record.
    fn name_copies(
        &self,
        found: &Found,
        space: SpaceId,
        preview: &mut Preview,
    ) -> Result<(), RecordsError> {
        let mut private = Vec::new();
        for (field, value) in &mut preview.fields {
            let declared = preview.kind.field(field);
            let refers = declared.is_some_and(|it| matches!(it.check, Check::Reference(_)));
            let text = declared.is_some_and(|it| matches!(it.check, Check::Text(_)));
            let named = value.as_str().and_then(|text| text.parse::<Subject>().ok());
            let Some(named) = named.filter(|named| Some(named.owner()) == self.hub()) else {
                continue;
            };
            let lines = self.inner.storage.lines_of(named)?;
            let Some(line) = lines.iter().find(|line| line.space == found.space) else {
                continue;
            };
            let id = record_id(&line.kind, named).map_err(|source| RecordsError::Id {
                text: named.to_string(),
                source,
            })?;
            if text {
                *value = json!(origin(id, space));
            } else if refers {
                // The id of a private record stays here: others read its copy, or nothing.
                let kind = node_domain::kind(&line.kind);
                let copies = self.copies_in(id, space, kind.as_slice())?;
                match copies.first() {
                    Some(copy) => *value = json!(copy.to_string()),
                    None => private.push(field.clone()),
                }
            }
        }
        for field in private {
            preview.fields.shift_remove(&field);
        }
        Ok(())
    }

    /// Takes what was published of a record to `space` back: every copy is erased there, at every
    /// node. The record itself may be gone by then.
    ///
    /// # Errors
    /// [`RecordsError::Agreement`] if nothing of it stands there.
    pub fn withdraw_record(&self, id: &str, space: &str, reason: &str) -> Result<(), RecordsError> {
        let subject = id.parse::<Subject>().map_err(|source| RecordsError::Id {
            text: id.to_owned(),
            source,
        })?;
        let space = parse_space(space)?;
        let _publishing = self.inner.publishing();
        self.withdraw_from(subject, space, reason)
    }

    fn withdraw_from(
        &self,
        subject: Subject,
        space: SpaceId,
        reason: &str,
    ) -> Result<(), RecordsError> {
        let copies = self.copies_of(subject)?;
        let copies = copies.into_iter().filter(|(at, _)| *at == space);
        let copies = copies.map(|(_, copy)| copy).collect::<Vec<_>>();
        if copies.is_empty() {
            return Err(RecordsError::Agreement(
                "nothing of this record stands there, so nothing can be withdrawn".to_owned(),
            ));
        }
        let ids = copies.iter().map(RecordId::to_string).collect::<Vec<_>>();
        self.erase(&ids.iter().map(String::as_str).collect::<Vec<_>>())?;
        for copy in copies {
            self.note_withdrawn(subject, copy, space, reason)?;
        }
        Ok(())
    }

    pub(crate) fn note_withdrawn(
        &self,
        subject: Subject,
        copy: RecordId,
        space: SpaceId,
        reason: &str,
    ) -> Result<(), RecordsError> {
        let readers = self.authority().members(space);
        let readers = readers.iter().map(|hub| self.hub_code(*hub));
        self.inner.storage.add_disclosure(&Disclosure {
            time_ms: now_ms(),
            space,
            subject,
            copy: Some(copy.subject()),
            action: DisclosureAction::Withdrawn,
            by: reason.to_owned(),
            readers: readers.collect(),
            fields: Vec::new(),
            digest: Hash::ZERO,
        })?;
        Ok(())
    }

    /// The copies of a record that stand, and where: those that the disclosures name, and those
    /// that say so themselves in this hub's own hand, as after a backup without the disclosures.
    pub(crate) fn copies_of(
        &self,
        subject: Subject,
    ) -> Result<Vec<(SpaceId, RecordId)>, RecordsError> {
        self.catch_up_if_possible();
        let mut copies = Vec::new();
        for disclosure in self.inner.storage.disclosures(Some(subject))? {
            for line in disclosure
                .copy
                .map_or_else(|| Ok(Vec::new()), |copy| self.inner.storage.lines_of(copy))?
            {
                if let Ok(id) = record_id(&line.kind, line.subject) {
                    copies.push((line.space, id));
                }
            }
        }
        let spaces = self
            .authority()
            .spaces()
            .keys()
            .copied()
            .collect::<Vec<_>>();
        for space in spaces {
            let origin = origin_of(subject, space);
            for row in self.inner.storage.referring(&origin)? {
                let own = row.space == space && Some(row.subject.owner()) == self.hub();
                let id = record_id(&row.kind, row.subject);
                if let (true, Ok(id)) = (own, id)
                    && self.says_itself(space, id)?
                {
                    copies.push((space, id));
                }
            }
        }
        copies.sort_unstable();
        copies.dedup();
        Ok(copies)
    }

    /// Whether the origin of a copy is in this hub's own hand: others may write into some copies.
    fn says_itself(&self, space: SpaceId, id: RecordId) -> Result<bool, RecordsError> {
        let RecordId::Document(document) = id else {
            return Ok(true);
        };
        let hub = self.hub();
        let work = |document: &mut Document| {
            let author = document.view().author(&["origin"]);
            author.is_some_and(|author| Some(author.hub) == hub)
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        Ok(library.with(storage, space, document, work)?)
    }

    /// The copies of a record in a space, of these kinds.
    fn copies_in(
        &self,
        id: RecordId,
        space: SpaceId,
        kinds: &[&'static RecordKind],
    ) -> Result<Vec<RecordId>, RecordsError> {
        let mut copies = Vec::new();
        for (at, copy) in self.copies_of(id.subject())? {
            let lines = self.inner.storage.lines_of(copy.subject())?;
            let fits = lines
                .iter()
                .any(|line| kinds.iter().any(|kind| kind.name == line.kind));
            if at == space && fits {
                copies.push(copy);
            }
        }
        Ok(copies)
    }

    /// What left this hub, of one record or in all, oldest first: the names of fields, never their
    /// content.
    ///
    /// # Errors
    /// [`RecordsError::Id`] if the id is none.
    pub fn disclosures(&self, id: &str) -> Result<Value, RecordsError> {
        let subject = if id.is_empty() {
            None
        } else {
            Some(id.parse().map_err(|source| RecordsError::Id {
                text: id.to_owned(),
                source,
            })?)
        };
        let disclosures = self.inner.storage.disclosures(subject)?;
        let all = disclosures.into_iter().map(|it| {
            json!({
                "time_ms": it.time_ms, "space": it.space.to_string(),
                "record": it.subject.to_string(),
                "copy": it.copy.map(|copy| copy.to_string()),
                "action": it.action.as_str(), "by": it.by, "readers": it.readers,
                "fields": it.fields, "digest": it.digest.to_string(),
            })
        });
        Ok(all.collect())
    }

    /// What would leave if this hub signed an agreement on these fields.
    pub(crate) fn sample_message(
        &self,
        found: &Found,
        space: SpaceId,
        agreed: &BTreeSet<String>,
    ) -> Result<Object, RecordsError> {
        let mut preview = self.preview(found, space, Some(agreed))?;
        self.name_copies(found, space, &mut preview)?;
        if preview.kind.field("hub").is_some() {
            let own = json!(self.own_code());
            preview.fields.insert("hub".to_owned(), own);
        }
        Ok(preview.fields)
    }

    /// Exactly what would leave; under the agreement that stands if none is given.
    fn preview(
        &self,
        found: &Found,
        space: SpaceId,
        given: Option<&BTreeSet<String>>,
    ) -> Result<Preview, RecordsError> {
        let authority = self.authority();
        let kind_of = |space: &SpaceId| authority.spaces().get(space).map(|record| record.kind);
        let (from, into) = (kind_of(&found.space), kind_of(&space));
        let (Some(from), Some(into)) = (from, into) else {
            return Err(RecordsError::Space(format!(
                "there is no space {space}; `space list` lists them"
            )));
        };
        let names = self.known_names()?;
        let made_by = self.own_code();
        let publish = |step, agreed| Publish {
            step,
            agreed,
            names: &names,
            made_by: &made_by,
        };
        match found.id {
            RecordId::Document(document) => {
                let (kind, _) = self.record_fields(&found.id.to_string())?;
                let step = node_domain::publishing_step(kind, from, into)?;
                let agreed = match given {
                    Some(given) => Some(given.clone()),
                    None => self.agreed_for(step, space)?,
                };
                let publish = publish(step, agreed.as_ref());
                let work = |document: &mut Document| {
                    node_domain::preview_document(&document.view(), kind, &publish)
                };
                let (library, storage) = (&self.inner.library, &self.inner.storage);
                Ok(library.with(storage, found.space, document, work)??)
            }
            RecordId::Card(card) => {
                let view = card_view(&self.inner, found.space, card)?;
                let mut record = CardRecord::shown(&view)
                    .ok_or_else(|| RecordsError::Missing(card.to_string()))?;
                self.count_in(record.kind, found.space, &mut record.fields)?;
                if *record.kind == PERSON {
                    return Err(RecordsError::Agreement(
                        "a person's card never leaves its hub".to_owned(),
                    ));
                }
                let step = node_domain::publishing_step(record.kind, from, into)?;
                let agreed = match given {
                    Some(given) => Some(given.clone()),
                    None => self.agreed_for(step, space)?,
                };
                let publish = publish(step, agreed.as_ref());
                Ok(node_domain::preview_card(&record, &publish)?)
            }
        }
    }

    fn agreed_for(
        &self,
        step: &Publishing,
        space: SpaceId,
    ) -> Result<Option<BTreeSet<String>>, RecordsError> {
        match step.agreement {
            Agreement::Signed => self.agreed_fields(space).map(Some),
            Agreement::OwnWord | Agreement::OptIn(_) => Ok(None),
        }
    }

    /// Writes a copy, or brings the one that stands up to date.
    fn copy(
        &self,
        space: SpaceId,
        preview: &Preview,
        copy: RecordId,
        stands: bool,
    ) -> Result<(), RecordsError> {
        let kind = preview.kind;
        match copy {
            RecordId::Document(copy) if stands => {
                let work = |document: &mut Document| preview.changes(&document.view());
                let (library, storage) = (&self.inner.library, &self.inner.storage);
                let changes = library.with(storage, space, copy, work)?;
                self.edit_document(space, copy, None, &changes, true)?;
            }
            RecordId::Document(copy) => {
                self.change_document(space, copy, true, |document, by| {
                    node_domain::create(document, kind, &preview.fields, by)
                })?;
            }
            RecordId::Card(copy) => {
                let record = CardRecord::new(kind, &preview.fields, true)?;
                self.replace_cards(space, &[(copy, record)])?;
            }
        }
        Ok(())
    }

    fn disclose(
        &self,
        found: &Found,
        copy: Option<RecordId>,
        space: SpaceId,
        action: DisclosureAction,
        published: &Published,
        by: &str,
    ) -> Result<(), RecordsError> {
        let fields = published.leaves.as_object().into_iter().flatten();
        let fields = fields.map(|(name, _)| name.clone()).collect();
        self.inner.storage.add_disclosure(&Disclosure {
            time_ms: now_ms(),
            space,
            subject: found.id.subject(),
            copy: copy.map(|copy| copy.subject()),
            action,
            by: by.to_owned(),
            readers: published.readers.clone(),
            fields,
            digest: published.digest,
        })?;
        Ok(())
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
                let signed = |document: &mut Document| {
                    let until = node_domain::signed_until(document, (&code, hub), coordinator);
                    // An agreement that has ended is none.
                    let ended = until.is_some_and(|until| until < today());
                    node_domain::signed_fields(document, (&code, hub), coordinator)
                        .filter(|_| !ended)
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

    /// The names of the people whom this hub knows, former ones among them.
    pub(crate) fn known_names(&self) -> Result<Arc<Vec<String>>, RecordsError> {
        self.remembered_of_kinds(
            &[PERSON.name, LEADER.name],
            &["known names"],
            |names: &Vec<String>| names.iter().map(|name| 24 + name.len()).sum(),
            || self.look_names_up(),
        )
    }

    fn look_names_up(&self) -> Result<Vec<String>, RecordsError> {
        let mut names = Vec::new();
        for person in self.list_records(PERSON.name, "")? {
            if let Some(card) = self.readable(person.space, person.id)? {
                names.extend(node_domain::known_names(&card));
            }
        }
        // A leader may have no other card, and others' leaders wish to be named.
        for leader in self.list_records(LEADER.name, "")? {
            if Some(leader.id.subject().owner()) == self.hub() {
                names.push(leader.title);
            }
        }
        Ok(names)
    }

    /// Takes back what this hub published of whoever has not, or no longer, agreed to it. Called
    /// whenever such a card changed, and from time to time, for a crash may come in between.
    ///
    /// # Errors
    /// [`RecordsError`]; what was taken back by then is.
    pub fn withdraw_unwished(&self) -> Result<(), RecordsError> {
        let _publishing = self.inner.publishing();
        for kind in KINDS {
            for step in kind.publishing {
                if let Agreement::OptIn(field) = step.agreement {
                    self.withdraw_without(kind, step, field)?;
                }
            }
        }
        Ok(())
    }

    fn withdraw_without(
        &self,
        kind: &RecordKind,
        step: &Publishing,
        field: &str,
    ) -> Result<(), RecordsError> {
        let kinds = self.authority();
        let at = |space: SpaceId| kinds.spaces().get(&space).map(|record| record.kind);
        for record in self.list_records(kind.name, "")? {
            let subject = record.id.subject();
            if Some(subject.owner()) != self.hub() || at(record.space) != Some(step.stage.from) {
                continue;
            }
            let fields = self.readable(record.space, record.id)?.unwrap_or_default();
            if fields.get(field) == Some(&Value::Bool(true)) {
                continue;
            }
            for (space, _) in self.copies_of(subject)? {
                if at(space) == Some(step.stage.into) {
                    self.withdraw_from(subject, space, "opt-in withdrawn")?;
                }
            }
        }
        Ok(())
    }
}

/// Stands for a record in its copies without telling which it is.
fn origin(id: RecordId, space: SpaceId) -> String {
    origin_of(id.subject(), space)
}

pub(crate) fn origin_of(subject: Subject, space: SpaceId) -> String {
    Hash::of(Tag::Origin, &[subject.as_bytes(), space.as_bytes()]).to_string()
}
