//! Connecting a hub, end to end: real files, real TLS, real calls.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use coordinator::Certificates;
use coordinator::enrolment::{
    AuthorityRefusal, AuthorityRequest, EnrolmentParts, EnrolmentService, Stands,
};
use coordinator::saved_keys::write_certificates;
use coordinator_registry::{Event, Registry};
use node::enrolment::{
    Answer, CheckProof, EnrolError, EnrolProof, Enrolled, Invitation, OneTimeCode, ask, enrol,
    exchange, renew,
};
use node::proxy::Proxies;
use node::tls::{
    Acceptor, CertificateAuthority, Connection, Connector, Credentials, TlsKey, server,
};
use node_feed::{HubId, NetworkId, NodeId, PublicKey, SecretKey, Succession, Tag};
use proto::enrolment::v1::enrolment_client::EnrolmentClient;
use proto::enrolment::v1::{
    CheckRequest, EndFormerRequest, EnrolRequest, GreetRequest, SucceedRequest,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::Code;

const YORKSHIRE: HubId = HubId::from_bytes([1; 8]);
const LONDON: HubId = HubId::from_bytes([2; 8]);
const HOUR_MS: u64 = 60 * 60 * 1000;

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    u64::try_from(since.as_millis()).expect("a date within 64 bits")
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

/// What the authority log holds, and what its writer answers instead if told to.
#[derive(Default)]
struct Log {
    admitted: Vec<(HubId, NodeId)>,
    answer_instead: Option<AuthorityRefusal>,
}

/// A coordinator that can be connected to.
struct Site {
    folder: tempfile::TempDir,
    registry: Arc<Registry>,
    log: Arc<Mutex<Log>>,
    root: PublicKey,
    coordinator: PublicKey,
    authority_pem: String,
    address: String,
}

impl Site {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("registry.db");
        let registry = Arc::new(Registry::open(&path).expect("a register"));
        let (root, identity) = (key(200).public(), key(201));
        let authority =
            CertificateAuthority::generate(root.network(), now_ms()).expect("an authority");
        let shown = authority.issue_server(&["127.0.0.1".to_owned()], now_ms());
        let authority_pem = authority.certificate_pem();
        let acceptor = Acceptor::new(&shown.expect("a certificate"), &authority_pem);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let log = Arc::new(Mutex::new(Log::default()));
        write_certificates(folder.path(), &authority).expect("written");
        let coordinator = identity.public();
        let service = EnrolmentService::new(EnrolmentParts {
            registry: Arc::clone(&registry),
            certificates: Arc::new(Certificates::read(folder.path()).expect("the authority")),
            identity,
            successions: Vec::new(),
            root,
            log: write_log(Arc::clone(&log)),
        });
        let incoming = acceptor.expect("an acceptor").incoming(listener);
        let serving = server()
            .add_service(service.into_server())
            .serve_with_incoming(incoming);
        tokio::spawn(serving);
        Self {
            folder,
            registry,
            log,
            root,
            coordinator,
            authority_pem,
            address,
        }
    }

    fn network(&self) -> NetworkId {
        self.root.network()
    }

    /// Makes an invitation for `hub` and takes it the way that it takes: through a file.
    fn invite(&self, hub: HubId) -> Invitation {
        self.invite_until(hub, now_ms() + HOUR_MS)
    }

    fn invite_until(&self, hub: HubId, expires_ms: u64) -> Invitation {
        let code = OneTimeCode::generate().expect("random bytes");
        self.registry
            .invite(hub, code.as_bytes(), expires_ms, now_ms())
            .expect("stored");
        self.with_code(hub, code)
    }

    fn invite_to_wait(&self, hub: HubId) -> Invitation {
        let code = OneTimeCode::generate().expect("random bytes");
        self.registry
            .invite_to_wait(hub, code.as_bytes(), now_ms() + HOUR_MS, now_ms())
            .expect("stored");
        self.with_code(hub, code)
    }

    fn with_code(&self, hub: HubId, code: OneTimeCode) -> Invitation {
        let invitation = Invitation {
            network: self.network(),
            root: self.root,
            coordinator: self.coordinator,
            address: self.address.parse().expect("an address"),
            authority_pem: self.authority_pem.clone(),
            hub,
            hub_code: "SY".to_owned(),
            hub_name: "South Yorkshire".to_owned(),
            code,
            expires_ms: now_ms() + HOUR_MS,
        };
        let path = self
            .folder
            .path()
            .join(format!("{}.toml", invitation.code.reveal()));
        invitation.write(&path).expect("written");
        Invitation::read(Path::new(&path)).expect("read")
    }

    fn admitted(&self) -> Vec<(HubId, NodeId)> {
        self.log.lock().expect("not poisoned").admitted.clone()
    }

    fn answer_instead(&self, answer: Option<AuthorityRefusal>) {
        self.log.lock().expect("not poisoned").answer_instead = answer;
    }

    fn certificates(&self, hub: HubId) -> usize {
        self.registry.certificates(hub).expect("read").len()
    }

    fn events(&self, event: Event) -> usize {
        let audit = self.registry.audit(10_000).expect("read");
        audit.iter().filter(|line| line.event == event).count()
    }

    async fn renew(&self, identity: &SecretKey) -> Result<Credentials, EnrolError> {
        let address = self.address.parse().expect("an address");
        let connector = Connector::new(address, &self.authority_pem, None)?;
        let connector = connector.through(Proxies::Direct);
        renew(connector, &self.coordinator, self.network(), identity).await
    }

    /// A connection that shows `credentials`, and one call over it.
    async fn call_with(&self, credentials: &Credentials) -> Result<(), tonic::Status> {
        let address = self.address.parse().expect("an address");
        let connector = Connector::new(address, &self.authority_pem, Some(credentials));
        let connection = connector
            .expect("a connector")
            .connect()
            .await
            .expect("connected");
        EnrolmentClient::new(connection.channel)
            .greet(GreetRequest {})
            .await
            .map(drop)
    }
}

/// Stands for the task that writes the authority log.
fn write_log(log: Arc<Mutex<Log>>) -> mpsc::Sender<AuthorityRequest> {
    let (sender, mut requests) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Some(request) = requests.recv().await {
            let mut log = log.lock().expect("not poisoned");
            let instead = log.answer_instead.clone();
            match request {
                AuthorityRequest::Admit { hub, node, reply } => {
                    if instead.is_none() && !log.admitted.contains(&(hub, node)) {
                        log.admitted.push((hub, node));
                    }
                    reply.send(instead.map_or(Ok(()), Err)).ok();
                }
                AuthorityRequest::Standing { node, reply } => {
                    let found = log.admitted.iter().find(|(_, admitted)| *admitted == node);
                    let unknown = AuthorityRefusal::Refused("this node is not known".to_owned());
                    let answer = found.map(|(hub, _)| *hub).ok_or(unknown);
                    reply.send(instead.map_or(answer, Err)).ok();
                }
                AuthorityRequest::Succeed { succession, reply } => {
                    let former = log.admitted.iter();
                    let former = former.filter(|(_, admitted)| *admitted == succession.former);
                    let hubs = former.map(|(hub, _)| *hub).collect::<Vec<_>>();
                    let successor = succession.successor;
                    log.admitted
                        .extend(hubs.into_iter().map(|hub| (hub, successor)));
                    reply.send(Ok(())).ok();
                }
                AuthorityRequest::EndFormer {
                    succession, reply, ..
                } => {
                    log.admitted.retain(|(_, node)| *node != succession.former);
                    reply.send(Ok(())).ok();
                }
                AuthorityRequest::Look { node, reply } => {
                    let known = log.admitted.iter().any(|(_, admitted)| *admitted == node);
                    let unknown = Stands::Refused("this node is not known".to_owned());
                    reply
                        .send(if known { Stands::Admitted } else { unknown })
                        .ok();
                }
            }
        }
    });
    sender
}

fn refusal(result: Result<Enrolled, EnrolError>) -> String {
    match result {
        Err(EnrolError::Refused(text) | EnrolError::Busy(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn an_invitation_connects_one_node_whose_admission_is_durable_first() {
    let site = Site::start().await;
    let enrolled = enrol(&site.invite(YORKSHIRE), &key(1), now_ms())
        .await
        .expect("connected");
    assert_eq!(site.admitted(), [(YORKSHIRE, key(1).public().node())]);
    assert_eq!(site.certificates(YORKSHIRE), 1);
    assert_eq!(
        (enrolled.hub, enrolled.network),
        (YORKSHIRE, site.network())
    );
    site.call_with(&enrolled.credentials)
        .await
        .expect("the certificate is accepted");
}

#[tokio::test]
async fn after_a_lost_answer_the_same_node_gets_a_certificate_and_no_other_does() {
    let site = Site::start().await;
    let invitation = site.invite(YORKSHIRE);
    enrol(&invitation, &key(1), now_ms())
        .await
        .expect("connected");
    let again = enrol(&invitation, &key(1), now_ms())
        .await
        .expect("connected again");
    site.call_with(&again.credentials)
        .await
        .expect("the certificate is accepted");
    let text = refusal(enrol(&invitation, &key(2), now_ms()).await);
    assert!(text.contains("used already"), "{text}");
    assert_eq!(site.admitted(), [(YORKSHIRE, key(1).public().node())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_nodes_that_race_for_one_code_exactly_one_is_connected() {
    let site = Site::start().await;
    let invitation = site.invite(YORKSHIRE);
    let racers: Vec<_> = (1..=16)
        .map(|seed| {
            let invitation = invitation.clone();
            tokio::spawn(async move { enrol(&invitation, &key(seed), now_ms()).await })
        })
        .collect();
    let mut connected = 0;
    for racer in racers {
        match racer.await.expect("no panic") {
            Ok(_) => connected += 1,
            Err(EnrolError::Refused(text)) => assert!(text.contains("used already"), "{text}"),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(
        (
            connected,
            site.admitted().len(),
            site.certificates(YORKSHIRE)
        ),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn an_expired_a_foreign_and_an_unknown_code_are_refused_in_words() {
    let site = Site::start().await;
    let expired = site.invite_until(YORKSHIRE, now_ms() - 1);
    let foreign = Invitation {
        hub: LONDON,
        ..site.invite(YORKSHIRE)
    };
    let code = OneTimeCode::generate().expect("random bytes");
    let unknown = Invitation {
        code,
        ..site.invite(YORKSHIRE)
    };
    for (invitation, words) in [
        (expired, "expired"),
        (foreign, "another hub"),
        (unknown, "not known"),
    ] {
        let text = refusal(enrol(&invitation, &key(1), now_ms()).await);
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(site.admitted(), []);
    assert_eq!(site.certificates(YORKSHIRE) + site.certificates(LONDON), 0);
    assert_eq!(site.events(Event::CodeRefused), 3);
}

#[tokio::test]
async fn an_invitation_whose_time_is_over_is_not_even_sent() {
    let site = Site::start().await;
    let invitation = site.invite(YORKSHIRE);
    let later = invitation.expires_ms;
    let error = enrol(&invitation, &key(1), later)
        .await
        .expect_err("too late");
    assert!(matches!(error, EnrolError::Expired(_)), "{error}");
    assert_eq!(
        site.events(Event::CodeRefused) + site.events(Event::CodeUsed),
        0
    );
}

#[tokio::test]
async fn the_code_is_sent_to_nobody_but_the_pinned_coordinator() {
    let site = Site::start().await;
    let invitation = Invitation {
        coordinator: key(99).public(),
        ..site.invite(YORKSHIRE)
    };
    let error = enrol(&invitation, &key(1), now_ms())
        .await
        .expect_err("not the coordinator");
    assert!(matches!(error, EnrolError::NotCoordinator(_)), "{error}");
    let root = key(98).public();
    let elsewhere = Invitation {
        root,
        network: root.network(),
        ..site.invite(YORKSHIRE)
    };
    let error = enrol(&elsewhere, &key(1), now_ms())
        .await
        .expect_err("another network");
    assert!(matches!(error, EnrolError::Network { .. }), "{error}");
    assert_eq!(
        site.events(Event::CodeRefused) + site.events(Event::CodeUsed),
        0
    );
}

#[tokio::test]
async fn when_the_authority_cannot_write_the_same_node_tries_again() {
    let site = Site::start().await;
    let invitation = site.invite(YORKSHIRE);
    site.answer_instead(Some(AuthorityRefusal::Unavailable(
        "the disk is full".to_owned(),
    )));
    let error = enrol(&invitation, &key(1), now_ms())
        .await
        .expect_err("not now");
    assert!(
        error.is_temporary() && error.to_string().contains("the disk is full"),
        "{error}"
    );
    assert_eq!(
        (site.admitted().len(), site.certificates(YORKSHIRE)),
        (0, 0)
    );
    site.answer_instead(None);
    enrol(&invitation, &key(1), now_ms())
        .await
        .expect("connected");
}

#[tokio::test]
async fn a_node_renews_with_its_identity_alone_until_it_is_revoked() {
    let site = Site::start().await;
    enrol(&site.invite(YORKSHIRE), &key(1), now_ms())
        .await
        .expect("connected");
    // No certificate is shown, so one that ran out is no hindrance.
    let renewed = site.renew(&key(1)).await.expect("renewed");
    site.call_with(&renewed)
        .await
        .expect("the certificate is accepted");
    let error = site.renew(&key(2)).await.expect_err("never admitted");
    assert!(
        matches!(&error, EnrolError::Refused(text) if text.contains("not known")),
        "{error}"
    );
    site.answer_instead(Some(AuthorityRefusal::Refused(
        "the hub's access has ended".to_owned(),
    )));
    let error = site.renew(&key(1)).await.expect_err("revoked");
    assert!(error.to_string().contains("access has ended"), "{error}");
    assert_eq!(site.certificates(YORKSHIRE), 2);
    assert_eq!(site.events(Event::CertificateRefused), 2);
}

#[tokio::test]
async fn a_request_recorded_on_one_connection_is_worth_nothing_on_another() {
    let site = Site::start().await;
    let invitation = site.invite(YORKSHIRE);
    let address = site.address.parse().expect("an address");
    let connector = Connector::new(address, &site.authority_pem, None).expect("a connector");
    let recorded = connector.connect().await.expect("connected");
    let certificate_request = TlsKey::generate()
        .and_then(|key| key.request())
        .expect("a request");
    let proof = EnrolProof {
        exporter: &recorded.info.exporter,
        network: site.network(),
        hub: YORKSHIRE,
        code: &invitation.code,
        node: key(1).public().node(),
        certificate_request: &certificate_request,
    };
    let request = EnrolRequest {
        hub: Bytes::copy_from_slice(YORKSHIRE.as_bytes()),
        code: Bytes::copy_from_slice(invitation.code.as_bytes()),
        node: Bytes::copy_from_slice(key(1).public().as_bytes()),
        signature: Bytes::copy_from_slice(&proof.sign(&key(1)).0),
        certificate_request: certificate_request.clone().into(),
    };
    let other = connector.connect().await.expect("connected");
    let replayed = EnrolmentClient::new(other.channel.clone())
        .enrol(request.clone())
        .await;
    assert_eq!(replayed.expect_err("refused").code(), Code::InvalidArgument);
    let short = EnrolRequest {
        code: Bytes::from_static(b"short"),
        ..request.clone()
    };
    let status = EnrolmentClient::new(other.channel)
        .enrol(short)
        .await
        .expect_err("refused");
    assert_eq!(
        status.message(),
        "the code must have 16 bytes, this one has 5"
    );
    assert_eq!(site.events(Event::CodeUsed), 0);
    EnrolmentClient::new(recorded.channel)
        .enrol(request)
        .await
        .expect("its own connection");
}

/// An honest `Check` over this connection, to be spoiled.
fn check_request(
    connection: &Connection,
    invitation: &Invitation,
    key: &SecretKey,
) -> CheckRequest {
    let (node, nonce) = (key.public(), [5; 32]);
    let proof = CheckProof {
        exporter: &connection.info.exporter,
        network: invitation.network,
        hub: invitation.hub,
        code: &invitation.code,
        node: node.node(),
        nonce: &nonce,
    };
    proof.request(key)
}

#[tokio::test]
async fn a_malformed_check_is_refused_with_a_sentence_and_takes_nothing() {
    let site = Site::start().await;
    let invitation = site.invite_to_wait(YORKSHIRE);
    let waits = ask(&invitation, &key(1), now_ms(), &Proxies::Direct).await;
    let Ok(Answer::Waiting {
        commitment: Some(commitment),
        ..
    }) = waits
    else {
        panic!("it does not wait: {waits:?}");
    };
    let address = site.address.parse().expect("an address");
    let connector = Connector::new(address, &site.authority_pem, None).expect("a connector");
    let connection = connector.connect().await.expect("connected");
    let good = check_request(&connection, &invitation, &key(1));
    let other = connector.connect().await.expect("connected");
    let unknown = Invitation {
        code: OneTimeCode::generate().expect("random bytes"),
        ..invitation.clone()
    };
    let short = Bytes::from_static(b"short");
    let changed = |change: &dyn Fn(&mut CheckRequest)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let wrong = Code::InvalidArgument;
    let cases = [
        (
            changed(&|it| it.hub = short.clone()),
            wrong,
            "the hub must have 8 bytes",
        ),
        (
            changed(&|it| it.code = Bytes::new()),
            wrong,
            "the code must have 16 bytes",
        ),
        (
            changed(&|it| it.node = short.clone()),
            wrong,
            "the node must have 32 bytes",
        ),
        (
            changed(&|it| it.nonce = Bytes::new()),
            wrong,
            "the nonce must have 32 bytes",
        ),
        (
            changed(&|it| it.nonce = Bytes::from_static(&[0; 33])),
            wrong,
            "the nonce must have 32 bytes, this one has 33",
        ),
        (
            changed(&|it| it.signature = short.clone()),
            wrong,
            "the signature must have 64 bytes",
        ),
        (
            changed(&|it| it.nonce = Bytes::from_static(&[6; 32])),
            wrong,
            "the signature does not hold",
        ),
        (
            check_request(&other, &invitation, &key(1)),
            wrong,
            "the signature does not hold",
        ),
        (
            check_request(&connection, &unknown, &key(1)),
            Code::PermissionDenied,
            "this code is not known",
        ),
        (
            check_request(&connection, &invitation, &key(2)),
            Code::PermissionDenied,
            "used already, by another node",
        ),
    ];
    for (request, code, words) in cases {
        let mut client = EnrolmentClient::new(connection.channel.clone());
        let status = client.check(request).await.expect_err(words);
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(words), "{status}");
    }
    let requests = site.registry.requests(now_ms()).expect("read");
    assert_eq!(requests[0].node_nonce, None);
    assert_eq!(site.events(Event::CodeRefused), 2);
    exchange(&invitation, &key(1), &commitment, &Proxies::Direct)
        .await
        .expect("a number");

    // Whoever goes on is made to wait, as with every other refused request.
    let mut last = None;
    for _ in 0..25 {
        let request = check_request(&connection, &unknown, &key(1));
        let mut client = EnrolmentClient::new(connection.channel.clone());
        last = client.check(request).await.err();
    }
    let last = last.expect("it is refused");
    assert_eq!(last.code(), Code::ResourceExhausted, "{last}");
}

#[tokio::test]
async fn a_key_takes_anothers_place_only_if_both_want_it_on_this_connection() {
    let site = Site::start().await;
    enrol(&site.invite(YORKSHIRE), &key(1), now_ms())
        .await
        .expect("connected");
    let address = site.address.parse().expect("an address");
    let connector = Connector::new(address, &site.authority_pem, None).expect("a connector");
    let connection = connector.connect().await.expect("connected");
    let other = connector.connect().await.expect("connected");
    let node = |seed| key(seed).public().node();
    let succession = Succession::sign(site.network(), &key(1), node(2));
    let asks = |said: &Succession, by: u8, what: &[u8], on: &Connection| {
        let parts = [
            what,
            &on.info.exporter,
            site.network().as_bytes(),
            said.former.as_bytes(),
            said.successor.as_bytes(),
        ]
        .concat();
        let signature = key(by).sign(Tag::Enrolment, &[&parts]);
        SucceedRequest {
            succession: Some(proto::enrolment::v1::Succession {
                former: Bytes::copy_from_slice(said.former.as_bytes()),
                successor: Bytes::copy_from_slice(said.successor.as_bytes()),
                signature: Bytes::copy_from_slice(&said.signature.0),
            }),
            signature: Bytes::copy_from_slice(&signature.0),
        }
    };
    let mut client = EnrolmentClient::new(connection.channel.clone());
    let of_stranger = Succession {
        former: node(1),
        ..Succession::sign(site.network(), &key(9), node(2))
    };
    let elsewhere = Succession::sign(NetworkId::from_bytes([9; 16]), &key(1), node(2));
    let good = asks(&succession, 2, b"succeed", &connection);
    let short = |mut request: SucceedRequest| {
        let said = request.succession.as_mut().expect("it is there");
        said.former = Bytes::from_static(b"short");
        request
    };
    let refused = [
        asks(&of_stranger, 2, b"succeed", &connection),
        asks(&elsewhere, 2, b"succeed", &connection),
        asks(&succession, 1, b"succeed", &connection),
        asks(&succession, 2, b"end former", &connection),
        asks(&succession, 2, b"succeed", &other),
        short(good.clone()),
        SucceedRequest::default(),
    ];
    for request in refused {
        let status = client.succeed(request).await.expect_err("refused");
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    }
    assert_eq!(site.admitted(), [(YORKSHIRE, node(1))]);
    client.succeed(good.clone()).await.expect("both want it");
    assert_eq!(
        site.admitted(),
        [(YORKSHIRE, node(1)), (YORKSHIRE, node(2))]
    );
    let mark = [4; 32];
    let parts = [
        &b"end former"[..],
        &connection.info.exporter,
        site.network().as_bytes(),
        node(1).as_bytes(),
        node(2).as_bytes(),
        &mark,
    ]
    .concat();
    let signature = key(2).sign(Tag::Enrolment, &[&parts]);
    let ends = |signature: &[u8], mark: &[u8]| EndFormerRequest {
        succession: good.succession.clone(),
        signature: Bytes::copy_from_slice(signature),
        ends: Bytes::copy_from_slice(mark),
    };
    for request in [
        ends(&good.signature, &mark),
        ends(&signature.0, &[5; 32]),
        ends(&signature.0, b"short"),
    ] {
        let status = client.end_former(request).await.expect_err("refused");
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    }
    let ends = ends(&signature.0, &mark);
    client.end_former(ends).await.expect("both want it");
    assert_eq!(site.admitted(), [(YORKSHIRE, node(2))]);
}

#[tokio::test]
async fn an_address_that_guesses_is_made_to_wait() {
    let site = Site::start().await;
    let good = site.invite(YORKSHIRE);
    let mut last = String::new();
    for _ in 0..25 {
        let code = OneTimeCode::generate().expect("random bytes");
        let guess = Invitation {
            code,
            ..good.clone()
        };
        last = refusal(enrol(&guess, &key(1), now_ms()).await);
    }
    assert!(last.contains("wait ten minutes"), "{last}");
    assert!(refusal(enrol(&good, &key(1), now_ms()).await).contains("wait ten minutes"));
    assert_eq!(
        site.events(Event::CodeRefused),
        20,
        "the audit lines are bounded too"
    );
}
