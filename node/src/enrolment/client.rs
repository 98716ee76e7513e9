//! The node's side of enrolment.

use std::time::Duration;

use bytes::Bytes;
use node_feed::{Hash, HubId, NetworkId, NodeId, PublicKey, SecretKey, Signature, Succession, Tag};
use proto::enrolment::v1::enrol_response::Instead;
use proto::enrolment::v1::enrolment_client::EnrolmentClient;
use proto::enrolment::v1::standing_response::Standing as Answered;
use proto::enrolment::v1::{
    EndFormerRequest, EnrolRequest, GreetRequest, RenewRequest, StandingRequest, SucceedRequest,
};
use rustls::pki_types::CertificateDer;
use tonic::Request;
use tonic::transport::Channel;

use crate::membership::CoordinatorContact;
use crate::proxy::Proxies;
use crate::tls::{Address, Connection, Connector, Credentials, Exporter, TlsError, TlsKey};

use super::error::EnrolError;
use super::invitation::Invitation;
use super::proof::{
    EnrolProof, end_former_proof, greet_proof, renew_proof, standing_proof, succeed_proof,
};

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
        /// To what the coordinator commits itself for the check number; none from an older one.
        commitment: Option<Hash>,
    },
    /// An operator refused it, with a reason for people. The code is spent.
    Refused(String),
    /// Nobody decided until this time, in ms since 1970. The code is spent.
    Lapsed(u64),
}

/// What the coordinator says of itself. It has proven who it is.
#[derive(Debug, Clone)]
pub(crate) struct Greeting {
    /// Its identity key: the one that was pinned, or a successor of that one.
    pub(crate) coordinator: PublicKey,
    /// Its clock, in ms since 1970; 0 if it does not say.
    pub(crate) clock_ms: u64,
    /// Its program, with its version; empty if it does not say.
    pub(crate) software: String,
    /// The versions of the protocol that it speaks; none if it does not say.
    pub(crate) versions: Vec<u32>,
}

/// How the coordinator sees a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may hold sessions.
    Admitted,
    /// It may not for the time being; a sentence says why.
    Suspended(String),
    /// It may not; a sentence says why.
    Refused(String),
    /// The coordinator does not say.
    Unsaid,
}

/// Connects the node with this identity key to the network of `invitation`, whose node is admitted
/// at once, through the proxy that the environment names. [`ask`] tells apart what else may be
/// answered.
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
    match ask(invitation, identity, now_ms, &Proxies::Environment).await? {
        Answer::Admitted(enrolled) => Ok(*enrolled),
        Answer::Waiting { .. } => Err(EnrolError::Waiting),
        Answer::Refused(why) => Err(EnrolError::Refused(why)),
        Answer::Lapsed(lapsed_ms) => Err(EnrolError::expired(lapsed_ms)),
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
    proxies: &Proxies,
) -> Result<Answer, EnrolError> {
    if invitation.expires_ms <= now_ms {
        return Err(EnrolError::expired(invitation.expires_ms));
    }
    ask_again(invitation, identity, proxies).await
}

/// Asks again, also after the time of the code: the node waits, or its answer was lost.
///
/// # Errors
/// As [`enrol`], but that this end does not look at the invitation's time.
pub async fn ask_again(
    invitation: &Invitation,
    identity: &SecretKey,
    proxies: &Proxies,
) -> Result<Answer, EnrolError> {
    let Invitation {
        address,
        authority_pem,
        network,
        root,
        coordinator,
        ..
    } = invitation;
    let connector = plain(address, authority_pem, proxies)?;
    let mut calls = Greeted::connect(connector, coordinator, *network).await?;
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
                commitment: commitment(&waiting.check_commitment)?,
            });
        }
        Some(Instead::Refused(refused)) => return Ok(Answer::Refused(refused.why)),
        Some(Instead::Lapsed(lapsed)) => return Ok(Answer::Lapsed(lapsed.lapsed_ms)),
    }
    let expected = [
        (&answer.network[..], &network.as_bytes()[..]),
        (&answer.root[..], &root.as_bytes()[..]),
        (
            &answer.coordinator[..],
            &calls.greeting.coordinator.as_bytes()[..],
        ),
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
        coordinator: calls.greeting.coordinator,
        hub: invitation.hub,
        credentials: credentials(answer.certificates, &key)?,
    })))
}

/// Gets a new key and certificate for a node of the network, even when the old certificate has
/// run out: `connector` shows none.
///
/// # Errors
/// [`EnrolError`]; [`EnrolError::Refused`] means that the node is not, or no longer, admitted.
pub async fn renew(
    connector: Connector,
    coordinator: &PublicKey,
    network: NetworkId,
    identity: &SecretKey,
) -> Result<Credentials, EnrolError> {
    let mut calls = Greeted::connect(connector, coordinator, network).await?;
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

/// What the coordinator says of itself, whatever certificate it shows: it proves who it is.
///
/// # Errors
/// [`EnrolError`]; [`EnrolError::NotCoordinator`] also if somebody stands between.
pub(crate) async fn greet(
    contact: &CoordinatorContact,
    network: NetworkId,
    proxies: &Proxies,
) -> Result<Greeting, EnrolError> {
    let connector = Connector::trusting_anybody(contact.address.clone())?;
    let connector = connector.through(proxies.clone());
    let greeted = Greeted::connect(connector, &contact.identity, network).await?;
    Ok(greeted.greeting)
}

/// How the coordinator sees the node with this identity key, which shows it `credentials` if there are
/// any: one that it does not accept is found, too.
///
/// # Errors
/// [`EnrolError`].
pub(crate) async fn standing(
    contact: &CoordinatorContact,
    network: NetworkId,
    identity: &SecretKey,
    credentials: Option<&Credentials>,
    proxies: &Proxies,
) -> Result<Standing, EnrolError> {
    let (address, authority) = (contact.address.clone(), &contact.authority_pem);
    let connector = Connector::new(address, authority, credentials)?.through(proxies.clone());
    let mut calls = Greeted::connect(connector, &contact.identity, network).await?;
    let node = identity.public().node();
    let parts = standing_proof(&calls.exporter, &network, &node);
    let request = StandingRequest {
        node: Bytes::copy_from_slice(node.as_bytes()),
        signature: Bytes::copy_from_slice(&identity.sign(Tag::Enrolment, &parts).0),
    };
    let answer = match calls.client.standing(in_time(request)).await {
        Ok(answer) => answer.into_inner(),
        Err(status) if status.code() == tonic::Code::Unimplemented => return Ok(Standing::Unsaid),
        Err(status) => return Err(status.into()),
    };
    Ok(match Answered::try_from(answer.standing) {
        Ok(Answered::Admitted) => Standing::Admitted,
        Ok(Answered::Suspended) => Standing::Suspended(answer.why),
        Ok(Answered::Refused) => Standing::Refused(answer.why),
        Ok(Answered::Unspecified) | Err(_) => Standing::Unsaid,
    })
}

/// Has `succession`, by which `successor` takes this node's place, taken down in the record of access.
///
/// # Errors
/// [`EnrolError`]; asked again it changes nothing more.
pub(crate) async fn succeed(
    contact: &CoordinatorContact,
    network: NetworkId,
    succession: &Succession,
    successor: &SecretKey,
    proxies: &Proxies,
) -> Result<(), EnrolError> {
    let connector = plain(&contact.address, &contact.authority_pem, proxies)?;
    let mut calls = Greeted::connect(connector, &contact.identity, network).await?;
    let parts = succeed_proof(&calls.exporter, &network, succession);
    let signature = successor.sign(Tag::Enrolment, &parts);
    let request = SucceedRequest {
        succession: Some(to_wire(succession)),
        signature: Bytes::copy_from_slice(&signature.0),
    };
    match calls.client.succeed(in_time(request)).await {
        Ok(_admitted) => Ok(()),
        Err(status) if status.code() == tonic::Code::Unimplemented => Err(EnrolError::Refused(
            "its program is too old for that; NCETM has to update it first".to_owned(),
        )),
        Err(status) => Err(status.into()),
    }
}

/// Has the access of the former node ended, whose place the node with this identity key took, and whose
/// feeds end as `ends` marks.
///
/// # Errors
/// [`EnrolError`]; asked again it changes nothing more.
pub(crate) async fn end_former(
    contact: &CoordinatorContact,
    network: NetworkId,
    succession: &Succession,
    ends: &Hash,
    identity: &SecretKey,
    proxies: &Proxies,
) -> Result<(), EnrolError> {
    let connector = plain(&contact.address, &contact.authority_pem, proxies)?;
    let mut calls = Greeted::connect(connector, &contact.identity, network).await?;
    let parts = end_former_proof(&calls.exporter, &network, succession, ends);
    let signature = identity.sign(Tag::Enrolment, &parts);
    let request = EndFormerRequest {
        succession: Some(to_wire(succession)),
        signature: Bytes::copy_from_slice(&signature.0),
        ends: Bytes::copy_from_slice(ends.as_bytes()),
    };
    calls.client.end_former(in_time(request)).await?;
    Ok(())
}

fn to_wire(succession: &Succession) -> proto::enrolment::v1::Succession {
    proto::enrolment::v1::Succession {
        former: Bytes::copy_from_slice(succession.former.as_bytes()),
        successor: Bytes::copy_from_slice(succession.successor.as_bytes()),
        signature: Bytes::copy_from_slice(&succession.signature.0),
    }
}

/// The successions that can be read, of those that are looked at.
fn from_wire(line: &[proto::enrolment::v1::Succession]) -> Vec<Succession> {
    let looked_at = line.iter().take(Succession::FOLLOWED_MAX);
    let read = looked_at.filter_map(|one| {
        Some(Succession {
            former: NodeId::try_from(&one.former[..]).ok()?,
            successor: NodeId::try_from(&one.successor[..]).ok()?,
            signature: Signature(<[u8; 64]>::try_from(&one.signature[..]).ok()?),
        })
    });
    read.collect()
}

fn commitment(bytes: &[u8]) -> Result<Option<Hash>, EnrolError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let commitment = Hash::try_from(bytes)
        .map_err(|_| EnrolError::Answer("its commitment has the wrong length"))?;
    Ok(Some(commitment))
}

/// Shows no certificate: the one at hand may have run out, and none is needed.
pub(super) fn plain(
    address: &Address,
    authority_pem: &str,
    proxies: &Proxies,
) -> Result<Connector, EnrolError> {
    Ok(Connector::new(address.clone(), authority_pem, None)?.through(proxies.clone()))
}

/// Connects to the coordinator. A server whose certificate is of another authority than the network's,
/// or for another name, is trusted if the coordinator has proven over another connection, to which
/// nothing was sent, that the server's TLS key is its own: so it may show a certificate that the
/// whole internet trusts, or one of an authority of which this node has not heard yet.
///
/// # Errors
/// [`TlsError`]; for a server that proves nothing, why it was not trusted.
pub(crate) async fn reach(
    connector: Connector,
    coordinator: &PublicKey,
    network: NetworkId,
) -> Result<Connection, TlsError> {
    let stranger = match connector.connect().await {
        Err(error) if error.shows_stranger() => error,
        connected => return connected,
    };
    let connection = connector.to_anybody()?.connect().await?;
    let key = connection.info.server_key.clone();
    let address = connector.address();
    match (
        Greeted::over(connection, address, coordinator, network).await,
        key,
    ) {
        (Ok(_proven), Some(key)) => connector.knowing(key).connect().await,
        // What failed on the way is no fault of the certificate.
        (Err(EnrolError::Connect(error)), _) => Err(error),
        (Ok(_), None) | (Err(_), _) => Err(stranger),
    }
}

/// A connection whose other end has proven to be the coordinator. Nothing secret is sent over
/// any other.
pub(super) struct Greeted {
    pub(super) client: EnrolmentClient<Channel>,
    pub(super) exporter: Exporter,
    greeting: Greeting,
}

impl Greeted {
    /// The coordinator's identity key: the one that was pinned, or a successor of that one.
    pub(super) const fn coordinator(&self) -> PublicKey {
        self.greeting.coordinator
    }

    pub(super) async fn connect(
        connector: Connector,
        coordinator: &PublicKey,
        network: NetworkId,
    ) -> Result<Self, EnrolError> {
        let address = connector.address().clone();
        let connection = reach(connector, coordinator, network).await?;
        Self::over(connection, &address, coordinator, network).await
    }

    async fn over(
        connection: Connection,
        address: &Address,
        coordinator: &PublicKey,
        network: NetworkId,
    ) -> Result<Self, EnrolError> {
        let Connection { channel, info } = connection;
        let mut client = EnrolmentClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        let greeting = client.greet(in_time(GreetRequest {})).await;
        let answer = greeting
            .map_err(|status| match info.fault() {
                // A refused certificate shows only now, and not in the call's own words.
                Some(fault) => EnrolError::Connect(TlsError::Handshake {
                    address: address.clone(),
                    fault: fault.clone(),
                }),
                None => status.into(),
            })?
            .into_inner();
        let stranger = || EnrolError::NotCoordinator(address.to_string());
        let found = NetworkId::try_from(&answer.network[..])
            .map_err(|_| EnrolError::Answer("its network id has the wrong length"))?;
        let signature = <[u8; 64]>::try_from(&answer.signature[..]).map_err(|_| stranger())?;
        let proven = |key: &PublicKey| {
            let (tag, parts) = (Tag::Enrolment, greet_proof(&info.exporter, &found));
            key.verify(tag, &parts, &Signature(signature)).is_ok()
        };
        let coordinator = if proven(coordinator) {
            *coordinator
        } else {
            let said = <[u8; 32]>::try_from(&answer.coordinator[..]).map_err(|_| stranger())?;
            let said = PublicKey::from_bytes(&said).map_err(|_| stranger())?;
            let line = from_wire(&answer.successions);
            let (pinned, own) = (coordinator.node(), said.node());
            if !Succession::leads(network, &line, pinned, own) || !proven(&said) {
                return Err(stranger());
            }
            said
        };
        if found != network {
            return Err(EnrolError::Network { found });
        }
        Ok(Self {
            client,
            exporter: info.exporter,
            greeting: Greeting {
                coordinator,
                clock_ms: answer.clock_ms,
                software: answer.software,
                versions: answer.versions,
            },
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
pub(super) fn in_time<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_TIMEOUT);
    request
}
