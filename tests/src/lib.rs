//! What the whole-system tests, the demo and the benchmarks share.

pub mod bare_peer;
pub mod browser;
pub mod contract;
pub mod folders;
pub mod hall;
pub mod nation;
pub mod person;
pub mod process;
pub mod reader;
pub mod relay;
pub mod release;
pub mod search;
pub mod simulation;
pub mod trusting;
pub mod visitor;
pub mod walk;
pub mod world;
