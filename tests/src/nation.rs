//! A whole nation of hubs in virtual time: the real engines under the load of a year.
//!
//! Where [`simulation`](crate::simulation) breaks things to see whether the promises hold, this
//! module breaks nothing and counts: bytes, messages, time and size, for 40 hubs or 4,000. Two
//! things keep it small. The year before the first day is held as heights alone, because an engine
//! never reads what both ends hold; and an entry is signed once and shared by all who store it.
//! Every engine still checks every run that it receives.

mod costs;
mod desk;
mod founding;
mod library;
mod line;
mod plan;
mod post;
mod report;
mod run;
mod week;

pub use costs::Traffic;
pub use plan::{Plan, Slot};
pub use report::{Measured, Phase, Report};
pub use run::simulate;
