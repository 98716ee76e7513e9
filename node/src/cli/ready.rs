//! `ready`: whether what runs on the data folder can do its work, for whoever supervises it.

use std::path::Path;

use anyhow::Result;
use serde_json::json;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::exit::Exit;
use super::output::Output;
use crate::folder::DataFolder;
use crate::local;

/// Asks the running program whether it is ready.
///
/// # Errors
/// [`Exit::NotSo`] if it is not, [`Exit::Unreachable`] if none runs.
pub async fn run(data: &Path, output: Output) -> Result<()> {
    let channel = local::connect(&DataFolder::socket(data)).await;
    let channel = channel.map_err(|_| super::not_running())?;
    let asked = HealthCheckRequest::default();
    let answer = HealthClient::new(channel).check(asked).await?.into_inner();
    let ready = answer.status == ServingStatus::Serving as i32;
    output.print(&json!({ "ready": ready }), || {
        if ready { "ready" } else { "not ready" }.to_owned()
    });
    if ready {
        return Ok(());
    }
    let why = "it runs and cannot do its work yet; its log and `status` say why";
    Err(Exit::NotSo.with(why).into())
}
