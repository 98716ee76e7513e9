//! Looking through a whole audit log for the first line that is not what was written.

use rusqlite::types::ValueRef;

use super::AuditLog;
use super::chained_line::{AuditHead, hash};
use node_feed::Hash;

/// A log in which every line follows from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditVerified {
    /// Where it ends.
    pub head: AuditHead,
    /// Up to which line it was compared with what was remembered elsewhere; 0 if nothing was.
    pub remembered: u64,
}

/// The first thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditFault {
    /// A line is not what was written, or does not follow from the one before it.
    #[error(
        "line {0} is not what was written: it was changed, moved, or another one before it was. \
         Compare with a copy of the file from before"
    )]
    Changed(u64),
    /// A line is not there, and later ones are.
    #[error("line {0} is missing, and later ones are there: it was taken out")]
    Missing(u64),
    /// The end is not there.
    #[error(
        "the log ends with line {last}, and line {remembered} had been written: its end was cut off"
    )]
    CutOff {
        /// The last line.
        last: u64,
        /// The one that was remembered elsewhere.
        remembered: u64,
    },
    /// The lines follow from each other, but are others than were written.
    #[error(
        "line {0} is another one than was written: the log was replaced, or written anew from \
         some line before it"
    )]
    Replaced(u64),
    /// The file gives no further lines.
    #[error("line {number} cannot be read: {why}. Compare with a copy of the file from before")]
    Unreadable {
        /// The line.
        number: u64,
        /// What SQLite says.
        why: String,
    },
}

impl AuditLog {
    /// Looks through the whole log: whether each line follows from the one before it, and whether
    /// the line that was `remembered` elsewhere is the one that stands here. `looked` is told now and
    /// then how many lines that were.
    ///
    /// Whoever can write both files and knows the format can write a log that passes: it shows what
    /// was changed by accident, or by somebody who did not also change what is remembered elsewhere.
    ///
    /// # Errors
    /// [`AuditFault`], the first that is found.
    pub fn verify(
        &self,
        remembered: Option<AuditHead>,
        mut looked: impl FnMut(u64),
    ) -> Result<AuditVerified, AuditFault> {
        let unreadable = |number: u64| {
            move |error: rusqlite::Error| AuditFault::Unreadable {
                number,
                why: error.to_string(),
            }
        };
        // By the numbers of its rows alone: an index may be damaged apart from them.
        let sql =
            "SELECT number, time_ms, kind, fields, hash FROM lines NOT INDEXED ORDER BY number";
        let mut head = AuditHead::NONE;
        let mut statement = self.connection.prepare(sql).map_err(unreadable(1))?;
        let mut rows = statement.query([]).map_err(unreadable(1))?;
        loop {
            let number = head.number + 1;
            let Some(row) = rows.next().map_err(unreadable(number))? else {
                break;
            };
            let raw = |at: usize| row.get_ref(at).map_err(unreadable(number));
            let (ValueRef::Integer(found), ValueRef::Integer(time_ms)) = (raw(0)?, raw(1)?) else {
                return Err(AuditFault::Changed(number));
            };
            if found.cast_unsigned() != number {
                return Err(AuditFault::Missing(number));
            }
            let texts = (raw(2)?.as_str(), raw(3)?.as_str(), raw(4)?.as_blob());
            let (Ok(kind), Ok(fields), Ok(stored)) = texts else {
                return Err(AuditFault::Changed(number));
            };
            let follows = hash(&head.hash, number, time_ms.cast_unsigned(), kind, fields);
            if Hash::try_from(stored) != Ok(follows) {
                return Err(AuditFault::Changed(number));
            }
            head = AuditHead {
                number,
                hash: follows,
            };
            if remembered.is_some_and(|it| it.number == number && it.hash != follows) {
                return Err(AuditFault::Replaced(number));
            }
            if number.is_multiple_of(10_000) {
                looked(number);
            }
        }
        let remembered = remembered.map_or(0, |it| it.number);
        if head.number < remembered {
            return Err(AuditFault::CutOff {
                last: head.number,
                remembered,
            });
        }
        Ok(AuditVerified { head, remembered })
    }
}
