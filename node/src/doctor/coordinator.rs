//! Is it the coordinator that answers, with nobody between, and is its certificate accepted here?

use node_feed::NetworkId;

use super::{Finding, LIMIT};
use crate::enrolment::{EnrolError, Greeting, greet, reach};
use crate::membership::CoordinatorContact;
use crate::proxy::Proxies;
use crate::tls::{Connector, Fault, TlsError, look};

/// Whether somebody stands between: what the coordinator says of itself, once it has proven over the
/// very connection who it is, whatever certificate is shown. Where a filter inspects TLS it is named.
pub(super) async fn filter(
    contact: &CoordinatorContact,
    network: NetworkId,
    proxies: &Proxies,
) -> (Finding, Option<Greeting>) {
    const CHECK: &str = "filter";
    let address = &contact.address;
    let greeted = tokio::time::timeout(LIMIT, greet(contact, network, proxies)).await;
    let error = match greeted {
        Ok(Ok(greeting)) => {
            let says = format!("nothing stands between: {address} has proven who it is");
            return (Finding::ok(CHECK, says), Some(greeting));
        }
        Ok(Err(error)) => error,
        Err(_) => EnrolError::Connect(TlsError::Handshake {
            address: address.clone(),
            fault: Fault::Timeout,
        }),
    };
    let stranger = match tokio::time::timeout(LIMIT, look(address, proxies)).await {
        Ok(Ok(shown)) if !shown.is_of(&contact.authority_pem, address) => Some(shown),
        Ok(Ok(_) | Err(_)) | Err(_) => None,
    };
    let error = match stranger {
        Some(shown) => EnrolError::Connect(TlsError::Handshake {
            address: address.clone(),
            fault: Fault::UnknownAuthority(shown.issuer()),
        }),
        None => error,
    };
    (Finding::fault(CHECK, error.to_string()), None)
}

/// Whether the certificate that the coordinator shows is accepted here, as sessions need it.
pub(super) async fn coordinator(
    contact: &CoordinatorContact,
    network: NetworkId,
    proxies: &Proxies,
    clock_is_wrong: bool,
) -> Finding {
    const CHECK: &str = "coordinator";
    let connector = Connector::new(contact.address.clone(), &contact.authority_pem, None);
    let connector = match connector {
        Ok(connector) => connector.through(proxies.clone()),
        Err(error) => return Finding::fault(CHECK, error.to_string()),
    };
    let reached = async {
        match connector.connect().await {
            Ok(_connection) => Ok("its certificate comes from this network and is valid"),
            Err(error) if error.shows_stranger() => {
                reach(connector, &contact.identity, network).await?;
                Ok("its certificate comes from elsewhere, and it has proven who it is")
            }
            Err(error) => Err(error),
        }
    };
    let error = match tokio::time::timeout(LIMIT, reached).await {
        Ok(Ok(says)) => return Finding::ok(CHECK, says),
        Ok(Err(error)) => error,
        Err(_) => TlsError::Timeout(contact.address.clone()),
    };
    let by_clock = matches!(
        error,
        TlsError::Handshake {
            fault: Fault::Expired | Fault::NotYetValid,
            ..
        }
    );
    if clock_is_wrong && by_clock {
        return Finding::not_checked(CHECK, "this computer's clock is wrong");
    }
    Finding::fault(CHECK, error.to_string())
}
