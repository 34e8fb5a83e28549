//! The page with the sessions, in a browser: by keyboard, by screen reader, without scripts, light and dark, wide and
//! narrow.

use e2e::{Chromium, until_some};
use serde_json::json;

use super::{FIREFOX, House};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

#[test]
fn keyboard_ends_another_session_and_the_page_says_so() {
    let house = House::build("");
    let mut phone = house.log_in(1, FIREFOX);
    let mut browser = at_the_page(&house);

    // The first one listed is this one, with its own button; the second is the phone.
    browser.type_keys(&[TAB, TAB, ENTER].concat());
    let url = settled(&mut browser);

    assert!(url.ends_with("/sessions?ended=1"), "{url}");
    house.until_over(&mut phone);
    let told = browser.accessibility();
    assert!(
        told.iter().any(|(role, _)| role == "status"),
        "nobody hears of it: {told:?}"
    );
}

#[test]
fn screen_reader_is_told_which_button_ends_what() {
    let house = House::build("");
    house.log_in(1, FIREFOX);
    let mut browser = at_the_page(&house);

    let told = browser.accessibility();

    let named = |role: &str| {
        let all = told.iter().filter(|(known, _)| known == role);
        let mut names: Vec<_> = all.map(|(_, name)| name.as_str()).collect();
        // The tree is told level by level.
        names.sort_unstable();
        names
    };
    assert_eq!(named("main").len(), 1);
    let headings = named("heading");
    assert_eq!(
        headings,
        [
            "Chrome, Linux This device",
            "Firefox, Linux",
            "Your sessions"
        ]
    );
    assert_eq!(
        named("button"),
        [
            "End all other sessions",
            "End session Firefox, Linux",
            "Sign out Chrome, Linux This device"
        ]
    );
    assert_eq!(named("listitem").len(), 2);
}

#[test]
fn page_fits_every_screen_and_both_colours() {
    let house = House::build("");
    house.log_in(1, FIREFOX);
    let mut browser = at_the_page(&house);

    for (width, scheme) in [
        (320, "light"),
        (320, "dark"),
        (1280, "light"),
        (1280, "dark"),
    ] {
        let screen =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        browser.devtools("Emulation.setDeviceMetricsOverride", &screen);
        let feature = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": feature }),
        );

        let wide = browser.run("return document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= width, "{wide} of {width}");
        for what in ["h1", "h2", "dt", "dd", ".badge", "button"] {
            let contrast = contrast(&mut browser, what);
            assert!(contrast >= 4.5, "{what} in {scheme}: {contrast}");
        }
        save(&mut browser, &format!("{width}-{scheme}"));
    }
}

/// A browser that has logged in and looks at its sessions. It runs no script of a page.
fn at_the_page(house: &House) -> Chromium {
    let mut browser = Chromium::start();
    browser.devtools(
        "Emulation.setScriptExecutionDisabled",
        &json!({ "value": true }),
    );
    let port = house.gateways[0].address().port();
    browser.visit(&format!("http://gateway.test:{port}/login"));
    browser.visit(&format!("http://gateway.test:{port}/sessions"));
    browser
}

/// Where the browser is when it has left the page that it was on.
#[track_caller]
fn settled(browser: &mut Chromium) -> String {
    until_some("the page is another", || {
        Some(browser.url()).filter(|url| url.contains('?'))
    })
}

/// How much the first of these stands out from what is behind it (WCAG 2.2, 1.4.3).
fn contrast(browser: &mut Chromium, selector: &str) -> f64 {
    let script = format!(
        "const channels = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
         const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
           .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
           .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
         const element = document.querySelector({selector:?});
         let behind = element;
         while (channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
         const [one, other] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
           .map(channels).map(light).sort((a, b) => b - a);
         return (one + 0.05) / (other + 0.05);"
    );
    browser.run(&script).as_f64().unwrap()
}

/// For people who want to look: a picture in the directory that `E2E_PICTURES` names.
fn save(browser: &mut Chromium, name: &str) {
    use base64::Engine as _;
    let Ok(directory) = std::env::var("E2E_PICTURES") else {
        return;
    };
    let picture = browser.devtools("Page.captureScreenshot", &json!({}));
    let picture = picture["data"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(picture)
        .unwrap();
    std::fs::write(format!("{directory}/sessions-{name}.png"), bytes).unwrap();
}
