//! Places that cannot be overspent, even offline.
//!
//! Each hub spends only what it holds, and what it holds only itself can spend; holdings move in
//! a log. So no two hubs, however long apart, can give the last place away twice.

use std::collections::BTreeMap;

use node_document::{Edit, EditError, Value};
use serde_json::{Value as Json, json};

use crate::fields::Fields;

/// How places stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places {
    issued: i64,
    taken: i64,
    held: BTreeMap<String, i64>,
    taken_by: BTreeMap<String, i64>,
}

/// One step in the log of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Issue,
    Pass { to: &'a str },
    Take,
    GiveBack,
}

impl Places {
    pub(crate) fn read(from: &impl Fields, path: &[&str]) -> Self {
        let mut places = Self::default();
        for item in from.items(path) {
            let get = |part: &str| from.get(&[path, &[item.as_str(), part]].concat());
            let word = |part: &str| {
                get(part)
                    .as_ref()
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let Some(Value::Int(count)) = get("count") else {
                continue;
            };
            let hub = word("hub");
            match word("step").as_str() {
                "issue" => {
                    places.issued += count;
                    *places.held.entry(hub).or_default() += count;
                }
                "pass" => {
                    *places.held.entry(hub).or_default() -= count;
                    *places.held.entry(word("to")).or_default() += count;
                }
                "take" => places.take(hub, count),
                "give back" => places.take(hub, -count),
                _ => {} // a step of a newer version
            }
        }
        places
    }

    fn take(&mut self, hub: String, count: i64) {
        self.taken += count;
        *self.held.entry(hub.clone()).or_default() -= count;
        *self.taken_by.entry(hub).or_default() += count;
    }

    /// What a hub holds and has not given away.
    pub(crate) fn held(&self, hub: &str) -> i64 {
        self.held.get(hub).copied().unwrap_or(0)
    }

    fn taken_by(&self, hub: &str) -> i64 {
        self.taken_by.get(hub).copied().unwrap_or(0)
    }

    pub(crate) fn json(&self) -> Json {
        let held = self
            .held
            .iter()
            .filter(|(_, count)| **count != 0)
            .collect::<BTreeMap<_, _>>();
        json!({ "issued": self.issued, "taken": self.taken, "held": held })
    }
}

/// Why a step cannot be taken, in words.
pub(crate) fn refuse(
    edit: &Edit<'_>,
    path: &[&str],
    hub: &str,
    step: Step<'_>,
    count: i64,
) -> Option<String> {
    if count < 1 {
        return Some("must be at least one".to_owned());
    }
    // The page may be older than what this hub has given away since: both must allow it.
    let (then, now) = (
        Places::read(edit, path),
        Places::read(&edit.document().view(), path),
    );
    let (free, what) = match step {
        Step::Issue => return None,
        Step::Pass { .. } | Step::Take => (then.held(hub).min(now.held(hub)), "holds"),
        Step::GiveBack => (then.taken_by(hub).min(now.taken_by(hub)), "has taken"),
    };
    (count > free).then(|| format!("cannot spare {count}: this hub {what} {free}"))
}

/// Writes a step into the log.
pub(crate) fn write(
    edit: &mut Edit<'_>,
    path: &[&str],
    item: &str,
    hub: &str,
    step: Step<'_>,
    count: i64,
) -> Result<(), EditError> {
    let last = edit.items(path).pop();
    edit.place_item(path, item, last.as_deref())?;
    let name = match step {
        Step::Issue => "issue",
        Step::Pass { .. } => "pass",
        Step::Take => "take",
        Step::GiveBack => "give back",
    };
    let mut put = |part: &str, value: Value| edit.put(&[path, &[item, part]].concat(), &value);
    put("step", name.into())?;
    put("hub", hub.into())?;
    put("count", count.into())?;
    if let Step::Pass { to } = step {
        put("to", to.into())?;
    }
    Ok(())
}
