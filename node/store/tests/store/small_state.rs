//! Settings, peers, refusals and receipts.

use node_feed::{
    FeedName, Hash, Height, Heights, NodeId, Receipt, Refusal, RefusalReason, SecretKey,
};
use node_store::{EntryStore, MemoryStore, PeerMemory};

use crate::world::{SPACE, World};

const PEER: NodeId = NodeId::from_bytes([5; 32]);

fn heights(number: u64) -> Heights {
    let feed = FeedName::from_bytes([3; 32]);
    let hash = Hash::from_bytes([4; 32]);
    [(feed, Height { number, hash })].into_iter().collect()
}

on_every_store! {
    fn a_setting_is_kept_until_it_is_removed(store) {
        assert_eq!(store.setting("key").unwrap(), None);
        store.set_setting("key", Some(b"one")).unwrap();
        store.set_setting("key", Some(b"two")).unwrap();
        assert_eq!(store.setting("key").unwrap().as_deref(), Some(&b"two"[..]));
        store.set_setting("key", None).unwrap();
        assert_eq!(store.setting("key").unwrap(), None);
    }

    fn what_is_remembered_of_a_peer_is_replaced(store) {
        assert_eq!(store.peer_memory(PEER).unwrap(), None);
        let mut memory = PeerMemory {
            root: Some(Hash::from_bytes([1; 32])),
            spaces: [(SPACE, heights(u64::MAX))].into_iter().collect(),
        };
        store.remember_peer(PEER, &memory).unwrap();
        assert_eq!(store.peer_memory(PEER).unwrap(), Some(memory.clone()));
        memory.root = None;
        memory.spaces.clear();
        store.remember_peer(PEER, &memory).unwrap();
        assert_eq!(store.peer_memory(PEER).unwrap(), Some(memory));
    }

    fn refusals_are_kept_by_peer_and_feed(store) {
        let mut refusal = Refusal {
            space: SPACE,
            feed: FeedName::from_bytes([3; 32]),
            number: u64::MAX,
            hash: Hash::from_bytes([4; 32]),
            reason: RefusalReason::Grant,
            version: "1.0".to_owned(),
        };
        store.store_refusal(PEER, &refusal).unwrap();
        refusal.reason = RefusalReason::Cut;
        store.store_refusal(PEER, &refusal).unwrap();
        assert_eq!(store.refusals(PEER).unwrap(), [refusal]);
        store.clear_refusals(PEER).unwrap();
        assert!(store.refusals(PEER).unwrap().is_empty());
    }

    fn the_latest_receipt_of_a_node_wins(store) {
        let network = World::new().network;
        let identity = SecretKey::from_seed(&[8; 32]);
        let receipt = |time, number| Receipt::sign(network, SPACE, &identity, time, heights(number));
        let latest = receipt(u64::MAX, 2);
        for receipt in [&receipt(5, 1), &latest, &receipt(6, 3)] {
            store.store_receipt(receipt).unwrap();
        }
        latest.verify(network).unwrap();
        assert_eq!(store.receipts(SPACE).unwrap(), [latest]);
    }
}
