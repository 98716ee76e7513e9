//! `record`: lists, shows, makes and changes records.

use anyhow::{Context, Result};
use clap::Subcommand;
use proto::hub::v1::{
    CreateRecordRequest, EditRecordRequest, ListRecordsRequest, ListVersionsRequest, Marks,
    PublishRecordRequest, RecordHistoryRequest, SettleVersionsRequest, ShowRecordRequest,
};
use serde_json::{Map, Value, json};

use super::Client;
use super::output::{Output, moment, plain, table};

/// What to do with records.
#[derive(Debug, Subcommand)]
pub enum RecordCommand {
    /// Lists records.
    List {
        /// Only this kind, such as work-group.
        #[arg(long, default_value = "")]
        kind: String,
        /// Only this space.
        #[arg(long, default_value = "")]
        space: String,
    },
    /// Shows one record with its marks: saved, sent, received.
    Show {
        /// The record's id.
        id: String,
    },
    /// Makes a record.
    New {
        /// Its kind, such as work-group.
        kind: String,
        /// The space it lives in, where its kind may live in several.
        #[arg(long, default_value = "")]
        space: String,
        /// A field and its value, as name=value; may be given more than once.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// Fields as a JSON object; --set is added to it.
        #[arg(long, value_name = "JSON")]
        fields: Option<String>,
    },
    /// Changes a record.
    Edit {
        /// The record's id.
        id: String,
        /// What the record was read at, from `record show --json`; the newest if left out.
        #[arg(long, default_value = "")]
        at: String,
        /// A field and its new value, as name=value; may be given more than once.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// Changes as a JSON array, for lists, sets, counts, logs and places; --set is added to it.
        /// For example: [{"do": "add", "field": "sessions", "values": {"date": "2027-03-12"}}]
        #[arg(long, value_name = "JSON")]
        changes: Option<String>,
    },
    /// Says who changed which field when.
    History {
        /// The record's id.
        id: String,
    },
    /// Lists fields that stand in two or more versions.
    Versions {
        /// Only this record.
        #[arg(default_value = "")]
        id: String,
    },
    /// Chooses one of a field's versions.
    Settle {
        /// The record's id.
        id: String,
        /// The field, as `record versions` names it.
        field: String,
        /// The version's number, from 1.
        version: u32,
        /// Refuse if the record changed since these heads, from `record versions --json`.
        #[arg(long, default_value = "")]
        at: String,
    },
    /// Shows what would leave for a wider space and, with --confirm, publishes it.
    Publish {
        /// The record's id.
        id: String,
        /// The space that it goes to.
        #[arg(long)]
        space: String,
        /// Publish it. With =DIGEST, as it was shown before, nothing else than that.
        #[arg(
            long,
            value_name = "DIGEST",
            num_args = 0..=1,
            require_equals = true,
            default_missing_value = ""
        )]
        confirm: Option<String>,
    },
}

/// Runs one `record` command.
///
/// # Errors
/// A sentence, if the record or the change is not as it should be.
pub async fn run(mut client: Client, command: RecordCommand, output: Output) -> Result<()> {
    match command {
        RecordCommand::List { kind, space } => list(client, kind, space, output).await,
        RecordCommand::Show { id } => show(client, id, output).await,
        RecordCommand::New {
            kind,
            space,
            set,
            fields,
        } => {
            let json = object(fields, &set)?;
            let request = CreateRecordRequest { kind, space, json };
            let made = client.create_record(request).await?.into_inner();
            let value = json!({ "id": made.id, "space": made.space, "saved": true });
            output.print(&value, || format!("saved as {}", made.id));
            Ok(())
        }
        RecordCommand::Edit {
            id,
            at,
            set,
            changes,
        } => {
            let json = change_list(changes, &set)?;
            let request = EditRecordRequest {
                id,
                heads: at,
                json,
            };
            let done = client.edit_record(request).await?.into_inner();
            let value = json!({ "saved": true, "merged": done.merged, "heads": done.heads });
            output.print(&value, || match done.merged {
                0 => "saved".to_owned(),
                count => format!("saved, and merged with {count} changes that came in meanwhile"),
            });
            Ok(())
        }
        RecordCommand::History { id } => history(client, id, output).await,
        RecordCommand::Versions { id } => versions(client, id, output).await,
        RecordCommand::Settle {
            id,
            field,
            version,
            at,
        } => {
            let request = SettleVersionsRequest {
                id,
                field,
                version,
                heads: at,
            };
            client.settle_versions(request).await?;
            output.print(&json!({ "settled": true }), || "settled".to_owned());
            Ok(())
        }
        RecordCommand::Publish { id, space, confirm } => {
            let request = PublishRecordRequest {
                id,
                space,
                digest: confirm.clone().unwrap_or_default(),
                confirm: confirm.is_some(),
            };
            publish(client, request, output).await
        }
    }
}

async fn list(mut client: Client, kind: String, space: String, output: Output) -> Result<()> {
    let listed = client
        .list_records(ListRecordsRequest { kind, space })
        .await?
        .into_inner();
    let mut values = Vec::new();
    let mut rows = Vec::new();
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
        table(&["KIND", "TITLE", "", "ID"], &rows)
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

async fn show(mut client: Client, id: String, output: Output) -> Result<()> {
    let shown = client
        .show_record(ShowRecordRequest { id })
        .await?
        .into_inner();
    let fields = parse(&shown.json)?;
    let marks = shown.marks.unwrap_or_default();
    let value = json!({
        "id": shown.id, "kind": shown.kind, "space": shown.space, "heads": shown.heads,
        "marks": {
            "saved": marks.saved, "sent": marks.sent, "received": marks.received,
            "members": marks.members, "unsent": marks.unsent, "own": marks.own,
        },
        "fields": fields,
    });
    output.print(&value, || {
        let mut rows = vec![vec!["kind".to_owned(), shown.kind.clone()]];
        let fields = fields.as_object().into_iter().flatten();
        for (name, value) in fields.filter(|(name, _)| *name != "kind_of_record") {
            rows.push(vec![name.clone(), plain(value)]);
        }
        rows.push(vec!["marks".to_owned(), describe(&marks)]);
        table(&["FIELD", "VALUE"], &rows)
    });
    Ok(())
}

async fn history(mut client: Client, id: String, output: Output) -> Result<()> {
    let answer = client
        .record_history(RecordHistoryRequest { id })
        .await?
        .into_inner();
    let value = parse(&answer.json)?;
    output.print(&value, || {
        let rows = value.as_array().into_iter().flatten().map(|step| {
            let time = step
                .get("time_ms")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            let cell = |name: &str| step.get(name).map(plain).unwrap_or_default();
            vec![moment(time), cell("hub"), cell("field"), cell("value")]
        });
        table(
            &["WHEN", "HUB", "FIELD", "VALUE"],
            &rows.collect::<Vec<_>>(),
        )
    });
    Ok(())
}

async fn versions(mut client: Client, id: String, output: Output) -> Result<()> {
    let answer = client
        .list_versions(ListVersionsRequest { id })
        .await?
        .into_inner();
    let value = parse(&answer.json)?;
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
                    cell(version, "value"),
                    cell(version, "hub"),
                    moment(time),
                    cell(open, "record"),
                ]);
            }
        }
        if rows.is_empty() {
            return "nothing stands in two versions".to_owned();
        }
        table(
            &["RECORD", "FIELD", "NO", "VALUE", "BY", "WHEN", "ID"],
            &rows,
        )
    });
    Ok(())
}

async fn publish(mut client: Client, request: PublishRecordRequest, output: Output) -> Result<()> {
    let answer = client.publish_record(request).await?.into_inner();
    let fields = parse(&answer.json)?;
    let published = !answer.id.is_empty();
    let value = json!({
        "published": published, "id": answer.id, "readers": answer.readers, "leaves": fields,
        "digest": answer.digest,
    });
    output.print(&value, || {
        let rows = fields.as_object().into_iter().flatten();
        let rows = rows
            .map(|(name, value)| vec![name.clone(), plain(value)])
            .collect::<Vec<_>>();
        let leaves = table(&["LEAVES", "VALUE"], &rows);
        let readers = answer.readers.join(", ");
        if published {
            format!("{leaves}\npublished as {} to: {readers}", answer.id)
        } else {
            format!(
                "{leaves}\nwould be read by: {readers}\nnothing has left; to publish exactly this \
                 add --confirm={}",
                answer.digest
            )
        }
    });
    Ok(())
}

fn describe(marks: &Marks) -> String {
    if marks.own == 0 {
        return "nothing here is this node's own".to_owned();
    }
    if marks.unsent > 0 {
        return format!("saved; {} changes not sent yet", marks.unsent);
    }
    let sent = if marks.sent { "saved, sent" } else { "saved" };
    match marks.members {
        0 if marks.sent => sent.to_owned(),
        0 => format!("{sent}; kept at this hub alone"),
        members if marks.received == members => format!("{sent}, received everywhere"),
        members => format!("{sent}, received by {} of {members}", marks.received),
    }
}

/// The fields of a new record, from `--fields` and `--set`.
fn object(json: Option<String>, set: &[String]) -> Result<String> {
    let mut fields: Map<String, Value> = match json {
        None => Map::new(),
        Some(text) => serde_json::from_str(&text).context(
            "the fields are not a JSON object: write, for example, {\"title\": \"Algebra\"}",
        )?,
    };
    for pair in set {
        let (name, value) = name_and_value(pair)?;
        fields.insert(name, value);
    }
    Ok(Value::Object(fields).to_string())
}

/// Changes of a record, from `--changes` and `--set`.
fn change_list(json: Option<String>, set: &[String]) -> Result<String> {
    let mut changes: Vec<Value> = match json {
        None => Vec::new(),
        Some(text) => serde_json::from_str(&text).context(
            "the changes are not a JSON array: write, for example, \
             [{\"do\": \"count\", \"field\": \"uses\", \"by\": 1}]",
        )?,
    };
    for pair in set {
        let (field, value) = name_and_value(pair)?;
        changes.push(json!({ "do": "set", "field": field, "value": value }));
    }
    Ok(Value::Array(changes).to_string())
}

/// The declaration of the field says what the text stands for.
fn name_and_value(pair: &str) -> Result<(String, Value)> {
    let (name, value) = pair
        .split_once('=')
        .with_context(|| format!("\"{pair}\" is not of the form name=value"))?;
    Ok((name.to_owned(), Value::String(value.to_owned())))
}

fn parse(json: &str) -> Result<Value> {
    serde_json::from_str(json).context("the node answered with something that is not JSON")
}
