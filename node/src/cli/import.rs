//! `import`: sheets, the school register, a whole hub.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use proto::hub::v1::{ImportHubRequest, ImportRegisterRequest, ImportSheetRequest};
use serde_json::{Map, Value};

use super::Client;
use super::output::{Output, plain, table};
use super::record::parse;
use crate::local::LOCAL_MESSAGE_BYTES_MAX;

/// The largest file that fits into a message to the node.
const SHEET_BYTES_MAX: usize = LOCAL_MESSAGE_BYTES_MAX - (1 << 20);

/// What to import.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// A CSV file or spreadsheet of records, or of the items of one record's list.
    Sheet {
        /// The file.
        file: PathBuf,
        /// The kind of the records, such as work-group.
        #[arg(long, default_value = "", required_unless_present = "into")]
        kind: String,
        /// The record whose list is filled, with --list.
        #[arg(long, default_value = "", requires = "list")]
        into: String,
        /// The list, such as members.
        #[arg(long, default_value = "")]
        list: String,
        /// What a column means, as HEADER=FIELD, or HEADER= to leave it out.
        #[arg(long = "column", value_name = "HEADER=FIELD")]
        columns: Vec<String>,
        /// Which school was meant, as TYPED=URN, or TYPED=none.
        #[arg(long = "school", value_name = "TYPED=URN")]
        schools: Vec<String>,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// The national school register, as its download is, in CSV.
    Register {
        /// The register.
        file: PathBuf,
        /// Its list of links, for predecessors and successors.
        #[arg(long)]
        links: Option<PathBuf>,
        /// Only schools of this council area; may be given more than once.
        #[arg(long = "area")]
        areas: Vec<String>,
        /// Say what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// A hub's complete export, into a node that holds no records yet.
    Hub {
        /// The folder.
        folder: PathBuf,
    },
}

/// Imports.
///
/// # Errors
/// A sentence, if the node cannot do it.
pub async fn run(mut client: Client, command: ImportCommand, output: Output) -> Result<()> {
    let json = match command {
        ImportCommand::Sheet {
            file,
            kind,
            into,
            list,
            columns,
            schools,
            dry_run,
        } => {
            let content = std::fs::read(&file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            anyhow::ensure!(
                content.len() <= SHEET_BYTES_MAX,
                "{} has {} bytes; at most {SHEET_BYTES_MAX} can be imported at once: split the sheet",
                file.display(),
                content.len()
            );
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let request = ImportSheetRequest {
                kind,
                id: into,
                list,
                name: name.into_owned(),
                content: content.into(),
                columns: pairs(&columns)?,
                answers: pairs(&schools)?,
                dry_run,
                acting: None,
            };
            client.import_sheet(request).await?.into_inner().json
        }
        ImportCommand::Register {
            file,
            links,
            areas,
            dry_run,
        } => {
            let request = ImportRegisterRequest {
                path: absolute(&file)?,
                links: links
                    .as_deref()
                    .map(absolute)
                    .transpose()?
                    .unwrap_or_default(),
                areas,
                dry_run,
                acting: None,
            };
            client.import_register(request).await?.into_inner().json
        }
        ImportCommand::Hub { folder } => {
            let path = absolute(&folder)?;
            client
                .import_hub(ImportHubRequest { path, acting: None })
                .await?
                .into_inner()
                .json
        }
    };
    let value = parse(&json)?;
    output.print(&value, || told(&value));
    Ok(())
}

/// A path as the node, which may run elsewhere on this machine, finds it.
pub(super) fn absolute(path: &Path) -> Result<String> {
    let path =
        std::path::absolute(path).with_context(|| format!("{} cannot be found", path.display()))?;
    let text = path.to_str();
    Ok(text
        .with_context(|| format!("{} is not written in UTF-8", path.display()))?
        .to_owned())
}

/// `NAME=VALUE` pairs as a JSON object.
fn pairs(pairs: &[String]) -> Result<String> {
    let mut object = Map::new();
    for pair in pairs {
        let (name, value) = pair
            .rsplit_once('=')
            .with_context(|| format!("\"{pair}\" is not of the form NAME=VALUE"))?;
        object.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    Ok(Value::Object(object).to_string())
}

/// What an import did or would do.
fn told(value: &Value) -> String {
    let mut text = String::new();
    let rows = value.get("rows").and_then(Value::as_array);
    let rows = rows.into_iter().flatten().map(|row| {
        let cell = |name: &str| row.get(name).map(plain).unwrap_or_default();
        vec![cell("row"), cell("outcome"), cell("told")]
    });
    let rows = rows.collect::<Vec<_>>();
    if !rows.is_empty() {
        text.push_str(&table(&["ROW", "WHAT", ""], &rows));
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        if name != "rows" {
            text.push_str(&format!("{name}: {}\n", plain(value)));
        }
    }
    text
}
