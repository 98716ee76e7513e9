//! `connect`: joins a network with an invitation.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::output::Output;
use crate::clock::now_ms;
use crate::enrolment::{CheckNumber, Invitation, enrol};

pub(super) async fn run(data: &Path, file: &Path, output: Output) -> Result<()> {
    let invitation = Invitation::read(file)?;
    let node = super::open(data)?;
    let hub = invitation.hub_name.clone();
    node.may_join(invitation.network)?;
    let enrolled = enrol(&invitation, node.identity(), now_ms()).await?;
    let check = CheckNumber::of(&node.identity().public(), &enrolled.coordinator);
    node.join(&invitation, &enrolled)?;
    let value = json!({
        "hub": invitation.hub_code, "network": invitation.network.to_string(),
        "check_number": check.to_string(),
    });
    output.print(&value, || {
        format!("connected as {hub}; check number {check}\nstart it next: causeway-node --data {} serve", data.display())
    });
    Ok(())
}
