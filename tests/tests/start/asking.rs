//! A person at a browser, without the browser: what it sends, and what comes back.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use node::Node;
use node::accounts::{GivenRole, TryingOut};
use node::clock::now_ms;
use node::config::WebConfig;
use node::web::{Listening, Pages, Reopener, hub_routes, hub_site};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use totp_rs::{Builder, Secret};

pub(crate) const PASSWORD: &str = "four blue kettles sing";
const EMAIL: &str = "ama@hub.example";
const BOUNDARY: &str = "a-boundary-that-no-file-holds";

/// A hub's pages, with its lead signed in.
pub(crate) struct Site {
    pub(crate) node: Node,
    pub(crate) pages: Pages,
    pub(crate) address: SocketAddr,
    pub(crate) csrf: String,
    pub(crate) token: String,
    cookie: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(it, _)| it == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    pub(crate) fn has(&self, words: &str) -> bool {
        self.body.contains(words)
    }
}

impl Site {
    /// The pages of a node, where somebody has just signed in as the hub lead.
    pub(crate) async fn of(node: &Node) -> Self {
        Self::with(node, None).await
    }

    pub(crate) async fn with(node: &Node, reopener: Option<Reopener>) -> Self {
        Self::in_role(node, reopener, "hub lead").await
    }

    pub(crate) async fn in_role(node: &Node, reopener: Option<Reopener>, role: &str) -> Self {
        let config = WebConfig {
            listen: "127.0.0.1:0".to_owned(),
            ..WebConfig::default()
        };
        let listening = Listening::begin(&config).expect("a free port");
        let listening = listening.expect("pages are wanted");
        let (site, routes) = (hub_site(), hub_routes());
        let pages = Pages::serve_on(&listening, node, &config, site, routes, reopener).await;
        let pages = pages.expect("pages are served");
        let address = pages.address();
        let token = signed_in(node, role);
        let session = node
            .accounts()
            .session(&token, now_ms())
            .expect("an answer");
        let csrf = session.expect("a session").csrf;
        let cookie = format!("causeway-{}={token}", address.port());
        Self {
            node: node.clone(),
            pages,
            address,
            csrf,
            token,
            cookie,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[("cookie", &self.cookie)], &[])
            .await
    }

    /// The changing part of a page alone, as its script asks for it.
    pub(crate) async fn live(&self, path: &str) -> Answer {
        let headers = [("cookie", self.cookie.as_str()), ("x-causeway-live", "1")];
        self.ask("GET", path, &headers, &[]).await
    }

    pub(crate) async fn get_as_nobody(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], &[]).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [&[("csrf", self.csrf.as_str())], fields].concat();
        self.post_as_it_is(path, &fields).await
    }

    pub(crate) async fn post_as_it_is(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.ask("POST", path, &headers, body.finish().as_bytes())
            .await
    }

    /// Sends a form with files: each with its field, its name and its content.
    pub(crate) async fn send(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        let fields = [&[("csrf", self.csrf.as_str())], fields].concat();
        self.send_as_it_is(path, &fields, files).await
    }

    pub(crate) async fn send_as_it_is(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend(part.into_bytes());
        }
        for (field, name, content) in files {
            let part = format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{field}\"; \
                 filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
            );
            body.extend(part.into_bytes());
            body.extend_from_slice(content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let headers = [("cookie", self.cookie.as_str()), ("content-type", &kind)];
        self.ask("POST", path, &headers, &body).await
    }

    /// Follows long work to its end, and gives its page.
    pub(crate) async fn until_done(&self, page: &str) -> Answer {
        for _ in 0..600 {
            let shown = self.get(page).await;
            assert_eq!(shown.status, 200, "{page}: {}", shown.body);
            if shown.has("data-ended") {
                return shown;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{page} does not come to an end");
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        ask(
            stream,
            &self.address.to_string(),
            method,
            path,
            headers,
            body,
        )
        .await
    }
}

/// Asks over any connection, under this name.
pub(crate) async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += "\r\n";
    // An answer may come before all was sent, as when it is too much.
    let _sent = stream.write_all(request.as_bytes()).await;
    let _sent = stream.write_all(body).await;
    let mut bytes = Vec::new();
    let _ended = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default().split(' ').nth(1);
    let status = status.and_then(|it| it.parse().ok()).unwrap_or(0);
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_lowercase(), value.to_owned()))
    });
    Answer {
        status,
        headers: headers.collect(),
        body: body.to_owned(),
    }
}

/// Makes an account in a role, signs in, and gives the session's token.
pub(crate) fn signed_in(node: &Node, role: &str) -> String {
    let accounts = node.accounts();
    let role = GivenRole {
        role: role.to_owned(),
        holder: String::new(),
        from: String::new(),
        until: None,
    };
    let account = TryingOut {
        name: "Ama Lead".to_owned(),
        email: EMAIL.to_owned(),
        password: PASSWORD.to_owned().into(),
        secret: None,
        roles: vec![role],
    };
    accounts.try_out(&account).expect("an account");
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let begun = accounts.sign_in(EMAIL, PASSWORD, here, now_ms());
    let begun = begun.expect("the password is right");
    let session = accounts.session(&begun.token, now_ms()).expect("an answer");
    let session = session.expect("a session");
    let made = accounts.begin_second_factor(&session).expect("a secret");
    let secret = Secret::try_from_base32(made.secret.replace(' ', "")).expect("a secret");
    let app = Builder::new().with_secret(secret).build().expect("an app");
    let code = app.generate(now_ms() / 1_000).to_string();
    let done = accounts.confirm_second_factor(&session, &code);
    done.expect("the code is right").token.to_string()
}
