//! A hub or a coordinator as a process of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use node::cli::Client;
use node::folder::DataFolder;
use proto::hub::v1::{
    CreateRecordRequest, ListRecordsRequest, ListSpacesRequest, ShowRecordRequest, StatusRequest,
};
use serde_json::{Value, json};
use tests::process::Process;
use tests::world::{World, until};
use tokio::process::Command;
use tonic::Status;

const GRACE: Duration = Duration::from_secs(20);

/// What a node holds of a space: the digests of its heights and of its documents, and how many
/// entries.
pub(crate) type Held = (String, String, u64);

/// A data folder and the process that serves it, if it runs.
pub(crate) struct Program {
    part: &'static str,
    folder: PathBuf,
    running: Option<(Process, Client)>,
}

impl Program {
    /// The hub whose data is in `folder`.
    pub(crate) fn hub(folder: &Path) -> Self {
        Self::new("node", folder)
    }

    /// The coordinator whose data is in `folder`.
    pub(crate) fn coordinator(folder: &Path) -> Self {
        Self::new("coordinator", folder)
    }

    fn new(part: &'static str, folder: &Path) -> Self {
        Self {
            part,
            folder: folder.to_owned(),
            running: None,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&mut self) {
        let answers = self.start_under(&[]).await;
        answers.unwrap_or_else(|said| panic!("it ended at once: {said}"));
    }

    /// Starts it under another program and waits until it answers, or until it has ended; its last
    /// words, then.
    pub(crate) async fn start_under(&mut self, other: &[&str]) -> Result<(), String> {
        // A node that ran within this process lets go of its folder a moment after it was stopped.
        until("the folder is free", || {
            DataFolder::open(&self.folder).is_ok()
        })
        .await;
        let process = self.launch(other);
        self.answers(process).await
    }

    /// Starts it and waits for nothing.
    pub(crate) fn launch(&self, under: &[&str]) -> Process {
        let demo = env!("CARGO_BIN_EXE_causeway-demo");
        let words = under.iter().copied().chain([demo, self.part, "--data"]);
        let mut words = words.map(std::ffi::OsStr::new);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).arg(&self.folder).arg("serve");
        // Beside the folder: the log of a full disk must not be on it.
        Process::start(command, &self.folder.with_extension("log")).expect("it starts")
    }

    async fn answers(&mut self, mut process: Process) -> Result<(), String> {
        let socket = DataFolder::socket(&self.folder);
        for _ in 0..3_000 {
            if process.ended().expect("its state").is_some() {
                return Err(process.last_words());
            }
            if let Ok(channel) = node::local::connect(&socket).await {
                let limit = node::local::LOCAL_MESSAGE_BYTES_MAX;
                let client = Client::new(channel).max_decoding_message_size(limit);
                self.running = Some((process, client));
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it does not answer: {}", process.last_words());
    }

    /// Kills it (SIGKILL).
    pub(crate) async fn kill(&mut self) {
        let (process, _client) = self.running.take().expect("it runs");
        process.kill().await.expect("it is killed");
    }

    /// Asks it to stop, and sees that it does.
    pub(crate) async fn stop(&mut self) {
        let (process, _client) = self.running.take().expect("it runs");
        let status = process.stop(GRACE).await.expect("it stops");
        assert!(status.success(), "{status}");
    }

    pub(crate) fn client(&self) -> Client {
        self.running.as_ref().expect("it runs").1.clone()
    }

    /// Makes a practice and returns its id once it is saved.
    pub(crate) async fn note(&self, space: &str, body: &str) -> Result<String, Status> {
        note(&mut self.client(), space, body).await
    }

    /// The practices that it lists.
    pub(crate) async fn notes(&self, space: &str) -> BTreeSet<String> {
        let request = ListRecordsRequest {
            kind: "practice".to_owned(),
            space: space.to_owned(),
            ..ListRecordsRequest::default()
        };
        let listed = self.client().list_records(request).await.expect("a list");
        let records = listed.into_inner().records.into_iter();
        records.map(|record| record.id).collect()
    }

    /// A record's fields.
    pub(crate) async fn show(&self, id: &str) -> Result<Value, Status> {
        let request = ShowRecordRequest {
            id: id.to_owned(),
            ..ShowRecordRequest::default()
        };
        let shown = self.client().show_record(request).await?;
        Ok(serde_json::from_str(&shown.into_inner().json).expect("JSON"))
    }

    /// What it holds of a space.
    pub(crate) async fn held(&self, space: &str) -> Option<Held> {
        let spaces = self.client().list_spaces(ListSpacesRequest {}).await;
        let spaces = spaces.expect("spaces").into_inner().spaces;
        let found = spaces.into_iter().find(|found| found.id == space)?;
        Some((found.digest, found.documents_digest, found.entries))
    }

    /// Where it stands.
    pub(crate) async fn status(&self) -> Value {
        let status = self.client().status(StatusRequest {}).await;
        serde_json::from_str(&status.expect("a status").into_inner().json).expect("JSON")
    }
}

/// Makes a practice and returns its id once it is saved.
pub(crate) async fn note(client: &mut Client, space: &str, body: &str) -> Result<String, Status> {
    let fields = json!({ "title": "An idea, noted down in a hurry", "body": body });
    let request = CreateRecordRequest {
        kind: "practice".to_owned(),
        space: space.to_owned(),
        json: fields.to_string(),
        acting: None,
    };
    Ok(client.create_record(request).await?.into_inner().id)
}

/// What a node within this process holds of a space.
pub(crate) fn held_by(node: &node::Node, space: &str) -> Option<Held> {
    let spaces = node.spaces().expect("spaces");
    let found = spaces
        .into_iter()
        .find(|found| found.id.to_string() == space)?;
    let digests = (found.digest.to_string(), found.documents_digest.to_string());
    Some((digests.0, digests.1, found.entries))
}

/// Adds a hub that connects again after short pauses.
pub(crate) async fn add_hub(world: &mut World, code: &'static str) {
    let folder = world.path(code);
    std::fs::create_dir_all(&folder).expect("a folder");
    let settings = "[sync]\nreconnect_ms_min = 100\nreconnect_ms_max = 1000\n\
                    receipt_interval_ms = 100\n\
                    [limits]\ndisk_reserve_bytes = 0\n";
    std::fs::write(DataFolder::config(&folder), settings).expect("settings");
    world.add_hub(code).await;
}

/// Waits until `both` give the same answer, and there is one.
pub(crate) async fn equal<T: PartialEq + std::fmt::Debug>(
    mut both: impl AsyncFnMut() -> Vec<Option<T>>,
) {
    let mut last = Vec::new();
    for _ in 0..1_500 {
        last = both().await;
        if last[0].is_some() && last.windows(2).all(|pair| pair[0] == pair[1]) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    panic!("they are not equal after a minute: {last:?}");
}
