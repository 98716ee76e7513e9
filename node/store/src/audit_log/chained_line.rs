//! A line of the audit log, and how it is hashed together with the one before it.

use std::collections::BTreeMap;

use node_feed::{Hash, Tag};

/// What a line tells, by names: ids, codes of hubs, roles and counts.
pub type AuditFields = BTreeMap<String, String>;

/// A line that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    /// When, in ms since 1970.
    pub time_ms: u64,
    /// What happened, in a few words that stay what they are.
    pub kind: String,
    /// To what.
    pub fields: AuditFields,
}

/// A line as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainedLine {
    /// Its number, from 1 on.
    pub number: u64,
    /// When, in ms since 1970.
    pub time_ms: u64,
    /// What happened.
    pub kind: String,
    /// To what.
    pub fields: AuditFields,
    /// Over all of it and the hash of the line before.
    pub hash: Hash,
}

/// Where a log ends: the number and the hash of its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// The number; 0 of a log without lines.
    pub number: u64,
    /// The hash.
    pub hash: Hash,
}

impl AuditHead {
    /// Of a log without lines.
    pub const NONE: Self = Self {
        number: 0,
        hash: Hash::ZERO,
    };

    /// As it is kept elsewhere: 40 bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        [&self.number.to_le_bytes()[..], self.hash.as_bytes()].concat()
    }

    /// From what [`AuditHead::to_bytes`] made; none if it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (number, hash) = bytes.split_at_checked(8)?;
        Some(Self {
            number: u64::from_le_bytes(number.try_into().ok()?),
            hash: Hash::try_from(hash).ok()?,
        })
    }
}

impl ChainedLine {
    pub(super) fn after(head: &AuditHead, line: &NewLine) -> Self {
        let number = head.number + 1;
        let text = to_text(&line.fields);
        Self {
            number,
            time_ms: line.time_ms,
            kind: line.kind.clone(),
            fields: line.fields.clone(),
            hash: hash(&head.hash, number, line.time_ms, &line.kind, &text),
        }
    }

    /// Where the log ends that ends with this line.
    pub const fn head(&self) -> AuditHead {
        AuditHead {
            number: self.number,
            hash: self.hash,
        }
    }
}

/// The fields as they are stored and hashed: a JSON object of texts, in the order of their names.
pub(super) fn to_text(fields: &AuditFields) -> String {
    let fields = fields
        .iter()
        .map(|(name, text)| (name.clone(), text.clone().into()));
    serde_json::Value::Object(fields.collect()).to_string()
}

/// The hash of a line; docs/protocol.md says it in bytes.
pub(super) fn hash(previous: &Hash, number: u64, time_ms: u64, kind: &str, fields: &str) -> Hash {
    let length = u32::try_from(kind.len()).unwrap_or(u32::MAX);
    let parts: [&[u8]; 6] = [
        previous.as_bytes(),
        &number.to_le_bytes(),
        &time_ms.to_le_bytes(),
        &length.to_le_bytes(),
        kind.as_bytes(),
        fields.as_bytes(),
    ];
    Hash::of(Tag::Audit, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_line_never_change() {
        let fields = [("who", "0102"), ("about", "a \"role\"")];
        let fields = fields.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let line = NewLine {
            time_ms: 1_800_000_000_000,
            kind: "account made".to_owned(),
            fields: fields.into(),
        };
        let first = ChainedLine::after(&AuditHead::NONE, &line);
        assert_eq!(
            to_text(&first.fields),
            r#"{"about":"a \"role\"","who":"0102"}"#
        );
        assert_eq!(
            first.hash.to_string(),
            "dd3ca0dcacfc59bd16aa6688beb7fb592a84b50ba6a0eb9e646a8ce5c6b8a75c"
        );
        let second = ChainedLine::after(&first.head(), &line);
        assert_eq!(second.number, 2);
        assert_eq!(
            second.hash.to_string(),
            "af90f72671c30485ec9371ac107d78ba345811ada704708403fc284816dacfd0"
        );
    }

    #[test]
    fn a_head_is_kept_as_bytes() {
        let head = AuditHead {
            number: 7,
            hash: Hash::from_bytes([9; 32]),
        };
        assert_eq!(AuditHead::from_bytes(&head.to_bytes()), Some(head));
        assert_eq!(AuditHead::from_bytes(&[1; 39]), None);
        assert_eq!(AuditHead::from_bytes(&[]), None);
    }
}
