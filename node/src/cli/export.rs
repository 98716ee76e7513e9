//! `export`: lists, calendars, a whole hub.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;
use proto::hub::v1::{ExportCalendarRequest, ExportHubRequest, ExportListRequest};
use serde_json::json;

use super::Client;
use super::import::absolute;
use super::output::{Output, plain};
use super::record::{ActingAs, Which, parse};
use crate::folder::write_new;

/// What to export.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// A list of records as a sheet: .csv or .xlsx, by the file's name.
    List {
        /// A file that does not exist yet.
        file: PathBuf,
        /// The items of this list, such as members, instead of the records.
        #[arg(long, default_value = "")]
        items: String,
        /// Which records.
        #[command(flatten)]
        which: Which,
    },
    /// Sessions and meetings as a calendar file (.ics).
    Calendar {
        /// A file that does not exist yet.
        file: PathBuf,
        /// Only of this record.
        #[arg(long, default_value = "")]
        of: String,
        /// In which role.
        #[command(flatten)]
        acting: ActingAs,
    },
    /// Everything of this hub's own, in open formats, into a folder that does not exist yet.
    Hub {
        /// The folder.
        folder: PathBuf,
    },
}

/// Exports.
///
/// # Errors
/// A sentence, if the node cannot do it.
pub async fn run(mut client: Client, command: ExportCommand, output: Output) -> Result<()> {
    match command {
        ExportCommand::List { file, items, which } => {
            let format = file
                .extension()
                .and_then(|end| end.to_str())
                .unwrap_or_default();
            let request = ExportListRequest {
                of: Some(which.request()),
                list: items,
                format: format.to_lowercase(),
            };
            let sheet = client.export_list(request).await?.into_inner();
            write(&file, &sheet.content, output)
        }
        ExportCommand::Calendar { file, of, acting } => {
            let request = ExportCalendarRequest {
                id: of,
                acting: acting.request(),
            };
            let calendar = client.export_calendar(request).await?.into_inner();
            write(&file, &calendar.content, output)
        }
        ExportCommand::Hub { folder } => {
            let path = absolute(&folder)?;
            let written = path.clone();
            let done = client
                .export_hub(ExportHubRequest { path, acting: None })
                .await?
                .into_inner();
            super::ensure_seen(&written)?;
            let value = parse(&done.json)?;
            output.print(&value, || plain(&value));
            Ok(())
        }
    }
}

fn write(file: &Path, content: &[u8], output: Output) -> Result<()> {
    write_new(file, content)?;
    let value = json!({ "file": file.display().to_string(), "bytes": content.len() });
    output.print(&value, || format!("{} written", file.display()));
    Ok(())
}
