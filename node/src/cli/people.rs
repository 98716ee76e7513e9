//! `people`: cards that are likely the same person.

use anyhow::Result;
use clap::Subcommand;
use proto::hub::v1::{FindDuplicatesRequest, MergePeopleRequest, ShowRecordRequest};
use serde_json::json;

use super::Client;
use super::output::{Output, plain, table};
use super::record::parse;

/// What to do with people's cards.
#[derive(Debug, Subcommand)]
pub(super) enum PeopleCommand {
    /// Lists cards that are likely the same person.
    Duplicates,
    /// Makes one card of two, and names it wherever the other was named.
    Merge {
        /// The card that stays.
        keep: String,
        /// The card that goes, and is erased for good.
        other: String,
        /// Do it; without this, only show both cards.
        #[arg(long)]
        confirm: bool,
    },
}

pub(super) async fn run(mut client: Client, command: PeopleCommand, output: Output) -> Result<()> {
    match command {
        PeopleCommand::Duplicates => {
            let request = FindDuplicatesRequest { acting: None };
            let found = client.find_duplicates(request).await?.into_inner();
            let value = parse(&found.json)?;
            output.print(&value, || {
                let rows = value.as_array().into_iter().flatten().map(|pair| {
                    let cell = |name: &str| pair.get(name).map(plain).unwrap_or_default();
                    vec![cell("confidence"), cell("why"), cell("a"), cell("b")]
                });
                let heads = ["SURE", "WHY", "ONE", "THE OTHER"];
                table(&heads, &rows.collect::<Vec<_>>())
            });
        }
        PeopleCommand::Merge {
            keep,
            other,
            confirm,
        } => {
            if !confirm {
                return show_both(client, [keep, other], output).await;
            }
            let request = MergePeopleRequest {
                keep,
                other,
                acting: None,
            };
            let merged = client.merge_people(request).await?.into_inner();
            let value = json!({ "records": merged.records, "left": merged.left });
            output.print(&value, || {
                let mut text = format!("one card; {} records name it now", merged.records);
                for left in &merged.left {
                    text.push_str(&format!("\nstill named in {left}"));
                }
                text
            });
        }
    }
    Ok(())
}

async fn show_both(mut client: Client, ids: [String; 2], output: Output) -> Result<()> {
    let mut cards = Vec::new();
    for id in ids {
        let request = ShowRecordRequest {
            id,
            ..ShowRecordRequest::default()
        };
        let shown = client.show_record(request).await?.into_inner();
        cards.push(json!({ "id": shown.id, "fields": parse(&shown.json)? }));
    }
    let value = json!({ "merged": false, "cards": cards });
    output.print(&value, || {
        let cards = cards.iter().map(plain).collect::<Vec<_>>().join("\n");
        format!("{cards}\nnothing was changed; to make one card of both add --confirm")
    });
    Ok(())
}
