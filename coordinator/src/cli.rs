//! The `causeway-coordinator` command.

mod authority;
mod certificates;
mod doctor;
mod health;
mod hubs;
mod identity;
mod init;
mod invite;
mod nodes;
mod sample;
mod serve;
mod space;
mod waiting;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use node::cli::output::Output;
use node::folder::{DataFolder, UsualFolders};
use node::{AuthorityAppendError, local};
use proto::coordinator::v1::coordinator_client::CoordinatorClient;
use tonic::transport::Channel;

use crate::authority_writer::AuthorityError;
use crate::config::CoordinatorConfig;
use crate::operations::OperationError;
use crate::saved_keys::SavedKeysError;
use crate::service::coordinator_service;
use crate::{Coordinator, CoordinatorError};

type Client = CoordinatorClient<Channel>;

/// Where a coordinator's data folder is looked for.
const FOLDERS: UsualFolders = UsualFolders {
    here: "coordinator-data",
    service: "causeway-coordinator",
    own: "coordinator",
};

/// Introduces hubs, relays what they share, and shows the national picture.
#[derive(Debug, Parser)]
#[command(name = "causeway-coordinator", version)]
pub struct Arguments {
    /// The coordinator's data folder. Without it: `coordinator-data` in the current folder if it is
    /// there; else the service's, `/var/lib/causeway-coordinator`, if this computer has it; else your own,
    /// `~/.local/share/causeway/coordinator` (on macOS
    /// `~/Library/Application Support/Causeway/coordinator`, on Windows
    /// `%ProgramData%\Causeway\coordinator`).
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
    /// Sets up a network, or a coordinator for one whose keys were saved.
    Init(init::InitArguments),
    /// Runs the coordinator until it is told to stop.
    Serve,
    /// Looks for what is wrong, from the settings to the address that hubs dial, and says what to do.
    /// It changes nothing, and works while the coordinator runs and while it does not.
    Doctor,
    /// Makes an invitation file for one hub.
    Invite(invite::InviteArguments),
    /// Lists the requests to connect that wait, with their check numbers, and the newest refusals.
    Waiting,
    /// Admits the node whose request to connect waits, once the check numbers were compared.
    Admit(waiting::AdmitArguments),
    /// Refuses a request to connect that waits; the hub reads why.
    Refuse(waiting::RefuseArguments),
    /// Lists the hubs: invited, waiting to be admitted, connected, away or revoked.
    Hubs,
    /// Ends all access of a hub; it is cut off even while connected.
    Revoke(hubs::RevokeArguments),
    /// Says how every hub and node stands, the silent ones first.
    Health(health::HealthArguments),
    /// The nodes of hubs: lists them, or ends the access of one.
    #[command(subcommand)]
    Node(nodes::NodeCommand),
    /// Ends a hub's sessions and refuses new ones, until `resume`; its access stays.
    Suspend(hubs::SuspendArguments),
    /// Lets a suspended hub in again.
    Resume {
        /// The hub's code.
        code: String,
    },
    /// Makes spaces and says who may read and write them.
    #[command(subcommand)]
    Space(space::SpaceCommand),
    /// The record of access.
    #[command(subcommand)]
    Authority(authority::AuthorityCommand),
    /// Who signs certificates, and until when: says it, and replaces the authority while hubs stay
    /// connected.
    #[command(subcommand)]
    Certificates(certificates::CertificatesCommand),
    /// By which key the coordinator is known: says it, and takes another while hubs stay connected.
    #[command(subcommand)]
    Identity(identity::IdentityCommand),
    /// Says whether the running coordinator can do its work: ends with 0 if so, 2 if not, 69 if none
    /// runs.
    Ready,
    /// Says where this coordinator stands.
    Status(node::cli::StatusArguments),
    /// What was done and refused here: lists it, or checks that nothing of it was changed.
    #[command(subcommand)]
    Audit(node::cli::AuditCommand),
    /// Everything that a node's records can do: see `causeway-node record --help`.
    #[command(subcommand)]
    Record(node::cli::RecordCommand),
    /// Brings records in: sheets, and the national school register for every hub.
    #[command(subcommand)]
    Import(node::cli::ImportCommand),
    /// Takes records out: lists, calendars, everything of the coordinator's own.
    #[command(subcommand)]
    Export(node::cli::ExportCommand),
    /// Who may use the coordinator's pages: lists, makes, ends.
    #[command(subcommand)]
    Account(node::cli::AccountCommand),
    /// Draws pictures: the nation's, a project's.
    #[command(subcommand)]
    Report(node::cli::ReportCommand),
    /// Prints the kinds of record as they are declared.
    Schema {
        /// As docs/records.md holds them.
        #[arg(long)]
        markdown: bool,
    },
    /// Checks the whole store, from the root key's signature to the last entry and record, and names
    /// the first thing wrong.
    Verify,
    /// Makes the lists and all that is remembered of records again from their entries, while the
    /// coordinator is stopped.
    Rebuild,
    /// Writes a consistent copy of the store, while the coordinator serves or not.
    Backup(node::cli::BackupArguments),
    /// Makes a key to which backups are sealed, and prints its public part.
    BackupKey {
        /// A file that does not exist yet, for the secret part, which opens backups.
        file: PathBuf,
    },
    /// Puts a backup in the place of the store. What was shared since comes back from the hubs.
    Restore(node::cli::RestoreArguments),
    /// Says what the last restore brought back, and what not.
    Restored,
    /// Fills a new network with a made-up nation, to try it out. Never on a coordinator in use.
    Sample(sample::SampleArguments),
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
        let data = data.unwrap_or_else(|| FOLDERS.choose());
        match command {
            Command::Init(arguments) => init::run(&data, &arguments, output),
            Command::Serve => serve::run(&data).await,
            Command::Doctor => doctor::run(&data, output).await,
            Command::Invite(arguments) => {
                invite::run(clients(&data).await?.0, arguments, output).await
            }
            Command::Waiting => waiting::list(clients(&data).await?.0, output).await,
            Command::Admit(arguments) => {
                waiting::admit(clients(&data).await?.0, arguments, output).await
            }
            Command::Refuse(arguments) => {
                waiting::refuse(clients(&data).await?.0, arguments, output).await
            }
            Command::Hubs => hubs::list(clients(&data).await?.0, output).await,
            Command::Revoke(arguments) => {
                hubs::revoke(clients(&data).await?.0, arguments, output).await
            }
            Command::Health(arguments) => health::run(&data, &arguments, output).await,
            Command::Node(command) => nodes::run(clients(&data).await?.0, command, output).await,
            Command::Suspend(arguments) => {
                hubs::suspend(clients(&data).await?.0, arguments, output).await
            }
            Command::Resume { code } => hubs::resume(clients(&data).await?.0, code, output).await,
            Command::Space(space::SpaceCommand::List) => {
                node::cli::list_spaces(clients(&data).await?.1, output).await
            }
            Command::Space(command) => space::run(clients(&data).await?, command, output).await,
            Command::Authority(command) => {
                authority::run(clients(&data).await?.0, command, output).await
            }
            Command::Certificates(command) => {
                certificates::run(clients(&data).await?.0, command, output).await
            }
            Command::Identity(command) => {
                identity::run(clients(&data).await?, command, output).await
            }
            Command::Ready => node::cli::run_ready(&data, output).await,
            Command::Status(arguments) if arguments.is_watch() => {
                node::cli::watch_status(&data, &arguments, output).await
            }
            Command::Status(_) => node::cli::show_status(clients(&data).await?.1, output).await,
            Command::Audit(command) => node::cli::run_audit(&data, &command, output),
            Command::Record(command) => {
                node::cli::run_record(clients(&data).await?.1, command, output).await
            }
            Command::Import(command) => {
                node::cli::run_import(clients(&data).await?.1, command, output).await
            }
            Command::Export(command) => {
                node::cli::run_export(clients(&data).await?.1, command, output).await
            }
            Command::Account(command) => {
                node::cli::run_account(clients(&data).await?.1, command, output).await
            }
            Command::Report(command) => {
                node::cli::run_report(clients(&data).await?.1, command, output).await
            }
            Command::Verify => {
                let client = clients(&data).await.map(|clients| clients.1);
                node::cli::run_verify(&data, client, output).await
            }
            Command::Rebuild => {
                let config = CoordinatorConfig::read(&DataFolder::config(&data))?;
                node::cli::run_rebuild(&data, config.node(), output)
            }
            Command::Backup(arguments) => {
                node::cli::run_backup(clients(&data).await?.1, arguments, output).await
            }
            Command::BackupKey { file } => node::cli::new_backup_key(&file, output),
            Command::Restore(arguments) => node::cli::run_restore(&data, arguments, output),
            Command::Restored => node::cli::show_restored(clients(&data).await?.1, output).await,
            Command::Schema { markdown } => node::cli::print_schema(markdown, output),
            Command::Sample(arguments) => {
                sample::run(clients(&data).await?.0, arguments, output).await
            }
        }
    }
}

fn open(data: &Path) -> Result<Coordinator> {
    Coordinator::open(data).map_err(with_code)
}

/// Wrong settings and folders stay what they are, so that the exit code says so.
fn with_code(error: CoordinatorError) -> anyhow::Error {
    match error {
        CoordinatorError::Config(error) => error.into(),
        CoordinatorError::Node(error) => error.into(),
        CoordinatorError::Folder(error) | CoordinatorError::Keys(SavedKeysError::Folder(error)) => {
            error.into()
        }
        CoordinatorError::Authority(error)
        | CoordinatorError::Operation(OperationError::Authority(error)) => of_authority(error),
        CoordinatorError::Operation(OperationError::Store(error)) => error.into(),
        error @ (CoordinatorError::NotCoordinator
        | CoordinatorError::Keys(_)
        | CoordinatorError::Operation(_)
        | CoordinatorError::Registry(_)
        | CoordinatorError::Certificate(_)
        | CoordinatorError::CertificateFiles(_)
        | CoordinatorError::Tls(_)
        | CoordinatorError::Listen { .. }) => error.into(),
    }
}

fn of_authority(error: AuthorityError) -> anyhow::Error {
    match error {
        AuthorityError::Folder(error) => error.into(),
        AuthorityError::Store(error)
        | AuthorityError::Append(AuthorityAppendError::Store(error)) => error.into(),
        error @ (AuthorityError::ReadOnly
        | AuthorityError::Frozen
        | AuthorityError::Begun
        | AuthorityError::NothingHeld
        | AuthorityError::NoneReported
        | AuthorityError::OtherNetwork
        | AuthorityError::Run(_)
        | AuthorityError::Append(_)) => error.into(),
    }
}

/// A client of the running coordinator; none is opened for this command.
async fn client_of_running(data: &Path) -> Result<Client> {
    let channel = local::connect(&DataFolder::socket(data)).await;
    let channel = channel.map_err(|_| node::cli::not_running())?;
    Ok(Client::new(channel).max_decoding_message_size(local::LOCAL_MESSAGE_BYTES_MAX))
}

/// Clients of the running coordinator, or, when none runs, of one opened for this command alone.
async fn clients(data: &Path) -> Result<(Client, node::cli::Client)> {
    let channel = match local::connect(&DataFolder::socket(data)).await {
        Ok(channel) => channel,
        Err(_) => {
            let coordinator = open(data)?;
            let operations = coordinator.operations().clone();
            let hours = coordinator.config().listen.invitation_hours;
            let router = tonic::transport::Server::builder()
                .add_service(node::grpc::hub_service(operations.node().clone()))
                .add_service(coordinator_service(operations, hours));
            local::in_process(router)
                .await
                .context("the coordinator cannot be opened")?
        }
    };
    let limit = local::LOCAL_MESSAGE_BYTES_MAX;
    let records = node::cli::Client::new(channel.clone())
        .max_decoding_message_size(limit)
        .max_encoding_message_size(limit);
    Ok((Client::new(channel), records))
}
