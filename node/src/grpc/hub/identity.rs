//! By which key the node is known, and another one.

use proto::hub::v1::{IdentityResponse, ReplaceIdentityResponse};
use tonic::Status;

use crate::Node;
use crate::identity::IdentityError;

pub(super) fn show(node: &Node) -> Result<IdentityResponse, Status> {
    let succession = node
        .succession()
        .map_err(|error| Status::failed_precondition(error.to_string()))?;
    let own = node.id();
    let former = succession.as_ref().filter(|it| it.successor == own);
    let successor = succession.as_ref().filter(|it| it.former == own);
    let network = node.network().map(|network| network.to_string());
    Ok(IdentityResponse {
        node: own.to_string(),
        network: network.unwrap_or_default(),
        former: former.map(|it| it.former.to_string()).unwrap_or_default(),
        successor: successor
            .map(|it| it.successor.to_string())
            .unwrap_or_default(),
    })
}

pub(super) async fn replace(node: &Node) -> Result<ReplaceIdentityResponse, Status> {
    let replaced = node.replace_identity().await;
    let node = replaced.map_err(|error| status(&error))?;
    Ok(ReplaceIdentityResponse {
        node: node.to_string(),
    })
}

fn status(error: &IdentityError) -> Status {
    let sentence = error.to_string();
    match error {
        IdentityError::NotConnected | IdentityError::Coordinator | IdentityError::Former => {
            Status::failed_precondition(sentence)
        }
        IdentityError::NotArrived => Status::unavailable(sentence),
        IdentityError::Enrol(error) if error.is_temporary() => Status::unavailable(sentence),
        IdentityError::Enrol(_) => Status::permission_denied(sentence),
        IdentityError::Folder(_) | IdentityError::Store(_) => Status::resource_exhausted(sentence),
    }
}
