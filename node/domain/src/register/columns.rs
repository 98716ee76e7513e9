//! The register's columns, found by their headings. What is not listed here is never read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use csv::ByteRecord;
use encoding_rs::{UTF_8, WINDOWS_1252};

/// The columns of the schools' file that are read, and whether the file must have them.
pub(super) const SCHOOL_COLUMNS: &[(&str, bool)] = &[
    ("URN", true),
    ("EstablishmentName", true),
    ("LA (code)", false),
    ("LA (name)", false),
    ("TypeOfEstablishment (name)", false),
    ("EstablishmentTypeGroup (name)", false),
    ("EstablishmentStatus (name)", false),
    ("OpenDate", false),
    ("CloseDate", false),
    ("PhaseOfEducation (name)", false),
    ("StatutoryLowAge", false),
    ("StatutoryHighAge", false),
    ("Trusts (name)", false),
    ("Town", false),
    ("Postcode", false),
    ("GOR (name)", false),
    ("Easting", false),
    ("Northing", false),
];

/// The columns of the links' file that are read.
pub(super) const LINK_COLUMNS: &[(&str, bool)] =
    &[("URN", true), ("LinkURN", true), ("LinkType", true)];

/// How a file's bytes are text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Encoding {
    Utf8,
    Windows,
}

impl Encoding {
    /// A file's encoding, and its bytes without a byte order mark.
    pub(super) fn of(bytes: &[u8]) -> (Self, &[u8]) {
        let unmarked = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        match str::from_utf8(unmarked) {
            Ok(_) => (Self::Utf8, unmarked),
            Err(_) => (Self::Windows, unmarked),
        }
    }

    fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        let encoding = match self {
            Self::Utf8 => UTF_8,
            Self::Windows => WINDOWS_1252,
        };
        encoding.decode_without_bom_handling(bytes).0
    }
}

/// Where in a row the columns stand that are read.
pub(super) struct Columns {
    at: BTreeMap<&'static str, usize>,
    count: usize,
}

impl Columns {
    /// Finds columns in the heading row; the error names one that the file must have and has not.
    pub(super) fn find(
        headings: &ByteRecord,
        encoding: Encoding,
        wanted: &'static [(&'static str, bool)],
    ) -> Result<Self, &'static str> {
        let mut at = BTreeMap::new();
        for (column, required) in wanted {
            let found = headings.iter().position(|heading| {
                let heading = encoding.decode(heading);
                heading.trim().eq_ignore_ascii_case(column)
            });
            match found {
                Some(index) => {
                    at.insert(*column, index);
                }
                None if *required => return Err(column),
                None => {}
            }
        }
        let count = headings.len();
        Ok(Self { at, count })
    }

    /// A row to read, or why it is none.
    pub(super) fn record<'a>(
        &'a self,
        record: &'a ByteRecord,
        encoding: Encoding,
    ) -> Result<Record<'a>, String> {
        if record.len() != self.count {
            return Err(format!(
                "the row has {} columns and the headings {}",
                record.len(),
                self.count
            ));
        }
        Ok(Record {
            columns: self,
            record,
            encoding,
        })
    }
}

/// One row, read by its columns' headings.
pub(super) struct Record<'a> {
    columns: &'a Columns,
    record: &'a ByteRecord,
    encoding: Encoding,
}

impl Record<'_> {
    /// A cell without the space around it; nothing where the file has no such column.
    pub(super) fn text(&self, column: &str) -> String {
        let index = self.columns.at.get(column);
        let bytes = index.and_then(|index| self.record.get(*index));
        let text = self.encoding.decode(bytes.unwrap_or_default());
        let text = text.trim();
        if text.contains(char::is_control) {
            return text.replace(char::is_control, " ");
        }
        text.to_owned()
    }

    /// A school's number.
    pub(super) fn urn(&self, column: &str) -> Result<String, String> {
        let urn = self.text(column);
        if urn.len() == 6 && urn.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(urn)
        } else {
            Err(format!("{column} '{}' has not six digits", shortened(&urn)))
        }
    }
}

/// A text as an error may repeat it.
pub(super) fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut short = text.chars().take(CHARS_MAX).collect::<String>();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
