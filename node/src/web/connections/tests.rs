//! Connections over real sockets, with short limits.

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Long enough that nothing but what is looked at ends a connection.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(100);

fn patient() -> Limits {
    Limits {
        quiet: LONG,
        crowded: LONG,
        stalled: LONG,
        ..Limits::default()
    }
}

/// Serves, and says where and how it is stopped.
async fn serve(limits: Limits) -> (SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
    let routes = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/read", post(|text: String| async move { text }))
        .route(
            "/endless",
            get(|| async {
                let parts = tokio_stream::iter(std::iter::repeat_with(|| {
                    Ok::<_, Infallible>(vec![0_u8; 64 << 10])
                }));
                Body::from_stream(parts)
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = watch::channel(false);
    let served = Connections::new(routes, None, limits).serve(listener, stopped);
    (address, stop, tokio::spawn(served))
}

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(text.as_bytes()).await.expect("sent");
    stream
}

/// Everything that comes until the other end closes.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let _reset = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// The next answer, whose body is `ends`.
async fn next_answer(stream: &mut TcpStream, ends: &str) -> String {
    let mut all = Vec::new();
    while !all.ends_with(ends.as_bytes()) {
        assert_ne!(stream.read_buf(&mut all).await.expect("an answer"), 0);
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn who_says_nothing_or_never_ends_a_head_is_closed() {
    let limits = Limits {
        quiet: SHORT,
        crowded: SHORT,
        ..patient()
    };
    let (address, _stop, _serving) = serve(limits).await;
    for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\nslow: "] {
        let mut stream = send(address, begun).await;
        let answer = until_closed(&mut stream).await;
        assert!(!answer.contains("here"), "{begun:?}: {answer}");
    }
    // HTTP/2 that is begun and then asks for nothing.
    let mut stream = send(address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    stream
        .write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])
        .await
        .expect("sent");
    until_closed(&mut stream).await;
    // One that asked is answered, with its length, and closed once it is quiet.
    let mut stream = send(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = until_closed(&mut stream).await;
    assert!(answer.contains("content-length: 4"), "{answer}");
    assert!(answer.ends_with("here"), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_come_and_an_answer_that_is_not_read_are_broken_off() {
    let limits = Limits {
        stalled: SHORT,
        ..patient()
    };
    let (address, _stop, _serving) = serve(limits).await;
    let head = "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n123";
    let mut stream = send(address, head).await;
    until_closed(&mut stream).await;
    let mut stream = send(address, "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    tokio::time::sleep(SHORT * 10).await;
    until_closed(&mut stream).await;
}

#[tokio::test]
async fn whoever_waits_for_a_place_gets_it_though_others_say_nothing() {
    let limits = Limits {
        all: 2,
        crowded: SHORT,
        ..patient()
    };
    let (address, _stop, _serving) = serve(limits).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(send(address, "GET / HTTP/1.1\r\n").await);
    }
    for _ in 0..4 {
        let mut stream = send(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        next_answer(&mut stream, "here").await;
        silent.push(stream);
    }
}

#[tokio::test]
async fn when_it_stops_what_is_quiet_is_closed_and_what_is_under_way_is_answered() {
    let (address, stop, serving) = serve(patient()).await;
    let mut quiet = send(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    next_answer(&mut quiet, "here").await;
    let head =
        "POST /read HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    let mut under_way = send(address, head).await;
    next_answer(&mut under_way, "100 Continue\r\n\r\n").await;
    stop.send(true).expect("it is served");
    until_closed(&mut quiet).await;
    under_way.write_all(b"done").await.expect("sent");
    let answer = until_closed(&mut under_way).await;
    assert!(answer.ends_with("done"), "{answer}");
    serving.await.expect("it ended");
    assert!(TcpStream::connect(address).await.is_err());
}
