//! Cookies that nobody honest sends, and what caches may make of those that are.

use e2e::{Answer, Redis, Request, Site};

use crate::anna::{self, identity, is_anna, log_in};

#[test]
fn id_of_a_wrong_shape_is_never_adopted_and_writes_nothing() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();

    for value in wrong_ids() {
        let request = Request::get("/").header("Cookie", &format!("session_id={value}"));
        let response = gateway.browser().send(request);

        assert_eq!(response.status(), 200, "{value:?}");
        assert_eq!(response.header("set-cookie"), None, "{value:?}");
        assert_eq!(identity(&upstream.last()), (None, None), "{value:?}");
    }
    assert_eq!(redis.size(), 0);
}

#[test]
fn login_with_a_planted_id_gets_another_one() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();
    let planted = "B".repeat(43);
    let mut victim = gateway.browser();
    victim.put_cookie("session_id", &planted);

    victim.get("/login");
    let mut attacker = gateway.browser();
    attacker.put_cookie("session_id", &planted);
    attacker.get("/");

    assert_ne!(victim.cookie("session_id"), Some(planted));
    assert_eq!(identity(&upstream.last()), (None, None));
}

#[test]
fn right_cookie_is_found_among_duplicates_and_rubbish() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();
    let key = log_in(&gateway).cookie("session_id").unwrap();
    let stale = "C".repeat(43);

    for header in [
        format!("session_id={key}"),
        format!("session_id={stale}; session_id={key}"),
        format!("session_id=; session_id={key}"),
        format!(";;; =; x; session_id={key}; ;"),
        format!("a=\"quoted; session_id={stale}\"; session_id={key}"),
        format!("xsession_id={stale}; session_id={key}; session_idx={stale}"),
        format!("  session_id={key}  "),
    ] {
        gateway
            .browser()
            .send(Request::get("/").header("Cookie", &header));

        assert_eq!(identity(&upstream.last()), is_anna(), "{header}");
        let forwarded = upstream.last().header("cookie").unwrap_or_default();
        assert!(!forwarded.contains(&key), "{forwarded}");
    }
}

#[test]
fn cookies_in_several_headers_are_all_read() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).run();
    let key = log_in(&gateway).cookie("session_id").unwrap();

    let request = Request::get("/")
        .header("Cookie", "a=1")
        .header("Cookie", &format!("session_id={key}"));
    gateway.browser().send(request);

    assert_eq!(identity(&upstream.last()), is_anna());
}

#[test]
fn cookie_header_beyond_the_limit_is_refused_and_not_forwarded() {
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream)
        .server("limits: { headerBytes: 8KiB }")
        .run();

    let request = Request::get("/").header("Cookie", &format!("session_id={}", "x".repeat(10_000)));
    let response = gateway.browser().send(request);

    assert_eq!(response.status(), 431);
    assert!(upstream.seen().is_empty());
}

#[test]
fn anonymous_visitors_write_nothing() {
    let redis = Redis::new();
    let upstream = anna::upstream();
    let gateway = Site::new(&upstream).redis(&redis).run();

    for _ in 0..10 {
        gateway.browser().get("/");
    }

    assert_eq!(redis.size(), 0);
}

#[test]
fn page_made_for_a_user_is_kept_apart_by_caches() {
    let upstream = anna::upstream();
    upstream.answer(
        "/style",
        Answer::ok().header("Cache-Control", "public, max-age=60"),
    );
    let gateway = Site::new(&upstream).run();
    let mut anna = log_in(&gateway);

    assert_eq!(anna.get("/").header("vary").as_deref(), Some("Cookie"));
    assert_eq!(anna.get("/style").header("vary"), None);
    assert_eq!(gateway.browser().get("/").header("vary"), None);
}

fn wrong_ids() -> Vec<String> {
    let right = "A".repeat(43);
    let mut wrong = vec![
        String::new(),
        "\"\"".to_owned(),
        "0".to_owned(),
        "null".to_owned(),
        "A".repeat(42),
        "A".repeat(44),
        "A".repeat(4096),
        format!("\"{right}\""),
        format!("{right}="),
        format!("%41{}", "A".repeat(40)),
        "../../../../../../../../../../../../etc/passwd".to_owned(),
        "' OR '1'='1' --                             ".to_owned(),
        "{\"user_id\":\"anna\"}".to_owned(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm5hIn0.".to_owned(),
        "session:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ".to_owned(),
    ];
    // One character of another alphabet in each place where it could slip through.
    for stranger in ['+', '/', '=', '.', '~', '!', '*', '\t'] {
        for place in [0, 21, 42] {
            let mut id = right.clone();
            id.replace_range(place..=place, &stranger.to_string());
            wrong.push(id);
        }
    }
    // The right shape, and nobody's: the last character cannot hold all bits of the alphabet.
    wrong.extend([right, "_".repeat(42) + "8", "-".repeat(42) + "B"]);
    wrong
}
