//! The first hour, and what stands between a hub and the coordinator: setting up in one go, proxies,
//! filters that inspect TLS, and what the doctor says of each.
//!
//! Real TLS, real proxies, and the program as a process of its own where its output or its environment
//! matters.

mod certificates;
mod doctor;
mod identity;
mod middle;
mod program;
mod proxy;
mod setup;
