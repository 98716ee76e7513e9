//! Real handshakes over loopback. The service behind them is the real `Enrolment` service,
//! since it answers clients with and without a certificate.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use node_feed::{NetworkId, NodeId, SecretKey};
use proto::enrolment::v1::enrolment_client::EnrolmentClient;
use proto::enrolment::v1::enrolment_server::{Enrolment, EnrolmentServer};
use proto::enrolment::v1::{
    CheckRequest, CheckResponse, EndFormerRequest, EndFormerResponse, EnrolRequest, EnrolResponse,
    GreetRequest, GreetResponse, RenewRequest, RenewResponse, StandingRequest, StandingResponse,
    SucceedRequest, SucceedResponse,
};
use rustls::pki_types::CertificateDer;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tonic::{Request, Response, Status};

use super::*;

const NETWORK: NetworkId = NetworkId::from_bytes([1; 16]);
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    u64::try_from(since.as_millis()).expect("a date within 64 bits")
}

fn node() -> NodeId {
    SecretKey::from_seed(&[5; 32]).public().node()
}

/// Answers with what the server's end knows of the connection.
struct Mirror;

#[tonic::async_trait]
impl Enrolment for Mirror {
    async fn greet(
        &self,
        request: Request<GreetRequest>,
    ) -> Result<Response<GreetResponse>, Status> {
        let info = request
            .extensions()
            .get::<ConnectionInfo>()
            .expect("a connection's info");
        let peer = info
            .peer
            .map(|peer| Bytes::copy_from_slice(peer.node.as_bytes()));
        Ok(Response::new(GreetResponse {
            network: Bytes::from(info.traffic.received().to_le_bytes().to_vec()),
            coordinator: peer.unwrap_or_default(),
            signature: Bytes::copy_from_slice(&info.exporter),
            ..GreetResponse::default()
        }))
    }

    async fn enrol(&self, _: Request<EnrolRequest>) -> Result<Response<EnrolResponse>, Status> {
        Err(Status::unimplemented("only greets"))
    }

    async fn check(&self, _: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        Err(Status::unimplemented("only greets"))
    }

    async fn renew(&self, _: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        Err(Status::unimplemented("only greets"))
    }

    async fn standing(
        &self,
        _: Request<StandingRequest>,
    ) -> Result<Response<StandingResponse>, Status> {
        Err(Status::unimplemented("only greets"))
    }

    async fn succeed(
        &self,
        _: Request<SucceedRequest>,
    ) -> Result<Response<SucceedResponse>, Status> {
        Err(Status::unimplemented("only greets"))
    }

    async fn end_former(
        &self,
        _: Request<EndFormerRequest>,
    ) -> Result<Response<EndFormerResponse>, Status> {
        Err(Status::unimplemented("only greets"))
    }
}

/// A running server of one network.
struct Site {
    authority: CertificateAuthority,
    address: Address,
    live: Arc<LiveCertificate>,
}

impl Site {
    async fn start() -> Self {
        Self::start_with(now_ms()).await
    }

    /// Starts a server whose certificate was issued at `issued_ms`.
    async fn start_with(issued_ms: u64) -> Self {
        Self::start_as(issued_ms, |acceptor| acceptor).await
    }

    async fn start_as(issued_ms: u64, made: impl FnOnce(Acceptor) -> Acceptor) -> Self {
        let authority = CertificateAuthority::generate(NETWORK, issued_ms).expect("an authority");
        let shown = server_certificate(&authority, issued_ms);
        let acceptor = Acceptor::new(&shown, &authority.certificate_pem()).expect("an acceptor");
        let (live, acceptor) = (acceptor.certificate(), made(acceptor));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let serving = server()
            .add_service(EnrolmentServer::new(Mirror))
            .serve_with_incoming(acceptor.incoming(listener));
        tokio::spawn(serving);
        Self {
            authority,
            address: address.parse().expect("an address"),
            live,
        }
    }

    fn connector(&self, credentials: Option<&Credentials>) -> Connector {
        let authority = self.authority.certificate_pem();
        Connector::new(self.address.clone(), &authority, credentials).expect("a connector")
    }

    fn credentials(&self, issued_ms: u64) -> Credentials {
        client_certificate(&self.authority, issued_ms)
    }
}

fn server_certificate(authority: &CertificateAuthority, issued_ms: u64) -> Credentials {
    let names = ["127.0.0.1".to_owned(), "causeway.example".to_owned()];
    authority
        .issue_server(&names, issued_ms)
        .expect("a server certificate")
}

fn client_certificate(authority: &CertificateAuthority, issued_ms: u64) -> Credentials {
    let key = TlsKey::generate().expect("a key");
    let request = key.request().expect("a request");
    let issued = authority
        .issue_client(&request, NETWORK, node(), issued_ms)
        .expect("issued");
    Credentials::new(vec![issued.certificate], &key).expect("credentials")
}

async fn greet(connection: &Connection) -> Result<GreetResponse, Status> {
    let mut client = EnrolmentClient::new(connection.channel.clone());
    client
        .greet(GreetRequest {})
        .await
        .map(Response::into_inner)
}

fn fault(result: Result<Connection, TlsError>) -> Fault {
    match result {
        Err(TlsError::Handshake { fault, .. }) => fault,
        other => panic!("no failed handshake: {other:?}"),
    }
}

/// Collects log lines of this thread, on which the test's whole runtime runs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    /// Waits for a line that holds `text`.
    async fn line(&self, text: &str) -> String {
        for _ in 0..1000 {
            let bytes = self
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let lines = String::from_utf8(bytes).expect("UTF-8");
            if let Some(line) = lines.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no line holds \"{text}\"");
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_after_the_handshake_gives_its_place_up() {
    let site = Site::start_as(now_ms(), |acceptor| acceptor.with_places(1)).await;
    let mut silent = site.connector(None).secure().await.expect("a place");
    let mut heard = Vec::new();
    let ended = tokio::time::timeout(HANDSHAKE_TIMEOUT * 3, silent.read_to_end(&mut heard));
    // Whether it was closed or broken off.
    drop(ended.await.expect("it ends"));
    let next = site.connector(None).connect().await;
    next.expect("its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_place_waits_until_another_ends() {
    let site = Site::start_as(now_ms(), |acceptor| acceptor.with_places(2)).await;
    let first = site.connector(None).connect().await.expect("a place");
    let _second = site.connector(None).connect().await.expect("a place");
    let third = site.connector(None);
    let mut third = tokio::spawn(async move { third.connect().await });
    let waited = tokio::time::timeout(Duration::from_millis(500), &mut third).await;
    assert!(waited.is_err(), "there was no place");
    drop(first);
    third
        .await
        .expect("it ends")
        .expect("the place of the first");
}

#[tokio::test]
async fn both_ends_know_the_same_exporter_and_each_connection_another() {
    let site = Site::start().await;
    let connector = site.connector(None);
    let first = connector.connect().await.expect("a connection");
    let second = connector.connect().await.expect("a connection");
    assert_eq!(
        greet(&first).await.expect("an answer").signature[..],
        first.info.exporter
    );
    assert_eq!(
        greet(&second).await.expect("an answer").signature[..],
        second.info.exporter
    );
    assert_ne!(first.info.exporter, second.info.exporter);
}

#[tokio::test]
async fn a_client_certificate_names_its_node_and_none_is_needed() {
    let site = Site::start().await;
    let named = site
        .connector(Some(&site.credentials(now_ms())))
        .connect()
        .await;
    let named = greet(&named.expect("a connection"))
        .await
        .expect("an answer");
    assert_eq!(named.coordinator[..], node().as_bytes()[..]);
    let nameless = site.connector(None).connect().await.expect("a connection");
    assert!(
        greet(&nameless)
            .await
            .expect("an answer")
            .coordinator
            .is_empty()
    );
}

#[tokio::test]
async fn bytes_are_counted_alike_on_both_ends() {
    let site = Site::start().await;
    let connection = site.connector(None).connect().await.expect("a connection");
    let answer = greet(&connection).await.expect("an answer");
    let received = u64::from_le_bytes(answer.network[..].try_into().expect("8 bytes"));
    let traffic = &connection.info.traffic;
    assert!(
        received > 0 && received <= traffic.sent(),
        "{received} of {}",
        traffic.sent()
    );
    assert!(traffic.received() > 0);
    assert!(traffic.handshake() > Duration::ZERO);
}

#[tokio::test]
async fn a_server_of_another_network_is_not_trusted_and_hears_why() {
    let log = Log::default();
    let _guard = log.start();
    let site = Site::start().await;
    let other = CertificateAuthority::generate(NETWORK, now_ms()).expect("an authority");
    let connector = Connector::new(site.address.clone(), &other.certificate_pem(), None);
    let result = connector.expect("a connector").connect().await;
    let issuer = format!("Causeway {NETWORK}");
    assert_eq!(fault(result), Fault::UnknownAuthority(Some(issuer)));
    let line = log.line("handshake refused").await;
    assert!(
        line.contains("WARN") && line.contains("127.0.0.1:"),
        "{line}"
    );
    assert!(line.contains(&Fault::OurRefused.to_string()), "{line}");
}

#[tokio::test]
async fn a_client_of_another_network_is_refused_with_a_line() {
    let log = Log::default();
    let _guard = log.start();
    let site = Site::start().await;
    let other = CertificateAuthority::generate(NETWORK, now_ms()).expect("an authority");
    let stranger = client_certificate(&other, now_ms());
    let found = refused_at_first_call(&site, &stranger).await;
    assert_eq!(found, Fault::OurRefused);
    let line = log.line("handshake refused").await;
    assert!(
        line.contains(&Fault::UnknownAuthority(None).to_string()),
        "{line}"
    );
}

#[tokio::test]
async fn an_expired_client_certificate_is_named_on_both_ends() {
    let log = Log::default();
    let _guard = log.start();
    let site = Site::start().await;
    let old = site.credentials(now_ms() - 91 * DAY_MS);
    assert!(old.not_after_ms() < now_ms());
    assert_eq!(refused_at_first_call(&site, &old).await, Fault::OurExpired);
    let line = log.line("handshake refused").await;
    assert!(line.contains(&Fault::Expired.to_string()), "{line}");
}

/// A refused client certificate shows only at the first call, since the client's end of the
/// handshake is done before the server has seen it.
async fn refused_at_first_call(site: &Site, credentials: &Credentials) -> Fault {
    let connection = site
        .connector(Some(credentials))
        .connect()
        .await
        .expect("a connection");
    greet(&connection).await.expect_err("refused");
    connection.info.fault().expect("a reason").clone()
}

#[tokio::test]
async fn a_wrong_clock_shows_as_an_expired_or_an_early_certificate() {
    let late = Site::start_with(now_ms() - 400 * DAY_MS).await;
    assert_eq!(fault(late.connector(None).connect().await), Fault::Expired);
    let early = Site::start_with(now_ms() + 400 * DAY_MS).await;
    assert_eq!(
        fault(early.connector(None).connect().await),
        Fault::NotYetValid
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_and_can_be_replaced_live() {
    let site = Site::start().await;
    let elsewhere = site
        .authority
        .issue_server(&["other.example".to_owned()], now_ms());
    site.live
        .replace(&elsewhere.expect("a certificate"))
        .expect("replaced");
    assert_eq!(fault(site.connector(None).connect().await), Fault::Name);
    site.live
        .replace(&server_certificate(&site.authority, now_ms()))
        .expect("replaced");
    site.connector(None).connect().await.expect("a connection");
}

#[tokio::test]
async fn what_does_not_speak_tls_is_named_on_either_end() {
    let log = Log::default();
    let _guard = log.start();
    let site = Site::start().await;
    let mut plain = TcpStream::connect((site.address.host(), site.address.port()))
        .await
        .expect("connected");
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("written");
    // The server hangs up, and others are served meanwhile.
    plain.read_to_end(&mut Vec::new()).await.ok();
    log.line(&Fault::NotTls.to_string()).await;
    site.connector(None).connect().await.expect("a connection");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer)
            .await
            .expect("written");
        stream.read_to_end(&mut Vec::new()).await.ok();
    });
    let authority = site.authority.certificate_pem();
    let connector = Connector::new(address.parse().expect("an address"), &authority, None);
    assert_eq!(
        fault(connector.expect("a connector").connect().await),
        Fault::NotTls
    );
}

#[tokio::test]
async fn a_client_that_never_completes_its_handshake_holds_nobody_up() {
    let site = Site::start().await;
    let target = (site.address.host().to_owned(), site.address.port());
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(TcpStream::connect(target.clone()).await.expect("connected"));
    }
    site.connector(None).connect().await.expect("a connection");
}

#[tokio::test]
async fn nobody_listening_is_said_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    drop(listener);
    let authority = CertificateAuthority::generate(NETWORK, now_ms()).expect("an authority");
    let target = address.parse().expect("an address");
    let connector = Connector::new(target, &authority.certificate_pem(), None);
    let error = connector
        .expect("a connector")
        .connect()
        .await
        .expect_err("nobody");
    assert!(matches!(error, TlsError::Connect { .. }), "{error}");
    assert!(error.to_string().contains(&address), "{error}");
}

#[tokio::test]
async fn a_connection_that_ended_is_never_dialled_again_by_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let authority = CertificateAuthority::generate(NETWORK, now_ms()).expect("an authority");
    let shown = server_certificate(&authority, now_ms());
    let acceptor = Acceptor::new(&shown, &authority.certificate_pem()).expect("an acceptor");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        use tokio_stream::StreamExt;
        let mut incoming = Box::pin(acceptor.incoming(listener));
        let first = incoming.next().await;
        stopped.await.ok();
        drop(first);
        let second = tokio::time::timeout(Duration::from_millis(300), incoming.next()).await;
        assert!(second.is_err(), "a second connection came");
    });
    let connector = Connector::new(
        address.parse().expect("an address"),
        &authority.certificate_pem(),
        None,
    );
    let connection = connector
        .expect("a connector")
        .connect()
        .await
        .expect("a connection");
    stop.send(()).expect("the server waits");
    for _ in 0..3 {
        greet(&connection)
            .await
            .expect_err("the connection has ended");
    }
    serving.await.expect("only one connection");
}

#[test]
fn of_a_request_only_the_key_is_taken() {
    let authority = CertificateAuthority::generate(NETWORK, now_ms()).expect("an authority");
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut wishes = rcgen::CertificateParams::new(["evil.example".to_owned()]).expect("names");
    wishes.not_after = rcgen::date_time_ymd(2999, 1, 1);
    wishes.is_ca = rcgen::IsCa::NoCa;
    wishes.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    let request = wishes.serialize_request(&key).expect("a request");
    let issued = authority
        .issue_client(request.der(), NETWORK, node(), now_ms())
        .expect("issued");
    let subject = CertificateSubject::read(&issued.certificate).expect("a subject");
    assert_eq!((subject.network, subject.node), (NETWORK, node()));
    assert_eq!(subject.not_after_ms, issued.not_after_ms);
    assert!(issued.not_after_ms < now_ms() + 91 * DAY_MS);
    let der = &issued.certificate;
    let wanted = b"evil.example";
    assert!(!der.windows(wanted.len()).any(|window| window == wanted));
}

#[test]
fn a_request_that_is_damaged_is_refused() {
    let authority = CertificateAuthority::generate(NETWORK, now_ms()).expect("an authority");
    let request = TlsKey::generate()
        .expect("a key")
        .request()
        .expect("a request");
    for at in (0..request.len()).step_by(7) {
        let mut damaged = request.clone();
        damaged[at] ^= 1;
        let issued = authority.issue_client(&damaged, NETWORK, node(), now_ms());
        assert!(issued.is_err(), "byte {at} does not count");
    }
}

#[test]
fn what_is_saved_is_read_again_and_what_does_not_fit_is_refused() {
    let authority = CertificateAuthority::generate(NETWORK, now_ms()).expect("an authority");
    let (certificate, key) = (authority.certificate_pem(), authority.key_pem());
    let again = CertificateAuthority::from_pem(&certificate, &key).expect("read again");
    assert_eq!(again.certificate_pem(), certificate);
    let credentials = client_certificate(&again, now_ms());
    let read = Credentials::from_pem(&credentials.chain_pem(), &credentials.key_pem());
    assert_eq!(
        read.expect("read again").chain_pem(),
        credentials.chain_pem()
    );
    let other = CertificateAuthority::generate(NETWORK, now_ms()).expect("an authority");
    let mixed = CertificateAuthority::from_pem(&certificate, &other.key_pem());
    assert!(
        matches!(mixed, Err(CertificateError::Mismatch)),
        "{mixed:?}"
    );
    let cut = Credentials::from_pem(&credentials.chain_pem()[..60], &credentials.key_pem());
    assert!(
        matches!(
            cut,
            Err(CertificateError::Pem {
                what: "certificate",
                ..
            })
        ),
        "{cut:?}"
    );
    let unknown = CertificateSubject::read(&CertificateDer::from(vec![1, 2, 3]));
    assert!(
        matches!(unknown, Err(CertificateError::Encoding)),
        "{unknown:?}"
    );
}

#[test]
fn a_certificate_is_renewed_when_a_third_of_its_life_is_left() {
    let authority = CertificateAuthority::generate(NETWORK, now_ms()).expect("an authority");
    let credentials = client_certificate(&authority, now_ms());
    assert!(!credentials.renewal_due(now_ms() + 55 * DAY_MS));
    assert!(credentials.renewal_due(now_ms() + 61 * DAY_MS));
    assert!(credentials.renewal_due(now_ms() + 400 * DAY_MS));
}
