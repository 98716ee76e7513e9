//! `hubs` and `revoke`.

use anyhow::Result;
use clap::Args;
use node::cli::output::{Output, moment, table};
use proto::coordinator::v1::{ListHubsRequest, ResumeRequest, RevokeRequest, SuspendRequest};
use serde_json::{Value, json};

use super::Client;

/// Whom to revoke.
#[derive(Debug, Args)]
pub(super) struct RevokeArguments {
    /// The hub's code.
    code: String,
    /// Why, in words for the hub's administrator.
    #[arg(long, default_value = "")]
    why: String,
    /// Do it; without this, only say what it would end.
    #[arg(long)]
    confirm: bool,
}

pub(super) async fn list(mut client: Client, output: Output) -> Result<()> {
    let hubs = client
        .list_hubs(ListHubsRequest {})
        .await?
        .into_inner()
        .hubs;
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for hub in hubs {
        let seen = if hub.last_seen_ms == 0 {
            "never".to_owned()
        } else {
            moment(hub.last_seen_ms)
        };
        rows.push(vec![
            hub.code.clone(),
            hub.name.clone(),
            hub.state.clone(),
            seen,
            hub.lag_entries.to_string(),
        ]);
        values.push(json!({
            "id": hub.id, "code": hub.code, "name": hub.name, "state": hub.state,
            "nodes": hub.nodes, "last_seen_ms": hub.last_seen_ms, "lag_entries": hub.lag_entries,
        }));
    }
    output.print(&Value::Array(values), || {
        table(
            &["CODE", "NAME", "STATE", "LAST SEEN", "NOT YET RECEIVED"],
            &rows,
        )
    });
    Ok(())
}

pub(super) async fn revoke(
    mut client: Client,
    RevokeArguments { code, why, confirm }: RevokeArguments,
    output: Output,
) -> Result<()> {
    let request = RevokeRequest {
        code: code.clone(),
        why,
        confirm,
    };
    let answer = client.revoke(request).await?.into_inner();
    let value = json!({
        "code": code, "revoked": confirm, "feeds": answer.feeds, "nodes": answer.nodes,
        "spaces": answer.spaces,
    });
    output.print(&value, || {
        if confirm {
            return format!("{code} is cut off; what it had shared until now stays");
        }
        format!(
            "{code} would lose all access, for good: {} node(s), and the spaces {}\n\
             nothing was changed; add --confirm to revoke it",
            answer.nodes,
            answer.spaces.join(", ")
        )
    });
    Ok(())
}

/// Whom to suspend.
#[derive(Debug, Args)]
pub(super) struct SuspendArguments {
    /// The hub's code.
    code: String,
    /// Why, in words for the hub's administrator.
    #[arg(long, default_value = "")]
    why: String,
}

pub(super) async fn suspend(
    mut client: Client,
    SuspendArguments { code, why }: SuspendArguments,
    output: Output,
) -> Result<()> {
    let request = SuspendRequest {
        code: code.clone(),
        why,
    };
    client.suspend(request).await?;
    output.print(&json!({ "code": code, "suspended": true }), || {
        format!("{code} is suspended: it is told why, and goes on working by itself; `resume {code}` lets it in again")
    });
    Ok(())
}

pub(super) async fn resume(mut client: Client, code: String, output: Output) -> Result<()> {
    client.resume(ResumeRequest { code: code.clone() }).await?;
    output.print(&json!({ "code": code, "suspended": false }), || {
        format!("{code} may connect again")
    });
    Ok(())
}
