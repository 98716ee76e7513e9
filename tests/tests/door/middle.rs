//! A proxy that takes CONNECT, and may ask who comes, refuse, say nothing, or look inside.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tests::trusting;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Who the inspecting filter says that it is.
pub(crate) const FILTER: &str = "Smoothwall Filter CA";
/// The name by which hubs dial, which nobody but a proxy knows.
pub(crate) const HOST: &str = "causeway.test";

/// How a proxy behaves.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Lets through who shows this `name:password`.
    Wanting(&'static str),
    /// Answers with this status, whatever is asked.
    Refusing(u16),
    /// Takes connections and says nothing.
    Silent,
    /// Lets everybody through, and opens what is encrypted with an authority of its own.
    Inspecting(Inspector),
}

/// A proxy on a free port, which leads to one target alone.
pub(crate) struct Middle {
    address: SocketAddr,
    passed: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Middle {
    pub(crate) async fn start(target: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let passed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&passed);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (manner, count) = (manner.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    // What breaks off is the test's to notice.
                    drop(attend(stream, target, manner, &count).await);
                });
            }
        });
        Self {
            address,
            passed,
            task,
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many were let through.
    pub(crate) fn passed(&self) -> usize {
        self.passed.load(Ordering::Relaxed)
    }
}

impl Drop for Middle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn attend(
    mut stream: TcpStream,
    target: SocketAddr,
    manner: Manner,
    passed: &AtomicUsize,
) -> std::io::Result<()> {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(stream.read_u8().await?);
    }
    let asked = String::from_utf8_lossy(&asked).into_owned();
    let shows = |credentials: &str| {
        let header = format!("Basic {}", BASE64.encode(credentials.as_bytes()));
        asked.contains(&header)
    };
    let refusal = match &manner {
        Manner::Refusing(status) => Some(*status),
        Manner::Wanting(credentials) if !shows(credentials) => Some(407),
        _ if !asked.starts_with("CONNECT ") => Some(405),
        Manner::Silent => {
            stream.read_to_end(&mut Vec::new()).await?;
            return Ok(());
        }
        Manner::Wanting(_) | Manner::Inspecting(_) => None,
    };
    if let Some(status) = refusal {
        let page = "<html>The network of a school</html>";
        let length = page.len();
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: {length}\r\n\r\n{page}");
        return stream.write_all(answer.as_bytes()).await;
    }
    let mut beyond = TcpStream::connect(target).await?;
    passed.fetch_add(1, Ordering::Relaxed);
    stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    if let Manner::Inspecting(inspector) = manner {
        return inspector.inspect(stream, beyond).await;
    }
    tokio::io::copy_bidirectional(&mut stream, &mut beyond).await?;
    Ok(())
}

/// Ends the encryption of both sides, and reads what passes.
#[derive(Clone)]
pub(crate) struct Inspector {
    shown: TlsAcceptor,
    beyond: TlsConnector,
}

impl Inspector {
    /// One that believes servers of `authority_pem`, and offers clients these protocols.
    pub(crate) fn new(authority_pem: &str, protocols: &[&[u8]]) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (chain, key) = made_up();
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate");
        server.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        Self {
            shown: TlsAcceptor::from(Arc::new(server)),
            beyond: trusting::connector(authority_pem, &[b"h2"]),
        }
    }

    async fn inspect(self, stream: TcpStream, beyond: TcpStream) -> std::io::Result<()> {
        let mut stream = self.shown.accept(stream).await?;
        let name = ServerName::try_from(HOST).expect("a name");
        let mut beyond = self.beyond.connect(name, beyond).await?;
        tokio::io::copy_bidirectional(&mut stream, &mut beyond).await?;
        Ok(())
    }
}

/// A certificate for the coordinator's name from an authority that a filter made up.
fn made_up() -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, FILTER);
    params
        .distinguished_name
        .push(DnType::OrganizationName, "A School Trust");
    let root = params
        .self_signed(&key)
        .expect("an authority")
        .der()
        .clone();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(vec![HOST.to_owned()]).expect("a name");
    let shown = names.signed_by(&own, &issuer).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(own.serialize_pem().as_bytes()).expect("a key");
    (vec![shown.der().clone(), root], key)
}
