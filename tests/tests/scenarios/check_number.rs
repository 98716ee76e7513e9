//! The number that two people compare before a hub is admitted: scenario C1, and who stands between.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use coordinator::operations::OperationError;
use node::Node;
use node::clock::now_ms;
use node::enrolment::{
    Answer, CheckProof, Connecting, ConnectingState, EnrolError, Invitation, OneTimeCode, ask,
    ask_again, check_commitment, exchange, greet_proof,
};
use node::proxy::Proxies;
use node::tls::{Acceptor, CertificateAuthority, ConnectionInfo, Connector, server};
use node_feed::{Hash, HubId, SecretKey, Succession, Tag};
use proto::enrolment::v1::enrol_response::Instead;
use proto::enrolment::v1::enrolment_client::EnrolmentClient;
use proto::enrolment::v1::enrolment_server::{Enrolment, EnrolmentServer};
use proto::enrolment::v1::{
    CheckRequest, CheckResponse, EndFormerRequest, EndFormerResponse, EnrolRequest, EnrolResponse,
    EnrolWaiting, GreetRequest, GreetResponse, RenewRequest, RenewResponse, StandingRequest,
    StandingResponse, SucceedRequest, SucceedResponse,
};
use tests::world::{World, until};
use tokio::net::TcpListener;
use tonic::{Code, Request, Response, Status};

use super::waiting_room::{ask_to_connect, connect, operations, stop, waits};

const SOUTH: &str = "south-yorkshire";
const AT_NCETM: &str = "an operator";
const PATIENCE: Duration = Duration::from_secs(60);

fn at_ncetm(world: &World) -> String {
    let waiting = operations(world).waiting().expect("what waits");
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    waiting[0].check_number.clone()
}

fn at_the_hub(node: &Node) -> String {
    let connecting = node.connecting().expect("it asks");
    let number = connecting.check_number();
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// Asks with the plain call alone, as older programs did: to what the coordinator commits itself.
async fn asks(invitation: &Invitation, key: &SecretKey) -> Hash {
    let answer = ask_again(invitation, key, &Proxies::Direct).await;
    match answer {
        Ok(Answer::Waiting {
            commitment: Some(commitment),
            ..
        }) => commitment,
        other => panic!("it does not wait: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_both_screens_show_one_number_for_good_over_restarts_of_both_ends() {
    let mut world = World::new().await;
    let invitation = world.invite_to_wait(SOUTH);
    let (node, running) = ask_to_connect(&world, SOUTH, &invitation);
    waits(&node).await;
    let number = at_the_hub(&node);
    let digits = number.chars().filter(char::is_ascii_digit).count();
    assert_eq!((digits, number.len()), (6, 7), "{number}");
    assert_eq!(at_ncetm(&world), number);

    world.stop_coordinator().await;
    world.start_coordinator().await;
    assert_eq!(at_ncetm(&world), number);
    let (path, key) = (node.folder().to_owned(), node.identity().clone());
    stop((node, running)).await;
    let node = world.open(&path);
    let running = node.start();
    assert_eq!(at_the_hub(&node), number, "shown before anybody answers");
    let connecting = waits(&node).await;
    assert_eq!(
        (at_the_hub(&node), at_ncetm(&world)),
        (number.clone(), number.clone())
    );

    let commitment = asks(&invitation, &key).await;
    let again = exchange(&invitation, &key, &commitment, &Proxies::Direct).await;
    assert_eq!(again.expect("the same again").to_string(), number);

    operations(&world)
        .admit_waiting(&number, AT_NCETM)
        .expect("admitted");
    assert_eq!(connecting.outcome().await, ConnectingState::Admitted);
    drop(connecting);
    stop((node, running)).await;
    let node = world.open(&path);
    let kept = node.check_number().map(|number| number.to_string());
    assert_eq!(kept, Some(number.clone()));
    assert_eq!(operations(&world).nodes()[0].check_number, number);
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_two_requests_of_one_node_have_two_numbers() {
    let world = World::new().await;
    let (node, running) = ask_to_connect(&world, SOUTH, &world.invite_to_wait(SOUTH));
    waits(&node).await;
    let first = at_the_hub(&node);
    operations(&world)
        .refuse_waiting(&first, "Once more, please", AT_NCETM)
        .expect("refused");
    let connecting = node.connecting().expect("it asked");
    connecting.outcome().await;
    let connecting = connect(&node, &world.invite_to_wait(SOUTH));
    assert_eq!(connecting.check_number(), None, "it is made anew");
    waits(&node).await;
    assert_ne!(at_the_hub(&node), first);
    assert_eq!(at_ncetm(&world), at_the_hub(&node));
    stop((node, running)).await;
}

/// Somebody gave the hub an invitation to a coordinator of their own, and asks the true one with the
/// hub's code. They see all that is said, and would have both ends show one number.
#[tokio::test(flavor = "multi_thread")]
async fn c1_whoever_stands_between_with_both_ends_of_their_own_cannot_choose_the_number() {
    let (ncetm, theirs) = (World::new().await, World::new().await);
    let invitation = ncetm.invite_to_wait(SOUTH);
    let (node, running) = ask_to_connect(&theirs, SOUTH, &theirs.invite_to_wait(SOUTH));
    waits(&node).await;
    let wanted = at_the_hub(&node);

    // They have the hub's number before they say their own part to NCETM, and it helps them nothing: what
    // NCETM's part is they hear once theirs is fixed.
    let key = SecretKey::from_seed(&node::random::<32>());
    let commitment = asks(&invitation, &key).await;
    let told = say(&invitation, &key, [1; 32]).await.expect("the first");
    let told = <[u8; 32]>::try_from(&told[..]).expect("32 bytes");
    let coordinator = ncetm.coordinator().operations().node().identity().public();
    assert_eq!(check_commitment(&told, &coordinator), commitment);
    let shown = at_ncetm(&ncetm);
    assert_ne!(shown, wanted, "but for one chance in a million");

    // From here they could compute which part of theirs would make the numbers the same.
    for other in [[2; 32], [3; 32]] {
        let status = say(&invitation, &key, other).await.expect_err("too late");
        assert_eq!(status.code(), Code::PermissionDenied);
        assert!(status.message().contains("one number for good"), "{status}");
    }
    assert_eq!(
        say(&invitation, &key, [1; 32]).await.expect("again"),
        told[..]
    );
    let other = SecretKey::from_seed(&node::random::<32>());
    let refused = ask(&invitation, &other, now_ms(), &Proxies::Direct).await;
    assert!(
        matches!(refused, Err(EnrolError::Refused(_))),
        "{refused:?}"
    );
    let status = say(&invitation, &other, [1; 32]).await;
    assert_eq!(
        status.expect_err("not theirs").code(),
        Code::PermissionDenied
    );
    assert_eq!(at_ncetm(&ncetm), shown);
    assert_eq!(asks(&invitation, &key).await, commitment);
    stop((node, running)).await;
}

/// One call of `Check` with a part that is chosen freely, over a connection of its own.
async fn say(invitation: &Invitation, key: &SecretKey, nonce: [u8; 32]) -> Result<Bytes, Status> {
    let (address, authority) = (invitation.address.clone(), &invitation.authority_pem);
    let connector = Connector::new(address, authority, None).expect("a connector");
    let connection = connector.connect().await.expect("connected");
    let node = key.public();
    let proof = CheckProof {
        exporter: &connection.info.exporter,
        network: invitation.network,
        hub: invitation.hub,
        code: &invitation.code,
        node: node.node(),
        nonce: &nonce,
    };
    let answer = EnrolmentClient::new(connection.channel)
        .check(proof.request(key))
        .await?;
    Ok(answer.into_inner().nonce)
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_request_without_a_number_can_be_refused_and_not_admitted() {
    let world = World::new().await;
    let invitation = world.invite_to_wait(SOUTH);
    let key = SecretKey::from_seed(&node::random::<32>());
    let commitment = asks(&invitation, &key).await;
    let operations = operations(&world);
    assert_eq!(at_ncetm(&world), "");
    let length = operations.node().authority().length();
    for which in [SOUTH, &key.public().node().to_string()] {
        let refused = operations.admit_waiting(which, AT_NCETM);
        let refused = refused.expect_err("there is nothing to compare");
        assert!(matches!(refused, OperationError::NoCheckNumber(_)));
        let sentence = refused.to_string();
        assert!(sentence.contains("running and current"), "{sentence}");
    }
    for which in ["", " "] {
        let nobody = operations.admit_waiting(which, AT_NCETM);
        assert!(matches!(nobody, Err(OperationError::NotWaiting(_))));
    }
    assert!(operations.nodes().is_empty());
    assert_eq!(operations.node().authority().length(), length);

    let made = exchange(&invitation, &key, &commitment, &Proxies::Direct).await;
    let number = made.expect("it takes part now").to_string();
    operations
        .admit_waiting(&number, AT_NCETM)
        .expect("admitted");

    let invitation = world.invite_to_wait("west-yorkshire");
    let key = SecretKey::from_seed(&node::random::<32>());
    let commitment = asks(&invitation, &key).await;
    operations
        .refuse_waiting("west-yorkshire", "Your program is too old", AT_NCETM)
        .expect("refused");
    let late = exchange(&invitation, &key, &commitment, &Proxies::Direct).await;
    let late = late.expect_err("it was decided");
    assert!(late.is_temporary(), "Enrol tells it: {late}");
}

/// What a coordinator says that keeps to nothing.
#[derive(Default)]
struct Says {
    commitment: Bytes,
    /// None: it does not know the call.
    opening: Option<Bytes>,
    admits: bool,
    /// It keeps what it hears for itself, and has itself asked again.
    delays: bool,
    /// The key that it names as its successor, once it has chosen one.
    successor: Option<SecretKey>,
    /// The parts that nodes said.
    heard: Vec<Bytes>,
}

/// A coordinator that proves who it is, as whoever forged an invitation can, and then lies; over real
/// TLS.
#[derive(Clone)]
struct Liar {
    identity: SecretKey,
    root: SecretKey,
    authority: Arc<CertificateAuthority>,
    says: Arc<Mutex<Says>>,
}

impl Liar {
    async fn start(commitment: impl Into<Bytes>, opening: Option<Bytes>) -> (Self, Invitation) {
        let (identity, root) = (liars_key(), SecretKey::from_seed(&node::random::<32>()));
        let authority = CertificateAuthority::generate(root.public().network(), now_ms());
        let authority = authority.expect("an authority");
        let shown = authority.issue_server(&["127.0.0.1".to_owned()], now_ms());
        let pem = authority.certificate_pem();
        let acceptor = Acceptor::new(&shown.expect("a certificate"), &pem).expect("an acceptor");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let says = Says {
            commitment: commitment.into(),
            opening,
            ..Says::default()
        };
        let liar = Self {
            identity,
            root,
            authority: Arc::new(authority),
            says: Arc::new(Mutex::new(says)),
        };
        let serving = server()
            .add_service(EnrolmentServer::new(liar.clone()))
            .serve_with_incoming(acceptor.incoming(listener));
        tokio::spawn(serving);
        let invitation = Invitation {
            network: liar.root.public().network(),
            root: liar.root.public(),
            coordinator: liar.identity.public(),
            address: address.parse().expect("an address"),
            authority_pem: pem,
            hub: HubId::from_bytes([1; 8]),
            hub_code: SOUTH.to_owned(),
            hub_name: "South Yorkshire".to_owned(),
            code: OneTimeCode::generate().expect("random bytes"),
            expires_ms: now_ms() + 3_600_000,
        };
        (liar, invitation)
    }

    fn says(&self) -> MutexGuard<'_, Says> {
        self.says.lock().expect("not poisoned")
    }

    fn commit(&self, nonce: [u8; 32]) {
        self.says().commitment = committed(nonce);
        self.says().opening = Some(Bytes::copy_from_slice(&nonce));
    }
}

fn liars_key() -> SecretKey {
    SecretKey::from_seed(&[77; 32])
}

fn committed(nonce: [u8; 32]) -> Bytes {
    Bytes::copy_from_slice(check_commitment(&nonce, &liars_key().public()).as_bytes())
}

#[tonic::async_trait]
impl Enrolment for Liar {
    async fn greet(
        &self,
        request: Request<GreetRequest>,
    ) -> Result<Response<GreetResponse>, Status> {
        let info = request.extensions().get::<ConnectionInfo>();
        let exporter = info.expect("a connection's info").exporter;
        let network = self.root.public().network();
        let parts = greet_proof(&exporter, &network);
        let successor = self.says().successor.clone();
        let successions = successor.iter().map(|key| {
            let said = Succession::sign(network, &self.identity, key.public().node());
            proto::enrolment::v1::Succession {
                former: Bytes::copy_from_slice(said.former.as_bytes()),
                successor: Bytes::copy_from_slice(said.successor.as_bytes()),
                signature: Bytes::copy_from_slice(&said.signature.0),
            }
        });
        let successions = successions.collect();
        let key = successor.as_ref().unwrap_or(&self.identity);
        let signature = key.sign(Tag::Enrolment, &parts);
        Ok(Response::new(GreetResponse {
            successions,
            network: Bytes::copy_from_slice(network.as_bytes()),
            coordinator: Bytes::copy_from_slice(key.public().as_bytes()),
            signature: Bytes::copy_from_slice(&signature.0),
            ..GreetResponse::default()
        }))
    }

    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let request = request.into_inner();
        if !self.says().admits {
            let waiting = EnrolWaiting {
                since_ms: now_ms(),
                lapses_ms: now_ms() + 3_600_000,
                check_commitment: self.says().commitment.clone(),
            };
            return Ok(Response::new(EnrolResponse {
                instead: Some(Instead::Waiting(waiting)),
                ..EnrolResponse::default()
            }));
        }
        let network = self.root.public().network();
        let node = node_feed::NodeId::try_from(&request.node[..]).expect("32 bytes");
        let issued = self
            .authority
            .issue_client(&request.certificate_request, network, node, now_ms())
            .expect("a certificate");
        Ok(Response::new(EnrolResponse {
            certificates: vec![Bytes::copy_from_slice(&issued.certificate)],
            network: Bytes::copy_from_slice(network.as_bytes()),
            root: Bytes::copy_from_slice(self.root.public().as_bytes()),
            coordinator: Bytes::copy_from_slice(self.identity.public().as_bytes()),
            hub: request.hub,
            instead: None,
        }))
    }

    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let mut says = self.says();
        let Some(nonce) = says.opening.clone() else {
            return Err(Status::unimplemented("not known"));
        };
        says.heard.push(request.into_inner().nonce);
        if says.delays {
            return Err(Status::unavailable("later"));
        }
        Ok(Response::new(CheckResponse { nonce }))
    }

    async fn renew(&self, _: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        Err(Status::unimplemented("it only lies"))
    }

    async fn succeed(
        &self,
        _: Request<SucceedRequest>,
    ) -> Result<Response<SucceedResponse>, Status> {
        Err(Status::unimplemented("it only lies"))
    }

    async fn end_former(
        &self,
        _: Request<EndFormerRequest>,
    ) -> Result<Response<EndFormerResponse>, Status> {
        Err(Status::unimplemented("it only lies"))
    }

    async fn standing(
        &self,
        _: Request<StandingRequest>,
    ) -> Result<Response<StandingResponse>, Status> {
        Err(Status::unimplemented("it only lies"))
    }
}

/// The outcome, which does not let a test wait for ever.
async fn outcome(connecting: &Connecting) -> ConnectingState {
    let outcome = tokio::time::timeout(PATIENCE, connecting.outcome()).await;
    outcome.expect("it comes to an outcome")
}

fn failure(outcome: &ConnectingState) -> &str {
    let ConnectingState::Failed(sentence) = outcome else {
        panic!("it came to something: {outcome:?}");
    };
    sentence
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_coordinator_that_does_not_keep_to_its_commitment_is_found_and_no_number_shown() {
    let world = World::new().await;
    let long = Bytes::from_static(&[2; 33]);
    let cases = [
        (
            "another",
            committed([1; 32]),
            Some(Bytes::from_static(&[2; 32])),
            "committed itself",
        ),
        ("long", committed([1; 32]), Some(long), "wrong length"),
        (
            "nothing",
            committed([1; 32]),
            Some(Bytes::new()),
            "wrong length",
        ),
        (
            "odd",
            Bytes::from_static(b"short"),
            None,
            "commitment has the wrong length",
        ),
    ];
    for (name, commitment, opening, words) in cases {
        let (_liar, invitation) = Liar::start(commitment, opening).await;
        let (node, running) = ask_to_connect(&world, name, &invitation);
        let connecting = node.connecting().expect("it asks");
        let outcome = outcome(&connecting).await;
        assert!(failure(&outcome).contains(words), "{name}: {outcome:?}");
        assert_eq!(connecting.check_number(), None, "{name}");
        assert!(!node.folder().join("connecting.toml").exists());
        stop((node, running)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_coordinator_that_takes_another_key_once_it_has_heard_the_nodes_part_is_found() {
    let world = World::new().await;
    let (liar, invitation) = Liar::start(Bytes::new(), None).await;
    liar.commit([1; 32]);
    liar.says().delays = true;
    let (node, running) = ask_to_connect(&world, SOUTH, &invitation);
    until("it has said its part", || !liar.says().heard.is_empty()).await;
    // With the part in hand it could try a million keys of its own until the number is the wanted one.
    {
        let mut says = liar.says();
        says.successor = Some(SecretKey::from_seed(&[78; 32]));
        says.delays = false;
    }
    let connecting = node.connecting().expect("it asks");
    let outcome = outcome(&connecting).await;
    assert!(
        failure(&outcome).contains("committed itself"),
        "{outcome:?}"
    );
    assert_eq!(connecting.check_number(), None);
    stop((node, running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_coordinator_that_commits_itself_anew_is_found_and_hears_no_second_part() {
    let world = World::new().await;
    let (liar, invitation) = Liar::start(Bytes::new(), None).await;
    // While the node runs, over its restart, and by saying nothing any more.
    for (name, restarts, anew) in [
        ("running", false, committed([2; 32])),
        ("restarted", true, committed([2; 32])),
        ("silent", false, Bytes::new()),
    ] {
        liar.commit([1; 32]);
        liar.says().heard.clear();
        let (node, running) = ask_to_connect(&world, name, &invitation);
        waits(&node).await;
        assert_ne!(at_the_hub(&node), "");
        let again = {
            let folder = node.folder().to_owned();
            let mut node = (node, running);
            if restarts {
                stop(node).await;
                liar.says().commitment = anew;
                let opened = world.open(&folder);
                let running = opened.start();
                node = (opened, running);
            } else {
                liar.says().commitment = anew;
            }
            node
        };
        let connecting = again.0.connecting().expect("it asks");
        let outcome = outcome(&connecting).await;
        let sentence = failure(&outcome);
        assert!(sentence.contains("otherwise than before"), "{sentence}");
        assert!(sentence.contains("new invitation"), "{sentence}");
        let heard = liar.says().heard.clone();
        assert!(!heard.is_empty() && heard.iter().all(|it| *it == heard[0]));
        let kept = again.0.not_connected().expect("read").expect("a line");
        assert_eq!(kept.why, sentence);
        drop(connecting);
        stop(again).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_node_says_another_part_to_every_commitment_and_the_same_to_one() {
    let (liar, invitation) = Liar::start(Bytes::new(), None).await;
    let key = SecretKey::from_seed(&node::random::<32>());
    for nonce in [[1; 32], [2; 32], [1; 32]] {
        liar.commit(nonce);
        let commitment = check_commitment(&nonce, &liars_key().public());
        let made = exchange(&invitation, &key, &commitment, &Proxies::Direct).await;
        made.expect("it keeps to its commitment");
    }
    let heard = liar.says().heard.clone();
    assert_eq!(heard.len(), 3);
    assert_eq!(heard[0], heard[2]);
    assert_ne!(heard[0], heard[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_at_an_older_coordinator_a_node_says_that_there_is_nothing_to_compare() {
    let world = World::new().await;
    for (name, commitment) in [("plain", Bytes::new()), ("half", committed([1; 32]))] {
        let (liar, invitation) = Liar::start(commitment, None).await;
        let (node, running) = ask_to_connect(&world, name, &invitation);
        let connecting = waits(&node).await;
        let trouble = connecting.progress().trouble.unwrap_or_default();
        assert!(trouble.contains("too old to compare"), "{trouble}");
        assert_eq!(connecting.check_number(), None);
        let status = node.status().expect("a status");
        let said = status["connecting"].as_str().unwrap_or_default();
        assert!(said.contains("too old to compare"), "{status}");

        // It may be admitted all the same: the older program decides.
        liar.says().admits = true;
        assert_eq!(connecting.outcome().await, ConnectingState::Admitted);
        assert_eq!(
            (node.check_number(), node.hub()),
            (None, Some(invitation.hub))
        );
        until("its invitation is deleted", || {
            !node.folder().join("connecting.toml").exists()
        })
        .await;
        drop(connecting);
        stop((node, running)).await;
    }
}
