//! The writing ends of this node's feeds, one for each space.
//!
//! A writer key belongs to one life of the store: a node that learns that it was restored or
//! copied, whose grant was replaced, or whose feed forked, goes on under a new key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use node_feed::{
    Authority, Entry, FeedName, GrantId, Height, HubId, Kind, NetworkId, NodeOpen, Nonce,
    PayloadError, Run, RunError, SecretKey, SpaceId, SpaceKind, Subject,
};
use node_store::{Appended, ReadStore, StoreError, Stored};
use zeroize::Zeroizing;

use crate::clock::now_ms;
use crate::driver::Events;
use crate::random;
use crate::storage::Storage;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// This hub may not write in the space.
    #[error("this hub may not write here: NCETM gives access to it")]
    NoAccess,
    /// This node's access was ended.
    #[error(
        "the access of this node has ended, so what it writes here would count nowhere: ask NCETM \
         for an invitation, and connect a new node with it"
    )]
    NodeEnded,
    /// What was written is too large or malformed.
    #[error("this cannot be saved as one change: {0}")]
    Run(#[from] RunError),
    /// The feed's opening cannot be made.
    #[error("this cannot be saved: {0}")]
    Payload(#[from] PayloadError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store refused this node's own entry.
    #[error("this node's own change was not taken: {0}")]
    Refused(node_feed::RefusalReason),
}

/// Who writes: what every feed of this node has in common.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) network: NetworkId,
    pub(crate) hub: HubId,
    pub(crate) identity: SecretKey,
}

/// The writing ends of all spaces.
#[derive(Debug, Default)]
pub(crate) struct Authors(Mutex<BTreeMap<SpaceId, Arc<Mutex<Author>>>>);

/// The writing end of one space.
#[derive(Debug, Default)]
pub(crate) struct Author {
    pen: Option<Pen>,
    retired: bool,
}

#[derive(Debug)]
struct Pen {
    key: SecretKey,
    grant: GrantId,
    tip: Option<Height>,
}

/// An entry of this node that is durable.
#[derive(Debug)]
pub(crate) struct Wrote {
    pub(crate) stored: Stored,
    pub(crate) last: Height,
}

impl Authors {
    /// The writing end of `space`; to be locked for as long as an edit takes.
    pub(crate) fn of(&self, space: SpaceId) -> Arc<Mutex<Author>> {
        let mut authors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(authors.entry(space).or_default())
    }

    /// Ends the use of a writer key, for this process and every later one.
    ///
    /// # Errors
    /// [`StoreError`] if that cannot be kept; this process will not use the key all the same.
    pub(crate) fn retire(
        &self,
        storage: &Storage,
        space: SpaceId,
        writer: [u8; 32],
    ) -> Result<(), StoreError> {
        let author = self.of(space);
        let mut author = lock(&author);
        if author
            .pen
            .as_ref()
            .is_none_or(|pen| *pen.key.public().as_bytes() == writer)
        {
            author.pen = None;
            author.retired = true;
        }
        let in_use =
            Pen::load(storage, space)?.is_some_and(|pen| *pen.key.public().as_bytes() == writer);
        if in_use {
            storage.set_setting(&setting(space), None)?;
        }
        Ok(())
    }
}

/// Locks a writing end.
pub(crate) fn lock(author: &Mutex<Author>) -> MutexGuard<'_, Author> {
    author.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Author {
    /// The key that the next entry is written under, new if it must be.
    ///
    /// # Errors
    /// [`WriteError::NoAccess`], [`WriteError::NodeEnded`] or [`WriteError::Store`].
    pub(crate) fn writer(
        &mut self,
        storage: &Storage,
        authority: &Authority,
        own: &Identity,
        space: SpaceId,
    ) -> Result<[u8; 32], WriteError> {
        let grant = authority
            .write_grant(own.hub, space)
            .ok_or(WriteError::NoAccess)?;
        let node = authority.nodes().get(&own.identity.public().node());
        let kind = authority.spaces().get(&space).map(|record| record.kind);
        let is_ended = node.is_some_and(|node| node.ended.is_some());
        if is_ended && kind != Some(SpaceKind::Hub) {
            return Err(WriteError::NodeEnded);
        }
        if self.pen.is_none() && !self.retired {
            self.pen = Pen::load(storage, space)?;
        }
        let usable = self.pen.as_ref().is_some_and(|pen| pen.grant == grant);
        if !usable {
            self.pen = Some(Pen::mint(storage, space, grant)?);
            self.retired = false;
        }
        self.pen
            .as_ref()
            .map(|pen| *pen.key.public().as_bytes())
            .ok_or(WriteError::NoAccess)
    }

    /// The key in use and the end of its feed, if the next entry follows there: nothing is minted
    /// or opened for it.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(crate) fn standing(
        &mut self,
        storage: &Storage,
        authority: &Authority,
        own: &Identity,
        space: SpaceId,
    ) -> Result<Option<([u8; 32], Height)>, StoreError> {
        if self.pen.is_none() && !self.retired {
            self.pen = Pen::load(storage, space)?;
        }
        let grant = authority.write_grant(own.hub, space);
        let node = authority.nodes().get(&own.identity.public().node());
        if node.is_some_and(|node| node.ended.is_some()) {
            return Ok(None);
        }
        let pen = self.pen.as_ref().filter(|pen| grant == Some(pen.grant));
        Ok(pen.and_then(|pen| Some((*pen.key.public().as_bytes(), pen.tip?))))
    }

    /// Goes on under a new key from the next entry on.
    pub(crate) fn retire(&mut self) {
        self.pen = None;
        self.retired = true;
    }

    /// Signs entries under the key that [`Author::writer`] named and stores them durably.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was written then.
    pub(crate) fn write(
        &mut self,
        storage: &Storage,
        authority: &Arc<Authority>,
        own: &Identity,
        space: SpaceId,
        mut entries: Vec<Entry>,
        events: &Events,
    ) -> Result<Wrote, WriteError> {
        let pen = self.pen.as_mut().ok_or(WriteError::NoAccess)?;
        if pen.tip.is_none() {
            entries.insert(0, pen.open(storage, own, space)?);
        }
        let run = Run::sign(own.network, space, &pen.key, pen.tip, entries)?;
        let last = run.last();
        let appended = storage
            .append_now(authority, vec![run], events)
            .inspect_err(|_| {
                // Whether it is durable is not known: the tip is read again before the next entry.
                self.pen = None;
            })?;
        match appended.into_iter().next() {
            Some(Appended::Stored(stored)) if !stored.forked => {
                if let Some(pen) = self.pen.as_mut() {
                    pen.tip = Some(last);
                }
                Ok(Wrote { stored, last })
            }
            Some(Appended::Stored(stored)) => {
                // Another copy of this node wrote on: this entry is a branch, and the last one.
                self.pen = None;
                self.retired = true;
                Ok(Wrote { stored, last })
            }
            Some(Appended::Refused(refused)) => {
                self.pen = None;
                Err(WriteError::Refused(refused.reason))
            }
            Some(Appended::Held | Appended::Live(_)) | None => {
                self.pen = None;
                Err(WriteError::Refused(node_feed::RefusalReason::Gap))
            }
        }
    }
}

impl Pen {
    /// The key in use, with the end of its feed; none if there is none or its feed has forked.
    fn load(storage: &Storage, space: SpaceId) -> Result<Option<Self>, StoreError> {
        let (saved, trees) =
            storage.read(|store| Ok((store.setting(&setting(space))?, store.trees(space)?)))?;
        let Some((seed, grant)) = saved
            .as_deref()
            .and_then(|saved| saved.split_at_checked(32))
        else {
            return Ok(None);
        };
        let (Ok(seed), Ok(grant)) = (<[u8; 32]>::try_from(seed), GrantId::try_from(grant)) else {
            return Ok(None);
        };
        let key = SecretKey::from_seed(&Zeroizing::new(seed));
        let tree = trees.get(key.public().as_bytes());
        if tree.is_some_and(node_feed::FeedTree::is_forked) {
            return Ok(None);
        }
        let trunk = FeedName::from(&key.public());
        let tip = tree
            .and_then(|tree| tree.feeds().get(&trunk))
            .and_then(|feed| feed.tip);
        Ok(Some(Self { key, grant, tip }))
    }

    /// A new key, saved before it is used.
    fn mint(storage: &Storage, space: SpaceId, grant: GrantId) -> Result<Self, StoreError> {
        let seed = Zeroizing::new(random::<32>());
        let saved = Zeroizing::new([seed.as_slice(), grant.as_bytes()].concat());
        storage.set_setting(&setting(space), Some(&saved))?;
        tracing::info!(%space, "a new writer key");
        Ok(Self {
            key: SecretKey::from_seed(&seed),
            grant,
            tip: None,
        })
    }

    /// Number 0 of the feed.
    fn open(&self, storage: &Storage, own: &Identity, space: SpaceId) -> Result<Entry, WriteError> {
        let node = own.identity.public().node();
        let (openings, trees) =
            storage.read(|store| Ok((store.openings(space)?, store.trees(space)?)))?;
        let mut earlier = Vec::new();
        for (name, feed) in trees.values().flat_map(|tree| tree.feeds()) {
            let own_feed = matches!(
                openings.get(name),
                Some(node_feed::Opening::Node { node: writer, .. }) if *writer == node
            );
            if let (true, Some(tip)) = (own_feed, feed.tip) {
                earlier.push((*name, tip));
            }
        }
        let open = NodeOpen::sign(
            own.network,
            space,
            &self.key.public(),
            &own.identity,
            (own.hub, self.grant),
            earlier,
            Nonce(random()),
        );
        let payload = open.encode()?;
        Ok(Entry {
            time_ms: now_ms(),
            kind: Kind::OPEN,
            subject: Subject::NONE,
            payload,
        })
    }
}

/// Where a space's writer key and its grant are kept. A backup leaves them out.
pub(crate) fn setting(space: SpaceId) -> String {
    format!("{WRITER_SETTINGS}{space}")
}

/// What the names of all settings with writer keys begin with.
pub(crate) const WRITER_SETTINGS: &str = "writer/";
