//! Requests as they come from the wire, checked for their shape.

use node::enrolment::OneTimeCode;
use node_feed::{Hash, HubId, NodeId, PublicKey, Signature, Succession};
use proto::enrolment::v1::{CheckRequest, EnrolRequest, RenewRequest, StandingRequest};
use tonic::Status;

/// Bytes that a certificate request may have; one for a P-256 key has about 200.
const CERTIFICATE_REQUEST_BYTES_MAX: usize = 4096;

/// The fields of an `EnrolRequest`.
pub(super) struct EnrolFields<'a> {
    pub(super) hub: HubId,
    pub(super) code: OneTimeCode,
    pub(super) node: PublicKey,
    pub(super) certificate_request: &'a [u8],
    pub(super) signature: Signature,
}

impl<'a> EnrolFields<'a> {
    pub(super) fn read(request: &'a EnrolRequest) -> Result<Self, Status> {
        Ok(Self {
            hub: HubId::from_bytes(array("hub", &request.hub)?),
            code: OneTimeCode::from_bytes(array("code", &request.code)?),
            node: identity(&request.node)?,
            certificate_request: certificate_request(&request.certificate_request)?,
            signature: Signature(array("signature", &request.signature)?),
        })
    }
}

/// The fields of a `CheckRequest`.
pub(super) struct CheckFields {
    pub(super) hub: HubId,
    pub(super) code: OneTimeCode,
    pub(super) node: PublicKey,
    pub(super) nonce: [u8; 32],
    pub(super) signature: Signature,
}

impl CheckFields {
    pub(super) fn read(request: &CheckRequest) -> Result<Self, Status> {
        Ok(Self {
            hub: HubId::from_bytes(array("hub", &request.hub)?),
            code: OneTimeCode::from_bytes(array("code", &request.code)?),
            node: identity(&request.node)?,
            nonce: array("nonce", &request.nonce)?,
            signature: Signature(array("signature", &request.signature)?),
        })
    }
}

/// The fields of a `RenewRequest`.
pub(super) struct RenewFields<'a> {
    pub(super) node: PublicKey,
    pub(super) certificate_request: &'a [u8],
    pub(super) signature: Signature,
}

impl<'a> RenewFields<'a> {
    pub(super) fn read(request: &'a RenewRequest) -> Result<Self, Status> {
        Ok(Self {
            node: identity(&request.node)?,
            certificate_request: certificate_request(&request.certificate_request)?,
            signature: Signature(array("signature", &request.signature)?),
        })
    }

    /// The node whose identity key it is.
    pub(super) fn node_id(&self) -> NodeId {
        self.node.node()
    }
}

/// The fields of a `StandingRequest`.
pub(super) struct StandingFields {
    pub(super) node: PublicKey,
    pub(super) signature: Signature,
}

impl StandingFields {
    pub(super) fn read(request: &StandingRequest) -> Result<Self, Status> {
        Ok(Self {
            node: identity(&request.node)?,
            signature: Signature(array("signature", &request.signature)?),
        })
    }
}

/// The fields of a `SucceedRequest` and of an `EndFormerRequest`.
pub(super) struct SuccessionFields {
    pub(super) succession: Succession,
    pub(super) successor: PublicKey,
    pub(super) signature: Signature,
}

impl SuccessionFields {
    pub(super) fn read(
        succession: Option<&proto::enrolment::v1::Succession>,
        signature: &[u8],
    ) -> Result<Self, Status> {
        let missing = || Status::invalid_argument("the succession is missing");
        let said = succession.ok_or_else(missing)?;
        let successor = identity(&said.successor)?;
        Ok(Self {
            succession: Succession {
                former: identity(&said.former)?.node(),
                successor: successor.node(),
                signature: Signature(array("succession's signature", &said.signature)?),
            },
            successor,
            signature: Signature(array("signature", signature)?),
        })
    }
}

/// The mark of where feeds end.
pub(super) fn ends(bytes: &[u8]) -> Result<Hash, Status> {
    Ok(Hash::from_bytes(array("mark of the ends", bytes)?))
}

fn array<const N: usize>(field: &str, bytes: &[u8]) -> Result<[u8; N], Status> {
    <[u8; N]>::try_from(bytes).map_err(|_| {
        let found = bytes.len();
        Status::invalid_argument(format!(
            "the {field} must have {N} bytes, this one has {found}"
        ))
    })
}

fn identity(bytes: &[u8]) -> Result<PublicKey, Status> {
    PublicKey::from_bytes(&array("node", bytes)?)
        .map_err(|error| Status::invalid_argument(format!("the node's identity: {error}")))
}

fn certificate_request(bytes: &[u8]) -> Result<&[u8], Status> {
    if bytes.len() > CERTIFICATE_REQUEST_BYTES_MAX {
        return Err(Status::invalid_argument(format!(
            "the certificate request has more than {CERTIFICATE_REQUEST_BYTES_MAX} bytes"
        )));
    }
    Ok(bytes)
}
