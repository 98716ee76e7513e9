//! Little-endian bytes of fixed width, in and out.

use bytes::Bytes;

/// Bytes that do not have the shape they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They end too early.
    #[error("the bytes end before {0}")]
    Ends(&'static str),
    /// They go on after the end.
    #[error("{0} bytes follow the end")]
    Trailing(usize),
    /// A number or flag in them has no meaning.
    #[error("{0} has a value that this version does not know")]
    Value(&'static str),
}

/// Writes fixed-width fields.
#[derive(Debug, Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// An empty encoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// Appends two bytes.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends four bytes.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends eight bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends a length or count in four bytes.
    ///
    /// What is longer than four bytes can say is written as their largest value. No payload may
    /// hold that much and nothing reads it back, so that it can't be taken for something shorter.
    pub fn length(&mut self, length: usize) -> &mut Self {
        self.u32(u32::try_from(length).unwrap_or(u32::MAX))
    }

    /// Appends a text after its length in bytes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.length(text.len()).bytes(text.as_bytes())
    }

    /// What was written.
    pub fn finish(self) -> Bytes {
        Bytes::from(self.0)
    }
}

/// Reads fixed-width fields.
#[derive(Debug)]
pub struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Reads from the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes `count` bytes; `what` names them in the error.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] if fewer are left.
    pub fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self
            .0
            .split_at_checked(count)
            .ok_or(DecodeError::Ends(what))?;
        self.0 = tail;
        Ok(head)
    }

    /// Takes an array of bytes.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] if fewer are left.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] if none is left.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// Takes two bytes.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] if fewer are left.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_le_bytes)
    }

    /// Takes four bytes.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] if fewer are left.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// Takes eight bytes.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] if fewer are left.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// Takes a length or count. Nothing may be allocated for it before what it counts is there.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] if fewer than four bytes are left.
    pub fn length(&mut self, what: &'static str) -> Result<usize, DecodeError> {
        // Where addresses have fewer bits, no more can be left anyway.
        Ok(usize::try_from(self.u32(what)?).unwrap_or(usize::MAX))
    }

    /// Takes a length and a text.
    ///
    /// # Errors
    /// [`DecodeError::Ends`] if it is cut off, [`DecodeError::Value`] if it is not UTF-8.
    pub fn text(&mut self, what: &'static str) -> Result<String, DecodeError> {
        let length = self.length(what)?;
        let bytes = self.take(length, what)?;
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| DecodeError::Value(what))
    }

    /// What is left.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] if something is.
    pub const fn end(self) -> Result<(), DecodeError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Trailing(self.0.len()))
        }
    }
}
