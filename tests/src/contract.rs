//! What others rely on, and no later version may take away: the protocol files, and the names and
//! numbers in formats, settings, metrics and commands' ends.
//!
//! A release keeps both as they were (see [`crate::release`]); tests compare them with what is.

mod protocol;
mod words;

pub use protocol::{Protocol, ProtocolError};
pub use words::{gone, words};
