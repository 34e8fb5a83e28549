use abi::testing::{TestExchange, TestGateway};

use super::*;

#[test]
fn text_of_others_stays_text() {
    let mut html = Html::default();
    html.markup("<b title=\"")
        .text("\"><script>&'")
        .markup("\">");

    assert_eq!(
        html.as_str(),
        "<b title=\"&quot;&gt;&lt;script&gt;&amp;&#39;\">"
    );
}

#[test]
fn page_may_do_nothing_but_show_itself() {
    let (exchange, _) = respond(PageTheme::plain(), "https://app.test");

    let policy = exchange
        .response_headers("content-security-policy")
        .join("");
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self' https://app.test",
    ] {
        assert!(policy.split("; ").any(|found| found == part), "{policy}");
    }
    assert!(!policy.contains("script-src") && !policy.contains("unsafe-inline"));
    assert_eq!(exchange.response_headers("cache-control"), ["no-store"]);
    assert_eq!(exchange.response_headers("x-frame-options"), ["DENY"]);
    assert_eq!(exchange.response_headers("content-language"), ["en"]);
}

#[test]
fn policy_names_the_style_sheet_of_the_page_with_every_theme() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("theme.css");
    fs::write(&file, ":root {\r\n  --accent: teal;\r}\n").unwrap();

    for theme in [PageTheme::plain(), PageTheme::read(&file).unwrap()] {
        let (exchange, text) = respond(theme, "");

        let style = text.split("<style>").nth(1).unwrap();
        let style = style.split("</style>").next().unwrap();
        let hash = STANDARD.encode(Sha256::digest(style));
        let policy = exchange
            .response_headers("content-security-policy")
            .join("");
        assert!(policy.contains(&format!("style-src 'sha256-{hash}';")));
    }
    assert!(
        PageTheme::read(&file)
            .unwrap()
            .style()
            .as_str()
            .contains("teal")
    );
}

#[test]
fn theme_that_would_end_its_element_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("theme.css");
    fs::write(&file, "</style><script>").unwrap();

    assert!(matches!(PageTheme::read(&file), Err(ThemeError::Markup)));
    fs::write(&file, " ".repeat(65_537)).unwrap();
    assert!(matches!(
        PageTheme::read(&file),
        Err(ThemeError::TooLarge(65_537))
    ));
}

fn respond(theme: PageTheme, form_targets: &str) -> (TestExchange, String) {
    let gateway = TestGateway::new();
    let pages = Pages::new(theme, &gateway.services()).unwrap();
    let mut exchange = gateway.exchange("GET", "/");
    let page = Page {
        language: "en",
        title: "Title",
        content: &Html::default(),
        form_targets,
        width: Width::Narrow,
    };
    pages.respond(&mut exchange.lend(), 200, &page).unwrap();
    let text = String::from_utf8(exchange.response_body().to_vec()).unwrap();
    (exchange, text)
}

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
