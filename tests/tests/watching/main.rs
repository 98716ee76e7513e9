//! Watching a node and a coordinator: metrics, readiness, health, and the audit log, over real sockets
//! and in real files.

mod audit;
mod documents;
mod health;
mod metrics;
