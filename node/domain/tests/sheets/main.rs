//! Tables and calendars in and out, told as stories: what people bring, what they take away, what is no table.

mod calendar;
mod hostile;
mod made;
mod text;
mod workbooks;
mod writing;
