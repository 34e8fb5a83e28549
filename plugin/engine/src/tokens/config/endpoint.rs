//! Where something is, as a URL that calls can be made to.

use abi::config::Faults;
use url::Url;

/// The URL that stands at `key`; none when nothing does.
pub(super) fn endpoint(key: &str, text: &str, faults: &mut Faults) -> Option<Url> {
    if text.is_empty() {
        return None;
    }
    match parse(text) {
        Ok(url) => Some(url),
        Err(problem) => {
            // A password in it is not for the log.
            faults.push(key, problem);
            None
        }
    }
}

/// Checks a URL, wherever it comes from.
pub(in crate::tokens) fn parse(text: &str) -> Result<Url, &'static str> {
    let url =
        Url::parse(text).map_err(|_| "expected a URL such as `https://login.example.com/token`")?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err("expected a URL that begins with `https://` or `http://`");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("expected a URL without a user or a password in it");
    }
    if url.fragment().is_some() {
        return Err("expected a URL without `#`");
    }
    Ok(url)
}
