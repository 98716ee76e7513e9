//! The hubs' work when the story begins: a made-up year, and what is planted in it.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use node_domain::sample::{HubYear, SampleOptions, Scale, Totals};
use node_feed::Subject;
use serde_json::{Value, json};

use crate::expected::Facts;
use crate::ledger::Mark;
use crate::outcome::Outcome;
use crate::secrets::PLANTED;
use crate::stage::{Group, HUBS, SOUTH_YORKSHIRE, Stage};
use crate::story::{Story, count};
use crate::wait::since;

/// Fills every hub, which holds nothing yet, with the command, and makes the same years up beside
/// it, to check what the program makes of them.
///
/// # Errors
/// If a hub was not filled with all of its year.
pub(crate) async fn fill(
    stage: &mut Stage,
    story: &mut Story,
    outcome: &mut Outcome,
) -> Result<Vec<HubYear>> {
    let (begun, seed) = (Instant::now(), outcome.seed.to_string());
    let (mut years, mut told) = (Vec::new(), Vec::new());
    let words = ["sample", "--seed", &seed, "--small"];
    let [first, second, third] = HUBS.map(|hub| stage.members[hub].command(&words));
    let (first, second, third) = tokio::try_join!(first, second, third)?;
    for (hub, made) in HUBS.into_iter().zip([first, second, third]) {
        let made = made
            .as_object()
            .context("the sample does not say what it made")?;
        let made = made.values().filter_map(Value::as_u64).sum::<u64>();
        let records = own(stage, hub).await?;
        ensure!(
            records.len() as u64 == made && made > 0,
            "{} has {} records, and the sample says that it made {made}",
            stage.name(hub),
            records.len()
        );
        for record in &records {
            stage.ledger.saved(hub, record, Mark::Record);
        }
        outcome.sampled += records.len();
        let options = SampleOptions::new(outcome.seed, &stage.members[hub].code, Scale::Small);
        let year = HubYear::generate(&options);
        for person in &year.people {
            stage.people.insert(person.name.clone());
            stage.people.extend(person.email.clone());
        }
        told.push(format!(
            "{} {}, among them {} and {}",
            stage.name(hub),
            count(made, "record"),
            count(year.groups.len(), "work group"),
            count(year.people.len(), "person card"),
        ));
        years.push(year);
    }
    story.tell(format!(
        "Each hub was filled with a year of made-up work on real projects (--seed {seed} makes the \
         same again): {}. It took {}.",
        told.join("; "),
        since(begun)
    ));
    Ok(years)
}

/// The ids of the records that a hub made, whoever can read them.
async fn own(stage: &Stage, hub: usize) -> Result<Vec<String>> {
    let people = stage.members[hub].list("person").await?;
    let owner = |id: &str| id.parse::<Subject>().map(|subject| subject.owner());
    let own = people.first().map(|person| owner(&person.id)).transpose()?;
    let mut ids = Vec::new();
    for record in stage.members[hub].list("").await? {
        if Some(owner(&record.id)?) == own {
            ids.push(record.id);
        }
    }
    Ok(ids)
}

/// A hub signs the data agreements, its work groups take part in the projects that are open, and
/// it shares a practice.
pub(crate) async fn begin(stage: &mut Stage, hub: usize, year: &HubYear) -> Result<()> {
    let planted = &PLANTED[hub - SOUTH_YORKSHIRE];
    let code = stage.members[hub].code.clone();
    let person = json!({ "name": planted.person, "email": planted.email, "job_role": "LLME" });
    let person = stage.create(hub, "person", "", person).await?;
    let records = stage.members[hub].list("work-group").await?;
    let totals = Totals::of(year);
    let mut groups = Vec::new();
    for (place, project) in stage.projects.clone().into_iter().enumerate() {
        if !project.hubs.contains(&hub) {
            continue;
        }
        let sign = json!([{ "do": "include", "field": "signatures", "element": code }]);
        stage.change(hub, &project.record, sign).await?;
        let its = Some(project.code.clone());
        for group in year.groups.iter().filter(|group| group.project == its) {
            let record = records.iter().find(|record| record.title == group.title);
            let record = record
                .with_context(|| format!("\"{}\" is not among the work groups", group.title))?;
            let raw = totals.by_group.get(&group.key);
            let facts = raw.map(|raw| Facts {
                sessions_held: raw.sessions_held,
                schools: raw.urns_typed.clone(),
            });
            let changes = json!([
                { "do": "set", "field": "notes", "value": planted.note },
                { "do": "add", "field": "leaders", "values": { "person": person, "role": "co-lead" } },
            ]);
            stage.change(hub, &record.id, changes).await?;
            groups.push(Group {
                record: record.id.clone(),
                title: group.title.clone(),
                project: place,
                counted_as: project.code.clone(),
                facts: facts.unwrap_or_default(),
            });
        }
    }
    let first = groups.first().map(|group| group.project);
    ensure!(
        first == Some(0),
        "{} has no work group of {} in this sample",
        stage.name(hub),
        stage.project().code
    );
    stage.groups.push(groups);
    let network = stage.network.clone();
    let practice = json!({
        "title": format!("A practice from {}", stage.name(hub)),
        "body": format!("Begin with {}, and let pupils say what they see.", planted.control),
        "phase": "primary",
    });
    stage.create(hub, "practice", &network, practice).await?;
    Ok(())
}
