//! What people do on the pages, in a real browser against real nodes.
//!
//! Each test keeps pictures of what it saw in `target/screenshots`. Without Chromium and its
//! driver they are skipped, and say so.

mod everywhere;
mod first_start;
mod hub;
mod nation;
mod records;
mod shared;
mod work_groups;
