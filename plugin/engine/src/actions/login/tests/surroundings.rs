//! What is said of a login beside the middlewares that keep its sessions.

use super::super::surroundings::warnings;
use super::*;

#[test]
fn what_no_middleware_can_give_is_named() {
    for (login, load, expected) in [
        (
            json!({ "principal": "account" }),
            json!({}),
            "principal is `account`, and that of One, Other is another: whoever logs in belongs to nobody there",
        ),
        (
            json!({ "page": { "rememberMe": true } }),
            json!({}),
            "page.rememberMe shows a box without effect: One, Other has no rememberMe",
        ),
        (
            json!({ "provider": "corporate" }),
            json!({ "cookieSameSite": "Strict" }),
            "cookieSameSite of One, Other is Strict: who comes back from a provider comes without a session; use Lax",
        ),
    ] {
        let found = found(&login, &[load.clone(), load]);

        assert_eq!(found, [expected]);
    }
}

#[test]
fn what_one_middleware_can_give_is_not_spoken_of() {
    let login = json!({ "provider": "corporate", "page": { "rememberMe": true } });
    let strict = json!({ "cookieSameSite": "Strict", "principal": "account" });

    let beside_another = found(&login, &[strict, json!({ "rememberMe": "30d" })]);
    let alone = found(&login, &[]);

    assert_eq!([beside_another, alone], [[""; 0]; 2]);
}

fn found(login: &Value, loads: &[Value]) -> Vec<String> {
    let gateway = TestGateway::new();
    let keepers = Keepers::default();
    for (name, config) in ["One", "Other"].into_iter().zip(loads) {
        let clock = Arc::new(ManualClock::new(Timestamp::default()));
        let rows = MemoryStorage::open(&MemoryConfig::default(), clock.clone()).unwrap();
        let rows: Arc<dyn Rows> = Arc::new(rows);
        let made = LoadSessionMiddleware::new(
            Entry { name },
            &serde_json::from_value(config.clone()).unwrap(),
            |_| Ok(rows.into()),
            clock,
            &gateway.services(),
        );
        keepers.add(made.unwrap().keeper());
    }
    warnings(&serde_json::from_value(login.clone()).unwrap(), &keepers)
}
