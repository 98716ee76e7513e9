//! Somebody signed in at a node's pages, and what they ask for over plain HTTP.

use std::net::SocketAddr;

use node::Node;
use node::accounts::{GivenRole, TryingOut};
use node::clock::now_ms;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use totp_rs::{Builder, Secret};

/// The password of everybody here.
pub const PASSWORD: &str = "granite-otter-lantern-71";
/// The secret of everybody's second factor.
pub const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct Visitor {
    address: SocketAddr,
    /// The cookie that a browser would show.
    pub cookie: String,
    /// What forms carry.
    pub csrf: String,
    /// The account's id.
    pub account: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers as they came.
    pub headers: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Makes an account that acts in a role.
///
/// # Panics
/// If it cannot be made, as all here do.
pub fn account(node: &Node, name: &str, role: &str, holder: &str) {
    let role = GivenRole {
        role: role.to_owned(),
        holder: holder.to_owned(),
        from: String::new(),
        until: None,
    };
    let account = TryingOut {
        name: name.to_owned(),
        email: email(name),
        password: PASSWORD.to_owned().into(),
        secret: Some(SECRET.to_owned().into()),
        roles: vec![role],
    };
    node.accounts().try_out(&account).expect("an account");
}

/// The e-mail address of somebody of this name.
pub fn email(name: &str) -> String {
    name.to_lowercase().replace(' ', ".") + "@example.org"
}

/// The code of everybody's second factor at a moment.
///
/// # Panics
/// Never: the secret is one.
pub fn code(at_ms: u64) -> String {
    let secret = Secret::try_from_base32(SECRET).expect("base 32");
    let totp = Builder::new().with_secret(secret).build();
    let code = totp.expect("a second factor").generate(at_ms / 1_000);
    code.to_string()
}

impl Visitor {
    /// Signs somebody in with an account that was made here, so many ms from now: a code of the
    /// second factor works once, so whoever signs in again does it later.
    ///
    /// # Panics
    /// If it does not work.
    pub fn sign_in(node: &Node, address: SocketAddr, name: &str, later_ms: u64) -> Self {
        let at = now_ms() + later_ms;
        let accounts = node.accounts().at(at);
        let here = address.ip();
        let signed_in = accounts.sign_in(&email(name), PASSWORD, here, at);
        let token = signed_in.expect("signed in").token;
        let session = accounts.session(&token, at).expect("a session");
        let session = session.expect("a session");
        let confirmed = accounts.confirm_second_factor(&session, &code(at));
        let token = confirmed.expect("the code is right").token;
        let session = accounts.session(&token, at).expect("a session");
        let session = session.expect("a session");
        Self {
            address,
            cookie: format!("causeway-{}={}", address.port(), *token),
            csrf: session.csrf.clone(),
            account: session.account.id.to_string(),
        }
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// Sends a form, with what proves that it is this session's.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [&[("csrf", self.csrf.as_str())], fields].concat();
        let encoded = fields.iter().map(|(name, value)| {
            let encode = |text: &str| {
                let bytes = text.bytes().map(|byte| format!("%{byte:02x}"));
                bytes.collect::<String>()
            };
            format!("{}={}", encode(name), encode(value))
        });
        let body = encoded.collect::<Vec<_>>().join("&");
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.ask("POST", path, &kind, &body).await
    }

    /// Sends JSON as a script does.
    pub async fn json(&self, path: &str, body: &Value) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("x-csrf", self.csrf.as_str()),
        ];
        self.ask("POST", path, &headers, &body.to_string()).await
    }

    /// Asks for anything.
    ///
    /// # Panics
    /// If nothing answers.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nconnection: close\r\n\
             content-length: {}\r\n",
            self.address,
            self.cookie,
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        let mut stream = TcpStream::connect(self.address).await.expect("a server");
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("the request is sent");
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes).await;
        read.expect("the answer is read");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        Answer {
            status: status.expect("a status"),
            headers: head.to_lowercase(),
            body: body.to_owned(),
        }
    }
}
