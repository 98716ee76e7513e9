//! First start, bringing in, long work, restoring and serving, over HTTP as browsers ask.

mod asking;
mod bringing_in;
mod computers;
mod first_start;
mod long_work;
mod restoring;
mod safe;
mod serving;
