//! Workbooks of Excel 97 to 2003: records of a stream within a compound file.

mod records;
mod strings;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use std::ops::Bound;

use super::grid::Grid;
use super::{SHEET_BYTES_MAX, Sheet, SheetError, value};
use records::{Record, Records};

const SHEETS_MAX: usize = 255;

// The records that matter, by their numbers in the format's description.
const FORMULA: u16 = 0x0006;
const END: u16 = 0x000A;
const SINCE_1904: u16 = 0x0022;
const PASSWORD: u16 = 0x002F;
const SHEET: u16 = 0x0085;
const MANY_NUMBERS: u16 = 0x00BD;
const RICH_TEXT: u16 = 0x00D6;
const CELL_LOOK: u16 = 0x00E0;
const SHARED_TEXTS: u16 = 0x00FC;
const SHARED_TEXT: u16 = 0x00FD;
const NUMBER: u16 = 0x0203;
const TEXT: u16 = 0x0204;
const BOOLEAN_OR_ERROR: u16 = 0x0205;
const FORMULA_TEXT: u16 = 0x0207;
const SHORT_NUMBER: u16 = 0x027E;
const NUMBER_FORMAT: u16 = 0x041E;
const BEGIN: u16 = 0x0809;

/// The version of the format since Excel 97.
const VERSION: u16 = 0x0600;

pub(super) fn read(bytes: &[u8], name: &str) -> Result<Sheet, SheetError> {
    let stream = workbook_stream(bytes, name)?;
    let workbook = Workbook::read(&stream, name)?;
    let positions = workbook.sheets.iter().map(|(_, position)| *position);
    let positions = positions.collect::<BTreeSet<_>>();
    let mut sheets = workbook.sheets.clone();
    // Stable: otherwise in the workbook's order.
    sheets.sort_by_key(|(hidden, _)| *hidden);
    for (_, position) in sheets {
        // No sheet reaches into the next, whatever it says: each byte is read once.
        let after = (Bound::Excluded(position), Bound::Unbounded);
        let end = positions.range(after).next().copied();
        let sheet = stream.get(position..end.unwrap_or(stream.len()));
        let grid = workbook.read_sheet(sheet.unwrap_or_default(), name)?;
        if !grid.is_empty() {
            return grid.finish();
        }
    }
    Err(SheetError::Empty(name.to_owned()))
}

/// The stream within the compound file, which other programs use too.
fn workbook_stream(bytes: &[u8], name: &str) -> Result<Vec<u8>, SheetError> {
    let damaged = |error: std::io::Error| SheetError::damaged(name, error.to_string());
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(damaged)?;
    if file.exists("/EncryptedPackage") {
        return Err(SheetError::Password(name.to_owned()));
    }
    if file.exists("/WordDocument") {
        return Err(SheetError::not_a_table(name, "a text document"));
    }
    let mut paths = ["/Workbook", "/Book"].into_iter();
    let Some(path) = paths.find(|path| file.exists(path)) else {
        return Err(SheetError::not_a_table(name, "another program's file"));
    };
    let mut stream = Vec::new();
    let opened = file.open_stream(path).map_err(damaged)?;
    let read = opened.take(SHEET_BYTES_MAX as u64).read_to_end(&mut stream);
    read.map_err(damaged)?;
    Ok(stream)
}

/// What stands before the sheets.
#[derive(Default)]
struct Workbook {
    /// Where each sheet begins, and whether it is hidden.
    sheets: Vec<(bool, usize)>,
    texts: Vec<String>,
    /// For each look of cells, whether it shows dates or times; see [`value::shows_moment`].
    looks: Vec<Option<bool>>,
    since_1904: bool,
}

impl Workbook {
    fn read(stream: &[u8], name: &str) -> Result<Self, SheetError> {
        let mut workbook = Self::default();
        let mut formats = BTreeMap::new();
        let mut looks = Vec::new();
        let mut records = Records::new(stream);
        while let Some(record) = records.next() {
            match record.kind {
                BEGIN if record.u16(0) != Some(VERSION) => {
                    let what = "a workbook of before Excel 97";
                    return Err(SheetError::not_a_table(name, what));
                }
                PASSWORD => return Err(SheetError::Password(name.to_owned())),
                SINCE_1904 => workbook.since_1904 = record.u16(0) == Some(1),
                NUMBER_FORMAT => {
                    if let (Some(id), Some(format)) = (record.u16(0), record.long_text(2)) {
                        formats.insert(id, format);
                    }
                }
                CELL_LOOK => looks.push(record.u16(2).unwrap_or(0)),
                SHEET => {
                    let worksheet = record.byte(5) == Some(0);
                    if let Some(position) = record.u32(0).filter(|_| worksheet) {
                        let hidden = record.byte(4).is_some_and(|state| state & 3 != 0);
                        workbook.sheets.push((hidden, position as usize));
                    }
                    if workbook.sheets.len() > SHEETS_MAX {
                        return Err(SheetError::too_large(name, format!("{SHEETS_MAX} sheets")));
                    }
                }
                SHARED_TEXTS => {
                    let pieces = std::iter::once(record.data).chain(records.continuations());
                    let texts = strings::shared(&pieces.collect::<Vec<_>>());
                    workbook.texts = texts.ok_or_else(|| cut_short(name))?;
                }
                END => break,
                _ => {}
            }
        }
        let shows = |format: &u16| match formats.get(format) {
            Some(own) => value::shows_moment(own),
            None => built_in(*format),
        };
        workbook.looks = looks.iter().map(shows).collect();
        Ok(workbook)
    }

    fn read_sheet<'n>(&self, sheet: &[u8], name: &'n str) -> Result<Grid<'n>, SheetError> {
        let mut grid = Grid::new(name);
        let mut depth = 0_usize;
        // The text of a formula follows it in a record of its own.
        let mut formula = None;
        for record in Records::new(sheet) {
            match record.kind {
                BEGIN => depth += 1,
                END if depth <= 1 => break,
                END => depth -= 1,
                // Charts within the sheet.
                _ if depth > 1 => {}
                FORMULA => {
                    formula = record.position();
                    let text = self.formula(&record);
                    put(&mut grid, &record, text)?;
                }
                FORMULA_TEXT => {
                    if let Some((row, column)) = formula.take() {
                        let text = record.long_text(0).ok_or_else(|| cut_short(name))?;
                        grid.put(row, column, &text)?;
                    }
                }
                NUMBER => {
                    let number = record.f64(6);
                    put(
                        &mut grid,
                        &record,
                        number.map(|n| self.number(n, &record, 4)),
                    )?;
                }
                SHORT_NUMBER => {
                    let number = record.u32(6).map(short_number);
                    put(
                        &mut grid,
                        &record,
                        number.map(|n| self.number(n, &record, 4)),
                    )?;
                }
                MANY_NUMBERS => self.many_numbers(&record, &mut grid)?,
                SHARED_TEXT => {
                    let index = record.u32(6).map(|index| index as usize);
                    let text = index.and_then(|index| self.texts.get(index));
                    if let (Some((row, column)), Some(text)) = (record.position(), text) {
                        grid.put(row, column, text)?;
                    }
                }
                TEXT | RICH_TEXT => put(&mut grid, &record, record.long_text(6))?,
                BOOLEAN_OR_ERROR => {
                    let text = match (record.byte(6), record.byte(7)) {
                        (Some(code), Some(1)) => Some(error(code)),
                        (Some(truth), Some(_)) => Some(value::boolean(truth != 0)),
                        _ => None,
                    };
                    put(&mut grid, &record, text)?;
                }
                _ => {}
            }
        }
        Ok(grid)
    }

    /// Numbers side by side: row, first column, a look and a number for each, last column.
    fn many_numbers(&self, record: &Record<'_>, grid: &mut Grid<'_>) -> Result<(), SheetError> {
        let Some((row, first)) = record.position() else {
            return Ok(());
        };
        let count = record.data.len().saturating_sub(6) / 6;
        for index in 0..count {
            let at = 4 + index * 6;
            if let Some(number) = record.u32(at + 2).map(short_number) {
                grid.put(row, first + index, &self.number(number, record, at))?;
            }
        }
        Ok(())
    }

    /// The value that was saved with a formula; none when it is a text, which follows.
    fn formula(&self, record: &Record<'_>) -> Option<String> {
        let special = record.u16(12) == Some(0xFFFF);
        if !special {
            return Some(self.number(record.f64(6)?, record, 4));
        }
        match (record.byte(6)?, record.byte(8)?) {
            (1, truth) => Some(value::boolean(truth != 0)),
            (2, code) => Some(error(code)),
            _ => None,
        }
    }

    /// A number as its cell's look shows it.
    fn number(&self, number: f64, record: &Record<'_>, look_at: usize) -> String {
        let look = record.u16(look_at).map(usize::from);
        match look.and_then(|look| self.looks.get(look)) {
            Some(Some(true)) => value::duration(number),
            Some(Some(false)) => value::moment(number, self.since_1904),
            Some(None) | None => value::number(number),
        }
    }
}

fn put(grid: &mut Grid<'_>, record: &Record<'_>, text: Option<String>) -> Result<(), SheetError> {
    match (record.position(), text) {
        (Some((row, column)), Some(text)) => grid.put(row, column, &text),
        _ => Ok(()),
    }
}

/// A number in four bytes: a whole one or the upper half of another, and whether in hundredths.
fn short_number(bits: u32) -> f64 {
    let number = if bits & 2 == 0 {
        f64::from_bits(u64::from(bits & !3) << 32)
    } else {
        f64::from(bits.cast_signed() >> 2)
    };
    if bits & 1 == 0 {
        number
    } else {
        number / 100.0
    }
}

/// Formats that stand in no file because every program knows them.
fn built_in(format: u16) -> Option<bool> {
    match format {
        46 => Some(true),
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Some(false),
        _ => None,
    }
}

fn error(code: u8) -> String {
    let name = match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        0x2A => "#N/A",
        _ => "#UNKNOWN!",
    };
    name.to_owned()
}

fn cut_short(name: &str) -> SheetError {
    SheetError::damaged(name, "it was cut short or changed on its way")
}
