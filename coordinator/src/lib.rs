//! The coordinator: a node with more duties.
//!
//! It introduces hubs, relays and merges what they share, and shows the national picture. It has
//! no private path to documents: it uses [`node::Node`] as every command does.

mod audit;
pub mod authority_writer;
pub mod certificates;
pub mod cli;
pub mod config;
mod coordinator;
pub mod doctor;
pub mod enrolment;
pub mod operations;
pub mod saved_keys;
pub mod server_certificate;
pub mod service;
pub mod successions;
mod web;

pub use certificates::{Certificates, CertificatesError};
pub use coordinator::{Coordinator, CoordinatorError, Serving};
