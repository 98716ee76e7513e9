//! What people take away, told as stories.

mod complete;
mod lists;
mod world;
