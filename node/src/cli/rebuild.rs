//! `rebuild`: makes lists and saved states again.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::output::Output;
use super::verify::ProgressLine;
use crate::Node;
use crate::config::Config;

/// Makes everything that is derived from entries again, in the data folder of a node that does not
/// run and has these settings.
///
/// # Errors
/// A sentence, if the node runs or its store cannot be read.
pub fn run(data: &Path, config: Config, output: Output) -> Result<()> {
    let mut line = ProgressLine::new(output);
    let rebuilt = Node::rebuild(data, config, |rebuilt| {
        line.text(&format!("entries: {} of {}", rebuilt.reflects, rebuilt.of));
    });
    line.end();
    let rebuilt = rebuilt.map_err(super::with_code)?;
    output.print(&json!({ "entries": rebuilt.reflects }), || {
        "the lists and what is remembered of records were made again from their entries".to_owned()
    });
    Ok(())
}
