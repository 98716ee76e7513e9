//! Saving what a form says, merged with what came in meanwhile.

use std::collections::BTreeMap;

use node_document::EditError;
use node_domain::{FieldChange, Object, Problem, RecordError};
use serde_json::{Value, json};

use super::Opened;
use crate::records::{Desk, EditedRecord, RecordsError};
use crate::web::{Flash, PageError, Visit};

/// What is saved: changes of a record as a page showed it.
#[derive(Debug, Clone)]
pub struct Editing {
    /// The record.
    pub id: String,
    /// The heads that the form carried.
    pub heads: String,
    /// What a person changed.
    pub changes: Vec<FieldChange>,
}

/// What became of it.
#[derive(Debug)]
pub enum Saving {
    /// It is saved, and merged with what came in meanwhile.
    Done(Saved),
    /// Something in it is wrong; nothing was saved.
    Wrong(Vec<Problem>),
    /// The page is so old that it cannot be merged; nothing was saved.
    TooOld,
}

/// What was saved.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The record.
    pub id: String,
    /// The edit; none if nothing was changed.
    pub edited: Option<EditedRecord>,
    /// What others changed meanwhile, in sentences.
    pub meanwhile: Vec<String>,
}

impl Saved {
    /// Says on the next page that it is saved, what others changed meanwhile, and offers to undo it.
    /// `draft` is the form's name in the browser, `back` the page that follows an undo.
    pub fn tell(&self, visit: &Visit, draft: &str, back: &str) {
        let Some(edited) = &self.edited else {
            visit.tell(Flash::done("Nothing was changed.").saved_draft(draft));
            return;
        };
        let mut flash = Flash::done("Saved.").saved_draft(draft);
        if !self.meanwhile.is_empty() {
            flash.sentence = "Saved, and merged with what others changed.".to_owned();
            flash = flash.more(self.meanwhile.iter().cloned());
        }
        let notes = edited.notes.iter();
        flash = flash.more(notes.map(|note| crate::web::words::capital(note)));
        let fields = [
            ("record", self.id.as_str()),
            ("before", &edited.before),
            ("after", &edited.heads),
            ("back", back),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        visit.tell(flash.action("Undo", "/undo", fields.to_vec()));
    }
}

/// Saves what a form says.
///
/// # Errors
/// [`PageError`] for what is no fault of the form: a role that does not reach it, a full disk.
pub async fn save(visit: &Visit, editing: Editing) -> Result<Saving, PageError> {
    visit.work(move |desk| save_with(desk, &editing)).await
}

/// The same where the desk is at hand already.
///
/// # Errors
/// As for [`save`].
pub(crate) fn save_with(desk: &Desk, editing: &Editing) -> Result<Saving, RecordsError> {
    let id = editing.id.clone();
    if editing.changes.is_empty() {
        return Ok(Saving::Done(Saved {
            id,
            edited: None,
            meanwhile: Vec::new(),
        }));
    }
    let json = json!(editing.changes).to_string();
    match desk.edit(&id, &editing.heads, &json) {
        Ok(edited) => {
            let meanwhile = if editing.heads.is_empty() {
                Vec::new()
            } else {
                desk.changes_between(&id, &editing.heads, &edited.before)?
            };
            Ok(Saving::Done(Saved {
                meanwhile: told_meanwhile(desk, &meanwhile),
                edited: Some(edited),
                id,
            }))
        }
        Err(RecordsError::Record(RecordError::Problems(problems))) => Ok(Saving::Wrong(problems)),
        Err(
            RecordsError::Heads
            | RecordsError::Record(RecordError::Edit(
                EditError::LanesTaken | EditError::UnknownHeads,
            )),
        ) => Ok(Saving::TooOld),
        Err(RecordsError::Record(RecordError::Edit(EditError::NoItem(_)))) => {
            Ok(Saving::Wrong(vec![Problem {
                field: String::new(),
                message: "This entry was removed while you were changing it. What you typed is \
                          below: add it anew if it is still right."
                    .to_owned(),
            }]))
        }
        Err(error) => Err(error),
    }
}

/// What others changed, in sentences: "While you were editing, South Yorkshire changed Venue."
pub fn told_meanwhile(desk: &Desk, steps: &[Value]) -> Vec<String> {
    let mut by_hub = BTreeMap::<String, Vec<String>>::new();
    for step in steps {
        let text = |name: &str| step[name].as_str().unwrap_or_default();
        let labels = by_hub.entry(text("hub").to_owned()).or_default();
        let label = format!("“{}”", text("label"));
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let own = desk.own_hub();
    let told = by_hub.into_iter().map(|(hub, labels)| {
        let who = if hub == own {
            "somebody here".to_owned()
        } else {
            desk.hub_name(&hub)
        };
        let labels = crate::web::words::listed(&labels);
        format!("While you were editing, {who} changed {labels}.")
    });
    told.collect()
}

impl Opened {
    /// The fields as a form's page showed them; as they are now if that is not known here any more.
    ///
    /// # Errors
    /// As for [`Desk::fields_at`].
    pub fn fields_at(&self, desk: &Desk, heads: &str) -> Result<Object, RecordsError> {
        match desk.fields_at(&self.id, heads) {
            Err(RecordsError::Heads) => Ok(self.fields.clone()),
            other => other,
        }
    }
}
