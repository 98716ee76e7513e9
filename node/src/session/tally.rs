//! What a session costs, counted at the dialling end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use node_feed::Hash;
use node_sync::Message;

use crate::tls::Traffic;

/// What a session had cost at the moment when both ends knew that they were equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCost {
    /// What connecting took before the session: TCP and TLS.
    pub handshake: Duration,
    /// From the open connection to that moment.
    pub wall: Duration,
    /// Bytes of encoded messages, both directions.
    pub message_bytes: u64,
    /// Bytes of TLS plaintext sent, HTTP/2 included.
    pub bytes_sent: u64,
    /// Bytes of TLS plaintext received, HTTP/2 included.
    pub bytes_received: u64,
    /// How many times one message had to follow from another at the other end: the longest chain
    /// of messages and answers.
    pub round_trips: u32,
}

/// Counts one session.
#[derive(Debug)]
pub(crate) struct Tally {
    handshake: Duration,
    opened: Instant,
    traffic: Arc<Traffic>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    message_bytes: u64,
    /// How many messages were sent.
    sent: u64,
    /// The numbers of the messages at which the chain of answers grew longer, with its length
    /// there, from the last acknowledged one on.
    chain: VecDeque<(u64, u32)>,
    /// The chain that what is said next goes on from.
    basis: u32,
    /// The longest chain that has come back.
    round_trips: u32,
    equal: Option<SessionCost>,
}

impl Tally {
    /// Begins when the connection is open; `dialled` is when connecting began.
    pub(crate) fn begin(dialled: Instant, traffic: Arc<Traffic>) -> Self {
        let opened = Instant::now();
        let handshake = opened.duration_since(dialled);
        Self {
            handshake,
            opened,
            traffic,
            counts: Mutex::default(),
        }
    }

    pub(crate) const fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// A message of this length was encoded or decoded.
    pub(crate) fn count(&self, bytes: usize) {
        self.lock().message_bytes += bytes as u64;
    }

    /// The engine said something: it follows from all that was heard before. Acknowledgements of
    /// either end are not counted among that: they make room, and nothing else follows from them.
    pub(crate) fn said(&self, message: &Message) {
        let mut counts = self.lock();
        counts.sent += 1;
        // Nothing waits for news of receipts.
        if matches!(
            message,
            Message::Acknowledged { .. } | Message::Receipts(_) | Message::ReceiptsHeld(_)
        ) {
            return;
        }
        let next = (counts.sent, counts.basis);
        if counts
            .chain
            .back()
            .is_none_or(|(_, length)| *length < next.1)
        {
            counts.chain.push_back(next);
        }
    }

    /// The engine said something that follows from nothing that was heard: entries that it was
    /// reading before the peer had said anything.
    pub(crate) fn said_unasked(&self) {
        self.lock().sent += 1;
    }

    /// The engine is about to hear something. An acknowledgement says which message it answers;
    /// anything else is taken to answer the last one, which can only count too many. Nothing waits
    /// for news of receipts.
    pub(crate) fn heard(&self, message: &Message) {
        let mut counts = self.lock();
        let answered = match message {
            // It says nothing of a space, and only makes room.
            Message::Acknowledged { digest, .. } if *digest == Hash::ZERO => return,
            Message::Receipts(_) | Message::ReceiptsHeld(_) => return,
            Message::Acknowledged { through, .. } => *through,
            Message::Hello(_) => 1,
            Message::Spaces { .. }
            | Message::Heights(_)
            | Message::Entries { .. }
            | Message::CopyOffer(_)
            | Message::Copy(_)
            | Message::Refused(_)
            | Message::Probe { .. }
            | Message::Common { .. }
            | Message::Goodbye(_) => counts.sent,
        };
        let reached = counts
            .chain
            .iter()
            .rev()
            .find(|(number, _)| *number <= answered);
        let length = reached.map_or(0, |(_, length)| *length) + 1;
        counts.round_trips = counts.round_trips.max(length);
        if !matches!(message, Message::Acknowledged { .. }) {
            counts.basis = counts.basis.max(length);
        } else {
            // What was acknowledged is not asked for again.
            while counts
                .chain
                .get(1)
                .is_some_and(|(number, _)| *number <= answered)
            {
                counts.chain.pop_front();
            }
        }
    }

    /// Both ends know now that they are equal.
    pub(crate) fn equal(&self) {
        let mut counts = self.lock();
        counts.equal = Some(SessionCost {
            handshake: self.handshake,
            wall: self.opened.elapsed(),
            message_bytes: counts.message_bytes,
            bytes_sent: self.traffic.sent(),
            bytes_received: self.traffic.received(),
            round_trips: counts.round_trips,
        });
    }

    /// The cost at the last such moment, if there was one.
    pub(crate) fn cost(&self) -> Option<SessionCost> {
        self.lock().equal
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
