//! What is signed in the calls of `causeway.enrolment.v1`; both ends build it here.

use bytes::Bytes;
use node_feed::{
    Hash, HubId, KeyError, NetworkId, NodeId, PublicKey, SecretKey, Signature, Succession, Tag,
};

use proto::enrolment::v1::CheckRequest;

use crate::tls::Exporter;

use super::code::OneTimeCode;

/// What a node signs to enrol: every field of its request, bound to the connection.
#[derive(Debug)]
pub struct EnrolProof<'a> {
    /// The connection's exporter.
    pub exporter: &'a Exporter,
    /// The network that it wants to join.
    pub network: NetworkId,
    /// The hub that the code is for.
    pub hub: HubId,
    /// The code.
    pub code: &'a OneTimeCode,
    /// The node's identity key.
    pub node: NodeId,
    /// The certificate request, in DER.
    pub certificate_request: &'a [u8],
}

impl EnrolProof<'_> {
    /// Signs it.
    pub fn sign(&self, identity: &SecretKey) -> Signature {
        identity.sign(Tag::Enrolment, &self.parts())
    }

    /// Checks a signature over it.
    ///
    /// # Errors
    /// [`KeyError::Signature`] if it does not hold.
    pub fn verify(&self, identity: &PublicKey, signature: &Signature) -> Result<(), KeyError> {
        identity.verify(Tag::Enrolment, &self.parts(), signature)
    }

    fn parts(&self) -> [&[u8]; 7] {
        [
            b"enrol",
            self.exporter,
            self.network.as_bytes(),
            self.hub.as_bytes(),
            self.code.as_bytes(),
            self.node.as_bytes(),
            self.certificate_request,
        ]
    }
}

/// What a node signs to say its part of a check number: every field of its request, bound to the
/// connection.
#[derive(Debug)]
pub struct CheckProof<'a> {
    /// The connection's exporter.
    pub exporter: &'a Exporter,
    /// The network that it wants to join.
    pub network: NetworkId,
    /// The hub that the code is for.
    pub hub: HubId,
    /// The code.
    pub code: &'a OneTimeCode,
    /// The node's identity key.
    pub node: NodeId,
    /// The node's part of the check number.
    pub nonce: &'a [u8; 32],
}

impl CheckProof<'_> {
    /// The request that it proves, signed.
    pub fn request(&self, identity: &SecretKey) -> CheckRequest {
        let signature = identity.sign(Tag::Enrolment, &self.parts());
        CheckRequest {
            hub: Bytes::copy_from_slice(self.hub.as_bytes()),
            code: Bytes::copy_from_slice(self.code.as_bytes()),
            node: Bytes::copy_from_slice(self.node.as_bytes()),
            nonce: Bytes::copy_from_slice(self.nonce),
            signature: Bytes::copy_from_slice(&signature.0),
        }
    }

    /// Checks a signature over it.
    ///
    /// # Errors
    /// [`KeyError::Signature`] if it does not hold.
    pub fn verify(&self, identity: &PublicKey, signature: &Signature) -> Result<(), KeyError> {
        identity.verify(Tag::Enrolment, &self.parts(), signature)
    }

    fn parts(&self) -> [&[u8]; 7] {
        [
            b"check",
            self.exporter,
            self.network.as_bytes(),
            self.hub.as_bytes(),
            self.code.as_bytes(),
            self.node.as_bytes(),
            self.nonce,
        ]
    }
}

/// What the coordinator signs, under [`Tag::Enrolment`], to prove itself.
pub fn greet_proof<'a>(exporter: &'a Exporter, network: &'a NetworkId) -> [&'a [u8]; 3] {
    [b"greet", exporter, network.as_bytes()]
}

/// What a node signs, under [`Tag::Enrolment`], to renew its certificate.
pub fn renew_proof<'a>(
    exporter: &'a Exporter,
    network: &'a NetworkId,
    node: &'a NodeId,
    certificate_request: &'a [u8],
) -> [&'a [u8]; 5] {
    [
        b"renew",
        exporter,
        network.as_bytes(),
        node.as_bytes(),
        certificate_request,
    ]
}

/// What a node signs, under [`Tag::Enrolment`], to learn how it stands.
pub fn standing_proof<'a>(
    exporter: &'a Exporter,
    network: &'a NetworkId,
    node: &'a NodeId,
) -> [&'a [u8]; 4] {
    [b"standing", exporter, network.as_bytes(), node.as_bytes()]
}

/// What a successor signs, under [`Tag::Enrolment`], to take a former node's place.
pub fn succeed_proof<'a>(
    exporter: &'a Exporter,
    network: &'a NetworkId,
    succession: &'a Succession,
) -> [&'a [u8]; 5] {
    [
        b"succeed",
        exporter,
        network.as_bytes(),
        succession.former.as_bytes(),
        succession.successor.as_bytes(),
    ]
}

/// What a successor signs, under [`Tag::Enrolment`], to have the former node ended, whose feeds end as
/// `ends` marks.
pub fn end_former_proof<'a>(
    exporter: &'a Exporter,
    network: &'a NetworkId,
    succession: &'a Succession,
    ends: &'a Hash,
) -> [&'a [u8]; 6] {
    [
        b"end former",
        exporter,
        network.as_bytes(),
        succession.former.as_bytes(),
        succession.successor.as_bytes(),
        ends.as_bytes(),
    ]
}
