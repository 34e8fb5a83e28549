//! All cookies of one name that a request carries.

use super::name::CookieName;
use super::pairs::pairs;

/// How many cookies of our name are looked at. A browser sends several when a sibling domain or another path set the
/// same name; more than a few are an attack on our patience.
pub const MAX_CANDIDATES: usize = 4;

/// The values of the cookies that carry our name, in the order of the request.
///
/// Which of them is the session is not decided here: each has to prove itself. Iterating allocates nothing.
///
/// ```
/// use engine::cookie::{Candidates, CookieName};
///
/// let name = CookieName::parse("sid")?;
/// let headers = [b"theme=dark; sid=one".as_slice(), b"sid=\"two\""];
///
/// let found: Vec<_> = Candidates::of(headers, &name).collect();
///
/// assert_eq!(found, [b"one", b"two"]);
/// # Ok::<(), engine::cookie::NameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Candidates<'a> {
    found: [Option<&'a [u8]>; MAX_CANDIDATES],
    next: usize,
}

impl<'a> Candidates<'a> {
    /// Looks through all `Cookie` headers of a request.
    pub fn of(headers: impl IntoIterator<Item = &'a [u8]>, name: &CookieName) -> Self {
        let mut found = [None; MAX_CANDIDATES];
        let ours = headers
            .into_iter()
            .flat_map(pairs)
            .filter(|pair| pair.is(name.as_str()));
        for (place, pair) in found.iter_mut().zip(ours) {
            *place = pair.value();
        }
        Self { found, next: 0 }
    }
}

impl<'a> Iterator for Candidates<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let value = self.found.get(self.next).copied().flatten()?;
        self.next += 1;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_cookie_is_found_wherever_it_stands() {
        for header in [
            "sid=x",
            "a=1; sid=x",
            "sid=x; a=1",
            "a=1;sid=x;b=2",
            " \tsid = x\t ;",
            ";;sid=x;;",
        ] {
            assert_eq!(find(header), ["x"], "{header:?}");
        }
    }

    #[test]
    fn duplicates_come_in_order_and_at_most_four() {
        assert_eq!(
            find("sid=1; sid=2; x=0; sid=3; sid=4; sid=5"),
            ["1", "2", "3", "4"]
        );
    }

    #[test]
    fn one_pair_of_quotes_is_taken_off() {
        assert_eq!(find(r#"sid="x""#), ["x"]);
        assert_eq!(find(r#"sid=""x"""#), [r#""x""#]);
        assert_eq!(find(r#"sid=""#), [r#"""#]);
        assert_eq!(find(r#"sid="""#), [""]);
    }

    #[test]
    fn a_semicolon_inside_quotes_still_separates() {
        assert_eq!(find(r#"$Version=1; a="x; sid=evil"; b=y""#), [r#"evil""#]);
    }

    #[test]
    fn other_names_are_not_ours() {
        let near = [
            "SID=x",
            "sid2=x",
            "xsid=x",
            "=sid=x",
            "sid",
            "sid x=1",
            "%73id=x",
            "si\0d=x",
            "\u{2000}sid=x",
            "\u{a0}sid=x",
        ];
        for header in near {
            assert!(find(header).is_empty(), "{header:?}");
        }
    }

    #[test]
    fn a_value_may_contain_equals_signs() {
        assert_eq!(find("sid=a=b=="), ["a=b=="]);
    }

    #[test]
    fn several_headers_are_one_list() {
        let name = CookieName::parse("sid").unwrap();
        let headers = [b"sid=1".as_slice(), b"", b"a=b; sid=2"];

        assert_eq!(
            Candidates::of(headers, &name).collect::<Vec<_>>(),
            [b"1", b"2"]
        );
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in proptest::collection::vec(any::<u8>(), 0..200)) {
            let name = CookieName::parse("sid").unwrap();

            prop_assert!(Candidates::of([&*header], &name).count() <= MAX_CANDIDATES);
        }
    }

    fn find(header: &str) -> Vec<&str> {
        let name = CookieName::parse("sid").unwrap();
        Candidates::of([header.as_bytes()], &name)
            .map(|value| str::from_utf8(value).unwrap())
            .collect()
    }
}
