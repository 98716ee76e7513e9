//! Somebody who reads and fills in a node's pages over HTTP, without a browser.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use node::Node;
use node::accounts::{GivenRole, Needs, TryingOut};
use node::clock::now_ms;
use node::config::WebConfig;
use node::web::{Pages, hub_routes, hub_site};
use node_feed::SpaceKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use totp_rs::{Builder, Secret};
use zeroize::Zeroizing;

use crate::world::until;

const PASSWORD: &str = "a long enough passphrase for trying out";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who signed in.
#[derive(Debug, Clone)]
pub struct Visitor {
    address: SocketAddr,
    cookie: String,
}

/// What a page answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where it leads, if it leads elsewhere.
    pub location: String,
    /// The page.
    pub body: String,
}

/// Serves a hub's pages on a free port.
///
/// # Panics
/// If they cannot be served.
pub async fn serve_pages(node: &Node) -> Pages {
    let config = WebConfig {
        listen: "127.0.0.1:0".to_owned(),
        ..WebConfig::default()
    };
    let pages = Pages::serve(node, &config, hub_site(), hub_routes()).await;
    pages
        .expect("pages are served")
        .expect("an address is given")
}

/// Waits until a hub has its own space, which NCETM makes.
pub async fn until_it_may_write(node: &Node) {
    let own = || {
        let spaces = node.spaces().unwrap_or_default();
        spaces
            .iter()
            .any(|space| space.kind == SpaceKind::Hub && space.may_write)
    };
    until("the hub has a space of its own", own).await;
}

impl Visitor {
    /// Somebody with an account of this role, signed in. `holder` is empty for a vouched role.
    ///
    /// # Panics
    /// If that does not come about.
    pub fn sign_in(node: &Node, pages: &Pages, name: &str, role: &str, holder: &str) -> Self {
        let email = format!("{}@hub.example", name.to_lowercase().replace(' ', "."));
        let accounts = node.accounts();
        let made = accounts.try_out(&TryingOut {
            name: name.to_owned(),
            email: email.clone(),
            password: Zeroizing::new(PASSWORD.to_owned()),
            secret: Some(Zeroizing::new(SECRET.to_owned())),
            roles: vec![GivenRole {
                role: role.to_owned(),
                holder: holder.to_owned(),
                from: String::new(),
                until: None,
            }],
        });
        made.expect("an account");
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let now = now_ms();
        let begun = accounts
            .sign_in(&email, PASSWORD, from, now)
            .expect("signed in");
        let session = accounts.session(&begun.token, now).expect("readable");
        let session = session.expect("a session");
        let token = if begun.needs == Needs::Nothing {
            begun.token
        } else {
            let secret = Secret::try_from_base32(SECRET).expect("a secret");
            let app = Builder::new().with_secret(secret).build().expect("an app");
            let code = app.generate(now / 1_000).to_string();
            let done = accounts.confirm_second_factor(&session, &code);
            done.expect("the code is right").token
        };
        let address = pages.address();
        Self {
            address,
            cookie: format!("causeway-{}={}", address.port(), token.as_str()),
        }
    }

    /// The cookie, as `name=value`.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// Asks for a page, and follows where it leads.
    ///
    /// # Panics
    /// If it leads nowhere.
    pub async fn read(&self, path: &str) -> Answer {
        let mut answer = self.get(path).await;
        for _ in 0..4 {
            if answer.location.is_empty() {
                break;
            }
            answer = self.get(&answer.location.clone()).await;
        }
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| {
            let mut encoded = String::new();
            for byte in text.bytes() {
                if byte.is_ascii_alphanumeric() {
                    encoded.push(char::from(byte));
                } else {
                    encoded.push_str(&format!("%{byte:02X}"));
                }
            }
            encoded
        };
        let fields = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let body = fields.collect::<Vec<_>>().join("&");
        let kind = ["Content-Type: application/x-www-form-urlencoded"];
        self.ask("POST", path, &kind, &body).await
    }

    /// Sends the form that `page` has for `path`, as a browser would: with what stands in it, and
    /// these fields filled in.
    ///
    /// # Panics
    /// If the page has no such form.
    pub async fn fill(&self, page: &Answer, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = page.form(path);
        for (name, value) in fields {
            form.retain(|(known, _)| known != name);
            form.push(((*name).to_owned(), (*value).to_owned()));
        }
        let form = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        self.post(path, &form.collect::<Vec<_>>()).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let path = path.split('#').next().unwrap_or_default();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\n\
             Content-Length: {}\r\n",
            self.address,
            self.cookie,
            body.len()
        );
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.push_str(body);
        let asked = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let answer = answer.expect("an answer in time").expect("an answer");
        Answer::of(&String::from_utf8_lossy(&answer))
    }
}

impl Answer {
    fn of(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers = headers.collect::<BTreeMap<_, _>>();
        Self {
            status: status
                .and_then(|status| status.parse().ok())
                .unwrap_or_default(),
            location: headers.get("location").cloned().unwrap_or_default(),
            body: body.to_owned(),
        }
    }

    /// The words on the page, with single spaces between them.
    pub fn text(&self) -> String {
        let main = self.body.split("<main").nth(1).unwrap_or(&self.body);
        let main = main.split("</main>").next().unwrap_or(main);
        let mut text = String::new();
        let mut inside = !main.starts_with('<');
        for letter in main.chars() {
            match letter {
                '<' => inside = false,
                '>' => {
                    inside = true;
                    text.push(' ');
                }
                letter if inside => text.push(letter),
                _ => {}
            }
        }
        let text = plain(&text);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether these words stand on the page.
    pub fn says(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// What a browser would send of the page's form for `path`.
    ///
    /// # Panics
    /// If the page has no such form.
    pub fn form(&self, path: &str) -> Vec<(String, String)> {
        let action = format!("action=\"{}\"", path.replace('&', "&amp;"));
        let form = self.body.split("<form").find(|form| {
            let tag = form.split('>').next().unwrap_or_default();
            tag.contains(&action)
        });
        let form = form.unwrap_or_else(|| panic!("no form for {path}: {}", self.text()));
        let form = form.split("</form>").next().unwrap_or(form);
        let mut fields = Vec::new();
        for tag in form.split('<').skip(1) {
            let (attributes, after) = tag.split_once('>').unwrap_or((tag, ""));
            let get = |name: &str| attribute(attributes, name);
            let Some(name) = get("name") else {
                continue;
            };
            let value = get("value").unwrap_or_default();
            if attributes.starts_with("textarea") {
                fields.push((name, plain(after)));
            } else if attributes.starts_with("select") {
                let options = form
                    .split(&format!("name=\"{name}\""))
                    .nth(1)
                    .unwrap_or_default();
                let options = options.split("</select>").next().unwrap_or_default();
                let mut options = options.split("<option").skip(1);
                let chosen = options.clone().find(|option| {
                    option
                        .split('>')
                        .next()
                        .is_some_and(|tag| tag.contains(" selected"))
                });
                let chosen = chosen.or_else(|| options.next()).unwrap_or_default();
                fields.push((name, attribute(chosen, "value").unwrap_or_default()));
            } else if attributes.starts_with("input") {
                let kind = get("type").unwrap_or_default();
                let ticked = attributes.contains(" checked");
                if !matches!(kind.as_str(), "checkbox" | "radio") || ticked {
                    fields.push((name, value));
                }
            }
        }
        fields
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!(" {name}=\"");
    let rest = tag.split_once(&start)?.1;
    Some(plain(rest.split('"').next()?))
}

fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}
