//! The records that a workbook's stream is made of.

use super::strings;

/// Says that the record goes on from the one before, which was full.
const CONTINUE: u16 = 0x003C;

/// Records one after another, up to the first that is not whole.
pub(super) struct Records<'a> {
    rest: &'a [u8],
}

/// One record.
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) data: &'a [u8],
}

impl<'a> Records<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self { rest: stream }
    }

    /// What the last record goes on with.
    pub(super) fn continuations(&mut self) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        while let Some((record, rest)) = split(self.rest) {
            if record.kind != CONTINUE {
                break;
            }
            self.rest = rest;
            pieces.push(record.data);
        }
        pieces
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (record, rest) = split(self.rest)?;
        self.rest = rest;
        Some(record)
    }
}

fn split(stream: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (head, rest) = stream.split_at_checked(4)?;
    let record = Record {
        kind: 0,
        data: head,
    };
    let (kind, length) = (record.u16(0)?, record.u16(2)?);
    let (data, rest) = rest.split_at_checked(length.into())?;
    Some((Record { kind, data }, rest))
}

impl Record<'_> {
    /// The cell's row as a person sees it, and its column from 0.
    pub(super) fn position(&self) -> Option<(usize, usize)> {
        Some((usize::from(self.u16(0)?) + 1, self.u16(2)?.into()))
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.data.get(at).copied()
    }

    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        self.bytes(at).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        self.bytes(at).map(u32::from_le_bytes)
    }

    pub(super) fn f64(&self, at: usize) -> Option<f64> {
        self.bytes(at).map(f64::from_le_bytes)
    }

    /// A text with its length in two bytes before it.
    pub(super) fn long_text(&self, at: usize) -> Option<String> {
        strings::text(self.data.get(at..)?)
    }

    fn bytes<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.data.get(at..at.checked_add(N)?)?.try_into().ok()
    }
}
