//! What a message weighs on the wire.

use node_sync::Message;
use prost::Message as _;

use super::convert::to_frame;
use super::packer::Packer;

/// Weighs messages as sessions send them: the frame, encoded, without what gRPC, HTTP/2 and TLS
/// add.
#[derive(Debug, Default)]
pub struct Scales(Packer);

impl Scales {
    /// The bytes of the frame that carries `message`. Entries that are shared among several
    /// messages are packed once, as they are when they are sent.
    pub fn weigh(&self, message: &Message) -> usize {
        to_frame(message, &self.0).encoded_len()
    }
}
