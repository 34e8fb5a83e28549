//! Headers that belong to the gateway: what a client sends under such a name never reaches an upstream.

use http::{HeaderMap, HeaderName};

use crate::spelling::fold;

/// The reserved names of both directions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reserved {
    request: Folded,
    /// As they were written.
    exact: Vec<HeaderName>,
    response: Vec<HeaderName>,
}

/// Names without everything that is no letter or digit, and a quick way to see that a name is none of them.
#[derive(Clone, Debug)]
struct Folded {
    names: Vec<Vec<u8>>,
    // By the first character, a bit for each last character: most headers are sorted out here.
    endings: [u64; CLASSES],
}

impl Reserved {
    pub(crate) fn add_request(&mut self, name: &HeaderName) {
        self.request.add(name);
        if !self.exact.contains(name) {
            self.exact.push(name.clone());
        }
    }

    /// Whether only a mapping may set a request header of this name.
    pub(crate) fn holds(&self, name: &HeaderName) -> bool {
        self.request.holds(name)
    }

    /// Whether it is a reserved name in another spelling than the mapping's own. Nobody writes one by accident.
    pub(crate) fn is_misspelt(&self, name: &HeaderName) -> bool {
        self.holds(name) && !self.exact.contains(name)
    }

    pub(crate) fn add_response(&mut self, name: HeaderName) {
        if !self.response.contains(&name) {
            self.response.push(name);
        }
    }

    /// Removes from a client's request what only a mapping may set, in every spelling that an upstream could [`fold`]
    /// into it.
    pub(crate) fn scrub_request(&self, headers: &mut HeaderMap) {
        if self.request.names.is_empty() {
            return;
        }
        // A rare second pass, because a map cannot lose entries while it is read.
        while let Some(name) = headers
            .keys()
            .find(|name| self.request.holds(name))
            .cloned()
        {
            headers.remove(name);
        }
    }

    /// Removes from a response what is meant for the gateway.
    pub(crate) fn scrub_response(&self, headers: &mut HeaderMap) {
        for name in &self.response {
            headers.remove(name);
        }
    }
}

impl Folded {
    fn add(&mut self, name: &HeaderName) {
        let folded: Vec<u8> = fold(name.as_str()).collect();
        if let (Some(first), Some(last)) = (folded.first(), folded.last()) {
            self.endings[class(*first)] |= 1 << class(*last);
        }
        if !self.names.contains(&folded) {
            self.names.push(folded);
        }
    }

    fn holds(&self, name: &HeaderName) -> bool {
        let name = name.as_str();
        let mut ends = name.bytes().filter(u8::is_ascii_alphanumeric);
        let Some(first) = ends.next() else {
            return self.names.iter().any(Vec::is_empty);
        };
        let last = ends.next_back().unwrap_or(first);
        if self.endings[class(first)] & (1 << class(last)) == 0 {
            return false;
        }
        self.names
            .iter()
            .any(|known| fold(name).eq(known.iter().copied()))
    }
}

impl Default for Folded {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            endings: [0; CLASSES],
        }
    }
}

fn class(byte: u8) -> usize {
    match byte.to_ascii_lowercase() {
        byte @ b'a'..=b'z' => usize::from(byte - b'a'),
        byte @ b'0'..=b'9' => 26 + usize::from(byte - b'0'),
        _ => OTHER,
    }
}

const OTHER: usize = 36;
const CLASSES: usize = OTHER + 1;

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn every_spelling_of_a_reserved_name_is_removed() {
        let spellings = [
            "X-User-Id",
            "x_user_id",
            "X.User.Id",
            "x-user_id",
            "XUserId",
            "x--user--id",
            "-x-user-id-",
            "x!user#id",
            "~x|user^id`",
        ];
        for spelling in spellings {
            assert_eq!(scrubbed(&[spelling]), Vec::<String>::new(), "{spelling}");
        }
    }

    #[test]
    fn other_names_stay() {
        let others = [
            "x-user-ids",
            "x-user",
            "user-id",
            "x-xuser-id",
            "accept",
            "authorizations",
            "id",
        ];

        assert_eq!(scrubbed(&others), others);
    }

    #[test]
    fn all_values_and_all_spellings_go_at_once() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "x_user_id",
            "authorization",
            "x-user-id",
            "accept",
        ] {
            headers.append(name, HeaderValue::from_static("mallory"));
        }

        reserved().scrub_request(&mut headers);

        assert_eq!(headers.keys().collect::<Vec<_>>(), ["accept"]);
    }

    #[test]
    fn other_spelling_is_told_from_the_own_one() {
        let is_misspelt =
            |name: &'static str| reserved().is_misspelt(&HeaderName::from_static(name));

        assert!(!is_misspelt("x-user-id") && !is_misspelt("accept"));
        assert!(is_misspelt("x_user_id"));
    }

    #[test]
    fn response_loses_only_what_is_meant_for_the_gateway() {
        let mut reserved = reserved();
        reserved.add_response(HeaderName::from_static("x-session-set"));
        let mut headers = HeaderMap::new();
        headers.insert("x-session-set", HeaderValue::from_static("{}"));
        headers.insert("x-user-id", HeaderValue::from_static("anna"));

        reserved.scrub_response(&mut headers);

        assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-user-id"]);
    }

    fn scrubbed(names: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for name in names {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_static("mallory"));
        }
        reserved().scrub_request(&mut headers);
        let mut left: Vec<String> = headers.keys().map(ToString::to_string).collect();
        left.sort_by_key(|left| names.iter().position(|name| name == left));
        left
    }

    fn reserved() -> Reserved {
        let mut reserved = Reserved::default();
        reserved.add_request(&HeaderName::from_static("x-user-id"));
        reserved.add_request(&HeaderName::from_static("authorization"));
        reserved
    }
}
