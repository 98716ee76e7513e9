//! The words in which a kind of record is declared.
//!
//! A declaration is a table of constants. Everything else - forms, checks, merging, lists,
//! versions, history, publishing - works from it.

use node_feed::{SpaceKind, Writers};

/// A text may be replaced as a whole, one step for each character on either side, within what one
/// entry may hold.
const TEXT_CHARACTERS_MAX: usize = 40_000;

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name in addresses, commands and files.
    pub name: &'static str,
    /// What people call one.
    pub title: &'static str,
    /// What people call several.
    pub titles: &'static str,
    /// Whether it is kept with or without history.
    pub form: Form,
    /// The kinds of space it may stand in.
    pub spaces: &'static [SpaceKind],
    /// Who may write it.
    pub writers: Writers,
    /// Its fields, in the order in which people see them.
    pub fields: &'static [Field],
    /// The field that names a record.
    pub title_field: &'static str,
    /// The fields that lists show beside the title.
    pub columns: &'static [&'static str],
    /// The fields that search looks into.
    pub searched: &'static [&'static str],
    /// What may be published from it.
    pub publishing: Option<Publishing>,
}

/// How a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A document: merged, with history.
    Document,
    /// A card: current revisions only. All personal data is kept so.
    Card,
}

/// A field of a kind, or of an item of a list or log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name in files and commands.
    pub name: &'static str,
    /// What people read beside it.
    pub label: &'static str,
    /// How concurrent edits of it merge.
    pub merge: Merge,
    /// Whether a person must choose between concurrent values.
    pub decide: bool,
    /// Whether a record needs it.
    pub required: bool,
    /// Whether only the hub that owns the record fills it in, where others write the rest.
    pub owner_only: bool,
    /// Whom it may concern.
    pub class: Class,
    /// What its values must be.
    pub check: Check,
    /// A sentence of help.
    pub help: &'static str,
}

/// How concurrent edits of a field merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// All concurrent values stay; one is shown.
    Value,
    /// Two people's edits merge; where both wrote into one sentence, both are told.
    Text,
    /// Items with fields of their own, in an order that people choose.
    List(&'static [Field]),
    /// Elements that are in or out.
    Set(Wins),
    /// Increments add up.
    Count,
    /// Items that are only ever added; a correction is a new item.
    Log(&'static [Field]),
    /// A value with allowed steps; the first is the first state.
    State(&'static [State]),
    /// Places that cannot be overspent, even offline.
    Places,
}

/// Which of two concurrent wishes about an element of a set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wins {
    /// Adding: for tags and the like.
    Add,
    /// Removing: for access, consent and withdrawal.
    Remove,
}

/// A state and the states that may follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The state.
    pub name: &'static str,
    /// What may follow.
    pub next: &'static [&'static str],
}

/// Whom a field's content may concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Everybody who can read the record.
    Shared,
    /// The hub alone: never published.
    Hub,
    /// A person: in cards alone, never published.
    Personal,
}

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// A text of at most so many characters.
    Text(usize),
    /// One of a list of codes. A code from a newer list is carried and shown, but not entered.
    OneOf(&'static [&'static str]),
    /// A whole number between two.
    Number(i64, i64),
    /// Yes or no.
    YesNo,
    /// A day, as in 2026-11-24.
    Date,
    /// A time of day, as in 16:30.
    Time,
    /// An academic year, as in 2026-27.
    AcademicYear,
    /// A school's unique reference number: six digits.
    Urn,
    /// An e-mail address.
    Email,
    /// The id of another record or of a hub.
    Reference(&'static str),
}

/// What may be published from a record as a record of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publishing {
    /// The kind of the copy.
    pub to: &'static str,
    /// Field by field, where the copy's content comes from.
    pub fields: &'static [Published],
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
    /// The field of that name, as it is.
    Copy(&'static str),
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
    /// The distinct schools of a list, by URN, with the furthest status of those from there.
    Schools {
        /// The list, whose items have `urn` and `organisation`.
        list: &'static str,
        /// The log of statuses, whose items have `member`, `status` and `as_at`.
        log: &'static str,
    },
}

impl Kind {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    const fn new(name: &'static str, label: &'static str, merge: Merge, check: Check) -> Self {
        Self {
            name,
            label,
            merge,
            decide: false,
            required: false,
            owner_only: false,
            class: Class::Shared,
            check,
            help: "",
        }
    }

    /// A value.
    pub const fn value(name: &'static str, label: &'static str, check: Check) -> Self {
        Self::new(name, label, Merge::Value, check)
    }

    /// A text.
    pub const fn text(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Merge::Text, Check::Text(TEXT_CHARACTERS_MAX))
    }

    /// A list of items with these fields.
    pub const fn list(name: &'static str, label: &'static str, fields: &'static [Self]) -> Self {
        Self::new(name, label, Merge::List(fields), Check::Text(0))
    }

    /// A log of items with these fields.
    pub const fn log(name: &'static str, label: &'static str, fields: &'static [Self]) -> Self {
        Self::new(name, label, Merge::Log(fields), Check::Text(0))
    }

    /// A set of elements.
    pub const fn set(name: &'static str, label: &'static str, wins: Wins, check: Check) -> Self {
        Self::new(name, label, Merge::Set(wins), check)
    }

    /// A count.
    pub const fn count(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Merge::Count, Check::Number(i64::MIN, i64::MAX))
    }

    /// A state.
    pub const fn state(name: &'static str, label: &'static str, states: &'static [State]) -> Self {
        Self::new(name, label, Merge::State(states), Check::Text(60)).decide()
    }

    /// Places.
    pub const fn places(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Merge::Places, Check::Number(0, 100_000))
    }

    /// A person must choose between concurrent values.
    #[must_use]
    pub const fn decide(mut self) -> Self {
        self.decide = true;
        self
    }

    /// A record needs it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Only the owner fills it in.
    #[must_use]
    pub const fn owner_only(mut self) -> Self {
        self.owner_only = true;
        self
    }

    /// It concerns the hub alone.
    #[must_use]
    pub const fn hub(mut self) -> Self {
        self.class = Class::Hub;
        self
    }

    /// It concerns a person.
    #[must_use]
    pub const fn personal(mut self) -> Self {
        self.class = Class::Personal;
        self
    }

    /// A sentence of help.
    #[must_use]
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// The fields of its items, if it is a list or a log.
    pub const fn items(&self) -> Option<&'static [Self]> {
        match self.merge {
            Merge::List(fields) | Merge::Log(fields) => Some(fields),
            Merge::Value
            | Merge::Text
            | Merge::Set(_)
            | Merge::Count
            | Merge::State(_)
            | Merge::Places => None,
        }
    }
}

/// A state and what may follow it.
pub(crate) const fn state(name: &'static str, next: &'static [&'static str]) -> State {
    State { name, next }
}

/// A published field that is a copy of the field of the same name.
pub(crate) const fn copy(name: &'static str) -> Published {
    Published {
        to: name,
        from: Source::Copy(name),
    }
}
