//! Ed25519 keys. Root, authority, identity and writer keys are separate keys of one shape.

use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::Signer;
use zeroize::Zeroizing;

use crate::{FeedName, Hash, NetworkId, NodeId, Tag};

/// Why bytes are not a key, or a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the canonical encoding of a point without a torsion part. Two encodings of one key,
    /// or a key with torsion, could make honest nodes disagree.
    #[error("the key is not a canonical, torsion-free Ed25519 key")]
    Key,
    /// The signature was not made by this key over these bytes.
    #[error("the signature does not match the key and what was signed")]
    Signature,
}

/// A signature's 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Signature({}…)",
            data_encoding::HEXLOWER.encode(&self.0[..6])
        )
    }
}

/// A public key, known to be canonical and torsion-free.
///
/// Making one costs about as much as two verifications; keep it where many entries of one
/// writer are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// Checks and takes a key.
    ///
    /// # Errors
    /// [`KeyError::Key`] if it is not canonical or has a torsion part.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let point = CompressedEdwardsY(*bytes)
            .decompress()
            .ok_or(KeyError::Key)?;
        if point.compress().0 != *bytes || !point.is_torsion_free() || point.is_small_order() {
            return Err(KeyError::Key);
        }
        ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| KeyError::Key)
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks `signature` over `parts` under `tag`, strictly.
    ///
    /// # Errors
    /// [`KeyError::Signature`] if it does not hold.
    pub fn verify(&self, tag: Tag, parts: &[&[u8]], signature: &Signature) -> Result<(), KeyError> {
        let message = message(tag, parts);
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0
            .verify_strict(&message, &signature)
            .map_err(|_| KeyError::Signature)
    }

    /// The node whose identity key this is.
    pub fn node(&self) -> NodeId {
        NodeId::from_bytes(*self.as_bytes())
    }

    /// The network whose root key this is.
    pub fn network(&self) -> NetworkId {
        let hash = Hash::of(Tag::Network, &[self.as_bytes()]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        NetworkId::from_bytes(bytes)
    }
}

impl From<&PublicKey> for FeedName {
    fn from(writer: &PublicKey) -> Self {
        Self::from_bytes(*writer.as_bytes())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.node())
    }
}

/// A secret key. Never printed; wiped from memory when dropped.
#[derive(Clone)]
pub struct SecretKey(ed25519_dalek::SigningKey);

impl SecretKey {
    /// The key with this seed, which must come from a cryptographic source.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed, to be stored with the node's own files and nowhere else.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `parts`, one after the other, under `tag`.
    pub fn sign(&self, tag: Tag, parts: &[&[u8]]) -> Signature {
        Signature(self.0.sign(&message(tag, parts)).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
}

fn message(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut message = Vec::with_capacity(tag.as_bytes().len() + length);
    message.extend_from_slice(tag.as_bytes());
    for part in parts {
        message.extend_from_slice(part);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_bytes_and_tag_alone() {
        let key = SecretKey::from_seed(&[3; 32]);
        let signature = key.sign(Tag::Receipt, &[b"one", b"two"]);
        let public = key.public();
        assert_eq!(
            public.verify(Tag::Receipt, &[b"onetwo"], &signature),
            Ok(())
        );
        let wrong = [
            public.verify(Tag::Receipt, &[b"onetwo!"], &signature),
            public.verify(Tag::Session, &[b"onetwo"], &signature),
            SecretKey::from_seed(&[4; 32])
                .public()
                .verify(Tag::Receipt, &[b"onetwo"], &signature),
        ];
        assert_eq!(wrong, [Err(KeyError::Signature); 3]);
    }

    #[test]
    fn keys_with_a_second_encoding_or_torsion_are_refused() {
        // The identity, a point of order two, and the non-canonical encoding of y = 1.
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut order_two = [0xff; 32];
        order_two[0] = 0xec;
        order_two[31] = 0x7f;
        let mut non_canonical = [0xff; 32];
        non_canonical[0] = 0xee;
        non_canonical[31] = 0x7f;
        for bytes in [identity, order_two, non_canonical] {
            assert_eq!(PublicKey::from_bytes(&bytes), Err(KeyError::Key));
        }
        // An honest key plus a point of order eight.
        let honest = CompressedEdwardsY(*SecretKey::from_seed(&[5; 32]).public().as_bytes());
        let mixed = honest.decompress().expect("a valid key")
            + curve25519_dalek::constants::EIGHT_TORSION[1];
        assert_eq!(
            PublicKey::from_bytes(&mixed.compress().0),
            Err(KeyError::Key)
        );
    }
}
