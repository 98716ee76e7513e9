//! Do this program and the coordinator's understand each other?

use node_sync::PROTOCOL_VERSION;

use super::Finding;
use crate::enrolment::Greeting;

/// Whether both speak one version of the protocol.
pub(super) fn version(greeting: &Greeting) -> Finding {
    const CHECK: &str = "version";
    let own = concat!("causeway ", env!("CARGO_PKG_VERSION"));
    if greeting.versions.is_empty() {
        return Finding::not_checked(CHECK, "the coordinator does not say which version it is");
    }
    let theirs = &greeting.software;
    if greeting.versions.contains(&PROTOCOL_VERSION) {
        let says =
            format!("this is {own}, the coordinator {theirs}, and they understand each other");
        return Finding::ok(CHECK, says);
    }
    let newer = greeting.versions.iter().all(|it| *it > PROTOCOL_VERSION);
    let which = if newer {
        "this program"
    } else {
        "the coordinator's program"
    };
    Finding::fault(
        CHECK,
        format!(
            "this is {own} and the coordinator {theirs}, and they speak no version of the protocol in \
             common; upgrade {which}"
        ),
    )
}
