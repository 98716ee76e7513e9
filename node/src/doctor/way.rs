//! The way to the coordinator: name, port, proxy.

use std::net::{IpAddr, ToSocketAddrs};

use tokio::net::TcpStream;

use super::limit::apart;
use super::{Finding, LIMIT};
use crate::proxy::{Proxies, Proxy, ProxyError};
use crate::tls::{Address, TlsError};

const NAME: &str = "name";
const PORT: &str = "port";
const PROXY: &str = "proxy";

/// The three checks of the way to `address`, through the proxy if there is one.
pub(super) async fn way(address: &Address, proxies: &Proxies) -> Vec<Finding> {
    let proxy = match proxies.towards(address) {
        Ok(proxy) => proxy,
        Err(error) => {
            let because = "the proxy's address cannot be used";
            let skipped = [NAME, PORT].map(|check| Finding::not_checked(check, because));
            let proxy = Finding::fault(PROXY, error.to_string());
            return [&skipped[..], &[proxy]].concat();
        }
    };
    let first = match &proxy {
        Some(proxy) => (proxy.host(), proxy.port()),
        None => (address.host(), address.port()),
    };
    let name = name(first.0).await;
    let port = if name.failed() {
        Finding::not_checked(PORT, "the name has no address")
    } else {
        port(first, address, proxy.as_ref()).await
    };
    let through = match proxy {
        None => {
            let direct = format!("none is set for {address}, which is dialled directly");
            Finding::ok(PROXY, direct)
        }
        Some(_) if name.failed() || port.failed() => {
            Finding::not_checked(PROXY, "the proxy cannot be reached")
        }
        Some(proxy) => through(&proxy, address).await,
    };
    vec![name, port, through]
}

async fn name(host: &str) -> Finding {
    if host.parse::<IpAddr>().is_ok() {
        return Finding::ok(
            NAME,
            format!("{host} is an address and needs no looking up"),
        );
    }
    let asked = host.to_owned();
    let found = apart(move || {
        let found = (asked.as_str(), 0).to_socket_addrs();
        found.map(|found| found.map(|it| it.ip().to_string()).collect::<Vec<_>>())
    });
    let advice = "check how the name is spelt, and the name server (DNS) that this computer asks";
    match found.await {
        None => Finding::fault(
            NAME,
            format!(
                "no name server answered within {} seconds when {host} was looked up; check this \
                 computer's network and its name server (DNS)",
                LIMIT.as_secs()
            ),
        ),
        Some(Err(error)) => {
            Finding::fault(NAME, format!("{host} has no address ({error}); {advice}"))
        }
        Some(Ok(found)) if found.is_empty() => {
            Finding::fault(NAME, format!("{host} has no address; {advice}"))
        }
        Some(Ok(mut found)) => {
            found.dedup();
            Finding::ok(NAME, format!("{host} is {}", found.join(", ")))
        }
    }
}

async fn port(first: (&str, u16), address: &Address, proxy: Option<&Proxy>) -> Finding {
    let connected = tokio::time::timeout(LIMIT, TcpStream::connect(first)).await;
    let why = match (connected, proxy) {
        (Ok(Ok(_stream)), _) => {
            return Finding::ok(PORT, format!("{}:{} takes connections", first.0, first.1));
        }
        (Ok(Err(source)), None) => TlsError::Connect {
            address: address.clone(),
            source,
        },
        (Err(_), None) => TlsError::Timeout(address.clone()),
        (Ok(Err(source)), Some(proxy)) => TlsError::Proxy(ProxyError::Unreachable {
            proxy: proxy.clone(),
            source,
        }),
        (Err(_), Some(proxy)) => TlsError::Proxy(ProxyError::Timeout {
            proxy: proxy.clone(),
        }),
    };
    Finding::fault(PORT, why.to_string())
}

async fn through(proxy: &Proxy, address: &Address) -> Finding {
    match tokio::time::timeout(LIMIT, proxy.tunnel(address)).await {
        Ok(Ok(_stream)) => Finding::ok(
            PROXY,
            format!(
                "{proxy}, which {} names, lets this computer through to {address}",
                proxy.named_in()
            ),
        ),
        Ok(Err(error)) => Finding::fault(PROXY, error.to_string()),
        Err(_) => {
            let proxy = proxy.clone();
            Finding::fault(PROXY, ProxyError::Timeout { proxy }.to_string())
        }
    }
}
