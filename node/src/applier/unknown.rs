//! Entries that only newer versions understand: they are set aside by themselves, with the reason.
//!
//! What a newer version writes into a document or a card that this one knows is no matter of these: it
//! is kept there, and shown as unknown.

use node_feed::{CardId, DocumentId, Fact, Kind, SpaceId, Subject};
use node_store::{ReadStore, Readers, SetAsideRow, StoreError, StoredEntry};

use crate::node::Inner;

/// About how many bytes of entries are read at once.
const READ_BYTES: usize = 4 << 20;

/// Notes an entry that this version does not understand.
pub(super) fn note(inner: &Inner, entry: &StoredEntry) -> Result<(), StoreError> {
    // What stands beside a copy that is under way is looked at once that is placed.
    if entry.live {
        return Ok(());
    }
    let is_log = || {
        let membership = inner.membership();
        membership.is_some_and(|it| SpaceId::authority(it.network) == entry.space)
    };
    let Some(reason) = why(entry, is_log) else {
        return Ok(());
    };
    inner.storage.add_set_aside(&SetAsideRow {
        space: entry.space,
        feed: entry.feed,
        number: entry.height.number,
        hash: entry.height.hash,
        subject: entry.subject,
        reason,
        alone: true,
    })
}

/// Notes all of them that a space has.
pub(super) fn note_all(inner: &Inner, space: SpaceId) -> Result<(), StoreError> {
    for kind in (0..=u8::MAX).map(Kind) {
        let subjects = inner.storage.read(|store| store.subjects(space, kind))?;
        for subject in subjects {
            if is_understood(kind, subject) {
                continue;
            }
            let mut after = 0;
            loop {
                let read = |store: &Readers| store.some_entries_of(subject, after, READ_BYTES);
                let entries = inner.storage.read(read)?;
                let here = entries.iter();
                for entry in here.filter(|entry| entry.space == space && entry.kind == kind) {
                    note(inner, entry)?;
                }
                match entries.last() {
                    Some(last) => after = last.arrival,
                    None => break,
                }
            }
        }
    }
    Ok(())
}

/// Why an entry is not understood, in words for whoever looks after the node; none if it is, or if
/// there is nothing left of it to be understood. `is_log` says whether it stands in the authority log.
fn why(entry: &StoredEntry, is_log: impl FnOnce() -> bool) -> Option<String> {
    let payload = entry.payload.bytes()?;
    match entry.kind {
        kind if is_understood(kind, entry.subject) => None,
        Kind::CHANGES | Kind::CARD => Some(
            "it is about something that only newer versions of this program know; it is kept and \
             passed on, and taken up after an upgrade"
                .to_owned(),
        ),
        Kind::GRANT if is_log() => match Fact::decode(payload) {
            Ok(Fact::Unknown(number)) => Some(format!(
                "it stands in the programme's record of access and says what only newer versions of \
                 this program know (fact {number}); it has no effect here until an upgrade"
            )),
            Ok(_) => None,
            Err(error) => Some(format!(
                "it stands in the programme's record of access and cannot be read by this version \
                 ({error}); it has no effect here"
            )),
        },
        Kind::GRANT => None,
        Kind(number) => Some(format!(
            "it is of a kind that only newer versions of this program know (kind {number}); it is \
             kept and passed on, and taken up after an upgrade"
        )),
    }
}

/// Whether every version understands entries of this kind about this subject, whatever they say.
fn is_understood(kind: Kind, subject: Subject) -> bool {
    match kind {
        Kind::OPEN | Kind::ERASE | Kind::CHECKPOINT => true,
        Kind::CHANGES => DocumentId::try_from(subject).is_ok(),
        Kind::CARD => CardId::try_from(subject).is_ok(),
        _ => false,
    }
}
