//! What is wrong with a coordinator, in words, and what to do about it: what concerns it of a node's
//! checks, and its own.

use std::path::Path;

use coordinator_registry::Registry;
use node::doctor::{Finding, Verdict, in_time, of_store, on_disk, own_address, settings};
use node::folder::{DataFolder, read_seed};
use node::local;
use node::membership::CoordinatorContact;
use node::tls::Address;
use node::web::words;
use node_feed::{PublicKey, SecretKey};

use crate::config::CoordinatorConfig;
use crate::saved_keys::{SavedKeys, read_certificates};

/// Hubs have to be told of a new authority before the old one ends.
const AUTHORITY_SOON_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

/// Makes all checks of the coordinator in `data`, whose clock shows `now_ms`.
pub async fn examine(data: &Path, now_ms: u64) -> Vec<Finding> {
    let config = CoordinatorConfig::read(&DataFolder::config(data));
    let mut findings = vec![settings(&config)];
    let runs = local::connect(&DataFolder::socket(data)).await.is_ok();
    let disk = on_disk(data, runs, "database", of_store).await;
    let there = disk.iter().all(|it| it.verdict() != Verdict::NotChecked);
    findings.extend(disk);
    if !there {
        let why = "the data folder cannot be used";
        let rest = ["register", "keys", "name", "port", "filter"];
        findings.extend(rest.map(|check| Finding::not_checked(check, why)));
        return findings;
    }
    findings.push(in_time("register", data, register).await);
    findings.push(keys(data, now_ms));
    let address = config.ok().and_then(|config| config.address().ok());
    findings.extend(match address {
        Some(address) if runs => dialled(data, address).await,
        address => {
            let why = match address {
                Some(_) => "the coordinator does not run",
                None => "the settings do not say where hubs dial",
            };
            ["name", "port", "filter"]
                .map(|check| Finding::not_checked(check, why))
                .to_vec()
        }
    });
    findings
}

/// Whether the register of codes, requests and certificates can be used.
fn register(data: &Path) -> Finding {
    const CHECK: &str = "register";
    match Registry::look(&data.join("registry.db")) {
        Ok(()) => Finding::ok(CHECK, "its structure is whole"),
        Err(error) => Finding::fault(CHECK, error.to_string()),
    }
}

/// Whether the keys that must be here are, the authority's does not end soon, and the one that must not
/// be here is not.
fn keys(data: &Path, now_ms: u64) -> Finding {
    const CHECK: &str = "keys";
    if data.join(SavedKeys::ROOT).exists() {
        return Finding::warning(
            CHECK,
            "the root key is in the data folder, where whoever breaks in finds it; keep it in a safe, \
             off this machine",
        );
    }
    let end = read_certificates(data).and_then(|authority| Ok(authority.not_after_ms()?));
    match end {
        Ok(end) if end <= now_ms => Finding::fault(
            CHECK,
            format!(
                "the authority's certificate expired on {} by this computer's clock; check the date, \
                 and if it is right, no hub can connect until there is a new authority",
                words::moment(end)
            ),
        ),
        Ok(end) if end <= now_ms.saturating_add(AUTHORITY_SOON_MS) => Finding::warning(
            CHECK,
            format!(
                "the authority's certificate expires on {}; every hub needs a new one by then",
                words::moment(end)
            ),
        ),
        Ok(end) => Finding::ok(
            CHECK,
            format!(
                "the authority's certificate and key belong together, until {}",
                words::moment(end)
            ),
        ),
        Err(error) => Finding::fault(CHECK, error.to_string()),
    }
}

/// Whether this coordinator answers itself where hubs dial it, as seen from here.
async fn dialled(data: &Path, address: Address) -> Vec<Finding> {
    let root = read_seed(&data.join("root.public")).ok();
    let root = root.and_then(|root| PublicKey::from_bytes(&root).ok());
    let identity = read_seed(&data.join("identity.key")).ok();
    let authority = read_certificates(data).ok();
    let (Some(root), Some(identity), Some(authority)) = (root, identity, authority) else {
        let why = "the coordinator's keys cannot be read";
        return ["name", "port", "filter"]
            .map(|check| Finding::not_checked(check, why))
            .to_vec();
    };
    let contact = CoordinatorContact {
        address,
        identity: SecretKey::from_seed(&identity).public(),
        authority_pem: authority.certificate_pem(),
    };
    own_address(&contact, root.network()).await
}
