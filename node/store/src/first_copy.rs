//! What a store says of first copies.

use bytes::Bytes;
use node_feed::{Checkpoint, FeedName, Height, Opening, TreeFeed};

/// What the names of settings begin with that each note a space: a copy of it that had documents was
/// dropped, and what was made of these is to be made again. Cleared by whoever has done so.
pub const RENEW_SETTINGS: &str = "renew/";

/// What putting a whole copy in its place brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyPlaced {
    /// These feeds have a base now, each with its writer key.
    Placed(Vec<([u8; 32], FeedName, TreeFeed)>),
    /// It cannot be, for this reason, and all that came of it is gone.
    Refused(String),
    /// It is not here, or not whole.
    Not,
}

/// A packed document that came by a first copy, opaque to carriage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseDocument {
    /// Its place in the order of arrival.
    pub arrival: u64,
    /// Its bytes; empty if the sender says that it was erased.
    pub bytes: Bytes,
    /// How far it is relied upon.
    pub stage: BaseStage,
}

/// How far a document that came by a first copy is relied upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseStage {
    /// Its copy is under way, and it was not checked.
    Unchecked,
    /// Its copy is under way, and it was checked.
    Checked,
    /// Its copy was placed.
    Placed,
}

/// A feed of a first copy that is under way, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedFeed {
    /// The feed's writer key.
    pub writer: [u8; 32],
    /// Who opened it.
    pub opening: Opening,
    /// Where its checkpoint ends.
    pub base: Height,
    /// The checkpoint.
    pub parts: Vec<Checkpoint>,
}
