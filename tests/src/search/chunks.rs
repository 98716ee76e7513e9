//! What Automerge chunks say, wherever they stand in some bytes.

use automerge::{Automerge, Change, ScalarValue};
use memchr::memmem;

/// How every chunk begins.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// Magic bytes and checksum; the chunk's type and its length follow.
const BEFORE_TYPE: usize = 8;
const DOCUMENT: u8 = 0;

/// What was read out of some bytes.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    /// The words of each change, and those of each document as it stands.
    pub(super) texts: Vec<String>,
    /// How many changes were decoded.
    pub(super) changes: usize,
    /// How many chunks were begun and could not be decoded.
    pub(super) undecoded: usize,
}

/// Decodes every chunk in `bytes`: documents with all their changes, and changes, deflated or not.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    let mut at = 0;
    while let Some(begin) = memmem::find(&bytes[at..], &MAGIC) {
        let chunk = &bytes[at + begin..];
        let read = whole(chunk).and_then(|(kind, chunk)| {
            decoded.take(kind, chunk)?;
            Some(chunk.len())
        });
        decoded.undecoded += usize::from(read.is_none());
        at += begin + read.unwrap_or(MAGIC.len());
    }
    decoded
}

impl Decoded {
    fn take(&mut self, kind: u8, chunk: &[u8]) -> Option<()> {
        if kind != DOCUMENT {
            let change = Change::from_bytes(chunk.to_vec()).ok()?;
            self.changes += 1;
            self.texts.push(words(&change));
            return Some(());
        }
        let document = Automerge::load(chunk).ok()?;
        for change in document.get_changes(&[]) {
            self.changes += 1;
            self.texts.push(words(&change));
        }
        // A word that several changes wrote stands whole only in the document itself.
        self.texts
            .push(serde_json::to_string(&automerge::AutoSerde::from(&document)).ok()?);
        Some(())
    }
}

/// The chunk at the start of `bytes`, cut to its length, with its type.
fn whole(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let kind = *bytes.get(BEFORE_TYPE)?;
    let (mut length, mut end) = (0_usize, BEFORE_TYPE + 1);
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *bytes.get(end)?;
        end += 1;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((kind, bytes.get(..end.checked_add(length)?)?));
        }
    }
    None
}

/// All keys and values of a change, in the order of its operations. Typed text, one operation a
/// character, reads as it was typed.
fn words(change: &Change) -> String {
    let (mut values, mut keys) = (String::new(), String::new());
    for operation in &change.decode().operations {
        match operation.primitive_value() {
            Some(ScalarValue::Str(text)) => values.push_str(&text),
            Some(ScalarValue::Bytes(bytes)) => values.push_str(&String::from_utf8_lossy(&bytes)),
            _ => {}
        }
        keys.push_str(&format!("{:?} ", operation.key));
    }
    format!("{values}\n{keys}\n{}", change.message().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use automerge::transaction::Transactable;
    use automerge::{AutoCommit, ObjType, ROOT};

    use super::*;

    #[test]
    fn words_are_found_in_changes_and_in_deflated_documents()
    -> Result<(), Box<dyn std::error::Error>> {
        let mut document = AutoCommit::new();
        let text = document.put_object(ROOT, "body", ObjType::Text)?;
        document.splice_text(&text, 0, 0, "quince")?;
        document.put(ROOT, "medlar", "x".repeat(5_000))?;
        let change = document.get_changes(&[]).remove(0).raw_bytes().to_vec();
        for bytes in [change, document.save()] {
            let around = [b"before".as_slice(), &bytes, b"after"].concat();
            let decoded = decode(&around);
            assert_eq!((decoded.changes, decoded.undecoded), (1, 0));
            assert!(decoded.texts[0].contains("quince") && decoded.texts[0].contains("medlar"));
            assert_eq!(decode(&around[..around.len() - 40]).undecoded, 1);
        }
        Ok(())
    }
}
