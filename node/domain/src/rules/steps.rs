//! What a step to another state asks for.

use node_document::{Document, Value};

use crate::declaration::{Field, Kind, Merge, Rule};
use crate::error::Problem;
use crate::fields::{elements, leaves, written};
use crate::places::Places;
use crate::rules::Progress;
use crate::writer::Writer;

impl Writer<'_, '_> {
    /// Once all changes are written: whether the steps among them may be taken.
    pub(crate) fn check_steps(&self, progress: &Progress) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (field, to) in &progress.entered {
            for rule in self.kind.rules {
                match *rule {
                    Rule::Needs {
                        state,
                        to: at,
                        fields,
                    } if state == field.name && at.contains(&to.as_str()) => {
                        problems.extend(self.lacking(field, to, fields));
                    }
                    Rule::Settled {
                        state,
                        to: at,
                        fields,
                        unless,
                    } if state == field.name && at.contains(&to.as_str()) => {
                        problems.extend(self.unsettled(field, to, fields, unless));
                    }
                    Rule::OwnerSteps { state, to: at }
                        if state == field.name
                            && at.contains(&to.as_str())
                            && self.by.author.hub != self.edit.document().id().owner() =>
                    {
                        let message = format!(
                            "only the owner of the record takes '{}' to '{to}'",
                            field.label
                        );
                        problems.push(Problem::new(field.name, message));
                    }
                    Rule::Needs { .. }
                    | Rule::Settled { .. }
                    | Rule::OwnerSteps { .. }
                    | Rule::Spends { .. }
                    | Rule::Locked { .. }
                    | Rule::Kept { .. }
                    | Rule::Names { .. } => {}
                }
            }
        }
        problems
    }

    fn lacking(&self, state: &Field, to: &str, fields: &[&str]) -> Vec<Problem> {
        let declared = fields.iter().filter_map(|name| self.kind.field(name));
        declared
            .filter(|field| !self.is_filled(field))
            .map(|field| {
                let message = format!(
                    "'{}' is missing: '{}' cannot become '{to}' without it",
                    field.label, state.label
                );
                Problem::new(field.name, message)
            })
            .collect()
    }

    fn is_filled(&self, field: &Field) -> bool {
        let path = [field.name];
        match field.merge {
            Merge::List(_) | Merge::Log(_) => !self.edit.items(&path).is_empty(),
            Merge::Set(wins) => !elements(self.edit, &path, wins).is_empty(),
            Merge::Places => Places::read(self.edit, &path).issued() > 0,
            Merge::Value | Merge::Text | Merge::Count | Merge::State(_) => {
                match self.edit.get(&path) {
                    Some(Value::String(text) | Value::Text(text)) => !text.trim().is_empty(),
                    Some(Value::Count(count)) => count != 0,
                    Some(Value::Null) | None => false,
                    Some(Value::Bool(_) | Value::Int(_) | Value::Other(_)) => true,
                }
            }
        }
    }

    fn unsettled(&self, state: &Field, to: &str, fields: &[&str], unless: &str) -> Vec<Problem> {
        if self.edit.get(&[unless]) == Some(Value::Bool(true)) {
            return Vec::new();
        }
        let open = open_paths(self.edit.document(), self.kind);
        let open = |name: &&&str| {
            open.iter()
                .any(|path| path.split('/').next() == Some(**name))
        };
        let declared = fields.iter().filter(open);
        declared
            .filter_map(|name| self.kind.field(name))
            .map(|field| {
                let mut message = format!(
                    "'{}' stands in several versions: settle them before '{}' becomes '{to}'",
                    field.label, state.label
                );
                if let Some(unless) = self.kind.field(unless) {
                    message.push_str(&format!(", or say yes to '{}'", unless.label));
                }
                Problem::new(field.name, message)
            })
            .collect()
    }
}

/// The fields that stand in several versions.
fn open_paths(document: &Document, kind: &'static Kind) -> Vec<String> {
    let view = document.view();
    let open = leaves(&view, kind).into_iter().filter(|(path, field, _)| {
        let path = path.iter().map(String::as_str).collect::<Vec<_>>();
        let values = view.values(&path);
        let differ = values.windows(2).any(|pair| pair[0] != pair[1]);
        differ || (matches!(field.merge, Merge::Text) && !view.overlaps(&path).is_empty())
    });
    open.map(|(path, _, _)| written(&path)).collect()
}
