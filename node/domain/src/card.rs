//! Records that are kept as cards.

use bytes::Bytes;
use node_document::{CardView, Revision};
use node_feed::HubId;
use serde_json::{Value as Json, json};

use crate::Object;
use crate::check::check;
use crate::declaration::{Check, Field, Filled, Form, Kind};
use crate::error::{Problem, RecordError};
use crate::kinds::{UNKNOWN_CARD, kind};
use crate::read::{json as to_json, plain};
use crate::row::{Row, row_of};
use crate::writer::filled_by_itself;

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
    /// A card's content, checked. Fields that are null are left out. Only the `program` fills in
    /// what is declared to be filled in by it.
    ///
    /// # Errors
    /// [`RecordError::Problems`] names everything that is not as declared.
    pub fn new(kind: &'static Kind, values: &Object, program: bool) -> Result<Self, RecordError> {
        let problems = filled_by_hand(kind, values, program);
        Self::checked(kind, values, &Object::new(), problems)
    }

    fn checked(
        kind: &'static Kind,
        values: &Object,
        standing: &Object,
        mut problems: Vec<Problem>,
    ) -> Result<Self, RecordError> {
        if kind.form != Form::Card {
            return Err(RecordError::Form(kind.title));
        }
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
            let given = values.get(field.name);
            if let (None, Some(stands)) = (given, standing.get(field.name)) {
                // Whatever a newer version wrote there, it is not this edit's.
                fields.insert(field.name.to_owned(), stands.clone());
                continue;
            }
            match given.filter(|value| !value.is_null()) {
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
    pub fn changed(&self, changes: &Object, program: bool) -> Result<Self, RecordError> {
        let known = |name: &str| self.kind.field(name).is_some();
        let problems = filled_by_hand(self.kind, changes, program);
        let mut changed = Self::checked(self.kind, changes, &self.fields, problems)?;
        let newer = self.fields.iter().filter(|(name, _)| !known(name));
        changed
            .fields
            .extend(newer.map(|(name, value)| (name.clone(), value.clone())));
        Ok(changed)
    }

    /// The line that stands for the card in lists.
    pub fn row(&self) -> Row {
        let mut row = row_of(self.kind, &self.fields);
        if *self.kind == UNKNOWN_CARD {
            // Most kinds of cards have a field of this name.
            let title = self.fields.get(self.kind.title_field);
            row.title = title.map(plain).unwrap_or_default();
        }
        row
    }

    /// The body of a revision.
    pub fn encode(&self) -> Bytes {
        let mut body = Object::new();
        body.insert(KIND.to_owned(), json!(self.kind.name));
        body.extend(self.fields.clone());
        Bytes::from(Json::Object(body).to_string())
    }

    /// The same, for reading: of a kind that only a newer version declares too.
    fn read(body: &[u8]) -> Result<Self, RecordError> {
        match Self::decode(body) {
            Err(RecordError::UnknownKind(_)) => {
                let fields = serde_json::from_slice::<Object>(body);
                let fields = fields.map_err(|error| RecordError::Card(error.to_string()))?;
                Ok(Self {
                    kind: &UNKNOWN_CARD,
                    fields,
                })
            }
            decoded => decoded,
        }
    }

    /// Reads the body of a revision. Values that a newer version allows are taken as they are.
    ///
    /// # Errors
    /// [`RecordError::Card`] if it is no card's body, [`RecordError::UnknownKind`] if no
    /// kind of cards of that name is declared here.
    pub fn decode(body: &[u8]) -> Result<Self, RecordError> {
        let mut fields = serde_json::from_slice::<Object>(body)
            .map_err(|error| RecordError::Card(format!("it is not well formed ({error})")))?;
        let name = fields.shift_remove(KIND);
        let name = name.as_ref().and_then(Json::as_str).unwrap_or_default();
        let kind = kind(name)
            .filter(|kind| kind.form == Form::Card)
            .ok_or_else(|| RecordError::UnknownKind(name.to_owned()))?;
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

    /// What a card says: its last revision that can be read, but that one no to what needs
    /// consent, in any revision that stands, beats every yes.
    pub fn shown(card: &CardView) -> Option<Self> {
        let read = |revision: &Revision| Self::read(&revision.body).ok();
        let revisions = card.siblings().iter().filter_map(read).collect::<Vec<_>>();
        let mut shown = revisions.last()?.clone();
        for field in shown.kind.fields.iter().filter(|field| is_consent(field)) {
            let refused = |record: &Self| record.fields.get(field.name) == Some(&Json::Bool(false));
            if revisions.iter().any(refused) {
                shown
                    .fields
                    .insert(field.name.to_owned(), Json::Bool(false));
            }
        }
        Some(shown)
    }

    /// The fields about which the revisions that stand differ. A revision that cannot be read
    /// says nothing. Consent that one of them refuses is refused: that is no difference.
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
        let refused = |name: &String| {
            shown.kind.field(name).is_some_and(is_consent)
                && revisions
                    .iter()
                    .any(|(record, _)| record.fields.get(name) == Some(&Json::Bool(false)))
        };
        names.retain(|name| !refused(name));
        names.into_iter().filter_map(conflict).collect()
    }
}

fn is_consent(field: &Field) -> bool {
    field.check == Check::Consent
}

/// What was given of fields that nobody fills in by hand.
fn filled_by_hand(kind: &Kind, values: &Object, program: bool) -> Vec<Problem> {
    let by_hand = |field: &&Field| match field.filled {
        Filled::ByPerson => false,
        Filled::ByProgram => !program,
        Filled::ByAuthor => true,
    };
    let given = |field: &&Field| values.get(field.name).is_some_and(|value| !value.is_null());
    let fields = kind.fields.iter().filter(by_hand).filter(given);
    fields
        .map(|field| Problem::new(field.name, filled_by_itself(field.label)))
        .collect()
}
