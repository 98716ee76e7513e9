//! What needs somebody: the open items of the home page.

use std::collections::{BTreeMap, BTreeSet};

use node_document::Document;
use node_domain::{Duty, LEADER_DAYS, Object, PERSON, PLAN, PROGRAMME, PROJECT_WORK, RETURN};
use node_feed::SpaceKind;
use serde_json::Value;
use time::format_description::well_known::Iso8601;
use time::{Date, Duration};

use super::told::Told;
use super::{Desk, Known, settles};
use crate::records::find::Find;
use crate::records::list::ListedRecord;
use crate::records::publish::origin_of;
use crate::records::{Concerning, RecordId, RecordsError};

/// So many days before it is due a return is an open item.
const DUE_WITHIN_DAYS: i64 = 28;
/// The states in which a return was sent.
const SENT: [&str; 3] = ["submitted", "accepted", "corrected"];

/// An open item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// What it is.
    pub what: NeedKind,
    /// What people call the record.
    pub title: String,
    /// The record, by its id; empty where there is none yet.
    pub record: String,
    /// The path of the field that stands in several versions, or the item that waits; empty
    /// otherwise.
    pub field: String,
    /// What is to be done, in a sentence.
    pub sentence: String,
    /// Since when it waits, in ms since 1970, if that is known.
    pub since_ms: Option<u64>,
}

/// What an open item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NeedKind {
    /// Two versions, of which one must be chosen, or what was raised.
    Decide,
    /// A data agreement that this hub has not signed.
    Sign,
    /// Another hub's request for a leader's days.
    Answer,
    /// A plan that came back.
    PlanReturned,
    /// A return that is due.
    ReturnDue,
    /// Two cards that are likely the same person.
    SamePerson,
    /// A change that is held for checking.
    SetAside,
}

impl Desk {
    /// What needs whoever sits here: what the role and the person are asked to decide, sign,
    /// answer, send and check, the kinds in this order and the oldest first. Home shows its count.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn needs_me(&self) -> Result<Vec<Need>, RecordsError> {
        let unsent = self.node.unsent()?.to_string();
        let (role, day) = (self.role.name, self.today());
        let weigh = |needs: &Vec<Need>| {
            let sizes = needs.iter();
            let sizes = sizes.map(|need| 200 + need.title.len() + need.sentence.len());
            sizes.sum()
        };
        let what = ["needs", role, &self.holder, &day, &unsent];
        let needs = self.node.remembered(&what, weigh, || self.needs())?;
        Ok(needs.as_ref().clone())
    }

    fn needs(&self) -> Result<Vec<Need>, RecordsError> {
        let mut needs = Vec::new();
        if !Known::default().is_held(self)? {
            return Ok(needs);
        }
        let mut told = self.records_told("")?;
        self.to_decide(&mut told, &mut needs)?;
        if self.node.hub().is_some() && !self.is_coordinator() {
            self.to_sign(&mut needs)?;
            self.to_send(&mut needs)?;
        }
        self.to_answer(&mut needs)?;
        self.returned(&mut needs)?;
        self.same_people(&mut needs)?;
        if self.has(Duty::Settings) || self.has(Duty::Import) {
            for aside in self.set_aside()? {
                needs.push(Need {
                    what: NeedKind::SetAside,
                    title: aside.title,
                    record: aside.record,
                    field: String::new(),
                    sentence: aside.sentence,
                    since_ms: Some(aside.time_ms).filter(|time| *time > 0),
                });
            }
        }
        needs.sort_by_key(|need| (need.what, need.since_ms.unwrap_or(u64::MAX)));
        Ok(needs)
    }

    fn to_decide(&self, told: &mut Told<'_>, needs: &mut Vec<Need>) -> Result<(), RecordsError> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let listed = self.versions("", &Concerning::default())?;
        for open in listed.versions {
            let (record, field) = (text(&open["record"]), text(&open["field"]));
            if open["decide"] != true {
                continue;
            }
            let Some(reached) = told.reached(&record)? else {
                continue;
            };
            let concerned = node_domain::concerned_in(&reached.fields, reached.kind);
            let settles = settles(reached.may, reached.kind, &field);
            if !settles || !self.are_meant(concerned.roles, &concerned.persons) {
                continue;
            }
            let versions = open["versions"].as_array().map_or(&[][..], Vec::as_slice);
            let since = versions
                .iter()
                .filter_map(|it| it["time_ms"].as_u64())
                .max();
            let sentence = match open["sentence"].as_str() {
                Some(sentence) => sentence.to_owned(),
                None => format!(
                    "\"{}\" stands in {} versions: choose one",
                    text(&open["label"]),
                    versions.len()
                ),
            };
            needs.push(Need {
                what: NeedKind::Decide,
                title: text(&open["title"]),
                record,
                field,
                sentence,
                since_ms: since,
            });
        }
        Ok(())
    }

    /// Whether open versions, as [`Desk::versions`] lists them, concern whoever sits here.
    pub fn is_concerned(&self, open: &Value) -> bool {
        let named = |name: &str| {
            let named = open[name].as_array().into_iter().flatten();
            named.filter_map(Value::as_str)
        };
        self.are_meant(named("roles"), named("persons"))
    }

    /// Whether the role is among these or stands in for one of them, as an assistant hub lead does
    /// for the hub lead, or the holder among these persons.
    fn are_meant(
        &self,
        roles: impl IntoIterator<Item = impl AsRef<str>>,
        persons: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> bool {
        let stands_for = |role: &str| {
            role == self.role.name || (role == "hub lead" && self.role.name == "assistant hub lead")
        };
        let mut persons = persons.into_iter().filter(|_| !self.holder.is_empty());
        roles.into_iter().any(|role| stands_for(role.as_ref()))
            || persons.any(|person| person.as_ref() == self.holder)
    }

    fn to_sign(&self, needs: &mut Vec<Need>) -> Result<(), RecordsError> {
        let node = &self.node;
        let (Some(hub), Some(coordinator)) = (node.hub(), node.coordinator_hub()) else {
            return Ok(());
        };
        if !self.writes(PROJECT_WORK.name, "signatures") {
            return Ok(());
        }
        let code = node.own_code();
        for record in node.list_records(PROJECT_WORK.name, "")? {
            let RecordId::Document(document) = record.id else {
                continue;
            };
            if document.owner() != coordinator {
                continue;
            }
            let (_, fields) = node.record_fields_in(record.space, record.id)?;
            let rows = items(&fields, "participation");
            let mut own = rows.filter(|row| row["hub"] == code.as_str());
            if own.any(|row| row["status"] == "left") {
                continue;
            }
            let work = |document: &mut Document| {
                node_domain::unsigned(document, (&code, hub), coordinator)
            };
            let (library, storage) = (&node.inner.library, &node.inner.storage);
            let Some(unsigned) = library.with(storage, record.space, document, work)? else {
                continue;
            };
            let count = unsigned.fields.len();
            let fields = if count == 1 { "field" } else { "fields" };
            needs.push(Need {
                what: NeedKind::Sign,
                title: record.title,
                record: document.to_string(),
                field: "signatures".to_owned(),
                sentence: format!(
                    "the data agreement lists {count} {fields} that this hub has not signed"
                ),
                since_ms: unsigned.since_ms,
            });
        }
        Ok(())
    }

    fn to_answer(&self, needs: &mut Vec<Need>) -> Result<(), RecordsError> {
        if !self.writes(LEADER_DAYS.name, "answers") {
            return Ok(());
        }
        for record in self.node.list_records(LEADER_DAYS.name, "")? {
            if !self.is_own(record.id) {
                continue;
            }
            let (_, fields) = self.node.record_fields_in(record.space, record.id)?;
            let answered = items(&fields, "answers");
            let answered = answered.filter_map(|it| it["request"].as_str());
            let answered = answered.collect::<BTreeSet<_>>();
            for request in items(&fields, "requests") {
                let id = request["id"].as_str().unwrap_or_default();
                if answered.contains(id) {
                    continue;
                }
                let hub = self.hub_name(request["hub"].as_str().unwrap_or_default());
                let days = request["days"].as_u64().unwrap_or_default();
                let unit = if days == 1 { "day" } else { "days" };
                needs.push(Need {
                    what: NeedKind::Answer,
                    title: record.title.clone(),
                    record: record.id.to_string(),
                    field: format!("requests/{id}"),
                    sentence: format!("{hub} asks for {days} {unit}"),
                    since_ms: self.written_ms(&record, &["requests", id])?,
                });
            }
        }
        Ok(())
    }

    fn returned(&self, needs: &mut Vec<Need>) -> Result<(), RecordsError> {
        if !self.writes(PLAN.name, "items") || self.is_coordinator() {
            return Ok(());
        }
        let find = Find {
            kind: PLAN.name.to_owned(),
            filters: vec!["state is returned".to_owned()],
            ..Find::default()
        };
        let mut known = BTreeSet::new();
        for record in self.node.find_records(&find)?.records {
            if !self.is_own(record.id) {
                continue;
            }
            let plan = self.plan_of(&record)?;
            if !known.insert(plan.clone()) {
                continue;
            }
            needs.push(Need {
                what: NeedKind::PlanReturned,
                title: record.title.clone(),
                record: plan,
                field: String::new(),
                sentence: "the plan came back: read the comments, and submit it again".to_owned(),
                since_ms: self.written_ms(&record, &["state"])?,
            });
        }
        Ok(())
    }

    /// The plan of which a copy was sent, or the plan itself.
    fn plan_of(&self, copy: &ListedRecord) -> Result<String, RecordsError> {
        let shared = self.space_choice(copy.space);
        if shared.is_some_and(|space| space.kind != SpaceKind::Hub) {
            let (_, fields) = self.node.record_fields_in(copy.space, copy.id)?;
            let origin = fields.get("origin").and_then(Value::as_str);
            for plan in self.node.list_records(PLAN.name, "")? {
                let from = origin_of(plan.id.subject(), copy.space);
                if plan.space != copy.space && origin == Some(from.as_str()) {
                    return Ok(plan.id.to_string());
                }
            }
        }
        Ok(copy.id.to_string())
    }

    fn to_send(&self, needs: &mut Vec<Need>) -> Result<(), RecordsError> {
        if !self.has(Duty::Returns) {
            return Ok(());
        }
        let mut own = Vec::new();
        for record in self.node.list_records(RETURN.name, "")? {
            if self.is_own(record.id) {
                let columns = serde_json::from_str::<Object>(&record.json).unwrap_or_default();
                own.push((record.id.to_string(), columns));
            }
        }
        let within = self.day.saturating_add(Duration::days(DUE_WITHIN_DAYS));
        for programme in self.node.list_records(PROGRAMME.name, "")? {
            let fields = self.node.readable(programme.space, programme.id)?;
            for due in items(&fields.unwrap_or_default(), "due") {
                let on = due["on"].as_str().unwrap_or_default();
                let Ok(day) = Date::parse(on, &Iso8601::DATE) else {
                    continue;
                };
                let of_it = |columns: &Object| {
                    let same = |name: &str| columns.get(name) == due.get(name);
                    same("period") && same("measure")
                };
                let state = |columns: &Object| {
                    let state = columns.get("state").and_then(Value::as_str);
                    state.unwrap_or_default().to_owned()
                };
                let mut of_it = own.iter().filter(|(_, columns)| of_it(columns));
                let sent = of_it.clone();
                if day > within
                    || sent
                        .into_iter()
                        .any(|(_, it)| SENT.contains(&state(it).as_str()))
                {
                    continue;
                }
                let word = |name: &str| due[name].as_str().unwrap_or_default();
                let (measure, period) = (word("measure"), word("period"));
                let when = if day < self.day { "was" } else { "is" };
                needs.push(Need {
                    what: NeedKind::ReturnDue,
                    title: format!("{measure}, {period}"),
                    record: of_it.next().map(|(id, _)| id.clone()).unwrap_or_default(),
                    field: String::new(),
                    sentence: format!("the return {when} due on {}", british(day)),
                    since_ms: None,
                });
            }
        }
        Ok(())
    }

    fn same_people(&self, needs: &mut Vec<Need>) -> Result<(), RecordsError> {
        if !self.has(Duty::People) {
            return Ok(());
        }
        let likely = self.duplicates()?;
        let ids = likely
            .iter()
            .flat_map(|pair| [pair.a.as_str(), pair.b.as_str()]);
        let ids = ids.collect::<Vec<_>>();
        let titles = self.node.remembered_of_kinds(
            &[PERSON.name],
            &[
                "titles",
                self.role.name,
                &self.holder,
                &self.today(),
                &ids.join(" "),
            ],
            |titles: &BTreeMap<String, String>| titles.len() * 160,
            || self.title_of(&ids),
        )?;
        let title = |id: &str| titles.get(id).cloned().unwrap_or_default();
        needs.extend(likely.iter().map(|pair| Need {
            what: NeedKind::SamePerson,
            title: format!("{} and {}", title(&pair.a), title(&pair.b)),
            record: pair.a.clone(),
            field: pair.b.clone(),
            sentence: format!("likely the same person: {}", pair.why.join(", ")),
            since_ms: None,
        }));
        Ok(())
    }

    /// When what is shown at a path, or an item, was written.
    fn written_ms(
        &self,
        record: &ListedRecord,
        path: &[&str],
    ) -> Result<Option<u64>, RecordsError> {
        let RecordId::Document(document) = record.id else {
            return Ok(None);
        };
        let work = |document: &mut Document| {
            let view = document.view();
            let author = match path {
                [list, item] => view.item_author(&[list], item),
                path => view.author(path),
            };
            author.map(|author| author.time_ms)
        };
        let (library, storage) = (&self.node.inner.library, &self.node.inner.storage);
        Ok(library.with(storage, record.space, document, work)?)
    }
}

fn items<'a>(fields: &'a Object, list: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let items = fields.get(list).and_then(Value::as_array);
    items.into_iter().flatten()
}

/// A day as people here write it, such as 26 November 2026.
fn british(day: Date) -> String {
    format!("{} {} {}", day.day(), day.month(), day.year())
}
