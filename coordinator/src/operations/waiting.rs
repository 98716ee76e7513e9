//! The waiting room: requests to connect that an operator admits or refuses.

use std::sync::{MutexGuard, PoisonError};

use coordinator_registry::{ConnectionRequest, RequestState};
use node::clock::now_ms;
use node::enrolment::{CheckNumber, CheckParts};
use node_feed::{HubId, NodeId, PublicKey};

use super::{OperationError, Operations};

/// Characters that a reason for a refusal may have.
const REASON_CHARACTERS_MAX: usize = 500;

/// A node's request to connect, which waits for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its hub's code.
    pub code: String,
    /// Its hub's name.
    pub name: String,
    /// The six digits that the node shows too, and that are never sent; empty before the node has taken
    /// part in making them.
    pub check_number: String,
    /// Since when it waits, in ms since 1970.
    pub since_ms: u64,
    /// When it lapses if nobody decides, in ms since 1970.
    pub lapses_ms: u64,
    /// The address that it came from.
    pub address: String,
    /// The node.
    pub node: NodeId,
}

/// What an operator decided on a request to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The request.
    pub request: Waiting,
    /// It had been decided so before; nothing was changed now.
    pub already: bool,
}

/// An attempt to connect that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When, in ms since 1970.
    pub time_ms: u64,
    /// The code of the hub that it named, if there is such a hub.
    pub hub: Option<String>,
    /// Why, as the node was told.
    pub reason: String,
}

impl Operations {
    /// The requests to connect that wait, the newest first.
    ///
    /// # Errors
    /// [`OperationError::Registry`].
    pub fn waiting(&self) -> Result<Vec<Waiting>, OperationError> {
        let requests = self.parts.registry.requests(now_ms())?;
        let waiting = requests
            .iter()
            .filter(|request| request.state == RequestState::Waiting);
        Ok(waiting.map(|request| self.shown(request)).collect())
    }

    /// Admits the node whose request waits: `which` is its hub's code, its check number or its id,
    /// `by` who decides. The node has access once this returns. Asked again it changes nothing.
    ///
    /// # Errors
    /// [`OperationError::NotWaiting`] if no such request waits, or several,
    /// [`OperationError::NoCheckNumber`] if there is nothing yet to compare; otherwise as
    /// [`Operations::admit`]. Nothing was admitted then.
    pub fn admit_waiting(&self, which: &str, by: &str) -> Result<Decided, OperationError> {
        let _deciding = self.deciding();
        let (request, shown) = self.find_request(which)?;
        match request.state {
            RequestState::Waiting if shown.check_number.is_empty() => {
                return Err(OperationError::NoCheckNumber(shown.code));
            }
            RequestState::Waiting => {}
            RequestState::Admitted => {
                return Ok(Decided {
                    request: shown,
                    already: true,
                });
            }
            RequestState::Refused => return Err(gone(&shown, "was refused")),
            RequestState::Lapsed => return Err(gone(&shown, "waited too long and has lapsed")),
        }
        // First what counts: the register alone grants nothing, and a node whose request still
        // waits there is admitted by the next yes.
        self.admit(request.hub, request.node)?;
        let registry = &self.parts.registry;
        let new = registry.admit_request(request.id, &shown.check_number, by, now_ms())?;
        Ok(Decided {
            request: shown,
            already: !new,
        })
    }

    /// Refuses the node whose request waits, with a reason that it is told; its code is spent.
    /// `which` and `by` are as in [`Operations::admit_waiting`]. Asked again it changes nothing:
    /// the first reason stands.
    ///
    /// # Errors
    /// [`OperationError::NotWaiting`] if no such request waits, or several, and
    /// [`OperationError::NoReason`].
    pub fn refuse_waiting(
        &self,
        which: &str,
        why: &str,
        by: &str,
    ) -> Result<Decided, OperationError> {
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        if why.is_empty() {
            return Err(OperationError::NoReason);
        }
        let why: String = why.chars().take(REASON_CHARACTERS_MAX).collect();
        let _deciding = self.deciding();
        let (request, shown) = self.find_request(which)?;
        let already = match request.state {
            RequestState::Waiting => {
                let registry = &self.parts.registry;
                !registry.refuse_request(request.id, by, &why, now_ms())?
            }
            RequestState::Refused => true,
            RequestState::Admitted => {
                return Err(gone(&shown, "was admitted; end its access instead"));
            }
            RequestState::Lapsed => return Err(gone(&shown, "waited too long and has lapsed")),
        };
        Ok(Decided {
            request: shown,
            already,
        })
    }

    /// The attempts to connect that came to nothing, with the reasons that the nodes were told, the
    /// newest first; the newest few hundred are kept.
    ///
    /// # Errors
    /// [`OperationError::Registry`].
    pub fn connection_attempts(&self) -> Result<Vec<Attempt>, OperationError> {
        // What waited too long leaves its line first.
        self.parts.registry.requests(now_ms())?;
        let authority = self.parts.node.authority();
        let code = |hub: HubId| authority.hubs().get(&hub).map(|record| record.code.clone());
        let lines = self.parts.registry.attempts()?.into_iter();
        let attempts = lines.map(|line| Attempt {
            time_ms: line.time_ms,
            hub: line.hub.and_then(code),
            reason: line.reason,
        });
        Ok(attempts.collect())
    }

    /// Refuses all requests of a hub whose access ends.
    pub(super) fn refuse_all_waiting(&self, hub: HubId) -> Result<(), OperationError> {
        let _deciding = self.deciding();
        let registry = &self.parts.registry;
        for request in registry.requests(now_ms())? {
            if request.hub == hub && request.state == RequestState::Waiting {
                let why = "the hub's access was ended";
                registry.refuse_request(request.id, "", why, now_ms())?;
            }
        }
        Ok(())
    }

    fn deciding(&self) -> MutexGuard<'_, ()> {
        let deciding = self.parts.deciding.lock();
        deciding.unwrap_or_else(PoisonError::into_inner)
    }

    /// The request that is meant: the one that waits, or the newest that was decided.
    fn find_request(&self, which: &str) -> Result<(ConnectionRequest, Waiting), OperationError> {
        let digits = |text: &str| text.split_whitespace().collect::<String>();
        let (which, number) = (which.trim(), digits(which));
        let requests = self.parts.registry.requests(now_ms())?.into_iter();
        let requests = requests.map(|request| {
            let shown = self.shown(&request);
            (request, shown)
        });
        let meant = requests.filter(|(_, shown)| {
            shown.code == which
                || (!shown.check_number.is_empty() && digits(&shown.check_number) == number)
                || shown.node.to_string() == which
        });
        let meant = meant.collect::<Vec<_>>();
        let waits =
            |(request, _): &&(ConnectionRequest, Waiting)| request.state == RequestState::Waiting;
        let waiting = meant.iter().filter(waits).collect::<Vec<_>>();
        let same = |one: &&&(ConnectionRequest, Waiting)| one.0.node == waiting[0].0.node;
        match waiting.len() {
            0 => meant.into_iter().next().ok_or_else(|| {
                OperationError::NotWaiting(format!("no request of \"{which}\" waits"))
            }),
            count if waiting.iter().filter(same).count() == count => Ok(waiting[0].clone()),
            _ => Err(OperationError::NotWaiting(format!(
                "several requests of \"{which}\" wait: give the check number of the one that is \
                 meant, or its node's id"
            ))),
        }
    }

    fn shown(&self, request: &ConnectionRequest) -> Waiting {
        let authority = self.parts.node.authority();
        let record = authority.hubs().get(&request.hub);
        Waiting {
            code: self.code_of(request.hub),
            name: record.map(|record| record.name.clone()).unwrap_or_default(),
            check_number: self.check_number(request).unwrap_or_default(),
            since_ms: request.since_ms,
            lapses_ms: request.lapses_ms,
            address: request.address.clone(),
            node: request.node,
        }
    }

    /// The check number of a request, once its node has taken part in making it.
    pub(super) fn check_number(&self, request: &ConnectionRequest) -> Option<String> {
        let node = PublicKey::from_bytes(request.node.as_bytes()).ok()?;
        let coordinator = self.parts.node.identity().public();
        let number = CheckNumber::of(&CheckParts {
            network: self.parts.root.network(),
            hub: request.hub,
            node: &node,
            coordinator: &coordinator,
            node_nonce: request.node_nonce.as_ref()?,
            coordinator_nonce: request.check_nonce.as_ref()?,
        });
        Some(number.to_string())
    }
}

fn gone(shown: &Waiting, what: &str) -> OperationError {
    let number = match shown.check_number.as_str() {
        "" => String::new(),
        number => format!(" with the check number {number}"),
    };
    OperationError::NotWaiting(format!("the request of \"{}\"{number} {what}", shown.code))
}
