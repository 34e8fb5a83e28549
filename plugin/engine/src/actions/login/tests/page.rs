//! What the page shows.

use super::*;

#[test]
fn page_says_what_it_is_told_to_say() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("de.yaml");
    fs::write(
        &file,
        "title: Anmelden\nusername: Benutzer\npassword: Kennwort\n",
    )
    .unwrap();
    let scene = Scene::new(json!({ "page": {
        "language": "de",
        "rememberMe": true,
        "messagesFile": file,
        "messages": { "username": "<Name>" },
    } }));

    let page = scene.get("/login");

    let html = text(&page);
    for part in [
        "<html lang=\"de\">",
        "<h1>Anmelden</h1>",
        "<label for=\"username\">&lt;Name&gt;</label>",
        "<label for=\"password\">Kennwort</label>",
        "<label for=\"remember_me\">Stay signed in on this device</label>",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    assert_eq!(page.response_headers("content-language"), ["de"]);
}

#[test]
fn page_of_somebody_who_is_logged_in_leads_on() {
    let scene = Scene::with_session(json!({}), json!({ "user_id": "<anna>" }));

    let html = text(&scene.get("/login?redirect_path=/reports"));

    assert!(html.contains("You are signed in as &lt;anna&gt;."));
    assert!(html.contains("<a href=\"/reports\">Continue</a>"));
}

#[test]
fn page_carries_no_target_that_leads_elsewhere() {
    let scene = Scene::with_session(json!({}), json!({ "user_id": "anna" }));
    for asked in ["//evil.test", "https://evil.test", "javascript:alert(1)"] {
        let html = text(&scene.get(&format!("/login?redirect_path={asked}")));

        assert!(!html.contains("evil") && !html.contains("alert("), "{html}");
        assert!(html.contains("<a href=\"/\">"));
    }
}
