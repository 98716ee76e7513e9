//! The words in which a kind of record is declared.
//!
//! A declaration is a table of constants. Everything else - forms, checks, merging, lists,
//! versions, history, publishing - works from it.

mod publishing;
mod rule;
mod section;
mod watch;

pub use publishing::{Agreement, Limit, Published, Publishing, Released, Source, Stage};
pub use rule::{Counting, Dated, Freezing, Ranking, Rule};
pub use section::Section;
pub use watch::{Test, Watch};

pub(crate) use publishing::{copies, copy};
pub(crate) use section::section;

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
    /// A sentence that says what one is.
    pub about: &'static str,
    /// Whether it is kept with or without history.
    pub form: Form,
    /// The kinds of space it may stand in.
    pub spaces: &'static [SpaceKind],
    /// Who may write it.
    pub writers: Writers,
    /// Whether, before everybody, only the coordinator's count: any hub may write there.
    pub coordinators: bool,
    /// Its fields, in the order in which people see them.
    pub fields: &'static [Field],
    /// The parts in which people see and fill them in, in order.
    pub sections: &'static [Section],
    /// The field that names a record.
    pub title_field: &'static str,
    /// The fields that lists show beside the title.
    pub columns: &'static [&'static str],
    /// The fields that search looks into.
    pub searched: &'static [&'static str],
    /// What lists can be filtered by beside the columns and references: fields, or `list/field`.
    pub filtered: &'static [&'static str],
    /// The fields that together tell two records apart, by which an import knows one again.
    pub key: &'static [&'static str],
    /// Whom its versions concern.
    pub concerns: Concerns,
    /// What holds whenever it is written.
    pub rules: &'static [Rule],
    /// What is raised to people, though every single edit was right.
    pub watches: &'static [Watch],
    /// When a copy of it is kept for good.
    pub frozen: Option<Freezing>,
    /// What puts a list of it into order.
    pub ranking: Option<Ranking>,
    /// The numbers in it that are counted from other records.
    pub counted: &'static [Counting],
    /// The items of it that stand in calendars.
    pub dated: Option<Dated>,
    /// What may be published from it, and where to.
    pub publishing: &'static [Publishing],
    /// The fields that a fork takes over; none if it is not forked.
    pub fork: &'static [&'static str],
    /// What guests see of it.
    pub released: Option<Released>,
}

/// Whom the versions of a kind concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concerns {
    /// The names of roles.
    pub roles: &'static [&'static str],
    /// The fields, or `list/field`, that refer to the people.
    pub persons: &'static [&'static str],
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
    /// Whether it tells two items of a list apart, together with the fields that they need.
    pub identifies: bool,
    /// Whether only the hub that owns the record fills it in, where others write the rest.
    pub owner_only: bool,
    /// Whether its values are hubs, by their codes.
    pub names_hub: bool,
    /// Who fills it in.
    pub filled: Filled,
    /// Whom it may concern.
    pub class: Class,
    /// What its values must be.
    pub check: Check,
    /// Other names that sheets give to it.
    pub aliases: &'static [&'static str],
    /// A sentence of help.
    pub help: &'static str,
}

/// Who fills a field in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// People.
    ByPerson,
    /// The program alone, as it does with a frozen copy.
    ByProgram,
    /// Nobody: it is the hub that wrote the item, proven by its signature.
    ByAuthor,
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
    /// A person: in cards alone, and published by the person's own wish alone.
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
    /// Schools' reference numbers, separated by spaces.
    Urns,
    /// A sum of money in whole pence, from the least to the most; entered as pounds too, as in
    /// `£1,250.50`.
    Pence(i64, i64),
    /// Yes or no, where one revision that says no beats every other: consent.
    Consent,
    /// An e-mail address.
    Email,
    /// The id of another record or of a hub.
    Reference(&'static str),
}

impl Kind {
    /// A kind of which nothing is declared yet.
    pub(crate) const BASE: Self = Self {
        name: "",
        title: "",
        titles: "",
        about: "",
        form: Form::Document,
        spaces: &[],
        writers: Writers::Owner,
        coordinators: false,
        fields: &[],
        sections: &[],
        title_field: "title",
        columns: &[],
        searched: &[],
        filtered: &[],
        key: &[],
        concerns: Concerns {
            roles: &["hub lead"],
            persons: &[],
        },
        rules: &[],
        watches: &[],
        frozen: None,
        ranking: None,
        counted: &[],
        dated: None,
        publishing: &[],
        fork: &[],
        released: None,
    };

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// What people call several, as it stands in an address: `leaders-days`.
    pub fn slug(&self) -> String {
        section::slug(self.titles)
    }

    /// The section with this slug.
    pub fn section(&self, slug: &str) -> Option<&'static Section> {
        self.sections.iter().find(|section| section.slug() == slug)
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
            identifies: false,
            owner_only: false,
            names_hub: false,
            filled: Filled::ByPerson,
            class: Class::Shared,
            check,
            aliases: &[],
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

    /// The hub that wrote the item: never entered, and proven.
    pub const fn author(name: &'static str, label: &'static str) -> Self {
        let mut field = Self::new(name, label, Merge::Value, Check::Text(60));
        field.filled = Filled::ByAuthor;
        field.names_hub = true;
        field
    }

    /// The program fills it in.
    #[must_use]
    pub const fn by_program(mut self) -> Self {
        self.filled = Filled::ByProgram;
        self
    }

    /// Other names that sheets give to it.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
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

    /// It tells two items of a list apart, by which an import knows one again.
    #[must_use]
    pub const fn identifies(mut self) -> Self {
        self.identifies = true;
        self
    }

    /// Only the owner fills it in.
    #[must_use]
    pub const fn owner_only(mut self) -> Self {
        self.owner_only = true;
        self
    }

    /// Its values are hubs, by their codes.
    #[must_use]
    pub const fn names_hub(mut self) -> Self {
        self.names_hub = true;
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
