//! Time, as it comes in.

/// Milliseconds since 1970.
///
/// It orders deadlines and a node's own receipts, and nothing else. A driver should advance it
/// with a monotonic clock, so that setting the computer's clock does not stop timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This many milliseconds later.
    #[must_use]
    pub const fn after(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}
