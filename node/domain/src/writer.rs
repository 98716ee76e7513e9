//! Writing checked changes into an edit.

use node_document::{Edit, Value};
use serde_json::Value as Json;

use crate::Object;
use crate::change::FieldChange;
use crate::check::{address_in, check, check_long_text, check_state};
use crate::declaration::{Check, Class, Field, Filled, Kind, Merge, State};
use crate::error::{Problem, RecordError};
use crate::fields::{Spot, label, written};
use crate::places::Step;
use crate::read::json;
use crate::rules::{Ledgers, Progress, standing};
use crate::states;
use crate::write::{By, Written};

/// Writes changes into an edit and gathers what is wrong with them.
pub(crate) struct Writer<'a, 'b> {
    pub(crate) edit: &'a mut Edit<'b>,
    pub(crate) kind: &'static Kind,
    pub(crate) by: &'a By,
    pub(crate) drawn: u32,
    pub(crate) problems: Vec<Problem>,
    /// What was read of places, and of logs by which they are taken.
    pub(crate) ledgers: Ledgers,
}

impl<'a, 'b> Writer<'a, 'b> {
    pub(crate) fn new(edit: &'a mut Edit<'b>, kind: &'static Kind, by: &'a By) -> Self {
        Self {
            edit,
            kind,
            by,
            drawn: 0,
            problems: Vec::new(),
            ledgers: Ledgers::default(),
        }
    }
}

impl Writer<'_, '_> {
    /// Writes changes where nothing is made otherwise than asked.
    pub(crate) fn write_all(&mut self, changes: &[FieldChange]) -> Result<(), RecordError> {
        self.write_changes(changes, Progress::default())?;
        Ok(())
    }

    /// Writes changes and keeps the kind's rules.
    pub(crate) fn write_changes(
        &mut self,
        changes: &[FieldChange],
        mut progress: Progress,
    ) -> Result<Written, RecordError> {
        for change in changes {
            match self.write(change, &mut progress) {
                Ok(()) => {}
                Err(RecordError::Problems(found)) => self.problems.extend(found),
                Err(error) => return Err(error),
            }
        }
        let mut problems = std::mem::take(&mut self.problems);
        // What the program makes is a copy of what stands elsewhere already.
        if !(progress.creating && self.by.program) {
            problems.extend(self.check_names(&progress));
            problems.extend(self.check_steps(&progress));
        }
        if !problems.is_empty() {
            return Err(RecordError::Problems(problems));
        }
        self.freeze(&progress)?;
        Ok(Written {
            notes: progress.notes,
        })
    }

    fn write(&mut self, change: &FieldChange, progress: &mut Progress) -> Result<(), RecordError> {
        let written = change.field();
        let spot = Spot::find(self.kind, written)?;
        self.check_filled(&spot, written)?;
        self.check_owner(&spot, written)?;
        if self.lock(&spot, change, progress)? {
            return Ok(());
        }
        self.keep_content(&spot, change, progress)?;
        let path = spot.path.as_slice();
        match (change, spot.field.merge) {
            (FieldChange::Set { value, .. }, Merge::State(states)) => {
                self.check_item(&spot)?;
                self.take_step(&spot, states, value, progress)?;
                self.keep_item(&spot)
            }
            (FieldChange::Set { value, .. }, Merge::Value | Merge::Text) => {
                self.check_item(&spot)?;
                self.set(path, spot.field, value)?;
                if let (Some(within), Some(item)) = (spot.within, spot.item()) {
                    self.note_name(within.name, item, spot.field.name, progress);
                }
                self.keep_item(&spot)
            }
            (
                FieldChange::Add {
                    after, id, values, ..
                },
                Merge::List(_),
            ) => {
                let (after, id) = (after.as_deref(), id.as_deref());
                self.add(spot.field, after, id, values, progress)?;
                Ok(())
            }
            // A log stands in the order in which it was written.
            (FieldChange::Add { id, values, .. }, Merge::Log(_)) => {
                let values = self.spend(spot.field, values.clone(), progress)?;
                let item = self.add(spot.field, None, id.as_deref(), &values, progress)?;
                self.note_said(spot.field, &item);
                Ok(())
            }
            (FieldChange::Confirm { field, about }, Merge::List(_)) => {
                self.confirm(field, about.as_deref())
            }
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
                check(spot.field, &Json::from(*count))
                    .map_err(|message| Problem::new(written, message))?;
                self.place_step(path, Step::Issue, *count)?;
                if progress.creating && self.by.program {
                    return Ok(()); // what was taken comes with the record
                }
                self.cover(spot.field.name)
            }
            (FieldChange::Pass { to, count, .. }, Merge::Places) => {
                self.place_step(path, Step::Pass { to }, *count)
            }
            (FieldChange::Take { count, .. }, Merge::Places) => {
                self.place_step(path, Step::Take, *count)
            }
            (FieldChange::GiveBack { count, .. }, Merge::Places) => {
                self.place_step(path, Step::GiveBack, *count)
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
            Merge::Text => {
                let text = if json.is_null() {
                    &Json::String(String::new())
                } else {
                    json
                };
                let text = check_long_text(field, text).map_err(problem)?;
                self.check_address(path, field, &text)?;
                self.edit.update_text(path, &text)?;
            }
            Merge::Value if json.is_null() => self.edit.clear(path)?,
            Merge::Value => {
                let value = check(field, json).map_err(problem)?;
                self.check_address(path, field, value.as_str().unwrap_or_default())?;
                self.edit.put(path, &value)?;
            }
            Merge::State(_)
            | Merge::List(_)
            | Merge::Set(_)
            | Merge::Count
            | Merge::Log(_)
            | Merge::Places => {
                let message = format!("'{}' {}", field.label, how_to_change(field.merge));
                return Err(problem(message).into());
            }
        }
        Ok(())
    }

    /// Takes a step. The program brings a record to where it stands elsewhere: it may come in any
    /// state, and come through states that were not written here.
    fn take_step(
        &mut self,
        spot: &Spot<'_>,
        states: &[State],
        json: &Json,
        progress: &mut Progress,
    ) -> Result<(), RecordError> {
        let path = spot.path.as_slice();
        let to = check_state(spot.field.label, states, json)
            .map_err(|message| Problem::new(written(path), message))?;
        let before = standing(self.edit, path, states);
        let brought = self.by.program
            && (progress.creating || before.iter().any(|from| states::leads(states, from, &to)));
        if !brought {
            check_step(path, spot.field, states, &before, &to)?;
        }
        if spot.within.is_none() && !before.contains(&to) {
            progress.entered.push((spot.field, to.clone()));
        }
        Ok(self.edit.put(path, &Value::String(to))?)
    }

    /// Adds an item, and returns its id.
    fn add(
        &mut self,
        list: &'static Field,
        after: Option<&str>,
        id: Option<&str>,
        values: &Object,
        progress: &mut Progress,
    ) -> Result<String, RecordError> {
        let path = &[list.name][..];
        let fields = list.items().unwrap_or_default();
        let id = id.map_or_else(|| self.draw(), str::to_owned);
        let newest = self.edit.document().view();
        let used = || self.edit.has_item(path, &id) || newest.has_item(path, &id);
        if id.is_empty() || id.contains('/') || used() {
            let message = format!("the id '{id}' cannot be used, or is used already");
            return Err(Problem::new(written(path), message).into());
        }
        let last = self.edit.last_item(path);
        self.edit.place_item(path, &id, after.or(last.as_deref()))?;
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
                Some(_) if field.filled == Filled::ByAuthor && self.by.program => {}
                Some(_) if field.filled != Filled::ByPerson && !self.by.program => {
                    let label = label(field, Some(list));
                    problems.push(Problem::new(written(path), filled_by_itself(&label)));
                }
                Some(value) => {
                    self.note_name(list.name, &id, field.name, progress);
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
            Ok(id)
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
        if wanted {
            self.check_address(&spot.path, spot.field, value.as_str().unwrap_or_default())?;
        }
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

    pub(crate) fn place_step(
        &mut self,
        path: &[&str],
        step: Step<'_>,
        count: i64,
    ) -> Result<(), RecordError> {
        let hub = self.by.author.hub.to_string();
        if let Some(why) = self.ledger(path).refuse(&hub, step, count) {
            let label = self
                .kind
                .field(path[0])
                .map_or(path[0], |field| field.label);
            return Err(Problem::new(written(path), format!("'{label}' {why}")).into());
        }
        self.write_places(path, (&hub, ""), step, count)
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

    /// What is filled in by itself is not changed by hand, and who wrote an item by nobody.
    fn check_filled(&self, spot: &Spot<'_>, written: &str) -> Result<(), Problem> {
        let refused = |field: &&Field| match field.filled {
            Filled::ByPerson => false,
            Filled::ByProgram => !self.by.program,
            Filled::ByAuthor => true,
        };
        match [spot.within, Some(spot.field)]
            .into_iter()
            .flatten()
            .find(refused)
        {
            Some(field) => Err(Problem::new(written, filled_by_itself(field.label))),
            None => Ok(()),
        }
    }

    /// People's addresses stand in their cards; what a hub keeps to itself may hold them.
    pub(crate) fn check_address(
        &self,
        path: &[&str],
        field: &Field,
        text: &str,
    ) -> Result<(), Problem> {
        let top = path.first().and_then(|name| self.kind.field(name));
        let own = field.class == Class::Hub || top.is_some_and(|top| top.class == Class::Hub);
        if own || field.check == Check::Email || self.by.program {
            return Ok(());
        }
        match address_in(text) {
            Some(address) => {
                let message = format!(
                    "'{}' holds the e-mail address {address}; people's addresses stand in their \
                     cards alone",
                    field.label
                );
                Err(Problem::new(written(path), message))
            }
            None => Ok(()),
        }
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
        if self.edit.has_item(list, item) {
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
    pub(crate) fn draw(&mut self) -> String {
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

pub(crate) fn filled_by_itself(label: &str) -> String {
    format!("'{label}' is filled in by itself")
}

/// A step must be allowed from where the state stands; of several concurrent states each may be
/// chosen.
fn check_step(
    path: &[&str],
    field: &Field,
    states: &[State],
    before: &[String],
    to: &str,
) -> Result<(), Problem> {
    if before
        .iter()
        .any(|from| from == to || states::allowed(states, from, to))
    {
        return Ok(());
    }
    let from = before.last().map_or("", String::as_str);
    let next = states::next(states, from);
    let may = if next.is_empty() {
        "nothing follows it".to_owned()
    } else {
        format!("only {} may follow", next.join(", "))
    };
    let message = format!("'{}' cannot go from '{from}' to '{to}': {may}", field.label);
    Err(Problem::new(written(path), message))
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
