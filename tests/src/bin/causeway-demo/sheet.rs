//! A hub lead's own sheet of work groups: looked at, imported, imported again, and taking part.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use node_domain::{ImportInto, ImportOptions, Sheet, WORK_GROUP, plan_import};
use serde::Serialize;
use serde_json::{Value, json};

use crate::expected::Facts;
use crate::ledger::Mark;
use crate::outcome::Outcome;
use crate::stage::{Group, SOUTH_YORKSHIRE, Stage};
use crate::story::{Story, count};

/// The hub into which the sheet is imported. It takes part in every project that is open.
const HUB: usize = SOUTH_YORKSHIRE;
/// How many rows that need a person are told one by one.
const TOLD: usize = 5;
/// How many of the groups are published: the play shall stay short.
const PUBLISHED_MAX: usize = 100;

/// A sheet that can be read.
#[derive(Debug)]
pub(crate) struct OwnSheet {
    path: PathBuf,
    text: String,
}

/// What came of the sheet.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SheetOutcome {
    /// Rows with content.
    rows: usize,
    /// Columns, and those of them that were recognised.
    columns: usize,
    recognised: usize,
    /// Rows that cannot be taken as they are.
    wrong: usize,
    /// Rows that wait for an answer about a school.
    asked: usize,
    /// Work groups that the import made.
    imported: usize,
    /// Cards of people that it made.
    people: usize,
    /// Work groups, cards and changes that came of importing the same file once more.
    added_by_second_import: usize,
    /// Work groups of which the summary was published.
    published: usize,
    /// Work groups that were kept back because of what would have left.
    kept_back: usize,
}

impl OwnSheet {
    /// Reads a sheet, and makes sure that work groups can be read out of it.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let content = std::fs::read(path).with_context(|| {
            format!("{shown} cannot be read: name a CSV file or spreadsheet with your work groups")
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let sheet = Sheet::read(&content, &name)?;
        ensure!(
            !sheet.rows.is_empty(),
            "{shown} has headings and no rows below them: write one work group into each row"
        );
        let (into, options) = (ImportInto::Records(&WORK_GROUP), ImportOptions::default());
        let problems = plan_import(into, &sheet, &options, None, &|_| None).problems;
        ensure!(
            problems.is_empty(),
            "no work groups can be read out of {shown}: {}",
            problems.join("; ")
        );
        let path = std::path::absolute(path)?;
        let text = path.to_str().map(str::to_owned);
        let text = text.with_context(|| format!("{shown} is not named in UTF-8: rename it"))?;
        Ok(Self { path, text })
    }

    /// Imports the sheet with the command: first only looking, then for real, then once more.
    /// Then publishes its groups' summaries.
    pub(crate) async fn bring(
        &self,
        stage: &mut Stage,
        story: &mut Story,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        println!(
            "\nYour own work groups in {name}, at {}:",
            stage.members[HUB].name
        );
        let mut came = SheetOutcome::default();
        let before = Held::at(stage).await?;
        let dry = self.import(stage, true).await?;
        tell_dry_run(story, &dry, &mut came);
        story.check(
            Held::at(stage).await? == before,
            "Nothing was changed by looking.",
        );

        let done = self.import(stage, false).await?;
        let after = Held::at(stage).await?;
        let new = after.groups.difference(&before.groups);
        let new = new.cloned().collect::<BTreeSet<_>>();
        let cards = after.people.difference(&before.people);
        let cards = cards.map(|(id, _)| id.clone()).collect::<Vec<_>>();
        (came.imported, came.people) = (new.len(), cards.len());
        for id in new.iter().map(|(id, _)| id).chain(&cards) {
            stage.ledger.saved(HUB, id, Mark::Record);
        }
        let (planned, failed) = (counted(&dry, "new"), number(&done, "failed"));
        let told = came.imported + failed >= planned
            && came.imported <= planned
            && came.people == number(&done, "people_made")
            && (counted(&done, "wrong"), counted(&done, "asked")) == (came.wrong, came.asked);
        story.check(
            told,
            format!(
                "Then it was imported: {planned} were to be made, {} and {} were, {failed} were \
                 refused.",
                count(came.imported, "work group"),
                count(came.people, "person card"),
            ),
        );
        if failed > 0 {
            let new = |row: &Value| row["outcome"] == "new" && row["told"] != "";
            tell_rows(story, &done, new);
        }

        let again = self.import(stage, false).await?;
        let last = Held::at(stage).await?;
        let added = last.groups.difference(&after.groups).count()
            + last.people.difference(&after.people).count();
        came.added_by_second_import = added + number(&again, "done");
        story.check(
            last == after && came.added_by_second_import == 0,
            format!(
                "Imported once more, the same file added and changed {}.",
                came.added_by_second_import
            ),
        );

        for (_, name) in after.people.difference(&before.people) {
            // One word alone may stand anywhere.
            if name.contains(' ') {
                stage.people.insert(name.clone());
            }
        }
        let taken =
            rows(&done).filter(|row| row["outcome"] == "same" || row["outcome"] == "changed");
        let titles = taken.filter_map(|row| row["title"].as_str());
        let titles = titles.map(str::to_owned).collect::<BTreeSet<_>>();
        let hers = after.groups.into_iter();
        let hers = hers.filter(|group| new.contains(group) || titles.contains(&group.1));
        let theirs = stage.groups_of(HUB).into_iter().map(|group| group.record);
        let theirs = theirs.collect::<BTreeSet<_>>();
        let hers = hers
            .filter(|(id, _)| !theirs.contains(id))
            .collect::<Vec<_>>();
        publish(stage, story, &hers, &mut came).await?;
        outcome.sheet = Some(came);
        Ok(())
    }

    async fn import(&self, stage: &Stage, dry_run: bool) -> Result<Value> {
        let mut words = vec!["import", "sheet", &self.text, "--kind", WORK_GROUP.name];
        words.extend(dry_run.then_some("--dry-run"));
        stage.members[HUB].command(&words).await
    }
}

/// The work groups and people of the hub, by id and title.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    groups: BTreeSet<(String, String)>,
    people: BTreeSet<(String, String)>,
}

impl Held {
    async fn at(stage: &Stage) -> Result<Self> {
        let list = async |kind| {
            let listed = stage.members[HUB].list(kind).await?.into_iter();
            anyhow::Ok(listed.map(|it| (it.id, it.title)).collect())
        };
        Ok(Self {
            groups: list("work-group").await?,
            people: list("person").await?,
        })
    }
}

fn tell_dry_run(story: &mut Story, dry: &Value, came: &mut SheetOutcome) {
    let columns = dry["columns"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |column: &Value, name: &str| column[name].as_str().unwrap_or_default().to_owned();
    let (known, unknown) = columns
        .iter()
        .partition::<Vec<_>, _>(|column| !column["field"].is_null());
    (came.columns, came.recognised) = (columns.len(), known.len());
    let known = known.into_iter().map(|column| {
        let label = text(column, "label");
        let label = if label.is_empty() {
            text(column, "why")
        } else {
            label
        };
        format!("\"{}\" as {label}", text(column, "header"))
    });
    story.tell(format!(
        "{} of {} were recognised: {}.",
        came.recognised,
        count(came.columns, "column"),
        known.collect::<Vec<_>>().join(", "),
    ));
    for column in unknown {
        let (header, why) = (text(column, "header"), text(column, "why"));
        story.tell(format!("\"{header}\": {why}."));
    }
    came.rows = rows(dry).count();
    (came.wrong, came.asked) = (counted(dry, "wrong"), counted(dry, "asked"));
    story.tell(format!(
        "Of {} {} would be new, {} belong to an earlier row, {} change or repeat what is there, \
         {} cannot be taken as they are, and {} ask which school is meant.",
        count(came.rows, "row"),
        counted(dry, "new"),
        counted(dry, "joined"),
        counted(dry, "changed") + counted(dry, "same"),
        came.wrong,
        came.asked,
    ));
    tell_rows(story, dry, |row| {
        row["outcome"] == "wrong" || row["outcome"] == "asked"
    });
}

fn tell_rows(story: &mut Story, answer: &Value, wanted: impl Fn(&Value) -> bool) {
    let told = rows(answer).filter(|row| wanted(row)).collect::<Vec<_>>();
    for row in told.iter().take(TOLD) {
        let why = row["told"].as_str().unwrap_or_default();
        let number = &row["row"];
        // Some sentences name the row themselves.
        let why = [", ", ": "].iter().fold(why.to_owned(), |why, end| {
            why.replace(&format!("row {number}{end}"), "")
        });
        story.tell(format!("Row {number}: {why}"));
    }
    if let Some(more @ 1..) = told.len().checked_sub(TOLD) {
        story.tell(format!(
            "and {} of which something is told.",
            count(more, "more row")
        ));
    }
}

/// Publishes the groups' summaries. Those that name no project take part in the story's.
async fn publish(
    stage: &mut Stage,
    story: &mut Story,
    hers: &[(String, String)],
    came: &mut SheetOutcome,
) -> Result<()> {
    let (mut without, mut refused) = (0, Vec::new());
    for (record, title) in hers.iter().take(PUBLISHED_MAX) {
        let mut fields = stage.members[HUB].show(record).await?.fields;
        if fields["project"].as_str().unwrap_or_default().is_empty() {
            without += 1;
            let code = json!(stage.project().code);
            stage.set(HUB, record, &[("project", code.clone())]).await?;
            fields["project"] = code;
        }
        let counted_as = fields["project"].as_str().unwrap_or_default().to_owned();
        let mut projects = stage.projects.iter();
        let project = projects.position(|project| project.code == counted_as);
        let group = Group {
            record: record.clone(),
            title: title.clone(),
            project: project.unwrap_or(0),
            counted_as,
            facts: facts(&fields),
        };
        match stage.publish(HUB, &group).await {
            Ok(_) => came.published += 1,
            Err(error) => {
                let error = format!("{error:#}");
                let why = error.rsplit("error: ").next().unwrap_or(&error);
                refused.push(format!("\"{title}\" was kept back: {why}."));
            }
        }
    }
    came.kept_back = refused.len();
    if without > 0 {
        story.tell(format!(
            "For the play those that named no project take part in {}: {}.",
            stage.project().code,
            count(without, "work group")
        ));
    }
    story.tell(format!(
        "Of {} {} published their summaries, which is all that leaves the hub.",
        count(hers.len(), "work group"),
        came.published
    ));
    for refused in refused.iter().take(TOLD) {
        story.tell(refused);
    }
    Ok(())
}

/// What a summary must come to, counted from the record's own lists.
fn facts(fields: &Value) -> Facts {
    let items = |list: &str| fields[list].as_array().into_iter().flatten();
    let held = items("sessions").filter(|session| session["state"] == "held");
    let urns = items("members").filter_map(|member| member["urn"].as_str());
    Facts {
        sessions_held: held.count(),
        schools: urns.map(str::to_owned).collect(),
    }
}

fn rows(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["rows"].as_array().into_iter().flatten()
}

fn counted(answer: &Value, what: &str) -> usize {
    number(&answer["counts"], what)
}

fn number(of: &Value, what: &str) -> usize {
    let number = of[what].as_u64().unwrap_or_default();
    usize::try_from(number).unwrap_or(usize::MAX)
}
