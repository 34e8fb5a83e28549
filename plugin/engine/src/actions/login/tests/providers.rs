//! Logins with providers, as far as none is asked.

use super::*;

#[test]
fn page_offers_the_providers_that_are_shown_in_their_order() {
    let scene = Scene::new(json!({ "provider": ["corporate", "partners", "hidden"] }));

    let html = text(&scene.get("/login?redirect_path=/a?b=c"));

    let partners = "<a class=\"button quiet\" href=\"?redirect_path=%2Fa%3Fb%3Dc&amp;provider=partners\">Continue with partners</a>";
    let corporate =
        "href=\"?redirect_path=%2Fa%3Fb%3Dc&amp;provider=corporate\">Continue with Corporate</a>";
    let places = [partners, corporate].map(|part| html.find(part).unwrap());
    assert!(places[0] < places[1], "by priority: {html}");
    assert!(html.contains("<p class=\"or\">or</p>"));
    assert!(!html.contains("hidden.test") && !html.contains("provider=hidden"));
}

#[test]
fn browser_that_comes_back_without_an_attempt_of_its_own_is_logged_in_by_nobody() {
    let scene = Scene::new(json!({ "provider": "corporate" }));
    for query in [
        "",
        "?code=c",
        "?state=s",
        "?state=s&code=c",
        "?state=s&state=t&code=c",
        "?error=access_denied",
        "?state=&code=c",
    ] {
        let exchange = scene.get(&format!("/login/callback{query}"));

        assert_eq!(exchange.status(), Some(303), "{query}");
        assert_eq!(
            exchange.response_headers("location"),
            ["/login?error=expired"]
        );
    }
    assert_eq!(scene.user(), None);
    let html = text(&scene.get("/login?error=expired"));
    assert!(html.contains("begun in another browser"), "{html}");
}

#[test]
fn provider_that_cannot_be_asked_costs_the_login_and_not_the_place() {
    let scene = Scene::new(json!({ "provider": "corporate" }));

    let exchange = scene.get("/login?provider=corporate&redirect_path=/a");

    assert_eq!(
        exchange.response_headers("location"),
        ["/login?redirect_path=%2Fa&error=unavailable"]
    );
    assert_eq!(exchange.response_headers("set-cookie"), [""; 0]);
}

#[test]
fn what_is_wrong_about_providers_is_said() {
    for (config, fault) in [
        (
            json!({ "provider": "corporatee" }),
            "provider: no provider is called `corporatee`",
        ),
        (
            json!({ "provider": ["corporate", "x"] }),
            "provider[1]: no provider is called `x`",
        ),
        (json!({ "provider": [] }), "provider: expected a name"),
        (
            json!({ "provider": ["corporate", "partners", "corporate"] }),
            "provider[2]: `corporate` is there already",
        ),
        (
            json!({ "passwordGrant": { "provider": "x" } }),
            "passwordGrant.provider: no provider is called `x`",
        ),
        (
            json!({ "passwordGrant": { "provider": "corporate" }, "usersFile": "/x" }),
            "passwordGrant: cannot be given together with usersFile",
        ),
        (
            json!({ "provider": "corporate", "redirectUri": "/login/callback" }),
            "redirectUri: `/login/callback` is not where browsers come back to",
        ),
        (
            json!({ "provider": "corporate", "redirectUri": "https://a.test/login" }),
            "redirectUri: `https://a.test/login` is not where",
        ),
    ] {
        let faults = Scene::faults(config).to_string();

        assert!(faults.contains(fault), "{faults}");
    }
}
