//! `record list` and `record count`.

use anyhow::Result;
use clap::Args;
use proto::hub::v1::{CountRecordsRequest, ListRecordsRequest};
use serde_json::{Value, json};

use super::{ActingAs, parse};
use crate::cli::Client;
use crate::cli::output::{Output, plain, table};

/// Which records.
#[derive(Debug, Default, Args)]
pub struct Which {
    /// Only this kind, such as work-group.
    #[arg(long, default_value = "")]
    kind: String,
    /// Only this space.
    #[arg(long, default_value = "")]
    space: String,
    /// Words that must all be there; of the last the beginning is enough.
    #[arg(long, default_value = "")]
    words: String,
    /// Such as "state is running", "budget at least 10000" or "urn missing"; may be given more
    /// than once.
    #[arg(long = "filter", value_name = "FILTER")]
    filters: Vec<String>,
    /// A field to sort by, with a leading - descending; may be given more than once.
    #[arg(long, allow_hyphen_values = true)]
    sort: Vec<String>,
    /// How many to leave out at the front.
    #[arg(long, default_value_t = 0)]
    offset: u64,
    /// How many to list; the first 10,000 if 0.
    #[arg(long, default_value_t = 0)]
    limit: u64,
    /// In which role.
    #[command(flatten)]
    acting: ActingAs,
}

impl Which {
    /// The request for it.
    pub(in crate::cli) fn request(self) -> ListRecordsRequest {
        ListRecordsRequest {
            kind: self.kind,
            space: self.space,
            words: self.words,
            filters: self.filters,
            sort: self.sort,
            offset: self.offset,
            limit: self.limit,
            acting: self.acting.request(),
        }
    }
}

pub(super) async fn list(mut client: Client, which: Which, output: Output) -> Result<()> {
    let listed = client.list_records(which.request()).await?.into_inner();
    let mut values = Vec::new();
    let mut rows = Vec::new();
    let shown = listed.records.len() as u64;
    for record in listed.records {
        let columns = parse(&record.json)?;
        rows.push(vec![
            record.kind.clone(),
            record.title.clone(),
            filled(&columns),
            record.id.clone(),
        ]);
        values.push(json!({
            "id": record.id, "kind": record.kind, "space": record.space,
            "title": record.title, "columns": columns,
        }));
    }
    output.print(&Value::Array(values), || {
        let table = table(&["KIND", "TITLE", "", "ID"], &rows);
        if shown == listed.total {
            table
        } else {
            format!("{table}{shown} of {}", listed.total)
        }
    });
    Ok(())
}

pub(super) async fn count(
    mut client: Client,
    which: Which,
    field: String,
    output: Output,
) -> Result<()> {
    let request = CountRecordsRequest {
        of: Some(which.request()),
        field,
    };
    let counts = client.count_records(request).await?.into_inner().counts;
    let values = counts
        .iter()
        .map(|count| json!({ "value": count.value, "records": count.records }));
    let values = values.collect::<Vec<_>>();
    output.print(&Value::Array(values), || {
        let rows = counts
            .iter()
            .map(|count| vec![count.value.clone(), count.records.to_string()]);
        table(&["VALUE", "RECORDS"], &rows.collect::<Vec<_>>())
    });
    Ok(())
}

/// The columns that are filled in.
fn filled(columns: &Value) -> String {
    let columns = columns.as_object().into_iter().flatten();
    let filled = columns.filter(|(_, value)| value.as_str() != Some(""));
    filled
        .map(|(name, value)| format!("{name}: {}", plain(value)))
        .collect::<Vec<_>>()
        .join("; ")
}
