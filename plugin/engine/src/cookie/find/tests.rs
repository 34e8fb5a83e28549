use proptest::prelude::*;

use super::*;

/// What a server of RFC 6265bis, section 4.2 finds: the case, where it is from, and the values of `sid` in it. Headers
/// marked WPT and http-state are what browsers send after the tests of that name.
const CASES: &[(&str, &str, &[&str])] = &[
    // Places.
    ("alone", "sid=x", &["x"]),
    ("first", "sid=x; a=1", &["x"]),
    ("last", "a=1; sid=x", &["x"]),
    ("between", "a=1; sid=x; b=2", &["x"]),
    ("no spaces", "a=1;sid=x;b=2", &["x"]),
    ("more spaces", "a=1;   sid=x  ;b=2", &["x"]),
    ("empty pieces", ";;sid=x;;", &["x"]),
    ("spaced empty pieces", " ; ;sid=x; ;", &["x"]),
    ("no cookie", "", &[]),
    ("separators only", ";; ;", &[]),
    // Values are taken as they are.
    ("empty value", "sid=; a=1", &[""]),
    ("equals sign in the value, WPT", "sid=a=b==", &["a=b=="]),
    ("escapes, WPT", "sid=%32%33", &["%32%33"]),
    ("comma, WPT", "sid=1, sid=2", &["1, sid=2"]),
    ("comma without a space, http-state", "a=1,sid=2; b=3", &[]),
    ("quotes, WPT", "sid=\"17\"", &["\"17\""]),
    ("quotes in quotes", "sid=\"\"x\"\"", &["\"\"x\"\""]),
    ("unbalanced quote, WPT", "sid=\"9", &["\"9"]),
    ("quote inside, WPT", "sid=6A\"B", &["6A\"B"]),
    (
        "space inside, WPT",
        "sid=\"5zzz \"   \"ppp\"",
        &["\"5zzz \"   \"ppp\""],
    ),
    ("space before the value", "sid= x", &[" x"]),
    ("slashes, http-state", "sid=/a/b?c#d", &["/a/b?c#d"]),
    (
        "other alphabets, WPT",
        "sid=春节回家路·春运",
        &["春节回家路·春运"],
    ),
    // F58, cookie tossing: all of them, in their order, and no more than four.
    ("duplicates", "sid=1; sid=2", &["1", "2"]),
    ("the same twice", "sid=1; sid=1", &["1", "1"]),
    (
        "five",
        "sid=1; sid=2; x=0; sid=3; sid=4; sid=5",
        &["1", "2", "3", "4"],
    ),
    // F55, prefix bypass: what a lenient server trims, a browser has not.
    ("no-break space before", "\u{a0}sid=x", &[]),
    ("en quad before", "\u{2000}sid=x", &[]),
    ("ideographic space before", "\u{3000}sid=x", &[]),
    ("next line before", "\u{85}sid=x", &[]),
    ("byte order mark before", "\u{feff}sid=x", &[]),
    ("zero width space before", "\u{200b}sid=x", &[]),
    ("en quad after", "sid\u{2000}=x", &[]),
    ("tab before", "a=1;\tsid=x", &[]),
    ("tab after", "sid\t=x", &[]),
    ("space after", "sid =x", &[]),
    ("form feed before", "a=1; \u{c}sid=x", &[]),
    ("zero byte before", "\0sid=x", &[]),
    ("zero byte inside", "si\0d=x", &[]),
    ("zero byte after", "sid\0=x", &[]),
    ("escaped zero byte", "sid%00=x", &[]),
    ("escaped letter", "%73id=x", &[]),
    ("quoted name", "\"sid\"=x", &[]),
    ("line break", "a=1\r\nsid=x", &[]),
    ("fullwidth equals sign", "sid\u{ff1d}x", &[]),
    // F56, cookie sandwich: a quote does not hide a semicolon, and $ begins a name like any other.
    (
        "sandwich",
        "$Version=1; a=\"x; sid=evil\"; b=y",
        &["evil\""],
    ),
    (
        "sandwich around ours",
        "$Version=1; a=\"x; sid=x; b=y\"",
        &["x"],
    ),
    ("escaped quote", "a=\"\\\"; sid=x", &["x"]),
    (
        "legacy attributes",
        "$Version=1; sid=x; $Path=/; $Domain=a",
        &["x"],
    ),
    ("version in the value", "sid=$Version", &["$Version"]),
    // F57, nameless cookies: without a name they are sent as a value, and look like whatever it spells.
    ("nameless, WPT", "test; sid=x", &["x"]),
    ("nameless of our name, WPT", "sid", &[]),
    ("nameless spelling ours", "sid=evil; sid=x", &["evil", "x"]),
    ("empty name", "=sid=evil", &[]),
    ("empty name and space", "= sid=evil", &[]),
    ("two equals signs before", "==sid=evil", &[]),
    // Near misses.
    ("other case, RFC 6265bis 1.1", "SID=x; Sid=x", &[]),
    ("longer name", "sid2=x; sid_=x; sid-cache=x", &[]),
    ("shorter name", "si=x", &[]),
    (
        "name at the end of another",
        "xsid=x; __Host-sid=x; a.sid=x",
        &[],
    ),
    ("array of another language", "sid[]=x; sid[0]=x", &[]),
    ("name in a value", "a=sid=x; b=\"sid=x\"", &[]),
    ("words, http-state", "a b sid=x", &[]),
];

#[test]
fn cookie_is_found_exactly_where_the_grammar_has_it() {
    for (case, header, expected) in CASES {
        assert_eq!(find("sid", &[header]), *expected, "{case}: {header:?}");
    }
}

#[test]
fn protected_name_is_found_only_as_browsers_protect_it() {
    let name = "__Host-sid";
    let unprotected = [
        "__host-sid",
        "__Host-Sid",
        "\u{2000}__Host-sid",
        "\t__Host-sid",
        "__Host-sid ",
        "Host-sid",
    ];

    for other in unprotected {
        assert_eq!(
            find(name, &[&format!("{other}=evil; __Host-sid=x")]),
            ["x"],
            "{other:?}"
        );
    }
}

#[test]
fn several_headers_are_one_list() {
    assert_eq!(find("sid", &["sid=1", "", "a=b; sid=2"]), ["1", "2"]);
    assert_eq!(find("sid", &["a=\"1", "sid=2\""]), ["2\""]);
    assert_eq!(find("sid", &["sid", "=1"]), [""; 0]);
}

#[test]
fn cookie_is_found_among_hundreds() {
    let others: Vec<String> = (0..200)
        .map(|index| format!("sid{index}=sid={index}"))
        .collect();

    assert_eq!(find("sid", &[&others.join("; "), "sid=x"]), ["x"]);
}

#[test]
fn bytes_that_are_no_text_disturb_nothing() {
    let name = CookieName::parse("sid").unwrap();
    let header = b"\xff=\xfe; \xc3sid=1; sid=\xff\x00; \x80".as_slice();

    let found: Vec<_> = Candidates::of([header], &name).collect();

    assert_eq!(found, [b"\xff\x00"]);
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(header in proptest::collection::vec(any::<u8>(), 0..200)) {
        let name = CookieName::parse("sid").unwrap();

        prop_assert!(Candidates::of([&*header], &name).count() <= MAX_CANDIDATES);
    }

    #[test]
    fn own_cookie_is_found_behind_whatever_another_cookie_holds(
        others in proptest::collection::vec("[ -:<-~]{0,20}", 0..10),
        place in any::<proptest::sample::Index>(),
    ) {
        let is_ours = |text: &String| text.trim_matches(' ').starts_with("sid=");
        prop_assume!(!others.iter().any(is_ours));
        let mut cookies = others;
        cookies.insert(place.index(cookies.len() + 1), "sid=x".to_owned());
        let header = cookies.join("; ");

        prop_assert_eq!(find("sid", &[&header]), ["x"]);
    }
}

fn find<'h>(name: &str, headers: &[&'h str]) -> Vec<&'h str> {
    let name = CookieName::parse(name).unwrap();
    let headers = headers.iter().map(|header| header.as_bytes());
    Candidates::of(headers, &name)
        .map(|value| str::from_utf8(value).unwrap())
        .collect()
}
