//! Watches that look at other records than the one: for which records they may hold, and what they
//! find.

use std::collections::BTreeSet;

use node_domain::{Kind, Object, Test, Watch, kind as named};
use node_store::{CellValue, Filter, ListQuery, RecordRow};
use serde_json::{Value, json};

use super::memo::weight;
use super::versions::{cell_value, found_at};
use super::{Found, RecordsError};
use crate::Node;

impl Node {
    /// The records for which a watch that looks at other records may hold, where nothing else
    /// tells them, each with that by which others name it, if its line says that.
    pub(super) fn watched_by(
        &self,
        kind: &Kind,
        watch: &Watch,
    ) -> Result<Vec<(Found, Option<CellValue>)>, RecordsError> {
        let may_list = ListQuery {
            kinds: vec![kind.name.to_owned()],
            ..self.may_list()
        };
        // What others own, they are told of.
        let own = ListQuery {
            spaces: Some(Vec::new()),
            ..may_list.clone()
        };
        let (query, by) = if let Test::StillReferred {
            field, values, by, ..
        } = watch.test
        {
            let filters = vec![is(field, values)];
            (
                ListQuery {
                    filters,
                    ..may_list
                },
                Some(by),
            )
        } else if let Test::Unsent { field, values } = watch.test {
            let filters = vec![is(field, values)];
            (
                ListQuery {
                    filters,
                    ..may_list
                },
                None,
            )
        } else if let Test::SharedWith {
            fields: [first, ..],
        } = watch.test
        {
            let counts = self.inner.storage.count_by(&may_list, first)?.into_iter();
            let twice = counts.filter(|(_, count)| *count > 1);
            let values = twice.map(|(value, _)| match value {
                CellValue::Text(text) => text,
                CellValue::Number(number) => number.to_string(),
            });
            let filters = vec![Filter::Is {
                field: (*first).to_owned(),
                values: values.collect(),
            }];
            (ListQuery { filters, ..own }, None)
        } else if let Test::Differs = watch.test {
            (own, None)
        } else {
            return Ok(Vec::new());
        };
        let rows = self.inner.storage.list(&query)?.rows;
        let watched = rows.iter().filter_map(|row| {
            let says = by.and_then(|by| named_by(row, by));
            Some((found_at(row)?, says.map(|says| cell_value(&says))))
        });
        Ok(watched.collect())
    }

    /// What other records name, where a watch may hold for those that are still named.
    pub(super) fn referred_by(
        &self,
        watch: &Watch,
    ) -> Result<Option<BTreeSet<CellValue>>, RecordsError> {
        let Test::StillReferred {
            kind,
            refers,
            standing: (field, values),
            ..
        } = watch.test
        else {
            return Ok(None);
        };
        let query = ListQuery {
            kinds: vec![kind.to_owned()],
            filters: vec![is(field, values)],
            ..self.may_list()
        };
        let counts = self.inner.storage.count_by(&query, refers)?.into_iter();
        let named = counts.map(|(value, _)| match value {
            CellValue::Text(text) => cell_value(&text),
            CellValue::Number(number) => CellValue::Number(number),
        });
        Ok(Some(named.collect()))
    }

    /// Whether a watch that looks at other records holds, and what it found.
    pub(super) fn watched(
        &self,
        found: &Found,
        kind: &'static Kind,
        fields: &Object,
        watch: &Watch,
    ) -> Result<Option<Vec<Value>>, RecordsError> {
        let stands =
            |field: &str, values: &[&str]| values.contains(&shown(fields.get(field)).as_str());
        match watch.test {
            Test::SharedWith { fields: shared } => self.shared_with(found, kind, fields, shared),
            Test::StillReferred {
                field,
                values,
                by,
                kind: other,
                refers,
                standing,
            } => {
                if !stands(field, values) {
                    return Ok(None);
                }
                let id = found.id.to_string();
                let by = if by.is_empty() {
                    id
                } else {
                    shown(fields.get(by))
                };
                if by.is_empty() {
                    return Ok(None);
                }
                let filters = vec![
                    Filter::Is {
                        field: refers.to_owned(),
                        values: vec![by],
                    },
                    is(standing.0, standing.1),
                ];
                self.others(found, other, filters)
            }
            Test::Unsent { field, values } => {
                let unsent = if stands(field, values) {
                    self.unsent()?
                } else {
                    0
                };
                let own = shown(fields.get("code")) == self.own_code();
                Ok((unsent > 0 && own).then(|| vec![json!({ "value": { "not_sent": unsent } })]))
            }
            Test::Differs => self.return_differs(fields),
            Test::Disagree { .. }
            | Test::Same { .. }
            | Test::Exclude { .. }
            | Test::Over { .. }
            | Test::Asked { .. }
            | Test::ChangedSince { .. }
            | Test::ChangedWhile { .. }
            | Test::Stale { .. }
            | Test::Standing { .. } => Ok(None),
        }
    }

    fn shared_with(
        &self,
        found: &Found,
        kind: &'static Kind,
        fields: &Object,
        shared: &[&str],
    ) -> Result<Option<Vec<Value>>, RecordsError> {
        let mut filters = Vec::new();
        for field in shared {
            let values = match fields.get(*field) {
                Some(Value::Array(elements)) => elements.iter().map(|it| shown(Some(it))).collect(),
                one => vec![shown(one)],
            };
            let values = values
                .into_iter()
                .filter(|value: &String| !value.is_empty())
                .collect::<Vec<_>>();
            if values.is_empty() {
                return Ok(None);
            }
            filters.push(Filter::Is {
                field: (*field).to_owned(),
                values,
            });
        }
        let others = self.remembered_of_kinds(
            &[kind.name],
            &[
                "shared with",
                &found.id.to_string(),
                &format!("{filters:?}"),
            ],
            |others: &Option<Vec<Value>>| others.as_deref().map_or(64, weight),
            || self.others(found, kind.name, filters.clone()),
        )?;
        Ok(others.as_ref().clone())
    }

    /// Other records of a kind for which these filters hold.
    fn others(
        &self,
        found: &Found,
        kind: &str,
        filters: Vec<Filter>,
    ) -> Result<Option<Vec<Value>>, RecordsError> {
        let query = ListQuery {
            kinds: vec![kind.to_owned()],
            filters,
            ..self.may_list()
        };
        let rows = self.inner.storage.list(&query)?.rows;
        let own = found.id.subject();
        let others = rows.iter().filter(|row| row.subject != own).map(
            |row| json!({ "value": { "record": row.subject.to_string(), "title": row.title } }),
        );
        let others = others.collect::<Vec<_>>();
        Ok((!others.is_empty() && named(kind).is_some()).then_some(others))
    }
}

/// By what others name a record, as its line says: itself, or one of its columns; none if the line
/// does not say it.
fn named_by(row: &RecordRow, by: &str) -> Option<String> {
    if by.is_empty() {
        return Some(row.subject.to_string());
    }
    let columns = serde_json::from_str::<Object>(&row.json).ok()?;
    columns.get(by)?.as_str().map(str::to_owned)
}

/// A field's value as lists hold it.
fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(true)) => "yes".to_owned(),
        Some(Value::Bool(false)) => "no".to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}

fn is(field: &str, values: &[&str]) -> Filter {
    Filter::Is {
        field: field.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}
