//! Measuring what Automerge saved, in a packed document, before Automerge sees it.
//!
//! Its columns are run-length coded, and may be deflated on top of that. This inflates up to a
//! bound and reads the lengths of runs, in time linear in the inflated bytes.

use std::io::Read as _;

use flate2::bufread::DeflateDecoder;

use crate::columns::{Bounds, DEFLATED, HASH_BYTES, MAGIC, Reader, malformed, measure_column};
use crate::limits::{COPY_BYTES_MAX, COPY_OPERATIONS_MAX, KEY_BYTES_MAX, STRING_BYTES_MAX};
use crate::outcome::{Fault, SetAsideReason};

const DOCUMENT: u8 = 0;
/// About how many bytes an operation, or a change, takes in memory.
const ROW_BYTES: u64 = 256;

/// Checks that `bytes` are one document chunk and that Automerge can take it in within the bounds
/// of a packed document. Whether it is a sound one only Automerge can tell.
pub(crate) fn measure(bytes: &[u8]) -> Result<Measured, Fault> {
    let mut reader = Reader(bytes);
    if reader.take(4)? != MAGIC {
        return Err(malformed("it does not begin as a document"));
    }
    reader.skip(4)?; // checksum
    if reader.take(1)? != [DOCUMENT] {
        return Err(malformed("it is no document"));
    }
    if reader.unsigned()? != reader.0.len() as u64 {
        return Err(malformed("its length is wrong"));
    }
    let actors = reader.unsigned()?;
    for _ in 0..actors {
        reader.skip_prefixed()?;
    }
    let heads = reader.unsigned()?;
    let head_bytes = heads.checked_mul(HASH_BYTES);
    reader.skip(head_bytes.ok_or_else(|| malformed("its heads"))?)?;
    let (changes, operations) = (reader.columns()?, reader.columns()?);
    let mut measured = Measured::default();
    // What people wrote beside a change is bounded by the entry alone.
    let about_changes = Bounds {
        key: u64::MAX,
        value: u64::MAX,
        actors,
    };
    measured.measure(&mut reader, changes, &about_changes)?;
    let in_operations = Bounds {
        key: KEY_BYTES_MAX,
        value: STRING_BYTES_MAX,
        actors,
    };
    measured.measure(&mut reader, operations, &in_operations)?;
    if !reader.0.is_empty() {
        for _ in 0..heads {
            reader.unsigned()?;
        }
    }
    if reader.0.is_empty() {
        Ok(measured)
    } else {
        Err(malformed("bytes follow its end"))
    }
}

/// What a saved document holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Inflated bytes.
    pub(crate) bytes: u64,
    /// Rows of the longest column: operations, or changes.
    pub(crate) rows: u64,
}

impl Measured {
    /// About how many bytes it takes in memory.
    pub(crate) const fn opened_bytes(self) -> u64 {
        let rows = self.rows.saturating_mul(ROW_BYTES);
        self.bytes.saturating_add(rows)
    }

    fn measure(
        &mut self,
        reader: &mut Reader<'_>,
        columns: Vec<(u32, u64)>,
        bounds: &Bounds,
    ) -> Result<(), Fault> {
        for (spec, length) in columns {
            let data = reader.take(length)?;
            let rows = if spec & DEFLATED == 0 {
                self.count(data.len())?;
                measure_column(spec, data, bounds)?
            } else {
                let mut plain = Vec::new();
                DeflateDecoder::new(data)
                    .take(COPY_BYTES_MAX.saturating_sub(self.bytes).saturating_add(1))
                    .read_to_end(&mut plain)
                    .map_err(|_| malformed("it cannot be inflated"))?;
                self.count(plain.len())?;
                measure_column(spec & !DEFLATED, &plain, bounds)?
            };
            if rows > COPY_OPERATIONS_MAX {
                return Err(too_large());
            }
            self.rows = self.rows.max(rows);
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), Fault> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.bytes > COPY_BYTES_MAX {
            return Err(too_large());
        }
        Ok(())
    }
}

fn too_large() -> Fault {
    Fault::new(
        SetAsideReason::TooManyOperations,
        "it is too large for a copy",
    )
}
