//! Versions: concurrent values, and whatever else people are told of, that a person may or must
//! settle.

use std::collections::{BTreeMap, BTreeSet};

use node_document::{Authorship, Document, Version, View, Wording};
use serde_json::Value as Json;

use crate::declaration::{Field, Filled, Kind, Merge, State};
use crate::fields::{label, leaves_in, written};
use crate::read::json;
use crate::settled::{self, Settled};
use crate::states::{self, Standing};
use crate::watches;

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

impl Conflict {
    /// What settles this with one of its versions, by its place: the version's value; of a sentence
    /// that merged, the whole text with the sentence as this author left it.
    pub fn choice(&self, document: &Document, version: usize) -> Option<Json> {
        let chosen = &self.versions.get(version)?.value;
        let ConflictCause::Sentence(merged) = &self.cause else {
            return Some(chosen.clone());
        };
        let path = self.path.split('/').collect::<Vec<_>>();
        let text = json(document.view().values(&path).last()?);
        let text = text.as_str()?.replacen(merged, chosen.as_str()?, 1);
        Some(Json::String(text))
    }
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
    /// Every single edit was right, and yet something should be looked at.
    Watch {
        /// The watch's name.
        name: &'static str,
        /// What people read.
        sentence: &'static str,
    },
    /// It was settled, and somebody opened it again.
    Reopened,
}

impl ConflictCause {
    /// The cause in a word, as it is kept with what was settled.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Steps => "steps",
            Self::StepNotAllowed => "step not allowed",
            Self::Sentence(_) => "sentence",
            Self::Watch { name, .. } => name,
            Self::Reopened => "reopened",
        }
    }
}

/// One version of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictVersion {
    /// Its value; of a sentence that merged, how this author left it; of a watch, the item.
    pub value: Json,
    /// Who wrote it, and when.
    pub author: Authorship,
    /// What stood there before.
    pub before: Vec<Json>,
}

/// How many versions a record stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct VersionCounts {
    /// Open, those opened again among them.
    pub open: usize,
    /// Open, and a person must decide.
    pub to_decide: usize,
    /// Settled.
    pub settled: usize,
    /// Settled once, and opened again since.
    pub reopened: usize,
}

/// Something to settle, with what tells whether it is still the same.
#[derive(Debug, Clone)]
pub(crate) struct Matter {
    pub(crate) conflict: Conflict,
    /// A digest of what is at odds. Nothing where settling it takes the versions away.
    pub(crate) fingerprint: Option<String>,
}

/// Everything in a record that stands in several versions, or that people are to look at. The same
/// value twice is none, and so is an edit whose author saw the other.
pub fn versions(document: &Document, kind: &'static Kind) -> Vec<Conflict> {
    let matters = open_matters(document, &document.view(), kind);
    matters.into_iter().map(|matter| matter.conflict).collect()
}

/// How many versions a record stands in.
pub fn version_counts(document: &Document, kind: &'static Kind) -> VersionCounts {
    counts_of(&versions(document, kind), &document.view(), kind)
}

/// The same, where what is open was found already.
pub fn counts_of(open: &[Conflict], view: &View<'_>, kind: &'static Kind) -> VersionCounts {
    let (reopened, settled): (Vec<_>, Vec<_>) = settled::stored(view)
        .into_iter()
        .filter(|settled| settled::stands_in(kind, &settled.path))
        .partition(|settled| settled.reopened);
    VersionCounts {
        open: open.len(),
        to_decide: open.iter().filter(|conflict| conflict.decide).count(),
        settled: settled.len(),
        reopened: reopened.len(),
    }
}

/// What is open in a document as `view` shows it.
pub(crate) fn open_matters(
    document: &Document,
    view: &View<'_>,
    kind: &'static Kind,
) -> Vec<Matter> {
    let view = &view.whole();
    let mut matters = field_matters(view, kind);
    matters.extend(watches::matters(document, view, kind));
    let settled = settled::stored(view);
    if settled.is_empty() {
        return matters;
    }
    let mut of_path = BTreeMap::<&str, Vec<&Settled>>::new();
    for settled in &settled {
        of_path.entry(&settled.path).or_default().push(settled);
    }
    matters.retain(|matter| {
        let of_path = of_path.get(matter.conflict.path.as_str());
        !of_path.is_some_and(|all| all.iter().any(|settled| settled.closes(matter)))
    });
    let live = matters.iter().map(|matter| matter.conflict.path.clone());
    let live = live.collect::<BTreeSet<_>>();
    for settled in settled::open_again_in(view, kind, &settled) {
        if !live.contains(&settled.path) {
            matters.push(Matter {
                conflict: Conflict {
                    path: settled.path,
                    label: settled.label,
                    decide: true,
                    cause: ConflictCause::Reopened,
                    versions: settled.versions,
                },
                fingerprint: None,
            });
        }
    }
    matters
}

fn field_matters(view: &View<'_>, kind: &'static Kind) -> Vec<Matter> {
    let mut matters = Vec::new();
    let contested = view.contested();
    // Of lists whose items hold plain values alone, only those with concurrent ones are read.
    let wanted = |list: &Field| {
        let told = |field: &Field| matches!(field.merge, Merge::Text | Merge::State(_));
        list.items().unwrap_or_default().iter().any(told)
            || contested.iter().any(|path| path[0] == list.name)
    };
    for (path, field, within) in leaves_in(view, kind, wanted) {
        // What stood before is looked up only where something may be told.
        let several = contested.contains(&path);
        let path = path.iter().map(String::as_str).collect::<Vec<_>>();
        let judged = several || matches!(field.merge, Merge::State(_));
        let found = if judged {
            view.versions(&path)
        } else {
            Vec::new()
        };
        let mut note = |decide, cause, versions: Vec<ConflictVersion>| {
            // The same step may be chosen again, and then nothing is written.
            let again = cause == ConflictCause::StepNotAllowed || stays(field, within);
            let entries = versions
                .iter()
                .map(|version| format!("{:?} {}", version.author.feed, version.author.number));
            matters.push(Matter {
                fingerprint: again.then(|| watches::digest(entries)),
                conflict: Conflict {
                    path: written(&path),
                    label: label(field, within),
                    decide,
                    cause,
                    versions,
                },
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
                for (sentence, wordings) in sentences(view, &path) {
                    note(field.decide, ConflictCause::Sentence(sentence), wordings);
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
    matters
}

/// Whether nobody changes a field, not even to settle it: it can be left as it is alone.
pub(crate) fn stays(field: &Field, within: Option<&Field>) -> bool {
    let in_log = within.is_some_and(|within| matches!(within.merge, Merge::Log(_)));
    in_log || field.filled == Filled::ByProgram
}

fn steps_at_odds(declared: &[State], found: &[Version]) -> Option<ConflictCause> {
    if let Standing::Several(_) = Standing::of(declared, found) {
        return Some(ConflictCause::Steps);
    }
    let not_allowed = |version: &&Version| !states::may_follow(declared, version);
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
    let told = |wording: Wording| ConflictVersion {
        value: Json::String(wording.sentence),
        author: wording.author,
        before: vec![Json::String(wording.before)],
    };
    view.overlaps(path)
        .into_iter()
        .map(|overlap| {
            (
                overlap.sentence,
                overlap.wordings.into_iter().map(told).collect(),
            )
        })
        .collect()
}
