//! Tables as files that spreadsheet programs open.

use std::borrow::Cow;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, PrimitiveDateTime, Time};

use super::{Sheet, SheetError, SheetRow};

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");
const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]");

/// The format's own bound on a cell.
const XLSX_CELL_MAX: usize = 32_767;
/// More digits than these are no longer exact, so such numbers stay text.
const DIGITS_MAX: usize = 15;
const WIDTH_MIN: usize = 6;
const WIDTH_MAX: usize = 60;
/// How many rows are looked at for a column's width.
const WIDTH_ROWS: usize = 1_000;

pub(super) fn csv(sheet: &Sheet) -> Vec<u8> {
    let mut text = String::from("\u{FEFF}");
    let rows = sheet.rows.iter().map(|row| &row.cells);
    for cells in std::iter::once(&sheet.headers).chain(rows) {
        for (column, cell) in cells.iter().enumerate() {
            if column > 0 {
                text.push(',');
            }
            push_cell(&mut text, cell, cells.len() == 1);
        }
        text.push_str("\r\n");
    }
    text.into_bytes()
}

pub(super) fn xlsx(sheet: &Sheet, title: &str) -> Result<Vec<u8>, SheetError> {
    workbook(sheet, title).map_err(|error| SheetError::Unwritable(error.to_string()))
}

/// Whether a spreadsheet program would take a cell for a formula, or for one behind apostrophes.
pub(super) fn is_dangerous(cell: &str) -> bool {
    let cell = cell.trim_start_matches('\'');
    cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_plain_number(cell)
}

fn push_cell(text: &mut String, cell: &str, alone: bool) {
    let defused = if is_dangerous(cell) { "'" } else { "" };
    // A row of one empty cell would be an empty line, which readers pass over.
    let quoted = cell.contains([',', ';', '\t', '"', '\n', '\r']) || (alone && cell.is_empty());
    if quoted {
        text.push('"');
        text.push_str(defused);
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(defused);
        text.push_str(cell);
    }
}

fn workbook(sheet: &Sheet, title: &str) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The time of writing is nobody's business here: the same table gives the same bytes.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    let properties = DocProperties::new().set_title(title);
    workbook.set_properties(&properties.set_creation_datetime(&created));
    let formats = Formats::new();
    let worksheet = workbook.add_worksheet();
    worksheet.set_name(sheet_name(title))?;
    for (column, heading) in (0..).zip(&sheet.headers) {
        worksheet.write_string_with_format(0, column, &*fitting(heading), &formats.bold)?;
        let index = usize::from(column);
        worksheet.set_column_width(column, width(sheet, index, heading))?;
    }
    for (row, SheetRow { cells, .. }) in (1..).zip(&sheet.rows) {
        for (column, cell) in (0..).zip(cells) {
            formats.write(worksheet, row, column, cell)?;
        }
    }
    worksheet.set_freeze_panes(1, 0)?;
    let last_column = u16::try_from(sheet.headers.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let last_row = u32::try_from(sheet.rows.len()).unwrap_or(u32::MAX);
    if !sheet.headers.is_empty() {
        worksheet.autofilter(0, 0, last_row, last_column)?;
    }
    workbook.save_to_buffer()
}

/// A text as far as a cell holds it, with a mark where it was cut.
fn fitting(cell: &str) -> Cow<'_, str> {
    const MARK: char = '…';
    if cell.len() <= XLSX_CELL_MAX || cell.encode_utf16().count() <= XLSX_CELL_MAX {
        return Cow::Borrowed(cell);
    }
    let mut units = 0;
    let end = cell.char_indices().find_map(|(at, char)| {
        units += char.len_utf16();
        (units + MARK.len_utf16() > XLSX_CELL_MAX).then_some(at)
    });
    let mut cut = cell[..end.unwrap_or(cell.len())].to_owned();
    cut.push(MARK);
    Cow::Owned(cut)
}

/// The looks of cells.
struct Formats {
    bold: Format,
    wrapped: Format,
    date: Format,
    time: Format,
    moment: Format,
    decimals: [Format; 9],
}

impl Formats {
    fn new() -> Self {
        let shown = |format: &str| Format::new().set_num_format(format);
        Self {
            bold: Format::new().set_bold(),
            wrapped: Format::new().set_text_wrap(),
            date: shown("dd/mm/yyyy"),
            time: shown("hh:mm"),
            moment: shown("dd/mm/yyyy hh:mm"),
            decimals: std::array::from_fn(|count| shown(&format!("0.{}", "0".repeat(count + 1)))),
        }
    }

    /// Writes a cell as what it is.
    fn write(
        &self,
        worksheet: &mut Worksheet,
        row: u32,
        column: u16,
        cell: &str,
    ) -> Result<(), XlsxError> {
        if cell.is_empty() {
            return Ok(());
        }
        let cell = &*fitting(cell);
        if let Some((number, decimals)) = exact_number(cell) {
            match decimals.checked_sub(1).and_then(|at| self.decimals.get(at)) {
                Some(format) => worksheet.write_number_with_format(row, column, number, format)?,
                None => worksheet.write_number(row, column, number)?,
            };
        } else if let Some((moment, format)) = self.moment(cell) {
            worksheet.write_datetime_with_format(row, column, moment, format)?;
        } else if cell.contains('\n') {
            worksheet.write_string_with_format(row, column, cell, &self.wrapped)?;
        } else {
            worksheet.write_string(row, column, cell)?;
        }
        Ok(())
    }

    /// A date, a time or both, as the program that opens the file counts them.
    fn moment(&self, cell: &str) -> Option<(ExcelDateTime, &Format)> {
        if !cell.starts_with(|char: char| char.is_ascii_digit()) {
            return None;
        }
        let day = |date: Date| {
            let year = u16::try_from(date.year()).ok()?;
            ExcelDateTime::from_ymd(year, u8::from(date.month()), date.day()).ok()
        };
        if let Ok(time) = Time::parse(cell, TIME) {
            let time = ExcelDateTime::from_hms(time.hour().into(), time.minute(), 0).ok()?;
            return Some((time, &self.time));
        }
        if let Ok(date) = Date::parse(cell, DATE) {
            return Some((day(date)?, &self.date));
        }
        let moment = PrimitiveDateTime::parse(cell, MOMENT).ok()?;
        let written = day(moment.date())?.and_hms(moment.hour().into(), moment.minute(), 0);
        Some((written.ok()?, &self.moment))
    }
}

/// A number that nothing is lost of when it is written as one, and its decimals: not codes with
/// leading zeros, not telephone numbers, not more digits than are kept.
fn exact_number(cell: &str) -> Option<(f64, usize)> {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = !whole.is_empty()
        && all_digits(whole)
        && all_digits(decimals)
        && (whole == "0" || !whole.starts_with('0'))
        && decimals.is_empty() != digits.contains('.')
        && whole.len() + decimals.len() <= DIGITS_MAX
        && cell != "-0";
    let number = plain.then(|| cell.parse::<f64>().ok()).flatten()?;
    Some((number, decimals.len()))
}

fn is_plain_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let allowed = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    digits.bytes().all(allowed) && digits.parse::<f64>().is_ok()
}

/// A title as the name of a sheet may be.
fn sheet_name(title: &str) -> String {
    let unfit = |char: char| char.is_control() || "[]:*?/\\".contains(char);
    let name = title.replace(unfit, " ");
    let name = name.trim_matches(|char: char| char == '\'' || char.is_whitespace());
    let mut units = 0;
    let name = name.chars().take_while(|char| {
        units += char.len_utf16();
        units <= 31
    });
    let name = name.collect::<String>();
    let name = name.trim_matches(|char: char| char == '\'' || char.is_whitespace());
    // One name is the program's own.
    if name.is_empty() || name.eq_ignore_ascii_case("history") {
        "Sheet".to_owned()
    } else {
        name.to_owned()
    }
}

fn width(sheet: &Sheet, column: usize, heading: &str) -> f64 {
    let longest_line = |text: &str| text.lines().map(|line| line.chars().count()).max();
    let cells = sheet.rows.iter().take(WIDTH_ROWS);
    let cells = cells.filter_map(|row| longest_line(row.cells.get(column)?));
    // The filter's button covers a part of the heading.
    let heading = longest_line(heading).unwrap_or(0) + 3;
    let width = cells.max().unwrap_or(0).max(heading) + 1;
    width.clamp(WIDTH_MIN, WIDTH_MAX) as f64
}
