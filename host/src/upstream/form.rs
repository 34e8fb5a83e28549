//! The form a request has in each version of HTTP: in HTTP/2, scheme and host are part of its target (RFC 9113 8.3.1).

use http::header::{HOST, HeaderValue};
use http::uri::{Authority, Parts, Scheme};
use http::{Request, Uri, Version};

/// Says scheme and host in the target, and not a second time in the headers.
pub(super) fn http2<B>(request: &mut Request<B>, scheme: Scheme) {
    if request.version() == Version::HTTP_2 {
        return;
    }
    *request.version_mut() = Version::HTTP_2;
    let host = request.headers().get(HOST).map(HeaderValue::as_bytes);
    let Some(authority) = host.and_then(|host| Authority::try_from(host).ok()) else {
        return;
    };
    let mut parts = Parts::default();
    parts.scheme = Some(scheme);
    parts.authority = Some(authority);
    parts.path_and_query = request.uri().path_and_query().cloned();
    if let Ok(target) = Uri::from_parts(parts) {
        *request.uri_mut() = target;
        request.headers_mut().remove(HOST);
    }
}

/// Says the host in the headers, and the path alone in the target.
pub(super) fn http1<B>(request: &mut Request<B>) {
    if request.version() == Version::HTTP_11 {
        return;
    }
    *request.version_mut() = Version::HTTP_11;
    let host = request.uri().authority().map(Authority::as_str);
    if let Some(Ok(host)) = host.map(HeaderValue::from_str) {
        request.headers_mut().insert(HOST, host);
    }
    if let Some(path) = request.uri().path_and_query() {
        *request.uri_mut() = Uri::from(path.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_back_as_it_was() {
        let mut request = Request::get("/x?y")
            .header(HOST, "shop.test:80")
            .body(())
            .unwrap();

        http2(&mut request, Scheme::HTTPS);
        assert_eq!(request.uri(), "https://shop.test:80/x?y");
        assert!(request.headers().is_empty() && request.version() == Version::HTTP_2);

        http1(&mut request);
        assert_eq!(request.uri(), "/x?y");
        assert_eq!(request.headers()[HOST], "shop.test:80");
        assert_eq!(request.version(), Version::HTTP_11);
    }

    #[test]
    fn a_host_that_is_no_authority_stays_a_header() {
        let mut request = Request::get("/").header(HOST, "a:b:c").body(()).unwrap();

        http2(&mut request, Scheme::HTTP);

        assert_eq!(
            (request.uri().path(), &request.headers()[HOST]),
            ("/", &HeaderValue::from_static("a:b:c"))
        );
    }
}
