//! Patterns and paths.

use proptest::prelude::*;

use super::*;

#[test]
fn patterns_match_what_they_say() {
    for (glob, inside, outside) in CASES {
        let globs = parse(glob);
        for path in *inside {
            assert!(globs.matches(path), "{glob} should match {path}");
        }
        for path in *outside {
            assert!(!globs.matches(path), "{glob} should not match {path}");
        }
    }
}

#[test]
fn one_of_several_is_enough_and_none_matches_nothing() {
    let globs: PathGlobs = ["/a", "/b/*"]
        .iter()
        .map(|glob| glob.parse().unwrap())
        .collect();

    assert!(globs.matches("/b/c"));
    assert!(!globs.matches("/c"));
    assert!(!PathGlobs::default().matches("/"));
}

#[test]
fn patterns_that_cannot_match_are_refused() {
    let cases = [
        ("admin", GlobError::Relative),
        ("", GlobError::Relative),
        ("*", GlobError::Relative),
        ("/a/../b", GlobError::DotSegment),
        ("/a**", GlobError::Depth),
        ("/users/:id", GlobError::Parameter),
        ("/a?b=1", GlobError::Character('?')),
        ("/{a,b}", GlobError::Character('{')),
        ("/a b", GlobError::Character(' ')),
    ];
    for (text, fault) in cases {
        assert_eq!(text.parse::<PathGlob>(), Err(fault), "{text}");
    }
}

#[test]
fn many_wildcards_cost_no_more_than_both_lengths() {
    let globs = parse(&format!("{}/*a*a*a*a*a*a*a*ab/x", "/**/a".repeat(200)));

    assert!(!globs.matches(&"/a".repeat(2000)));
    assert!(!globs.matches(&format!("/{}", "a".repeat(20_000))));
}

proptest! {
    #[test]
    fn one_wildcard_to_move_is_as_good_as_all(glob in "(/(a|b|\\*|a\\*b|\\*\\*)){0,5}", path in "(/[ab]{1,3}){0,6}") {
        let glob: PathGlob = format!("/{glob}/x").replace("//", "/").parse().unwrap();
        let path = format!("{path}/x");

        let all_ways: Vec<&str> = segments(&path).collect();
        prop_assert_eq!(glob.matches(&path), matches_somehow(&glob.0, &all_ways), "{:?} {}", glob, path);
    }
}

/// Tries everything that the wildcards could stand for.
fn matches_somehow(pattern: &[Segment], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        ([Segment::AnyDepth, rest @ ..], _) => {
            (0..=path.len()).any(|taken| matches_somehow(rest, &path[taken..]))
        }
        ([Segment::One(one), rest @ ..], [text, below @ ..]) => {
            letters_match(one.as_bytes(), text.as_bytes()) && matches_somehow(rest, below)
        }
        _ => false,
    }
}

fn letters_match(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|taken| letters_match(rest, &text[taken..])),
        ([one, rest @ ..], [letter, below @ ..]) => one == letter && letters_match(rest, below),
        _ => false,
    }
}

fn parse(glob: &str) -> PathGlobs {
    std::iter::once(glob.parse().unwrap()).collect()
}

// A pattern, paths that it matches, paths that it does not.
const CASES: &[(&str, &[&str], &[&str])] = &[
    ("/", &["/"], &["/a"]),
    ("/*", &["/", "/a", "/a/b"], &[]),
    ("/**", &["/", "/a", "/a/b"], &[]),
    (
        "/pay",
        &["/pay", "/pay/"],
        &["/", "/pay/x", "/payment", "/Pay"],
    ),
    ("/pay/", &["/pay", "/pay/"], &["/pay/x"]),
    (
        "/admin/*",
        &["/admin", "/admin/", "/admin/a", "/admin/a/b"],
        &["/", "/administrator", "/x/admin"],
    ),
    (
        "/users/*/keys",
        &["/users/7/keys", "/users/a.b/keys/"],
        &["/users/keys", "/users/7/8/keys", "/users/7/keys/1"],
    ),
    ("/a*c", &["/ac", "/abc", "/abcbc"], &["/abcb", "/a/c"]),
    ("/*.pdf", &["/a.pdf", "/.pdf"], &["/a.pdf.txt", "/a/b.pdf"]),
    (
        "/**/admin/*",
        &["/admin", "/x/admin/y", "/x/y/admin/a/b", "/admin/admin"],
        &["/x", "/x/administrator"],
    ),
    (
        "/a/**/b/**/c",
        &["/a/b/c", "/a/x/b/y/z/c", "/a/b/b/c/c"],
        &["/a/c", "/a/b/c/d", "/b/c"],
    ),
    (
        "/admin",
        &["/admin;x=1", "/;v/admin", "/%2Fadmin", "/%5Cadmin;a"],
        &["/a%2Fadmin", "/a;/admin"],
    ),
    ("/%61dmin//x", &["/admin/x"], &["/%61dmin/x"]),
    ("/café", &["/caf%C3%A9"], &["/cafe"]),
];
