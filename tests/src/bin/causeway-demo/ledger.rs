//! Every edit that a member said was saved, so that each can be looked for at the end.

use anyhow::Result;
use serde_json::Value;

use crate::member::Member;

/// An edit that was acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    /// The member that acknowledged it, by its place among the members.
    pub(crate) member: usize,
    /// The record.
    pub(crate) record: String,
    /// What shows that it is there.
    pub(crate) mark: Mark,
}

/// What shows that an edit is there.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// The record itself, which the edit made.
    Record,
    /// A step of the record's history: this field was given this value.
    Value(String, Value),
    /// These words in a text.
    Words(String, String),
}

/// All acknowledged edits. Nothing that counts is ever taken out.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    edits: Vec<Edit>,
}

impl Ledger {
    /// Notes an edit that was acknowledged as saved.
    pub(crate) fn saved(&mut self, member: usize, record: &str, mark: Mark) {
        self.edits.push(Edit {
            member,
            record: record.to_owned(),
            mark,
        });
    }

    /// How many edits were noted.
    pub(crate) const fn len(&self) -> usize {
        self.edits.len()
    }

    /// The edits of `member` noted after the first `since`.
    pub(crate) fn of(&self, member: usize, since: usize) -> Vec<Edit> {
        self.edits
            .iter()
            .skip(since)
            .filter(|edit| edit.member == member)
            .cloned()
            .collect()
    }

    /// Takes out what `member` had saved after the first `since` edits and not sent: its disk is
    /// being set back, and only what was sent is promised to come back.
    pub(crate) fn set_back(
        &mut self,
        member: usize,
        since: usize,
        was_sent: impl Fn(&str) -> bool,
    ) {
        let mut index = 0;
        self.edits.retain(|edit| {
            index += 1;
            index <= since || edit.member != member || was_sent(&edit.record)
        });
    }

    /// Looks for every edit where it was made, and describes those that are not there.
    pub(crate) async fn lost(&self, members: &[Member]) -> Result<Vec<String>> {
        let mut lost = Vec::new();
        for edit in &self.edits {
            if let Some(why) = edit.missing(members).await? {
                lost.push(why);
            }
        }
        Ok(lost)
    }
}

impl Edit {
    /// Why the edit is not to be found at its member; nothing if it is there.
    pub(crate) async fn missing(&self, members: &[Member]) -> Result<Option<String>> {
        let Some(member) = members.get(self.member) else {
            return Ok(Some("its member is gone".to_owned()));
        };
        let at = |what: String| {
            Some(format!(
                "at {}: {what} of record {}",
                member.short(),
                self.record
            ))
        };
        let shown = match member.show(&self.record).await {
            Ok(shown) => shown,
            Err(error) => return Ok(at(format!("all ({error})"))),
        };
        Ok(match &self.mark {
            Mark::Record => None,
            Mark::Value(field, value) => {
                let history = member.history(&self.record).await?;
                let mut steps = history.as_array().into_iter().flatten();
                let there = steps.any(|step| step["field"] == **field && step["value"] == *value);
                if there {
                    None
                } else {
                    at(format!("{field} = {value}"))
                }
            }
            Mark::Words(field, words) => {
                let text = shown.fields[field].as_str().unwrap_or_default();
                if text.contains(words) {
                    None
                } else {
                    at(format!("\"{words}\" in {field}"))
                }
            }
        })
    }
}
