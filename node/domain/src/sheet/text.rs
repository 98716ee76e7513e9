//! CSV in whatever form it comes: encodings, separators, line breaks in quotes.

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::grid::Grid;
use super::{Sheet, SheetError};

const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// How many rows are looked at to find the separator.
const LOOK_ROWS: usize = 50;

pub(super) fn read(bytes: &[u8], name: &str) -> Result<Sheet, SheetError> {
    let text = decode(bytes);
    if text.contains('\0') {
        return Err(SheetError::not_a_table(name, "a file of a program's own"));
    }
    // One kind of line break, within quotes too.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (separator, mut skipped) = separator(&text);
    let mut grid = Grid::new(name);
    let mut reader = reader(text.as_bytes(), separator);
    let mut record = StringRecord::new();
    let mut number = 0_usize;
    loop {
        let start = position(&reader);
        let more = reader.read_record(&mut record);
        if !more.map_err(|error| SheetError::damaged(name, error.to_string()))? {
            break;
        }
        let raw = text.get(start..position(&reader)).unwrap_or_default();
        // The reader passes over empty lines; a person counts them.
        let lines_left_out = raw.len() - raw.trim_start_matches('\n').len();
        number += 1 + lines_left_out;
        if std::mem::take(&mut skipped) {
            number -= 1;
            continue;
        }
        let left_open = raw.trim_end_matches('\n').contains('\n')
            && raw.matches('"').count() % 2 == 1
            && position(&reader) >= text.len();
        if left_open {
            return Err(SheetError::OpenQuote {
                file: name.to_owned(),
                row: number,
            });
        }
        for (column, cell) in record.iter().enumerate() {
            grid.put(number, column, undefused(cell))?;
        }
    }
    grid.finish()
}

/// The text, by its byte order mark, or else by what the bytes can be.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((guess(bytes), 0));
    let bytes = bytes.get(mark..).unwrap_or_default();
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    text
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    // Text of this country in UTF-16 has a zero in every other byte.
    let start = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let zeros = |at| start.iter().skip(at).step_by(2).filter(|byte| **byte == 0);
    let half = start.len() / 2;
    let (even, odd) = (zeros(0).count(), zeros(1).count());
    if half >= 2 && odd * 10 > half * 7 && even == 0 {
        UTF_16LE
    } else if half >= 2 && even * 10 > half * 7 && odd == 0 {
        UTF_16BE
    } else if str::from_utf8(bytes).is_ok() {
        UTF_8
    } else {
        WINDOWS_1252
    }
}

/// The separator, and whether the first line only says which it is, as `sep=;` does for Excel.
fn separator(text: &str) -> (u8, bool) {
    let first = text.lines().next().unwrap_or_default();
    if let Some(&[separator]) = first.strip_prefix("sep=").map(str::as_bytes) {
        return (separator, true);
    }
    let best = SEPARATORS.into_iter().rev().max_by_key(|separator| {
        let rows = reader(text.as_bytes(), *separator).into_records();
        let widths = rows.take(LOOK_ROWS).map_while(Result::ok);
        let widths = widths.map(|row| row.len()).collect::<Vec<_>>();
        let columns = widths.first().copied().unwrap_or(0);
        let alike = widths.iter().filter(|width| **width == columns).count();
        // A separator that makes columns at all, then the one that makes rows alike.
        (columns > 1, alike, columns)
    });
    (best.unwrap_or(b','), false)
}

fn reader(text: &[u8], separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(text)
}

fn position(reader: &csv::Reader<&[u8]>) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

/// A cell without the apostrophe that keeps it from being taken for a formula.
fn undefused(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if super::write::is_dangerous(rest) => rest,
        _ => cell,
    }
}
