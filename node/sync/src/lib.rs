//! The session engine: which entries to send to whom, and when.
//!
//! It is sans-IO: [`Engine::handle`] takes one [`Input`] and the time, and returns the
//! [`Effect`]s that a driver carries out. It knows no clock, no socket, no database and no
//! documents, and is deterministic, so that the simulator runs the very engine that the node
//! runs.
//!
//! Two rules hold everywhere. Nothing is acknowledged, and nothing is passed on, before
//! [`Input::Appended`] said that it is durable. And what is sent is always judged from positions
//! (of each session, how far each feed was sent), never from a queue, so that a slow peer costs
//! no memory.

mod config;
mod copying;
mod deadlines;
mod effect;
mod engine;
mod first_copy;
mod held_receipt;
mod input;
mod keyring;
mod message;
mod own;
mod peer_memory;
mod peer_receipts;
mod peer_space;
mod said_receipt;
mod session;
mod space;
mod timestamp;

pub use config::{Config, ConfigError};
pub use effect::{Alarm, CloseReason, Effect};
pub use engine::{Engine, run_bytes};
pub use first_copy::{CopyHeld, CopyPlan};
pub use input::{AppendResult, Input, SessionId, StorageDown, Stored, Ticket};
pub use message::{
    Changed, Farewell, Goodbye, Hello, Message, PROTOCOL_VERSION, SpaceHeights, session_signature,
    software_mark,
};
pub use own::{Held, Own};
pub use peer_memory::PeerMemory;
pub use said_receipt::{SaidHeights, SaidReceipt};
pub use timestamp::Timestamp;
