//! The kinds of record, declared, and everything that works from the declarations.
//!
//! A kind is a table: fields with labels, merge types and checks. From it records are created,
//! edited, read, checked, listed and published; versions that a person must settle are found and
//! history is told. This crate knows no network and no store.

mod agreement;
mod bring_back;
mod calendar;
mod card;
mod change;
mod check;
mod comparison;
mod concerned;
mod conflict;
mod dated;
mod declaration;
mod delegation;
mod endorsement;
mod error;
mod evaluation;
mod export;
mod fields;
mod figures;
mod fork;
mod frozen;
mod history;
mod import;
mod kinds;
mod measures;
mod people;
mod picture;
mod places;
mod problems;
mod proven;
mod publish;
mod ranking;
mod reach;
mod read;
mod references;
mod register;
mod released;
mod returns;
mod roles;
mod row;
mod rules;
pub mod sample;
mod schema;
mod school_name;
mod schools;
mod settle;
mod settled;
mod sheet;
mod standing;
mod states;
mod sums;
mod synthesis;
mod undo;
mod watches;
mod write;
mod writer;

pub use agreement::{Unsigned, signed_fields, signed_until, unsigned};
pub use bring_back::bring_back;
pub use calendar::{Calendar, CalendarEvent};
pub use card::{CardConflict, CardRecord, CardSays};
pub use change::FieldChange;
pub use check::is_day;
pub use comparison::{Comparison, HubLine, OutcomeMean, comparison};
pub use concerned::{Concerned, concerned, concerned_in};
pub use conflict::{
    Conflict, ConflictCause, ConflictVersion, VersionCounts, counts_of, version_counts, versions,
};
pub use dated::{DatedItem, dated_items};
pub use declaration::{
    Agreement, Check, Class, Concerns, Counting, Dated, Field, Filled, Form, Freezing, Kind, Limit,
    Merge, Published, Publishing, Ranking, Released, Rule, Section, Source, Stage, State, Test,
    Watch, Wins,
};
pub use delegation::{Delegation, delegations, holds_delegations};
pub use endorsement::{Endorsement, endorsements, endorsements_of};
pub use error::{Problem, RecordError};
pub use evaluation::{Disagreement, Evaluation, Narrative, OutcomeRating, evaluation};
pub use export::{
    Complete, CompleteDamage, CompleteRead, CompleteRecord, Manifest, ManifestFile, items_sheet,
    list_sheet, read_jsonl, recreate, write_jsonl,
};
pub use figures::{Figures, figures};
pub use fork::{Offer, fork, offers};
pub use frozen::{Difference, FrozenCopy, differences, differs_from_frozen, frozen_copies};
pub use history::{HistoryStep, history, history_between};
pub use import::{
    ColumnUse, Found, FoundSchool, Import, ImportCounts, ImportIndex, ImportInto, ImportOptions,
    ImportedPerson, ImportedRow, Known, RowOutcome, SchoolQuestion, Schools, TypedSchoolRef,
    import_key, plan_import,
};
pub use kinds::{
    COMMISSION, FORUM_THREAD, GROUP_SUMMARY, HUB, HUB_PROFILE, KINDS, LEADER, LEADER_DAYS,
    ORGANISATION, OUTCOMES, PARTNER, PERSON, PLAN, PRACTICE, PROGRAMME, PROJECT, PROJECT_WORK,
    RETURN, STRATEGIC_GROUP, UNKNOWN, UNKNOWN_CARD, WORK_GROUP, kind, kind_at,
};
pub use measures::{Cell, Computed, Counted, MEASURES, Measure, compute, measure, rates};
pub use people::{Likely, duplicates, known_names, merged};
pub use picture::{
    Basis, Correction, Mapped, Mapping, Picture, SubmittedReturn, Sums, Wanted, picture,
};
pub use problems::{card_problems, problems};
pub use publish::{Preview, Publish, preview_card, preview_document, publishing_step};
pub use ranking::{Ranked, ranking};
pub use reach::{Alliance, AreaSchool, Connection, REACHED_FROM, Reach, Reached, reach};
pub use read::{kind_name, kind_of, kind_or_unknown, missing, read};
pub use references::{Reference, references_in, references_in_changes, renamed, replace_reference};
pub use register::{Register, RegisterError, RegisterProblem, School};
pub use released::{ReleasedCopy, ReleasedView, released};
pub use returns::{ReturnDifference, ReturnOf, return_difference, return_fields};
pub use roles::{
    ChangedBy, Duty, Held, May, Own, ROLES, Records, Role, Seen, check_changes, check_made, reads,
    role, visible, writes,
};
pub use row::{Row, row, title};
pub use schema::{
    rule_sentence, schema_json, schema_markdown, schema_text, schema_version, watch_sentence,
};
pub use schools::{
    KnownSchool, MatchedSchool, SCHOOL_ASKED_FROM, SCHOOL_SURE_FROM, SchoolMatch, SchoolMatcher,
    TypedSchool,
};
pub use settle::{reopen, settle, settle_raised};
pub use settled::{Settled, raised_is_settled, settled};
pub use sheet::{
    SHEET_BYTES_MAX, SHEET_CELL_CHARS_MAX, SHEET_COLUMNS_MAX, SHEET_ROWS_MAX, Sheet, SheetError,
    SheetRow,
};
pub use sums::{Sum, sums};
pub use synthesis::{Position, Synthesis, synthesis};
pub use undo::{Undone, undone, undone_card};
pub use watches::cross_watches;
pub use write::{By, Written, create, edit};

/// A JSON object with its fields in order.
pub type Object = serde_json::Map<String, serde_json::Value>;
