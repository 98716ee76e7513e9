//! Texts of a workbook, which may go on from one record to the next.

/// Flags of a text: two bytes for each character, and what stands around the characters.
const WIDE: u8 = 1;
const PHONETIC: u8 = 4;
const FORMATTED: u8 = 8;

/// The texts that cells share, from the record that holds them and those that it goes on with.
/// `None` when they are not whole.
pub(super) fn shared(pieces: &[&[u8]]) -> Option<Vec<String>> {
    let mut pieces = Pieces {
        current: pieces.first()?,
        later: pieces.get(1..)?,
    };
    pieces.skip(4)?;
    let count = pieces.u32()?;
    // Not trusted for an allocation: each text takes three bytes at least.
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(pieces.text()?);
    }
    Some(texts)
}

/// One text that stands whole in a record.
pub(super) fn text(data: &[u8]) -> Option<String> {
    let mut pieces = Pieces {
        current: data,
        later: &[],
    };
    pieces.text()
}

/// Bytes in several records, read as if they were one.
struct Pieces<'a> {
    current: &'a [u8],
    later: &'a [&'a [u8]],
}

impl Pieces<'_> {
    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.u16()?);
        let flags = self.byte()?;
        let formats = if flags & FORMATTED == 0 {
            0
        } else {
            self.u16()?
        };
        let phonetic = if flags & PHONETIC == 0 {
            0
        } else {
            self.u32()?
        };
        let units = self.units(length, flags & WIDE != 0)?;
        self.skip(4 * usize::from(formats))?;
        self.skip(usize::try_from(phonetic).ok()?)?;
        Some(String::from_utf16_lossy(&units))
    }

    /// The characters. Where they go on in the next record, that says anew how wide they are.
    fn units(&mut self, length: usize, mut wide: bool) -> Option<Vec<u16>> {
        let mut units = Vec::new();
        while units.len() < length {
            if self.current.is_empty() {
                self.advance()?;
                wide = self.byte()? & WIDE != 0;
                continue;
            }
            let unit = if wide {
                self.u16()?
            } else {
                self.byte()?.into()
            };
            units.push(unit);
        }
        Some(units)
    }

    fn byte(&mut self) -> Option<u8> {
        while self.current.is_empty() {
            self.advance()?;
        }
        let (byte, rest) = self.current.split_first()?;
        self.current = rest;
        Some(*byte)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | u32::from(self.u16()?) << 16)
    }

    fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > self.current.len() {
            count -= self.current.len();
            self.advance()?;
        }
        self.current = self.current.get(count..)?;
        Some(())
    }

    fn advance(&mut self) -> Option<()> {
        let (next, later) = self.later.split_first()?;
        self.current = next;
        self.later = later;
        Some(())
    }
}
