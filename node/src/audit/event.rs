//! What this program itself notes in the audit log.

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// What a line tells of. Those of accounts and of the coordinator's register have their own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The log is new.
    Begun,
    /// The node began to serve.
    Started,
    /// It ended.
    Stopped,
    /// Settings are others than at the last start.
    SettingsChanged,
    /// What this hub may do in a space.
    OwnAccess,
    /// A node proved who it is in a session.
    Connected,
    /// A session was refused, or ended for a fault of the other end.
    SessionRefused,
    /// A connection came to nothing before a session.
    HandshakeRefused,
    /// This node refused entries.
    EntryRefused,
    /// A peer refused entries of this node.
    EntryRefusedByPeer,
    /// Records were taken out.
    TakenOut,
    /// A backup is complete.
    BackupComplete,
    /// A backup took the place of the store.
    Restored,
    /// The coordinator has another identity key, which is trusted from now on.
    CoordinatorReplaced,
    /// A node was added to this hub.
    NodeAdded,
    /// Another key takes the place of this node's identity key.
    IdentityReplaced,
}

impl Event {
    /// The words that are stored and shown, and stay what they are.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Begun => "log begun",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::SettingsChanged => "settings changed",
            Self::OwnAccess => "access of this hub",
            Self::Connected => "connected",
            Self::SessionRefused => "session refused",
            Self::HandshakeRefused => "handshake refused",
            Self::EntryRefused => "entry refused",
            Self::EntryRefusedByPeer => "entry refused by a peer",
            Self::TakenOut => "taken out",
            Self::BackupComplete => "backup complete",
            Self::Restored => "restored",
            Self::CoordinatorReplaced => "coordinator's key replaced",
            Self::NodeAdded => "node added to this hub",
            Self::IdentityReplaced => "identity key replaced",
        }
    }

    /// For how long the same is counted after it was written.
    pub(super) const fn window_ms(self) -> u64 {
        match self {
            // A node on a bad line comes back every half minute, all day.
            Self::Connected => HOUR_MS,
            Self::Begun
            | Self::Started
            | Self::Stopped
            | Self::SettingsChanged
            | Self::OwnAccess
            | Self::SessionRefused
            | Self::HandshakeRefused
            | Self::EntryRefused
            | Self::EntryRefusedByPeer
            | Self::TakenOut
            | Self::BackupComplete
            | Self::Restored
            | Self::CoordinatorReplaced
            | Self::NodeAdded
            | Self::IdentityReplaced => MINUTE_MS,
        }
    }
}

/// For how long the same refusal of an account or of the register is counted.
pub(super) const REFUSED_WINDOW_MS: u64 = MINUTE_MS;
