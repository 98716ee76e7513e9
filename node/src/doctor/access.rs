//! Does the coordinator let this node in?

use std::path::Path;

use node_feed::SecretKey;

use super::{Finding, Known, LIMIT};
use crate::enrolment::{Standing, standing};
use crate::folder::{DataFolder, read_seed};
use crate::proxy::Proxies;
use crate::tls::{Credentials, TlsError};

/// Whether the coordinator admits this node: it may be suspended, or its access ended, or its
/// certificate not be accepted.
pub(super) async fn access(
    data: &Path,
    known: &Known,
    credentials: Option<&Credentials>,
    proxies: &Proxies,
) -> Finding {
    const CHECK: &str = "access";
    if !known.member {
        return Finding::not_checked(CHECK, "this node is not connected to the network yet");
    }
    let identity = match read_seed(&DataFolder::identity_in(data)) {
        Ok(seed) => SecretKey::from_seed(&seed),
        Err(error) => return Finding::fault(CHECK, error.to_string()),
    };
    let asked = standing(
        &known.contact,
        known.network,
        &identity,
        credentials,
        proxies,
    );
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(Ok(Standing::Admitted)) => Finding::ok(CHECK, "the coordinator admits this node"),
        Ok(Ok(Standing::Suspended(why) | Standing::Refused(why))) => Finding::fault(CHECK, why),
        Ok(Ok(Standing::Unsaid)) => Finding::not_checked(
            CHECK,
            "the coordinator is too old to say how this node stands",
        ),
        Ok(Err(error)) => Finding::fault(CHECK, error.to_string()),
        Err(_) => Finding::fault(
            CHECK,
            TlsError::Timeout(known.contact.address.clone()).to_string(),
        ),
    }
}
