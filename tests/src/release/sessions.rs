//! What the nodes of a release said to each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// Level of compression: made once, read often.
const ZSTD_LEVEL: i32 = 19;

/// Sessions of a coordinator with hubs, in the order in which they began, as the coordinator said and
/// heard them. Bytes are in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// The network's id.
    pub network: String,
    /// The coordinator's node id.
    pub coordinator: String,
    /// The sessions.
    pub sessions: Vec<RecordedSession>,
    /// What the coordinator held of each space when all had ended: the heights of its feeds, as they are
    /// encoded.
    pub heights: BTreeMap<String, String>,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSession {
    /// The exporter of its connection, which both ends signed.
    pub exporter: String,
    /// All that was said, in its order.
    pub frames: Vec<SaidFrame>,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidFrame {
    /// Whether the coordinator said it; else it heard it.
    pub said: bool,
    /// The frame, encoded.
    pub frame: String,
}

impl Sessions {
    /// Keeps them in a file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_vec(self)?;
        fs::write(file, zstd::bulk::compress(&text, ZSTD_LEVEL)?)?;
        Ok(())
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn read(file: &Path) -> Result<Self> {
        let text = zstd::stream::decode_all(fs::File::open(file)?)?;
        Ok(serde_json::from_slice(&text)?)
    }
}
