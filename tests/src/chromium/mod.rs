//! A real browser: Chromium without a window, driven over WebDriver.

mod driver;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::driver::Driver;
use crate::until;

/// A browser with a profile of its own, empty at first. Every host name leads to this machine, so that a test can be at
/// any site; nothing it does leaves it.
#[derive(Debug)]
pub struct Chromium {
    driver: Driver,
    // Dropped last: the browser writes into it until its end.
    _profile: TempDir,
}

impl Chromium {
    /// The key, as WebDriver calls it.
    pub const TAB: &str = "\u{e004}";
    /// The key, as WebDriver calls it.
    pub const ENTER: &str = "\u{e007}";

    /// Starts a browser.
    ///
    /// # Panics
    /// When there is none to start.
    #[track_caller]
    pub fn start() -> Self {
        let profile = tempfile::tempdir().expect("a directory for the profile");
        let profile_flag = format!("--user-data-dir={}", profile.path().display());
        let flags = [FLAGS, &[&profile_flag]].concat();
        let driver = Driver::start(&json!({ "goog:chromeOptions": { "args": flags } }));
        Self {
            driver,
            _profile: profile,
        }
    }

    /// Goes to an address as if it had been typed, and waits until the page is loaded.
    #[track_caller]
    pub fn visit(&mut self, url: &str) {
        self.driver.post("url", &json!({ "url": url }));
    }

    /// Follows the first link of the page, which has to lead to another address.
    #[track_caller]
    pub fn follow_link(&mut self) {
        self.press("a");
    }

    /// Sends the first form of the page off, which has to lead to another address.
    #[track_caller]
    pub fn submit_form(&mut self) {
        self.press("button");
    }

    /// Runs the body of a function in the page, and returns what that returns.
    #[track_caller]
    pub fn run(&mut self, script: &str) -> Value {
        self.driver
            .post("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The text that is seen in the first frame of the page; of a frame that shows nothing but why, that.
    #[track_caller]
    pub fn text_in_frame(&mut self) -> String {
        self.driver.post("frame", &json!({ "id": 0 }));
        let text = self.run("return document.body.innerText");
        self.driver.post("frame", &json!({ "id": null }));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Asks for what WebDriver has no word for: a command of Chromium's own tools for developers.
    #[track_caller]
    pub fn devtools(&mut self, command: &str, parameters: &Value) -> Value {
        let command = json!({ "cmd": command, "params": parameters });
        self.driver.post("goog/cdp/execute", &command)
    }

    /// Presses keys as a person does, one after the other, where the focus is. `\u{e004}` is Tab and `\u{e007}` Enter
    /// (WebDriver, section 17.4.2).
    #[track_caller]
    pub fn type_keys(&mut self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| {
            let key = key.to_string();
            ["keyDown", "keyUp"].map(|stroke| json!({ "type": stroke, "value": key }))
        });
        let strokes: Vec<_> = strokes.collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.driver
            .post("actions", &json!({ "actions": [keyboard] }));
    }

    /// Where the page is, as the address line shows it.
    #[track_caller]
    pub fn url(&mut self) -> String {
        self.driver
            .get("url")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What a screen reader is told: a role and a name for each node, in the order of the page.
    #[track_caller]
    pub fn accessibility(&mut self) -> Vec<(String, String)> {
        let tree = self.devtools("Accessibility.getFullAXTree", &json!({}));
        let nodes = tree["nodes"].as_array().cloned().unwrap_or_default();
        let told = nodes.iter().filter(|node| node["ignored"] == false);
        told.map(|node| {
            ["role", "name"].map(|key| node[key]["value"].as_str().unwrap_or_default().to_owned())
        })
        .map(|[role, name]| (role, name))
        .collect()
    }

    /// The cookies that the browser would send to the page it is on, also those that no script sees, with their
    /// attributes as WebDriver names them.
    #[track_caller]
    pub fn cookies(&mut self) -> Vec<Value> {
        let cookies = self.driver.get("cookie");
        cookies.as_array().cloned().unwrap_or_default()
    }

    /// Does something that leads to another address, and waits until it has.
    #[track_caller]
    pub fn until_elsewhere(&mut self, act: impl FnOnce(&mut Self)) {
        let before = self.url();
        act(self);
        until("the page is another", || self.url() != before);
    }

    /// What is on the screen, as PNG.
    ///
    /// # Panics
    /// When the browser sends none.
    #[track_caller]
    pub fn screenshot(&mut self) -> Vec<u8> {
        let encoded = self.driver.get("screenshot");
        let encoded = encoded.as_str().expect("a picture");
        STANDARD.decode(encoded).expect("a picture in base64")
    }

    /// Presses something and waits until it has led somewhere: the driver says so only of what it sees begin.
    #[track_caller]
    fn press(&mut self, selector: &str) {
        let before = self.driver.get("url");
        let query = json!({ "using": "css selector", "value": selector });
        let element = self.driver.post("element", &query);
        let element = element[ELEMENT].as_str().expect("the page has the element");
        self.driver
            .post(&format!("element/{element}/click"), &json!({}));
        until(&format!("{selector} leads somewhere"), || {
            self.driver.get("url") != before
        });
    }
}

/// No window, no sandbox (tests run as root), and none of what a browser does of its own accord.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * 127.0.0.1",
];

/// WebDriver, section 12.2: the key under which an element's name is.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
