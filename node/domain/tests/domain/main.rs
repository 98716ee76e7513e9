//! Records of two hubs, told as stories: each merge type, versions, publishing, people.

mod cards;
mod forks;
mod merging;
mod private;
mod publishing;
mod records;
mod world;
