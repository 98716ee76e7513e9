//! Step 1: everyone is in sync.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use serde_json::Value;

use crate::digests::Digests;
use crate::outcome::Outcome;
use crate::secrets::PLANTED;
use crate::stage::{COORDINATOR, HUBS, LONDON_THAMES, SOUTH_YORKSHIRE, Stage};
use crate::story::{Story, count};
use crate::wait::{since, until};

/// Publishes one summary after a look at what leaves, and others, waits for all to hold the same, and counts what each hub holds.
pub(crate) async fn run(stage: &mut Stage, story: &mut Story, outcome: &mut Outcome) -> Result<()> {
    story.begin(1, "Everyone is in sync");
    let (copy, shown) = publish_one(stage, story).await?;
    for hub in HUBS {
        // The first is published above, or in the next step by hubs that have no network then.
        for group in stage.groups_of(hub).into_iter().skip(1) {
            stage.publish(hub, &group).await?;
        }
    }
    let begun = Instant::now();
    stage.in_sync().await?;
    let took = since(begun);
    arrived(stage, story, outcome, &copy, &shown).await?;
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

/// Looks at what would leave London Thames of a work group, and publishes just that. Returns the
/// copy's id and what was shown.
async fn publish_one(stage: &mut Stage, story: &mut Story) -> Result<(String, Value)> {
    let (hub, group) = (LONDON_THAMES, stage.group(LONDON_THAMES));
    let before = stage.disclosures(hub).await?;
    let shown = stage.preview(hub, &group).await?;
    let looked = stage.disclosures(hub).await?;
    let leaves = shown["leaves"].as_object();
    let fields = leaves.into_iter().flatten().map(|(name, _)| name.as_str());
    let readers = shown["readers"].as_array().into_iter().flatten();
    let readers = readers.map(|code| stage.name_of(code)).collect::<Vec<_>>();
    story.tell(format!(
        "Before London Thames published \"{}\" it was shown just what leaves ({}) and who can read \
         it ({}).",
        group.title,
        fields.collect::<Vec<_>>().join(", "),
        readers.join(", "),
    ));
    let text = shown["leaves"].to_string().to_lowercase();
    let planted = PLANTED[hub - SOUTH_YORKSHIRE].private();
    let private = planted.iter().chain(&stage.people);
    let private = private
        .filter(|word| text.contains(&word.to_lowercase()))
        .count();
    let done = stage.publish_shown(hub, &group, &shown).await?;
    let after = stage.disclosures(hub).await?;
    story.check(
        private == 0 && looked == before && after == before + 1,
        format!(
            "{private} names, addresses and notes are among it; nothing left while it was only \
             looked at, and by publishing the disclosure log rose from {before} to {}.",
            count(after, "line"),
        ),
    );
    story.check(
        done["leaves"] == shown["leaves"] && done["readers"] == shown["readers"],
        "What was published is what was shown.",
    );
    Ok((done["id"].as_str().unwrap_or_default().to_owned(), shown))
}

/// Compares what arrived at the coordinator with what was shown before it left.
async fn arrived(
    stage: &Stage,
    story: &mut Story,
    outcome: &mut Outcome,
    copy: &str,
    shown: &Value,
) -> Result<()> {
    let arrived = stage.members[COORDINATOR].show(copy).await?.fields;
    let (there, left) = (said(&arrived), said(&shown["leaves"]));
    outcome.previewed_is_published = there == left && !left.is_empty();
    story.check(
        outcome.previewed_is_published,
        format!(
            "At NCETM arrived the {} that were shown, and nothing else.",
            count(left.len(), "field")
        ),
    );
    if there != left {
        story.tell(format!("shown: {}; arrived: {arrived}", shown["leaves"]));
    }
    Ok(())
}

/// The fields that say something. Items are told by their content: ids are given on arrival.
fn said(fields: &Value) -> BTreeMap<String, Value> {
    let empty = |value: &Value| value.is_null() || *value == Value::Array(Vec::new());
    let fields = fields.as_object().into_iter().flatten();
    // Showing a record adds of which kind it is.
    let fields = fields.filter(|(name, value)| !empty(value) && *name != "kind_of_record");
    let fields = fields.map(|(name, value)| {
        let mut value = value.clone();
        for item in value.as_array_mut().into_iter().flatten() {
            if let Some(item) = item.as_object_mut() {
                item.remove("id");
            }
        }
        (name.clone(), value)
    });
    fields.collect()
}
