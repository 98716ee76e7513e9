//! A real browser for tests: Chromium, driven as a person would use it, by the words on the page.
//!
//! Every method panics when what it asks for does not come within half a minute, with a picture
//! and the text of the page: a test cannot go on then.

mod checks;
mod driver;
mod line;
mod shots;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};

use driver::{Driver, Programs};
use line::Line;

pub use fantoccini::key::Key;

const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// How many tests drive a browser at a time.
static TURNS: Semaphore = Semaphore::const_new(2);

/// What every question to a page begins with.
const PAGE: &str = include_str!("browser/page.js");

/// A browser window with a profile of its own: one person at one computer.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
    line: Line,
    programs: Programs,
    test: String,
    base: RefCell<String>,
    shots: Rc<Cell<usize>>,
    loads: Cell<usize>,
    /// Whether there was no network at some time since the console was last asked.
    was_offline: Cell<bool>,
    _turn: Option<SemaphorePermit<'static>>,
}

impl Browser {
    /// Starts a browser for a test, whose name its pictures are kept under. None if this machine
    /// has no browser, which is said on one line; with `CAUSEWAY_BROWSER=required` that fails.
    ///
    /// # Panics
    /// As said above, as all methods here do.
    pub async fn start(test: &str) -> Option<Self> {
        let programs = Programs::find(test)?;
        let turn = TURNS.acquire().await.expect("turns are never closed");
        let shots = Rc::default();
        shots::clear(test);
        Some(Self::open(programs, test.to_owned(), shots, Some(turn)).await)
    }

    /// Another browser for the same test, with nothing of this one's profile: somebody else's.
    pub async fn another(&self) -> Self {
        let (programs, shots) = (self.programs.clone(), Rc::clone(&self.shots));
        let browser = Self::open(programs, self.test.clone(), shots, None).await;
        browser.at(&*self.base.borrow());
        browser
    }

    async fn open(
        programs: Programs,
        test: String,
        shots: Rc<Cell<usize>>,
        turn: Option<SemaphorePermit<'static>>,
    ) -> Self {
        let line = Line::lay().await.expect("a free port");
        let driver = Driver::start(&programs, line.address()).await;
        Self {
            driver,
            line,
            programs,
            test,
            base: RefCell::default(),
            shots,
            loads: Cell::new(0),
            was_offline: Cell::new(false),
            _turn: turn,
        }
    }

    /// From now on, paths are those of the pages at this address, as `127.0.0.1:8080` or
    /// `http://127.0.0.1:8080`.
    pub fn at(&self, address: impl ToString) {
        let address = address.to_string();
        let address = address.trim_end_matches('/');
        let base = match address.contains("://") || address.is_empty() {
            true => address.to_owned(),
            false => format!("http://{address}"),
        };
        *self.base.borrow_mut() = base;
    }

    /// Opens a page by its path.
    pub async fn visit(&self, path: &str) {
        let address = match path.contains("://") {
            true => path.to_owned(),
            false => format!("{}{path}", self.base.borrow()),
        };
        let opened = self.driver.client().goto(&address).await;
        opened.unwrap_or_else(|error| panic!("{address} does not open: {error}"));
    }

    /// Loads the page once more.
    pub async fn reload(&self) {
        self.told(self.driver.client().refresh().await, "reloading");
    }

    /// Goes back to the page before.
    pub async fn back(&self) {
        self.told(self.driver.client().back().await, "going back");
    }

    /// The path and query of the page that is shown.
    pub async fn path(&self) -> String {
        let address = self.told(self.driver.client().current_url().await, "the address");
        match address.query() {
            Some(query) => format!("{}?{query}", address.path()),
            None => address.path().to_owned(),
        }
    }

    /// The page's title, as the window shows it.
    pub async fn title(&self) -> String {
        self.told(self.driver.client().title().await, "the title")
    }

    /// Signs in through the sign-in page, with the code of a second factor if one is asked for.
    pub async fn sign_in(&self, email: &str, password: &str, code: Option<&str>) {
        self.visit("/sign-in").await;
        self.type_into("[name=email]", email).await;
        self.type_into("[name=password]", password).await;
        self.press(Key::Enter).await;
        self.wait_until("the sign-in form is sent", async || {
            !self.path().await.starts_with("/sign-in") || self.has("There is a problem").await
        })
        .await;
        if self.path().await.starts_with("/second-factor") {
            let code = code.unwrap_or_else(|| panic!("{email} is asked for a second factor"));
            self.type_into("[name=code]", code).await;
            self.press(Key::Enter).await;
            self.wait_until("the code is sent", async || {
                !self.path().await.starts_with("/second-factor")
                    || self.has("There is a problem").await
            })
            .await;
        }
        let path = self.path().await;
        if path.starts_with("/sign-in") || path.starts_with("/second-factor") {
            self.fail(&format!("{email} is not signed in")).await;
        }
    }

    /// Clicks the link, button or label with these words: exactly, else beginning with them, else
    /// holding them.
    pub async fn click(&self, words: &str) {
        self.click_in("", words).await;
    }

    /// The same within the first element that a CSS selector names.
    pub async fn click_in(&self, selector: &str, words: &str) {
        let what = format!("something to click that says {words:?}");
        let begun = Instant::now();
        loop {
            let arguments = vec![json!(words), json!(selector)];
            let element = self.find("clickable(...arguments)", arguments, &what);
            let clicked = element.await.click().await;
            match clicked {
                Ok(()) => return,
                Err(error) if begun.elapsed() > PATIENCE => {
                    self.fail(&format!("clicking {words:?}: {error}")).await;
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Clicks the first element that a CSS selector names.
    pub async fn click_on(&self, selector: &str) {
        let element = self.element(selector).await;
        if let Err(error) = element.click().await {
            self.fail(&format!("clicking {selector}: {error}")).await;
        }
    }

    /// Fills the field with this label: types into it, or chooses the option with these words. In
    /// a box to tick, `yes` ticks and `no` clears.
    pub async fn fill(&self, label: &str, value: &str) {
        self.fill_in("", label, value).await;
    }

    /// The same in the group with this legend: `fill_in("Date", "Day", "26")`.
    pub async fn fill_in(&self, legend: &str, label: &str, value: &str) {
        let what = format!("a field with the label {label:?}");
        let arguments = vec![json!(label), json!(legend)];
        let element = self.find("control(...arguments)", arguments, &what).await;
        let arguments = vec![json!(element), json!(value)];
        let way = self.ask("prepare(...arguments)", arguments).await;
        match way.as_str().unwrap_or_default() {
            "done" => {}
            "click" => {
                let ticked = self.told(element.is_selected().await, "whether it is ticked");
                if ticked != (value == "yes") {
                    self.told(element.click().await, "ticking");
                }
            }
            "keys" => {
                self.told(element.clear().await, "clearing the field");
                self.told(element.send_keys(value).await, "typing");
            }
            other => self.fail(&format!("{label}: {value:?}: {other}")).await,
        }
    }

    /// What stands in the field with this label.
    pub async fn value(&self, label: &str) -> String {
        let what = format!("a field with the label {label:?}");
        let element = self.find("control(...arguments)", vec![json!(label)], &what);
        let value = element.await.prop("value").await;
        self.told(value, "a field's value").unwrap_or_default()
    }

    /// Types into the first field that a CSS selector names, instead of what stands there.
    pub async fn type_into(&self, selector: &str, value: &str) {
        let element = self.element(selector).await;
        self.told(element.clear().await, "clearing the field");
        self.told(element.send_keys(value).await, "typing");
    }

    /// Puts a file into the first field for files that a CSS selector names.
    pub async fn choose_file(&self, selector: &str, file: &std::path::Path) {
        let path = file.to_str().expect("a path in UTF-8");
        let element = self.element(selector).await;
        self.told(element.send_keys(path).await, "choosing a file");
    }

    /// Presses a key.
    pub async fn press(&self, key: Key) {
        let value = char::from(key);
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        let pressed = self.driver.client().perform_actions(keys).await;
        self.told(pressed, "pressing a key");
    }

    /// The words of what has the keyboard's focus.
    pub async fn focused(&self) -> String {
        self.words("words(document.activeElement)", Vec::new())
            .await
    }

    /// Whether a person sees where the keyboard's focus is.
    pub async fn focus_is_visible(&self) -> bool {
        let visible = self.ask("focusVisible()", Vec::new()).await;
        visible.as_bool().unwrap_or_default()
    }

    /// All text that a person sees, with each run of white space as one space.
    pub async fn text(&self) -> String {
        self.words("squeeze(document.body.innerText)", Vec::new())
            .await
    }

    /// The text of the first element that a CSS selector names.
    pub async fn text_of(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        self.words("words(arguments[0])", vec![json!(element)])
            .await
    }

    /// The text of all elements that a CSS selector names and that are shown, in order.
    pub async fn texts(&self, selector: &str) -> Vec<String> {
        let script = "[...document.querySelectorAll(arguments[0])].filter(shown).map(words)";
        let texts = self.ask(script, vec![json!(selector)]).await;
        let texts = texts.as_array().into_iter().flatten();
        texts
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect()
    }

    /// How many elements a CSS selector names that are shown.
    pub async fn count(&self, selector: &str) -> usize {
        self.texts(selector).await.len()
    }

    /// Where the links lead that a CSS selector names, in order, each once.
    pub async fn links(&self, selector: &str) -> Vec<String> {
        let script = "[...new Set([...document.querySelectorAll(arguments[0])]\
             .map((it) => it.getAttribute('href')))]";
        let links = self.ask(script, vec![json!(selector)]).await;
        let links = links.as_array().into_iter().flatten();
        links
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect()
    }

    /// Whether a person sees these words now.
    pub async fn has(&self, words: &str) -> bool {
        self.text().await.contains(words)
    }

    /// Waits until a person sees these words.
    pub async fn wait_for(&self, words: &str) {
        let what = format!("{words:?} is shown");
        self.wait_until(&what, async || self.has(words).await).await;
    }

    /// Waits until a person no longer sees these words.
    pub async fn wait_gone(&self, words: &str) {
        let what = format!("{words:?} is gone");
        self.wait_until(&what, async || !self.has(words).await)
            .await;
    }

    /// Waits until `holds`.
    pub async fn wait_until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let begun = Instant::now();
        while !holds().await {
            if begun.elapsed() > PATIENCE {
                self.fail(&format!("still waiting after half a minute: {what}"))
                    .await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Runs a script in the page, which may `return` a value. What stands in `page.js` is at hand.
    pub async fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        let script = format!("{PAGE}\n{body}");
        let answer = self.driver.client().execute(&script, arguments).await;
        self.told(answer, body)
    }

    /// Opens a second tab, and goes there. Tabs are counted from 0 in the order they were opened.
    pub async fn open_tab(&self) {
        let client = self.driver.client();
        let tab = self.told(client.new_window(true).await, "a new tab").handle;
        self.told(client.switch_to_window(tab).await, "a new tab");
    }

    /// Goes to a tab that is open.
    pub async fn go_to_tab(&self, index: usize) {
        let client = self.driver.client();
        let tabs = self.told(client.windows().await, "the tabs");
        let tab = tabs.get(index).cloned();
        let tab = tab.unwrap_or_else(|| panic!("there is no tab {index}"));
        self.told(client.switch_to_window(tab).await, "another tab");
    }

    /// Takes this computer's network away: no page and no service worker reaches anything.
    pub async fn offline(&self) {
        self.line.cut();
        self.was_offline.set(true);
        self.pretend_offline(true).await;
    }

    /// Gives it back.
    pub async fn online(&self) {
        self.line.mend();
        self.pretend_offline(false).await;
    }

    /// What pages are told by `navigator.onLine` and its events; each tab is told.
    async fn pretend_offline(&self, offline: bool) {
        let client = self.driver.client();
        let here = self.told(client.window().await, "the tab");
        let tabs = self.told(client.windows().await, "the tabs");
        for tab in tabs {
            self.told(client.switch_to_window(tab).await, "a tab");
            self.driver.command("Network.enable", json!({})).await;
            let conditions = json!({
                "offline": offline, "latency": 0,
                "downloadThroughput": -1, "uploadThroughput": -1,
            });
            let name = "Network.emulateNetworkConditions";
            self.driver.command(name, conditions).await;
        }
        self.told(client.switch_to_window(here).await, "the tab");
    }

    /// Turns the scripts of pages off or on. Pages that are loaded from now on keep to it.
    pub async fn scripts(&self, on: bool) {
        let name = "Emulation.setScriptExecutionDisabled";
        self.driver.command(name, json!({ "value": !on })).await;
    }

    /// Dark mode, or light.
    pub async fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        let parameters = json!({ "media": "", "features": features });
        self.driver
            .command("Emulation.setEmulatedMedia", parameters)
            .await;
    }

    /// Begins to count screens.
    pub async fn begin_task(&self) {
        self.driver.log("performance").await;
        self.loads.set(0);
    }

    /// How many pages were loaded since [`Self::begin_task`], with the one that says it is done.
    pub async fn screens(&self) -> usize {
        let lines = self.driver.log("performance").await;
        let loads = lines.iter().filter(|line| is_load(line)).count();
        self.loads.set(self.loads.get() + loads);
        self.loads.get()
    }

    /// The first element that a CSS selector names.
    async fn element(&self, selector: &str) -> Element {
        let script = "document.querySelector(arguments[0])";
        self.find(script, vec![json!(selector)], selector).await
    }

    /// What a script's expression finds, once it does.
    async fn find(&self, expression: &str, arguments: Vec<Value>, what: &str) -> Element {
        let begun = Instant::now();
        loop {
            let found = self.ask(expression, arguments.clone()).await;
            let id = found.as_object().and_then(|it| it.values().next());
            if let Some(id) = id.and_then(Value::as_str) {
                let client = self.driver.client().clone();
                return Element::from_element_id(client, id.to_owned().into());
            }
            if begun.elapsed() > PATIENCE {
                self.fail(&format!("not found: {what}")).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn words(&self, expression: &str, arguments: Vec<Value>) -> String {
        let answer = self.ask(expression, arguments).await;
        answer.as_str().unwrap_or_default().to_owned()
    }

    /// The value of a script's expression. A page that is just being left is asked once more.
    async fn ask(&self, expression: &str, arguments: Vec<Value>) -> Value {
        let script = format!("{PAGE}\nreturn {expression};");
        let begun = Instant::now();
        loop {
            let answer = self.driver.client().execute(&script, arguments.clone());
            match answer.await {
                Ok(answer) => return answer,
                Err(error) if begun.elapsed() > PATIENCE => panic!("{expression}: {error}"),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn told<T>(&self, answer: Result<T, CmdError>, what: &str) -> T {
        answer.unwrap_or_else(|error| panic!("{}: {what}: {error}", self.test))
    }

    /// Gives up, with a picture and the text of the page.
    async fn fail(&self, what: &str) -> ! {
        let picture = self.screenshot("failed").await;
        let (path, text) = (self.path().await, self.text().await);
        panic!(
            "{}: {what}\n{path}: {text}\nA picture is at {}",
            self.test,
            picture.display()
        );
    }
}

/// Whether a line of the browser's performance log says that a window showed another page.
fn is_load(line: &Value) -> bool {
    let message = line["message"].as_str().unwrap_or_default();
    let message = serde_json::from_str::<Value>(message).unwrap_or_default();
    let message = &message["message"];
    message["method"] == "Page.frameNavigated" && message["params"]["frame"]["parentId"].is_null()
}
