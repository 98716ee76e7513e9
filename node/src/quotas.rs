//! What each other hub may use of this node: entries a minute, bytes, and open sessions.
//!
//! Counted by who wrote an entry and not by who brings it: what a hub relays for others is not its
//! own. A hub that is over is told *not yet*; its peer asks again by itself, and nobody else waits.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use node_feed::{
    FeedName, HubId, Kind, NodeId, Open, Opening, RUN_ENTRIES_MAX, RefusalReason, SpaceId,
    VerifiedRun,
};
use node_store::{Appended, Refused, WriterBytes};
use node_sync::run_bytes;

use crate::config::LimitsConfig;

/// For how many minutes what was not used may be used later.
const SAVED_MINUTES: u64 = 10;

/// What is used, since the start but for bytes.
#[derive(Debug)]
pub(crate) struct Quotas {
    config: LimitsConfig,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Who writes where.
    hubs: HashMap<(SpaceId, [u8; 32]), HubId>,
    used: BTreeMap<HubId, Used>,
    sessions: BTreeMap<Guest, u64>,
}

/// What one hub used.
#[derive(Debug)]
struct Used {
    /// Bytes of entries that are kept.
    bytes: u64,
    /// How many entries may come at once.
    left: u64,
    /// Up to when that is reckoned.
    at: Instant,
}

/// Which of some runs are taken, and what is reckoned for them until it is known what became of them.
#[derive(Debug)]
pub(crate) struct Taken(Vec<Verdict>);

#[derive(Debug)]
enum Verdict {
    /// It is taken; whose it is, and how many entries, if they are counted.
    Taken(Option<(HubId, u64)>),
    Over(Refused),
}

/// Who wrote a run.
#[derive(Debug, Clone, Copy)]
enum Author {
    /// As its opening proves.
    Known(HubId),
    /// As an opening says that was not checked yet.
    Claimed(HubId),
}

impl Author {
    const fn id(self) -> HubId {
        match self {
            Self::Known(hub) | Self::Claimed(hub) => hub,
        }
    }
}

/// Whose session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guest {
    /// A hub's.
    Hub(HubId),
    /// A node's of no hub: its access has ended, or the record of access is not here yet.
    Node(NodeId),
}

/// One open session of a guest. It is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    quotas: Arc<Quotas>,
    guest: Guest,
}

impl Quotas {
    pub(crate) fn new(config: LimitsConfig) -> Self {
        Self {
            config,
            state: Mutex::default(),
        }
    }

    /// Learns whose writers are: before sessions begin, and when a first copy is in its place.
    pub(crate) fn know(&self, writers: impl IntoIterator<Item = (SpaceId, [u8; 32], HubId)>) {
        let mut state = self.lock();
        for (space, writer, hub) in writers {
            state.hubs.insert((space, writer), hub);
        }
    }

    /// Learns what is kept of each hub, as read a moment ago. What came meanwhile counts from the next
    /// time on.
    pub(crate) fn learn(&self, kept: impl IntoIterator<Item = WriterBytes>) {
        let mut bytes = BTreeMap::<HubId, u64>::new();
        for writer in kept {
            if let Some(hub) = writer.hub {
                let sum = bytes.entry(hub).or_default();
                *sum = sum.saturating_add(writer.bytes);
            }
        }
        let mut state = self.lock();
        for used in state.used.values_mut() {
            used.bytes = 0;
        }
        for (hub, bytes) in bytes {
            state.used(hub, &self.config, Instant::now()).bytes = bytes;
        }
    }

    /// Parts the runs that are taken from those of hubs that are over. `own` are not counted.
    pub(crate) fn take(
        &self,
        own: Option<HubId>,
        authority: SpaceId,
        runs: Vec<VerifiedRun>,
    ) -> (Vec<VerifiedRun>, Taken) {
        let now = Instant::now();
        let mut state = self.lock();
        let (mut taken, mut verdicts) = (Vec::with_capacity(runs.len()), Vec::new());
        // What follows a run that was refused would be a gap.
        let mut over = Vec::new();
        for run in runs {
            let hub = state.hub_of(&run);
            let hub = hub.filter(|hub| Some(hub.id()) != own && run.space() != authority);
            let Some(hub) = hub else {
                verdicts.push(Verdict::Taken(None));
                taken.push(run);
                continue;
            };
            let count = run.count() as u64;
            let fits = state.fits(hub, count, spares(&run), &self.config, now);
            if over.contains(&hub.id()) || !fits {
                over.push(hub.id());
                verdicts.push(Verdict::Over(refused(&run)));
                continue;
            }
            // What is only claimed is counted once it is proven, so that nobody uses up another's. So a new
            // writer has what is under way until then.
            let reserved = match hub {
                Author::Known(hub) => {
                    state.used(hub, &self.config, now).left -= count;
                    Some((hub, count))
                }
                Author::Claimed(_) => None,
            };
            verdicts.push(Verdict::Taken(reserved));
            taken.push(run);
        }
        (taken, Taken(verdicts))
    }

    /// What became of all runs, from what became of those that were taken. What was held already, or
    /// refused, is not counted.
    pub(crate) fn settle(&self, taken: Taken, appended: Vec<Appended>) -> Vec<Appended> {
        let mut state = self.lock();
        let mut appended = appended.into_iter();
        let all = taken.0.into_iter().filter_map(|verdict| match verdict {
            Verdict::Over(refused) => Some(Appended::Refused(refused)),
            Verdict::Taken(counted) => {
                let became = appended.next()?;
                state.count(&became, counted, &self.config);
                Some(became)
            }
        });
        all.collect()
    }

    /// Nothing became of what was taken: it could not be stored.
    pub(crate) fn give_back(&self, taken: Taken) {
        let mut state = self.lock();
        for verdict in taken.0 {
            if let Verdict::Taken(Some((hub, count))) = verdict {
                let used = state.used(hub, &self.config, Instant::now());
                used.left = used.left.saturating_add(count);
            }
        }
    }

    /// A place for one more session of a guest; none if it has as many as it may.
    pub(crate) fn place(self: &Arc<Self>, guest: Guest) -> Option<Place> {
        let mut state = self.lock();
        let open = state.sessions.entry(guest).or_default();
        if *open >= self.config.hub_sessions_max {
            return None;
        }
        *open += 1;
        drop(state);
        let quotas = Arc::clone(self);
        Some(Place { quotas, guest })
    }

    /// How many sessions one hub may have.
    pub(crate) const fn sessions_max(&self) -> u64 {
        self.config.hub_sessions_max
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Who wrote a run: as its opening claims, if it has one and nothing is known of the writer.
    fn hub_of(&self, run: &VerifiedRun) -> Option<Author> {
        let known = self.hubs.get(&(run.space(), *run.writer())).copied();
        known.map(Author::Known).or_else(|| {
            let run = run.as_run();
            let first = run.entries.first().filter(|_| run.first == 0)?;
            match Open::decode(first.payload.bytes()?) {
                Ok(Open::Node(open)) => Some(Author::Claimed(open.hub)),
                Ok(Open::Authority(_)) | Err(_) => None,
            }
        })
    }

    /// Whether so many entries more of a hub are taken. Of one of which nothing was stored yet nothing
    /// is kept: anybody can claim to be it.
    fn fits(
        &mut self,
        hub: Author,
        count: u64,
        spared: bool,
        config: &LimitsConfig,
        now: Instant,
    ) -> bool {
        if matches!(hub, Author::Claimed(hub) if !self.used.contains_key(&hub)) {
            return true;
        }
        let used = self.used(hub.id(), config, now);
        (spared || used.bytes < config.hub_bytes_max) && used.left >= count
    }

    fn used(&mut self, hub: HubId, config: &LimitsConfig, now: Instant) -> &mut Used {
        // A run comes whole or not at all.
        let most = config.hub_entries_per_minute.saturating_mul(SAVED_MINUTES);
        let most = most.max(RUN_ENTRIES_MAX as u64);
        let used = self.used.entry(hub).or_insert(Used {
            bytes: 0,
            left: most,
            at: now,
        });
        used.refill(config.hub_entries_per_minute, most, now);
        used
    }

    fn count(&mut self, became: &Appended, reserved: Option<(HubId, u64)>, config: &LimitsConfig) {
        let stored = match became {
            Appended::Stored(stored) => {
                let writer = (stored.run.space(), *stored.run.writer());
                if let Some(Opening::Node { hub, .. }) = &stored.opening {
                    self.hubs.insert(writer, *hub);
                }
                Some(&stored.run)
            }
            Appended::Live(run) => run.as_ref(),
            Appended::Held | Appended::Refused(_) => None,
        };
        let now = Instant::now();
        if let Some((hub, count)) = reserved {
            let used = self.used(hub, config, now);
            used.left = used.left.saturating_add(count);
        }
        let Some(run) = stored else {
            return;
        };
        let hub = self.hubs.get(&(run.space(), *run.writer())).copied();
        if let Some(hub) = hub.or(reserved.map(|(hub, _)| hub)) {
            let used = self.used(hub, config, now);
            used.left = used.left.saturating_sub(run.count() as u64);
            let bytes = run_bytes(std::slice::from_ref(run.as_run())) as u64;
            used.bytes = used.bytes.saturating_add(bytes);
        }
    }
}

impl Used {
    fn refill(&mut self, per_minute: u64, most: u64, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        let passed_ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let more = passed_ms.saturating_mul(per_minute) / 60_000;
        if more > 0 {
            self.left = self.left.saturating_add(more).min(most);
            // Only what was reckoned has passed, so that many looks lose nothing.
            self.at += Duration::from_millis(more.saturating_mul(60_000) / per_minute);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.quotas.lock();
        if let Some(open) = state.sessions.get_mut(&self.guest) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                state.sessions.remove(&self.guest);
            }
        }
    }
}

/// Whether a run is taken however little room there is: what erases, and what begins a feed for that.
pub(crate) fn spares(run: &VerifiedRun) -> bool {
    let mut entries = run.as_run().entries.iter();
    entries.all(|entry| [Kind::OPEN, Kind::ERASE].contains(&entry.kind))
}

fn refused(run: &VerifiedRun) -> Refused {
    let first = run.entries().next().map_or(run.last(), |(first, _)| first);
    Refused {
        feed: FeedName::from_bytes(*run.writer()),
        number: first.number,
        hash: first.hash,
        reason: RefusalReason::Quota,
        at_base: None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use node_feed::{Entry, GrantId, NetworkId, NodeOpen, Nonce, Run, SecretKey, Subject};

    use super::*;

    const NETWORK: NetworkId = NetworkId::from_bytes([1; 16]);
    const SPACE: SpaceId = SpaceId::from_bytes([2; 16]);
    const VICTIM: HubId = HubId::from_bytes([3; 8]);

    fn quotas(per_minute: u64) -> Quotas {
        Quotas::new(LimitsConfig {
            hub_entries_per_minute: per_minute,
            ..LimitsConfig::default()
        })
    }

    fn entry(kind: Kind, payload: Bytes) -> Entry {
        Entry {
            time_ms: 0,
            kind,
            subject: Subject::NONE,
            payload,
        }
    }

    /// The beginning of a feed that says it is of `VICTIM`, and so many entries after that.
    fn claim(seed: u8, count: usize) -> VerifiedRun {
        let (writer, identity) = (
            SecretKey::from_seed(&[seed; 32]),
            SecretKey::from_seed(&[9; 32]),
        );
        let grant = (VICTIM, GrantId::from_bytes([4; 32]));
        let random = Nonce([5; 16]);
        let open = NodeOpen::sign(
            NETWORK,
            SPACE,
            &writer.public(),
            &identity,
            grant,
            vec![],
            random,
        );
        let open = entry(Kind::OPEN, open.encode().expect("an opening"));
        let rest = (0..count).map(|_| entry(Kind(200), Bytes::from_static(&[6; 40])));
        let entries = std::iter::once(open).chain(rest).collect();
        Run::sign(NETWORK, SPACE, &writer, None, entries).expect("a run")
    }

    fn left(quotas: &Quotas) -> Option<u64> {
        quotas.lock().used.get(&VICTIM).map(|used| used.left)
    }

    #[test]
    fn who_only_claims_to_be_a_hub_uses_nothing_of_it_up_and_leaves_nothing() {
        let quotas = quotas(60);
        let log = SpaceId::authority(NETWORK);
        for seed in 10..30 {
            let (runs, taken) = quotas.take(None, log, vec![claim(seed, 500)]);
            assert_eq!(runs.len(), 1);
            let run = runs.first().expect("a run");
            // The store finds that no such node is known.
            let became = vec![Appended::Refused(refused(run))];
            assert_eq!(quotas.settle(taken, became).len(), 1);
        }
        assert_eq!(left(&quotas), None);
    }

    #[test]
    fn what_cannot_be_stored_is_given_back_and_what_is_over_is_refused() {
        let quotas = quotas(60);
        let log = SpaceId::authority(NETWORK);
        let run = claim(10, 700);
        quotas.know([(SPACE, *run.writer(), VICTIM)]);
        let (runs, taken) = quotas.take(None, log, vec![run.clone()]);
        assert_eq!((runs.len(), left(&quotas)), (1, Some(1_024 - 701)));
        let (none, over) = quotas.take(None, log, vec![run.clone()]);
        assert!(none.is_empty());
        let became = quotas.settle(over, Vec::new());
        let reason = |it: &Appended| match it {
            Appended::Refused(refused) => Some(refused.reason),
            Appended::Stored(_) | Appended::Held | Appended::Live(_) => None,
        };
        assert_eq!(became.first().and_then(reason), Some(RefusalReason::Quota));
        quotas.give_back(taken);
        let (again, _) = quotas.take(None, log, vec![run.clone()]);
        assert_eq!(again.len(), 1);
        // A hub's own are never counted at its own nodes.
        let (own, _) = quotas.take(Some(VICTIM), log, vec![run.clone(), run]);
        assert_eq!(own.len(), 2);
    }

    #[test]
    fn what_may_be_used_grows_with_time_up_to_ten_minutes_worth() {
        let begun = Instant::now();
        let mut used = Used {
            bytes: 0,
            left: 0,
            at: begun,
        };
        // Many looks lose nothing.
        for ms in (0..=60_000).step_by(7) {
            used.refill(6_000, 60_000, begun + Duration::from_millis(ms));
        }
        assert_eq!(used.left, 5_999);
        used.refill(6_000, 60_000, begun + Duration::from_hours(24));
        assert_eq!(used.left, 60_000);
    }
}
