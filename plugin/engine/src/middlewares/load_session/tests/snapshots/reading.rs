//! Which requests are answered from a snapshot, and which are not.

use super::*;

#[test]
fn id_and_snapshot_that_fit_together_cost_no_access_to_the_storage() {
    for encoding in ["compact", "jwt"] {
        let cached = Cached::new(json!({ "cookieCache": { "encoding": encoding } }));
        let mut jar = cached.log_in("anna");

        let asked = cached.asked(|| {
            let exchange = cached.visit(&mut jar, |exchange| {
                assert_eq!(
                    exchange.session().unwrap().get("user_id"),
                    Some(json!("anna"))
                );
            });
            assert_eq!(names(&exchange), [""; 0], "nothing to tell");
        });

        assert_eq!(asked, 0, "{encoding}");
        assert_eq!(cached.bench.loads("snapshot"), 1);
    }
}

#[test]
fn interface_of_the_session_works_on_a_snapshot() {
    let cached = Cached::new(json!({}));
    let mut jar = Jar::default();
    let mut handle = None;
    cached.visit(&mut jar, |exchange| {
        set(exchange, "user_id", "anna");
        let session = exchange.session().unwrap().clone();
        wait(session.save()).unwrap();
        handle = session.handle();
    });
    let id = jar.id();

    let asked = cached.asked(|| {
        cached.visit(&mut jar, |exchange| {
            let session = exchange.session().unwrap();
            assert_eq!(session.id(), Some(id));
            assert_eq!(session.keys(), ["user_id"]);
            assert_eq!(session.handle(), handle);
            assert!(!session.fresh());
            wait(session.save()).unwrap();
        });
    });

    assert_eq!((asked, handle.is_some()), (0, true));
}

#[test]
fn browser_without_a_snapshot_gets_one_from_the_storage() {
    let cached = Cached::new(json!({}));
    let mut jar = cached.log_in("anna").without_snapshot();

    let loading = cached.asked(|| assert_eq!(cached.user(&mut jar), Some(json!("anna"))));
    let remembering = cached.asked(|| assert_eq!(cached.user(&mut jar), Some(json!("anna"))));

    assert!(loading > 0);
    assert_eq!(remembering, 0);
    assert_eq!(cached.bench.loads("found"), 1);
}

#[test]
fn snapshot_of_one_user_beside_the_cookie_of_another_is_nothing() {
    for encoding in ["compact", "jwt"] {
        let cached = Cached::new(json!({ "cookieCache": { "encoding": encoding } }));
        let (anna, ben) = (cached.log_in("anna"), cached.log_in("ben"));

        let mut mixed = ben.with_snapshot(anna.snapshot().unwrap());

        assert_eq!(cached.user(&mut mixed), Some(json!("ben")));
        assert_eq!(cached.bench.loads("found"), 1);
    }
}

#[test]
fn what_is_no_snapshot_is_passed_over_in_silence() {
    let cached = Cached::new(json!({}));
    let jar = cached.log_in("anna");
    let snapshot = jar.snapshot().unwrap();
    let flipped = match snapshot.strip_suffix('A') {
        Some(rest) => format!("{rest}B"),
        None => format!("{}A", &snapshot[..snapshot.len() - 1]),
    };
    let long = "A".repeat(100_000);
    for junk in ["", "x", "\"\"", "a.b.c", &flipped, &snapshot[1..], &long] {
        let mut jar = jar.clone().with_snapshot(junk);

        assert_eq!(cached.user(&mut jar), Some(json!("anna")), "{junk:.20}");
        assert_ne!(jar.snapshot().as_deref(), Some(junk));
    }
    assert_eq!(cached.bench.loads("found"), 7);
}

#[test]
fn snapshot_in_the_other_encoding_is_nothing() {
    let compact = Cached::new(json!({}));
    let jwt = compact.beside(json!({ "cookieCache": { "encoding": "jwt" } }));
    let mut jar = compact.log_in("anna");

    let asked = jwt.asked(|| assert_eq!(jwt.user(&mut jar), Some(json!("anna"))));

    assert!(asked > 0);
}

#[test]
fn snapshot_under_the_name_of_another_cookie_is_nothing() {
    let cached = Cached::new(json!({ "keyLookup": ["cookie:session_id", "cookie:other"] }));
    let jar = cached.log_in("anna");
    let mut moved = Jar::default();
    moved.0.insert("other".to_owned(), jar.id());
    moved
        .0
        .insert("other_cache".to_owned(), jar.snapshot().unwrap());

    let asked = cached.asked(|| assert_eq!(cached.user(&mut moved), Some(json!("anna"))));

    assert!(asked > 0);
}

#[test]
fn snapshot_that_was_made_with_another_secret_is_nothing() {
    let cached = Cached::new(json!({}));
    let other = "another secret of the tests, long enough as well";
    let stranger = Cached::new(json!({ "secrets": [other] }));
    let mut jar = cached.log_in("anna");

    assert_eq!(stranger.user(&mut jar), None);
}

#[test]
fn snapshot_of_an_older_secret_counts_while_that_is_in_the_list() {
    let cached = Cached::new(json!({}));
    let newer = "a newer secret of the tests, long enough as well";
    let rotated = cached.beside(json!({
        "secrets": [newer, SECRET], "autoRenewAfter": "1h", "touchInterval": "1h",
    }));
    let mut jar = cached.log_in("anna");

    let asked = rotated.asked(|| assert_eq!(rotated.user(&mut jar), Some(json!("anna"))));

    assert_eq!(asked, 0);
}

#[test]
fn each_of_several_ids_has_its_turn_with_each_of_several_snapshots() {
    let cached = Cached::new(json!({}));
    let (anna, ben) = (cached.log_in("anna"), cached.log_in("ben"));
    let stale = "A".repeat(43);
    let header = format!(
        "{ID}=junk; {ID}={stale}; {SNAPSHOT}=junk; {SNAPSHOT}={}; {ID}={}; {SNAPSHOT}={}",
        ben.snapshot().unwrap(),
        anna.id(),
        anna.snapshot().unwrap()
    );
    let mut user = None;

    let asked = cached.asked(|| {
        cached.bench.visit(&header, |exchange| {
            user = exchange.session().unwrap().get("user_id");
        });
    });

    assert_eq!((asked, user), (0, Some(json!("anna"))));
}

#[test]
fn snapshot_behind_four_others_is_not_looked_at() {
    let cached = Cached::new(json!({}));
    let anna = cached.log_in("anna");
    let junk = format!("{SNAPSHOT}=junk; ").repeat(4);
    let header = format!("{junk}{}", anna.header());

    let asked = cached.asked(|| drop(cached.bench.visit(&header, |_| {})));

    assert!(asked > 0);
}

#[test]
fn id_from_a_place_that_comes_first_is_not_passed_over_for_a_snapshot() {
    let cached = Cached::new(json!({ "keyLookup": ["header:X-Session", "cookie:session_id"] }));
    let (anna, ben) = (cached.log_in("anna"), cached.log_in("ben"));
    let gateway = &cached.bench.gateway;
    let mut exchange = gateway
        .exchange("GET", "/")
        .with_header("X-Session", ben.id())
        .with_header("Cookie", anna.header());

    exchange.run(&cached.bench.middleware, 200).unwrap();

    assert_eq!(
        exchange.session().unwrap().get("user_id"),
        Some(json!("ben"))
    );
}

#[test]
fn sensitive_path_is_answered_from_the_storage_however_it_is_spelled() {
    let cached = Cached::new(json!({ "sensitivePaths": ["/admin/*", "/pay"] }));
    let jar = cached.log_in("anna");
    for path in ["/admin", "/admin/x", "/%61dmin//x", "//pay", "/pay/"] {
        let mut jar = jar.clone();

        let asked = cached.asked(|| {
            assert_eq!(cached.user_at(path, &mut jar), Some(json!("anna")));
        });

        assert!(asked > 0, "{path}");
    }
    let elsewhere = cached.asked(|| {
        cached.user_at("/administration?/admin", &mut jar.clone());
    });
    assert_eq!(elsewhere, 0);
}

#[test]
fn strategy_storage_neither_reads_nor_writes_snapshots() {
    let cached = Cached::new(json!({}));
    let plain = cached.beside(json!({ "strategy": "storage" }));
    let mut jar = cached.log_in("anna");

    let asked = plain.asked(|| {
        let exchange = plain.visit(&mut jar, |_| {});
        assert_eq!(names(&exchange), [""; 0]);
    });

    assert!(asked > 0);
}

#[test]
fn store_of_the_middleware_serves_from_snapshots_as_well() {
    let cached = Cached::new(json!({}));
    let jar = cached.log_in("anna");
    let services = cached.bench.gateway.services();
    let store = services.session_store("LoadSessionMiddleware").unwrap();
    let mut exchange = cached
        .bench
        .gateway
        .exchange("GET", "/")
        .with_header("Cookie", jar.header());

    let asked = cached.asked(|| {
        let session = wait(store.load(exchange.lend())).unwrap();
        assert_eq!(session.get("user_id"), Some(json!("anna")));
    });

    assert_eq!(asked, 0);
}
