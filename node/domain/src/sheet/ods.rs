//! OpenDocument workbooks.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use zip::ZipArchive;

use super::archive::refusal;
use super::grid::Grid;
use super::{SHEET_CELL_CHARS_MAX, SHEET_COLUMNS_MAX, SHEET_ROWS_MAX, Sheet, SheetError, value};

const MANIFEST_BYTES_MAX: u64 = 1 << 20;

pub(super) fn read(bytes: &[u8], name: &str) -> Result<Sheet, SheetError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refusal(error, name))?;
    if is_encrypted(&mut archive) {
        return Err(SheetError::Password(name.to_owned()));
    }
    let content = archive
        .by_name("content.xml")
        .map_err(|error| refusal(error, name))?;
    let mut reader = Reader::from_reader(BufReader::new(content));
    reader.config_mut().expand_empty_elements = true;
    Content::new(name).read(&mut reader)
}

/// Whether the manifest says that what the file holds is encrypted.
fn is_encrypted<R: Read + Seek>(archive: &mut ZipArchive<R>) -> bool {
    let Ok(manifest) = archive.by_name("META-INF/manifest.xml") else {
        return false;
    };
    let mut bytes = Vec::new();
    let read = manifest.take(MANIFEST_BYTES_MAX).read_to_end(&mut bytes);
    read.is_ok() && memchr::memmem::find(&bytes, b"encryption-data").is_some()
}

/// Where reading stands in the content.
struct Content<'n> {
    name: &'n str,
    grid: Grid<'n>,
    tables: usize,
    /// Whether the table that is read is hidden, and the first hidden one with content.
    hidden: bool,
    hidden_grid: Option<Grid<'n>>,
    style: String,
    hidden_styles: BTreeSet<String>,
    /// Rows above the one that is read.
    rows: usize,
    /// How many rows stand here as one.
    row_repeats: usize,
    /// The cells of the row, each with its first column and how many columns it fills.
    row: Vec<(usize, usize, String)>,
    columns: usize,
    cell: Option<Cell>,
    /// How deep reading is in what is beside the table: comments, drawings.
    aside: usize,
    depth: usize,
}

/// A cell that is being read.
struct Cell {
    repeats: usize,
    /// Its value, where it does not stand in its text.
    value: Option<String>,
    error: bool,
    text: String,
    paragraphs: usize,
    in_paragraph: bool,
}

impl<'n> Content<'n> {
    fn new(name: &'n str) -> Self {
        Self {
            name,
            grid: Grid::new(name),
            tables: 0,
            hidden: false,
            hidden_grid: None,
            style: String::new(),
            hidden_styles: BTreeSet::new(),
            rows: 0,
            row_repeats: 1,
            row: Vec::new(),
            columns: 0,
            cell: None,
            aside: 0,
            depth: 0,
        }
    }

    fn read<R: BufRead>(mut self, reader: &mut Reader<R>) -> Result<Sheet, SheetError> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let event = reader.read_event_into(&mut buffer);
            match event.map_err(|error| SheetError::damaged(self.name, error.to_string()))? {
                Event::Start(start) => {
                    self.depth += 1;
                    self.start(&start)?;
                }
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.end(end.name().as_ref())? && !self.hidden {
                        return self.grid.finish();
                    }
                }
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(text) => self.text(&text.xml10_content())?,
                Event::GeneralRef(entity) => self.entity(&entity)?,
                Event::Eof if self.depth > 0 => {
                    return Err(SheetError::damaged(self.name, "it ends in the middle"));
                }
                Event::Eof if self.tables == 0 => {
                    let what = "a document without a table";
                    return Err(SheetError::not_a_table(self.name, what));
                }
                Event::Eof => {
                    let last = Some(self.grid).filter(|grid| self.hidden && !grid.is_empty());
                    let empty = || SheetError::Empty(self.name.to_owned());
                    return self.hidden_grid.or(last).ok_or_else(empty)?.finish();
                }
                Event::Empty(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_) => {}
            }
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), SheetError> {
        if self.aside > 0 {
            self.aside += 1;
            return Ok(());
        }
        match start.name().as_ref() {
            // A table within a cell, a comment and a drawing are not of this table.
            "table:table" if self.cell.is_some() => self.aside = 1,
            "office:annotation" | "draw:frame" | "table:shapes" => self.aside = 1,
            "table:table" => {
                let grid = std::mem::replace(&mut self.grid, Grid::new(self.name));
                if self.hidden && self.hidden_grid.is_none() && !grid.is_empty() {
                    self.hidden_grid = Some(grid);
                }
                self.tables += 1;
                let style = self.attribute(start, "table:style-name")?;
                self.hidden = style.is_some_and(|style| self.hidden_styles.contains(&style));
                self.rows = 0;
            }
            "style:style" => {
                self.style = self.attribute(start, "style:name")?.unwrap_or_default();
            }
            "style:table-properties" => {
                let display = self.attribute(start, "table:display")?;
                if display.as_deref() == Some("false") {
                    self.hidden_styles.insert(self.style.clone());
                }
            }
            "table:table-row" => {
                self.row.clear();
                self.columns = 0;
                self.row_repeats = self.repeats(start, "table:number-rows-repeated")?;
            }
            "table:table-cell" | "table:covered-table-cell" => {
                self.cell = Some(self.begin_cell(start)?);
            }
            "text:s" => {
                let spaces = self.repeats(start, "text:c")?.min(SHEET_CELL_CHARS_MAX);
                self.text(&" ".repeat(spaces))?;
            }
            "text:tab" => self.text("\t")?,
            "text:line-break" => self.text("\n")?,
            "text:p" | "text:h" => {
                if let Some(cell) = &mut self.cell {
                    if cell.paragraphs > 0 {
                        cell.text.push('\n');
                    }
                    cell.paragraphs += 1;
                    cell.in_paragraph = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a table with content ends here.
    fn end(&mut self, element: &str) -> Result<bool, SheetError> {
        if self.aside > 0 {
            self.aside -= 1;
            return Ok(false);
        }
        match element {
            "table:table" => return Ok(!self.grid.is_empty()),
            "table:table-row" => self.end_row()?,
            "table:table-cell" | "table:covered-table-cell" => {
                if let Some(cell) = self.cell.take() {
                    let column = self.columns;
                    self.columns = column.saturating_add(cell.repeats);
                    let repeats = cell.repeats;
                    let text = cell.finish();
                    if !text.trim().is_empty() {
                        self.row.push((column, repeats, text));
                    }
                }
            }
            "text:p" | "text:h" => {
                if let Some(cell) = &mut self.cell {
                    cell.in_paragraph = false;
                }
            }
            _ => {}
        }
        Ok(false)
    }

    fn end_row(&mut self) -> Result<(), SheetError> {
        let first = self.rows;
        self.rows = first.saturating_add(self.row_repeats);
        let row = std::mem::take(&mut self.row);
        if row.is_empty() {
            return Ok(());
        }
        // The table's own bound ends this when a file claims more.
        for number in (first..self.rows).take(SHEET_ROWS_MAX + 2) {
            for (column, repeats, text) in &row {
                let columns = *column..column.saturating_add(*repeats);
                for column in columns.take(SHEET_COLUMNS_MAX + 1) {
                    self.grid.put(number.saturating_add(1), column, text)?;
                }
            }
        }
        Ok(())
    }

    fn begin_cell(&self, start: &BytesStart<'_>) -> Result<Cell, SheetError> {
        let value_type = self.attribute(start, "office:value-type")?;
        let text_of = |key| self.attribute(start, key);
        let value = match value_type.as_deref().unwrap_or_default() {
            "float" | "percentage" | "currency" => text_of("office:value")?.map(|text| {
                let number = text.parse::<f64>();
                number.map_or(text, value::number)
            }),
            "date" => text_of("office:date-value")?.map(|text| value::iso_moment(&text)),
            "time" => text_of("office:time-value")?.map(|text| value::iso_duration(&text)),
            "boolean" => {
                text_of("office:boolean-value")?.map(|text| value::boolean(text == "true"))
            }
            "string" => text_of("office:string-value")?,
            _ => None,
        };
        let calculated = text_of("calcext:value-type")?;
        Ok(Cell {
            repeats: self.repeats(start, "table:number-columns-repeated")?,
            value,
            error: calculated.as_deref() == Some("error"),
            text: String::new(),
            paragraphs: 0,
            in_paragraph: false,
        })
    }

    fn text(&mut self, text: &str) -> Result<(), SheetError> {
        let Some(cell) = self.cell.as_mut().filter(|cell| cell.in_paragraph) else {
            return Ok(());
        };
        if self.aside > 0 {
            return Ok(());
        }
        cell.text.push_str(text);
        // Four bytes are the most that a character takes.
        if cell.text.len() > 4 * SHEET_CELL_CHARS_MAX {
            return Err(SheetError::CellTooLong {
                file: self.name.to_owned(),
                row: self.rows.saturating_add(1),
            });
        }
        Ok(())
    }

    fn entity(&mut self, entity: &BytesRef<'_>) -> Result<(), SheetError> {
        let known = quick_xml::escape::resolve_xml_entity(entity.as_ref());
        if let Some(known) = known {
            return self.text(known);
        }
        match entity.resolve_char_ref() {
            Ok(Some(char)) => self.text(char.encode_utf8(&mut [0; 4])),
            Ok(None) | Err(_) => Err(SheetError::damaged(self.name, "it has an unknown entity")),
        }
    }

    /// How often something stands there; once, unless it says otherwise.
    fn repeats(&self, start: &BytesStart<'_>, key: &str) -> Result<usize, SheetError> {
        let Some(repeats) = self.attribute(start, key)? else {
            return Ok(1);
        };
        repeats
            .parse()
            .map_err(|_| SheetError::damaged(self.name, format!("{key} is '{repeats}'")))
    }

    fn attribute(&self, start: &BytesStart<'_>, key: &str) -> Result<Option<String>, SheetError> {
        let damaged = |error: String| SheetError::damaged(self.name, error);
        let Some(attribute) = start
            .try_get_attribute(key)
            .map_err(|error| damaged(error.to_string()))?
        else {
            return Ok(None);
        };
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| damaged(error.to_string()))?;
        Ok(Some(value.into_owned()))
    }
}

impl Cell {
    fn finish(self) -> String {
        if self.error {
            return value::error(&self.text);
        }
        match self.value {
            Some(value) if !value.is_empty() => value,
            _ => self.text,
        }
    }
}
