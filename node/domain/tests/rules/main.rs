//! What holds whenever a record is written, told as stories and tried under any interleaving.

#[path = "../domain/world.rs"]
mod world;

mod filled;
mod frozen;
mod places;
mod ranking;
mod references;
mod replicas;
mod steps;
mod sums;
