//! Sheets that people bring, told as stories.

mod any;
mod applicants;
mod groups;
mod rows;
mod world;
