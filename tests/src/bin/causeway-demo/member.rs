//! One of the four that take part: a folder, a process, and what a user can ask of it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use node::cli::Client;
use node::folder::DataFolder;
use proto::hub::v1::{
    CreateRecordRequest, EditRecordRequest, FiguresRequest, ListRecordsRequest, ListSpacesRequest,
    ListVersionsRequest, Marks, RecordHistoryRequest, RecordSummary, ShowRecordRequest, Space,
    StatusRequest,
};
use serde_json::Value;
use tests::process::Process;
use tonic::transport::Channel;

use crate::part::Part;
use crate::wait::until;

/// How long a process may take to stop when asked.
const STOP_GRACE: Duration = Duration::from_secs(20);

/// A coordinator or hub with its folder.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its code.
    pub(crate) code: String,
    /// Its name.
    pub(crate) name: String,
    part: Part,
    folder: PathBuf,
    log: PathBuf,
    pages: SocketAddr,
    running: Option<(Process, Client)>,
}

/// A record as it was read.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Its fields.
    pub(crate) fields: Value,
    /// What it was read at.
    pub(crate) heads: String,
    /// Where this hub's edits of it are.
    pub(crate) marks: Marks,
}

impl Member {
    /// One whose folder and log stand below `root`, with a free port for its pages.
    ///
    /// # Errors
    /// If the system has no free port.
    pub(crate) fn new(part: Part, code: &str, name: &str, root: &Path) -> Result<Self> {
        let free = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        Ok(Self {
            code: code.to_owned(),
            name: name.to_owned(),
            part,
            folder: root.join(code),
            log: root.join("logs").join(format!("{code}.log")),
            pages: free.local_addr()?,
            running: None,
        })
    }

    /// Where its pages are.
    pub(crate) const fn pages(&self) -> SocketAddr {
        self.pages
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its name without the words that all have in common.
    pub(crate) fn short(&self) -> &str {
        self.name.trim_end_matches(" Maths Hub")
    }

    /// Whether this is its code.
    pub(crate) fn is(&self, code: &Value) -> bool {
        *code == *self.code
    }

    /// The command that a person would type.
    pub(crate) fn typed(&self, words: &str) -> String {
        format!(
            "{} --data {} {words}",
            self.part.program(),
            self.folder.display()
        )
    }

    /// Starts its process and waits until it answers.
    pub(crate) async fn start(&mut self) -> Result<()> {
        let mut command = self.part.command()?;
        command.arg("--data").arg(&self.folder).arg("serve");
        let mut process = Process::start(command, &self.log)?;
        let socket = DataFolder::socket(&self.folder);
        let what = format!("{} answering", self.name);
        let client = until(&what, async || {
            if let Some(status) = process.ended()? {
                bail!(
                    "{} ended at once ({status}):\n{}",
                    self.name,
                    process.last_words()
                );
            }
            match node::local::connect(&socket).await {
                Ok(channel) => Ok(Ok(client(channel))),
                Err(error) => Ok(Err(error.to_string())),
            }
        })
        .await?;
        self.running = Some((process, client));
        Ok(())
    }

    /// Asks its process to stop and waits for it.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        let Some((process, client)) = self.running.take() else {
            return Ok(());
        };
        drop(client);
        let status = process
            .stop(STOP_GRACE)
            .await
            .with_context(|| format!("{} did not stop", self.name))?;
        anyhow::ensure!(
            status.success(),
            "{} did not stop as it should: {status}",
            self.name
        );
        Ok(())
    }

    /// Kills its process (SIGKILL).
    pub(crate) async fn kill(&mut self) -> Result<()> {
        if let Some((process, _client)) = self.running.take() {
            process.kill().await?;
        }
        Ok(())
    }

    /// Runs one of its commands, as a person would, and reads the JSON that it prints.
    pub(crate) async fn command(&self, words: &[&str]) -> Result<Value> {
        let mut command = self.part.command()?;
        command
            .arg("--data")
            .arg(&self.folder)
            .arg("--json")
            .args(words)
            .kill_on_drop(true);
        let done = command.stdin(std::process::Stdio::null()).output().await?;
        let typed = self.typed(&words.join(" "));
        if !done.status.success() {
            bail!(
                "`{typed}` failed: {}",
                String::from_utf8_lossy(&done.stderr).trim()
            );
        }
        serde_json::from_slice(&done.stdout).with_context(|| format!("`{typed}` printed no JSON"))
    }

    /// A client of its running process.
    pub(crate) fn client(&self) -> Result<Client> {
        let running = self
            .running
            .as_ref()
            .with_context(|| format!("{} is not running", self.name))?;
        Ok(running.1.clone())
    }

    /// Whether its process was started and not stopped.
    pub(crate) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Makes a record and returns its id once it is saved.
    pub(crate) async fn create(&self, kind: &str, space: &str, fields: &Value) -> Result<String> {
        let (kind, space) = (kind.to_owned(), space.to_owned());
        let request = CreateRecordRequest {
            kind,
            space,
            json: fields.to_string(),
            acting: None,
        };
        Ok(self
            .client()?
            .create_record(request)
            .await
            .map_err(|status| self.said(&status))?
            .into_inner()
            .id)
    }

    /// Changes a record at the heads that were seen; returns once it is saved.
    pub(crate) async fn edit(&self, id: &str, heads: &str, changes: &Value) -> Result<()> {
        let (id, heads) = (id.to_owned(), heads.to_owned());
        let request = EditRecordRequest {
            id,
            heads,
            json: changes.to_string(),
            ..EditRecordRequest::default()
        };
        self.client()?
            .edit_record(request)
            .await
            .map_err(|status| self.said(&status))?;
        Ok(())
    }

    /// Reads a record.
    pub(crate) async fn show(&self, id: &str) -> Result<Shown> {
        let request = ShowRecordRequest {
            id: id.to_owned(),
            ..ShowRecordRequest::default()
        };
        let shown = self
            .client()?
            .show_record(request)
            .await
            .map_err(|status| self.said(&status))?
            .into_inner();
        let marks = shown.marks.unwrap_or_default();
        Ok(Shown {
            fields: serde_json::from_str(&shown.json)?,
            heads: shown.heads,
            marks,
        })
    }

    /// Lists records of a kind.
    pub(crate) async fn list(&self, kind: &str) -> Result<Vec<RecordSummary>> {
        let request = ListRecordsRequest {
            kind: kind.to_owned(),
            space: String::new(),
            ..ListRecordsRequest::default()
        };
        Ok(self
            .client()?
            .list_records(request)
            .await
            .map_err(|status| self.said(&status))?
            .into_inner()
            .records)
    }

    /// Who changed which field of a record when.
    pub(crate) async fn history(&self, id: &str) -> Result<Value> {
        let request = RecordHistoryRequest {
            id: id.to_owned(),
            ..RecordHistoryRequest::default()
        };
        let answer = self
            .client()?
            .record_history(request)
            .await
            .map_err(|status| self.said(&status))?
            .into_inner();
        Ok(serde_json::from_str(&answer.json)?)
    }

    /// The fields of a record that stand in two or more versions.
    pub(crate) async fn versions(&self, id: &str) -> Result<Vec<Value>> {
        let request = ListVersionsRequest {
            id: id.to_owned(),
            ..ListVersionsRequest::default()
        };
        let answer = self
            .client()?
            .list_versions(request)
            .await
            .map_err(|status| self.said(&status))?
            .into_inner();
        Ok(serde_json::from_str(&answer.json)?)
    }

    /// What is shared with whom, as it holds it.
    pub(crate) async fn spaces(&self) -> Result<Vec<Space>> {
        let answer = self
            .client()?
            .list_spaces(ListSpacesRequest {})
            .await
            .map_err(|status| self.said(&status))?;
        Ok(answer.into_inner().spaces)
    }

    /// The figures by project and hub, from the published summaries that it holds.
    pub(crate) async fn figures(&self) -> Result<Value> {
        let answer = self
            .client()?
            .figures(FiguresRequest {})
            .await
            .map_err(|status| self.said(&status))?
            .into_inner();
        Ok(serde_json::from_str(&answer.json)?)
    }

    /// Where it stands.
    pub(crate) async fn status(&self) -> Result<Value> {
        let answer = self
            .client()?
            .status(StatusRequest {})
            .await
            .map_err(|status| self.said(&status))?
            .into_inner();
        Ok(serde_json::from_str(&answer.json)?)
    }

    /// A refusal as the sentence that it holds.
    fn said(&self, status: &tonic::Status) -> anyhow::Error {
        anyhow::anyhow!("{}: {}", self.short(), status.message())
    }
}

fn client(channel: Channel) -> Client {
    let limit = node::local::LOCAL_MESSAGE_BYTES_MAX;
    Client::new(channel)
        .max_decoding_message_size(limit)
        .max_encoding_message_size(limit)
}
