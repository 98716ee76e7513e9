//! A table as people bring it, and as they take it away: CSV, XLSX, ODS and XLS.

mod archive;
mod error;
mod grid;
mod ods;
mod text;
mod value;
mod write;
mod xls;
mod xlsx;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use error::SheetError;

use archive::Archive;

/// Most rows with content below the headings.
pub const SHEET_ROWS_MAX: usize = 200_000;
/// Most columns.
pub const SHEET_COLUMNS_MAX: usize = 500;
/// Most characters in one cell.
pub const SHEET_CELL_CHARS_MAX: usize = 40_000;
/// Most bytes of a file.
pub const SHEET_BYTES_MAX: usize = 64 << 20;

/// A table: headings, and rows of text below them.
///
/// Whatever the file was, cells are text: dates as `2026-11-24`, times as `16:30`, both together
/// as `2026-11-24T16:30`, durations of a day and more as hours (`26:30`), whole numbers without
/// `.0`, yes and no as `TRUE` and `FALSE`, formulas by the value that was saved with them. A cell
/// with an error keeps the error's text, which [`Sheet::is_error`] knows. Space around a cell's
/// text is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The first row with content; no two alike, none empty.
    pub headers: Vec<String>,
    /// The rows below with content, in the file's order.
    pub rows: Vec<SheetRow>,
}

/// A row of a [`Sheet`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SheetRow {
    /// The row's number as the spreadsheet program shows it beside the row: the first is 1.
    pub number: usize,
    /// As many as there are headings.
    pub cells: Vec<String>,
}

impl Sheet {
    /// A table to write: its rows are numbered from 2, and filled up or cut to the headings.
    pub fn new(headers: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let rows = rows.into_iter().enumerate().map(|(index, mut cells)| {
            cells.resize(headers.len(), String::new());
            SheetRow {
                number: index + 2,
                cells,
            }
        });
        let rows = rows.collect();
        Self { headers, rows }
    }

    /// Reads a file, told apart by what is in it. `name` is used in errors alone.
    ///
    /// CSV may be UTF-8, UTF-16 or Windows-1252, separated by commas, semicolons or tabs. Of a
    /// workbook, the first sheet with content is read, a hidden one only when no other has any.
    ///
    /// # Errors
    ///
    /// When the file is no table, is protected or damaged, or is larger than the bounds beside
    /// this type allow; the error says which, and what to do.
    pub fn read(bytes: &[u8], name: &str) -> Result<Self, SheetError> {
        // The parsers of others' formats are others' too: whatever they trip over is a bad file.
        let read = catch_unwind(AssertUnwindSafe(|| read(bytes, name)));
        read.unwrap_or_else(|_| Err(SheetError::damaged(name, "it is not as its format says")))
    }

    /// Whether a cell holds an error of the spreadsheet program instead of a value.
    pub fn is_error(cell: &str) -> bool {
        value::is_error(cell)
    }

    /// UTF-8 with a byte order mark, so that spreadsheet programs open it rightly, and CRLF.
    ///
    /// A cell that a spreadsheet program would take for a formula gets an apostrophe before it,
    /// which [`Sheet::read`] takes off again; numbers stay as they are.
    pub fn write_csv(&self) -> Vec<u8> {
        write::csv(self)
    }

    /// A workbook with one sheet of that title: headings bold, frozen and with filters, numbers
    /// and dates as such. Codes with leading zeros and telephone numbers stay text. The same table
    /// gives the same bytes.
    ///
    /// # Errors
    ///
    /// When the format cannot hold the table: 32,767 characters in a cell, 1,048,576 rows.
    pub fn write_xlsx(&self, title: &str) -> Result<Vec<u8>, SheetError> {
        write::xlsx(self, title)
    }
}

fn read(bytes: &[u8], name: &str) -> Result<Sheet, SheetError> {
    if bytes.len() > SHEET_BYTES_MAX {
        return Err(SheetError::too_large(name, "64 MiB"));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(SheetError::Empty(name.to_owned()));
    }
    if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return xls::read(bytes, name);
    }
    if bytes.starts_with(b"PK") {
        return match Archive::check(bytes, name)? {
            Archive::Xlsx => xlsx::read(bytes, name),
            Archive::Ods => ods::read(bytes, name),
        };
    }
    if let Some(what) = recognised(bytes) {
        return Err(SheetError::not_a_table(name, what));
    }
    text::read(bytes, name)
}

/// What a file is that is often taken for a table by mistake.
fn recognised(bytes: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&[u8], &str); 8] = [
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a picture"),
        (b"\xFF\xD8\xFF", "a picture"),
        (b"GIF8", "a picture"),
        (b"{\\rtf", "a text document"),
        (b"\x1F\x8B", "a compressed file"),
        (b"7z\xBC\xAF\x27\x1C", "a compressed file"),
        (b"Rar!", "a compressed file"),
    ];
    let known = BEGINNINGS
        .iter()
        .find(|(beginning, _)| bytes.starts_with(beginning));
    if let Some((_, what)) = known {
        return Some(what);
    }
    let text = bytes.trim_ascii_start();
    let begins = |word: &[u8]| {
        let start = text.get(..word.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if begins(b"<!doctype html") || begins(b"<html") || begins(b"<table") {
        return Some("a web page");
    }
    begins(b"<?xml").then_some("an XML file")
}
