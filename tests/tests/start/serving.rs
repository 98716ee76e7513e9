//! Serving colleagues over TLS, in both ways that the documentation describes.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use node::Node;
use node::config::{Config, WebConfig};
use node::tls::CertificateAuthority;
use node::web::{Listening, Pages, SiteAuthority, hub_routes, hub_site};
use tempfile::TempDir;
use tests::trusting::connect;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::asking::{Answer, ask, signed_in};

const NAME: &str = "causeway.school.example";

fn node() -> (TempDir, Node) {
    let folder = TempDir::new().expect("a temporary folder");
    let node = Node::create(&folder.path().join("node")).expect("a new node");
    (folder, node)
}

/// Serves with these settings, whose port is drawn by the system and fits into `public`.
async fn serve(node: &Node, mut config: WebConfig) -> (Pages, WebConfig) {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let port = probe.expect("a free port").port();
    config.listen = format!("127.0.0.1:{port}");
    config.public = format!("https://{NAME}:{port}");
    config.check().expect("settings that can be used");
    let listening = Listening::begin(&config)
        .expect("it listens")
        .expect("pages are wanted");
    let (site, routes) = (hub_site(), hub_routes());
    let pages = Pages::serve_on(&listening, node, &config, site, routes, None).await;
    (pages.expect("pages are served"), config)
}

async fn get(address: SocketAddr, trusted: &str, host: &str, path: &str, cookie: &str) -> Answer {
    let stream = connect(address, trusted, NAME, &[b"http/1.1"]).await;
    let stream = stream.expect("a secure connection");
    ask(stream, host, "GET", path, &[("cookie", cookie)], &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_the_school_devices_trust_the_nodes_own_authority_for_its_name_alone() {
    let (_folder, node) = node();
    let own = WebConfig {
        certificate: WebConfig::OWN.to_owned(),
        ..WebConfig::default()
    };
    let (pages, config) = serve(&node, own).await;
    let address = pages.address();
    let authority = SiteAuthority::for_pages(node.folder(), &config).expect("an authority");
    let trusted = authority.certificate_pem();
    assert_eq!(authority.words().split(' ').count(), 8);
    let host = format!("{NAME}:{}", address.port());
    let token = signed_in(&node, "hub lead");
    let cookie = format!("__Host-causeway-{}={token}", address.port());
    let shown = get(address, &trusted, &host, "/start", &cookie).await;
    assert!(
        shown.status == 200 && shown.has("Connect this hub"),
        "{}",
        shown.body
    );
    assert_eq!(
        shown.header("strict-transport-security"),
        "max-age=31536000"
    );
    let settings = get(address, &trusted, &host, "/settings", &cookie).await;
    assert!(settings.has(&authority.words()), "{}", settings.body);
    let file = get(address, &trusted, &host, "/settings/certificate", &cookie).await;
    assert_eq!(file.body, trusted);
    // Under another name nothing is served, and in clear nothing is said.
    let elsewhere = get(address, &trusted, "evil.example", "/start", &cookie).await;
    assert_eq!(elsewhere.status, 421);
    let mut clear = TcpStream::connect(address).await.expect("it listens");
    clear
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    let answer = ask(clear, &host, "GET", "/", &[], &[]).await;
    assert_ne!(answer.status, 200);
    // Browsers are offered HTTP/2.
    let stream = connect(address, &trusted, NAME, &[b"h2", b"http/1.1"])
        .await
        .expect("secure");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    // Who does not trust it is warned, and the authority vouches for no other name.
    let stranger = CertificateAuthority::for_site(NAME, node::clock::now_ms()).expect("another");
    assert!(
        connect(address, &stranger.certificate_pem(), NAME, &[])
            .await
            .is_err()
    );
    // It is the same after a new start.
    pages.stop(Duration::from_secs(1)).await;
    let again = SiteAuthority::for_pages(node.folder(), &config).expect("the same");
    assert_eq!(again.certificate_pem(), trusted);
    let private = std::fs::metadata(node.folder().join("web-authority.pem")).expect("kept");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&private.permissions()) & 0o077,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_of_one_name_cannot_vouch_for_another() {
    let now = node::clock::now_ms();
    let authority = CertificateAuthority::for_site(NAME, now).expect("an authority");
    for (name, works) in [(NAME, true), ("bank.example", false), ("127.0.0.1", false)] {
        let shown = authority
            .issue_server(&[name.to_owned()], now)
            .expect("a certificate");
        let acceptor = node::tls::SiteAcceptor::new(&shown).expect("an acceptor");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let _served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await?;
            acceptor.handshake(stream).await
        });
        let connected = connect(address, &authority.certificate_pem(), name, &[]).await;
        assert_eq!(connected.is_ok(), works, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_rented_server_files_of_a_certificate_are_read_again_when_they_change() {
    let (folder, node) = node();
    let now = node::clock::now_ms();
    let write = |authority: &CertificateAuthority, at: &Path| {
        let made = authority
            .issue_server(&[NAME.to_owned()], now)
            .expect("a certificate");
        std::fs::write(at.join("key.pem"), made.key_pem().as_bytes()).expect("a key");
        std::fs::write(at.join("chain.pem"), made.chain_pem()).expect("a chain");
    };
    let first = CertificateAuthority::for_site(NAME, now).expect("an authority");
    let second = CertificateAuthority::for_site(NAME, now).expect("an authority");
    write(&first, folder.path());
    let config = WebConfig {
        certificate: folder.path().join("chain.pem").display().to_string(),
        key: folder.path().join("key.pem").display().to_string(),
        ..WebConfig::default()
    };
    let (pages, _) = serve(&node, config).await;
    let address = pages.address();
    assert!(
        connect(address, &first.certificate_pem(), NAME, &[])
            .await
            .is_ok()
    );
    // A handshake that is never completed holds nobody up.
    let _idle = TcpStream::connect(address).await.expect("it listens");
    // What cannot be used is not taken.
    std::fs::write(folder.path().join("chain.pem"), "nothing").expect("written");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(
        connect(address, &first.certificate_pem(), NAME, &[])
            .await
            .is_ok()
    );
    write(&second, folder.path());
    let trusted = second.certificate_pem();
    for _ in 0..200 {
        if connect(address, &trusted, NAME, &[]).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        connect(address, &trusted, NAME, &[]).await.is_ok(),
        "the new one is shown"
    );
}

#[test]
fn pages_never_go_over_a_network_in_clear() {
    let config = |web: &str| {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("causeway.toml");
        std::fs::write(&path, format!("[web]\n{web}\n")).expect("settings");
        Config::read(&path)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    for (wrong, says) in [
        ("listen = \"0.0.0.0:8480\"", "unencrypted"),
        ("listen = \"everywhere\"", "an IP address and a port"),
        ("public = \"https://x.example\"", "nothing here encrypts"),
        ("public = \"x.example\"", "without a path"),
        (
            "public = \"https://x.example/y\"\ncertificate = \"own\"",
            "without a path",
        ),
        ("certificate = \"own\"", "begin with https"),
        (
            "certificate = \"a.pem\"\npublic = \"https://x.example\"",
            "key is needed",
        ),
        (
            "certificate = \"own\"\nkey = \"b\"\npublic = \"https://x.example\"",
            "goes with the file",
        ),
        (
            "behind_proxy = true\npublic = \"http://x.example\"",
            "begin with https",
        ),
        (
            "behind_proxy = true\ncertificate = \"own\"\npublic = \"https://x.example\"",
            "proxy in front",
        ),
    ] {
        let error = config(wrong).expect_err(wrong);
        assert!(error.contains(says), "{wrong}: {error}");
    }
    for right in [
        "",
        "listen = \"\"",
        "listen = \"[::1]:8480\"",
        "listen = \"0.0.0.0:8443\"\ncertificate = \"own\"\npublic = \"https://x.example:8443\"",
        "listen = \"0.0.0.0:443\"\ncertificate = \"a\"\nkey = \"b\"\npublic = \"https://x.example\"",
        "behind_proxy = true\npublic = \"https://x.example\"",
    ] {
        assert_eq!(config(right), Ok(()), "{right}");
    }
}
