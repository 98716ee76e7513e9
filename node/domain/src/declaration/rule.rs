//! What holds whenever a record is written: what merging cannot keep.

/// A rule. Each is kept by the node that writes, before it signs; what comes from elsewhere
/// against a rule is shown with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Bringing something to one of `values` in a log takes a place, and away from them gives it
    /// back. Without a place `otherwise` is written instead, and the writer is told. Where no
    /// places were ever issued, there is no bound.
    Spends {
        /// The log.
        log: &'static str,
        /// Its field that names the thing.
        about: &'static str,
        /// Its field that holds the value.
        field: &'static str,
        /// The values that need a place.
        values: &'static [&'static str],
        /// The places.
        places: &'static str,
        /// How many places a thing needs: a number field of the log's item; one if empty.
        count: &'static str,
        /// What is written where there is none.
        otherwise: &'static str,
    },
    /// A step to one of `to` needs these fields filled in.
    Needs {
        /// The state field.
        state: &'static str,
        /// The states.
        to: &'static [&'static str],
        /// The fields.
        fields: &'static [&'static str],
    },
    /// A step to one of `to` needs the versions of these fields settled, or the yes/no field
    /// `unless` to say that they stand as they are.
    Settled {
        /// The state field.
        state: &'static str,
        /// The states.
        to: &'static [&'static str],
        /// The fields.
        fields: &'static [&'static str],
        /// What lets it pass.
        unless: &'static str,
    },
    /// In these states the fields cannot be changed. If `proposals` names a log, a change of a
    /// text becomes a proposal in it; otherwise it is refused.
    Locked {
        /// The state field.
        state: &'static str,
        /// The states.
        when: &'static [&'static str],
        /// The fields.
        fields: &'static [&'static str],
        /// The log for proposals, whose items have `field` and `text`; refused if empty.
        proposals: &'static str,
    },
    /// Only the record's owner takes the step to one of `to`.
    OwnerSteps {
        /// The state field.
        state: &'static str,
        /// The states.
        to: &'static [&'static str],
    },
    /// An item of a list keeps its content once it is there: a change is a new item.
    Kept {
        /// The list.
        list: &'static str,
        /// The fields that stay.
        fields: &'static [&'static str],
        /// The state field and the states in which this holds; always if empty.
        when: (&'static str, &'static [&'static str]),
    },
    /// An item of a log or list that names another item must name one that is there.
    Names {
        /// The log or list.
        list: &'static str,
        /// The field that names.
        field: &'static str,
        /// The list whose items are named.
        of: &'static str,
    },
}

/// When a copy of a record is kept for good, with its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freezing {
    /// The state field.
    pub state: &'static str,
    /// The states with whose beginning a copy is kept.
    pub at: &'static [&'static str],
    /// The log of copies, whose items have `version`, `state`, `on`, `hash` and `content`.
    pub copies: &'static str,
    /// The fields that are kept; all but the copies if none is named.
    pub fields: &'static [&'static str],
}

/// What puts a list into order: what several people say of each item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranking {
    /// The list.
    pub list: &'static str,
    /// The log of scores.
    pub scores: &'static str,
    /// The score's field that names the item.
    pub about: &'static str,
    /// The score's field that names who gave it; the latest of each counts.
    pub by: &'static str,
    /// The score.
    pub score: &'static str,
    /// The log that gets an entry when the order is confirmed, whose items have `about`,
    /// `outcome` and `on`.
    pub decisions: &'static str,
}

/// A number that is counted from other records whenever this one is read, and never entered: how
/// many of them refer to what one of its fields names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// The number.
    pub field: &'static str,
    /// The kind of the others.
    pub kind: &'static str,
    /// Their field, or `list/field`, that refers.
    pub refers: &'static str,
    /// The field of this record that names what they refer to.
    pub by: &'static str,
    /// Only others with one of these values in this field; all if there is no value.
    pub standing: (&'static str, &'static [&'static str]),
}

/// The items of a record that stand in calendars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    /// The list.
    pub list: &'static str,
    /// The day.
    pub date: &'static str,
    /// The time at which it starts.
    pub start: &'static str,
    /// Where it is.
    pub venue: &'static str,
    /// Its state, in which `cancelled` means what it says.
    pub state: &'static str,
}
