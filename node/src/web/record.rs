//! What follows from a kind's declaration: how a record is shown and filled in.
//!
//! A kind needs no code beside its declaration: sections, tables, forms and what a form says all
//! come from it. Pages made by hand take the parts that they need from here.

mod address;
mod choices;
mod control;
mod difference;
mod draft;
mod items;
mod list_query;
mod names;
mod once;
mod opened;
mod save;
mod section;
mod typed;
mod value;

pub use address::{change_path, item_path, list_path, new_item_path, record_path};
pub use choices::Choices;
pub(crate) use control::found;
pub use control::{Filling, control, fields_of, now_says, placed, problem_of};
pub use difference::{changed, field_at, place_of, shown_at, words_at};
pub use draft::{draft_of, form};
pub use items::{Shown, item_title, items_table};
pub use list_query::{Cell, Filter, ListQuery, filters_of};
pub use names::Names;
pub use once::{added_by, adds};
pub use opened::{Opened, about, marks_of, title_tag};
pub use save::{Editing, Saved, Saving, save, told_meanwhile};
pub(crate) use save::{refused_with, save_with};
pub use section::{section, sections, summary_rows};
pub use typed::{as_typed, changes_from, values_from};
pub use value::{state_tag, value, words_of};
