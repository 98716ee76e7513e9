//! The procedures of docs/operations.md, done as they stand there: the commands are taken out of the
//! page and typed on computers of their own, with the real programs, so that page and programs
//! cannot part.

mod closing;
mod everyday;
mod keys;
mod lost;
mod machine;
mod manual;
mod moving;
mod network;
