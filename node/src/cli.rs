//! The `causeway-node` command.

mod account;
mod audit;
mod backup;
mod certificate;
mod connect;
mod doctor;
mod exit;
mod export;
mod identity;
mod import;
mod init;
pub mod output;
mod people;
mod ready;
mod rebuild;
mod record;
mod report;
mod restore;
mod sample;
mod serve;
mod setup;
mod space;
mod span;
mod status;
mod stop;
mod verify;
mod watch;

use std::path::{Path, PathBuf};

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use proto::hub::v1::hub_client::HubClient;
use tonic::transport::Channel;

use crate::config::Config;
use crate::folder::{DataFolder, UsualFolders};
use crate::grpc::hub_service;
use crate::{Node, NodeError, local};
use output::Output;

pub use account::{AccountCommand, run as run_account};
pub use audit::{AuditCommand, run as run_audit};
pub use backup::{BackupArguments, new_key as new_backup_key, run as run_backup};
pub use doctor::report as report_findings;
pub use exit::{Ended, Exit};
pub use export::{ExportCommand, run as run_export};
pub use identity::show as show_identity;
pub use import::{ImportCommand, run as run_import};
pub use ready::run as run_ready;
pub use rebuild::run as run_rebuild;
pub use record::{RecordCommand, run as run_record};
pub use report::{ReportCommand, run as run_report};
pub use restore::{RestoreArguments, restored as show_restored, run as run_restore};
pub use sample::schema as print_schema;
pub use serve::{
    ServeArguments, end_requests, ensure_set_up, listen_for_pages, serve_pages, tell_ready,
    wait_until_free,
};
pub use space::list as list_spaces;
pub use span::parse_span;
pub use status::{StatusArguments, run_watch as watch_status, show as show_status};
pub use stop::{Closing, OWN_TIME, Stop};
pub use verify::run as run_verify;
pub use watch::{WatchArguments, watch};

/// How long what goes on beside a command may take once that has ended.
const ENDING: Duration = Duration::from_secs(5);

/// The own service's client, as all commands use it.
pub type Client = HubClient<Channel>;

/// Keeps a hub's records, works without a network, and shares what was agreed.
#[derive(Debug, Parser)]
#[command(name = "causeway-node", version)]
pub struct Arguments {
    /// The node's data folder. Without it: `causeway-data` in the current folder if it is there; else
    /// the service's, `/var/lib/causeway-node`, if this computer has it; else your own,
    /// `~/.local/share/causeway/node` (on macOS `~/Library/Application Support/Causeway/node`, on Windows
    /// `%ProgramData%\Causeway\node`).
    #[arg(long, env = "CAUSEWAY_DATA", global = true)]
    data: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sets up a new node in the data folder.
    Init,
    /// Connects this node to a network, with the invitation file that NCETM sent.
    ///
    /// It shows a check number, which NCETM compares before admitting the node, and waits for that.
    Connect(connect::ConnectArguments),
    /// Sets a node up, connects it with an invitation file and runs it, all in one. Stopped at any
    /// point and run again, it goes on where it was.
    Setup(setup::SetupArguments),
    /// Runs the node until it is told to stop.
    Serve(serve::ServeArguments),
    /// Looks for what is wrong, from the settings to the session with the coordinator, and says what
    /// to do. It changes nothing, and works while the node runs and while it does not.
    Doctor(doctor::DoctorArguments),
    /// Says whether the running node can do its work: ends with 0 if so, 2 if not, 69 if none runs.
    Ready,
    /// Says where this node stands.
    Status(status::StatusArguments),
    /// What was done and refused here: lists it, or checks that nothing of it was changed.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Lists, shows, makes and changes records.
    #[command(subcommand)]
    Record(record::RecordCommand),
    /// People's cards: duplicates.
    #[command(subcommand)]
    People(people::PeopleCommand),
    /// Brings records in: sheets, the school register, a whole hub.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Takes records out: lists, calendars, a whole hub.
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// Draws pictures: the nation's, a project's, this hub's.
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Counts what is to be reported.
    #[command(subcommand)]
    Return(report::ReturnCommand),
    /// Prints the kinds of record as they are declared.
    Schema {
        /// As docs/records.md holds them.
        #[arg(long)]
        markdown: bool,
    },
    /// Fills this node with a year of made-up work, to try it out. Never on a node in use.
    Sample {
        /// The same seed makes the same year.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// A tenth of a year.
        #[arg(long)]
        small: bool,
    },
    /// Removes others' records of spaces that this hub has left, and says which.
    Retain,
    /// Who may use this node's pages: lists, makes, ends.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// What is shared with whom.
    #[command(subcommand)]
    Space(space::SpaceCommand),
    /// The authority of this node's own certificate, which colleagues' devices have to trust.
    Certificate {
        /// A file that does not exist yet; without one it is printed.
        file: Option<PathBuf>,
    },
    /// By which key this node is known: says it, and takes another.
    #[command(subcommand)]
    Identity(identity::IdentityCommand),
    /// Checks the whole store, from the root key's signature to the last entry and record, and names
    /// the first thing wrong.
    Verify,
    /// Makes the lists and all that is remembered of records again from their entries, while the node
    /// is stopped.
    Rebuild,
    /// Writes a consistent copy of the store, while the node serves or not.
    Backup(backup::BackupArguments),
    /// Makes a key to which backups are sealed, and prints its public part.
    BackupKey {
        /// A file that does not exist yet, for the secret part, which opens backups.
        file: PathBuf,
    },
    /// Puts a backup in the place of the store. What was sent since comes back from the others.
    Restore(restore::RestoreArguments),
    /// Says what the last restore brought back, and what not.
    Restored,
}

impl Arguments {
    /// Runs the command.
    ///
    /// # Errors
    /// A sentence for the person who ran it.
    pub async fn run(self) -> Result<()> {
        let Self {
            data,
            json,
            command,
        } = self;
        let output = Output::of(json);
        let data = data.unwrap_or_else(|| UsualFolders::NODE.choose());
        match command {
            Command::Init => init::run(&data, output),
            Command::Connect(arguments) => connect::run(&data, arguments, output).await,
            Command::Setup(arguments) => setup::run(&data, arguments, output).await,
            Command::Serve(arguments) => serve::serve(&data, &arguments).await,
            Command::Doctor(arguments) => doctor::run(&data, arguments, output).await,
            Command::Ready => ready::run(&data, output).await,
            Command::Status(arguments) => status::run(&data, &arguments, output).await,
            Command::Audit(command) => audit::run(&data, &command, output),
            Command::Record(command) => record::run(client(&data).await?, command, output).await,
            Command::People(command) => people::run(client(&data).await?, command, output).await,
            Command::Import(command) => import::run(client(&data).await?, command, output).await,
            Command::Export(command) => export::run(client(&data).await?, command, output).await,
            Command::Report(command) => report::run(client(&data).await?, command, output).await,
            Command::Return(command) => {
                report::run_return(client(&data).await?, command, output).await
            }
            Command::Schema { markdown } => sample::schema(markdown, output),
            Command::Sample { seed, small } => {
                sample::run(client(&data).await?, seed, small, output).await
            }
            Command::Retain => sample::retain(client(&data).await?, output).await,
            Command::Account(command) => account::run(client(&data).await?, command, output).await,
            Command::Space(command) => space::run(client(&data).await?, command, output).await,
            Command::Identity(command) => identity::run(&data, command, output).await,
            Command::Certificate { file } => certificate::run(&data, file, output),
            Command::Verify => verify::run(&data, client(&data).await, output).await,
            Command::Rebuild => {
                let config = Config::read(&DataFolder::config(&data))?;
                rebuild::run(&data, config, output)
            }
            Command::Backup(arguments) => {
                backup::run(client(&data).await?, arguments, output).await
            }
            Command::BackupKey { file } => backup::new_key(&file, output),
            Command::Restore(arguments) => restore::run(&data, arguments, output),
            Command::Restored => restore::restored(client(&data).await?, output).await,
        }
    }
}

/// A client of the running node, or, when none runs, of one opened for this command alone.
///
/// # Errors
/// A sentence, if the folder holds no node or cannot be opened.
pub async fn client(data: &Path) -> Result<Client> {
    let channel = match local::connect(&DataFolder::socket(data)).await {
        Ok(channel) => channel,
        Err(_) => {
            let node = open(data)?;
            local::in_process(tonic::transport::Server::builder().add_service(hub_service(node)))
                .await?
        }
    };
    Ok(client_on(channel))
}

/// A client of the running node; none is opened for this command.
///
/// # Errors
/// A sentence, if none runs, which ends with [`Exit::Unreachable`].
pub async fn client_of_running(data: &Path) -> Result<Client> {
    let channel = local::connect(&DataFolder::socket(data)).await;
    let channel = channel.map_err(|_| not_running())?;
    Ok(client_on(channel))
}

/// Why a command that watches shows nothing.
pub fn not_running() -> Ended {
    Exit::Unreachable.with("nothing runs on this data folder: start it with `serve`")
}

fn client_on(channel: Channel) -> Client {
    let limit = local::LOCAL_MESSAGE_BYTES_MAX;
    Client::new(channel)
        .max_decoding_message_size(limit)
        .max_encoding_message_size(limit)
}

/// Checks that what a running program wrote is where this command sees it: a service may have a `/tmp` of its
/// own.
pub(crate) fn ensure_seen(path: &str) -> Result<()> {
    anyhow::ensure!(
        Path::new(path).exists(),
        "{path} was written by the service, into a folder that only the service sees; name a file below \
         its data folder or /var/backups, and restart the service, which deletes this one"
    );
    Ok(())
}

/// Opens the node in `data`.
pub(crate) fn open(data: &Path) -> Result<Node> {
    Node::open(data).map_err(with_code)
}

/// Wrong settings stay what they are, so that the exit code says so.
fn with_code(error: NodeError) -> anyhow::Error {
    match error {
        NodeError::Config(error) => error.into(),
        NodeError::Folder(_)
        | NodeError::Store(_)
        | NodeError::Audit(_)
        | NodeError::Certificate(_)
        | NodeError::StoreMissing(_)
        | NodeError::OtherNetwork => error.into(),
    }
}

/// What a `main` does with its arguments: runs them, reports, and says by an [`Exit`] how it went.
pub fn main<A, F: Future<Output = Result<()>>>(
    arguments: Result<A, clap::Error>,
    run: impl FnOnce(A) -> F,
) -> ExitCode {
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(error) => {
            let _written = error.print();
            let asked = !error.use_stderr();
            return if asked { Exit::Done } else { Exit::Usage }.into();
        }
    };
    crate::telemetry::quiet_panics();
    crate::platform::make_all_private();
    let done = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let done = runtime.block_on(run(arguments));
            // What nobody waits for any more, as a check of the whole store, does not hold up the end.
            runtime.shutdown_timeout(ENDING);
            done
        });
    match done {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            eprintln!("error: {}", sentence(&error));
            Exit::of(&error).into()
        }
    }
}

/// The sentence of an error, as a person should read it, without the transport's own words.
pub fn sentence(error: &anyhow::Error) -> String {
    match error.downcast_ref::<tonic::Status>() {
        Some(status) => status.message().to_owned(),
        None => {
            let mut text = error.to_string();
            // Many errors repeat their cause in their own words.
            for cause in error.chain().skip(1).map(ToString::to_string) {
                if !text.contains(&cause) {
                    text = format!("{text}: {cause}");
                }
            }
            text
        }
    }
}
