//! Cells on their way into a sheet, within its bounds.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    SHEET_CELL_CHARS_MAX, SHEET_COLUMNS_MAX, SHEET_ROWS_MAX, Sheet, SheetError, SheetRow, value,
};

/// Most cells of a table, empty ones between others included.
const CELLS_MAX: usize = 10_000_000;
/// Most bytes of text in all cells together.
const TEXT_BYTES_MAX: usize = 256 << 20;

/// Rows with content, as far as they were read.
pub(super) struct Grid<'a> {
    name: &'a str,
    rows: BTreeMap<usize, Vec<String>>,
    cells: usize,
    text_bytes: usize,
}

impl<'a> Grid<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self {
            name,
            rows: BTreeMap::new(),
            cells: 0,
            text_bytes: 0,
        }
    }

    /// Puts a cell where the file says it is: `number` is the row as a person sees it, `column`
    /// counts from 0. Empty cells take no room.
    pub(super) fn put(
        &mut self,
        number: usize,
        column: usize,
        text: &str,
    ) -> Result<(), SheetError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        if column >= SHEET_COLUMNS_MAX {
            return Err(self.too_large(format!("{SHEET_COLUMNS_MAX} columns")));
        }
        // Characters are at most as many as bytes, and only long cells are worth counting.
        if text.len() > SHEET_CELL_CHARS_MAX && text.chars().count() > SHEET_CELL_CHARS_MAX {
            return Err(SheetError::CellTooLong {
                file: self.name.to_owned(),
                row: number,
            });
        }
        self.text_bytes = self.text_bytes.saturating_add(text.len());
        if self.text_bytes > TEXT_BYTES_MAX {
            return Err(self.too_large("256 MiB of text"));
        }
        let row = self.rows.entry(number).or_default();
        if let Some(added) = (column + 1).checked_sub(row.len()) {
            row.resize(column + 1, String::new());
            self.cells += added;
        }
        row[column] = text.to_owned();
        if self.cells > CELLS_MAX {
            return Err(self.too_large("10,000,000 cells"));
        }
        // One more for the headings.
        if self.rows.len() > SHEET_ROWS_MAX + 1 {
            return Err(self.too_large("200,000 rows"));
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table: its first row gives the headings.
    pub(super) fn finish(self) -> Result<Sheet, SheetError> {
        let columns = self.rows.values().map(Vec::len).max().unwrap_or(0);
        if columns.saturating_mul(self.rows.len()) > CELLS_MAX {
            return Err(self.too_large("10,000,000 cells"));
        }
        let mut rows = self.rows.into_iter();
        let Some((_, first)) = rows.next() else {
            return Err(SheetError::Empty(self.name.to_owned()));
        };
        let rows = rows.map(|(number, mut cells)| {
            cells.resize(columns, String::new());
            SheetRow { number, cells }
        });
        let rows = rows.collect();
        Ok(Sheet {
            headers: headings(first, columns),
            rows,
        })
    }

    fn too_large(&self, limit: impl Into<String>) -> SheetError {
        SheetError::too_large(self.name, limit)
    }
}

/// Headings for all columns: a missing one is named by its column, a second of a name counted.
fn headings(mut headings: Vec<String>, columns: usize) -> Vec<String> {
    headings.resize(columns, String::new());
    let mut taken = headings.iter().cloned().collect::<BTreeSet<_>>();
    let mut seen = BTreeSet::new();
    for (index, heading) in headings.iter_mut().enumerate() {
        if heading.is_empty() {
            let name = format!("Column {}", value::column_letters(index));
            *heading = free(name, &taken);
        } else if !seen.insert(heading.clone()) {
            *heading = free(heading.clone(), &taken);
        }
        taken.insert(heading.clone());
    }
    headings
}

/// The name itself, or the first of `name (2)`, `name (3)` and so on that is not taken.
fn free(name: String, taken: &BTreeSet<String>) -> String {
    let counted = (2..).map(|count| format!("{name} ({count})"));
    let mut names = std::iter::once(name.clone()).chain(counted);
    names.find(|name| !taken.contains(name)).unwrap_or(name)
}
