//! Thousands of runs of the real engines against each other, each twice.
//!
//! `CAUSEWAY_SEED=n` runs one seed and tells everything that happens in it; `CAUSEWAY_SEEDS=n`
//! runs the first n.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tests::nation::{Plan, simulate};
use tests::simulation::World;

/// How many seeds the ordinary tests run.
const SEEDS: u64 = 3_000;

/// Seeds that once broke a promise.
const EARLIER_FAILURES: &[u64] = &[
    5, 34, 41, 166, 257, 444, 691, 756, 816, 932, 973, 1212, 1415, 1599, 1957, 1994, 2058, 2143,
    3749, 5031, 7282, 10743, 10951, 11027, 11704, 12286, 14046, 14984, 17343,
];

/// What a seed breaks, in words; nothing if all promises hold.
fn broken(seed: u64) -> Option<String> {
    let outcome = World::new(seed, false).run();
    let again = World::new(seed, false).run();
    if !outcome.broken.is_empty() {
        let broken = outcome.broken.join("\n  ");
        return Some(format!("CAUSEWAY_SEED={seed} breaks promises:\n  {broken}"));
    }
    (outcome != again).then(|| format!("CAUSEWAY_SEED={seed} does not run the same way twice"))
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
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    if let Some(broken) = broken(seed) {
                        let mut failures = failures.lock().expect("no thread panics");
                        failures.push(broken);
                    }
                }
            });
        }
    });
    assert_none(&failures.into_inner().expect("no thread panics"));
}

#[test]
fn what_once_failed_holds() {
    let broken = EARLIER_FAILURES.iter().filter_map(|seed| broken(*seed));
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

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
