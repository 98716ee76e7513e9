//! `space`: makes spaces and says who may read and write them.

use anyhow::Result;
use clap::Subcommand;
use node::cli::output::Output;
use proto::coordinator::v1::{CreateSpaceRequest, GrantSpaceRequest, WithdrawSpaceRequest};
use serde_json::json;

use super::Client;

/// What to do with spaces.
#[derive(Debug, Subcommand)]
pub(super) enum SpaceCommand {
    /// Lists the spaces that this coordinator may read.
    List,
    /// Makes a space; for a project also its record.
    Create {
        /// project, pair, forum or network.
        kind: String,
        /// What people call it.
        title: String,
        /// For a project: its code, such as NCP24-11.
        #[arg(long, default_value = "")]
        code: String,
        /// For a project: a field of group summaries that the data agreement lists, such as
        /// sessions_held; may be given more than once.
        #[arg(long, value_name = "FIELD")]
        agreed: Vec<String>,
    },
    /// Gives a hub access to a space.
    Grant {
        /// The space's id.
        space: String,
        /// The hub's code.
        hub: String,
        /// May read and not write.
        #[arg(long)]
        read_only: bool,
    },
    /// Ends a hub's access to a space; what it had shared until now stays.
    Withdraw {
        /// The space's id.
        space: String,
        /// The hub's code.
        hub: String,
        /// Why, in words for the hub's administrator.
        #[arg(long, default_value = "")]
        why: String,
    },
}

pub(super) async fn run(
    (mut client, records): (Client, node::cli::Client),
    command: SpaceCommand,
    output: Output,
) -> Result<()> {
    match command {
        SpaceCommand::List => node::cli::list_spaces(records, output).await,
        SpaceCommand::Create {
            kind,
            title,
            code,
            agreed,
        } => {
            let project = kind == "project";
            anyhow::ensure!(
                !project || !code.is_empty(),
                "a project needs its code: add --code"
            );
            anyhow::ensure!(
                project || (code.is_empty() && agreed.is_empty()),
                "--code and --agreed are for projects"
            );
            let request = CreateSpaceRequest {
                kind,
                title,
                code,
                agreed,
            };
            let made = client.create_space(request).await?.into_inner();
            let (space, record) = (made.id, project.then_some(made.record));
            output.print(
                &json!({ "space": space, "record": record }),
                || match &record {
                    Some(record) => format!("space {space}\nrecord {record}"),
                    None => format!("space {space}"),
                },
            );
            Ok(())
        }
        SpaceCommand::Grant {
            space,
            hub,
            read_only,
        } => {
            let access = if read_only { "read" } else { "write" }.to_owned();
            let request = GrantSpaceRequest {
                space,
                code: hub.clone(),
                access: access.clone(),
            };
            client.grant_space(request).await?;
            output.print(&json!({ "hub": hub, "access": access }), || {
                format!("{hub} may {access} it now")
            });
            Ok(())
        }
        SpaceCommand::Withdraw { space, hub, why } => {
            let request = WithdrawSpaceRequest {
                space,
                code: hub.clone(),
                why,
            };
            let done = client.withdraw_space(request).await?.into_inner();
            output.print(&json!({ "hub": hub, "feeds": done.feeds }), || {
                format!("{hub} has no access any more; what it had shared until now stays")
            });
            Ok(())
        }
    }
}
