//! A packed document: as it travels in a first copy, in place of its entries. docs/protocol.md,
//! section 16, gives its bytes.

use std::collections::BTreeMap;

use bytes::Bytes;
use node_feed::{Decoder, DocumentId, Encoder, FeedName};

use crate::claims::Claims;
use crate::document::{LoadError, take_apart};
use crate::document_chunk;

/// The first bytes of a packed document, with the version of its format.
const FORMAT: &[u8; 8] = b"cwcopy\0\x01";

/// Why a document must travel as its entries. None of these is anybody's fault but a careless or
/// hostile writer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCopied {
    /// The saved document cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] LoadError),
    /// Something of it was set aside: who takes it over must judge that for itself.
    #[error("some of its changes were set aside")]
    SetAside,
    /// Something up to a base waits.
    #[error("some of its changes wait for others")]
    Waiting,
    /// An entry brought a change again that another had brought before.
    #[error("one of its changes was sent twice")]
    Repeated,
    /// An actor's changes in a feed do not follow one another.
    #[error("the changes of one author do not follow one another")]
    Interrupted,
    /// It is larger than a packed document may be.
    #[error("it is too large for a copy: {0}")]
    TooLarge(String),
}

/// Packs a document, in place of its entries up to `bases`: Automerge's part of `state`, the saved
/// state that [`Document::save`](crate::Document::save) gave, and the claims of these feeds, which
/// say which entries brought its changes. Automerge is not asked, nothing is loaded.
///
/// # Contract
/// `state` must be as new as the bases, and what it holds of other feeds, or above a base,
/// travels as entries beside the copy.
///
/// # Errors
/// [`NotCopied`]: send the document's entries whole.
pub fn copied(
    state: &[u8],
    id: DocumentId,
    bases: &BTreeMap<FeedName, u64>,
) -> Result<Bytes, NotCopied> {
    let (_, book, automerge) = take_apart(id, state)?;
    if book.all_set_aside().next().is_some() {
        return Err(NotCopied::SetAside);
    }
    document_chunk::measure(automerge).map_err(|fault| NotCopied::TooLarge(fault.detail))?;
    let mut claims = Vec::new();
    for (feed, base) in bases {
        let of_feed = book.claims(id, *feed, *base)?;
        if !of_feed.entries.is_empty() {
            claims.push(of_feed);
        }
    }
    let mut out = Encoder::new();
    out.bytes(FORMAT).bytes(id.as_bytes()).length(claims.len());
    for of_feed in &claims {
        of_feed.encode(&mut out);
    }
    out.bytes(automerge);
    Ok(out.finish())
}

/// About how many bytes a packed document takes in memory while it is opened; none if it is not opened
/// at all.
pub fn opened_bytes(id: DocumentId, bytes: &[u8]) -> Option<u64> {
    let (_, saved) = take_copy_apart(id, bytes).ok()?;
    let measured = document_chunk::measure(saved).ok()?;
    Some(measured.opened_bytes())
}

/// A packed document taken apart: what it claims, and Automerge's part.
pub(crate) fn take_copy_apart(
    id: DocumentId,
    bytes: &[u8],
) -> Result<(Vec<Claims>, &[u8]), LoadError> {
    let mut input = Decoder::new(bytes);
    if input.take(FORMAT.len(), "the format").ok() != Some(FORMAT.as_slice()) {
        return Err(LoadError::Format);
    }
    if input.array("the document's id")? != *id.as_bytes() {
        return Err(LoadError::OtherDocument);
    }
    let mut claims = Vec::new();
    for _ in 0..input.length("a count of feeds")? {
        claims.push(Claims::decode(&mut input)?);
    }
    Ok((claims, input.rest()))
}
