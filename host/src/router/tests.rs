use abi::path::normalise;

use super::*;

#[test]
fn the_most_specific_path_wins_whatever_the_order() {
    let router = router(&[
        "/*",
        "/users/:id/*",
        "/users/*",
        "/users/:id",
        "/users/me",
        "/users",
    ]);

    let expected = [
        ("/", 0),
        ("/other", 0),
        ("/users", 5),
        ("/users/", 2),
        ("/users/me", 4),
        ("/users/7", 3),
        ("/users/7/", 1),
        ("/users/7/posts", 1),
        ("/users/me/posts", 1),
    ];
    for (path, route) in expected {
        assert_eq!(found(&router, "", path), Some(route), "{path}");
    }
}

#[test]
fn parameters_are_named() {
    let router = router(&["/users/:id/posts/:post"]);

    let Ok((0, params)) = router.find("", "/users/7/posts/9", &Method::GET) else {
        panic!("not found");
    };

    assert_eq!(
        (params.get("id"), params.get("post")),
        (Some("7"), Some("9"))
    );
}

#[test]
fn a_star_is_everything_below_but_not_the_directory_itself() {
    let router = router(&["/files/*"]);

    assert_eq!(found(&router, "", "/files/"), Some(0));
    assert_eq!(found(&router, "", "/files/a/b"), Some(0));
    assert_eq!(found(&router, "", "/files"), None);
    assert_eq!(found(&router, "", "/filesystem"), None);
}

#[test]
fn another_method_is_refused_even_beside_a_wider_route() {
    let methods = [Method::GET, Method::PUT];
    let narrow = Pattern {
        host: "",
        path: "/admin",
        methods: &methods,
    };
    let router = Router::new([narrow, pattern("/*")]).unwrap();

    let Err(NoRoute::MethodNotAllowed(allow)) = router.find("", "/admin", &Method::POST) else {
        panic!("let through");
    };

    assert_eq!(allow, "GET, PUT");
}

#[test]
fn trace_goes_where_a_route_names_it_and_nowhere_else() {
    let traced = Pattern {
        host: "",
        path: "/traced",
        methods: &[Method::TRACE],
    };
    let router = Router::new([pattern("/*"), traced]).unwrap();

    let found = router.find("", "/traced", &Method::TRACE);
    assert_eq!(found.map(|(route, _)| route), Ok(1));
    let Err(NoRoute::MethodNotAllowed(allow)) = router.find("", "/a", &Method::TRACE) else {
        panic!("let through");
    };
    assert_eq!(allow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

#[test]
fn a_route_for_a_method_comes_before_one_for_all() {
    let post = Pattern {
        host: "",
        path: "/a",
        methods: &[Method::POST],
    };
    let router = Router::new([pattern("/a"), post]).unwrap();

    assert!(matches!(router.find("", "/a", &Method::POST), Ok((1, _))));
    assert!(matches!(router.find("", "/a", &Method::GET), Ok((0, _))));
}

#[test]
fn the_most_specific_host_that_knows_the_path_wins() {
    let hosts = ["", "*.org", "*.example.org", "www.example.org"];
    let router = Router::new(hosts.map(|host| Pattern {
        host,
        path: "/",
        methods: &[],
    }))
    .unwrap();

    let expected = [
        ("www.example.org", 3),
        ("WWW.Example.ORG.:8090", 3),
        ("api.example.org", 2),
        ("a.b.example.org", 2),
        ("example.org", 1),
        ("org", 0),
        ("[::1]:80", 0),
        // What comes behind a name is no part of it.
        ("www.example.org:x]", 3),
    ];
    for (host, route) in expected {
        assert_eq!(found(&router, host, "/"), Some(route), "{host}");
    }
}

#[test]
fn a_host_without_the_path_falls_back_to_a_wider_one() {
    let narrow = Pattern {
        host: "example.org",
        path: "/a",
        methods: &[],
    };
    let router = Router::new([narrow, pattern("/b")]).unwrap();

    assert_eq!(found(&router, "example.org", "/b"), Some(1));
    assert_eq!(found(&router, "other.org", "/a"), None);
}

#[test]
fn the_same_requests_cannot_have_two_routes() {
    let get = Pattern {
        host: "",
        path: "/a",
        methods: &[Method::GET],
    };
    let errors = |patterns: [Pattern<'_>; 2]| {
        let errors = Router::new(patterns).unwrap_err();
        errors
            .iter()
            .map(|error| (error.route, error.key, error.error.clone()))
            .collect::<Vec<_>>()
    };

    let duplicate = vec![(1, "path", PatternError::Duplicate(0))];
    assert_eq!(errors([get, get]), duplicate);
    assert_eq!(errors([pattern("/a"), pattern("/a")]), duplicate);
    assert_eq!(errors([pattern("/a/:x"), pattern("/a/:y")]), duplicate);
    assert_eq!(errors([pattern("/a/:x/*"), pattern("/a/:y/*")]), duplicate);
}

#[test]
fn malformed_patterns_are_refused() {
    let error = |path| Router::new([pattern(path)]).unwrap_err().remove(0).error;
    let host_error = |host| {
        Router::new([Pattern {
            host,
            path: "/",
            methods: &[],
        }])
        .err()
        .map(|mut e| e.remove(0).error)
    };

    assert_eq!(error("a"), PatternError::Relative);
    assert_eq!(error(""), PatternError::Relative);
    assert_eq!(error("/a/*/b"), PatternError::Star);
    assert_eq!(error("/a*"), PatternError::Star);
    assert_eq!(error("/:"), PatternError::Parameter);
    assert_eq!(error("/:a/:a"), PatternError::Parameter);
    assert_eq!(error("/a?b=c"), PatternError::Surplus);
    assert_eq!(error("/a#b"), PatternError::Surplus);
    assert_eq!(error("/a/../b"), PatternError::Dots);
    assert_eq!(error("/a/%2e%2E/b"), PatternError::Dots);
    for host in ["a:80", "a/b", "*", "*.", "a.*.b", "http://a"] {
        assert_eq!(host_error(host), Some(PatternError::Host), "{host}");
    }
}

#[test]
fn pattern_is_met_by_every_spelling_of_what_it_says() {
    let patterns = ["/{a}", "/café/:x", "/%61dmin/*", "/*", "//b///c//", "/d//*"];
    let router = router(&patterns);
    let route = |path| found(&router, "", &normalise(path));

    let expected = [
        ("/{a}", 0),
        ("/%7ba%7D", 0),
        ("/caf%c3%a9/1", 1),
        ("//café/1", 1),
        ("/admin/", 2),
        ("/%61dmi%6E//x", 2),
        ("/b", 3),
        ("/b/c/", 4),
        ("/b//c/", 4),
        ("/d/", 5),
        ("/d/e", 5),
    ];
    for (path, number) in expected {
        assert_eq!(route(path), Some(number), "{path}");
    }
}

fn router(paths: &[&str]) -> Router {
    Router::new(paths.iter().map(|path| pattern(path))).unwrap()
}

fn pattern(path: &str) -> Pattern<'_> {
    Pattern {
        host: "",
        path,
        methods: &[],
    }
}

fn found(router: &Router, host: &str, path: &str) -> Option<usize> {
    let found = router.find(host, path, &Method::GET);
    found.ok().map(|(route, _)| route)
}
