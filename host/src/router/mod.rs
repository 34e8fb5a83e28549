//! From a request's host, path and method to a route. Pure: built once, then only read.
//!
//! The most specific host that knows the path decides (exact, then the longest suffix, then any), then the most
//! specific path, then the method. A path that is known with other methods is 405 and never falls through to a wider
//! route: otherwise `POST /admin` would slip past the middlewares of `GET /admin` into `/*`.

mod pattern;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use http::{HeaderValue, Method};
use matchit::Params;

pub use pattern::{Pattern, PatternError};
use tree::{Found, Tree};

/// All routes, ready for lookup. A route is named by its index in the list the router was built from.
#[derive(Debug, Default)]
pub struct Router {
    exact: HashMap<String, Tree>,
    // Longest first: the first that fits is the most specific.
    suffixes: Vec<(String, Tree)>,
    any: Tree,
}

/// Why a request has no route.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoRoute<'r> {
    /// The path is known with other methods; the value of the `Allow` header.
    #[error("the path is known, but not with this method")]
    MethodNotAllowed(&'r HeaderValue),
    /// Nobody knows the path.
    #[error("nobody knows the path")]
    NotFound,
}

/// A route that cannot be added.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct RouteError {
    /// The index of the route.
    pub route: usize,
    /// The key that is wrong.
    pub key: &'static str,
    /// Why.
    #[source]
    pub error: PatternError,
}

impl Router {
    /// Builds a router.
    ///
    /// # Errors
    /// With every route whose pattern is malformed, or which answers requests that an earlier one answers.
    pub fn new<'a>(
        patterns: impl IntoIterator<Item = Pattern<'a>>,
    ) -> Result<Self, Vec<RouteError>> {
        let mut router = Self::default();
        let mut errors = Vec::new();
        for (route, pattern) in patterns.into_iter().enumerate() {
            if let Err((key, error)) = router.insert(route, &pattern) {
                errors.push(RouteError { route, key, error });
            }
        }
        let all = router
            .exact
            .values_mut()
            .chain(router.suffixes.iter_mut().map(|(_, tree)| tree));
        all.chain([&mut router.any]).for_each(Tree::finish);
        if errors.is_empty() {
            Ok(router)
        } else {
            Err(errors)
        }
    }

    /// Finds the route of a request: its index, and what its parameters stand for. `host` may carry a port and any case;
    /// `path` is a normalised path.
    ///
    /// # Errors
    /// When no route has the path, or none of those that have it has the method.
    pub fn find<'r, 'p>(
        &'r self,
        host: &str,
        path: &'p str,
        method: &Method,
    ) -> Result<(usize, Params<'r, 'p>), NoRoute<'r>> {
        let found = self.hosted(host, path).or_else(|| self.any.find(path));
        found.ok_or(NoRoute::NotFound)?.select(method)
    }

    fn hosted<'r, 'p>(&'r self, host: &str, path: &'p str) -> Option<Found<'r, 'p>> {
        if self.exact.is_empty() && self.suffixes.is_empty() {
            return None;
        }
        let host = pattern::bare_host(host);
        let exact = self.exact.get(&*host).and_then(|tree| tree.find(path));
        exact.or_else(|| {
            let fitting = self.suffixes.iter().filter(|(suffix, _)| {
                host.strip_suffix(suffix.as_str())
                    .is_some_and(|label| !label.is_empty())
            });
            fitting.into_iter().find_map(|(_, tree)| tree.find(path))
        })
    }

    fn insert(
        &mut self,
        route: usize,
        pattern: &Pattern<'_>,
    ) -> Result<(), (&'static str, PatternError)> {
        let tree = self.tree(pattern.host).map_err(|error| ("host", error))?;
        tree.insert(route, pattern).map_err(|error| ("path", error))
    }

    fn tree(&mut self, host: &str) -> Result<&mut Tree, PatternError> {
        pattern::check_host(host)?;
        let host = pattern::bare_host(host);
        if host.is_empty() {
            return Ok(&mut self.any);
        }
        let Some(suffix) = host.strip_prefix('*') else {
            return Ok(self.exact.entry(host.into_owned()).or_default());
        };
        let place = self
            .suffixes
            .binary_search_by_key(&(std::cmp::Reverse(suffix.len()), suffix), |(known, _)| {
                (std::cmp::Reverse(known.len()), known)
            });
        let index = place.unwrap_or_else(|index| {
            self.suffixes
                .insert(index, (suffix.to_owned(), Tree::default()));
            index
        });
        Ok(&mut self.suffixes[index].1)
    }
}
