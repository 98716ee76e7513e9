//! A request to connect, from its first call to its outcome.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use node_feed::{Hash, NetworkId, SecretKey};
use node_store::{ReadStore, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError};
use zeroize::Zeroizing;

use crate::clock::now_ms;
use crate::folder::{FolderError, write_private};
use crate::node::{Inner, Node, NodeError};
use crate::pauses::Pauses;
use crate::proxy::Proxies;
use crate::random;

use super::check_exchange::{CheckExchange, exchange};
use super::check_number::CheckNumber;
use super::client::{Answer, ask, ask_again};
use super::error::EnrolError;
use super::invitation::{Invitation, InvitationError, time_text};

/// Why a request to connect was not begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The invitation cannot be used.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// The node belongs to another network.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The invitation cannot be kept in the data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a request to connect stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectingState {
    /// The coordinator has not answered yet.
    Asking,
    /// Somebody at NCETM has yet to compare the check number and admit this node. It goes on
    /// asking by itself.
    Waiting {
        /// Since when, in ms since 1970.
        since_ms: u64,
        /// When the request lapses if nobody decides, in ms since 1970.
        lapses_ms: u64,
    },
    /// The node is connected. If it runs, it begins to talk to the coordinator by itself.
    Admitted,
    /// NCETM refused the request, for this reason. The invitation is spent.
    Refused(String),
    /// The invitation's time is over, or the request waited too long; a sentence says which.
    Expired(String),
    /// It cannot come to anything; the sentence says why and what to do.
    Failed(String),
}

impl ConnectingState {
    /// Whether nothing more will happen.
    pub const fn is_outcome(&self) -> bool {
        match self {
            Self::Asking | Self::Waiting { .. } => false,
            Self::Admitted | Self::Refused(_) | Self::Expired(_) | Self::Failed(_) => true,
        }
    }

    /// Why the node is not connected, in a sentence, if that is the outcome.
    pub fn why_not(&self) -> Option<String> {
        match self {
            Self::Asking | Self::Waiting { .. } | Self::Admitted => None,
            Self::Refused(why) => Some(format!("NCETM refused the request: {why}")),
            Self::Expired(sentence) | Self::Failed(sentence) => Some(sentence.clone()),
        }
    }
}

/// How far a request to connect has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// How it stands.
    pub state: ConnectingState,
    /// Why the last call failed, if it did; the node tries again by itself.
    pub trouble: Option<String>,
    /// When it asks again, in ms since 1970; none while it asks, and once there is an outcome.
    pub again_ms: Option<u64>,
    /// The six digits that NCETM sees too, if nobody stands between; none before both ends have made
    /// them, which they do once the request waits.
    pub check_number: Option<CheckNumber>,
}

/// Why the last request to connect came to nothing: the one thing that it leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotConnected {
    /// When that became clear, in ms since 1970.
    pub time_ms: u64,
    /// The name of the hub that the invitation was for.
    pub hub_name: String,
    /// Why, in a sentence.
    pub why: String,
}

impl NotConnected {
    /// Where the store keeps it.
    pub(crate) const SETTING: &str = "not-connected";
}

/// A request to connect, from its first call to its outcome. All clones are one request.
///
/// It goes on by itself: with growing pauses it asks until there is an outcome, also after a
/// restart, since its invitation is kept in the data folder, readable to its owner alone, until
/// then.
#[derive(Debug, Clone)]
pub struct Connecting {
    request: Arc<ConnectionRequest>,
}

#[derive(Debug)]
struct ConnectionRequest {
    invitation: Invitation,
    progress: watch::Sender<Progress>,
}

impl Connecting {
    /// The six digits that NCETM sees too, if nobody stands between; none before both ends have made
    /// them. A node that is admitted at once has none.
    pub fn check_number(&self) -> Option<CheckNumber> {
        self.progress().check_number
    }

    /// The name of the hub that the invitation is for.
    pub fn hub_name(&self) -> &str {
        &self.request.invitation.hub_name
    }

    /// The code of the hub that the invitation is for.
    pub fn hub_code(&self) -> &str {
        &self.request.invitation.hub_code
    }

    /// The network that the invitation is for.
    pub fn network(&self) -> NetworkId {
        self.request.invitation.network
    }

    /// Where the coordinator is asked.
    pub fn address(&self) -> String {
        self.request.invitation.address.to_string()
    }

    /// How it stands now.
    pub fn state(&self) -> ConnectingState {
        self.progress().state
    }

    /// How it stands now, and what went wrong with the last call.
    pub fn progress(&self) -> Progress {
        self.request.progress.borrow().clone()
    }

    /// Whether both are one request.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.request, &other.request)
    }

    fn is_current(&self, current: Option<&(Self, AbortHandle)>) -> bool {
        current.is_some_and(|(current, _)| self.is(current))
    }

    /// Changes whenever it comes further.
    pub fn changes(&self) -> watch::Receiver<Progress> {
        self.request.progress.subscribe()
    }

    /// Waits for the outcome.
    pub async fn outcome(&self) -> ConnectingState {
        let mut changes = self.changes();
        match changes
            .wait_for(|progress| progress.state.is_outcome())
            .await
        {
            Ok(progress) => progress.state.clone(),
            // The sender is this request's own.
            Err(_) => self.state(),
        }
    }

    fn set(&self, state: ConnectingState, trouble: Option<String>, pause: Option<Duration>) {
        self.show(state, trouble, pause, self.check_number());
    }

    fn show(
        &self,
        state: ConnectingState,
        trouble: Option<String>,
        pause: Option<Duration>,
        check_number: Option<CheckNumber>,
    ) {
        let again_ms = pause.map(|pause| {
            let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            now_ms().saturating_add(pause)
        });
        let next = Progress {
            state,
            trouble,
            again_ms,
            check_number,
        };
        self.request.progress.send_if_modified(|progress| {
            let changed = *progress != next;
            *progress = next;
            changed
        });
    }
}

/// The request that a node makes at present, or made last since it started.
#[derive(Debug, Default)]
pub(crate) struct Current(Mutex<Option<(Connecting, AbortHandle)>>);

impl Current {
    fn lock(&self) -> MutexGuard<'_, Option<(Connecting, AbortHandle)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops asking; the invitation stays where it is kept.
    pub(crate) fn stop(&self) {
        if let Some((_, task)) = &*self.lock() {
            task.abort();
        }
    }
}

impl Node {
    /// Asks to connect this node with the invitation whose text this is, and goes on asking until
    /// there is an outcome. With the invitation of a request that is being made it returns that
    /// request; with another it takes that one's place. Must be called within a tokio runtime; it
    /// waits for the disk and not for the network.
    ///
    /// # Errors
    /// [`ConnectError`]; nothing was sent then.
    pub fn connect(&self, invitation: &str) -> Result<Connecting, ConnectError> {
        let invitation = Invitation::from_toml(invitation)?;
        self.may_join(invitation.network)?;
        let mut current = self.inner.connecting.lock();
        if let Some((connecting, _)) = &*current
            && connecting.request.invitation == invitation
            && !connecting.state().is_outcome()
        {
            return Ok(connecting.clone());
        }
        let kept = self.kept_invitation().ok().flatten();
        let asked_before = kept.is_some_and(|kept| kept.code == invitation.code);
        let text = Zeroizing::new(invitation.to_toml()?);
        write_private(&self.inner.folder.connecting(), text.as_bytes())?;
        self.inner
            .storage
            .set_setting(NotConnected::SETTING, None)?;
        Ok(self.go_on(&mut current, invitation, asked_before))
    }

    /// Goes on with the request to connect that had no outcome when the node was last stopped.
    /// [`Node::start`] does it too. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ConnectError`], if the invitation that was kept cannot be read.
    pub fn resume_connecting(&self) -> Result<Option<Connecting>, ConnectError> {
        let mut current = self.inner.connecting.lock();
        if let Some((connecting, _)) = &*current {
            return Ok(Some(connecting.clone()));
        }
        let kept = self.kept_invitation()?;
        Ok(kept.map(|invitation| self.go_on(&mut current, invitation, true)))
    }

    /// The request to connect that is made at present, or was made last since the node started.
    pub fn connecting(&self) -> Option<Connecting> {
        let current = self.inner.connecting.lock();
        current.as_ref().map(|(connecting, _)| connecting.clone())
    }

    /// Stops asking and forgets the invitation. A request that waits at the coordinator stays
    /// there until somebody refuses it or it lapses.
    ///
    /// # Errors
    /// [`ConnectError::Folder`] and [`ConnectError::Store`] if it cannot be deleted.
    pub fn forget_connecting(&self) -> Result<(), ConnectError> {
        let mut current = self.inner.connecting.lock();
        if let Some((_, task)) = current.take() {
            task.abort();
        }
        self.inner.delete_invitation()?;
        let storage = &self.inner.storage;
        Ok(storage.set_setting(CheckExchange::SETTING, None)?)
    }

    /// Why the last request to connect came to nothing, also after a restart; none once there is a
    /// new one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn not_connected(&self) -> Result<Option<NotConnected>, StoreError> {
        let storage = &self.inner.storage;
        let kept = storage.read(|store| store.setting(NotConnected::SETTING))?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
    }

    /// How the request to connect stands, or why the last one came to nothing, in a few words; none
    /// if there is nothing to say.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn connecting_words(&self) -> Result<Option<String>, StoreError> {
        let words = match self.connecting() {
            Some(connecting) => {
                let Progress {
                    state,
                    trouble,
                    check_number,
                    ..
                } = connecting.progress();
                match (state, trouble) {
                    (ConnectingState::Asking, None) => Some("asking".to_owned()),
                    (ConnectingState::Asking, Some(trouble)) => Some(format!("asking: {trouble}")),
                    (ConnectingState::Waiting { .. }, trouble) => {
                        Some(match (check_number, trouble) {
                            (Some(number), _) => {
                                format!("waits to be admitted by NCETM, check number {number}")
                            }
                            (None, Some(trouble)) => {
                                format!("waits to be admitted by NCETM: {trouble}")
                            }
                            (None, None) => "waits to be admitted by NCETM".to_owned(),
                        })
                    }
                    (outcome, _) => outcome.why_not(),
                }
            }
            None if self.inner.folder.connecting().exists() => {
                Some("was begun; `serve` goes on with it".to_owned())
            }
            None => self.not_connected()?.map(|line| line.why),
        };
        Ok(words)
    }

    /// The six digits that were compared before this node was connected; none before, and none if it
    /// was admitted at once.
    pub fn check_number(&self) -> Option<CheckNumber> {
        self.inner.membership()?;
        let storage = &self.inner.storage;
        let kept = storage
            .read(|store| store.setting(Compared::SETTING))
            .ok()??;
        let kept: Compared = serde_json::from_slice(&kept).ok()?;
        // A store that was moved here brings the number of the node that it comes from.
        (kept.node == *self.id().as_bytes()).then_some(kept.number)
    }

    fn kept_invitation(&self) -> Result<Option<Invitation>, ConnectError> {
        let path = self.inner.folder.connecting();
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(Invitation::read(&path)?))
    }

    fn go_on(
        &self,
        current: &mut Option<(Connecting, AbortHandle)>,
        invitation: Invitation,
        asked_before: bool,
    ) -> Connecting {
        if let Some((given_up, task)) = current.take() {
            task.abort();
            if !given_up.state().is_outcome() {
                let why = "another invitation took the place of this one".to_owned();
                given_up.set(ConnectingState::Failed(why), None, None);
            }
        }
        let kept = self.inner.kept_exchange(&invitation).ok().flatten();
        let asking = Progress {
            state: ConnectingState::Asking,
            trouble: None,
            again_ms: None,
            check_number: kept.and_then(|kept| kept.number()),
        };
        let connecting = Connecting {
            request: Arc::new(ConnectionRequest {
                invitation,
                progress: watch::channel(asking).0,
            }),
        };
        let inner = Arc::downgrade(&self.inner);
        let asking = tokio::spawn(ask_on(inner, connecting.clone(), asked_before));
        *current = Some((connecting.clone(), asking.abort_handle()));
        connecting
    }
}

impl Inner {
    fn delete_invitation(&self) -> Result<(), FolderError> {
        let path = self.folder.connecting();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(FolderError::Io {
                path,
                source: error,
            }),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn kept_exchange(&self, invitation: &Invitation) -> Result<Option<CheckExchange>, StoreError> {
        let storage = &self.storage;
        storage.read(|store| CheckExchange::kept(store, invitation))
    }

    /// Keeps how far the exchange of a request has come, unless another request took its place.
    fn keep_exchange(
        &self,
        connecting: &Connecting,
        exchange: &CheckExchange,
    ) -> Result<(), StoreError> {
        let current = self.connecting.lock();
        if !connecting.is_current(current.as_ref()) {
            return Ok(());
        }
        let line = serde_json::to_vec(exchange).ok();
        let storage = &self.storage;
        storage.set_setting(CheckExchange::SETTING, line.as_deref())
    }

    /// To what the coordinator committed itself when this request first waited, which is kept now if this
    /// is the first time.
    fn keep_first(
        &self,
        connecting: &Connecting,
        commitment: Option<Hash>,
    ) -> Result<Result<CheckExchange, EnrolError>, StoreError> {
        let invitation = &connecting.request.invitation;
        let kept = self.kept_exchange(invitation)?;
        Ok(match (kept, commitment) {
            (Some(kept), Some(commitment)) if kept.commitment() == commitment => Ok(kept),
            (Some(_), _) => Err(EnrolError::Otherwise),
            (None, None) => Err(EnrolError::TooOld),
            (None, Some(commitment)) => {
                let begun = CheckExchange::begin(invitation, &commitment);
                self.keep_exchange(connecting, &begun)?;
                Ok(begun)
            }
        })
    }

    /// Keeps why a request came to nothing, or the number that was compared if it was admitted, and
    /// deletes its invitation, unless another request took its place.
    fn keep_outcome(&self, connecting: &Connecting, why: Option<String>) {
        let current = self.connecting.lock();
        if !connecting.is_current(current.as_ref()) {
            return;
        }
        // One that was admitted at once, as for another address, leaves the number that was compared first.
        let number = connecting.check_number().filter(|_| why.is_none());
        if let Some(number) = number {
            let node = *self.identity.public().node().as_bytes();
            let line = serde_json::to_vec(&Compared { node, number }).ok();
            let kept = self.storage.set_setting(Compared::SETTING, line.as_deref());
            if let Err(error) = kept {
                tracing::error!(%error, "the check number could not be kept");
            }
        }
        let line = why.map(|why| NotConnected {
            time_ms: now_ms(),
            hub_name: connecting.hub_name().to_owned(),
            why,
        });
        let line = line.and_then(|line| serde_json::to_vec(&line).ok());
        let kept = self
            .storage
            .set_setting(NotConnected::SETTING, line.as_deref());
        if let Err(error) = kept {
            tracing::error!(%error, "why this node was not connected could not be kept");
        }
        if let Err(error) = self.delete_invitation() {
            tracing::error!(%error, "the invitation that was used could not be deleted");
        }
        let forgotten = self.storage.set_setting(CheckExchange::SETTING, None);
        if let Err(error) = forgotten {
            tracing::error!(%error, "what was kept of a check number could not be deleted");
        }
    }
}

/// The number that was compared before a node was admitted.
#[derive(Serialize, Deserialize)]
struct Compared {
    node: [u8; 32],
    number: CheckNumber,
}

impl Compared {
    /// Where the store keeps it.
    const SETTING: &str = "check-number";
}

/// Asks until there is an outcome, or the node is closed.
async fn ask_on(inner: Weak<Inner>, connecting: Connecting, asked_before: bool) {
    let Some((identity, proxies, (shortest, longest))) = inner.upgrade().map(|inner| {
        let identity: SecretKey = inner.identity.clone();
        let sync = &inner.config.sync;
        (identity, sync.proxy.clone(), sync.reconnect())
    }) else {
        return;
    };
    let invitation = &connecting.request.invitation;
    let mut pauses = Pauses::between(shortest, longest);
    let mut first = !asked_before;
    loop {
        let answer = if first {
            ask(invitation, &identity, now_ms(), &proxies).await
        } else {
            ask_again(invitation, &identity, &proxies).await
        };
        let wait = pauses.after(Duration::ZERO, u32::from_le_bytes(random()));
        // A call that failed on the way may have reached the coordinator.
        let Some(open) = inner.upgrade() else {
            return;
        };
        match what_now(answer) {
            Next::Join(enrolled) => {
                // Whatever becomes of it here, the invitation is used.
                first = false;
                let (node, request) = (Node { inner: open }, connecting.clone());
                let joined = tokio::task::spawn_blocking(move || {
                    node.join(&request.request.invitation, &enrolled)?;
                    node.inner.keep_outcome(&request, None);
                    Ok::<_, NodeError>(())
                });
                match joined.await {
                    Ok(Ok(())) => {
                        tracing::info!("this node is connected");
                        return connecting.set(ConnectingState::Admitted, None, None);
                    }
                    Ok(Err(error)) => {
                        connecting.set(connecting.state(), Some(error.to_string()), Some(wait));
                    }
                    Err(error) => {
                        tracing::error!(%error, "this node failed while it was being connected");
                        let trouble = "A fault of this program stopped it. It is tried again.";
                        connecting.set(connecting.state(), Some(trouble.to_owned()), Some(wait));
                    }
                }
            }
            Next::End(state) => return end(open, &connecting, state).await,
            Next::Wait { state, commitment } => {
                first = false;
                drop(open);
                match compare(&inner, &connecting, commitment, &identity, &proxies).await {
                    Made::Number(number) => {
                        connecting.show(state, None, Some(wait), Some(number));
                    }
                    Made::TryAgain(trouble) => {
                        connecting.set(state, Some(trouble), Some(wait));
                    }
                    Made::End(state) => {
                        let Some(open) = inner.upgrade() else {
                            return;
                        };
                        return end(open, &connecting, state).await;
                    }
                    Made::Closed => return,
                }
            }
            Next::TryAgain { trouble, sent } => {
                first &= !sent;
                connecting.set(connecting.state(), Some(trouble), Some(wait));
            }
        }
        tokio::time::sleep(wait).await;
    }
}

async fn end(open: Arc<Inner>, connecting: &Connecting, state: ConnectingState) {
    let (request, why) = (connecting.clone(), state.why_not());
    let kept = tokio::task::spawn_blocking(move || open.keep_outcome(&request, why)).await;
    if kept.is_ok() {
        tracing::warn!("this node was not connected");
    }
    connecting.set(state, None, None);
}

enum Made {
    Number(CheckNumber),
    TryAgain(String),
    End(ConnectingState),
    /// The node is closed.
    Closed,
}

/// Makes the check number of a request that waits, with the coordinator. What it committed itself to
/// is durable before it hears anything.
async fn compare(
    inner: &Weak<Inner>,
    connecting: &Connecting,
    commitment: Option<Hash>,
    identity: &SecretKey,
    proxies: &Proxies,
) -> Made {
    let Some(open) = inner.upgrade() else {
        return Made::Closed;
    };
    let request = connecting.clone();
    let kept = tokio::task::spawn_blocking(move || open.keep_first(&request, commitment)).await;
    let begun = match kept {
        Ok(Ok(Ok(begun))) => begun,
        Ok(Ok(Err(error))) => return Made::of(error),
        Ok(Err(error)) => return Made::TryAgain(error.to_string()),
        Err(error) => return Made::broken(&error),
    };
    let invitation = &connecting.request.invitation;
    let made = exchange(invitation, identity, &begun.commitment(), proxies).await;
    let number = match made {
        Ok(number) => number,
        Err(error) => return Made::of(error),
    };
    match begun.number() {
        Some(kept) if kept == number => return Made::Number(number),
        // People may have compared the first.
        Some(_) => return Made::of(EnrolError::Otherwise),
        None => {}
    }
    let Some(open) = inner.upgrade() else {
        return Made::Closed;
    };
    let (request, made) = (connecting.clone(), begun.with(number));
    let kept = tokio::task::spawn_blocking(move || open.keep_exchange(&request, &made)).await;
    match kept {
        Ok(Ok(())) => Made::Number(number),
        Ok(Err(error)) => Made::TryAgain(error.to_string()),
        Err(error) => Made::broken(&error),
    }
}

impl Made {
    fn broken(error: &JoinError) -> Self {
        tracing::error!(%error, "this node failed while its check number was made");
        Self::TryAgain("a fault of this program broke off its check number".to_owned())
    }

    fn of(error: EnrolError) -> Self {
        match what_now(Err(error)) {
            Next::End(state) => Self::End(state),
            Next::TryAgain { trouble, .. } => Self::TryAgain(trouble),
            // An error is neither.
            Next::Join(_) | Next::Wait { .. } => Self::Closed,
        }
    }
}

enum Next {
    Join(Box<super::Enrolled>),
    Wait {
        state: ConnectingState,
        commitment: Option<Hash>,
    },
    End(ConnectingState),
    TryAgain {
        trouble: String,
        sent: bool,
    },
}

/// What follows from an answer. Only what the coordinator itself said, or the invitation's own
/// time, ends a request: everything else may be mended while it waits.
fn what_now(answer: Result<Answer, EnrolError>) -> Next {
    let error = match answer {
        Ok(Answer::Admitted(enrolled)) => return Next::Join(enrolled),
        Ok(Answer::Waiting {
            since_ms,
            lapses_ms,
            commitment,
        }) => {
            let state = ConnectingState::Waiting {
                since_ms,
                lapses_ms,
            };
            return Next::Wait { state, commitment };
        }
        Ok(Answer::Refused(why)) => return Next::End(ConnectingState::Refused(why)),
        Ok(Answer::Lapsed(lapsed_ms)) => {
            return Next::End(ConnectingState::Expired(format!(
                "nobody at NCETM admitted this request until {}; ask NCETM for a new invitation",
                time_text(lapsed_ms)
            )));
        }
        Err(error) => error,
    };
    let sentence = error.to_string();
    match error {
        EnrolError::Expired(_) => Next::End(ConnectingState::Expired(sentence)),
        EnrolError::Refused(_)
        | EnrolError::Network { .. }
        | EnrolError::Otherwise
        | EnrolError::Answer(_) => Next::End(ConnectingState::Failed(sentence)),
        EnrolError::Unanswered(_) | EnrolError::Waiting | EnrolError::TooOld => Next::TryAgain {
            trouble: sentence,
            sent: true,
        },
        EnrolError::Busy(_)
        | EnrolError::Connect(_)
        | EnrolError::NotCoordinator(_)
        | EnrolError::Certificate(_) => Next::TryAgain {
            trouble: sentence,
            sent: false,
        },
    }
}
