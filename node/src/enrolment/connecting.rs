//! A request to connect, from its first call to its outcome.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use node_feed::{NetworkId, SecretKey};
use node_store::{ReadStore, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use zeroize::Zeroizing;

use crate::clock::now_ms;
use crate::folder::{FolderError, write_private};
use crate::node::{Inner, Node, NodeError};
use crate::pauses::Pauses;
use crate::random;

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
    check_number: CheckNumber,
    progress: watch::Sender<Progress>,
}

impl Connecting {
    /// The six digits that NCETM sees too, if nobody stands between.
    pub fn check_number(&self) -> CheckNumber {
        self.request.check_number
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
        let again_ms = pause.map(|pause| {
            let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            now_ms().saturating_add(pause)
        });
        let next = Progress {
            state,
            trouble,
            again_ms,
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
    /// [`ConnectError::Folder`] if the invitation cannot be deleted.
    pub fn forget_connecting(&self) -> Result<(), ConnectError> {
        let mut current = self.inner.connecting.lock();
        if let Some((_, task)) = current.take() {
            task.abort();
        }
        Ok(self.inner.delete_invitation()?)
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
                let Progress { state, trouble, .. } = connecting.progress();
                let number = connecting.check_number();
                match (state, trouble) {
                    (ConnectingState::Asking, None) => Some("asking".to_owned()),
                    (ConnectingState::Asking, Some(trouble)) => Some(format!("asking: {trouble}")),
                    (ConnectingState::Waiting { .. }, _) => Some(format!(
                        "waits to be admitted by NCETM, check number {number}"
                    )),
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

    /// The six digits that this node and the coordinator of its network both show; none before it
    /// is connected.
    pub fn check_number(&self) -> Option<CheckNumber> {
        let contact = self.inner.membership()?.coordinator?;
        let own = self.inner.identity.public();
        Some(CheckNumber::of(&own, &contact.identity))
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
        let own = self.inner.identity.public();
        let asking = Progress {
            state: ConnectingState::Asking,
            trouble: None,
            again_ms: None,
        };
        let connecting = Connecting {
            request: Arc::new(ConnectionRequest {
                check_number: CheckNumber::of(&own, &invitation.coordinator),
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

    /// Keeps why a request came to nothing, and deletes its invitation, unless another request took
    /// its place.
    fn keep_outcome(&self, connecting: &Connecting, why: Option<String>) {
        let current = self.connecting.lock();
        let is_current = current
            .as_ref()
            .is_some_and(|(current, _)| Arc::ptr_eq(&current.request, &connecting.request));
        if !is_current {
            return;
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
    }
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
            Next::End(state) => {
                let (request, why) = (connecting.clone(), state.why_not());
                let kept =
                    tokio::task::spawn_blocking(move || open.keep_outcome(&request, why)).await;
                if kept.is_ok() {
                    tracing::warn!("this node was not connected");
                }
                return connecting.set(state, None, None);
            }
            Next::Wait(state) => {
                first = false;
                connecting.set(state, None, Some(wait));
            }
            Next::TryAgain { trouble, sent } => {
                first &= !sent;
                connecting.set(connecting.state(), Some(trouble), Some(wait));
            }
        }
        tokio::time::sleep(wait).await;
    }
}

enum Next {
    Join(Box<super::Enrolled>),
    Wait(ConnectingState),
    End(ConnectingState),
    TryAgain { trouble: String, sent: bool },
}

/// What follows from an answer. Only what the coordinator itself said, or the invitation's own
/// time, ends a request: everything else may be mended while it waits.
fn what_now(answer: Result<Answer, EnrolError>) -> Next {
    let error = match answer {
        Ok(Answer::Admitted(enrolled)) => return Next::Join(enrolled),
        Ok(Answer::Waiting {
            since_ms,
            lapses_ms,
        }) => {
            return Next::Wait(ConnectingState::Waiting {
                since_ms,
                lapses_ms,
            });
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
        EnrolError::Refused(_) | EnrolError::Network { .. } | EnrolError::Answer(_) => {
            Next::End(ConnectingState::Failed(sentence))
        }
        EnrolError::Unanswered(_) | EnrolError::Waiting => Next::TryAgain {
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
