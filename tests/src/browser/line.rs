//! The one line by which a browser reaches anything, so that a test can cut it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const VERSION: u8 = 5;
const NO_PASSWORD: u8 = 0;
const CONNECTED: [u8; 10] = [VERSION, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const UNREACHABLE: [u8; 10] = [VERSION, 3, 0, 1, 0, 0, 0, 0, 0, 0];

/// A SOCKS 5 proxy on this machine that leads to this machine alone. What a service worker asks
/// for passes through it too, which the browser's own offline switch does not hold back.
#[derive(Debug)]
pub(super) struct Line {
    address: SocketAddr,
    whole: Arc<watch::Sender<bool>>,
    task: JoinHandle<()>,
}

impl Line {
    /// Lays the line.
    pub(super) async fn lay() -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let address = listener.local_addr()?;
        let whole = Arc::new(watch::channel(true).0);
        let task = tokio::spawn(accept(listener, Arc::clone(&whole)));
        Ok(Self {
            address,
            whole,
            task,
        })
    }

    /// Where the browser finds it.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts it: open connections break, and new ones come to nothing.
    pub(super) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Whether it is cut.
    pub(super) fn is_cut(&self) -> bool {
        !*self.whole.borrow()
    }

    /// Mends it.
    pub(super) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, whole: Arc<watch::Sender<bool>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let whole = whole.subscribe();
        tokio::spawn(async move {
            // A connection that breaks is what a line is for.
            let _ended = carry(stream, whole).await;
        });
    }
}

async fn carry(mut near: TcpStream, mut whole: watch::Receiver<bool>) -> io::Result<()> {
    near.set_nodelay(true)?;
    let [_version, methods] = read(&mut near).await?;
    near.read_exact(&mut vec![0; usize::from(methods)]).await?;
    near.write_all(&[VERSION, NO_PASSWORD]).await?;
    let target = target(&mut near).await?;
    let far = match target.filter(|_| *whole.borrow()) {
        Some(target) => TcpStream::connect(target).await.ok(),
        None => None,
    };
    let Some(mut far) = far else {
        return near.write_all(&UNREACHABLE).await;
    };
    far.set_nodelay(true)?;
    near.write_all(&CONNECTED).await?;
    tokio::select! {
        carried = copy_bidirectional(&mut near, &mut far) => carried.map(|_| ()),
        _cut = whole.wait_for(|whole| !whole) => Ok(()),
    }
}

/// Where a connection is to lead; none if that is not this machine.
async fn target(near: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let [_version, _command, _reserved, kind] = read(near).await?;
    let ip = match kind {
        1 => Some(IpAddr::V4(Ipv4Addr::from(read::<4>(near).await?))),
        4 => Some(IpAddr::V6(Ipv6Addr::from(read::<16>(near).await?))),
        _ => {
            let [length] = read(near).await?;
            let mut name = vec![0; usize::from(length)];
            near.read_exact(&mut name).await?;
            // Chromium names addresses too instead of giving their bytes.
            match std::str::from_utf8(&name) {
                Ok("localhost") => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                Ok(name) => name.parse().ok(),
                Err(_) => None,
            }
        }
    };
    let port = u16::from_be_bytes(read(near).await?);
    let ip = ip.filter(IpAddr::is_loopback);
    Ok(ip.map(|ip| SocketAddr::new(ip, port)))
}

async fn read<const N: usize>(near: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    near.read_exact(&mut bytes).await?;
    Ok(bytes)
}
