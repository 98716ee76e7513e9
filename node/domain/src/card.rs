//! Records that are kept as cards.

use bytes::Bytes;
use node_document::{CardView, Revision};
use node_feed::HubId;
use serde_json::{Value as Json, json};

use crate::Object;
use crate::check::check;
use crate::declaration::{Form, Kind};
use crate::error::{Problem, RecordError};
use crate::kinds::kind;
use crate::read::{Row, json as to_json, plain};

const KIND: &str = "kind_of_record";

/// What one revision of a card says.
#[derive(Debug, Clone, PartialEq)]
pub struct CardRecord {
    /// The kind.
    pub kind: &'static Kind,
    /// The fields in the order declared, then those that only a newer version knows.
    pub fields: Object,
}

/// A field about which the revisions of a card that stand say different things.
#[derive(Debug, Clone, PartialEq)]
pub struct CardConflict {
    /// The field.
    pub field: String,
    /// What people call it.
    pub label: String,
    /// What each revision says, the one that is shown last.
    pub says: Vec<CardSays>,
}

/// What one revision says in one field.
#[derive(Debug, Clone, PartialEq)]
pub struct CardSays {
    /// The value; null if it leaves the field empty.
    pub value: Json,
    /// The hub that wrote it.
    pub hub: HubId,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
}

impl CardRecord {
    /// A card's content, checked. Fields that are null are left out.
    ///
    /// # Errors
    /// [`RecordError::Problems`] names everything that is not as declared.
    pub fn new(kind: &'static Kind, values: &Object) -> Result<Self, RecordError> {
        if kind.form != Form::Card {
            return Err(RecordError::Form(kind.title));
        }
        let mut problems = Vec::new();
        for name in values.keys().filter(|name| kind.field(name).is_none()) {
            let names = kind
                .fields
                .iter()
                .map(|field| field.name)
                .collect::<Vec<_>>()
                .join(", ");
            let message = format!("there is no field '{name}'; the fields are {names}");
            problems.push(Problem::new(name.as_str(), message));
        }
        let mut fields = Object::new();
        for field in kind.fields {
            match values.get(field.name).filter(|value| !value.is_null()) {
                Some(value) => match check(field, value) {
                    Ok(value) => {
                        fields.insert(field.name.to_owned(), to_json(&value));
                    }
                    Err(message) => problems.push(Problem::new(field.name, message)),
                },
                None if field.required => {
                    problems.push(Problem::new(
                        field.name,
                        format!("'{}' is missing", field.label),
                    ));
                }
                None => {}
            }
        }
        if problems.is_empty() {
            Ok(Self { kind, fields })
        } else {
            Err(RecordError::Problems(problems))
        }
    }

    /// This card with some fields changed; null clears a field. What only a newer version knows
    /// stays.
    ///
    /// # Errors
    /// [`RecordError::Problems`] names everything that is not as declared.
    pub fn changed(&self, changes: &Object) -> Result<Self, RecordError> {
        let known = |name: &str| self.kind.field(name).is_some();
        let mut values = self.fields.clone();
        values.retain(|name, _| known(name));
        values.extend(changes.clone());
        let mut changed = Self::new(self.kind, &values)?;
        let newer = self.fields.iter().filter(|(name, _)| !known(name));
        changed
            .fields
            .extend(newer.map(|(name, value)| (name.clone(), value.clone())));
        Ok(changed)
    }

    /// The line that stands for the card in lists.
    pub fn row(&self) -> Row {
        let shown = |name: &str| self.fields.get(name).map(plain).unwrap_or_default();
        let columns = self.kind.columns.iter().filter_map(|name| {
            let field = self.kind.field(name)?;
            Some((field.name, field.label, shown(name)))
        });
        Row {
            kind: self.kind.name,
            title: shown(self.kind.title_field),
            columns: columns.collect(),
            searched: self
                .kind
                .searched
                .iter()
                .map(|name| shown(name))
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    /// The body of a revision.
    pub fn encode(&self) -> Bytes {
        let mut body = Object::new();
        body.insert(KIND.to_owned(), json!(self.kind.name));
        body.extend(self.fields.clone());
        Bytes::from(Json::Object(body).to_string())
    }

    /// Reads the body of a revision. Values that a newer version allows are taken as they are.
    ///
    /// # Errors
    /// [`RecordError::Card`] if it is no card's body, [`RecordError::UnknownKind`] if the kind is
    /// not declared here.
    pub fn decode(body: &[u8]) -> Result<Self, RecordError> {
        let mut fields = serde_json::from_slice::<Object>(body)
            .map_err(|error| RecordError::Card(format!("it is not well formed ({error})")))?;
        let name = fields.shift_remove(KIND);
        let name = name.as_ref().and_then(Json::as_str).unwrap_or_default();
        let kind = kind(name).ok_or_else(|| RecordError::UnknownKind(name.to_owned()))?;
        let mut ordered = Object::new();
        for field in kind.fields {
            if let Some(value) = fields.shift_remove(field.name) {
                ordered.insert(field.name.to_owned(), value);
            }
        }
        ordered.extend(fields);
        Ok(Self {
            kind,
            fields: ordered,
        })
    }

    /// The fields about which the revisions that stand differ. A revision that cannot be read
    /// says nothing.
    pub fn conflicts(card: &CardView) -> Vec<CardConflict> {
        let read =
            |revision: &Revision| Some((Self::decode(&revision.body).ok()?, revision.clone()));
        let revisions = card.siblings().iter().filter_map(read).collect::<Vec<_>>();
        let Some((shown, _)) = revisions.last() else {
            return Vec::new();
        };
        let mut names = shown
            .kind
            .fields
            .iter()
            .map(|field| field.name.to_owned())
            .collect::<Vec<_>>();
        for name in revisions
            .iter()
            .flat_map(|(record, _)| record.fields.keys())
        {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let conflict = |name: String| {
            let says = revisions.iter().map(|(record, revision)| CardSays {
                value: record.fields.get(&name).cloned().unwrap_or(Json::Null),
                hub: revision.hub,
                time_ms: revision.time_ms,
            });
            let says = says.collect::<Vec<_>>();
            let label = shown
                .kind
                .field(&name)
                .map_or(name.as_str(), |field| field.label)
                .to_owned();
            let differ = says.windows(2).any(|pair| pair[0].value != pair[1].value);
            differ.then_some(CardConflict {
                field: name,
                label,
                says,
            })
        };
        names.into_iter().filter_map(conflict).collect()
    }
}
