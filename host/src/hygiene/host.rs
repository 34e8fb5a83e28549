//! Whom a request is for.

use http::header::HOST;
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Method, Uri, Version};

use super::Refusal;
use crate::authority::is_host;

/// Makes `Host` say what a target with an authority says, and a path of the target. HTTP/2 names all hosts so (RFC 9113,
/// section 8.3.1), and a client of HTTP/1.1 may: there the target counts (RFC 9112, section 3.2.2), and whoever stands in
/// front or behind could take the other for it.
///
/// # Errors
/// When they differ, or when something else than HTTP is asked for.
pub(crate) fn locate(request: &mut Parts) -> Result<(), Refusal> {
    if request.method == Method::CONNECT || request.uri.authority().is_none() {
        return Ok(());
    }
    let scheme = request.uri.scheme();
    if !scheme.is_some_and(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme)) {
        return Err(Refusal::Target);
    }
    name_host(request)?;
    let path = request.uri.path_and_query().cloned();
    request.uri = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
    Ok(())
}

/// As [`locate`], and the target stays.
pub(crate) fn name_host(request: &mut Parts) -> Result<(), Refusal> {
    let Some(authority) = request.uri.authority() else {
        return Ok(());
    };
    let authority = authority.as_str();
    match request.headers.get(HOST) {
        Some(host) if host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()) => Ok(()),
        Some(_) => Err(Refusal::Host),
        None => {
            let host = HeaderValue::from_str(authority).map_err(|_| Refusal::Host)?;
            request.headers.insert(HOST, host);
            Ok(())
        }
    }
}

pub(super) fn has_one_host(request: &Parts) -> bool {
    let mut hosts = request.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host.as_bytes()),
        // HTTP/1.0 knows no Host.
        (None, _) => request.version == Version::HTTP_10,
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_target_may_repeat_the_host_and_not_contradict_it() {
        let mut same = parts("http://A.test/x?y", Some("a.test"));
        let mut other = parts("http://a.test/", Some("b.test"));
        let mut alone = parts("http://a.test", None);

        assert_eq!(locate(&mut same), Ok(()));
        assert_eq!(locate(&mut other), Err(Refusal::Host));
        assert_eq!(locate(&mut alone), Ok(()));
        assert_eq!(same.uri, "/x?y");
        assert_eq!(
            (alone.uri, &alone.headers[HOST]),
            (Uri::from_static("/"), &HeaderValue::from_static("a.test"))
        );
    }

    #[test]
    fn a_target_of_another_scheme_is_none() {
        let mut ftp = parts("ftp://a.test/x", Some("a.test"));

        assert_eq!(locate(&mut ftp), Err(Refusal::Target));
    }

    fn parts(target: &str, host: Option<&str>) -> Parts {
        let mut request = Request::get(target);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        request.body(()).unwrap().into_parts().0
    }
}
