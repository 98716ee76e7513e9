//! Thousands of runs of the real engines against each other, each twice.
//!
//! `CAUSEWAY_SEED=n` runs one seed and tells everything that happens in it; `CAUSEWAY_SEEDS=n`
//! runs the first n.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tests::nation::{Plan, simulate};
use tests::simulation::{CopyCounts, Outcome, World};

/// How many seeds the ordinary tests run.
const SEEDS: u64 = 3_000;

/// Seeds that once broke a promise. Whatever changes the simulation's draws makes other worlds of
/// them, so a fault has a test of its own besides where it was.
const EARLIER_FAILURES: &[u64] = &[
    5, 34, 41, 166, 257, 444, 691, 756, 816, 932, 973, 1212, 1415, 1599, 1957, 1994, 2058, 2143,
    3749, 5031, 7282, 7363, 10743, 10951, 11027, 11704, 12286, 14046, 14984, 17343,
];

/// What a seed comes to.
///
/// # Errors
/// What it breaks, in words.
fn run(seed: u64) -> Result<Outcome, String> {
    let outcome = World::new(seed, false).run();
    let again = World::new(seed, false).run();
    if !outcome.broken.is_empty() {
        let broken = outcome.broken.join("\n  ");
        return Err(format!("CAUSEWAY_SEED={seed} breaks promises:\n  {broken}"));
    }
    if outcome != again {
        return Err(format!(
            "CAUSEWAY_SEED={seed} does not run the same way twice"
        ));
    }
    Ok(outcome)
}

fn assert_none(broken: &[String]) {
    let few = broken.iter().take(5).map(String::as_str);
    assert!(
        broken.is_empty(),
        "{} seeds fail, among them:\n{}",
        broken.len(),
        few.collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn all_members_end_up_equal_and_nothing_acknowledged_is_lost() {
    if let Some(seed) = number_from("CAUSEWAY_SEED") {
        let outcome = World::new(seed, true).run();
        assert_none(&outcome.broken);
        return;
    }
    let seeds = number_from("CAUSEWAY_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    let all = Mutex::new((0, CopyCounts::default()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    match run(seed) {
                        Ok(outcome) => {
                            let mut all = all.lock().expect("no thread panics");
                            all.0 += outcome.saved;
                            all.1 += outcome.copies;
                        }
                        Err(broken) => {
                            let mut failures = failures.lock().expect("no thread panics");
                            failures.push(broken);
                        }
                    }
                }
            });
        }
    });
    assert_none(&failures.into_inner().expect("no thread panics"));
    // What never happens breaks nothing.
    let (saved, copies) = all.into_inner().expect("no thread panics");
    assert!(saved > 0);
    let kinds = [
        copies.parts,
        copies.resumed,
        copies.placed,
        copies.dropped,
        copies.live,
    ];
    assert!(kinds.iter().all(|count| *count > 0), "{copies:?}");
}

#[test]
fn what_once_failed_holds() {
    let broken = EARLIER_FAILURES.iter().filter_map(|seed| run(*seed).err());
    assert_none(&broken.collect::<Vec<_>>());
}

#[test]
fn a_small_nation_is_equal_after_a_week_apart_and_costs_the_same_twice() {
    let plan = Plan {
        day_entries: 20,
        ..Plan::of(6)
    };
    let report = simulate(&plan);
    assert_none(&report.broken);
    assert!(report.reunion.kind("entries").bytes > report.day.kind("entries").bytes);
    assert_eq!(report.again.kind("entries").bytes, 0, "nothing changed");
    let again = simulate(&plan);
    assert_eq!(report.first, again.first);
    assert_eq!(report.day, again.day);
    assert_eq!(report.reunion, again.reunion);
    assert_eq!(report.again, again.again);
    assert_eq!(report.memories, again.memories);
}

#[test]
fn a_nation_in_which_few_write_and_none_sign_is_equal_too() {
    let plan = Plan {
        one_in: 3,
        receipts: false,
        seed: 2,
        ..Plan::of(8)
    };
    let report = simulate(&plan);
    assert_none(&report.broken);
    assert_eq!(report.day.kind("receipts").bytes, 0);
}

#[test]
fn hubs_behind_a_busy_line_hear_from_the_coordinator_all_the_same() {
    let plan = Plan {
        receipts: false,
        coordinator_bits: 400_000,
        ..Plan::of(12)
    };
    let report = simulate(&plan);
    assert_none(&report.broken);
    let hello_timeout = Duration::from_millis(node_sync::Config::default().hello_timeout_ms);
    assert!(report.reunion.equal > hello_timeout, "{:?}", report.reunion);
    assert_eq!(report.reunion.lost, 0);
}

#[test]
fn hubs_that_hear_nothing_dial_again_until_all_are_equal() {
    let plan = Plan {
        one_in: 12,
        day_entries: 1,
        receipts: false,
        coordinator_bits: 2_000,
        ..Plan::of(12)
    };
    let report = simulate(&plan);
    let lost = report.first.lost + report.reunion.lost;
    assert!(lost > 0, "every hub heard in time");
    assert_none(&report.broken);
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
