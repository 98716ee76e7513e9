//! gRPC: sessions with peers, and the node's own service.

pub(crate) mod convert;
mod health;
mod hub;
pub(crate) mod packer;
mod scales;
mod status;
mod sync;

pub use convert::{FrameError, read_frame, write_frame};
pub use health::{health_service, reflection_service};
pub use hub::{HubService, hub_service};
pub use scales::Scales;
pub use status::status as record_status;
pub use sync::{SyncService, sync_service};
