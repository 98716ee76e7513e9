//! Records of two hubs, told as stories: each merge type, versions, publishing, people.

mod cards;
mod merging;
mod publishing;
mod records;
mod world;
