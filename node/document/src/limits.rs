//! Bounds of meaning. They are constants of the protocol version: every node draws the same line.

/// Operations that the changes of one entry may hold together.
pub const OPERATIONS_MAX: u64 = 100_000;
/// Changes that one entry may hold.
pub const CHANGES_MAX: usize = 1_000;
/// How deep an object may lie below the root.
pub const DEPTH_MAX: usize = 16;
/// Bytes of one string value, of one key, or of one mark's name.
pub const STRING_BYTES_MAX: u64 = 256 * 1024;
/// Bytes of one key.
pub const KEY_BYTES_MAX: u64 = 1_024;
/// Actors that one feed may have in one document.
pub const ACTORS_MAX: usize = 256;
/// Lanes beside the base actor.
pub const LANES_MAX: u8 = 64;
/// How far a change's operation counter may lie ahead of what it depends on. The counter is
/// 32 bits wide for the whole document; without this bound one change could use it up.
pub const COUNTER_GAP_MAX: u64 = 1_000_000;
/// The highest operation counter.
pub const COUNTER_MAX: u64 = u32::MAX as u64 / 2;

/// Bytes, inflated, of a packed document. What is larger travels as entries, and is no forgery. But
/// who packs it all the same is not believed: this bound and the next are the same everywhere too.
pub const COPY_BYTES_MAX: u64 = 128 << 20;
/// Operations, or changes, of a packed document.
pub const COPY_OPERATIONS_MAX: u64 = 4_000_000;
