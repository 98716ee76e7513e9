//! Why a file cannot be read as a table, or a table not be written as a file.

/// Why a file cannot be read as a table, or a table not be written. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SheetError {
    /// Nothing in it, or in none of its sheets.
    #[error("'{0}' is empty: choose a file with a row of headings and rows below it")]
    Empty(String),
    /// Something else: a PDF, a picture, a program.
    #[error(
        "'{file}' is {what} and no table: save the table as .xlsx, .ods or .csv, and choose that"
    )]
    NotATable {
        /// The file's name.
        file: String,
        /// What it is instead, with its article.
        what: String,
    },
    /// Encrypted.
    #[error("'{0}' is protected by a password: save a copy without one, and choose that")]
    Password(String),
    /// Cut short or not as its format says.
    #[error(
        "'{file}' is damaged: {reason}. Open it in the program that made it, save it again, and \
         choose that"
    )]
    Damaged {
        /// The file's name.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// Over a bound.
    #[error("'{file}' is too large: more than {limit}. Split it, and bring one part after another")]
    TooLarge {
        /// The file's name.
        file: String,
        /// The bound, with its unit.
        limit: String,
    },
    /// A cell with more characters than any field takes.
    #[error(
        "row {row} of '{file}' has a cell of more than 40,000 characters: shorten it, or close \
         the quotation mark that is open there"
    )]
    CellTooLong {
        /// The file's name.
        file: String,
        /// The row, as the person sees it.
        row: usize,
    },
    /// A quotation mark that swallowed the rest of the file.
    #[error("in row {row} of '{file}' a quotation mark is opened and never closed: close it")]
    OpenQuote {
        /// The file's name.
        file: String,
        /// The row, as the person sees it.
        row: usize,
    },
    /// The format that is written cannot hold the table.
    #[error("the table cannot be written: {0}. Choose CSV, which has no such limit")]
    Unwritable(String),
}

impl SheetError {
    pub(crate) fn not_a_table(file: &str, what: impl Into<String>) -> Self {
        Self::NotATable {
            file: file.to_owned(),
            what: what.into(),
        }
    }

    pub(crate) fn damaged(file: &str, reason: impl Into<String>) -> Self {
        Self::Damaged {
            file: file.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn too_large(file: &str, limit: impl Into<String>) -> Self {
        Self::TooLarge {
            file: file.to_owned(),
            limit: limit.into(),
        }
    }
}
