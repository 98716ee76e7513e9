//! Signing in through the pages, as a browser does it: cookies, forms, and where they lead.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use node::Node;
use node::accounts::{GivenRole, TryingOut};
use node::config::WebConfig;
use node::web::{Pages, hub_routes, hub_site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use totp_rs::{Builder, Secret};

const PASSWORD: &str = "four blue kettles sing";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// A node that serves pages, with a hub lead and an administrator.
struct Served {
    _folder: tempfile::TempDir,
    node: Node,
    _pages: Pages,
    address: SocketAddr,
}

/// What came back: the status, the headers and the page.
struct Answer {
    status: u16,
    head: String,
    page: String,
}

impl Served {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let node = Node::create(&folder.path().join("node")).expect("a new node");
        for (email, role) in [("ama", "hub lead"), ("ben", "administrator")] {
            let account = TryingOut {
                name: email.to_owned(),
                email: format!("{email}@hub.example"),
                password: PASSWORD.to_owned().into(),
                secret: Some(SECRET.to_owned().into()),
                roles: vec![GivenRole {
                    role: role.to_owned(),
                    holder: String::new(),
                    from: String::new(),
                    until: None,
                }],
            };
            node.accounts().try_out(&account).expect("an account");
        }
        let config = WebConfig {
            listen: "127.0.0.1:0".to_owned(),
            ..WebConfig::default()
        };
        let pages = Pages::serve(&node, &config, hub_site(), hub_routes());
        let pages = pages.await.expect("a free port").expect("pages");
        let address = pages.address();
        assert_eq!(address.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        Self {
            _folder: folder,
            node,
            _pages: pages,
            address,
        }
    }

    async fn send(&self, request: &str, more: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        let text = format!(
            "{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}Content-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(text.as_bytes()).await.expect("it is sent");
        let mut whole = String::new();
        stream.read_to_string(&mut whole).await.expect("an answer");
        let (head, page) = whole.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        Answer {
            status: status.expect("a status"),
            head: head.to_owned(),
            page: page.to_owned(),
        }
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let more = format!("Cookie: {cookie}\r\n");
        self.send(&format!("GET {path}"), &more, "").await
    }

    async fn post(&self, path: &str, cookie: &str, body: &str) -> Answer {
        let more = format!("Cookie: {cookie}\r\n");
        self.send(&format!("POST {path}"), &more, body).await
    }

    async fn sign_in(&self, email: &str, password: &str, next: &str) -> Answer {
        let body = format!("email={email}%40hub.example&password={password}&next={next}");
        self.post("/sign-in", "", &body.replace(' ', "+")).await
    }

    /// Signs in whole and gives the cookie.
    async fn enter(&self, email: &str) -> String {
        let begun = self.sign_in(email, PASSWORD, "").await;
        let cookie = begun.cookie();
        let page = self.get("/second-factor", &cookie).await;
        let body = format!("csrf={}&code={}", page.csrf(), code());
        let done = self.post("/second-factor", &cookie, &body).await;
        assert_eq!((done.status, done.location()), (303, "/"));
        assert_ne!(done.cookie(), cookie, "the token changes");
        done.cookie()
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    fn location(&self) -> &str {
        self.header("location")
    }

    /// The cookie that was set, as it is sent back.
    fn cookie(&self) -> String {
        let set = self.header("set-cookie");
        assert!(!set.is_empty(), "no cookie was set: {}", self.head);
        set.split(';').next().unwrap_or_default().to_owned()
    }

    fn csrf(&self) -> String {
        let (_, after) = self
            .page
            .split_once("name=\"csrf\" value=\"")
            .expect("a form");
        after.split('"').next().unwrap_or_default().to_owned()
    }
}

fn code() -> String {
    let secret = Secret::try_from_base32(SECRET).expect("a secret");
    let app = Builder::new().with_secret(secret).build().expect("an app");
    app.generate(node::clock::now_ms() / 1_000).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_takes_password_and_code_and_leads_back_here_alone() {
    let served = Served::start().await;
    let asked = served.get("/access?a=b", "").await;
    assert_eq!(asked.location(), "/sign-in?next=%2Faccess%3Fa%3Db");
    let page = served.get(asked.location(), "").await;
    assert!(page.page.contains("value=\"/access?a=b\""), "{}", page.page);
    let elsewhere = served.get("/sign-in?next=//evil.example", "").await;
    assert!(!elsewhere.page.contains("evil"));

    let begun = served.sign_in("ama", PASSWORD, "%2Faccess").await;
    assert_eq!(begun.location(), "/second-factor?next=%2Faccess");
    let set = begun.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Domain"), "{set}");
    let half = begun.cookie();
    for path in ["/access", "/account", "/account/password"] {
        let asked = served.get(path, &half).await;
        assert_eq!(asked.location(), "/second-factor", "{path}");
    }
    let form = served.get("/second-factor", &half).await;
    let unproven = served
        .post("/second-factor", &half, &format!("code={}", code()))
        .await;
    assert_eq!(unproven.status, 403);
    let csrf = form.csrf();
    let wrong = served
        .post("/second-factor", &half, &format!("csrf={csrf}&code=000000"))
        .await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.page.contains("That code is not right"),
        "{}",
        wrong.page
    );
    let body = format!(
        "csrf={csrf}&code={}&next=https%3A%2F%2Fevil.example",
        code()
    );
    let done = served.post("/second-factor", &half, &body).await;
    assert_eq!((done.status, done.location()), (303, "/"));
    let whole = done.cookie();
    assert_eq!(
        served.get("/access", &half).await.status,
        303,
        "the half token is gone"
    );
    let access = served.get("/access", &whole).await;
    assert_eq!(access.status, 200);
    assert_eq!(access.header("cache-control"), "no-store");
    assert!(
        access
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert!(!access.page.contains(" style="), "nothing inline");

    let account = served.get("/account", &whole).await;
    let out = served
        .post("/sign-out", &whole, &format!("csrf={}", account.csrf()))
        .await;
    assert_eq!(out.location(), "/sign-in");
    assert!(
        served
            .get("/account", &whole)
            .await
            .location()
            .starts_with("/sign-in")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_and_an_unknown_address_get_the_same_answer() {
    let served = Served::start().await;
    // As many as are free, so that no clock matters.
    for _ in 0..5 {
        let known = served.sign_in("ama", "wrong", "").await;
        let unknown = served.sign_in("amy", "wrong", "").await;
        assert_eq!((known.status, unknown.status), (422, 422));
        assert_eq!(known.page.replace("ama@", "amy@"), unknown.page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_from_another_site_does_nothing() {
    let served = Served::start().await;
    let body = format!(
        "email=ama%40hub.example&password={}",
        PASSWORD.replace(' ', "+")
    );
    for origin in [
        "Origin: https://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
    ] {
        let answer = served.send("POST /sign-in", origin, &body).await;
        assert_eq!(answer.status, 421, "{origin}");
        assert_eq!(answer.header("set-cookie"), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_managed_by_whose_duty_it_is_and_refusals_leave_a_line() {
    let served = Served::start().await;
    let lead = served.enter("ama").await;
    let form = served.get("/access/new", &lead).await;
    let body = format!(
        "csrf={}&name=Cara+New&email=cara%40hub.example&role=senior+link&until=2099-08-31",
        form.csrf()
    );
    let made = served.post("/access/new", &lead, &body).await;
    assert_eq!(made.status, 200);
    let (_, link) = made.page.split_once("/set-up/").expect("a link");
    let link = format!("/set-up/{}", link.split('<').next().unwrap_or_default());
    let page = served.get(&link, "").await;
    assert!(page.page.contains("Welcome, Cara New"), "{}", page.page);
    let body = "password=a+harbour+of+gulls&again=a+harbour+of+gulls";
    let set_up = served.post(&link, "", body).await;
    assert_eq!(set_up.location(), "/account/second-factor");
    let cara = set_up.cookie();
    let page = served.get("/account/second-factor", &cara).await;
    assert!(page.page.contains("<svg"), "{}", page.page);
    assert_eq!(
        served.get("/access", &cara).await.location(),
        "/account/second-factor"
    );
    assert_eq!(served.get(&link, "").await.status, 404, "it works once");

    let ben = served.enter("ben").await;
    let refused = served.get("/access", &ben).await;
    assert_eq!(refused.status, 403);
    let refused = served.post("/access/new", &ben, "csrf=00").await;
    assert_eq!(refused.status, 403);
    let list = loop {
        // The line is written beside the answer.
        let list = served.get("/access", &lead).await;
        if list.page.contains("Opened a page outside of their role") {
            break list;
        }
    };
    assert!(list.page.contains("31 August 2099"), "{}", list.page);
    let lines = served.node.accounts().audit_lines(100).expect("the lines");
    assert!(
        lines
            .iter()
            .any(|line| !line.allowed && line.about == "/access")
    );
}
