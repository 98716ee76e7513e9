//! End to end: real nodes, TLS, SQLite and connections by invitation, in one process.

mod access;
mod apart;
mod archives;
mod backups;
mod checkpoints;
mod first_copy;
mod hostile;
mod identity;
mod leaving;
mod limits;
mod long_document;
mod loss;
mod misused;
mod pages;
mod private;
mod receipts;
mod reconnecting;
mod verify;
