//! NCETM's office: the root key and the authority key, and the facts that are signed with them.

use node_feed::{
    Access, Authority, AuthorityOpen, Cut, CutTarget, Entry, Fact, FeedCut, FeedName, FeedTree,
    Height, HubId, Kind, NetworkId, Nonce, Run, SecretKey, SpaceId, Subject, VerifiedRun,
};
use node_store::{MemoryStore, ReadStore};

use super::dice::Dice;

/// The keys, and whether facts may be signed.
#[derive(Debug)]
pub(crate) struct Office {
    root: SecretKey,
    key: SecretKey,
    term: u64,
    /// A restored coordinator signs nothing until the root key took over.
    pub(crate) locked: bool,
}

impl Office {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        Self {
            root: SecretKey::from_seed(&dice.bytes()),
            key: SecretKey::from_seed(&dice.bytes()),
            term: 1,
            locked: false,
        }
    }

    pub(crate) fn network(&self) -> NetworkId {
        self.root.public().network()
    }

    /// The first entries of the first term.
    pub(crate) fn found(&self, facts: &[Fact], dice: &mut Dice) -> Option<VerifiedRun> {
        self.sign(None, self.open(None, dice), facts, dice)
    }

    /// Facts, at the end of the log that `store` holds.
    pub(crate) fn state(
        &self,
        store: &MemoryStore,
        facts: &[Fact],
        dice: &mut Dice,
    ) -> Option<VerifiedRun> {
        // A take-over that was lost in a crash must be made again first.
        let tip = self
            .tip(store)
            .filter(|(writer, _)| writer == self.key.public().as_bytes());
        let (_, tip) = tip?;
        self.sign(Some(tip), Vec::new(), facts, dice)
    }

    /// A new term with a new key, that goes on where the log that `store` holds ends.
    pub(crate) fn take_over(
        &mut self,
        store: &MemoryStore,
        dice: &mut Dice,
    ) -> Option<VerifiedRun> {
        let (writer, tip) = self.tip(store)?;
        self.key = SecretKey::from_seed(&dice.bytes());
        self.term += 1;
        self.locked = false;
        let open = self.open(Some((FeedName::from_bytes(writer), tip)), dice);
        self.sign(None, open, &[], dice)
    }

    fn tip(&self, store: &MemoryStore) -> Option<([u8; 32], Height)> {
        let feeds = store.log_feeds(self.network()).ok()?;
        node_feed::AuthorityLog::new(self.network(), feeds).tip()
    }

    fn open(&self, continues: Option<(FeedName, Height)>, dice: &mut Dice) -> Vec<Entry> {
        let open = AuthorityOpen::sign(
            &self.root,
            &self.key.public(),
            self.term,
            continues,
            Nonce(dice.bytes()),
        );
        vec![Entry {
            time_ms: 1,
            kind: Kind::OPEN,
            subject: Subject::NONE,
            payload: open.encode(),
        }]
    }

    fn sign(
        &self,
        tip: Option<Height>,
        mut entries: Vec<Entry>,
        facts: &[Fact],
        dice: &mut Dice,
    ) -> Option<VerifiedRun> {
        entries.extend(facts.iter().map(|fact| Entry {
            time_ms: 1,
            kind: Kind::GRANT,
            subject: Subject::NONE,
            payload: fact.encode(Nonce(dice.bytes())),
        }));
        let network = self.network();
        Run::sign(
            network,
            SpaceId::authority(network),
            &self.key,
            tip,
            entries,
        )
        .ok()
    }
}

/// A grant to read and write.
pub(crate) const fn grant(space: SpaceId, hub: HubId) -> Fact {
    Fact::Grant {
        space,
        hub,
        access: Access::Write,
    }
}

/// A cut at what `store` holds of the hub's feeds.
pub(crate) fn cut(store: &MemoryStore, target: CutTarget, spaces: &[SpaceId], hub: HubId) -> Fact {
    let mut feeds = Vec::new();
    for space in spaces {
        let trees = store.trees(*space).unwrap_or_default();
        let openings = store.openings(*space).unwrap_or_default();
        for (writer, tree) in trees {
            let names = tree.feeds().keys().copied();
            let is_of_hub = |name: FeedName| {
                matches!(openings.get(&name),
                    Some(node_feed::Opening::Node { hub: of, .. }) if *of == hub)
            };
            let named = names.filter(|name| is_of_hub(*name));
            for name in named.collect::<Vec<_>>() {
                if let Some(last) = end_of_branch(&tree, name) {
                    feeds.push(FeedCut {
                        space: *space,
                        writer,
                        last,
                    });
                }
            }
        }
    }
    Fact::Cut(Cut {
        target,
        reason: "the project ended".to_owned(),
        feeds,
    })
}

fn end_of_branch(tree: &FeedTree, name: FeedName) -> Option<Height> {
    let feed = tree.feeds().get(&name)?;
    feed.tip.filter(|_| !tree.has_branches(name))
}

/// Whether a cut could have ended this entry of `hub`.
pub(crate) fn is_cut(
    authority: &Authority,
    hub: HubId,
    space: SpaceId,
    writer: [u8; 32],
    number: u64,
) -> bool {
    authority.cuts().iter().any(|record| {
        let covers = match record.cut.target {
            CutTarget::Grant(of, cut_space) => of == hub && cut_space == space,
            CutTarget::Hub(of) => of == hub,
            CutTarget::Node(_) => false,
        };
        let last = record
            .cut
            .feeds
            .iter()
            .filter(|feed| feed.space == space && feed.writer == writer)
            .map(|feed| feed.last.number)
            .max();
        covers && last.is_none_or(|last| number > last)
    })
}
