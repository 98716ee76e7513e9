//! Checks the documents of first copies that are under way, and puts a copy in its place once all of
//! them are what was signed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use node_feed::{CopyPlace, DocumentId, Hash, Kind, SpaceId, Subject};
use node_store::{CopyPlaced, ReadStore, Readers, StoreError};

use super::{Applier, Lines, lock, project};
use crate::library::Checked;
use crate::node::Inner;

/// How many documents are checked between two looks whether anything else is to be done.
const CHECKED_TOGETHER: usize = 64;
/// How often it is looked whether an erasure has come.
pub(super) const LOOKED_EVERY: Duration = Duration::from_secs(15);
/// How long a copy waits for the erasure of a document that its sender has erased.
const WAITS_FOR: Duration = Duration::from_mins(2);

/// Checks all that came, some at a time, so that whoever wants to see the newest gets between. What
/// people work on meanwhile goes first. Ends early if anything else is to be done.
pub(super) fn check(applier: &Applier, inner: &Inner) -> Result<(), StoreError> {
    let mut after = None;
    let mut live = inner.storage.read(ReadStore::live_unchecked)?;
    loop {
        let copies = inner.storage.read(ReadStore::copies)?;
        let ids = copies.iter().filter(|(_, it)| it.documents.is_some());
        let ids = ids.map(|(space, place)| (*space, place.bases.digest(*space)));
        let ids = ids.collect::<BTreeMap<_, _>>();
        let some = if live.is_empty() {
            let unchecked = |store: &Readers| store.unchecked(after, CHECKED_TOGETHER);
            let some = inner.storage.read(unchecked)?;
            let Some(last) = some.last().copied() else {
                break;
            };
            after = Some(last);
            some
        } else {
            live.split_off(live.len().saturating_sub(CHECKED_TOGETHER))
        };
        {
            let _applying = lock(&applier.applying);
            check_some(inner, &ids, &some)?;
        }
        inner.listed.send_modify(|times| *times += 1);
        let mut state = applier.shared.lock();
        let waits = state.pace.due().is_some_and(|due| due <= Instant::now());
        if waits && !state.stop {
            // What is left is gone on with once that is done.
            state.pace.arrived(Instant::now());
        }
        if waits || state.stop {
            return Ok(());
        }
    }
    let copies = inner.storage.read(ReadStore::copies)?;
    let copies = copies.into_iter().filter(|(_, place)| place.is_whole());
    let mut waiting = BTreeSet::new();
    for (space, place) in copies {
        if !put_in_place(applier, inner, space, &place)? {
            waiting.insert((space, place.bases.digest(space)));
        }
    }
    let mut state = applier.shared.lock();
    state.waits.retain(|copy, _| waiting.contains(copy));
    Ok(())
}

/// Checks documents and makes their lines.
fn check_some(
    inner: &Inner,
    copies: &BTreeMap<SpaceId, Hash>,
    documents: &[(SpaceId, Subject)],
) -> Result<(), StoreError> {
    let mut lines = Lines::new(inner);
    let mut dropped = BTreeSet::new();
    let mut checked = BTreeMap::<SpaceId, Vec<u64>>::new();
    let ids = documents.iter().filter_map(|(space, subject)| {
        let id = DocumentId::try_from(*subject);
        Some((*space, id.ok()?))
    });
    let found = inner
        .library
        .check(&inner.storage, &ids.collect::<Vec<_>>())?;
    let mut found = found.into_iter();
    for (space, subject) in documents {
        let found = match DocumentId::try_from(*subject) {
            Ok(_) => found.next().unwrap_or(Checked::Waits),
            Err(error) => Checked::Forged(error.to_string()),
        };
        if dropped.contains(space) {
            continue;
        }
        match found {
            Checked::Yes(arrival) => {
                project(&mut lines, *space, *subject, Kind::CHANGES)?;
                checked.entry(*space).or_default().extend(arrival);
            }
            Checked::Waits => {}
            Checked::Forged(_) | Checked::Parts => {
                let forged = match found {
                    Checked::Forged(why) => Some(why),
                    Checked::Parts | Checked::Waits | Checked::Yes(_) => None,
                };
                tracing::error!(%space, forged, "a record of a first copy cannot be used");
                if let Some(id) = copies.get(space) {
                    inner.drop_copy(*space, *id, Some(*subject), forged)?;
                }
                dropped.insert(*space);
            }
        }
    }
    lines.write()?;
    for (space, arrivals) in checked {
        inner.storage.set_checked(space, arrivals)?;
    }
    Ok(())
}

/// Puts a copy in its place if all its documents were checked; whether that is done with.
fn put_in_place(
    applier: &Applier,
    inner: &Inner,
    space: SpaceId,
    place: &CopyPlace,
) -> Result<bool, StoreError> {
    let id = place.bases.digest(space);
    let first = (space, Subject::NONE);
    let left = inner
        .storage
        .read(|store| store.unchecked(Some(first), 1))?;
    if left.iter().any(|(at, _)| *at == space) {
        let since = *applier
            .shared
            .lock()
            .waits
            .entry((space, id))
            .or_insert_with(Instant::now);
        if since.elapsed() < WAITS_FOR {
            return Ok(false);
        }
        tracing::warn!(%space, "a first copy lacks a record that nobody has erased here");
        inner.drop_copy(space, id, None, None)?;
        return Ok(true);
    }
    match inner
        .storage
        .place_copy(&inner.authority(), space, id, &inner.events)?
    {
        CopyPlaced::Placed(feeds) => {
            if let Err(error) = inner.know_writers() {
                tracing::error!(%error, "whose feeds came with a copy cannot be read");
            }
            // What came is the hub's that wrote it, as if it had come entry by entry.
            inner.learn_usage();
            let (feeds, documents) = (feeds.len(), place.of);
            tracing::info!(%space, feeds, documents, "a first copy is here and checked");
            if inner.storage.renewal(space)?.is_some() {
                // Something was shown of it that does not count.
                inner.forget_copy(space);
            }
            inner.arrived();
        }
        CopyPlaced::Refused(why) => {
            tracing::warn!(%space, why, "a first copy cannot be used");
            inner.forget_copy(space);
        }
        CopyPlaced::Not => {
            // More came of it since it was checked.
            applier.wake();
            return Ok(false);
        }
    }
    inner.copying.send_modify(|copying| copying.placed(space));
    Ok(true)
}
