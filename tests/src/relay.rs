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
    whole: watch::Sender<bool>,
    carried: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Listens on a free port of this machine and passes what comes in on to `target`.
    ///
    /// # Errors
    /// If no port is to be had.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = listener.local_addr()?;
        let (whole, state) = watch::channel(true);
        let carried = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(accept(listener, target, state, Arc::clone(&carried)));
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

    /// Mends the cable: new connections are passed on again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }

    /// How many bytes were passed on, both ways together.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
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
    whole: watch::Receiver<bool>,
    carried: Arc<AtomicU64>,
) {
    while let Ok((near, _)) = listener.accept().await {
        if !*whole.borrow() {
            continue;
        }
        let (mut whole, carried) = (whole.clone(), Arc::clone(&carried));
        tokio::spawn(async move {
            tokio::select! {
                _broken = pass(near, target, &carried) => {}
                _cut = whole.wait_for(|whole| !whole) => {}
            }
        });
    }
}

/// Passes one connection on, both ways, until one end closes it.
async fn pass(near: TcpStream, target: SocketAddr, carried: &AtomicU64) -> io::Result<()> {
    let far = TcpStream::connect(target).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::try_join!(
        copy(near_in, far_out, carried),
        copy(far_in, near_out, carried)
    )?;
    Ok(())
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    carried: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return to.shutdown().await;
        };
        to.write_all(bytes).await?;
        carried.fetch_add(count as u64, Ordering::Relaxed);
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
                    copy(from, to, &AtomicU64::new(0)).await
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
    }
}
