//! A cable that can be cut.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Passes TCP connections on to another address until it is cut.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    whole: Arc<watch::Sender<bool>>,
    carried: Arc<Carried>,
    task: JoinHandle<()>,
}

/// What was passed on, and how much may be before the cable is cut.
#[derive(Debug)]
struct Carried {
    bytes: AtomicU64,
    limit: AtomicU64,
}

impl Relay {
    /// Listens on a free port of this machine and passes what comes in on to `target`.
    ///
    /// # Errors
    /// If no port is to be had.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = listener.local_addr()?;
        let whole = Arc::new(watch::channel(true).0);
        let carried = Arc::new(Carried {
            bytes: AtomicU64::new(0),
            limit: AtomicU64::new(u64::MAX),
        });
        let task = tokio::spawn(accept(
            listener,
            target,
            Arc::clone(&whole),
            Arc::clone(&carried),
        ));
        Ok(Self {
            address,
            whole,
            carried,
            task,
        })
    }

    /// The address to dial.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the cable: open connections break, and new ones come to nothing.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Has the cable cut in the middle, once this many more bytes have passed.
    pub fn cut_after(&self, bytes: u64) {
        let limit = self.carried().saturating_add(bytes);
        self.carried.limit.store(limit, Ordering::Relaxed);
    }

    /// Whether the cable is cut.
    pub fn is_cut(&self) -> bool {
        !*self.whole.borrow()
    }

    /// Mends the cable: new connections are passed on again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }

    /// How many bytes were passed on, both ways together.
    pub fn carried(&self) -> u64 {
        self.carried.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.whole.send_replace(false);
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    whole: Arc<watch::Sender<bool>>,
    carried: Arc<Carried>,
) {
    while let Ok((near, _)) = listener.accept().await {
        if !*whole.borrow() {
            continue;
        }
        let (whole, carried) = (Arc::clone(&whole), Arc::clone(&carried));
        tokio::spawn(async move {
            let mut state = whole.subscribe();
            tokio::select! {
                _broken = pass(near, target, &whole, &carried) => {}
                _cut = state.wait_for(|whole| !whole) => {}
            }
        });
    }
}

/// Passes one connection on, both ways, until one end closes it.
async fn pass(
    near: TcpStream,
    target: SocketAddr,
    whole: &watch::Sender<bool>,
    carried: &Carried,
) -> io::Result<()> {
    let far = TcpStream::connect(target).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::try_join!(
        copy(near_in, far_out, whole, carried),
        copy(far_in, near_out, whole, carried)
    )?;
    Ok(())
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    whole: &watch::Sender<bool>,
    carried: &Carried,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return to.shutdown().await;
        };
        let before = carried.bytes.fetch_add(count as u64, Ordering::Relaxed);
        let room = carried.limit.load(Ordering::Relaxed).saturating_sub(before);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        to.write_all(&bytes[..room.min(count)]).await?;
        if room <= count {
            carried.limit.store(u64::MAX, Ordering::Relaxed);
            whole.send_replace(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends every byte back.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (from, to) = stream.into_split();
                    let carried = Carried {
                        bytes: AtomicU64::new(0),
                        limit: AtomicU64::new(u64::MAX),
                    };
                    copy(from, to, &watch::channel(true).0, &carried).await
                });
            }
        });
        address
    }

    async fn asks(relay: &Relay) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(relay.address()).await?;
        stream.write_all(b"hello").await?;
        stream.read_exact(&mut [0; 5]).await?;
        Ok(stream)
    }

    #[tokio::test]
    async fn a_cut_breaks_what_is_open_and_stops_what_is_new_until_it_is_mended() {
        let relay = Relay::start(echo().await).await.expect("a relay");
        let mut open = asks(&relay).await.expect("an answer");
        assert_eq!(relay.carried(), 10);
        relay.cut();
        assert!(
            open.read_exact(&mut [0]).await.is_err(),
            "the open connection breaks"
        );
        assert!(asks(&relay).await.is_err(), "a new one comes to nothing");
        relay.mend();
        asks(&relay).await.expect("an answer again");
        relay.cut_after(7);
        assert!(
            asks(&relay).await.is_err(),
            "cut in the middle of the answer"
        );
        assert!(relay.is_cut());
    }
}
