//! A nation at the end of a year: who takes part in which spaces, and how far the feeds are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use node::Pauses;
use node_feed::{
    Access, Authority, Fact, FeedName, FeedTree, Hash, Height, HubId, NetworkId, SecretKey,
    SpaceId, SpaceKind, TreeFeed,
};
use node_sync::{Config, Engine, Held, Own};

use super::library::Library;
use super::plan::{DAYS_OF_YEAR, Plan, SLOTS, Slot};
use super::post::Post;
use crate::simulation::Dice;

type Trees = BTreeMap<[u8; 32], FeedTree>;

/// Long enough that no receipt falls due.
const NEVER_MS: u64 = 100 * 365 * 24 * 3_600 * 1_000;
/// The shortest and the longest pause before a node dials again, as they are unless set.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// All that is there before the first day.
#[derive(Debug)]
pub(super) struct Founding {
    /// The coordinator, and then the hubs.
    pub(super) posts: Vec<Post>,
    pub(super) library: Library,
    pub(super) network: NetworkId,
    /// The space that all read, and the forum.
    pub(super) wide: [SpaceId; 2],
}

/// One node before it has an engine.
struct Seat {
    hub: HubId,
    identity: SecretKey,
    keys: BTreeMap<SpaceId, SecretKey>,
    spaces: BTreeSet<SpaceId>,
    projects: Vec<SpaceId>,
    pair: Option<SpaceId>,
}

/// What is being founded.
struct Ground<'a> {
    plan: &'a Plan,
    dice: &'a mut Dice,
    authority: Authority,
    library: Library,
    spaces: BTreeMap<SpaceId, Trees>,
    seats: Vec<Seat>,
}

impl Founding {
    pub(super) fn of(plan: &Plan, dice: &mut Dice) -> Self {
        let root = SecretKey::from_seed(&dice.bytes());
        let network = root.public().network();
        let mut ground = Ground {
            plan,
            dice,
            authority: Authority::new(network),
            library: Library::default(),
            spaces: BTreeMap::new(),
            seats: Vec::new(),
        };
        for number in 0..=plan.hubs {
            ground.seat(number);
        }
        let wide = ground.wide();
        ground.pairs();
        ground.projects();
        ground.log();
        let Ground {
            authority,
            library,
            spaces,
            seats,
            ..
        } = ground;
        let authority = Arc::new(authority);
        let posts = seats.into_iter().enumerate();
        let posts = posts.map(|(number, seat)| seat.open(plan, &authority, &spaces, number == 0));
        Self {
            posts: posts.collect(),
            library,
            network,
            wide,
        }
    }
}

impl Ground<'_> {
    fn state(&mut self, fact: Fact) {
        let hash = Hash::from_bytes(self.dice.bytes());
        self.authority.take(hash, Some(fact));
    }

    fn seat(&mut self, number: usize) {
        let hub = HubId::from_bytes(self.dice.bytes());
        let identity = SecretKey::from_seed(&self.dice.bytes());
        let (code, name) = (format!("H{number}"), format!("hub {number}"));
        self.state(Fact::Hub { hub, code, name });
        let node = identity.public().node();
        self.state(Fact::Node { hub, node });
        self.seats.push(Seat {
            hub,
            identity,
            keys: BTreeMap::new(),
            spaces: BTreeSet::new(),
            projects: Vec::new(),
            pair: None,
        });
    }

    fn space(&mut self, kind: SpaceKind, members: &[usize]) -> SpaceId {
        let space = SpaceId::from_bytes(self.dice.bytes());
        let title = kind.name().to_owned();
        self.state(Fact::Space { space, kind, title });
        for member in members {
            let hub = self.seats[*member].hub;
            let access = Access::Write;
            self.state(Fact::Grant { space, hub, access });
            self.seats[*member].spaces.insert(space);
        }
        self.spaces.insert(space, Trees::new());
        space
    }

    /// Gives a node a feed in a space, with so many entries of the year before.
    fn feed(&mut self, space: SpaceId, number: usize, entries: u64) {
        let key = SecretKey::from_seed(&self.dice.bytes());
        let writer = *key.public().as_bytes();
        let hash = Hash::from_bytes(self.dice.bytes());
        // Number 0 is the feed's open.
        let tip = Height {
            number: entries.max(1),
            hash,
        };
        self.library.open(space, writer, tip);
        let trees = self.spaces.entry(space).or_default();
        trees.insert(writer, tree(writer, tip));
        self.seats[number].keys.insert(space, key);
    }

    fn wide(&mut self) -> [SpaceId; 2] {
        let all = (0..=self.plan.hubs).collect::<Vec<_>>();
        let network = self.space(SpaceKind::Network, &all);
        let forum = self.space(SpaceKind::Forum, &all);
        let of_all = self.year(Slot::CoordinatorNetwork) * self.plan.writing() as u64;
        self.feed(network, 0, of_all);
        for hub in self.writing() {
            self.feed(network, hub, self.year(Slot::Network));
            self.feed(forum, hub, self.year(Slot::Forum));
        }
        [network, forum]
    }

    fn pairs(&mut self) {
        for hub in 1..=self.plan.hubs {
            let pair = self.space(SpaceKind::Pair, &[0, hub]);
            self.seats[hub].pair = Some(pair);
            if self.plan.writes(hub) {
                self.feed(pair, hub, self.year(Slot::Pair));
            }
        }
    }

    fn projects(&mut self) {
        let mut members = Vec::new();
        for _ in 0..self.plan.projects() {
            let mut hubs = BTreeSet::new();
            while hubs.len() < self.plan.members() {
                hubs.insert(1 + self.dice.index(self.plan.hubs));
            }
            let all = [0].into_iter().chain(hubs.iter().copied());
            let space = self.space(SpaceKind::Project, &all.collect::<Vec<_>>());
            for hub in &hubs {
                self.seats[*hub].projects.push(space);
            }
            members.push((space, hubs));
        }
        for (space, hubs) in members {
            for hub in hubs {
                if self.plan.writes(hub) {
                    let projects = self.seats[hub].projects.len() as u64;
                    self.feed(space, hub, self.year(Slot::Project) / projects);
                }
            }
        }
    }

    /// The authority log, as one feed that all hold.
    fn log(&mut self) {
        let key = SecretKey::from_seed(&self.dice.bytes());
        let writer = *key.public().as_bytes();
        let tip = Height {
            number: self.authority.length(),
            hash: Hash::from_bytes(self.dice.bytes()),
        };
        let space = SpaceId::authority(self.authority.network());
        let trees = Trees::from([(writer, tree(writer, tip))]);
        self.spaces.insert(space, trees);
        for seat in &mut self.seats {
            seat.spaces.insert(space);
        }
    }

    fn writing(&self) -> Vec<usize> {
        let hubs = 1..=self.plan.hubs;
        hubs.filter(|hub| self.plan.writes(*hub)).collect()
    }

    /// What one hub adds in a year to such a place.
    fn year(&self, slot: Slot) -> u64 {
        let slots = (0..SLOTS).filter(|number| Slot::of(*number) == slot);
        self.plan.entries_of_day() * DAYS_OF_YEAR * slots.count() as u64 / SLOTS
    }
}

impl Seat {
    fn open(
        self,
        plan: &Plan,
        authority: &Arc<Authority>,
        spaces: &BTreeMap<SpaceId, Trees>,
        is_coordinator: bool,
    ) -> Post {
        let of_own = |space: &SpaceId| Some((*space, spaces.get(space)?.clone()));
        let trees = self.spaces.iter().filter_map(of_own);
        let trees = trees.collect::<BTreeMap<_, _>>();
        let next = |trees: &Trees| {
            let feeds = trees.values().flat_map(|tree| tree.feeds().iter());
            let next = feeds.map(|(name, feed)| (*name.as_bytes(), feed.next()));
            next.collect::<BTreeMap<_, _>>()
        };
        let held = trees.iter().map(|(space, trees)| (*space, next(trees)));
        let held = held.collect();
        let keys = self.keys.iter();
        let own = Own {
            hub: self.hub,
            identity: self.identity.clone(),
            software: "causeway 0.1.0".to_owned(),
            relay: is_coordinator,
            writers: keys
                .map(|(space, key)| (*space, BTreeSet::from([*key.public().as_bytes()])))
                .collect(),
        };
        let config = Config {
            receipt_interval_ms: if plan.receipts {
                Config::default().receipt_interval_ms
            } else {
                NEVER_MS
            },
            // Its disks make no checkpoints.
            first_copies: false,
            ..Config::default()
        };
        let durable = Held {
            spaces: trees,
            receipts: Vec::new(),
            ..Held::default()
        };
        Post {
            engine: Engine::new(config, own, Arc::clone(authority), durable),
            node: self.identity.public().node(),
            keys: self.keys,
            held,
            projects: self.projects,
            pair: self.pair,
            lines: Default::default(),
            dialled_at: 0,
            pauses: Pauses::between(PAUSES.0, PAUSES.1),
            look_at: None,
        }
    }
}

fn tree(writer: [u8; 32], tip: Height) -> FeedTree {
    let feed = TreeFeed {
        parent: None,
        start: 0,
        tip: Some(tip),
        base: 0,
    };
    FeedTree::new(BTreeMap::from([(FeedName::from_bytes(writer), feed)]))
}
