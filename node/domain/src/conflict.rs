//! Versions: concurrent values that people see, and some of which a person must settle.

use node_document::{Authorship, Document, Value, Version, View};
use serde_json::Value as Json;

use crate::declaration::{Kind, Merge, State};
use crate::fields::{label, leaves, written};
use crate::read::json;
use crate::states::{self, Standing};

/// A field that stands in several versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The field's path.
    pub path: String,
    /// What people call it.
    pub label: String,
    /// Whether a person must decide; otherwise they may.
    pub decide: bool,
    /// What happened.
    pub cause: ConflictCause,
    /// The versions, the one that is shown last.
    pub versions: Vec<ConflictVersion>,
}

/// What made versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictCause {
    /// Different values were entered at the same time.
    Values,
    /// Steps were taken at the same time that cannot both hold.
    Steps,
    /// A step was taken that the declaration does not allow.
    StepNotAllowed,
    /// People wrote into one sentence at the same time. It merged; they should read it again.
    Sentence(String),
}

/// One version of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictVersion {
    /// Its value; nothing where a sentence merged.
    pub value: Json,
    /// Who wrote it, and when.
    pub author: Authorship,
    /// What stood there before.
    pub before: Vec<Json>,
}

/// Everything in a record that stands in several versions. The same value twice is none, and so
/// is an edit whose author saw the other.
pub fn versions(document: &Document, kind: &'static Kind) -> Vec<Conflict> {
    let view = document.view();
    let mut conflicts = Vec::new();
    for (path, field, within) in leaves(&view, kind) {
        let path = path.iter().map(String::as_str).collect::<Vec<_>>();
        // What stood before is looked up only where something may be told.
        let several = view.values(&path).len() > 1;
        let judged = several || matches!(field.merge, Merge::State(_));
        let found = if judged {
            view.versions(&path)
        } else {
            Vec::new()
        };
        let mut note = |decide, cause, versions| {
            conflicts.push(Conflict {
                path: written(&path),
                label: label(field, within),
                decide,
                cause,
                versions,
            });
        };
        match field.merge {
            Merge::State(states) => {
                if let Some(cause) = steps_at_odds(states, &found) {
                    note(true, cause, found.iter().map(version).collect());
                }
            }
            Merge::Value if differ(&found) => {
                note(field.decide, ConflictCause::Values, distinct(&found));
            }
            Merge::Text if differ(&found) => {
                note(true, ConflictCause::Values, distinct(&found));
            }
            Merge::Text => {
                for (sentence, authors) in sentences(&view, &path) {
                    note(field.decide, ConflictCause::Sentence(sentence), authors);
                }
            }
            Merge::Value
            | Merge::List(_)
            | Merge::Set(_)
            | Merge::Count
            | Merge::Log(_)
            | Merge::Places => {}
        }
    }
    conflicts
}

fn steps_at_odds(declared: &[State], found: &[Version]) -> Option<ConflictCause> {
    if let Standing::Several(_) = Standing::of(declared, found) {
        return Some(ConflictCause::Steps);
    }
    let not_allowed = |version: &&Version| {
        let to = version.value.as_str().unwrap_or_default();
        let from = |before: &Value| {
            *before == version.value
                || states::allowed(declared, before.as_str().unwrap_or_default(), to)
        };
        // A newer list of states is not judged by an older one.
        let known = declared.iter().any(|state| state.name == to);
        known && !version.before.is_empty() && !version.before.iter().any(from)
    };
    found
        .iter()
        .find(not_allowed)
        .map(|_| ConflictCause::StepNotAllowed)
}

fn differ(found: &[Version]) -> bool {
    found.windows(2).any(|pair| pair[0].value != pair[1].value)
}

/// The versions, of equal ones only the last.
fn distinct(found: &[Version]) -> Vec<ConflictVersion> {
    let last = |(index, version): (usize, &Version)| {
        let again = found[index + 1..]
            .iter()
            .any(|later| later.value == version.value);
        (!again).then(|| self::version(version))
    };
    found.iter().enumerate().filter_map(last).collect()
}

fn version(version: &Version) -> ConflictVersion {
    ConflictVersion {
        value: json(&version.value),
        author: version.author,
        before: version.before.iter().map(json).collect(),
    }
}

fn sentences(view: &View<'_>, path: &[&str]) -> Vec<(String, Vec<ConflictVersion>)> {
    let told = |author: Authorship| ConflictVersion {
        value: Json::Null,
        author,
        before: Vec::new(),
    };
    view.overlaps(path)
        .into_iter()
        .map(|overlap| {
            (
                overlap.sentence,
                overlap.authors.into_iter().map(told).collect(),
            )
        })
        .collect()
}
