//! The word of an identity key on the one that takes its place.

use std::fmt;
use std::str::FromStr;

use crate::{KeyError, NetworkId, NodeId, PublicKey, SecretKey, Signature, Tag};

/// A node's identity key says which one takes its place: whoever trusts the former key trusts the
/// successor. It gives no access by itself; the authority log does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// The node until now.
    pub former: NodeId,
    /// The node from now on.
    pub successor: NodeId,
    /// The former key's signature over network, former and successor.
    pub signature: Signature,
}

/// Why a text is no succession.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it should hold two nodes' ids and a signature, with spaces between")]
pub struct SuccessionError;

impl Succession {
    /// How many successions are followed from a key: one a month, for five years.
    pub const FOLLOWED_MAX: usize = 64;

    /// Says that `successor` takes the place of `former`.
    pub fn sign(network: NetworkId, former: &SecretKey, successor: NodeId) -> Self {
        let node = former.public().node();
        let parts: [&[u8]; 3] = [network.as_bytes(), node.as_bytes(), successor.as_bytes()];
        Self {
            former: node,
            successor,
            signature: former.sign(Tag::Succession, &parts),
        }
    }

    /// Checks that the former key said so.
    ///
    /// # Errors
    /// [`KeyError`] if it did not.
    pub fn verify(&self, network: NetworkId) -> Result<(), KeyError> {
        let (former, successor) = (self.former.as_bytes(), self.successor.as_bytes());
        PublicKey::from_bytes(former)?.verify(
            Tag::Succession,
            &[network.as_bytes(), former, successor],
            &self.signature,
        )
    }

    /// Whether `line`, in its order, leads from `former` to `successor`. What is of no use on the way
    /// is passed over.
    pub fn leads(network: NetworkId, line: &[Self], former: NodeId, successor: NodeId) -> bool {
        let mut at = former;
        for one in line.iter().take(Self::FOLLOWED_MAX) {
            if at == successor {
                break;
            }
            if one.former == at && one.verify(network).is_ok() {
                at = one.successor;
            }
        }
        at == successor
    }
}

impl fmt::Display for Succession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = data_encoding::HEXLOWER.encode(&self.signature.0);
        write!(f, "{} {} {signature}", self.former, self.successor)
    }
}

impl FromStr for Succession {
    type Err = SuccessionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_ascii_whitespace();
        let mut word = || words.next().ok_or(SuccessionError);
        let (former, successor, signature) = (word()?, word()?, word()?);
        let signature = data_encoding::HEXLOWER.decode(signature.as_bytes());
        let signature = signature.ok().and_then(|bytes| bytes.try_into().ok());
        let read = Self {
            former: former.parse().map_err(|_| SuccessionError)?,
            successor: successor.parse().map_err(|_| SuccessionError)?,
            signature: Signature(signature.ok_or(SuccessionError)?),
        };
        words
            .next()
            .is_none()
            .then_some(read)
            .ok_or(SuccessionError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: NetworkId = NetworkId::from_bytes([1; 16]);

    fn keys() -> [SecretKey; 4] {
        [2, 3, 4, 5].map(|seed| SecretKey::from_seed(&[seed; 32]))
    }

    #[test]
    fn a_succession_holds_for_its_network_and_both_its_keys_alone() {
        let [one, two, three, _] = keys();
        let said = Succession::sign(NETWORK, &one, two.public().node());
        assert_eq!(said.verify(NETWORK), Ok(()));
        assert!(said.verify(NetworkId::from_bytes([9; 16])).is_err());
        let others = [
            Succession {
                former: three.public().node(),
                ..said.clone()
            },
            Succession {
                successor: three.public().node(),
                ..said.clone()
            },
        ];
        for other in others {
            assert!(other.verify(NETWORK).is_err(), "{other}");
        }
        assert_eq!(said.to_string().parse(), Ok(said.clone()));
        let text = said.to_string();
        for at in 0..text.len() {
            assert_eq!(text[..at].parse::<Succession>(), Err(SuccessionError));
        }
        assert_eq!(
            format!("{text} more").parse::<Succession>(),
            Err(SuccessionError)
        );
    }

    #[test]
    fn a_line_leads_on_from_each_of_its_keys_and_from_no_other() {
        let [one, two, three, four] = keys();
        let node = |key: &SecretKey| key.public().node();
        let line = [
            Succession::sign(NETWORK, &one, node(&two)),
            Succession::sign(NETWORK, &two, node(&three)),
        ];
        let leads = |line: &[Succession], from, to| Succession::leads(NETWORK, line, from, to);
        assert!(leads(&line, node(&one), node(&three)));
        assert!(leads(&line, node(&two), node(&three)));
        assert!(leads(&[], node(&three), node(&three)));
        assert!(!leads(&line, node(&four), node(&three)));
        assert!(!leads(&line, node(&three), node(&one)), "never back");
        assert!(
            !leads(&line[1..], node(&one), node(&three)),
            "one is missing"
        );
        // Somebody else's word on a key is worth nothing.
        let forged = Succession {
            former: node(&three),
            ..Succession::sign(NETWORK, &four, node(&four))
        };
        let with_forged = [line[0].clone(), line[1].clone(), forged];
        assert!(!leads(&with_forged, node(&one), node(&four)));
        let endless = vec![line[0].clone(); Succession::FOLLOWED_MAX];
        let endless = [&endless[..], &line[1..]].concat();
        assert!(!leads(&endless, node(&one), node(&three)));
    }
}
