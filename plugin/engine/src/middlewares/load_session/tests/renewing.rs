//! Several requests of one client while its session gets another id.

use super::*;

#[test]
fn requests_that_write_while_the_session_is_due_give_it_one_new_id() {
    let bench = Bench::new(json!({}));
    let old = bench.log_in("anna");
    bench.clock.advance(HALF);

    let mut inner = [None, None];
    let outer = bench.visit(&old, |exchange| {
        set(exchange, "a", "1");
        inner = ["b", "c"].map(|name| {
            let other = bench.visit(&old, |exchange| set(exchange, name, "1"));
            cookie_of(&other)
        });
    });

    let new = cookie_of(&outer).unwrap();
    assert_eq!(inner, [Some(new.clone()), Some(new.clone())]);
    bench.clock.advance(MINUTE);
    assert_eq!(bench.user(&old), Some(json!("anna")), "no answer came");
    for name in ["a", "b", "c"] {
        assert_eq!(bench.read(&new, name), Some(json!("1")));
    }
}

#[test]
fn request_that_writes_while_its_session_is_renewed_does_not_use_the_new_id() {
    let bench = Bench::new(json!({ "touchInterval": "1m" }));
    let old = bench.log_in("anna");
    bench.clock.advance(MINUTE);

    bench.visit(&old, |exchange| {
        set(exchange, "basket", "apples");
        renew(&bench, &old);
    });
    bench.clock.advance(MINUTE);

    assert_eq!(bench.user(&old), Some(json!("anna")), "no answer came");
}

#[test]
fn renewals_that_are_asked_for_at_once_give_one_new_id() {
    let bench = Bench::new(json!({}));
    let old = bench.log_in("anna");

    let told: Vec<_> = (0..4).map(|_| renew(&bench, &old)).collect();

    assert!(told.iter().all(|cookie| *cookie == told[0]), "{told:?}");
    bench.clock.advance(MINUTE);
    assert_eq!(bench.user(&old), Some(json!("anna")), "no answer came");
    assert_eq!(bench.user(&told[0]), Some(json!("anna")));
}

// A report that takes longer than the grace must not end the session of its reader.
#[test]
fn slow_request_that_asks_again_finds_its_session_under_the_new_id() {
    let bench = Bench::new(json!({}));
    let old = bench.log_in("anna");

    let mut new = String::new();
    let slow = bench.visit(&old, |exchange| {
        new = renew(&bench, &old);
        bench.user(&new).unwrap();
        bench.clock.advance(MINUTE);
        assert_eq!(wait(exchange.session().unwrap().reload()), Ok(true));
    });

    assert_eq!(cookie_of(&slow).as_ref(), Some(&new));
    assert_eq!(bench.user(&new), Some(json!("anna")));
}

fn renew(bench: &Bench, cookie: &str) -> String {
    let renewed = bench.visit(cookie, |exchange| {
        let session = exchange.session().unwrap().clone();
        assert!(session.renew());
        wait(session.save()).unwrap();
    });
    cookie_of(&renewed).unwrap()
}

const HALF: Duration = Duration::from_secs(30 * 60);
const MINUTE: Duration = Duration::from_secs(60);
