//! `space`: what is shared with whom.

use anyhow::Result;
use clap::Subcommand;
use proto::hub::v1::ListSpacesRequest;
use serde_json::{Value, json};

use super::Client;
use super::output::{Output, table};

/// What to do with spaces.
#[derive(Debug, Subcommand)]
pub(super) enum SpaceCommand {
    /// Lists what this hub may read, and who else may.
    List,
}

pub(super) async fn run(client: Client, command: SpaceCommand, output: Output) -> Result<()> {
    let SpaceCommand::List = command;
    list(client, output).await
}

/// Lists the spaces that a node may read.
///
/// # Errors
/// A sentence, if the node cannot answer.
pub async fn list(mut client: Client, output: Output) -> Result<()> {
    let spaces = client
        .list_spaces(ListSpacesRequest {})
        .await?
        .into_inner()
        .spaces;
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for space in spaces {
        values.push(json!({
            "id": space.id, "kind": space.kind, "title": space.title, "access": space.access,
            "members": space.members, "feeds": space.feeds, "entries": space.entries,
            "documents": space.documents, "digest": space.digest,
            "documents_digest": space.documents_digest,
        }));
        rows.push(vec![
            space.kind,
            space.title,
            space.access,
            space.members.join(", "),
            space.documents.to_string(),
            space.id,
        ]);
    }
    let heads = ["KIND", "TITLE", "ACCESS", "SHARED WITH", "RECORDS", "ID"];
    output.print(&Value::Array(values), || table(&heads, &rows));
    Ok(())
}
