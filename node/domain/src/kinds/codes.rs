//! Code lists that several kinds share.

/// School phases.
pub(crate) const PHASES: &[&str] = &["early years", "primary", "secondary", "post-16", "all"];

/// Kinds of work group.
pub(crate) const GROUP_KINDS: &[&str] = &[
    "development",
    "embedding",
    "sustaining",
    "readiness",
    "subject knowledge",
    "research and innovation",
    "leadership development",
    "post-16 participation",
    "community",
];

/// Where a member of a work group stands, the furthest last.
pub(crate) const MEMBER_STATUSES: &[&str] = &[
    "withdrawn",
    "applied",
    "waiting",
    "accepted",
    "started",
    "completed",
];
