//! Splitting Automerge chunks and naming changes without Automerge.
//!
//! A chunk is magic (4) ‖ checksum (4) ‖ type (1) ‖ length (unsigned LEB128) ‖ content, and a
//! change's hash is the SHA-256 of the chunk from its ninth byte on (Automerge's binary format
//! specification). So carriage can commit to change hashes and know nothing of documents.

use bytes::Bytes;
use sha2::{Digest, Sha256};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHECKSUM: std::ops::Range<usize> = 4..8;
const TYPE_AT: usize = 8;
/// The type of a plain, uncompressed change.
const CHANGE: u8 = 1;
const LENGTH_AT: usize = 9;

/// Why bytes are no sequence of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// A chunk does not begin with Automerge's magic bytes.
    #[error("a change does not begin as one")]
    Magic,
    /// A chunk is longer than what is left, or its length is not written in the shortest way.
    #[error("a change is cut off or misstates its length")]
    Length,
    /// A change's checksum is not the start of its hash, which it must be: the hash does not
    /// cover it, and whoever passes the entry on could alter it.
    #[error("a change's checksum does not match it")]
    Checksum,
    /// There is no chunk at all.
    #[error("there is no change in it")]
    Empty,
}

/// Splits `bytes` into whole chunks, without copying.
///
/// # Errors
/// [`ChunkError`] if they are anything but one or more whole chunks.
pub fn split_chunks(bytes: &Bytes) -> Result<Vec<Bytes>, ChunkError> {
    let mut chunks = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = chunk_length(&bytes[at..])?;
        chunks.push(bytes.slice(at..at + length));
        at += length;
    }
    if chunks.is_empty() {
        Err(ChunkError::Empty)
    } else {
        Ok(chunks)
    }
}

/// The hash of a chunk. Of a plain change it is the one that Automerge computes.
///
/// Of any other chunk it is the SHA-256 of all its bytes, since its checksum need not be the start
/// of a hash that can be computed here; meaning sets such chunks aside.
pub fn change_hash(chunk: &[u8]) -> [u8; 32] {
    let from = if is_change(chunk) { TYPE_AT } else { 0 };
    Sha256::digest(chunk.get(from..).unwrap_or_default()).into()
}

/// The hash of a chunk, if it determines every byte of the chunk.
pub(crate) fn check_chunk(chunk: &[u8]) -> Result<[u8; 32], ChunkError> {
    let hash = change_hash(chunk);
    if is_change(chunk) && chunk.get(CHECKSUM) != hash.get(..CHECKSUM.len()) {
        return Err(ChunkError::Checksum);
    }
    Ok(hash)
}

fn is_change(chunk: &[u8]) -> bool {
    chunk.get(TYPE_AT) == Some(&CHANGE)
}

fn chunk_length(bytes: &[u8]) -> Result<usize, ChunkError> {
    if !bytes.starts_with(&MAGIC) {
        return Err(ChunkError::Magic);
    }
    let (length, width) = leb128(bytes.get(LENGTH_AT..).ok_or(ChunkError::Length)?)?;
    let total = usize::try_from(length)
        .ok()
        .and_then(|length| length.checked_add(LENGTH_AT + width))
        .ok_or(ChunkError::Length)?;
    if total > bytes.len() {
        Err(ChunkError::Length)
    } else {
        Ok(total)
    }
}

fn leb128(bytes: &[u8]) -> Result<(u64, usize), ChunkError> {
    let mut value = 0u64;
    // Nine groups of seven bits are more than any payload can hold.
    for (index, byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            // A second way to write one length would give one change two hashes.
            return if *byte == 0 && index > 0 {
                Err(ChunkError::Length)
            } else {
                Ok((value, index + 1))
            };
        }
    }
    Err(ChunkError::Length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(length: &[u8], content: &[u8]) -> Bytes {
        let head = [&MAGIC[..], &[0; 4], &[CHANGE]].concat();
        [&head, length, content].concat().into()
    }

    #[test]
    fn a_length_is_written_in_one_way_only() {
        assert_eq!(
            split_chunks(&chunk(&[3], b"abc")).map(|chunks| chunks.len()),
            Ok(1)
        );
        let longer = [
            &[0x83, 0x00][..],
            &[0x83, 0x80, 0x00],
            &[0x80; 10],
            &[0xff; 9],
            &[],
        ];
        for length in longer {
            assert_eq!(split_chunks(&chunk(length, b"")), Err(ChunkError::Length));
        }
    }

    #[test]
    fn only_whole_chunks_are_taken() {
        let whole = chunk(&[3], b"abc");
        let two = Bytes::from([&whole[..], &whole].concat());
        assert_eq!(split_chunks(&two), Ok(vec![whole.clone(), whole.clone()]));
        for end in 1..whole.len() {
            assert!(split_chunks(&whole.slice(..end)).is_err(), "{end}");
        }
        let trailing = Bytes::from([&whole[..], b"x"].concat());
        assert_eq!(split_chunks(&trailing), Err(ChunkError::Magic));
        assert_eq!(split_chunks(&Bytes::new()), Err(ChunkError::Empty));
    }

    #[test]
    fn a_hash_never_vouches_for_another_checksum() {
        let mut change = chunk(&[3], b"abc").to_vec();
        assert_eq!(check_chunk(&change), Err(ChunkError::Checksum));
        let hash = change_hash(&change);
        change[CHECKSUM].copy_from_slice(&hash[..4]);
        assert_eq!(check_chunk(&change), Ok(hash));
    }
}
