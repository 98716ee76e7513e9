//! Step 2: two hubs lose the network and edit the same things.

use std::time::Instant;

use anyhow::Result;
use serde_json::json;

use crate::stage::{COORDINATOR, SOUTH_YORKSHIRE, Stage, WEST_YORKSHIRE};
use crate::story::{Story, count};
use crate::wait::since;

/// What one hub did while it was apart.
#[derive(Debug)]
pub(crate) struct Apart {
    /// The hub.
    pub(crate) hub: usize,
    /// What it wrote into the protocol.
    pub(crate) words: Vec<&'static str>,
    /// Its phase for the first trial.
    pub(crate) phase: &'static str,
    /// Groups that it will run, in its own line of the list of those who take part.
    pub(crate) quota: u64,
    /// The summary that it published.
    pub(crate) summary: String,
}

/// What one hub is going to do.
struct Plan {
    hub: usize,
    /// What is reworded in the protocol, and how.
    rewordings: [(&'static str, &'static str); 2],
    phase: &'static str,
    quota: u64,
}

/// Both reword the protocol's first sentence.
const PLANS: [Plan; 2] = [
    Plan {
        hub: SOUTH_YORKSHIRE,
        rewordings: [
            ("two weeks", "three weeks"),
            ("Leaders write", "Two leaders write"),
        ],
        phase: "primary",
        quota: 5,
    },
    Plan {
        hub: WEST_YORKSHIRE,
        rewordings: [
            ("one class", "two classes"),
            ("the same day", "within a day"),
        ],
        phase: "secondary",
        quota: 7,
    },
];

/// Cuts two hubs off and lets both edit.
pub(crate) async fn run(stage: &mut Stage, story: &mut Story) -> Result<Vec<Apart>> {
    story.begin(
        2,
        "South Yorkshire and West Yorkshire lose the network and go on working",
    );
    for Plan { hub, .. } in PLANS {
        stage.cable(hub).cut();
    }
    for Plan { hub, .. } in PLANS {
        stage.hub_is(hub, "away").await?;
    }
    let project = stage.project();
    let before = stage.members[COORDINATOR]
        .show(&project.record)
        .await?
        .fields;
    let (begun, edits_before) = (Instant::now(), stage.ledger.len());
    let mut all = Vec::new();
    for Plan {
        hub,
        rewordings,
        phase,
        quota,
    } in PLANS
    {
        for (from, to) in rewordings {
            stage
                .reword(hub, &project.record, "protocol", from, to)
                .await?;
        }
        let line = format!("participation/{}/quota", stage.members[hub].code);
        let fields = [("phase", json!(phase)), (line.as_str(), json!(quota))];
        stage.set(hub, &project.record, &fields).await?;
        let group = stage.group(hub);
        let summary = stage.publish(hub, &group).await?;
        story.tell(format!(
            "{} reworded {} of one paragraph of {}'s protocol, chose \"{phase}\" as the phase to \
             try first, set its own number of groups to {quota} and published the summary of \"{}\".",
            stage.name(hub),
            count(rewordings.len(), "place"),
            project.code,
            group.title,
        ));
        let words = rewordings.map(|(_, to)| to).to_vec();
        all.push(Apart {
            hub,
            words,
            phase,
            quota,
            summary,
        });
    }
    let (edits, took) = (stage.ledger.len() - edits_before, since(begun));
    let mut not_sent = 0;
    for Plan { hub, .. } in PLANS {
        not_sent += stage.not_sent(hub).await?;
    }
    story.check(
        not_sent == edits as u64,
        format!(
            "The pages of the two say that {} are saved and not sent.",
            count(not_sent, "edit")
        ),
    );
    let same = stage.members[COORDINATOR]
        .show(&project.record)
        .await?
        .fields
        == before;
    story.check(
        same,
        "NCETM's copy of the project is as it was before the network went.",
    );
    story.end(format!(
        "South Yorkshire and West Yorkshire lost the network and went on working, on the same \
         things: {edits} edits, all saved within {took}, and none of them anywhere else.",
    ));
    Ok(all)
}
