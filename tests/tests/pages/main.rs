//! The pages over HTTP, against real nodes: what a form says, what is merged, what is refused.

mod editing;
mod every_kind;
mod marks;
mod twice;
mod versions;
