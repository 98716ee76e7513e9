//! `doctor`: says what is wrong, and what to do.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::exit::Exit;
use super::output::Output;
use crate::clock::now_ms;
use crate::doctor::{Examination, Finding, Verdict, examine};
use crate::enrolment::Invitation;

/// What to look at.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// An invitation file, or `-` for standard input: looks for its coordinator, before the node is connected to it.
    invitation: Option<PathBuf>,
}

pub(super) async fn run(data: &Path, arguments: DoctorArguments, output: Output) -> Result<()> {
    let file = arguments.invitation.as_deref();
    let invitation = file.map(Invitation::read).transpose()?;
    let examination = Examination {
        data,
        invitation: invitation.as_ref(),
        now_ms: now_ms(),
    };
    report(&examine(examination).await, output)
}

/// Prints what was found, and ends the command accordingly.
///
/// # Errors
/// [`Exit::NotSo`] if there is a fault or a warning.
pub fn report(findings: &[Finding], output: Output) -> Result<()> {
    let found = findings.iter().filter(|it| it.found_something()).count();
    let value = json!({
        "found": found, "checks": findings.iter().map(Finding::to_json).collect::<Vec<Value>>(),
    });
    output.print(&value, || text(findings));
    if found == 0 {
        return Ok(());
    }
    let count = |verdict| findings.iter().filter(|it| it.verdict() == verdict).count();
    let (faults, warnings) = (count(Verdict::Fault), count(Verdict::Warning));
    let counted = |count, one: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {one}s")),
    };
    let counted = [counted(faults, "fault"), counted(warnings, "warning")];
    let counted = counted.into_iter().flatten().collect::<Vec<_>>();
    Err(Exit::NotSo.with(counted.join(" and ") + " found").into())
}

/// One line a check, and what to do on one of its own beneath.
fn text(findings: &[Finding]) -> String {
    let width = |word: fn(&Finding) -> &'static str| {
        let widths = findings.iter().map(|it| word(it).len());
        widths.max().unwrap_or(0)
    };
    let verdicts = width(|it| it.verdict().word());
    let checks = width(Finding::check);
    let mut text = String::new();
    for finding in findings {
        let (verdict, check) = (finding.verdict().word(), finding.check());
        let says = finding.says();
        text.push_str(&format!("{verdict:verdicts$}  {check:checks$}  {says}\n"));
        if !finding.advice().is_empty() {
            let advice = finding.advice();
            text.push_str(&format!("{:verdicts$}  {:checks$}  -> {advice}\n", "", ""));
        }
    }
    text
}
