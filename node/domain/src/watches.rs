//! What is raised to people, though every single edit was right.

mod items;
mod times;

use node_document::{Authorship, Document, Value, View};
use serde_json::json;

use crate::conflict::{Conflict, ConflictCause, ConflictVersion, Matter};
use crate::declaration::{Field, Kind, Merge, Test, Watch};
use crate::fields::label;
use crate::frozen::Difference;
use crate::read::{json as to_json, plain, read_item};
use crate::states::Standing;

/// With this begin the paths of what watches raise: `!name/key`. No field's name does.
const RAISED: char = '!';

/// The watches of a kind that need other records than the one: whoever holds them evaluates these.
pub fn cross_watches(kind: &'static Kind) -> impl Iterator<Item = &'static Watch> {
    kind.watches.iter().filter(|watch| looks_elsewhere(watch))
}

/// Whether a watch needs other records than the one.
pub(crate) const fn looks_elsewhere(watch: &Watch) -> bool {
    match watch.test {
        Test::SharedWith { .. }
        | Test::StillReferred { .. }
        | Test::Unsent { .. }
        | Test::Differs => true,
        Test::Disagree { .. }
        | Test::Same { .. }
        | Test::Exclude { .. }
        | Test::Over { .. }
        | Test::Asked { .. }
        | Test::ChangedSince { .. }
        | Test::ChangedWhile { .. }
        | Test::Stale { .. }
        | Test::Standing { .. } => false,
    }
}

/// Whether a path is one of what a watch raised.
pub(crate) fn is_raised(path: &str) -> bool {
    path.starts_with(RAISED)
}

/// The watch of a kind that raises what stands at a path.
pub(crate) fn named_in(kind: &'static Kind, path: &str) -> Option<&'static Watch> {
    let name = path.strip_prefix(RAISED)?.split('/').next()?;
    kind.watches.iter().find(|watch| watch.name == name)
}

/// What the watches that look into one record raise.
pub(crate) fn matters(document: &Document, view: &View<'_>, kind: &'static Kind) -> Vec<Matter> {
    let record = Watched {
        document,
        view,
        kind,
    };
    let mut matters = Vec::new();
    for watch in kind.watches {
        matters.extend(record.matters(watch));
    }
    matters
}

/// A digest of what is at odds: it changes when something of it does.
pub(crate) fn digest(facts: impl IntoIterator<Item = String>) -> String {
    let mut hasher = blake3::Hasher::new();
    for fact in facts {
        hasher.update(&(fact.len() as u64).to_le_bytes());
        hasher.update(fact.as_bytes());
    }
    let hash = hasher.finalize();
    data_encoding::HEXLOWER.encode(&hash.as_bytes()[..8])
}

/// A record that is watched.
struct Watched<'a> {
    document: &'a Document,
    view: &'a View<'a>,
    kind: &'static Kind,
}

impl Watched<'_> {
    fn matters(&self, watch: &'static Watch) -> Vec<Matter> {
        match watch.test {
            Test::Disagree { list, about, field } => self.disagree(watch, list, about, field),
            Test::Same { list, fields } => self.same(watch, list, fields),
            Test::Exclude {
                log,
                about,
                field,
                values,
            } => self.exclude(watch, log, about, field, values),
            Test::Over {
                log,
                sum,
                of,
                limit,
            } => self.over(watch, log, sum, of, limit),
            Test::Asked {
                list,
                count,
                answers,
                places,
            } => self.asked(watch, (list, count), answers, places),
            Test::Standing {
                state,
                states,
                list,
                of,
            } => self.standing(watch, (state, states), list, of),
            Test::ChangedSince { states } => self.changed_since(watch, states),
            Test::ChangedWhile {
                list,
                field,
                state,
                states,
            } => self.changed_while(watch, list, field, state, states),
            Test::Stale { set, text } => self.stale(watch, set, text),
            Test::SharedWith { .. }
            | Test::StillReferred { .. }
            | Test::Unsent { .. }
            | Test::Differs => Vec::new(),
        }
    }

    /// A matter that stands under a key of its own until one of the facts changes.
    fn matter(
        watch: &'static Watch,
        key: &str,
        label: String,
        versions: Vec<ConflictVersion>,
        facts: Vec<String>,
    ) -> Matter {
        Matter {
            conflict: Conflict {
                path: format!("{RAISED}{}/{key}", watch.name),
                label,
                decide: true,
                cause: ConflictCause::Watch {
                    name: watch.name,
                    sentence: watch.sentence,
                },
                versions,
            },
            fingerprint: Some(digest(facts)),
        }
    }

    /// A list or log with the fields of its items.
    fn list(&self, name: &str) -> Option<(&'static Field, &'static [Field])> {
        let field = self.kind.field(name)?;
        Some((field, field.items()?))
    }

    /// What people call a field of a list's items.
    fn label(list: &'static Field, items: &'static [Field], name: &str) -> String {
        let inner = items.iter().find(|inner| inner.name == name);
        inner.map_or_else(|| list.label.to_owned(), |inner| label(inner, Some(list)))
    }

    /// A value in an item, as words; empty if there is none.
    fn word(&self, list: &str, item: &str, field: &str) -> String {
        let value = self.view.get(&[list, item, field]);
        value.map_or_else(String::new, |value| plain(&to_json(&value)))
    }

    fn number(&self, path: &[&str]) -> Option<i64> {
        match self.view.get(path)? {
            Value::Int(number) | Value::Count(number) => Some(number),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Text(_) | Value::Other(_) => {
                None
            }
        }
    }

    /// The value or state of a field, as a word.
    fn state(&self, view: &View<'_>, name: &str) -> String {
        match self.kind.field(name).map(|field| field.merge) {
            Some(Merge::State(states)) => Standing::read(states, view, &[name]).shown().to_owned(),
            Some(_) | None => {
                let value = view.get(&[name]);
                value.map_or_else(String::new, |value| plain(&to_json(&value)))
            }
        }
    }

    /// An item as one version: with the author of the field in question.
    fn item(
        &self,
        list: &'static Field,
        items: &'static [Field],
        item: &str,
        field: &str,
    ) -> Option<ConflictVersion> {
        Some(ConflictVersion {
            value: read_item(self.view, &[list.name], item, items),
            author: self.author(&[list.name, item, field])?,
            before: Vec::new(),
        })
    }

    /// Who wrote what stands at a path last, or the item that it is in.
    fn author(&self, path: &[&str]) -> Option<Authorship> {
        let text = self.view.text_authors(path).pop();
        text.or_else(|| self.view.author(path))
            .or_else(|| self.view.author(path.get(..2)?))
    }

    fn is_log(field: &Field) -> bool {
        matches!(field.merge, Merge::Log(_))
    }
}

/// The version of what a record says somewhere now, beside what it said.
fn change(difference: Difference, author: Authorship) -> ConflictVersion {
    let Difference {
        path,
        label,
        before,
        after,
    } = difference;
    ConflictVersion {
        value: json!({"field": path, "label": label, "then": before, "now": after}),
        author,
        before: vec![before],
    }
}
