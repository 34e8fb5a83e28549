//! The routes by which an orchestrator asks how the gateway is.

use http::{Response, StatusCode};

use crate::body::Body;
use crate::config::HealthCheck;

/// What an orchestrator asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Question {
    /// Whether the process runs.
    Live,
    /// Whether requests can be served.
    Ready,
}

impl Question {
    /// The question that a path stands for; `None` for every path that the routes have.
    pub fn of(check: &HealthCheck, path: &str) -> Option<Self> {
        match path {
            _ if check.disabled => None,
            _ if path == check.live => Some(Self::Live),
            _ if path == check.ready => Some(Self::Ready),
            _ => None,
        }
    }

    /// The key of `server` that has its path.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Live => "healthCheck.live",
            Self::Ready => "healthCheck.ready",
        }
    }
}

/// The answer when it is so.
pub fn well() -> Response<Body> {
    Response::new(Body::from("ok\n"))
}

/// The answer when requests cannot be served now.
pub fn not_ready() -> Response<Body> {
    let mut response = Response::new(Body::from("not ready\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alive_is_not_yet_ready() {
        let asked = |path| Question::of(&HealthCheck::default(), path);

        assert_eq!(asked("/health/live"), Some(Question::Live));
        assert_eq!(asked("/health/ready"), Some(Question::Ready));
        assert_eq!(asked("/health"), None);
        assert_eq!(
            (well().status(), not_ready().status()),
            (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE)
        );
    }

    #[test]
    fn disabled_leaves_the_paths_to_the_routes() {
        let check = HealthCheck {
            disabled: true,
            ..HealthCheck::default()
        };

        assert_eq!(Question::of(&check, "/health/live"), None);
    }
}
