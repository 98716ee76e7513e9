//! Saving what a form says, merged with what came in meanwhile.

use std::collections::BTreeMap;

use node_document::EditError;
use node_domain::{FieldChange, Object, Problem, RecordError};
use serde_json::{Value, json};

use super::Opened;
use super::once::{Stands, added, renamed, stands};
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
    /// Whether it can be undone.
    pub undo: bool,
    /// Whether the form was sent twice, and what it adds was saved the first time.
    pub twice: bool,
}

impl Saved {
    /// Says on the next page that it is saved, what others changed meanwhile, and offers to undo it
    /// where it can be. `draft` is the form's name in the browser, `back` the page that follows an undo.
    pub fn tell(&self, visit: &Visit, draft: &str, back: &str) {
        let done = if self.meanwhile.is_empty() {
            "Saved."
        } else {
            "Saved, and merged with what others changed."
        };
        self.tell_that(visit, done, draft, back);
    }

    /// The same in a sentence of its own: what was done.
    pub fn tell_that(&self, visit: &Visit, done: &str, draft: &str, back: &str) {
        if self.twice {
            let sentence = "This was sent twice. It is saved once.";
            visit.tell(Flash::done(sentence).saved_draft(draft));
            return;
        }
        let Some(edited) = &self.edited else {
            visit.tell(Flash::done("Nothing was changed.").saved_draft(draft));
            return;
        };
        let mut flash = Flash::done(done).saved_draft(draft);
        flash = flash.more(self.meanwhile.iter().cloned());
        let notes = edited.notes.iter();
        flash = flash.more(notes.map(|note| crate::web::words::capital(note)));
        if !self.undo {
            visit.tell(flash);
            return;
        }
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
        return Ok(nothing_new(editing, false));
    }
    let edit = |json: &str| desk.edit(&id, &editing.heads, json);
    let edited = match taken(desk, editing, edit)? {
        Ok(edited) => edited,
        Err(saving) => return Ok(saving),
    };
    let meanwhile = if editing.heads.is_empty() {
        Vec::new()
    } else {
        desk.changes_between(&id, &editing.heads, &edited.before)?
    };
    Ok(Saving::Done(Saved {
        meanwhile: told_meanwhile(desk, &meanwhile),
        // The edit may have taken the record out of the role's reach.
        undo: desk.takes_back(&id, &edited).unwrap_or(false),
        twice: false,
        edited: Some(edited),
        id,
    }))
}

/// What would become of changes, if they would not be saved; nothing is saved.
///
/// # Errors
/// As for [`save`].
pub(crate) fn refused_with(desk: &Desk, editing: &Editing) -> Result<Option<Saving>, RecordsError> {
    let check = |json: &str| desk.check_edit(&editing.id, &editing.heads, json);
    Ok(taken(desk, editing, check)?.err())
}

/// Does something with the changes; if they are not taken, what is said of that.
fn taken<T>(
    desk: &Desk,
    editing: &Editing,
    take: impl Fn(&str) -> Result<T, RecordsError>,
) -> Result<Result<T, Saving>, RecordsError> {
    // What was added and taken back is not added again under its id: it would show as it was.
    let changes = match added(&editing.changes) {
        Some((list, id)) if desk.was_taken_out(&editing.id, list, id)? => {
            renamed(&editing.changes, id)
        }
        Some(_) | None => editing.changes.clone(),
    };
    let mut taken = take(&json!(changes).to_string());
    if let Err(RecordsError::Record(RecordError::Problems(_))) = &taken {
        let shown = desk.show(&editing.id, "")?;
        let kind = node_domain::kind(&shown.kind).zip(shown.fields.as_object());
        let there = |changes: &[FieldChange]| {
            let (_, id) = added(changes)?;
            let (kind, shown) = kind?;
            let is_there = shown.values().any(|list| {
                let mut items = list.as_array().into_iter().flatten();
                items.any(|item| item["id"] == id)
            });
            is_there.then(|| stands(kind, shown, changes)).flatten()
        };
        match there(&changes) {
            Some(Stands::Same) => return Ok(Err(nothing_new(editing, true))),
            Some(Stands::Partly) => {
                return Ok(Err(Saving::Wrong(vec![Problem {
                    field: String::new(),
                    message: "This was added when the form was sent first, so nothing was changed \
                              now. Go to what was added, and change it there."
                        .to_owned(),
                }])));
            }
            Some(Stands::Another(changes)) => taken = take(&json!(changes).to_string()),
            None => {}
        }
    }
    match taken {
        Ok(taken) => Ok(Ok(taken)),
        Err(RecordsError::Record(RecordError::Problems(problems))) => {
            Ok(Err(Saving::Wrong(problems)))
        }
        Err(
            RecordsError::Heads
            | RecordsError::Record(RecordError::Edit(
                EditError::LanesTaken | EditError::UnknownHeads,
            )),
        ) => Ok(Err(Saving::TooOld)),
        Err(RecordsError::Record(RecordError::Edit(EditError::NoItem(_)))) => {
            Ok(Err(Saving::Wrong(vec![Problem {
                field: String::new(),
                message: "This entry was removed while you were changing it. What you typed is \
                          below: add it anew if it is still right."
                    .to_owned(),
            }])))
        }
        Err(error) => Err(error),
    }
}

fn nothing_new(editing: &Editing, twice: bool) -> Saving {
    Saving::Done(Saved {
        id: editing.id.clone(),
        edited: None,
        meanwhile: Vec::new(),
        undo: false,
        twice,
    })
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
