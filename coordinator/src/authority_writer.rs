//! The writing end of the authority log.
//!
//! Only the process that holds the coordinator's data folder has one, and it writes one fact list
//! at a time. The authority key stays in the data folder; the root key is only ever borrowed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use node::clock::now_ms;
use node::folder::{FolderError, read_seed, write_seed};
use node::{AuthorityAppendError, Node, StoreAccessError};
use node_feed::{
    AuthorityLog, AuthorityOpen, Entry, Fact, FeedName, GrantId, Height, Kind, Nonce, Run,
    RunError, SecretKey, SpaceId, Subject,
};

/// Why nothing was added to the authority log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// This coordinator does not hold the key of the current term: it was restored or rebuilt.
    #[error(
        "this coordinator may not change access: it was restored or rebuilt. Wait until the hubs \
         have reported, then run `authority take-over` with the root key"
    )]
    ReadOnly,
    /// The log has two versions.
    #[error(
        "the record of access has two versions, so nothing may be added to it: run `authority \
         take-over` with the root key"
    )]
    Frozen,
    /// A network can begin once, and this one has.
    #[error("the record of access has begun already; `authority take-over` goes on with it")]
    Begun,
    /// Nothing of the log is held, so a new term would go on from nothing and undo all access.
    #[error(
        "nothing of the record of access has arrived here yet, so there is nothing to take over: \
         run `serve` and wait until a hub has reported. A network that never had a hub is set up \
         anew, with `init --new-keys`"
    )]
    NothingHeld,
    /// No hub has reported since the start, so the log that is held may be an old one.
    #[error(
        "no hub has reported since this coordinator started, so what it holds may be out of date: \
         wait until `authority show` lists the hubs, or add --anyway if none is left"
    )]
    NoneReported,
    /// The root key is another network's.
    #[error("this root key belongs to another network; use the one saved when this one was made")]
    OtherNetwork,
    /// The facts are too large for one entry.
    #[error("this does not fit the record of access: {0}")]
    Run(#[from] RunError),
    /// The key cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The log does not take it.
    #[error(transparent)]
    Append(#[from] AuthorityAppendError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreAccessError),
}

/// Writes the authority log.
#[derive(Debug)]
pub struct AuthorityWriter {
    node: Node,
    key_file: PathBuf,
    /// A key whose term has yet to begin.
    next_file: PathBuf,
    key: Mutex<Option<SecretKey>>,
}

impl AuthorityWriter {
    /// The writing end of the log that `node` holds; without the current term's key it can only
    /// take over.
    ///
    /// # Errors
    /// [`AuthorityError::Folder`] if there is a key file that cannot be read.
    pub fn open(node: Node) -> Result<Self, AuthorityError> {
        let key_file = node.folder().join("authority.key");
        let next_file = node.folder().join("authority.key.next");
        let read = |file: &Path| {
            let exists = file.exists();
            exists
                .then(|| read_seed(file).map(|seed| SecretKey::from_seed(&seed)))
                .transpose()
        };
        let current = node.authority_log()?.current().map(|(writer, _)| writer);
        let next = read(&next_file)?.filter(|key| current == Some(*key.public().as_bytes()));
        let key = match next {
            // It began the current term, and the process ended before the file had its name.
            Some(next) => {
                adopt(&key_file, &next_file, &next)?;
                Some(next)
            }
            None => read(&key_file)?,
        };
        Ok(Self {
            node,
            key_file,
            next_file,
            key: Mutex::new(key),
        })
    }

    /// Whether this process holds the key of the current term.
    ///
    /// # Errors
    /// [`AuthorityError::Store`].
    pub fn may_write(&self) -> Result<bool, AuthorityError> {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.node.authority_log()?.current();
        Ok(key.as_ref().is_some_and(|key| {
            current.is_some_and(|(writer, _)| writer == *key.public().as_bytes())
        }))
    }

    /// Adds facts to the log, durably and all together; returns their entries' hashes.
    ///
    /// # Errors
    /// [`AuthorityError`]; nothing was added then.
    pub fn write(&self, facts: &[Fact]) -> Result<Vec<GrantId>, AuthorityError> {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let log = self.node.authority_log()?;
        if log.fold().is_frozen() {
            return Err(AuthorityError::Frozen);
        }
        let (Some(key), Some((writer, tip))) = (key.as_ref(), log.tip()) else {
            return Err(AuthorityError::ReadOnly);
        };
        if writer != *key.public().as_bytes() {
            return Err(AuthorityError::ReadOnly);
        }
        let entries = facts
            .iter()
            .map(|fact| entry(Kind::GRANT, fact.encode(Nonce(node::random()))))
            .collect();
        self.append(key, Some(tip), entries)
    }

    /// Begins the first term, and with it a network.
    ///
    /// # Errors
    /// [`AuthorityError::Begun`] if anything of a log is held; otherwise as
    /// [`AuthorityWriter::take_over`].
    pub fn begin(&self, root: &SecretKey) -> Result<(), AuthorityError> {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let log = self.log_under(root)?;
        if log.terms().next().is_some() {
            return Err(AuthorityError::Begun);
        }
        *held = Some(self.open_term(root, 1, None)?);
        Ok(())
    }

    /// Begins the next term with a new key, going on from the longest log that is held.
    ///
    /// Without `anyway` a hub must have reported since the start: what this coordinator holds by
    /// itself may be an old state, and what it lacks would stop counting.
    ///
    /// # Errors
    /// [`AuthorityError::OtherNetwork`], [`AuthorityError::NothingHeld`] or
    /// [`AuthorityError::NoneReported`]; otherwise as [`AuthorityWriter::write`].
    pub fn take_over(&self, root: &SecretKey, anyway: bool) -> Result<u64, AuthorityError> {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let log = self.log_under(root)?;
        let (writer, height) = log.longest().ok_or(AuthorityError::NothingHeld)?;
        if !anyway && self.node.peers_heard().is_empty() {
            return Err(AuthorityError::NoneReported);
        }
        let term = log.terms().max().unwrap_or(0) + 1;
        let end = (FeedName::from_bytes(writer), height);
        *held = Some(self.open_term(root, term, Some(end))?);
        Ok(term)
    }

    /// The log as it is held, if `root` is its network's root key.
    fn log_under(&self, root: &SecretKey) -> Result<AuthorityLog, AuthorityError> {
        if Some(root.public().network()) != self.node.network() {
            return Err(AuthorityError::OtherNetwork);
        }
        Ok(self.node.authority_log()?)
    }

    fn open_term(
        &self,
        root: &SecretKey,
        term: u64,
        continues: Option<(FeedName, Height)>,
    ) -> Result<SecretKey, AuthorityError> {
        let key = SecretKey::from_seed(&node::random::<32>());
        // The key first, beside the one in use: a term whose key is lost must be taken over at
        // once, and a key whose term never began must not replace one that may write.
        write_seed(&self.next_file, &key.seed())?;
        let open = AuthorityOpen::sign(root, &key.public(), term, continues, Nonce(node::random()));
        self.append(&key, None, vec![entry(Kind::OPEN, open.encode())])?;
        adopt(&self.key_file, &self.next_file, &key)?;
        tracing::warn!(term, "a new term of the authority log begins");
        Ok(key)
    }

    fn append(
        &self,
        key: &SecretKey,
        tip: Option<Height>,
        entries: Vec<Entry>,
    ) -> Result<Vec<GrantId>, AuthorityError> {
        let network = self.node.network().ok_or(AuthorityError::OtherNetwork)?;
        let run = Run::sign(network, SpaceId::authority(network), key, tip, entries)?;
        let hashes = run
            .entries()
            .map(|(height, _)| GrantId::from_bytes(*height.hash.as_bytes()));
        let hashes = hashes.collect();
        self.node.append_authority(run)?;
        Ok(hashes)
    }
}

/// Makes `key`, whose term has begun, the one that is read at the next start.
fn adopt(key_file: &Path, next_file: &Path, key: &SecretKey) -> Result<(), FolderError> {
    write_seed(key_file, &key.seed())?;
    std::fs::remove_file(next_file).map_err(|source| FolderError::Io {
        path: next_file.to_owned(),
        source,
    })
}

fn entry(kind: Kind, payload: bytes::Bytes) -> Entry {
    Entry {
        time_ms: now_ms(),
        kind,
        subject: Subject::NONE,
        payload,
    }
}
