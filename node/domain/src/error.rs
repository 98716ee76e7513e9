//! What is wrong with a record or a change of one.

use std::fmt;

use node_document::EditError;

/// One thing wrong with one field, in words for the person who fills it in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The field's path, as given.
    pub field: String,
    /// What is wrong and what is expected.
    pub message: String,
}

impl Problem {
    /// What is wrong with a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Why a record cannot be made, read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The content is not as declared; every problem is listed.
    #[error("{}", sentences(.0))]
    Problems(Vec<Problem>),
    /// The kind is not one that this version declares. An upgrade may know it.
    #[error("this version does not know records of the kind '{0}'; it carries them unharmed")]
    UnknownKind(String),
    /// The document holds a record already.
    #[error("there is a record here already")]
    Exists,
    /// A card was asked for as a document, or the other way round.
    #[error("a {0} is kept as the other form of record; documents and cards are not exchangeable")]
    Form(&'static str),
    /// A card's body is not one.
    #[error("the card cannot be read: {0}")]
    Card(String),
    /// The document does not take the change.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl From<Problem> for RecordError {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}

fn sentences(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
