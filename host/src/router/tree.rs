//! The paths of one host.

use std::collections::HashMap;

use http::{HeaderValue, Method};
use matchit::Params;

use super::NoRoute;
use super::pattern::{Pattern, PatternError, Template};

/// The paths of one host, and the methods of each.
#[derive(Debug, Default)]
pub(super) struct Tree {
    closed: matchit::Router<usize>,
    // One tree per depth, deepest first: `/a/*` and `/a/:b/*` may stand beside each other, and the deeper one wins.
    open: Vec<(usize, matchit::Router<usize>)>,
    by_template: HashMap<String, usize>,
    methods: Vec<Methods>,
}

/// Who answers which method of one path.
#[derive(Debug)]
struct Methods {
    named: Vec<(Method, usize)>,
    all: Option<usize>,
    allow: HeaderValue,
}

/// A path that is known.
pub(super) struct Found<'r, 'p> {
    methods: &'r Methods,
    params: Params<'r, 'p>,
}

impl Tree {
    pub(super) fn insert(
        &mut self,
        route: usize,
        pattern: &Pattern<'_>,
    ) -> Result<(), PatternError> {
        let template = Template::parse(pattern.path)?;
        let index = self.methods_of(template)?;
        self.methods[index].add(route, pattern.methods)
    }

    /// Writes the `Allow` headers, once all routes are in.
    pub(super) fn finish(&mut self) {
        self.methods.iter_mut().for_each(Methods::write_allow);
    }

    pub(super) fn find<'r, 'p>(&'r self, path: &'p str) -> Option<Found<'r, 'p>> {
        let closed = self.closed.at(path).ok();
        let matched =
            closed.or_else(|| self.open.iter().find_map(|(_, tree)| tree.at(path).ok()))?;
        Some(Found {
            methods: &self.methods[*matched.value],
            params: matched.params,
        })
    }

    /// The index of the methods of a path; those of a path that is new are empty.
    fn methods_of(&mut self, template: Template) -> Result<usize, PatternError> {
        let Template { text, open_depth } = template;
        let key = if open_depth.is_some() {
            format!("{text}*")
        } else {
            text.clone()
        };
        if let Some(index) = self.by_template.get(&key) {
            return Ok(*index);
        }
        let index = self.methods.len();
        let added = match open_depth {
            None => self.closed.insert(text, index),
            Some(depth) => {
                let tree = self.open_tree(depth);
                tree.insert(format!("{text}{{*rest}}"), index)
                    .and_then(|()| tree.insert(text, index))
            }
        };
        added.map_err(|error| self.refusal(&error))?;
        self.methods.push(Methods::none());
        self.by_template.insert(key, index);
        Ok(index)
    }

    fn open_tree(&mut self, depth: usize) -> &mut matchit::Router<usize> {
        let place = self.open.binary_search_by(|(known, _)| depth.cmp(known));
        let index = place.unwrap_or_else(|index| {
            self.open.insert(index, (depth, matchit::Router::new()));
            index
        });
        &mut self.open[index].1
    }

    fn refusal(&self, error: &matchit::InsertError) -> PatternError {
        match error {
            // The same path with other parameter names.
            matchit::InsertError::Conflict { with } => {
                let known = self.by_template.get(&with.replace("{*rest}", "*"));
                let methods = known.and_then(|index| self.methods.get(*index));
                let first = methods.and_then(Methods::first);
                first.map_or(PatternError::Parameter, PatternError::Duplicate)
            }
            _ => PatternError::Parameter,
        }
    }
}

impl Methods {
    fn none() -> Self {
        Self {
            named: Vec::new(),
            all: None,
            allow: HeaderValue::from_static(""),
        }
    }

    fn add(&mut self, route: usize, methods: &[Method]) -> Result<(), PatternError> {
        if methods.is_empty() {
            let first = self.all.replace(route);
            return first.map_or(Ok(()), |first| Err(PatternError::Duplicate(first)));
        }
        for method in methods {
            if let Some((_, first)) = self.named.iter().find(|(known, _)| known == method) {
                return Err(PatternError::Duplicate(*first));
            }
            self.named.push((method.clone(), route));
        }
        Ok(())
    }

    fn write_allow(&mut self) {
        if self.all.is_some() {
            self.allow = HeaderValue::from_static(ALL);
            return;
        }
        let names: Vec<&str> = self
            .named
            .iter()
            .map(|(method, _)| method.as_str())
            .collect();
        // Method names are tokens, which every header value may hold.
        self.allow =
            HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static(""));
    }

    fn first(&self) -> Option<usize> {
        self.named
            .iter()
            .map(|(_, route)| *route)
            .chain(self.all)
            .min()
    }
}

impl<'r, 'p> Found<'r, 'p> {
    /// A route for this very method comes before one for all methods. TRACE has to be named: who answers it tells the client
    /// what came (RFC 9110 9.3.8), and with it what only a mapping may set.
    pub(super) fn select(self, method: &Method) -> Result<(usize, Params<'r, 'p>), NoRoute<'r>> {
        let named = self.methods.named.iter().find(|(known, _)| known == method);
        let all = self.methods.all.filter(|_| *method != Method::TRACE);
        match named.map(|(_, route)| *route).or(all) {
            Some(route) => Ok((route, self.params)),
            None => Err(NoRoute::MethodNotAllowed(&self.methods.allow)),
        }
    }
}

// What a route for all methods says to the one that it has not.
const ALL: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
