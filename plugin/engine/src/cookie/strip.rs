//! The `Cookie` header for the upstream: everything but the session.

use std::borrow::Cow;

use super::name::CookieName;
use super::pairs::{pairs, trim};

/// The header without any cookie called `name`; `None` when nothing is left to send.
///
/// The other cookies stay byte for byte. A header without the cookie is handed back as it is, without a copy.
pub fn strip<'a>(header: &'a [u8], name: &CookieName) -> Option<Cow<'a, [u8]>> {
    if !pairs(header).any(|pair| pair.is(name.as_str())) {
        return Some(Cow::Borrowed(header));
    }
    let mut kept = Vec::with_capacity(header.len());
    for pair in pairs(header).filter(|pair| !pair.is(name.as_str())) {
        if kept.is_empty() {
            kept.extend(trim(pair.raw()));
        } else {
            kept.push(b';');
            kept.extend(pair.raw());
        }
    }
    kept.truncate(trim(&kept).len());
    let is_empty = kept.iter().all(|byte| b"; \t".contains(byte));
    (!is_empty).then_some(Cow::Owned(kept))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cookie::Candidates;

    #[test]
    fn the_others_stay_as_they_were() {
        let cases = [
            ("a=1; sid=x; b=2", "a=1; b=2"),
            ("sid=x; a=1", "a=1"),
            ("a=1; sid=x", "a=1"),
            ("a=\"q\";sid=x;b= 2 ;  c", "a=\"q\";b= 2 ;  c"),
            ("sid=x; a=1; sid=y; sid=z", "a=1"),
            ("a=1; sid=\"x\"; $Path=/", "a=1; $Path=/"),
            ("sid=x; a=1\u{c} ", "a=1\u{c}"),
        ];
        for (header, left) in cases {
            assert_eq!(stripped(header).as_deref(), Some(left), "{header:?}");
        }
    }

    #[test]
    fn a_header_of_nothing_else_disappears() {
        for header in ["sid=x", "sid=x; sid=y", " sid=x ; ", ";;sid=x;"] {
            assert_eq!(stripped(header), None, "{header:?}");
        }
    }

    #[test]
    fn an_untouched_header_is_not_copied() {
        let name = CookieName::parse("sid").unwrap();

        assert!(matches!(
            strip(b" a=1;; sid2=x", &name),
            Some(Cow::Borrowed(b" a=1;; sid2=x"))
        ));
    }

    proptest! {
        #[test]
        fn nothing_of_ours_is_left(header in proptest::collection::vec(prop_oneof![
            Just(b"sid=x".to_vec()), Just(b";".to_vec()), Just(b" ".to_vec()), Just(b"a=1".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..6),
        ], 0..20)) {
            let header = header.concat();
            let name = CookieName::parse("sid").unwrap();

            if let Some(left) = strip(&header, &name) {
                prop_assert_eq!(Candidates::of([&*left], &name).count(), 0);
            }
        }
    }

    fn stripped(header: &str) -> Option<String> {
        let name = CookieName::parse("sid").unwrap();
        strip(header.as_bytes(), &name).map(|left| String::from_utf8(left.into_owned()).unwrap())
    }
}
