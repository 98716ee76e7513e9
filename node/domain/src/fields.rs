//! Finding fields by path, and reading them alike from a view and from an edit in progress.

use node_document::{Edit, Value, View};

use crate::declaration::{Field, Filled, Kind, Merge, Wins};
use crate::error::Problem;

/// What a field's content is read from.
pub(crate) trait Fields {
    /// The value shown at a path.
    fn get(&self, path: &[&str]) -> Option<Value>;
    /// All concurrent values at a path.
    fn values(&self, path: &[&str]) -> Vec<Value>;
    /// The items of a list, in order.
    fn items(&self, path: &[&str]) -> Vec<String>;
    /// The parts right below a path.
    fn children(&self, path: &[&str]) -> Vec<String>;
    /// What is proven of its authors: of an edit in progress, what stood before it.
    fn proven(&self) -> View<'_>;
}

impl Fields for View<'_> {
    fn get(&self, path: &[&str]) -> Option<Value> {
        self.get(path)
    }

    fn values(&self, path: &[&str]) -> Vec<Value> {
        self.values(path)
    }

    fn items(&self, path: &[&str]) -> Vec<String> {
        self.items(path)
    }

    fn children(&self, path: &[&str]) -> Vec<String> {
        self.children(path)
    }

    fn proven(&self) -> View<'_> {
        self.clone()
    }
}

impl Fields for Edit<'_> {
    fn get(&self, path: &[&str]) -> Option<Value> {
        self.get(path)
    }

    fn values(&self, path: &[&str]) -> Vec<Value> {
        self.values(path)
    }

    fn items(&self, path: &[&str]) -> Vec<String> {
        self.items(path)
    }

    fn children(&self, path: &[&str]) -> Vec<String> {
        self.children(path)
    }

    fn proven(&self) -> View<'_> {
        self.document().view()
    }
}

/// The elements of a set that are in.
pub(crate) fn elements(from: &impl Fields, path: &[&str], wins: Wins) -> Vec<String> {
    from.children(path)
        .into_iter()
        .filter(|element| {
            let wishes = from.values(&[path, &[element]].concat());
            let wanted = |wish: &Value| *wish == Value::Bool(true);
            match wins {
                Wins::Add => wishes.iter().any(wanted),
                Wins::Remove => !wishes.is_empty() && wishes.iter().all(wanted),
            }
        })
        .collect()
}

/// A field of a kind, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Spot<'a> {
    pub(crate) path: Vec<&'a str>,
    pub(crate) field: &'static Field,
    /// The list or log, if the field is one of an item's.
    pub(crate) within: Option<&'static Field>,
}

impl<'a> Spot<'a> {
    /// The field that `path` names.
    pub(crate) fn find(kind: &'static Kind, path: &'a str) -> Result<Self, Problem> {
        let parts = path.split('/').collect::<Vec<_>>();
        let top = kind
            .field(parts[0])
            .ok_or_else(|| no_field(path, parts[0], kind.fields))?;
        match (parts.as_slice(), top.items()) {
            ([_], _) => Ok(Self {
                path: parts,
                field: top,
                within: None,
            }),
            ([_, _, name], Some(items)) => {
                let field = items
                    .iter()
                    .find(|field| field.name == *name)
                    .ok_or_else(|| no_field(path, name, items))?;
                Ok(Self {
                    path: parts,
                    field,
                    within: Some(top),
                })
            }
            (_, Some(_)) => Err(Problem::new(
                path,
                format!("'{}' has items: write {}/ITEM/FIELD", top.label, top.name),
            )),
            (_, None) => Err(Problem::new(path, format!("'{}' has no items", top.label))),
        }
    }

    /// The item that the field is one of.
    pub(crate) fn item(&self) -> Option<&'a str> {
        self.within.and_then(|_| self.path.get(1).copied())
    }

    pub(crate) fn label(&self) -> String {
        label(self.field, self.within)
    }
}

/// What people call a field.
pub(crate) fn label(field: &Field, within: Option<&Field>) -> String {
    within.map_or_else(
        || field.label.to_owned(),
        |within| format!("{}: {}", within.label, field.label),
    )
}

/// The path of a field as people write it.
pub(crate) fn written(path: &[impl AsRef<str>]) -> String {
    path.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("/")
}

/// Every field of a record that holds one value, text or state, items' fields among them.
pub(crate) fn leaves(
    from: &impl Fields,
    kind: &'static Kind,
) -> Vec<(Vec<String>, &'static Field, Option<&'static Field>)> {
    leaves_in(from, kind, |_| true)
}

/// The same, but of lists and logs only those that are wanted.
pub(crate) fn leaves_in(
    from: &impl Fields,
    kind: &'static Kind,
    wanted: impl Fn(&Field) -> bool,
) -> Vec<(Vec<String>, &'static Field, Option<&'static Field>)> {
    let mut leaves = Vec::new();
    for field in kind.fields {
        match field.merge {
            Merge::List(_) | Merge::Log(_) if !wanted(field) => {}
            Merge::List(fields) | Merge::Log(fields) => {
                for item in from.items(&[field.name]) {
                    let stored = |inner: &&Field| inner.filled != Filled::ByAuthor;
                    leaves.extend(fields.iter().filter(stored).map(|inner| {
                        let path = vec![field.name.to_owned(), item.clone(), inner.name.to_owned()];
                        (path, inner, Some(field))
                    }));
                }
            }
            Merge::Value | Merge::Text | Merge::State(_) => {
                leaves.push((vec![field.name.to_owned()], field, None));
            }
            Merge::Set(_) | Merge::Count | Merge::Places => {}
        }
    }
    leaves
}

fn no_field(path: &str, name: &str, fields: &[Field]) -> Problem {
    let names = fields
        .iter()
        .map(|field| field.name)
        .collect::<Vec<_>>()
        .join(", ");
    Problem::new(
        path,
        format!("there is no field '{name}'; the fields are {names}"),
    )
}
