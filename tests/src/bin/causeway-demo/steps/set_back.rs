//! Step 5: a hub's folder is replaced by an older copy of itself.

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};
use proto::hub::v1::Space;
use serde_json::{Value, json};
use tests::folders::copy;

use crate::outcome::Outcome;
use crate::stage::{Stage, WEST_YORKSHIRE, next_year};
use crate::story::{Story, count};
use crate::wait::{since, until};

/// Records that are made after the copy and sent.
const SENT: usize = 6;

/// Copies West Yorkshire's folder, lets it go on, and puts the older copy in its place.
pub(crate) async fn run(stage: &mut Stage, story: &mut Story, outcome: &mut Outcome) -> Result<()> {
    story.begin(
        5,
        "West Yorkshire's folder is replaced by an older copy of itself",
    );
    let folder = stage.members[WEST_YORKSHIRE].folder().to_owned();
    let older = folder.with_extension("older");
    stage.members[WEST_YORKSHIRE].stop().await?;
    copy(&folder, &older)?;
    stage.members[WEST_YORKSHIRE].start().await?;

    let edits_before = stage.ledger.len();
    write_and_send(stage).await?;
    let feeds_before = shared(stage).await?.feeds;
    let sent = sent(stage, edits_before).await?;
    stage
        .ledger
        .set_back(WEST_YORKSHIRE, edits_before, |record| sent.contains(record));
    let promised = stage.ledger.of(WEST_YORKSHIRE, edits_before);

    stage.members[WEST_YORKSHIRE].stop().await?;
    let held = entries(stage).await?;
    fs::remove_dir_all(&folder).context("the folder cannot be removed")?;
    fs::rename(&older, &folder).context("the older copy cannot be put in its place")?;
    let lacking = held.saturating_sub(entries(stage).await?);
    story.check(
        lacking >= promised.len() as u64,
        format!(
            "The older copy lacks the last {}.",
            count(lacking, "change")
        ),
    );
    let begun = Instant::now();
    stage.members[WEST_YORKSHIRE].start().await?;
    until("what was sent coming back", async || {
        let mut missing = 0;
        for edit in &promised {
            missing += usize::from(edit.missing(&stage.members).await?.is_some());
        }
        Ok(if missing == 0 {
            Ok(())
        } else {
            Err(format!("{missing} are not back"))
        })
    })
    .await?;
    let back = since(begun);
    goes_on(stage, story, outcome, feeds_before).await?;
    story.end(format!(
        "West Yorkshire's folder was replaced by an older copy of itself: it noticed, {back} after \
         its start it had back all {} edits that it had sent after the copy was made, and it goes \
         on under a fresh key.",
        promised.len(),
    ));
    Ok(())
}

/// What the stopped hub's own command counts in its folder.
async fn entries(stage: &Stage) -> Result<u64> {
    let status = stage.members[WEST_YORKSHIRE].command(&["status"]).await?;
    status["entries"]
        .as_u64()
        .context("the status does not count what is held")
}

/// Edits on, so that the older copy lacks something that others hold.
async fn write_and_send(stage: &mut Stage) -> Result<()> {
    let project = stage.project();
    for number in 1..=SENT {
        let title = format!("Tried in Bradford, week {number}");
        let fields = json!({ "title": title, "phase": "secondary" });
        stage
            .create(WEST_YORKSHIRE, "practice", &project.space, fields)
            .await?;
    }
    stage
        .set(
            WEST_YORKSHIRE,
            &project.record,
            &[("agreement_until", json!(next_year("12-31")))],
        )
        .await
}

/// Waits until the records edited since are sent, as their marks say, and returns them.
async fn sent(stage: &Stage, since: usize) -> Result<BTreeSet<String>> {
    let edits = stage.ledger.of(WEST_YORKSHIRE, since);
    let records = edits
        .into_iter()
        .map(|edit| edit.record)
        .collect::<BTreeSet<_>>();
    until("the edits being sent", async || {
        for record in &records {
            let marks = stage.members[WEST_YORKSHIRE].show(record).await?.marks;
            if !marks.sent || marks.unsent > 0 {
                return Ok(Err(format!(
                    "{} changes of one record are not sent",
                    marks.unsent
                )));
            }
        }
        Ok(Ok(()))
    })
    .await?;
    Ok(records)
}

/// It writes again, under a fresh key that the older copy never had, and all is well.
async fn goes_on(
    stage: &mut Stage,
    story: &mut Story,
    outcome: &mut Outcome,
    feeds_before: u64,
) -> Result<()> {
    let (project, begun) = (stage.project(), Instant::now());
    let fields = json!({ "title": "Tried in Leeds, after the mishap", "phase": "secondary" });
    stage
        .create(WEST_YORKSHIRE, "practice", &project.space, fields)
        .await?;
    stage.in_sync().await?;
    story.tell(format!(
        "Everyone had its next edit, and the same of all, {} later.",
        since(begun)
    ));
    let feeds = shared(stage).await?.feeds;
    let status = stage.members[WEST_YORKSHIRE].status().await?;
    let trouble = ["alarms", "refused", "set_aside"].map(|name| status[name].clone());
    let quiet = trouble.iter().all(|list| *list == json!([]));
    outcome.restored_hub_rejoined = feeds == feeds_before + 1 && quiet;
    story.check(
        outcome.restored_hub_rejoined,
        format!(
            "It writes in {} under a fresh key, beside the {feeds_before} in use before, so that \
             nothing clashes; fresh keys seen: {}; alarms, refusals and changes held for checking: {}.",
            project.code,
            feeds.saturating_sub(feeds_before),
            trouble.iter().filter_map(Value::as_array).map(Vec::len).sum::<usize>(),
        ),
    );
    Ok(())
}

async fn shared(stage: &Stage) -> Result<Space> {
    let project = stage.project();
    let spaces = stage.members[WEST_YORKSHIRE].spaces().await?;
    spaces
        .into_iter()
        .find(|space| space.id == project.space)
        .context("the project is gone")
}
