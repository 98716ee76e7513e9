//! Frames as they go over the wire, for whoever keeps what a version says for later ones.

use bytes::Bytes;
use node_sync::SessionId;
use prost::Message as _;
use proto::sync::v1::Frame;
use tokio::sync::mpsc;

/// A frame of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TappedFrame {
    /// The session, as this node counts them.
    pub session: u64,
    /// The exporter of its connection, which both ends sign.
    pub exporter: [u8; 32],
    /// Whether this node said it; else it heard it.
    pub said: bool,
    /// The frame, encoded.
    pub bytes: Bytes,
}

/// Where frames go that somebody listens to.
pub(crate) type FrameTap = mpsc::UnboundedSender<TappedFrame>;

/// That of one session.
#[derive(Debug, Clone)]
pub(crate) struct SessionTap {
    tap: FrameTap,
    session: u64,
    exporter: [u8; 32],
}

impl SessionTap {
    /// That of a session, if anybody listens.
    pub(crate) fn of(
        tap: Option<&FrameTap>,
        session: SessionId,
        exporter: &[u8; 32],
    ) -> Option<Self> {
        Some(Self {
            tap: tap?.clone(),
            session: session.0,
            exporter: *exporter,
        })
    }

    pub(crate) fn said(&self, frame: &Frame) {
        self.tell(frame, true);
    }

    pub(crate) fn heard(&self, frame: &Frame) {
        self.tell(frame, false);
    }

    fn tell(&self, frame: &Frame, said: bool) {
        let _gone = self.tap.send(TappedFrame {
            session: self.session,
            exporter: self.exporter,
            said,
            bytes: frame.encode_to_vec().into(),
        });
    }
}
