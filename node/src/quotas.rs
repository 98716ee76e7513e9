//! What each other hub may use of this node: entries a minute, bytes, and open sessions.
//!
//! Counted by who wrote an entry and not by who brings it: what a hub relays for others is not its
//! own. A hub that is over is told *not yet*; its peer asks again by itself, and nobody else waits.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use node_feed::{FeedName, HubId, Open, RefusalReason, SpaceId, VerifiedRun};
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
    sessions: BTreeMap<HubId, u64>,
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

/// One open session of a hub. It is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    quotas: Arc<Quotas>,
    hub: HubId,
}

impl Quotas {
    pub(crate) fn new(config: LimitsConfig) -> Self {
        Self {
            config,
            state: Mutex::default(),
        }
    }

    /// Learns what is kept of each writer, as read when the store was opened. What came meanwhile may
    /// count twice.
    pub(crate) fn learn(&self, kept: impl IntoIterator<Item = WriterBytes>) {
        let mut state = self.lock();
        for writer in kept {
            if let Some(hub) = writer.hub {
                state.hubs.insert((writer.space, writer.writer), hub);
                state.used(hub, &self.config, Instant::now()).bytes += writer.bytes;
            }
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
            let hub = hub.filter(|hub| Some(*hub) != own && run.space() != authority);
            let Some(hub) = hub else {
                verdicts.push(Verdict::Taken(None));
                taken.push(run);
                continue;
            };
            let count = run.count() as u64;
            let used = state.used(hub, &self.config, now);
            let room = used.bytes < self.config.hub_bytes_max;
            if over.contains(&hub) || !room || used.left < count {
                over.push(hub);
                verdicts.push(Verdict::Over(refused(&run)));
            } else {
                used.left -= count;
                verdicts.push(Verdict::Taken(Some((hub, count))));
                taken.push(run);
            }
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

    /// Whether there is room for a first copy that stands for so many entries of these feeds, which are
    /// counted if there is. Of a writer of whom nothing is held yet nothing is known.
    pub(crate) fn takes_copy(
        &self,
        own: Option<HubId>,
        space: SpaceId,
        lacking: impl IntoIterator<Item = (FeedName, u64)>,
    ) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        let mut counts = BTreeMap::<HubId, u64>::new();
        for (feed, count) in lacking {
            let hub = state.hubs.get(&(space, *feed.as_bytes())).copied();
            if let Some(hub) = hub.filter(|hub| Some(*hub) != own) {
                *counts.entry(hub).or_default() += count;
            }
        }
        let fits = counts.iter().all(|(hub, count)| {
            let used = state.used(*hub, &self.config, now);
            used.bytes < self.config.hub_bytes_max && *count <= used.left
        });
        if fits {
            for (hub, count) in counts {
                state.used(hub, &self.config, now).left -= count;
            }
        }
        fits
    }

    /// A place for one more session of `hub`; none if it has as many as it may.
    pub(crate) fn place(self: &Arc<Self>, hub: HubId) -> Option<Place> {
        let mut state = self.lock();
        let open = state.sessions.entry(hub).or_default();
        if *open >= self.config.hub_sessions_max {
            return None;
        }
        *open += 1;
        drop(state);
        let quotas = Arc::clone(self);
        Some(Place { quotas, hub })
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
    /// Who wrote a run: as its opening claims, if it has one and nothing is known of the writer. The
    /// claim is checked before anything is counted.
    fn hub_of(&self, run: &VerifiedRun) -> Option<HubId> {
        let known = self.hubs.get(&(run.space(), *run.writer())).copied();
        known.or_else(|| {
            let run = run.as_run();
            let first = run.entries.first().filter(|_| run.first == 0)?;
            match Open::decode(first.payload.bytes()?) {
                Ok(Open::Node(open)) => Some(open.hub),
                Ok(Open::Authority(_)) | Err(_) => None,
            }
        })
    }

    fn used(&mut self, hub: HubId, config: &LimitsConfig, now: Instant) -> &mut Used {
        let most = config.hub_entries_per_minute.saturating_mul(SAVED_MINUTES);
        let used = self.used.entry(hub).or_insert(Used {
            bytes: 0,
            left: most,
            at: now,
        });
        used.refill(config.hub_entries_per_minute, most, now);
        used
    }

    fn count(&mut self, became: &Appended, counted: Option<(HubId, u64)>, config: &LimitsConfig) {
        let stored = match became {
            Appended::Stored(stored) => {
                let writer = (stored.run.space(), *stored.run.writer());
                if let Some(node_feed::Opening::Node { hub, .. }) = &stored.opening {
                    self.hubs.insert(writer, *hub);
                }
                Some(&stored.run)
            }
            Appended::Live(run) => run.as_ref(),
            Appended::Held | Appended::Refused(_) => None,
        };
        let Some((hub, count)) = counted else {
            return;
        };
        let used = self.used(hub, config, Instant::now());
        match stored {
            Some(run) => {
                let new = run.count() as u64;
                used.left += count.saturating_sub(new);
                used.bytes += run_bytes(std::slice::from_ref(run.as_run())) as u64;
            }
            None => used.left += count,
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
        if let Some(open) = state.sessions.get_mut(&self.hub) {
            *open = open.saturating_sub(1);
        }
    }
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
