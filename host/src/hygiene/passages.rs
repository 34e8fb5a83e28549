//! Requests that come back to the gateway that has sent them on: `CDN-Loop` (RFC 8586).
//!
//! An upstream may be this gateway, by its name or behind another proxy, and neither address nor route shows it. `Via`
//! would do as well, but servers change what they answer when it is there: nginx no longer compresses.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Writes down that a request has come by this gateway.
pub(crate) fn mark(headers: &mut HeaderMap) {
    headers.append(CDN_LOOP, PSEUDONYM.clone());
}

/// Whether a request has come by this gateway so often that it would go on for ever.
pub(super) fn are_endless(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CDN_LOOP).iter().map(HeaderValue::as_bytes);
    let members = lines.flat_map(|line| line.split(|&byte| byte == b','));
    let names = members.map(|member| member.split(|&byte| byte == b';').next());
    let passages = names.filter(|name| name.is_some_and(|it| *PSEUDONYM == it.trim_ascii()));
    passages.count() >= MOST
}

/// What this process calls itself. Others of one deployment may stand behind each other, so they differ; nobody who has
/// not got a request from it can guess it, and whoever has can only have a request of their own refused.
///
/// It lives as long as the process, so that a copy needs no counter that threads share.
static PSEUDONYM: LazyLock<HeaderValue> = LazyLock::new(|| {
    let number = RandomState::new().build_hasher().finish();
    HeaderValue::from_static(Box::leak(format!("gateway-{number:016x}").into()))
});

pub(super) const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");

// A service may ask others through the gateway that it stands behind, with the headers that it was asked with.
const MOST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_passages_by_this_gateway_count() {
        let mut headers = HeaderMap::new();
        for _ in 0..MOST {
            headers.append(CDN_LOOP, HeaderValue::from_static("gateway-0, cloudflare"));
        }
        for _ in 1..MOST {
            mark(&mut headers);
        }
        assert!(!are_endless(&headers));

        mark(&mut headers);

        assert!(are_endless(&headers));
    }

    #[test]
    fn proxies_between_may_join_lines_and_add_parameters() {
        let name = PSEUDONYM.to_str().unwrap();
        let line = format!("cdn.test; a=b, {}", [name].repeat(MOST).join("; c=d ,"));
        let headers = HeaderMap::from_iter([(CDN_LOOP, line.parse().unwrap())]);

        assert!(are_endless(&headers));
    }
}
