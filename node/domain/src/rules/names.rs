//! Items that name other items name such as are there.

use crate::declaration::Rule;
use crate::error::Problem;
use crate::rules::Progress;
use crate::writer::Writer;

impl Writer<'_, '_> {
    /// Notes that an item's field was written, if it is one that names.
    pub(crate) fn note_name(&self, list: &str, item: &str, field: &str, progress: &mut Progress) {
        for rule in self.kind.rules {
            if let Rule::Names {
                list: naming,
                field: name,
                ..
            } = *rule
                && (naming, name) == (list, field)
            {
                progress.named.push((naming, item.to_owned(), name));
            }
        }
    }

    /// Once all changes are written: whether all that is named is there, on the page or in the
    /// newest state.
    pub(crate) fn check_names(&self, progress: &Progress) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (list, item, field) in &progress.named {
            for rule in self.kind.rules {
                let Rule::Names {
                    list: naming,
                    field: name,
                    of,
                } = *rule
                else {
                    continue;
                };
                if (naming, name) != (*list, *field) {
                    continue;
                }
                let value = self.edit.get(&[list, item, field]);
                let Some(named) = value.as_ref().and_then(|value| value.as_str()) else {
                    continue;
                };
                let newest = self.edit.document().view();
                if self.edit.has_item(&[of], named) || newest.has_item(&[of], named) {
                    continue;
                }
                let label = |name: &str| {
                    let field = self.kind.field(name);
                    field.map_or_else(|| name.to_owned(), |field| field.label.to_owned())
                };
                let message = format!(
                    "'{}' names '{named}', which is not among '{}'; name one that is there",
                    self.label_within(list, field),
                    label(of)
                );
                problems.push(Problem::new(format!("{list}/{item}/{field}"), message));
            }
        }
        problems
    }

    /// What people call a field of a list's items.
    pub(crate) fn label_within(&self, list: &str, field: &str) -> String {
        let items = self.kind.field(list).and_then(|list| list.items());
        let found = items
            .into_iter()
            .flatten()
            .find(|inner| inner.name == field);
        found.map_or_else(|| field.to_owned(), |inner| inner.label.to_owned())
    }
}
