//! Fields that cannot be changed in some states, and items that keep their content.

use node_document::Value;
use serde_json::Value as Json;

use crate::change::FieldChange;
use crate::check::{check, check_long_text};
use crate::declaration::{Field, Merge, Rule};
use crate::error::{Problem, RecordError};
use crate::fields::{Fields, Spot, written};
use crate::rules::{Progress, standing};
use crate::writer::Writer;

impl Writer<'_, '_> {
    /// Keeps locked what is locked. Says whether the change has become a proposal, so that
    /// nothing is left to be written.
    pub(crate) fn lock(
        &mut self,
        spot: &Spot<'_>,
        change: &FieldChange,
        progress: &mut Progress,
    ) -> Result<bool, RecordError> {
        if progress.creating || self.changes_nothing(spot, change) {
            return Ok(false);
        }
        let top = spot.within.unwrap_or(spot.field);
        for rule in self.kind.rules {
            let Rule::Locked {
                state,
                when,
                fields,
                proposals,
            } = *rule
            else {
                continue;
            };
            let Some(at) = self.stands_at(state, when, progress) else {
                continue;
            };
            if !fields.contains(&top.name) {
                continue;
            }
            if let (FieldChange::Set { value, .. }, Some(log), Merge::Text) =
                (change, self.kind.field(proposals), spot.field.merge)
            {
                self.propose(spot, log, value)?;
                progress.notes.push(format!(
                    "'{}' cannot be changed while it is '{at}': your text stands among '{}' instead",
                    spot.label(),
                    log.label
                ));
                return Ok(true);
            }
            let state = self.kind.field(state).map_or(state, |field| field.label);
            let message = format!(
                "'{}' cannot be changed while '{state}' is '{at}'",
                spot.label()
            );
            return Err(Problem::new(written(&spot.path), message).into());
        }
        Ok(false)
    }

    fn propose(
        &mut self,
        spot: &Spot<'_>,
        log: &'static Field,
        value: &Json,
    ) -> Result<(), RecordError> {
        let text = check_long_text(spot.field, value)
            .map_err(|message| Problem::new(written(&spot.path), message))?;
        self.check_address(&spot.path, spot.field, &text)?;
        let item = self.draw();
        let last = self.edit.last_item(&[log.name]);
        self.edit.place_item(&[log.name], &item, last.as_deref())?;
        let item = [log.name, item.as_str()];
        self.lay_out(&item, log.items().unwrap_or_default())?;
        let field = Value::String(written(&spot.path));
        self.edit.put(&[item[0], item[1], "field"], &field)?;
        let text = Value::String(text);
        Ok(self.edit.put(&[item[0], item[1], "text"], &text)?)
    }

    /// Keeps the content of items that are to keep it.
    pub(crate) fn keep_content(
        &self,
        spot: &Spot<'_>,
        change: &FieldChange,
        progress: &Progress,
    ) -> Result<(), Problem> {
        if progress.creating || self.changes_nothing(spot, change) {
            return Ok(());
        }
        for rule in self.kind.rules {
            let Rule::Kept {
                list,
                fields,
                when: (state, states),
            } = *rule
            else {
                continue;
            };
            let (changed, item) = match (change, spot.within) {
                (FieldChange::Set { .. }, Some(within)) => (
                    within.name == list && fields.contains(&spot.field.name),
                    spot.item().unwrap_or_default(),
                ),
                (FieldChange::Remove { item, .. }, None) => {
                    (spot.field.name == list, item.as_str())
                }
                (_, _) => (false, ""),
            };
            let holds = state.is_empty() || self.stands_at(state, states, progress).is_some();
            // What this very edit has added is not there yet.
            let there = || self.edit.document().view().has_item(&[list], item);
            if changed && holds && there() {
                let list = self.kind.field(list).map_or(list, |field| field.label);
                let message = format!(
                    "an item of '{list}' keeps what it says: add a new one, and leave the old"
                );
                return Err(Problem::new(written(&spot.path), message));
            }
        }
        Ok(())
    }

    /// In which of `states` the record stands, by the page or by the newest state. A step of this
    /// edit counts alone.
    fn stands_at(
        &self,
        name: &str,
        states: &[&'static str],
        progress: &Progress,
    ) -> Option<&'static str> {
        let field = self.kind.field(name)?;
        let Merge::State(declared) = field.merge else {
            return None;
        };
        let mut found = standing(self.edit, &[name], declared);
        if progress
            .entered
            .iter()
            .all(|(entered, _)| entered.name != name)
        {
            found.extend(standing(&self.edit.document().view(), &[name], declared));
        }
        let at = |state: &&&'static str| found.iter().any(|found| found == **state);
        states.iter().find(at).copied()
    }

    /// Whether a change sets what stands already, or chooses one of the versions that stand.
    fn changes_nothing(&self, spot: &Spot<'_>, change: &FieldChange) -> bool {
        let FieldChange::Set { value, .. } = change else {
            return false;
        };
        let stands = [
            Fields::values(self.edit, &spot.path),
            self.edit.document().view().values(&spot.path),
        ]
        .concat();
        match spot.field.merge {
            Merge::Value if value.is_null() => stands.is_empty(),
            Merge::Value => check(spot.field, value).is_ok_and(|value| stands.contains(&value)),
            Merge::Text => check_long_text(spot.field, value)
                .is_ok_and(|text| self.edit.values(&spot.path).contains(&Value::Text(text))),
            Merge::State(_)
            | Merge::List(_)
            | Merge::Set(_)
            | Merge::Count
            | Merge::Log(_)
            | Merge::Places => false,
        }
    }
}
