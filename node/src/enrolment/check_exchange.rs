//! The node's side of the exchange that a check number comes from.

use node_feed::{Hash, SecretKey, Tag};
use node_store::{ReadStore, StoreError};
use serde::{Deserialize, Serialize};
use tonic::Code;

use crate::proxy::Proxies;

use super::check_number::{CheckNumber, CheckParts, check_commitment};
use super::client::{Greeted, in_time, plain};
use super::error::EnrolError;
use super::invitation::Invitation;
use super::proof::CheckProof;

/// Makes the check number of a request that waits, with the coordinator that committed itself to
/// `commitment`. Asked again it is the same number.
///
/// The commitment **must** be kept before, durably, and a later one compared with it.
///
/// # Errors
/// [`EnrolError`]; [`EnrolError::Answer`] also if what the coordinator says does not fit its commitment.
pub async fn exchange(
    invitation: &Invitation,
    identity: &SecretKey,
    commitment: &Hash,
    proxies: &Proxies,
) -> Result<CheckNumber, EnrolError> {
    let connector = plain(&invitation.address, &invitation.authority_pem, proxies)?;
    let (pinned, network) = (&invitation.coordinator, invitation.network);
    let mut calls = Greeted::connect(connector, pinned, network).await?;
    // It may have taken another key since the invitation was made.
    let coordinator = calls.coordinator();
    let node = identity.public();
    let nonce = own_nonce(invitation, identity, commitment);
    let proof = CheckProof {
        exporter: &calls.exporter,
        network,
        hub: invitation.hub,
        code: &invitation.code,
        node: node.node(),
        nonce: &nonce,
    };
    let request = proof.request(identity);
    let answer = match calls.client.check(in_time(request)).await {
        Ok(answer) => answer.into_inner(),
        Err(status) if status.code() == Code::Unimplemented => return Err(EnrolError::TooOld),
        Err(status) => return Err(status.into()),
    };
    let told = <[u8; 32]>::try_from(&answer.nonce[..])
        .map_err(|_| EnrolError::Answer("its part of the check number has the wrong length"))?;
    if check_commitment(&told, &coordinator) != *commitment {
        return Err(EnrolError::Answer(
            "its part of the check number is not the one to which it had committed itself. Somebody \
             may stand between: tell NCETM, and ask for a new invitation",
        ));
    }
    Ok(CheckNumber::of(&CheckParts {
        network,
        hub: invitation.hub,
        node: &node,
        coordinator: &coordinator,
        node_nonce: &nonce,
        coordinator_nonce: &told,
    }))
}

/// The node's part: nobody can foresee it, it is never the same for two commitments, and it needs no
/// place to be kept. Signatures are the same each time that they are made; this one is never sent.
fn own_nonce(invitation: &Invitation, identity: &SecretKey, commitment: &Hash) -> [u8; 32] {
    let signature = identity.sign(
        Tag::CheckNonce,
        &[
            invitation.network.as_bytes(),
            invitation.coordinator.as_bytes(),
            invitation.hub.as_bytes(),
            invitation.code.as_bytes(),
            commitment.as_bytes(),
        ],
    );
    *Hash::of(Tag::CheckNonce, &[&signature.0]).as_bytes()
}

/// What a node keeps of the exchange, from before it says its own part until its request has an
/// outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckExchange {
    /// Marks the request.
    request: [u8; 32],
    /// To what the coordinator committed itself first.
    commitment: [u8; 32],
    /// The number, once it is made.
    number: Option<CheckNumber>,
}

impl CheckExchange {
    /// Where the store keeps it.
    pub(crate) const SETTING: &str = "check-exchange";

    /// One that begins: its number is not made yet.
    pub(super) fn begin(invitation: &Invitation, commitment: &Hash) -> Self {
        Self {
            request: mark(invitation),
            commitment: *commitment.as_bytes(),
            number: None,
        }
    }

    /// The same, with the number that was made.
    pub(super) fn with(self, number: CheckNumber) -> Self {
        Self {
            number: Some(number),
            ..self
        }
    }

    /// To what the coordinator committed itself first.
    pub(super) const fn commitment(&self) -> Hash {
        Hash::from_bytes(self.commitment)
    }

    /// The number, once it is made.
    pub(crate) const fn number(&self) -> Option<CheckNumber> {
        self.number
    }

    /// What the store keeps of the request of `invitation`.
    pub(crate) fn kept(
        store: &impl ReadStore,
        invitation: &Invitation,
    ) -> Result<Option<Self>, StoreError> {
        let kept = store.setting(Self::SETTING)?;
        let kept = kept.and_then(|kept| serde_json::from_slice::<Self>(&kept).ok());
        Ok(kept.filter(|kept| kept.request == mark(invitation)))
    }
}

/// Marks a request without giving its code away.
fn mark(invitation: &Invitation) -> [u8; 32] {
    let parts: [&[u8]; 4] = [
        invitation.network.as_bytes(),
        invitation.coordinator.as_bytes(),
        invitation.hub.as_bytes(),
        invitation.code.as_bytes(),
    ];
    *Hash::of(Tag::Code, &parts).as_bytes()
}
