//! Is this node's certificate its own, and valid?

use std::io;
use std::path::Path;

use node_feed::SecretKey;
use zeroize::Zeroizing;

use super::{Finding, Known};
use crate::folder::{DataFolder, read_seed};
use crate::tls::{Credentials, Lifetime};
use crate::web::words;

const CHECK: &str = "certificate";
/// With less left than this, something keeps it from being renewed.
const SOON_MS: u64 = 14 * 24 * 60 * 60 * 1_000;
/// Without a certificate, or with one that is no use.
const ANEW: &str = "move it away and start the node again: it asks for a new one by itself";

/// Whether the node's certificate can be used, and if so, the certificate with its key.
pub(super) fn certificate(
    data: &Path,
    known: &Known,
    now_ms: u64,
) -> (Finding, Option<Credentials>) {
    if !known.member {
        let why = "this node is not connected to the network yet";
        return (Finding::not_checked(CHECK, why), None);
    }
    let path = DataFolder::credentials_in(data);
    let shown = path.display();
    let text = match std::fs::read_to_string(&path).map(Zeroizing::new) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let why = "this node has no certificate, as after a restore; start it, and it asks for one \
                       by itself";
            return (Finding::warning(CHECK, why), None);
        }
        Err(error) => {
            let why = format!("{shown} cannot be read: {error}; check who may read it");
            return (Finding::fault(CHECK, why), None);
        }
    };
    let credentials = match Credentials::from_pem(&text, &text) {
        Ok(credentials) => credentials,
        Err(error) => {
            let error = error.to_string();
            let why = error.split("; ").next().unwrap_or_default();
            let why = format!("{shown} cannot be used: {why}; {ANEW}");
            return (Finding::fault(CHECK, why), None);
        }
    };
    if let Some(why) = not_own(data, known, &credentials) {
        return (
            Finding::fault(CHECK, format!("{shown} {why}; {ANEW}")),
            None,
        );
    }
    let until = words::moment(credentials.not_after_ms());
    let finding = match credentials.lifetime(now_ms) {
        Lifetime::Early => Finding::fault(
            CHECK,
            "this node's certificate is not valid yet by this computer's clock; set the date",
        ),
        Lifetime::Over => Finding::warning(
            CHECK,
            format!(
                "this node's certificate expired on {until}; start the node, and it is renewed by \
                 itself as soon as the coordinator is reached"
            ),
        ),
        Lifetime::Now if credentials.not_after_ms() < now_ms.saturating_add(SOON_MS) => {
            Finding::warning(
                CHECK,
                format!(
                    "this node's certificate expires on {until} and should have been renewed; start \
                     the node, and look for what keeps it from the coordinator"
                ),
            )
        }
        Lifetime::Now => Finding::ok(CHECK, format!("it is this node's own, until {until}")),
    };
    (finding, Some(credentials))
}

/// Whose it is instead, if not this node's.
fn not_own(data: &Path, known: &Known, credentials: &Credentials) -> Option<&'static str> {
    if !credentials.belong_together() {
        return Some("holds a certificate and a key that do not belong together");
    }
    let seed = read_seed(&DataFolder::identity_in(data)).ok()?;
    let node = SecretKey::from_seed(&seed).public().node();
    match credentials.subject() {
        Ok(subject) if subject.network != known.network => Some("is for another network"),
        Ok(subject) if subject.node != node => Some("is another node's"),
        Ok(_) => None,
        Err(_) => Some("names no node"),
    }
}
