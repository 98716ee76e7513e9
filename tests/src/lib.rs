//! What the whole-system tests, the demo and the benchmarks share.

pub mod bare_peer;
pub mod process;
pub mod relay;
pub mod search;
pub mod simulation;
pub mod world;
