//! `verify`: checks the whole store.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use proto::hub::v1::{VerifyOutcome, VerifyRequest, VerifyResponse};
use serde_json::json;

use super::Client;
use super::exit::Exit;
use super::output::Output;
use crate::NodeError;

/// Checks the store of the node in `data`, with the client that `opened` gives.
///
/// # Errors
/// A sentence: what is wrong, which ends the command with 2, or why it cannot be checked.
pub async fn run(data: &Path, opened: Result<Client>, output: Output) -> Result<()> {
    let mut client = match opened {
        Ok(client) => client,
        Err(error) => return Err(not_opened(data, error)),
    };
    let mut told = client.verify(VerifyRequest {}).await?.into_inner();
    let mut line = ProgressLine::new(output);
    let mut outcome = None;
    while let Some(message) = told.message().await? {
        line.show(&message);
        outcome = message.outcome.or(outcome);
    }
    line.end();
    let outcome = outcome.context("the check was broken off; see the node's log")?;
    if outcome.wrong.is_empty() {
        output.print(&json(&outcome), || in_order(&outcome));
        return Ok(());
    }
    if output == Output::Json {
        output.print(&json(&outcome), String::new);
    }
    Err(Exit::NotSo.with(outcome.wrong).into())
}

/// A store that is too damaged to be opened is what was looked for.
fn not_opened(data: &Path, error: anyhow::Error) -> anyhow::Error {
    let damage = error.chain().find_map(|cause| {
        let node = cause.downcast_ref::<NodeError>();
        match node {
            Some(NodeError::Store(store)) if store.is_damage() => Some(store.to_string()),
            Some(NodeError::StoreMissing(_)) => Some(error.to_string()),
            _ => None,
        }
    });
    match damage {
        Some(why) => Exit::NotSo
            .with(format!("{}: {why}", data.display()))
            .into(),
        None => error,
    }
}

fn json(outcome: &VerifyOutcome) -> serde_json::Value {
    json!({
        "in_order": outcome.wrong.is_empty(), "wrong": outcome.wrong, "spaces": outcome.spaces,
        "feeds": outcome.feeds, "entries": outcome.entries, "records": outcome.records,
        "evidence": outcome.evidence,
    })
}

fn in_order(outcome: &VerifyOutcome) -> String {
    let evidence = if outcome.evidence == 0 {
        String::new()
    } else {
        format!(
            "\n{} more entries no longer count and were not checked",
            outcome.evidence
        )
    };
    format!(
        "all is in order: {} entries in {} feeds of {} spaces, each with its chain, signature and \
         content; {} records, each made again from its entries{evidence}",
        outcome.entries, outcome.feeds, outcome.spaces, outcome.records
    )
}

/// How far something has come, for somebody who watches.
pub(super) struct ProgressLine {
    shown: bool,
    is_watched: bool,
}

impl ProgressLine {
    pub(super) fn new(output: Output) -> Self {
        let is_watched = output == Output::Text && std::io::stderr().is_terminal();
        Self {
            shown: false,
            is_watched,
        }
    }

    fn show(&mut self, message: &VerifyResponse) {
        self.text(&format!(
            "{}: {} of {}",
            message.part, message.done, message.of
        ));
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.is_watched {
            self.shown = true;
            eprint!("\r\x1b[K{text}");
            let _shown = std::io::stderr().flush();
        }
    }

    pub(super) fn end(self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}
