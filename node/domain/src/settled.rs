//! What was settled: kept in the record, so that nobody need ask who chose what.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use node_document::{Authorship, Edit, Step, Value, View};
use node_feed::FeedName;
use serde_json::{Value as Json, json as object};

use crate::conflict::{ConflictVersion, Matter};
use crate::declaration::{Kind, Test};
use crate::error::{Problem, RecordError};
use crate::fields::Spot;
use crate::read::{json, read_item};
use crate::watches;
use crate::write::By;

/// Where it is kept. No field's name begins like this.
const SETTLED: &str = "@settled";
/// Where it is kept which of it was opened again.
const REOPENED: &str = "@reopened";
/// Longer values are cut where they are kept beside a choice; history has them whole.
const VALUE_CHARACTERS_MAX: usize = 2_000;

/// Of what was settled in a record, so many are read: the latest.
const READ_MAX: usize = 1_000;
/// Of one settlement so many versions are read.
const VERSIONS_MAX: usize = 64;
/// Longer labels and causes are cut.
const WORD_CHARACTERS_MAX: usize = 200;

/// Versions that a person settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its id, by which it is opened again.
    pub id: String,
    /// The path of what stood in versions.
    pub path: String,
    /// What people call it.
    pub label: String,
    /// What had happened, in a word; the name of a watch.
    pub cause: String,
    /// What was chosen; null if it was left as it was.
    pub chosen: Json,
    /// The versions that stood. What is not proven by the document's own history is said by
    /// whoever settled them, and they are its author here; see [`is_proven`](Self::is_proven).
    pub versions: Vec<ConflictVersion>,
    /// Who settled them, and when.
    pub by: Authorship,
    /// Whether somebody opened them again since.
    pub reopened: bool,
    fingerprint: String,
    proven: Vec<bool>,
}

impl Settled {
    /// Whether a version, by its place, was written by its author as the document's history
    /// proves. Otherwise it is said by the settler alone.
    pub fn is_proven(&self, version: usize) -> bool {
        self.proven.get(version).copied().unwrap_or(false)
    }

    /// Whether it is this matter, unchanged, that was settled.
    pub(crate) fn closes(&self, matter: &Matter) -> bool {
        !self.reopened
            && self.path == matter.conflict.path
            && matter.fingerprint.as_ref() == Some(&self.fingerprint)
    }
}

/// What was settled in a record, earliest first; of very many the latest.
pub fn settled(view: &View<'_>, kind: &'static Kind) -> Vec<Settled> {
    let mut settled = stored(view);
    let all = settled.iter_mut().collect::<Vec<_>>();
    prove(view, kind, all);
    for settled in &mut settled {
        if let Ok(spot) = Spot::find(kind, &settled.path) {
            settled.label = spot.label();
        }
    }
    settled
}

/// Whether a path is that of a field that is declared, or of a watch.
pub(crate) fn stands_in(kind: &'static Kind, path: &str) -> bool {
    watches::named_in(kind, path).is_some() || Spot::find(kind, path).is_ok()
}

/// What was settled and is open again, one for each path: of fields that are declared, and of
/// watches that look into the record alone.
pub(crate) fn open_again_in(
    view: &View<'_>,
    kind: &'static Kind,
    stored: &[Settled],
) -> Vec<Settled> {
    let mut paths = BTreeSet::new();
    let known = |path: &str| {
        let watch = watches::named_in(kind, path);
        stands_in(kind, path) && !watch.is_some_and(watches::looks_elsewhere)
    };
    // The latest tells best what stood there.
    let mut open = stored
        .iter()
        .rev()
        .filter(|it| it.reopened && known(&it.path) && paths.insert(it.path.as_str()))
        .cloned()
        .collect::<Vec<_>>();
    open.reverse();
    prove(view, kind, open.iter_mut().collect());
    for settled in &mut open {
        if let Ok(spot) = Spot::find(kind, &settled.path) {
            settled.label = spot.label();
        }
    }
    open
}

/// Whether what a watch raised at `path` was settled as it is, and was not opened again since.
/// `fingerprint` stands for what is at odds.
pub fn raised_is_settled(view: &View<'_>, path: &str, fingerprint: &str) -> bool {
    let settled = stored(view);
    let mut of_path = settled.iter().filter(|settled| settled.path == path);
    let open = of_path.clone().any(|settled| settled.reopened);
    !open && of_path.any(|settled| settled.fingerprint == fingerprint)
}

/// What was settled as whoever settled it says; nothing of it is proven yet.
pub(crate) fn stored(view: &View<'_>) -> Vec<Settled> {
    let mut items = view.items(&[SETTLED]);
    if items.is_empty() {
        return Vec::new();
    }
    items.drain(..items.len().saturating_sub(READ_MAX));
    let view = &view.whole();
    let read = |id: String| {
        let text = |part: &str| {
            let value = view.get(&[SETTLED, &id, part]);
            let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
            text.to_owned()
        };
        let word = |part: &str| text(part).chars().take(WORD_CHARACTERS_MAX).collect();
        let json = |part: &str| serde_json::from_str::<Json>(&text(part)).unwrap_or(Json::Null);
        let by = view.item_author(&[SETTLED], &id)?;
        let said = json("versions");
        let said = said.as_array().into_iter().flatten().take(VERSIONS_MAX);
        let versions = said.filter_map(|said| decode(said, by)).collect::<Vec<_>>();
        Some(Settled {
            path: text("path"),
            label: word("label"),
            cause: word("cause"),
            chosen: json("chosen"),
            proven: vec![false; versions.len()],
            versions,
            by,
            reopened: view.values(&[REOPENED, &id]).contains(&Value::Bool(true)),
            fingerprint: text("fingerprint"),
            id,
        })
    };
    items.into_iter().filter_map(read).collect()
}

/// Looks up in the document's own history which versions were written as they are told. What is
/// not found there is said by the settler.
fn prove(view: &View<'_>, kind: &'static Kind, settled: Vec<&mut Settled>) {
    let told = |settled: &Settled, version: &ConflictVersion| {
        let paths = paths_of(kind, &settled.path, &version.value);
        ((version.author.feed, version.author.number), paths)
    };
    let mut entries = BTreeSet::new();
    let mut paths = BTreeSet::new();
    for settled in &settled {
        for version in &settled.versions {
            let (entry, of_version) = told(settled, version);
            entries.insert(entry);
            paths.extend(of_version);
        }
    }
    if entries.is_empty() {
        return;
    }
    let mut steps = BTreeMap::<_, BTreeMap<Vec<String>, Step>>::new();
    for step in view.steps_of(&entries, |path| paths.contains(path)) {
        let of_entry = (step.author.feed, step.author.number);
        let of_entry = steps.entry(of_entry).or_default();
        of_entry.insert(step.path.clone(), step);
    }
    for settled in settled {
        for at in 0..settled.versions.len() {
            let (entry, of_version) = told(settled, &settled.versions[at]);
            let found = of_version
                .iter()
                .filter_map(|path| steps.get(&entry)?.get(path))
                .find(|step| is_told_by(view, kind, &settled.path, step, &settled.versions[at]));
            let version = &mut settled.versions[at];
            match found {
                Some(step) => {
                    version.author = step.author;
                    settled.proven[at] = true;
                    let before = stood_before(view, step);
                    let told = |told: &Json| before.iter().any(|stood| says(stood, told));
                    if !version.before.iter().all(told) && !watches::is_raised(&settled.path) {
                        version.before = before.iter().map(cut).collect();
                    } else if watches::is_raised(&settled.path) {
                        // What a watch compares stood somewhere else, or long before.
                        version.before.retain(told);
                    }
                }
                None => {
                    version.author = settled.by;
                    version.before.clear();
                }
            }
        }
    }
}

/// Where a version may have been written: at the path itself; of what a watch raised in the item,
/// field or element that it tells of.
fn paths_of(kind: &'static Kind, path: &str, value: &Json) -> Vec<Vec<String>> {
    let split = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let Some(watch) = watches::named_in(kind, path) else {
        return vec![split(path)];
    };
    let key = path.split_once('/').map_or("", |(_, key)| key);
    let item = |list: &str, field: &str| {
        let id = value["id"].as_str().unwrap_or_default().to_owned();
        let item = vec![list.to_owned(), id];
        let field = [&item[..], &[field.to_owned()]].concat();
        vec![field, item]
    };
    match watch.test {
        Test::Disagree { list, field, .. } => item(list, field),
        Test::Same { list, fields } => item(list, fields.first().copied().unwrap_or_default()),
        Test::Exclude { log, field, .. } => item(log, field),
        Test::Over { log, sum, .. } => item(log, sum),
        Test::Asked { list, count, .. } => item(list, count),
        Test::Standing { list, .. } => item(list, ""),
        Test::ChangedSince { .. } => {
            vec![split(value["field"].as_str().unwrap_or_default())]
        }
        Test::ChangedWhile { list, field, .. } => {
            vec![vec![list.to_owned(), key.to_owned(), field.to_owned()]]
        }
        Test::Stale { set, .. } => {
            let element = value.as_str().unwrap_or_default().to_owned();
            vec![vec![set.to_owned(), element]]
        }
        Test::SharedWith { .. }
        | Test::StillReferred { .. }
        | Test::Unsent { .. }
        | Test::Differs => Vec::new(),
    }
}

/// Whether a step is what a version says that its author wrote.
fn is_told_by(
    view: &View<'_>,
    kind: &'static Kind,
    path: &str,
    step: &Step,
    version: &ConflictVersion,
) -> bool {
    let wrote = step.value.as_ref().map_or(Json::Null, json);
    let Some(watch) = watches::named_in(kind, path) else {
        return says(&wrote, &version.value);
    };
    match watch.test {
        Test::ChangedSince { .. } => says(&wrote, &version.value["now"]),
        Test::ChangedWhile { .. } => says(&wrote, &version.value),
        Test::Stale { .. } => step.value == Some(Value::Bool(true)),
        Test::Disagree { .. }
        | Test::Same { .. }
        | Test::Exclude { .. }
        | Test::Over { .. }
        | Test::Asked { .. }
        | Test::Standing { .. } => {
            let (Some(list), [name, item, ..], Some(then)) = (
                step.path.first().and_then(|list| kind.field(list)),
                step.path.as_slice(),
                view.elsewhere(&step.at),
            ) else {
                return false;
            };
            let fields = list.items().unwrap_or_default();
            cut(&read_item(&then, &[name.as_str()], item, fields)) == version.value
        }
        Test::SharedWith { .. }
        | Test::StillReferred { .. }
        | Test::Unsent { .. }
        | Test::Differs => false,
    }
}

/// Whether what somebody wrote is what is told of it: the same, or a text with that sentence.
fn says(wrote: &Json, told: &Json) -> bool {
    if cut(wrote) == *told {
        return true;
    }
    let (Some(wrote), Some(told)) = (wrote.as_str(), told.as_str()) else {
        return false;
    };
    let told = told.strip_suffix('…').unwrap_or(told).trim();
    !told.is_empty() && wrote.contains(told)
}

/// What the author of a step saw there before.
fn stood_before(view: &View<'_>, step: &Step) -> Vec<Json> {
    let path = step.path.iter().map(String::as_str).collect::<Vec<_>>();
    let before = view.before(&step.at);
    let values = before.map_or_else(Vec::new, |before| before.values(&path));
    values.iter().map(json).collect()
}

/// Keeps that a matter was settled.
pub(crate) fn write(
    edit: &mut Edit<'_>,
    matter: &Matter,
    chosen: &Json,
    by: &By,
    index: usize,
) -> Result<(), RecordError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"causeway/1 settled\0").update(&by.random);
    hasher.update(&index.to_le_bytes());
    let id = HEXLOWER.encode(&hasher.finalize().as_bytes()[..10]);
    let last = edit.last_item(&[SETTLED]);
    edit.place_item(&[SETTLED], &id, last.as_deref())?;
    let conflict = &matter.conflict;
    let versions = conflict.versions.iter().map(encode).collect::<Json>();
    let fingerprint = matter.fingerprint.clone().unwrap_or_default();
    for (part, text) in [
        ("path", conflict.path.clone()),
        ("label", conflict.label.clone()),
        ("cause", conflict.cause.name().to_owned()),
        ("chosen", cut(chosen).to_string()),
        ("versions", versions.to_string()),
        ("fingerprint", fingerprint),
    ] {
        edit.put(&[SETTLED, &id, part], &Value::String(text))?;
    }
    Ok(())
}

/// Notes that what was opened again at `path` is settled once more.
pub(crate) fn close(edit: &mut Edit<'_>, path: &str) -> Result<(), RecordError> {
    for id in edit.items(&[SETTLED]) {
        let at = edit.get(&[SETTLED, &id, "path"]);
        let open = [REOPENED, id.as_str()];
        if at.as_ref().and_then(Value::as_str) == Some(path)
            && edit.values(&open).contains(&Value::Bool(true))
        {
            edit.put(&open, &Value::Bool(false))?;
        }
    }
    Ok(())
}

/// Opens again what was settled under this id.
pub(crate) fn open_again(edit: &mut Edit<'_>, id: &str) -> Result<(), RecordError> {
    if !edit.has_item(&[SETTLED], id) {
        let message = format!("nothing was settled under the id '{id}'");
        return Err(Problem::new("", message).into());
    }
    Ok(edit.put(&[REOPENED, id], &Value::Bool(true))?)
}

fn encode(version: &ConflictVersion) -> Json {
    let author = &version.author;
    object!({
        "value": cut(&version.value),
        "hub": HEXLOWER.encode(author.hub.as_bytes()),
        "time_ms": author.time_ms,
        "writer": HEXLOWER.encode(&author.writer),
        "feed": HEXLOWER.encode(author.feed.as_bytes()),
        "number": author.number,
        "before": version.before.iter().map(cut).collect::<Vec<_>>(),
    })
}

/// What is told of a version. Which entry it came in is looked up; all else that is told of its
/// author is not believed, and until it is proven it is said by whoever settled it.
fn decode(said: &Json, by: Authorship) -> Option<ConflictVersion> {
    let feed = HEXLOWER.decode(said["feed"].as_str()?.as_bytes()).ok()?;
    let before = said["before"].as_array().into_iter().flatten();
    Some(ConflictVersion {
        value: said["value"].clone(),
        author: Authorship {
            feed: FeedName::from_bytes(feed.try_into().ok()?),
            number: said["number"].as_u64()?,
            ..by
        },
        before: before.take(VERSIONS_MAX).cloned().collect(),
    })
}

fn cut(value: &Json) -> Json {
    match value {
        Json::String(text) => match text.char_indices().nth(VALUE_CHARACTERS_MAX) {
            Some((end, _)) => Json::String(format!("{}…", &text[..end])),
            None => value.clone(),
        },
        Json::Array(items) => items.iter().map(cut).collect(),
        Json::Object(fields) => {
            let cut = |(name, value): (&String, &Json)| (name.clone(), cut(value));
            Json::Object(fields.iter().map(cut).collect())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
    }
}
