//! Step 6: the coordinator is lost, and built again from the saved keys and what the hubs hold.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::search::Search;

use crate::digests::Digests;
use crate::outcome::Outcome;
use crate::stage::{COORDINATOR, HUBS, Stage, write_settings};
use crate::story::{Story, count};
use crate::wait::{since, until};

use super::private;

/// Stops the coordinator, deletes its folder, sets up a new one and lets the hubs fill it. Returns
/// what a search of the lost one's files had found.
pub(crate) async fn run(
    stage: &mut Stage,
    story: &mut Story,
    outcome: &mut Outcome,
) -> Result<Search> {
    story.begin(6, "The coordinator is lost with all that it held");
    stage.in_sync().await?;
    outcome.figures_before = stage.members[COORDINATOR].figures().await?;
    let held = stage.members[COORDINATOR].list("").await?.len();
    // While it runs: its write-ahead logs are part of what is searched.
    let searched = private::search_coordinator(stage)?;
    stage.members[COORDINATOR].stop().await?;
    let edits = go_on(stage).await?;
    let folder = stage.members[COORDINATOR].folder().to_owned();
    std::fs::remove_dir_all(&folder).context("the coordinator's folder cannot be deleted")?;
    story.tell(format!(
        "With the coordinator stopped the hubs saved {}; then its folder was deleted.",
        count(edits, "more edit"),
    ));
    let begun = Instant::now();
    take_over(stage, story).await?;
    stage.in_sync().await?;
    let filled = since(begun);
    let (now, added) = (stage.members[COORDINATOR].list("").await?.len(), HUBS.len());
    outcome.figures_after = stage.members[COORDINATOR].figures().await?;
    tell_figures(stage, story, "Before", &outcome.figures_before);
    tell_figures(stage, story, "After", &outcome.figures_after);
    let same = outcome.figures_before == outcome.figures_after;
    let any = outcome
        .figures_before
        .as_array()
        .is_some_and(|rows| !rows.is_empty());
    story.check(
        same && any,
        "The national figures before and after are the same.",
    );
    outcome.figures_as_counted = [&outcome.figures_before, &outcome.figures_after]
        .into_iter()
        .all(|figures| stage.expected.is(figures));
    story.check(
        outcome.figures_as_counted,
        "They are what the raw facts of the published groups come to, counted beside the program.",
    );
    let equal = Digests::take(&stage.members).await?.equal().is_ok();
    outcome.coordinator_rebuilt = same && any && equal && now == held + added;
    story.check(
        outcome.coordinator_rebuilt,
        format!(
            "The lost coordinator had {}, the new one has {now}: {added} were made meanwhile.",
            count(held, "record"),
        ),
    );
    story.end(format!(
        "The coordinator was lost with its folder, and the hubs went on; a new one, set up from the \
         saved keys, took over, and {filled} after its start the hubs had given it everything back: \
         {now} records, and the same national figures ({}).",
        total(&outcome.figures_after),
    ));
    Ok(searched)
}

/// Every hub edits while there is no coordinator; returns how many edits were saved.
async fn go_on(stage: &mut Stage) -> Result<usize> {
    let (project, before) = (stage.project(), stage.ledger.len());
    for hub in HUBS {
        let title = format!("Noted in {} while NCETM was away", stage.name(hub));
        let fields = json!({ "title": title, "phase": "primary" });
        stage
            .create(hub, "practice", &project.space, fields)
            .await?;
        let line = format!("participation/{}/quota", stage.members[hub].code);
        stage
            .set(hub, &project.record, &[(&line, json!(10 + hub))])
            .await?;
    }
    Ok(stage.ledger.len() - before)
}

/// Sets up a coordinator from the saved keys at the same port, waits for the hubs, and takes over.
async fn take_over(stage: &mut Stage, story: &mut Story) -> Result<()> {
    let (keys, port) = (stage.keys().to_string_lossy().into_owned(), stage.port);
    write_settings(&stage.members[COORDINATOR], Some(port))?;
    stage.members[COORDINATOR]
        .command(&["init", "--saved-keys", &keys])
        .await?;
    stage.members[COORDINATOR].start().await?;
    let begun = Instant::now();
    until("the hubs reporting to the new coordinator", async || {
        let known = stage.members[COORDINATOR]
            .command(&["authority", "show"])
            .await?;
        let reported = known["reported"].as_array().map_or(0, Vec::len);
        Ok(if reported == HUBS.len() {
            Ok(())
        } else {
            Err(format!("{reported} have reported"))
        })
    })
    .await?;
    let reported = since(begun);
    let words = ["authority", "take-over", "--saved-keys", &keys, "--confirm"];
    let done = stage.members[COORDINATOR].command(&words).await?;
    story.tell(format!(
        "All {} hubs reported to the new coordinator within {reported}; then it took over with the \
         root key (term {}).",
        HUBS.len(),
        done["term"],
    ));
    Ok(())
}

fn tell_figures(stage: &Stage, story: &mut Story, when: &str, figures: &Value) {
    let rows = figures.as_array().into_iter().flatten().map(|row| {
        let project = row["project"].as_str().unwrap_or_default();
        format!(
            "{project} at {}: {}",
            stage.name_of(&row["hub"]),
            figures_of(&[row])
        )
    });
    story.tell(format!("{when}: {}.", rows.collect::<Vec<_>>().join("; ")));
}

fn total(figures: &Value) -> String {
    figures_of(&figures.as_array().into_iter().flatten().collect::<Vec<_>>())
}

/// Groups, sessions and schools, summed up: a school counts once in each project at each hub.
fn figures_of(rows: &[&Value]) -> String {
    let sum = |name: &str| {
        rows.iter()
            .filter_map(|row| row[name].as_u64())
            .sum::<u64>()
    };
    format!(
        "{}, {} held, {}",
        count(sum("groups"), "group"),
        count(sum("sessions_held"), "session"),
        count(sum("schools"), "school"),
    )
}
