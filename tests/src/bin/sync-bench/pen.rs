//! Signs entries as a node without a store.

use node::clock::now_ms;
use node_document::Author;
use node_feed::{
    Entry, FeedName, GrantId, Height, Kind, NetworkId, NodeOpen, Nonce, Run, SecretKey, SpaceId,
    Subject,
};
use proto::sync::v1::Entries;

use crate::founding::Seat;
use crate::light_peer::entries;

/// One feed of a node without a store.
pub(crate) struct Pen {
    network: NetworkId,
    space: SpaceId,
    key: SecretKey,
    author: Author,
    last: Height,
}

impl Pen {
    /// A new feed of the node in `seat`, and the message that opens it.
    pub(crate) fn new(
        seat: &Seat,
        space: SpaceId,
        grant: GrantId,
    ) -> anyhow::Result<(Self, Entries)> {
        let key = SecretKey::from_seed(&node::random());
        let (network, hub) = (seat.enrolled.network, seat.enrolled.hub);
        let random = || Nonce(node::random());
        let open = NodeOpen::sign(
            network,
            space,
            &key.public(),
            &seat.identity,
            (hub, grant),
            Vec::new(),
            random(),
        );
        let open = Entry {
            time_ms: now_ms(),
            kind: Kind::OPEN,
            subject: Subject::NONE,
            payload: open.encode()?,
        };
        let opening = Run::sign(network, space, &key, None, vec![open])?;
        let author = Author {
            writer: *key.public().as_bytes(),
            hub,
            nonce: random(),
        };
        let message = entries(space, opening.as_run())?;
        let last = opening.last();
        let pen = Self {
            network,
            space,
            key,
            author,
            last,
        };
        Ok((pen, message))
    }

    /// Whose changes it signs.
    pub(crate) const fn author(&self) -> &Author {
        &self.author
    }

    /// The feed, and where it stands.
    pub(crate) fn held(&self) -> (FeedName, Height) {
        (
            FeedName::from_bytes(*self.key.public().as_bytes()),
            self.last,
        )
    }

    /// Signs entries as the feed's next, under one signature.
    pub(crate) fn sign(&mut self, written: Vec<Entry>) -> anyhow::Result<Entries> {
        let tip = Some(self.last);
        let run = Run::sign(self.network, self.space, &self.key, tip, written)?;
        self.last = run.last();
        entries(self.space, run.as_run())
    }
}
