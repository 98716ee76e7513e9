//! Excel workbooks.

use std::io::Cursor;

use calamine::{DataRef, Reader, SheetVisible, Xlsx, XlsxError};

use super::grid::Grid;
use super::{Sheet, SheetError, value};

pub(super) fn read(bytes: &[u8], name: &str) -> Result<Sheet, SheetError> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| refusal(&error, name))?;
    let since_1904 = workbook.has_1904_epoch();
    let sheets = workbook.sheets_metadata().iter();
    let sheets = sheets.map(|sheet| (sheet.visible != SheetVisible::Visible, sheet.name.clone()));
    let mut sheets = sheets.collect::<Vec<_>>();
    // Stable: otherwise in the workbook's order.
    sheets.sort_by_key(|(hidden, _)| *hidden);
    for (_, sheet) in sheets {
        let grid = match read_sheet(&mut workbook, &sheet, since_1904, name) {
            Ok(grid) => grid,
            // A sheet that is one chart, say.
            Err(Fault::Xlsx(XlsxError::NotAWorksheet(_))) => continue,
            Err(Fault::Xlsx(error)) => return Err(refusal(&error, name)),
            Err(Fault::Sheet(error)) => return Err(error),
        };
        if !grid.is_empty() {
            return grid.finish();
        }
    }
    Err(SheetError::Empty(name.to_owned()))
}

enum Fault {
    Xlsx(XlsxError),
    Sheet(SheetError),
}

impl From<XlsxError> for Fault {
    fn from(error: XlsxError) -> Self {
        Self::Xlsx(error)
    }
}

impl From<SheetError> for Fault {
    fn from(error: SheetError) -> Self {
        Self::Sheet(error)
    }
}

/// Cell by cell: the file's own word on how many rows and columns it has is not asked for.
fn read_sheet<'n>(
    workbook: &mut Xlsx<Cursor<&[u8]>>,
    sheet: &str,
    since_1904: bool,
    name: &'n str,
) -> Result<Grid<'n>, Fault> {
    let mut grid = Grid::new(name);
    let mut cells = workbook.worksheet_cells_reader(sheet)?;
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        let text = match &cell.value {
            DataRef::Empty if cell.formula.is_some() => value::NO_VALUE.to_owned(),
            DataRef::Empty => continue,
            DataRef::Int(whole) => whole.to_string(),
            DataRef::Float(number) => value::number(*number),
            DataRef::String(text) => text.clone(),
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::Bool(boolean) => value::boolean(*boolean),
            DataRef::DateTime(moment) if moment.is_duration() => value::duration(moment.as_f64()),
            DataRef::DateTime(moment) => value::moment(moment.as_f64(), since_1904),
            DataRef::DateTimeIso(text) => value::iso_moment(text),
            DataRef::DurationIso(text) => value::iso_duration(text),
            DataRef::Error(error) => value::error(&error.to_string()),
        };
        let (row, column) = cell.pos;
        let number = usize::try_from(row).unwrap_or(usize::MAX).saturating_add(1);
        grid.put(number, usize::try_from(column).unwrap_or(usize::MAX), &text)?;
    }
    Ok(grid)
}

fn refusal(error: &XlsxError, name: &str) -> SheetError {
    if matches!(error, XlsxError::Password) {
        return SheetError::Password(name.to_owned());
    }
    SheetError::damaged(name, error.to_string())
}
