//! Step 3: the network returns; what was written apart comes together, and a person chooses.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use node::cli::output::moment;
use serde_json::Value;

use super::apart::Apart;
use crate::ledger::Mark;
use crate::outcome::Outcome;
use crate::stage::{LONDON_THAMES, Stage};
use crate::story::{Story, count};
use crate::wait::{since, until};

/// Mends the cables and looks at what became of the edits, everywhere.
pub(crate) async fn run(
    stage: &mut Stage,
    story: &mut Story,
    outcome: &mut Outcome,
    apart: &[Apart],
) -> Result<()> {
    story.begin(3, "The network returns");
    let (begun, carried) = (Instant::now(), stage.carried());
    for Apart { hub, .. } in apart {
        stage.cable(*hub).mend();
    }
    stage.in_sync().await?;
    let together = since(begun);
    let carried = (stage.carried() - carried) / 1_000;
    story.tell(format!(
        "To bring all together {carried} KB went over the three cables."
    ));
    nothing_overwritten(stage, story, apart).await?;
    let fields = versions_shown(stage, story, apart).await?;
    outcome.versions_shown = fields.len();
    let begun = Instant::now();
    outcome.versions_settled = settle(stage, story, &fields).await?;
    story.end(format!(
        "The network returned: {together} later all had every edit of both hubs, the text was \
         merged and nothing overwritten; {} stood in two versions, and what a person chose reached \
         all within {}.",
        count(outcome.versions_shown, "field"),
        since(begun),
    ));
    Ok(())
}

/// Every edit of both is in the record, and both summaries are there, at all four.
async fn nothing_overwritten(stage: &Stage, story: &mut Story, apart: &[Apart]) -> Result<()> {
    let record = stage.project().record;
    let mut protocols = BTreeSet::new();
    let (mut wanted, mut there) = (0, 0);
    for member in &stage.members {
        let fields = member.show(&record).await?.fields;
        let protocol = fields["protocol"].as_str().unwrap_or_default();
        for Apart {
            hub,
            words,
            quota,
            summary,
            ..
        } in apart
        {
            let mut lines = fields["participation"].as_array().into_iter().flatten();
            let own = lines.find(|line| stage.members[*hub].is(&line["hub"]));
            let found = words.iter().map(|words| protocol.contains(words));
            let found = found.chain([
                own.is_some_and(|line| line["quota"] == *quota),
                member.show(summary).await.is_ok(),
            ]);
            for found in found {
                wanted += 1;
                there += usize::from(found);
            }
        }
        protocols.insert(protocol.to_owned());
    }
    story.check(
        wanted == there && protocols.len() == 1,
        format!(
            "Of {wanted} things looked for at all four (the words, the numbers of groups and the \
             summaries of both hubs) {there} are there."
        ),
    );
    for protocol in protocols {
        story.tell(format!("The protocol reads: \"{protocol}\""));
    }
    Ok(())
}

/// The fields that every member shows in versions, each with author and time.
async fn versions_shown(stage: &Stage, story: &mut Story, apart: &[Apart]) -> Result<Vec<String>> {
    let record = stage.project().record;
    let open = stage.members[LONDON_THAMES].versions(&record).await?;
    for member in &stage.members {
        if read(&open) != read(&member.versions(&record).await?) {
            story.fail(&format!(
                "{} shows other versions than London Thames does",
                member.short()
            ));
        }
    }
    let mut fields = Vec::new();
    for field in &open {
        let versions = field["versions"]
            .as_array()
            .context("a field in versions has none")?;
        let signed = |version: &Value| {
            let by = apart
                .iter()
                .any(|apart| stage.members[apart.hub].is(&version["hub"]));
            by && version["time_ms"].as_u64().is_some_and(|time| time > 0)
        };
        story.check(
            versions.len() >= 2 && versions.iter().all(signed),
            describe(stage, field),
        );
        fields.push(field["field"].as_str().unwrap_or_default().to_owned());
    }
    let phase = open.iter().find(|field| field["field"] == "phase");
    let phase = phase.context("the phase does not stand in two versions")?;
    for Apart {
        phase: chosen, hub, ..
    } in apart
    {
        let mut versions = phase["versions"].as_array().into_iter().flatten();
        let kept = versions.any(|it| it["value"] == *chosen && stage.members[*hub].is(&it["hub"]));
        ensure!(
            kept,
            "the phase that {} chose is not among the versions",
            stage.name(*hub)
        );
    }
    Ok(fields)
}

/// What a page shows of fields in versions, the same everywhere.
fn read(open: &[Value]) -> Vec<(&Value, &Value)> {
    open.iter()
        .map(|field| (&field["field"], &field["versions"]))
        .collect()
}

fn describe(stage: &Stage, field: &Value) -> String {
    let label = field["label"].as_str().unwrap_or_default();
    let versions = field["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let told = versions.iter().map(|version| {
        let hub = stage.name_of(&version["hub"]);
        let time = moment(version["time_ms"].as_u64().unwrap_or_default());
        let value = &version["value"];
        format!("{value} by {hub} on {time}")
    });
    let told = told.collect::<Vec<_>>().join(", and ");
    if field["cause"] == "Sentence" {
        format!("\"{label}\" merged; that both wrote into one sentence is shown: {told}.")
    } else {
        format!("\"{label}\" stands in {} versions: {told}.", versions.len())
    }
}

/// A person at London Thames chooses for each field; the choice must reach all. Returns how many
/// fields no member shows in versions any more.
async fn settle(stage: &mut Stage, story: &mut Story, fields: &[String]) -> Result<usize> {
    let record = stage.project().record;
    let open = stage.members[LONDON_THAMES].versions(&record).await?;
    for field in &open {
        let name = field["field"].as_str().unwrap_or_default();
        // The last is the one that is shown: choosing another is a choice that can be seen. What
        // merged and reads well stays as it is.
        let choice: &[&str] = if field["cause"] == "Sentence" {
            &["--value", "null"]
        } else {
            &["1"]
        };
        let words = [&["record", "settle", &record, name], choice].concat();
        stage.members[LONDON_THAMES].command(&words).await?;
    }
    let chosen = stage.members[LONDON_THAMES].show(&record).await?.fields["phase"].clone();
    let mark = Mark::Value("phase".to_owned(), chosen.clone());
    stage.ledger.saved(LONDON_THAMES, &record, mark);
    until("the choice reaching everyone", async || {
        for member in &stage.members {
            let shown = member.show(&record).await?.fields["phase"].clone();
            let open = member.versions(&record).await?.len();
            if shown != chosen || open > 0 {
                return Ok(Err(format!(
                    "{} shows {shown}, {open} in versions",
                    member.short()
                )));
            }
        }
        Ok(Ok(()))
    })
    .await?;
    let mut settled = fields.len();
    for field in fields {
        let mut open = false;
        for member in &stage.members {
            let versions = member.versions(&record).await?;
            open |= versions.iter().any(|version| version["field"] == **field);
        }
        settled -= usize::from(open);
    }
    story.check(
        settled == fields.len(),
        format!(
            "A person at London Thames chose {chosen} and read the protocol again: {settled} of {} \
             are settled everywhere.",
            count(fields.len(), "field"),
        ),
    );
    Ok(settled)
}
