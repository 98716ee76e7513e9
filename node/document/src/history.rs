//! What changed when, and by whom.

use automerge::legacy::{Key, ObjectId};
use automerge::{Change, ChangeHash, ObjId};

use crate::entry::Authorship;
use crate::heads::Heads;
use crate::path;
use crate::read::Reader;
use crate::value::Value;
use crate::view::View;

/// One step in the history of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The path.
    pub path: Vec<String>,
    /// What its author saw there afterwards; nothing if they took it away.
    pub value: Option<Value>,
    /// Who made it, and when.
    pub author: Authorship,
    /// Where the document stood with it, as its author saw it.
    pub at: Heads,
}

impl View<'_> {
    /// Every step that changed the value at `path`, earliest first as far as there is an order.
    pub fn history(&self, path: &[&str]) -> Vec<Step> {
        let wanted = path::key(path);
        self.steps(&[], |key| key == wanted)
    }

    /// Every step that changed anything at or below the first part of a path.
    pub fn history_of_field(&self, field: &str) -> Vec<Step> {
        let key = path::key(&[field]);
        self.steps(&[], |candidate| {
            candidate
                .strip_prefix(&key)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Every step that is not in the state at `heads`.
    pub fn since(&self, heads: &Heads) -> Vec<Step> {
        self.steps(&heads.to_automerge(), |_| true)
    }

    /// What the author of a step saw there before.
    pub fn stood_before(&self, step: &Step) -> Option<Value> {
        let automerge = &self.document.automerge;
        let [hash] = step.at.to_automerge().try_into().ok()?;
        let change = automerge::ReadDoc::get_change_by_hash(automerge, &hash)?;
        let reader = Reader {
            document: automerge,
            at: Some(change.deps()),
            whole: None,
        };
        let path = step.path.iter().map(String::as_str).collect::<Vec<_>>();
        reader.get(&path::key(&path))
    }

    fn steps(&self, without: &[ChangeHash], wanted: impl Fn(&str) -> bool) -> Vec<Step> {
        let automerge = &self.document.automerge;
        let mut steps = Vec::new();
        for change in automerge.get_changes(without) {
            let Some(author) = self.author_of(&change) else {
                continue;
            };
            let hash = [change.hash()];
            let reader = Reader {
                document: automerge,
                at: Some(&hash),
                whole: None,
            };
            for key in self.touched(&change) {
                if wanted(&key)
                    && let Some(path) = path::path(&key)
                {
                    steps.push(Step {
                        path,
                        value: reader.get(&key),
                        author,
                        at: Heads::from_automerge(&hash),
                    });
                }
            }
        }
        steps
    }

    fn author_of(&self, change: &Change) -> Option<Authorship> {
        self.document
            .book
            .author_of_op(change.actor_id(), change.start_op().get())
    }

    /// The keys that a change touched, each once, in order of first touch.
    pub(crate) fn touched(&self, change: &Change) -> Vec<String> {
        let mut keys = Vec::<String>::new();
        let mut last_object = None;
        for operation in &change.decode().operations {
            let key = match (&operation.obj, &operation.key) {
                (ObjectId::Root, Key::Map(key)) => Some(key.to_string()),
                (ObjectId::Root, Key::Seq(_)) => None,
                (ObjectId::Id(id), _) => {
                    // A text's operations follow one another: look its key up once.
                    if last_object.as_ref() == Some(id) {
                        continue;
                    }
                    last_object = Some(id.clone());
                    self.key_of(&ObjId::Id(id.0, id.1.clone(), 0))
                }
            };
            if let Some(key) = key
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        }
        keys
    }

    fn key_of(&self, object: &ObjId) -> Option<String> {
        use automerge::ReadDoc as _;
        let parent = self.document.automerge.parents(object).ok()?.next()?;
        match (parent.obj, parent.prop) {
            (ObjId::Root, automerge::Prop::Map(key)) => Some(key),
            (ObjId::Root | ObjId::Id(..), _) => None,
        }
    }
}
