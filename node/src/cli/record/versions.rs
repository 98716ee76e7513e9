//! `record versions`.

use anyhow::Result;
use clap::Args;
use proto::hub::v1::ListVersionsRequest;
use serde_json::Value;

use super::{ActingAs, parse};
use crate::cli::Client;
use crate::cli::output::{Output, moment, plain, table};

/// Which versions.
#[derive(Debug, Args)]
pub struct Wanted {
    /// Only this record.
    #[arg(default_value = "")]
    id: String,
    /// Only what concerns the person with this card.
    #[arg(long, default_value = "")]
    person: String,
    /// Only what concerns this role.
    #[arg(long, default_value = "")]
    role: String,
    /// What was settled, instead of what is open.
    #[arg(long)]
    settled: bool,
    /// In which role.
    #[command(flatten)]
    acting: ActingAs,
}

impl Wanted {
    fn request(self) -> ListVersionsRequest {
        ListVersionsRequest {
            id: self.id,
            person: self.person,
            role: self.role,
            settled: self.settled,
            acting: self.acting.request(),
        }
    }
}

pub(super) async fn list(mut client: Client, wanted: Wanted, output: Output) -> Result<()> {
    let settled = wanted.settled;
    let answer = client.list_versions(wanted.request()).await?.into_inner();
    let value = parse(&answer.json)?;
    if settled {
        output.print(&value, || settled_table(&value));
        return Ok(());
    }
    output.print(&value, || {
        let mut rows = Vec::new();
        for open in value.as_array().into_iter().flatten() {
            let cell = |of: &Value, name: &str| of.get(name).map(plain).unwrap_or_default();
            let versions = open.get("versions").and_then(Value::as_array);
            for (index, version) in versions.into_iter().flatten().enumerate() {
                let time = version
                    .get("time_ms")
                    .and_then(Value::as_u64)
                    .unwrap_or_default();
                rows.push(vec![
                    cell(open, "title"),
                    cell(open, "field"),
                    (index + 1).to_string(),
                    format!("{}{}", cell(version, "value"), beside(version)),
                    cell(version, "hub"),
                    moment(time),
                    cell(open, "record"),
                ]);
            }
        }
        if rows.is_empty() {
            return format!(
                "nothing stands in two versions; {} were settled",
                answer.settled
            );
        }
        let table = table(
            &["RECORD", "FIELD", "NO", "VALUE", "BY", "WHEN", "ID"],
            &rows,
        );
        format!(
            "{table}{} open, {} of them to be decided; {} settled, {} reopened",
            answer.open, answer.to_decide, answer.settled, answer.reopened
        )
    });
    Ok(())
}

/// What the same edit said beside a version, such as a reason.
fn beside(version: &Value) -> String {
    let said = version["with"].as_array().into_iter().flatten();
    let said = said.map(|with| format!(" ({}: {})", plain(&with["label"]), plain(&with["value"])));
    said.collect()
}

fn settled_table(value: &Value) -> String {
    let rows = value.as_array().into_iter().flatten().map(|settled| {
        let cell = |name: &str| settled.get(name).map(plain).unwrap_or_default();
        let time = settled.get("time_ms").and_then(Value::as_u64);
        vec![
            cell("label"),
            cell("chosen"),
            cell("hub"),
            moment(time.unwrap_or_default()),
            cell("reopened"),
            cell("id"),
        ]
    });
    let heads = ["FIELD", "CHOSEN", "BY", "WHEN", "REOPENED", "ID"];
    table(&heads, &rows.collect::<Vec<_>>())
}
