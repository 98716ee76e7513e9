//! What may leave a record, and under which agreement.

use node_feed::SpaceKind;

/// What may be published from a record as a record of the same or another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publishing {
    /// The kind of the copy.
    pub to: &'static str,
    /// From where to where, one step at a time.
    pub stage: Stage,
    /// What must be agreed first.
    pub agreement: Agreement,
    /// Field by field, where the copy's content comes from.
    pub fields: &'static [Published],
    /// What must not be passed, or nothing leaves.
    pub limits: &'static [Limit],
    /// The states in which the record may leave; all if none is named.
    pub states: &'static [&'static str],
    /// Whether this is the only way there: nobody writes such a copy, or what it publishes in one,
    /// by hand.
    pub only: bool,
}

/// A step from one kind of space to a wider one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Where the record stands.
    pub from: SpaceKind,
    /// Where the copy goes.
    pub into: SpaceKind,
}

/// What must be agreed before anything leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// The data agreement of the project, signed by this hub, must list the field.
    Signed,
    /// Whoever publishes decides, having seen what leaves.
    OwnWord,
    /// The person's own consent, in this field of the card; withdrawing it takes the copy back.
    OptIn(&'static str),
}

/// What must not be passed by what leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The list.
    pub list: &'static str,
    /// The number in each of its items.
    pub field: &'static str,
    /// The most that it may be.
    pub most: i64,
    /// What people call it, as in "files of at most 10 MB".
    pub what: &'static str,
}

/// One field of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The field of the copy.
    pub to: &'static str,
    /// Where its content comes from.
    pub from: Source,
}

/// Where the content of a published field comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The field of that name, as it is: a value, text, state, count or set.
    Copy(&'static str),
    /// The items of a list or log, with these of their fields.
    Items(&'static str, &'static [&'static str]),
    /// The hash of the latest frozen copy.
    FrozenHash,
    /// The hub that publishes, unless the record says already who made it first.
    FirstMadeBy(&'static str),
    /// How many items of a list have a value in one of their fields.
    CountItems {
        /// The list.
        list: &'static str,
        /// The field of its items.
        field: &'static str,
        /// The value to count.
        value: &'static str,
    },
    /// How many items of a list stand at a value in the latest entry of a log about them.
    CountLatest {
        /// The log.
        log: &'static str,
        /// The log's field that names the item.
        about: &'static str,
        /// The log's field that holds the value.
        field: &'static str,
        /// The value to count.
        value: &'static str,
    },
    /// For each value of one field of a list's items, the mean of a number in them, in hundredths.
    Means {
        /// The list.
        list: &'static str,
        /// The field whose values are told apart.
        by: &'static str,
        /// The number.
        field: &'static str,
    },
    /// The distinct schools of a list, by URN, with the furthest status of those from there.
    Schools {
        /// The list, whose items have `urn` and `organisation`.
        list: &'static str,
        /// The log of statuses, whose items have `member`, `status` and `as_at`.
        log: &'static str,
    },
}

/// What guests see of a record: nothing before it was released, and then the frozen copies of
/// these fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// The fields.
    pub fields: &'static [&'static str],
    /// The text that hubs endorse, and the set of hubs that do.
    pub endorsed: (&'static str, &'static str),
}

/// A published field that is a copy of the field of the same name.
pub(crate) const fn copy(name: &'static str) -> Published {
    Published {
        to: name,
        from: Source::Copy(name),
    }
}

/// A published list with these fields of the items of the list of the same name.
pub(crate) const fn copies(name: &'static str, fields: &'static [&'static str]) -> Published {
    Published {
        to: name,
        from: Source::Items(name, fields),
    }
}
