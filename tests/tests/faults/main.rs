//! What a crash, a full disk or a failing one leaves: everything that was acknowledged.
//!
//! Real programs as processes of their own. What needs root is ignored here and run by
//! `tests/faults.sh`.

mod chance;
mod copied;
mod disk;
mod filling;
mod killed;
mod left;
mod program;
mod writing;
