//! The register as a browser's store meets it: over plain HTTP, from any hand.

mod form;
mod hostile;
mod once;
