//! `record`: lists, shows, makes and changes records.

mod list;
mod publish;
mod show;
mod versions;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use proto::hub::v1::{
    Acting, BringBackRequest, CompareCopiesRequest, CreateRecordRequest, EditRecordRequest,
    EraseRecordRequest, ForkRecordRequest, ListDisclosuresRequest, ListOffersRequest,
    PublishRecordRequest, RecordHistoryRequest, ReopenVersionsRequest, SettleVersionsRequest,
    ShowReleasedRequest, TakeOfferRequest, WithdrawRecordRequest,
};
use serde_json::{Map, Value, json};

use super::Client;
use super::output::Output;
pub(super) use list::Which;

/// What to do with records.
#[derive(Debug, Subcommand)]
pub enum RecordCommand {
    /// Lists records: by words, filters and order.
    List(Which),
    /// Counts the records of a list by the values of one field.
    Count {
        /// The field, such as state.
        field: String,
        /// Which records.
        #[command(flatten)]
        which: Which,
    },
    /// Shows one record with its marks: saved, sent, received.
    Show {
        /// The record's id.
        id: String,
        /// As it was at the end of this day, such as 2026-11-24.
        #[arg(long, default_value = "")]
        on: String,
        /// In which role.
        #[command(flatten)]
        acting: ActingAs,
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
        /// In which role.
        #[command(flatten)]
        acting: ActingAs,
    },
    /// Erases a record of this hub here and wherever it went; nothing brings it back.
    Erase {
        /// The record's id.
        id: String,
        /// Do it; without this, only say what would be erased.
        #[arg(long)]
        confirm: bool,
    },
    /// Says who changed which field when.
    History {
        /// The record's id.
        id: String,
        /// Only this field.
        #[arg(long, default_value = "")]
        field: String,
        /// In which role.
        #[command(flatten)]
        acting: ActingAs,
    },
    /// Sets one field to what it was on a day.
    BringBack {
        /// The record's id.
        id: String,
        /// The field, such as title or sessions/ID/date.
        field: String,
        /// The day, such as 2026-11-24.
        day: String,
        /// In which role.
        #[command(flatten)]
        acting: ActingAs,
    },
    /// Lists fields that stand in two or more versions, and what else people must look at.
    Versions(versions::Wanted),
    /// Chooses one of a field's versions.
    Settle {
        /// The record's id.
        id: String,
        /// The field, as `record versions` names it.
        field: String,
        /// The version's number, from 1; or --value.
        #[arg(default_value_t = 0)]
        version: u32,
        /// Another value instead of a version, as JSON; null says that it is well as it is.
        #[arg(long, default_value = "", conflicts_with = "version")]
        value: String,
        /// Refuse if the record changed since these heads, from `record versions --json`.
        #[arg(long, default_value = "")]
        at: String,
        /// In which role.
        #[command(flatten)]
        acting: ActingAs,
    },
    /// Puts versions that were settled to people again.
    Reopen {
        /// The record's id.
        id: String,
        /// What was settled, from `record versions --settled`.
        settled: String,
        /// In which role.
        #[command(flatten)]
        acting: ActingAs,
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
    /// Takes a published copy back: it is erased wherever it went.
    Withdraw {
        /// The record's id, not the copy's.
        id: String,
        /// The space from which it is taken back.
        #[arg(long)]
        space: String,
        /// Why.
        #[arg(long)]
        why: String,
    },
    /// Lists what left this hub, when and to whom.
    Disclosures {
        /// Only of this record.
        #[arg(default_value = "")]
        id: String,
    },
    /// Shows what guests see of a record.
    Released {
        /// The record's id.
        id: String,
        /// Who reads; a correction is told once to each.
        #[arg(long, default_value = "")]
        reader: String,
    },
    /// Makes a record of this hub's own from another hub's.
    Fork {
        /// The record's id.
        id: String,
    },
    /// Lists what changed in the original since a fork was made.
    Offers {
        /// The fork's id.
        id: String,
    },
    /// Takes what the original says now in one field.
    Take {
        /// The fork's id.
        id: String,
        /// The field, as `record offers` names it.
        field: String,
        /// Of several offers of the field the number, as `record offers` shows it.
        #[arg(default_value_t = 1)]
        number: u32,
    },
    /// Says how two kept copies of a record differ, such as two releases of a protocol.
    Compare {
        /// The record's id.
        id: String,
        /// The earlier copy's version.
        earlier: i64,
        /// The later copy's version.
        later: i64,
    },
}

/// In which role something is done.
#[derive(Debug, Default, Args)]
pub struct ActingAs {
    /// Act in this role, such as "partner's staff", and see and write just what it may.
    #[arg(
        long = "as",
        value_name = "ROLE",
        default_value = "",
        requires = "holder"
    )]
    as_role: String,
    /// The id of the person's card, or of the partner, who holds the role.
    #[arg(long, default_value = "", requires = "as_role")]
    holder: String,
}

impl ActingAs {
    pub(super) fn request(self) -> Option<Acting> {
        let Self {
            as_role: role,
            holder,
        } = self;
        // A holder without a role is the node's to refuse.
        (!role.is_empty() || !holder.is_empty()).then_some(Acting { role, holder })
    }
}

/// Runs one `record` command.
///
/// # Errors
/// A sentence, if the record or the change is not as it should be.
pub async fn run(mut client: Client, command: RecordCommand, output: Output) -> Result<()> {
    match command {
        RecordCommand::List(which) => list::list(client, which, output).await,
        RecordCommand::Count { field, which } => list::count(client, which, field, output).await,
        RecordCommand::Show { id, on, acting } => show::show(client, id, on, acting, output).await,
        RecordCommand::New {
            kind,
            space,
            set,
            fields,
        } => {
            let json = object(fields, &set)?;
            let request = CreateRecordRequest {
                kind,
                space,
                json,
                acting: None,
            };
            let made = client.create_record(request).await?.into_inner();
            let value = json!({
                "id": made.id, "space": made.space, "saved": true, "notes": made.notes,
            });
            output.print(&value, || {
                noted(format!("saved as {}", made.id), &made.notes)
            });
            Ok(())
        }
        RecordCommand::Edit {
            id,
            at,
            set,
            changes,
            acting,
        } => {
            let json = change_list(changes, &set)?;
            let request = EditRecordRequest {
                id,
                heads: at,
                json,
                acting: acting.request(),
            };
            let done = client.edit_record(request).await?.into_inner();
            let value = json!({
                "saved": true, "merged": done.merged, "heads": done.heads, "notes": done.notes,
            });
            output.print(&value, || {
                let saved = match done.merged {
                    0 => "saved".to_owned(),
                    count => {
                        format!("saved, and merged with {count} changes that came in meanwhile")
                    }
                };
                noted(saved, &done.notes)
            });
            Ok(())
        }
        RecordCommand::Erase { id, confirm } => {
            let request = EraseRecordRequest {
                id,
                confirm,
                acting: None,
            };
            let title = client.erase_record(request).await?.into_inner().title;
            output.print(&json!({ "title": title, "erased": confirm }), || {
                if confirm {
                    format!(
                        "\"{title}\" is erased here, and at the others as soon as they hear of it; \
                         backups made before still hold it"
                    )
                } else {
                    format!(
                        "\"{title}\" would be erased here and wherever it went, for good\n\
                         nothing was changed; add --confirm to erase it"
                    )
                }
            });
            Ok(())
        }
        RecordCommand::History { id, field, acting } => {
            let acting = acting.request();
            show::history(client, RecordHistoryRequest { id, field, acting }, output).await
        }
        RecordCommand::BringBack {
            id,
            field,
            day,
            acting,
        } => {
            let request = BringBackRequest {
                id,
                field,
                day,
                acting: acting.request(),
            };
            let done = client.bring_back(request).await?.into_inner();
            let value = json!({ "saved": true, "heads": done.heads });
            output.print(&value, || "saved".to_owned());
            Ok(())
        }
        RecordCommand::Versions(wanted) => versions::list(client, wanted, output).await,
        RecordCommand::Settle {
            id,
            field,
            version,
            value,
            at,
            acting,
        } => {
            let request = SettleVersionsRequest {
                id,
                field,
                version,
                heads: at,
                value,
                acting: acting.request(),
            };
            client.settle_versions(request).await?;
            output.print(&json!({ "settled": true }), || "settled".to_owned());
            Ok(())
        }
        RecordCommand::Reopen {
            id,
            settled,
            acting,
        } => {
            let request = ReopenVersionsRequest {
                id,
                settled,
                acting: acting.request(),
            };
            client.reopen_versions(request).await?;
            output.print(&json!({ "reopened": true }), || "reopened".to_owned());
            Ok(())
        }
        RecordCommand::Publish { id, space, confirm } => {
            let request = PublishRecordRequest {
                id,
                space,
                digest: confirm.clone().unwrap_or_default(),
                confirm: confirm.is_some(),
                acting: None,
            };
            publish::publish(client, request, output).await
        }
        RecordCommand::Withdraw { id, space, why } => {
            let request = WithdrawRecordRequest {
                id,
                space,
                reason: why,
                acting: None,
            };
            client.withdraw_record(request).await?;
            output.print(&json!({ "withdrawn": true }), || {
                "taken back; every node erases it as soon as it hears of it".to_owned()
            });
            Ok(())
        }
        RecordCommand::Disclosures { id } => {
            publish::disclosures(client, ListDisclosuresRequest { id, acting: None }, output).await
        }
        RecordCommand::Released { id, reader } => {
            publish::released(
                client,
                ShowReleasedRequest {
                    id,
                    reader,
                    acting: None,
                },
                output,
            )
            .await
        }
        RecordCommand::Fork { id } => {
            let made = client
                .fork_record(ForkRecordRequest { id, acting: None })
                .await?
                .into_inner();
            output.print(&json!({ "id": made.id }), || {
                format!("saved as {}", made.id)
            });
            Ok(())
        }
        RecordCommand::Offers { id } => {
            publish::offers(client, ListOffersRequest { id, acting: None }, output).await
        }
        RecordCommand::Compare { id, earlier, later } => {
            let request = CompareCopiesRequest {
                id,
                earlier,
                later,
                acting: None,
            };
            show::compare(client, request, output).await
        }
        RecordCommand::Take { id, field, number } => {
            let request = TakeOfferRequest {
                id,
                field,
                number,
                acting: None,
            };
            client.take_offer(request).await?;
            output.print(&json!({ "taken": true }), || "taken".to_owned());
            Ok(())
        }
    }
}

fn noted(text: String, notes: &[String]) -> String {
    let notes = notes.iter().map(|note| format!("\nnote: {note}"));
    text + &notes.collect::<String>()
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

pub(super) fn parse(json: &str) -> Result<Value> {
    serde_json::from_str(json).context("the node answered with something that is not JSON")
}
