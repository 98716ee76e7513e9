//! Upgrades: what released versions wrote, said and promised holds for every later one, and versions work
//! beside each other.

mod behind;
mod contract;
mod held;
mod migrating;
mod program;
mod sessions;
mod stores;
