//! The authority's own space.

use bytes::Bytes;
use node_feed::{
    Access, AuthorityLog, AuthorityOpen, Fact, FeedName, GrantId, Height, HubId, Kind, NetworkId,
    Nonce, RefusalReason, SecretKey, SpaceId, SpaceKind, Subject, VerifiedRun,
};
use node_store::{EntryStore, MemoryStore, settle_authority};

use crate::world::{Hub, Pen, SPACE, World, keep, refuse, texts};

fn term(
    network: NetworkId,
    seed: u8,
    term: u64,
    continues: Option<(FeedName, Height)>,
) -> (Pen, VerifiedRun) {
    let root = SecretKey::from_seed(&[1; 32]);
    let key = SecretKey::from_seed(&[seed; 32]);
    let open = AuthorityOpen::sign(&root, &key.public(), term, continues, Nonce([1; 16]));
    let mut pen = Pen::new(network, SpaceId::authority(network), key);
    let run = pen.sign(vec![(Kind::OPEN, Subject::NONE, open.encode())]);
    (pen, run)
}

fn hub(number: u8) -> (Kind, Subject, Bytes) {
    let fact = Fact::Hub {
        hub: HubId::from_bytes([number; 8]),
        code: String::new(),
        name: format!("Hub {number}"),
    };
    (Kind::GRANT, Subject::NONE, fact.encode(Nonce([number; 16])))
}

/// A hub, its node, a space and the hub's grant to write there.
fn admitted(random: u8) -> Vec<(Kind, Subject, Bytes)> {
    let hub = HubId::from_bytes([1; 8]);
    let facts = [
        Fact::Hub {
            hub,
            code: "one".to_owned(),
            name: "One".to_owned(),
        },
        Fact::Node {
            hub,
            node: SecretKey::from_seed(&[9; 32]).public().node(),
        },
        Fact::Space {
            space: SPACE,
            kind: SpaceKind::Project,
            title: "A project".to_owned(),
        },
        Fact::Grant {
            space: SPACE,
            hub,
            access: Access::Write,
        },
    ];
    let facts = facts.iter().map(|fact| fact.encode(Nonce([random; 16])));
    facts
        .map(|payload| (Kind::GRANT, Subject::NONE, payload))
        .collect()
}

on_every_store! {
    fn a_new_term_ends_the_older_one_and_what_it_drops_is_evidence(store) {
        let network = World::new().network;
        let log_space = SpaceId::authority(network);
        let (authority, _) = settle_authority(store, network).unwrap();
        let (mut first, open) = term(network, 50, 1, None);
        keep(store, &authority, &open);
        keep(store, &authority, &first.sign(vec![hub(1)]));
        let kept = first.tip();
        keep(store, &authority, &first.sign(vec![hub(2)]));
        let (authority, _) = settle_authority(store, network).unwrap();
        assert_eq!(authority.hubs().len(), 2);

        let (mut second, open) = term(network, 51, 2, Some((first.feed(), kept)));
        keep(store, &authority, &open);
        keep(store, &authority, &second.sign(vec![hub(3)]));
        let (authority, changed) = settle_authority(store, network).unwrap();
        assert_eq!(changed, [log_space]);
        let hubs = authority.hubs().keys().copied().collect::<Vec<_>>();
        assert_eq!(hubs, [HubId::from_bytes([1; 8]), HubId::from_bytes([3; 8])]);
        assert_eq!(store.evidence(log_space).unwrap().len(), 1);
        let late = first.sign(vec![hub(4)]);
        assert_eq!(refuse(store, &authority, &late).reason, RefusalReason::Gap);
    }

    fn a_fork_freezes_the_log_until_a_term_chooses_a_branch(store) {
        let network = World::new().network;
        let (authority, _) = settle_authority(store, network).unwrap();
        let (mut first, open) = term(network, 50, 1, None);
        let mut stolen = first.clone();
        keep(store, &authority, &open);
        keep(store, &authority, &first.sign(vec![hub(1), hub(2)]));
        keep(store, &authority, &stolen.sign(vec![hub(9)]));
        let (authority, _) = settle_authority(store, network).unwrap();
        assert!(authority.is_frozen());
        assert_eq!(authority.length(), 1);

        let (_, open) = term(network, 51, 2, Some((first.feed(), first.tip())));
        keep(store, &authority, &open);
        let (authority, _) = settle_authority(store, network).unwrap();
        assert!(!authority.is_frozen());
        assert_eq!(authority.hubs().len(), 2);
        let log = AuthorityLog::new(network, store.log_feeds(network).unwrap());
        assert_eq!(log.current().map(|(_, term)| term), Some(2));
    }

    fn a_forked_log_ends_nothing_that_counted_and_goes_on_from_its_longest_branch(store) {
        let network = World::new().network;
        let (authority, _) = settle_authority(store, network).unwrap();
        let (mut first, open) = term(network, 50, 1, None);
        keep(store, &authority, &open);
        keep(store, &authority, &first.sign(admitted(0)));
        let grant = GrantId::from_bytes(*first.tip().hash.as_bytes());
        let (authority, _) = settle_authority(store, network).unwrap();
        let author = Hub { id: HubId::from_bytes([1; 8]), identity: SecretKey::from_seed(&[9; 32]) };
        let mut pen = Pen::new(network, SPACE, SecretKey::from_seed(&[60; 32]));
        let opened = pen.open(&author, grant, Nonce([2; 16]));
        keep(store, &authority, &opened);
        keep(store, &authority, &pen.write(&["shared"]));

        // A rebuilt coordinator that took over too early began the first term again, from nothing.
        let (_, early) = term(network, 51, 1, None);
        keep(store, &authority, &early);
        let (authority, changed) = settle_authority(store, network).unwrap();
        assert!(authority.is_frozen());
        assert_eq!((authority.length(), changed), (0, vec![]));
        assert_eq!(texts(store), ["shared"]);
        assert_eq!(store.totals().unwrap().evidence, 0);

        let log = AuthorityLog::new(network, store.log_feeds(network).unwrap());
        let (writer, end) = log.longest().unwrap();
        assert_eq!((writer, end), (first.writer(), first.tip()));
        let (_, open) = term(network, 52, 2, Some((first.feed(), end)));
        keep(store, &authority, &open);
        let (authority, _) = settle_authority(store, network).unwrap();
        assert!(!authority.is_frozen());
        assert_eq!(authority.hub_of(&author.identity.public().node()), Some(author.id));
        assert_eq!(texts(store), ["shared"]);
        keep(store, &authority, &pen.write(&["and on"]));
    }

    fn a_take_over_goes_on_from_the_end_of_the_longest_branch_of_a_forked_term(store) {
        let network = World::new().network;
        let (authority, _) = settle_authority(store, network).unwrap();
        let (mut first, open) = term(network, 50, 1, None);
        let mut stolen = first.clone();
        keep(store, &authority, &open);
        keep(store, &authority, &first.sign(vec![hub(1), hub(2)]));
        keep(store, &authority, &stolen.sign(vec![hub(9)]));
        let log = AuthorityLog::new(network, store.log_feeds(network).unwrap());
        assert!(log.fold().is_frozen());
        assert_eq!(log.longest(), Some((first.writer(), first.tip())));
    }
}
