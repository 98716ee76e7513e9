//! One session's stream: frames in and out, between the network and the driver.

mod tally;
mod tapped;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use node_feed::Heights;
use node_sync::{Changed, Goodbye, Input, Message, SessionId, run_bytes};
use prost::Message as _;
use proto::sync::v1::{Frame, frame};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_stream::Stream;
use tonic::Streaming;

use crate::clock::now_ms;
use crate::driver::{Connected, Event};
use crate::grpc::convert::{to_frame, to_messages, to_shared_frame};
use crate::grpc::packer::Packer;
use crate::node::Inner;

pub use tally::SessionCost;
pub(crate) use tally::Tally;
pub use tapped::TappedFrame;
pub(crate) use tapped::{FrameTap, SessionTap};

/// How many messages of one session may wait for the engine. Reading stops there, and with it, by
/// HTTP/2's own flow control, the sender.
const WAITING_MAX: usize = 16;
/// How many bytes other than entries may wait to be sent to one peer: a thousand times what an
/// honest one makes necessary.
const QUEUED_BYTES_MAX: usize = 16 << 20;

/// About how many bytes of entries of several spaces share a frame at most.
const TOGETHER_BYTES: usize = 64 << 10;

/// Tells the driver of a connection; returns the frames that it wants sent, and what reading needs.
pub(crate) fn open(inner: &Inner, connected: Connected) -> (Outgoing, Incoming) {
    let (sender, messages) = mpsc::unbounded_channel();
    let (open, closed) = oneshot::channel();
    let (session, tally) = (connected.session, connected.tally.clone());
    let frame_tap = SessionTap::of(inner.frame_tap.get(), session, &connected.exporter);
    let queued = Arc::new(AtomicUsize::new(0));
    let outgoing = Outbox {
        sender,
        queued: Arc::clone(&queued),
    };
    inner.event(Event::Session {
        connected,
        outgoing,
        open,
    });
    let room = Arc::new(Semaphore::new(WAITING_MAX));
    let incoming = Incoming {
        session,
        closed,
        room,
        tally: tally.clone(),
        frame_tap: frame_tap.clone(),
    };
    let outgoing = Outgoing {
        tap: inner.tap.get().cloned(),
        messages,
        next: None,
        queued,
        packer: Arc::clone(&inner.packer),
        tally,
        frame_tap,
    };
    (outgoing, incoming)
}

/// The driver's end of what a session sends.
#[derive(Debug)]
pub(crate) struct Outbox {
    sender: mpsc::UnboundedSender<Message>,
    queued: Arc<AtomicUsize>,
}

impl Outbox {
    /// Queues a message. Entries are bounded by what the peer acknowledges; of everything else at
    /// most [`QUEUED_BYTES_MAX`] may wait for a peer that asks and does not read the answers.
    ///
    /// # Errors
    /// [`Full`] if more waits: the session must end.
    pub(crate) fn send(&self, message: Message) -> Result<(), Full> {
        let bytes = weight(&message);
        if self.queued.fetch_add(bytes, Ordering::Relaxed) + bytes > QUEUED_BYTES_MAX {
            return Err(Full);
        }
        // A session whose task has gone is reported as disconnected by that task.
        let _gone = self.sender.send(message);
        Ok(())
    }
}

/// Too much waits for a peer that does not read.
#[derive(Debug)]
pub(crate) struct Full;

/// What reading a session's frames needs.
pub(crate) struct Incoming {
    session: SessionId,
    /// Resolves when the driver has forgotten the session.
    closed: oneshot::Receiver<Goodbye>,
    room: Arc<Semaphore>,
    tally: Option<Arc<Tally>>,
    frame_tap: Option<SessionTap>,
}

/// The frames that a session sends, in order. It ends when the driver forgets the session.
pub(crate) struct Outgoing {
    tap: Option<mpsc::UnboundedSender<Message>>,
    messages: mpsc::UnboundedReceiver<Message>,
    /// Taken from `messages`, and not sent yet.
    next: Option<Message>,
    queued: Arc<AtomicUsize>,
    packer: Arc<Packer>,
    tally: Option<Arc<Tally>>,
    frame_tap: Option<SessionTap>,
}

impl Outgoing {
    /// The frame that begins with `message`: what was read for this session alone, and is small,
    /// goes together with the next that waits.
    fn frame(&mut self, message: Message) -> Frame {
        let mut parts = Vec::new();
        let mut bytes = 0;
        let mut next = Some(message);
        while let Some(Message::Entries { space, runs }) = next.take_if(|it| is_together(it, bytes))
        {
            bytes += run_bytes(&runs);
            parts.push((space, runs));
            next = self.messages.try_recv().ok();
            if let Some(next) = &next {
                self.queued.fetch_sub(weight(next), Ordering::Relaxed);
                self.overhear(next);
            }
        }
        let frame = match (parts.as_slice(), next) {
            ([], Some(message)) => to_frame(&message, &self.packer),
            (_, next) => {
                self.next = next;
                to_shared_frame(&parts)
            }
        };
        if let Some(tally) = &self.tally {
            tally.count(frame.encoded_len());
        }
        if let Some(tap) = &self.frame_tap {
            tap.said(&frame);
        }
        frame
    }

    fn overhear(&self, message: &Message) {
        if let Some(tap) = &self.tap {
            let _gone = tap.send(message.clone());
        }
    }
}

/// Whether a message may share a frame that has this many bytes so far. What several sessions send
/// is packed once for all of them instead.
fn is_together(message: &Message, bytes: usize) -> bool {
    match message {
        Message::Entries { runs, .. } => {
            Arc::strong_count(runs) == 1 && bytes + run_bytes(runs) <= TOGETHER_BYTES
        }
        Message::CopyOffer(_)
        | Message::Copy(_)
        | Message::Hello(_)
        | Message::Spaces { .. }
        | Message::Heights(_)
        | Message::Acknowledged { .. }
        | Message::Refused(_)
        | Message::Receipts(_)
        | Message::ReceiptsHeld(_)
        | Message::Probe { .. }
        | Message::Common { .. }
        | Message::Goodbye(_) => false,
    }
}

impl Stream for Outgoing {
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        if let Some(message) = self.next.take() {
            return Poll::Ready(Some(self.frame(message)));
        }
        let next = self.messages.poll_recv(context);
        next.map(|message| {
            let message = message?;
            self.queued.fetch_sub(weight(&message), Ordering::Relaxed);
            self.overhear(&message);
            Some(self.frame(message))
        })
    }
}

impl Incoming {
    /// Hands the driver what arrives until the stream or the session ends, and then says so. Returns
    /// why this end ended it, if it did.
    ///
    /// # Errors
    /// Why the stream ended, if it did not end by itself.
    pub(crate) async fn receive(
        self,
        inner: &Inner,
        mut frames: Streaming<Frame>,
    ) -> Result<Option<Goodbye>, tonic::Status> {
        let Self {
            session,
            mut closed,
            room,
            tally,
            frame_tap,
        } = self;
        let frame_tap = frame_tap.as_ref();
        let ended = loop {
            let received = tokio::select! {
                received = next(inner, (session, frame_tap), &mut frames, &room, tally.as_deref()) => received,
                why = &mut closed => break Ok(why.ok()),
            };
            match received {
                Ok(Some((messages, room))) => {
                    for message in &messages {
                        inner.overhear(message);
                        if let Message::Entries { runs, .. } = message {
                            inner
                                .arrivals
                                .send_modify(|arrivals| arrivals.receive(runs));
                        }
                    }
                    inner.event(Event::Received {
                        session,
                        messages,
                        room,
                    });
                }
                Ok(None) => break Ok(None),
                Err(status) => break Err(status),
            }
        };
        inner.send(Input::Disconnected { session });
        ended
    }
}

/// The next frame's messages, once there is room for them; none at the stream's end.
async fn next(
    inner: &Inner,
    (session, frame_tap): (SessionId, Option<&SessionTap>),
    frames: &mut Streaming<Frame>,
    room: &Arc<Semaphore>,
    tally: Option<&Tally>,
) -> Result<Option<(Vec<Message>, OwnedSemaphorePermit)>, tonic::Status> {
    let Ok(room) = Arc::clone(room).acquire_owned().await else {
        return Ok(None);
    };
    let Some(frame) = frames.message().await? else {
        return Ok(None);
    };
    if let Some(tally) = tally {
        tally.count(frame.encoded_len());
    }
    if let Some(tap) = frame_tap {
        tap.heard(&frame);
    }
    if let Some(frame::Message::Hello(hello)) = &frame.message {
        inner.peers.clock(session, hello.clock_ms, now_ms());
    }
    match to_messages(frame) {
        // None of a kind that only newer versions know: the driver has it counted.
        Ok(messages) => Ok(Some((messages, room))),
        Err(error) => {
            tracing::warn!(%error, "a peer broke the protocol");
            inner.event(Event::Malformed {
                session,
                why: format!("what was received cannot be read: {error}"),
            });
            Err(tonic::Status::invalid_argument(error.to_string()))
        }
    }
}

/// About how many bytes a message that is not entries takes in memory.
fn weight(message: &Message) -> usize {
    const SMALL: usize = 128;
    const ITEM: usize = 88;
    let items = match message {
        Message::Entries { .. } | Message::Copy(_) => return 0,
        Message::CopyOffer(offer) => offer.bases.len(),
        Message::Hello(hello) => {
            let changed = hello.changed.iter().map(|(_, changed)| match changed {
                Changed::Digest(_) => 1,
                Changed::Heights(heights) => 1 + heights.len(),
            });
            changed.sum::<usize>() + hello.authority.as_ref().map_or(0, Heights::len)
        }
        Message::Spaces { digests, authority } => digests.len() + authority.len(),
        Message::Heights(said) => said.heights.len(),
        Message::Acknowledged { heights, .. } => heights.len(),
        Message::Receipts(receipts) => {
            let named = receipts.iter().map(|it| it.heights.named());
            2 * receipts.len() + named.sum::<usize>()
        }
        Message::ReceiptsHeld(held) => held.len() + held.values().map(|of| of.len()).sum::<usize>(),
        Message::Probe { points, .. } | Message::Common { points, .. } => points.len(),
        Message::Refused(_) | Message::Goodbye(_) => 0,
    };
    SMALL + ITEM * items
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Waker;

    use bytes::Bytes;
    use http_body_util::Full;
    use tonic::codec::{DecodeBuf, Decoder};

    use super::*;
    use crate::Node;

    /// Reads frames as they come over the wire.
    struct Frames;

    impl Decoder for Frames {
        type Item = Frame;
        type Error = tonic::Status;

        fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Frame>, tonic::Status> {
            let frame = Frame::decode(bytes);
            frame
                .map(Some)
                .map_err(|error| tonic::Status::internal(error.to_string()))
        }
    }

    #[tokio::test]
    async fn a_session_whose_messages_wait_is_read_no_further_until_there_is_room() {
        let place = tempfile::tempdir().expect("a folder");
        let node = Node::create(&place.path().join("node")).expect("a node");
        // Empty frames: five bytes say that each has none.
        let sent = Full::new(Bytes::from(vec![0; 5 * (WAITING_MAX + 2)]));
        let mut frames = Streaming::new_request(Frames, sent, None, None);
        let room = Arc::new(Semaphore::new(WAITING_MAX));
        let session = (SessionId(1), None);
        let mut waiting = Vec::new();
        for _ in 0..WAITING_MAX {
            let read = next(&node.inner, session, &mut frames, &room, None).await;
            waiting.push(read.expect("it is read").expect("a frame"));
        }
        {
            let mut more = pin!(next(&node.inner, session, &mut frames, &room, None));
            let mut looking = Context::from_waker(Waker::noop());
            assert!(more.as_mut().poll(&mut looking).is_pending(), "it is full");
            // The engine has dealt with one.
            drop(waiting.pop());
            let read = more.await.expect("it is read");
            waiting.push(read.expect("a frame"));
        }
        let mut last = pin!(next(&node.inner, session, &mut frames, &room, None));
        let mut looking = Context::from_waker(Waker::noop());
        assert!(
            last.as_mut().poll(&mut looking).is_pending(),
            "it is full again"
        );
    }
}
