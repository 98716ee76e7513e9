//! A fingerprint of everything that happened, in order.

use std::fmt::{self, Write};

/// FNV-1a over what is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trace {
    hash: u64,
    print: bool,
}

impl Trace {
    pub(crate) const fn new(print: bool) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            print,
        }
    }

    pub(crate) const fn value(&self) -> u64 {
        self.hash
    }

    /// Takes note of one thing that happened.
    pub(crate) fn note(&mut self, what: fmt::Arguments<'_>) {
        if self.print {
            eprintln!("{what}");
        }
        // Writing to a hash cannot fail.
        let _ = self.write_fmt(what);
    }
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
