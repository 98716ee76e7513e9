//! Step 1: everyone is in sync.

use std::time::Instant;

use anyhow::Result;

use crate::digests::Digests;
use crate::stage::{HUBS, LONDON_THAMES, SOUTH_YORKSHIRE, Stage};
use crate::story::{Story, count};
use crate::wait::{since, until};

/// Publishes one summary, waits for all to hold the same, and counts what each hub holds.
pub(crate) async fn run(stage: &mut Stage, story: &mut Story) -> Result<()> {
    story.begin(1, "Everyone is in sync");
    let group = stage.group(LONDON_THAMES);
    stage.publish(LONDON_THAMES, &group).await?;
    let begun = Instant::now();
    stage.in_sync().await?;
    let took = since(begun);
    let mut records = Vec::new();
    for hub in HUBS {
        let held = stage.members[hub].list("").await?.len();
        records.push(format!("{} {held}", stage.name(hub)));
    }
    story.tell(format!(
        "Records that each hub can read: {}.",
        records.join(", ")
    ));
    let project = stage.project();
    let marks = until("word from everyone", async || {
        let marks = stage.members[SOUTH_YORKSHIRE]
            .show(&project.record)
            .await?
            .marks;
        let everywhere = marks.sent && marks.received == marks.members;
        Ok(if everywhere {
            Ok(marks)
        } else {
            Err(format!("{marks:?}"))
        })
    })
    .await?;
    story.tell(format!(
        "Of its own edit of {} South Yorkshire reads: saved, sent, received by {} of {}.",
        project.code,
        marks.received,
        count(marks.members, "other hub"),
    ));
    let digests = Digests::take(&stage.members).await?;
    story.check(
        digests.equal().is_ok(),
        format!(
            "Compared: all that is kept, in {} by who may read it.",
            count(digests.spaces(), "set"),
        ),
    );
    story.end(format!(
        "Everyone is in sync: NCETM and {} hold the same of all that they share, {took} after the \
         last edit.",
        count(HUBS.len(), "hub"),
    ));
    Ok(())
}
