//! Why an operation was not done.

use coordinator_registry::RegistryError;
use node::enrolment::InvitationError;
use node::folder::FolderError;
use node::identity::IdentityError;
use node::records::RecordsError;
use node_feed::{NodeId, SpaceId};

use crate::authority_writer::AuthorityError;
use crate::certificates::CertificatesError;

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// An identity key does not take another's place.
    #[error("{0}")]
    Succession(String),
    /// It cannot be done yet, and may be asked for again.
    #[error("{0}")]
    NotYet(String),
    /// The data folder cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The next identity key cannot be kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The certificates' authority cannot be replaced or read.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
    /// No hub has this code.
    #[error("no hub has the code \"{0}\"; `hubs` lists the codes")]
    UnknownHub(String),
    /// The code is not one.
    #[error("\"{0}\" is not a hub's code: use lower-case letters, digits and hyphens")]
    Code(String),
    /// The hub's access was ended.
    #[error("the hub \"{0}\" was revoked, for good; invite it again under a new code")]
    Revoked(String),
    /// No node is meant, or several are.
    #[error("{0}; `node list` lists the nodes")]
    UnknownNode(String),
    /// The node's access was ended.
    #[error("the node {0} was revoked, for good; a new one needs an invitation of its own")]
    NodeRevoked(NodeId),
    /// No request to connect is meant, or several are.
    #[error("{0}")]
    NotWaiting(String),
    /// A request to connect has no check number yet.
    #[error(
        "the request of \"{0}\" has no check number yet, and is not admitted without one: its node's \
         program must be running and current; try again once the number is listed"
    )]
    NoCheckNumber(String),
    /// A request to connect is refused without a reason.
    #[error("say why, in words for the hub: the person who asked reads them")]
    NoReason,
    /// What was typed to confirm does not name the node's hub.
    #[error("nothing was changed: to confirm, give the code of the node's hub, which is \"{0}\"")]
    NotConfirmed(String),
    /// What was typed to confirm is not the hub's name.
    #[error("nothing was changed: to confirm, type the hub's name, \"{0}\"")]
    NotNamed(String),
    /// What is done cannot be noted, so it is not done.
    #[error("nothing was changed: it cannot be noted who does it: {0}")]
    Audit(String),
    /// The place where a feed is to end cannot be used.
    #[error("nothing was changed: {0}")]
    Cut(String),
    /// The hub is not suspended.
    #[error("the hub \"{0}\" is not suspended")]
    NotSuspended(String),
    /// The hub is the coordinator's own.
    #[error(
        "\"{0}\" is this coordinator's own hub: it cannot be invited, and its access is never ended"
    )]
    OwnHub(String),
    /// No space has this id.
    #[error("no space has the id {0}; `space list` lists them")]
    UnknownSpace(String),
    /// The space is a hub's own.
    #[error(
        "this is a hub's own space: nobody else is given access to it, and nobody takes the hub's away"
    )]
    OwnSpace,
    /// The hub may write there, and reading alone would take that from it.
    #[error(
        "the hub \"{0}\" may write in this space: withdraw it first, then give it access to read"
    )]
    MayWrite(String),
    /// The hub has no access that could be ended.
    #[error("the hub \"{0}\" has no access to this space")]
    NoAccess(String),
    /// The record is not as declared, or cannot be made.
    #[error(transparent)]
    Record(#[from] RecordsError),
    /// The space was made, and the project's record was not.
    #[error(
        "the space {space} was made, but not its record: {source}. Make it with `record new \
         project-work --space {space}`"
    )]
    RecordLost {
        /// The space.
        space: SpaceId,
        /// Why there is no record.
        source: RecordsError,
    },
    /// The authority log was not changed.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The registry was not changed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The invitation cannot be made.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] node::StoreAccessError),
    /// No random bytes are to be had.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}
