//! What does the running node itself say?

use std::path::Path;

use proto::hub::v1::StatusRequest;
use proto::hub::v1::hub_client::HubClient;
use serde_json::Value;

use super::{Finding, LIMIT};
use crate::folder::DataFolder;
use crate::local;

/// Where the running node stands; none if none runs, or it does not answer.
pub(super) async fn ask(data: &Path) -> Option<Value> {
    let socket = DataFolder::socket(data);
    let asked = async {
        let channel = local::connect(&socket).await.ok()?;
        let mut client =
            HubClient::new(channel).max_decoding_message_size(local::LOCAL_MESSAGE_BYTES_MAX);
        let answer = client.status(StatusRequest {}).await.ok()?.into_inner();
        serde_json::from_str(&answer.json).ok()
    };
    tokio::time::timeout(LIMIT, asked).await.ok().flatten()
}

/// Whether the running node has a session with the coordinator, and if not, why.
pub(super) fn session(running: Option<&Value>) -> Finding {
    const CHECK: &str = "session";
    let Some(running) = running else {
        let why = "the node does not run, or does not answer; start it with `serve`";
        return Finding::not_checked(CHECK, why);
    };
    if running["connected_to"]
        .as_array()
        .is_some_and(|it| !it.is_empty())
    {
        let waits = match running["not_sent"].as_u64().unwrap_or(0) {
            0 => "all that is shared has been sent".to_owned(),
            1 => "1 change waits to be sent".to_owned(),
            count => format!("{count} changes wait to be sent"),
        };
        return Finding::ok(CHECK, format!("it is open, and {waits}"));
    }
    if running["hub"].is_null() {
        return Finding::not_checked(CHECK, "this node is not connected to a network yet");
    }
    let last = running["trouble"].as_array().and_then(|it| it.last());
    let last = last.and_then(Value::as_str);
    let why = last.map_or_else(String::new, |last| format!(": {last}"));
    Finding::warning(CHECK, format!("the node runs and has no session{why}"))
}
