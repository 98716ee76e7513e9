//! Is this node connected to a network, or does it ask to be?

use std::path::Path;

use node_store::{ReadStore, Readers};
use serde_json::Value;

use super::limit::apart;
use super::{Finding, Known};
use crate::NodeError;
use crate::enrolment::{CheckExchange, CheckNumber, Invitation, NotConnected};
use crate::folder::DataFolder;
use crate::membership::{CoordinatorContact, Membership};

const CHECK: &str = "connection";

/// Whether the node is connected, and with whom: the network of `invitation` if one is given, else the
/// node's own, else the one that it asks to be connected to.
pub(super) async fn check(
    data: &Path,
    invitation: Option<&Invitation>,
    running: Option<&Value>,
) -> (Finding, Option<Known>) {
    let own = match Membership::at(&DataFolder::membership_in(data)) {
        Ok(own) => own,
        Err(error) => {
            let known = invitation.map(known_by);
            return (Finding::fault(CHECK, error.to_string()), known);
        }
    };
    if let Some(own) = own {
        return member(own, invitation);
    }
    let pending = DataFolder::connecting_in(data);
    let pending = pending.exists().then(|| Invitation::read(&pending));
    let pending = match pending.transpose() {
        Ok(pending) => pending,
        Err(error) => {
            let known = invitation.map(known_by);
            return (Finding::fault(CHECK, error.to_string()), known);
        }
    };
    let known = invitation.or(pending.as_ref()).map(known_by);
    let told = running.and_then(|running| running["connecting"].as_str());
    let finding = match (told, &pending) {
        (Some(told), _) => Finding::warning(CHECK, format!("not connected yet: {told}")),
        (None, Some(asked)) => Finding::warning(CHECK, begun(data, asked).await),
        (None, None) if invitation.is_some() && !data.exists() => {
            Finding::not_checked(CHECK, "no node is set up here yet")
        }
        (None, None) => not_begun(data).await,
    };
    (finding, known)
}

fn member(own: Membership, invitation: Option<&Invitation>) -> (Finding, Option<Known>) {
    let of_other = invitation.is_some_and(|it| it.network != own.network);
    if of_other {
        return (
            Finding::fault(CHECK, NodeError::OtherNetwork.to_string()),
            None,
        );
    }
    let Some(contact) = own.coordinator else {
        let what = "this folder is a coordinator's; run `causeway-coordinator doctor`";
        return (Finding::fault(CHECK, what), None);
    };
    let says = format!(
        "connected to a network whose coordinator is at {}",
        contact.address
    );
    let finding = Finding::ok(CHECK, says);
    let known = Known {
        network: own.network,
        contact,
        member: true,
    };
    (finding, Some(known))
}

/// A request that has no outcome yet, while nobody goes on with it.
async fn begun(data: &Path, asked: &Invitation) -> String {
    let (store, invitation) = (DataFolder::store_in(data), asked.clone());
    let number = apart(move || number_in(&store, &invitation))
        .await
        .flatten();
    let number = number.map(|number| format!(", check number {number},"));
    format!(
        "a request to connect as {} was begun{} and has no answer yet; `serve` and `setup` go on with \
         it",
        asked.hub_name,
        number.unwrap_or_default()
    )
}

async fn not_begun(data: &Path) -> Finding {
    let store = DataFolder::store_in(data);
    let kept = apart(move || NotConnected::in_store(&store)).await;
    match kept.flatten() {
        Some(last) => Finding::warning(CHECK, format!("not connected: {}", last.why)),
        None => Finding::warning(
            CHECK,
            "this node is not connected to a network yet; run `setup` with the invitation file that \
             NCETM sent",
        ),
    }
}

fn known_by(invitation: &Invitation) -> Known {
    Known {
        network: invitation.network,
        contact: CoordinatorContact {
            address: invitation.address.clone(),
            identity: invitation.coordinator,
            authority_pem: invitation.authority_pem.clone(),
        },
        member: false,
    }
}

/// The check number of a request, as a store that nobody may have open keeps it.
fn number_in(store: &Path, asked: &Invitation) -> Option<CheckNumber> {
    let readers = store.exists().then(|| Readers::open(store))?.ok()?;
    CheckExchange::kept(&readers, asked).ok()??.number()
}

impl NotConnected {
    /// As a store that nobody may have open keeps it; none also if it cannot be read.
    fn in_store(store: &Path) -> Option<Self> {
        let readers = store.exists().then(|| Readers::open(store))?.ok()?;
        let kept = readers.setting(Self::SETTING).ok()??;
        serde_json::from_slice(&kept).ok()
    }
}
