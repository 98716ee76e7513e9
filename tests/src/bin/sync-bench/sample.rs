//! A hub with a year of made-up work: what it costs to fill it, and to ask it for everything that
//! looks at many records.

use std::time::Instant;

use anyhow::Context as _;
use node::records::{Find, ReturnWanted, SheetToImport};
use node::{Node, records::ShownRecord};
use serde_json::Value;

use crate::figures::{Figures, milliseconds};
use crate::founding::{Founding, is_admitted, wait_for};
use crate::stage::temporary;

const HUB: &str = "south-yorkshire";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A small year instead of a full one.
    #[arg(long)]
    small: bool,
    /// How many people are in the sheet that is imported.
    #[arg(long, default_value_t = 1_400)]
    rows: usize,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    let folder = temporary()?;
    let founding = Founding::begin(folder.path()).await?;
    let node = founding.node_of(HUB).await?;
    let project = founding.space("NCP26-01")?;
    founding.grant(project, HUB)?;
    let running = node.start();
    is_admitted(&node, &[project]).await?;
    let asked = node.clone();
    wait_for("the hub's own space", || {
        Ok(asked.create_record("person", "", "{}").is_err_and(|error| {
            // An empty card is refused by name once there is a space for it.
            error.to_string().contains("missing")
        }))
    })
    .await?;
    let (small, rows) = (options.small, options.rows);
    let project = project.to_string();
    let path = folder.path().join("export.zip");
    let figures = tokio::task::spawn_blocking(move || ask(&node, small, rows, &project, &path));
    let figures = figures.await??;
    running.stop(std::time::Duration::from_secs(5)).await;
    founding.end().await?;
    Ok(figures)
}

/// Figures with the time that each question took.
struct Clock(Figures);

impl Clock {
    fn time<T, E>(&mut self, name: &str, work: impl FnOnce() -> Result<T, E>) -> anyhow::Result<T>
    where
        anyhow::Error: From<E>,
    {
        let begun = Instant::now();
        let result = work()?;
        let figures = std::mem::replace(&mut self.0, Figures::of("sample"));
        self.0 = figures.with(&format!("{name}_ms"), milliseconds(begun.elapsed()));
        Ok(result)
    }
}

fn ask(
    node: &Node,
    small: bool,
    rows: usize,
    project: &str,
    export: &std::path::Path,
) -> anyhow::Result<Figures> {
    let mut clock = Clock(Figures::of("sample").with("small", small));
    let made = clock.time("fill", || node.sample(1, small))?;
    clock.time("catch_up", || node.catch_up())?;
    let listed = clock.time("list", || node.list_records("", ""))?;
    let groups = node.list_records("work-group", "")?;
    let words = Find {
        words: "fractions".to_owned(),
        ..Find::default()
    };
    clock.time("search", || node.find_records(&words))?;
    clock.time("count", || node.count_records(&Find::default(), "state"))?;
    let versions = clock.time("versions_of_all", || node.list_versions(""))?;
    clock.time("versions_again", || node.list_versions(""))?;
    let group = largest(
        node,
        &groups
            .iter()
            .map(|it| it.id.to_string())
            .collect::<Vec<_>>(),
    )?;
    clock.time("show_largest", || node.show_record(&group))?;
    clock.time("edit_largest", || {
        node.edit_record(&group, "", r#"{"notes": "Seen"}"#)
    })?;
    // No agreement is signed here, and everything but that is looked up first.
    clock.time("names_and_preview", || -> anyhow::Result<()> {
        let refused = node.publish_record(&group, project, false, "").err();
        let refused = refused.context("nothing is signed")?.to_string();
        anyhow::ensure!(refused.contains("signed"), "{refused}");
        Ok(())
    })?;
    let wanted = ReturnWanted {
        measure: "schools-engaged".to_owned(),
        period: "2026-27".to_owned(),
        ..ReturnWanted::default()
    };
    clock.time("return", || node.compute_return(&wanted, false))?;
    clock.time("reach", || node.reach())?;
    clock.time("export_hub", || node.export_hub(export))?;
    let sheet = |dry_run| SheetToImport {
        kind: "person".to_owned(),
        name: "people.csv".to_owned(),
        content: people(rows).into_bytes(),
        dry_run,
        ..SheetToImport::default()
    };
    clock.time("import_dry", || node.import_sheet(&sheet(true)))?;
    clock.time("import", || node.import_sheet(&sheet(false)))?;
    clock.time("import_again", || node.import_sheet(&sheet(false)))?;
    let made = made.as_object().into_iter().flatten();
    let made = made.filter_map(|(_, count)| count.as_u64()).sum::<u64>();
    Ok(clock
        .0
        .with("records", made)
        .with("listed", listed.len())
        .with("groups", groups.len())
        .with("open_versions", versions.as_array().map_or(0, Vec::len))
        .with("rows", rows))
}

/// The group with most in it.
fn largest(node: &Node, groups: &[String]) -> anyhow::Result<String> {
    let marks = |shown: &ShownRecord| {
        let marks = shown.fields.get("attendance").and_then(Value::as_array);
        marks.map_or(0, Vec::len)
    };
    let mut most = (0, None);
    for group in groups {
        let count = marks(&node.show_record(group)?);
        if most.1.is_none() || count > most.0 {
            most = (count, Some(group.clone()));
        }
    }
    most.1.context("there is no group")
}

fn people(rows: usize) -> String {
    let mut sheet = "Name,Email\n".to_owned();
    for row in 0..rows {
        sheet.push_str(&format!("Person Made-Up-{row},person{row}@example.org\n"));
    }
    sheet
}
