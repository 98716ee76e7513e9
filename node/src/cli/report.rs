//! `report` and `return`: counts and pictures.

use anyhow::Result;
use clap::{Args, Subcommand};
use proto::hub::v1::{ComputeReturnRequest, ReportRequest, ReproduceReturnRequest};
use serde_json::{Value, json};

use super::Client;
use super::output::{Output, plain, table};
use super::record::parse;

/// Which picture.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// The nation's picture of one measure in one period, with the missing hubs named.
    Picture {
        /// The measure, such as schools-completed.
        measure: String,
        /// The period, such as "2026-27 spring".
        period: String,
        /// Adds versions of the measure up, as FROM:TO:PERCENT; otherwise they stay apart.
        #[arg(long, default_value = "")]
        map: String,
        /// Only of this return, as an earlier picture was; may be given more than once.
        #[arg(long = "based-on")]
        based_on: Vec<String>,
    },
    /// A project across its hubs.
    Comparison {
        /// The project record's id.
        id: String,
    },
    /// The findings of a project, with those for and against.
    Synthesis {
        /// The project record's id.
        id: String,
    },
    /// The schools of this hub's area, reached and not reached.
    Reach,
    /// The hub's evaluation of a year, from its finished work groups.
    Evaluation {
        /// The year, such as 2026-27; all if left out.
        #[arg(default_value = "")]
        year: String,
        /// Write the outcomes into this plan.
        #[arg(long, default_value = "")]
        plan: String,
    },
    /// The leaders of all hubs whose published cards hold these words and who have days free.
    Leaders {
        /// Such as: secondary ratio.
        words: Vec<String>,
        /// How many days must be free in one offer.
        #[arg(long, default_value_t = 1)]
        days: u64,
    },
}

/// What to do with returns.
#[derive(Debug, Subcommand)]
pub(super) enum ReturnCommand {
    /// Counts for a period; with --confirm the return is kept in the hub.
    Compute(Compute),
    /// Counts again what a return counted, as it stood then.
    Reproduce {
        /// The return's id.
        id: String,
    },
}

/// What to count.
#[derive(Debug, Args)]
pub(super) struct Compute {
    /// The measure, such as schools-completed.
    measure: String,
    /// The period, such as "2026-27 spring".
    period: String,
    /// The measure's version; the newest if left out.
    #[arg(long, default_value_t = 0)]
    version: u32,
    /// The day, such as 2027-02-28; today if left out.
    #[arg(long, default_value = "")]
    as_at: String,
    /// The return that this one corrects.
    #[arg(long, default_value = "", requires = "why")]
    corrects: String,
    /// Why the earlier return was wrong.
    #[arg(long, default_value = "")]
    why: String,
    /// Keep it.
    #[arg(long)]
    confirm: bool,
}

/// Draws a picture.
///
/// # Errors
/// A sentence, if the node cannot do it.
pub async fn run(mut client: Client, command: ReportCommand, output: Output) -> Result<()> {
    let (what, id, options) = match command {
        ReportCommand::Picture {
            measure,
            period,
            map,
            based_on,
        } => (
            "picture",
            String::new(),
            json!({
                "measure": measure, "period": period, "mapping": map, "based_on": based_on,
            }),
        ),
        ReportCommand::Comparison { id } => ("comparison", id, json!({})),
        ReportCommand::Synthesis { id } => ("synthesis", id, json!({})),
        ReportCommand::Reach => ("reach", String::new(), json!({})),
        ReportCommand::Evaluation { year, plan } => ("evaluation", plan, json!({ "year": year })),
        ReportCommand::Leaders { words, days } => {
            let words = words.join(" ");
            (
                "leaders",
                String::new(),
                json!({ "words": words, "days": days }),
            )
        }
    };
    let request = ReportRequest {
        what: what.to_owned(),
        id,
        options: options.to_string(),
        acting: None,
    };
    let value = parse(&client.report(request).await?.into_inner().json)?;
    output.print(&value, || lines(&value));
    Ok(())
}

pub(super) async fn run_return(
    mut client: Client,
    command: ReturnCommand,
    output: Output,
) -> Result<()> {
    let value = match command {
        ReturnCommand::Compute(wanted) => {
            let request = ComputeReturnRequest {
                measure: wanted.measure,
                measure_version: wanted.version,
                period: wanted.period,
                as_at: wanted.as_at,
                confirm: wanted.confirm,
                replaces: wanted.corrects,
                reason: wanted.why,
                acting: None,
            };
            let computed = client.compute_return(request).await?.into_inner();
            let mut value = parse(&computed.json)?;
            if let Some(fields) = value.as_object_mut() {
                fields.shift_remove("sources");
            }
            value["id"] = json!(computed.id);
            value
        }
        ReturnCommand::Reproduce { id } => {
            let request = ReproduceReturnRequest { id, acting: None };
            parse(&client.reproduce_return(request).await?.into_inner().json)?
        }
    };
    output.print(&value, || lines(&value));
    Ok(())
}

/// A report as lines: what it says by name, and its lists with a line for each item.
fn lines(value: &Value) -> String {
    let mut rows = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    rows.push(vec![name.clone(), plain(item)]);
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => rows.push(vec![name.clone(), plain(value)]),
        }
    }
    table(&["WHAT", ""], &rows)
}
