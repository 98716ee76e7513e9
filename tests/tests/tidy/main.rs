//! Tidy: what the compiler does not check about this tree, and reviewers should not have to.
//!
//! Which crate may use which, how long a file may grow, whether links and tests that the documents name
//! are there, and whether the sample settings say the truth.

mod dependencies;
mod edges;
mod links;
mod peers;
mod platform;
mod proofs;
mod samples;
mod sources;
mod top_level;
mod workspace;
