//! `init`: sets up a new node.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::output::Output;
use crate::Node;
use crate::folder::DataFolder;

pub(super) fn run(data: &Path, output: Output) -> Result<()> {
    DataFolder::own(data)?;
    // One that was broken off, as on a full disk, is gone on with.
    let begun = match DataFolder::is_one(data)? {
        true => Node::finish(data).map_err(super::with_code)?,
        false => None,
    };
    let node = match begun {
        Some(node) => node,
        None => Node::create(data).map_err(super::with_code)?,
    };
    let value = json!({ "node": node.id().to_string(), "data": data });
    output.print(&value, || {
        format!(
            "a new node is set up in {}\nconnect it next: causeway-node --data {} connect INVITATION-FILE",
            data.display(),
            data.display()
        )
    });
    Ok(())
}
