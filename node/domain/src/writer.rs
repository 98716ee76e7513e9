//! Writing checked changes into an edit.

use node_document::{Edit, Value};
use serde_json::Value as Json;

use crate::Object;
use crate::change::FieldChange;
use crate::check::{check, check_long_text, check_state};
use crate::declaration::{Field, Kind, Merge, State};
use crate::error::{Problem, RecordError};
use crate::fields::{Spot, written};
use crate::places::{self, Step};
use crate::read::json;
use crate::states;
use crate::write::By;

/// Writes changes into an edit and gathers what is wrong with them.
pub(crate) struct Writer<'a, 'b> {
    pub(crate) edit: &'a mut Edit<'b>,
    pub(crate) kind: &'static Kind,
    pub(crate) by: &'a By,
    pub(crate) drawn: u32,
    pub(crate) problems: Vec<Problem>,
}

impl Writer<'_, '_> {
    pub(crate) fn write_all(&mut self, changes: &[FieldChange]) -> Result<(), RecordError> {
        for change in changes {
            match self.write(change) {
                Ok(()) => {}
                Err(RecordError::Problems(found)) => self.problems.extend(found),
                Err(error) => return Err(error),
            }
        }
        let problems = std::mem::take(&mut self.problems);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(RecordError::Problems(problems))
        }
    }

    fn write(&mut self, change: &FieldChange) -> Result<(), RecordError> {
        let written = change.field();
        let spot = Spot::find(self.kind, written)?;
        self.check_owner(&spot, written)?;
        let path = spot.path.as_slice();
        match (change, spot.field.merge) {
            (FieldChange::Set { value, .. }, Merge::Value | Merge::Text | Merge::State(_)) => {
                self.check_item(&spot)?;
                self.set(path, spot.field, value)?;
                self.keep_item(&spot)
            }
            (
                FieldChange::Add {
                    after, id, values, ..
                },
                Merge::List(fields) | Merge::Log(fields),
            ) => self.add(path, fields, after.as_deref(), id.as_deref(), values),
            (FieldChange::Move { item, after, .. }, Merge::List(_)) => {
                self.check_present(path, item)?;
                Ok(self.edit.place_item(path, item, after.as_deref())?)
            }
            (FieldChange::Remove { item, .. }, Merge::List(_)) => {
                Ok(self.edit.remove_item(path, item)?)
            }
            (FieldChange::Include { element, .. }, Merge::Set(_)) => {
                self.wish(&spot, element, true)
            }
            (FieldChange::Exclude { element, .. }, Merge::Set(_)) => {
                self.wish(&spot, element, false)
            }
            (FieldChange::Count { by, .. }, Merge::Count) => Ok(self.edit.increment(path, *by)?),
            (FieldChange::Issue { count, .. }, Merge::Places) => {
                if self.by.author.hub != self.edit.document().id().owner() {
                    let message = format!("only the owner may issue '{}'", spot.field.label);
                    return Err(Problem::new(written, message).into());
                }
                self.step(&spot, Step::Issue, *count)
            }
            (FieldChange::Pass { to, count, .. }, Merge::Places) => {
                self.step(&spot, Step::Pass { to }, *count)
            }
            (FieldChange::Take { count, .. }, Merge::Places) => {
                self.step(&spot, Step::Take, *count)
            }
            (FieldChange::GiveBack { count, .. }, Merge::Places) => {
                self.step(&spot, Step::GiveBack, *count)
            }
            (_, merge) => {
                let message = format!("'{}' {}", spot.field.label, how_to_change(merge));
                Err(Problem::new(written, message).into())
            }
        }
    }

    /// Prepares what must be there from the start, so that hubs do not make it twice: texts,
    /// counts and first states.
    pub(crate) fn lay_out(&mut self, path: &[&str], fields: &[Field]) -> Result<(), RecordError> {
        for field in fields {
            let path = [path, &[field.name]].concat();
            match field.merge {
                Merge::Text => self.edit.update_text(&path, "")?,
                Merge::Count => self.edit.increment(&path, 0)?,
                Merge::State(states) => {
                    self.edit
                        .put(&path, &Value::String(states::first(states)))?;
                }
                Merge::Value | Merge::List(_) | Merge::Set(_) | Merge::Log(_) | Merge::Places => {}
            }
        }
        Ok(())
    }

    fn set(&mut self, path: &[&str], field: &Field, json: &Json) -> Result<(), RecordError> {
        let problem = |message| Problem::new(written(path), message);
        if json.is_null() && field.required {
            return Err(problem(format!("'{}' cannot be left empty", field.label)).into());
        }
        match field.merge {
            Merge::State(states) => {
                let to = check_state(field.label, states, json).map_err(problem)?;
                self.check_step(path, field, states, &to)?;
                self.edit.put(path, &Value::String(to))?;
            }
            Merge::Text => {
                let text = if json.is_null() {
                    &Json::String(String::new())
                } else {
                    json
                };
                self.edit
                    .update_text(path, &check_long_text(field, text).map_err(problem)?)?;
            }
            Merge::Value if json.is_null() => self.edit.clear(path)?,
            Merge::Value => self.edit.put(path, &check(field, json).map_err(problem)?)?,
            Merge::List(_) | Merge::Set(_) | Merge::Count | Merge::Log(_) | Merge::Places => {
                let message = format!("'{}' {}", field.label, how_to_change(field.merge));
                return Err(problem(message).into());
            }
        }
        Ok(())
    }

    /// A step must be allowed from where the state stands; of several concurrent states each may
    /// be chosen.
    fn check_step(
        &self,
        path: &[&str],
        field: &Field,
        states: &[State],
        to: &str,
    ) -> Result<(), Problem> {
        let mut standing = self.edit.values(path);
        if standing.is_empty() {
            standing.push(Value::String(states::first(states)));
        }
        let standing = standing
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>();
        if standing
            .iter()
            .any(|from| *from == to || states::allowed(states, from, to))
        {
            return Ok(());
        }
        let from = standing.last().copied().unwrap_or_default();
        let next = states::next(states, from);
        let may = if next.is_empty() {
            "nothing follows it".to_owned()
        } else {
            format!("only {} may follow", next.join(", "))
        };
        let message = format!("'{}' cannot go from '{from}' to '{to}': {may}", field.label);
        Err(Problem::new(written(path), message))
    }

    fn add(
        &mut self,
        path: &[&str],
        fields: &'static [Field],
        after: Option<&str>,
        id: Option<&str>,
        values: &Object,
    ) -> Result<(), RecordError> {
        let id = id.map_or_else(|| self.draw(), str::to_owned);
        let items = self.edit.items(path);
        if items.contains(&id) || id.is_empty() || id.contains('/') {
            let message = format!("the id '{id}' cannot be used, or is used already");
            return Err(Problem::new(written(path), message).into());
        }
        let after = after.or_else(|| items.last().map(String::as_str));
        self.edit.place_item(path, &id, after)?;
        let item = [path, &[id.as_str()]].concat();
        self.lay_out(&item, fields)?;
        let mut problems = Vec::new();
        for name in values
            .keys()
            .filter(|name| fields.iter().all(|f| f.name != name.as_str()))
        {
            let names = fields
                .iter()
                .map(|field| field.name)
                .collect::<Vec<_>>()
                .join(", ");
            let message = format!("there is no field '{name}'; the fields are {names}");
            problems.push(Problem::new(written(path), message));
        }
        for field in fields {
            match values.get(field.name).filter(|value| !value.is_null()) {
                Some(value) => {
                    match self.set_new(&[&item[..], &[field.name]].concat(), field, value) {
                        Ok(()) => {}
                        Err(RecordError::Problems(found)) => problems.extend(found),
                        Err(error) => return Err(error),
                    }
                }
                None if field.required => {
                    let message = format!("'{}' is missing", field.label);
                    problems.push(Problem::new(written(path), message));
                }
                None => {}
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(RecordError::Problems(problems))
        }
    }

    /// Fills a field of a new item. An item may come in any state: it is entered as it stands.
    fn set_new(&mut self, path: &[&str], field: &Field, json: &Json) -> Result<(), RecordError> {
        if let Merge::State(states) = field.merge {
            let state = check_state(field.label, states, json)
                .map_err(|message| Problem::new(written(path), message))?;
            return Ok(self.edit.put(path, &Value::String(state))?);
        }
        self.set(path, field, json)
    }

    fn wish(&mut self, spot: &Spot<'_>, element: &Json, wanted: bool) -> Result<(), RecordError> {
        let value = check(spot.field, element)
            .map_err(|message| Problem::new(written(&spot.path), message))?;
        let element = match &value {
            Value::String(text) => text.clone(),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Text(_)
            | Value::Count(_)
            | Value::Other(_) => json(&value).to_string(),
        };
        let path = [spot.path.as_slice(), &[element.as_str()]].concat();
        if wanted && self.edit.get(&path) == Some(Value::Bool(true)) {
            // Said again, it is said anew and by this hub: a signature is renewed like this.
            self.edit.put(&path, &Value::Bool(false))?;
        }
        Ok(self.edit.put(&path, &Value::Bool(wanted))?)
    }

    fn step(&mut self, spot: &Spot<'_>, step: Step<'_>, count: i64) -> Result<(), RecordError> {
        let (path, hub) = (spot.path.as_slice(), self.by.author.hub.to_string());
        if let Some(why) = places::refuse(self.edit, path, &hub, step, count) {
            return Err(
                Problem::new(written(path), format!("'{}' {why}", spot.field.label)).into(),
            );
        }
        let item = self.draw();
        Ok(places::write(self.edit, path, &item, &hub, step, count)?)
    }

    pub(crate) fn settle_text(&mut self, spot: &Spot<'_>, value: &Json) -> Result<(), RecordError> {
        let path = spot.path.as_slice();
        if !value.is_null() {
            let text = check_long_text(spot.field, value)
                .map_err(|message| Problem::new(written(path), message))?;
            if self.edit.values(path).len() > 1 {
                self.edit.replace_text(path, &text)?;
            } else {
                self.edit.update_text(path, &text)?;
            }
        }
        self.edit.mark_overlaps_seen(path)?;
        self.keep_item(spot)
    }

    fn check_owner(&self, spot: &Spot<'_>, written: &str) -> Result<(), Problem> {
        let field = spot.within.unwrap_or(spot.field);
        if field.owner_only && self.by.author.hub != self.edit.document().id().owner() {
            let message = format!("only the owner of the record changes '{}'", field.label);
            return Err(Problem::new(written, message));
        }
        Ok(())
    }

    fn check_item(&self, spot: &Spot<'_>) -> Result<(), RecordError> {
        let (Some(item), Some(within)) = (spot.item(), spot.within) else {
            return Ok(());
        };
        if let Merge::Log(_) = within.merge {
            let message = format!("'{}' {}", within.label, how_to_change(within.merge));
            return Err(Problem::new(written(&spot.path), message).into());
        }
        self.check_present(&spot.path[..1], item)
    }

    fn check_present(&self, list: &[&str], item: &str) -> Result<(), RecordError> {
        if self.edit.items(list).iter().any(|known| known == item) {
            Ok(())
        } else {
            Err(node_document::EditError::NoItem(item.to_owned()).into())
        }
    }

    fn keep_item(&mut self, spot: &Spot<'_>) -> Result<(), RecordError> {
        match spot.item() {
            Some(item) => Ok(self.edit.keep_item(&spot.path[..1], item)?),
            None => Ok(()),
        }
    }

    /// A new item's id.
    fn draw(&mut self) -> String {
        self.drawn += 1;
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"causeway/1 item\0").update(&self.by.random);
        hasher.update(&self.drawn.to_le_bytes());
        let hash = hasher.finalize();
        data_encoding::BASE32_NOPAD
            .encode(&hash.as_bytes()[..10])
            .to_ascii_lowercase()
    }
}

/// How a field of this merge type is changed, to follow its label.
fn how_to_change(merge: Merge) -> &'static str {
    match merge {
        Merge::Value | Merge::Text | Merge::State(_) => "is set as a whole",
        Merge::List(_) => "is a list: add, move or remove its items, or set their fields",
        Merge::Set(_) => "is a set: include or exclude elements",
        Merge::Count => "is a count: add to it",
        Merge::Log(_) => "is only ever added to: a correction is a new item",
        Merge::Places => "are issued, passed on, taken or given back",
    }
}
