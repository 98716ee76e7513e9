//! Settling versions, and opening again what was settled.

use node_document::{Document, EditError, Edited, Heads};
use serde_json::Value as Json;

use crate::change::FieldChange;
use crate::conflict::{Conflict, ConflictCause, Matter, open_matters, stays};
use crate::declaration::Merge;
use crate::error::{Problem, RecordError};
use crate::fields::Spot;
use crate::read::kind_of;
use crate::settled;
use crate::watches;
use crate::write::By;
use crate::writer::Writer;

/// The path, label and fingerprint of what is settled from outside have at most so many bytes.
const WORD_BYTES_MAX: usize = 500;

/// Settles the versions at `path` to `value`, and keeps in the same edit what stood there, what
/// was chosen and by whom. For a text, null says that the overlapping edits are well as they
/// merged; for something that a watch raised, and for what nobody changes, as in a log, null says
/// that it is well as it is.
///
/// # Errors
/// [`RecordError`] as for [`edit`](crate::edit()), and if what a watch raised is given a value.
pub fn settle(
    document: &Document,
    at: Option<&Heads>,
    path: &str,
    value: &Json,
    by: &By,
) -> Result<Edited<()>, RecordError> {
    let kind = kind_of(&document.view())?;
    let then = match at {
        Some(heads) => document.view_at(heads).ok_or(EditError::UnknownHeads)?,
        None => document.view(),
    };
    let mut open = open_matters(document, &then, kind);
    open.retain(|matter| matter.conflict.path == path);
    let raised = watches::is_raised(path);
    if raised && open.is_empty() {
        return Err(Problem::new(path, "nothing is open here; it may have been settled").into());
    }
    if raised && !value.is_null() {
        let message = "change the items themselves, or settle it as it is";
        return Err(Problem::new(path, message).into());
    }
    document.edit(at, &by.author, by.time_ms, |edit| {
        if !raised {
            let spot = Spot::find(kind, path)?;
            let mut writer = Writer::new(edit, kind, by);
            if value.is_null() && stays(spot.field, spot.within) {
                // It is left as it is.
            } else if let Merge::Text = spot.field.merge {
                writer.settle_text(&spot, value)?;
            } else {
                writer.write_all(&[FieldChange::set(path, value.clone())])?;
            }
        }
        settled::close(edit, path)?;
        for (index, matter) in open.iter().enumerate() {
            settled::write(edit, matter, value, by, index)?;
        }
        Ok(())
    })
}

/// Settles what a watch raised that looks at other records than this one, as it is: whoever
/// holds those evaluated it. `path` is that of a watch of the record's kind, `!name` or
/// `!name/key`, and `fingerprint` stands for what is at odds: once that is another, it is open
/// again. What was opened again at this path is settled with it.
///
/// # Errors
/// [`RecordError::Problems`] if the record's kind has no such watch, or a word is too long.
pub fn settle_raised(
    document: &Document,
    path: &str,
    label: &str,
    fingerprint: &str,
    by: &By,
) -> Result<Edited<()>, RecordError> {
    let kind = kind_of(&document.view())?;
    let Some(watch) = watches::named_in(kind, path) else {
        let message = format!("a {} has no watch that raises this", kind.title);
        return Err(Problem::new(path, message).into());
    };
    let long = |text: &str| text.len() > WORD_BYTES_MAX;
    if fingerprint.is_empty() || [path, label, fingerprint].into_iter().any(long) {
        let message = format!(
            "the path, what it is called and what stands for it must have at most \
             {WORD_BYTES_MAX} bytes each, and something must stand for it"
        );
        return Err(Problem::new(path, message).into());
    }
    let matter = Matter {
        conflict: Conflict {
            path: path.to_owned(),
            label: label.to_owned(),
            decide: true,
            cause: ConflictCause::Watch {
                name: watch.name,
                sentence: watch.sentence,
            },
            versions: Vec::new(),
        },
        fingerprint: Some(fingerprint.to_owned()),
    };
    document.edit(None, &by.author, by.time_ms, |edit| {
        settled::close(edit, path)?;
        settled::write(edit, &matter, &Json::Null, by, 0)
    })
}

/// Opens again what was settled: it is listed among the versions until it is settled once more.
///
/// # Errors
/// [`RecordError::Problems`] if nothing was settled under this id.
pub fn reopen(
    document: &Document,
    at: Option<&Heads>,
    id: &str,
    by: &By,
) -> Result<Edited<()>, RecordError> {
    kind_of(&document.view())?;
    document.edit(at, &by.author, by.time_ms, |edit| {
        settled::open_again(edit, id)
    })
}
