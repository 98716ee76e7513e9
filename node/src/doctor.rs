//! What is wrong with a node, in words, and what to do about it.
//!
//! Each check stands in a file of its own, asks one question and gives one [`Finding`]. [`examine`]
//! asks them in an order in which the first fault is the cause: what rests on something that failed is
//! not checked, and says so. Nothing of the node's is changed, and none waits longer than [`LIMIT`] for
//! another machine (twice where it asks two), whether the node runs or not, its store is broken or there is
//! no network.

mod access;
mod certificate;
mod clock;
mod coordinator;
mod database;
mod disk;
mod finding;
mod folder;
mod limit;
mod membership;
mod session;
mod settings;
mod version;
mod way;

use std::path::Path;
use std::time::Duration;

use node_feed::NetworkId;

use crate::config::{Config, ConfigError};
use crate::enrolment::Invitation;
use crate::folder::DataFolder;
use crate::membership::CoordinatorContact;
use crate::proxy::Proxies;

pub use finding::{Finding, Verdict};
pub use limit::in_time;
pub use settings::settings;

use disk::{disk_space, disk_speed};
use folder::folder;

/// How long one check may take.
pub const LIMIT: Duration = Duration::from_secs(5);

/// A check of something in the data folder.
pub type OfDisk = fn(&Path) -> Finding;

/// What is asked for.
#[derive(Debug)]
pub struct Examination<'a> {
    /// The data folder.
    pub data: &'a Path,
    /// An invitation whose coordinator is to be looked for, before the node is connected to it.
    pub invitation: Option<&'a Invitation>,
    /// What this computer's clock shows, in ms since 1970.
    pub now_ms: u64,
}

/// What a coordinator sees of itself where hubs dial it: its name, its port, and whether it answers there
/// itself. Without a proxy, since nobody dials themselves through one.
pub async fn own_address(contact: &CoordinatorContact, network: NetworkId) -> Vec<Finding> {
    let mut findings = way::way(&contact.address, &Proxies::Direct).await;
    findings.retain(|finding| finding.check() != "proxy");
    findings.push(if findings.iter().any(Finding::failed) {
        Finding::not_checked("filter", "the public address cannot be reached from here")
    } else {
        coordinator::filter(contact, network, &Proxies::Direct)
            .await
            .0
    });
    findings
}

/// Makes all checks of a node.
pub async fn examine(examination: Examination<'_>) -> Vec<Finding> {
    let Examination {
        data,
        invitation,
        now_ms,
    } = examination;
    let config: Result<Config, ConfigError> = Config::read(&DataFolder::config(data));
    let mut findings = vec![settings(&config)];
    // What settings cannot say is as it is without settings.
    let proxies = config.map_or(Proxies::Environment, |config| config.sync.proxy);

    let running = session::ask(data).await;
    let nobody_yet = invitation.is_some() && !data.exists();
    findings.extend(if nobody_yet {
        let why = "no node is set up here yet";
        ["data folder", "disk space", "disk speed", "database"]
            .map(|check| Finding::not_checked(check, why))
            .to_vec()
    } else {
        on_disk(data, running.is_some(), "database", of_store).await
    });
    let (member, known) = membership::check(data, invitation, running.as_ref()).await;
    findings.push(member);
    let Some(known) = known else {
        let nobody = "there is no network to look for yet";
        let rest = [
            "name",
            "port",
            "proxy",
            "filter",
            "clock",
            "coordinator",
            "certificate",
            "access",
            "version",
            "session",
        ];
        findings.extend(rest.map(|check| Finding::not_checked(check, nobody)));
        return findings;
    };
    findings.extend(of_network(data, &known, &proxies, now_ms).await);
    findings.push(session::session(running.as_ref()));
    findings
}

/// What concerns this computer's disk: the data folder, room, speed, and the database by this check.
pub async fn on_disk(
    data: &Path,
    running: bool,
    database: &'static str,
    check: OfDisk,
) -> Vec<Finding> {
    let mut findings = vec![in_time("data folder", data, move |data| folder(data, running)).await];
    let looked = data.to_owned();
    let there = limit::apart(move || DataFolder::is_one(&looked)).await;
    let there = matches!(there, Some(Ok(true)));
    let checks: [(&'static str, OfDisk); 3] = [
        ("disk space", disk_space),
        ("disk speed", disk_speed),
        (database, check),
    ];
    for (name, check) in checks {
        findings.push(if there {
            in_time(name, data, check).await
        } else {
            Finding::not_checked(name, "the data folder cannot be used")
        });
    }
    findings
}

/// The network that a node is connected to, or asks to be.
#[derive(Debug, Clone)]
struct Known {
    network: NetworkId,
    contact: CoordinatorContact,
    /// Whether the node is connected to it.
    member: bool,
}

/// From here to the coordinator, step by step.
async fn of_network(data: &Path, known: &Known, proxies: &Proxies, now_ms: u64) -> Vec<Finding> {
    let mut findings = way::way(&known.contact.address, proxies).await;
    let reached = !findings.iter().any(Finding::failed);
    let unreached = |check| Finding::not_checked(check, "the coordinator cannot be reached");
    let (filter, greeting) = match reached {
        true => coordinator::filter(&known.contact, known.network, proxies).await,
        false => (unreached("filter"), None),
    };
    let unproven = if reached {
        "nobody there has proven to be the coordinator"
    } else {
        "the coordinator cannot be reached"
    };
    findings.push(filter);
    let Some(greeting) = greeting else {
        let unproven = |check| Finding::not_checked(check, unproven);
        findings.extend(["clock", "coordinator"].map(unproven));
        findings.push(certificate::certificate(data, known, now_ms).0);
        findings.extend(["access", "version"].map(unproven));
        return findings;
    };
    let clock = clock::clock(&greeting, now_ms);
    let clock_is_wrong = clock.failed();
    findings.push(clock);
    let shown =
        coordinator::coordinator(&known.contact, known.network, proxies, clock_is_wrong).await;
    let trusted = !shown.failed() && shown.verdict() != Verdict::NotChecked;
    findings.push(shown);
    let (certificate, credentials) = certificate::certificate(data, known, now_ms);
    findings.push(certificate);
    findings.push(if trusted {
        access::access(data, known, credentials.as_ref(), proxies).await
    } else {
        let because = "the coordinator's certificate is not accepted here";
        Finding::not_checked("access", because)
    });
    findings.push(version::version(&greeting));
    findings
}

/// Whether the store in a data folder is whole.
pub fn of_store(data: &Path) -> Finding {
    database::database("database", &DataFolder::store_in(data))
}

#[cfg(test)]
mod tests;
