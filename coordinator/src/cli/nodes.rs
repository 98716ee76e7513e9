//! `node`: the nodes of hubs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use node::cli::output::{Output, table};
use proto::coordinator::v1::{FeedEnd, ListNodesRequest, RevokeNodeRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Client;

/// What to do with nodes.
#[derive(Debug, Subcommand)]
pub(super) enum NodeCommand {
    /// Lists the nodes of hubs, with the check number that was compared before each was admitted.
    List,
    /// Ends the access of one node, for a stolen laptop or a leaked key; its hub goes on.
    Revoke(RevokeArguments),
}

/// Which node, and where what it wrote ends.
#[derive(Debug, Args)]
pub(super) struct RevokeArguments {
    /// The node's id or its beginning; or the hub's code, if it has one node only.
    node: String,
    /// Do it: the code of its hub. Without this, only say what it would end.
    #[arg(long, value_name = "CODE")]
    confirm: Option<String>,
    /// Why, in words for the hub's administrator.
    #[arg(long, default_value = "")]
    why: String,
    /// Let feeds end earlier than at the last entry that is held: a JSON array as the preview
    /// prints it with --json under "feeds", with lower numbers and no hash. A number of null ends
    /// the whole feed.
    #[arg(long, value_name = "FILE")]
    cut: Option<PathBuf>,
}

/// One feed's end, as the file and the preview write it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    space: String,
    writer: String,
    number: Option<u64>,
    #[serde(default)]
    hash: String,
}

pub(super) async fn run(client: Client, command: NodeCommand, output: Output) -> Result<()> {
    match command {
        NodeCommand::List => list(client, output).await,
        NodeCommand::Revoke(arguments) => revoke(client, arguments, output).await,
    }
}

async fn list(mut client: Client, output: Output) -> Result<()> {
    let answer = client.list_nodes(ListNodesRequest {}).await?.into_inner();
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for node in answer.nodes {
        values.push(json!({
            "node": node.node, "hub": node.code, "check_number": node.check_number,
            "state": node.state,
        }));
        let number = match node.check_number.as_str() {
            "" => "-".to_owned(),
            _ => node.check_number,
        };
        rows.push(vec![node.code, node.state, number, node.node]);
    }
    output.print(&Value::Array(values), || {
        table(&["HUB", "STATE", "CHECK NUMBER", "NODE"], &rows)
    });
    Ok(())
}

async fn revoke(mut client: Client, arguments: RevokeArguments, output: Output) -> Result<()> {
    let RevokeArguments {
        node,
        confirm,
        why,
        cut,
    } = arguments;
    let ends = cut.as_deref().map(read_ends).transpose()?;
    let request = RevokeNodeRequest {
        node,
        confirm: confirm.clone().unwrap_or_default(),
        why,
        ends: ends.unwrap_or_default(),
    };
    let answer = client.revoke_node(request).await?.into_inner();
    let done = confirm.is_some_and(|confirm| !confirm.is_empty());
    let feeds = answer.ends.iter().map(|end| End {
        space: end.space.clone(),
        writer: end.writer.clone(),
        number: end.number,
        hash: end.hash.clone(),
    });
    let feeds = feeds.collect::<Vec<_>>();
    let value = json!({
        "node": answer.node, "hub": answer.code, "revoked": done, "others": answer.others,
        "lost": answer.lost, "feeds": feeds,
    });
    output.print(&value, || {
        let (node, code) = (&answer.node, &answer.code);
        if done {
            return format!(
                "node {node} of {code} is cut off; what it had shared up to the cut stays, and \
                 {} entries above it count nowhere",
                answer.lost
            );
        }
        let others = match answer.others {
            0 => format!("{code} has no other node: invite it again to connect a new one"),
            1 => format!("{code} goes on with 1 other node"),
            others => format!("{code} goes on with {others} other nodes"),
        };
        let own = if answer.has_own_space {
            "\nits hub's own records are not held here and stay as they are, unless --cut names \
             where they end"
        } else {
            ""
        };
        format!(
            "node {node} of {code} would lose all access, for good; {} of its feeds end where \
             they are held now, and {} entries above that would count nowhere\n{others}{own}\n\
             nothing was changed; add --confirm {code} to revoke it, and --cut FILE to let a feed \
             end earlier",
            feeds.len(),
            answer.lost
        )
    });
    Ok(())
}

fn read_ends(file: &Path) -> Result<Vec<FeedEnd>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let ends: Vec<End> = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no list of cuts: write a JSON array of objects with space, writer, number and \
             hash, as the preview prints it with --json",
            file.display()
        )
    })?;
    let ends = ends.into_iter().map(|end| FeedEnd {
        space: end.space,
        writer: end.writer,
        number: end.number,
        hash: end.hash,
    });
    Ok(ends.collect())
}
