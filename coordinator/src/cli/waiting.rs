//! `waiting`, `admit` and `refuse`: the requests to connect.

use anyhow::{Context, Result};
use clap::Args;
use node::cli::output::{Output, moment, table};
use proto::coordinator::v1::{
    AdmitWaitingRequest, ListWaitingRequest, RefuseWaitingRequest, WaitingEntry,
};
use serde_json::{Value, json};

use super::Client;

/// Who decides, as the coordinator notes it.
const BY: &str = "command line";

/// Lines of refusals that are printed for people; `--json` gives all that are kept.
const ATTEMPTS_SHOWN: usize = 10;

/// Whom to admit.
#[derive(Debug, Args)]
pub(super) struct AdmitArguments {
    /// The hub's code, or the check number if several nodes of it wait.
    hub: String,
}

/// Whom to refuse, and why.
#[derive(Debug, Args)]
pub(super) struct RefuseArguments {
    /// The hub's code, or the check number if several nodes of it wait.
    hub: String,
    /// Why, in words for the person who asked.
    #[arg(long)]
    why: String,
}

pub(super) async fn list(mut client: Client, output: Output) -> Result<()> {
    let answer = client
        .list_waiting(ListWaitingRequest {})
        .await?
        .into_inner();
    let waiting = answer.waiting.iter().map(value).collect::<Vec<_>>();
    let attempts = answer.attempts.iter().map(|attempt| {
        json!({ "time_ms": attempt.time_ms, "code": attempt.code, "reason": attempt.reason })
    });
    let all = json!({ "waiting": waiting, "refused": attempts.collect::<Vec<_>>() });
    output.print(&all, || {
        let mut text = if answer.waiting.is_empty() {
            "no request to connect waits\n".to_owned()
        } else {
            let rows = answer.waiting.iter().map(|waiting| {
                vec![
                    waiting.code.clone(),
                    waiting.name.clone(),
                    number(waiting).to_owned(),
                    moment(waiting.since_ms),
                    waiting.address.clone(),
                ]
            });
            let heads = ["HUB", "NAME", "CHECK NUMBER", "WAITING SINCE", "FROM"];
            table(&heads, &rows.collect::<Vec<_>>())
                + "\ncompare the check number with the hub by telephone, then `admit HUB`, or \
                   `refuse HUB --why TEXT`\n"
        };
        if !answer.attempts.is_empty() {
            let newest = answer.attempts.iter().take(ATTEMPTS_SHOWN).map(|attempt| {
                let hub = Some(&attempt.code).filter(|code| !code.is_empty());
                vec![
                    moment(attempt.time_ms),
                    hub.map_or("-", |code| code).to_owned(),
                    attempt.reason.clone(),
                ]
            });
            text.push('\n');
            text.push_str(&table(
                &["REFUSED", "HUB", "WHY"],
                &newest.collect::<Vec<_>>(),
            ));
        }
        text
    });
    Ok(())
}

pub(super) async fn admit(
    mut client: Client,
    AdmitArguments { hub }: AdmitArguments,
    output: Output,
) -> Result<()> {
    let request = AdmitWaitingRequest {
        which: hub,
        by: BY.to_owned(),
    };
    let answer = client.admit_waiting(request).await?.into_inner();
    let request = answer
        .admitted
        .context("the coordinator named no request")?;
    let value = json!({ "admitted": value(&request), "already": answer.already });
    output.print(&value, || {
        let (code, number) = (&request.code, number(&request));
        if answer.already {
            format!("{code} (check number {number}) was admitted before")
        } else {
            format!("{code} (check number {number}) is admitted; it goes on by itself")
        }
    });
    Ok(())
}

pub(super) async fn refuse(
    mut client: Client,
    RefuseArguments { hub, why }: RefuseArguments,
    output: Output,
) -> Result<()> {
    let request = RefuseWaitingRequest {
        which: hub,
        why,
        by: BY.to_owned(),
    };
    let answer = client.refuse_waiting(request).await?.into_inner();
    let request = answer.refused.context("the coordinator named no request")?;
    let value = json!({ "refused": value(&request), "already": answer.already });
    output.print(&value, || {
        let (code, number) = (&request.code, number(&request));
        if answer.already {
            format!("{code} (check number {number}) was refused before")
        } else {
            format!(
                "{code} (check number {number}) is refused and will be told why; its \
                 invitation is spent"
            )
        }
    });
    Ok(())
}

/// A request's check number, as people read it.
fn number(waiting: &WaitingEntry) -> &str {
    match waiting.check_number.as_str() {
        "" => "not there yet",
        number => number,
    }
}

fn value(waiting: &WaitingEntry) -> Value {
    json!({
        "code": waiting.code, "name": waiting.name, "check_number": waiting.check_number,
        "since_ms": waiting.since_ms, "lapses_ms": waiting.lapses_ms,
        "address": waiting.address, "node": waiting.node,
    })
}
