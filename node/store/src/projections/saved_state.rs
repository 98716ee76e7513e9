//! A document's saved state.

use std::fmt;

use bytes::Bytes;
use node_feed::{SpaceId, Subject};

/// What a document saved as, to be opened from later.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedState {
    /// The space that it is in.
    pub space: SpaceId,
    /// The document.
    pub subject: Subject,
    /// How far it had seen the store, in order of arrival.
    pub arrival: u64,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Without what the document says.
impl fmt::Debug for SavedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SavedState({}, {} bytes)",
            self.subject,
            self.bytes.len()
        )
    }
}
