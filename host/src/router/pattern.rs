//! What a route matches, as the user writes it.

use std::borrow::Cow;

use abi::path::normalise;
use http::Method;

/// What a route matches. A path may be written in any spelling: it is normalised as those of requests are.
#[derive(Clone, Copy, Debug)]
pub struct Pattern<'a> {
    /// Exact, `*.suffix`, or empty for any host.
    pub host: &'a str,
    /// Static, with `:param` segments, or with a trailing `/*`, which is `/` and everything below it.
    pub path: &'a str,
    /// Empty for all methods.
    pub methods: &'a [Method],
}

/// Why a route cannot be added.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PatternError {
    /// An earlier route has the same host, path and method.
    #[error("answers the same requests as routes[{0}]")]
    Duplicate(usize),
    /// A dot segment, which no accepted request has.
    #[error("a path cannot have `.` or `..` segments")]
    Dots,
    /// Nothing after the colon, or the same name twice.
    #[error("every `:` needs a name of its own, such as `:id`")]
    Parameter,
    /// No slash in front.
    #[error("a path begins with `/`")]
    Relative,
    /// A query or a fragment, which no path has.
    #[error("a path has no `?` and no `#`; where they are meant, they are written `%3F` and `%23`")]
    Surplus,
    /// A star anywhere but as the last segment.
    #[error("`*` is allowed as the last segment only, as in `/files/*`")]
    Star,
    /// A host with a port, a path or a star in the middle.
    #[error("expected a host such as `example.org` or `*.example.org`, without a port")]
    Host,
}

/// A path pattern as the matching tree writes it.
pub(super) struct Template {
    pub(super) text: String,
    /// The number of segments before a trailing `/*`; `None` when the path ends.
    pub(super) open_depth: Option<usize>,
}

impl Template {
    pub(super) fn parse(path: &str) -> Result<Self, PatternError> {
        let inner = path.strip_prefix('/').ok_or(PatternError::Relative)?;
        if inner.contains(['?', '#']) {
            return Err(PatternError::Surplus);
        }
        let (fixed, is_open) = match inner.strip_suffix('*') {
            Some(fixed) if fixed.is_empty() || fixed.ends_with('/') => (fixed, true),
            _ => (inner, false),
        };
        // Slashes that follow each other count as one, as in requests.
        let mut segments: Vec<&str> = fixed.split('/').collect();
        let last = segments.pop();
        segments.retain(|segment| !segment.is_empty());
        segments.extend(last);
        let mut text = String::with_capacity(path.len() + 8);
        for (index, segment) in segments.iter().enumerate() {
            let is_twin = segment.starts_with(':') && segments[..index].contains(segment);
            if is_twin {
                return Err(PatternError::Parameter);
            }
            text.push('/');
            text.push_str(&template_segment(segment)?);
        }
        Ok(Self {
            text,
            open_depth: is_open.then_some(segments.len()),
        })
    }
}

fn template_segment(segment: &str) -> Result<String, PatternError> {
    if segment.contains('*') {
        return Err(PatternError::Star);
    }
    if let Some(name) = segment.strip_prefix(':') {
        let is_name = !name.is_empty() && !name.contains([':', '{', '}']);
        return is_name
            .then(|| format!("{{{name}}}"))
            .ok_or(PatternError::Parameter);
    }
    // Braces mean something to the tree; a normalised segment has none.
    let normal = normalise(segment);
    if matches!(&*normal, "." | "..") {
        return Err(PatternError::Dots);
    }
    Ok(normal.into_owned())
}

pub(super) fn check_host(host: &str) -> Result<(), PatternError> {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let is_whole = name.len() == host.len();
    let is_name = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    let is_ipv6 = name.starts_with('[') && name.ends_with(']');
    if (is_name && (is_whole || !name.is_empty())) || (is_ipv6 && is_whole) {
        Ok(())
    } else {
        Err(PatternError::Host)
    }
}

/// The host without its port and the dot of the root, in lower case.
pub(super) fn bare_host(host: &str) -> Cow<'_, str> {
    let end = match host.starts_with('[') {
        true => host.find(']').map(|bracket| bracket + 1),
        false => host.find(':'),
    };
    let end = end.unwrap_or(host.len());
    let bare = host[..end].trim_end_matches('.');
    if bare.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(bare.to_ascii_lowercase())
    } else {
        Cow::Borrowed(bare)
    }
}
