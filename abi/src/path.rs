//! One spelling for each path.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The path as routes are matched against it and as [`Exchange::path`](crate::Exchange::path) shows it (RFC 3986 6.2.2):
/// what needs no percent-encoding has none, what needs it has it with capital digits, and repeated slashes count as one.
///
/// An upstream reads `//admin` and `/%61dmin` as `/admin`; without this they would slip past whatever is asked for at
/// `/admin`. What is encoded for a reason stays so: `/a%2Fb` is not `/a/b`. A path that is written like this already is
/// returned as it is, without an allocation.
///
/// ```
/// use abi::path::normalise;
///
/// assert_eq!(normalise("//%61dmin/caf%c3%a9"), "/admin/caf%C3%A9");
/// ```
///
/// Dot segments stay: the gateway refuses them before.
pub fn normalise(path: &str) -> Cow<'_, str> {
    if is_normal(path.as_bytes()) {
        return Cow::Borrowed(path);
    }
    let mut normal = String::with_capacity(path.len() + 8);
    let mut rest = path.as_bytes();
    while let [letter, tail @ ..] = rest {
        rest = tail;
        if *letter == b'/' && normal.ends_with('/') {
            continue;
        }
        match (*letter == b'%').then(|| decoded(tail)).flatten() {
            Some(code) => {
                push(&mut normal, code, is_unreserved);
                rest = &tail[2..];
            }
            None => push(&mut normal, *letter, may_stand),
        }
    }
    Cow::Owned(normal)
}

/// The other paths that some servers read in a [normalised](normalise) one: `%2F` and `%5C` as slashes, and segments
/// without what follows a `;`. Empty for nearly every path.
///
/// Whatever is decided by a path has to be decided in the same way for all of them, or a request slips past it.
///
/// ```
/// use abi::path::readings;
///
/// assert_eq!(readings("/a%2Fadmin;v=1"), ["/a/admin;v=1", "/a%2Fadmin", "/a/admin"]);
/// assert!(readings("/admin").is_empty());
/// ```
pub fn readings(path: &str) -> Vec<String> {
    let has_slashes = || path.contains("%2F") || path.contains("%5C");
    // Most paths have neither letter.
    if !path.contains(['%', ';']) || !(path.contains(';') || has_slashes()) {
        return Vec::new();
    }
    let (decoded, bare) = (with_slashes(path), without_parameters(path));
    // Which is done first makes a difference where a parameter has a slash in it.
    let both = [without_parameters(&decoded), with_slashes(&bare)];
    let mut readings: Vec<String> = Vec::new();
    for reading in [decoded, bare].into_iter().chain(both) {
        let reading = normalise(&reading).into_owned();
        if reading != path && !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}

fn with_slashes(path: &str) -> String {
    path.replace("%2F", "/").replace("%5C", "/")
}

fn without_parameters(path: &str) -> String {
    let segments = path.split('/');
    let bare = segments.map(|segment| segment.split(';').next().unwrap_or_default());
    bare.collect::<Vec<_>>().join("/")
}

fn push(path: &mut String, code: u8, is_plain: fn(u8) -> bool) {
    if is_plain(code) {
        path.push(char::from(code));
    } else {
        // Writing to a `String` does not fail.
        let _ = write!(path, "%{code:02X}");
    }
}

/// Whether [`normalise`] would change nothing.
fn is_normal(path: &[u8]) -> bool {
    let mut rest = path;
    while let [letter, tail @ ..] = rest {
        rest = match letter {
            letter if PLAIN[usize::from(*letter)] => tail,
            b'/' if tail.first() != Some(&b'/') => tail,
            b'%' => match decoded(tail) {
                Some(code) if is_encoded_well(code, tail) => &tail[2..],
                _ => return false,
            },
            _ => return false,
        };
    }
    true
}

fn is_encoded_well(code: u8, digits: &[u8]) -> bool {
    !is_unreserved(code) && !digits[..2].iter().any(u8::is_ascii_lowercase)
}

/// What the two digits at the beginning stand for.
fn decoded(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// Letters that mean the same with and without encoding (RFC 3986 2.3).
const fn is_unreserved(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'.' | b'_' | b'~')
}

/// Letters that stand in a path as they are (RFC 3986 3.3).
const fn may_stand(letter: u8) -> bool {
    is_unreserved(letter)
        || matches!(
            letter,
            b'/' | b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'('..=b',' | b';' | b'='
        )
}

/// The letters of segments, for a look-up at each letter of each request.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut letter = 0;
    while letter < 256 {
        plain[letter] = letter != b'/' as usize && may_stand(letter as u8);
        letter += 1;
    }
    plain
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_path_is_not_copied() {
        for path in ["/", "/a/b.c", "/caf%C3%A9/%2F", "/:id/*;v=1/(a,b)", ""] {
            assert!(
                matches!(normalise(path), Cow::Borrowed(same) if same == path),
                "{path}"
            );
        }
    }

    #[test]
    fn every_spelling_of_a_path_is_one() {
        for path in ["//admin", "/%61dmin", "///%61%64min", "/adm%69n"] {
            assert_eq!(normalise(path), "/admin", "{path}");
        }
        for path in ["/caf%c3%a9", "/caf%C3%a9", "/café", "//c%61fé"] {
            assert_eq!(normalise(path), "/caf%C3%A9", "{path}");
        }
        for path in ["/a|b", "/a%7cb", "/a%7Cb"] {
            assert_eq!(normalise(path), "/a%7Cb", "{path}");
        }
    }

    #[test]
    fn what_is_encoded_for_a_reason_stays_encoded() {
        for (path, normal) in [
            ("/a%2fb", "/a%2Fb"),
            ("/a%2F/b", "/a%2F/b"),
            ("/a%20b", "/a%20b"),
            ("/%25%36%31", "/%2561"),
            ("/%3a", "/%3A"),
        ] {
            assert_eq!(normalise(path), normal);
        }
    }

    #[test]
    fn percent_sign_without_digits_is_one() {
        for (path, normal) in [
            ("/%", "/%25"),
            ("/%4", "/%254"),
            ("/%zz", "/%25zz"),
            ("/%+1", "/%25+1"),
        ] {
            assert_eq!(normalise(path), normal);
        }
    }

    #[test]
    fn other_readings_are_those_of_lenient_servers() {
        for (path, others) in [
            ("/a/b", &[][..]),
            ("/a%20b", &[]),
            ("/public%2Fadmin", &["/public/admin"]),
            ("/a%5Cb", &["/a/b"]),
            ("/a%2F%2Fb", &["/a/b"]),
            ("/admin;x=1/b;y", &["/admin/b"]),
            ("/;x/admin", &["/admin"]),
            (
                "/a%2Fadmin;x%2Fy",
                &["/a/admin;x/y", "/a%2Fadmin", "/a/admin/y", "/a/admin"],
            ),
        ] {
            assert_eq!(readings(path), others, "{path}");
        }
    }

    #[test]
    fn normal_form_is_normal() {
        for path in ["/%%%41", "//%2e%2E//", "/%é%", "/\\\"{}", "%2f%2f"] {
            let once = normalise(path).into_owned();

            assert!(
                matches!(normalise(&once), Cow::Borrowed(_)),
                "{path} -> {once}"
            );
        }
    }
}
