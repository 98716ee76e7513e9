//! Actors: derived from who writes, so that nobody can write with another's.

use automerge::ActorId;
use node_feed::{DocumentId, Hash, Nonce, Tag};

use crate::limits::LANES_MAX;

/// Automerge's mark of an isolated actor.
const LANE_MAGIC: [u8; 4] = [0x13, 0xb2, 0x23, 0x09];
const BASE_BYTES: usize = 16;

/// The base actor of one run of a process, and the lanes beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ActorBase([u8; BASE_BYTES]);

impl ActorBase {
    /// The first 16 bytes of BLAKE3(tag, writer key ‖ document id ‖ start nonce).
    pub(crate) fn derive(writer: &[u8; 32], document: DocumentId, nonce: Nonce) -> Self {
        let hash = Hash::of(Tag::Actor, &[writer, document.as_bytes(), &nonce.0]);
        let mut base = [0; BASE_BYTES];
        base.copy_from_slice(&hash.as_bytes()[..BASE_BYTES]);
        Self(base)
    }

    /// The base actor itself.
    pub(crate) fn actor(self) -> ActorId {
        ActorId::from(self.0.as_slice())
    }

    /// The actor of this level, as [`level`](Self::level) tells it.
    pub(crate) fn at(self, level: u8) -> ActorId {
        if level == 0 {
            self.actor()
        } else {
            ActorId::from([LANE_MAGIC.as_slice(), &[level], &self.0].concat())
        }
    }

    /// The level of `actor`: 0 for the base, 1 to 64 for a lane of it, nothing for any other.
    pub(crate) fn level(self, actor: &ActorId) -> Option<u8> {
        let bytes = actor.to_bytes();
        if bytes == self.0 {
            return Some(0);
        }
        // Levels up to 64 take one byte of LEB128.
        let level = *bytes.strip_prefix(&LANE_MAGIC)?.first()?;
        let base = &bytes[LANE_MAGIC.len() + 1..];
        ((1..=LANES_MAX).contains(&level) && base == self.0).then_some(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_feed::{HubId, Writers};

    #[test]
    fn an_actor_belongs_to_one_writer_document_and_start() {
        let document = DocumentId::new(HubId::from_bytes([1; 8]), Writers::Members, [2; 15]);
        let base = ActorBase::derive(&[3; 32], document, Nonce([4; 16]));
        assert_eq!(base.level(&base.actor()), Some(0));
        let lane = |level: &[u8]| ActorId::from([&LANE_MAGIC, level, &base.0].concat());
        assert_eq!(base.level(&lane(&[1])), Some(1));
        assert_eq!(base.level(&lane(&[64])), Some(64));
        for wrong in [
            lane(&[0]),
            lane(&[65]),
            lane(&[0x81, 0]),
            ActorId::from([7; 16].as_slice()),
        ] {
            assert_eq!(base.level(&wrong), None);
        }
        let other = ActorBase::derive(&[3; 32], document, Nonce([5; 16]));
        assert_eq!(other.level(&base.actor()), None);
    }
}
