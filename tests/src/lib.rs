//! What the whole-system tests, the demo and the benchmarks share.

pub mod process;
pub mod relay;
pub mod simulation;
pub mod world;
