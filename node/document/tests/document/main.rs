//! What documents promise, told as stories between hubs.

mod archives;
mod copies;
mod gate;
mod hostile;
mod lanes;
mod order;
mod passes;
mod portions;
mod reading;
mod saving;
mod vectors;
mod world;
