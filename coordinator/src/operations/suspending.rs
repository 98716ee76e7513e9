//! Suspending a hub: its sessions end and none begin, until it is let in again. Its access and
//! all that it wrote stay as they are.

use coordinator_registry::Event;

use super::{OperationError, Operations};

impl Operations {
    /// Ends the sessions with a hub and refuses new ones, with a reason that it reads, until
    /// [`Operations::resume`]; also after a restart.
    ///
    /// # Errors
    /// [`OperationError`]; nothing was changed then.
    pub fn suspend(&self, code: &str, why: &str) -> Result<(), OperationError> {
        let hub = self.standing_hub(code)?;
        self.not_own(hub, code)?;
        self.parts.node.suspend(hub, why)?;
        let why = if why.is_empty() { "no reason" } else { why };
        self.note(Event::Suspended, Some(hub), format!("suspended: {why}"))
    }

    /// Lets a suspended hub in again.
    ///
    /// # Errors
    /// [`OperationError::NotSuspended`], or that it cannot be kept.
    pub fn resume(&self, code: &str) -> Result<(), OperationError> {
        let hub = self.known_hub(code)?;
        if !self.parts.node.resume(hub)? {
            return Err(OperationError::NotSuspended(code.to_owned()));
        }
        self.note(Event::Suspended, Some(hub), "let in again".to_owned())
    }
}
