//! One spelling for each path.

use std::borrow::Cow;

/// The path as routes are matched against it: percent-encoded letters that need no encoding are decoded (RFC 3986
/// 6.2.2), repeated slashes count as one. What is forwarded stays as the client wrote it.
///
/// An upstream reads `//admin` and `/%61dmin` as `/admin`; without this they would slip past the middlewares of that
/// route into a wider one. An ordinary path is returned as it is, without an allocation.
pub fn normalise(path: &str) -> Cow<'_, str> {
    if !path.contains('%') && !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut plain = String::with_capacity(path.len());
    let mut rest = path.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '/' if plain.ends_with('/') => {}
            '%' => match decoded(rest.as_str()) {
                Some(letter) => {
                    plain.push(letter);
                    rest.nth(1);
                }
                None => plain.push('%'),
            },
            letter => plain.push(letter),
        }
    }
    Cow::Owned(plain)
}

/// The unreserved character that the two digits at the beginning stand for.
fn decoded(digits: &str) -> Option<char> {
    let code = u8::from_str_radix(digits.get(..2)?, 16).ok()?;
    let is_unreserved = code.is_ascii_alphanumeric() || b"-._~".contains(&code);
    is_unreserved.then(|| char::from(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_path_is_not_copied() {
        assert!(matches!(normalise("/a/b.c"), Cow::Borrowed("/a/b.c")));
    }

    #[test]
    fn every_spelling_of_a_path_is_one() {
        for path in ["//admin", "/%61dmin", "///%61%64min", "/adm%69n"] {
            assert_eq!(normalise(path), "/admin", "{path}");
        }
    }

    #[test]
    fn what_is_encoded_for_a_reason_stays_encoded() {
        for path in [
            "/a%2fb",
            "/a%20b",
            "/%25%36%31",
            "/%",
            "/%4",
            "/%zz",
            "/%é",
            "/%+1",
        ] {
            assert_ne!(normalise(path), "/a/b");
            assert!(normalise(path).contains('%'), "{path}");
        }
    }
}
