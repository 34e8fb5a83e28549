//! The login page, as a person meets it in a real browser.

use std::fs;

use e2e::{Chromium, plugins};
use serde_json::{Value, json};

use super::Door;

#[test]
fn keyboard_is_all_that_is_needed() {
    let door = Door::open("page: { rememberMe: true }", "rememberMe: 30d");
    let mut chromium = Chromium::start();
    chromium.visit(&door.url("/login?redirect_path=/after"));

    // Wrong at first; the page is the same, and the place is kept.
    for password in ["wrong", "correct horse"] {
        let tab = Chromium::TAB;
        let keys = format!("anna{tab}{password}{tab} {tab}");
        chromium.type_keys(&keys);
        chromium.until_elsewhere(|chromium| chromium.type_keys(Chromium::ENTER));
    }

    assert_eq!(chromium.url(), door.url("/after"));
    assert_eq!(
        door.upstream.last().header("x-user-id").as_deref(),
        Some("anna")
    );
    let cookie = &chromium.cookies()[0];
    let life = cookie["expiry"].as_f64().unwrap() - chromium.now();
    assert!(life > 29.0 * 86_400.0, "remembered: {cookie}");
}

#[test]
fn scripts_are_not_needed_and_none_would_run() {
    let door = Door::open("", "");
    let mut chromium = Chromium::start();
    chromium.visit(&door.url("/login"));
    let ran = chromium.run(
        "const script = document.createElement('script'); script.textContent = 'window.ran = 1';\
         document.body.append(script); const image = new Image(); image.setAttribute('onerror', 'window.ran = 1');\
         image.src = 'data:,'; document.body.append(image); return window.ran ?? 0;",
    );
    assert_eq!(ran, 0);

    chromium.devtools(
        "Emulation.setScriptExecutionDisabled",
        &json!({ "value": true }),
    );
    chromium.visit(&door.url("/login?redirect_path=/after"));
    let keys = format!("anna{}correct horse", Chromium::TAB);
    chromium.type_keys(&keys);
    chromium.until_elsewhere(|chromium| chromium.type_keys(Chromium::ENTER));

    assert_eq!(chromium.url(), door.url("/after"));
    assert_eq!(
        door.upstream.last().header("x-user-id").as_deref(),
        Some("anna")
    );
}

#[test]
fn page_may_be_framed_by_nobody() {
    let door = Door::open("", "");
    let mut chromium = Chromium::start();
    chromium.visit(&door.url("/elsewhere"));

    chromium.run(&format!(
        "document.body.innerHTML = '<iframe src=\"{}\"></iframe>'; \
         return new Promise(done => document.querySelector('iframe').onload = () => done(1));",
        door.url("/login")
    ));

    let inside = chromium.run("try { return document.querySelector('iframe').contentDocument?.querySelectorAll('form').length ?? 0 } catch { return 0 }");
    assert_eq!(inside, 0);
}

#[test]
fn screen_reader_is_told_what_everything_is() {
    let door = Door::open("page: { rememberMe: true }", "");
    let mut chromium = Chromium::start();
    chromium.visit(&door.url("/login?error=credentials"));

    let tree = chromium.tree();

    for (role, name) in [
        ("RootWebArea", "Error: Sign in"),
        ("main", ""),
        ("heading", "Sign in"),
        ("alert", ""),
        ("StaticText", "The user name or the password is wrong."),
        ("textbox", "User name"),
        ("textbox", "Password"),
        ("checkbox", "Stay signed in on this device"),
        ("button", "Sign in"),
    ] {
        let node = tree.iter().find(|node| {
            node["role"]["value"] == role
                && node["name"]["value"].as_str().unwrap_or_default() == name
        });
        let node = node.unwrap_or_else(|| panic!("no {role} {name:?} in {tree:#?}"));
        if role == "textbox" {
            assert_eq!(property(node, "invalid"), "true", "{name}");
            assert_eq!(property(node, "required"), true, "{name}");
            let description = node["description"]["value"].as_str();
            assert_eq!(description, Some("The user name or the password is wrong."));
        }
        if name == "User name" {
            assert_eq!(property(node, "focused"), true);
        }
    }
    assert_eq!(chromium.run("return document.documentElement.lang"), "en");
}

#[test]
fn everything_can_be_read_in_light_and_dark_on_narrow_and_wide_screens() {
    let providers = "providers: { corporate: { issuer: 'https://corporate.test', clientId: gateway, clientSecret: secret, title: Corporate account } }";
    let door = Door::with(
        "provider: corporate, page: { rememberMe: true, title: Sign in to Example }",
        "",
        providers,
    );
    let mut chromium = Chromium::start();
    let pictures = plugins::scratch_directory("screenshots");
    for scheme in ["light", "dark"] {
        for width in [320, 390, 768, 1280] {
            let media =
                json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            chromium.devtools("Emulation.setEmulatedMedia", &media);
            let screen =
                json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
            chromium.devtools("Emulation.setDeviceMetricsOverride", &screen);
            for (name, query) in [("plain", ""), ("error", "?error=credentials")] {
                chromium.visit(&door.url(&format!("/login{query}")));
                let seen = format!("{scheme} {width} {name}");

                let picture = pictures.join(format!("login-{scheme}-{width}-{name}.png"));
                fs::write(picture, chromium.screenshot()).unwrap();
                let overflow =
                    chromium.run("return document.documentElement.scrollWidth - window.innerWidth");
                assert!(overflow.as_i64().unwrap() <= 0, "{seen}: {overflow}");
                for found in chromium.run(CONTRASTS).as_array().unwrap() {
                    let ratio = found["ratio"].as_f64().unwrap();
                    assert!(ratio >= 4.5, "{seen}: {found}");
                }
                for found in chromium.run(TARGETS).as_array().unwrap() {
                    let height = found["height"].as_f64().unwrap();
                    assert!(height >= 24.0, "{seen}: {found}");
                }
            }
        }
    }
}

/// What the tests of this file ask a browser.
trait Reading {
    fn tree(&mut self) -> Vec<Value>;
    fn now(&mut self) -> f64;
}

impl Reading for Chromium {
    /// What assistive technology is told.
    fn tree(&mut self) -> Vec<Value> {
        let tree = self.devtools("Accessibility.getFullAXTree", &json!({}));
        let nodes = tree["nodes"].as_array().unwrap().iter();
        nodes
            .filter(|node| node["ignored"] != true)
            .cloned()
            .collect()
    }

    fn now(&mut self) -> f64 {
        self.run("return Date.now() / 1000").as_f64().unwrap()
    }
}

fn property(node: &Value, name: &str) -> Value {
    let properties = node["properties"].as_array().unwrap();
    let found = properties.iter().find(|property| property["name"] == name);
    found.map_or(Value::Null, |property| property["value"]["value"].clone())
}

/// The contrast of each text to what is behind it (WCAG 2.2, section 1.4.3).
const CONTRASTS: &str = "
const rgb = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return { c: n.slice(0, 3), a: n[3] ?? 1 }; };
const light = (c) => { const l = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
const behind = (e) => { for (; e; e = e.parentElement) { const b = rgb(getComputedStyle(e).backgroundColor); if (b.a === 1) return b.c; } return [255, 255, 255]; };
return [...document.querySelectorAll('h1, label, button, a, p, input')].map((e) => {
  const [one, two] = [light(rgb(getComputedStyle(e).color).c), light(behind(e))].sort((a, b) => b - a);
  return { text: e.textContent || e.id, ratio: (one + 0.05) / (two + 0.05) };
});";

/// How high everything is that can be pressed, with its label (WCAG 2.2, section 2.5.8).
const TARGETS: &str = "
return [...document.querySelectorAll('button, a, input:not([type=hidden], [type=checkbox]), .check')].map((e) => ({ text: e.textContent || e.id, height: e.getBoundingClientRect().height }));";
