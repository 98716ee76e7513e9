//! Starting Chromium and its driver.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::Process;

const PATIENCE: Duration = Duration::from_secs(60);

/// What the browser is started with: no sandbox, since tests often run as root in a container,
/// and none of its own traffic.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--window-size=1280,900",
    "--lang=en-GB",
    // As on a telephone, where they take no room.
    "--hide-scrollbars",
    // Loopback too goes through the proxy, so that the line to it can be cut.
    "--proxy-bypass-list=<-loopback>",
];

/// The two programs.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    chrome: PathBuf,
    driver: PathBuf,
}

impl Programs {
    /// The programs that `CHROME` and `CHROMEDRIVER` name, or that are in the `PATH`. Without
    /// them this says so, or fails where a browser is required.
    pub(super) fn find(test: &str) -> Option<Self> {
        let chrome = program(
            "CHROME",
            &["chromium", "chromium-browser", "google-chrome", "chrome"],
        );
        let driver = program("CHROMEDRIVER", &["chromedriver"]);
        if let (Some(chrome), Some(driver)) = (chrome, driver) {
            return Some(Self { chrome, driver });
        }
        let required = std::env::var("CAUSEWAY_BROWSER").is_ok_and(|value| value == "required");
        assert!(
            !required,
            "CAUSEWAY_BROWSER=required, but there is no browser: install chromium and \
             chromium-driver"
        );
        // Straight to the stream: what a passing test prints in other ways is not shown.
        let line = format!("{test}: skipped: no browser (install chromium and chromium-driver)\n");
        let _said = std::io::stderr().write_all(line.as_bytes());
        None
    }
}

fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
        return Some(PathBuf::from(path));
    }
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
        places.find(|place| place.is_file())
    })
}

/// A running browser with a profile of its own, which ends with this.
#[derive(Debug)]
pub(super) struct Driver {
    client: Client,
    chrome: Option<rustix::process::Pid>,
    _driver: Process,
    _profile: TempDir,
}

impl Driver {
    /// Starts the browser, which reaches everything through the proxy at `line`.
    pub(super) async fn start(programs: &Programs, line: SocketAddr) -> Self {
        let profile = TempDir::new().expect("a temporary folder");
        let log = profile.path().join("driver.log");
        let mut command = Command::new(&programs.driver);
        command.arg("--port=0");
        let driver = Process::start(command, &log).expect("the browser's driver starts");
        let port = port(&log).await;
        let mut flags = FLAGS.map(str::to_owned).to_vec();
        let folder = profile.path().join("profile");
        flags.push(format!("--user-data-dir={}", folder.display()));
        flags.push(format!("--proxy-server=socks5://{line}"));
        let capabilities = json!({
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": {
                "binary": programs.chrome,
                "args": flags,
                "perfLoggingPrefs": { "enableNetwork": false, "enablePage": true },
            },
        });
        let capabilities = serde_json::from_value(capabilities).expect("an object");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap_or_else(|error| panic!("the browser does not start: {error}"));
        let chrome = client
            .capabilities()
            .and_then(|it| it.get("goog:processID"));
        let chrome = chrome.and_then(Value::as_i64);
        let chrome = chrome.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        Self {
            client,
            chrome,
            _driver: driver,
            _profile: profile,
        }
    }

    /// The client of the driver.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// A command of the browser's own protocol, for what WebDriver has no word for.
    pub(super) async fn command(&self, name: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": name, "params": parameters });
        let answer = self.post("goog/cdp/execute", body).await;
        answer.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What the browser's log of a kind holds that was not yet read.
    pub(super) async fn log(&self, kind: &str) -> Vec<Value> {
        let answer = self.post("se/log", json!({ "type": kind })).await;
        let lines = answer.unwrap_or_else(|error| panic!("the {kind} log: {error}"));
        lines.as_array().cloned().unwrap_or_default()
    }

    async fn post(&self, path: &'static str, body: Value) -> Result<Value, String> {
        let command = Extension { path, body };
        let answer = self.client.issue_cmd(command).await;
        answer.map_err(|error| error.to_string())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The driver is killed as it is dropped, and could not end the browser any more.
        if let Some(chrome) = self.chrome {
            let _gone = rustix::process::kill_process(chrome, rustix::process::Signal::KILL);
        }
    }
}

/// The port that the driver chose.
async fn port(log: &Path) -> u16 {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let after = text.split(" on port ").last().filter(|rest| *rest != text);
        let digits = after.and_then(|rest| rest.split('.').next());
        // "Starting ... on port 0", and then "was started successfully on port 40123."
        if let Some(port) = digits.and_then(|it| it.parse().ok()).filter(|it| *it != 0) {
            return port;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "the browser's driver says no port: {text}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A command that Chromium's driver has beside the standard ones.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _request_url: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
