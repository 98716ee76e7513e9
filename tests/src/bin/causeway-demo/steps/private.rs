//! Step 7: what a hub keeps to itself was never anywhere else.

use std::collections::BTreeSet;

use anyhow::Result;
use tests::search::Search;

use crate::outcome::Outcome;
use crate::secrets::PLANTED;
use crate::stage::{COORDINATOR, HUBS, SOUTH_YORKSHIRE, Stage};
use crate::story::Story;

/// Searches the coordinator's files for everything that was planted, at hubs and in shared
/// records.
pub(crate) fn search_coordinator(stage: &Stage) -> Result<Search> {
    let mut words = private(stage).into_iter().collect::<Vec<_>>();
    words.extend(PLANTED.iter().map(|planted| planted.control.to_owned()));
    Search::of(stage.members[COORDINATOR].folder(), &words)
}

/// All that no coordinator may ever hold.
fn private(stage: &Stage) -> BTreeSet<String> {
    let planted = PLANTED.iter().flat_map(|planted| planted.private());
    planted.chain(stage.people.iter().cloned()).collect()
}

/// Searches the new coordinator's files, and tells what this and the search of the lost one's
/// found; then looks at every hub's.
pub(crate) fn run(
    stage: &Stage,
    story: &mut Story,
    outcome: &mut Outcome,
    lost: &Search,
) -> Result<()> {
    story.begin(7, "What a hub keeps to itself was never anywhere else");
    let new = search_coordinator(stage)?;
    let private = private(stage);
    let controls = PLANTED
        .iter()
        .map(|planted| planted.control.to_owned())
        .collect::<BTreeSet<_>>();
    let found = |search: &Search, words: &BTreeSet<String>| {
        search
            .found()
            .filter(|word| words.contains(*word))
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    let leaked = &found(lost, &private) | &found(&new, &private);
    let shared = &found(lost, &controls) & &found(&new, &controls);
    outcome.private_values = private.len();
    outcome.private_values_at_coordinator = leaked.len();
    outcome.control_values_at_coordinator = shared.len();
    for (which, search) in [("lost", lost), ("new", &new)] {
        story.check(
            search.undecoded == 0,
            format!(
                "Of the {which} coordinator {} files were searched, byte by byte and decoded: {} \
                 columns and {} changes within them; {} could not be decoded.",
                search.files, search.columns, search.changes, search.undecoded
            ),
        );
    }
    let decoded = controls.iter().all(|word| {
        new.places(word)
            .iter()
            .any(|place| place.ends_with("decoded"))
    });
    story.check(
        leaked.is_empty() && shared.len() == controls.len() && decoded,
        format!(
            "Of the {} private values of the hubs (names, addresses, notes; {} of them planted) {} were \
             found there; of the {} planted in shared records {} were.",
            private.len(),
            private.len() - stage.people.len(),
            leaked.len(),
            controls.len(),
            shared.len()
        ),
    );
    for word in &leaked {
        let places = [lost.places(word), new.places(word)].concat().join("; ");
        story.fail(&format!(
            "a private value was found at the coordinator: {places}"
        ));
    }
    at_hubs(stage, story)?;
    story.end(format!(
        "What a hub keeps to itself was never anywhere else: of {} private names, addresses and \
         notes {} were found in the files of the lost and the new coordinator, where {} of {} words \
         planted in shared records were.",
        private.len(),
        leaked.len(),
        shared.len(),
        controls.len(),
    ));
    Ok(())
}

/// Each hub's values are found in its own folder, which shows that the search finds such values,
/// and in no other hub's; nor in any log.
fn at_hubs(stage: &Stage, story: &mut Story) -> Result<()> {
    let (mut own, mut elsewhere, mut planted) = (0, Vec::new(), 0);
    for hub in HUBS {
        let words = PLANTED[hub - SOUTH_YORKSHIRE].private();
        planted += words.len();
        own += Search::of(stage.members[hub].folder(), &words)?
            .found()
            .count();
        let others = HUBS.into_iter().filter(|other| *other != hub);
        let mut folders = others
            .map(|other| stage.members[other].folder())
            .collect::<Vec<_>>();
        let logs = stage.root.join("logs");
        folders.push(&logs);
        for folder in folders {
            let search = Search::of(folder, &words)?;
            elsewhere.extend(search.found().map(|word| search.places(word).join("; ")));
        }
    }
    story.check(
        own == planted && elsewhere.is_empty(),
        format!(
            "The same search finds {own} of these {planted} in their own hubs' folders, and {} in \
             the other hubs' folders and in what all have logged.",
            elsewhere.len()
        ),
    );
    Ok(())
}
