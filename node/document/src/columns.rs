//! Measuring a change chunk before Automerge sees it.
//!
//! A chunk's columns are run-length coded, so 104 bytes can hold a million operations. This reads
//! only the lengths of runs: it never expands one, and takes time linear in the chunk's bytes.

use crate::limits::{KEY_BYTES_MAX, OPERATIONS_MAX, STRING_BYTES_MAX};
use crate::outcome::{Fault, SetAsideReason};

pub(crate) const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const PLAIN_CHANGE: u8 = 1;
pub(crate) const HASH_BYTES: u64 = 32;
/// Column 4, integers: one row for each operation.
const ACTION: u32 = (4 << 4) | 2;
pub(crate) const DEFLATED: u32 = 0b1000;

/// What the cells of columns may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes of one key.
    pub(crate) key: u64,
    /// Bytes of one value.
    pub(crate) value: u64,
    /// How many actors there are to name.
    pub(crate) actors: u64,
}

/// What an entry's changes may hold. Automerge itself looks whether they name actors that are
/// there.
const IN_CHANGE: Bounds = Bounds {
    key: KEY_BYTES_MAX,
    value: STRING_BYTES_MAX,
    actors: u64::MAX,
};

/// Checks that `chunk` is a plain change chunk with the checksum of `hash` and counts its
/// operations.
pub(crate) fn count_operations(chunk: &[u8], hash: &[u8; 32]) -> Result<u64, Fault> {
    let mut reader = Reader(chunk);
    if reader.take(4)? != MAGIC {
        return Err(malformed("it does not begin as a change"));
    }
    let checksum = reader.take(4)?;
    if reader.take(1)? != [PLAIN_CHANGE] {
        return Err(SetAsideReason::NotPlain.into());
    }
    if checksum != &hash[..4] {
        return Err(malformed("its checksum is wrong"));
    }
    if reader.unsigned()? != reader.0.len() as u64 {
        return Err(malformed("its length is wrong"));
    }
    let dependencies = reader.unsigned()?;
    reader.skip(dependencies.checked_mul(HASH_BYTES).ok_or_else(cut_off)?)?;
    reader.skip_prefixed()?; // actor
    reader.unsigned()?; // sequence number
    reader.unsigned()?; // first operation's counter
    reader.skip_number()?; // time
    reader.skip_prefixed()?; // message
    for _ in 0..reader.unsigned()? {
        reader.skip_prefixed()?; // another actor
    }
    measure_columns(&mut reader)
}

fn measure_columns(reader: &mut Reader<'_>) -> Result<u64, Fault> {
    let mut operations = 0;
    for (spec, length) in reader.columns()? {
        if spec & DEFLATED != 0 {
            return Err(SetAsideReason::NotPlain.into());
        }
        let rows = measure_column(spec, reader.take(length)?, &IN_CHANGE)?;
        if rows > OPERATIONS_MAX {
            return Err(Fault::new(
                SetAsideReason::TooManyOperations,
                format!("{rows} steps or more, at most {OPERATIONS_MAX} are allowed"),
            ));
        }
        if spec == ACTION {
            operations = rows;
        }
    }
    Ok(operations)
}

/// The rows of a column, or for a group column its rows or items, whichever are more.
pub(crate) fn measure_column(spec: u32, data: &[u8], bounds: &Bounds) -> Result<u64, Fault> {
    match spec & 0b111 {
        0 => measure_runs(data, Cell::Group, bounds),
        1 => measure_runs(data, Cell::Actor, bounds),
        2 | 3 => measure_runs(data, Cell::Number, bounds), // integers, differences
        4 => measure_booleans(data),
        5 => measure_runs(data, Cell::Text, bounds),
        6 => measure_runs(data, Cell::ValueMetadata, bounds),
        _ => Ok(0), // raw values: as long as they are
    }
}

#[derive(Clone, Copy)]
enum Cell {
    Group,
    Actor,
    Number,
    Text,
    ValueMetadata,
}

fn measure_runs(data: &[u8], cell: Cell, bounds: &Bounds) -> Result<u64, Fault> {
    let mut reader = Reader(data);
    let (mut rows, mut items) = (0u64, 0u64);
    while !reader.0.is_empty() {
        match reader.signed()? {
            0 => rows = rows.saturating_add(reader.unsigned()?),
            run if run > 0 => {
                rows = rows.saturating_add(run.unsigned_abs());
                let inside = reader.cell(cell, bounds)?;
                items = items.saturating_add(inside.saturating_mul(run.unsigned_abs()));
            }
            literal => {
                rows = rows.saturating_add(literal.unsigned_abs());
                for _ in 0..literal.unsigned_abs() {
                    items = items.saturating_add(reader.cell(cell, bounds)?);
                }
            }
        }
    }
    Ok(rows.max(items))
}

fn measure_booleans(data: &[u8]) -> Result<u64, Fault> {
    let mut reader = Reader(data);
    let mut rows = 0u64;
    while !reader.0.is_empty() {
        rows = rows.saturating_add(reader.unsigned()?);
    }
    Ok(rows)
}

pub(crate) fn malformed(detail: &str) -> Fault {
    Fault::new(SetAsideReason::Malformed, detail)
}

pub(crate) fn cut_off() -> Fault {
    malformed("it is cut off")
}

pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: u64) -> Result<&'a [u8], Fault> {
        let count = usize::try_from(count).map_err(|_| cut_off())?;
        let (head, tail) = self.0.split_at_checked(count).ok_or_else(cut_off)?;
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn skip(&mut self, count: u64) -> Result<(), Fault> {
        self.take(count).map(|_| ())
    }

    pub(crate) fn skip_prefixed(&mut self) -> Result<u64, Fault> {
        let length = self.unsigned()?;
        self.skip(length)?;
        Ok(length)
    }

    /// The names and lengths of columns, whose data follows.
    pub(crate) fn columns(&mut self) -> Result<Vec<(u32, u64)>, Fault> {
        let mut columns = Vec::new();
        for _ in 0..self.unsigned()? {
            let spec = u32::try_from(self.unsigned()?).map_err(|_| malformed("a column's name"))?;
            columns.push((spec, self.unsigned()?));
        }
        Ok(columns)
    }

    /// A LEB128 number's bits and their width.
    fn bits(&mut self) -> Result<(u64, u32, u8), Fault> {
        let (mut value, mut shift) = (0u64, 0u32);
        loop {
            let byte = self.take(1)?[0];
            // The tenth byte holds the last bit of 64; anything after is no number.
            if shift >= 64 {
                return Err(malformed("a number in it is too long"));
            }
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return Ok((value, shift, byte));
            }
        }
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, Fault> {
        self.bits().map(|(value, ..)| value)
    }

    fn signed(&mut self) -> Result<i64, Fault> {
        let (mut value, shift, last) = self.bits()?;
        if shift < 64 && last & 0x40 != 0 {
            value |= u64::MAX << shift;
        }
        Ok(value.cast_signed())
    }

    fn skip_number(&mut self) -> Result<(), Fault> {
        self.bits().map(|_| ())
    }

    /// Reads one cell and returns how many items it stands for.
    fn cell(&mut self, cell: Cell, bounds: &Bounds) -> Result<u64, Fault> {
        match cell {
            Cell::Group => self.unsigned(),
            Cell::Actor => {
                if self.unsigned()? >= bounds.actors {
                    return Err(malformed("an actor in it is not there"));
                }
                Ok(0)
            }
            Cell::Number => self.skip_number().map(|()| 0),
            Cell::Text => {
                let length = self.skip_prefixed()?;
                bounded("a key", length, bounds.key)
            }
            Cell::ValueMetadata => {
                // The low four bits are the value's type, the rest its length.
                bounded("a text", self.unsigned()? >> 4, bounds.value)
            }
        }
    }
}

fn bounded(what: &str, length: u64, limit: u64) -> Result<u64, Fault> {
    if length > limit {
        let detail = format!("{what} of {length} bytes, at most {limit} are allowed");
        return Err(Fault::new(SetAsideReason::TooLong, detail));
    }
    Ok(0)
}
