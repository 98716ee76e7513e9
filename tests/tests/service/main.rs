//! Running as a service: how the programs start and stop, whose files they make, and what `deploy/` says of
//! them.

mod container;
mod deb;
mod files;
mod folders;
mod program;
mod stopping;
mod units;
