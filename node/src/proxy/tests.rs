//! Proxies over loopback that say what real ones say.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const TARGET: &str = "causeway.example:7443";
const PASSWORD: &str = "p@ss:word";

fn target() -> Address {
    TARGET.parse().expect("an address")
}

/// A proxy that answers everything with `answer`; what it was asked is returned when it hangs up.
async fn answering(answer: &'static [u8]) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let byte = stream.read_u8().await.expect("asked");
            asked.push(byte);
        }
        stream.write_all(answer).await.expect("answered");
        stream.flush().await.expect("sent");
        // Until the other end has heard it.
        let mut rest = Vec::new();
        drop(stream.shutdown().await);
        drop(stream.read_to_end(&mut rest).await);
        String::from_utf8_lossy(&asked).into_owned()
    });
    (port, asked)
}

fn fixed(setting: String) -> Proxy {
    let proxies = Proxies::from(setting);
    proxies.check().expect("a proxy");
    let proxy = proxies.towards(&target()).expect("a proxy");
    proxy.expect("it is used for everything")
}

/// What a proxy's answer comes to; it never holds the password, and names the proxy.
async fn refusal(answer: &'static [u8]) -> ProxyError {
    let (port, _asked) = answering(answer).await;
    let proxy = fixed(format!("http://hub:p%40ss%3Aword@127.0.0.1:{port}"));
    let error = proxy.tunnel(&target()).await.expect_err("no way through");
    let said = format!("{error} {error:?}");
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    for secret in [PASSWORD, "p%40ss", "aHVi", "hub:"] {
        assert!(!said.contains(secret), "{said}");
    }
    error
}

#[tokio::test]
async fn a_way_through_is_asked_for_with_the_name_and_password_that_are_set() {
    let (port, asked) = answering(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    let proxy = fixed(format!("http://hub:p%40ss%3Aword@127.0.0.1:{port}"));
    assert!(proxy.has_credentials());
    let stream = proxy.tunnel(&target()).await.expect("a way through");
    drop(stream);
    let asked = asked.await.expect("asked").to_lowercase();
    assert!(
        asked.starts_with(&format!("connect {TARGET} http/1.1\r\n")),
        "{asked}"
    );
    assert!(asked.contains(&format!("host: {TARGET}\r\n")), "{asked}");
    // "hub:p@ss:word" in base64.
    let credentials = "Basic aHViOnBAc3M6d29yZA==".to_lowercase();
    assert!(
        asked.contains(&format!("proxy-authorization: {credentials}")),
        "{asked}"
    );
}

#[tokio::test]
async fn what_a_proxy_refuses_is_said_by_its_kind() {
    let error = refusal(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n").await;
    assert!(matches!(error, ProxyError::Credentials { .. }), "{error}");
    assert!(error.to_string().contains("does not accept"), "{error}");
    let error = refusal(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!\n").await;
    assert!(
        matches!(error, ProxyError::Refused { status: 403, .. }),
        "{error}"
    );
    assert!(error.to_string().contains(TARGET), "{error}");
    let error = refusal(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await;
    assert!(
        matches!(error, ProxyError::Beyond { .. }) && error.is_temporary(),
        "{error}"
    );
    let error = refusal(b"HTTP/1.1 302 Found\r\nLocation: http://sign-in.example/\r\n\r\n").await;
    assert!(matches!(error, ProxyError::NoProxy { .. }), "{error}");
    assert!(error.to_string().contains("sign in on a page"), "{error}");
    let error = refusal(b"HTTP/1.1 200 OK\r\n\r\n<html>Welcome to our school</html>").await;
    assert!(matches!(error, ProxyError::NoProxy { .. }), "{error}");
    let error = refusal(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    assert!(error.to_string().contains("does not speak HTTP"), "{error}");
    let error = refusal(b"").await;
    assert!(error.to_string().contains("hung up"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_asks_for_a_name_when_none_is_set_says_where_to_write_it() {
    let (port, _asked) = answering(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n").await;
    let proxy = fixed(format!("127.0.0.1:{port}"));
    assert!(!proxy.has_credentials());
    let error = proxy.tunnel(&target()).await.expect_err("refused");
    assert!(
        error.to_string().contains("asks for a name and a password"),
        "{error}"
    );
    assert!(error.to_string().contains("sync.proxy"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let proxy = fixed(format!("http://127.0.0.1:{port}"));
    let patience = std::time::Duration::from_millis(200);
    let silent = async {
        let (mut stream, _) = listener.accept().await.expect("it connects");
        // It is asked, and says nothing until the other end has gone.
        stream.read_to_end(&mut Vec::new()).await.ok();
    };
    let target = target();
    let (answer, ()) = tokio::join!(proxy.tunnel_within(&target, patience), silent);
    let error = answer.expect_err("no answer");
    assert!(matches!(error, ProxyError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn nobody_at_the_proxys_port_is_said_with_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    drop(listener);
    let proxy = fixed(format!("http://127.0.0.1:{port}"));
    let error = proxy.tunnel(&target()).await.expect_err("nobody");
    assert!(matches!(error, ProxyError::Unreachable { .. }), "{error}");
}

#[test]
fn what_cannot_be_a_proxy_is_said_without_repeating_it() {
    for setting in [
        "socks5://hub:secret@proxy.example:1080",
        "https://hub:secret@proxy.example:8443",
        "ftp://hub:secret@proxy.example",
        "http://",
        "not a proxy:secret",
    ] {
        let error = Proxies::from(setting.to_owned()).check();
        let error = error.expect_err(setting).to_string();
        assert!(
            error.contains("sync.proxy") && error.contains("http://proxy"),
            "{error}"
        );
        assert!(
            !error.contains("secret") && !error.contains("hub:"),
            "{error}"
        );
    }
    assert_eq!(Proxies::from(" none ".to_owned()), Proxies::Direct);
    assert_eq!(Proxies::from(String::new()), Proxies::Environment);
    let shown = format!("{:?}", Proxies::Fixed("http://hub:secret@proxy".to_owned()));
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn no_proxy_names_hosts_domains_and_networks() {
    let proxy = "http://proxy.example:8080";
    let is = |address: &str, exempt: &str| {
        is_exempt(&address.parse().expect("an address"), proxy, exempt)
    };
    assert!(!is("causeway.example:443", ""));
    assert!(is("causeway.example:443", "causeway.example"));
    assert!(is("causeway.example:443", ".example, other.test"));
    assert!(!is("causeway.example:443", "way.example"));
    assert!(is("causeway.example:443", "*"));
    assert!(is("10.1.2.3:443", "10.0.0.0/8"));
    assert!(!is("10.1.2.3:443", "192.168.0.0/16"));
    // This computer is never reached through a proxy that only the environment names.
    for own in ["localhost:443", "127.0.0.1:443", "[::1]:443"] {
        assert!(is(own, ""), "{own}");
    }
}
