//! Filling a node with a year of made-up work.

use std::collections::BTreeMap;

use node_domain::sample::{HubYear, SampleOptions, SampleRecord, Scale};
use node_domain::{FieldChange, Form, kind as named_kind};
use node_feed::SpaceId;
use serde_json::{Value, json};

use super::change::new_id;
use super::import::named;
use super::{RecordId, RecordsError, record_kind};
use crate::Node;
use crate::author::WriteError;

impl Node {
    /// Fills this hub with a year of made-up work: the same for the same seed. Says how many
    /// records of each kind were made.
    ///
    /// # Errors
    /// [`RecordsError::Json`] if the hub holds records already: nobody shall mistake the sample
    /// for their own.
    pub fn sample(&self, seed: u64, small: bool) -> Result<Value, RecordsError> {
        let own = self.own_space()?;
        if !self.list_records("", &own.to_string())?.is_empty() {
            return Err(RecordsError::Json(
                "this hub holds records already, and a sample must not stand among them: use a \
                 new node"
                    .to_owned(),
            ));
        }
        let options = SampleOptions::new(
            seed,
            &self.own_code(),
            if small { Scale::Small } else { Scale::Full },
        );
        // What the hub says of itself and the days that leaders offer stand before everybody.
        let made = self.keep_sample(&HubYear::generate(&options).records(), |record| {
            self.space_for(record_kind(record.kind)?, "")
        })?;
        Ok(json!(made))
    }

    /// Makes the records of a sample where `space` says, and takes their later steps. Returns how
    /// many of each kind were made.
    ///
    /// # Errors
    /// [`RecordsError`] if a record is not as declared or cannot be written.
    pub fn keep_sample(
        &self,
        records: &[SampleRecord],
        space: impl Fn(&SampleRecord) -> Result<SpaceId, RecordsError>,
    ) -> Result<BTreeMap<&'static str, usize>, RecordsError> {
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        let mut made = BTreeMap::new();
        let mut ids = BTreeMap::<String, RecordId>::new();
        for record in records {
            if let Some(kind) = named_kind(record.kind) {
                ids.insert(record.key.clone(), new_id(hub, kind));
                *made.entry(record.kind).or_insert(0) += 1;
            }
        }
        let names = ids
            .iter()
            .map(|(key, id)| (format!("@{key}"), id.to_string()));
        let names = names.collect::<BTreeMap<_, _>>();
        let mut cards = BTreeMap::<(SpaceId, &'static str), Vec<_>>::new();
        let mut documents = Vec::new();
        for record in records {
            let (Some(kind), Some(id)) = (named_kind(record.kind), ids.get(&record.key)) else {
                continue;
            };
            let Value::Object(fields) = named(&Value::Object(record.fields.clone()), &names) else {
                continue;
            };
            let space = space(record)?;
            match (kind.form, id) {
                (Form::Card, RecordId::Card(card)) => {
                    cards
                        .entry((space, kind.name))
                        .or_default()
                        .push((*card, fields));
                }
                (Form::Document | Form::Card, _) => {
                    documents.push((kind, space, *id, fields, record))
                }
            }
        }
        // Whoever is named in a later step has a card by then.
        for ((space, kind), cards) in cards {
            if let Some(kind) = named_kind(kind) {
                self.create_cards_as(kind, space, &cards)?;
            }
        }
        for (kind, space, id, fields, record) in documents {
            self.create_as(kind, space, id, &fields, true)?;
            self.take_steps(space, id, record, &names)?;
        }
        Ok(made)
    }

    fn take_steps(
        &self,
        space: SpaceId,
        id: RecordId,
        record: &SampleRecord,
        names: &BTreeMap<String, String>,
    ) -> Result<(), RecordsError> {
        let RecordId::Document(document) = id else {
            return Ok(());
        };
        for step in &record.steps {
            let step = named(&json!(step), names);
            let changes = serde_json::from_value::<Vec<FieldChange>>(step)
                .map_err(|error| RecordsError::Json(error.to_string()))?;
            self.edit_document(space, document, None, &changes, false)?;
        }
        Ok(())
    }
}
