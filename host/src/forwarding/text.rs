//! Addresses, hosts and schemes as headers have them.

use std::fmt::Write as _;
use std::net::IpAddr;

use http::HeaderValue;

use crate::server::Scheme;

/// An address by itself.
pub(super) fn address(address: IpAddr) -> HeaderValue {
    value(&address.to_string())
}

pub(super) const fn scheme(scheme: Scheme) -> HeaderValue {
    HeaderValue::from_static(scheme.as_str())
}

/// `X-Forwarded-For`, the client first.
pub(super) fn forwarded_for(hops: &[Option<IpAddr>]) -> HeaderValue {
    let mut text = String::new();
    for hop in hops {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = match hop {
            Some(address) => write!(text, "{separator}{address}"),
            None => write!(text, "{separator}{UNKNOWN}"),
        };
    }
    value(&text)
}

/// `Forwarded`: what is known about the client, then the proxies on the way.
pub(super) fn forwarded(
    hops: &[Option<IpAddr>],
    host: Option<&HeaderValue>,
    scheme: Scheme,
) -> HeaderValue {
    let mut text = String::with_capacity(64);
    for (index, hop) in hops.iter().enumerate() {
        text.push_str(if index == 0 { "for=" } else { ", for=" });
        let _ = match hop {
            Some(IpAddr::V4(address)) => write!(text, "{address}"),
            Some(IpAddr::V6(address)) => write!(text, "\"[{address}]\""),
            None => write!(text, "{UNKNOWN}"),
        };
        if index == 0 {
            about(&mut text, host, scheme);
        }
    }
    value(&text)
}

fn about(text: &mut String, host: Option<&HeaderValue>, scheme: Scheme) {
    // A Host that was let in has no letter that would have to be escaped.
    if let Some(host) = host.and_then(|host| host.to_str().ok()) {
        let _ = write!(text, ";host=\"{host}\"");
    }
    let _ = write!(text, ";proto={scheme}");
}

fn value(text: &str) -> HeaderValue {
    // Addresses, accepted hosts and our own words have nothing that a header could not hold.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(UNKNOWN))
}

const UNKNOWN: &str = "unknown";
