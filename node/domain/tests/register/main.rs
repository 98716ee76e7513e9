//! The national school register and the schools that people mean, told as stories.

mod made_up;
mod matching;
mod reading;
mod sample;
mod slips;
