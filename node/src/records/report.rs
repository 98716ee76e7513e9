//! Pictures drawn from what this node holds: the nation's, a project's, a hub's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use node_domain::{
    Alliance, AreaSchool, Connection, GROUP_SUMMARY, HUB, Mapping, ORGANISATION, Object, RETURN,
    SubmittedReturn, WORK_GROUP, Wanted,
};
use node_feed::DocumentId;
use serde_json::{Value, json};

use super::list::ListedRecord;
use super::{RecordId, RecordsError};
use crate::Node;

impl Node {
    /// A report by its name: `picture`, `comparison`, `synthesis`, `reach`, `evaluation` or
    /// `leaders`. `id` is the record that it is about, where it is about one; `options` a JSON
    /// object.
    ///
    /// # Errors
    /// [`RecordsError::Refused`] if there is no such report or its options are not as they should be.
    pub fn report(&self, what: &str, id: &str, options: &str) -> Result<Value, RecordsError> {
        let options = if options.is_empty() { "{}" } else { options };
        let options = serde_json::from_str::<ReportOptions>(options)
            .map_err(|error| RecordsError::Json(format!("the options are not right: {error}")))?;
        match what {
            "picture" => {
                let mapping = Some(options.mapping.as_str()).filter(|text| !text.is_empty());
                let mapping = mapping.map(mapping_of).transpose()?;
                self.picture(
                    &options.period,
                    &options.measure,
                    mapping,
                    &options.based_on,
                )
            }
            "comparison" => self.comparison(id),
            "synthesis" => self.synthesis(id),
            "reach" => self.reach(),
            "evaluation" => self.evaluation(&options.year, id),
            "leaders" => Ok(json!({ "leaders": self.directory(&options.words, options.days)? })),
            other => Err(RecordsError::Refused(format!(
                "there is no report \"{other}\": there are picture, comparison, synthesis, reach, \
                 evaluation and leaders"
            ))),
        }
    }

    /// Groups, sessions held and schools, by project and hub, from the published group summaries
    /// that this node holds.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn figures(&self) -> Result<Value, RecordsError> {
        let mut summaries = BTreeMap::<DocumentId, Object>::new();
        for record in self.list_records(GROUP_SUMMARY.name, "")? {
            if let RecordId::Document(id) = record.id
                && let Some(summary) = self.readable(record.space, record.id)?
            {
                summaries.insert(id, summary);
            }
        }
        let summaries = summaries.iter().map(|(id, summary)| (id.owner(), summary));
        let figures = node_domain::figures(summaries);
        let mut rows = figures
            .into_iter()
            .map(|((project, hub), figures)| {
                let hub = self.hub_code(hub);
                json!({
                    "project": project, "hub": hub, "groups": figures.groups,
                    "sessions_held": figures.sessions_held, "schools": figures.schools.len(),
                })
            })
            .collect::<Vec<_>>();
        rows.sort_by_key(Value::to_string);
        Ok(Value::Array(rows))
    }

    /// The picture of one measure in one period, from the returns that were submitted: by version
    /// of the measure, with the hubs that are missing named. With `based_on`, of just these
    /// returns, as a picture that was published earlier was.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn picture(
        &self,
        period: &str,
        measure: &str,
        mapping: Option<Mapping>,
        based_on: &[String],
    ) -> Result<Value, RecordsError> {
        let mut returns = Vec::new();
        for record in self.list_records(RETURN.name, "")? {
            let authority = self.authority();
            let space = authority.spaces().get(&record.space);
            // What stands in a hub's own space was not submitted.
            if space.is_none_or(|space| space.kind == node_feed::SpaceKind::Hub) {
                continue;
            }
            let Some(fields) = self.readable(record.space, record.id)? else {
                continue;
            };
            let hub = self.hub_code(record.id.subject().owner());
            returns.push((record.id.to_string(), hub, fields));
        }
        let expected = self.expected_hubs()?;
        let submitted = returns
            .iter()
            .map(|(id, hub, fields)| SubmittedReturn { id, hub, fields });
        let based_on = based_on.iter().cloned().collect::<BTreeSet<_>>();
        let wanted = Wanted {
            period,
            measure,
            expected: &expected,
            mapping,
            based_on: Some(&based_on).filter(|ids| !ids.is_empty()),
        };
        let picture = node_domain::picture(&submitted.collect::<Vec<_>>(), &wanted);
        let outdated = picture.is_outdated();
        let mut picture = json!(picture);
        picture["outdated"] = json!(outdated);
        Ok(picture)
    }

    /// The hubs that are expected to report: those that the national list calls active, or every
    /// connected hub while there is no list.
    fn expected_hubs(&self) -> Result<Vec<String>, RecordsError> {
        let listed = self.list_records(HUB.name, "")?;
        if listed.is_empty() {
            let coordinator = self.coordinator_hub();
            let authority = self.authority();
            let hubs = authority.hubs().iter();
            let hubs = hubs.filter(|(hub, _)| Some(**hub) != coordinator);
            return Ok(hubs.map(|(_, record)| record.code.clone()).collect());
        }
        let mut expected = BTreeSet::new();
        for record in listed {
            let Some(hub) = self.readable(record.space, record.id)? else {
                continue;
            };
            let active = matches!(
                hub.get("status").and_then(Value::as_str),
                Some("active" | "in transfer")
            );
            if active && hub.get("vacant") != Some(&json!(true)) {
                expected.extend(hub.get("code").and_then(Value::as_str).map(str::to_owned));
            }
        }
        Ok(expected.into_iter().collect())
    }

    /// A project across its hubs: stage, groups, sessions held, outcomes, adaptations and
    /// dissenting findings; never a person.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is no such project record here.
    pub fn comparison(&self, id: &str) -> Result<Value, RecordsError> {
        let found = self.find_record(id)?;
        let (_, project) = self.record_fields(id)?;
        let mut summaries = Vec::new();
        for record in self.list_records(GROUP_SUMMARY.name, &found.space.to_string())? {
            let Some(fields) = self.readable(record.space, record.id)? else {
                continue;
            };
            summaries.push((self.hub_code(record.id.subject().owner()), fields));
        }
        let summaries = summaries.iter().map(|(hub, fields)| (hub.as_str(), fields));
        Ok(json!(node_domain::comparison(
            &project,
            summaries,
            &self.codes()
        )))
    }

    /// The findings of a project, each with the hubs for and against it and their evidence.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is no such project record here.
    pub fn synthesis(&self, id: &str) -> Result<Value, RecordsError> {
        let (_, project) = self.record_fields(id)?;
        Ok(json!(node_domain::synthesis(&project, &self.codes())))
    }

    /// The codes of hubs by their ids.
    fn codes(&self) -> BTreeMap<String, String> {
        let authority = self.authority();
        let hubs = authority.hubs().iter();
        hubs.map(|(hub, record)| (hub.to_string(), record.code.clone()))
            .collect()
    }

    /// The schools of this hub's area that are reached, and by what, and those that nobody has
    /// reached yet: by its own work groups, and by those of which it holds a published summary. A
    /// school counts once, whoever reached it.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn reach(&self) -> Result<Value, RecordsError> {
        let areas = self.own_areas()?;
        let known = self.remembered_of_kinds(
            &[ORGANISATION.name],
            &["schools and alliances"],
            |(schools, alliances): &(Vec<AreaSchool>, Vec<Alliance>)| {
                300 * (schools.len() + alliances.len())
            },
            || self.schools_and_alliances(),
        )?;
        let (schools, alliances) = known.as_ref();
        let mut connections = Vec::new();
        for (kind, connected) in [
            (WORK_GROUP.name, connections_of as Connecting),
            (GROUP_SUMMARY.name, summary_connections),
        ] {
            for record in self.list_records(kind, "")? {
                connections.extend(self.connected(&record, connected)?.iter().cloned());
            }
        }
        let area = schools.iter().cloned();
        let area = area.filter(|it| areas.is_empty() || areas.contains(&it.local_authority));
        Ok(json!(node_domain::reach(area, connections, alliances)))
    }

    /// What connects schools in one record, which is looked through once for each state of it.
    fn connected(
        &self,
        record: &ListedRecord,
        connected: Connecting,
    ) -> Result<Arc<Vec<Connection>>, RecordsError> {
        let look = || {
            let fields = self.readable(record.space, record.id)?;
            let id = record.id.to_string();
            Ok(fields.map_or_else(Vec::new, |fields| connected(&id, &fields)))
        };
        let RecordId::Document(document) = record.id else {
            return look().map(Arc::new);
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let heads = library.heads(storage, record.space, document)?;
        self.remembered_of(
            &[
                "connections",
                &record.space.to_string(),
                &document.to_string(),
                &heads,
            ],
            |all: &Vec<Connection>| all.len() * 300,
            look,
        )
    }

    /// All organisations that this hub may read, as reach counts them.
    fn schools_and_alliances(&self) -> Result<(Vec<AreaSchool>, Vec<Alliance>), RecordsError> {
        let mut schools = Vec::new();
        let mut alliances = Vec::new();
        for record in self.list_records(ORGANISATION.name, "")? {
            let Some(fields) = self.readable(record.space, record.id)? else {
                continue;
            };
            let word = |name: &str| {
                let word = fields.get(name).and_then(Value::as_str);
                word.unwrap_or_default().to_owned()
            };
            if !word("members").is_empty() {
                let members = word("members");
                alliances.push(Alliance {
                    urn: Some(word("urn")).filter(|urn| !urn.is_empty()),
                    name: word("name"),
                    members: members.split_whitespace().map(str::to_owned).collect(),
                });
            }
            if !matches!(word("kind").as_str(), "school" | "college" | "") || word("urn").is_empty()
            {
                continue;
            }
            schools.push(AreaSchool {
                urn: word("urn"),
                name: word("name"),
                phase: word("phase"),
                open: word("status") != "closed",
                successor: word("successor"),
                local_authority: word("local_authority"),
            });
        }
        Ok((schools, alliances))
    }

    /// The council areas of this hub, and of vacant areas that it covers, from the national list;
    /// none if it is not there.
    fn own_areas(&self) -> Result<BTreeSet<String>, RecordsError> {
        let code = json!(self.own_code());
        let mut areas = BTreeSet::new();
        for record in self.list_records(HUB.name, "")? {
            let Some(hub) = self.readable(record.space, record.id)? else {
                continue;
            };
            let covers = hub.get("covered_by").and_then(Value::as_array);
            let covers = covers.is_some_and(|covers| covers.contains(&code));
            if hub.get("code") == Some(&code) || covers {
                let area = hub
                    .get("area")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten();
                areas.extend(area.filter_map(|area| area.as_str().map(str::to_owned)));
            }
        }
        Ok(areas)
    }

    /// A hub's evaluation of a year, from the evaluations of its finished groups: the outcomes, the
    /// groups whose leaders disagree, and the narratives. With `plan`, the outcomes are written
    /// into it.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was written then.
    pub fn evaluation(&self, year: &str, plan: &str) -> Result<Value, RecordsError> {
        let own = self.own_space()?;
        let mut groups = Vec::new();
        for record in self.list_records(WORK_GROUP.name, &own.to_string())? {
            let Some(group) = self.readable(record.space, record.id)? else {
                continue;
            };
            groups.push((record.id.to_string(), group));
        }
        let groups = groups.iter().map(|(id, group)| (id.as_str(), group));
        let evaluation = node_domain::evaluation(year, groups);
        if !plan.is_empty() {
            let (_, fields) = self.record_fields(plan)?;
            let changes = evaluation.changes(&fields);
            self.change_record(plan, None, &changes)?;
        }
        Ok(json!(evaluation))
    }
}

/// What a report is to say.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ReportOptions {
    period: String,
    measure: String,
    mapping: String,
    based_on: Vec<String>,
    year: String,
    words: String,
    days: u64,
}

/// A mapping between versions of a measure, as `1:2:85`.
fn mapping_of(text: &str) -> Result<Mapping, RecordsError> {
    let parts = text.split(':').map(|part| part.trim().parse::<i64>());
    let parts = parts.collect::<Result<Vec<_>, _>>().unwrap_or_default();
    let [from_version, to_version, per_cent] = parts[..] else {
        return Err(RecordsError::Refused(format!(
            "\"{text}\" is no mapping: write FROM:TO:PERCENT, such as 1:2:85"
        )));
    };
    Ok(Mapping {
        from_version,
        to_version,
        per_cent: u32::try_from(per_cent).unwrap_or(0),
    })
}

/// Whether a work group, or what is published of one, was cancelled: it reaches nobody.
fn is_cancelled(group: &Object) -> bool {
    group.get("state").and_then(Value::as_str) == Some("cancelled")
}

/// Finds what connects schools in a record.
type Connecting = fn(&str, &Object) -> Vec<Connection>;

/// The schools of a published summary, each as what connects it.
fn summary_connections(id: &str, summary: &Object) -> Vec<Connection> {
    if is_cancelled(summary) {
        return Vec::new();
    }
    let word = |name: &str, of: &Value| {
        let word = of.get(name).and_then(Value::as_str);
        word.unwrap_or_default().to_owned()
    };
    let title = summary
        .get("title")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let schools = summary.get("schools").and_then(Value::as_array);
    let connection = |school: &Value| Connection {
        urn: Some(word("urn", school)).filter(|urn| !urn.is_empty()),
        name: word("name", school),
        record: id.to_owned(),
        title: title.to_owned(),
        status: word("status", school),
    };
    schools.into_iter().flatten().map(connection).collect()
}

/// The members of a work group, each as what connects its school, with where it stands.
fn connections_of(id: &str, group: &Object) -> Vec<Connection> {
    if is_cancelled(group) {
        return Vec::new();
    }
    let list = |name: &str| {
        group
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let word = |item: &Value, name: &str| {
        let word = item.get(name).and_then(Value::as_str);
        word.unwrap_or_default().to_owned()
    };
    let mut standing = BTreeMap::<String, (String, String)>::new();
    for status in list("statuses") {
        let entry = (word(status, "as_at"), word(status, "status"));
        let latest = standing.entry(word(status, "member")).or_default();
        if entry.0 >= latest.0 {
            *latest = entry;
        }
    }
    let title = group
        .get("title")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let connection = |member: &Value| Connection {
        urn: Some(word(member, "urn")).filter(|urn| !urn.is_empty()),
        name: word(member, "organisation"),
        record: id.to_owned(),
        title: title.to_owned(),
        status: standing
            .get(&word(member, "id"))
            .map_or_else(String::new, |(_, status)| status.clone()),
    };
    list("members").map(connection).collect()
}
