//! How long a snapshot counts.

use super::*;

#[test]
fn what_happens_elsewhere_is_noticed_when_the_trust_is_over() {
    for (config, trust) in [
        (json!({}), 300),
        (json!({ "cookieCache": { "ttl": "30s" } }), 30),
        (json!({ "cookieCache": { "updateAge": "40s" } }), 40),
    ] {
        let cached = Cached::new(config);
        let mut jar = cached.log_in("anna");
        log_out_elsewhere(&cached, &jar);

        cached.advance(trust - 1);
        let before = cached.user(&mut jar);
        cached.advance(1);
        let after = cached.user(&mut jar);

        assert_eq!((before, after), (Some(json!("anna")), None), "{trust}");
    }
}

#[test]
fn what_happens_elsewhere_is_noticed_at_once_on_a_sensitive_path() {
    let cached = Cached::new(json!({ "sensitivePaths": ["/admin/*"] }));
    let mut jar = cached.log_in("anna");
    log_out_elsewhere(&cached, &jar);

    let sensitive = cached.user_at("/%61dmin//x", &mut jar);
    let afterwards = cached.user(&mut jar);

    assert_eq!(sensitive, None);
    assert_eq!(jar.snapshot(), None, "nothing is left to believe in");
    assert_eq!(afterwards, None);
}

#[test]
fn what_happens_in_the_same_browser_is_noticed_at_once() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna");

    let exchange = cached.visit(&mut jar, |exchange| exchange.session().unwrap().destroy());

    assert_eq!(names(&exchange), [ID, SNAPSHOT]);
    assert_eq!((jar.0.len(), cached.user(&mut jar)), (0, None));
}

#[test]
fn trust_counts_from_the_request_and_not_from_its_response() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna").without_snapshot();

    let slow = cached.visit(&mut jar, |_| cached.advance(200));
    log_out_elsewhere(&cached, &jar);
    cached.advance(100);

    assert!(slow.response_headers("set-cookie")[0].contains("Max-Age=100;"));
    assert_eq!(cached.user(&mut jar), None);
}

#[test]
fn response_that_comes_after_the_trust_brings_no_snapshot() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna").without_snapshot();

    let slow = cached.visit(&mut jar, |_| cached.advance(300));

    assert_eq!(names(&slow), [""; 0]);
}

#[test]
fn snapshot_from_the_future_is_nothing() {
    let ahead = Cached::new(json!({}));
    ahead.advance(1);
    let mut jar = ahead.log_in("anna");
    let behind = Cached::new(json!({}));

    assert_eq!(behind.user(&mut jar), None);
}

#[test]
fn snapshot_ends_with_the_session() {
    let cached = Cached::new(json!({ "cookieExpiration": "2m" }));
    let mut jar = cached.log_in("anna");
    let mut kept = jar.clone();

    cached.advance(119);
    let before = cached.user(&mut jar);
    cached.advance(1);
    let after = cached.user(&mut kept);

    assert_eq!((before, after), (Some(json!("anna")), None));
}

#[test]
fn idle_session_is_over_whatever_its_snapshot_is_trusted_for() {
    let patient = Cached::new(json!({}));
    let strict = patient.beside(json!({
        "inactivity": "3m", "touchInterval": "2m", "cookieCache": { "ttl": "30s" },
    }));
    // As if the trust had been shortened: the clocks of the session are asked even so.
    let lenient = patient.beside(json!({ "inactivity": "10m", "touchInterval": "4m" }));
    let mut jar = patient.log_in("anna");

    patient.advance(200);

    assert_eq!(strict.user(&mut jar.clone()), None);
    assert_eq!(lenient.user(&mut jar), Some(json!("anna")));
}

#[test]
fn absolute_end_of_a_session_counts_in_a_snapshot() {
    let cached = Cached::new(json!({ "expiration": "2m" }));
    let mut jar = cached.log_in("anna");
    let set = cached.visit(&mut jar.clone().without_snapshot(), |_| {});

    cached.advance(120);

    assert!(set.response_headers("set-cookie")[0].contains("Max-Age=120;"));
    assert_eq!(cached.user(&mut jar), None);
}

#[test]
fn use_that_is_to_be_written_down_is_and_gives_another_snapshot() {
    let cached = Cached::new(json!({ "touchInterval": "1m" }));
    let mut jar = cached.log_in("anna");
    let first = jar.snapshot();

    cached.advance(60);
    let touching = cached.asked(|| assert_eq!(cached.user(&mut jar), Some(json!("anna"))));
    let second = jar.snapshot();
    cached.advance(59);
    let reading = cached.asked(|| assert_eq!(cached.user(&mut jar), Some(json!("anna"))));

    assert!(touching > 1, "a load and a write");
    assert_eq!(reading, 0);
    assert_ne!(first, second);
}

#[test]
fn session_that_is_due_gets_a_new_id_and_a_snapshot_beside_it() {
    let cached = Cached::new(json!({ "autoRenewAfter": "1m", "touchInterval": "30m" }));
    let mut jar = cached.log_in("anna");
    let old = jar.clone();

    cached.advance(60);
    let exchange = cached.visit(&mut jar, |_| {});

    assert_eq!(names(&exchange), [ID, SNAPSHOT]);
    assert_ne!(jar.id(), old.id());
    cached.confirm(&mut jar);
    assert_eq!(cached.asked(|| drop(cached.user(&mut jar))), 0);
    let crossed = jar.clone().with_snapshot(old.snapshot().unwrap());
    assert!(cached.asked(|| drop(cached.user(&mut crossed.clone()))) > 0);
}

#[test]
fn request_in_flight_with_the_old_id_gets_a_snapshot_beside_the_new_one() {
    let cached = Cached::new(json!({ "autoRenewAfter": "1m", "touchInterval": "30m" }));
    let mut jar = cached.log_in("anna");
    let mut late = jar.clone();

    cached.advance(60);
    cached.visit(&mut jar, |_| {});
    cached.visit(&mut late, |_| {});

    assert_eq!(late.id(), jar.id());
    cached.confirm(&mut late);
    assert_eq!(cached.asked(|| drop(cached.user(&mut late))), 0);
}

/// As another gateway would that has the same storage: the browser hears nothing.
fn log_out_elsewhere(cached: &Cached, jar: &Jar) {
    let mut copy = jar.clone().without_snapshot();
    cached.visit(&mut copy, |exchange| exchange.session().unwrap().destroy());
}
