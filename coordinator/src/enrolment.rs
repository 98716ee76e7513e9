//! How hubs' nodes are connected: the server's side of `causeway.enrolment.v1`.

mod attempts;
mod authority_request;
mod fields;
mod service;

pub use authority_request::{AuthorityRefusal, AuthorityRequest, Stands};
pub use service::{EnrolmentParts, EnrolmentService};
