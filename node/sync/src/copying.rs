//! A first copy that is under way here: how far it has come, and who may go on with it.

use std::collections::BTreeMap;
use std::ops::Range;

use node_feed::{CopyPiece, CopySlice, NodeId, Subject};

use crate::{CopyHeld, SessionId, Timestamp};

/// What came of a copy.
#[derive(Debug)]
pub(crate) enum Part {
    /// The offer.
    Offer,
    /// Pieces that come before the documents, by their numbers.
    Head {
        pieces: Range<u64>,
        /// Whether they are the last of these.
        ends: bool,
    },
    /// Documents, the first of which has this number.
    Documents { first: u64, all: Vec<Subject> },
}

/// How far a copy has come: the documents, and before there are any, the pieces before them.
type Progress = (Option<u64>, u64);

/// A first copy that is under way here.
#[derive(Debug)]
pub(crate) struct Copying {
    held: CopyHeld,
    /// The session in which it comes, and until when more of it must have come; none while nobody
    /// sends it.
    from: Option<(SessionId, Timestamp)>,
    /// A peer that let it lie, and until when all others may have it before that.
    resting: Option<(NodeId, Timestamp)>,
    /// How many of the pieces before the documents are here, as the store counts them.
    head: u64,
    /// The furthest that it came in this session, offers of other copies included: only what goes
    /// beyond makes for more time.
    furthest: Progress,
    /// Who sent its documents, as far as this process took them: each peer with the first of those
    /// that follow one another.
    senders: BTreeMap<Subject, NodeId>,
    /// Whether its sender knows that it may go on: not after it was given up waiting for.
    is_told: bool,
}

impl Part {
    pub(crate) fn of(slice: &CopySlice) -> Self {
        let documents = slice.pieces.iter().filter_map(|piece| match piece {
            CopyPiece::Document { subject, .. } => Some(*subject),
            CopyPiece::Proof(_) | CopyPiece::Kept(_) => None,
        });
        let all = documents.collect::<Vec<_>>();
        if !all.is_empty() {
            let first = slice.before;
            return Self::Documents { first, all };
        }
        let after = slice.before.saturating_add(slice.pieces.len() as u64);
        Self::Head {
            pieces: slice.before..after,
            ends: slice.ends,
        }
    }
}

impl Copying {
    /// A copy that an earlier process took a part of.
    pub(crate) fn earlier(held: CopyHeld) -> Self {
        Self {
            furthest: (held.documents, 0),
            held,
            from: None,
            resting: None,
            head: 0,
            senders: BTreeMap::new(),
            is_told: true,
        }
    }

    /// A copy that is offered in a session, in the place of another. Who offers one after another
    /// has no more time for it.
    pub(crate) fn offered(
        held: CopyHeld,
        id: SessionId,
        due: Timestamp,
        before: Option<Self>,
    ) -> Self {
        let mut copying = Self::earlier(held);
        copying.from = Some((id, due));
        let Some(before) = before else {
            return copying;
        };
        copying.resting = before.resting;
        if before.from.is_some_and(|(from, _)| from == id) {
            copying.from = before.from;
            copying.furthest = before.furthest;
        }
        if before.held.bases == copying.held.bases {
            copying.head = before.head;
            copying.senders = before.senders;
        }
        copying
    }

    /// It is gone on with in this session, if in no other. Who let it lie may bring it on, but has it
    /// to itself again only later.
    pub(crate) fn take_by(&mut self, id: SessionId, peer: NodeId, due: Timestamp) {
        if self.from.is_none() && !self.is_resting(peer) {
            self.from = Some((id, due));
            self.furthest = self.progress();
        }
    }

    /// A part came from a peer, and this much is here now. If it brought anything, the next has until
    /// `due`. Returns whether the sender is to be told how far it is.
    pub(crate) fn came(
        &mut self,
        peer: NodeId,
        held: CopyHeld,
        part: &Part,
        due: Timestamp,
    ) -> bool {
        match part {
            Part::Offer => {}
            Part::Head { pieces, .. } => self.count(pieces),
            Part::Documents { first, all } => {
                if held.documents > self.held.documents {
                    self.note_sender(*first, all, peer);
                }
            }
        }
        let is_whole = !held.open;
        let stood = self.held.documents == held.documents;
        self.held = held;
        let now = self.progress();
        if !matches!(part, Part::Offer) && now > self.furthest {
            self.furthest = now;
            if let Some((_, until)) = &mut self.from {
                *until = due;
            }
        }
        let is_told = std::mem::replace(&mut self.is_told, self.from.is_some());
        if is_whole {
            self.from = None;
        }
        is_whole
            || !is_told
            || match part {
                Part::Offer => true,
                // It brought nothing: the peer does not know how far it is.
                Part::Head { ends, .. } => *ends && stood,
                Part::Documents { .. } => stood,
            }
    }

    /// Counts as the store does: from the start whenever a sender begins anew, and nothing that does
    /// not follow.
    const fn count(&mut self, pieces: &Range<u64>) {
        if pieces.start == 0 || pieces.start == self.head {
            self.head = pieces.end;
        }
    }

    /// Notes who sent those of these documents that are news.
    fn note_sender(&mut self, first: u64, all: &[Subject], peer: NodeId) {
        let held = self.held.documents.unwrap_or(0).saturating_sub(first);
        let news = usize::try_from(held).ok().and_then(|at| all.get(at));
        let last = self.senders.last_key_value().map(|(_, peer)| *peer);
        if let Some(news) = news.filter(|_| last != Some(peer)) {
            self.senders.insert(*news, peer);
        }
    }

    /// Who sent a document; none if that was in an earlier process.
    pub(crate) fn sender_of(&self, document: Subject) -> Option<NodeId> {
        let mut before = self.senders.range(..=document);
        before.next_back().map(|(_, peer)| *peer)
    }

    const fn progress(&self) -> Progress {
        match self.held.documents {
            None => (None, self.head),
            documents => (documents, 0),
        }
    }

    /// Gives up waiting for more from the session of which nothing has come in time.
    pub(crate) fn end_wait(&mut self, now: Timestamp) -> Option<SessionId> {
        let (id, _) = self.from.take_if(|(_, due)| *due <= now)?;
        self.is_told = false;
        Some(id)
    }

    /// Lets all others have it before this peer until then.
    pub(crate) const fn rest(&mut self, peer: NodeId, until: Timestamp) {
        self.resting = Some((peer, until));
    }

    /// Whether the time is over for which all others had it first.
    pub(crate) fn end_rest(&mut self, now: Timestamp) -> bool {
        self.resting.take_if(|(_, until)| *until <= now).is_some()
    }

    /// Anybody may go on with it if it comes in such a session. Returns whether it does.
    pub(crate) fn free(&mut self, is_gone: impl Fn(&SessionId) -> bool) -> bool {
        self.from.take_if(|(id, _)| is_gone(id)).is_some()
    }

    pub(crate) const fn held(&self) -> &CopyHeld {
        &self.held
    }

    /// When it is to be looked at, whatever comes: more of it must have come, or a peer has waited.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let from = self.from.map(|(_, due)| due);
        from.into_iter()
            .chain(self.resting.map(|(_, until)| until))
            .min()
    }

    /// Whether a part of it is taken in this session.
    pub(crate) fn is_taken_in(&self, id: SessionId) -> bool {
        self.held.open && self.from.is_none_or(|(from, _)| from == id)
    }

    /// Whether this peer may go on with it in this session, or offer another in its place.
    pub(crate) fn is_open_to(&self, id: SessionId, peer: NodeId) -> bool {
        self.is_taken_in(id) && !self.is_resting(peer)
    }

    fn is_resting(&self, peer: NodeId) -> bool {
        self.resting.is_some_and(|(resting, _)| resting == peer)
    }
}
