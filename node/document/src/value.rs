//! Values.

use automerge::ScalarValue;

/// A value as it stands in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Known to be nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A short text that is replaced as a whole. Dates, times and codes are such texts.
    String(String),
    /// A text that several people can edit at once.
    Text(String),
    /// A count to which increments add up.
    Count(i64),
    /// Something that this version does not read; in words.
    Other(String),
}

impl Value {
    /// The text of a string or a text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Count(_) | Self::Other(_) => None,
        }
    }

    pub(crate) fn from_scalar(scalar: &ScalarValue) -> Self {
        match scalar {
            ScalarValue::Null => Self::Null,
            ScalarValue::Boolean(value) => Self::Bool(*value),
            ScalarValue::Int(value) => Self::Int(*value),
            ScalarValue::Uint(value) => {
                i64::try_from(*value).map_or_else(|_| Self::Other(value.to_string()), Self::Int)
            }
            ScalarValue::Str(text) => Self::String(text.to_string()),
            ScalarValue::Counter(counter) => Self::Count(i64::from(counter)),
            ScalarValue::F64(value) => Self::Other(value.to_string()),
            ScalarValue::Timestamp(value) => Self::Other(format!("the time {value}")),
            ScalarValue::Bytes(bytes) => Self::Other(format!("{} bytes", bytes.len())),
            ScalarValue::Unknown { .. } => Self::Other("a value of a newer kind".to_owned()),
        }
    }

    /// The scalar to put; nothing for a text, a count or what is not understood.
    pub(crate) fn to_scalar(&self) -> Option<ScalarValue> {
        match self {
            Self::Null => Some(ScalarValue::Null),
            Self::Bool(value) => Some(ScalarValue::Boolean(*value)),
            Self::Int(value) => Some(ScalarValue::Int(*value)),
            Self::String(text) => Some(ScalarValue::Str(text.as_str().into())),
            Self::Text(_) | Self::Count(_) | Self::Other(_) => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
