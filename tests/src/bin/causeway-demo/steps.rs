//! The steps of the story, one file each.

pub(crate) mod apart;
pub(crate) mod begun;
pub(crate) mod killed;
pub(crate) mod private;
pub(crate) mod rebuilt;
pub(crate) mod reunited;
pub(crate) mod set_back;
pub(crate) mod set_up;
pub(crate) mod together;
