//! Fields in words.

use crate::declaration::{Check, Class, Field, Filled, Form, Merge, Wins};
use node_feed::Writers;

pub(super) fn form(form: Form) -> &'static str {
    match form {
        Form::Document => "document",
        Form::Card => "card",
    }
}

pub(super) fn writers(writers: Writers) -> &'static str {
    match writers {
        Writers::Owner => "owner",
        Writers::Members => "members",
    }
}

pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::Shared => "shared",
        Class::Hub => "hub",
        Class::Personal => "personal",
    }
}

pub(super) fn filled(filled: Filled) -> &'static str {
    match filled {
        Filled::ByPerson => "person",
        Filled::ByProgram => "program",
        Filled::ByAuthor => "author",
    }
}

pub(super) fn merge(merge: Merge) -> &'static str {
    match merge {
        Merge::Value => "value",
        Merge::Text => "text",
        Merge::List(_) => "list",
        Merge::Set(_) => "set",
        Merge::Count => "count",
        Merge::Log(_) => "log",
        Merge::State(_) => "state",
        Merge::Places => "places",
    }
}

pub(super) fn wins(merge: Merge) -> Option<&'static str> {
    match merge {
        Merge::Set(Wins::Add) => Some("adding"),
        Merge::Set(Wins::Remove) => Some("removing"),
        Merge::Value
        | Merge::Text
        | Merge::List(_)
        | Merge::Count
        | Merge::Log(_)
        | Merge::State(_)
        | Merge::Places => None,
    }
}

pub(super) fn check_name(check: Check) -> &'static str {
    match check {
        Check::Text(_) => "text",
        Check::OneOf(_) => "one of",
        Check::Number(..) => "number",
        Check::YesNo => "yes or no",
        Check::Date => "date",
        Check::Time => "time",
        Check::AcademicYear => "academic year",
        Check::Urn => "URN",
        Check::Urns => "URNs",
        Check::Pence(..) => "pence",
        Check::Consent => "consent",
        Check::Email => "e-mail",
        Check::Reference(_) => "reference",
    }
}

/// What a field holds, in words.
pub(super) fn holds(field: &Field) -> String {
    let one = check(field.check);
    match field.merge {
        Merge::Value => one,
        Merge::Text => "a text that several people can edit at once".to_owned(),
        Merge::List(_) => "a list, in an order that people choose".to_owned(),
        Merge::Log(_) => "a log: items are only ever added".to_owned(),
        Merge::Set(Wins::Add) => format!("a set, each {one}; putting in wins over taking out"),
        Merge::Set(Wins::Remove) => format!("a set, each {one}; taking out wins over putting in"),
        Merge::Count => "a count to which people add".to_owned(),
        Merge::Places => "places that cannot be overspent, even offline".to_owned(),
        Merge::State(states) => {
            let steps = states.iter().map(|state| match state.next {
                [] => format!("{} (the end)", state.name),
                next => format!("{} → {}", state.name, next.join(" or ")),
            });
            format!("a state: {}", steps.collect::<Vec<_>>().join("; "))
        }
    }
}

fn check(check: Check) -> String {
    match check {
        Check::Text(most) => format!("a text of at most {most} characters"),
        Check::OneOf(codes) => format!("one of: {}", codes.join(", ")),
        Check::Number(least, most) => format!("a whole number from {least} to {most}"),
        Check::YesNo => "yes or no".to_owned(),
        Check::Date => "a date such as 2026-11-24".to_owned(),
        Check::Time => "a time such as 16:30".to_owned(),
        Check::AcademicYear => "an academic year such as 2026-27".to_owned(),
        Check::Urn => "a school's reference number of six digits".to_owned(),
        Check::Urns => "schools' reference numbers, separated by spaces".to_owned(),
        Check::Pence(least, most) => {
            format!("a sum of money from {} to {}", pounds(least), pounds(most))
        }
        Check::Consent => "yes or no, where a no beats every yes".to_owned(),
        Check::Email => "an e-mail address".to_owned(),
        Check::Reference(kind) => format!("the id of a {kind}"),
    }
}

fn pounds(pence: i64) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    let pence = pence.unsigned_abs();
    match pence % 100 {
        0 => format!("{sign}£{}", pence / 100),
        rest => format!("{sign}£{}.{rest:02}", pence / 100),
    }
}

/// What else is to be known of a field, in words.
pub(super) fn marks(field: &Field) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if field.required {
        marks.push("needed");
    }
    if field.identifies {
        marks.push("tells items apart");
    }
    if field.decide {
        marks.push("a person settles its versions");
    }
    if field.owner_only {
        marks.push("the owner alone fills it in");
    }
    match field.filled {
        Filled::ByPerson => {}
        Filled::ByProgram => marks.push("the program fills it in"),
        Filled::ByAuthor => marks.push("the hub that wrote the item, proven"),
    }
    match field.class {
        Class::Shared => {}
        Class::Hub => marks.push("never leaves the hub"),
        Class::Personal => marks.push("about a person"),
    }
    marks
}

/// Names as `a`, `a or b`, `a, b or c`.
pub(super) fn any(names: &[impl AsRef<str>]) -> String {
    joined(names, "or")
}

/// Names as `a`, `a and b`, `a, b and c`.
pub(super) fn all(names: &[impl AsRef<str>]) -> String {
    joined(names, "and")
}

fn joined(names: &[impl AsRef<str>], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [before @ .., end] => {
            let before = before.iter().map(AsRef::as_ref).collect::<Vec<_>>();
            format!("{} {last} {}", before.join(", "), end.as_ref())
        }
    }
}
