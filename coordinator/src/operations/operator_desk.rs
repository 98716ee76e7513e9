//! The operator's desk: what somebody signed in may do with connections.

use std::time::Duration;

use node::accounts::{AccountId, Session};
use node::enrolment::Invitation;
use node::records::{Desk, RecordsError};
use node_domain::Duty;

use super::{Attempt, Decided, Health, OperationError, Operations, Revocation, Waiting};

/// What a role reaches of the connections of hubs. It exists only for a role that looks after
/// them, and everything done through it leaves an audit line without a name in it.
#[derive(Debug, Clone)]
pub struct OperatorDesk {
    operations: Operations,
    who: AccountId,
}

impl Operations {
    /// The desk of somebody who looks after connections.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role in which this person acts does not.
    pub fn operator_desk(
        &self,
        session: &Session,
        desk: &Desk,
    ) -> Result<OperatorDesk, RecordsError> {
        desk.check(Duty::Connections)?;
        Ok(OperatorDesk {
            operations: self.clone(),
            who: session.account.id,
        })
    }
}

impl OperatorDesk {
    /// How every hub stands, the silent ones first.
    ///
    /// # Errors
    /// As for [`Operations::health`].
    pub fn health(&self, silent_for: Duration) -> Result<Health, OperationError> {
        self.operations.health(silent_for)
    }

    /// The requests to connect that wait.
    ///
    /// # Errors
    /// As for [`Operations::waiting`].
    pub fn waiting(&self) -> Result<Vec<Waiting>, OperationError> {
        self.operations.waiting()
    }

    /// The attempts that came to nothing.
    ///
    /// # Errors
    /// As for [`Operations::connection_attempts`].
    pub fn connection_attempts(&self) -> Result<Vec<Attempt>, OperationError> {
        self.operations.connection_attempts()
    }

    /// What revoking a hub would end.
    ///
    /// # Errors
    /// As for [`Operations::revocation`].
    pub fn revocation(&self, code: &str) -> Result<Revocation, OperationError> {
        self.operations.revocation(code)
    }

    /// Admits a node that waits.
    ///
    /// # Errors
    /// As for [`Operations::admit_waiting`].
    pub fn admit(&self, which: &str) -> Result<Decided, OperationError> {
        self.noted("admitted a hub", which, |operations| {
            operations.admit_waiting(which, &self.who.to_string())
        })
    }

    /// Refuses a node that waits, with the reason that its hub reads.
    ///
    /// # Errors
    /// As for [`Operations::refuse_waiting`].
    pub fn refuse(&self, which: &str, why: &str) -> Result<Decided, OperationError> {
        self.noted("refused a hub", which, |operations| {
            operations.refuse_waiting(which, why, &self.who.to_string())
        })
    }

    /// Invites a hub; its node waits until it is admitted.
    ///
    /// # Errors
    /// As for [`Operations::invite_to_wait`].
    pub fn invite(&self, code: &str, name: &str, hours: u64) -> Result<Invitation, OperationError> {
        self.noted("invited a hub", code, |operations| {
            operations.invite_to_wait(code, name, hours)
        })
    }

    /// Refuses a hub's sessions for the time being.
    ///
    /// # Errors
    /// As for [`Operations::suspend`].
    pub fn suspend(&self, code: &str, why: &str) -> Result<(), OperationError> {
        self.noted("suspended a hub", code, |operations| {
            operations.suspend(code, why)
        })
    }

    /// Lets a suspended hub back.
    ///
    /// # Errors
    /// As for [`Operations::resume`].
    pub fn resume(&self, code: &str) -> Result<(), OperationError> {
        self.noted("let a hub back", code, |operations| operations.resume(code))
    }

    /// Ends all access of a hub, for good. `typed` is the hub's name as it was typed to confirm.
    ///
    /// # Errors
    /// [`OperationError::NotNamed`] if that is not its name; else as for
    /// [`Operations::revoke`].
    pub fn revoke(&self, code: &str, typed: &str, why: &str) -> Result<Revocation, OperationError> {
        let hub = self.operations.hub_by_code(code);
        let authority = self.operations.node().authority();
        let name = hub.and_then(|hub| authority.hubs().get(&hub).map(|it| it.name.clone()));
        let name = name.ok_or_else(|| OperationError::UnknownHub(code.to_owned()))?;
        if typed.trim().to_lowercase() != name.to_lowercase() {
            return Err(OperationError::NotNamed(name));
        }
        self.noted("revoked a hub", code, |operations| {
            operations.revoke(code, why)
        })
    }

    /// Does something, and notes it first: a crash in between may note too much, never too little.
    fn noted<T>(
        &self,
        event: &str,
        about: &str,
        work: impl FnOnce(&Operations) -> Result<T, OperationError>,
    ) -> Result<T, OperationError> {
        let accounts = self.operations.node().accounts();
        accounts
            .audit(Some(self.who), event, about, true)
            .map_err(|error| OperationError::Audit(error.to_string()))?;
        work(&self.operations)
    }
}
