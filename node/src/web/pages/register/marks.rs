//! Marks that a browser sends, each taken exactly once.
//!
//! A mark's key is made in the browser, once for each mark, and is the id of the item that the
//! mark becomes in the log of attendance. The same key can therefore never become a second item,
//! whatever was sent twice, in whatever order, before or after a crash: what says that a mark was
//! taken and the mark itself are one signed entry.

use std::collections::BTreeSet;

use node_document::EditError;
use node_domain::{FieldChange, Object, RecordError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::work_groups::{Group, json, today};
use crate::records::{Desk, RecordsError};

/// What can be marked.
pub(super) const MARKS: [&str; 4] = ["present", "absent", "part", "substitute"];
/// The most marks that come together.
const MARKS_MAX: usize = 200;
/// The most marks that one takes the place of.
const AFTER_MAX: usize = 100;
/// How long a key may be.
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 16..=40;
/// How often writing is tried anew because others wrote the same meanwhile.
const TRIES: usize = 3;

/// Marks as they come.
#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    /// The account that made them.
    pub(super) account: String,
    /// In the order in which they were made.
    pub(super) marks: Vec<SentMark>,
}

/// One mark.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct SentMark {
    /// Made once for this mark alone.
    pub(super) key: String,
    /// Who is marked.
    pub(super) member: String,
    /// As what.
    pub(super) mark: String,
    /// The items that whoever marked had seen: the one that stood, and earlier marks of their own.
    #[serde(default)]
    pub(super) after: Vec<String>,
    /// What the page was made from.
    #[serde(default)]
    pub(super) heads: String,
}

/// What became of a mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Taken {
    pub(super) key: String,
    /// Whether it is durable here.
    pub(super) saved: bool,
    /// Why it was not taken, or what else there is to know.
    pub(super) sentence: String,
}

/// Why none was taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// There is no such session in the group.
    NoSession,
    /// What came is not a list of marks.
    Unlike(&'static str),
    /// The records refused.
    Records(RecordsError),
}

impl From<RecordsError> for Refused {
    fn from(error: RecordsError) -> Self {
        Self::Records(error)
    }
}

/// Takes marks of a session, in order. Each that is told as saved is durable. Where no more can be
/// taken, as on a full disk, what became of those before is told, and nothing of the rest.
///
/// # Errors
/// [`Refused`], where it became of none.
pub(super) fn take(
    desk: &Desk,
    group: &str,
    session: &str,
    marks: &[SentMark],
) -> Result<Vec<Taken>, Refused> {
    if marks.len() > MARKS_MAX {
        return Err(Refused::Unlike(
            "more marks came at once than a register has",
        ));
    }
    if !desk.access(group)?.writes("attendance") {
        return Err(not_shown(desk).into());
    }
    let register = Register {
        desk,
        group,
        session,
    };
    let now = register.read()?;
    // Most come as they are expected, and are written as one entry.
    if marks.len() > 1 && all_fresh(&now, session, marks) {
        match register.write(&now.heads, marks) {
            Ok(()) => return Ok(marks.iter().map(saved).collect()),
            Err(RecordsError::Record(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut taken = Vec::new();
    for mark in marks {
        match register.take(mark) {
            Ok(outcome) => taken.push(outcome),
            Err(error) if taken.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(taken)
}

/// That a role does not have to do with registers.
pub(super) fn not_shown(desk: &Desk) -> RecordsError {
    RecordsError::Role(format!(
        "As {} you do not see or mark who takes part in this group.",
        desk.role().title.to_lowercase()
    ))
}

/// The register of one session.
struct Register<'a> {
    desk: &'a Desk,
    group: &'a str,
    session: &'a str,
}

/// How a mark stands to what is there.
enum Fit {
    /// It is there already.
    There,
    /// It cannot be taken.
    Unfit(String),
    /// It follows what is there.
    Follows,
    /// Somebody else marked the same otherwise, and whoever made this mark had not seen it.
    Beside(String),
}

impl Register<'_> {
    fn read(&self) -> Result<Group, Refused> {
        let group = Group::read(self.desk, self.group, &today())?;
        if group.session(self.session).is_none() {
            return Err(Refused::NoSession);
        }
        Ok(group)
    }

    fn take(&self, mark: &SentMark) -> Result<Taken, Refused> {
        let mut why = String::new();
        for _ in 0..TRIES {
            // A mark is written at what it was judged by: what comes in between stands beside it.
            let now = self.read()?;
            let (heads, sentence) = match fit(&now, self.session, mark) {
                Fit::There => return Ok(saved(mark)),
                Fit::Unfit(sentence) => return Ok(refused(mark, sentence)),
                Fit::Beside(sentence) if !mark.heads.is_empty() => (&mark.heads, sentence),
                Fit::Beside(sentence) => (&now.heads, sentence),
                Fit::Follows => (&now.heads, String::new()),
            };
            let marks = std::slice::from_ref(mark);
            let written = match self.write(heads, marks) {
                // The page is too old to stand beside what came since: it follows that.
                Err(error) if *heads != now.heads && is_too_old(&error) => {
                    self.write(&now.heads, marks)
                }
                written => written,
            };
            match written {
                Ok(()) => {
                    return Ok(Taken {
                        sentence,
                        ..saved(mark)
                    });
                }
                // The same may have been written in between; then it is there now. Otherwise it
                // is this mark alone that the record does not take.
                Err(RecordsError::Record(error)) => why = error.to_string(),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(refused(mark, why))
    }

    /// Writes marks as one entry, durably.
    fn write(&self, heads: &str, marks: &[SentMark]) -> Result<(), RecordsError> {
        let changes = marks.iter().map(|mark| {
            let values = [
                ("session", self.session),
                ("member", &mark.member),
                ("mark", &mark.mark),
            ];
            let values = values
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)));
            FieldChange::Add {
                field: "attendance".to_owned(),
                after: None,
                id: Some(item_of(&mark.key)),
                values: values.collect::<Object>(),
            }
        });
        let changes = changes.collect::<Vec<_>>();
        self.desk.edit(self.group, heads, &json(&changes))?;
        Ok(())
    }
}

/// Whether a change cannot be written at the heads that came with it.
const fn is_too_old(error: &RecordsError) -> bool {
    matches!(
        error,
        RecordsError::Heads
            | RecordsError::Record(RecordError::Edit(
                EditError::LanesTaken | EditError::UnknownHeads
            ))
    )
}

/// The id of the item that a mark with this key becomes.
pub(super) fn item_of(key: &str) -> String {
    format!("mark-{key}")
}

fn all_fresh(group: &Group, session: &str, marks: &[SentMark]) -> bool {
    let keys = marks.iter().map(|mark| mark.key.as_str());
    let members = marks.iter().map(|mark| mark.member.as_str());
    keys.collect::<BTreeSet<_>>().len() == marks.len()
        && members.collect::<BTreeSet<_>>().len() == marks.len()
        && marks
            .iter()
            .all(|mark| matches!(fit(group, session, mark), Fit::Follows))
}

fn fit(group: &Group, session: &str, mark: &SentMark) -> Fit {
    let plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if !KEY_LENGTH.contains(&mark.key.len()) || !mark.key.bytes().all(plain) {
        return Fit::Unfit("this mark has no key by which it could be told apart".to_owned());
    }
    if mark.after.len() > AFTER_MAX {
        return Fit::Unfit("this mark takes the place of too many".to_owned());
    }
    if let Some(there) = group.entered(&item_of(&mark.key)) {
        let same = (there.session.as_str(), &there.member, &there.mark)
            == (session, &mark.member, &mark.mark);
        return if same {
            Fit::There
        } else {
            Fit::Unfit("another mark was sent under the same key before".to_owned())
        };
    }
    let Some(member) = group.member(&mark.member) else {
        return Fit::Unfit("whoever was marked is no longer a member of this group".to_owned());
    };
    if !MARKS.contains(&mark.mark.as_str()) {
        return Fit::Unfit("a mark is present, absent, part or substitute".to_owned());
    }
    let standing = group.standing_marks(session);
    let standing = standing.get(mark.member.as_str());
    match standing {
        Some(there) if !mark.after.contains(&there.item) && there.mark != mark.mark => {
            Fit::Beside(format!(
                "{} was marked {} by somebody else meanwhile. Both marks are kept: choose one on \
                 the group's page.",
                member.organisation, there.mark
            ))
        }
        Some(_) | None => Fit::Follows,
    }
}

fn saved(mark: &SentMark) -> Taken {
    Taken {
        key: mark.key.clone(),
        saved: true,
        sentence: String::new(),
    }
}

fn refused(mark: &SentMark, sentence: String) -> Taken {
    Taken {
        saved: false,
        sentence,
        ..saved(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Group {
        let fields = serde_json::json!({
            "sessions": [{ "id": "s", "date": "2027-01-10" }],
            "members": [{ "id": "m", "organisation": "Oak" }, { "id": "n", "organisation": "Elm" }],
            "attendance": [
                { "id": "mark-aaaaaaaaaaaaaaaa", "session": "s", "member": "m", "mark": "present" },
            ],
        });
        let fields = fields.as_object().cloned().unwrap_or_default();
        Group::of("g".to_owned(), fields, "2027-02-20")
    }

    fn mark(key: &str, member: &str, mark: &str) -> SentMark {
        SentMark {
            key: key.repeat(16),
            member: member.to_owned(),
            mark: mark.to_owned(),
            ..SentMark::default()
        }
    }

    #[test]
    fn a_key_stands_for_one_mark_and_no_other() {
        let fit = |mark: &SentMark| fit(&group(), "s", mark);
        assert!(matches!(fit(&mark("a", "m", "present")), Fit::There));
        assert!(matches!(fit(&mark("a", "m", "absent")), Fit::Unfit(_)));
        assert!(matches!(fit(&mark("a", "n", "present")), Fit::Unfit(_)));
        assert!(matches!(fit(&mark("b", "n", "present")), Fit::Follows));
        for wrong in [
            mark("A", "n", "part"),
            mark("/", "n", "part"),
            mark("", "n", "part"),
        ] {
            assert!(matches!(fit(&wrong), Fit::Unfit(_)), "{}", wrong.key);
        }
    }

    #[test]
    fn a_mark_follows_what_its_maker_saw_and_stands_beside_what_others_wrote() {
        let fit = |mark: &SentMark| fit(&group(), "s", mark);
        let mut correction = mark("c", "m", "absent");
        assert!(matches!(fit(&correction), Fit::Beside(_)));
        correction.after.push(item_of(&"a".repeat(16)));
        assert!(matches!(fit(&correction), Fit::Follows));
        let same = mark("d", "m", "present");
        assert!(matches!(fit(&same), Fit::Follows), "both say the same");
    }

    #[test]
    fn only_what_is_new_and_apart_is_written_together() {
        let fresh = |marks: &[SentMark]| all_fresh(&group(), "s", marks);
        assert!(fresh(&[mark("e", "n", "present")]));
        assert!(!fresh(&[
            mark("e", "n", "present"),
            mark("e", "n", "present")
        ]));
        assert!(!fresh(&[
            mark("e", "n", "present"),
            mark("f", "n", "absent")
        ]));
        assert!(!fresh(&[
            mark("e", "n", "present"),
            mark("a", "m", "present")
        ]));
    }
}
