//! The whole story, from an empty folder to the closing table.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::Arguments;
use crate::digests::Digests;
use crate::outcome::Outcome;
use crate::pace::Pace;
use crate::pages;
use crate::part::Part;
use crate::sheet::OwnSheet;
use crate::stage::{COORDINATOR, HUBS, Stage};
use crate::steps;
use crate::story::{Story, count};
use crate::totals::Totals;

/// How long all parts of it may take to end.
const ENDING: Duration = Duration::from_secs(60);

/// Plays the story in the user's folder, or in one that is deleted afterwards.
///
/// # Errors
/// What did not hold.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments {
        once,
        data,
        seed,
        groups,
        pace,
    } = arguments;
    let pace = pace.unwrap_or_default();
    let begun = Instant::now();
    let sheet = groups.as_deref().map(OwnSheet::read).transpose()?;
    let (root, _deleted_when_dropped) = folder(data)?;
    let (mut story, mut outcome) = (Story::default(), Outcome::default());
    outcome.seed = seed;
    let mut stop = node::cli::Stop::listen()?;
    stop.set_grace(ENDING);
    let mut stage = tokio::select! {
        played = play(&root, sheet.as_ref(), pace, &mut story, &mut outcome) => played?,
        () = stop.told() => bail!("interrupted before the last step"),
    };
    if !once {
        look_around(&stage, &story);
        tokio::select! {
            () = pages::show_codes() => {}
            () = stop.told() => println!(),
        }
    }
    if let Err(error) = stage.stop().await {
        story.fail(&format!("{error:#}"));
    }
    if once {
        outcome.seconds = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        println!("{}", serde_json::to_string(&outcome)?);
    }
    match story.failures() {
        [] => Ok(()),
        failures => bail!("this did not hold: {}", failures.join("; ")),
    }
}

async fn play(
    root: &Path,
    sheet: Option<&OwnSheet>,
    pace: Pace,
    story: &mut Story,
    outcome: &mut Outcome,
) -> Result<Stage> {
    let mut stage = steps::set_up::run(root, story, outcome).await?;
    if pace.is_slow() {
        pages::make_accounts(&stage).await?;
        pages::tell(&stage);
        tokio::spawn(pages::show_codes());
    }
    if let Err(error) = steps(&mut stage, sheet, pace, story, outcome).await {
        story.abandon(&format!(
            "{error:#}; the steps after this one were not played"
        ));
    }
    if let Err(error) = close(&stage, story, outcome).await {
        story.fail(&format!(
            "{error:#}; what stands at the end could not all be looked at"
        ));
    }
    Ok(stage)
}

async fn steps(
    stage: &mut Stage,
    sheet: Option<&OwnSheet>,
    pace: Pace,
    story: &mut Story,
    outcome: &mut Outcome,
) -> Result<()> {
    if let Some(sheet) = sheet {
        sheet.bring(stage, story, outcome).await?;
    }
    let work_groups = "the work groups of South Yorkshire";
    pace.before("a summary is previewed and published", work_groups)
        .await;
    steps::together::run(stage, story, outcome).await?;
    let projects = "the project at two hubs, side by side";
    pace.before(
        "two hubs lose the network and both change the project",
        projects,
    )
    .await;
    let apart = steps::apart::run(stage, story).await?;
    let versions = "\"Two versions\" on both hubs' first pages";
    pace.before("the network is back", versions).await;
    steps::reunited::run(stage, story, outcome, &apart).await?;
    pace.before(
        "a hub's program is killed while it writes",
        "its pages, which come back",
    )
    .await;
    steps::killed::run(stage, story).await?;
    pace.before(
        "a hub is replaced by an old copy of itself",
        "its first page",
    )
    .await;
    steps::set_back::run(stage, story, outcome).await?;
    let connections = "the connections at NCETM, before and after";
    pace.before(
        "the coordinator's folder is deleted, and a new one filled by the hubs",
        connections,
    )
    .await;
    let before = steps::rebuilt::run(stage, story, outcome).await?;
    pace.before(
        "everything is looked through for what is private",
        "what was shared with whom",
    )
    .await;
    steps::private::run(stage, story, outcome, &before)
}

/// The closing table, and what the stores hold in all.
async fn close(stage: &Stage, story: &mut Story, outcome: &mut Outcome) -> Result<()> {
    let settled = stage.in_sync().await;
    let digests = Digests::take(&stage.members).await?;
    println!(
        "\nFor everything that is shared, what each holds: the digest of the changes received, and \
         that of what the\nrecords have become by them.\n\n{}",
        digests.table()
    );
    outcome.spaces = digests.spaces();
    outcome.converged = settled.is_ok() && digests.equal().is_ok();
    if let Err(error) = settled {
        story.fail(&format!("{error:#}"));
    }
    let hubs = stage.members[COORDINATOR].command(&["hubs"]).await?;
    let connected = hubs
        .as_array()
        .into_iter()
        .flatten()
        .filter(|hub| hub["state"] == "connected");
    outcome.hubs = connected.count();
    story.check(
        outcome.hubs == HUBS.len(),
        format!("{} hubs are connected.", outcome.hubs),
    );
    let mut totals = Totals::default();
    for member in &stage.members {
        totals.add(member.folder())?;
        let status = member.status().await?;
        let aside = status["set_aside"].as_array().map_or(0, Vec::len);
        if aside > 0 {
            story.fail(&format!(
                "{aside} changes are held for checking at {}",
                member.short()
            ));
        }
    }
    outcome.published = stage.expected.summaries();
    for hub in HUBS {
        outcome.disclosures += stage.disclosures(hub).await?;
    }
    story.check(
        outcome.disclosures == outcome.published,
        format!(
            "Summaries were published {} in all, and the hubs' disclosure logs have {}.",
            count(outcome.published, "time"),
            count(outcome.disclosures, "line"),
        ),
    );
    (outcome.documents, outcome.entries) = (totals.documents(), totals.entries());
    pages::make_accounts(stage).await?;
    outcome.pages = pages::answering(stage).await?;
    story.tell(format!(
        "The pages of {} answer.",
        count(outcome.pages, "member")
    ));
    let lost = stage.ledger.lost(&stage.members).await?;
    (outcome.acknowledged, outcome.acknowledged_lost) = (stage.ledger.len(), lost.len());
    story.check(
        lost.is_empty(),
        format!(
            "Of the {} edits that people were told are saved, {} are lost.",
            outcome.acknowledged, outcome.acknowledged_lost
        ),
    );
    for edit in lost {
        story.tell(format!("lost {edit}"));
    }
    Ok(())
}

/// Says what can be done while all goes on running.
fn look_around(stage: &Stage, story: &Story) {
    let project = stage.project();
    println!("\nEverything goes on running. Look around:");
    pages::tell(stage);
    println!("\n   Their folders:\n");
    for member in &stage.members {
        println!("   {:<28} {}", member.name, member.folder().display());
    }
    println!(
        "   {:<28} {}",
        "what they logged",
        stage.root.join("logs").display()
    );
    println!("\n   In another terminal, where this demo also is the two programs:\n");
    let demo = std::env::current_exe().unwrap_or_default();
    for part in [Part::Node, Part::Coordinator] {
        println!(
            "   alias {}='{} {}'",
            part.program(),
            demo.display(),
            part.argument()
        );
    }
    let (coordinator, hub) = (&stage.members[COORDINATOR], &stage.members[HUBS[0]]);
    for line in [
        hub.typed("status"),
        hub.typed("record list"),
        hub.typed("record disclosures"),
        hub.typed(&format!("record show {}", project.record)),
        hub.typed(&format!("record history {}", project.record)),
        coordinator.typed("hubs"),
    ] {
        println!("   {line}");
    }
    if !story.failures().is_empty() {
        println!("\n   Did not hold: {}", story.failures().join("; "));
    }
    println!("\n   Ctrl-C ends it.");
}

/// The folder to play in; without one of the user's, one that is deleted when the second value
/// is dropped.
fn folder(data: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>)> {
    let Some(path) = data else {
        let folder = tempfile::Builder::new()
            .prefix("causeway-demo-")
            .tempdir()?;
        return Ok((folder.path().to_owned(), Some(folder)));
    };
    std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    let path = path.canonicalize()?;
    ensure!(
        is_empty(&path)?,
        "{} is not empty; give a new folder",
        path.display()
    );
    // The longest name below it is that of a socket, and the system allows 107 bytes for those.
    ensure!(
        path.as_os_str().len() <= 70,
        "{} is too long a name for sockets below it",
        path.display()
    );
    Ok((path, None))
}

fn is_empty(path: &Path) -> Result<bool> {
    Ok(std::fs::read_dir(path)?.next().is_none())
}
