//! One encoding of entries for all to whom they are sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use node_feed::{Run, SpaceId};
use proto::sync::v1::Entries;

use super::convert::pack;

/// How many encodings are kept. Sessions that send the same entries are seldom further apart.
const KEPT_MAX: usize = 16;

/// Packs entries. What goes to several sessions is compressed once.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    /// What was packed for several, the newest last. The engine shares the runs of one live push
    /// among all receivers, so that the same memory is the same runs.
    kept: Mutex<VecDeque<(Weak<[Run]>, Entries)>>,
}

impl Packer {
    pub(crate) fn pack(&self, space: SpaceId, runs: &Arc<[Run]>) -> Entries {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept
            .iter()
            .find(|(known, _)| std::ptr::addr_eq(known.as_ptr(), Arc::as_ptr(runs)));
        if let Some((_, entries)) = known {
            return entries.clone();
        }
        if Arc::strong_count(runs) == 1 {
            // Read for one session alone: nobody else waits for it.
            drop(kept);
            return pack(space, runs);
        }
        let entries = pack(space, runs);
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((Arc::downgrade(runs), entries.clone()));
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::convert::{to_messages, to_shared_frame};
    use node_feed::{Entry, Kind, NetworkId, Nonce, SecretKey, Subject};
    use node_sync::Message;
    use proto::sync::v1 as wire;

    fn runs(seed: u8) -> Arc<[Run]> {
        let (network, space) = (NetworkId::from_bytes([1; 16]), SpaceId::from_bytes([2; 16]));
        let random = Nonce([seed; 16]);
        let payload = bytes::Bytes::copy_from_slice(&random.0);
        let entry = Entry {
            time_ms: 0,
            kind: Kind::OPEN,
            subject: Subject::NONE,
            payload,
        };
        let key = SecretKey::from_seed(&[seed; 32]);
        let run = Run::sign(network, space, &key, None, vec![entry]).expect("a run");
        Arc::from([run.as_run().clone()])
    }

    #[test]
    fn what_goes_to_several_is_packed_once() {
        let (packer, space) = (Packer::default(), SpaceId::from_bytes([2; 16]));
        let shared = runs(1);
        let first = packer.pack(space, &Arc::clone(&shared));
        let again = packer.pack(space, &shared);
        assert_eq!(first.packed.as_ptr(), again.packed.as_ptr());
        assert_eq!(pack(space, &shared), again);
    }

    #[test]
    fn other_runs_are_packed_by_themselves() {
        let (packer, space) = (Packer::default(), SpaceId::from_bytes([2; 16]));
        for seed in 0..40 {
            let other = runs(seed);
            let packed = packer.pack(space, &Arc::clone(&other));
            assert_eq!(packed, pack(space, &other));
        }
    }

    #[test]
    fn entries_of_several_spaces_share_a_frame_and_bad_sections_are_refused() {
        let parts = [2, 3, 4].map(|at| (SpaceId::from_bytes([at; 16]), runs(at)));
        let frame = to_shared_frame(&parts);
        let messages = to_messages(frame.clone()).expect("three messages");
        let said = messages.into_iter().zip(parts.clone());
        let said = said.map(|(message, (space, runs))| message == Message::Entries { space, runs });
        assert_eq!(said.collect::<Vec<_>>(), [true; 3]);

        let Some(wire::frame::Message::Entries(good)) = frame.message else {
            panic!("entries");
        };
        let sections = good.sections.to_vec();
        let late = [&sections[..16], &[255; 4], &sections[20..]].concat();
        let bad = [
            sections[..sections.len() - 1].to_vec(),
            [&sections[20..], &sections[..20]].concat(),
            late,
            vec![1; 20 * 1_025],
        ];
        for sections in bad {
            let entries = wire::Entries {
                sections: sections.into(),
                ..good.clone()
            };
            let message = Some(wire::frame::Message::Entries(entries));
            assert!(to_messages(wire::Frame { message }).is_err());
        }
    }
}
