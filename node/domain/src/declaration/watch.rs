//! What is raised to people, though every single edit was right.

/// Something to be raised. It stands among a record's versions until it no longer holds, or until
/// somebody says that it is well as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Its name in paths.
    pub name: &'static str,
    /// The sentence that people read.
    pub sentence: &'static str,
    /// When it holds.
    pub test: Test,
}

/// When a watch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Items of a list that are about the same say different things.
    Disagree {
        /// The list or log.
        list: &'static str,
        /// The fields in which they agree.
        about: &'static [&'static str],
        /// The field in which they differ.
        field: &'static str,
    },
    /// Two items of a list are the same.
    Same {
        /// The list or log.
        list: &'static str,
        /// The fields in which they agree, none of them empty.
        fields: &'static [&'static str],
    },
    /// A log says two things of the same that cannot both be.
    Exclude {
        /// The log.
        log: &'static str,
        /// Its field that names the thing.
        about: &'static str,
        /// Its field that holds the value.
        field: &'static str,
        /// The two values.
        values: (&'static str, &'static str),
    },
    /// The sum of a log's numbers is above a number of the record.
    Over {
        /// The log.
        log: &'static str,
        /// The number that is summed up.
        sum: &'static str,
        /// Only items with one of these values in this field.
        of: (&'static str, &'static [&'static str]),
        /// The number that it must not pass.
        limit: &'static str,
    },
    /// In one of these states the record is not what its latest frozen copy says.
    ChangedSince {
        /// The states.
        states: &'static [&'static str],
    },
    /// An item's field was written again while the record stood in one of these states.
    ChangedWhile {
        /// The list.
        list: &'static str,
        /// The field.
        field: &'static str,
        /// The record's state field.
        state: &'static str,
        /// The states.
        states: &'static [&'static str],
    },
    /// Elements of a set were put in when a text stood otherwise.
    Stale {
        /// The set.
        set: &'static str,
        /// The text.
        text: &'static str,
    },
    /// At least two items of a list have no answer yet and together ask for more than is left.
    Asked {
        /// The list or log of what is asked for.
        list: &'static str,
        /// How much each asks for.
        count: &'static str,
        /// The log of answers, and its field that names what it answers.
        answers: (&'static str, &'static str),
        /// The places from which it is given.
        places: &'static str,
    },
    /// The record stands in one of these states while one of its logs has items.
    Standing {
        /// The state field.
        state: &'static str,
        /// The states.
        states: &'static [&'static str],
        /// The list or log.
        list: &'static str,
        /// Only items with one of these values in this field; all if there is no value.
        of: (&'static str, &'static [&'static str]),
    },
    /// Other records of the kind hold the same value in this field, or the same element.
    SharedWith {
        /// The fields, all of which agree.
        fields: &'static [&'static str],
    },
    /// The record stands at one of these values while records of another kind refer to it.
    StillReferred {
        /// The field.
        field: &'static str,
        /// The values.
        values: &'static [&'static str],
        /// The field whose value the others hold; the record's id if empty.
        by: &'static str,
        /// The other kind.
        kind: &'static str,
        /// The other's field or `list/field` that refers.
        refers: &'static str,
        /// The other's field and its values for which it counts.
        standing: (&'static str, &'static [&'static str]),
    },
    /// The record stands at one of these values while this hub has changes that are not sent.
    Unsent {
        /// The field.
        field: &'static str,
        /// The values.
        values: &'static [&'static str],
    },
    /// A return's cells are not what the published summaries say.
    Differs,
}

impl Test {
    /// The fields in which another record of the kind must not agree, if that is what it looks at.
    pub(crate) const fn shared(&self) -> Option<&'static [&'static str]> {
        if let Self::SharedWith { fields } = self {
            Some(fields)
        } else {
            None
        }
    }
}
