//! The made-up world: alike for a seed, as large as a real year, valid, and untidy.

mod alike;
mod files;
mod size;
mod untidy;
mod valid;
