//! Does this computer's clock agree with the coordinator's?

use super::Finding;
use crate::enrolment::Greeting;
use crate::web::words;

/// Certificates start a day before they were made; beyond that a wrong clock ends connections.
const FAULT_MS: u64 = 24 * 60 * 60 * 1_000;

/// Whether the clock is right, by the coordinator's.
pub(super) fn clock(greeting: &Greeting, now_ms: u64) -> Finding {
    const CHECK: &str = "clock";
    if greeting.clock_ms == 0 {
        return Finding::not_checked(CHECK, "the coordinator does not say what its clock shows");
    }
    let ahead = i128::from(now_ms) - i128::from(greeting.clock_ms);
    let ahead = i64::try_from(ahead).unwrap_or(if ahead < 0 { i64::MIN } else { i64::MAX });
    let Some(off) = words::clock_is_off(ahead) else {
        return Finding::ok(CHECK, "it agrees with the coordinator's");
    };
    let sentence = format!(
        "this computer's clock is {off} by the coordinator's, so its dates are wrong; set date and \
         time, and let a time server (NTP) keep them"
    );
    if ahead.unsigned_abs() >= FAULT_MS {
        Finding::fault(CHECK, sentence)
    } else {
        Finding::warning(CHECK, sentence)
    }
}
