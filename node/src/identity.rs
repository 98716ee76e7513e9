//! The identity key of this node, and that of the coordinator: each may be replaced by a successor
//! while all goes on.
//!
//! A node's new key is admitted as another node of the same hub, on the word of the former one. It is
//! taken into use when the data folder is next opened, which whoever runs the node does at once; from
//! then on its entries stand in feeds of their own. The former node is ended once the coordinator
//! holds all that it wrote. Each step can be broken off and is gone on with.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use node_feed::{NetworkId, NodeId, PublicKey, SecretKey, Succession};
use node_store::{ReadStore, StoreError};
use tokio::sync::watch;

use crate::audit::{Event, Fields};
use crate::author;
use crate::enrolment::{EnrolError, end_former, greet, succeed};
use crate::folder::{DataFolder, FolderError, read_seed, remove_file, write_private, write_seed};
use crate::membership::Membership;
use crate::node::{Inner, Node};
use crate::pauses::Pauses;
use crate::random;
use crate::storage::Storage;

/// Where the store says which nodes wrote it, the present one last: whose writer keys it holds.
const WRITTEN_BY: &str = "written-by";
/// What was printed and noted of a key's recovery words ends with the key.
pub(crate) const SHEET_DONE: &str = "start/recovery-sheet";
/// Where the store keeps that the words were on a screen: from then on they take the password.
pub(crate) const SHEET_SHOWN: &str = "start/recovery-shown";

/// How long it may take until the record of access says here what it says at the coordinator.
const ARRIVING: Duration = Duration::from_secs(30);

/// How long it may be until it is tried again to end a former node.
const ENDING_AGAIN: Duration = Duration::from_mins(10);

/// Why a node's identity key was not replaced. It is the one that it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Nobody knows the key yet.
    #[error(
        "this node is not connected to a network, so nobody knows its key yet: connect it first"
    )]
    NotConnected,
    /// It is a coordinator's.
    #[error("this is the coordinator: `causeway-coordinator identity rotate` replaces its key")]
    Coordinator,
    /// The key before the present one has yet to end.
    #[error(
        "the key before this one still has access: that ends by itself once the coordinator has all \
         that was written with it, see `identity show`; replace this one after that"
    )]
    Former,
    /// The coordinator admitted the successor, and the record of access does not say so here yet.
    #[error(
        "the coordinator admitted the new key, but that has not arrived here: see `status` for whether \
         there is a session, and try again"
    )]
    NotArrived,
    /// The coordinator did not admit the successor.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The data folder cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// That it was replaced cannot be noted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Node {
    /// Replaces this node's identity key by a new one, which the coordinator admits. It is in use once
    /// the node is opened anew: see [`Node::reopening`]. Called again after a lost answer it goes on
    /// with the same key.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn replace_identity(&self) -> Result<NodeId, IdentityError> {
        let membership = self.inner.membership().ok_or(IdentityError::NotConnected)?;
        let contact = membership.coordinator.ok_or(IdentityError::Coordinator)?;
        let replacing = self.inner.replacing.lock().await;
        let folder = &self.inner.folder;
        if let Some(succession) = Succeeding::read(folder)? {
            if succession.former != self.id() {
                return Err(IdentityError::Former);
            }
            self.inner.reopen.send_replace(true);
            return Ok(succession.successor);
        }
        let next = self.next_identity()?;
        let (network, identity) = (membership.network, &self.inner.identity);
        let succession = Succession::sign(network, identity, next.public().node());
        let proxies = &self.inner.config.sync.proxy;
        let (node, kept) = (self.clone(), next.clone());
        blocking(move || node.keep_next_identity(&kept)).await?;
        succeed(&contact, network, &succession, &next, proxies).await?;
        // What it writes before it knows that it may would be refused here.
        let arrived = async {
            while self.authority().hub_of(&succession.successor).is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let arrived = tokio::time::timeout(ARRIVING, arrived).await;
        arrived.map_err(|_| IdentityError::NotArrived)?;
        let (node, said) = (self.clone(), succession.clone());
        blocking(move || node.take_up(&said)).await?;
        drop(replacing);
        Ok(succession.successor)
    }

    /// The key that takes the present one's place: one that was drawn before, unless its access has ended.
    fn next_identity(&self) -> Result<SecretKey, FolderError> {
        let file = self.inner.folder.identity_next();
        if file.exists() {
            let drawn = SecretKey::from_seed(&*read_seed(&file)?);
            let authority = self.authority();
            let known = authority.nodes().get(&drawn.public().node());
            if known.is_none_or(|known| known.ended.is_none()) {
                return Ok(drawn);
            }
        }
        Ok(SecretKey::from_seed(&random::<32>()))
    }

    /// Keeps a key that is to take the present one's place. Nothing follows from that before
    /// [`Node::take_up`].
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn keep_next_identity(&self, next: &SecretKey) -> Result<(), IdentityError> {
        write_seed(&self.inner.folder.identity_next(), &next.seed())?;
        // It is this node's own, and no other computer that somebody connected.
        Ok(self.inner.foresee_hub_node(next.public().node())?)
    }

    /// Has the next key, which is admitted by now, in use from when the data folder is next opened.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn take_up(&self, succession: &Succession) -> Result<(), IdentityError> {
        // First, so that what was done is never without its line.
        let fields = Fields::new()
            .with("former", succession.former)
            .with("node", succession.successor);
        self.inner.note(Event::IdentityReplaced, fields)?;
        Succeeding::write(&self.inner.folder, succession)?;
        self.inner.reopen.send_replace(true);
        Ok(())
    }

    /// The succession by which this node came to its key, while the former node has yet to be ended, or
    /// by which it will once it is opened anew.
    ///
    /// # Errors
    /// [`FolderError`] if that cannot be read.
    pub fn succession(&self) -> Result<Option<Succession>, FolderError> {
        Succeeding::read(&self.inner.folder)
    }

    /// The former node has been ended.
    ///
    /// # Errors
    /// [`FolderError`] if that cannot be kept; it is then ended once more, which changes nothing.
    pub fn former_ended(&self) -> Result<(), FolderError> {
        remove_file(&self.inner.folder.succession())
    }

    /// Resolves when whoever runs this node is to close it, and to open its folder anew.
    pub async fn reopening(&self) {
        let mut reopen = self.inner.reopen.subscribe();
        // The sender is the node's own.
        let _gone = reopen.wait_for(|reopen| *reopen).await;
    }
}

/// Does what waits for the disk, away from the network's threads.
async fn blocking(
    work: impl FnOnce() -> Result<(), IdentityError> + Send + 'static,
) -> Result<(), IdentityError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| StoreError::Closed)?
}

/// The file with the succession that is under way.
struct Succeeding;

impl Succeeding {
    fn read(folder: &DataFolder) -> Result<Option<Succession>, FolderError> {
        let path = folder.succession();
        match fs::read_to_string(&path) {
            Ok(text) => text
                .parse()
                .map(Some)
                .map_err(|error| FolderError::Damaged {
                    path,
                    what: format!("{error}"),
                }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FolderError::Io { path, source }),
        }
    }

    fn write(folder: &DataFolder, succession: &Succession) -> Result<(), FolderError> {
        write_private(&folder.succession(), format!("{succession}\n").as_bytes())
    }
}

/// The identity key of a folder that is being opened: the next one from now on, if that was admitted.
pub(crate) fn open(folder: &DataFolder) -> Result<SecretKey, FolderError> {
    let (file, next) = (folder.identity(), folder.identity_next());
    let identity = SecretKey::from_seed(&*read_seed(&file)?);
    let own = identity.public().node();
    let succession = Succeeding::read(folder)?
        .filter(|it| next.exists() && [it.former, it.successor].contains(&own));
    let Some(succession) = succession else {
        return Ok(identity);
    };
    let successor = SecretKey::from_seed(&*read_seed(&next)?);
    if successor.public().node() != succession.successor {
        return Ok(identity);
    }
    // The certificate is the former node's; another is asked for with the key.
    let credentials = folder.credentials();
    if credentials.exists() && own == succession.former {
        remove_file(&credentials)?;
    }
    write_seed(&file, &successor.seed())?;
    remove_file(&next)?;
    tracing::warn!(former = %succession.former, node = %succession.successor, "another identity key \
        is in use");
    Ok(successor)
}

/// Forgets the writer keys of a store if another node made them, and what was noted of that one's
/// recovery words. Returns all nodes that wrote it, as far as is known.
pub(crate) fn settle_writers(
    storage: &Storage,
    node: NodeId,
) -> Result<BTreeSet<NodeId>, StoreError> {
    let (kept, writers) = storage.read(|store| {
        let writers = store.settings(author::WRITER_SETTINGS)?;
        Ok((store.setting(WRITTEN_BY)?, writers))
    })?;
    let kept = kept.unwrap_or_default();
    let mut nodes = kept
        .chunks_exact(NodeId::BYTES)
        .filter_map(|bytes| NodeId::try_from(bytes).ok())
        .collect::<Vec<_>>();
    if nodes.last() != Some(&node) {
        if !nodes.is_empty() {
            let noted = [SHEET_DONE, SHEET_SHOWN].map(str::to_owned);
            for name in writers.iter().chain(&noted) {
                storage.set_setting(name, None)?;
            }
        }
        nodes.retain(|earlier| *earlier != node);
        nodes.push(node);
        let text = nodes
            .iter()
            .flat_map(|node| *node.as_bytes())
            .collect::<Vec<_>>();
        storage.set_setting(WRITTEN_BY, Some(&text))?;
    }
    Ok(nodes.into_iter().collect())
}

/// Ends the former node once the coordinator holds all that is held here, and with that all that the
/// former node wrote.
pub(crate) async fn end_former_node(inner: Weak<Inner>, mut stopped: watch::Receiver<bool>) {
    let Some(mut pauses) = inner.upgrade().map(|inner| {
        // Each try costs the coordinator a look through all that the former wrote, and it counts them.
        let (shortest, longest) = inner.config.sync.reconnect();
        Pauses::between(shortest, longest.max(ENDING_AGAIN))
    }) else {
        return;
    };
    loop {
        let Some(mut changes) = inner.upgrade().map(|inner| inner.peers.changes()) else {
            return;
        };
        let equal = || {
            inner
                .upgrade()
                .is_some_and(|inner| inner.is_equal_with_coordinator())
        };
        while !equal() {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                _stopped = stopped.wait_for(|stop| *stop) => return,
            }
        }
        let Some(open) = inner.upgrade() else {
            return;
        };
        let ended = tokio::select! {
            ended = open.end_former() => ended,
            _stopped = stopped.wait_for(|stop| *stop) => return,
        };
        match ended {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, "this node's former key still has access");
                open.peers
                    .failed(format!("this node's former key still has access: {error}"));
            }
        }
        drop(open);
        let pause = pauses.after(Duration::ZERO, u32::from_le_bytes(random()));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _stopped = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

impl Inner {
    /// Whether the coordinator and this node hold the same, as far as both know. One that is followed and
    /// not pinned yet may be anybody, and shares nothing.
    fn is_equal_with_coordinator(&self) -> bool {
        let pinned = self.membership().and_then(|it| it.coordinator);
        let pinned = pinned.map(|contact| contact.identity.node());
        self.lock_successor().is_none()
            && pinned.is_some_and(|pinned| self.peers.equal_now().contains(&pinned))
    }

    async fn end_former(self: &Arc<Self>) -> Result<(), IdentityError> {
        let Some(succession) = Succeeding::read(&self.folder)? else {
            return Ok(());
        };
        let Some((network, contact)) = self
            .membership()
            .and_then(|it| Some((it.network, it.coordinator?)))
        else {
            return Ok(());
        };
        let Some(coordinator) = self.coordinator_hub() else {
            return Ok(());
        };
        let node = Node {
            inner: Arc::clone(self),
        };
        let former = succession.former;
        let ends = tokio::task::spawn_blocking(move || node.ends_mark(former, coordinator)).await;
        let ends = ends.map_err(|_| StoreError::Closed)??;
        let (identity, proxies) = (&self.identity, &self.config.sync.proxy);
        end_former(&contact, network, &succession, &ends, identity, proxies).await?;
        remove_file(&self.folder.succession())?;
        tracing::info!(former = %succession.former, "this node's former key has no access any more");
        Ok(())
    }

    /// The coordinator's identity key: the one that is pinned, or the one to which that led.
    pub(crate) fn coordinator_key(&self) -> Option<PublicKey> {
        let pinned = || Some(self.membership()?.coordinator?.identity);
        (*self.lock_successor()).or_else(pinned)
    }

    /// Asks a coordinator that is not the expected one whether its key is a successor of the pinned one.
    ///
    /// # Errors
    /// [`EnrolError`]; [`EnrolError::NotCoordinator`] if it is anybody else's.
    pub(crate) async fn follow_coordinator(
        self: &Arc<Self>,
        network: NetworkId,
    ) -> Result<(), EnrolError> {
        *self.lock_successor() = None;
        let Some(contact) = self.membership().and_then(|it| it.coordinator) else {
            return Ok(());
        };
        let greeting = greet(&contact, network, &self.config.sync.proxy).await?;
        if greeting.coordinator != contact.identity {
            *self.lock_successor() = Some(greeting.coordinator);
            let inner = Arc::clone(self);
            let pinned = tokio::task::spawn_blocking(move || inner.pin_successor()).await;
            if pinned.is_err() {
                tracing::error!("this program failed while the coordinator's new key was pinned");
            }
        }
        Ok(())
    }

    /// Pins the key that the coordinator has by now, once the record of access names it as a node of
    /// the coordinator's hub: a former key that was stolen leads nobody away for good.
    pub(crate) fn pin_successor(&self) {
        // Held until it is done, so that it is done once.
        let mut kept = self.lock_successor();
        let Some(successor) = *kept else {
            return;
        };
        let Some(mut membership) = self.membership() else {
            return;
        };
        let Some(contact) = &mut membership.coordinator else {
            return;
        };
        let authority = self.authority();
        let hub = authority
            .nodes()
            .get(&contact.identity.node())
            .map(|it| it.hub);
        if hub.is_none() || hub != authority.hub_of(&successor.node()) {
            return;
        }
        let former = contact.identity.node();
        contact.identity = successor;
        // First, so that what was done is never without its line.
        let fields = Fields::new()
            .with("former", former)
            .with("node", successor.node());
        let noted = self
            .note(Event::CoordinatorReplaced, fields)
            .map_err(IdentityError::from);
        match noted.and_then(|()| self.keep_membership(membership)) {
            Ok(()) => {
                *kept = None;
                tracing::info!(
                    "the coordinator has another identity key, which is pinned from now on"
                );
            }
            Err(error) => tracing::error!(%error, "the coordinator's new key could not be kept"),
        }
    }

    /// What was followed and is not pinned did not answer as it should: the next try begins at the pinned
    /// key.
    pub(crate) fn forget_successor(&self) {
        *self.lock_successor() = None;
    }

    fn keep_membership(&self, membership: Membership) -> Result<(), IdentityError> {
        membership.write(&self.folder)?;
        let mut kept = self
            .membership
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = Some(membership);
        drop(kept);
        Ok(self.note_contact()?)
    }

    fn lock_successor(&self) -> std::sync::MutexGuard<'_, Option<PublicKey>> {
        self.successor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the replacing of identity keys needs of an open node.
pub(crate) fn begin(
    inner: &Arc<Inner>,
    stopped: watch::Receiver<bool>,
) -> Option<tokio::task::JoinHandle<()>> {
    let succession = match Succeeding::read(&inner.folder) {
        Ok(succession) => succession?,
        Err(error) => {
            tracing::error!(%error, "whether a former key has to be ended is not known");
            return None;
        }
    };
    let own = succession.successor == inner.identity.public().node();
    let connects = inner.membership()?.coordinator.is_some();
    (own && connects).then(|| tokio::spawn(end_former_node(Arc::downgrade(inner), stopped)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let place = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::create(&place.path().join("node")).expect("a data folder");
        (place, folder)
    }

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32])
    }

    #[test]
    fn the_next_key_is_in_use_once_it_was_admitted_wherever_the_taking_up_was_broken_off() {
        let network = NetworkId::from_bytes([1; 16]);
        let (former, next) = (key(2), key(3));
        let succession = Succession::sign(network, &former, next.public().node());
        let opened = |folder: &DataFolder| open(folder).expect("it opens").public().node();
        // Asked for, and no answer yet.
        let (_place, folder) = folder();
        write_seed(&folder.identity(), &former.seed()).expect("written");
        write_private(&folder.credentials(), b"the former's").expect("written");
        assert_eq!(opened(&folder), former.public().node());
        write_seed(&folder.identity_next(), &next.seed()).expect("written");
        assert_eq!(opened(&folder), former.public().node());
        assert!(folder.credentials().exists());
        // Admitted, and broken off at each step of what follows.
        Succeeding::write(&folder, &succession).expect("written");
        fs::remove_file(folder.credentials()).expect("removed");
        assert_eq!(opened(&folder), next.public().node());
        assert!(!folder.identity_next().exists());
        write_seed(&folder.identity_next(), &next.seed()).expect("written");
        write_private(&folder.credentials(), b"the successor's").expect("written");
        assert_eq!(opened(&folder), next.public().node());
        assert!(folder.credentials().exists(), "it is the successor's");
        assert_eq!(Succeeding::read(&folder).expect("read"), Some(succession));
        assert_eq!(opened(&folder), next.public().node());
    }

    #[test]
    fn a_key_that_the_folder_does_not_lead_to_is_left_alone() {
        let network = NetworkId::from_bytes([1; 16]);
        let (former, next, restored) = (key(2), key(3), key(4));
        let (_place, folder) = folder();
        write_seed(&folder.identity(), &restored.seed()).expect("written");
        write_seed(&folder.identity_next(), &next.seed()).expect("written");
        let succession = Succession::sign(network, &former, next.public().node());
        Succeeding::write(&folder, &succession).expect("written");
        let opened = open(&folder).expect("it opens");
        assert_eq!(opened.public(), restored.public());
        write_private(&folder.succession(), b"garbled").expect("written");
        let error = open(&folder).expect_err("it is damaged").to_string();
        assert!(error.contains("succession"), "{error}");
    }
}
