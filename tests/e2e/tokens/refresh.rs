//! New tokens before the old ones end: one call, however many ask.

use std::sync::Barrier;
use std::thread;

use e2e::{Gateway, Provider, Redis, Upstream};
use serde_json::json;

use super::*;

#[test]
fn four_hundred_requests_at_two_gateways_are_one_call() {
    let crowd = Crowd::start();
    let browser = log_in(
        &crowd.gateways[0],
        &crowd.upstream,
        &tokens(&crowd.provider, 5),
    );

    let statuses = crowd.ask(&browser, 200);

    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(crowd.provider.refreshes().len(), 1);
    for gateway in &crowd.gateways {
        let mut browser = browser.at(gateway.address());
        assert_eq!(browser.get("/app/a").status(), 200);
    }
    assert_eq!(crowd.provider.refreshes().len(), 1);
}

#[test]
fn requests_at_three_gateways_whose_token_has_ended_are_one_call_and_no_logout() {
    let crowd = Crowd::of(3);
    let browser = log_in(
        &crowd.gateways[0],
        &crowd.upstream,
        &tokens(&crowd.provider, -1),
    );

    let statuses = crowd.ask(&browser, 100);

    assert_eq!(statuses.len(), 300);
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(crowd.provider.calls("/token").len(), 1);
    let shown: Vec<_> = crowd
        .gateways
        .iter()
        .map(|gateway| shown(&browser.at(gateway.address()).get("/app/a")))
        .collect();
    assert!(shown.iter().all(|token| *token == shown[0]), "one token");
    assert_eq!(crowd.provider.calls("/token").len(), 1);
}

#[test]
fn a_provider_that_takes_eight_seconds_is_called_once_as_well() {
    let crowd = Crowd::start();
    crowd.provider.fault("/token", &json!({ "hang": 8000 }));
    // Over already: nobody can go on with the old one.
    let old = tokens(&crowd.provider, -1);
    let browser = log_in(&crowd.gateways[0], &crowd.upstream, &old);

    let statuses = crowd.ask(&browser, 200);

    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(crowd.provider.calls("/token").len(), 1);
    let new = shown(&browser.at(crowd.gateways[1].address()).get("/app/a"));
    assert_ne!(
        new,
        format!("Bearer {}", old["access_token"].as_str().unwrap())
    );
}

#[test]
fn while_the_old_token_is_good_nobody_waits_for_a_slow_provider() {
    let crowd = Crowd::start();
    crowd.provider.fault("/token", &json!({ "hang": 8000 }));
    let old = tokens(&crowd.provider, 9);
    let mut browser = log_in(&crowd.gateways[0], &crowd.upstream, &old);

    let answer = browser.get("/app/a");

    assert_eq!(
        shown(&answer),
        format!("Bearer {}", old["access_token"].as_str().unwrap())
    );
    // It goes on without anybody, and its outcome is stored.
    crowd.gateways[0].logged("tokens-renewed");
    assert_ne!(shown(&browser.get("/app/a")), shown(&answer));
    assert_eq!(crowd.provider.refreshes().len(), 1);
}

#[test]
fn the_gateway_at_work_is_killed_and_the_other_takes_over() {
    let mut crowd = Crowd::start();
    crowd
        .provider
        .fault("/token", &json!({ "hang": 12000, "times": 1 }));
    let browser = log_in(
        &crowd.gateways[0],
        &crowd.upstream,
        &tokens(&crowd.provider, -1),
    );
    let mut first = browser.at(crowd.gateways[0].address());
    let mut second = browser.at(crowd.gateways[1].address());

    let answer = thread::scope(|scope| {
        let lost = scope.spawn(move || first.try_send(Request::get("/app/a")).is_err());
        while crowd.provider.calls("/token").is_empty() {
            thread::yield_now();
        }
        crowd.gateways[0].kill();
        let answer = second.get("/app/a");
        assert!(lost.join().unwrap());
        answer
    });

    assert_eq!(answer.status(), 200);
    assert_eq!(crowd.provider.refreshes().len(), 1);
}

#[test]
fn a_client_that_breaks_off_ends_no_refresh() {
    let crowd = Crowd::start();
    crowd
        .provider
        .fault("/token", &json!({ "hang": 1000, "times": 1 }));
    let mut browser = log_in(
        &crowd.gateways[0],
        &crowd.upstream,
        &tokens(&crowd.provider, -1),
    );
    let cookie = browser.cookie("session_id").unwrap();
    let text = format!("GET /app/a HTTP/1.1\r\nHost: a\r\nCookie: session_id={cookie}\r\n\r\n");
    {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(crowd.gateways[0].address()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        while crowd.provider.calls("/token").is_empty() {
            thread::yield_now();
        }
    }

    crowd.gateways[0].logged("tokens-renewed");

    assert_eq!(browser.get("/app/a").status(), 200);
    assert_eq!(crowd.provider.calls("/token").len(), 1);
}

#[test]
fn an_answer_without_a_refresh_token_keeps_the_one_there_was() {
    let crowd = Crowd::start();
    crowd.provider.fault(
        "/token",
        &json!({ "omit": ["refresh_token", "id_token"], "times": 1 }),
    );
    let old = tokens(&crowd.provider, 5);
    let mut browser = log_in(&crowd.gateways[0], &crowd.upstream, &old);

    let answer = browser.get("/app/a");

    assert_ne!(
        shown(&answer),
        format!("Bearer {}", old["access_token"].as_str().unwrap())
    );
    assert_eq!(answer.json()["headers"]["x-refresh"], old["refresh_token"]);
    assert_eq!(crowd.provider.refreshes().len(), 1);
}

#[test]
fn what_the_new_tokens_say_about_the_user_is_seen() {
    let crowd = Crowd::start();
    let mut browser = log_in(
        &crowd.gateways[0],
        &crowd.upstream,
        &tokens(&crowd.provider, 5),
    );

    let answer = browser.get("/app/a");

    assert_eq!(answer.json()["headers"]["x-email"], "anna@example.test");
    assert_eq!(answer.json()["headers"]["x-user-id"], "anna");
}

/// Gateways with the same sessions.
struct Crowd {
    gateways: Vec<Gateway>,
    provider: Provider,
    upstream: Upstream,
    _redis: Redis,
}

impl Crowd {
    fn start() -> Self {
        Self::of(2)
    }

    fn of(count: usize) -> Self {
        let (provider, upstream, redis) = (Provider::start(), Upstream::start(), Redis::new());
        let site = usual(&provider, &upstream)
            .redis(&redis)
            .server("log: { level: 'info,session=debug' }");
        Self {
            gateways: (0..count).map(|_| site.run()).collect(),
            provider,
            upstream,
            _redis: redis,
        }
    }

    /// So many requests at each gateway at once, and their statuses.
    fn ask(&self, browser: &Browser, each: usize) -> Vec<u16> {
        let gateways = self.gateways.len();
        let together = Barrier::new(each * gateways);
        thread::scope(|scope| {
            let asked: Vec<_> = (0..each * gateways)
                .map(|number| {
                    let mut browser = browser.at(self.gateways[number % gateways].address());
                    let together = &together;
                    scope.spawn(move || {
                        together.wait();
                        browser.get("/app/a").status()
                    })
                })
                .collect();
            asked
                .into_iter()
                .map(|asked| asked.join().unwrap())
                .collect()
        })
    }
}
