//! Patterns of paths: `sensitivePaths`.

use std::borrow::Cow;
use std::str::FromStr;

use abi::path::{normalise, readings};

/// Patterns of which one has to match.
///
/// `*` stands for any characters of one segment, `**` for any number of whole segments, and a last `/*` for all that
/// lies below, with what it lies below: `/admin/*` is `/admin`, `/admin/users` and `/admin/users/7`. Everything else
/// stands for itself, in the spelling that routes are matched by ([`normalise`]); a slash at the end makes no difference.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PathGlobs(Box<[PathGlob]>);

/// One pattern, by its segments.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathGlob(Box<[Segment]>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    /// Any number of segments.
    AnyDepth,
    /// One segment, in which `*` stands for any characters.
    One(Box<str>),
}

impl PathGlobs {
    /// Whether one of the patterns matches a normalised path, or another path that some servers read in it. Takes no
    /// longer than the pattern's length times the path's, whatever both are.
    pub fn matches(&self, path: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let any = |path: &str| self.0.iter().any(|glob| glob.matches(path));
        any(path) || readings(path).iter().any(|reading| any(reading))
    }
}

impl FromIterator<PathGlob> for PathGlobs {
    fn from_iter<I: IntoIterator<Item = PathGlob>>(globs: I) -> Self {
        Self(globs.into_iter().collect())
    }
}

impl PathGlob {
    fn matches(&self, path: &str) -> bool {
        let path = path.strip_suffix('/').unwrap_or(path);
        fits(
            self.0.iter(),
            segments(path),
            |segment| **segment == Segment::AnyDepth,
            |segment, text| segment.matches(text),
        )
    }
}

impl Segment {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::AnyDepth => true,
            Self::One(pattern) => fits(
                pattern.bytes(),
                text.bytes(),
                |byte| *byte == b'*',
                |one, other| one == other,
            ),
        }
    }
}

/// Whether a pattern fits a text; `is_any` says which of its parts stand for any number of the text's.
///
/// Only the latest of those ever has to be tried with more: what an earlier one could take besides, it can take too.
fn fits<P, T>(
    pattern: impl Iterator<Item = P> + Clone,
    text: impl Iterator<Item = T> + Clone,
    is_any: impl Fn(&P) -> bool,
    is_one: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut parts, mut rest) = (pattern, text);
    let mut latest = None;
    loop {
        let (part, after_part) = advance(&parts);
        if part.as_ref().is_some_and(&is_any) {
            latest = Some((after_part.clone(), rest.clone()));
            parts = after_part;
            continue;
        }
        let (item, after_item) = advance(&rest);
        match (part, item) {
            (None, None) => return true,
            (Some(part), Some(item)) if is_one(&part, &item) => {
                (parts, rest) = (after_part, after_item);
            }
            _ => {
                let Some((after_any, taken)) = &mut latest else {
                    return false;
                };
                if taken.next().is_none() {
                    return false;
                }
                (parts, rest) = (after_any.clone(), taken.clone());
            }
        }
    }
}

/// The next item, and what comes after it.
fn advance<I: Iterator + Clone>(items: &I) -> (Option<I::Item>, I) {
    let mut after = items.clone();
    (after.next(), after)
}

impl FromStr for PathGlob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        if !text.starts_with('/') {
            return Err(GlobError::Relative);
        }
        if let Some(letter) = text.chars().find(|&letter| !is_path(letter)) {
            return Err(GlobError::Character(letter));
        }
        let text = normalise(text);
        let text = match text.strip_suffix("/*") {
            Some(above) => Cow::Owned(format!("{above}/**")),
            None => Cow::Borrowed(text.strip_suffix('/').unwrap_or(&text)),
        };
        let segments = segments(&text).map(str::parse);
        segments.collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Segment {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        match text {
            "**" => Ok(Self::AnyDepth),
            "." | ".." => Err(GlobError::DotSegment),
            _ if text.contains("**") => Err(GlobError::Depth),
            _ if text.starts_with(':') => Err(GlobError::Parameter),
            _ => Ok(Self::One(text.into())),
        }
    }
}

/// What is between the slashes; the first one begins the path.
fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.split('/').skip(1)
}

/// What people write in a path (RFC 3986, section 3.3, and the letters of all alphabets), so none of the wildcards of
/// other patterns.
fn is_path(letter: char) -> bool {
    !letter.is_ascii() || letter.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:@".contains(letter)
}

/// Why no path can match a pattern, or not the paths it seems to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GlobError {
    /// A character that is in no path, as a wildcard of other patterns or by mistake.
    #[error(
        "no path has {0:?} in it; `*` and `**` are the only wildcards, and other characters are percent-encoded"
    )]
    Character(char),
    /// `**` beside something else.
    #[error("`**` stands for whole segments, as in `/a/**/b`")]
    Depth,
    /// `.` or `..`, which the gateway refuses in requests.
    #[error("no path has the segments `.` or `..`")]
    DotSegment,
    /// `:name`, as in a route.
    #[error("`:name` is for routes; here `*` stands for one segment")]
    Parameter,
    /// Not from the root on.
    #[error("a path begins with `/`")]
    Relative,
}

#[cfg(test)]
mod tests;
