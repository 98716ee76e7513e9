//! Code lists that several kinds share.

use crate::declaration::{Check, Field, State, state};

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

/// What a work group may change.
pub const OUTCOMES: &[&str] = &[
    "professional learning",
    "practice",
    "pupils",
    "school policy",
];

/// Who may be the controller of personal data.
pub(crate) const CONTROLLERS: &[&str] = &["DfE", "lead school", "hub and DfE jointly"];

/// What an organisation may be.
pub(crate) const ORGANISATION_KINDS: &[&str] = &[
    "school",
    "college",
    "trust",
    "alliance",
    "university",
    "council",
    "CPD provider",
    "employer",
    "subject association",
    "other",
];

/// Licences under which a practice may be used.
pub(crate) const LICENCES: &[&str] = &["OGL 3.0", "CC BY 4.0", "all rights reserved"];

/// The most that one sum of money may be, in pence.
const PENCE_MAX: i64 = 100_000_000_000;

/// A sum of money that is not below zero.
pub(crate) const BUDGET: Check = Check::Pence(0, PENCE_MAX);

/// A sum of money that may take another back.
pub(crate) const MONEY: Check = Check::Pence(-PENCE_MAX, PENCE_MAX);

/// What a log of frozen copies holds.
pub(crate) const COPIES: &[Field] = &[
    Field::value("version", "Version", Check::Number(1, 1_000_000)).by_program(),
    Field::value("state", "State", Check::Text(60)).by_program(),
    Field::value("on", "On", Check::Date).by_program(),
    Field::value("hash", "Hash", Check::Text(64)).by_program(),
    Field::value("content", "Content", Check::Text(200_000)).by_program(),
];

/// Where a session or meeting stands.
pub(crate) const HELD: &[State] = &[
    state("planned", &["held", "moved", "cancelled"]),
    state("moved", &["held", "cancelled"]),
    state("held", &[]),
    state("cancelled", &["planned"]),
];

/// What a log of decisions holds.
pub(crate) const DECISIONS: &[Field] = &[
    Field::value("about", "About", Check::Text(200)).required(),
    Field::value("outcome", "Decision", Check::Text(2_000)).required(),
    Field::value("on", "On", Check::Date),
    Field::value("meeting", "Meeting", Check::Text(60)),
];
