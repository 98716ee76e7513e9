//! Taking one edit back, while all that was changed since stays.

use node_document::{Document, EditError, Heads, View};
use serde_json::Value as Json;

use crate::Object;
use crate::bring_back::item_back;
use crate::change::FieldChange;
use crate::declaration::{Field, Filled, Kind, Merge};
use crate::error::RecordError;
use crate::fields::{Fields, elements, label, written};
use crate::read::{kind_of, read_field, read_item};
use crate::states::allowed;

/// What takes an edit back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Undone {
    /// The changes that do.
    pub changes: Vec<FieldChange>,
    /// What is not taken back and why, in sentences.
    pub left: Vec<String>,
}

/// What takes the edit back that brought a record from `before` to `after`: every field that it
/// changed gets what stood there before, at the newest heads. A field that somebody changed since
/// is left, and so is what is only ever added to.
///
/// # Errors
/// [`RecordError::Edit`] if the record never stood at these heads.
pub fn undone(document: &Document, before: &Heads, after: &Heads) -> Result<Undone, RecordError> {
    let now = document.view();
    let kind = kind_of(&now)?;
    let at = |heads: &Heads| document.view_at(heads).ok_or(EditError::UnknownHeads);
    let mut undo = Undo {
        kind,
        before: at(before)?,
        after: at(after)?,
        now,
        undone: Undone::default(),
    };
    for field in kind.fields {
        undo.field(field);
    }
    Ok(undo.undone)
}

/// The fields of a card as they were before an edit, of those that it changed and nobody since,
/// and why others are left.
pub fn undone_card(
    kind: &'static Kind,
    before: &Object,
    after: &Object,
    now: &Object,
) -> (Object, Vec<String>) {
    let (mut values, mut left) = (Object::new(), Vec::new());
    for field in kind.fields.iter().filter(|field| entered(field)) {
        let (was, said) = (before.get(field.name), after.get(field.name));
        if was == said {
            continue;
        }
        if now.get(field.name) == said {
            let was = was.cloned().unwrap_or(Json::Null);
            values.insert(field.name.to_owned(), was);
        } else {
            left.push(changed_since(field.label));
        }
    }
    (values, left)
}

struct Undo<'a> {
    kind: &'static Kind,
    before: View<'a>,
    after: View<'a>,
    now: View<'a>,
    undone: Undone,
}

impl Undo<'_> {
    fn field(&mut self, field: &'static Field) {
        let path = [field.name];
        match field.merge {
            _ if !entered(field) => {}
            Merge::Value | Merge::Text | Merge::State(_) => self.leaf(&path, field, None),
            Merge::List(fields) => self.list(field, fields),
            Merge::Log(_) => {
                if self.before.items(&path) != self.after.items(&path) {
                    self.undone.left.push(format!(
                        "'{}' is only ever added to: enter a correction as a new item",
                        field.label
                    ));
                }
            }
            Merge::Set(wins) => {
                let was = elements(&self.before, &path, wins);
                let said = elements(&self.after, &path, wins);
                let is = elements(&self.now, &path, wins);
                let name = || field.name.to_owned();
                for element in said
                    .iter()
                    .filter(|it| !was.contains(it) && is.contains(it))
                {
                    self.undone.changes.push(FieldChange::Exclude {
                        field: name(),
                        element: element.as_str().into(),
                    });
                }
                for element in was
                    .iter()
                    .filter(|it| !said.contains(it) && !is.contains(it))
                {
                    self.undone.changes.push(FieldChange::Include {
                        field: name(),
                        element: element.as_str().into(),
                    });
                }
            }
            Merge::Count => {
                let count = |view: &View<'_>| {
                    let read = read_field(view, &[], field);
                    read.and_then(|count| count.as_i64()).unwrap_or(0)
                };
                // Counts add up, whatever others counted since.
                let by = count(&self.before).saturating_sub(count(&self.after));
                if by != 0 {
                    self.undone.changes.push(FieldChange::Count {
                        field: field.name.to_owned(),
                        by,
                    });
                }
            }
            Merge::Places => {
                let read = |view: &View<'_>| read_field(view, &[], field);
                if read(&self.before) != read(&self.after) {
                    self.undone.left.push(format!(
                        "'{}' is not taken back by itself: issue, pass on, take or give back",
                        field.label
                    ));
                }
            }
        }
    }

    /// A value, a text or a state.
    fn leaf(&mut self, path: &[&str], field: &'static Field, within: Option<&Field>) {
        let said = Fields::values(&self.after, path);
        if Fields::values(&self.before, path) == said {
            return;
        }
        let called = label(field, within);
        if Fields::values(&self.now, path) != said {
            self.undone.left.push(changed_since(&called));
            return;
        }
        let above = &path[..path.len() - 1];
        let read = |view: &View<'_>| read_field(view, above, field).unwrap_or(Json::Null);
        let (was, is) = (read(&self.before), read(&self.now));
        if was == is {
            return;
        }
        if let Merge::State(states) = field.merge {
            let word = |state: &Json| state.as_str().unwrap_or_default().to_owned();
            let (from, to) = (word(&is), word(&was));
            if !allowed(states, &from, &to) {
                self.undone.left.push(format!(
                    "'{called}' is not taken back: from \"{from}\" no step leads to \"{to}\""
                ));
                return;
            }
        }
        let change = FieldChange::set(written(path), was);
        self.undone.changes.push(change);
    }

    fn list(&mut self, list: &'static Field, fields: &'static [Field]) {
        let path = [list.name];
        let was = self.before.items(&path);
        let said = self.after.items(&path);
        let is = self.now.items(&path);
        for item in said
            .iter()
            .filter(|it| !was.contains(it) && is.contains(it))
        {
            let read = |view: &View<'_>| read_item(view, &path, item, fields);
            if read(&self.after) == read(&self.now) {
                self.undone.changes.push(FieldChange::Remove {
                    field: list.name.to_owned(),
                    item: item.clone(),
                });
            } else {
                self.undone.left.push(changed_since(list.label));
            }
        }
        for item in was
            .iter()
            .filter(|it| !said.contains(it) && !is.contains(it))
        {
            match item_back(self.kind, &self.now, &self.before, list.name, item) {
                Ok(changes) => self.undone.changes.extend(changes),
                Err(problem) => self.undone.left.push(problem.message),
            }
        }
        for item in was.iter().filter(|it| said.contains(it)) {
            for field in fields.iter().filter(|field| entered(field)) {
                let path = [list.name, item.as_str(), field.name];
                if !matches!(field.merge, Merge::Value | Merge::Text | Merge::State(_)) {
                    continue;
                }
                if is.contains(item) {
                    self.leaf(&path, field, Some(list));
                } else if Fields::values(&self.before, &path) != Fields::values(&self.after, &path)
                {
                    self.undone
                        .left
                        .push(changed_since(&label(field, Some(list))));
                }
            }
        }
        self.order(list, &was, &said, &is);
    }

    /// Puts items back into the order in which they were, if nobody moved them since.
    fn order(&mut self, list: &Field, was: &[String], said: &[String], is: &[String]) {
        let all = |item: &&String| was.contains(item) && said.contains(item) && is.contains(item);
        let order = |items: &[String]| items.iter().filter(all).cloned().collect::<Vec<_>>();
        let wanted = order(was);
        if wanted == order(said) {
            return;
        }
        if order(said) != order(is) {
            self.undone.left.push(changed_since(list.label));
            return;
        }
        let mut after = None;
        for item in wanted {
            self.undone.changes.push(FieldChange::Move {
                field: list.name.to_owned(),
                item: item.clone(),
                after: after.replace(item),
            });
        }
    }
}

fn entered(field: &Field) -> bool {
    field.filled == Filled::ByPerson
}

fn changed_since(called: &str) -> String {
    format!("'{called}' was changed again since, so it stays as it is now")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::PERSON;
    use serde_json::json;

    #[test]
    fn a_cards_edit_is_taken_back_where_nobody_wrote_since() {
        let card = |value: Json| value.as_object().cloned().unwrap_or_default();
        let before = card(json!({ "name": "Ada Testbury", "email": "ada@example.org" }));
        let after = card(json!({ "name": "Ada Examplely", "phone": "0114 496 0000" }));
        let now = card(json!({ "name": "Ada Sampleton", "phone": "0114 496 0000" }));
        let (values, left) = undone_card(&PERSON, &before, &after, &now);
        assert_eq!(
            Json::Object(values),
            json!({ "email": "ada@example.org", "phone": null })
        );
        assert!(
            left.len() == 1 && left[0].contains("changed again"),
            "{left:?}"
        );
    }
}
