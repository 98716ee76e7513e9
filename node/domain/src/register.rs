//! The national school register, in the columns and the encoding of its own download.

mod columns;
mod meaning;
mod school;

use std::collections::BTreeMap;

use csv::{ByteRecord, ReaderBuilder};

pub use school::School;

use columns::{Columns, Encoding, LINK_COLUMNS, SCHOOL_COLUMNS};

/// Most bytes of a file: four times what the whole register has.
const BYTES_MAX: usize = 256 << 20;
/// Most problems that are kept; a file with more of them is another file.
const PROBLEMS_MAX: usize = 1_000;

/// Why a file is not the register. Bad rows are no reason; see [`Register::problems`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The heading row lacks what every row needs.
    #[error(
        "this is not the register's {file} file: its first row has no column '{column}'. Choose \
         the CSV as it was downloaded, unchanged"
    )]
    MissingColumn {
        /// Which of the register's files was expected.
        file: &'static str,
        /// The column's heading.
        column: &'static str,
    },
    /// Larger than any register.
    #[error("the file is larger than 256 MiB and is not the register")]
    TooLarge,
    /// The file cannot be read as CSV.
    #[error("the file cannot be read as CSV: {0}. Choose the file as it was downloaded")]
    Unreadable(String),
}

/// Something that is wrong with one row. The other rows are read all the same.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RegisterProblem {
    /// The row's number as a person sees it; the headings are row 1.
    pub row: usize,
    /// What is wrong, and what became of the row.
    pub reason: String,
}

/// The schools of the register, by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Register {
    schools: BTreeMap<String, School>,
    problems: Vec<RegisterProblem>,
    problems_left_out: usize,
}

impl Register {
    /// Reads the file of establishments, found by its headings; columns that are not needed may
    /// be missing, and their order does not matter. It is in the Windows code page, or in UTF-8.
    ///
    /// Of people nothing is read: the columns with head teachers' names are passed over.
    ///
    /// # Errors
    ///
    /// When it is another file, or too large to be the register.
    pub fn read(bytes: &[u8]) -> Result<Self, RegisterError> {
        let mut register = Self::default();
        let mut rows = Rows::new(bytes, "schools", SCHOOL_COLUMNS)?;
        while let Some((row, record)) = rows.next()? {
            match record.map(|record| School::from_record(&record)) {
                Ok(Ok((school, notes))) => {
                    for reason in notes {
                        register.problem(row, reason);
                    }
                    register.insert(row, school);
                }
                Ok(Err(reason)) | Err(reason) => register.leave_out(row, &reason),
            }
        }
        Ok(register)
    }

    /// Reads the file of links between establishments, which tells predecessors and successors.
    /// A link that stands at one end alone counts at both.
    ///
    /// # Errors
    ///
    /// When it is another file, or too large to be the register's.
    pub fn add_links(&mut self, bytes: &[u8]) -> Result<(), RegisterError> {
        let mut rows = Rows::new(bytes, "links", LINK_COLUMNS)?;
        while let Some((row, record)) = rows.next()? {
            let link = record.and_then(|record| {
                let urns = (record.urn("URN")?, record.urn("LinkURN")?);
                Ok((urns, record.text("LinkType")))
            });
            match link {
                Ok(((from, to), what)) => self.link(row, &from, &to, &what),
                Err(reason) => self.leave_out(row, &reason),
            }
        }
        Ok(())
    }

    /// The schools, by number.
    pub fn schools(&self) -> impl ExactSizeIterator<Item = &School> {
        self.schools.values()
    }

    /// The school with this number.
    pub fn get(&self, urn: &str) -> Option<&School> {
        self.schools.get(urn)
    }

    /// What was wrong with single rows, in the files' order; the first thousand.
    pub fn problems(&self) -> &[RegisterProblem] {
        &self.problems
    }

    /// How many more problems there were.
    pub fn problems_left_out(&self) -> usize {
        self.problems_left_out
    }

    fn insert(&mut self, row: usize, school: School) {
        if self.schools.contains_key(&school.urn) {
            let reason = format!("URN {} stands in an earlier row too", school.urn);
            self.leave_out(row, &reason);
        } else {
            self.schools.insert(school.urn.clone(), school);
        }
    }

    fn link(&mut self, row: usize, from: &str, to: &str, what: &str) {
        let what = what.to_ascii_lowercase();
        // Both words may be followed by more: "Successor - Split School".
        let (earlier, later) = if what.starts_with("successor") {
            (from, to)
        } else if what.starts_with("predecessor") {
            (to, from)
        } else {
            return;
        };
        if earlier == later {
            return self.leave_out(row, &format!("URN {from} is linked to itself"));
        }
        for urn in [earlier, later] {
            if !self.schools.contains_key(urn) {
                let reason = format!("URN {urn} is not among the schools");
                return self.leave_out(row, &reason);
            }
        }
        let add = |urns: &mut Vec<String>, urn: &str| {
            if !urns.iter().any(|known| known == urn) {
                urns.push(urn.to_owned());
            }
        };
        if let Some(school) = self.schools.get_mut(earlier) {
            add(&mut school.successors, later);
        }
        if let Some(school) = self.schools.get_mut(later) {
            add(&mut school.predecessors, earlier);
        }
    }

    fn leave_out(&mut self, row: usize, reason: &str) {
        self.problem(row, format!("{reason}; the row is left out"));
    }

    fn problem(&mut self, row: usize, reason: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(RegisterProblem { row, reason });
        } else {
            self.problems_left_out += 1;
        }
    }
}

/// The rows of a file, one at a time.
struct Rows<'a> {
    reader: csv::Reader<&'a [u8]>,
    record: ByteRecord,
    columns: Columns,
    encoding: Encoding,
    row: usize,
}

impl<'a> Rows<'a> {
    fn new(
        bytes: &'a [u8],
        file: &'static str,
        needed: &'static [(&'static str, bool)],
    ) -> Result<Self, RegisterError> {
        if bytes.len() > BYTES_MAX {
            return Err(RegisterError::TooLarge);
        }
        let (encoding, bytes) = Encoding::of(bytes);
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let mut record = ByteRecord::new();
        read(&mut reader, &mut record)?;
        let columns = Columns::find(&record, encoding, needed)
            .map_err(|column| RegisterError::MissingColumn { file, column })?;
        Ok(Self {
            reader,
            record,
            columns,
            encoding,
            row: 1,
        })
    }

    /// The next row with its number, or what is wrong with it; `None` at the end.
    #[expect(clippy::type_complexity, reason = "said once, and the parts are plain")]
    fn next(
        &mut self,
    ) -> Result<Option<(usize, Result<columns::Record<'_>, String>)>, RegisterError> {
        if !read(&mut self.reader, &mut self.record)? {
            return Ok(None);
        }
        self.row += 1;
        let record = self.columns.record(&self.record, self.encoding);
        Ok(Some((self.row, record)))
    }
}

fn read(reader: &mut csv::Reader<&[u8]>, record: &mut ByteRecord) -> Result<bool, RegisterError> {
    let read = reader.read_byte_record(record);
    read.map_err(|error| RegisterError::Unreadable(error.to_string()))
}
