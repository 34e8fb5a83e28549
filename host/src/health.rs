//! The routes by which an orchestrator asks how the gateway is.

use http::{Response, StatusCode};

use crate::body::Body;
use crate::config::HealthCheck;

/// Answers a health route; `None` for any other path. `is_ready` is only asked when somebody wants to know.
pub fn answer(
    check: &HealthCheck,
    path: &str,
    is_ready: impl FnOnce() -> bool,
) -> Option<Response<Body>> {
    if check.disabled {
        return None;
    }
    let (status, text) = if path == check.live || (path == check.ready && is_ready()) {
        (StatusCode::OK, "ok\n")
    } else if path == check.ready {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    } else {
        return None;
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alive_is_not_yet_ready() {
        let check = HealthCheck::default();
        let status = |path, ready| answer(&check, path, || ready).map(|r| r.status().as_u16());

        assert_eq!(status("/health/live", false), Some(200));
        assert_eq!(status("/health/ready", false), Some(503));
        assert_eq!(status("/health/ready", true), Some(200));
        assert_eq!(status("/health", true), None);
    }

    #[test]
    fn disabled_leaves_the_paths_to_the_routes() {
        let check = HealthCheck {
            disabled: true,
            ..HealthCheck::default()
        };

        assert!(answer(&check, "/health/live", || true).is_none());
    }
}
