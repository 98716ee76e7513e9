//! What is brought to some values of a log takes a place.
//!
//! A place belongs to the thing for which its hub took it. A hub keeps the place of a thing as
//! long as the thing's latest item is its own and needs one. What it says itself later always
//! outranks what it said before, and no other hub can speak with its place; so there are never
//! more such things than places, however the edits of hubs interleave.

use std::collections::{BTreeMap, BTreeSet};

use node_document::Value;
use serde_json::Value as Json;

use crate::Object;
use crate::declaration::{Field, Rule};
use crate::error::{Problem, RecordError};
use crate::fields::written;
use crate::places::{self, Ledger, Step};
use crate::proven::{Proven, Writable};
use crate::rules::{Progress, title_of};
use crate::writer::Writer;

/// A rule of this sort, as declared.
#[derive(Debug, Clone, Copy)]
struct Spending {
    log: &'static str,
    about: &'static str,
    field: &'static str,
    values: &'static [&'static str],
    places: &'static str,
    count: &'static str,
    otherwise: &'static str,
}

/// What an item of the log says of a thing.
#[derive(Debug, Clone, Default)]
struct Said {
    item: String,
    as_at: String,
    value: String,
    count: i64,
    /// Whether this hub wrote it, in this edit or before.
    own: bool,
}

/// An item that may be a thing's latest.
#[derive(Debug, Clone, Copy)]
struct Standing {
    needs: i64,
    own: bool,
}

impl Spending {
    fn of(rules: &[Rule], named: impl Fn(&Self) -> bool) -> Vec<Self> {
        let spending = |rule: &Rule| match *rule {
            Rule::Spends {
                log,
                about,
                field,
                values,
                places,
                count,
                otherwise,
            } => Some(Self {
                log,
                about,
                field,
                values,
                places,
                count,
                otherwise,
            }),
            Rule::Needs { .. }
            | Rule::Settled { .. }
            | Rule::Locked { .. }
            | Rule::OwnerSteps { .. }
            | Rule::Kept { .. }
            | Rule::Names { .. } => None,
        };
        rules.iter().filter_map(spending).filter(named).collect()
    }

    fn needs(&self, said: &Said) -> i64 {
        if self.values.contains(&said.value.as_str()) {
            said.count.max(0)
        } else {
            0
        }
    }

    /// What an item says, and the thing of which it says so.
    fn said(&self, get: impl Fn(&str) -> Option<Value>, item: &str, own: bool) -> (String, Said) {
        let word = |part: &str| {
            let value = get(part);
            let text = value.as_ref().and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let count = match get(self.count) {
            Some(Value::Int(count)) if !self.count.is_empty() => count,
            Some(_) | None => 1,
        };
        let said = Said {
            as_at: word("as_at"),
            value: word(self.field),
            count,
            item: item.to_owned(),
            own,
        };
        (word(self.about), said)
    }
}

/// The latest item about each thing: by its day if the log has days, then by the log's order.
#[derive(Debug, Default)]
struct Latest(BTreeMap<String, Said>);

impl Latest {
    /// Notes the next item of the log.
    fn note(&mut self, (thing, said): (String, Said)) {
        let known = self.0.entry(thing).or_default();
        if said.as_at >= known.as_at {
            *known = said;
        }
    }
}

/// What a log says, on the page with this edit and in the newest state.
#[derive(Debug)]
struct Log {
    rule: Spending,
    page: Latest,
    newest: Latest,
    on_page: BTreeSet<String>,
}

/// Places, and the logs by which they are taken, as they stand while an edit goes on. Each is read
/// once.
#[derive(Debug, Default)]
pub(crate) struct Ledgers {
    places: BTreeMap<String, Ledger>,
    /// By the log and the places.
    logs: BTreeMap<(&'static str, &'static str), Log>,
}

impl Writer<'_, '_> {
    /// The values of a new item of a log, once its places are taken or given back. Where there is
    /// no place they say otherwise than asked.
    pub(crate) fn spend(
        &mut self,
        log: &Field,
        mut values: Object,
        progress: &mut Progress,
    ) -> Result<Object, RecordError> {
        if progress.creating && self.by.program {
            return Ok(values); // what was taken comes with the record
        }
        for rule in Spending::of(self.kind.rules, |rule| rule.log == log.name) {
            if self.ledger(&[rule.places]).newest().issued() < 1 {
                continue;
            }
            let log = self.take_log(&rule);
            let spent = self.spend_by(&log, &mut values, progress);
            self.ledgers.logs.insert((rule.log, rule.places), log);
            spent?;
        }
        Ok(values)
    }

    fn spend_by(
        &mut self,
        log: &Log,
        values: &mut Object,
        progress: &mut Progress,
    ) -> Result<(), RecordError> {
        let rule = &log.rule;
        self.give_back(log)?;
        let word = |name: &str| {
            let value = values.get(name).and_then(Json::as_str);
            value.unwrap_or_default().to_owned()
        };
        let count = values.get(rule.count).map_or(Some(1), |count| {
            count
                .as_i64()
                .or_else(|| count.as_str()?.trim().parse().ok())
        });
        let thing = word(rule.about);
        let said = Said {
            item: String::new(),
            as_at: word("as_at"),
            value: word(rule.field),
            count: count.unwrap_or(1),
            own: true,
        };
        let stood = log.standings(&thing, None);
        let due = log.due(&thing, Some(&said));
        let hub = self.by.author.hub.to_string();
        let ledger = self.ledger(&[rule.places]);
        let (taken, free) = (ledger.newest().taken_for(&hub, &thing), ledger.free(&hub));
        let more = due - taken;
        if more < 0 {
            self.move_places(rule, &thing, more)?;
        } else if more > free {
            let why = self.no_place(rule, &thing, free);
            if stood.iter().any(|standing| standing.needs > 0) {
                let message = format!("{why}; what was said before stands");
                return Err(Problem::new(rule.log, message).into());
            }
            progress.notes.push(format!(
                "{why}: '{}' was entered instead of '{}'",
                rule.otherwise, said.value
            ));
            values.insert(rule.field.to_owned(), Json::from(rule.otherwise));
        } else if more > 0 {
            self.move_places(rule, &thing, more)?;
        }
        Ok(())
    }

    /// Once places were issued: takes those that what stands already needs, as far as there are.
    pub(crate) fn cover(&mut self, places: &str) -> Result<(), RecordError> {
        for rule in Spending::of(self.kind.rules, |rule| rule.places == places) {
            let hub = self.by.author.hub.to_string();
            let log = self.take_log(&rule);
            for thing in log.page.0.keys() {
                let ledger = self.ledger(&[rule.places]);
                let more = log.due(thing, None) - ledger.newest().taken_for(&hub, thing);
                if more > 0 && more <= ledger.free(&hub) {
                    self.move_places(&rule, thing, more)?;
                }
            }
            self.ledgers.logs.insert((rule.log, rule.places), log);
        }
        Ok(())
    }

    /// Brings places to where an export says that they stood.
    pub(crate) fn restore_places(&mut self, places: &str, stood: &Json) -> Result<(), RecordError> {
        self.cover(places)?;
        let path = [places];
        let hub = self.by.author.hub.to_string();
        let covered = self.ledger(&path).page().taken();
        let rest = stood["taken"].as_i64().unwrap_or(0).saturating_sub(covered);
        if rest > 0 {
            self.place_step(&path, Step::Take, rest)?;
        }
        for (holder, count) in stood["held"].as_object().into_iter().flatten() {
            let count = count.as_i64().unwrap_or(0);
            if *holder != hub && count > 0 {
                self.place_step(&path, Step::Pass { to: holder }, count)?;
            }
        }
        Ok(())
    }

    /// Gives back the places of things that no longer need one of this hub's.
    fn give_back(&mut self, log: &Log) -> Result<(), RecordError> {
        let hub = self.by.author.hub.to_string();
        let places = self.ledger(&[log.rule.places]).newest();
        let things = places.things_of(&hub).into_iter();
        let moved = things.map(|thing| {
            let more = log.due(&thing, None) - places.taken_for(&hub, &thing);
            (thing, more)
        });
        for (thing, more) in moved.collect::<Vec<_>>() {
            if more < 0 {
                self.move_places(&log.rule, &thing, more)?;
            }
        }
        Ok(())
    }

    fn move_places(&mut self, rule: &Spending, thing: &str, more: i64) -> Result<(), RecordError> {
        let step = if more > 0 { Step::Take } else { Step::GiveBack };
        let hub = self.by.author.hub.to_string();
        self.write_places(&[rule.places], (&hub, thing), step, more.saturating_abs())
    }

    /// Writes a step of places, as one taken for a thing if that is not empty.
    pub(crate) fn write_places(
        &mut self,
        path: &[&str],
        by: (&str, &str),
        step: Step<'_>,
        count: i64,
    ) -> Result<(), RecordError> {
        self.ledger(path);
        let item = self.draw();
        places::write(self.edit, path, &item, by, step, count)?;
        if let Some(ledger) = self.ledgers.places.get_mut(&written(path)) {
            ledger.note(by, step, count);
        }
        Ok(())
    }

    /// How places stand, with what this edit has written.
    pub(crate) fn ledger(&mut self, path: &[&str]) -> &Ledger {
        let places = self.ledgers.places.entry(written(path));
        places.or_insert_with(|| Ledger::read(self.edit, path))
    }

    /// What a log says, with what this edit has written. It is to be put back among the ledgers.
    fn take_log(&mut self, rule: &Spending) -> Log {
        let known = self.ledgers.logs.remove(&(rule.log, rule.places));
        known.unwrap_or_else(|| self.read_log(rule))
    }

    fn read_log(&self, rule: &Spending) -> Log {
        let view = self.edit.document().view();
        let view = &view.whole();
        let list = [rule.log];
        let proven = Proven::new(view, &list);
        let owner = view.owner();
        let log = self.kind.field(rule.log);
        let by_owner = log.is_some_and(|log| Writable::of(self.kind, log) == Writable::Owner);
        let own = |item: &str| {
            let author = view.author(&[rule.log, item, rule.field]);
            author.is_none_or(|author| author.hub == self.by.author.hub)
        };
        // What only the owner may say counts as the owner said it.
        let stood = |item: &str| {
            let written = proven.written_by(item, |hub| hub == owner)?;
            let said = rule.said(|part| proven.get(item, &written, part), item, true);
            Some((
                said.0,
                Said {
                    own: owner == self.by.author.hub,
                    ..said.1
                },
            ))
        };
        let on_page = self.edit.items(&list);
        let (mut page, mut newest) = (Latest::default(), Latest::default());
        for item in &on_page {
            if by_owner && view.has_item(&list, item) {
                stood(item).into_iter().for_each(|said| page.note(said));
            } else {
                let get = |part: &str| self.edit.get(&[rule.log, item, part]);
                page.note(rule.said(get, item, own(item)));
            }
        }
        for item in view.items(&list) {
            if by_owner {
                stood(&item).into_iter().for_each(|said| newest.note(said));
            } else {
                let get = |part: &str| view.get(&[rule.log, &item, part]);
                newest.note(rule.said(get, &item, own(&item)));
            }
        }
        Log {
            rule: *rule,
            page,
            newest,
            on_page: on_page.into_iter().collect(),
        }
    }

    /// Notes a new item of a log, the last of it.
    pub(crate) fn note_said(&mut self, log: &Field, item: &str) {
        for known in self.ledgers.logs.values_mut() {
            if known.rule.log == log.name {
                let get = |part: &str| self.edit.get(&[known.rule.log, item, part]);
                let said = known.rule.said(get, item, true);
                known.page.note(said);
                known.on_page.insert(item.to_owned());
            }
        }
    }

    fn no_place(&self, rule: &Spending, thing: &str, free: i64) -> String {
        let field = |name: &str| self.kind.field(name);
        let label = field(rule.places).map_or(rule.places, |field| field.label);
        let naming = self.kind.rules.iter().find_map(|naming| match *naming {
            Rule::Names { list, field, of } if (list, field) == (rule.log, rule.about) => Some(of),
            Rule::Names { .. }
            | Rule::Spends { .. }
            | Rule::Needs { .. }
            | Rule::Settled { .. }
            | Rule::Locked { .. }
            | Rule::OwnerSteps { .. }
            | Rule::Kept { .. } => None,
        });
        let title = naming
            .and_then(field)
            .map_or_else(|| thing.to_owned(), |of| title_of(self.edit, of, thing));
        let left = match free {
            ..=0 => "none".to_owned(),
            1.. => free.to_string(),
        };
        format!("there is no place left for '{title}' (of '{label}' this hub has {left} left)")
    }
}

impl Log {
    /// How many places this hub needs for a thing, if `said` is added about it.
    fn due(&self, thing: &str, said: Option<&Said>) -> i64 {
        let standings = self.standings(thing, said).into_iter();
        let own = standings.filter(|standing| standing.own);
        own.map(|standing| standing.needs).max().unwrap_or(0)
    }

    /// What may be the latest about a thing, if `said` is added: one item, or two where the page
    /// is older than one of the same day, so that their order is not known yet.
    fn standings(&self, thing: &str, said: Option<&Said>) -> Vec<Standing> {
        let page = match (self.page.0.get(thing), said) {
            (Some(known), Some(said)) if said.as_at < known.as_at => Some(known),
            (known, None) => known,
            (_, said) => said,
        };
        let latest = match (page, self.newest.0.get(thing)) {
            (Some(page), Some(newest)) if !self.on_page.contains(&newest.item) => {
                match page.as_at.cmp(&newest.as_at) {
                    std::cmp::Ordering::Less => vec![newest],
                    std::cmp::Ordering::Equal => vec![page, newest],
                    std::cmp::Ordering::Greater => vec![page],
                }
            }
            (Some(page), _) => vec![page],
            (None, newest) => Vec::from_iter(newest),
        };
        let standing = |said: &Said| Standing {
            needs: self.rule.needs(said),
            own: said.own,
        };
        latest.into_iter().map(standing).collect()
    }
}
