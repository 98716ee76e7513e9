//! What archives give back, where entries are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use node_document::unarchive;
use node_feed::{DocumentId, FeedName, Hash, HubId, Kind, Opening, Payload, Run, SpaceId, Subject};
use node_store::{ReadStore, StoreError, StoredEntry};

use crate::storage::Storage;

/// Held by whoever opens an archive: peers decide how many are asked for at once.
static OPENING: Mutex<()> = Mutex::new(());

impl Storage {
    /// The runs that [`ReadStore::read`] gives, with what archives give back.
    pub(crate) fn runs(
        &self,
        space: SpaceId,
        from: &[(FeedName, u64)],
        bytes_max: usize,
    ) -> Result<Vec<Run>, StoreError> {
        self.given_back(
            || self.read(|store| store.read(space, from, bytes_max)),
            |runs| {
                let entries = runs.iter_mut().flat_map(|run| &mut run.entries);
                let changes = entries.filter(|entry| entry.kind == Kind::CHANGES);
                let payloads = changes.map(|entry| (space, entry.subject, &mut entry.payload));
                payloads.collect()
            },
        )
    }

    /// The entries that [`ReadStore::some_entries_of`] gives, with what archives give back.
    pub(crate) fn some_entries_of(
        &self,
        subject: Subject,
        after: u64,
        bytes_max: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        self.given_back(
            || self.read(|store| store.some_entries_of(subject, after, bytes_max)),
            |entries| {
                let changes = entries
                    .iter_mut()
                    .filter(|entry| entry.kind == Kind::CHANGES);
                let payloads = changes.map(|entry| (entry.space, subject, &mut entry.payload));
                payloads.collect()
            },
        )
    }

    /// What `read` gives, with the payloads that `payloads` finds in it given back. It is read again
    /// if they were put back into their entries meanwhile.
    fn given_back<T>(
        &self,
        read: impl Fn() -> Result<T, StoreError>,
        payloads: impl Fn(&mut T) -> Vec<(SpaceId, Subject, &mut Payload)>,
    ) -> Result<T, StoreError> {
        let mut answer = read()?;
        if self.give_back(payloads(&mut answer))? {
            return Ok(answer);
        }
        answer = read()?;
        self.give_back(payloads(&mut answer))?;
        Ok(answer)
    }

    /// Gives back what archives hold of these payloads. Returns whether nothing has changed since
    /// they were read.
    fn give_back(
        &self,
        payloads: Vec<(SpaceId, Subject, &mut Payload)>,
    ) -> Result<bool, StoreError> {
        let mut lacking = BTreeMap::<_, Vec<(Hash, &mut Payload)>>::new();
        for (space, document, payload) in payloads {
            if let Payload::Dropped { hash, .. } = payload {
                let of_document = lacking.entry((space, document)).or_default();
                of_document.push((*hash, payload));
            }
        }
        let mut same = true;
        for ((space, document), payloads) in lacking {
            let Some(mut back) = GivenBack::read(self, space, document)? else {
                // Dropped for good, unless it was just put back.
                same &= self.read(|store| store.is_erased(document))?
                    || !self.holds_any(space, document, &payloads)?;
                continue;
            };
            for (hash, payload) in payloads {
                if let Some(bytes) = back.0.remove(&hash) {
                    *payload = Payload::Held(bytes);
                }
            }
        }
        Ok(same)
    }

    /// Whether a payload that was lacking is held now.
    fn holds_any(
        &self,
        space: SpaceId,
        document: Subject,
        lacking: &[(Hash, &mut Payload)],
    ) -> Result<bool, StoreError> {
        let lacking = lacking.iter().map(|(hash, _)| *hash);
        let lacking = lacking.collect::<BTreeSet<_>>();
        let entries = self.read(|store| store.entries_of(document, 0))?;
        Ok(entries.iter().any(|entry| {
            let hash = entry
                .payload
                .bytes()
                .and(entry.payload.hash(entry.kind).ok());
            entry.space == space && hash.is_some_and(|hash| lacking.contains(&hash))
        }))
    }
}

/// Puts what `hub` wrote in records of others back into its entries: their archives go when it leaves
/// the space.
///
/// # Errors
/// [`StoreError`] if the store cannot be read or written.
pub(crate) fn unarchive_own(
    storage: &Storage,
    space: SpaceId,
    hub: HubId,
) -> Result<(), StoreError> {
    for document in storage.read(|store| store.archived_in(space))? {
        if document.owner() == hub {
            continue;
        }
        let entries = storage.read(|store| store.entries_of(document, 0))?;
        let is_own = |entry: &StoredEntry| {
            let by = entry.opening;
            entry.space == space && matches!(by, Some(Opening::Node { hub: by, .. }) if by == hub)
        };
        if entries.iter().any(is_own)
            && let Some(back) = GivenBack::read(storage, space, document)?
        {
            storage.unarchive(space, document, back.0.into_values().collect())?;
        }
    }
    Ok(())
}

/// What the archive of a document gives back, by the payloads' hashes.
struct GivenBack(BTreeMap<Hash, Bytes>);

impl GivenBack {
    /// None if there is no archive. What it lacks of what it must give back is noted as lacking: it
    /// may come again from a peer.
    fn read(
        storage: &Storage,
        space: SpaceId,
        document: Subject,
    ) -> Result<Option<Self>, StoreError> {
        // First: an archive that takes the place of another meanwhile gives back all of these too.
        let archived = storage.read(|store| store.archived_payloads(space, document))?;
        let bytes = storage.read(|store| store.archive_of(space, document))?;
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let entries = {
            let _one = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
            match DocumentId::try_from(document) {
                Ok(id) => unarchive(id, &bytes).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            }
        };
        let entries = entries.unwrap_or_else(|error| {
            tracing::error!(%space, %document, error, "an archive cannot be read");
            Vec::new()
        });
        let back = entries.into_iter().map(|it| (it.hash(), it.encode()));
        let back = back.collect::<BTreeMap<_, _>>();
        let lost = archived.into_iter().filter(|hash| !back.contains_key(hash));
        let lost = lost.collect::<BTreeSet<_>>();
        if !lost.is_empty() {
            let entries = storage.lose_archived(space, document, lost)?;
            tracing::error!(%space, %document, entries, "changes of a record are lacking");
        }
        Ok(Some(Self(back)))
    }
}
