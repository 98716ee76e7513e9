//! Checks the documents of first copies that are under way, and puts a copy in its place once all of
//! them are what was signed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use node_feed::{DocumentId, SpaceId, Subject};
use node_store::{CopyPlace, CopyPlaced, ReadStore, StoreError};

use super::{Applier, Lines, lock, project_document};
use crate::library::Checked;
use crate::node::Inner;

/// How many documents are checked between two looks whether anything else is to be done.
const CHECKED_TOGETHER: usize = 64;
/// How often it is looked whether an erasure has come.
pub(super) const LOOKED_EVERY: Duration = Duration::from_secs(15);
/// How long a copy waits for the erasure of a document that its sender has erased.
const WAITS_FOR: Duration = Duration::from_mins(2);

/// Checks all that came, some at a time, so that whoever wants to see the newest gets between.
pub(super) fn check(applier: &Applier, inner: &Inner) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let some = inner
            .storage
            .read(|store| store.unchecked(after, CHECKED_TOGETHER))?;
        let Some(last) = some.last().copied() else {
            break;
        };
        after = Some(last);
        {
            let _applying = lock(&applier.applying);
            check_some(inner, &some)?;
        }
        inner.listed.send_modify(|times| *times += 1);
        if applier.shared.lock().stop {
            return Ok(());
        }
    }
    let copies = inner.storage.read(ReadStore::copies)?;
    let copies = copies.into_iter().filter(|(_, place)| place.is_whole());
    let mut waiting = BTreeSet::new();
    for (space, place) in copies {
        if !put_in_place(applier, inner, space, &place)? {
            waiting.insert(space);
        }
    }
    let mut state = applier.shared.lock();
    state.waits.retain(|space, _| waiting.contains(space));
    Ok(())
}

/// Checks documents and makes their lines.
fn check_some(inner: &Inner, documents: &[(SpaceId, Subject)]) -> Result<(), StoreError> {
    let mut lines = Lines::new(inner);
    let mut dropped = BTreeSet::new();
    let mut checked = Vec::<(SpaceId, Vec<Subject>)>::new();
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
            Checked::Yes => {
                project_document(&mut lines, *space, *subject)?;
                match checked.last_mut() {
                    Some((at, subjects)) if at == space => subjects.push(*subject),
                    Some(_) | None => checked.push((*space, vec![*subject])),
                }
            }
            Checked::Waits => {}
            Checked::Forged(why) => {
                tracing::error!(%space, why, "a record of a first copy is not what was signed");
                inner.drop_copy(*space, Some(why))?;
                dropped.insert(*space);
            }
        }
    }
    lines.write()?;
    for (space, subjects) in checked {
        inner.storage.set_checked(space, subjects)?;
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
    let first = (space, Subject::NONE);
    let left = inner
        .storage
        .read(|store| store.unchecked(Some(first), 1))?;
    if left.iter().any(|(at, _)| *at == space) {
        let since = *applier
            .shared
            .lock()
            .waits
            .entry(space)
            .or_insert_with(Instant::now);
        if since.elapsed() < WAITS_FOR {
            return Ok(false);
        }
        tracing::warn!(%space, "a first copy lacks a record that nobody has erased here");
        inner.drop_copy(space, None)?;
        return Ok(true);
    }
    let id = place.bases.digest(space);
    match inner
        .storage
        .place_copy(&inner.authority(), space, id, &inner.events)?
    {
        CopyPlaced::Placed(feeds) => {
            let (feeds, documents) = (feeds.len(), place.of);
            tracing::info!(%space, feeds, documents, "a first copy is here and checked");
            inner.arrived();
        }
        CopyPlaced::Refused(why) => {
            tracing::warn!(%space, why, "a first copy cannot be used");
            inner.forget_copy(space);
        }
        CopyPlaced::Not => {}
    }
    inner.copying.send_modify(|copying| copying.placed(space));
    Ok(true)
}
