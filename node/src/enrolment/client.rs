//! The node's side of enrolment.

use std::time::Duration;

use bytes::Bytes;
use node_feed::{HubId, NetworkId, PublicKey, SecretKey, Signature, Tag};
use proto::enrolment::v1::enrol_response::Instead;
use proto::enrolment::v1::enrolment_client::EnrolmentClient;
use proto::enrolment::v1::{EnrolRequest, GreetRequest, RenewRequest};
use rustls::pki_types::CertificateDer;
use tonic::Request;
use tonic::transport::Channel;

use crate::tls::{Address, Connection, Connector, Credentials, Exporter, TlsKey};

use super::error::EnrolError;
use super::invitation::{Invitation, time_text};
use super::proof::{EnrolProof, greet_proof, renew_proof};

/// Bytes that an answer may have: a chain of certificates and a few keys.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How long a call may take. The coordinator writes to its disk before it answers.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What a node keeps once it is connected.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// The network.
    pub network: NetworkId,
    /// Its root key.
    pub root: PublicKey,
    /// The coordinator's identity key, pinned for every later connection.
    pub coordinator: PublicKey,
    /// The hub that the node now belongs to.
    pub hub: HubId,
    /// What the node shows in its sessions.
    pub credentials: Credentials,
}

/// What the coordinator answers to a node that asks to connect.
#[derive(Debug)]
pub enum Answer {
    /// It is admitted.
    Admitted(Box<Enrolled>),
    /// An operator has yet to compare the check number and decide. Ask again later.
    Waiting {
        /// Since when the request waits, in ms since 1970.
        since_ms: u64,
        /// When it lapses if nobody decides, in ms since 1970.
        lapses_ms: u64,
    },
    /// An operator refused it, with a reason for people. The code is spent.
    Refused(String),
    /// Nobody decided until this time, in ms since 1970. The code is spent.
    Lapsed(u64),
}

/// Connects the node with this identity key to the network of `invitation`, whose node is admitted
/// at once. [`ask`] tells apart what else may be answered.
///
/// Calling it again after a lost answer is harmless: the code is bound to the first identity
/// key that used it, and that key gets a certificate each time.
///
/// # Errors
/// [`EnrolError`]; before [`EnrolError::Refused`] and [`EnrolError::Unanswered`] the code was
/// not sent to anybody.
pub async fn enrol(
    invitation: &Invitation,
    identity: &SecretKey,
    now_ms: u64,
) -> Result<Enrolled, EnrolError> {
    match ask(invitation, identity, now_ms).await? {
        Answer::Admitted(enrolled) => Ok(*enrolled),
        Answer::Waiting { .. } => Err(EnrolError::Waiting),
        Answer::Refused(why) => Err(EnrolError::Refused(why)),
        Answer::Lapsed(lapsed_ms) => Err(EnrolError::Expired(time_text(lapsed_ms))),
    }
}

/// Asks, for the first time, to connect the node with this identity key to the network of
/// `invitation`.
///
/// # Errors
/// As [`enrol`].
pub async fn ask(
    invitation: &Invitation,
    identity: &SecretKey,
    now_ms: u64,
) -> Result<Answer, EnrolError> {
    if invitation.expires_ms <= now_ms {
        return Err(EnrolError::Expired(time_text(invitation.expires_ms)));
    }
    ask_again(invitation, identity).await
}

/// Asks again, also after the time of the code: the node waits, or its answer was lost.
///
/// # Errors
/// As [`enrol`], but that this end does not look at the invitation's time.
pub async fn ask_again(
    invitation: &Invitation,
    identity: &SecretKey,
) -> Result<Answer, EnrolError> {
    let Invitation {
        address,
        authority_pem,
        network,
        root,
        coordinator,
        ..
    } = invitation;
    let mut calls = Greeted::connect(address, authority_pem, coordinator, *network).await?;
    let key = TlsKey::generate()?;
    let request = key.request()?;
    let node = identity.public().node();
    let proof = EnrolProof {
        exporter: &calls.exporter,
        network: *network,
        hub: invitation.hub,
        code: &invitation.code,
        node,
        certificate_request: &request,
    };
    let request = EnrolRequest {
        hub: Bytes::copy_from_slice(invitation.hub.as_bytes()),
        code: Bytes::copy_from_slice(invitation.code.as_bytes()),
        node: Bytes::copy_from_slice(node.as_bytes()),
        signature: Bytes::copy_from_slice(&proof.sign(identity).0),
        certificate_request: request.into(),
    };
    let answer = calls.client.enrol(in_time(request)).await?.into_inner();
    match answer.instead {
        None => {}
        Some(Instead::Waiting(waiting)) => {
            return Ok(Answer::Waiting {
                since_ms: waiting.since_ms,
                lapses_ms: waiting.lapses_ms,
            });
        }
        Some(Instead::Refused(refused)) => return Ok(Answer::Refused(refused.why)),
        Some(Instead::Lapsed(lapsed)) => return Ok(Answer::Lapsed(lapsed.lapsed_ms)),
    }
    let expected = [
        (&answer.network[..], &network.as_bytes()[..]),
        (&answer.root[..], &root.as_bytes()[..]),
        (&answer.coordinator[..], &coordinator.as_bytes()[..]),
        (&answer.hub[..], &invitation.hub.as_bytes()[..]),
    ];
    if expected.iter().any(|(found, wanted)| found != wanted) {
        return Err(EnrolError::Answer(
            "it is for another network or hub than the invitation",
        ));
    }
    Ok(Answer::Admitted(Box::new(Enrolled {
        network: *network,
        root: *root,
        coordinator: *coordinator,
        hub: invitation.hub,
        credentials: credentials(answer.certificates, &key)?,
    })))
}

/// Gets a new key and certificate for a node of the network, even when the old certificate has
/// run out.
///
/// # Errors
/// [`EnrolError`]; [`EnrolError::Refused`] means that the node is not, or no longer, admitted.
pub async fn renew(
    address: &Address,
    authority_pem: &str,
    coordinator: &PublicKey,
    network: NetworkId,
    identity: &SecretKey,
) -> Result<Credentials, EnrolError> {
    let mut calls = Greeted::connect(address, authority_pem, coordinator, network).await?;
    let key = TlsKey::generate()?;
    let request = key.request()?;
    let node = identity.public().node();
    let parts = renew_proof(&calls.exporter, &network, &node, &request);
    let signature = identity.sign(Tag::Enrolment, &parts);
    let request = RenewRequest {
        node: Bytes::copy_from_slice(node.as_bytes()),
        signature: Bytes::copy_from_slice(&signature.0),
        certificate_request: request.into(),
    };
    let answer = calls.client.renew(in_time(request)).await?.into_inner();
    credentials(answer.certificates, &key)
}

/// A connection whose other end has proven to be the coordinator. Nothing secret is sent over
/// any other.
struct Greeted {
    client: EnrolmentClient<Channel>,
    exporter: Exporter,
}

impl Greeted {
    async fn connect(
        address: &Address,
        authority_pem: &str,
        coordinator: &PublicKey,
        network: NetworkId,
    ) -> Result<Self, EnrolError> {
        // No certificate is shown: the one at hand may have run out, and none is needed.
        let connector = Connector::new(address.clone(), authority_pem, None)?;
        let Connection { channel, info } = connector.connect().await?;
        let mut client = EnrolmentClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        let answer = client.greet(in_time(GreetRequest {})).await?.into_inner();
        let stranger = || EnrolError::NotCoordinator(address.to_string());
        let found = NetworkId::try_from(&answer.network[..])
            .map_err(|_| EnrolError::Answer("its network id has the wrong length"))?;
        let signature = <[u8; 64]>::try_from(&answer.signature[..]).map_err(|_| stranger())?;
        coordinator
            .verify(
                Tag::Enrolment,
                &greet_proof(&info.exporter, &found),
                &Signature(signature),
            )
            .map_err(|_| stranger())?;
        if found != network {
            return Err(EnrolError::Network { found });
        }
        Ok(Self {
            client,
            exporter: info.exporter,
        })
    }
}

fn credentials(chain: Vec<Bytes>, key: &TlsKey) -> Result<Credentials, EnrolError> {
    let chain = chain
        .into_iter()
        .map(|der| CertificateDer::from(der.to_vec()))
        .collect();
    Ok(Credentials::new(chain, key)?)
}

/// A call that fails rather than hang when something between swallows it.
fn in_time<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_TIMEOUT);
    request
}
