//! Places that cannot be overspent, even offline.
//!
//! Each hub spends only what it holds, and what it holds only itself can spend; holdings move in
//! a log. So no two hubs, however long apart, can give the last place away twice.

use std::collections::{BTreeMap, BTreeSet};

use node_document::{Edit, EditError, Value, View};
use serde_json::{Value as Json, json};

use crate::fields::Fields;
use crate::proven::{Proven, ProvenItem};

/// How places stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places {
    issued: i64,
    taken: i64,
    held: BTreeMap<String, i64>,
    /// By hub and by the thing for which they were taken, if there is one.
    taken_by: BTreeMap<(String, String), i64>,
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
    /// How they stand. A step counts only if the hub took it of which it says so, and issuing only
    /// if it is the owner; of an edit in progress what it adds counts as it is.
    pub(crate) fn read(from: &impl Fields, path: &[&str]) -> Self {
        let view = from.proven();
        let view = &view.whole();
        let steps = Proven::new(view, path);
        let mut places = Self::default();
        let removed = steps.removed().into_iter().collect::<BTreeSet<_>>();
        for item in from.items(path) {
            if removed.contains(&item) {
                continue;
            }
            if view.has_item(path, &item) {
                places.add_proven(&steps, view, &item);
            } else {
                places.add(|part| from.get(&[path, &[&item, part]].concat()));
            }
        }
        // Nobody takes a step back by taking it out.
        for item in &removed {
            places.add_proven(&steps, view, item);
        }
        places
    }

    /// Adds a step as the hub wrote it that took it.
    fn add_proven(&mut self, steps: &Proven<'_>, view: &View<'_>, item: &str) {
        for found in steps.item(item) {
            if counts(steps, view, item, &found) {
                self.add(|part| steps.get(item, &found, part));
            }
        }
    }

    fn add(&mut self, get: impl Fn(&str) -> Option<Value>) {
        let word = |part: &str| {
            get(part)
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        // Less than one would be a step the other way, past all that is asked of that.
        let Some(Value::Int(count @ 1..)) = get("count") else {
            return;
        };
        let hub = word("hub");
        match word("step").as_str() {
            "issue" => self.issue(hub, count),
            "pass" => self.pass(hub, word("to"), count),
            "take" => self.take(hub, word("for"), count),
            "give back" => self.take(hub, word("for"), count.saturating_neg()),
            _ => {} // a step of a newer version
        }
    }

    fn issue(&mut self, hub: String, count: i64) {
        self.issued = self.issued.saturating_add(count);
        self.hold(hub, count);
    }

    fn pass(&mut self, hub: String, to: String, count: i64) {
        self.hold(hub, count.saturating_neg());
        self.hold(to, count);
    }

    fn hold(&mut self, hub: String, count: i64) {
        let held = self.held.entry(hub).or_default();
        *held = held.saturating_add(count);
    }

    fn take(&mut self, hub: String, thing: String, count: i64) {
        self.taken = self.taken.saturating_add(count);
        self.hold(hub.clone(), count.saturating_neg());
        let taken = self.taken_by.entry((hub, thing)).or_default();
        *taken = taken.saturating_add(count);
    }

    /// How many there are.
    pub(crate) const fn issued(&self) -> i64 {
        self.issued
    }

    /// How many are taken.
    pub(crate) const fn taken(&self) -> i64 {
        self.taken
    }

    /// What a hub holds and has not given away.
    pub(crate) fn held(&self, hub: &str) -> i64 {
        self.held.get(hub).copied().unwrap_or(0)
    }

    /// What a hub has taken for a thing; for none, if that is empty.
    pub(crate) fn taken_for(&self, hub: &str, thing: &str) -> i64 {
        let key = (hub.to_owned(), thing.to_owned());
        self.taken_by.get(&key).copied().unwrap_or(0)
    }

    /// The things for which a hub has taken places.
    pub(crate) fn things_of(&self, hub: &str) -> Vec<String> {
        let taken = self.taken_by.iter();
        taken
            .filter(|((by, thing), count)| by == hub && !thing.is_empty() && **count > 0)
            .map(|((_, thing), _)| thing.clone())
            .collect()
    }

    pub(crate) fn json(&self) -> Json {
        let held = self
            .held
            .iter()
            .filter(|(_, count)| **count != 0)
            .collect::<BTreeMap<_, _>>();
        let mut json = json!({ "issued": self.issued, "taken": self.taken, "held": held });
        let mut things = BTreeMap::<&str, i64>::new();
        for ((_, thing), count) in &self.taken_by {
            if !thing.is_empty() && *count != 0 {
                let sum = things.entry(thing).or_default();
                *sum = sum.saturating_add(*count);
            }
        }
        if !things.is_empty() {
            json["taken_for"] = json!(things);
        }
        json
    }
}

/// Whether a step counts: its hub took it itself, at least one place moves, and only the owner
/// issues.
fn counts(steps: &Proven<'_>, view: &View<'_>, item: &str, found: &ProvenItem<'_>) -> bool {
    let word = |part: &str| steps.get(item, found, part);
    let says = |part: &str, what: &str| {
        word(part)
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or_default()
            == what
    };
    matches!(word("count"), Some(Value::Int(1..)))
        && says("hub", &found.hub.to_string())
        && (!says("step", "issue") || found.hub == view.owner())
}

/// The steps that do not count, and those over which another hub wrote.
pub(crate) fn not_counted(view: &View<'_>, path: &[&str]) -> Vec<String> {
    let steps = Proven::new(view, path);
    let mut items = view.items(path);
    items.retain(|item| {
        let found = steps.item(item);
        let [found] = found.as_slice() else {
            return true;
        };
        !counts(&steps, view, item, found)
    });
    items
}

/// How places stand while an edit goes on, read once: by its page, which may be older, and in the
/// newest state, both with what the edit has written.
#[derive(Debug)]
pub(crate) struct Ledger {
    page: Places,
    newest: Places,
}

impl Ledger {
    pub(crate) fn read(edit: &Edit<'_>, path: &[&str]) -> Self {
        let view = edit.document().view().whole();
        let steps = Proven::new(&view, path);
        let removed = steps.removed().into_iter();
        let known = view.items(path).into_iter().chain(removed);
        let known = known.collect::<BTreeSet<_>>();
        let mut newest = Places::read(&view, path);
        let items = edit.items(path).into_iter();
        for item in items.filter(|item| !known.contains(item)) {
            newest.add(|part| edit.get(&[path, &[&item, part]].concat()));
        }
        Self {
            page: Places::read(edit, path),
            newest,
        }
    }

    /// How they stand in the newest state, with what the edit has written.
    pub(crate) const fn newest(&self) -> &Places {
        &self.newest
    }

    /// How they stand by the page, with what the edit has written.
    pub(crate) const fn page(&self) -> &Places {
        &self.page
    }

    /// What a hub can take: what it has given away since its page was made is gone.
    pub(crate) fn free(&self, hub: &str) -> i64 {
        self.page.held(hub).min(self.newest.held(hub))
    }

    /// Why a step cannot be taken, in words.
    pub(crate) fn refuse(&self, hub: &str, step: Step<'_>, count: i64) -> Option<String> {
        if count < 1 {
            return Some("must be at least one".to_owned());
        }
        let (free, what) = match step {
            Step::Issue => return None,
            Step::Pass { .. } | Step::Take => (self.free(hub), "holds"),
            Step::GiveBack => {
                let (then, now) = (&self.page, &self.newest);
                let taken = then.taken_for(hub, "").min(now.taken_for(hub, ""));
                (taken, "has taken")
            }
        };
        (count > free).then(|| format!("cannot spare {count}: this hub {what} {free}"))
    }

    /// Notes a step that was written, as one taken for a thing if that is not empty.
    pub(crate) fn note(&mut self, (hub, thing): (&str, &str), step: Step<'_>, count: i64) {
        for places in [&mut self.page, &mut self.newest] {
            let (hub, thing) = (hub.to_owned(), thing.to_owned());
            match step {
                Step::Issue => places.issue(hub, count),
                Step::Pass { to } => places.pass(hub, to.to_owned(), count),
                Step::Take => places.take(hub, thing, count),
                Step::GiveBack => places.take(hub, thing, count.saturating_neg()),
            }
        }
    }
}

/// Writes a step into the log, as one taken for a thing if that is not empty.
pub(crate) fn write(
    edit: &mut Edit<'_>,
    path: &[&str],
    item: &str,
    (hub, thing): (&str, &str),
    step: Step<'_>,
    count: i64,
) -> Result<(), EditError> {
    let last = edit.last_item(path);
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
    if !thing.is_empty() {
        put("for", thing.into())?;
    }
    Ok(())
}
