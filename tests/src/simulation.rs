//! The real engines, run against each other over a virtual network in virtual time.
//!
//! A seed decides everything: who is connected to whom, what is written, what breaks and when.
//! After a stormy while the network is mended, nobody writes any more, and the promises must hold
//! ([`World::run`]). The same seed always gives the same run.

mod copies;
mod dice;
mod disk;
mod driver;
mod faults;
mod machine;
mod office;
mod promises;
mod trace;
mod world;

pub use copies::CopyCounts;
pub(crate) use dice::Dice;
pub use world::{Outcome, World};
