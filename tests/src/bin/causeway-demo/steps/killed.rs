//! Step 4: a hub is killed in the middle of writing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, ensure};
use node::cli::Client;
use proto::hub::v1::CreateRecordRequest;
use serde_json::json;

use crate::ledger::Mark;
use crate::stage::{LONDON_THAMES, Stage};
use crate::story::Story;
use crate::wait::{since, until};

/// How many people write at once.
const WRITERS: usize = 3;
/// How many edits are acknowledged before the kill.
const ACKNOWLEDGED_MIN: usize = 60;

/// Lets people write at London Thames, kills it while they do, and looks for what it had
/// acknowledged.
pub(crate) async fn run(stage: &mut Stage, story: &mut Story) -> Result<()> {
    story.begin(4, "London Thames is killed in the middle of writing");
    let (space, edits_before) = (stage.project().space, stage.ledger.len());
    let client = stage.members[LONDON_THAMES].client()?;
    let writing = Writing::start(&client, &space);
    until("people writing", async || {
        let so_far = writing.acknowledged().len();
        Ok(if so_far >= ACKNOWLEDGED_MIN {
            Ok(())
        } else {
            Err(format!("{so_far} edits so far"))
        })
    })
    .await?;
    ensure!(writing.goes_on(), "the writing ended before the kill");
    stage.members[LONDON_THAMES].kill().await?;
    let (acknowledged, asked) = writing.end().await;
    for id in &acknowledged {
        stage.ledger.saved(LONDON_THAMES, id, Mark::Record);
    }
    let begun = Instant::now();
    stage.members[LONDON_THAMES].start().await?;
    let started = since(begun);
    let mut there = 0;
    for edit in stage.ledger.of(LONDON_THAMES, edits_before) {
        there += usize::from(edit.missing(&stage.members).await?.is_none());
    }
    story.check(
        there == acknowledged.len(),
        format!(
            "{} people wrote at once and asked for {asked} edits; of {} it had said before the \
             kill that they are saved, and {there} of these are there.",
            WRITERS,
            acknowledged.len(),
        ),
    );
    let alarms = stage.members[LONDON_THAMES].status().await?["alarms"].clone();
    story.check(
        alarms == json!([]),
        format!("Alarms at its return: {alarms}."),
    );
    stage.in_sync().await?;
    story.tell(format!(
        "Everyone had the same again {} after it was started.",
        since(begun)
    ));
    story.end(format!(
        "London Thames was killed in the middle of writing and answered again {started} after it \
         was started, with all {there} edits that it had said are saved.",
    ));
    Ok(())
}

/// People who write until nobody answers any more.
struct Writing {
    shared: Arc<Shared>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    asked: std::sync::atomic::AtomicUsize,
    ended: AtomicBool,
    acknowledged: Mutex<Vec<String>>,
}

impl Writing {
    fn start(client: &Client, space: &str) -> Self {
        let shared = Arc::<Shared>::default();
        let tasks = (0..WRITERS).map(|_| {
            let (client, shared, space) = (client.clone(), Arc::clone(&shared), space.to_owned());
            tokio::spawn(async move { shared.write(client, &space).await })
        });
        Self {
            tasks: tasks.collect(),
            shared,
        }
    }

    fn acknowledged(&self) -> Vec<String> {
        self.shared
            .acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn goes_on(&self) -> bool {
        !self.shared.ended.load(Ordering::SeqCst)
    }

    /// Waits for all to have noticed; returns what was acknowledged and how many were asked for.
    async fn end(self) -> (Vec<String>, usize) {
        for task in self.tasks {
            // A writer that failed has acknowledged what it had noted.
            let _ended = task.await;
        }
        let acknowledged = self
            .shared
            .acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        (
            acknowledged.clone(),
            self.shared.asked.load(Ordering::SeqCst),
        )
    }
}

impl Shared {
    async fn write(&self, mut client: Client, space: &str) {
        loop {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            let json = json!({ "title": format!("An idea, noted down in a hurry ({number})") });
            let (kind, space) = ("practice".to_owned(), space.to_owned());
            let request = CreateRecordRequest {
                kind,
                space,
                json: json.to_string(),
                acting: None,
            };
            let Ok(made) = client.create_record(request).await else {
                self.ended.store(true, Ordering::SeqCst);
                return;
            };
            let mut acknowledged = self
                .acknowledged
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            acknowledged.push(made.into_inner().id);
        }
    }
}
